"""Mute an alarm that flaps, for a while: people are not called again and again for nothing."""

from functions.actions.action import Action, Refusal, Terms, state_before
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, LeaseKind, LeaseTerms, MuteAlarm, Plan
from functions.domain.findings import Findings
from functions.domain.mutes import flapping, not_to_be_muted
from functions.domain.permissions import Permission, Resource
from functions.domain.signals import AlarmState


def plan_mute_alarm(cause: Cause, findings: Findings, terms: Terms) -> Plan | Refusal:
    """Exactly one: an alarm of the playbook that goes off and on by itself, and that only tells people."""
    service, alarms, history = findings.service.value, findings.alarms.value, findings.history.value
    if service is None or alarms is None or history is None:
        return Refusal("the service, its alarms or their history could not be read")
    loud = [alarm for alarm in alarms.alarms if alarm.state is AlarmState.ALARM]
    flaps = [alarm for alarm in loud if flapping(alarm, history, now=findings.looked_at)]
    if not flaps or len(flaps) != len(loud):
        return Refusal("not every alarm that is in ALARM goes off and on again by itself")
    alarm = flaps[0]
    if alarm.name not in terms.alarms:
        return Refusal(f"alarm {alarm.name} is none of the existing alarms that the playbook names")
    refusal = not_to_be_muted(alarm.actions)
    if refusal is not None:
        return Refusal(f"alarm {alarm.name} is not muted: {refusal}")
    if any(lease.terms.kind is LeaseKind.MUTE and lease.terms.resource_id == alarm.name for lease in terms.leases):
        return Refusal(f"alarm {alarm.name} is muted already")
    times = history.by_itself(alarm.name)
    changes = (MuteAlarm(alarm=alarm.name, duration_s=terms.mute_s, note=f"it flaps: {terms.incident_id}"),)
    return Plan(
        action=ActionName.MUTE_ALARM,
        cause=cause,
        summary=f"mute alarm {alarm.name} for {terms.mute_s // 60} minutes: it went off {times} times lately, briefly",
        changes=changes,
        before=state_before(changes, service),
        undo=f"responder unmute {alarm.name}",
        settle_s=terms.settle_s,
        deadline_s=terms.deadline_s,
        leases=(
            LeaseTerms(
                kind=LeaseKind.MUTE,
                resource_id=alarm.name,
                original=0,
                value=terms.mute_s,
                duration_s=terms.mute_s,
            ),
        ),
    )


MUTE_ALARM = Action(
    name=ActionName.MUTE_ALARM,
    effect="mutes an alarm that flaps, as a lease: its actions are held back, its state still changes",
    preconditions="an existing alarm of the playbook that goes off and on by itself, and whose actions are SNS topics "
    "alone",
    undo="the mute ends by itself with the lease, or is ended earlier",
    restarts_or_scales=False,
    plan=plan_mute_alarm,
    permissions=(
        Permission(action="cloudwatch:GetAlarmMuteRule", resource=Resource.MUTE_RULE),
        Permission(action="cloudwatch:PutAlarmMuteRule", resource=Resource.MUTED_ALARM),
    ),
)

UNMUTES = (
    Permission(action="cloudwatch:GetAlarmMuteRule", resource=Resource.MUTE_RULE),
    Permission(action="cloudwatch:DeleteAlarmMuteRule", resource=Resource.MUTE_RULE),
)
"""What giving back needs: less than muting."""
