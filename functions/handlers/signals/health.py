"""The events of AWS Health.

Source: AWS Health User Guide, "AWS Health events Amazon EventBridge schema": `region` is where the event was delivered,
which may be a backup Region, `detail.eventRegion` is where the trouble is. How entities of ECS are written is not
specified; seen are ARNs of tasks, services and clusters, `cluster | service`, and `cluster/service`.
"""

import re
from collections.abc import Iterator, Mapping

from functions.domain.errors import SignalRefused
from functions.domain.redaction import clean
from functions.domain.services import is_ecs_name
from functions.domain.signals import HEALTH_ISSUE, Signal, SignalKind
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

_MOST_NAMES = 100
_ZONE = re.compile(r"[a-z]{3,4}[0-9]-az[0-9]{1,2}|[a-z]{2}(-[a-z]+)+-[0-9][a-z]")
_PAIR = re.compile(r"(?P<cluster>[A-Za-z0-9_-]{1,255})\s?[|/]\s?(?P<service>[A-Za-z0-9_-]{1,255})")
_ECS = ("ECS", "FARGATE")


def from_eventbridge(event: Object) -> Signal:
    """Read an `AWS Health Event`.

    Raises:
        SignalRefused: if it does not say what happened.
    """
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise SignalRefused(
            f"the health event's detail is {kind_of(detail)}, not an object: send the event as EventBridge delivers it"
        )
    code, service = as_text(detail.get("eventTypeCode")), as_text(detail.get("service"))
    if code is None or service is None:
        raise SignalRefused("the health event names no eventTypeCode or no service: it does not say what happened")
    times = (detail.get("lastUpdatedTime"), event.get("time"), detail.get("startTime"))
    occurred_at = next(filter(None, map(read_time, times)), None)
    region = read_region(detail.get("eventRegion")) if "eventRegion" in detail else read_region(event.get("region"))
    return Signal(
        kind=SignalKind.HEALTH,
        occurred_at=occurred_at,
        # An organisation is told of all its accounts in one of them ("AWS Health organizational view").
        account=read_account(first(detail, "affectedAccount")) or read_account(event.get("account")),
        region=region,
        reason=clean(_description(detail)),
        event_name=clean(code, limit=100),
        level=_level(detail),
        reference=clean(as_text(detail.get("eventArn")) or code, limit=400),
        aws_service=clean(service, limit=100).upper(),
        names=tuple(_names(event, detail, of_ecs=service.upper() in _ECS))[:_MOST_NAMES],
        fingerprint=fingerprint(event) if occurred_at is None else None,
    )


def _level(detail: Object) -> str:
    """What is not known to be an open issue is none: it never opens anything."""
    status = as_text(detail.get("statusCode"))
    category = clean(as_text(detail.get("eventTypeCategory")) or "unknown", limit=40)
    if category == HEALTH_ISSUE and status not in (None, "open"):
        return clean(status or "", limit=40)
    return category


def _description(detail: Object) -> str:
    said = (as_text(as_object(each).get("latestDescription")) for each in as_list(detail.get("eventDescription")))
    return next(filter(None, said), "")


def _names(event: Object, detail: Object, *, of_ecs: bool) -> Iterator[str]:
    """Everything that the event says is affected, each once. A zone is no resource: it concerns whoever runs there."""
    affected = (as_object(each).get("entityValue") for each in as_list(detail.get("affectedEntities")))
    written = dict.fromkeys(filter(None, map(as_text, (*as_list(event.get("resources")), *affected))))
    for text in written:
        if _ZONE.fullmatch(text) is None:
            yield _of_ecs(text) if of_ecs or text.startswith("arn:aws:ecs:") else clean(text, limit=200)


def _of_ecs(text: str) -> str:
    """`cluster/service` for a service, `/service` for one in an old ARN, `cluster/*` for a cluster, and `cluster/` for
    a task, whose service nobody names."""
    arn = read_arn(text)
    parts = arn.resource.split("/") if arn is not None else []
    match parts:
        case ["service", cluster, service] if is_ecs_name(cluster) and is_ecs_name(service):
            return f"{cluster}/{service}"
        case ["service", service] if is_ecs_name(service):
            return f"/{service}"
        case ["cluster", cluster] if is_ecs_name(cluster):
            return f"{cluster}/*"
        case ["task", cluster, _] if is_ecs_name(cluster):
            return f"{cluster}/"
    pair = _PAIR.fullmatch(text) if arn is None else None
    return clean(text, limit=200) if pair is None else f"{pair['cluster']}/{pair['service']}"
