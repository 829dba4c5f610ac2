"""Reads Application Auto Scaling: the range within which a service's desired count may move."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from functions.adapters.answers import Answer, reading, required_moment
from functions.domain.errors import ReadFailed
from functions.domain.evidence import ScalingActivityFacts, ScalingFacts, TrackingPolicyFacts
from functions.domain.redaction import clean
from functions.domain.services import ServiceRef

CALLS = (
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingActivities",
    "application-autoscaling:DescribeScalingPolicies",
)
"""IAM actions."""

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"
ACTIVITIES = 20
"""The newest of the six weeks that Application Auto Scaling keeps."""


def resource_id(ref: ServiceRef) -> str:
    """How Application Auto Scaling names a service (API reference, RegisterScalableTarget)."""
    return f"service/{ref.cluster}/{ref.service}"


class AutoScalingReader:
    """The part of `ServiceReader` that Application Auto Scaling answers. IAM actions: `CALLS`."""

    def __init__(
        self, client: Any, *, supporting: Any, threads: Callable[[int], Executor] = ThreadPoolExecutor
    ) -> None:
        """`supporting` is a client that does not repeat: what is read with it is not worth waiting for. `threads` makes
        an executor that carries out so many calls side by side."""
        self._autoscaling = client
        self._supporting = supporting
        self._threads = threads

    def scaling(self, ref: ServiceRef, *, named: str | None = None) -> ScalingFacts:
        with reading(f"the scalable target of {ref.service}"):
            answer = self._autoscaling.describe_scalable_targets(
                ServiceNamespace=NAMESPACE, ResourceIds=[named or resource_id(ref)], ScalableDimension=DIMENSION
            )
        targets = answer.get("ScalableTargets", ())
        if not targets:
            return ScalingFacts(registered=False)
        target = targets[0]
        suspended = target.get("SuspendedState") or {}
        with self._threads(2) as pool:
            found = pool.submit(self._activities, target["ResourceId"])
            policies = pool.submit(self._policies, target["ResourceId"])
        activities, every_policy = found.result(), policies.result()
        return ScalingFacts(
            registered=True,
            resource_id=target["ResourceId"],
            minimum=target["MinCapacity"],
            maximum=target["MaxCapacity"],
            scale_out_suspended=suspended.get("DynamicScalingOutSuspended"),
            scale_in_suspended=suspended.get("DynamicScalingInSuspended"),
            not_scaled_reasons=None if activities is None else _reasons(activities),
            policies=None if every_policy is None else tuple(_tracking(every_policy)),
            by_hand=every_policy is not None and not every_policy,
            activities=activities,
        )

    # Activities and policies support a judgement and never decide it, so the range is worth reporting without them.

    def _activities(self, resource: str) -> tuple[ScalingActivityFacts, ...] | None:
        try:
            with reading(f"the scaling activities of {resource}"):
                answer = self._supporting.describe_scaling_activities(
                    ServiceNamespace=NAMESPACE,
                    ResourceId=resource,
                    ScalableDimension=DIMENSION,
                    IncludeNotScaledActivities=True,
                    MaxResults=ACTIVITIES,
                )
                return tuple(_activity_facts(activity) for activity in answer.get("ScalingActivities", ()))
        except ReadFailed:
            return None

    def _policies(self, resource: str) -> Sequence[Answer] | None:
        try:
            with reading(f"the scaling policies of {resource}"):
                answer = self._supporting.describe_scaling_policies(
                    ServiceNamespace=NAMESPACE, ResourceId=resource, ScalableDimension=DIMENSION
                )
        except ReadFailed:
            return None
        found: Sequence[Answer] = answer.get("ScalingPolicies", ())
        return found


def _tracking(policies: Sequence[Answer]) -> Iterator[TrackingPolicyFacts]:
    for policy in policies:
        if tracking := policy.get("TargetTrackingScalingPolicyConfiguration"):
            predefined = tracking.get("PredefinedMetricSpecification") or {}
            yield TrackingPolicyFacts(
                name=policy["PolicyName"],
                metric=predefined.get("PredefinedMetricType", "custom"),
                target=tracking["TargetValue"],
            )


def _activity_facts(activity: Answer) -> ScalingActivityFacts:
    reasons = (reason.get("Code") for reason in activity.get("NotScaledReasons", ()))
    return ScalingActivityFacts(
        at=required_moment(activity, "StartTime", of="a scaling activity"),
        description=clean(activity.get("Description", "")),
        status=activity.get("StatusCode", ""),
        cause=clean(activity.get("Cause", "")),
        not_scaled=tuple(str(code) for code in reasons if code),
    )


def _reasons(activities: Sequence[ScalingActivityFacts]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for activity in activities for code in activity.not_scaled))
