"""The contract with the senders: hundreds of payloads, recorded, documented or made to hurt, each read as it should be.

The payloads lie beside the project, in `../shared/events`, and are no part of it; without them these tests are skipped.
What is expected comes from here, not from the reader: a reviewed table for everything unusual, and for the rest an
oracle that knows nothing of shapes and only gathers names from wherever they stand in the payload.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.domain.errors import SignalRefused
from functions.domain.signals import Signal, SignalKind
from functions.handlers.signals import Ignored, Outcome, read_message

EVENTS = Path(__file__).parents[2].parent / "shared" / "events"
pytestmark = pytest.mark.skipif(not EVENTS.is_dir(), reason="the sample payloads are not beside the project")

SIGNALS = ("alarm_lambda_direct", "eventbridge_alarm", "ecs_events", "health", "sns_envelope", "sns_message")
"""Folders whose files hold one signal each, but for those in `EXCEPTIONS`."""

BATCHES = ("sns_lambda", "sqs_lambda", "malformed")
"""Folders of which every file stands in `EXCEPTIONS`, or holds one alarm or ECS event in an envelope."""

FOREIGN = (
    "autoscaling_activities", "autoscaling_targets", "cloudtrail", "cw_alarm_history", "cw_describe_alarms",
    "ecs_describe_services", "ecs_describe_tasks", "ecs_service_deployments", "ecs_service_event_messages",
    "ecs_stopped_reasons", "elbv2_target_health", "foreign_events", "rds",
)  # fmt: skip
"""Folders of which nothing is for the responder."""

Expected = str | tuple[str | None, str | None, str | None, str | None]
"""`ignored`, `refused`, or alarm, state, cluster and service of a signal."""

HOSTILE = ("checkout-api-cpu-high", "ALARM", "prod-web", None)
CHECKOUT = ("checkout-api-cpu-high", "ALARM", "prod-web", "checkout-api")

EXCEPTIONS: dict[str, list[Expected]] = {
    "alarm_lambda_direct/alarm-triage-test-malformed-events-and-config.json": ["refused"],
    "alarm_lambda_direct/alarm-triage-test-multi-region-multi-account.json": ["refused"],
    "alarm_lambda_direct/alarm-triage-test-multi-region-multi-account-2.json": ["refused"],
    "alarm_lambda_direct/alarm-triage-test-multi-region-multi-account-3.json": ["refused"],
    "ecs_events/aws-ecs-events-replay-putevents.json": ["ignored"],
    "eventbridge_alarm/alarm-triage-test-malformed-events-and-config.json": ["refused"],
    "eventbridge_alarm/constructed-ecs-metric-math-two-services.json": [("edge-errors", "ALARM", "prod-web", None)],
    "eventbridge_alarm/cw-guide-cloudwatch-and-eventbridge-7.json": ["ignored"],
    "health/aws-health-tools-sampleevent.json": ["ignored"],
    "sns_envelope/alerta-test-webhooks.json": ["ignored"],
    "sns_message/sns-to-slack-conftest.json": ["refused"],
    # Its account is not that of its alarm's ARN.
    "sns_message/sns-to-slack-conftest-2.json": ["refused"],
    "sns_message/sns-to-slack-conftest-3.json": ["refused"],
    "sns_message/sns-to-slack-conftest-4.json": ["refused"],
    "foreign_events/tf-notify-slack-backup.json": ["ignored"] * 4,
    "sns_lambda/constructed-two-records.json": [("a-cpu", "ALARM", "c1", "a"), ("b-cpu", "ALARM", "c1", "b")],
    "sns_lambda/lambda-go-sns-event.json": ["ignored"],
    "sns_lambda/lambda-rust-example-sns-event-obj.json": ["ignored"],
    "sns_lambda/lambda-rust-example-sns-event-pascal-case.json": ["ignored"],
    "sns_lambda/powertools-lambda-typescript-base.json": ["ignored"],
    "sns_lambda/powertools-py-snsevent.json": ["ignored"],
    "sns_lambda/tf-notify-slack-notify-slack-test-2.json": ["ignored"],
    "sns_lambda/tf-notify-slack-notify-slack-test-3.json": ["ignored"],
    "sns_lambda/tf-notify-slack-notify-slack-test-4.json": ["ignored"],
    "sns_lambda/tf-notify-slack-notify-slack-test-5.json": ["ignored"],
    "sqs_lambda/constructed-batch-mixed.json": [
        ("q4-cpu", "ALARM", "c1", "q4"),
        ("q5-cpu", "ALARM", "c1", "q5"),
        ("q6-cpu", "ALARM", "c1", "q6"),
        "ignored",
        "ignored",
    ],
    "sqs_lambda/lambda-guide-eventsources.json": ["ignored"],
    "sqs_lambda/lambda-guide-with-sqs.json": ["ignored"] * 2,
    "sqs_lambda/lambda-guide-with-sqs-2.json": ["ignored"],
    "sqs_lambda/lambda-guide-with-sqs-3.json": ["ignored"] * 2,
    "sqs_lambda/lambda-guide-with-sqs-4.json": ["ignored"] * 2,
    "sqs_lambda/lambda-rust-example-sqs-api-event-obj.json": ["ignored"],
    "sqs_lambda/powertools-py-sqsevent.json": ["ignored"] * 2,
    "malformed/constructed-alarmname-int.json": ["refused"],
    "malformed/constructed-api-error-throttle.json": ["ignored"],
    "malformed/constructed-composite-quoted-paren.json": [("q", "ALARM", None, None)],
    "malformed/constructed-composite-self-cycle.json": [("loop", "ALARM", None, None)],
    "malformed/constructed-composite-true.json": [("const", "ALARM", None, None)],
    "malformed/constructed-composite-unbalanced.json": [("unb", "ALARM", None, None)],
    "malformed/constructed-deep-nesting.json": ["refused"],
    "malformed/constructed-detail-list.json": ["refused"],
    "malformed/constructed-detail-null.json": ["refused"],
    "malformed/constructed-detail-string.json": ["refused"],
    "malformed/constructed-dims-cli-case.json": [HOSTILE],
    "malformed/constructed-dims-list.json": [CHECKOUT],
    "malformed/constructed-empty-file.json": ["refused"],
    "malformed/constructed-format-string.json": [
        ("{0.__class__.__mro__} %s %n ${jndi:ldap://x.invalid/a}", "ALARM", "prod-web", "checkout-api")
    ],
    "malformed/constructed-huge-description.json": [CHECKOUT],
    "malformed/constructed-hybrid-alarmdata-under-eventbridge.json": [CHECKOUT],
    "malformed/constructed-infinity-threshold.json": [("x", "ALARM", "prod-web", "checkout-api")],
    "malformed/constructed-json-null.json": ["refused"],
    "malformed/constructed-json-string.json": ["refused"],
    "malformed/constructed-lone-surrogate.json": [("bad\ufffdname", "ALARM", "prod-web", "checkout-api")],
    "malformed/constructed-metrics-object.json": [("checkout-api-cpu-high", "ALARM", None, None)],
    "malformed/constructed-reasondata-list.json": [CHECKOUT],
    "malformed/constructed-secret-in-reason.json": [CHECKOUT],
    "malformed/constructed-servicename-empty.json": [HOSTILE],
    "malformed/constructed-servicename-homoglyph.json": [HOSTILE],
    "malformed/constructed-servicename-newline.json": [HOSTILE],
    "malformed/constructed-servicename-nul.json": [HOSTILE],
    "malformed/constructed-servicename-path.json": [HOSTILE],
    "malformed/constructed-servicename-rtl.json": [HOSTILE],
    "malformed/constructed-servicename-shell.json": [HOSTILE],
    "malformed/constructed-servicename-spaces.json": [HOSTILE],
    "malformed/constructed-servicename-upper.json": [("checkout-api-cpu-high", "ALARM", "prod-web", "CHECKOUT-API")],
    "malformed/constructed-servicename-wildcard.json": [HOSTILE],
    "malformed/constructed-services-event-no-message.json": ["ignored"],
    "malformed/constructed-sns-region-displayname-unknown.json": [("t", "ALARM", "prod-web", "checkout-api")],
    "malformed/constructed-sns-trigger-null.json": [("t", "ALARM", None, None)],
    "malformed/constructed-sns-trigger-string.json": [("t", "ALARM", None, None)],
    "malformed/constructed-state-string.json": ["refused"],
    "malformed/constructed-state-unknown.json": ["refused"],
    "malformed/constructed-time-epoch.json": [CHECKOUT],
    "malformed/constructed-time-future.json": [CHECKOUT],
    "malformed/constructed-time-stale.json": [CHECKOUT],
    "malformed/constructed-utf16.json": ["refused"],
}


def samples() -> list[str]:
    return sorted(
        str(path.relative_to(EVENTS)) for path in EVENTS.glob("*/*") if path.is_file() and not path.name.startswith(".")
    )


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in a payload with the keys that lead to it, also through JSON that is written as text."""
    match value:
        case dict():
            named = {key.lower(): text for key, text in value.items()}
            if set(named) == {"name", "value"}:
                yield (*path, str(named["name"])), str(named["value"])
            for key, inner in value.items():
                yield from leaves(inner, (*path, key))
        case list():
            for inner in value:
                yield from leaves(inner, path)
        case str():
            yield path, value
            if value.startswith("{"):
                try:
                    inner = json.loads(value)
                except ValueError:
                    return
                yield from leaves(inner, path)


