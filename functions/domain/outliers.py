"""Where the trouble is and where it is not: the one task, or the one zone, that differs from all others.

The ranking names a cause by it, and the action that answers the cause finds its target by it: both read the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from functions.domain.evidence import Metric, TaskFacts, brief
from functions.domain.findings import Findings

LINES_TELL = 10
"""So few error lines name no task."""
MOST = 0.8
"""Share of all error lines, or of all failed requests, that one task or zone must have to be the one."""
FAILS = 0.1
"""Share of the requests of a zone that must fail in it."""
FAILS_WHOLLY = 0.55
"""From this share on more than one of two tasks fails."""
LATELY = timedelta(minutes=15)
FAILED_CHECKS = "health checks"
"""In the reason of a task that ECS stopped as unhealthy (Developer Guide, "Stopped tasks error messages")."""


@dataclass(frozen=True)
class BadTask:
    """One running task that differs from all others."""

    task: TaskFacts
    evidence: str


@dataclass(frozen=True)
class BadZone:
    """One Availability Zone that differs from all others, by its name."""

    zone: str
    evidence: str


@dataclass(frozen=True)
class Nowhere:
    """Nothing differs clearly from the rest, and why that is said."""

    reason: str


def bad_task(findings: Findings) -> BadTask | Nowhere:
    """The one task that has nearly all error lines, or the one target that is unhealthy among healthy ones."""
    tasks = findings.tasks.value
    running = () if tasks is None else tuple(t for t in tasks.running if t.last_status == "RUNNING")
    if len(running) < 2:
        return Nowhere("fewer than two tasks run, so none can differ from the others")
    by_id = {task.id: task for task in running}
    logs = findings.logs.value
    if logs is not None and logs.errors_by_task:
        total = sum(logs.errors_by_task.values())
        name, lines = max(logs.errors_by_task.items(), key=lambda entry: (entry[1], entry[0]))
        if total >= LINES_TELL and lines >= MOST * total:
            if name not in by_id:
                return Nowhere(f"task {brief(name)} has {lines} of {total} error lines, and runs no more")
            return BadTask(
                by_id[name], f"task {brief(name)} has {lines} of {total} error lines since the trouble began"
            )
    return _one_unhealthy(findings, running)


def _one_unhealthy(findings: Findings, running: Iterable[TaskFacts]) -> BadTask | Nowhere:
    targets = findings.targets.value
    known = [t for t in targets.targets if t.state in ("healthy", "unhealthy")] if targets is not None else []
    sick = [target for target in known if target.state == "unhealthy"]
    addresses = {target.target.rsplit(":", 1)[0] for target in sick}
    if len(addresses) != 1 or len(known) - len(sick) < 2:
        return Nowhere("no single task has most of the errors, and not exactly one target is unhealthy")
    (address,) = addresses
    task = next((task for task in running if task.address == address), None)
    if task is None:
        return Nowhere(f"target {address} is unhealthy, and no running task has that address")
    return BadTask(task, f"task {brief(task.id)} alone is unhealthy ({sick[0].reason}) among {len(known)} targets")


def bad_zone(findings: Findings) -> BadZone | Nowhere:
    """The one zone in which several tasks fail while the others work, or that AWS itself calls impaired."""
    tasks = findings.tasks.value
    running = () if tasks is None else tuple(t for t in tasks.running if t.zone is not None)
    zones = {task.zone for task in running if task.zone is not None}
    if len(zones) < 2:
        return Nowhere("the tasks run in fewer than two zones")
    found = _failing_tasks(findings) or _failing_requests(findings, running)
    told = _told_by_aws(findings, zones)
    if found is not None:
        also = f"; AWS Health reports {told[1]}" if told is not None and told[0] == found.zone else ""
        return BadZone(found.zone, found.evidence + also)
    return Nowhere("no zone has clearly more trouble than the others")


def _failing_tasks(findings: Findings) -> BadZone | None:
    """Unhealthy targets, and tasks that lately failed their health checks or did not start: all in one zone."""
    tasks, targets = findings.tasks.value, findings.targets.value
    if tasks is None:
        return None
    sick: dict[str, set[str]] = {}
    for task in tasks.stopped:
        lately = task.stopped_at is not None and task.stopped_at >= findings.looked_at - LATELY
        failed = task.stop_code == "TaskFailedToStart" or FAILED_CHECKS in task.stopped_reason
        if lately and failed and task.zone is not None:
            sick.setdefault(task.zone, set()).add(task.id)
    by_address = {task.address: task for task in tasks.running if task.address is not None}
    healthy: dict[str, int] = {}
    for target in () if targets is None else targets.targets:
        behind = by_address.get(target.target.rsplit(":", 1)[0])
        zone = target.zone if behind is None else behind.zone
        if zone is None:
            continue
        if target.state == "healthy":
            healthy[zone] = healthy.get(zone, 0) + 1
        elif target.state == "unhealthy":
            sick.setdefault(zone, set()).add(target.target if behind is None else behind.id)
    if len(sick) != 1:
        return None
    ((zone, failed_tasks),) = sick.items()
    elsewhere = sum(count for name, count in healthy.items() if name != zone)
    if len(failed_tasks) < 2 or healthy.get(zone, 0) or elsewhere < 1:
        return None
    return BadZone(zone, f"{len(failed_tasks)} tasks in {zone} fail and none elsewhere, where {elsewhere} are healthy")


def _failing_requests(findings: Findings, running: Iterable[TaskFacts]) -> BadZone | None:
    metrics = findings.metrics.value
    if metrics is None or len(metrics.by_zone) < 2:
        return None
    failed = {zone: counts.get(Metric.TARGET_5XX, 0.0) for zone, counts in metrics.by_zone.items()}
    share = {zone: _share(counts) for zone, counts in metrics.by_zone.items()}
    total = sum(failed.values())
    zone = max(failed, key=lambda name: (failed[name], name))
    if total <= 0 or failed[zone] < MOST * total or share[zone] < FAILS:
        return None
    if sum(1 for task in running if task.zone == zone) < 2 or isinstance(bad_task(findings), BadTask):
        return None
    logs = findings.logs.value
    if (logs is None or not logs.errors_by_task) and share[zone] < FAILS_WHOLLY:
        return None
    return BadZone(
        zone, f"{share[zone]:.0%} of the requests in {zone} fail, and {failed[zone] / total:.0%} of all failed"
    )


def _share(counts: Mapping[Metric, float]) -> float:
    requests = counts.get(Metric.REQUESTS, 0.0)
    return min(1.0, counts.get(Metric.TARGET_5XX, 0.0) / requests) if requests > 0 else 0.0


def _told_by_aws(findings: Findings, zones: set[str]) -> tuple[str, str] | None:
    health = findings.health.value
    events = () if health is None else health.events
    return next(((event.zone, event.code) for event in events if event.zone in zones and event.zone is not None), None)
