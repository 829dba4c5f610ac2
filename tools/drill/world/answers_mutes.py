"""Mute rules of Amazon CloudWatch, as the world answers for them (Amazon CloudWatch API reference)."""

import re
from datetime import UTC, datetime, timedelta

from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.world import Mute, World

_ONCE = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d)\) for PT(\d+)M")


def put_alarm_mute_rule(world: World, parameters: Parameters) -> Answer:
    """One window in UTC, in whole minutes: what the responder writes."""
    schedule = parameters["Rule"]["Schedule"]
    written = _ONCE.fullmatch(f"{schedule['Expression']} for {schedule['Duration']}")
    if written is None or schedule.get("Timezone", "UTC") != "UTC":
        raise NotImplementedError(f"the world cannot read the schedule {schedule}")
    begins = datetime.fromisoformat(written[1]).replace(tzinfo=UTC)
    ends = begins + timedelta(minutes=int(written[2]))
    world.mute(
        Mute(
            rule=parameters["Name"],
            alarms=tuple(parameters["MuteTargets"]["AlarmNames"]),
            begins=begins,
            ends=min(ends, parameters.get("ExpireDate", ends)),
            written=dict(parameters["Rule"]),
        )
    )
    return {}


def get_alarm_mute_rule(world: World, parameters: Parameters) -> Answer:
    mute = world.mutes.get(parameters["AlarmMuteRuleName"])
    if mute is None:
        raise Refused("ResourceNotFoundException", "There is no such mute rule.", status=404)
    status = "SCHEDULED" if world.now < mute.begins else "ACTIVE" if world.now < mute.ends else "EXPIRED"
    return {
        "Name": mute.rule,
        "Rule": mute.written,
        "MuteTargets": {"AlarmNames": list(mute.alarms)},
        "ExpireDate": mute.ends,
        "Status": status,
        "MuteType": "ONE_TIME",
    }


def delete_alarm_mute_rule(world: World, parameters: Parameters) -> Answer:
    world.unmute(parameters["AlarmMuteRuleName"])
    return {}


def list_alarm_mute_rules(world: World, parameters: Parameters) -> Answer:
    """The rules that are active now, without what they mute: so CloudWatch lists them."""
    if parameters.get("Statuses") != ["ACTIVE"]:
        raise NotImplementedError("the world lists the active mute rules alone")
    name = parameters.get("AlarmName")
    active = [mute for mute in world.mutes.values() if mute.begins <= world.now < mute.ends]
    where = f"{world.setting.region}:{world.setting.account}"
    return {
        "AlarmMuteRuleSummaries": [
            {
                "AlarmMuteRuleArn": f"arn:aws:cloudwatch:{where}:alarm-mute-rule:{mute.rule}",
                "ExpireDate": mute.ends,
                "Status": "ACTIVE",
                "MuteType": "ONE_TIME",
            }
            for mute in active
            if name is None or name in mute.alarms
        ]
    }


MUTES = Operations(
    reads={"ListAlarmMuteRules": list_alarm_mute_rules},
    keeping={
        "PutAlarmMuteRule": put_alarm_mute_rule,
        "GetAlarmMuteRule": get_alarm_mute_rule,
        "DeleteAlarmMuteRule": delete_alarm_mute_rule,
    },
)
