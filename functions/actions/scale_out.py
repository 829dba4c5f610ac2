"""Run more tasks for a while, by raising the floor of the scalable target; never by fighting the autoscaler."""

from math import ceil, isfinite

from functions.actions.action import Action, Refusal, Terms, state_before, untouchable
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, LeaseTerms, Plan, SetFloor
from functions.domain.evidence import Findings, Metric, MetricsFacts, ScalingFacts
from functions.domain.permissions import Permission, Resource

COMFORTABLE_CPU = 60.0
"""CPU percent at which the new tasks should run: below what target tracking usually aims at (70)."""


def plan_scale_out(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Raise the floor so far that the load fits, at least by the playbook's step, at most to every ceiling there is."""
    service, scaling, metrics = findings.service.value, findings.scaling.value, findings.metrics.value
    if service is None or scaling is None or metrics is None:
        return Refusal("the service, its scalable target or its metrics could not be read")
    refusal = untouchable(service)
    if refusal is not None:
        return Refusal(refusal)
    if not scaling.registered:
        return Refusal("the service has no scalable target: somebody has to set its count by hand")
    if scaling.scale_out_suspended:
        return Refusal("scaling out is suspended on the scalable target, which a person did")
    ceiling = min(scaling.maximum, terms.max_tasks)
    step = ceil(service.desired * (1 + terms.step_percent / 100))
    needed = _tasks_for_load(service.desired, metrics)
    if needed is not None and needed > step:
        floor = ceil(min(needed, ceiling))
        why = f"{metrics.now(Metric.REQUESTS):.1f} requests/s at {COMFORTABLE_CPU:.0f} % CPU"
    else:
        floor = min(step, ceiling)
        why = f"{terms.step_percent} % more"
    if floor <= service.desired or floor <= scaling.minimum:
        return Refusal(
            f"{service.desired} tasks run already, and no more are allowed "
            f"(scalable target {scaling.maximum}, playbook {terms.max_tasks})"
        )
    original = _original(scaling, terms)
    return Plan(
        action=ActionName.SCALE_OUT,
        cause=cause,
        summary=f"raise the floor from {scaling.minimum} to {floor} tasks ({why}) for {terms.lease_s // 60} minutes; "
        f"{service.desired} run now",
        changes=(SetFloor(resource_id=scaling.resource_id, minimum=floor),),
        before=state_before(service, scaling),
        undo=f"the floor goes back to {original} by itself when the lease ends",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        lease=LeaseTerms(resource_id=scaling.resource_id, original=original, value=floor, duration_s=terms.lease_s),
    )


def _tasks_for_load(desired: int, metrics: MetricsFacts) -> float | None:
    """How many tasks would carry the load of now at a comfortable CPU; None where the metrics do not say."""
    now, before, cpu = metrics.now(Metric.REQUESTS), metrics.before(Metric.REQUESTS), metrics.before(Metric.CPU)
    if now is None or cpu is None or before is None or before <= 0:
        return None
    needed = desired * now / before * cpu / COMFORTABLE_CPU
    return needed if isfinite(needed) else None


def _original(scaling: ScalingFacts, terms: Terms) -> int:
    """The floor to give back. One that a lease of ours raised is not it; one that a person set since then is."""
    ours = (lease.terms for lease in terms.leases if lease.terms.resource_id == scaling.resource_id)
    return next((lease.original for lease in ours if lease.value == scaling.minimum), scaling.minimum)


SCALE_OUT = Action(
    name=ActionName.SCALE_OUT,
    effect="raises the floor of the scalable target as a lease: the missing tasks start at once",
    undo="the lease gives the old floor back, if it is still the one that was set",
    restarts_or_scales=True,
    plan=plan_scale_out,
    permissions=(
        Permission(action="application-autoscaling:RegisterScalableTarget", resource=Resource.SCALABLE_TARGET),
    ),
)
