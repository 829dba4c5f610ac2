"""What a drill measures, and how each number comes about."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.causes import Cause
from functions.domain.incidents import Event
from functions.workflow.decision import OTHERS_AT_WORK, Decision
from functions.workflow.table import Outcome
from tools.drill.results import RunResult, Spread, Summary
from tools.drill.scenario import Truth
from tools.drill.world.tally import STEP_S, Tally

BLIP_S = 30.0
"""Users are in trouble once the goal is missed for this long without a break: a shorter blip, such as a task that dies
between two health checks, is impact but no trouble."""

STAYED_S = 600.0
"""As long as this at the end of a run users must have been served, for the trouble to be over: tasks that die every few
minutes have not recovered in between."""

NO_CAUSE = "none"
"""Stands for a cause where none was named."""

HARM_REQUESTS = 20.0
HARM_SHARE = 0.02
"""More lost requests than without any action, by more than both, is harm whatever the reason."""


@dataclass(frozen=True)
class Trouble:
    """When users were not served as they should be, in seconds of the run."""

    began_s: float
    ended_s: float | None
    """The end of the last of it; None if it was not over for long enough at the end of the run."""


def trouble(served: Sequence[bool]) -> Trouble | None:
    """From the first to the last stretch of trouble; None where there was none."""
    stretches = list(_missed(served))
    if not stretches:
        return None
    began, ended = stretches[0][0] * STEP_S, stretches[-1][1] * STEP_S
    lasts = len(served) * STEP_S - ended < STAYED_S
    return Trouble(began_s=began, ended_s=None if lasts else ended)


def _missed(served: Sequence[bool]) -> Iterable[tuple[int, int]]:
    """Steps from and to which the goal was missed, blips left out."""
    start: int | None = None
    for step, fine in enumerate([*served, True]):
        if not fine and start is None:
            start = step
        elif fine and start is not None:
            if (step - start) * STEP_S >= BLIP_S:
                yield start, step
            start = None


def impact(tally: Tally) -> float:
    """Failed and slow requests. Waste, where a goal names some, comes on top."""
    return sum(tally.failed) + sum(tally.slow)


def escalated_correctly(truth: Truth, *, paged: bool, recovered: bool) -> bool:
    """Where people are needed, they were told. Elsewhere nobody was woken, unless the trouble would not end."""
    if truth.people:
        return paged
    return paged != recovered


@dataclass(frozen=True)
class Named:
    """The cause that was named first, and when."""

    cause: Cause
    at: datetime


def cause_named(events: Sequence[Event]) -> Named | None:
    """The cause that the responder named first, from its trail by time; None where it named none.

    What counts is the first incident that names one, and in it the first decision to act, to ask, to escalate or to
    stand down; if there is none, because others ended it, the first wait for them. To wait because it is too early to
    tell, or for anything else, names nothing. All clear without a cause says that nothing was wrong.
    """
    of_incident: dict[str, list[tuple[datetime, Decision]]] = {}
    for event in events:
        found = of_incident.setdefault(event.incident_id, [])
        if "decision" in event.data:
            found.append((event.at, Decision.model_validate(event.data["decision"])))
    return next((named for each in of_incident.values() if (named := _named(each)) is not None), None)


_TO_NAME = frozenset({Outcome.ACT, Outcome.ASK, Outcome.ESCALATE, Outcome.STAND_DOWN})


def _named(decisions: Sequence[tuple[datetime, Decision]]) -> Named | None:
    """Of one incident."""
    for at, decision in decisions:
        if decision.outcome in _TO_NAME:
            return Named(decision.cause, at)
    for at, decision in decisions:
        if decision.outcome is Outcome.WAIT and decision.cause in OTHERS_AT_WORK:
            return Named(decision.cause, at)
        if decision.outcome is Outcome.ALL_CLEAR:
            return Named(Cause.FALSE_ALARM if decision.cause is Cause.UNKNOWN else decision.cause, at)
    return None


_RELEASE = frozenset({Cause.BAD_DEPLOYMENT, Cause.BAD_RELEASE})

BRINGS: Mapping[str, frozenset[Cause]] = {
    "bad-release/dies-at-start": frozenset({Cause.BAD_DEPLOYMENT}),
    "bad-release/dies-later": _RELEASE,
    "bad-release/5xx": _RELEASE,
    "bad-release/slow": _RELEASE,
    "bad-release/wrong-port": frozenset({Cause.BAD_DEPLOYMENT}),
    "bad-release/memory-leak": _RELEASE,
    "bad-release/image-missing": frozenset({Cause.IMAGE_UNAVAILABLE}),
    "bad-release/secret-missing": frozenset({Cause.SECRET_MISSING}),
    "bad-release/never-runs": frozenset({Cause.DEPLOYMENT_STALLED}),
    "bad-release/wrong-schema": frozenset({Cause.SCHEMA_MISMATCH}),
    "bad-release/lacks-permission": frozenset({Cause.PERMISSION_DENIED}),
    "traffic-spike": frozenset({Cause.OVERLOAD, Cause.SCALING_CEILING}),
    "engineer/deploys": frozenset({Cause.SOMEONE_AT_WORK}),
    "engineer/rolls-back": frozenset({Cause.SOMEONE_AT_WORK}),
    "rollback": frozenset({Cause.NATIVE_ROLLBACK}),
}
"""What is true once a fault has begun, for faults that come one after the other: before the engineer has begun, nobody
is at work, and the release alone is to blame."""


def cause_first(truth: Truth, named: Named | None, begun: Sequence[tuple[str, datetime]] = ()) -> bool:
    """Whether the true cause was named first. Nothing has to be named where the trouble ends by itself.

    `begun` tells which faults began when: whoever names a cause before the true one came into the world is right if it
    is what another fault had brought by then.
    """
    if named is None:
        return not truth.people and not truth.remedies
    if named.cause is truth.cause:
        return True
    there = [BRINGS.get(kind, frozenset()) for kind, at in begun if at <= named.at]
    comes_later = any(truth.cause in BRINGS.get(kind, frozenset()) for kind, at in begun if at > named.at)
    return (
        comes_later
        and all(truth.cause not in brought for brought in there)
        and any(named.cause in brought for brought in there)
    )


def more_was_lost(with_us: float, without: float) -> str | None:
    """Why the impact with our actions counts as harm, against the same seed without any."""
    more = with_us - without
    if more > max(HARM_REQUESTS, HARM_SHARE * without):
        return f"users lost {more:.0f} requests more than the {without:.0f} without any action"
    return None


def floor_broken(healthy: Sequence[float], without: Sequence[float], *, floor: int, since_s: float) -> str | None:
    """Whether fewer healthy tasks than the playbook's floor were left for a while after our first action, and never so
    without us. Tasks that ECS replaces because they are unhealthy are nobody's loss."""
    left = [tasks > floor - 0.5 for tasks in healthy[int(since_s // STEP_S) :]]
    # For as long as users would call it trouble: a task that dies is missing until ECS has replaced it.
    if any(True for _ in _missed(left)) and all(tasks > floor - 0.5 for tasks in without):
        return f"fewer healthy tasks were left than the floor of {floor}"
    return None


def summary(runs: Sequence[RunResult], oracle: Mapping[tuple[str, int], RunResult]) -> Summary:
    """Runs taken together; `oracle` holds its run of each scenario and seed."""
    pairs = [(run, oracle[run.scenario, run.seed]) for run in runs]
    return Summary(
        runs=len(runs),
        troubled=sum(1 for run in runs if run.fault_s is not None),
        recovered=sum(1 for run in runs if recovered(run)),
        escalated_correctly=sum(1 for run in runs if run.escalated_correctly),
        impact_median=percentile([run.impact for run in runs], 50) or 0.0,
        impact_ratio_to_oracle=spread(ratios(runs, oracle)),
        recovery_s=spread(_lengths(runs, lambda run: run.fault_s)),
        recovery_from_alarm_s=spread(_lengths(runs, lambda run: run.alarm_s)),
        recovery_ratio_to_oracle=spread(
            (_time(run) + 1) / (_time(best) + 1) for run, best in pairs if run.fault_s is not None
        ),
        actions=sum(run.actions for run in runs),
        harmful=sum(1 for run in runs if run.harm),
        cause_first=_causes_first(runs),
        named_instead=_named_instead(runs),
    )


def _causes_first(runs: Sequence[RunResult]) -> int | None:
    """None where nobody made a diagnosis."""
    told = [run.cause_first for run in runs if run.cause_first is not None]
    return sum(told) if told else None


def _named_instead(runs: Sequence[RunResult]) -> Mapping[str, int]:
    """Most frequent first."""
    wrong = Counter(run.cause_named or NO_CAUSE for run in runs if run.cause_first is False)
    return dict(sorted(wrong.items(), key=lambda each: (-each[1], each[0])))


def ratios(runs: Iterable[RunResult], oracle: Mapping[tuple[str, int], RunResult]) -> Iterable[float]:
    """Impact compared with the oracle's, run by run."""
    return ((run.impact + 1) / (oracle[run.scenario, run.seed].impact + 1) for run in runs)


def recovered(run: RunResult) -> bool:
    """Users are served at the end of the run, or were all the time."""
    return run.fault_s is None or run.recovered_s is not None


def _time(run: RunResult) -> float:
    """From the fault to the recovery, or to the end of the run without one; 0 where users felt nothing."""
    if run.fault_s is None:
        return 0.0
    return (run.ended_s if run.recovered_s is None else run.recovered_s) - run.fault_s


def _lengths(runs: Iterable[RunResult], since: Callable[[RunResult], float | None]) -> Iterable[float]:
    for run in runs:
        start = since(run)
        if run.fault_s is not None and start is not None:
            yield max(0.0, (run.ended_s if run.recovered_s is None else run.recovered_s) - start)


def spread(values: Iterable[float]) -> Spread:
    """The middle and the bad end."""
    found = list(values)
    return Spread(p50=percentile(found, 50), p95=percentile(found, 95))


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that at least so many percent of all do not exceed; None of nothing (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
