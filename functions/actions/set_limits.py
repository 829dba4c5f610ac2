"""Set floor and ceiling of the scalable target, because a person says so: for a season, an event or a test."""

from functions.actions.action import Action, Refusal, Terms, at_rest, by_itself, state_before, taken_back
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, Change, LeaseKind, LeaseTerms, Plan, SetCeiling, SetFloor
from functions.domain.durations import written
from functions.domain.evidence import ScalingFacts
from functions.domain.findings import Findings
from functions.domain.orders import Order
from functions.domain.permissions import Permission, Resource

BOUND_TAKES_S = 10
"""After RegisterScalableTarget, Application Auto Scaling moves the desired count by itself, within seconds."""


def plan_set_limits(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Both, for good or for a while. Application Auto Scaling moves the count into the new range by itself."""
    order, scaling = terms.order, findings.scaling.value
    if order is None or order.minimum is None or order.maximum is None:
        return Refusal("an operator has to name floor and ceiling")
    service = at_rest(findings)
    if isinstance(service, Refusal):
        return service
    if scaling is None:
        return Refusal("the scalable target could not be read")
    if not scaling.registered:
        return Refusal("the service has no scalable target: set its count instead, with `responder scale`")
    floor, ceiling, resource = order.minimum, order.maximum, scaling.resource_id
    refusal = taken_back(order, terms, {LeaseKind.FLOOR: floor, LeaseKind.CEILING: ceiling})
    if refusal is not None:
        return refusal
    if (floor, ceiling) == (scaling.minimum, scaling.maximum):
        return Refusal(f"the limits are {floor} to {ceiling} tasks already")
    changes = _at_once(resource, floor, ceiling) if order.duration_s is None else _one_by_one(order, scaling)
    leases: tuple[LeaseTerms, ...] = ()
    if order.duration_s is not None:
        bounds = {LeaseKind.CEILING: (scaling.maximum, ceiling), LeaseKind.FLOOR: (scaling.minimum, floor)}
        leases = tuple(
            terms.lease(kind, resource, now, to=value, duration_s=order.duration_s)
            for kind, (now, value) in bounds.items()
            if now != value
        )
    wanted = min(max(service.desired, floor), ceiling)
    moves = f"{service.desired} tasks are wanted and {wanted} will be" if wanted != service.desired else ""
    lasts = "" if order.duration_s is None else f" for {written(order.duration_s)}"
    back = (
        "aws application-autoscaling register-scalable-target --service-namespace ecs "
        f"--scalable-dimension ecs:service:DesiredCount --resource-id {resource} "
        f"--min-capacity {scaling.minimum} --max-capacity {scaling.maximum}"
    )
    return Plan(
        action=ActionName.SET_LIMITS,
        cause=cause,
        summary=f"set the limits from {scaling.minimum}-{scaling.maximum} to {floor}-{ceiling} tasks{lasts}"
        + (f"; {moves}" if moves else ""),
        changes=changes,
        before=state_before(changes, service, scaling=scaling),
        undo=by_itself(leases) if leases else back,
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        leases=leases,
        pause_s=BOUND_TAKES_S,
    )


def _at_once(resource: str, floor: int, ceiling: int) -> tuple[Change, ...]:
    return (SetCeiling(resource_id=resource, maximum=ceiling, minimum=floor),)


def _one_by_one(order: Order, scaling: ScalingFacts) -> tuple[Change, ...]:
    """Each bound by itself, because each comes back by itself. The floor is never above the ceiling on the way."""
    changes: list[Change] = []
    if order.maximum is not None and order.maximum != scaling.maximum:
        changes.append(SetCeiling(resource_id=scaling.resource_id, maximum=order.maximum))
    if order.minimum is not None and order.minimum != scaling.minimum:
        first = order.minimum <= scaling.maximum
        floor = SetFloor(resource_id=scaling.resource_id, minimum=order.minimum)
        changes.insert(0 if first else len(changes), floor)
    return tuple(changes)


SET_LIMITS = Action(
    name=ActionName.SET_LIMITS,
    effect="sets floor and ceiling of the scalable target; tasks start or stop at once until the count is within; only "
    "an operator orders it",
    preconditions="a scalable target; no deployment and no stack under way; a ceiling of 0 is asked for before, in "
    "every mode",
    undo="leases give both back where they were ordered for a while; else a person sets the old ones",
    restarts_or_scales=True,
    plan=plan_set_limits,
    permissions=(
        Permission(action="application-autoscaling:RegisterScalableTarget", resource=Resource.SCALABLE_TARGET),
    ),
)
