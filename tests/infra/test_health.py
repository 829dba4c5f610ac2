"""Who watches the responder: its alarms, the heartbeat, the way round a responder that is down, and the dashboard."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.domain.counts import BY, NAMESPACE, Count
from functions.domain.heartbeat import EVERY_S, LOST_AFTER_S, RETURNS_WITHIN_S
from functions.handlers.signals.heartbeats import is_beat
from infra.context import Architecture, Deployment
from infra.health import alarm_rule
from tests.docs.pages import OPERATIONS
from tests.infra.synthesis import Synthesis, Template, synthesise

NAME = "ecs-first-responder"
LONGEST_DESCRIPTION = 1024
"""Characters that CloudWatch takes (API reference, PutMetricAlarm and PutCompositeAlarm)."""

UNWELL = {
    "intake-behind",
    "signals-not-taken",
    "intake-errors",
    "sweep-errors",
    "intake-throttled",
    "executions-failed",
    "heartbeat-lost",
    "sweep-silent",
}
"""The alarms after which an alarm of a service may find nobody at work."""

COMMANDS = ("aws ", "responder ")


@pytest.fixture
def stack(synthesis: Synthesis) -> Template:
    return synthesis.responder


def alarm(stack: Template, what: str) -> dict[str, Any]:
    _, found = stack.named("AWS::CloudWatch::Alarm", "AlarmName", f"{NAME}-{what}")
    return dict(found)


def composite(template: Template) -> dict[str, Any]:
    (found,) = template.resources("AWS::CloudWatch::CompositeAlarm").values()
    return dict(found)


def without(tmp_path: Path, playbook: str, **said: Any) -> Synthesis:
    (tmp_path / "orders.yaml").write_text(playbook)
    deployment = Deployment(
        region="eu-west-1", account="123456789012", playbooks=tmp_path, architecture=Architecture.LOCAL, **said
    )
    return synthesise(deployment, tmp_path / "cdk.out")


class TestAlarms:
    def test_each_says_what_to_do_with_a_command(self, synthesis: Synthesis) -> None:
        """Whoever is woken at three reads nothing but this, and CloudWatch takes it."""
        own = [
            *synthesis.responder.resources("AWS::CloudWatch::Alarm").values(),
            *(each for t in synthesis.templates for each in t.resources("AWS::CloudWatch::CompositeAlarm").values()),
        ]
        described = {each["AlarmName"]: synthesis.responder.written(each["AlarmDescription"]) for each in own}
        described.pop(f"{NAME}-unhealthy")  # it tells nobody: its children do
        for name, said in described.items():
            assert any(command in said for command in COMMANDS), f"{name}: {said}"
            assert len(said) <= LONGEST_DESCRIPTION, f"{name}: {len(said)}"

    def test_a_message_that_waits_is_seen(self, stack: Template) -> None:
        """The oldest one counts, not how many there are."""
        behind = alarm(stack, "intake-behind")
        assert (behind["MetricName"], behind["Statistic"]) == ("ApproximateAgeOfOldestMessage", "Maximum")
        assert (behind["Threshold"], behind["TreatMissingData"]) == (600, "notBreaching")

    def test_the_table_being_throttled_is_seen(self, stack: Template) -> None:
        """By the metrics that DynamoDB has for a table on demand."""
        table, _ = stack.named("AWS::DynamoDB::Table", "TableName", NAME)
        for kind in ("Read", "Write"):
            throttled = alarm(stack, f"ledger-{kind.lower()}s-throttled")
            assert (throttled["Namespace"], throttled["MetricName"]) == ("AWS/DynamoDB", f"{kind}ThrottleEvents")
            assert throttled["Dimensions"] == [{"Name": "TableName", "Value": {"Ref": table}}]

    def test_a_lease_has_to_be_overdue_at_two_sweeps(self, stack: Template) -> None:
        """One that is given back between two of them wakes nobody."""
        overdue = alarm(stack, "leases-overdue")
        assert (overdue["EvaluationPeriods"], overdue["Period"], overdue["Statistic"]) == (2, 300, "Maximum")


class TestHeartbeat:
    def test_it_goes_the_way_of_every_signal(self, stack: Template) -> None:
        """From a schedule into the intake queue, as EventBridge writes it; the intake knows it by the rule's name."""
        queue, _ = stack.named("AWS::SQS::Queue", "QueueName", f"{NAME}-intake")
        _, rule = stack.named("AWS::Events::Rule", "Name", f"{NAME}-heartbeat")
        (target,) = rule["Targets"]
        assert rule["ScheduleExpression"] == f"rate({EVERY_S // 60} minutes)"
        assert target["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}
        assert "Input" not in target
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == RETURNS_WITHIN_S
        arn = f"arn:aws:events:eu-west-1:123456789012:rule/{rule['Name']}"
        assert is_beat({"detail-type": "Scheduled Event", "source": "aws.events", "resources": [arn]})

    def test_none_for_so_long_as_two_take_is_an_alarm(self, stack: Template) -> None:
        """No data is what a responder that is down sends; one alone that is lost is nobody's night."""
        lost = alarm(stack, "heartbeat-lost")
        assert (lost["ComparisonOperator"], lost["Threshold"]) == ("LessThanThreshold", 1)
        assert (lost["TreatMissingData"], lost["EvaluationPeriods"], lost["Period"]) == ("breaching", 1, LOST_AFTER_S)
        assert 2 * EVERY_S < LOST_AFTER_S < 3 * EVERY_S
        assert LOST_AFTER_S % 60 == 0


class TestUnattended:
    def test_the_responder_is_unwell_when_nobody_may_be_at_work(self, stack: Template) -> None:
        """Broken reports, checks or digests do not count: they keep no incident from being carried."""
        unhealthy = composite(stack)
        named = {
            stack.body["Resources"][part["Ref"]]["Properties"]["AlarmName"].removeprefix(f"{NAME}-")
            for part in unhealthy["AlarmRule"]["Fn::Join"][1]
            if isinstance(part, dict)
        }
        assert named == UNWELL
        rows = OPERATIONS.table("alarm", "what it means", "what to do")
        assert {name for row in rows if "(unwell)" in row[0] for name in re.findall(r"`([^`]+)`", row[0])} == UNWELL
        assert "AlarmActions" not in unhealthy

    def test_people_hear_of_a_service_straight_only_then(self, synthesis: Synthesis) -> None:
        """One of its alarms, made here or by others, and the responder unwell: not one without the other."""
        service = synthesis.services[f"{NAME}-shop-orders"]
        unattended = composite(service)
        any_of, _, unwell = unattended["AlarmRule"].partition(" AND ")
        assert unwell == f'ALARM("{NAME}-unhealthy")'
        made = {each["AlarmName"] for each in service.resources("AWS::CloudWatch::Alarm").values()}
        named = set(re.findall(r'ALARM\("([^"]+)"\)', any_of))
        assert named == made | {"orders-legacy-5xx"}
        assert any_of == f"({' OR '.join(re.findall(r'ALARM[^)]+[)]', any_of))})"

    def test_it_pages_and_needs_nothing_of_ours_for_it(self, synthesis: Synthesis) -> None:
        """From CloudWatch to the page topic, past every function, table and workflow; and after its alarms are made."""
        service = synthesis.services[f"{NAME}-shop-orders"]
        ((_, whole),) = service.attributes("AWS::CloudWatch::CompositeAlarm").items()
        (action,) = whole["Properties"]["AlarmActions"]
        assert "Pages" in service.written(action)
        assert set(service.resources("AWS::CloudWatch::Alarm")) <= set(whole["DependsOn"])

    def test_a_service_with_nothing_but_alarms_of_others_has_one(self, tmp_path: Path) -> None:
        """They need no stack of ours to go off, and people to hear of them all the same."""
        made = without(tmp_path, "region: eu-west-1\ncluster: shop\nservice: orders\nalarms: [{existing: theirs}]\n")
        rule = composite(made.services[f"{NAME}-shop-orders"])["AlarmRule"]
        assert rule == f'(ALARM("theirs")) AND ALARM("{NAME}-unhealthy")'

    def test_a_service_without_alarms_has_none(self, tmp_path: Path) -> None:
        """There is nothing that could go off."""
        assert without(tmp_path, "region: eu-west-1\ncluster: shop\nservice: orders\n").services == {}

    def test_it_can_be_done_without(self, tmp_path: Path) -> None:
        """Composite alarms cost, and an emulator may not have them."""
        playbook = "region: eu-west-1\ncluster: shop\nservice: orders\nalarms: [{existing: theirs}, {symptom: cpu}]\n"
        made = without(tmp_path, playbook, unattended=False)
        assert not [t for t in made.templates if t.resources("AWS::CloudWatch::CompositeAlarm")]

    def test_names_are_quoted(self) -> None:
        """A name that others gave may have anything in it."""
        assert alarm_rule(['a "b" \\ (c)', "d"]) == 'ALARM("a \\"b\\" \\\\ (c)") OR ALARM("d")'


class TestAsynchronousCalls:
    @pytest.mark.parametrize(
        ("function", "retries", "waits_s"),
        [("sweep", 2, 300), ("bake", 2, 21_600), ("check", 0, 60), ("digest", 2, 21_600)],
    )
    def test_what_is_repeated_is_said_where_lambda_heeds_it(
        self, stack: Template, function: str, retries: int, waits_s: int
    ) -> None:
        """A target's own retries are about handing the event over, and say nothing of a function that fails."""
        logical_id, _ = stack.named("AWS::Lambda::Function", "FunctionName", f"{NAME}-{function}")
        _, config = stack.named("AWS::Lambda::EventInvokeConfig", "FunctionName", {"Ref": logical_id})
        assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (retries, waits_s)
        targets = [
            target
            for rule in stack.resources("AWS::Events::Rule").values()
            for target in rule["Targets"]
            if target["Arn"] == {"Fn::GetAtt": [logical_id, "Arn"]}
        ]
        assert targets
        assert not [target for target in targets if "MaximumRetryAttempts" in target.get("RetryPolicy", {})]

    def test_an_event_that_is_lost_is_told(self, stack: Template) -> None:
        """Of a secret that was changed nobody tells again: the first attempt that fails says what to do."""
        told = alarm(stack, "bake-errors")
        assert (told["MetricName"], told["Threshold"]) == ("Errors", 1)
        assert "responder redeploy" in stack.written(told["AlarmDescription"])


class TestDashboard:
    def test_it_shows_only_what_is_emitted(self, stack: Template) -> None:
        """Each metric of the responder's own by a name and dimensions that the functions write."""
        shown = set(own_metrics(stack))
        assert shown <= {(count.value, BY.get(count)) for count in Count}
        assert {
            Count.INCIDENTS_OPENED,
            Count.INCIDENTS_RESOLVED,
            Count.PAGES_SENT,
            Count.RECOVERY_SECONDS,
            Count.ACTIONS_BEGUN,
            Count.ALARMS_RAISED,
            Count.FLEET_ACTIONS,
            Count.HEARTBEAT_SECONDS,
        } <= {name for name, _ in shown}

    def test_it_begins_with_every_alarm_of_the_responder(self, stack: Template) -> None:
        """Is it well? comes before what it does."""
        own = set(stack.resources("AWS::CloudWatch::Alarm"))
        status = next(w for w in widgets(stack) if w["type"] == "alarm")
        named = set(re.findall(r"<(\w+)\.Arn>", json.dumps(status)))
        assert named == own

    def test_it_has_no_more_metrics_than_are_for_nothing(self, stack: Template) -> None:
        """Fifty of them on each of three dashboards. A search draws what there was in the time that is looked at."""
        graphs = [w["properties"]["metrics"] for w in widgets(stack) if w["type"] == "metric"]
        plain = [m for g in graphs for m in g if not isinstance(m[0], dict)]
        assert len(plain) <= 50

    def test_it_can_be_done_without(self, tmp_path: Path) -> None:
        """Where the three that cost nothing are used up."""
        made = without(tmp_path, "region: eu-west-1\ncluster: shop\nservice: orders\n", fleet_dashboard=False)
        assert made.responder.resources("AWS::CloudWatch::Dashboard") == {}


def widgets(stack: Template) -> list[dict[str, Any]]:
    (dashboard,) = stack.resources("AWS::CloudWatch::Dashboard").values()
    assert dashboard["DashboardName"] == f"{NAME}-eu-west-1"
    body: list[dict[str, Any]] = json.loads(stack.written(dashboard["DashboardBody"]))["widgets"]
    return body


def own_metrics(stack: Template) -> Iterator[tuple[str, str | None]]:
    """Name and second dimension of each metric of the responder's own namespace."""
    for widget in widgets(stack):
        for metric in widget["properties"].get("metrics", []):
            if metric[0] == NAMESPACE:
                assert metric[2:4] == ["service", NAME]
                yield metric[1], None
            elif isinstance(metric[0], dict):
                (found,) = re.findall(r"\{(\w+),service,(\w+)\} MetricName=\"(\w+)\"", metric[0]["expression"])
                assert found[0] == NAMESPACE
                yield found[2], found[1]
