"""The findings of GuardDuty.

Sources: GuardDuty User Guide, "Processing GuardDuty findings with Amazon EventBridge" and "Severity levels of GuardDuty
findings"; GuardDuty API reference, Finding and EcsTaskDetails.
"""

from collections.abc import Mapping

from functions.domain.errors import SignalRefused
from functions.domain.redaction import clean
from functions.domain.services import is_ecs_name
from functions.domain.signals import Signal, SignalKind
from functions.domain.threats import ROLES, finding_arn, level_of
from functions.handlers.signals.fields import (
    Object,
    as_object,
    as_text,
    fingerprint,
    first,
    kind_of,
    quoted,
    read_account,
    read_arn,
    read_region,
    read_time,
)


def from_eventbridge(event: Object) -> Signal:
    """Read a `GuardDuty Finding` event.

    Raises:
        SignalRefused: if it does not say what was found, how grave it is, or under which name GuardDuty has it.
    """
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise SignalRefused(
            f"the finding's detail is {kind_of(detail)}, not an object: send the event as EventBridge delivers it"
        )
    kind = as_text(detail.get("type"))
    if kind is None:
        raise SignalRefused(f"the finding's type is {kind_of(detail.get('type'))}: it does not say what was found")
    level = level_of(detail.get("severity"))
    if level is None:
        raise SignalRefused(f"the severity of {quoted(kind)} is {kind_of(detail.get('severity'))}, not 1 to 10")
    reference = _reference(detail)
    if reference is None:
        raise SignalRefused(f"{quoted(kind)} has no ARN of a finding: it could not be read back from GuardDuty")
    resource = as_object(detail.get("resource"))
    cluster, service = _service(as_object(resource.get("ecsClusterDetails")))
    times = (detail.get("updatedAt"), event.get("time"), detail.get("createdAt"))
    occurred_at = next(filter(None, map(read_time, times)), None)
    role = role_of(detail)
    return Signal(
        kind=SignalKind.THREAT,
        occurred_at=occurred_at,
        account=read_account(first(detail, "accountId")) or read_account(event.get("account")),
        region=read_region(first(detail, "region")) or read_region(event.get("region")),
        cluster=cluster,
        service=service,
        reason=clean(as_text(detail.get("title")) or ""),
        event_name=clean(kind, limit=100),
        level=level,
        reference=reference,
        names=() if role is None else (clean(role, limit=100),),
        fingerprint=fingerprint(event) if occurred_at is None else None,
    )


def tells_of_role(event: Object) -> bool:
    """Whether it is a finding about what somebody did with the credentials of a role: whose tasks have that role only
    task definitions say."""
    of_guardduty = event.get("source") == "aws.guardduty" and event.get("detail-type") == "GuardDuty Finding"
    detail = as_object(event.get("detail"))
    in_ecs = "ecsClusterDetails" in as_object(detail.get("resource"))
    return of_guardduty and not in_ecs and role_of(detail) is not None


def role_of(detail: Object) -> str | None:
    """Name of the role whose credentials were used."""
    key = as_object(as_object(detail.get("resource")).get("accessKeyDetails"))
    return as_text(key.get("userName")) if key.get("userType") in ROLES else None


def _reference(detail: Object) -> str | None:
    text = as_text(detail.get("arn"))
    arn = read_arn(text)
    return text if text is not None and arn is not None and finding_arn(text) is not None else None


def _service(details: Object) -> tuple[str | None, str | None]:
    """Cluster and service. A task that belongs to no service is nobody's whom a playbook is for."""
    arn = read_arn(details.get("arn"))
    name = details.get("name") if arn is None else arn.resource.removeprefix("cluster/")
    cluster = name if isinstance(name, str) and is_ecs_name(name) else None
    group = as_text(as_object(details.get("taskDetails")).get("group"))
    if group is None:
        return cluster, None
    service = group.removeprefix("service:")
    return (cluster, service) if group.startswith("service:") and is_ecs_name(service) else (None, None)
