"""Reads what stands in front of a service: health checks, stickiness, and whether a zone can be left."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.adapters.answers import Answer, reading
from functions.adapters.clients import Clients
from functions.domain.circumstances import FrontFacts, TargetGroupFacts
from functions.domain.errors import ReadFailed

CALLS = (
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "ec2:DescribeAvailabilityZones",
    "arc-zonal-shift:GetManagedResource",
)
"""IAM actions."""

_DURATIONS = {
    "lb_cookie": "stickiness.lb_cookie.duration_seconds",
    "app_cookie": "stickiness.app_cookie.duration_seconds",
}


class AwsFrontReader:
    """The `FrontReader` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, *, elbv2: Any, ec2: Callable[[], Any], zonal_shift: Any) -> None:
        """`ec2` makes its client when it is first needed, which is for few services: its model alone takes as long to
        load as those of all the others."""
        self._elbv2 = elbv2
        self._ec2 = ec2
        self._zonal_shift = zonal_shift

    @classmethod
    def of(cls, clients: Clients) -> "AwsFrontReader":
        return cls(
            elbv2=clients.repeating("elbv2"),
            ec2=lambda: clients.once("ec2"),
            zonal_shift=clients.once("arc-zonal-shift"),
        )

    def front(self, target_groups: Sequence[str], *, load_balancer: str | None = None) -> FrontFacts:
        with reading("the target groups"):
            answer = self._elbv2.describe_target_groups(TargetGroupArns=list(target_groups))
            found = {group["TargetGroupArn"]: group for group in answer.get("TargetGroups", ())}
            # In the order in which the service names them: the first is the one that is measured.
            groups = [found[arn] for arn in target_groups if arn in found]
            facts = tuple(_target_group_facts(group, self._stickiness(group)) for group in groups)
            balancer = load_balancer or next((arn for g in groups for arn in g.get("LoadBalancerArns", ())), None)
            allowed = balancer is not None and self._zonal_shift_allowed(balancer)
        if balancer is None or not allowed:
            return FrontFacts(target_groups=facts, load_balancer=balancer)
        return FrontFacts(
            target_groups=facts,
            load_balancer=balancer,
            zonal_shift_allowed=True,
            zone_ids=self._zone_ids(),
            shifted_away=self._shifted_away(balancer),
        )

    def _stickiness(self, group: Answer) -> Mapping[str, str]:
        return _attributes(self._elbv2.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"]))

    def _zonal_shift_allowed(self, balancer: str) -> bool:
        attributes = _attributes(self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer))
        return attributes.get("zonal_shift.config.enabled") == "true"

    # Only a shift needs these two, and it is not planned without them: the rest is worth reporting all the same.

    def _zone_ids(self) -> Mapping[str, str]:
        try:
            with reading("the Availability Zones"):
                answer = self._ec2().describe_availability_zones()
        except ReadFailed:
            return {}
        return {z["ZoneName"]: z["ZoneId"] for z in answer.get("AvailabilityZones", ()) if "ZoneId" in z}

    def _shifted_away(self, balancer: str) -> tuple[str, ...] | None:
        try:
            with reading(f"the zonal shifts of {balancer}"):
                answer = self._zonal_shift.get_managed_resource(resourceIdentifier=balancer)
        except ReadFailed:
            return None
        # A practice run is listed beside a shift of ours, but not applied meanwhile.
        shifts = (*answer.get("zonalShifts", ()), *answer.get("autoshifts", ()))
        return tuple(dict.fromkeys(shift["awayFrom"] for shift in shifts if shift.get("appliedStatus") == "APPLIED"))


def _attributes(answer: Answer) -> dict[str, str]:
    return {attribute["Key"]: attribute.get("Value", "") for attribute in answer.get("Attributes", ())}


def _target_group_facts(group: Answer, attributes: Mapping[str, str]) -> TargetGroupFacts:
    kind = attributes.get("stickiness.type", "")
    duration = attributes.get(_DURATIONS.get(kind, ""), "")
    said = {
        "health_check_path": group.get("HealthCheckPath"),
        "health_check_port": group.get("HealthCheckPort"),
        "health_check_protocol": group.get("HealthCheckProtocol"),
        "matcher": (group.get("Matcher") or {}).get("HttpCode"),
        "interval_s": group.get("HealthCheckIntervalSeconds"),
        "timeout_s": group.get("HealthCheckTimeoutSeconds"),
        "healthy_threshold": group.get("HealthyThresholdCount"),
        "unhealthy_threshold": group.get("UnhealthyThresholdCount"),
        "port": group.get("Port"),
    }
    return TargetGroupFacts(
        arn=group["TargetGroupArn"],
        stickiness=attributes.get("stickiness.enabled") == "true",
        stickiness_type=kind,
        stickiness_s=int(duration) if duration.isdigit() else None,
        **{name: value for name, value in said.items() if value is not None},
    )
