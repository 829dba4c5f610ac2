"""What watches a service: alarms that would tell somebody, rules that silence them, and the dashboard."""

import pytest

from functions.adapters.monitoring import CALLS, CloudWatchMonitoring
from functions.domain.errors import ReadFailed
from functions.domain.validation import AlarmWiring
from tests.fakes.aws import FakeAws, Parameters, refusal

TOPIC = "arn:aws:sns:eu-west-1:000000000000:alarms"
RULE = {"AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-west-1:000000000000:alarm-mute-rule:quiet-night"}
ALARMS = [
    {"AlarmName": "orders-cpu", "ActionsEnabled": True, "AlarmActions": [TOPIC]},
    {"AlarmName": "orders-memory", "ActionsEnabled": False, "AlarmActions": [TOPIC]},
    {"AlarmName": "orders-errors", "AlarmActions": []},
]
NAMES = ["orders-cpu", "orders-memory", "orders-errors", "orders-gone"]


def aws(*, rules: dict[str | None, list[dict[str, str]]] | None = None, **more: object) -> FakeAws:
    def listed(parameters: Parameters) -> dict[str, object]:
        assert parameters["Statuses"] == ["ACTIVE"]
        return {"AlarmMuteRuleSummaries": (rules or {}).get(parameters.get("AlarmName"), [])}

    replies = {"DescribeAlarms": {"MetricAlarms": ALARMS}, "ListAlarmMuteRules": listed, **more}
    return FakeAws(**replies)  # type: ignore[arg-type]


def reader(fake: FakeAws) -> CloudWatchMonitoring:
    return CloudWatchMonitoring(fake.client("cloudwatch"))


def test_how_alarms_are_wired() -> None:
    """Enabled unless CloudWatch says otherwise; one that does not exist is not there."""
    facts = reader(aws()).monitoring(NAMES, dashboard=None)
    assert facts.alarms == {
        "orders-cpu": AlarmWiring(name="orders-cpu", actions_enabled=True, has_actions=True),
        "orders-memory": AlarmWiring(name="orders-memory", actions_enabled=False, has_actions=True),
        "orders-errors": AlarmWiring(name="orders-errors", actions_enabled=True, has_actions=False),
    }
    assert facts.dashboard is None


def test_each_alarm_is_asked_for_only_where_a_rule_is_active() -> None:
    """The list does not say what a rule mutes; on an ordinary day one request is enough."""
    quiet = aws()
    assert reader(quiet).monitoring(NAMES, dashboard=None).muted_by == {}
    assert len(quiet.calls) == 2
    muted = aws(rules={None: [RULE], "orders-cpu": [RULE]})
    assert reader(muted).monitoring(NAMES, dashboard=None).muted_by == {"orders-cpu": ("quiet-night",)}


@pytest.mark.parametrize(("reply", "there"), [({}, True), (refusal("ResourceNotFound", status=404), False)])
def test_a_dashboard_is_there_or_it_is_not(reply: object, there: bool) -> None:
    """The one error that says no is told from every other."""
    fake = aws(GetDashboard=reply)
    assert reader(fake).monitoring(NAMES, dashboard="responder-orders").dashboard is there
    assert fake.actions == set(CALLS)


def test_alarms_that_cannot_be_read_are_unknown() -> None:
    """Never an empty answer instead, which would say that none exists."""
    with pytest.raises(ReadFailed, match="the alarms of the playbook"):
        reader(aws(DescribeAlarms=refusal("AccessDenied", status=403))).monitoring(NAMES, dashboard=None)


@pytest.mark.parametrize(
    ("operation", "what"), [("ListAlarmMuteRules", "mute rules"), ("GetDashboard", "the dashboard")]
)
def test_what_else_is_refused_leaves_the_rest(operation: str, what: str) -> None:
    """It is named as unread; what the alarms show holds all the same, and nothing is asked twice."""
    fake = aws(GetDashboard={})
    fake.replies[operation] = refusal("AccessDenied", status=403)
    facts = reader(fake).monitoring(NAMES, dashboard="responder-orders")
    assert len(facts.alarms) == 3
    (unread,) = facts.unread
    assert unread.startswith(what)
    assert len(fake.calls) == 3
