"""Run more tasks for a while, by raising the floor of the scalable target; never by fighting the autoscaler."""

from functions.actions.action import Action, Refusal, Terms, state_before
from functions.actions.sizing import more, scalable, step_up
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, LeaseKind, Plan, SetFloor
from functions.domain.evidence import ScalingFacts
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource


def plan_scale_out(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Raise the floor so far that the load fits, at least by the playbook's step, at most to every ceiling there is."""
    found = scalable(findings)
    if isinstance(found, Refusal):
        return found
    service, scaling, metrics = found
    sized = more(service, scaling, metrics, terms)
    if isinstance(sized, Refusal):
        return sized
    wanted, why = sized
    floor = min(wanted, scaling.maximum, terms.max_tasks)
    if floor <= service.desired or floor <= scaling.minimum:
        return Refusal(
            f"{service.desired} tasks run already, and no more are allowed "
            f"(scalable target {scaling.maximum}, playbook {terms.max_tasks})"
        )
    if cause is Cause.SCALING_CEILING and floor < step_up(service, terms):
        return Refusal(f"the ceiling leaves room for {floor} tasks instead of {service.desired}, too few for the load")
    lease = terms.lease(LeaseKind.FLOOR, scaling.resource_id, scaling.minimum, to=floor, duration_s=terms.lease_s)
    changes = (SetFloor(resource_id=scaling.resource_id, minimum=floor),)
    return Plan(
        action=ActionName.SCALE_OUT,
        cause=cause,
        summary=f"raise the floor from {scaling.minimum} to {floor} tasks ({why}) for {terms.lease_s // 60} minutes; "
        f"{service.desired} run now",
        changes=changes,
        before=state_before(changes, service, scaling=scaling),
        undo=f"the floor goes back to {lease.original} by itself when the lease ends{_who_scales_in(scaling)}",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        leases=(lease,),
    )


def _who_scales_in(scaling: ScalingFacts) -> str:
    """What a floor that goes back leaves behind where no policy takes tasks away."""
    return "; no policy scales in, so somebody has to set the count" if scaling.by_hand else ""


SCALE_OUT = Action(
    name=ActionName.SCALE_OUT,
    effect="raises the floor of the scalable target as a lease: the missing tasks start at once",
    preconditions="room below the ceiling of the scalable target and the playbook's `max_tasks`; scaling out is "
    "not suspended",
    undo="the lease gives the old floor back, if it is still the one that was set",
    restarts_or_scales=True,
    plan=plan_scale_out,
    permissions=(
        Permission(action="application-autoscaling:RegisterScalableTarget", resource=Resource.SCALABLE_TARGET),
    ),
)
