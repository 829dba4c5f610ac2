"""What services stand on, and zones and capacity that can be lost: the surroundings of the services."""

from dataclasses import dataclass

from tools.drill.world.metrics import Series
from tools.drill.world.setting import Dependency as DependencySetting
from tools.drill.world.vitals import Minute, Vitals

CANARY_CALLS_PER_MINUTE = 60
"""Calls of a canary that watches a dependency by itself; its failed ones are the dependency's metric. Assumption."""
ALARM_THRESHOLD = 5.0
"""Failed calls in a minute above which the dependency's alarm counts the minute as bad. Assumption."""
NAMESPACE, METRIC = "Canaries", "FailedCalls"


_DOWN = {
    "database": "could not connect to server {name}: Connection refused",
    "table": "EndpointConnectionError: Could not connect to the endpoint of table {name}",
    "backend": "Bad answer from {name}: 503 Service Unavailable",
}
_REFUSED = {
    "database": "FATAL: remaining connection slots of {name} are reserved for roles with the SUPERUSER attribute",
    "table": "Connection pool to table {name} is full",
    "backend": "Bad answer from {name}: 503 Too many connections",
}
_THROTTLED = {
    "database": "{name}: ERROR: too many requests",
    "table": "ProvisionedThroughputExceededException: The level of configured provisioned throughput for the table "
    "{name} was exceeded",
    "backend": "Bad answer from {name}: 429 Too Many Requests",
}
"""In the words of PostgreSQL, botocore, the DynamoDB Developer Guide ("Error handling") and HTTP."""


@dataclass(kw_only=True)
class Dependency:
    """One dependency as it is now."""

    setting: DependencySetting
    connections: float | None
    """How many it takes; None for as many as anybody wants."""
    series: Series
    vitals: Vitals
    down: bool = False
    slow_s: float | None = None
    """How long it takes to answer while it is slow."""
    broken: float = 0.0
    """Share of the calls that it fails."""
    throttled: float = 0.0
    """Share of the calls that it refuses because they are too many."""

    def failing(self, wanted: float) -> float:
        """Share of the calls that fail when so many connections are wanted."""
        if self.down:
            return 1.0
        lost = max(self.throttled, self.broken)
        if self.connections is None or wanted <= self.connections:
            return lost
        return max(lost, 1.0 - self.connections / wanted)

    def complaint(self) -> str:
        """What its users write of a call that fails now."""
        name, kind = self.setting.name, self.setting.kind
        if self.down or self.broken > 0:
            return _DOWN[kind].format(name=name)
        return _THROTTLED[kind].format(name=name) if self.throttled > 0 else _REFUSED[kind].format(name=name)

    def waiting(self) -> str:
        """What its users write of a request that found no worker free, because all wait for it."""
        return f"TimeoutError: no answer from {self.setting.name} in time, gave up waiting for a free worker"

    def late(self) -> str:
        """What its users write of a request for which they wait for it."""
        return f"soft timeout: no answer from {self.setting.name} within 1000 ms, still waiting"

    def watch(self, minute: int, wanted: float) -> None:
        """The canary's minute, and what AWS measured in it."""
        bad = 1.0 if self.slow_s is not None and self.setting.alarm_sees_slow else self.failing(wanted)
        total = CANARY_CALLS_PER_MINUTE * bad
        self.series.add(minute, total=total, count=1.0, value=total)
        self.vitals.note(minute, self.state(wanted))

    def state(self, wanted: float) -> Minute:
        """How it is now."""
        return Minute(
            failing=self.failing(wanted),
            slow_s=self.slow_s,
            throttled=self.throttled,
            connected=wanted if self.connections is None else min(wanted, self.connections),
            down=self.down,
        )
