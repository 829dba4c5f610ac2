"""Reading what stands in front of a service."""

from typing import Any

import pytest

from functions.adapters.front import CALLS, AwsFrontReader
from functions.domain.errors import ReadFailed
from tests.fakes.aws import FakeAws, refusal

ELB = "arn:aws:elasticloadbalancing:eu-west-1:000000000000"
GROUP = f"{ELB}:targetgroup/orders/0123456789abcdef"
OTHER = f"{ELB}:targetgroup/orders-tls/0123456789abcdef"
BALANCER = f"{ELB}:loadbalancer/app/shop/0123456789abcdef"
DESCRIBED: dict[str, Any] = {
    "TargetGroupArn": GROUP,
    "Port": 8080,
    "HealthCheckPath": "/health",
    "HealthCheckPort": "9090",
    "HealthCheckProtocol": "HTTPS",
    "HealthCheckIntervalSeconds": 10,
    "HealthCheckTimeoutSeconds": 4,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 3,
    "Matcher": {"HttpCode": "200-299"},
    "LoadBalancerArns": [BALANCER],
}
SHIFT: dict[str, Any] = {
    "zonalShiftId": "6ea2ae3c-1d9c-4d0f-a9ed-b26a4b0b5c6d",
    "resourceIdentifier": BALANCER,
    "expiryTime": "2026-03-01T04:00:00Z",
    "startTime": "2026-03-01T03:00:00Z",
    "comment": "",
}


def attributes(**said: str) -> dict[str, Any]:
    return {"Attributes": [{"Key": key.replace("__", "."), "Value": value} for key, value in said.items()]}


def aws(zonal_shift: str = "false", **replies: Any) -> FakeAws:
    ordinary: dict[str, Any] = {
        "DescribeTargetGroups": {"TargetGroups": [DESCRIBED]},
        "DescribeTargetGroupAttributes": attributes(stickiness__enabled="false", stickiness__type="lb_cookie"),
        "DescribeLoadBalancerAttributes": attributes(zonal_shift__config__enabled=zonal_shift),
        "DescribeAvailabilityZones": {"AvailabilityZones": [{"ZoneName": "eu-west-1a", "ZoneId": "euw1-az3"}]},
        "GetManagedResource": {
            "zonalShifts": [{**SHIFT, "awayFrom": "euw1-az1", "appliedStatus": "NOT_APPLIED"}],
            "autoshifts": [{"awayFrom": "euw1-az3", "appliedStatus": "APPLIED", "startTime": SHIFT["startTime"]}],
            "appliedWeights": {},
            "arn": BALANCER,
            "name": "shop",
        },
    }
    return FakeAws(**(ordinary | replies))


def reader(fake: FakeAws) -> AwsFrontReader:
    return AwsFrontReader(
        elbv2=fake.client("elbv2"),
        ec2=lambda: fake.client("ec2"),
        zonal_shift=fake.client("arc-zonal-shift"),
    )


def test_the_settings_of_a_target_group() -> None:
    """The health check as the group has it, and its stickiness."""
    sticky = attributes(
        stickiness__enabled="true", stickiness__type="app_cookie", stickiness__app_cookie__duration_seconds="3600"
    )

    facts = reader(aws(DescribeTargetGroupAttributes=sticky)).front([GROUP])

    (group,) = facts.target_groups
    assert (group.health_check_path, group.health_check_port, group.matcher) == ("/health", "9090", "200-299")
    assert (group.interval_s, group.timeout_s, group.healthy_threshold, group.unhealthy_threshold) == (10, 4, 2, 3)
    assert (group.stickiness, group.stickiness_type, group.stickiness_s) == (True, "app_cookie", 3600)
    assert facts.load_balancer == BALANCER


def test_groups_come_in_the_order_of_the_service() -> None:
    """AWS names no order; the first group is the one whose metrics are read."""
    other = {"TargetGroupArn": OTHER, "LoadBalancerArns": []}
    facts = reader(aws(DescribeTargetGroups={"TargetGroups": [other, DESCRIBED]})).front([GROUP, OTHER])
    assert [group.arn for group in facts.target_groups] == [GROUP, OTHER]


def test_zones_are_asked_about_only_where_traffic_may_be_shifted() -> None:
    """Without the opt-in there is nothing to plan: three calls and no more."""
    fake = aws()
    facts = reader(fake).front([GROUP])
    assert (facts.zonal_shift_allowed, facts.zone_ids, facts.shifted_away) == (False, {}, ())
    assert fake.actions == {call for call in CALLS if call.startswith("elasticloadbalancing")}


def test_a_shift_that_is_on_is_seen() -> None:
    """A shift or autoshift counts while it is applied; zones have ids beside their names."""
    fake = aws(zonal_shift="true")
    facts = reader(fake).front([GROUP])
    assert facts.zonal_shift_allowed
    assert facts.zone_ids == {"eu-west-1a": "euw1-az3"}
    assert facts.shifted_away == ("euw1-az3",)
    assert fake.actions == set(CALLS)


def test_what_only_a_shift_needs_may_be_missing() -> None:
    """Without zone ids, or without an answer about shifts, the rest is known: neither is taken for an empty answer."""
    fake = aws(
        zonal_shift="true",
        DescribeAvailabilityZones=refusal("UnauthorizedOperation"),
        GetManagedResource=refusal("ResourceNotFoundException"),
    )
    facts = reader(fake).front([GROUP])
    assert len(facts.target_groups) == 1
    assert (facts.zone_ids, facts.shifted_away) == ({}, None)


def test_an_override_is_asked_instead() -> None:
    """A playbook may name the load balancer itself."""
    fake = aws()
    other = BALANCER.replace("shop", "mall")
    assert reader(fake).front([GROUP], load_balancer=other).load_balancer == other
    assert fake.calls[-1][1]["LoadBalancerArn"] == other


def test_a_group_without_load_balancer() -> None:
    """Nothing is asked about a load balancer that is not there."""
    lonely = {**DESCRIBED, "LoadBalancerArns": []}
    facts = reader(aws(DescribeTargetGroups={"TargetGroups": [lonely]})).front([GROUP])
    assert (facts.load_balancer, facts.zonal_shift_allowed) == (None, False)


@pytest.mark.parametrize("operation", ["DescribeTargetGroups", "DescribeTargetGroupAttributes"])
def test_no_answer(operation: str) -> None:
    """Settings that cannot be read are unknown."""
    with pytest.raises(ReadFailed):
        reader(aws("false", **{operation: refusal("Throttling")})).front([GROUP])
