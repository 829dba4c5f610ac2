"""Rules of cdk-nag that do not apply here, each with its reason."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def acknowledge(scope: Construct, rule: str, reason: str) -> None:
    """Say why a finding of AwsSolutions at or below `scope` is meant."""
    Validations.of(scope).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))


def acknowledge_wildcards(scope: Construct, resources: Iterable[str]) -> None:
    """Take over those of the given resources, as they stand in policies below `scope`, that end in a wildcard.

    cdk-nag knows resources only, so this is the coarse half; a test holds every *action* on a wildcard against
    `infra.permissions.WILDCARDS`.
    """
    for resource in sorted(
        {written for arn in resources if "*" in (written := _as_written(Stack.of(scope).resolve(arn)))}
    ):
        acknowledge(scope, f"IAM5[Resource::{resource}]", "The actions and their reasons are in docs/iam.md")


def _as_written(resolved: Any) -> str:
    """A resolved ARN as cdk-nag writes it in its findings: references in angle brackets."""
    if isinstance(resolved, str):
        return resolved
    if isinstance(resolved, Mapping):
        match dict(resolved):
            case {"Ref": name}:
                return f"<{name}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{name}.{attribute}>"
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(_as_written(part) for part in parts)
    raise TypeError(f"no ARN: {resolved!r}")
