"""The probes: each reads one thing from AWS and makes facts of it. None judges."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any, cast

from functions.diagnostics.look import Surroundings
from functions.domain.dependencies import DependenciesFacts, DependencyFacts, DependencyState
from functions.domain.errors import ReadFailed
from functions.domain.evidence import (
    AlarmsFacts,
    Metric,
    MetricsFacts,
    MetricWindow,
    Release,
    ReleasesFacts,
    ReleaseState,
    RevisionFacts,
    ScalingFacts,
    ServiceDeploymentFacts,
    ServiceFacts,
    TargetsFacts,
    TasksFacts,
)
from functions.domain.signals import AlarmState
from functions.ports import MetricsQuery

COUNTS = frozenset({Metric.REQUESTS, Metric.TARGET_5XX, Metric.ELB_5XX})
"""Metrics that CloudWatch keeps as sums; the facts hold them per second."""

BEFORE_PERIODS = 30
NOW_PERIODS = 3
"""How many periods are "now" where no alarm says how far it looks back."""
PRECEDING_PERIODS = 2
"""Whole periods that are "just before" a deployment: enough to see trouble, too few to hide it."""
LATE_PERIODS = 2
"""A standard metric arrives up to a minute late."""
FEWEST_POINTS = 3
"""A window with fewer data points says nothing about what is usual."""

RELEASE_LOOKBACK = timedelta(hours=1)


def read_service(around: Surroundings, known: Mapping[str, Any]) -> ServiceFacts:
    facts = around.reader.service(around.ref)
    if facts is None:
        raise ReadFailed(f"ECS knows no service {around.ref.service} in cluster {around.ref.cluster}")
    return facts


def read_tasks(around: Surroundings, known: Mapping[str, Any]) -> TasksFacts:
    return around.reader.tasks(around.ref)


def read_targets(around: Surroundings, known: Mapping[str, Any]) -> TargetsFacts:
    groups = around.target_groups or cast(ServiceFacts, known["service"]).target_groups
    return TargetsFacts(targets=tuple(around.reader.targets(groups)) if groups else ())


def read_alarms(around: Surroundings, known: Mapping[str, Any]) -> AlarmsFacts:
    alarms = tuple(around.metrics.alarms(around.alarms)) if around.alarms else ()
    found = {alarm.name for alarm in alarms}
    return AlarmsFacts(alarms=alarms, gone=tuple(name for name in around.alarms if name not in found))


def read_scaling(around: Surroundings, known: Mapping[str, Any]) -> ScalingFacts:
    return around.reader.scaling(around.ref, resource_id=around.scalable_target)


def read_dependencies(around: Surroundings, known: Mapping[str, Any]) -> DependenciesFacts:
    """The state of each dependency's alarm. An alarm that is gone or has no data leaves its dependency unknown."""
    if not around.dependencies:
        return DependenciesFacts(dependencies=())
    alarms = {alarm.name: alarm for alarm in around.metrics.alarms(tuple(around.dependencies.values()))}
    facts = []
    for name, alarm_name in around.dependencies.items():
        alarm = alarms.get(alarm_name)
        if alarm is None:
            state, detail = DependencyState.UNKNOWN, f"alarm {alarm_name} does not exist"
        elif alarm.state is AlarmState.ALARM:
            state, detail = DependencyState.FAILING, f"alarm {alarm_name} is ALARM: {alarm.reason}"
        elif alarm.breaching_now:
            state, detail = DependencyState.FAILING, f"the metric of alarm {alarm_name} breaches"
        elif alarm.state is AlarmState.OK:
            state, detail = DependencyState.OK, f"alarm {alarm_name} is OK"
        else:
            state, detail = DependencyState.UNKNOWN, f"alarm {alarm_name} has no data"
        facts.append(DependencyFacts(name=name, state=state, detail=detail))
    return DependenciesFacts(dependencies=tuple(facts))


def read_metrics(around: Surroundings, known: Mapping[str, Any]) -> MetricsFacts:
    """Metrics just now, against the time before the trouble began or the newest release, whichever was first."""
    service, alarms = cast(ServiceFacts, known["service"]), cast(AlarmsFacts, known["alarms"])
    period_s = max((alarm.period_s for alarm in alarms.alarms), default=60)
    onset = _onset(around, alarms)
    ends = _before_ends(onset, service, period_s)
    starts = ends - timedelta(seconds=BEFORE_PERIODS * period_s)
    series = around.metrics.series(
        MetricsQuery(start=starts, end=around.now, period_s=period_s, dimensions=_dimensions(around, service))
    )
    points_now = max((alarm.evaluation_periods for alarm in alarms.alarms), default=NOW_PERIODS)
    windows = {}
    for metric, points in series.items():
        recent = _newest(points, points_now, now=around.now, period_s=period_s)
        preceding = _preceding(points, service, period_s=period_s)
        earlier = _earlier(points, ends, otherwise=onset - timedelta(seconds=period_s))
        scale = period_s if metric in COUNTS else 1
        windows[metric] = MetricWindow(
            now=median(recent) / scale if recent else None,
            before=median(earlier) / scale if len(earlier) >= FEWEST_POINTS else None,
            preceding=fmean(preceding) / scale if preceding else None,
        )
    return MetricsFacts(
        onset=onset,
        now_s=points_now * period_s,
        before_s=int((ends - starts).total_seconds()),
        metrics=windows,
    )


