"""Which cause? Every rule judges the same findings; the order of the answer depends on nothing else.

A rule declares what evidence it requires and what merely supports it. Required evidence that is unknown bars the cause
from being acted upon; supporting evidence that is unknown lowers its confidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from functions.diagnostics.signs import Signs
from functions.domain.causes import Cause, Judgement
from functions.domain.evidence import Findings

LOST_SUPPORT = 0.1
"""How much confidence each unknown supporting reading costs."""

CRASHES_COUNT = 2
CRASHES_WITHIN = timedelta(minutes=15)


@dataclass
class Case:
    """What speaks for and against one cause, while a rule makes it up."""

    confidence: float = 0.0
    evidence_for: list[str] = field(default_factory=list)
    evidence_against: list[str] = field(default_factory=list)

    def rests_on(self, confidence: float, *evidence: str) -> None:
        self.confidence = max(self.confidence, confidence)
        self.evidence_for.extend(evidence)

    def speaks_against(self, holds: bool, evidence: str, *, at_most: float = 0.0) -> None:
        """Note evidence against, and cap the confidence by it."""
        if holds:
            self.evidence_against.append(evidence)
            self.confidence = min(self.confidence, at_most)


class Judge(Protocol):
    def __call__(self, signs: Signs, case: Case) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one cause is told from the others. `requires` and `supports` are names of fields of `Findings`."""

    cause: Cause
    requires: tuple[str, ...]
    judge: Judge
    supports: tuple[str, ...] = ()


def native_rollback(signs: Signs, case: Case) -> None:
    """ECS is already going back: whatever we did would be on top of it."""
    flight = signs.releases.in_flight
    if flight is not None and flight.rolling_back:
        case.rests_on(1.0, f"ECS is rolling back by itself: {flight.status} {flight.rollback_reason}".rstrip())


def someone_at_work(signs: Signs, case: Case) -> None:
    """A deployment that is not ours and began when the trouble was there already is a person or a pipeline at it."""
    if signs.releases.changed_during_incident:
        case.rests_on(0.95, "a deployment that is not ours began after this incident did")
    if signs.may_be_a_cure:
        case.rests_on(0.95, "users felt the trouble before the newest deployment began: it may be somebody's cure")


def dependency_failing(signs: Signs, case: Case) -> None:
    """What the service stands on is down: more tasks or new tasks would only make it worse."""
    for dependency in signs.dependencies.failing:
        case.rests_on(0.95 if signs.unwell else 0.7, f"dependency {dependency.name} is failing: {dependency.detail}")
    if case.confidence > 0:
        case.evidence_for.extend(signs.symptoms)


def bad_deployment(signs: Signs, case: Case) -> None:
    """A deployment in progress, or given up by the circuit breaker, whose new tasks do not come up."""
    primary = signs.service.primary
    if primary is None:
        return
    if primary.rollout_state == "FAILED":
        case.rests_on(
            0.95, f"deployment {primary.id} failed and nothing rolled it back: {primary.rollout_reason}".rstrip(": ")
        )
    elif primary.rollout_state == "IN_PROGRESS" and signs.is_new_release:
        if primary.failed > 0:
            case.rests_on(0.85, f"{primary.failed} tasks of deployment {primary.id} failed to start or to stay up")
        if signs.unwell:
            case.rests_on(0.8, f"deployment {primary.id} is in progress and users feel it", *signs.symptoms)
    case.speaks_against(
        signs.releases.current_since < primary.created_at,
        "the deployment brought no other release: what it runs ran before",
        at_most=0.4,
    )
    _not_a_release(signs, case)


def bad_release(signs: Signs, case: Case) -> None:
    """A release whose deployment completed, and then the service got worse without more load."""
    primary = signs.service.primary
    if primary is None or primary.rollout_state not in (None, "COMPLETED") or not signs.is_new_release:
        return
    crashes = signs.crashes(CRASHES_WITHIN)
    if signs.unwell:
        case.rests_on(0.9, signs.release_age, *signs.symptoms)
    if crashes >= CRASHES_COUNT:
        case.rests_on(0.9, signs.release_age, f"{crashes} tasks of this release stopped by themselves lately")
    case.speaks_against(signs.load_up, f"there is more load than usual: {signs.load}", at_most=0.55)
    _not_a_release(signs, case)


