"""Notices about money: AWS Budgets and Cost Anomaly Detection.

AWS Budgets sends plain text to SNS, whose lines no page specifies. Cost Anomaly Detection sends JSON to SNS and an
event to EventBridge, with the same fields but for one (Cost Management User Guide, "Using AWS User Notifications with
Cost Anomaly Detection"); a tag is written `key:value` there.
"""

import re
from collections.abc import Mapping

from functions.domain.errors import SignalRefused
from functions.domain.model import digest
from functions.domain.redaction import clean
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
    read_region,
    read_time,
)

_FIRST_LINE = re.compile(r"AWS Budget Notification\b")
_LINE = re.compile(
    r"^(Budget Name|Alert Type|Alert Threshold|(?:ACTUAL|FORECASTED) Amount): *(\S.*?)\s*$", re.MULTILINE
)
_ACCOUNT = re.compile(r"^AWS Account (\d{12})\s*$", re.MULTILINE)
_LONGEST_NOTICE = 10_000
_MOST_USD = 1e12
"""More is no amount, and some numbers of JSON can not even be written down."""
_OF_ECS = re.compile(r"Elastic Container Service(?! for Kubernetes)|Fargate", re.IGNORECASE)
"""How Cost Explorer names ECS, Fargate included."""


def is_budget_notice(text: str) -> bool:
    """Whether a plain text is what AWS Budgets sends."""
    return _FIRST_LINE.match(text.lstrip()) is not None


def from_budget_notice(text: str) -> Signal:
    """Read a text for which `is_budget_notice` holds. It tells a day, and no hour.

    Raises:
        SignalRefused: if it names no budget.
    """
    said = dict(_LINE.findall(text[:_LONGEST_NOTICE]))
    name = as_text(said.get("Budget Name"))
    if name is None:
        raise SignalRefused(
            "the notice of AWS Budgets has no line 'Budget Name: …': nobody knows which budget is meant"
        )
    alert = clean(said.get("Alert Type", ""), limit=20) or None
    amount = said.get(f"{alert} Amount")
    account = _ACCOUNT.search(text[:_LONGEST_NOTICE])
    return Signal(
        kind=SignalKind.COST,
        occurred_at=None,
        account=None if account is None else account[1],
        reason=clean(
            f"{alert or 'cost'} {amount or 'of unknown amount'}, threshold {said.get('Alert Threshold', 'unknown')}"
        ),
        event_name="AWS_BUDGETS",
        level=alert,
        reference=clean(name, limit=200),
        names=(clean(name, limit=200),),
        fingerprint=digest([text.strip()]),
    )


def tells_of_anomaly(message: Object) -> bool:
    """Whether it is what Cost Anomaly Detection publishes to SNS."""
    return "anomalyId" in message and ("rootCauses" in message or "impact" in message)


def from_eventbridge(event: Object) -> Signal:
    """Read an `Anomaly Detected` event of Cost Explorer.

    Raises:
        SignalRefused: if it names no anomaly.
    """
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise SignalRefused(
            f"the anomaly's detail is {kind_of(detail)}, not an object: send the event as EventBridge delivers it"
        )
    return _anomaly(event, detail, at=event.get("time"))


def from_sns_message(message: Object) -> Signal:
    """Read a message for which `tells_of_anomaly` holds.

    Raises:
        SignalRefused: if it names no anomaly.
    """
    return _anomaly(message, message, at=first(message, "anomalyEndDate", "anomalyStartDate"))


def _anomaly(message: Object, detail: Object, *, at: object) -> Signal:
    anomaly = as_text(detail.get("anomalyId"))
    if anomaly is None:
        raise SignalRefused(f"the anomalyId is {kind_of(detail.get('anomalyId'))}: nobody knows which anomaly is meant")
    causes = [as_object(cause) for cause in as_list(detail.get("rootCauses"))]
    dimension = as_text(first(detail, "dimensionValue", "dimensionalValue"))
    billed = [text for cause in causes if (text := as_text(cause.get("service"))) is not None]
    # A dimension is a service of AWS, an account, a cost category, or a tag as `key:value`.
    tag = dimension.rpartition(":")[2] if dimension is not None else None
    names = [text for text in (tag, as_text(detail.get("monitorName"))) if text is not None and text.strip()]
    of_ecs = any(_OF_ECS.search(text) for text in (*billed, dimension or ""))
    regions = {region for cause in causes if (region := read_region(cause.get("region"))) is not None}
    impact = as_object(detail.get("impact")).get("totalImpact")
    more = f"{impact:g} USD more than expected" if _is_amount(impact) else "more than expected"
    occurred_at = read_time(at)
    return Signal(
        kind=SignalKind.COST,
        occurred_at=occurred_at,
        account=read_account(first(message, "account", "accountId")),
        region=regions.pop() if len(regions) == 1 else None,
        reason=clean(f"{more}: {', '.join(dict.fromkeys(billed)) or dimension or 'nobody says for what'}"),
        event_name="COST_ANOMALY",
        reference=clean(anomaly, limit=200),
        aws_service="ECS" if of_ecs else None,
        names=tuple(clean(name, limit=200) for name in names),
        fingerprint=fingerprint(message) if occurred_at is None else None,
    )


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST_USD
