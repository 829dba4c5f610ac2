"""What an operator types, as calls of boto3 one after the other, in the order in which a runbook for an ECS service
writes them. Nobody reads an answer or thinks in between, and no command takes time to start."""

from datetime import timedelta
from typing import Any

from functions.adapters.autoscaling import DIMENSION, NAMESPACE, resource_id
from tools.bench.chain.scenes import FORCE_REDEPLOY, ROLLBACK, Stage

LINES = 100
"""As many as a screen shows: a world makes up thousands, and its time is not what is measured."""


def by_hand(stage: Stage) -> None:
    """From the first command of the alarm's procedure to the one that remedies."""
    match stage.scene.name:
        case name if name == ROLLBACK:
            _roll_back(stage)
        case name if name == FORCE_REDEPLOY:
            _redeploy(stage)
        case _:
            _scale_out(stage)


def _roll_back(stage: Stage) -> None:
    """Errors in the logs, errors of the load balancer, deployments, revisions, and back to the one before."""
    ecs = stage.clients.repeating("ecs")
    _tail(stage)
    _statistics(stage, "AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum")
    (service,) = _service(stage)["services"]
    family = service["taskDefinition"].rpartition("/")[2].partition(":")[0]
    revisions = ecs.list_task_definitions(familyPrefix=family, sort="DESC")["taskDefinitionArns"]
    ecs.update_service(cluster=stage.service.cluster, service=stage.service.service, taskDefinition=revisions[1])


def _scale_out(stage: Stage) -> None:
    """CPU, the count, errors in the logs, the scalable target and its policies, and a higher floor."""
    scaling = stage.clients.repeating("application-autoscaling")
    resource = {"ServiceNamespace": NAMESPACE, "ScalableDimension": DIMENSION}
    name = resource_id(stage.service)
    _statistics(stage, "AWS/ECS", "CPUUtilization", "Average", "Maximum")
    _service(stage)
    _tail(stage)
    (target,) = scaling.describe_scalable_targets(**resource, ResourceIds=[name])["ScalableTargets"]
    scaling.describe_scaling_policies(**resource, ResourceId=name)
    scaling.register_scalable_target(
        **resource, ResourceId=name, MinCapacity=target["MinCapacity"] + 4, MaxCapacity=target["MaxCapacity"]
    )


def _redeploy(stage: Stage) -> None:
    """The service, its tasks, one of them, the logs, the targets, and a forced deployment."""
    ecs, service = stage.clients.repeating("ecs"), stage.service
    (found,) = _service(stage)["services"]
    ecs.list_tasks(cluster=service.cluster, serviceName=service.service)
    listed = ecs.list_tasks(cluster=service.cluster, serviceName=service.service)["taskArns"]
    ecs.describe_tasks(cluster=service.cluster, tasks=listed[:1])
    _tail(stage)
    group = found["loadBalancers"][0]["targetGroupArn"]
    stage.clients.repeating("elbv2").describe_target_health(TargetGroupArn=group)
    ecs.update_service(cluster=service.cluster, service=service.service, forceNewDeployment=True)


def _service(stage: Stage) -> dict[str, Any]:
    ecs = stage.clients.repeating("ecs")
    answer: dict[str, Any] = ecs.describe_services(cluster=stage.service.cluster, services=[stage.service.service])
    return answer


def _tail(stage: Stage) -> None:
    since = stage.now - timedelta(minutes=10)
    stage.clients.repeating("logs").filter_log_events(
        logGroupName=stage.log_group,
        startTime=int(since.timestamp() * 1000),
        endTime=int(stage.now.timestamp() * 1000),
        filterPattern="ERROR",
        limit=LINES,
    )


def _statistics(stage: Stage, namespace: str, metric: str, *statistics: str) -> None:
    stage.clients.repeating("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[
            {"Name": "ClusterName", "Value": stage.service.cluster},
            {"Name": "ServiceName", "Value": stage.service.service},
        ],
        StartTime=stage.now - timedelta(minutes=30),
        EndTime=stage.now,
        Period=60,
        Statistics=list(statistics),
    )