def oracle(payload: str) -> tuple[str | None, str | None, str | None, str | None]:
    """What a payload with one signal is about, by the names that stand in it."""
    found = list(leaves(json.loads(payload)))

    def at(*endings: tuple[str, ...]) -> set[str]:
        return {text for path, text in found for ending in endings if path[-len(ending) :] == ending}

    def single(texts: set[str]) -> str | None:
        return texts.pop() if len(texts) == 1 else None

    alarm = single(at(("alarmName",), ("AlarmName",)))
    state = single(at(("NewStateValue",), ("detail", "state", "value"), ("alarmData", "state", "value")))
    clusters, services = at(("ClusterName",)), at(("ServiceName",))
    if alarm is None:
        arns = at(("resources",), ("clusterArn",))
        clusters |= {m[1] for arn in arns if (m := re.search(r":cluster/([^/]+)$|:service/([^/]+)/", arn)) and m[1]}
        clusters |= {m[1] for arn in arns if (m := re.search(r":service/([^/]+)/", arn))}
        services |= {m[1] for arn in arns if (m := re.search(r":service/(?:[^/]+/)?([^/]+)$", arn))}
        services |= {m[1] for text in at(("group",)) if (m := re.fullmatch(r"service:(.+)", text))}
        services |= at(("detail", "serviceName"))
    return alarm, state, single(clusters), single(services)


