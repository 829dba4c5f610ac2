"""The sample service's stack: the same for AWS and for the emulator, but for its autoscaling."""

from functools import cache
from typing import Any

import pytest
from aws_cdk import App, Duration
from aws_cdk.assertions import Match, Template

from tools.demo.sample_service import SampleServiceStack
from tools.demo.shop import DATABASE_ALARM, GOOD_IMAGE


@cache
def template(*, autoscaling: bool) -> Template:
    stack = SampleServiceStack(
        App(), "Sample", image=GOOD_IMAGE, alarm_period=Duration.seconds(10), autoscaling=autoscaling
    )
    return Template.from_stack(stack)


def types(*, autoscaling: bool) -> set[str]:
    resources: dict[str, Any] = template(autoscaling=autoscaling).to_json()["Resources"]
    return {resource["Type"] for resource in resources.values()}


def test_only_autoscaling_differs() -> None:
    """Leaving autoscaling out takes away the scalable target and its policy, and nothing else."""
    assert types(autoscaling=True) - types(autoscaling=False) == {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
    }
    assert types(autoscaling=False) <= types(autoscaling=True)


@pytest.mark.parametrize("unknown", ["AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"])
def test_security_groups_hold_their_own_rules(unknown: str) -> None:
    """No rule is a resource of its own, a type for which the emulator would refuse the template."""
    assert unknown not in types(autoscaling=True)


def test_tasks_take_requests_from_the_network_alone() -> None:
    """Tasks have public addresses for want of a NAT gateway, but let only the network's own addresses in."""
    template(autoscaling=False).has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {"SecurityGroupIngress": [Match.object_like({"CidrIp": "10.0.0.0/16", "FromPort": 80, "ToPort": 80})]},
    )


def test_the_alarm_on_the_database_is_quiet_without_data() -> None:
    """The alarm that playbooks name as a dependency has the period asked for and does not fire for want of data."""
    template(autoscaling=False).has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {"AlarmName": DATABASE_ALARM, "Period": 10, "TreatMissingData": "notBreaching"},
    )
