"""Elastic Load Balancing and Application Auto Scaling (their API references), and what the responder keeps: pages and
documents."""

from io import BytesIO

from tools.drill.world.answers_ecs import address_of
from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.parts import Task
from tools.drill.world.refusal import Refused
from tools.drill.world.scaling import Activity, ScalableTarget
from tools.drill.world.service import PORT, Service
from tools.drill.world.world import World

_DESCRIPTIONS = {
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.Timeout": "Request timed out",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
}
"""Elastic Load Balancing API reference, TargetHealth."""


def _of_group(world: World, arn: str) -> Service:
    for service in world.services.values():
        if service.target_group == arn:
            return service
    raise Refused("TargetGroupNotFound", "One or more target groups not found")


def describe_target_health(world: World, parameters: Parameters) -> Answer:
    service = _of_group(world, parameters["TargetGroupArn"])
    return {"TargetHealthDescriptions": [_target(task) for task in service.tasks if task.target is not None]}


def _target(task: Task) -> Answer:
    health: Answer = {"State": task.target}
    if task.target_reason is not None:
        health |= {"Reason": task.target_reason, "Description": _DESCRIPTIONS[task.target_reason]}
    return {
        "Target": {"Id": address_of(task), "Port": PORT, "AvailabilityZone": task.zone},
        "HealthCheckPort": str(PORT),
        "TargetHealth": health,
    }


def describe_target_groups(world: World, parameters: Parameters) -> Answer:
    groups = parameters.get("TargetGroupArns")
    found = list(world.services.values()) if groups is None else [_of_group(world, arn) for arn in groups]
    return {"TargetGroups": [_target_group(service) for service in found]}


def _target_group(service: Service) -> Answer:
    check = service.setting.health_check
    return {
        "TargetGroupArn": service.target_group,
        "TargetGroupName": service.name,
        "Protocol": "HTTP",
        "Port": PORT,
        "VpcId": f"vpc-{1:017x}",
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": int(service.check_s),
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": check.healthy,
        "UnhealthyThresholdCount": check.unhealthy,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [service.load_balancer],
        "TargetType": "ip",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
    }


def _targets(world: World, parameters: Parameters) -> list[ScalableTarget]:
    wanted = parameters.get("ResourceIds")
    if parameters["ServiceNamespace"] != "ecs":
        return []
    return [target for target in world.targets.values() if wanted is None or target.resource_id in wanted]


def describe_scalable_targets(world: World, parameters: Parameters) -> Answer:
    return {"ScalableTargets": [_scalable_target(world, target) for target in _targets(world, parameters)]}


def _arn(world: World, target: ScalableTarget) -> str:
    token = world.chance.token(f"{target.service.name}/scalable-target", size=16)
    return f"arn:aws:application-autoscaling:{world.setting.region}:{world.setting.account}:scalable-target/{token}"


def _scalable_target(world: World, target: ScalableTarget) -> Answer:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": target.resource_id,
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": f"arn:aws:iam::{world.setting.account}:role/aws-service-role/ecs.application-autoscaling."
        "amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
        "CreationTime": world.moment(target.service.rollouts.revisions[0].created_s),
        "SuspendedState": {
            "DynamicScalingInSuspended": target.suspended.scale_in,
            "DynamicScalingOutSuspended": target.suspended.scale_out,
            "ScheduledScalingSuspended": target.suspended.scheduled,
        },
        "ScalableTargetARN": _arn(world, target),
    }


def describe_scaling_activities(world: World, parameters: Parameters) -> Answer:
    wanted, unscaled = parameters.get("ResourceId"), parameters.get("IncludeNotScaledActivities", False)
    found = [
        _activity(world, target, activity)
        for target in _targets(world, {"ServiceNamespace": parameters["ServiceNamespace"]})
        if wanted is None or target.resource_id == wanted
        for activity in target.activities
        if unscaled or activity.not_scaled is None
    ]
    return {"ScalingActivities": found[: parameters.get("MaxResults", 50)]}


def _activity(world: World, target: ScalableTarget, activity: Activity) -> Answer:
    answer: Answer = {
        "ActivityId": activity.id,
        "ServiceNamespace": "ecs",
        "ResourceId": target.resource_id,
        "ScalableDimension": "ecs:service:DesiredCount",
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": world.moment(activity.at_s),
        "StatusCode": activity.status,
    }
    if activity.not_scaled is not None:
        return answer | {"NotScaledReasons": [{"Code": activity.not_scaled, "MaxCapacity": target.maximum}]}
    return answer | {"EndTime": world.moment(activity.at_s), "StatusMessage": activity.message}


def register_scalable_target(world: World, parameters: Parameters) -> Answer:
    name = parameters["ResourceId"].rsplit("/", 1)[-1]
    target = world.targets.get(name)
    if target is None or target.resource_id != parameters["ResourceId"]:
        raise NotImplementedError(f"the world makes no new scalable target for {parameters['ResourceId']}")
    world.settle()
    suspended = parameters.get("SuspendedState", {})
    target.suspended.scale_in = suspended.get("DynamicScalingInSuspended", target.suspended.scale_in)
    target.suspended.scale_out = suspended.get("DynamicScalingOutSuspended", target.suspended.scale_out)
    target.suspended.scheduled = suspended.get("ScheduledScalingSuspended", target.suspended.scheduled)
    target.register(minimum=parameters.get("MinCapacity"), maximum=parameters.get("MaxCapacity"))
    return {"ScalableTargetARN": _arn(world, target)}


def publish(world: World, parameters: Parameters) -> Answer:
    world.pages.append((world.seconds, dict(parameters)))
    return {"MessageId": world.chance.token("world/page", len(world.pages))}


def put_object(world: World, parameters: Parameters) -> Answer:
    body = parameters["Body"]
    content = body if isinstance(body, bytes) else body.read()
    world.objects[parameters["Bucket"], parameters["Key"]] = content
    return {"ETag": f'"{world.chance.token(parameters["Key"], len(content))}"'}


def get_object(world: World, parameters: Parameters) -> Answer:
    body = world.objects.get((parameters["Bucket"], parameters["Key"]))
    if body is None:
        raise Refused("NoSuchKey", "The specified key does not exist.", status=404)
    return {"Body": BytesIO(body), "ContentLength": len(body)}


OTHERS = Operations(
    reads={
        "DescribeTargetHealth": describe_target_health,
        "DescribeTargetGroups": describe_target_groups,
        "DescribeScalableTargets": describe_scalable_targets,
        "DescribeScalingActivities": describe_scaling_activities,
    },
    changes={"RegisterScalableTarget": register_scalable_target},
    keeping={"Publish": publish, "PutObject": put_object, "GetObject": get_object},
)
