"""The calls of a runbook's commands, for the ways to respond that are not the responder's own."""

import math
from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.autoscaling import DIMENSION, NAMESPACE, resource_id
from functions.domain.evidence import short
from functions.domain.services import ServiceRef
from tools.drill.policies.policy import Stage
from tools.drill.results import Mark

READ_ATTEMPTS = 50
"""A person, or a loop around a command, tries again what AWS throttles; calls that change something are made once."""

ONGOING = ("PENDING", "IN_PROGRESS")
"""A deployment that can still be stopped and has not begun to roll back."""


class Hands:
    """Acts on one service in the name of one policy. What AWS refuses is noted and left at that."""

    def __init__(self, stage: Stage, ref: ServiceRef, *, actor: str) -> None:
        self._stage = stage
        self._ref = ref
        self._actor = actor
        self._ecs = stage.clients.once("ecs")
        self._scaling = stage.clients.once("application-autoscaling")

    def service(self) -> dict[str, Any]:
        answer = patiently(self._ecs.describe_services, cluster=self._ref.cluster, services=[self._ref.service])
        found: dict[str, Any] = answer["services"][0]
        return found

    def redeploy(self) -> None:
        self._done("redeploys", self._ecs.update_service, **self._named, forceNewDeployment=True)

    def roll_back_to(self, task_definition: str) -> None:
        """Back to a release: by stopping the deployment in flight, where there is one that goes elsewhere."""
        if self.service()["taskDefinition"] == task_definition:
            return
        flying = patiently(self._ecs.list_service_deployments, **self._named, status=list(ONGOING))[
            "serviceDeployments"
        ]
        if flying:
            self._done(
                "stops the deployment in flight",
                self._ecs.stop_service_deployment,
                serviceDeploymentArn=flying[0]["serviceDeploymentArn"],
                stopType="ROLLBACK",
            )
        else:
            self.set_release(task_definition)

    def set_release(self, task_definition: str) -> None:
        self._done(
            f"sets {short(task_definition)}", self._ecs.update_service, **self._named, taskDefinition=task_definition
        )

    def set_count(self, tasks: int) -> None:
        self._done(f"sets {tasks} tasks", self._ecs.update_service, **self._named, desiredCount=tasks)

    def raise_floor(self, tasks: int) -> None:
        """As many tasks at least, within the ceiling of the scalable target; the plain count where there is none."""
        resource = {"ServiceNamespace": NAMESPACE, "ScalableDimension": DIMENSION}
        target = resource_id(self._ref)
        described = patiently(self._scaling.describe_scalable_targets, **resource, ResourceIds=[target])
        known = described["ScalableTargets"]
        if not known:
            self.set_count(tasks)
            return
        floor = min(tasks, known[0]["MaxCapacity"])
        self._done(
            f"raises the floor to {floor} tasks",
            self._scaling.register_scalable_target,
            **resource,
            ResourceId=target,
            MinCapacity=floor,
        )

    def set_ceiling(self, tasks: int) -> None:
        """As many tasks at most, and at least where the ceiling goes up; the count follows at once."""
        resource = {"ServiceNamespace": NAMESPACE, "ScalableDimension": DIMENSION, "ResourceId": resource_id(self._ref)}
        described = patiently(
            self._scaling.describe_scalable_targets,
            ServiceNamespace=NAMESPACE,
            ScalableDimension=DIMENSION,
            ResourceIds=[resource["ResourceId"]],
        )["ScalableTargets"]
        if not described:
            self.set_count(tasks)
            return
        up = tasks > described[0]["MaxCapacity"]
        floor = tasks if up else min(tasks, described[0]["MinCapacity"])
        self._done(
            f"{'raises' if up else 'lowers'} the ceiling to {tasks} tasks",
            self._scaling.register_scalable_target,
            **resource,
            MinCapacity=floor,
            MaxCapacity=tasks,
        )

    def shift_zone(self, load_balancer: str, zone_id: str) -> None:
        self._done(
            f"shifts traffic away from {zone_id}",
            self._stage.clients.once("arc-zonal-shift").start_zonal_shift,
            resourceIdentifier=load_balancer,
            awayFrom=zone_id,
            expiresIn="3h",
            comment="moved during an incident",
        )

    def restore_stickiness(self, target_group: str) -> None:
        self._done(
            "switches stickiness on",
            self._stage.clients.once("elbv2").modify_target_group_attributes,
            TargetGroupArn=target_group,
            Attributes=[{"Key": "stickiness.enabled", "Value": "true"}],
        )

    def stop_tasks(self, arns: list[str]) -> None:
        for arn in arns:
            self._done(
                f"stops task {short(arn)}",
                self._ecs.stop_task,
                cluster=self._ref.cluster,
                task=arn,
                reason="replaced during an incident",
            )

    @property
    def _named(self) -> dict[str, str]:
        return {"cluster": self._ref.cluster, "service": self._ref.service}

    def _done(self, what: str, call: Any, **parameters: object) -> None:
        try:
            call(**parameters)
        except ClientError as error:
            self._stage.note(Mark.THOUGHT, self._actor, f"{what}: refused, {error}")
        else:
            self._stage.note(Mark.ACTION, self._actor, what)


def patiently(call: Any, **parameters: object) -> Any:
    """Read, and try again what AWS throttles or fails.

    Raises:
        ClientError: if it does so to the end.
    """
    for _ in range(READ_ATTEMPTS - 1):
        try:
            return call(**parameters)
        except ClientError:
            continue
    return call(**parameters)


def multiplied(tasks: int, factor: float) -> int:
    """So many times as many tasks, at least one more."""
    return max(tasks + 1, math.ceil(tasks * factor))
