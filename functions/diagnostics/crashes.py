"""Tasks of a service that stop by themselves, again and again: read from the service and its tasks alone."""

from datetime import datetime, timedelta

from functions.diagnostics.thresholds import CRASHES_COUNT, LATELY
from functions.domain.evidence import ServiceFacts, TaskFacts, TasksFacts
from functions.domain.signals import SELF_STOPPED


def self_stopped(
    service: ServiceFacts, tasks: TasksFacts, *, now: datetime, within: timedelta
) -> tuple[TaskFacts, ...]:
    """Tasks of the current release that stopped by themselves lately."""
    if service.primary is None:
        return ()
    current = service.primary.task_definition
    return tuple(
        task
        for task in tasks.stopped
        if task.stop_code in SELF_STOPPED
        and task.task_definition == current
        and task.stopped_at is not None
        and task.stopped_at >= now - within
    )


def looping(
    service: ServiceFacts, tasks: TasksFacts, *, now: datetime, since: datetime | None
) -> tuple[TaskFacts, ...]:
    """Tasks of the current release that had started and then stopped by themselves, where that makes a crash loop:
    between two crashes such a service is steady, healthy and quiet. With `since`, tasks that were started before it
    do not count: an action took their place. Empty where there is no loop."""
    died = tuple(
        task
        for task in self_stopped(service, tasks, now=now, within=LATELY)
        if task.started_at is not None and (since is None or task.started_at >= since)
    )
    return died if len(died) >= CRASHES_COUNT else ()
