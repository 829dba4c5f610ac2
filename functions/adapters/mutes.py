"""Mutes alarms for a while, by a mute rule that ends by itself."""

from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.answers import changing, code_of, reading, request_id
from functions.adapters.cloudwatch import actions_of
from functions.domain.called import Service
from functions.domain.changes import ChangeResult, MuteAlarm, UnmuteAlarm
from functions.domain.errors import ChangeRefused, ReadFailed
from functions.domain.mutes import rule_of
from functions.ports import Clock

CALLS = ("cloudwatch:GetAlarmMuteRule", "cloudwatch:PutAlarmMuteRule", "cloudwatch:DeleteAlarmMuteRule")
"""IAM actions. PutAlarmMuteRule needs its right on the rule and on the alarm (CloudWatch API reference)."""

_NOTE_LIMIT = 1024


class AlarmMutes:
    """The `MuteReader` of the deployed responder, a part of its changer, and the `MuteKeeper` of the desk."""

    def __init__(self, *, client: Callable[[Service], Any], clock: Clock) -> None:
        """`client` makes a client that sends each call once."""
        self._client = client
        self._clock = clock

    def apply(self, change: MuteAlarm | UnmuteAlarm) -> ChangeResult:
        return self._mute(change) if isinstance(change, MuteAlarm) else self._unmute(change.alarm)

    def muted_s(self, alarm: str) -> int:
        """How long our rule mutes the alarm in all; 0 where there is none, or where it has expired.

        Raises:
            ReadFailed: if CloudWatch does not say.
        """
        with reading(f"the mute rule of alarm {alarm}"):
            try:
                rule = self._client("cloudwatch").get_alarm_mute_rule(AlarmMuteRuleName=rule_of(alarm))
            except ClientError as error:
                if code_of(error) == "ResourceNotFoundException":
                    return 0
                raise
        written = rule.get("Rule", {}).get("Schedule", {}).get("Duration", "")
        if rule.get("Status") == "EXPIRED":
            return 0
        minutes = written.removeprefix("PT").removesuffix("M")
        # A rule that somebody has written anew has another duration than any that is written here.
        return 60 * int(minutes) if minutes.isdigit() else -1

    def actions(self, alarm: str) -> tuple[str, ...] | None:
        """ARNs of what the alarm does.

        Raises:
            ReadFailed: if CloudWatch does not say, or knows no such alarm.
        """
        with reading(f"alarm {alarm}"):
            answer = self._client("cloudwatch").describe_alarms(
                AlarmNames=[alarm], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        if not found:
            raise ReadFailed(f"there is no alarm {alarm}")
        return actions_of(found[0])

    def _mute(self, change: MuteAlarm) -> ChangeResult:
        """From the next whole minute on: whether a rule may begin in the past, the API reference does not say."""
        try:
            muted = self.muted_s(change.alarm)
        except ReadFailed as failed:
            raise ChangeRefused(f"nothing was muted: {failed}") from failed
        if muted != 0:
            raise ChangeRefused(f"alarm {change.alarm} is muted already")
        begins = (self._clock.now() + timedelta(minutes=1)).replace(second=0, microsecond=0)
        minutes = max(1, ceil(change.duration_s / 60))
        with changing(f"PutAlarmMuteRule of {change.alarm}"):
            answer = self._client("cloudwatch").put_alarm_mute_rule(
                Name=rule_of(change.alarm),
                Description=change.note[:_NOTE_LIMIT],
                Rule={"Schedule": {"Expression": f"at({begins:%Y-%m-%dT%H:%M})", "Duration": f"PT{minutes}M"}},
                MuteTargets={"AlarmNames": [change.alarm]},
                ExpireDate=begins + timedelta(minutes=minutes),
            )
        return ChangeResult(request_id=request_id(answer), made=rule_of(change.alarm))

    def _unmute(self, alarm: str) -> ChangeResult:
        """To delete what is not there is no error (CloudWatch API reference)."""
        with changing(f"DeleteAlarmMuteRule of {alarm}"):
            answer = self._client("cloudwatch").delete_alarm_mute_rule(AlarmMuteRuleName=rule_of(alarm))
        return ChangeResult(request_id=request_id(answer))
