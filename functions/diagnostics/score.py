"""The health score of a service: a pure reading of one look, measured against the targets of its playbook.

Each part has a weight and, of that, the points that its facts leave it. The score is what the known parts have, in
percent of what they can have. A part that could not be read counts neither as healthy nor as ill; it is named, and with
less than `LEAST_KNOWN` of the weight known there is no score at all.
"""

from collections.abc import Iterator, Sequence

from functions.diagnostics.severity import NOT_JUDGED
from functions.diagnostics.signs import Signs
from functions.diagnostics.thresholds import FAILURES_TELL
from functions.domain.dependencies import DependencyFacts, DependencyState
from functions.domain.evidence import Metric, ServiceFacts, TargetsFacts, group_name
from functions.domain.findings import Findings, Reading
from functions.domain.score import HealthScore, Part, PartName, TargetLines

WEIGHTS = {
    PartName.TASKS: 20,
    PartName.TARGETS: 20,
    PartName.ERRORS: 25,
    PartName.LATENCY: 10,
    PartName.SATURATION: 10,
    PartName.DEPLOYMENTS: 5,
    PartName.DEPENDENCIES: 10,
}
"""Points of each part, 100 in all. What users feel has the most."""

LEAST_KNOWN = 0.6
"""Share of the weight that has to be known for a score. Behind a load balancer there is none without any metric."""

NO_REQUESTS = "no requests were counted"
"""Why there is nothing to judge of errors and latency: CloudWatch was asked and has none. It does not report a count of
zero (Application Load Balancers user guide, "CloudWatch metrics"). Tasks, targets and load still tell."""

VITAL = frozenset({PartName.TASKS, PartName.TARGETS, PartName.ERRORS})
LOST_MOST = 40
"""The score is never above this while one of the `VITAL` parts has nothing left: nobody is served then, however fine
the rest."""

ERRORS_TIMES, LATENCY_TIMES = 10.0, 2.0
"""At so many times the target nothing is left of the part's points: with the default targets at 10 % of the requests,
which runbooks for ECS call a P1, and at 6 s."""

IN_PROGRESS = 0.5
"""What is left of a part for what may yet turn out well: a deployment under way, a dependency slow or throttled."""

READS = ("service", "tasks", "alarms", "targets", "metrics", "dependencies")
"""The probes whose findings it reads, with those that they need."""

Share = tuple[float, str]
"""What is left of a part's points, from 0 to 1, and why."""


class _NotKnown(Exception):
    """Nobody can say; the reason is its message."""


class _NoSuchThing(Exception):
    """The service has no such thing; the reason is its message."""


def health_score(findings: Findings, lines: TargetLines, *, away: frozenset[str] = frozenset()) -> HealthScore:
    """How well the service is doing. Facts that are worse never make it higher.

    `away` are zones (names) out of which traffic is shifted: targets there do not count.
    """
    judges = {
        PartName.TASKS: lambda: _tasks(findings),
        PartName.TARGETS: lambda: _targets(findings, away),
        PartName.ERRORS: lambda: _errors(findings, lines),
        PartName.LATENCY: lambda: _latency(findings, lines),
        PartName.SATURATION: lambda: _saturation(findings, lines),
        PartName.DEPLOYMENTS: lambda: _deployments(findings),
        PartName.DEPENDENCIES: lambda: _dependencies(findings, lines),
    }
    parts = []
    for name, weight in WEIGHTS.items():
        try:
            left, reason = judges[name]()
            parts.append(Part(name=name, weight=weight, points=round(weight * left, 1), reason=reason))
        except _NotKnown as why:
            parts.append(Part(name=name, weight=weight, points=None, reason=str(why)))
        except _NoSuchThing as why:
            parts.append(Part(name=name, weight=weight, points=None, applies=False, reason=str(why)))
    return _together(findings, parts)


