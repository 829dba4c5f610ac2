"""What one look says, in the answers of the HTTP API: pure functions of the findings and the playbook.

What could not be read is told as unknown, with its reason, and is never a zero.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from functions.diagnostics.score import READS, health_score
from functions.diagnostics.severity import NOT_JUDGED
from functions.diagnostics.signs import Signs
from functions.domain.causes import Judgement
from functions.domain.dependencies import DependencyFacts, DependencyKind, DependencyState
from functions.domain.errors import ReadFailed
from functions.domain.evidence import AlarmFacts, Metric, TargetsFacts, short
from functions.domain.findings import Findings, Reading
from functions.domain.model import Model, Moment
from functions.domain.score import Part
from functions.domain.severity import Grade, Severity
from functions.domain.signals import AlarmState
from functions.playbooks.schema import Playbook
from functions.workflow.verify import unsteady

T = TypeVar("T")

LIKELY = 0.3
"""A cause less certain than this is no issue."""
BUSY_PERCENT, IDLE_PERCENT = 75.0, 30.0
"""Utilisation from which a resource is short, and below which there is more of it than is used."""


class State(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """Something is not as it should be, and users are served."""
    UNHEALTHY = "unhealthy"
    """Nobody is served, as far as can be seen."""
    UNKNOWN = "unknown"


class PlainHealth(Model):
    """Whether the service serves."""

    status: State
    service: str
    reason: str


class ScoreAnswer(Model):
    """The health score. It is null where too little is known to say."""

    service: str
    at: Moment
    score: int | None
    """0 to 100."""
    reason: str
    """What costs points and what is not known."""
    known: float
    """How much of what counts could be read, as a share from 0 to 1."""
    parts: tuple[Part, ...]


class WholeHealth(ScoreAnswer):
    """The health score with what is behind it."""

    status: State
    severity: Severity
    severity_reason: str
    running_tasks: int
    desired_tasks: int
    release: str
    """What runs, as `family:revision`."""
    alarms: tuple[str, ...]
    """Names of the playbook's alarms that are in ALARM."""
    dependencies: tuple["DependencyLine", ...]
    incident: str | None
    """Id of the open incident."""
    unknown: Mapping[str, str]
    """What could not be read, by probe, with the reason."""


class DependencyLine(Model):
    """One thing the service stands on."""

    name: str
    kind: DependencyKind
    state: DependencyState
    detail: str
    figures: Mapping[str, float]
    """What was measured, by name with its unit."""


class DatabaseHealth(Model):
    """How the databases are doing that the playbook names."""

    status: State
    service: str
    reason: str
    databases: tuple[DependencyLine, ...]


class Connections(Model):
    """Connections of one database."""

    name: str
    state: DependencyState
    connections: float | None
    """In use; None where nobody measured it."""
    limit: int | None
    """How many it takes, as the playbook says."""
    used_percent: float | None
    detail: str


class ConnectionsAnswer(Model):
    service: str
    databases: tuple[Connections, ...]
    reason: str
    """Why there are none, where there are none."""


class CauseLine(Model):
    """One cause, with what speaks for and against it."""

    cause: str
    confidence: float
    """From 0, ruled out, to 1, certain."""
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    missing: tuple[str, ...]
    """Required evidence that could not be read: such a cause is never acted upon."""
    ladder: tuple[str, ...]
    """What the playbook answers it with."""


class Diagnosis(Model):
    """What a look at the service says of its causes."""

    service: str
    looked_at: Moment
    severity: Severity
    severity_reason: str
    causes: tuple[CauseLine, ...]
    """The likeliest first."""
    unknown: Mapping[str, str]
    """What could not be read, by probe, with the reason."""


class Issue(Model):
    """Something that is wrong, or that nobody could find out."""

    severity: Severity
    level: str
    """The same as `critical`, `high`, `medium` or `low`."""
    what: str
    """A cause, an alarm or a dependency, by name."""
    reason: str


class IssuesAnswer(Model):
    service: str
    issues: tuple[Issue, ...]
    unknown: Mapping[str, str]


