"""How one service is doing: what AWS shows of it, what the ledger holds of it, and its health score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from functions.diagnostics.look import look
from functions.diagnostics.registry import PROBES
from functions.diagnostics.score import READS, health_score
from functions.domain.dependencies import DependenciesFacts
from functions.domain.errors import ReadFailed, ResponderError
from functions.domain.evidence import (
    AlarmsFacts,
    MetricsFacts,
    ScalingFacts,
    ServiceFacts,
    TargetsFacts,
    TaskFacts,
    TasksFacts,
    short,
)
from functions.domain.findings import Findings, Reading
from functions.domain.incidents import Incident, Mode
from functions.domain.maintenance import window_at
from functions.domain.model import Model, Moment
from functions.domain.score import HealthScore
from functions.domain.services import ServiceRef
from functions.playbooks.schema import Playbook
from functions.ports import Ledger, Measure, MetricsReader, Readers
from functions.workflow.surroundings import LOOK_DEADLINE_S, surroundings_of

LOOKS_AT = (*READS, "scaling")

TASKS_MEASURED = 100
"""Tasks of which CPU and memory are asked: two metrics each, and 500 go into one request."""
MEASURED_FOR = timedelta(minutes=5)
"""Container Insights tells of a task every minute, and up to some minutes late."""


class TaskLoad(Model):
    """How busy one task is, in percent of what it reserved; None where nobody measured it."""

    cpu_percent: float | None = None
    memory_percent: float | None = None


class Held(Model):
    """What the ledger holds of the service."""

    mode: Mode
    """The one in force: the switch's, or else the playbook's."""
    paused_until: Moment | None = None
    by: str = ""
    reason: str = ""
    """Who set the switch, and why."""
    maintenance: str | None = None
    """The maintenance window that is open, or None."""
    stopped: str | None = None
    """Who stopped everything, since when and why; None where nobody did."""
    incident: Incident | None = None
    """The one that is open."""


class ServiceStatus(Model):
    """Everything about one service that is shown on one screen."""

    service: ServiceRef
    name: str
    at: Moment
    score: int | None
    """The health score alone; `health` has its parts."""
    health: HealthScore
    responder: Reading[Held]
    service_facts: Reading[ServiceFacts]
    tasks: Reading[TasksFacts]
    loads: Reading[Mapping[str, TaskLoad]]
    """By the id of the task; tasks that nobody measured are left out."""
    targets: Reading[TargetsFacts]
    metrics: Reading[MetricsFacts]
    scaling: Reading[ScalingFacts]
    alarms: Reading[AlarmsFacts]
    dependencies: Reading[DependenciesFacts]
    plain_mode: Mode
    """What the playbook says, which holds where the ledger says nothing else."""


def status_of(
    playbook: Playbook, *, readers: Readers, open_ledger: Callable[[], Ledger], now: datetime
) -> ServiceStatus:
    """Read everything. What could not be read is unknown with its reason, the ledger too; nothing is raised for it."""
    around = replace(surroundings_of(playbook, readers=readers, ledger=None, now=now), alarms=playbook.alarm_names)
    seen = look([PROBES[name] for name in LOOKS_AT], around, deadline_s=LOOK_DEADLINE_S)
    health = health_score(seen, playbook.targets)
    return ServiceStatus(
        service=playbook.ref,
        name=playbook.name,
        at=now,
        score=health.score,
        health=health,
        responder=_held(playbook, open_ledger, now),
        service_facts=seen.service,
        tasks=seen.tasks,
        loads=_loads(playbook.ref, seen, readers.metrics, now),
        targets=seen.targets,
        metrics=seen.metrics,
        scaling=seen.scaling,
        alarms=seen.alarms,
        dependencies=seen.dependencies,
        plain_mode=playbook.mode,
    )


def _held(playbook: Playbook, open_ledger: Callable[[], Ledger], now: datetime) -> Reading[Held]:
    try:
        ledger = open_ledger()
        switch, holder = ledger.switch(playbook.ref), ledger.lock_holder(playbook.ref)
        fleet = ledger.fleet_switch()
        incident = None if holder is None else ledger.incident(holder)
    except ResponderError as error:
        return Reading(error=str(error))
    window = window_at(now, playbook.maintenance, switch.maintenance)
    return Reading(
        value=Held(
            mode=playbook.mode if switch.mode is None else switch.mode,
            paused_until=switch.paused_until if switch.paused(now) else None,
            by=switch.by,
            reason=switch.reason,
            maintenance=None if window is None else f"{window.label}, {window.span}",
            stopped=fleet.said if fleet.stopped else None,
            incident=incident,
        )
    )


def _loads(ref: ServiceRef, seen: Findings, metrics: MetricsReader, now: datetime) -> Reading[Mapping[str, TaskLoad]]:
    if seen.tasks.value is None:
        return Reading(error="cannot be read without tasks")
    tasks = seen.tasks.value.running[:TASKS_MEASURED]
    if not tasks:
        return Reading(value={})
    measures = [measure for task in tasks for measure in _measures(ref, task)]
    try:
        points = metrics.measured(measures, start=now - MEASURED_FOR, end=now)
    except ReadFailed as error:
        return Reading(error=str(error))
    newest = [series[-1][1] if series else None for series in points]
    each = {
        task.id: TaskLoad(cpu_percent=newest[2 * place], memory_percent=newest[2 * place + 1])
        for place, task in enumerate(tasks)
    }
    return Reading(value={task: load for task, load in each.items() if load != TaskLoad()})


def _measures(ref: ServiceRef, task: TaskFacts) -> Sequence[Measure]:
    """CloudWatch User Guide, "Amazon ECS Container Insights with enhanced observability metrics"; without that nobody
    measures a single task."""
    family = short(task.task_definition).rsplit(":", 1)[0]
    of_task = {"ClusterName": ref.cluster, "TaskDefinitionFamily": family, "TaskId": task.id}
    return [
        Measure(namespace="ECS/ContainerInsights", metric=metric, dimensions=of_task, statistic="Average")
        for metric in ("TaskCpuUtilization", "TaskMemoryUtilization")
    ]
