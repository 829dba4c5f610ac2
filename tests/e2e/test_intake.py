"""What comes in at the deployed responder: broken messages, alarms of others, and an alarm that is none."""

import json
from datetime import UTC, datetime
from typing import Any

from functions.domain.heartbeat import HEARTBEAT
from functions.domain.incidents import Fact, IncidentStatus
from tests.e2e.conftest import Responder, facts
from tools.chaos import samples
from tools.demo.emulator import ACCOUNT, REGION
from tools.demo.stage import ALARM


def sns_message(name: str, *, state: str = "ALARM") -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AWSAccountId": ACCOUNT,
        "NewStateValue": state,
        "NewStateReason": "made up by a test",
        "StateChangeTime": "2026-03-01T03:12:04.517+0000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "OldStateValue": "OK",
        "Trigger": {"MetricName": "Depth", "Namespace": "Somewhere", "Dimensions": []},
    }


def direct_action(name: str) -> dict[str, Any]:
    """What CloudWatch hands to a Lambda function that is the action of an alarm."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "accountId": ACCOUNT,
        "time": "2026-03-01T03:12:04.517+0000",
        "region": REGION,
        "alarmData": {
            "alarmName": name,
            "state": {
                "value": "ALARM",
                "reason": "made up by a test",
                "timestamp": "2026-03-01T03:12:04.517+0000",
            },
            "previousState": {"value": "OK", "timestamp": "2026-03-01T03:00:00.000+0000"},
            "configuration": {"metrics": []},
        },
    }


def heartbeat() -> dict[str, Any]:
    """What EventBridge sends every quarter of an hour."""
    return samples.heartbeat_event(account=ACCOUNT, region=REGION, time=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")


def test_a_heartbeat_comes_back(responder: Responder) -> None:
    """Through queue, ledger, workflow and archive, as deployed; nobody hears of it, and no list of incidents has it."""
    before, changes = responder.incidents(), responder.changes_of_the_service()
    beats = _beats(responder)  # the emulator's own schedule may have sent some

    responder.sqs.send_message(QueueUrl=responder.intake_queue, MessageBody=json.dumps(heartbeat()))

    responder.until(lambda: _beats(responder) > beats, "the heartbeat was not taken in")
    beat = max(_beats(responder) - beats)
    responder.until(
        lambda: responder.ledger.incident(beat).status is IncidentStatus.RESOLVED, "the heartbeat did not come back"
    )
    assert [event.fact for event in responder.ledger.events(beat)] == [
        Fact.INCIDENT_OPENED,
        Fact.STOOD_DOWN,
        Fact.INCIDENT_RESOLVED,
    ]
    assert responder.ledger.events(beat)[-1].data["in_time"] is True
    assert responder.ledger.lock_holder(HEARTBEAT) is None
    assert (responder.incidents(), responder.changes_of_the_service()) == (before, changes)
    assert not [letter for letter in responder.stage.pages() if "heartbeat" in str(letter)]


def _beats(responder: Responder) -> set[str]:
    return {
        opening["incident_id"]
        for line in responder.said("intake", "signal recorded")
        for opening in line["openings"]
        if str(opening["incident_id"]).startswith("heartbeat-")
    }


def test_broken_messages_end_in_the_dead_letter_queue_and_good_ones_do_not(responder: Responder) -> None:
    """Of one batch the good message is kept; each bad one is retried, then kept apart, with the reason in the log."""
    good = json.dumps(sns_message("queue-depth-of-others"))
    cut = good[: len(good) // 2]
    nonsense = json.dumps(sns_message("orders-errors", state="SUPPRESSED"))
    responder.sqs.set_queue_attributes(QueueUrl=responder.intake_queue, Attributes={"VisibilityTimeout": "1"})

    responder.sqs.send_message_batch(
        QueueUrl=responder.intake_queue,
        Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate((cut, good, nonsense))],
    )

    dead_letters: set[str] = set()

    def dead() -> bool:
        dead_letters.update(responder.messages_in(responder.queue("intake-dead-letters")))
        return len(dead_letters) >= 2

    responder.until(dead, "the bad messages are in no dead-letter queue")
    assert dead_letters == {cut, nonsense}
    kept = {signal.alarm: reason for signal, reason in responder.ledger.unmatched()}
    assert "playbook" in kept["queue-depth-of-others"]
    reasons = {line["reason"] for line in responder.said("intake", "message rejected")}
    assert any("broken JSON" in reason for reason in reasons)
    assert any("SUPPRESSED" in reason for reason in reasons)


def test_an_alarm_that_calls_the_function_directly_is_a_signal_but_no_evidence(responder: Responder) -> None:
    """A direct action opens an incident like any message does; as the alarm itself is OK, nothing is changed."""
    before, changes = responder.incidents(), responder.changes_of_the_service()

    responder.invoke("forward", direct_action(ALARM))

    responder.until(lambda: len(responder.incidents()) > len(before), "no incident was opened")
    (opened,) = responder.incidents().keys() - before.keys()
    trail = responder.until_closed(responder.ledger.incident(opened))
    assert trail.broken is None
    assert Fact.EVIDENCE_GATHERED in facts(trail)
    assert not {Fact.ACTION_INTENDED, Fact.ACTION_TAKEN, Fact.PAGE_SENT} & set(facts(trail))
    assert responder.changes_of_the_service() == changes
