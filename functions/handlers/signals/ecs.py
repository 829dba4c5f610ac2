"""The ECS events the responder understands.

Source: Amazon ECS Developer Guide, "Amazon ECS events": service action, deployment state change and task state change.
"""

from collections.abc import Mapping

from functions.domain.errors import SignalRefused
from functions.domain.redaction import clean
from functions.domain.services import is_ecs_name
from functions.domain.signals import Signal, SignalKind
from functions.handlers.signals.fields import (
    Object,
    as_list,
    as_object,
    as_text,
    fingerprint,
    first,
    kind_of,
    read_account,
    read_arn,
    read_region,
    read_time,
)

KINDS: Mapping[str, SignalKind] = {
    "ECS Deployment State Change": SignalKind.DEPLOYMENT,
    "ECS Service Deployment State Change": SignalKind.DEPLOYMENT,
    "ECS Service Action": SignalKind.SERVICE_ACTION,
    "ECS Task State Change": SignalKind.TASK,
}
"""The events that become signals, by detail-type. The second spelling is seen in the field, not in the guide."""

_Names = tuple[str | None, str | None]


def from_eventbridge(event: Object, kind: SignalKind) -> Signal:
    """Read one event of a kind in `KINDS`.

    Raises:
        SignalRefused: if it does not say what happened.
    """
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise SignalRefused(
            f"the ECS event's detail is {kind_of(detail)}, not an object: send the event as EventBridge delivers it"
        )
    read = _task if kind is SignalKind.TASK else _service_event
    return read(event, detail, kind)


def _service_event(event: Object, detail: Object, kind: SignalKind) -> Signal:
    name = as_text(detail.get("eventName"))
    if name is None:
        raise SignalRefused(
            f"the ECS event's eventName is {kind_of(detail.get('eventName'))}: it does not say what happened"
        )
    cluster, service = _service_of_event(event, detail)
    return _signal(
        event,
        kind=kind,
        times=(detail.get("createdAt"), detail.get("updatedAt"), event.get("time")),
        cluster=cluster,
        service=service,
        event_name=name,
        level=as_text(detail.get("eventType")),
        deployment_id=as_text(detail.get("deploymentId")),
        reason=as_text(detail.get("reason")),
    )


def _task(event: Object, detail: Object, kind: SignalKind) -> Signal:
    status = as_text(detail.get("lastStatus"))
    if status is None:
        raise SignalRefused(
            f"the task's lastStatus is {kind_of(detail.get('lastStatus'))}: it does not say what happened"
        )
    # The task's group is the only place that names the service (ECS API reference, Task).
    group = as_text(detail.get("group")) or ""
    service = group.removeprefix("service:") if group.startswith("service:") else None
    started_by = as_text(detail.get("startedBy"))
    return _signal(
        event,
        kind=kind,
        times=(detail.get("stoppedAt"), detail.get("updatedAt"), event.get("time")),
        cluster=_cluster(detail.get("clusterArn")),
        service=service if is_ecs_name(service) else None,
        event_name=status,
        level=None,
        deployment_id=started_by if started_by is not None and started_by.startswith("ecs-svc/") else None,
        reason=_stopped_reason(detail),
        stop_code=as_text(detail.get("stopCode")),
    )


def _stopped_reason(detail: Object) -> str | None:
    """Why the task stopped, and why the first of its containers did that says more, as one that ran out of memory."""
    reason = as_text(detail.get("stoppedReason"))
    of_containers = (as_text(as_object(container).get("reason")) for container in as_list(detail.get("containers")))
    more = next((text for text in of_containers if text is not None and text not in (reason or "")), None)
    return "; ".join(text for text in (reason, more) if text is not None) or None


def _signal(
    event: Object,
    *,
    kind: SignalKind,
    times: tuple[object, ...],
    cluster: str | None,
    service: str | None,
    event_name: str,
    level: str | None,
    deployment_id: str | None,
    reason: str | None,
    stop_code: str | None = None,
) -> Signal:
    occurred_at = next(filter(None, map(read_time, times)), None)
    return Signal(
        kind=kind,
        occurred_at=occurred_at,
        account=read_account(event.get("account")),
        region=read_region(event.get("region")),
        cluster=cluster,
        service=service,
        reason=clean(reason or ""),
        event_name=clean(event_name, limit=100),
        level=None if level is None else clean(level, limit=20),
        deployment_id=None if deployment_id is None else clean(deployment_id, limit=100),
        stop_code=None if stop_code is None else clean(stop_code, limit=100),
        fingerprint=fingerprint(event) if occurred_at is None else None,
    )


def _service_of_event(event: Object, detail: Object) -> _Names:
    """Cluster and service, by the service's ARN, else by the names in the detail.

    An ARN in the old format lacks the cluster (ECS Developer Guide, "Amazon Resource Names (ARNs) and IDs").
    """
    cluster = _cluster(detail.get("clusterArn"))
    named = {names for arn in as_list(event.get("resources")) if (names := _service_arn(arn)) is not None}
    if len(named) > 1:
        return cluster, None
    if named:
        in_arn, service = named.pop()
        return in_arn or cluster, service
    service_name = as_text(first(detail, "serviceName", "service"))
    return cluster, service_name if is_ecs_name(service_name) else None


def _service_arn(value: object) -> _Names | None:
    arn = read_arn(value)
    if arn is None or arn.service != "ecs":
        return None
    match arn.resource.split("/"):
        case ["service", service] if is_ecs_name(service):
            return None, service
        case ["service", cluster, service] if is_ecs_name(cluster) and is_ecs_name(service):
            return cluster, service
    return None


def _cluster(value: object) -> str | None:
    arn = read_arn(value)
    name = value if arn is None else arn.resource.removeprefix("cluster/")
    return name if isinstance(name, str) and is_ecs_name(name) else None