class MetricsAnswer(Model):
    """The newest metrics of the service. What is null was not measured."""

    service: str
    at: Moment
    window_s: int
    """Over how many seconds."""
    error_rate: float | None
    """5xx answers of targets and load balancer, in percent of all requests."""
    error_rate_before: float | None
    """The same before, as far as it is known."""
    requests_per_s: float | None
    response_time_s: float | None
    response_time_before_s: float | None
    response_time_p95_s: float | None
    cpu_percent: float | None
    memory_percent: float | None
    healthy_hosts: float | None
    running_tasks: int | None
    desired_tasks: int | None


class AlarmLine(Model):
    """One alarm of the playbook."""

    name: str
    exists: bool
    state: AlarmState | None
    since: Moment | None
    tells_somebody: bool | None
    """Whether a change of its state leads to any action; None where nobody could say."""
    reason: str


class AlertsAnswer(Model):
    """Whether the alarms of the playbook are in place, and what they say."""

    service: str
    in_place: bool
    """Each of them exists, and tells somebody."""
    all_ok: bool
    alarms: tuple[AlarmLine, ...]


class Utilisation(Model):
    """What the service has, what it uses of it, and what follows."""

    service: str
    at: Moment
    cpu_units: int | None
    """Of one task; 1024 are one vCPU."""
    memory_mib: int | None
    cpu_percent: float | None
    memory_percent: float | None
    running_tasks: int | None
    desired_tasks: int | None
    minimum_tasks: int | None
    """The floor of the autoscaler; null without one."""
    maximum_tasks: int | None
    recommendations: tuple[str, ...]
    """Sentences for people; nothing is done by them."""
    unknown: Mapping[str, str]


class Point(Model):
    """One thing that has to be so after a deployment."""

    name: str
    passed: bool | None
    """None where nobody could say."""
    detail: str


class ValidationAnswer(Model):
    """Whether the deployment is as it should be: everything passed, and nothing is unknown."""

    service: str
    passed: bool
    points: tuple[Point, ...]
    release: str | None
    """What runs, as `family:revision`."""


LEVELS = {
    Severity.P0: "critical",
    Severity.P1: "high",
    Severity.P2: "medium",
    Severity.P3: "low",
    Severity.P4: "low",
}


def unknown_in(findings: Findings, names: Sequence[str]) -> dict[str, str]:
    """Why each of these could not be read, as far as they could not."""
    return {name: why for name, why in findings.unknown().items() if name in names}


def given(reading: Reading[T], name: str) -> T:
    """What was read. Raises ReadFailed where it could not be."""
    if reading.value is None:
        raise ReadFailed(f"{name} could not be read: {reading.error or 'not read'}")
    return reading.value


def plain_health(playbook: Playbook, findings: Findings) -> PlainHealth:
    """Raises ReadFailed where nobody can say whether a task runs."""
    service, targets = given(findings.service, "service"), findings.targets.value
    state, reason = State.HEALTHY, f"{service.running} of {service.desired} tasks run"
    groups = playbook.overrides.target_groups or service.target_groups
    down = [] if targets is None else [group for group in groups if _serves_nobody(group, targets)]
    if service.status != "ACTIVE" or service.running == 0:
        state = State.UNHEALTHY
    elif down:
        state, reason = State.UNHEALTHY, f"no target is healthy in {down[0].rsplit(':', 1)[-1]}"
    elif targets is None:
        state, reason = State.UNKNOWN, f"{reason}; the targets could not be read: {findings.targets.error}"
    elif service.running < service.desired:
        state = State.DEGRADED
    return PlainHealth(status=state, service=playbook.ref.key, reason=reason)


def _serves_nobody(group: str, targets: TargetsFacts) -> bool:
    """Whether none of its targets is healthy, or it has none. One that gets no traffic, as one side of blue and green
    does, serves whoever asks the other."""
    states = [target.state for target in targets.targets if target.target_group == group]
    return "healthy" not in states and not (states and NOT_JUDGED.issuperset(states))


def score(playbook: Playbook, findings: Findings) -> ScoreAnswer:
    """Raises ReadFailed where the service itself could not be read."""
    given(findings.service, "service")
    scored = health_score(findings, playbook.targets)
    return ScoreAnswer(
        service=playbook.ref.key,
        at=scored.at,
        score=scored.score,
        reason=scored.reason,
        known=scored.known,
        parts=scored.parts,
    )


