"""Reading targets and scalable targets."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from functions.adapters import autoscaling, elbv2
from functions.adapters.autoscaling import AutoScalingReader
from functions.adapters.elbv2 import Elbv2Reader
from functions.domain.errors import ReadFailed
from functions.domain.services import ServiceRef
from tests.fakes.aws import FakeAws, refusal

ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/orders/0123456789abcdef"
TARGET: dict[str, Any] = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/orders",
    "ScalableDimension": "ecs:service:DesiredCount",
    "MinCapacity": 2,
    "MaxCapacity": 10,
    "RoleARN": "arn:role",
    "CreationTime": "2026-01-01T00:00:00Z",
}


class TestTargets:
    def test_every_group_is_asked(self) -> None:
        """All targets of all groups come with their state, reason and zone; one that says nothing is not healthy."""
        aws = FakeAws(
            DescribeTargetHealth={
                "TargetHealthDescriptions": [
                    {
                        "Target": {"Id": "10.0.0.1", "Port": 80, "AvailabilityZone": "eu-west-1a"},
                        "TargetHealth": {"State": "unhealthy", "Reason": "Target.Timeout"},
                    },
                    {"Target": {"Id": "10.0.0.2"}},
                ]
            }
        )

        found = Elbv2Reader(aws.client("elbv2")).targets([GROUP, f"{GROUP}2"])

        assert [target.target_group for target in found] == [GROUP, GROUP, f"{GROUP}2", f"{GROUP}2"]
        assert (found[0].target, found[0].state, found[0].reason, found[0].zone) == (
            "10.0.0.1:80",
            "unhealthy",
            "Target.Timeout",
            "eu-west-1a",
        )
        assert (found[1].target, found[1].state) == ("10.0.0.2", "unavailable")

    def test_a_group_that_is_gone(self) -> None:
        """A target group that cannot be read leaves the targets unknown."""
        aws = FakeAws(
            DescribeTargetHealth=refusal("TargetGroupNotFound"), DescribeTargetGroups=refusal("TargetGroupNotFound")
        )
        reader = Elbv2Reader(aws.client("elbv2"))
        with pytest.raises(ReadFailed, match=GROUP):
            reader.targets([GROUP])
        with pytest.raises(ReadFailed, match=GROUP):
            reader.load_balancer(GROUP)
        assert aws.actions == set(elbv2.CALLS)

    @mock_aws
    def test_the_load_balancer_in_front(self) -> None:
        """The load balancer is found by the group's own record, and is None for a group without a listener."""
        subnet, other = (
            s["SubnetId"] for s in boto3.client("ec2", region_name="eu-west-1").describe_subnets()["Subnets"][:2]
        )
        client = boto3.client("elbv2", region_name="eu-west-1")
        vpc = boto3.client("ec2", region_name="eu-west-1").describe_vpcs()["Vpcs"][0]["VpcId"]
        group = client.create_target_group(Name="orders", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
        arn = group["TargetGroupArn"]
        reader = Elbv2Reader(client)
        assert reader.load_balancer(arn) is None
        assert reader.targets([arn]) == ()

        front = client.create_load_balancer(Name="shop", Subnets=[subnet, other])["LoadBalancers"][0]
        client.create_listener(
            LoadBalancerArn=front["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )

        assert reader.load_balancer(arn) == front["LoadBalancerArn"]


def scaling_reader(aws: FakeAws) -> AutoScalingReader:
    client = aws.client("application-autoscaling")
    return AutoScalingReader(client, supporting=client)


class TestScaling:
    def test_the_range_and_why_it_does_not_move(self) -> None:
        """The range, a suspension and the reasons for not scaling are read, each reason once."""
        activity = {
            **{k: TARGET[k] for k in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
            "ActivityId": "1",
        }
        activity |= {
            "Description": "",
            "Cause": "",
            "StartTime": datetime(2026, 1, 1, tzinfo=UTC),
            "StatusCode": "Failed",
        }
        reasons = {"NotScaledReasons": [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 10}]}
        aws = FakeAws(
            DescribeScalableTargets={
                "ScalableTargets": [{**TARGET, "SuspendedState": {"DynamicScalingOutSuspended": True}}]
            },
            DescribeScalingActivities={
                "ScalingActivities": [{**activity, **reasons}, activity, {**activity, **reasons}]
            },
            DescribeScalingPolicies={"ScalingPolicies": []},
        )

        facts = scaling_reader(aws).scaling(ORDERS)

        assert (facts.registered, facts.minimum, facts.maximum) == (True, 2, 10)
        assert facts.resource_id == "service/shop/orders"
        assert facts.scale_out_suspended is True
        assert facts.by_hand
        assert facts.not_scaled_reasons == ("AlreadyAtMaxCapacity",)
        assert facts.activities is not None
        assert [a.not_scaled for a in facts.activities] == [("AlreadyAtMaxCapacity",), (), ("AlreadyAtMaxCapacity",)]
        assert aws.actions == set(autoscaling.CALLS)

    def test_no_scalable_target(self) -> None:
        """A service without a scalable target is read as such, which is not a failure."""
        aws = FakeAws(DescribeScalableTargets={"ScalableTargets": []})
        assert not scaling_reader(aws).scaling(ORDERS).registered

    def test_activities_and_policies_only_support(self) -> None:
        """Without them the range is known still, and they are unknown, not absent."""
        aws = FakeAws(
            DescribeScalableTargets={"ScalableTargets": [TARGET]},
            DescribeScalingActivities=refusal("NotImplemented", status=501),
            DescribeScalingPolicies=refusal("ThrottlingException"),
        )

        facts = scaling_reader(aws).scaling(ORDERS)

        assert (facts.registered, facts.not_scaled_reasons, facts.scale_out_suspended) == (True, None, None)
        assert (facts.activities, facts.policies, facts.by_hand) == (None, None, False)

    def test_the_policies_that_hold_a_target_value(self) -> None:
        """Target tracking, on a metric of ECS's own or on another; steps hold no value, and are left out."""
        policy = {k: TARGET[k] for k in ("ServiceNamespace", "ResourceId", "ScalableDimension", "CreationTime")}
        cpu = {"TargetValue": 60.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPU"}}
        policies = [
            {"PolicyName": "cpu", "TargetTrackingScalingPolicyConfiguration": cpu},
            {"PolicyName": "depth", "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 9.0}},
            {"PolicyName": "steps", "StepScalingPolicyConfiguration": {}},
        ]
        aws = FakeAws(
            DescribeScalableTargets={"ScalableTargets": [{**TARGET, "ResourceId": "service/shop/other"}]},
            DescribeScalingActivities={"ScalingActivities": []},
            DescribeScalingPolicies={
                "ScalingPolicies": [
                    {**policy, "PolicyARN": f"arn:{p['PolicyName']}", "PolicyType": "TargetTrackingScaling", **p}
                    for p in policies
                ]
            },
        )

        facts = scaling_reader(aws).scaling(ORDERS, named="service/shop/other")

        assert facts.policies is not None
        assert [(p.name, p.metric, p.target) for p in facts.policies] == [
            ("cpu", "ECSServiceAverageCPU", 60.0),
            ("depth", "custom", 9.0),
        ]
        assert not facts.by_hand
        asked = [parameters.get("ResourceId") or parameters.get("ResourceIds") for _, parameters in aws.calls]
        assert asked == [["service/shop/other"], "service/shop/other", "service/shop/other"]

    def test_no_answer(self) -> None:
        """A scalable target that cannot be read is ReadFailed, never a service without one."""
        aws = FakeAws(DescribeScalableTargets=EndpointConnectionError(endpoint_url="https://x"))
        with pytest.raises(ReadFailed):
            scaling_reader(aws).scaling(ORDERS)
