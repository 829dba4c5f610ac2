"""Reading security groups: their rules, and those of a load balancer."""

import pytest

from functions.adapters.network import CALLS, AwsNetworkReader
from functions.domain.errors import ReadFailed
from functions.domain.network import GroupRule, SecurityGroup
from tests.fakes.aws import FakeAws, Reply, refusal

BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/shop/0123456789abcdef"


def reader(**replies: Reply) -> tuple[AwsNetworkReader, FakeAws]:
    aws = FakeAws(**replies)
    return AwsNetworkReader(ec2=lambda: aws.client("ec2"), elbv2=aws.client("elbv2")), aws


def test_the_rules_of_groups() -> None:
    """Who is let in and out, on which ports; prefix lists are not followed, and said to be there."""
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        "UserIdGroupPairs": [{"GroupId": "sg-tasks"}],
        "IpRanges": [{"CidrIp": "10.0.0.0/16"}],
        "Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}],
        "PrefixListIds": [{"PrefixListId": "pl-1"}],
    }
    group = {"GroupId": "sg-db", "IpPermissions": [rule], "IpPermissionsEgress": [{"IpProtocol": "-1"}]}
    made, aws = reader(DescribeSecurityGroups={"SecurityGroups": [group]})
    inbound = GroupRule(
        protocol="tcp",
        first=5432,
        last=5432,
        groups=("sg-tasks",),
        networks=("10.0.0.0/16", "fd00::/8"),
        lists=True,
    )
    assert made.groups(["sg-db"]) == (
        SecurityGroup(id="sg-db", inbound=(inbound,), outbound=(GroupRule(protocol="-1"),)),
    )
    assert aws.calls == [("ec2:DescribeSecurityGroups", {"GroupIds": ["sg-db"]})]


def test_the_groups_of_a_load_balancer() -> None:
    """One that has none, as a Network Load Balancer may, has none."""
    made, aws = reader(DescribeLoadBalancers={"LoadBalancers": [{"SecurityGroups": ["sg-1", "sg-2"]}]})
    assert made.of_load_balancer(BALANCER) == ("sg-1", "sg-2")
    aws.replies["DescribeLoadBalancers"] = {"LoadBalancers": [{}]}
    assert made.of_load_balancer(BALANCER) == ()
    assert aws.actions <= set(CALLS)


def test_a_refusal_is_unknown() -> None:
    """Never an empty answer instead."""
    made, _ = reader(DescribeSecurityGroups=refusal("UnauthorizedOperation", status=403))
    with pytest.raises(ReadFailed, match="the security groups"):
        made.groups(["sg-db"])
