"""Take the one bad task out: drain it, then stop it, and ECS starts another one in its place."""

from functions.actions.action import Action, Refusal, Terms, at_rest, state_before
from functions.domain import outliers
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, Change, DeregisterTarget, Plan, StopTask
from functions.domain.evidence import Metric, TargetFacts
from functions.domain.findings import Findings
from functions.domain.orders import Order
from functions.domain.permissions import Permission, Resource

WITHIN_S = 20
"""Seconds from the first stage to the last: a drained task that still runs counts as one of the service's, and is
missing among them. Half a minute with the calls themselves."""

DRAINS = 2
"""How often it is deregistered: ECS may register a running task at once again."""

FULL_CPU = 100.0
"""Percent that the tasks left may not reach with the load of all; one among tasks that are all at their end is rather
the first that complains."""

ORDERED = "stopped by hand, through the first responder"
REASON = "one bad task among healthy ones, replaced by the first responder"


def plan_replace_task(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Exactly one task, named by the evidence, while enough others work. The service is steady, so that nothing else
    stops or starts tasks meanwhile."""
    service, targets = findings.service.value, findings.targets.value
    if service is None or targets is None:
        return Refusal("the service or its targets could not be read")
    if not service.steady or service.status != "ACTIVE":
        return Refusal("the service is not in a steady state: other tasks come and go")
    found = outliers.bad_task(findings) if terms.order is None else _named(terms.order, findings)
    if isinstance(found, outliers.Nowhere):
        return Refusal(found.reason)
    task = found.task
    own, others = _apart(targets.targets, task.address)
    sick = sum(1 for target in others if target.state == "unhealthy")
    healthy = _healthy(service.target_groups, others, running=service.running - 1)
    if sick > healthy and terms.order is None:
        return Refusal("most targets are unhealthy: none of them is the odd one out")
    if healthy < max(1, terms.min_tasks):
        instead = "" if terms.order is None else "; `responder redeploy` starts others first"
        least = max(1, terms.min_tasks)
        return Refusal(f"only {healthy} healthy tasks would be left, and there have to be {least}{instead}")
    cpu = _cpu(findings)
    if terms.order is None and cpu * service.running >= FULL_CPU * (service.running - 1):
        return Refusal(f"the CPU is at {cpu:.0f} %: the other tasks have none to spare for its part of the load")
    reason = REASON if terms.order is None else ORDERED
    changes: tuple[Change, ...] = (*(_drain(target) for target in own * DRAINS), StopTask(task=task.arn, reason=reason))
    return Plan(
        action=ActionName.REPLACE_TASK,
        cause=cause,
        summary=f"drain and stop task {task.id}, so that ECS starts another one: {found.evidence}",
        changes=changes,
        before=state_before(changes, service),
        undo="nothing to undo: ECS starts another task of the same task definition",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        pause_s=WITHIN_S // max(1, len(changes) - 1),
    )


def _named(order: Order, findings: Findings) -> outliers.BadTask | outliers.Nowhere:
    """The task that an operator names, by id or ARN, if it is one of the service's that run."""
    tasks, resting = findings.tasks.value, at_rest(findings)
    if isinstance(resting, Refusal):
        return outliers.Nowhere(resting.reason)
    if tasks is None:
        return outliers.Nowhere("the tasks could not be read")
    task = next((each for each in tasks.running if order.task in (each.id, each.arn)), None)
    if task is None:
        run = ", ".join(each.id for each in tasks.running)
        return outliers.Nowhere(f"no task {order.task} of the service runs; these do: {run or 'none'}")
    return outliers.BadTask(task=task, evidence=f"{order.by} named it")


def _cpu(findings: Findings) -> float:
    """Percent just now, in the window or in its newest period, whichever is higher; 0 where nobody measured it."""
    metrics = findings.metrics.value
    known = () if metrics is None else (metrics.now(Metric.CPU), metrics.latest(Metric.CPU))
    return max((cpu for cpu in known if cpu is not None), default=0.0)


def _apart(
    targets: tuple[TargetFacts, ...], address: str | None
) -> tuple[tuple[TargetFacts, ...], tuple[TargetFacts, ...]]:
    """The targets that are the task, and all others."""
    own = tuple(target for target in targets if address is not None and _split(target)[0] == address)
    return own, tuple(target for target in targets if target not in own)


def _split(target: TargetFacts) -> tuple[str, int | None]:
    address, _, port = target.target.rpartition(":")
    return (address, int(port)) if address and port.isdigit() else (target.target, None)


def _drain(target: TargetFacts) -> DeregisterTarget:
    address, port = _split(target)
    return DeregisterTarget(target_group=target.target_group, target=address, port=port)


def _healthy(groups: tuple[str, ...], others: tuple[TargetFacts, ...], *, running: int) -> int:
    """Tasks besides the bad one that are known to work: as many as the target group shows that has fewest."""
    healthy = dict.fromkeys(groups, 0)
    for target in others:
        if target.state == "healthy":
            healthy[target.target_group] = healthy.get(target.target_group, 0) + 1
    return min([running, *healthy.values()])


REPLACE_TASK = Action(
    name=ActionName.REPLACE_TASK,
    effect="drains one task and stops it; ECS starts another one of the same task definition",
    preconditions="a steady service, one task that the evidence names, and enough healthy ones beside it, with CPU to "
    "spare",
    undo="nothing to undo",
    restarts_or_scales=True,
    plan=plan_replace_task,
    permissions=(
        Permission(action="elasticloadbalancing:DeregisterTargets", resource=Resource.TARGET_GROUP),
        Permission(action="ecs:StopTask", resource=Resource.TASK),
    ),
)
