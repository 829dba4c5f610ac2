"""Reads Application Auto Scaling: the range within which a service's desired count may move."""

from typing import Any

from functions.adapters.answers import reading
from functions.domain.errors import ReadFailed
from functions.domain.evidence import ScalingFacts
from functions.domain.services import ServiceRef

CALLS = ("application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingActivities")
"""IAM actions."""

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"


def resource_id(ref: ServiceRef) -> str:
    """How Application Auto Scaling names a service (API reference, RegisterScalableTarget)."""
    return f"service/{ref.cluster}/{ref.service}"


class AutoScalingReader:
    """The part of `ServiceReader` that Application Auto Scaling answers. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, supporting: Any) -> None:
        """`supporting` is a client that does not repeat: the reasons it reads are not worth waiting for."""
        self._autoscaling = client
        self._supporting = supporting

    def scaling(self, ref: ServiceRef, *, named: str | None = None) -> ScalingFacts:
        with reading(f"the scalable target of {ref.service}"):
            answer = self._autoscaling.describe_scalable_targets(
                ServiceNamespace=NAMESPACE, ResourceIds=[named or resource_id(ref)], ScalableDimension=DIMENSION
            )
        targets = answer.get("ScalableTargets", ())
        if not targets:
            return ScalingFacts(registered=False)
        target = targets[0]
        return ScalingFacts(
            registered=True,
            resource_id=target["ResourceId"],
            minimum=target["MinCapacity"],
            maximum=target["MaxCapacity"],
            scale_out_suspended=(target.get("SuspendedState") or {}).get("DynamicScalingOutSuspended"),
            not_scaled_reasons=self._not_scaled_reasons(ref),
        )

    def _not_scaled_reasons(self, ref: ServiceRef) -> tuple[str, ...] | None:
        # They support a judgement and never decide it, so the range is worth reporting without them.
        try:
            with reading(f"the scaling activities of {ref.service}"):
                answer = self._supporting.describe_scaling_activities(
                    ServiceNamespace=NAMESPACE,
                    ResourceId=resource_id(ref),
                    ScalableDimension=DIMENSION,
                    IncludeNotScaledActivities=True,
                    MaxResults=10,
                )
        except ReadFailed:
            return None
        codes = [
            str(reason["Code"])
            for activity in answer.get("ScalingActivities", ())
            for reason in activity.get("NotScaledReasons", ())
            if "Code" in reason
        ]
        return tuple(dict.fromkeys(codes))
