"""The three shapes in which CloudWatch tells that an alarm changed its state.

Sources: CloudWatch User Guide, "Alarm events and EventBridge" and "Lambda alarm actions"; Amazon SNS message bodies as
CloudWatch sends them, which no page specifies.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from functions.domain.errors import SignalRefused
from functions.domain.redaction import clean
from functions.domain.services import is_ecs_name
from functions.domain.signals import AlarmState, MetricRef, Signal, SignalKind
from functions.handlers.signals.fields import (
    Object,
    as_list,
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

_LONGEST_NAME = 255
_LONGEST_RULE = 10_240
"""Characters of an alarm rule (CloudWatch API reference, PutCompositeAlarm)."""
_MOST_CHILDREN = 100
_MOST_NAMES = 32 * 1024
"""Bytes of the names of all children that a signal keeps: a hundred of the longest fit, in ASCII."""
_MOST_METRICS = 20
"""How many metrics a signal keeps; the service is looked for in all of them."""
_MOST_DIMENSIONS = 30
"""Of one metric (CloudWatch API reference, Metric)."""
_MOST_TEXT = 16 * 1024
"""Bytes of all metrics that a signal keeps: the ledger takes no item of any size."""
_LONGEST_ARN = 400
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_STATES = ", ".join(AlarmState)
_CHILD = re.compile(
    r"""\b(?:ALARM|OK|INSUFFICIENT_DATA)\s{0,9}\(\s{0,9}(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^()"\s]+))\s{0,9}\)"""
)


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """One alarm, whatever the message looked like; every value still as raw as it came."""

    message: Object
    name: object
    state: object
    previous: object
    times: tuple[object, ...]
    reason: object
    arn: object
    account: object
    region: object
    metrics: Sequence[object]
    rule: object
    triggering: Iterable[object]
    suppressed_by: object


def from_eventbridge(event: Object) -> Signal:
    """Read a `CloudWatch Alarm State Change` event.

    Raises:
        SignalRefused: if it names no alarm or no state.
    """
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise SignalRefused(
            f"the alarm event's detail is {kind_of(detail)}, not an object: send the event as EventBridge delivers it"
        )
    arns = [arn for arn in as_list(event.get("resources")) if _is_alarm_arn(arn)]
    return _signal(_from_detail(event, detail, arn=arns[0] if len(arns) == 1 else None, account=event.get("account")))


def from_lambda_action(event: Object) -> Signal:
    """Read what CloudWatch hands to a Lambda function that is an alarm's direct action.

    Raises:
        SignalRefused: if it names no alarm or no state.
    """
    data = event.get("alarmData")
    if not isinstance(data, Mapping):
        raise SignalRefused(
            f"alarmData is {kind_of(data)}, not an object: pass the event on as CloudWatch hands it to the function"
        )
    account = first(event, "accountId", "account")
    return _signal(_from_detail(event, data, arn=event.get("alarmArn"), account=account))


def from_sns_message(message: Object) -> Signal:
    """Read the message that an alarm's SNS action publishes.

    Raises:
        SignalRefused: if it names no alarm or no state.
    """
    trigger = as_object(message.get("Trigger"))
    return _signal(
        _Shape(
            message=message,
            name=message.get("AlarmName"),
            state=message.get("NewStateValue"),
            previous=message.get("OldStateValue"),
            times=(message.get("StateChangeTime"),),
            reason=message.get("NewStateReason"),
            arn=message.get("AlarmArn"),
            account=message.get("AWSAccountId"),
            region=message.get("Region"),
            metrics=[trigger, *as_list(trigger.get("Metrics"))],
            rule=message.get("AlarmRule"),
            triggering=(as_object(child).get("Arn") for child in as_list(message.get("TriggeringChildren"))),
            suppressed_by=message.get("ActionsSuppressedBy"),
        )
    )


def _from_detail(event: Object, detail: Object, *, arn: object, account: object) -> _Shape:
    state = detail.get("state")
    if not isinstance(state, Mapping):
        raise SignalRefused(f"the alarm's state is {kind_of(state)}, not an object with a value: one of {_STATES}")
    configuration = as_object(detail.get("configuration"))
    return _Shape(
        message=event,
        name=detail.get("alarmName"),
        state=state.get("value"),
        previous=as_object(detail.get("previousState")).get("value"),
        times=(state.get("timestamp"), event.get("time")),
        reason=state.get("reason"),
        arn=arn,
        account=account,
        region=event.get("region"),
        metrics=as_list(configuration.get("metrics")),
        rule=configuration.get("alarmRule"),
        triggering=_triggering_alarms(state.get("reasonData")),
        suppressed_by=state.get("actionsSuppressedBy"),
    )


def _signal(shape: _Shape) -> Signal:
    name = _name(shape.name)
    state = _state(shape.state)
    if state is None:
        raise SignalRefused(
            f"the state of alarm {quoted(name)} is {_shown(shape.state)}, which is none of {_STATES}: nothing can be "
            "concluded from it"
        )
    written = _alarm_arn(shape.arn)
    arn = read_arn(written)
    account = _one("account", None if arn is None else arn.account, read_account(shape.account))
    region = _one("Region", None if arn is None else arn.region, read_region(shape.region))
    occurred_at = next(filter(None, map(read_time, shape.times)), None)
    dimensions = [list(_dimensions(metric)) for metric in map(_metric, shape.metrics)]
    cluster, service = _service(dimensions)
    return Signal(
        kind=SignalKind.ALARM,
        occurred_at=occurred_at,
        account=account,
        region=region,
        cluster=cluster,
        service=service,
        reason=clean(as_text(shape.reason) or ""),
        alarm=name,
        alarm_arn=written,
        state=state,
        previous_state=_state(shape.previous),
        metrics=tuple(_metric_refs(shape.metrics))[:_MOST_METRICS],
        children=_children(name, shape.rule, shape.triggering),
        suppressed_by=_suppressed_by(shape.suppressed_by),
        fingerprint=fingerprint(shape.message) if occurred_at is None else None,
    )


def _name(value: object) -> str:
    name = as_text(value)
    if name is None:
        raise SignalRefused(f"the alarm's name is {kind_of(value)}: an alarm without a name cannot be looked up")
    if len(name) > _LONGEST_NAME:
        raise SignalRefused(
            f"the alarm's name has {len(name)} characters, CloudWatch allows {_LONGEST_NAME}: this is no alarm's name"
        )
    if _CONTROL.search(name):
        # CloudWatch API reference, PutMetricAlarm: "can't contain ASCII control characters".
        raise SignalRefused("the alarm's name has control characters, CloudWatch allows none: this is no alarm's name")
    return name


def _one(what: str, in_arn: str | None, said: str | None) -> str | None:
    """What both say, or the one that says anything."""
    if in_arn is not None and said is not None and in_arn != said:
        raise SignalRefused(
            f"the message is of {what} {quoted(said)}, its alarm's ARN of {quoted(in_arn)}: nobody knows whose it is"
        )
    return in_arn or said


def _alarm_arn(value: object) -> str | None:
    """The ARN of an alarm as it was written; None for anything else."""
    text = as_text(value)
    fits = text is not None and len(text) <= _LONGEST_ARN and _CONTROL.search(text) is None
    return text if fits and _is_alarm_arn(text) else None


def _state(value: object) -> AlarmState | None:
    return AlarmState(value) if isinstance(value, str) and value in AlarmState.__members__ else None


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) and value.strip() else kind_of(value)


