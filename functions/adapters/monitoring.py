"""Reads what watches a service: whether its alarms would tell anybody, and whether its dashboard is there."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.answers import Answer, code_of, reading
from functions.adapters.cloudwatch import ALARMS_PER_CALL
from functions.domain.errors import ReadFailed
from functions.domain.redaction import clean
from functions.domain.validation import AlarmWiring, MonitoringFacts

CALLS = ("cloudwatch:DescribeAlarms", "cloudwatch:ListAlarmMuteRules", "cloudwatch:GetDashboard")
"""IAM actions."""

_ACTIVE = "ACTIVE"


class CloudWatchMonitoring:
    """The `MonitoringReader` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any) -> None:
        """`client` sends each call once: an incident is not kept open for what is only told."""
        self._cloudwatch = client

    def monitoring(self, alarms: Sequence[str], *, dashboard: str | None) -> MonitoringFacts:
        with reading("the alarms of the playbook"):
            wirings = {wiring.name: wiring for wiring in self._wirings(alarms)}
        muted_by: dict[str, tuple[str, ...]] = {}
        there: bool | None = None
        unread: list[str] = []
        try:
            with reading("mute rules"):
                muted_by = self._muted(alarms)
        except ReadFailed as error:
            unread.append(str(error))
        try:
            with reading("the dashboard"):
                there = None if dashboard is None else self._there(dashboard)
        except ReadFailed as error:
            unread.append(str(error))
        return MonitoringFacts(alarms=wirings, muted_by=muted_by, dashboard=there, unread=tuple(unread))

    def _wirings(self, names: Sequence[str]) -> list[AlarmWiring]:
        found: list[Answer] = []
        for start in range(0, len(names), ALARMS_PER_CALL):
            answer = self._cloudwatch.describe_alarms(
                AlarmNames=list(names[start : start + ALARMS_PER_CALL]),
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                MaxRecords=ALARMS_PER_CALL,
            )
            found += [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        return [
            AlarmWiring(
                name=alarm["AlarmName"],
                # AWS leaves out what is as by default, and actions are enabled by default (PutMetricAlarm).
                actions_enabled=alarm.get("ActionsEnabled", True),
                has_actions=bool(alarm.get("AlarmActions")),
            )
            for alarm in found
        ]

    def _muted(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The list says which rules are active and not what they mute: so each alarm is asked for, where any is."""
        if not names or not self._rules():
            return {}
        return {name: rules for name in names if (rules := self._rules(AlarmName=name))}

    def _rules(self, **narrowed: str) -> tuple[str, ...]:
        answer = self._cloudwatch.list_alarm_mute_rules(Statuses=[_ACTIVE], **narrowed)
        return tuple(_name(summary) for summary in answer.get("AlarmMuteRuleSummaries", ()))

    def _there(self, dashboard: str) -> bool:
        try:
            self._cloudwatch.get_dashboard(DashboardName=dashboard)
        except ClientError as error:
            # The code of the fault DashboardNotFoundError (CloudWatch API reference, GetDashboard).
            if code_of(error) == "ResourceNotFound":
                return False
            raise
        return True


def _name(summary: Answer) -> str:
    """The end of its ARN, `arn:aws:cloudwatch:REGION:ACCOUNT:alarm-mute-rule:NAME`."""
    return clean(str(summary.get("AlarmMuteRuleArn", "")).rpartition(":")[2], limit=255)
