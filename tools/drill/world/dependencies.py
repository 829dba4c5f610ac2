"""What services stand on, and zones and capacity that can be lost: the surroundings of the services."""

from dataclasses import dataclass

from tools.drill.world.metrics import Series
from tools.drill.world.setting import Dependency as DependencySetting

CANARY_CALLS_PER_MINUTE = 60
"""Calls of a canary that watches a dependency by itself; its failed ones are the dependency's metric. Assumption."""
ALARM_THRESHOLD = 5.0
"""Failed calls in a minute above which the dependency's alarm counts the minute as bad. Assumption."""
NAMESPACE, METRIC = "Canaries", "FailedCalls"


@dataclass(kw_only=True)
class Dependency:
    """One dependency as it is now."""

    setting: DependencySetting
    connections: float | None
    """How many it takes; None for as many as anybody wants."""
    series: Series
    down: bool = False
    slow_s: float | None = None
    """How long it takes to answer while it is slow."""

    def failing(self, wanted: float) -> float:
        """Share of the calls that fail when so many connections are wanted."""
        if self.down:
            return 1.0
        if self.connections is None or wanted <= self.connections:
            return 0.0
        return 1.0 - self.connections / wanted

    def watch(self, minute: int, wanted: float) -> None:
        """The canary's minute."""
        bad = 1.0 if self.slow_s is not None and self.setting.alarm_sees_slow else self.failing(wanted)
        total = CANARY_CALLS_PER_MINUTE * bad
        self.series.add(minute, total=total, count=1.0, value=total)