def _together(findings: Findings, parts: Sequence[Part]) -> HealthScore:
    applies = sum(part.weight for part in parts if part.applies)
    known = sum(part.weight for part in parts if part.known)
    # In tenths, which are whole: a sum of floats may fall short of what its parts say.
    tenths = sum(round(part.points * 10) for part in parts if part.points is not None)
    share = known / applies if applies else 0.0
    score, why = None, ""
    service = findings.service.value
    if service is None:
        why = "without the service there is nothing to judge"
    elif service.desired == 0:
        why = "no task is wanted, so there is nothing to judge"
    elif share < LEAST_KNOWN:
        why = f"{share:.0%} of it is known, which is too little"
    else:
        score = 10 * tenths // known
        lost = [part for part in parts if part.name in VITAL and part.points == 0]
        if lost and score > LOST_MOST:
            score, why = LOST_MOST, f"{LOST_MOST} at most: {lost[0].name} has nothing left"
    scored = HealthScore(
        at=findings.looked_at, score=score, known=round(share, 2), parts=tuple(parts), note=why, reason=""
    )
    return scored.model_copy(update={"reason": "; ".join(filter(None, (why, *_said(scored))))})


def _said(scored: HealthScore) -> Iterator[str]:
    costs, unknown = scored.costs, scored.unknown
    yield from (f"{part.name} costs {part.lost:g}: {part.reason}" for part in costs)
    yield from (f"{part.name} is not known: {part.reason}" for part in unknown)
    if any(part.reason == NO_REQUESTS for part in scored.parts):
        yield NO_REQUESTS
    if not costs and not unknown:
        yield "nothing costs points"


def _read(reading: Reading[ServiceFacts], name: str) -> ServiceFacts:
    if reading.value is None:
        raise _NotKnown(f"{name} could not be read: {reading.error or 'not read'}")
    return reading.value


def _tasks(findings: Findings) -> Share:
    service = _read(findings.service, "the service")
    if service.desired == 0:
        raise _NoSuchThing("no task is wanted")
    return min(1.0, service.running / service.desired), f"{service.running} of {service.desired} tasks run"


def _targets(findings: Findings, away: frozenset[str]) -> Share:
    service = _read(findings.service, "the service")
    if service.desired == 0:
        raise _NoSuchThing("no task is wanted")
    facts = findings.targets.value
    if facts is None:
        raise _NotKnown(f"the targets could not be read: {findings.targets.error or 'not read'}")
    groups = tuple(dict.fromkeys((*service.target_groups, *facts.groups)))
    if not groups:
        raise _NoSuchThing("there is no load balancer")
    shares = [share for group in groups if (share := _of_group(group, facts, service, away)) is not None]
    if not shares:
        raise _NotKnown("the load balancer checks none of the targets")
    return min(shares)


def _of_group(group: str, facts: TargetsFacts, service: ServiceFacts, away: frozenset[str]) -> Share | None:
    """The healthy ones among all that should be; None for a group that gets no traffic, as one side of blue and green
    does."""
    members = [target for target in facts.targets if target.target_group == group]
    judged = [target for target in members if target.state not in NOT_JUDGED]
    if members and not judged:
        return None
    counted = [target for target in judged if target.state != "draining" and target.zone not in away]
    healthy = sum(1 for target in counted if target.state == "healthy")
    # New targets of a deployment are no loss while enough others are healthy. With a zone left out, how many are to be
    # expected elsewhere nobody wrote down.
    settled = sum(1 for target in counted if target.state != "initial")
    wanted = max(len(counted), 1) if away else max(settled, service.desired)
    outside = f" outside {', '.join(sorted(away))}" if away else ""
    return healthy / wanted, f"{healthy} of {wanted} targets{outside} are healthy in {group_name(group)}"


def _fronted(findings: Findings) -> Signs:
    """The signs of what a load balancer measures."""
    service = _read(findings.service, "the service")
    targets = findings.targets.value
    if not service.target_groups and targets is not None and not targets.groups:
        raise _NoSuchThing("there is no load balancer")
    _measured(findings)
    return Signs(findings)


def _measured(findings: Findings) -> None:
    if findings.metrics.value is None:
        raise _NotKnown(f"the metrics could not be read: {findings.metrics.error or 'not read'}")