def whole_health(
    playbook: Playbook, findings: Findings, judgements: Sequence[Judgement], grade: Grade, incident: str | None
) -> WholeHealth:
    """Raises ReadFailed where the service itself could not be read."""
    service, scored = given(findings.service, "service"), score(playbook, findings)
    plain, alarms, facts = plain_health(playbook, findings), findings.alarms.value, findings.dependencies.value
    alarming = () if alarms is None else tuple(a.name for a in alarms.alarms if a.state is AlarmState.ALARM)
    troubled = bool(alarming) or (facts is not None and bool(facts.troubled)) or incident is not None
    status = State.DEGRADED if plain.status is State.HEALTHY and troubled else plain.status
    return WholeHealth(
        **scored.model_dump(),
        status=status,
        severity=grade.severity,
        severity_reason=grade.reason,
        running_tasks=service.running,
        desired_tasks=service.desired,
        release=short(service.task_definition),
        alarms=alarming,
        dependencies=() if facts is None else tuple(map(_dependency, facts.dependencies)),
        incident=incident,
        unknown=unknown_in(findings, READS),
    )


def _dependency(facts: DependencyFacts) -> DependencyLine:
    return DependencyLine(
        name=facts.name, kind=facts.kind, state=facts.state, detail=facts.detail, figures=facts.figures
    )


def databases(findings: Findings) -> tuple[DependencyLine, ...]:
    """Raises ReadFailed where the dependencies could not be read at all."""
    return tuple(
        _dependency(d)
        for d in given(findings.dependencies, "dependencies").dependencies
        if d.kind in (DependencyKind.RDS, DependencyKind.DYNAMODB)
    )


def database_health(playbook: Playbook, findings: Findings) -> DatabaseHealth:
    """Raises ReadFailed where the dependencies could not be read at all."""
    found = databases(findings)
    bad = [each for each in found if each.state.trouble]
    unread = [each for each in found if each.state is DependencyState.UNKNOWN]
    if not found:
        state, reason = State.UNKNOWN, "the playbook names no database; write rds or dynamodb below dependencies"
    elif any(each.state is DependencyState.FAILING for each in bad):
        state, reason = State.UNHEALTHY, _of(bad)
    elif bad:
        state, reason = State.DEGRADED, _of(bad)
    elif unread:
        state, reason = State.UNKNOWN, _of(unread)
    else:
        state, reason = State.HEALTHY, "every database is fine"
    return DatabaseHealth(status=state, service=playbook.ref.key, reason=reason, databases=found)


def _of(lines: Sequence[DependencyLine]) -> str:
    return "; ".join(f"{each.name} is {each.state}: {each.detail}" for each in lines)


def connections(playbook: Playbook, findings: Findings) -> ConnectionsAnswer:
    """Raises ReadFailed where the dependencies could not be read at all."""
    limits = {each.name: getattr(each, "connections", None) for each in playbook.dependencies}
    found = []
    for each in databases(findings):
        if each.kind is not DependencyKind.RDS:
            continue
        limit, used = limits.get(each.name), each.figures.get("connections")
        percent = None if limit is None or used is None else round(100 * used / limit, 1)
        found.append(
            Connections(
                name=each.name,
                state=each.state,
                connections=used,
                limit=limit,
                used_percent=percent,
                detail=each.detail,
            )
        )
    reason = "" if found else "the playbook names no DB instance; write one with rds below dependencies"
    return ConnectionsAnswer(service=playbook.ref.key, databases=tuple(found), reason=reason)


def diagnosis(playbook: Playbook, findings: Findings, judgements: Sequence[Judgement], grade: Grade) -> Diagnosis:
    return Diagnosis(
        service=playbook.ref.key,
        looked_at=findings.looked_at,
        severity=grade.severity,
        severity_reason=grade.reason,
        causes=tuple(
            CauseLine(
                cause=each.cause,
                confidence=round(each.confidence, 2),
                evidence_for=each.evidence_for,
                evidence_against=each.evidence_against,
                missing=each.missing,
                ladder=playbook.ladder(each.cause),
            )
            for each in judgements
            if each.confidence > 0
        ),
        unknown=findings.unknown(),
    )


