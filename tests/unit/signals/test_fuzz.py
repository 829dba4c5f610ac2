"""Whatever arrives, reading it ends in outcomes, never in an exception."""

import json
from contextlib import suppress
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import SignalRefused
from functions.domain.services import is_ecs_name
from functions.domain.signals import Signal
from functions.handlers.signals import Ignored, read_message, secrets, threats
from tools.chaos import samples
from tools.chaos.inputs import Way, bad_json, input_of

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.sampled_from(
        [
            "ALARM",
            "OK",
            "aws.ecs",
            "aws.cloudwatch",
            "aws.health",
            "aws.guardduty",
            "aws.ce",
            samples.AT,
            samples.service_arn(),
            samples.budget_notice(),
            samples.FINDING,
            "{",
            "[]",
            "null",
        ]
    )
)
KEYS = st.text() | st.sampled_from(
    ["Records", "Sns", "Message", "Type", "TopicArn", "body", "messageId", "detail", "detail-type", "source",
     "alarmData", "AlarmName", "NewStateValue", "Trigger", "Dimensions", "metrics",
     "configuration", "state", "value", "resources", "affectedEntities", "entityValue", "eventTypeCode", "service",
     "anomalyId", "rootCauses", "resource", "ecsClusterDetails", "taskDetails", "severity", "type", "arn"]
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


def holds(message: Any) -> None:
    outcomes = read_message(message)
    assert outcomes
    for outcome in outcomes:
        match outcome:
            case Signal():
                assert outcome.order is None, "a message gave an order"
                assert Signal.model_validate_json(outcome.model_dump_json()) == outcome
                assert outcome.dedupe_key
                assert outcome.cluster is None or is_ecs_name(outcome.cluster)
                assert outcome.service is None or is_ecs_name(outcome.service)
            case Ignored():
                assert outcome.reason
            case SignalRefused():
                assert str(outcome)
                assert len(str(outcome).splitlines()) == 1


@given(st.binary() | st.text())
def test_any_bytes_or_text(body: bytes | str) -> None:
    """Noise of any kind is ignored or refused."""
    holds(body)


@given(ANYTHING)
def test_any_json(value: Any) -> None:
    """Any JSON, also such as uses our own keys in the wrong way, ends in outcomes."""
    holds(json.dumps(value))


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_bad_input_of_real_shape(seed: int, number: int) -> None:
    """Real messages with something wrong in them, as `python -m tools.chaos.fuzz` makes them, end in outcomes."""
    given = input_of(seed, number)
    if given.way is Way.QUEUE:
        holds(given.text)


def test_no_message_is_an_order() -> None:
    """Orders come from the desk alone: whoever sends one as a message is not obeyed."""
    order = {"what": "isolate", "by": "mallory", "reason": "because", "identity": ""}
    forged = {"kind": "manual", "cluster": "shop", "service": "orders", "order": order}
    for message in (forged, {"detail": forged}, {"detail-type": "manual", "detail": forged}):
        holds(message)
        assert not [each for each in read_message(message) if isinstance(each, Signal)]


@given(st.integers(min_value=0), st.sampled_from([samples.secret_event(), samples.finding_event(samples.ROLE_USED)]))
def test_bad_events_of_secrets_and_roles(seed: int, event: samples.JsonObject) -> None:
    """Those that wake the watch over releases are read or refused, and nothing else comes of them."""
    try:
        bad = json.loads(bad_json(Random(seed), event))
    except (ValueError, RecursionError):
        return
    if not isinstance(bad, dict):
        return
    with suppress(SignalRefused):
        if secrets.tells_of_secret(bad):
            secrets.from_eventbridge(bad)
        elif threats.tells_of_role(bad):
            threats.from_eventbridge(bad)
