"""Changes a service: the dumb end of a plan. One change, one call, never repeated."""

from typing import Any

from functions.adapters.answers import Answer, changing, reading, request_id
from functions.adapters.autoscaling import DIMENSION, NAMESPACE
from functions.adapters.clients import Clients
from functions.domain.changes import (
    Change,
    ChangeResult,
    ForceNewDeployment,
    RegisterCopy,
    SetFloor,
    SetTaskDefinition,
    StopDeployment,
)
from functions.domain.errors import ChangeRefused, ReadFailed
from functions.domain.services import ServiceRef

CALLS = (
    "ecs:UpdateService",
    "ecs:StopServiceDeployment",
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:TagResource",
    "application-autoscaling:RegisterScalableTarget",
)
"""IAM actions. RegisterTaskDefinition also needs iam:PassRole for the roles inside, and ecs:TagResource where it has
tags (ECS Developer Guide, "Tagging resources during creation"); neither shows as a call."""


class AwsChanger:
    """The `ServiceChanger` and `ScalingRestorer` of the deployed responder. IAM actions: `CALLS`.

    No call carries a desired count: that belongs to the autoscaler and to people.
    """

    def __init__(self, *, ecs: Any, autoscaling: Any) -> None:
        self._ecs = ecs
        self._autoscaling = autoscaling

    @classmethod
    def of(cls, clients: Clients) -> "AwsChanger":
        return cls(ecs=clients.once("ecs"), autoscaling=clients.once("application-autoscaling"))

    def apply(self, ref: ServiceRef, change: Change) -> ChangeResult:
        match change:
            case ForceNewDeployment():
                return self._update_service(ref, forceNewDeployment=True)
            case SetTaskDefinition(task_definition=task_definition):
                return self._update_service(ref, taskDefinition=task_definition)
            case RegisterCopy(task_definition=task_definition):
                return self._register_copy(task_definition)
            case StopDeployment(service_deployment=service_deployment):
                return self._stop_deployment(service_deployment)
            case SetFloor(resource_id=resource_id, minimum=minimum):
                return self._set_floor(resource_id, minimum)

    def restore_floor(self, ref: ServiceRef, *, resource_id: str, minimum: int) -> ChangeResult:
        return self._set_floor(resource_id, minimum)

    def _update_service(self, ref: ServiceRef, **parameters: object) -> ChangeResult:
        with changing(f"UpdateService of {ref.service}"):
            answer = self._ecs.update_service(cluster=ref.cluster, service=ref.service, **parameters)
        deployments = answer.get("service", {}).get("deployments", ())
        made = next((str(d.get("id", "")) for d in deployments if d.get("status") == "PRIMARY"), "")
        return ChangeResult(request_id=request_id(answer), made=made)

    def _stop_deployment(self, service_deployment: str) -> ChangeResult:
        with changing(f"StopServiceDeployment of {service_deployment}"):
            answer = self._ecs.stop_service_deployment(serviceDeploymentArn=service_deployment, stopType="ROLLBACK")
        return ChangeResult(request_id=request_id(answer), made=answer.get("serviceDeploymentArn", ""))

    def _register_copy(self, task_definition: str) -> ChangeResult:
        try:
            with reading(f"task definition {task_definition}"):
                registration = self._registration(task_definition)
        except ReadFailed as failed:
            raise ChangeRefused(f"nothing was registered: {failed}") from failed
        with changing(f"RegisterTaskDefinition as a copy of {task_definition}"):
            answer = self._ecs.register_task_definition(**registration)
        made = answer.get("taskDefinition", {}).get("taskDefinitionArn", "")
        return ChangeResult(request_id=request_id(answer), made=made)

    def _registration(self, task_definition: str) -> dict[str, object]:
        """What RegisterTaskDefinition takes, from what DescribeTaskDefinition shows."""
        described: Answer = self._ecs.describe_task_definition(taskDefinition=task_definition, include=["TAGS"])
        operation = self._ecs.meta.service_model.operation_model("RegisterTaskDefinition")
        content = described.get("taskDefinition", {})
        parameters = {name: content[name] for name in operation.input_shape.members if name in content}
        # AWS sets tags of its own, and refuses them from anybody else.
        tags = [tag for tag in described.get("tags", ()) if not str(tag.get("key", "")).startswith("aws:")]
        return {**parameters, "tags": tags} if tags else parameters

    def _set_floor(self, resource_id: str, minimum: int) -> ChangeResult:
        with changing(f"RegisterScalableTarget of {resource_id}"):
            answer = self._autoscaling.register_scalable_target(
                ServiceNamespace=NAMESPACE,
                ResourceId=resource_id,
                ScalableDimension=DIMENSION,
                MinCapacity=minimum,
            )
        return ChangeResult(request_id=request_id(answer), made=resource_id)
