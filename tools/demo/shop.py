"""The sample service by name, and how its team ships a release."""

from typing import Any

SAMPLE_APP = "python -m tools.demo.sample_service"
SAMPLE_STACK = "SampleService"

CLUSTER = "shop"
SERVICE = "orders"
TASKS_MINIMUM = 3
TASKS_MAXIMUM = 10
GOOD_IMAGE = "shop/orders:1.4.2"
ALARM_PERIOD_S = 10

DATABASE_ALARM = "orders-db-unreachable"
DATABASE_NAMESPACE = "Shop/Database"
DATABASE_METRIC = "ConnectionFailures"
DATABASE_DIMENSIONS = {"Database": "orders"}

_READ_ONLY_FIELDS = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
)
"""What DescribeTaskDefinition answers and RegisterTaskDefinition refuses, by the ECS API reference."""


def ship(ecs: Any, *, image: str) -> str:
    """Release an image as a pipeline does: register a copy of the task definition, then update the service.

    Args:
        ecs: a boto3 client.

    Returns:
        The ARN of the new task definition.
    """
    service = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
    current = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    copy = {name: value for name, value in current.items() if name not in _READ_ONLY_FIELDS and value is not None}
    copy["containerDefinitions"] = [
        {**container, "image": image} if container["name"] == SERVICE else container
        for container in current["containerDefinitions"]
    ]
    released: str = ecs.register_task_definition(**copy)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=released)
    return released
