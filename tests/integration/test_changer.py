"""Changing a service: one call each, and an error that says whether anything happened."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from moto import mock_aws

from functions.adapters.changer import CALLS, AwsChanger
from functions.domain.changes import (
    Change,
    DeregisterTarget,
    ForceNewDeployment,
    RegisterCopy,
    SetCeiling,
    SetCount,
    SetFloor,
    SetStickiness,
    SetTaskDefinition,
    SetTracking,
    ShiftZone,
    StopDeployment,
    StopTask,
)
from functions.domain.errors import ChangeDoubtful, ChangeRefused
from functions.domain.services import ServiceRef
from tests.fakes.aws import FakeAws, refusal

ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
FLOOR = SetFloor(resource_id="service/shop/orders", minimum=4)
OLD = "arn:aws:ecs:eu-west-1:000000000000:task-definition/orders:3"
COPY = "arn:aws:ecs:eu-west-1:000000000000:task-definition/orders:9"

TASK = "arn:aws:ecs:eu-west-1:000000000000:task/shop/0123456789abcdef"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/orders/0123456789abcdef"
BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/shop/0123456789abcdef"
TRACKING = SetTracking(resource_id="service/shop/orders", policy="cpu", target=56.0)
SHIFT = ShiftZone(load_balancer=BALANCER, zone_id="euw1-az2", zone="eu-west-1b", expires_s=3601)
POLICY = {
    "PolicyARN": "arn:policy",
    "PolicyName": "cpu",
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/orders",
    "ScalableDimension": "ecs:service:DesiredCount",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "ScaleInCooldown": 900,
        "DisableScaleIn": False,
    },
    "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
}
SHIFTED = {
    "zonalShiftId": "shift-1",
    "resourceIdentifier": BALANCER,
    "awayFrom": "euw1-az2",
    "expiryTime": datetime(2026, 1, 1, tzinfo=UTC),
    "startTime": datetime(2026, 1, 1, tzinfo=UTC),
    "status": "ACTIVE",
    "comment": "said the test",
}

UPDATED = {
    "service": {"deployments": [{"id": "ecs-svc/1", "status": "ACTIVE"}, {"id": "ecs-svc/2", "status": "PRIMARY"}]}
}


def changer(aws: FakeAws) -> AwsChanger:
    return AwsChanger(client=aws.client)


@pytest.mark.parametrize(
    ("change", "parameters"),
    [
        (ForceNewDeployment(), {"forceNewDeployment": True}),
        (SetTaskDefinition(task_definition=OLD), {"taskDefinition": OLD}),
    ],
)
def test_update_service_sends_one_parameter(change: Change, parameters: dict[str, Any]) -> None:
    """UpdateService carries the one thing that changes and never a desired count, and tells the new deployment."""
    aws = FakeAws(UpdateService=UPDATED)

    result = changer(aws).apply(ORDERS, change)

    assert aws.calls == [("ecs:UpdateService", {"cluster": "shop", "service": "orders", **parameters})]
    assert (result.request_id, result.made) == ("req-1", "ecs-svc/2")


def test_stopping_rolls_back() -> None:
    """A deployment in flight is stopped with a rollback to what ran before."""
    aws = FakeAws(StopServiceDeployment={"serviceDeploymentArn": "sd/1"})

    result = changer(aws).apply(ORDERS, StopDeployment(service_deployment="sd/1"))

    assert aws.calls == [("ecs:StopServiceDeployment", {"serviceDeploymentArn": "sd/1", "stopType": "ROLLBACK"})]
    assert result.made == "sd/1"


def test_the_floor_alone() -> None:
    """Raising and restoring the floor send MinCapacity and leave the ceiling out."""
    aws = FakeAws(RegisterScalableTarget={})

    changer(aws).apply(ORDERS, FLOOR)
    changer(aws).apply(ORDERS, SetFloor(resource_id="service/shop/orders", minimum=2))

    common = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/shop/orders",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    assert [parameters for _, parameters in aws.calls] == [{**common, "MinCapacity": 4}, {**common, "MinCapacity": 2}]


def test_a_count_is_sent_alone() -> None:
    """What a person ordered, and no other parameter of the service."""
    aws = FakeAws(UpdateService={"service": {}})

    changer(aws).apply(ORDERS, SetCount(count=3))

    assert [parameters for _, parameters in aws.calls] == [
        {"cluster": ORDERS.cluster, "service": ORDERS.service, "desiredCount": 3}
    ]


def test_a_copy_has_the_content_and_nothing_else() -> None:
    """A copy is registered with what RegisterTaskDefinition takes, its tags included, except those AWS sets itself."""
    content = {
        "family": "orders",
        "taskRoleArn": "arn:role",
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "web", "image": "web:3", "essential": True}],
        "requiresCompatibilities": ["FARGATE"],
    }
    described = {
        **content,
        "taskDefinitionArn": OLD,
        "revision": 3,
        "status": "INACTIVE",
        "compatibilities": ["EC2", "FARGATE"],
        "requiresAttributes": [{"name": "x"}],
        "registeredAt": datetime(2026, 1, 1, tzinfo=UTC),
        "registeredBy": "arn:ci",
        "deregisteredAt": datetime(2026, 2, 1, tzinfo=UTC),
    }
    tags = [{"key": "team", "value": "shop"}, {"key": "aws:cloudformation:stack-name", "value": "orders"}]
    aws = FakeAws(
        DescribeTaskDefinition={"taskDefinition": described, "tags": tags},
        RegisterTaskDefinition={"taskDefinition": {"taskDefinitionArn": COPY}},
    )

    result = changer(aws).apply(ORDERS, RegisterCopy(task_definition=OLD))

    assert result.made == COPY
    assert aws.calls[1] == ("ecs:RegisterTaskDefinition", {**content, "tags": tags[:1]})
    aws.replies["DescribeTaskDefinition"] = {"taskDefinition": described}
    changer(aws).apply(ORDERS, RegisterCopy(task_definition=OLD))
    assert "tags" not in aws.calls[3][1]


def test_a_larger_copy_raises_the_limits_of_its_containers_too() -> None:
    """A container with a hard limit of its own would be killed at the old one; a reservation stays."""
    containers = [{"name": "web", "memory": 384}, {"name": "sidecar", "memoryReservation": 64}]
    aws = FakeAws(
        DescribeTaskDefinition={
            "taskDefinition": {"family": "orders", "cpu": "256", "memory": "512", "containerDefinitions": containers}
        },
        RegisterTaskDefinition={"taskDefinition": {"taskDefinitionArn": COPY}},
    )
    changer(aws).apply(ORDERS, RegisterCopy(task_definition=OLD, cpu=512, memory_mib=2048))
    _, sent = aws.calls[1]
    assert (sent["cpu"], sent["memory"]) == ("512", "2048")
    assert sent["containerDefinitions"] == [{"name": "web", "memory": 1536}, containers[1]]


SCALABLE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/orders",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@pytest.mark.parametrize(
    ("change", "call", "sent"),
    [
        (
            SetCeiling(resource_id="service/shop/orders", maximum=9),
            "application-autoscaling:RegisterScalableTarget",
            {**SCALABLE, "MaxCapacity": 9},
        ),
        (
            SetCeiling(resource_id="service/shop/orders", maximum=9, minimum=3),
            "application-autoscaling:RegisterScalableTarget",
            {**SCALABLE, "MaxCapacity": 9, "MinCapacity": 3},
        ),
        (
            DeregisterTarget(target_group=GROUP, target="10.0.0.1", port=8080),
            "elasticloadbalancing:DeregisterTargets",
            {"TargetGroupArn": GROUP, "Targets": [{"Id": "10.0.0.1", "Port": 8080}]},
        ),
        (
            DeregisterTarget(target_group=GROUP, target="10.0.0.1"),
            "elasticloadbalancing:DeregisterTargets",
            {"TargetGroupArn": GROUP, "Targets": [{"Id": "10.0.0.1"}]},
        ),
        (
            StopTask(task=TASK, reason="bad"),
            "ecs:StopTask",
            {"cluster": "shop", "task": TASK, "reason": "bad"},
        ),
        (
            SHIFT,
            "arc-zonal-shift:StartZonalShift",
            {
                "resourceIdentifier": BALANCER,
                "awayFrom": "euw1-az2",
                "expiresIn": "61m",
                "comment": "ECS first responder: an impaired zone",
            },
        ),
        (
            SetStickiness(target_group=GROUP, duration_s=3600),
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            {
                "TargetGroupArn": GROUP,
                "Attributes": [
                    {"Key": "stickiness.enabled", "Value": "true"},
                    {"Key": "stickiness.type", "Value": "lb_cookie"},
                    {"Key": "stickiness.lb_cookie.duration_seconds", "Value": "3600"},
                ],
            },
        ),
    ],
)
def test_one_change_is_one_call(change: Change, call: str, sent: dict[str, Any]) -> None:
    """Each sends what it changes and nothing else."""
    aws = FakeAws(
        RegisterScalableTarget={},
        DeregisterTargets={},
        StopTask={},
        StartZonalShift=SHIFTED,
        ModifyTargetGroupAttributes={},
    )
    changer(aws).apply(ORDERS, change)
    assert aws.calls == [(call, sent)]


def test_a_policy_keeps_everything_but_its_target() -> None:
    """PutScalingPolicy replaces the whole configuration: what is not changed is sent as it is now."""
    aws = FakeAws(DescribeScalingPolicies={"ScalingPolicies": [POLICY]}, PutScalingPolicy={"PolicyARN": "arn:policy"})
    changer(aws).apply(ORDERS, TRACKING)
    assert aws.calls[-1] == (
        "application-autoscaling:PutScalingPolicy",
        {
            **SCALABLE,
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                **POLICY["TargetTrackingScalingPolicyConfiguration"],  # type: ignore[dict-item]
                "TargetValue": 56.0,
            },
        },
    )


@pytest.mark.parametrize("found", [refusal("ThrottlingException"), {"ScalingPolicies": []}])
def test_a_policy_that_was_not_read_is_not_written(found: Any) -> None:
    """It is gone, or nobody could say what it is: nothing is sent."""
    aws = FakeAws(DescribeScalingPolicies=found)
    with pytest.raises(ChangeRefused, match="was not sent"):
        changer(aws).apply(ORDERS, TRACKING)


def test_an_unreadable_original_is_not_copied() -> None:
    """When the original cannot be read nothing is registered, whatever the reason."""
    for reply in (refusal("ClientException"), refusal("ServerException", status=500)):
        aws = FakeAws(DescribeTaskDefinition=reply)
        with pytest.raises(ChangeRefused, match="nothing was registered"):
            changer(aws).apply(ORDERS, RegisterCopy(task_definition=OLD))


@pytest.mark.parametrize(
    "reply",
    [
        refusal("ConflictException", "the deployment has finished"),
        refusal("AccessDeniedException", "password=hunter2"),
        refusal("ThrottlingException"),
        refusal("ServiceNotActiveException"),
        NoCredentialsError(),
    ],
)
def test_a_refusal_proves_that_nothing_happened(reply: Exception) -> None:
    """An answer in the 400s, or a call that was never sent, is ChangeRefused; secrets in it are redacted."""
    aws = FakeAws(StopServiceDeployment=reply)
    with pytest.raises(ChangeRefused) as caught:
        changer(aws).apply(ORDERS, StopDeployment(service_deployment="sd/1"))
    assert "hunter2" not in str(caught.value)
    assert len(aws.calls) == 1


@pytest.mark.parametrize(
    "reply",
    [
        refusal("ServerException", status=500),
        refusal("ServiceUnavailable", status=503),
        refusal("RequestTimeout", status=400),
        refusal("RequestTimeoutException", status=408),
        ReadTimeoutError(endpoint_url="https://ecs"),
        ConnectionClosedError(endpoint_url="https://ecs"),
        EndpointConnectionError(endpoint_url="https://ecs"),
    ],
)
def test_a_lost_answer_is_doubtful(reply: Exception) -> None:
    """An error of the server, or none at all, is ChangeDoubtful, and the call is not repeated."""
    aws = FakeAws(UpdateService=reply)
    with pytest.raises(ChangeDoubtful):
        changer(aws).apply(ORDERS, ForceNewDeployment())
    assert len(aws.calls) == 1


def test_wrong_parameters_never_leave() -> None:
    """Parameters that botocore itself rejects were never sent."""
    aws = FakeAws()
    with pytest.raises(ChangeRefused, match="was not sent"):
        changer(aws).apply(ORDERS.model_copy(update={"cluster": None}), ForceNewDeployment())


def test_declared_calls_are_the_calls_made() -> None:
    """The changer declares its calls, and ecs:TagResource, which registering with tags needs without calling it."""
    aws = FakeAws(
        UpdateService=UPDATED,
        StopServiceDeployment={},
        DescribeTaskDefinition={"taskDefinition": {"family": "orders", "containerDefinitions": []}},
        RegisterTaskDefinition={"taskDefinition": {"taskDefinitionArn": COPY}},
        RegisterScalableTarget={},
        StopTask={},
        DescribeScalingPolicies={"ScalingPolicies": [POLICY]},
        PutScalingPolicy={"PolicyARN": "arn:policy"},
        DeregisterTargets={},
        ModifyTargetGroupAttributes={},
        StartZonalShift=SHIFTED,
    )
    changes: tuple[Change, ...] = (
        ForceNewDeployment(),
        SetTaskDefinition(task_definition=OLD),
        StopDeployment(service_deployment="sd/1"),
        RegisterCopy(task_definition=OLD),
        FLOOR,
        StopTask(task=TASK, reason="bad"),
        TRACKING,
        DeregisterTarget(target_group=GROUP, target="10.0.0.1"),
        SetStickiness(target_group=GROUP, duration_s=3600),
        SHIFT,
    )
    for change in changes:
        changer(aws).apply(ORDERS, change)
    assert aws.actions | {"ecs:TagResource"} == set(CALLS)


@mock_aws
def test_on_a_service() -> None:
    """Against moto a forced deployment, another task definition, a copy and a raised floor arrive in the service."""
    ecs = boto3.client("ecs", region_name="eu-west-1")
    autoscaling = boto3.client("application-autoscaling", region_name="eu-west-1")
    ecs.create_cluster(clusterName="shop")
    containers = [{"name": "web", "image": "web:1", "memory": 128}]
    for _ in range(2):
        ecs.register_task_definition(
            family="orders", containerDefinitions=containers, tags=[{"key": "team", "value": "shop"}]
        )
    ecs.create_service(cluster="shop", serviceName="orders", taskDefinition="orders:2", desiredCount=2)
    autoscaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/shop/orders",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=2,
        MaxCapacity=8,
    )
    ecs.deregister_task_definition(taskDefinition="orders:1")
    changes = AwsChanger(client={"ecs": ecs, "application-autoscaling": autoscaling}.__getitem__)

    copy = changes.apply(ORDERS, RegisterCopy(task_definition="orders:1")).made
    changes.apply(ORDERS, SetTaskDefinition(task_definition=copy))
    changes.apply(ORDERS, ForceNewDeployment())
    changes.apply(ORDERS, FLOOR)

    (service,) = ecs.describe_services(cluster="shop", services=["orders"])["services"]
    assert copy.endswith("orders:3")
    assert (service["taskDefinition"], service["desiredCount"]) == (copy, 2)
    (target,) = autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (4, 8)
