"""A run that is over, with everything that is left of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from functions.domain.incidents import Incident
from tools.chaos.breaks import Breaks
from tools.chaos.deployment import FragileDeployment
from tools.drill.scenario import Scenario
from tools.drill.world.world import World

NEVER = float("inf")

_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(kw_only=True)
class Played:
    """One run."""

    scenario: Scenario
    world: World
    deployment: FragileDeployment
    breaks: Breaks
    began: datetime
    harm: tuple[str, ...] = ()
    """What the drill calls harm, until the horizon."""

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """All of them, newest first."""
        return tuple(self.deployment.ledger.incidents_between(_EARLIEST, _LATEST))

    @property
    def broke_at_s(self) -> float:
        """When the first thing broke."""
        return min((at_s for at_s, _ in self.breaks.happened), default=NEVER)

    @property
    def broke_last_s(self) -> float:
        """When the last thing broke."""
        return max((at_s for at_s, _ in self.breaks.happened), default=-NEVER)

    def seconds(self, at: datetime) -> float:
        """A time as seconds of the run."""
        return (at - self.began).total_seconds()
