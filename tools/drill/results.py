"""What a drill found: runs, their timelines, and what they amount to per policy and per scenario.

The runner fills these, the report tells them. Nothing here computes: the measures say how each number comes about.
Everything is plain data that can be pickled, because runs are made in several processes.

All times are seconds of the world's clock, from the beginning of the run.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Mark(StrEnum):
    """What kind of thing a note on a timeline tells."""

    FAULT = "fault"
    """A fault began or ended."""
    CHANGE = "change"
    """Somebody else changed the service: ECS, its autoscaling, a pipeline, an engineer."""
    ALARM = "alarm"
    """A signal: an alarm changed its state, ECS said something."""
    THOUGHT = "thought"
    """Whoever responds looked, concluded, planned or waited."""
    ACTION = "action"
    """Whoever responds changed something, or gave it back."""
    PAGE = "page"
    """People were told."""
    RECOVERED = "recovered"
    """The trouble is over: for users, or in the eyes of whoever responds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One thing that happened in a run, or that the responder thought; for the responder, an event of its trail."""

    at_s: float
    mark: Mark
    actor: str
    """Who: `world`, `engineer`, `ecs`, a policy, or the step of the responder that wrote the event."""
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """How a run went, in intervals of equal length; all series are equally long.

    A run of an hour in intervals of 30 s has 120 points, which is as much as a plot shows. Series become arrays, so
    that the timelines of thousands of runs take little memory.
    """

    interval_s: float
    requests_rps: Sequence[float]
    """What users sent, on average over the interval."""
    failed_rps: Sequence[float]
    """Of these, the ones that failed."""
    slow_rps: Sequence[float]
    """Of these, the ones that were answered too late."""
    tasks_desired: Sequence[int]
    """At the end of the interval, as all counts of tasks."""
    tasks_running: Sequence[int]
    tasks_healthy: Sequence[int]
    """Tasks that the load balancer sends requests to."""
    cpu_percent: Sequence[float]
    latency_s: Sequence[float]
    notes: tuple[Note, ...] = ()
    """By time."""

    def __post_init__(self) -> None:
        for name in ("requests_rps", "failed_rps", "slow_rps", "cpu_percent", "latency_s"):
            object.__setattr__(self, name, array("f", getattr(self, name)))
        for name in ("tasks_desired", "tasks_running", "tasks_healthy"):
            object.__setattr__(self, name, array("H", getattr(self, name)))


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """One scenario with one seed under one policy."""

    scenario: str
    policy: str
    seed: int
    ended_s: float
    """The end of the run, whether the trouble was over or not."""
    fault_s: float | None
    """When the trouble began; None if there was none, as with a false alarm."""
    alarm_s: float | None
    """When the first alarm changed to ALARM; None if none did."""
    recovered_s: float | None
    """When the service met its objective again and kept to it until the end; None if it never did, or never left it."""
    requests: float
    failed: float
    slow: float
    wasted: float = 0.0
    """Minutes of tasks beyond those that the goal allows; 0 where it says nothing of them."""
    actions: int
    """Mutating calls that took effect, taken by whoever responds."""
    escalated: bool
    """People were paged."""
    escalated_correctly: bool
    """People were paged if no automatic action could fix it, and were not needed otherwise."""
    cause_named: str | None = None
    """The cause that was named first; None where none was, or nobody makes a diagnosis."""
    cause_first: bool | None = None
    """It was the true one; None where nobody makes a diagnosis."""
    harm: tuple[str, ...] = ()
    """Why the run counts as harmful, one sentence each; empty if it does not."""
    timeline: Timeline | None = None
    """None where nobody asked for it."""

    @property
    def impact(self) -> float:
        """Failed and slow requests, and wasted minutes of tasks."""
        return self.failed + self.slow + self.wasted

    @property
    def recovery_s(self) -> float | None:
        """From the fault to the recovery; None without either."""
        return None if self.fault_s is None or self.recovered_s is None else self.recovered_s - self.fault_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """The middle and the bad end of a distribution.

    Of recovery times, a run that never recovered counts with the time until its end, so that giving up never looks
    fast. None where no run has the number at all.
    """

    p50: float | None
    p95: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """Runs of one policy taken together: of one scenario, or of all of them."""

    runs: int
    troubled: int
    """Runs in which there was trouble to recover from."""
    recovered: int
    """Runs in which the service met its objective at the end, whether it ever missed it or not."""
    escalated_correctly: int
    """Runs in which people were paged exactly when they were needed."""
    impact_median: float
    """Failed and slow requests."""
    impact_ratio_to_oracle: Spread
    """(impact + 1) / (the oracle's impact + 1), seed by seed."""
    recovery_s: Spread
    """From the fault."""
    recovery_from_alarm_s: Spread
    recovery_ratio_to_oracle: Spread
    """(recovery + 1) / (the oracle's recovery + 1), seed by seed."""
    actions: int
    """Of all runs together."""
    harmful: int
    """Runs that did harm."""
    cause_first: int | None = None
    """Runs in which the true cause was named first; None for a way to respond that makes no diagnosis."""
    named_instead: Mapping[str, int] = field(default_factory=dict)
    """What was named first in the others, and in how many runs; `none` where nothing was. Most frequent first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the responder's runs show of what is asked of it."""

    runs: int
    harmful: int
    ratio: Spread
    """Impact ratio to the oracle, over the runs that an action can fix."""
    unfixable: int
    """Runs that no action can fix."""
    escalated_correctly: int
    """Of these."""
    cause_first: int
    """Of all runs."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that is asked, in words."""

    what: str
    asked: str
    found: str
    met: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioNote:
    """What a reader has to know of a scenario."""

    name: str
    kind: str
    """The runbook's kind of drill: outage, performance, database or security."""
    title: str
    truth: str
    """What is really wrong, in the words of the scenario."""
    fixable: bool
    """Whether any automatic action can end it."""
    people: bool
    """Whether people have to be told. With neither, it ends by itself."""

    @property
    def ends(self) -> str:
        """How it ends, in a few words."""
        if self.fixable:
            return "an automatic action can end it"
        return "people have to end it" if self.people else "it ends by itself"


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyNote:
    """What a reader has to know of a policy."""

    name: str
    title: str
    """What it does, in one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variation:
    """The same drill again with one of the world's constants, or all of them, made smaller or larger."""

    constant: str
    factor: float
    """0.5 or 1.5; 1 for the world as it is, with the seeds of the others."""
    by_policy: Mapping[str, Summary]
    shown: Shown | None = None
    """None where the responder did not take part."""
    demands: tuple[Demand, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """A whole drill. Policies and scenarios are in the order in which they are to be shown."""

    seeds: int
    scenarios: tuple[ScenarioNote, ...]
    policies: tuple[PolicyNote, ...]
    by_policy: Mapping[str, Summary]
    by_scenario: Mapping[str, Mapping[str, Summary]]
    """By scenario, then by policy."""
    runs: tuple[RunResult, ...]
    """In a fixed order: by scenario, policy and seed, as listed."""
    shown: Mapping[str, Shown] = field(default_factory=dict)
    """By scenario; empty where the responder did not take part."""
    better_than: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    """By scenario, whether the responder's middle run lost less than that of each other policy but the oracle."""
    demands: tuple[Demand, ...] = ()
    """What is asked of the responder over all scenarios."""
    variations: tuple[Variation, ...] = ()
    """The world as it is comes first."""
