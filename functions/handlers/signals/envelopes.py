"""Takes messages out of what carried them: SNS, SQS, Lambda batches and EventBridge, nested as AWS nests them."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice

from functions.domain.errors import SignalRefused
from functions.domain.model import Model
from functions.domain.redaction import clean
from functions.domain.signals import Signal
from functions.handlers.signals import alarms, costs, ecs, health, heartbeats, secrets, threats
from functions.handlers.signals.fields import Object, as_object, kind_of, quoted

_MOST_LAYERS = 8
"""SQS in Lambda around SNS around EventBridge makes four; more than twice that is no delivery."""

_EVENTS: Mapping[str, tuple[str, Callable[[Object], Signal]]] = {
    "CloudWatch Alarm State Change": ("aws.cloudwatch", alarms.from_eventbridge),
    "AWS Health Event": ("aws.health", health.from_eventbridge),
    "GuardDuty Finding": ("aws.guardduty", threats.from_eventbridge),
    "Anomaly Detected": ("aws.ce", costs.from_eventbridge),
} | {name: ("aws.ecs", partial(ecs.from_eventbridge, kind=kind)) for name, kind in ecs.KINDS.items()}
"""Who sends events of this detail-type, and what reads them."""

_CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


class Ignored(Model):
    """A message that is well but not for the responder."""

    reason: str


Outcome = Signal | Ignored | SignalRefused


def read_message(body: bytes | str | Mapping[str, object]) -> list[Outcome]:
    """Read whatever arrived: one outcome per message in it, in their order, and never an exception.

    What is no message of a known kind is ignored. What should be one and cannot be read is a refusal, which belongs
    into the dead-letter queue: its text says what is wrong.
    """
    return _read(body, layers=0)


def _read(body: object, *, layers: int) -> list[Outcome]:
    if layers > _MOST_LAYERS:
        return [SignalRefused(f"wrapped more than {_MOST_LAYERS} times: send the message itself")]
    try:
        value = _parsed(body) if isinstance(body, bytes | str) else body
        match value:
            case Ignored() | Signal():
                return [value]
            case Mapping():
                return _read_object(value, layers=layers)
            case list():
                return _read_all(value, layers=layers, empty="a list without messages")
        raise SignalRefused(f"the message is {kind_of(value)}, not an object: nothing can be read from it")
    except SignalRefused as refused:
        return [refused]
    except RecursionError:
        return [SignalRefused("nested too deeply to be read: no alarm and no event of AWS is")]


def _parsed(body: bytes | str) -> object:
    try:
        text = (body if isinstance(body, str) else body.decode()).removeprefix("\N{BYTE ORDER MARK}")
    except UnicodeDecodeError:
        raise SignalRefused("the message is not UTF-8 text: send it as the JSON that AWS delivers") from None
    if not text.strip():
        raise SignalRefused("the message is empty: there is nothing to read")
    try:
        return json.loads(text)
    except ValueError as broken:
        if text.lstrip().startswith(("{", "[")):
            raise SignalRefused(f"broken JSON ({clean(str(broken), limit=80)}): send the message unchanged") from None
        if costs.is_budget_notice(text):
            return costs.from_budget_notice(text)
        return Ignored(reason="plain text, no alarm and no event")


def _read_all(messages: list[object], *, layers: int, empty: str) -> list[Outcome]:
    if not messages:
        return [Ignored(reason=empty)]
    return [outcome for message in messages for outcome in _read(message, layers=layers + 1)]


def _read_object(message: Object, *, layers: int) -> list[Outcome]:
    if isinstance(records := message.get("Records"), list):
        return _read_all(records, layers=layers, empty="a batch without records")
    if isinstance(received := message.get("Messages"), list):
        return _read_all(received, layers=layers, empty="no message was in the queue")
    if "Sns" in message:
        return _read_notification(as_object(message["Sns"]), layers=layers)
    for body, marks in (("body", ("messageId", "receiptHandle")), ("Body", ("MessageId", "ReceiptHandle"))):
        if isinstance(message.get(body), str | Mapping) and not message.keys().isdisjoint(marks):
            return _read(message[body], layers=layers + 1)
    if "Type" in message and ("TopicArn" in message or message["Type"] == "Notification"):
        return _read_notification(message, layers=layers)
    return [_read_signal(message)]


def _read_notification(envelope: Object, *, layers: int) -> list[Outcome]:
    if envelope.get("Type") in _CONFIRMATIONS:
        return [Ignored(reason="SNS asks to confirm a subscription, it tells nothing about a service")]
    if not isinstance(envelope.get("Message"), str | Mapping):
        raise SignalRefused(
            f"the notification's Message is {kind_of(envelope.get('Message'))}: nothing was in the envelope"
        )
    return _read(envelope["Message"], layers=layers + 1)


def _read_signal(message: Object) -> Signal | Ignored:
    if "alarmData" in message and "detail" not in message:
        return alarms.from_lambda_action(message)
    if "detail-type" in message:
        return _read_event(message)
    if "NewStateValue" in message or ("AlarmName" in message and "StateValue" not in message):
        return alarms.from_sns_message(message)
    if costs.tells_of_anomaly(message):
        return costs.from_sns_message(message)
    if "DetailType" in message and "Detail" in message:
        return Ignored(reason="an entry for PutEvents, not an event that EventBridge delivered")
    keys = ", ".join(map(str, islice(message, 5)))
    return Ignored(reason=f"no alarm and no event: it holds {quoted(keys)}" if keys else "an empty object")


def _read_event(event: Object) -> Signal | Ignored:
    detail_type = event["detail-type"]
    source = event.get("source")
    if secrets.tells_of_secret(event):
        return Ignored(reason="a secret may have been changed: that is for the function bake, not for the queue")
    if heartbeats.is_beat(event):
        return heartbeats.from_eventbridge(event)
    known = _EVENTS.get(detail_type) if isinstance(detail_type, str) else None
    if known is None:
        return Ignored(reason=f"event {quoted(detail_type)} of {quoted(source)} is none the responder acts on")
    expected, read = known
    if source is None:
        raise SignalRefused(f"the event has no source: send it as EventBridge delivers it, with source {expected}")
    if source != expected:
        # Nobody but AWS can put events with an `aws.` source on a bus (EventBridge API reference, PutEvents).
        return Ignored(reason=f"event {quoted(detail_type)} comes from {quoted(source)}, not from {expected}")
    return read(event)
