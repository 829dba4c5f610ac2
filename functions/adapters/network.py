"""Reads security groups: those of a load balancer, and the rules of any."""

from collections.abc import Callable, Sequence
from typing import Any

from functions.adapters.answers import Answer, reading
from functions.adapters.clients import Clients
from functions.domain.network import GroupRule, SecurityGroup

CALLS = ("ec2:DescribeSecurityGroups", "elasticloadbalancing:DescribeLoadBalancers")
"""IAM actions; neither can be narrowed to a resource (Service Authorization Reference)."""


class AwsNetworkReader:
    """The `NetworkReader` of the deployed responder. IAM actions: `CALLS`. No call is worth a second try."""

    def __init__(self, *, ec2: Callable[[], Any], elbv2: Any) -> None:
        """`ec2` makes its client when it is first needed, which is seldom."""
        self._ec2 = ec2
        self._elbv2 = elbv2

    @classmethod
    def of(cls, clients: Clients) -> "AwsNetworkReader":
        return cls(ec2=lambda: clients.once("ec2"), elbv2=clients.once("elbv2"))

    def of_load_balancer(self, arn: str) -> Sequence[str]:
        with reading("the security groups of the load balancer"):
            answer = self._elbv2.describe_load_balancers(LoadBalancerArns=[arn])
        return tuple(group for each in answer.get("LoadBalancers", ()) for group in each.get("SecurityGroups", ()))

    def groups(self, ids: Sequence[str]) -> Sequence[SecurityGroup]:
        with reading("the security groups"):
            answer = self._ec2().describe_security_groups(GroupIds=list(ids))
        return tuple(
            SecurityGroup(
                id=group.get("GroupId", ""),
                inbound=tuple(map(_rule, group.get("IpPermissions", ()))),
                outbound=tuple(map(_rule, group.get("IpPermissionsEgress", ()))),
            )
            for group in answer.get("SecurityGroups", ())
        )


def _rule(rule: Answer) -> GroupRule:
    networks = (
        *(each.get("CidrIp") for each in rule.get("IpRanges", ())),
        *(each.get("CidrIpv6") for each in rule.get("Ipv6Ranges", ())),
    )
    return GroupRule(
        protocol=str(rule.get("IpProtocol", "-1")),
        first=rule.get("FromPort"),
        last=rule.get("ToPort"),
        groups=tuple(pair["GroupId"] for pair in rule.get("UserIdGroupPairs", ()) if "GroupId" in pair),
        networks=tuple(network for network in networks if network),
        lists=bool(rule.get("PrefixListIds")),
    )
