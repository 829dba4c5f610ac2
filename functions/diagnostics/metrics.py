"""The probe `metrics`: the service in figures, now and before."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any, cast

from functions.diagnostics.look import Surroundings
from functions.domain.evidence import AlarmsFacts, Metric, MetricsFacts, MetricWindow, ServiceFacts, TasksFacts
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.ports import MetricsQuery, Points

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

UNTOLD = timedelta(minutes=5)
"""How long before an incident without an alarm its trouble may have begun."""


def read_metrics(around: Surroundings, known: Mapping[str, Any]) -> MetricsFacts:
    """Metrics just now, against the time before the trouble began or the newest release, whichever was first."""
    service, alarms = cast(ServiceFacts, known["service"]), cast(AlarmsFacts, known["alarms"])
    period_s = max((alarm.period_s for alarm in alarms.alarms), default=60)
    onset = onset_of(around, alarms)
    ends = _before_ends(onset, service, period_s)
    starts = ends - timedelta(seconds=BEFORE_PERIODS * period_s)
    series = around.readers.metrics.series(
        MetricsQuery(
            start=starts,
            end=around.now,
            period_s=period_s,
            dimensions=_dimensions(around, service),
            zones=_zones(known.get("tasks")),
        )
    )

    def per_second(zone: Mapping[Metric, Points]) -> dict[Metric, float]:
        newest = {m: _newest(points, points_now, now=around.now, period_s=period_s) for m, points in zone.items()}
        return {metric: median(values) / period_s for metric, values in newest.items() if values}

    points_now = max((alarm.evaluation_periods for alarm in alarms.alarms), default=NOW_PERIODS)
    newest_at = _newest_at(series.metrics, now=around.now, period_s=period_s)
    windows = {}
    for metric, points in series.metrics.items():
        recent = _newest(points, points_now, now=around.now, period_s=period_s)
        preceding = _preceding(points, service, period_s=period_s)
        earlier = _earlier(points, ends, otherwise=onset - timedelta(seconds=period_s))
        # A count that is zero is not reported: what counts is whether it is there in the newest period that has any.
        latest = dict(points).get(newest_at) if metric in COUNTS and newest_at else recent[-1] if recent else None
        scale = _scale(metric, period_s)
        windows[metric] = MetricWindow(
            now=median(recent) / scale if recent else None,
            before=median(earlier) / scale if len(earlier) >= FEWEST_POINTS else None,
            preceding=fmean(preceding) / scale if preceding else None,
            latest=None if latest is None else latest / scale,
        )
    return MetricsFacts(
        onset=onset,
        now_s=points_now * period_s,
        before_s=int((ends - starts).total_seconds()),
        metrics=windows,
        by_zone={zone: shares for zone, points in series.by_zone.items() if (shares := per_second(points))},
    )


def _scale(metric: Metric, period_s: int) -> float:
    """By what the value of a period is divided: counts are told per second, tasks per minute, in which each sends one
    sample (ECS Developer Guide, "Amazon ECS CloudWatch metrics")."""
    if metric in COUNTS:
        return period_s
    return max(1.0, period_s / 60) if metric is Metric.TASKS else 1


def _zones(tasks: TasksFacts | None) -> tuple[str, ...]:
    """The zones in which tasks run; none where there is nothing to compare."""
    zones = {task.zone for task in tasks.running if task.zone is not None} if tasks is not None else set()
    return tuple(sorted(zones)) if len(zones) > 1 else ()


def _newest(points: Points, count: int, *, now: datetime, period_s: int) -> list[float]:
    """The values of the newest whole periods: one that still runs counts too little, an old one is no longer now."""
    newest = now - timedelta(seconds=period_s)
    oldest = now - timedelta(seconds=(count + LATE_PERIODS) * period_s)
    whole = [(at, value) for at, value in points if at <= newest]
    return [value for at, value in whole[-count:] if at >= oldest]


def _newest_at(series: Mapping[Metric, Points], *, now: datetime, period_s: int) -> datetime | None:
    """When the newest whole period began in which anything was counted; None where nothing was of late."""
    oldest = now - timedelta(seconds=(1 + LATE_PERIODS) * period_s)
    counted = (at for metric in COUNTS for at, _ in series.get(metric, ()))
    return max((at for at in counted if oldest <= at <= now - timedelta(seconds=period_s)), default=None)


def _preceding(points: Points, service: ServiceFacts, *, period_s: int) -> list[float]:
    """The values of the last whole periods before the newest deployment began."""
    if service.primary is None:
        return []
    ends = service.primary.created_at
    oldest, newest = ends - timedelta(seconds=(PRECEDING_PERIODS + 1) * period_s), ends - timedelta(seconds=period_s)
    whole = [value for at, value in points if oldest <= at <= newest]
    return whole[-PRECEDING_PERIODS:]


def _earlier(points: Points, ends: datetime, *, otherwise: datetime) -> list[float]:
    """The values of the usual time; where a release left too little of it, of the time until the trouble began."""
    before = [value for at, value in points if at < ends]
    return before if len(before) >= FEWEST_POINTS else [value for at, value in points if at < otherwise]


def onset_of(around: Surroundings, alarms: AlarmsFacts | None) -> datetime:
    """When the trouble began: an alarm looks back over its window before it speaks, a change comes before what it does,
    and whoever else opened the incident saw it some minutes after it began."""
    seen = () if alarms is None else alarms.alarms
    spoken = [a.since - timedelta(seconds=a.window_s) for a in seen if a.state is AlarmState.ALARM]
    untold = around.changed_at or (around.began_at or around.now) - UNTOLD
    return min(spoken, default=untold)


def _before_ends(onset: datetime, service: ServiceFacts, period_s: int) -> datetime:
    """The end of the usual time: a release that came shortly before the trouble is not part of it."""
    primary = service.primary
    if primary is not None and onset - RELEASE_LOOKBACK <= primary.created_at < onset:
        onset = primary.created_at
    return onset - timedelta(seconds=period_s)


def _dimensions(around: Surroundings, service: ServiceFacts) -> dict[Metric, dict[str, str]]:
    groups = around.target_groups or service.target_groups
    balancer = around.load_balancer
    if groups and balancer is None:
        balancer = around.readers.service.load_balancer(groups[0])
    return dimensions(around.ref, groups, balancer)


def dimensions(ref: ServiceRef, groups: Sequence[str], balancer: str | None) -> dict[Metric, dict[str, str]]:
    """Dimensions as AWS publishes them: Application Load Balancer guide, "CloudWatch metrics"; ECS guide, the same.

    `groups` and `balancer` are ARNs; without either, only what ECS itself publishes is there."""
    ecs = {"ClusterName": ref.cluster, "ServiceName": ref.service}
    found = {Metric.CPU: ecs, Metric.MEMORY: ecs, Metric.TASKS: ecs}
    if groups and balancer is not None:
        front = {"LoadBalancer": balancer.split(":loadbalancer/", 1)[-1]}
        behind = front | {"TargetGroup": groups[0].rsplit(":", 1)[-1]}
        found |= {Metric.ELB_5XX: front, Metric.HEALTHY_HOSTS: behind}
        found |= dict.fromkeys((Metric.REQUESTS, Metric.TARGET_5XX, Metric.LATENCY, Metric.LATENCY_P95), behind)
    return found
