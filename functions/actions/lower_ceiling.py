"""Stop paying for tasks that the load does not need: lower the ceiling, and with it the count."""

from math import ceil

from functions.actions.action import Action, Refusal, Terms, state_before, undisturbed
from functions.actions.sizing import COMFORTABLE_CPU, scalable, tasks_for_requests
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, LeaseKind, Plan, SetCeiling
from functions.domain.evidence import Metric, MetricsFacts, ServiceFacts
from functions.domain.findings import Findings
from functions.domain.permissions import Permission, Resource

HEADROOM = 2.0
"""How many times the tasks that the load of now needs are left: a ceiling that is too low does more harm than cost."""

LOAD_IS_UP = 1.1


def plan_lower_ceiling(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """To twice what the load needs, and never below what ran before the trouble, what the playbook wants at least or
    means to pay for, or a floor that a lease holds. Application Auto Scaling stops the tasks above it at once."""
    found = scalable(findings)
    if isinstance(found, Refusal):
        return found
    service, scaling, metrics = found
    refusal = undisturbed(service)
    if refusal is not None:
        return Refusal(refusal)
    requests, requests_before = metrics.now(Metric.REQUESTS), metrics.before(Metric.REQUESTS)
    cpu, tasks_before = metrics.now(Metric.CPU), metrics.before(Metric.TASKS)
    if requests is None or requests_before is None or cpu is None or tasks_before is None:
        return Refusal("requests, CPU or the number of tasks before are unknown, so nobody knows what is too many")
    if requests > LOAD_IS_UP * requests_before:
        return Refusal(f"there is more load than before: {requests:.1f} requests/s against {requests_before:.1f}")
    # Not by the service's own policy: a target that is far too low is what makes tasks run away.
    needed = _needed(service, metrics)
    if needed is None:
        return Refusal("the metrics do not say how many tasks the load needs")
    leased = [
        int(lease.terms.value)
        for lease in terms.leases
        if lease.terms.kind is LeaseKind.FLOOR and lease.terms.resource_id == scaling.resource_id
    ]
    usual = ceil(tasks_before)
    budget = findings.budget.value
    paid = 0 if budget is None or budget.allowed is None else budget.allowed
    ceiling = max(ceil(HEADROOM * needed), usual, terms.min_tasks, paid, 1, *leased)
    if ceiling >= service.desired or ceiling >= scaling.maximum:
        return Refusal(f"{service.desired} tasks are wanted, and at least {ceiling} have to be allowed")
    # A floor above the new ceiling is what went wrong, then: it goes to what ran before.
    floor = max(min(usual, ceiling), terms.min_tasks) if scaling.minimum > ceiling else None
    changes = (SetCeiling(resource_id=scaling.resource_id, maximum=ceiling, minimum=floor),)
    also = "" if floor is None else f" and the floor from {scaling.minimum} to {floor}"
    return Plan(
        action=ActionName.LOWER_CEILING,
        cause=cause,
        summary=f"lower the ceiling from {scaling.maximum} to {ceiling} tasks{also}: {service.desired} are wanted, "
        f"{usual} ran before, and the load needs {needed}",
        changes=changes,
        before=state_before(changes, service, scaling=scaling),
        undo="aws application-autoscaling register-scalable-target --service-namespace ecs "
        f"--scalable-dimension ecs:service:DesiredCount --resource-id {scaling.resource_id} "
        f"--min-capacity {scaling.minimum} --max-capacity {scaling.maximum}",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


def _needed(service: ServiceFacts, metrics: MetricsFacts) -> int | None:
    """Tasks that the load needs: by its requests, and by the CPU that all tasks of one period used together. The CPU of
    now and the tasks of now may be of different periods while tasks come and go."""
    tasks, cpu = metrics.latest(Metric.TASKS), metrics.latest(Metric.CPU)
    if tasks is None or cpu is None:
        tasks, cpu = metrics.now(Metric.TASKS), metrics.now(Metric.CPU)
    by_requests = tasks_for_requests(service, metrics, COMFORTABLE_CPU)
    if tasks is None or cpu is None or by_requests is None:
        return None
    return max(by_requests, ceil(tasks * cpu / COMFORTABLE_CPU))


LOWER_CEILING = Action(
    name=ActionName.LOWER_CEILING,
    effect="lowers the ceiling of the scalable target, and the tasks above it stop at once",
    preconditions="no deployment under way; no more load than before; more tasks than twice what it needs, and than "
    "the budget allows",
    undo="set floor and ceiling that were there before; a person decides how many tasks the service may have",
    restarts_or_scales=False,
    plan=plan_lower_ceiling,
    permissions=(
        Permission(action="application-autoscaling:RegisterScalableTarget", resource=Resource.SCALABLE_TARGET),
    ),
)
