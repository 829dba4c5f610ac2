"""Give each task more memory: a new revision of its task definition with the next size that Fargate has."""

from functions.actions.action import Action, Refusal, Terms, deployable, state_before
from functions.actions.roll_back import ROLL_BACK, cluster_of, name_of
from functions.domain.causes import Cause
from functions.domain.changes import COPY_JUST_REGISTERED, ActionName, Plan, RegisterCopy, SetTaskDefinition
from functions.domain.evidence import short
from functions.domain.findings import Findings

GIB = 1024
FARGATE_SIZES = {
    256: (512, 1 * GIB, 2 * GIB),
    512: tuple(n * GIB for n in range(1, 5)),
    1024: tuple(n * GIB for n in range(2, 9)),
    2048: tuple(n * GIB for n in range(4, 17)),
    4096: tuple(n * GIB for n in range(8, 31)),
    8192: tuple(n * GIB for n in range(16, 61, 4)),
    16384: tuple(n * GIB for n in range(32, 121, 8)),
}
"""MiB of memory by CPU units (ECS API reference: RegisterTaskDefinition, `memory`)."""


def plan_enlarge_task(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Twice the memory, and more CPU only where that much memory asks for it."""
    found = deployable(findings)
    if isinstance(found, Refusal):
        return found
    service, releases = found
    definition = findings.definition.value
    if releases.in_flight is not None or len(service.deployments) != 1:
        return Refusal("a deployment is under way")
    if definition is None or definition.cpu is None or definition.memory_mib is None:
        return Refusal("the size of the task could not be read, or only its containers have one")
    if definition.task_definition != service.task_definition:
        return Refusal("the size that was read is that of another task definition")
    if service.launch_type in ("EC2", "EXTERNAL"):
        return Refusal(f"a task of launch type {service.launch_type} needs room on its instance")
    larger = next_size(definition.cpu, definition.memory_mib)
    if larger is None:
        return Refusal(f"Fargate has no task of twice {definition.memory_mib} MiB, or this is no size of Fargate's")
    cpu, memory = larger
    changes = (
        RegisterCopy(task_definition=service.task_definition, cpu=cpu, memory_mib=memory),
        SetTaskDefinition(task_definition=COPY_JUST_REGISTERED),
    )
    return Plan(
        action=ActionName.ENLARGE_TASK,
        cause=cause,
        summary=f"replace the tasks of {short(service.task_definition)} ({definition.cpu} CPU units, "
        f"{definition.memory_mib} MiB) by tasks of {cpu} CPU units and {memory} MiB",
        changes=changes,
        before=state_before(changes, service),
        undo=f"aws ecs update-service --cluster {cluster_of(service.arn)} --service {name_of(service.arn)} "
        f"--task-definition {short(service.task_definition)}",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
    )


def next_size(cpu: int, memory_mib: int) -> tuple[int, int] | None:
    """The smallest Fargate size with the same CPU or more and twice the memory; None where there is none."""
    if memory_mib not in FARGATE_SIZES.get(cpu, ()):
        return None
    larger = (
        (units, memory)
        for units, sizes in FARGATE_SIZES.items()
        for memory in sizes
        if units >= cpu and memory >= 2 * memory_mib
    )
    return min(larger, default=None)


ENLARGE_TASK = Action(
    name=ActionName.ENLARGE_TASK,
    effect="replaces every task by a larger one: a copy of the task definition with twice the memory",
    preconditions="no deployment under way; a task size of which Fargate has one with twice the memory",
    undo="set the task definition that ran before; every larger task costs more until then",
    restarts_or_scales=True,
    asks=True,
    plan=plan_enlarge_task,
    permissions=tuple(p for p in ROLL_BACK.permissions if p.action != "ecs:StopServiceDeployment"),
)
