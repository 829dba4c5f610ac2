"""What was done in an incident, and what it brought."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from functions.domain.changes import (
    BackUpTable,
    BlockAddress,
    CallWebhook,
    DeregisterTarget,
    DisableUser,
    ForceNewDeployment,
    Lease,
    LeaseKind,
    LeaseTerms,
    MuteAlarm,
    Plan,
    RegisterCopy,
    ScaleToZero,
    SetCeiling,
    SetFloor,
    SetStickiness,
    SetTaskDefinition,
    SetTracking,
    ShiftZone,
    SnapshotDatabase,
    StateBefore,
    StopDeployment,
    StopTask,
)
from functions.domain.differences import Difference
from functions.domain.durations import spoken
from functions.domain.evidence import brief, group_name, short
from functions.domain.incidents import Event, Fact
from functions.workflow.reporting.known import DONE, Known
from functions.workflow.reporting.model import ActionTold, Curve, Gain, LeaseTold
from functions.workflow.reporting.words import figure
from functions.workflow.story import Intent
from functions.workflow.table import Outcome

SAME = 0.1
"""A figure that moved by less than this share of itself hardly changed."""

POINTS = 3
"""Data points that are averaged before an action, and at the end of its effect."""

_ENDED = {
    Fact.ACTION_TAKEN: "done",
    Fact.ACTION_DOUBTFUL: "perhaps done: nobody answered, and it counts as done",
    Fact.ACTION_REFUSED: "refused by AWS: nothing happened",
}
_LEASE_ENDS = (Fact.LEASE_RESTORED, Fact.LEASE_LEFT)


def actions_told(known: Known, curves: Sequence[Curve]) -> tuple[ActionTold, ...]:
    """Every plan that was begun, in order."""
    told = []
    for number, stages in enumerate(known.made, 1):
        later = known.made[number][0] if number < len(known.made) else None
        told.append(_told(known, number, stages, later, curves))
    return tuple(told)


def _told(
    known: Known, number: int, stages: Sequence[Intent], later: Intent | None, curves: Sequence[Curve]
) -> ActionTold:
    plan, began = stages[0].plan, stages[0]
    ended = next((i.ended for i in reversed(stages) if i.ended is not None), None)
    done = "nobody wrote down how it ended" if ended is None else _ENDED[ended]
    if ended is Fact.ACTION_TAKEN and not stages[-1].completes:
        done = f"stopped after stage {stages[-1].stage + 1} of {len(plan.changes)}"
    until = known.trail.incident.closed_at if later is None else later.at
    helped, effect = _effect(known, stages, later)
    changed = any(intent.ended in DONE for intent in stages)
    return ActionTold(
        number=number,
        at=began.at,
        action=plan.action,
        cause=plan.cause,
        summary=plan.summary,
        done=done,
        effect=effect if changed else "",
        helped=helped if changed else None,
        state=tuple(dict.fromkeys(_state(stages))),
        gains=tuple(_gains(curves, began.at, until)) if changed else (),
        undo=plan.undo,
        granted_by=_granted_by(known, began),
        details=tuple(dict.fromkeys(event.summary for event in _answers(known, stages))),
    )


def _answers(known: Known, stages: Sequence[Intent]) -> Iterator[Event]:
    """The event by which each stage ended: the next of its kind after the intent."""
    for intent in stages:
        after = (event for event in known.trail.events if event.sequence > intent.sequence and event.fact in _ENDED)
        if intent.ended is not None and (event := next(after, None)) is not None:
            yield event


def _effect(known: Known, stages: Sequence[Intent], later: Intent | None) -> tuple[bool | None, str]:
    """Whether it helped, as far as the checks behind it say, and what they said."""
    last, first = stages[-1], stages[0]
    checks = [
        event
        for event in known.trail.events
        if event.fact is Fact.RECOVERY_CHECKED
        and event.sequence > last.sequence
        and (later is None or event.sequence < later.sequence)
    ]
    newest = checks[-1] if checks else None
    outcome = None if newest is None else newest.data.get("outcome")
    if newest is not None and outcome == Outcome.RECOVERED:
        return True, f"recovered {spoken(newest.at - first.at)} after it began: {newest.data.get('reason', '')}"
    if newest is not None and outcome == Outcome.INEFFECTIVE:
        return False, f"no effect {spoken(newest.at - first.at)} after it began: {newest.data.get('reason', '')}"
    if later is not None:
        return None, f"another action followed {spoken(later.at - first.at)} later, before its own effect was seen"
    closed_at = known.trail.incident.closed_at
    if closed_at is None:
        seen = "" if newest is None else f"; the newest check says {newest.summary}"
        return None, f"the incident is still open{seen}"
    return None, f"all was clear {spoken(closed_at - first.at)} after it began, without a check that says why"


def _granted_by(known: Known, began: Intent) -> str:
    """Who allowed it, where people were asked before."""
    earlier = [event for event in known.trail.events if event.sequence < began.sequence]
    answers = [e for e in earlier if e.fact in (Fact.APPROVAL_GRANTED, Fact.APPROVAL_DENIED, Fact.ACTION_INTENDED)]
    newest = answers[-1] if answers else None
    return newest.actor if newest is not None and newest.fact is Fact.APPROVAL_GRANTED else ""


def _state(stages: Sequence[Intent]) -> Iterator[Difference]:
    """What its stages set, those that were made: from the state that the plan relied on."""
    before = stages[0].plan.before
    for intent in stages:
        if intent.ended in DONE:
            yield from _set(intent, before)
            before = before.after(intent.change)


def _set(intent: Intent, before: StateBefore) -> Iterator[Difference]:
    plan: Plan = intent.plan

    def differs(what: str, was: Any, now: Any) -> Difference:
        return Difference(what=what, before="" if was is None else str(was), after="" if now is None else str(now))

    match intent.change:
        case SetTaskDefinition(task_definition=after):
            yield differs("task definition", short(before.task_definition or ""), short(after))
        case RegisterCopy(task_definition=original, cpu=cpu, memory_mib=memory):
            made = short(intent.result.made) if intent.result is not None else "a copy"
            size = ", ".join(
                [*([] if cpu is None else [f"{cpu} CPU units"]), *([] if memory is None else [f"{memory} MiB"])]
            )
            yield differs("copy registered", short(original), f"{made}{f' with {size}' if size else ''}")
        case StopDeployment():
            yield differs("deployment in flight", short(before.task_definition or ""), "stopped; ECS goes back")
        case ForceNewDeployment():
            yield differs("tasks", "those that ran", "all new, of the same task definition")
        case SetFloor(minimum=minimum):
            yield differs("minimum of tasks", before.minimum, minimum)
        case SetCeiling(maximum=maximum, minimum=minimum):
            yield differs("maximum of tasks", before.maximum, maximum)
            if minimum is not None:
                yield differs("minimum of tasks", before.minimum, minimum)
        case SetTracking(policy=policy, target=target):
            was = None if before.tracking is None else f"{before.tracking:g} %"
            yield differs(f"target of {policy}", was, f"{target:g} %")
        case DeregisterTarget(target=target_id):
            yield differs(f"target {target_id}", "gets requests", "gets no new ones")
        case StopTask(task=task):
            yield differs(f"task {brief(task.rsplit('/', 1)[-1])}", "runs", "stopped; ECS starts another")
        case ShiftZone(zone=zone, expires_s=expires):
            yield differs(f"traffic of {zone}", "flows", f"shifted away for {spoken(timedelta(seconds=expires))}")
        case SetStickiness(target_group=group, duration_s=duration):
            yield differs(f"sticky sessions of {group_name(group)}", "off", f"on, {duration} s")
        case MuteAlarm(alarm=alarm, duration_s=duration):
            yield differs(f"alarm {alarm}", "speaks", f"muted for {spoken(timedelta(seconds=duration))}")
        case ScaleToZero():
            yield differs("tasks wanted", before.desired, 0)
        case BlockAddress(address=address):
            yield differs(f"address {address}", "let in", "blocked")
        case DisableUser(user=user):
            yield differs(f"user {user}", "may sign in", "disabled")
        case CallWebhook(webhook=webhook):
            yield differs(
                f"webhook {webhook}", "", "called" if intent.result is None else intent.result.answer or "called"
            )
        case BackUpTable() | SnapshotDatabase():
            yield differs("backup", "", "taken" if intent.result is None else intent.result.made or "taken")
        case _:
            yield differs(plan.action, "", plan.summary)


def _gains(curves: Sequence[Curve], at: datetime, until: datetime | None) -> Iterator[Gain]:
    """The figures of the last periods before an action, and of the last ones before what followed it."""
    for curve in curves:
        before = [value for moment, value in curve.points if moment < at][-POINTS:]
        after = [value for moment, value in curve.points if moment > at and (until is None or moment < until)][-POINTS:]
        if before and after:
            # Of what is counted one by one a mean is no number of them.
            was, now = (fmean(before), fmean(after)) if curve.unit else (before[-1], after[-1])
            yield Gain(
                what=curve.title,
                before=figure(was, curve.unit),
                after=figure(now, curve.unit),
                same=abs(now - was) <= SAME * max(abs(now), abs(was)),
            )


def leases_told(known: Known, out: Sequence[Lease], *, now: datetime) -> tuple[LeaseTold, ...]:
    """Everything temporary that this incident took, and how each ended, if it did. A zonal shift is no lease: it ends
    by itself."""
    taken: dict[str, Lease] = {}
    ended: dict[str, str] = {}
    for event in known.trail.events:
        written = event.data.get("lease")
        if not written:
            continue
        lease = Lease.model_validate(written)
        taken[lease.id] = lease
        if event.fact in _LEASE_ENDS:
            ended[lease.id] = f"{event.at:%H:%M:%S} UTC: {event.summary}"
    still = {lease.id: lease for lease in out}
    shifts = [
        LeaseTold(
            text=f"traffic of {intent.change.zone} shifted away",
            due_at=until,
            ended=f"{until:%H:%M:%S} UTC: the shift ended by itself" if until <= now else "",
        )
        for intent in known.story.intents
        if intent.ended in DONE and isinstance(intent.change, ShiftZone)
        for until in (intent.at + timedelta(seconds=intent.change.expires_s),)
    ]
    return (
        *(
            LeaseTold(
                text=lease_text(lease.terms),
                due_at=still.get(identifier, lease).due_at,
                ended=ended.get(identifier, ""),
            )
            for identifier, lease in taken.items()
        ),
        *shifts,
    )


def lease_text(terms: LeaseTerms) -> str:
    """What is set for a while: from what, to what."""
    match terms.kind:
        case LeaseKind.FLOOR | LeaseKind.CEILING:
            end = "minimum" if terms.kind is LeaseKind.FLOOR else "maximum"
            return f"{end} of tasks {terms.original:g} → {terms.value:g}"
        case LeaseKind.COUNT:
            return f"wanted tasks {terms.original:g} → {terms.value:g}"
        case LeaseKind.TRACKING:
            return f"target of {terms.policy} {terms.original:g} % → {terms.value:g} %"
        case LeaseKind.MUTE:
            return f"alarm {terms.resource_id} muted"
        case LeaseKind.ADDRESS:
            return f"{'an address' if terms.block is None else terms.block.address} blocked"
