"""The heartbeat, told from the schedules of others."""

import pytest

from functions.domain.errors import SignalRefused
from functions.domain.signals import Signal, SignalKind
from functions.handlers.signals import Ignored, read_message
from tests.unit.signals.samples import heartbeat_event


def test_nothing_but_its_time_is_kept() -> None:
    """It concerns no service, whatever its detail says."""
    (signal,) = read_message({**heartbeat_event(), "detail": {"clusterArn": "x", "alarmName": "orders-5xx"}})
    assert isinstance(signal, Signal)
    assert (signal.kind, signal.cluster, signal.service, signal.alarm) == (SignalKind.HEARTBEAT, None, None, None)
    assert signal.occurred_at is not None
    assert signal.opens_incident


def test_the_same_one_delivered_twice_is_one() -> None:
    """SQS and EventBridge deliver at least once."""
    (once,), (again,) = read_message(heartbeat_event()), read_message(heartbeat_event())
    assert isinstance(once, Signal)
    assert isinstance(again, Signal)
    assert once.dedupe_key == again.dedupe_key


@pytest.mark.parametrize(
    "event",
    [
        heartbeat_event("nightly-backup"),
        {**heartbeat_event(), "source": "com.example"},
        {**heartbeat_event(), "resources": []},
        {**heartbeat_event(), "resources": ["arn:aws:s3:::rule/ecs-first-responder-heartbeat"]},
    ],
)
def test_schedules_of_others_are_ignored(event: dict[str, object]) -> None:
    """A queue may be fed by whoever may write into it."""
    (outcome,) = read_message(event)
    assert isinstance(outcome, Ignored)


def test_one_without_a_time_is_refused() -> None:
    """It could not be told whether it came back in time."""
    (outcome,) = read_message({**heartbeat_event(), "time": "soon"})
    assert isinstance(outcome, SignalRefused)
