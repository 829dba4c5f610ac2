"""The checklist: every item by its name, when it is gone through, and what reading it takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from functions.diagnostics.registry import PROBES
from functions.diagnostics.score import READS
from functions.domain.digests import Found, Period
from functions.domain.permissions import Permission, Resource
from functions.workflow.digests import account, service, upkeep
from functions.workflow.digests.around import Around, Fleet

DAILY, WEEKLY, MONTHLY = Period.DAILY, Period.WEEKLY, Period.MONTHLY
ALWAYS = (DAILY, WEEKLY, MONTHLY)

Subject = TypeVar("Subject")


@dataclass(frozen=True, kw_only=True)
class Item(Generic[Subject]):
    """One line of the checklist. `read` raises ReadFailed or LedgerError where it cannot be told."""

    name: str
    read: Callable[[Subject], Found]
    periods: tuple[Period, ...]
    permissions: tuple[Permission, ...] = ()


def _probes(*names: str) -> tuple[Permission, ...]:
    return tuple(permission for name in names for permission in PROBES[name].permissions)


def _may(resource: Resource, *actions: str) -> tuple[Permission, ...]:
    return tuple(Permission(action=action, resource=resource) for action in actions)


_METRICS = _may(Resource.ANY, "cloudwatch:GetMetricData")
_USED = (*_probes("service"), *_METRICS)
_ANSWERED = (*_USED, *_may(Resource.ANY, "elasticloadbalancing:DescribeTargetGroups"))
_LOGS = _probes("service", "definition", "logs")

OF_SERVICE: tuple[Item[Around], ...] = (
    Item(name="health score", read=service.score, periods=ALWAYS, permissions=_probes(*READS)),
    Item(name="URLs", read=service.urls, periods=(DAILY, WEEKLY), permissions=_METRICS),
    Item(name="dependencies", read=service.dependencies, periods=(DAILY, WEEKLY), permissions=_probes("dependencies")),
    Item(name="tasks", read=service.tasks, periods=ALWAYS, permissions=_probes("service")),
    Item(name="CPU", read=service.cpu, periods=(DAILY, WEEKLY), permissions=_USED),
    Item(name="memory", read=service.memory, periods=(DAILY, WEEKLY), permissions=_USED),
    Item(name="failed requests", read=service.failed_requests, periods=(DAILY, WEEKLY), permissions=_ANSWERED),
    Item(name="response time", read=service.response_time, periods=(DAILY, WEEKLY), permissions=_ANSWERED),
    Item(name="requests", read=service.requests, periods=(WEEKLY, MONTHLY), permissions=_ANSWERED),
    Item(name="peaks", read=upkeep.peaks, periods=(MONTHLY,), permissions=(*_USED, *_probes("scaling"))),
    Item(name="spare room", read=upkeep.spare, periods=(WEEKLY, MONTHLY), permissions=(*_USED, *_probes("scaling"))),
    Item(name="auto scaling", read=upkeep.scaling, periods=(WEEKLY,), permissions=(*_USED, *_probes("scaling"))),
    Item(name="incidents", read=service.incidents, periods=ALWAYS),
    Item(name="time to recover", read=service.recovery, periods=(WEEKLY, MONTHLY)),
    Item(name="alarms", read=service.alarms, periods=(DAILY, WEEKLY), permissions=_probes("alarms")),
    Item(name="noisy alarms", read=service.noisy, periods=ALWAYS, permissions=_probes("history")),
    Item(name="pauses", read=service.pauses, periods=ALWAYS),
    Item(
        name="muted alarms",
        read=service.muted,
        periods=ALWAYS,
        permissions=_may(Resource.OWN_MUTE_RULE, "cloudwatch:GetAlarmMuteRule"),
    ),
    Item(name="leases", read=service.leases, periods=ALWAYS),
    Item(name="error lines", read=service.error_lines, periods=(DAILY,), permissions=_LOGS),
    Item(name="database load", read=upkeep.database_load, periods=(WEEKLY, MONTHLY), permissions=_METRICS),
    Item(name="storage", read=upkeep.storage, periods=(WEEKLY, MONTHLY), permissions=_METRICS),
    Item(
        name="slow queries",
        read=upkeep.slow_queries,
        periods=(WEEKLY,),
        permissions=(*_probes("dependencies"), *_LOGS),
    ),
    Item(
        name="backups",
        read=upkeep.backups,
        periods=(WEEKLY, MONTHLY),
        permissions=(
            *_may(Resource.BACKUP_LIST, "dynamodb:ListBackups"),
            *_may(Resource.DATABASE_SNAPSHOTS, "rds:DescribeDBSnapshots"),
        ),
    ),
    Item(
        name="secrets",
        read=upkeep.secrets,
        periods=(WEEKLY, MONTHLY),
        permissions=_probes("service", "definition", "secrets"),
    ),
    Item(
        name="findings",
        read=upkeep.findings,
        periods=(WEEKLY, MONTHLY),
        permissions=(*_probes("threats"), *_may(Resource.ANY, "guardduty:ListDetectors")),
    ),
    Item(
        name="denied calls",
        read=upkeep.denied,
        periods=(WEEKLY,),
        permissions=_probes("service", "definition", "denials"),
    ),
    Item(name="image scans", read=upkeep.images, periods=(WEEKLY,), permissions=_probes("tasks", "images")),
    Item(name="releases", read=upkeep.releases, periods=(MONTHLY,), permissions=_probes("service")),
    Item(
        name="cost of tasks",
        read=upkeep.cost_of_tasks,
        periods=(WEEKLY, MONTHLY),
        permissions=(*_USED, *_probes("definition")),
    ),
)
"""What is gone through for each service, in the order in which people read it."""

OF_ACCOUNT: tuple[Item[Fleet], ...] = (
    Item(
        name="cost by day",
        read=account.cost_by_day,
        periods=(WEEKLY, MONTHLY),
        permissions=_may(Resource.ANY, "ce:GetCostAndUsage"),
    ),
    Item(
        name="cost by service",
        read=account.cost_by_service,
        periods=(WEEKLY, MONTHLY),
        permissions=_may(Resource.ANY, "ce:GetCostAndUsage"),
    ),
    Item(
        name="cost of the responder",
        read=account.own_cost,
        periods=(WEEKLY, MONTHLY),
        permissions=_may(Resource.ANY, "ce:GetCostAndUsage"),
    ),
    Item(
        name="Fargate quota",
        read=account.quota,
        periods=(MONTHLY,),
        permissions=(
            *_METRICS,
            *_probes("service", "definition"),
            *_may(Resource.ANY, "servicequotas:GetServiceQuota"),
        ),
    ),
    Item(name="drill", read=account.drill, periods=(MONTHLY,)),
    Item(name="restore test", read=account.restore_test, periods=(MONTHLY,)),
)
"""What is gone through once."""


def needs() -> Iterator[Permission]:
    """What all of it takes."""
    for item in OF_SERVICE:
        yield from item.permissions
    for each in OF_ACCOUNT:
        yield from each.permissions
