"""Set how many tasks run, because a person says so: as the floor of the autoscaler where there is one."""

from functions.actions.action import Action, Refusal, Terms, at_rest, by_itself, state_before, taken_back
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, Change, LeaseKind, LeaseTerms, Plan, SetCeiling, SetCount, SetFloor
from functions.domain.durations import written
from functions.domain.evidence import ScalingFacts, ServiceFacts
from functions.domain.findings import Findings
from functions.domain.orders import Order
from functions.domain.permissions import Permission, Resource

REPLICA = "REPLICA"


def plan_set_count(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """So many tasks now. With a scalable target the count is its floor, or the autoscaler would take it back; it may
    still add tasks, up to the ceiling, which is raised where it is in the way."""
    order, scaling = terms.order, findings.scaling.value
    if order is None or order.count is None:
        return Refusal("an operator has to say how many tasks")
    service = at_rest(findings)
    if isinstance(service, Refusal):
        return service
    if scaling is None:
        return Refusal("the scalable target could not be read")
    if service.strategy != REPLICA:
        return Refusal(f"a service that schedules {service.strategy} has no number of tasks that could be set")
    bound = LeaseKind.FLOOR if scaling.registered else LeaseKind.COUNT
    refusal = taken_back(order, terms, {bound: order.count, LeaseKind.CEILING: order.count})
    if refusal is not None:
        return refusal
    if order.count == service.desired and (not scaling.registered or order.count == scaling.minimum):
        return Refusal(f"{order.count} tasks are wanted already")
    if scaling.registered:
        return _with_autoscaler(cause, order, order.count, service, scaling, terms)
    return _without(cause, order, order.count, service, terms)


def _with_autoscaler(
    cause: Cause, order: Order, count: int, service: ServiceFacts, scaling: ScalingFacts, terms: Terms
) -> Plan:
    resource = scaling.resource_id
    ceiling: tuple[Change, ...] = ()
    if count > scaling.maximum:
        ceiling = (SetCeiling(resource_id=resource, maximum=count),)
    floor: tuple[Change, ...] = (SetFloor(resource_id=resource, minimum=count),) if count != scaling.minimum else ()
    # A floor that rises brings the tasks by itself; what is too many only an explicit count takes away.
    fewer: tuple[Change, ...] = (SetCount(count=count),) if count < service.desired else ()
    changes = (*ceiling, *floor, *fewer)
    kept = [f"floor {scaling.minimum} → {count}"] if floor else []
    kept += [f"ceiling {scaling.maximum} → {count}"] if ceiling else []
    kept += ["the autoscaler may add tasks"] if count < scaling.maximum else []
    bounding = (
        "aws application-autoscaling register-scalable-target --service-namespace ecs "
        f"--scalable-dimension ecs:service:DesiredCount --resource-id {resource} "
        f"--min-capacity {scaling.minimum} --max-capacity {scaling.maximum}"
    )
    # Tasks that a floor brought go by themselves where the load does not need them; those taken away do not come back.
    back = [*([bounding] if ceiling or floor else []), *([_counting(service)] if fewer else [])]
    leases: tuple[LeaseTerms, ...] = ()
    if order.duration_s is not None:
        bounds = [(LeaseKind.CEILING, scaling.maximum)] if ceiling else []
        bounds += [(LeaseKind.FLOOR, scaling.minimum)] if floor else []
        leases = tuple(terms.lease(kind, resource, now, to=count, duration_s=order.duration_s) for kind, now in bounds)
    return Plan(
        action=ActionName.SET_COUNT,
        cause=cause,
        summary=f"set the count from {service.desired} to {count} tasks{_until(order)} ({', '.join(kept)})",
        changes=changes,
        before=state_before(changes, service, scaling=scaling),
        undo=by_itself(leases) if leases else " && ".join(back),
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        leases=leases,
    )


def _without(cause: Cause, order: Order, count: int, service: ServiceFacts, terms: Terms) -> Plan:
    changes = (SetCount(count=count),)
    cluster, name = service.arn.split("/")[-2:]
    resource = f"service/{cluster}/{name}"
    leases: tuple[LeaseTerms, ...] = ()
    if order.duration_s is not None:
        leases = (terms.lease(LeaseKind.COUNT, resource, service.desired, to=count, duration_s=order.duration_s),)
    return Plan(
        action=ActionName.SET_COUNT,
        cause=cause,
        summary=f"set the count from {service.desired} to {count} tasks{_until(order)} (no autoscaler changes it)",
        changes=changes,
        before=state_before(changes, service),
        undo=by_itself(leases) if leases else _counting(service),
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        leases=leases,
    )


def _counting(service: ServiceFacts) -> str:
    cluster, name = service.arn.split("/")[-2:]
    return f"aws ecs update-service --cluster {cluster} --service {name} --desired-count {service.desired}"


def _until(order: Order) -> str:
    return "" if order.duration_s is None else f" for {written(order.duration_s)}"


SET_COUNT = Action(
    name=ActionName.SET_COUNT,
    effect="sets how many tasks run: as the floor of the scalable target where there is one, else as the count; only "
    "an operator orders it",
    preconditions="no deployment and no stack under way; 0 tasks are asked for before, in every mode",
    undo="a lease gives it back where it was ordered for a while; else a person sets the old bounds or count",
    restarts_or_scales=True,
    plan=plan_set_count,
    permissions=(
        Permission(action="ecs:UpdateService", resource=Resource.SERVICE),
        Permission(action="application-autoscaling:RegisterScalableTarget", resource=Resource.SCALABLE_TARGET),
    ),
)
