"""Why tasks stopped, in the words of ECS.

Sources: Amazon ECS Developer Guide, "Stopped tasks error codes" and "Service event messages"; API reference, Task
`stopCode`. `UserInitiated` and the rest are the values of that field.
"""

from typing import NamedTuple


class Stop(NamedTuple):
    """Fields of a stopped task."""

    code: str
    reason: str
    exit_code: int | None = None
    container_reason: str | None = None


EXITED = Stop("EssentialContainerExited", "Essential container in task exited", 1)
OUT_OF_MEMORY = Stop(
    "EssentialContainerExited",
    "OutOfMemoryError: Container killed due to memory usage",
    137,
    "OutOfMemoryError: Container killed due to memory usage",
)


def image_missing(image: str) -> Stop:
    reason = (
        f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: "
        f"{image}: not found"
    )
    return Stop("TaskFailedToStart", reason, None, reason)


def secret_missing(secret: str) -> Stop:
    return Stop(
        "TaskFailedToStart",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        f"{secret} from secrets manager: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret.",
    )


UNREACHABLE = Stop(
    "TaskFailedToStart",
    "ResourceInitializationError: unable to pull secrets or registry auth: unable to pull registry auth from Amazon "
    "ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration.",
)


def unhealthy(target_group: str) -> Stop:
    return Stop("ServiceSchedulerInitiated", f"Task failed ELB health checks in (target-group {target_group})", 137)


def scaled(deployment: str) -> Stop:
    return Stop("ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {deployment})", 143)


def by_user(reason: str) -> Stop:
    return Stop("UserInitiated", reason, 143)


def by_itself(code: str | None, reason: str) -> bool:
    """Whether nobody wanted the task to stop: what the responder's rule for stopped tasks lets in."""
    if code == "ServiceSchedulerInitiated":
        return reason.startswith("Task failed ")
    return code in ("TaskFailedToStart", "EssentialContainerExited")
