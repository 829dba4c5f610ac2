"""Allow more tasks than the scalable target does, for a while, and start them."""

from math import ceil

from functions.actions.action import Action, Refusal, Terms, state_before
from functions.actions.sizing import more, scalable
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, LeaseKind, Plan, SetCeiling, SetFloor
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource

ROOM = 1.25
"""How far the ceiling stands above the new floor, so that the autoscaler can go on by itself."""


def plan_raise_ceiling(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """The ceiling first, then the floor under it: the tasks that the load needs start at once. Neither is lowered."""
    found = scalable(findings)
    if isinstance(found, Refusal):
        return found
    service, scaling, metrics = found
    sized = more(service, scaling, metrics, terms)
    if isinstance(sized, Refusal):
        return sized
    wanted, why = sized
    if wanted <= scaling.maximum:
        return Refusal(f"the ceiling of {scaling.maximum} tasks is not in the way: {wanted} are needed ({why})")
    floor = min(wanted, terms.max_tasks)
    ceiling = min(ceil(floor * ROOM), terms.max_tasks)
    if ceiling <= scaling.maximum or floor <= max(scaling.minimum, service.desired):
        return Refusal(f"{scaling.maximum} tasks are allowed, and the playbook allows {terms.max_tasks}")
    resource = scaling.resource_id
    kinds = (LeaseKind.CEILING, scaling.maximum, ceiling), (LeaseKind.FLOOR, scaling.minimum, floor)
    leases = tuple(terms.lease(kind, resource, now, to=value, duration_s=terms.lease_s) for kind, now, value in kinds)
    changes = (SetCeiling(resource_id=resource, maximum=ceiling), SetFloor(resource_id=resource, minimum=floor))
    return Plan(
        action=ActionName.RAISE_CEILING,
        cause=cause,
        summary=f"raise the ceiling from {scaling.maximum} to {ceiling} tasks and the floor from {scaling.minimum} to "
        f"{floor} ({why}) for {terms.lease_s // 60} minutes",
        changes=changes,
        before=state_before(changes, service, scaling=scaling),
        undo=f"ceiling and floor go back to {leases[0].original} and {leases[1].original} by themselves when their "
        "leases end and no more tasks are wanted than that",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        leases=leases,
    )


RAISE_CEILING = Action(
    name=ActionName.RAISE_CEILING,
    effect="raises ceiling and floor of the scalable target as leases: the missing tasks start at once",
    preconditions="a load that needs more tasks than the scalable target allows, and a playbook that allows more",
    undo="the leases give the old floor and ceiling back, if they are still those that were set",
    restarts_or_scales=True,
    plan=plan_raise_ceiling,
    permissions=(
        Permission(action="application-autoscaling:RegisterScalableTarget", resource=Resource.SCALABLE_TARGET),
    ),
)
