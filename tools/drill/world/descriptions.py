"""Things of the world in the words of ECS, for whoever has to tell them: answers and events."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tools.drill.world.parts import Task
from tools.drill.world.service import Service

CONTAINER = "app"


def address_of(task: Task) -> str:
    """A private address, made from the task's identifier: its target's id."""
    return f"10.0.{int(task.id[:2], 16)}.{int(task.id[2:4], 16)}"


def describe_task(service: Service, task: Task, moment: Callable[[float], datetime]) -> dict[str, Any]:
    """A task as DescribeTasks tells it; `moment` makes a date of a time of the run."""
    release = task.release
    network = {"attachmentId": task.id, "privateIpv4Address": address_of(task)}
    container: dict[str, Any] = {
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{task.id[:8]}",
        "taskArn": task.arn,
        "name": CONTAINER,
        "image": release.image,
        "imageDigest": release.digest,
        "runtimeId": f"{task.id}-{task.ordinal}",
        "lastStatus": "STOPPED" if task.status == "STOPPED" else "RUNNING" if task.running else "PENDING",
        "networkBindings": [],
        "networkInterfaces": [network],
        "healthStatus": "UNKNOWN",
        "cpu": "0",
    }
    if task.started_s is None:
        # An image that was never pulled has no digest.
        del container["imageDigest"], container["runtimeId"]
    answer: dict[str, Any] = {
        "attachments": [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": task.zone,
        "clusterArn": service.cluster_arn,
        "connectivity": "CONNECTED",
        "containers": [container],
        "cpu": str(release.cpu),
        "createdAt": moment(task.created_s),
        "desiredStatus": "RUNNING" if task.alive else "STOPPED",
        "enableExecuteCommand": False,
        "group": f"service:{service.name}",
        "healthStatus": "UNKNOWN",
        "lastStatus": task.status,
        "launchType": "FARGATE",
        "memory": str(release.memory_mib),
        "overrides": {"containerOverrides": [{"name": CONTAINER}], "inferenceAcceleratorOverrides": []},
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "startedBy": task.deployment.id,
        "tags": [],
        "taskArn": task.arn,
        "taskDefinitionArn": release.arn,
        "version": task.version,
        "ephemeralStorage": {"sizeInGiB": 20},
    }
    if task.started_s is not None:
        answer["startedAt"] = moment(task.started_s)
    if task.stopping_s is not None:
        answer |= {
            "stoppingAt": moment(task.stopping_s),
            "stopCode": task.stop_code,
            "stoppedReason": task.stopped_reason,
        }
    if task.stopped_s is not None:
        answer["stoppedAt"] = answer["executionStoppedAt"] = moment(task.stopped_s)
        if task.exit_code is not None:
            container["exitCode"] = task.exit_code
        if task.container_reason is not None:
            container["reason"] = task.container_reason
    return answer
