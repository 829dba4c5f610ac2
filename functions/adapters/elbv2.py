"""Reads Elastic Load Balancing: targets and their health."""

from collections.abc import Sequence
from typing import Any

from functions.adapters.answers import Answer, reading
from functions.domain.evidence import TargetFacts

CALLS = ("elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetGroups")
"""IAM actions; neither can be narrowed to a resource (Service Authorization Reference)."""


class Elbv2Reader:
    """The part of `ServiceReader` that the load balancer answers. IAM actions: `CALLS`."""

    def __init__(self, client: Any) -> None:
        self._elbv2 = client

    def targets(self, target_groups: Sequence[str]) -> Sequence[TargetFacts]:
        found: list[TargetFacts] = []
        for group in target_groups:
            with reading(f"the targets of {group}"):
                answer = self._elbv2.describe_target_health(TargetGroupArn=group)
            found += [_target_facts(group, entry) for entry in answer.get("TargetHealthDescriptions", ())]
        return tuple(found)

    def load_balancer(self, target_group: str) -> str | None:
        with reading(f"target group {target_group}"):
            answer = self._elbv2.describe_target_groups(TargetGroupArns=[target_group])
        groups = answer.get("TargetGroups", ())
        return next((arn for group in groups for arn in group.get("LoadBalancerArns", ())), None)


def _target_facts(group: str, entry: Answer) -> TargetFacts:
    target, health = entry.get("Target") or {}, entry.get("TargetHealth") or {}
    port = target.get("Port")
    identifier = str(target.get("Id", ""))
    return TargetFacts(
        target_group=group,
        target=identifier if port is None else f"{identifier}:{port}",
        # A target that says nothing is counted as what it is not known to be: not healthy.
        state=health.get("State", "unavailable"),
        reason=health.get("Reason"),
        zone=target.get("AvailabilityZone"),
    )