def read_as(outcome: Outcome) -> Expected:
    match outcome:
        case Signal():
            return outcome.alarm, outcome.state, outcome.cluster, outcome.service
        case Ignored():
            assert outcome.reason
            return "ignored"
        case SignalRefused():
            assert str(outcome)
            assert "\n" not in str(outcome)
            return "refused"


@pytest.mark.parametrize("name", samples())
def test_payload(name: str) -> None:
    """A payload gives the signal it holds, is ignored when it holds none, and refused when it should hold one."""
    body = (EVENTS / name).read_bytes()
    folder = name.split("/", maxsplit=1)[0]
    if name in EXCEPTIONS:
        expected = EXCEPTIONS[name]
    elif folder in FOREIGN:
        expected = ["ignored"]
    else:
        assert folder in SIGNALS + BATCHES, f"nobody has looked at {folder} yet"
        expected = [oracle(body.decode())]

    assert [read_as(outcome) for outcome in read_message(body)] == expected


def test_every_payload_is_there() -> None:
    """The samples are complete, and the table names no file that is gone: otherwise this contract proves less."""
    there = samples()

    assert len(there) == 353
    assert EXCEPTIONS.keys() <= set(there)


def test_events_of_aws_health() -> None:
    """Each says what happened, in which Region and to what; of all samples only open issues open an incident."""
    found = {
        Path(name).stem: outcome
        for name in samples()
        if name.startswith("health/")
        for outcome in read_message((EVENTS / name).read_bytes())
        if isinstance(outcome, Signal)
    }
    assert {signal.kind for signal in found.values()} == {SignalKind.HEALTH}
    assert {signal.aws_service for signal in found.values()} == {"EC2", "AWS_EC2", "ECS"}
    assert all(signal.occurred_at and signal.region and signal.reference for signal in found.values())
    assert {stem for stem, signal in found.items() if signal.opens_incident} == {
        "aws-health-tools-testevent",
        "tf-notify-slack-aws-health-event",
    }
    assert found["constructed-ecs-retirement-task"].names == ("prod-web/",)
    assert found["custodian-event-phd-ec2-retire"].names == ("i-00ddbf07ce6372082",)


def test_what_opens_an_incident() -> None:
    """Of all ECS events only failed deployments, actions of level ERROR and tasks that stopped by themselves open one,
    and of those of AWS Health open issues; suppressed alarms never do."""
    opens = Counter[str]()
    stopped: set[str] = set()
    for name in samples():
        for outcome in read_message((EVENTS / name).read_bytes()):
            if isinstance(outcome, Signal) and outcome.opens_incident:
                opens[outcome.event_name or str(outcome.state)] += 1
                assert "suppressed" not in name
                if outcome.kind is SignalKind.TASK:
                    stopped.add(Path(name).stem)

    assert set(opens) == {
        "ALARM",
        "STOPPED",
        "AWS_EC2_INSTANCE_STORE_DRIVE_PERFORMANCE_DEGRADED",
        "SERVICE_DEPLOYMENT_FAILED",
        "SERVICE_DAEMON_PLACEMENT_CONSTRAINT_VIOLATED",
        "SERVICE_TASK_CONFIGURATION_FAILURE",
    }
    assert stopped == {
        "constructed-stopped-container-hc",
        "constructed-stopped-create-container",
        "constructed-stopped-elb-classic",
        "constructed-stopped-elb-tg",
        "constructed-stopped-init-asm-timeout",
        "constructed-stopped-init-ecr-auth",
        "constructed-stopped-init-ssm",
        "constructed-stopped-oom",
        "fivexl-eventbridge-event",
        "fivexl-sns-event",
    }