def _not_a_release(signs: Signs, case: Case) -> None:
    _no_dependency(signs, case, "a dependency is failing, which looks the same from outside", at_most=0.3)


def _no_dependency(signs: Signs, case: Case, evidence: str, *, at_most: float) -> None:
    """Dependencies that could not be read count like failing ones: unread evidence never makes a cause likelier."""
    if not signs.dependencies_known:
        case.speaks_against(True, "whether a dependency is failing could not be read", at_most=at_most)
    else:
        case.speaks_against(bool(signs.dependencies.failing), evidence, at_most=at_most)


def overload(signs: Signs, case: Case) -> None:
    """More requests than the tasks can carry: load and CPU went up together."""
    if signs.load_up and signs.cpu_high:
        case.rests_on(0.9, f"more load: {signs.load}", f"CPU is at {signs.cpu_now:.0f} %", *signs.symptoms)
    elif signs.load_up and signs.unwell and not signs.cpu_collapsed:
        case.rests_on(0.65, f"more load: {signs.load}", *signs.symptoms)
    elif signs.cpu_high and signs.cpu_up:
        case.rests_on(0.5, f"CPU is at {signs.cpu_now:.0f} % without more requests")
    case.speaks_against(signs.may_be_new_release, "a new release came shortly before, or may have", at_most=0.65)
    _no_dependency(signs, case, "a dependency is failing", at_most=0.2)
    case.speaks_against(
        signs.at_ceiling, "the service already runs as many tasks as its scalable target allows", at_most=0.4
    )


def scaling_ceiling(signs: Signs, case: Case) -> None:
    """Overloaded, and the autoscaler may not go higher: people decide on a ceiling."""
    if signs.at_ceiling and signs.load_up and (signs.cpu_high or signs.unwell):
        case.rests_on(
            0.9,
            f"more load: {signs.load}",
            f"{signs.service.desired} tasks run, and the scalable target allows {signs.scaling.maximum}",
        )
    _no_dependency(signs, case, "a dependency is failing", at_most=0.2)


def stuck_tasks(signs: Signs, case: Case) -> None:
    """Tasks look healthy but hardly work: the CPU fell while requests kept coming, and nothing else explains it."""
    if signs.unwell and signs.cpu_collapsed and signs.service.running > 0:
        case.rests_on(
            0.85,
            f"CPU fell from {signs.cpu_before:.0f} % to {signs.cpu_now:.0f} % while requests kept coming",
            *signs.symptoms,
        )
    case.speaks_against(signs.load_up, f"there is more load than usual: {signs.load}", at_most=0.4)
    case.speaks_against(signs.is_new_release, "a new release came shortly before", at_most=0.4)
    case.speaks_against(not signs.service.steady, "the service is not in a steady state", at_most=0.4)
    case.speaks_against(bool(signs.dependencies.failing), "a dependency is failing, which idles tasks too", at_most=0.2)
    case.speaks_against(
        not signs.dependencies.all_ok and not signs.dependencies.failing,
        "no dependency is known to be fine, and a dead one idles tasks too",
        at_most=0.5,
    )


def crash_loop(signs: Signs, case: Case) -> None:
    """Tasks of a release that ran for long now stop by themselves again and again."""
    crashes = signs.crashes(CRASHES_WITHIN)
    if crashes >= CRASHES_COUNT:
        case.rests_on(0.8, f"{crashes} tasks stopped by themselves in the last {CRASHES_WITHIN.seconds // 60} minutes")
    case.speaks_against(signs.may_be_new_release, "a new release came shortly before, or may have", at_most=0.4)


