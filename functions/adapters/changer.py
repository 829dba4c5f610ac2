"""Changes a service: the dumb end of a plan. One change, one changing call, never repeated."""

from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any

from functions.adapters.answers import Answer, changing, reading, request_id
from functions.adapters.autoscaling import DIMENSION, NAMESPACE
from functions.adapters.backups import AwsBackups
from functions.adapters.clients import Clients
from functions.adapters.clock import SystemClock
from functions.adapters.mutes import AlarmMutes
from functions.adapters.webhooks import HttpsWebhooks
from functions.domain.called import Service
from functions.domain.changes import (
    BackUpTable,
    BlockAddress,
    CallWebhook,
    Change,
    ChangeResult,
    DeregisterTarget,
    DisableUser,
    ForceNewDeployment,
    MuteAlarm,
    RegisterCopy,
    ScaleToZero,
    SetCeiling,
    SetCount,
    SetFloor,
    SetStickiness,
    SetTaskDefinition,
    SetTracking,
    ShiftZone,
    SnapshotDatabase,
    StopDeployment,
    StopTask,
    UnblockAddress,
    UnmuteAlarm,
)
from functions.domain.errors import ChangeRefused, ReadFailed
from functions.domain.services import ServiceRef
from functions.ports import Clock, WebhookCaller

CALLS = (
    "ecs:UpdateService",
    "ecs:StopServiceDeployment",
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:TagResource",
    "ecs:StopTask",
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:PutScalingPolicy",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "arc-zonal-shift:StartZonalShift",
)
"""IAM actions. RegisterTaskDefinition also needs iam:PassRole for the roles inside, and ecs:TagResource where it has
tags (ECS Developer Guide, "Tagging resources during creation"); neither shows as a call."""

SHIFT_COMMENT = "ECS first responder: an impaired zone"
"""At most 128 characters (ARC zonal shift API reference: StartZonalShift)."""


