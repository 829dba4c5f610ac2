"""What users and tasks lived through, step by step."""

from dataclasses import dataclass, field
from itertools import zip_longest

STEP_S = 10
"""Length of one step of a `Tally`, in seconds."""


@dataclass
class Tally:
    """One entry for each step of `STEP_S`. Counts are sums over the step; `running`, `healthy` and `desired` are means.

    Requests are those of users: a request that failed only before a retry has not failed.
    """

    requests: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    """Answered, but slower than `slow_s`."""
    running: list[float] = field(default_factory=list)
    """Tasks."""
    healthy: list[float] = field(default_factory=list)
    """Targets."""
    desired: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Percent, mean over tasks in service."""
    latency_s: list[float] = field(default_factory=list)
    """Sum of the times of all answers of tasks; with `answered`, the mean."""
    answered: list[float] = field(default_factory=list)

    def add(
        self,
        step: int,
        *,
        requests: float,
        failed: float,
        slow: float,
        running: float,
        healthy: float,
        desired: float,
        cpu: float,
        latency_s: float,
        answered: float,
    ) -> None:
        """Add a part of a step; what is a mean comes multiplied by the length of the part in seconds."""
        if step >= len(self.requests):
            for series in self._all():
                series.extend([0.0] * (step + 1 - len(series)))
        self.requests[step] += requests
        self.failed[step] += failed
        self.slow[step] += slow
        self.running[step] += running / STEP_S
        self.healthy[step] += healthy / STEP_S
        self.desired[step] += desired / STEP_S
        self.cpu[step] += cpu / STEP_S
        self.latency_s[step] += latency_s
        self.answered[step] += answered

    def served(
        self, step: int, *, failed_percent: float, slow_percent: float, tasks_at_most: int | None = None
    ) -> bool:
        """Whether a goal was met in this step; without requests users miss nothing."""
        requests = self.requests[step] / 100
        if tasks_at_most is not None and self.running[step] > tasks_at_most + 0.5:
            return False
        return self.failed[step] <= failed_percent * requests and self.slow[step] <= slow_percent * requests

    def wasted(self, tasks_at_most: int) -> float:
        """Minutes of running tasks beyond these, all together."""
        return sum(max(0.0, running - tasks_at_most) for running in self.running) * STEP_S / 60

    def mean_latency_s(self, step: int) -> float:
        """Of the answers of one step; 0 without any."""
        return self.latency_s[step] / self.answered[step] if self.answered[step] > 0 else 0.0

    def _all(self) -> tuple[list[float], ...]:
        return (
            self.requests, self.failed, self.slow, self.running, self.healthy, self.desired, self.cpu, self.latency_s,
            self.answered,
        )  # fmt: skip

    @classmethod
    def sum(cls, tallies: "list[Tally]") -> "Tally":
        """Of several services; the CPU is the mean over them."""
        if len(tallies) == 1:
            return tallies[0]
        total = cls()
        for series, *parts in zip(total._all(), *(each._all() for each in tallies), strict=True):
            series.extend(sum(values) for values in zip_longest(*parts, fillvalue=0.0))
        total.cpu = [value / len(tallies) for value in total.cpu]
        return total