def false_alarm(signs: Signs, case: Case) -> None:
    """The alarm says so, but its own metric and the service itself do not."""
    alarming = signs.alarming
    if alarming and all(alarm.breaching_now is False for alarm in alarming) and not signs.unwell:
        case.rests_on(0.9, "the metric of every alarm that is in ALARM does not breach", "the service shows no symptom")
    case.speaks_against(not signs.service.steady, "the service is not in a steady state", at_most=0.4)
    crashes = signs.crashes(CRASHES_WITHIN)
    case.speaks_against(crashes >= CRASHES_COUNT, f"{crashes} tasks stopped by themselves lately", at_most=0.4)


RULES: Sequence[Rule] = (
    Rule(cause=Cause.NATIVE_ROLLBACK, requires=("service", "releases"), judge=native_rollback),
    Rule(cause=Cause.SOMEONE_AT_WORK, requires=("service", "releases"), judge=someone_at_work),
    Rule(
        cause=Cause.DEPENDENCY_FAILING,
        requires=("dependencies",),
        supports=("service", "metrics"),
        judge=dependency_failing,
    ),
    Rule(
        cause=Cause.BAD_DEPLOYMENT,
        requires=("service", "releases"),
        supports=("metrics", "tasks", "dependencies"),
        judge=bad_deployment,
    ),
    Rule(
        cause=Cause.BAD_RELEASE,
        requires=("service", "releases", "metrics", "alarms"),
        supports=("tasks", "targets", "dependencies"),
        judge=bad_release,
    ),
    Rule(
        cause=Cause.SCALING_CEILING,
        requires=("service", "metrics", "scaling"),
        supports=("dependencies",),
        judge=scaling_ceiling,
    ),
    Rule(
        cause=Cause.OVERLOAD,
        requires=("service", "metrics", "scaling", "alarms", "dependencies"),
        supports=("releases", "targets"),
        judge=overload,
    ),
    Rule(
        cause=Cause.STUCK_TASKS,
        requires=("service", "tasks", "metrics", "alarms", "dependencies", "releases"),
        supports=("targets",),
        judge=stuck_tasks,
    ),
    Rule(cause=Cause.CRASH_LOOP, requires=("service", "tasks"), supports=("releases", "metrics"), judge=crash_loop),
    Rule(
        cause=Cause.FALSE_ALARM,
        requires=("service", "alarms", "metrics", "tasks"),
        supports=("targets",),
        judge=false_alarm,
    ),
)
"""In the order in which equal confidence is decided: what forbids acting comes before what invites it."""


def rank(findings: Findings, rules: Sequence[Rule] = RULES) -> tuple[Judgement, ...]:
    """Every cause that the findings do not rule out, the likeliest first, then those that unknown evidence bars.

    Where nothing fits, the first judgement is `unknown`, which people answer.
    """
    signs = Signs(findings)
    unknown = findings.unknown()
    judged = [_judged(rule, signs, unknown) for rule in rules]
    fitting = sorted((j for j in judged if j.confidence > 0), key=lambda j: -j.confidence)
    barred = [j for j in judged if j.missing]
    return (*(fitting or [_nothing_fits(signs, unknown)]), *barred)


def _judged(rule: Rule, signs: Signs, unknown: Mapping[str, str]) -> Judgement:
    case = Case()
    missing = tuple(name for name in rule.requires if name in unknown)
    missing_support = tuple(name for name in rule.supports if name in unknown)
    if not missing:
        rule.judge(signs, case)
    return Judgement(
        cause=rule.cause,
        confidence=round(max(0.0, case.confidence - LOST_SUPPORT * len(missing_support)), 2),
        evidence_for=tuple(dict.fromkeys(case.evidence_for)),
        evidence_against=tuple(case.evidence_against),
        missing=missing,
        missing_support=missing_support,
    )


def _nothing_fits(signs: Signs, unknown: Mapping[str, str]) -> Judgement:
    return Judgement(
        cause=Cause.UNKNOWN,
        confidence=0.0,
        evidence_for=tuple(signs.symptoms),
        evidence_against=tuple(f"{name} could not be read: {reason}" for name, reason in sorted(unknown.items())),
    )