def issues(
    playbook: Playbook,
    findings: Findings,
    judgements: Sequence[Judgement],
    grade: Grade,
    *,
    wanted: frozenset[Severity],
) -> IssuesAnswer:
    """What is wrong, the gravest first. A cause is as grave as what users feel, a troubled dependency a step less."""
    found = [
        Issue(
            severity=grade.severity,
            level=LEVELS[grade.severity],
            what=each.cause,
            reason=f"{each.confidence:.2f}: {'; '.join(each.evidence_for)}",
        )
        for each in judgements
        if each.confidence >= LIKELY and each.evidence_for
    ]
    alarms = findings.alarms.value
    for alarm in () if alarms is None else alarms.alarms:
        if alarm.state is AlarmState.ALARM:
            severity = playbook.severity_of(alarm.name)
            found.append(
                Issue(severity=severity, level=LEVELS[severity], what=f"alarm {alarm.name}", reason=alarm.reason)
            )
    facts = findings.dependencies.value
    for each in () if facts is None else facts.troubled:
        severity = grade.severity.next_lower
        found.append(
            Issue(severity=severity, level=LEVELS[severity], what=f"{each.name} is {each.state}", reason=each.detail)
        )
    fitting = [issue for issue in found if issue.severity in wanted]
    return IssuesAnswer(
        service=playbook.ref.key,
        issues=tuple(sorted(fitting, key=lambda issue: issue.severity)),
        unknown=unknown_in(findings, ["service", "tasks", "targets", "alarms", "metrics", "releases", "dependencies"]),
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 3)


def metrics(playbook: Playbook, findings: Findings) -> MetricsAnswer:
    """Raises ReadFailed where there are no metrics to tell."""
    facts, signs, service = given(findings.metrics, "metrics"), Signs(findings), findings.service.value
    return MetricsAnswer(
        service=playbook.ref.key,
        at=findings.looked_at,
        window_s=facts.now_s,
        error_rate=_percent(signs.error_share_now),
        error_rate_before=_percent(signs.error_share_before),
        requests_per_s=facts.now(Metric.REQUESTS),
        response_time_s=facts.now(Metric.LATENCY),
        response_time_before_s=facts.before(Metric.LATENCY),
        response_time_p95_s=facts.now(Metric.LATENCY_P95),
        cpu_percent=facts.now(Metric.CPU),
        memory_percent=facts.now(Metric.MEMORY),
        healthy_hosts=facts.now(Metric.HEALTHY_HOSTS),
        running_tasks=None if service is None else service.running,
        desired_tasks=None if service is None else service.desired,
    )


def alerts(playbook: Playbook, findings: Findings) -> AlertsAnswer:
    """Raises ReadFailed where the alarms could not be read."""
    facts = given(findings.alarms, "alarms")
    found = {alarm.name: alarm for alarm in facts.alarms}
    lines = tuple(_alarm(name, found.get(name)) for name in playbook.alarm_names)
    return AlertsAnswer(
        service=playbook.ref.key,
        in_place=bool(lines) and all(each.exists and each.tells_somebody is True for each in lines),
        all_ok=bool(lines) and all(each.state is AlarmState.OK for each in lines),
        alarms=lines,
    )


def _alarm(name: str, alarm: AlarmFacts | None) -> AlarmLine:
    if alarm is None:
        return AlarmLine(
            name=name, exists=False, state=None, since=None, tells_somebody=None, reason="there is no such alarm"
        )
    tells = None if alarm.actions is None else bool(alarm.actions)
    return AlarmLine(
        name=name, exists=True, state=alarm.state, since=alarm.since, tells_somebody=tells, reason=alarm.reason
    )


