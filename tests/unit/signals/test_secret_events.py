"""Events of secrets: which tell that tasks which start later read another value."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import SignalRefused
from functions.domain.secrets import Store
from functions.handlers.signals import Ignored, read_message
from functions.handlers.signals.secrets import from_eventbridge, tells_of_secret
from tests.unit.signals.test_fuzz import ANYTHING
from tools.chaos.samples import ACCOUNT, REGION, JsonObject, secret_arn, secret_event

PARAMETER = {
    "detail-type": "Parameter Store Change",
    "source": "aws.ssm",
    "account": ACCOUNT,
    "region": REGION,
    "time": "2026-03-01T03:12:04Z",
    "detail": {"operation": "Update", "name": "/orders/db", "type": "SecureString"},
}


def rotated() -> JsonObject:
    event = secret_event("RotationSucceeded", requestParameters=None, responseElements=None)
    event["detail-type"] = "AWS Service Event via CloudTrail"
    event["detail"]["additionalEventData"] = {"SecretId": secret_arn()}
    return event


@pytest.mark.parametrize(
    "event",
    [
        secret_event(),
        secret_event("UpdateSecret"),
        secret_event("UpdateSecretVersionStage", requestParameters={"versionStage": "AWSCURRENT"}),
        secret_event(requestParameters={"secretId": "orders/db"}, responseElements={"aRN": secret_arn()}),
        secret_event(requestParameters={"secretId": secret_arn()}, responseElements=None),
        secret_event(requestParameters={"secretId": "orders/db", "versionStages": ["AWSPREVIOUS", "AWSCURRENT"]}),
        rotated(),
    ],
)
def test_a_secret_that_was_changed(event: JsonObject) -> None:
    """By hand, by a rotation of one's own or by one of AWS; the key of the ARN is spelt in more than one way."""
    assert tells_of_secret(event)
    change = from_eventbridge(event)
    assert change is not None
    assert (change.store, change.name) == (Store.SECRETS_MANAGER, "orders/db-AbCdEf")
    assert (change.account, change.region) == (ACCOUNT, REGION)
    assert f"{change.at:%H:%M:%S}" == "03:12:04"


def test_a_secret_of_which_only_the_name_is_known() -> None:
    """As the caller wrote it."""
    change = from_eventbridge(secret_event(requestParameters={"secretId": "orders/db"}, responseElements=None))
    assert change is not None
    assert change.name == "orders/db"


def test_a_parameter_that_was_changed() -> None:
    """Systems Manager tells it itself."""
    change = from_eventbridge(PARAMETER)
    assert change is not None
    assert (change.store, change.name, change.event) == (Store.PARAMETER_STORE, "/orders/db", "Update")


@pytest.mark.parametrize(
    "event",
    [
        secret_event("TagResource"),
        secret_event(errorCode="AccessDeniedException"),
        secret_event(requestParameters={"secretId": "orders/db", "versionStages": ["AWSPENDING"]}),
        secret_event("UpdateSecretVersionStage", requestParameters={"versionStage": "AWSPENDING"}),
        PARAMETER | {"detail": {"operation": "Delete", "name": "/orders/db"}},
    ],
)
def test_what_changes_nothing_for_tasks(event: JsonObject) -> None:
    """A tag, a refused call, a version that waits for its rotation; nothing starts from what was deleted."""
    assert from_eventbridge(event) is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (secret_event() | {"detail": "text"}, "the event's detail is text"),
        (secret_event(eventName=None), "eventName is missing or null"),
        (secret_event(requestParameters=None, responseElements=None), "names no secret"),
        (secret_event(responseElements={"arn": "orders db\n"}), "is no name of a secret"),
        (secret_event(eventTime="yesterday"), "does not say when"),
        (PARAMETER | {"time": None}, "does not say when"),
        (PARAMETER | {"detail": {"operation": "Update", "name": ["x"]}}, "names no secret: it is a list"),
    ],
)
def test_what_should_tell_and_does_not(event: JsonObject, reason: str) -> None:
    """One sentence says what is wrong."""
    with pytest.raises(SignalRefused, match=reason):
        from_eventbridge(event)


@pytest.mark.parametrize("event", [secret_event() | {"source": "aws.kms"}, {"detail-type": ["x"]}, {}])
def test_what_comes_from_elsewhere(event: JsonObject) -> None:
    """Other calls come by the same detail-type."""
    assert not tells_of_secret(event)


def test_the_queue_leaves_it_to_bake() -> None:
    """Whom a secret concerns only AWS can tell, and the intake reads none."""
    (outcome,) = read_message(secret_event())
    assert isinstance(outcome, Ignored)
    assert "bake" in outcome.reason


@given(st.sampled_from([secret_event(), rotated(), PARAMETER]), ANYTHING, ANYTHING, ANYTHING)
def test_whatever_is_in_it(event: JsonObject, detail: Any, asked: Any, answered: Any) -> None:
    """It is a change, none, or refused with a reason; never another exception."""
    inner = event["detail"] | {"requestParameters": asked, "responseElements": answered, "name": answered}
    for broken in (event | {"detail": detail}, event | {"detail": inner}, event | {"detail": inner, "time": asked}):
        with suppress(SignalRefused):
            change = from_eventbridge(broken)
            assert change is None or change.name
