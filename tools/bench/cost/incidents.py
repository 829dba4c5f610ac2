"""What incidents cost: whole ones, from the alarm to the report, in the drill's worlds."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from functions.domain.incidents import Fact, IncidentStatus
from functions.workflow.table import Function, StepName
from tools.bench.cost.meter import Metered, metered
from tools.cost.prices import Item, Used
from tools.drill.deployment import DrillSettings
from tools.drill.runner import clients_of
from tools.drill.scenario import Scenario, load_scenarios, shipped
from tools.drill.world.world import World

LADDER = Path(__file__).with_name("scenarios") / "every-rung-in-vain.yaml"
"""The longest ladder: four rungs, three of them taken in vain, a page, and a watch until people have mended it."""

STEP_S = 30.0

TYPICAL = "release-fails-requests"
"""The incident of the README: a bad release, rolled back."""

OF_INCIDENTS = ("intake", *Function)
"""Functions that run for incidents. The sweep and bake run anyway."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What came of one scenario, and what it took. `rounds` is what the sweep and bake used meanwhile."""

    scenario: str
    incidents: int
    actions: int
    """Intents written, without those that are a further stage of the same."""
    resolved: bool
    used: Mapping[Item, float]
    until_watched: Mapping[Item, float]
    """That part of it until people had been paged and the first watch began; all of it where none did."""
    watched_s: float
    """From then until the last execution ended."""
    rounds: Mapping[Item, float]
    calls: Mapping[str, int]
    """Calls of AWS by operation."""


def scenarios() -> Sequence[Scenario]:
    """All that come with the drill, and the longest ladder."""
    return (*load_scenarios(shipped()), *load_scenarios([str(LADDER)]))


def played(scenario: Scenario) -> Told:
    """One scenario to its horizon."""
    setting = scenario.setting
    world = World(setting, seed=0)
    deployment = Metered(
        world,
        clients=clients_of(setting.region),
        playbooks=scenario.playbooks,
        settings=DrillSettings(region=setting.region, account=setting.account),
    )
    until_watched: Used | None = None
    watched_at = ended_at = 0.0
    with metered(world, deployment):
        while world.seconds < setting.horizon_s:
            world.run_until(min(world.seconds + STEP_S, setting.horizon_s))
            if until_watched is None and any(StepName.WATCH in each.steps for each in deployment.engine.executions):
                until_watched, watched_at = _of_incidents(deployment), world.seconds
            if any(each.status == "RUNNING" for each in deployment.engine.executions):
                ended_at = world.seconds
        incidents = deployment.ledger.incidents_between(
            datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        )
        actions = sum(
            event.fact is Fact.ACTION_INTENDED and event.data.get("stage", 0) == 0
            for incident in incidents
            for event in deployment.ledger.events(incident.id)
        )
    used = _of_incidents(deployment)
    return Told(
        scenario=scenario.name,
        incidents=len(incidents),
        actions=actions,
        resolved=bool(incidents) and all(each.status is IncidentStatus.RESOLVED for each in incidents),
        used=used,
        until_watched=until_watched or used,
        watched_s=ended_at - watched_at if until_watched else 0.0,
        rounds=sum((deployment.meter.get(each, Counter()) for each in ("sweep", "bake")), Counter()),
        calls=dict(_by_operation(deployment)),
    )


def _of_incidents(deployment: Metered) -> Used:
    used: Counter[Item] = sum((deployment.meter.get(each, Counter()) for each in OF_INCIDENTS), Counter())
    used[Item.TRANSITION] = deployment.transitions().total()
    used[Item.TRACE] = len(deployment.engine.executions) + deployment.invocations["intake"]
    return used


def _by_operation(deployment: Metered) -> Iterator[tuple[str, int]]:
    found: Counter[str] = Counter()
    for (function, service, operation), count in deployment.calls.items():
        if function in OF_INCIDENTS:
            found[f"{service}:{operation}"] += count
    yield from sorted(found.items())
