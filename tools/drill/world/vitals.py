"""What AWS measures of the things that services stand on, minute by minute.

A database is an RDS DB instance of the dependency's name, a table one of DynamoDB, a backend a REST API of API Gateway
and the Lambda function behind it. Sources: RDS User Guide, "Amazon CloudWatch metrics for Amazon RDS"; DynamoDB
Developer Guide, "DynamoDB metrics and dimensions"; API Gateway Developer Guide, "Amazon API Gateway dimensions and
metrics"; Lambda Developer Guide, "Types of metrics for Lambda functions".
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tools.drill.world.chance import Chance
from tools.drill.world.metrics import Key, Metrics, key_of

REMEMBERED_MINUTES = 60
"""How much of the time before the run CloudWatch holds of a dependency."""
READS = 0.7
"""Share of the calls of a table that read. Assumption."""
USUAL_CPU_LOW, USUAL_CPU_HIGH = 15.0, 40.0
"""CPU percent of a database that is well. Assumption."""
BUSY_CPU = 97.0
"""CPU percent of one that is slow. Assumption: it is slow because it has too much to do."""
USUAL_DISK_S = 0.001
"""One read or write of its storage. Assumption."""
DISK_SHARE = 0.02
"""Share of a slow answer that one read or write of its storage takes. Assumption."""
FREE_BYTES = 40e9
"""Storage that is left. Assumption."""

STATUSES_DOWN = ("rebooting", "failed", "storage-full")
"""What RDS says of a database that does not answer (RDS User Guide, "Viewing Amazon RDS DB instance status")."""


class Minute(NamedTuple):
    """How a dependency was at the end of a minute."""

    failing: float = 0.0
    """Share of the calls that failed."""
    slow_s: float | None = None
    throttled: float = 0.0
    connected: float = 0.0
    """Connections that were taken."""
    down: bool = False


Measured = tuple[float, float] | None
"""Sum and number of samples."""


class Vitals:
    """One dependency's metrics. `calls` tells how often it was called in a minute, `usual` how it is without faults."""

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        latency_s: float,
        chance: Chance,
        calls: Callable[[int], float],
        usual: Callable[[], Minute],
    ) -> None:
        self._name, self._kind, self._latency_s = name, kind, latency_s
        self._calls, self._usual = calls, usual
        self._minutes: dict[int, Minute] = {}
        self._cpu = chance.between(USUAL_CPU_LOW, USUAL_CPU_HIGH, f"{name}/cpu")
        self.status_down = STATUSES_DOWN[int(chance.share(f"{name}/status") * len(STATUSES_DOWN))]
        """What RDS says of it while it is down."""

    def note(self, minute: int, state: Minute) -> None:
        self._minutes[minute] = state

    def of(self, minute: int) -> tuple[Minute, float] | None:
        """How it was in a minute and how often it was called; None where nobody knows."""
        state = self._minutes.get(minute)
        if state is None:
            if not -REMEMBERED_MINUTES <= minute < 0:
                return None
            state = self._usual()
        return state, self._calls(minute)

    def hold(self, metrics: Metrics, *, late_s: float) -> None:
        """Let CloudWatch have them."""
        for key, measure in self._measures().items():
            metrics.hold(key, VitalSeries(self, measure), late_s=late_s)

    def _measures(self) -> Mapping[Key, Callable[[Minute, float], Measured]]:
        match self._kind:
            case "database":
                return self._database()
            case "table":
                return self._table()
        return self._backend()

    def _database(self) -> Mapping[Key, Callable[[Minute, float], Measured]]:
        def seen(value: Callable[[Minute], float]) -> Callable[[Minute, float], Measured]:
            def measure(state: Minute, calls: float) -> Measured:
                gone = state.down and self.status_down != "storage-full"
                return None if gone else (value(state), 1.0)

            return measure

        def disk_s(state: Minute) -> float:
            return USUAL_DISK_S if state.slow_s is None else max(USUAL_DISK_S, state.slow_s * DISK_SHARE)

        def cpu(state: Minute) -> float:
            return 2.0 if state.down else BUSY_CPU if state.slow_s is not None else self._cpu

        named = {
            "DatabaseConnections": seen(lambda state: 0.0 if state.down else state.connected),
            "CPUUtilization": seen(cpu),
            "FreeStorageSpace": seen(lambda state: 0.0 if state.down else FREE_BYTES),
            "ReadLatency": seen(disk_s),
            "WriteLatency": seen(disk_s),
        }
        return {key_of("AWS/RDS", name, {"DBInstanceIdentifier": self._name}): each for name, each in named.items()}

    def _table(self) -> Mapping[Key, Callable[[Minute, float], Measured]]:
        def consumed(share: float) -> Callable[[Minute, float], Measured]:
            return lambda state, calls: _count(share * calls * (1.0 - state.failing))

        def throttled(share: float) -> Callable[[Minute, float], Measured]:
            return lambda state, calls: _count(share * calls * state.throttled)

        named = {
            "ConsumedReadCapacityUnits": consumed(READS),
            "ConsumedWriteCapacityUnits": consumed(1 - READS),
            "ReadThrottleEvents": throttled(READS),
            "WriteThrottleEvents": throttled(1 - READS),
        }
        return {key_of("AWS/DynamoDB", name, {"TableName": self._name}): each for name, each in named.items()}

    def _backend(self) -> Mapping[Key, Callable[[Minute, float], Measured]]:
        def called(state: Minute, calls: float) -> Measured:
            return _count(calls, samples=calls)

        def failed(state: Minute, calls: float) -> Measured:
            return (calls * max(0.0, state.failing - state.throttled), calls) if calls > 0 else None

        def took_ms(state: Minute, calls: float) -> Measured:
            seconds = self._latency_s if state.slow_s is None else state.slow_s
            return (seconds * 1000 * calls, calls) if calls > 0 else None

        def throttled(state: Minute, calls: float) -> Measured:
            return _count(calls * state.throttled)

        api, function = {"ApiName": self._name}, {"FunctionName": self._name}
        return {
            key_of("AWS/ApiGateway", "Count", api): called,
            key_of("AWS/ApiGateway", "5XXError", api): failed,
            key_of("AWS/ApiGateway", "Latency", api): took_ms,
            key_of("AWS/Lambda", "Invocations", function): called,
            key_of("AWS/Lambda", "Errors", function): failed,
            key_of("AWS/Lambda", "Duration", function): took_ms,
            key_of("AWS/Lambda", "Throttles", function): throttled,
        }


def _count(number: float, *, samples: float = 1.0) -> Measured:
    """A count that is zero is not reported."""
    return (number, samples) if number > 0 else None


class VitalSeries:
    """One metric of a dependency."""

    def __init__(self, vitals: Vitals, measure: Callable[[Minute, float], Measured]) -> None:
        self._vitals, self._measure = vitals, measure

    def value(self, minutes: range, statistic: str) -> float | None:
        """One statistic over some minutes, None without a data point.

        Raises:
            ValueError: for a statistic that the world does not keep.
        """
        known = [found for minute in minutes if (found := self._vitals.of(minute)) is not None]
        points = [point for state, calls in known if (point := self._measure(state, calls)) is not None]
        if not points:
            return None
        match statistic:
            case "Sum":
                return sum(total for total, _ in points)
            case "SampleCount":
                return float(round(sum(count for _, count in points)))
            case "Average":
                return sum(total for total, _ in points) / sum(count for _, count in points)
            case "Minimum":
                return min(total / count for total, count in points)
            case "Maximum":
                return max(total / count for total, count in points)
        raise ValueError(f"the world keeps no statistic {statistic} of a dependency")
