"""Send no traffic into an impaired zone for a while. The load balancer ends it by itself."""

from functions.actions.action import Action, Refusal, Terms, state_before, untouchable
from functions.domain import outliers
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, Plan, ShiftZone
from functions.domain.evidence import Metric, TargetsFacts, TasksFacts
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource

CARRIES = 85.0
"""CPU percent up to which the other zones are trusted to carry everything."""


def plan_shift_zone(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Only where the load balancer has opted in, nothing is shifted yet, and the other zones have healthy targets with
    room for all the load: a shift into zones that cannot carry it makes one impaired zone into none that works."""
    service, front, targets = findings.service.value, findings.front.value, findings.targets.value
    tasks, metrics = findings.tasks.value, findings.metrics.value
    if service is None or front is None or targets is None or tasks is None or metrics is None:
        return Refusal("the service, its tasks, targets, load balancer or metrics could not be read")
    refusal = untouchable(service)
    if refusal is not None:
        return Refusal(refusal)
    found = outliers.bad_zone(findings)
    if isinstance(found, outliers.Nowhere):
        return Refusal(found.reason)
    if front.load_balancer is None or not front.zonal_shift_allowed:
        return Refusal("the load balancer has not opted in to zonal shift")
    zone_id = front.zone_ids.get(found.zone)
    if zone_id is None:
        return Refusal(f"the id of zone {found.zone} could not be read")
    if front.shifted_away is None:
        return Refusal("nobody could say whether traffic is shifted away from a zone already")
    if front.shifted_away:
        return Refusal(f"traffic is shifted away from {', '.join(front.shifted_away)} already, and one zone is all")
    left = _healthy_outside(found.zone, tasks, targets, service.target_groups)
    if left == 0:
        return Refusal("no target outside the zone is healthy: the load balancer fails open, and a shift does nothing")
    cpu = max((c for c in (metrics.now(Metric.CPU), metrics.before(Metric.CPU)) if c is not None), default=None)
    if cpu is None:
        return Refusal("the CPU is unknown, so nobody knows whether the other zones have room")
    spread = cpu * service.running / left
    if spread > CARRIES:
        return Refusal(
            f"the {left} healthy tasks outside {found.zone} would run at {spread:.0f} % CPU: they have no room"
        )
    changes = (
        ShiftZone(
            load_balancer=front.load_balancer, zone_id=zone_id, zone=found.zone, expires_s=max(60, terms.shift_s)
        ),
    )
    return Plan(
        action=ActionName.SHIFT_ZONE,
        cause=cause,
        summary=f"shift traffic away from {found.zone} ({zone_id}) for {terms.shift_s // 60} minutes: {found.evidence}",
        changes=changes,
        before=state_before(changes, service, front=front),
        undo="the shift ends by itself; earlier: aws arc-zonal-shift list-zonal-shifts, then cancel-zonal-shift "
        "--zonal-shift-id with its id",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


def _healthy_outside(zone: str, tasks: TasksFacts, targets: TargetsFacts, groups: tuple[str, ...]) -> int:
    """Healthy targets outside the zone, in the target group that has fewest of them."""
    zones = {task.address: task.zone for task in tasks.running if task.address is not None}
    healthy = dict.fromkeys(groups, 0)
    for target in targets.targets:
        # The task knows its zone; what the load balancer says of it is optional (ELB API reference: TargetDescription).
        where = zones.get(target.target.partition(":")[0]) or target.zone
        if target.state == "healthy" and where is not None and where != zone:
            healthy[target.target_group] = healthy.get(target.target_group, 0) + 1
    return min(healthy.values(), default=0)


SHIFT_ZONE = Action(
    name=ActionName.SHIFT_ZONE,
    effect="the load balancer sends no new request into one Availability Zone until the shift expires",
    preconditions="a load balancer that has opted in to zonal shift; healthy tasks in the other zones, with room "
    "for all the load",
    undo="the shift ends by itself, or is cancelled",
    restarts_or_scales=False,
    plan=plan_shift_zone,
    permissions=(Permission(action="arc-zonal-shift:StartZonalShift", resource=Resource.LOAD_BALANCER),),
)