def _errors(findings: Findings, lines: TargetLines) -> Share:
    signs = _fronted(findings)
    share = signs.error_share_most
    if share is None:
        raise _NoSuchThing(NO_REQUESTS)
    percent = 100 * share
    said = f"{percent:.1f} % of the requests fail (target {lines.error_percent:g} %)"
    left = _left(percent, lines.error_percent, min(100.0, ERRORS_TIMES * lines.error_percent))
    counted = _highest(findings, Metric.REQUESTS)
    if counted and signs.failed_requests < FAILURES_TELL and left < 0.5:
        return 0.5, f"{said}, but that is {signs.failed_requests:.0f} in all"
    return left, said


def _latency(findings: Findings, lines: TargetLines) -> Share:
    _fronted(findings)
    seconds = _highest(findings, Metric.LATENCY_P95)
    if seconds is None and not _highest(findings, Metric.REQUESTS):
        raise _NoSuchThing(NO_REQUESTS)
    if seconds is None:
        raise _NotKnown("no response times were measured")
    left = _left(seconds, lines.p95_s, LATENCY_TIMES * lines.p95_s)
    return left, f"p95 is {seconds:.1f} s (target {lines.p95_s:g} s)"


def _saturation(findings: Findings, lines: TargetLines) -> Share:
    _measured(findings)
    shares = []
    for name, metric, line in (
        ("CPU", Metric.CPU, lines.cpu_percent),
        ("memory", Metric.MEMORY, lines.memory_percent),
    ):
        percent = _highest(findings, metric)
        if percent is None:
            raise _NotKnown(f"nobody measured {name}")
        shares.append((_left(percent, line, 100.0), f"{name} is at {percent:.0f} % (target {line:g} %)"))
    left = min(share for share, _ in shares)
    return left, ", ".join(said for share, said in shares if left == 1.0 or share < 1.0)


def _deployments(findings: Findings) -> Share:
    service = _read(findings.service, "the service")
    primary = service.primary
    if primary is None:
        raise _NoSuchThing("ECS does not deploy it itself")
    if any(deployment.rollout_state == "FAILED" for deployment in service.deployments):
        return 0.0, "a deployment failed"
    if len(service.deployments) > 1 or primary.rollout_state == "IN_PROGRESS":
        return IN_PROGRESS, f"a deployment is in progress: {primary.running} of {primary.desired} new tasks run"
    return 1.0, "no deployment is in progress"


def _dependencies(findings: Findings, lines: TargetLines) -> Share:
    facts = findings.dependencies.value
    if facts is None:
        raise _NotKnown(f"the dependencies could not be read: {findings.dependencies.error or 'not read'}")
    if not facts.dependencies:
        raise _NoSuchThing("the playbook names none")
    unread = facts.in_state(DependencyState.UNKNOWN)
    if unread and not facts.failing:
        raise _NotKnown(f"{unread[0].name}: {unread[0].detail or 'nobody knows'}")
    return min((_of_dependency(each, lines) for each in facts.dependencies), key=lambda share: share[0])


def _of_dependency(dependency: DependencyFacts, lines: TargetLines) -> Share:
    if dependency.state is DependencyState.FAILING:
        return 0.0, f"{dependency.name} is failing: {dependency.detail}"
    cpu = dependency.figures.get("cpu percent")
    if cpu is not None and cpu > lines.database_cpu_percent:
        left = _left(cpu, lines.database_cpu_percent, 100.0)
        said = f"the CPU of {dependency.name} is at {cpu:.0f} % (target {lines.database_cpu_percent:g} %)"
    else:
        left, said = 1.0, f"{dependency.name} is fine"
    if dependency.state.trouble and left > IN_PROGRESS:
        return IN_PROGRESS, f"{dependency.name} is {dependency.state}: {dependency.detail}"
    return left, said


def _highest(findings: Findings, metric: Metric) -> float | None:
    """In the window or in its newest period, whichever is higher."""
    metrics = findings.metrics.value
    known = () if metrics is None else (metrics.now(metric), metrics.latest(metric))
    return max((value for value in known if value is not None), default=None)


def _left(value: float, full: float, nothing: float) -> float:
    """1 up to `full`, 0 from `nothing` on, and evenly less in between."""
    if value <= full:
        return 1.0
    return 0.0 if value >= nothing else (nothing - value) / (nothing - full)