def utilisation(playbook: Playbook, findings: Findings) -> Utilisation:
    service, scaling, definition = findings.service.value, findings.scaling.value, findings.definition.value
    facts = findings.metrics.value
    cpu, memory = (None, None) if facts is None else (facts.now(Metric.CPU), facts.now(Metric.MEMORY))
    bounds = scaling if scaling is not None and scaling.registered else None
    answer = Utilisation(
        service=playbook.ref.key,
        at=findings.looked_at,
        cpu_units=None if definition is None else definition.cpu,
        memory_mib=None if definition is None else definition.memory_mib,
        cpu_percent=cpu,
        memory_percent=memory,
        running_tasks=None if service is None else service.running,
        desired_tasks=None if service is None else service.desired,
        minimum_tasks=None if bounds is None else bounds.minimum,
        maximum_tasks=None if bounds is None else bounds.maximum,
        recommendations=(),
        unknown=unknown_in(findings, ["service", "metrics", "scaling", "definition"]),
    )
    return answer.model_copy(update={"recommendations": recommended(playbook, answer, scaled=bounds is not None)})


def recommended(playbook: Playbook, used: Utilisation, *, scaled: bool) -> tuple[str, ...]:
    """What follows for people from how much is used."""
    said = []
    cpu, memory, desired = used.cpu_percent, used.memory_percent, used.desired_tasks
    if cpu is not None and cpu >= BUSY_PERCENT:
        said.append(f"CPU is at {cpu:.0f} %: more tasks, or more CPU for each")
    if memory is not None and memory >= BUSY_PERCENT:
        said.append(f"memory is at {memory:.0f} %: more memory for each task; more tasks help only if requests use it")
    if cpu is not None and memory is not None and max(cpu, memory) < IDLE_PERCENT:
        said.append(f"CPU is at {cpu:.0f} % and memory at {memory:.0f} %: smaller or fewer tasks would do")
    if desired is not None and used.maximum_tasks is not None and desired >= used.maximum_tasks:
        said.append(f"the autoscaler is at its ceiling of {used.maximum_tasks} tasks")
    if desired is not None and desired >= playbook.limits.max_tasks:
        said.append(f"{desired} tasks are all that the playbook's max_tasks allows")
    if not scaled and "scaling" not in used.unknown:
        said.append("the service has no autoscaler: nothing follows the load")
    return tuple(said)


VALIDATES = ("service", "targets", "alarms", "releases", "dependencies")


def validation(playbook: Playbook, findings: Findings) -> ValidationAnswer:
    """The same that a recovery is verified by, in points, each of which is unknown where it could not be read."""
    service, targets, alarms = findings.service.value, findings.targets.value, findings.alarms.value
    points = [_unread(name, findings) for name in VALIDATES if not getattr(findings, name).known]
    if service is not None and targets is not None:
        groups = playbook.overrides.target_groups or service.target_groups
        trouble = unsteady(service, targets, groups)
        points.append(
            Point(name="steady", passed=trouble is None, detail=trouble or "one deployment, every task and target")
        )
    if service is not None:
        failed = [each for each in service.deployments if each.rollout_state == "FAILED"]
        detail = failed[0].rollout_reason or "a deployment failed" if failed else "no deployment failed"
        points.append(Point(name="deployment", passed=not failed, detail=detail))
    if alarms is not None and (alarms.alarms or alarms.gone):
        bad = [alarm.name for alarm in alarms.alarms if alarm.state is not AlarmState.OK]
        detail = ", ".join((*bad, *(f"{name} is gone" for name in alarms.gone))) or "every alarm is OK"
        points.append(Point(name="alarms", passed=alarms.all_ok, detail=detail))
    facts = findings.dependencies.value
    if facts is not None and facts.dependencies:
        unread = facts.in_state(DependencyState.UNKNOWN)
        detail = "; ".join(f"{d.name} is {d.state}: {d.detail}" for d in (*facts.troubled, *unread))
        passed = False if facts.troubled else None if unread else True
        points.append(Point(name="dependencies", passed=passed, detail=detail or "every dependency is fine"))
    return ValidationAnswer(
        service=playbook.ref.key,
        passed=bool(points) and all(point.passed is True for point in points),
        points=tuple(points),
        release=None if service is None else short(service.task_definition),
    )


def _unread(name: str, findings: Findings) -> Point:
    return Point(name=name, passed=None, detail=f"could not be read: {getattr(findings, name).error or 'not read'}")
