"""The responder's own heartbeat, as a schedule of EventBridge sends it.

Source: EventBridge User Guide, "Creating a rule that runs on a schedule": detail-type `Scheduled Event`, source
`aws.events`, the rule's ARN under `resources`, an empty detail.
"""

from functions.domain.errors import SignalRefused
from functions.domain.heartbeat import RULE_SUFFIX
from functions.domain.signals import Signal, SignalKind
from functions.handlers.signals.fields import Object, as_list, as_text, kind_of, read_arn, read_region, read_time

SCHEDULED = "Scheduled Event"


def is_beat(event: Object) -> bool:
    """Whether this is the heartbeat, and no schedule of others."""
    if event.get("detail-type") != SCHEDULED or event.get("source") != "aws.events":
        return False
    rules = (read_arn(resource) for resource in as_list(event.get("resources")))
    return any(
        rule is not None
        and rule.service == "events"
        and rule.resource.startswith("rule/")
        and rule.resource.endswith(RULE_SUFFIX)
        for rule in rules
    )


def from_eventbridge(event: Object) -> Signal:
    """Read an event for which `is_beat` holds. Nothing of it but its time is kept.

    Raises:
        SignalRefused: if it does not say when it was sent.
    """
    sent_at = read_time(event.get("time"))
    if sent_at is None:
        raise SignalRefused(
            f"the heartbeat's time is {kind_of(event.get('time'))}: nobody can tell whether it came back in time"
        )
    return Signal(
        kind=SignalKind.HEARTBEAT,
        occurred_at=sent_at,
        account=as_text(event.get("account")),
        region=read_region(event.get("region")),
    )
