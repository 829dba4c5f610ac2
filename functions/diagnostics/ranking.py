"""Which cause? Every rule judges the same findings; the order of the answer depends on nothing else.

A rule declares what evidence it requires and what merely supports it. Required evidence that is unknown bars the cause
from being acted upon; supporting evidence that is unknown lowers its confidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from functions.diagnostics.rules import around, dependencies, load, others, releases, tasks
from functions.diagnostics.rules.case import Case
from functions.diagnostics.signs import Signs
from functions.domain.causes import Cause, Judgement
from functions.domain.findings import Findings

LOST_SUPPORT = 0.05
"""How much confidence each unknown supporting reading costs."""
LOST_AT_MOST = 0.15
"""What is never read, as AWS Health without a paid plan, must not talk a clear cause down for ever."""


class Judge(Protocol):
    def __call__(self, signs: Signs, case: Case) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one cause is told from the others. `requires` and `supports` are names of fields of `Findings`."""

    cause: Cause
    requires: tuple[str, ...]
    judge: Judge
    supports: tuple[str, ...] = ()


RULES: Sequence[Rule] = (
    Rule(cause=Cause.NATIVE_ROLLBACK, requires=("service", "releases"), judge=others.native_rollback),
    Rule(
        cause=Cause.SOMEONE_AT_WORK,
        requires=("service", "releases"),
        supports=("stack", "changes"),
        judge=others.someone_at_work,
    ),
    Rule(
        cause=Cause.DEPENDENCY_FAILING,
        requires=("dependencies",),
        supports=("service", "metrics", "logs"),
        judge=dependencies.dependency_failing,
    ),
    Rule(
        cause=Cause.TABLE_THROTTLED,
        requires=("dependencies",),
        supports=("service", "metrics", "logs"),
        judge=dependencies.table_throttled,
    ),
    Rule(
        cause=Cause.DEPENDENCY_SLOW,
        requires=("dependencies", "metrics"),
        supports=("releases", "logs"),
        judge=dependencies.dependency_slow,
    ),
    Rule(
        cause=Cause.SUSPECTED_BREACH,
        requires=("metrics",),
        supports=("service", "threats"),
        judge=load.suspected_breach,
    ),
    Rule(
        cause=Cause.NO_CAPACITY,
        requires=("service",),
        supports=("tasks", "health"),
        judge=load.no_capacity,
    ),
    Rule(
        cause=Cause.IMAGE_UNAVAILABLE,
        requires=("service", "tasks"),
        supports=("releases",),
        judge=releases.image_unavailable,
    ),
    Rule(
        cause=Cause.SECRET_MISSING,
        requires=("service", "tasks"),
        supports=("releases", "secrets"),
        judge=releases.secret_missing,
    ),
    Rule(
        cause=Cause.SCHEMA_MISMATCH,
        requires=("service", "tasks", "logs", "metrics"),
        supports=("releases",),
        judge=releases.schema_mismatch,
    ),
    Rule(
        cause=Cause.AUTHENTICATION_FAILING,
        requires=("logs", "metrics"),
        supports=("secrets", "tasks"),
        judge=dependencies.authentication_failing,
    ),
    Rule(
        cause=Cause.PERMISSION_DENIED,
        requires=("logs", "metrics"),
        supports=("changes",),
        judge=dependencies.permission_denied,
    ),
    Rule(
        cause=Cause.DEPLOYMENT_STALLED,
        requires=("service", "releases"),
        supports=("tasks", "metrics"),
        judge=releases.deployment_stalled,
    ),
    Rule(
        cause=Cause.BAD_DEPLOYMENT,
        requires=("service", "releases"),
        supports=("metrics", "tasks", "dependencies"),
        judge=releases.bad_deployment,
    ),
    Rule(
        cause=Cause.BAD_RELEASE,
        requires=("service", "releases", "metrics", "alarms"),
        supports=("tasks", "targets", "dependencies", "logs"),
        judge=releases.bad_release,
    ),
    Rule(
        cause=Cause.STICKINESS_LOST,
        requires=("front",),
        supports=("metrics",),
        judge=around.stickiness_lost,
    ),
    Rule(
        cause=Cause.ZONE_IMPAIRED,
        requires=("service", "tasks", "metrics"),
        supports=("targets", "releases", "dependencies", "health"),
        judge=around.zone_impaired,
    ),
    Rule(
        cause=Cause.BAD_TASK,
        requires=("service", "tasks", "metrics"),
        supports=("logs", "targets", "releases", "dependencies"),
        judge=around.one_bad_task,
    ),
    Rule(
        cause=Cause.SCALING_CEILING,
        requires=("service", "metrics", "scaling"),
        supports=("dependencies",),
        judge=load.scaling_ceiling,
    ),
    Rule(
        cause=Cause.OVERLOAD,
        requires=("service", "metrics", "scaling", "alarms", "dependencies"),
        supports=("releases", "targets", "logs"),
        judge=load.overload,
    ),
    Rule(
        cause=Cause.STUCK_TASKS,
        requires=("service", "tasks", "metrics", "alarms", "dependencies", "releases"),
        supports=("targets",),
        judge=tasks.stuck_tasks,
    ),
    Rule(
        cause=Cause.OUT_OF_MEMORY,
        requires=("service", "tasks"),
        supports=("releases", "metrics"),
        judge=tasks.out_of_memory,
    ),
    Rule(
        cause=Cause.CRASH_LOOP,
        requires=("service", "tasks"),
        supports=("releases", "metrics"),
        judge=tasks.crash_loop,
    ),
    Rule(
        cause=Cause.HEALTH_CHECK_MISCONFIGURED,
        requires=("service", "targets", "metrics"),
        supports=("front", "definition", "releases", "dependencies"),
        judge=releases.health_check_misconfigured,
    ),
    Rule(
        cause=Cause.RUNAWAY_COST,
        requires=("service", "tasks", "metrics", "scaling"),
        supports=("definition", "dependencies", "budget"),
        judge=load.runaway_cost,
    ),
    Rule(
        cause=Cause.FALSE_ALARM,
        requires=("service", "alarms", "metrics", "tasks"),
        supports=("targets", "history"),
        judge=others.false_alarm,
    ),
)
"""In the order in which equal confidence is decided: what forbids acting comes before what invites it, and what says
more comes before what says less."""


def rank(findings: Findings, rules: Sequence[Rule] = RULES) -> tuple[Judgement, ...]:
    """Every cause that the findings do not rule out, the likeliest first, then those that unknown evidence bars.

    Where nothing fits, the first judgement is `unknown`, which people answer.
    """
    signs = Signs(findings)
    unknown = findings.unknown()
    judged = [judgement for rule in rules if (judgement := _judged(rule, signs, unknown)) is not None]
    fitting = sorted((j for j in judged if j.confidence > 0), key=lambda j: -j.confidence)
    barred = [j for j in judged if j.missing]
    return (*(fitting or [_nothing_fits(signs, unknown)]), *barred)


def _judged(rule: Rule, signs: Signs, unknown: Mapping[str, str]) -> Judgement | None:
    """None where the findings rule it out."""
    case = Case()
    missing = tuple(name for name in rule.requires if name in unknown)
    missing_support = tuple(name for name in rule.supports if name in unknown)
    if not missing:
        rule.judge(signs, case)
    confidence = round(max(0.0, case.confidence - min(LOST_AT_MOST, LOST_SUPPORT * len(missing_support))), 2)
    if confidence == 0 and not missing:
        return None
    return Judgement(
        cause=rule.cause,
        confidence=confidence,
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
