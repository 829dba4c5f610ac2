"""Application Auto Scaling, as the world answers it (Application Auto Scaling API reference)."""

from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.scaling import Activity, ScalableTarget, Tracking
from tools.drill.world.world import World


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


def describe_scaling_policies(world: World, parameters: Parameters) -> Answer:
    wanted, names = parameters.get("ResourceId"), parameters.get("PolicyNames")
    return {
        "ScalingPolicies": [
            _policy(world, target, target.tracking)
            for target in _targets(world, {"ServiceNamespace": parameters["ServiceNamespace"]})
            if target.tracking is not None
            and (wanted is None or target.resource_id == wanted)
            and (names is None or target.tracking.name in names)
        ]
    }


_METRICS = {"cpu": "ECSServiceAverageCPUUtilization", "requests": "ALBRequestCountPerTarget"}


def _policy(world: World, target: ScalableTarget, tracking: Tracking) -> Answer:
    predefined = {"PredefinedMetricType": _METRICS[tracking.metric]}
    if tracking.metric == "requests":
        balancer = target.service.load_balancer.partition(":loadbalancer/")[2]
        predefined["ResourceLabel"] = f"{balancer}/{target.service.target_group.rpartition(':')[2]}"
    return {
        "PolicyARN": _policy_arn(world, target, tracking),
        "PolicyName": tracking.name,
        "ServiceNamespace": "ecs",
        "ResourceId": target.resource_id,
        "ScalableDimension": "ecs:service:DesiredCount",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": tracking.target,
            "PredefinedMetricSpecification": predefined,
            "ScaleOutCooldown": int(tracking.cooldown_out_s),
            "ScaleInCooldown": int(tracking.cooldown_in_s),
            "DisableScaleIn": False,
        },
        "Alarms": _policy_alarms(world, target, tracking),
        "CreationTime": world.moment(target.service.rollouts.revisions[0].created_s),
    }


def _policy_arn(world: World, target: ScalableTarget, tracking: Tracking) -> str:
    where = f"{world.setting.region}:{world.setting.account}"
    token = world.chance.token(f"{target.service.name}/policy", size=16)
    return (
        f"arn:aws:autoscaling:{where}:scalingPolicy:{token}:resource/ecs/{target.resource_id}:"
        f"policyName/{tracking.name}"
    )


def _policy_alarms(world: World, target: ScalableTarget, tracking: Tracking) -> list[Answer]:
    where = f"{world.setting.region}:{world.setting.account}"
    names = [target.alarm(tracking, side) for side in ("High", "Low")]
    return [{"AlarmName": name, "AlarmARN": f"arn:aws:cloudwatch:{where}:alarm:{name}"} for name in names]


def put_scaling_policy(world: World, parameters: Parameters) -> Answer:
    """Only another target value of a policy that is there; from the next look on it counts."""
    targets = [target for target in world.targets.values() if target.resource_id == parameters["ResourceId"]]
    if not targets:
        raise Refused("ObjectNotFoundException", "No scalable target found for the resource")
    (target,) = targets
    tracking, sent = target.tracking, parameters.get("TargetTrackingScalingPolicyConfiguration")
    if tracking is None or tracking.name != parameters["PolicyName"] or sent is None:
        raise NotImplementedError(f"the world makes no new scaling policy {parameters['PolicyName']}")
    kept = _policy(world, target, tracking)["TargetTrackingScalingPolicyConfiguration"]
    changed = sorted(name for name in {*kept, *sent} - {"TargetValue"} if kept.get(name) != sent.get(name))
    if changed:
        raise NotImplementedError(f"the world cannot change {', '.join(changed)} of a scaling policy")
    tracking.target = float(sent["TargetValue"])
    return {
        "PolicyARN": _policy_arn(world, target, tracking),
        "Alarms": _policy_alarms(world, target, tracking),
    }


SCALING = Operations(
    reads={
        "DescribeScalableTargets": describe_scalable_targets,
        "DescribeScalingActivities": describe_scaling_activities,
        "DescribeScalingPolicies": describe_scaling_policies,
    },
    changes={"RegisterScalableTarget": register_scalable_target, "PutScalingPolicy": put_scaling_policy},
)