def _newest(points: Sequence[tuple[datetime, float]], count: int, *, now: datetime, period_s: int) -> list[float]:
    """The values of the newest whole periods: one that still runs counts too little, an old one is no longer now."""
    whole = [(at, value) for at, value in points if at + timedelta(seconds=period_s) <= now]
    oldest = now - timedelta(seconds=(count + LATE_PERIODS) * period_s)
    return [value for at, value in whole[-count:] if at >= oldest]


def _preceding(points: Sequence[tuple[datetime, float]], service: ServiceFacts, *, period_s: int) -> list[float]:
    """The values of the last whole periods before the newest deployment began."""
    if service.primary is None:
        return []
    ends = service.primary.created_at
    starts = ends - timedelta(seconds=(PRECEDING_PERIODS + 1) * period_s)
    whole = [value for at, value in points if at >= starts and at + timedelta(seconds=period_s) <= ends]
    return whole[-PRECEDING_PERIODS:]


def _earlier(points: Sequence[tuple[datetime, float]], ends: datetime, *, otherwise: datetime) -> list[float]:
    """The values of the usual time; where a release left too little of it, of the time until the trouble began."""
    before = [value for at, value in points if at < ends]
    return before if len(before) >= FEWEST_POINTS else [value for at, value in points if at < otherwise]


def _onset(around: Surroundings, alarms: AlarmsFacts) -> datetime:
    """When the trouble began: an alarm looks back over its window before it speaks."""
    spoken = [a.since - timedelta(seconds=a.window_s) for a in alarms.alarms if a.state is AlarmState.ALARM]
    return min(spoken, default=around.began_at or around.now)


def _before_ends(onset: datetime, service: ServiceFacts, period_s: int) -> datetime:
    """The end of the usual time: a release that came shortly before the trouble is not part of it."""
    primary = service.primary
    if primary is not None and onset - RELEASE_LOOKBACK <= primary.created_at < onset:
        onset = primary.created_at
    return onset - timedelta(seconds=period_s)


def _dimensions(around: Surroundings, service: ServiceFacts) -> dict[Metric, dict[str, str]]:
    """Dimensions as AWS publishes them: Application Load Balancer guide, "CloudWatch metrics"; ECS guide, the same."""
    ecs = {"ClusterName": around.ref.cluster, "ServiceName": around.ref.service}
    dimensions = {Metric.CPU: ecs, Metric.MEMORY: ecs}
    groups = around.target_groups or service.target_groups
    if groups:
        group = groups[0]
        balancer = around.load_balancer or around.reader.load_balancer(group)
        if balancer is not None:
            front = {"LoadBalancer": balancer.split(":loadbalancer/", 1)[-1]}
            behind = front | {"TargetGroup": group.rsplit(":", 1)[-1]}
            dimensions |= {Metric.ELB_5XX: front, Metric.HEALTHY_HOSTS: behind}
            dimensions |= dict.fromkeys((Metric.REQUESTS, Metric.TARGET_5XX, Metric.LATENCY), behind)
    return dimensions


def read_releases(around: Surroundings, known: Mapping[str, Any]) -> ReleasesFacts:
    """What runs since when, and the last known good: the newest release that reached a steady state, differs from what
    runs and is not quarantined, with preference for one that was then watched to be good."""
    service = cast(ServiceFacts, known["service"])
    deployments = tuple(around.reader.service_deployments(around.ref))
    wanted = {arn for d in deployments for arn in (d.target_revision, d.rollback_revision) if arn is not None}
    revisions = tuple(around.reader.revisions(sorted(wanted))) if wanted else ()
    current = service.primary.task_definition if service.primary else service.task_definition
    candidate, why = last_known_good(current, around.history, deployments, revisions)
    return ReleasesFacts(
        current=current,
        current_since=_running_since(current, service, around.history) or around.now,
        returned=_returned(current, service, around.history),
        log_groups=_log_groups(around, current),
        history=around.history,
        service_deployments=deployments,
        revisions=revisions,
        last_known_good=candidate,
        last_known_good_reason=why,
        last_known_good_active=candidate is None or around.reader.task_definition_status(candidate) == "ACTIVE",
        differs_beyond_task_definition=(
            None if candidate is None else _surroundings_differ(candidate, service, around.history, revisions, current)
        ),
        changed_during_incident=_someone_else(around, service, deployments),
        deployed_by_us=_ours(around, service),
    )


