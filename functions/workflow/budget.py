"""Budget: a service that costs more than its playbook allows, seen without AWS Budgets, which tells it hours later.

A budget in tasks is an alarm. One in dollars needs the size of a task, which only the running task definition says.
"""

from datetime import datetime, timedelta

from functions.diagnostics.costs import ELSEWHERE, task_usd_per_day
from functions.domain.evidence import ServiceFacts
from functions.domain.signals import OVER_BUDGET, Signal, SignalKind
from functions.playbooks.schema import Playbook
from functions.ports import Measure, Readers

PERIOD_S = 300
PERIODS = 3
"""So many periods in a row have to be above the budget: a deployment runs the old and the new tasks side by side."""
LATE = timedelta(seconds=60)
"""How late a standard metric may arrive."""


def overspent(playbook: Playbook, service: ServiceFacts, *, readers: Readers, now: datetime) -> Signal | None:
    """The signal that a service costs more than `usd_per_day`, now and for a while; None where it does not, or nobody
    knows. Its dedupe key lasts a day.

    Tasks are counted by the samples of their CPU (ECS Developer Guide, "Amazon ECS CloudWatch metrics", service RUNNING
    task count): each sends one a minute.

    Raises:
        ReadFailed: AWS did not answer.
    """
    limit = playbook.budget.usd_per_day
    if limit is None or service.primary is None or service.launch_type in ELSEWHERE:
        return None
    each = task_usd_per_day(readers.service.definition(service.primary.task_definition))
    if each is None or service.desired * each <= limit:
        return None
    samples = Measure(
        namespace="AWS/ECS",
        metric="CPUUtilization",
        dimensions={"ClusterName": playbook.cluster, "ServiceName": playbook.service},
        statistic="SampleCount",
        period_s=PERIOD_S,
    )
    reach = timedelta(seconds=PERIOD_S * (PERIODS + 1)) + LATE
    (points,) = readers.metrics.measured([samples], start=now - reach, end=now)
    whole = [count for at, count in points if now - reach <= at and at + timedelta(seconds=PERIOD_S) + LATE <= now]
    ran = [count * 60 / PERIOD_S for count in whole[-PERIODS:]]
    if len(ran) < PERIODS or min(ran) * each <= limit:
        return None
    return Signal(
        kind=SignalKind.COST,
        occurred_at=now,
        region=playbook.region,
        cluster=playbook.cluster,
        service=playbook.service,
        event_name=OVER_BUDGET,
        reference=f"{limit:g} USD a day",
        reason=f"{service.desired} tasks cost about {service.desired * each:.2f} USD a day, "
        f"and the playbook allows {limit:g}",
    )