class AwsChanger:
    """The `ServiceChanger` of the deployed responder. IAM actions: `CALLS`.

    No call carries a desired count but the one that a person ordered: it belongs to the autoscaler and to people.
    """

    def __init__(
        self,
        *,
        client: Callable[[Service], Any],
        webhooks: WebhookCaller | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`client` makes a client that sends each call once; each is made when it is first needed, which for most
        changes is one. Without `webhooks`, calls go out to the network; without `clock`, the machine's is read."""
        self._client = cache(client)
        self._backups = AwsBackups(client=self._client)
        self._mutes = AlarmMutes(client=self._client, clock=SystemClock() if clock is None else clock)
        self._webhooks = HttpsWebhooks(client=self._client) if webhooks is None else webhooks

    @classmethod
    def of(cls, clients: Clients, *, webhooks: WebhookCaller | None = None, clock: Clock | None = None) -> "AwsChanger":
        return cls(client=clients.once, webhooks=webhooks, clock=clock)

    def apply(self, ref: ServiceRef, change: Change) -> ChangeResult:
        match change:
            case ForceNewDeployment():
                return self._update_service(ref, forceNewDeployment=True)
            case SetTaskDefinition(task_definition=task_definition):
                return self._update_service(ref, taskDefinition=task_definition)
            case RegisterCopy():
                return self._register_copy(change)
            case StopDeployment(service_deployment=service_deployment):
                return self._stop_deployment(service_deployment)
            case SetFloor(resource_id=resource_id, minimum=minimum):
                return self._set_bounds(resource_id, MinCapacity=minimum)
            case SetCeiling(resource_id=resource_id, maximum=maximum, minimum=minimum):
                floor = {} if minimum is None else {"MinCapacity": minimum}
                return self._set_bounds(resource_id, MaxCapacity=maximum, **floor)
            case SetTracking():
                return self._set_tracking(change)
            case DeregisterTarget():
                return self._deregister_target(change)
            case StopTask(task=task, reason=reason):
                return self._stop_task(ref, task, reason)
            case ShiftZone():
                return self._shift_zone(change)
            case SetStickiness(target_group=target_group, duration_s=duration_s):
                return self._set_stickiness(target_group, duration_s)
            case SetCount(count=count):
                return self._update_service(ref, desiredCount=count)
            case CallWebhook():
                return self._webhooks.call(change)
            case BackUpTable() | SnapshotDatabase():
                return self._backups.take(change)
            case MuteAlarm() | UnmuteAlarm():
                return self._mutes.apply(change)
            case ScaleToZero() | BlockAddress() | UnblockAddress() | DisableUser():
                raise ChangeRefused(f"{change.kind} was not sent: it is for the function of the contain stack")

    def _update_service(self, ref: ServiceRef, **parameters: object) -> ChangeResult:
        with changing(f"UpdateService of {ref.service}"):
            answer = self._client("ecs").update_service(cluster=ref.cluster, service=ref.service, **parameters)
        deployments = answer.get("service", {}).get("deployments", ())
        made = next((str(d.get("id", "")) for d in deployments if d.get("status") == "PRIMARY"), "")
        return ChangeResult(request_id=request_id(answer), made=made)

    def _stop_deployment(self, service_deployment: str) -> ChangeResult:
        with changing(f"StopServiceDeployment of {service_deployment}"):
            answer = self._client("ecs").stop_service_deployment(
                serviceDeploymentArn=service_deployment, stopType="ROLLBACK"
            )
        return ChangeResult(request_id=request_id(answer), made=answer.get("serviceDeploymentArn", ""))

    def _register_copy(self, change: RegisterCopy) -> ChangeResult:
        original = change.task_definition
        try:
            with reading(f"task definition {original}"):
                registration = self._registration(original)
        except ReadFailed as failed:
            raise ChangeRefused(f"nothing was registered: {failed}") from failed
        registration = _resized(registration, change)
        with changing(f"RegisterTaskDefinition as a copy of {original}"):
            answer = self._client("ecs").register_task_definition(**registration)
        made = answer.get("taskDefinition", {}).get("taskDefinitionArn", "")
        return ChangeResult(request_id=request_id(answer), made=made)

    def _registration(self, task_definition: str) -> dict[str, Any]:
        """What RegisterTaskDefinition takes, from what DescribeTaskDefinition shows."""
        described: Answer = self._client("ecs").describe_task_definition(
            taskDefinition=task_definition, include=["TAGS"]
        )
        operation = self._client("ecs").meta.service_model.operation_model("RegisterTaskDefinition")
        content = described.get("taskDefinition", {})
        parameters = {name: content[name] for name in operation.input_shape.members if name in content}
        # AWS sets tags of its own, and refuses them from anybody else.
        tags = [tag for tag in described.get("tags", ()) if not str(tag.get("key", "")).startswith("aws:")]
        return {**parameters, "tags": tags} if tags else parameters

    def _stop_task(self, ref: ServiceRef, task: str, reason: str) -> ChangeResult:
        with changing(f"StopTask of {task}"):
            answer = self._client("ecs").stop_task(cluster=ref.cluster, task=task, reason=reason)
        return ChangeResult(request_id=request_id(answer), made=task)

    def _set_bounds(self, resource_id: str, **bounds: int) -> ChangeResult:
        with changing(f"RegisterScalableTarget of {resource_id}"):
            answer = self._client("application-autoscaling").register_scalable_target(
                ServiceNamespace=NAMESPACE, ResourceId=resource_id, ScalableDimension=DIMENSION, **bounds
            )
        return ChangeResult(request_id=request_id(answer), made=resource_id)

    def _set_tracking(self, change: SetTracking) -> ChangeResult:
        """PutScalingPolicy replaces what it is given whole, so everything but the target is sent as it is now."""
        scaling = self._client("application-autoscaling")
        named = {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": change.resource_id,
            "ScalableDimension": DIMENSION,
        }
        what = f"PutScalingPolicy of {change.policy}"
        try:
            with reading(f"scaling policy {change.policy}"):
                found = scaling.describe_scaling_policies(**named, PolicyNames=[change.policy])["ScalingPolicies"]
        except ReadFailed as failed:
            raise ChangeRefused(f"{what} was not sent: {failed}") from failed
        tracking = found[0].get("TargetTrackingScalingPolicyConfiguration") if found else None
        if tracking is None:
            raise ChangeRefused(f"{what} was not sent: there is no such target tracking policy")
        with changing(what):
            answer = scaling.put_scaling_policy(
                **named,
                PolicyName=change.policy,
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration={**tracking, "TargetValue": change.target},
            )
        return ChangeResult(request_id=request_id(answer), made=answer.get("PolicyARN", ""))

    def _deregister_target(self, change: DeregisterTarget) -> ChangeResult:
        """A target that is not registered is no error (ELB API reference: DeregisterTargets)."""
        target = {"Id": change.target} if change.port is None else {"Id": change.target, "Port": change.port}
        with changing(f"DeregisterTargets of {change.target}"):
            answer = self._client("elbv2").deregister_targets(TargetGroupArn=change.target_group, Targets=[target])
        return ChangeResult(request_id=request_id(answer))

    def _set_stickiness(self, target_group: str, duration_s: int) -> ChangeResult:
        attributes = {
            "stickiness.enabled": "true",
            "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": str(duration_s),
        }
        with changing(f"ModifyTargetGroupAttributes of {target_group}"):
            answer = self._client("elbv2").modify_target_group_attributes(
                TargetGroupArn=target_group,
                Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()],
            )
        return ChangeResult(request_id=request_id(answer))

    def _shift_zone(self, change: ShiftZone) -> ChangeResult:
        with changing(f"StartZonalShift of {change.load_balancer}"):
            answer = self._client("arc-zonal-shift").start_zonal_shift(
                resourceIdentifier=change.load_balancer,
                awayFrom=change.zone_id,
                expiresIn=f"{ceil(change.expires_s / 60)}m",
                comment=SHIFT_COMMENT,
            )
        return ChangeResult(request_id=request_id(answer), made=answer.get("zonalShiftId", ""))


def _resized(registration: dict[str, Any], change: RegisterCopy) -> dict[str, Any]:
    """The copy in another size. A container's hard limit grows with its task: it would be killed at the old one."""
    sized = dict(registration)
    if change.cpu is not None:
        sized["cpu"] = str(change.cpu)
    if change.memory_mib is not None:
        times = change.memory_mib / int(registration.get("memory") or change.memory_mib)
        sized["memory"] = str(change.memory_mib)
        sized["containerDefinitions"] = [
            {**container, "memory": int(container["memory"] * times)} if "memory" in container else container
            for container in registration.get("containerDefinitions", ())
        ]
    return sized