def _ours(around: Surroundings, service: ServiceFacts) -> bool:
    """Whether an action of this incident began the newest deployment, or stopped one so that ECS began it."""
    primary = service.primary
    if primary is None:
        return False
    return primary.id in around.own_deployments or (
        around.stopped_at is not None and primary.created_at >= around.stopped_at
    )


def _someone_else(around: Surroundings, service: ServiceFacts, deployments: Sequence[ServiceDeploymentFacts]) -> bool:
    """Whether a deployment that is not ours began during the incident, also one that is only pending yet."""
    primary, began_at = service.primary, around.began_at
    if began_at is None or primary is None or primary.id in around.own_deployments:
        return False
    begun = [primary.created_at, *(d.created_at for d in deployments if d.ongoing)]
    if around.stopped_at is not None:
        begun = [at for at in begun if at < around.stopped_at]
    return any(at > began_at for at in begun)


def _log_groups(around: Surroundings, task_definition: str) -> tuple[str, ...]:
    """For people only: no decision rests on it, so it may be missing."""
    if around.log_group is not None:
        return (around.log_group,)
    try:
        return tuple(around.reader.log_groups(task_definition))
    except ReadFailed:
        return ()


def _running_since(current: str, service: ServiceFacts, history: Sequence[Release]) -> datetime | None:
    """A forced redeployment starts a deployment but no release: the first sight of the task definition counts then."""
    started = service.primary.created_at if service.primary else None
    mine = _known(current, history)
    if mine is None or started is None or _came_back(mine, history):
        return started
    return min(started, mine.first_seen)


def _known(task_definition: str, history: Sequence[Release]) -> Release | None:
    return next((r for r in history if r.task_definition == task_definition), None)


def _came_back(release: Release, history: Sequence[Release]) -> bool:
    """Whether another release ran since this one was first seen."""
    return any(r.task_definition != release.task_definition and r.last_seen > release.first_seen for r in history)


def _returned(current: str, service: ServiceFacts, history: Sequence[Release]) -> bool:
    """Whether a good release was deployed again, after another or by force: it had proved itself before."""
    mine, primary = _known(current, history), service.primary
    if mine is None or primary is None or mine.state is not ReleaseState.GOOD:
        return False
    return primary.created_at > mine.first_seen


def last_known_good(
    current: str,
    history: Sequence[Release],
    deployments: Sequence[ServiceDeploymentFacts],
    revisions: Sequence[RevisionFacts],
) -> tuple[str | None, str]:
    """Where a rollback would go, and why there.

    A rollback creates no new revision: after ROLLBACK_SUCCESSFUL what ran is the rollback's revision, not the target. A
    forced redeployment is SUCCESSFUL too, so the same task definition never counts as another release.
    """
    by_arn = {revision.arn: revision for revision in revisions}
    known = {release.task_definition: release for release in history}
    candidates: list[str] = []
    for deployment in deployments:
        arn = {"SUCCESSFUL": deployment.target_revision, "ROLLBACK_SUCCESSFUL": deployment.rollback_revision}.get(
            deployment.status
        )
        revision = by_arn.get(arn or "")
        if revision is not None:
            candidates.append(revision.task_definition)
    candidates += [release.task_definition for release in history]

    def usable(task_definition: str) -> bool:
        state = known[task_definition].state if task_definition in known else ReleaseState.SEEN
        same_image = _digests(task_definition, revisions) & _digests(current, revisions)
        return (
            task_definition != current
            and state not in (ReleaseState.QUARANTINED, ReleaseState.SUSPECT)
            and not same_image
        )

    usables = [candidate for candidate in dict.fromkeys(candidates) if usable(candidate)]
    watched = next((c for c in usables if c in known and known[c].state is ReleaseState.GOOD), None)
    if watched is not None:
        return watched, "the newest release that was watched to be good"
    if usables:
        return usables[0], "the newest release that reached a steady state; nobody watched it afterwards"
    return None, "no other release of this service is on record that is neither quarantined nor the same images"


def _digests(task_definition: str, revisions: Sequence[RevisionFacts]) -> frozenset[tuple[str, ...]]:
    return frozenset(r.image_digests for r in revisions if r.task_definition == task_definition and r.image_digests)


def _surroundings_differ(
    candidate: str,
    service: ServiceFacts,
    history: Sequence[Release],
    revisions: Sequence[RevisionFacts],
    current: str,
) -> bool | None:
    """Whether more than the task definition changed since the candidate ran; None where nobody kept a record."""

    def of(task_definition: str) -> str:
        return next((r.surroundings for r in revisions if r.task_definition == task_definition), "")

    if of(candidate) and of(current):
        return of(candidate) != of(current)
    seen = next((r.surroundings for r in history if r.task_definition == candidate), "")
    return seen != service.surroundings if seen and service.surroundings else None
