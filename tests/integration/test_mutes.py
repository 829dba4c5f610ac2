"""Muting an alarm: one rule with an end, told apart from the rules of others."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.adapters.changer import AwsChanger
from functions.adapters.mutes import CALLS, AlarmMutes
from functions.domain.changes import MuteAlarm, UnmuteAlarm
from functions.domain.errors import ChangeDoubtful, ChangeRefused, ReadFailed
from functions.domain.services import ServiceRef
from tests.fakes.aws import FakeAws, refusal
from tests.fakes.clock import FakeClock

ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
MUTE = MuteAlarm(alarm="orders-5xx", duration_s=3601, note="it flaps")
RULE = "responder-mute-orders-5xx"
NONE = refusal("ResourceNotFoundException", status=404)
TOPIC = "arn:aws:sns:eu-west-1:000000000000:on-call"


def rule(duration: str = "PT61M", status: str = "ACTIVE") -> dict[str, object]:
    return {"Rule": {"Schedule": {"Expression": "at(2026-01-01T00:00)", "Duration": duration}}, "Status": status}


def changer(aws: FakeAws) -> AwsChanger:
    clock = FakeClock()
    clock.advance(seconds=(datetime(2026, 11, 21, 2, 5, 47, tzinfo=UTC) - clock.now()).total_seconds())
    return AwsChanger(client=aws.client, clock=clock)


def mutes(aws: FakeAws) -> AlarmMutes:
    return AlarmMutes(client=aws.client, clock=FakeClock())


def test_a_mute_begins_with_the_next_minute_and_has_an_end() -> None:
    """Whole minutes, never fewer than asked for; the alarm alone."""
    aws = FakeAws(GetAlarmMuteRule=NONE, PutAlarmMuteRule={})

    result = changer(aws).apply(ORDERS, MUTE)

    assert aws.calls[1] == (
        "cloudwatch:PutAlarmMuteRule",
        {
            "Name": RULE,
            "Description": "it flaps",
            "Rule": {"Schedule": {"Expression": "at(2026-11-21T02:06)", "Duration": "PT61M"}},
            "MuteTargets": {"AlarmNames": ["orders-5xx"]},
            "ExpireDate": datetime(2026, 11, 21, 2, 6, tzinfo=UTC) + timedelta(minutes=61),
        },
    )
    assert result.made == RULE


@pytest.mark.parametrize("status", ["ACTIVE", "SCHEDULED"])
@pytest.mark.parametrize("duration", ["PT61M", "P2DT12H"])
def test_a_mute_that_is_there_is_left_alone(status: str, duration: str) -> None:
    """An operator may have made it, for longer."""
    aws = FakeAws(GetAlarmMuteRule=rule(duration, status))
    with pytest.raises(ChangeRefused, match="muted already"):
        changer(aws).apply(ORDERS, MUTE)
    assert [call for call, _ in aws.calls] == ["cloudwatch:GetAlarmMuteRule"]


def test_one_that_is_over_is_replaced() -> None:
    """It has the same name, so that there is never more than one of an alarm."""
    aws = FakeAws(GetAlarmMuteRule=rule(status="EXPIRED"), PutAlarmMuteRule={})
    changer(aws).apply(ORDERS, MUTE)
    assert aws.calls[1][1]["Name"] == RULE


@pytest.mark.parametrize(
    ("answer", "muted_s"),
    [(rule(), 3660), (rule("PT1M"), 60), (rule(status="EXPIRED"), 0), (NONE, 0), (rule("P7D"), -1), ({}, -1)],
)
def test_how_long_it_is_muted(answer: object, muted_s: int) -> None:
    """A length that is never written here is nobody's but somebody else's."""
    assert mutes(FakeAws(GetAlarmMuteRule=answer)).muted_s("orders-5xx") == muted_s  # type: ignore[arg-type]


def test_unmuting_deletes_the_rule() -> None:
    """Which is no error where there is none."""
    aws = FakeAws(DeleteAlarmMuteRule={})
    changer(aws).apply(ORDERS, UnmuteAlarm(alarm="orders-5xx"))
    assert aws.calls == [("cloudwatch:DeleteAlarmMuteRule", {"AlarmMuteRuleName": RULE})]
    assert aws.actions <= set(CALLS)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"AlarmActions": [TOPIC], "OKActions": [TOPIC], "InsufficientDataActions": []}, (TOPIC,)),
        ({"AlarmActions": [TOPIC], "OKActions": ["arn:x"], "InsufficientDataActions": []}, (TOPIC, "arn:x")),
        ({"AlarmActions": [TOPIC], "OKActions": [TOPIC]}, None),
        ({"AlarmActions": [TOPIC], "ActionsEnabled": False}, ()),
        ({}, None),
    ],
)
def test_what_an_alarm_does(said: dict[str, object], expected: object) -> None:
    """Whatever the state; a list that is missing could hold anything."""
    aws = FakeAws(DescribeAlarms={"CompositeAlarms": [{"AlarmName": "orders-5xx", **said}]})
    assert mutes(aws).actions("orders-5xx") == expected


def test_no_answer() -> None:
    """What cannot be read is not muted; what may have been muted is doubtful."""
    with pytest.raises(ReadFailed, match="there is no alarm"):
        mutes(FakeAws(DescribeAlarms={})).actions("orders-5xx")
    aws = FakeAws(GetAlarmMuteRule=refusal("AccessDenied", status=403))
    with pytest.raises(ReadFailed):
        mutes(aws).muted_s("orders-5xx")
    with pytest.raises(ChangeRefused, match="nothing was muted"):
        changer(aws).apply(ORDERS, MUTE)
    aws = FakeAws(GetAlarmMuteRule=NONE, PutAlarmMuteRule=refusal("InternalFailure", status=500))
    with pytest.raises(ChangeDoubtful):
        changer(aws).apply(ORDERS, MUTE)
