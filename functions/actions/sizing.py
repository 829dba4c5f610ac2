"""How many tasks the load needs. Shared by the actions that move the bounds of the scalable target."""

from math import ceil, isfinite

from functions.actions.action import Refusal, Terms, untouchable
from functions.domain.evidence import Metric, MetricsFacts, ScalingFacts, ServiceFacts
from functions.domain.findings import Findings

COMFORTABLE_CPU = 60.0
"""CPU percent at which tasks should run: below what target tracking usually aims at (70)."""

IDLE_CPU = 30.0
"""CPU percent below which tasks idle."""

TRACKS_CPU = "ECSServiceAverageCPUUtilization"
"""Predefined metric of a policy that tracks the CPU (Application Auto Scaling API reference)."""


def scalable(findings: Findings) -> tuple[ServiceFacts, ScalingFacts, MetricsFacts] | Refusal:
    """What every action on the scalable target rests on, where the service may be changed and has one."""
    service, scaling, metrics = findings.service.value, findings.scaling.value, findings.metrics.value
    if service is None or scaling is None or metrics is None:
        return Refusal("the service, its scalable target or its metrics could not be read")
    refusal = untouchable(service)
    if refusal is not None:
        return Refusal(refusal)
    if not scaling.registered:
        return Refusal("the service has no scalable target: somebody has to set its count by hand")
    return service, scaling, metrics


def more(
    service: ServiceFacts, scaling: ScalingFacts, metrics: MetricsFacts, terms: Terms
) -> tuple[int, str] | Refusal:
    """How many tasks there should be, at least the playbook's step more than are wanted now, and why so many."""
    if scaling.scale_out_suspended:
        return Refusal("scaling out is suspended on the scalable target, which a person did")
    step = step_up(service, terms)
    comfortable = comfortable_cpu(scaling)
    needed = tasks_for_load(service, metrics, comfortable)
    if needed is not None and needed > step:
        requests = _newest(metrics, Metric.REQUESTS)
        load = "the CPU of now" if requests is None else f"{requests:.1f} requests/s"
        return needed, f"{load} at {comfortable:.0f} % CPU"
    return step, f"{terms.step_percent} % more"


def step_up(service: ServiceFacts, terms: Terms) -> int:
    """The playbook's step: so many tasks instead of those that are wanted now."""
    return ceil(service.desired * (1 + terms.step_percent / 100))


def tasks_for_load(service: ServiceFacts, metrics: MetricsFacts, comfortable: float) -> int | None:
    """How many tasks carry the load of now at a comfortable CPU; None where the metrics do not say.

    Told twice, and the higher counts: by what the requests of before cost, which also holds for tasks that are
    saturated or fail, and by the CPU that is used now.
    """
    used = _newest(metrics, Metric.CPU)
    by_cpu = None if used is None else _whole(service.running * used / comfortable)
    by_requests = tasks_for_requests(service, metrics, comfortable)
    return max((estimate for estimate in (by_cpu, by_requests) if estimate is not None), default=None)


def tasks_for_requests(service: ServiceFacts, metrics: MetricsFacts, comfortable: float) -> int | None:
    """How many tasks carry the requests of now, by what those of before cost; None where the metrics do not say."""
    now, before, cpu = _newest(metrics, Metric.REQUESTS), metrics.before(Metric.REQUESTS), metrics.before(Metric.CPU)
    if now is None or cpu is None or before is None or before <= 0:
        return None
    tasks = metrics.before(Metric.TASKS) or float(service.desired)
    return _whole(tasks * now / before * cpu / comfortable)


def _whole(tasks: float) -> int | None:
    return ceil(tasks) if isfinite(tasks) else None


def _newest(metrics: MetricsFacts, metric: Metric) -> float | None:
    """The most there was just now: a load that still rises is highest in the newest period."""
    return max((v for v in (metrics.now(metric), metrics.latest(metric)) if v is not None), default=None)


def comfortable_cpu(scaling: ScalingFacts) -> float:
    """CPU percent to aim at: no more than the service's own policy does, or the autoscaler would add tasks at once.
    A target at which tasks idle is no measure."""
    own = [p.target for p in scaling.policies or () if p.metric == TRACKS_CPU and p.target >= IDLE_CPU]
    return min([COMFORTABLE_CPU, *own])