def _is_alarm_arn(value: object) -> bool:
    arn = read_arn(value)
    return arn is not None and arn.service == "cloudwatch" and arn.resource.startswith("alarm:")


def _suppressed_by(value: object) -> str | None:
    # Whatever stands there, the actions were suppressed: only absence means they were not.
    return None if value in (None, "", False) else clean(str(value), limit=60) or "something unreadable"


def _metric(item: object) -> Object:
    """The metric itself: EventBridge and metric math wrap it twice, a plain SNS trigger not at all."""
    entry = as_object(item)
    wrapped = as_object(first(as_object(first(entry, "metricStat", "MetricStat")), "metric", "Metric"))
    return wrapped or entry


def _metric_refs(items: Iterable[object]) -> Iterator[MetricRef]:
    room = _MOST_TEXT
    for metric in map(_metric, items):
        name = as_text(first(metric, "name", "MetricName"))
        if name is not None:
            ref = MetricRef(
                namespace=clean(as_text(first(metric, "namespace", "Namespace")) or "", limit=_LONGEST_NAME),
                name=clean(name, limit=_LONGEST_NAME),
                dimensions={
                    clean(key, limit=_LONGEST_NAME): clean(value, limit=1024)
                    for key, value in islice(_dimensions(metric), _MOST_DIMENSIONS)
                },
            )
            room -= len(ref.model_dump_json().encode())
            if room < 0:
                return
            yield ref


def _dimensions(metric: Object) -> Iterator[tuple[str, str]]:
    """Name and value, from a map or from a list of pairs in either spelling. In a list, a name can come twice."""
    written = first(metric, "dimensions", "Dimensions")
    if isinstance(written, Mapping):
        pairs: Iterable[tuple[object, object]] = written.items()
    else:
        pairs = (
            (first(pair, "name", "Name"), first(pair, "value", "Value")) for pair in map(as_object, as_list(written))
        )
    for name, value in pairs:
        if isinstance(name, str) and isinstance(value, str):
            yield name, value


def _service(metrics: Iterable[Iterable[tuple[str, str]]]) -> tuple[str | None, str | None]:
    """The cluster and the service, each only when all metrics together name exactly one and ECS could call it so."""
    clusters: set[str] = set()
    services: set[tuple[str, str]] = set()
    for dimensions in metrics:
        here = {value for name, value in dimensions if name == "ClusterName"}
        clusters |= here
        services |= {(cluster, value) for cluster in here for name, value in dimensions if name == "ServiceName"}
    cluster = clusters.pop() if len(clusters) == 1 else None
    service = services.pop()[1] if len(services) == 1 else None
    if not is_ecs_name(cluster):
        return None, None
    return cluster, service if is_ecs_name(service) else None


def _children(own_name: str, rule: object, triggering: Iterable[object]) -> tuple[str, ...]:
    """Names of the alarms that the rule or the trigger mentions, each once, in the order they come."""
    found: dict[str, None] = {}
    room = _MOST_NAMES
    for written in (*_named_in_rule(rule), *triggering):
        name = _alarm_named(written)
        if name is None or name == own_name or name in found or len(name) > _LONGEST_NAME:
            continue
        # A lone surrogate is in no alarm's name, but may be in a message.
        room -= len(name.encode("utf-8", "surrogatepass"))
        if room < 0:
            break
        found[name] = None
    return tuple(found)[:_MOST_CHILDREN]


def _named_in_rule(rule: object) -> Iterator[str]:
    for child in _CHILD.finditer((as_text(rule) or "")[:_LONGEST_RULE]):
        bare: str | None = child["bare"]
        yield re.sub(r"\\(.)", r"\1", child["quoted"]) if bare is None else bare


def _alarm_named(written: object) -> str | None:
    arn = read_arn(written)
    if arn is None:
        return as_text(written)
    return as_text(arn.resource.removeprefix("alarm:")) if _is_alarm_arn(written) else None


def _triggering_alarms(reason_data: object) -> Iterator[object]:
    """ARNs in `reasonData`, a JSON text inside the JSON. Unreadable means none: the alarm is clear without it."""
    try:
        data = json.loads(reason_data) if isinstance(reason_data, str) else reason_data
    except ValueError:
        return
    for child in as_list(as_object(data).get("triggeringAlarms")):
        yield as_object(child).get("arn")
