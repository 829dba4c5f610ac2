"""Remediate: look once more, write the intent, act once, write what happened."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.actions.action import Action, reads_front, reads_scaling, state_before
from functions.diagnostics.dependencies import Watcher
from functions.domain.approvals import Consent
from functions.domain.changes import (
    COPY_JUST_REGISTERED,
    ActionName,
    BackUpTable,
    BlockAddress,
    CallWebhook,
    Change,
    ChangeResult,
    DeregisterTarget,
    DisableUser,
    ForceNewDeployment,
    Lease,
    LeaseTerms,
    MuteAlarm,
    Plan,
    RegisterCopy,
    ScaleToZero,
    SetCeiling,
    SetCount,
    SetFloor,
    SetStickiness,
    SetTaskDefinition,
    SetTracking,
    ShiftZone,
    SnapshotDatabase,
    StateBefore,
    StopDeployment,
    StopTask,
    UnblockAddress,
    UnmuteAlarm,
)
from functions.domain.dependencies import DependenciesFacts, DependencyFacts
from functions.domain.errors import ChangeDoubtful, ChangeRefused, ReadFailed, Superseded
from functions.domain.evidence import Release, ScalingFacts, ServiceFacts, short
from functions.domain.findings import Findings, Reading
from functions.domain.incidents import Fact, InboxEntry, Incident, NewEvent
from functions.domain.releases import quarantined
from functions.domain.signals import pending
from functions.domain.words import counted
from functions.guardrails.verdicts import HOUR, OF_THE_LEDGER, SWITCHES, Guardrail, Situation, judge, task_counts
from functions.playbooks.schema import Playbook
from functions.ports import BudgetCharge, Clock, Fleet, HealthReaders, Ledger, ServiceChanger, ServiceRecord
from functions.workflow.intents import doubtful, quarantine
from functions.workflow.promises import in_time
from functions.workflow.situation import situation_of
from functions.workflow.story import Intent, Story, heeding, tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Result, Visit, case_file_of

READINGS = 6
"""As many as are made side by side just before acting."""

DEPLOYED = frozenset({"task_definition", "primary_deployment", "deployments"})
"""Parts of the state that only a deployment changes."""


@dataclass(frozen=True, kw_only=True)
class Remediate:
    """Carries out the stages of the newest plan, one a visit.

    The function of the contain stack does the same as the step `contain`, with rights of its own. Each of the two takes
    only the plans that are for it.
    """

    ledger: Ledger
    readers: HealthReaders
    changer: ServiceChanger
    clock: Clock
    actions: Mapping[ActionName, Action]
    playbooks: Mapping[str, Playbook]
    fleet_actions_per_hour: int
    step: StepName = StepName.REMEDIATE

    def __call__(self, visit: Visit) -> Result:
        file = case_file_of(visit, self.ledger)
        incident, story = file.incident, tell(file.events)
        if story.open_intent is not None:
            quarantine(self.ledger, incident, story.open_intent.plan)
            self.ledger.append(incident, [doubtful(story.open_intent)], step=self.step)
            return self._in_time(Result(outcome=Outcome.DONE, wait_s=story.open_intent.plan.settle_s), story)
        decision = story.decision
        if decision is None or decision.plan is None or decision.outcome is not Outcome.ACT:
            return self._outdated(incident, "the newest decision is not to act")
        plan = decision.plan
        if plan.action.contains is not (self.step is StepName.CONTAIN):
            raise LookupError(f"{plan.action} is not for the step {self.step}")
        # An order that waits was not begun, even where an earlier one led to the very same plan.
        waits = any(each.number == decision.order for each in story.orders)
        done = () if waits else story.stages_done(plan)
        if len(done) == len(plan.changes):
            return self._in_time(self._through(plan), story)
        playbook = self.playbooks.get(incident.service.key)
        if playbook is None:
            return self._outdated(incident, "the service has no playbook any more")
        again = self._look_again(incident, plan, playbook, story, begun=bool(done))
        reason = self._difference(incident, plan, story, done, again, playbook, order=decision.order)
        if reason is not None:
            return self._outdated(incident, reason)
        return self._in_time(self._act(incident, plan, done, again), story)

    def _in_time(self, result: Result, story: Story) -> Result:
        """Settling is interrupted where people were promised to hear of it meanwhile."""
        return in_time(result, story.due_at, self.clock.now()) if result.outcome is Outcome.DONE else result

    def _outdated(self, incident: Incident, reason: str) -> Result:
        event = NewEvent(fact=Fact.PLAN_OUTDATED, actor=self.step, summary=f"did not act: {reason}")
        self.ledger.append(incident, [event], step=self.step)
        return Result(outcome=Outcome.DIFFERS)

    def _look_again(self, incident: Incident, plan: Plan, playbook: Playbook, story: Story, *, begun: bool) -> "_Again":
        """Read once more, side by side, what the plan stands on. Whoever asks for a reading that failed hears why."""
        now, ref = self.clock.now(), incident.service
        scaled = reads_scaling(plan.changes)
        depends = not begun and self.actions[plan.action].restarts_or_scales and not plan.only_takes_away
        with self.readers.threads(READINGS) as pool:
            return _Again(
                now=now,
                record=pool.submit(self.ledger.service_record, ref),
                fleet=pool.submit(self.ledger.fleet, since=now - HOUR),
                inbox=pool.submit(self.ledger.inbox, incident.id),
                service=pool.submit(self.readers.service.service, ref),
                scaling=pool.submit(self.readers.service.scaling, ref, resource_id=playbook.overrides.scalable_target)
                if scaled
                else None,
                watched=pool.submit(Watcher(self.readers), ref, playbook.dependencies, now=now) if depends else None,
            )

    def _difference(
        self,
        incident: Incident,
        plan: Plan,
        story: Story,
        done: tuple[Intent, ...],
        again: "_Again",
        playbook: Playbook,
        *,
        order: int | None,
    ) -> str | None:
        """What is no longer as it was when the plan was made, or which guardrail says no now; None when everything is
        as it was. `order`: the number of the order that it answers."""
        record = again.record.result()
        situation = self._situation(incident, playbook, plan, story, again, order=order, begun=bool(done))
        # What was found of the service is read again below, and has to be as it was. A further stage was charged and
        # counted with the first one.
        refused = _refused_by(situation, plan, SWITCHES if done else OF_THE_LEDGER)
        if refused is not None:
            return refused
        banned = _banned(plan, record.releases)
        if banned is not None:
            return banned
        if record.holder != incident.id:
            return "another incident holds the service"
        try:
            service = again.service.result()
            if service is None:
                return "the service is gone"
            state = self._state(service, plan, playbook, again)
        except ReadFailed as error:
            return f"the service could not be read again: {error}"
        expected = _expected(plan, done)
        differing = [name for name in type(state).model_fields if getattr(state, name) != getattr(expected, name)]
        if differing:
            contested = not DEPLOYED.isdisjoint(differing)
            return ("external change: " if contested else "state: ") + ", ".join(
                f"{name} was {getattr(expected, name)} and is {getattr(state, name)}" for name in differing
            )
        if not done:
            seen = replace(situation, findings=Findings(looked_at=again.now, service=Reading(value=service)))
            refused = _refused_by(seen, plan, (task_counts,))
            if refused is not None:
                return refused
        leader = _leader(incident, story, again.inbox.result())
        if leader is not None:
            return f"{leader} leads the incident now"
        return _in_trouble(again)

    def _situation(
        self,
        incident: Incident,
        playbook: Playbook,
        plan: Plan,
        story: Story,
        again: "_Again",
        *,
        order: int | None,
        begun: bool,
    ) -> Situation:
        """What the guardrails have to know, as it is now. A grant is used up by the first stage, and holds for all."""
        situation = situation_of(
            incident,
            playbook,
            story,
            Findings(looked_at=again.now),
            record=again.record.result(),
            fleet=again.fleet.result(),
            now=again.now,
            fleet_limit=self.fleet_actions_per_hour,
        )
        action, consent, ordered = self.actions[plan.action], situation.consent, None
        if order is not None:
            entry = next(entry for entry in again.inbox.result() if entry.number == order)
            ordered, consent = pending(entry.number, entry.signal), Consent(granted=consent.granted)
        if begun:
            consent = Consent(granted=plan.hash if story.granted(plan) else None)
        return replace(
            situation,
            restarts_or_scales=action.restarts_or_scales,
            asks=action.asks,
            consent=consent,
            ordered=ordered,
        )

    def _state(self, service: ServiceFacts, plan: Plan, playbook: Playbook, again: "_Again") -> StateBefore:
        """What the plan relies on, as it is now. Raises ReadFailed."""
        front = None
        if reads_front(plan.changes):
            groups = playbook.overrides.target_groups or service.target_groups
            front = self.readers.front.front(groups, load_balancer=playbook.overrides.load_balancer)
        scaling = None if again.scaling is None else again.scaling.result()
        return state_before(plan.changes, service, scaling=scaling, front=front)

    def _act(self, incident: Incident, plan: Plan, done: tuple[Intent, ...], again: "_Again") -> Result:
        stage = len(done)
        change = _concrete(plan.changes[stage], done)
        now = self.clock.now()
        lease = _lease(incident, plan.lease_of(stage), now)
        intended = NewEvent(
            fact=Fact.ACTION_INTENDED,
            actor=self.step,
            summary=f"about to {plan.summary}" if stage == 0 else f"about to go on: {change.kind}",
            data={
                "plan": plan.model_dump(mode="json"),
                "stage": stage,
                "change": change.model_dump(mode="json"),
                "lease": None if lease is None else lease.model_dump(mode="json"),
            },
        )
        limits = self.playbooks[incident.service.key].limits
        budget = BudgetCharge(at=now, service_limit=limits.actions_per_hour, fleet_limit=self.fleet_actions_per_hour)
        try:
            incident = self.ledger.append(
                incident,
                [intended],
                step=self.step,
                lease=lease,
                budget=budget if stage == 0 else None,
                unless_stopped=True,
                as_read=(again.record.result(), again.fleet.result()),
            )
        except Superseded as error:
            current = self.ledger.incident(incident.id)
            if (current.generation, current.head_sequence) != (incident.generation, incident.head_sequence):
                raise
            return self._outdated(current, str(error))
        try:
            result = self.changer.apply(incident.service, change)
        except ChangeRefused as error:
            return self._refused(incident, plan, lease, error)
        except ChangeDoubtful as error:
            event = NewEvent(
                fact=Fact.ACTION_DOUBTFUL,
                actor=self.step,
                summary=f"no clear answer to {change.kind}: it counts as done",
                data={"error": str(error)},
            )
            quarantine(self.ledger, incident, plan)
            self.ledger.append(incident, [event], step=self.step)
            return Result(outcome=Outcome.DONE, wait_s=plan.settle_s)
        return self._taken(incident, plan, stage, change, result)

    def _taken(self, incident: Incident, plan: Plan, stage: int, change: Change, result: ChangeResult) -> Result:
        event = NewEvent(
            fact=Fact.ACTION_TAKEN,
            actor=self.step,
            summary=_done(change, result),
            data={"stage": stage, "change": change.model_dump(mode="json"), "result": result.model_dump(mode="json")},
        )
        last = stage + 1 == len(plan.changes)
        if last:
            quarantine(self.ledger, incident, plan)
        self.ledger.append(incident, [event], step=self.step)
        if not last:
            return Result(outcome=Outcome.NEXT_STAGE, wait_s=plan.pause_s)
        return self._through(plan)

    def _through(self, plan: Plan) -> Result:
        """Every stage was answered: wait for the effect, or go on at once where there is none to wait for."""
        if self.actions[plan.action].prepares:
            return Result(outcome=Outcome.LOOK_AGAIN)
        return Result(outcome=Outcome.DONE, wait_s=plan.settle_s)

    def _refused(self, incident: Incident, plan: Plan, lease: Lease | None, error: ChangeRefused) -> Result:
        event = NewEvent(
            fact=Fact.ACTION_REFUSED,
            actor=self.step,
            summary=f"{plan.action} was not done: {error}",
            data={"error": str(error)},
        )
        incident = self.ledger.append(incident, [event], step=self.step)
        if lease is not None:
            nothing = NewEvent(
                fact=Fact.LEASE_LEFT,
                actor=self.step,
                summary="nothing was changed, so there is nothing to give back",
                data={"lease": lease.model_dump(mode="json")},
            )
            self.ledger.end_lease(incident, lease, nothing)
        return Result(outcome=Outcome.FAILED)


@dataclass(frozen=True, kw_only=True)
class _Again:
    """What is read just before acting."""

    now: datetime
    record: Future[ServiceRecord]
    fleet: Future[Fleet]
    inbox: Future[Sequence[InboxEntry]]
    service: Future[ServiceFacts | None]
    scaling: Future[ScalingFacts] | None
    """None where the plan does not touch it."""
    watched: Future[tuple[DependencyFacts, ...]] | None
    """None where the plan does not burden what the service stands on, or has begun."""


def _banned(plan: Plan, history: Sequence[Release]) -> str | None:
    """Why the release to go back to may not be gone back to any more: somebody quarantined it meanwhile."""
    if plan.action is not ActionName.ROLL_BACK:
        return None
    goals = [c.task_definition for c in plan.changes if isinstance(c, SetTaskDefinition | RegisterCopy)]
    return next((why for goal in goals if (why := quarantined(goal, history)) is not None), None)


def _leader(incident: Incident, story: Story, inbox: Sequence[InboxEntry]) -> str | None:
    """Who took the incident over. What people ordered themselves is done all the same."""
    if story.decision is not None and story.decision.order is not None:
        return None
    return heeding(story, incident.id, [e for e in inbox if e.number > incident.signals_seen]).taken_by


def _in_trouble(again: _Again) -> str | None:
    """A dependency that got into trouble since the plan was made: new tasks, or more, would make that worse."""
    if again.watched is None:
        return None
    troubled = DependenciesFacts(dependencies=again.watched.result()).troubled
    said = ", ".join(f"{d.name} is {d.state} now: {d.detail}" for d in troubled)
    return f"dependency: {said}" if said else None


def _refused_by(situation: Situation, plan: Plan, guardrails: Sequence[Guardrail]) -> str | None:
    """The guardrails that say no, with their reasons; None where all say yes."""
    denied = [verdict for verdict in judge(situation, plan, guardrails) if not verdict.allowed]
    return "; ".join(f"{verdict.guardrail}: {verdict.reason}" for verdict in denied) or None


def _expected(plan: Plan, done: tuple[Intent, ...]) -> StateBefore:
    """What the next stage relies on: the state before the plan, with what its stages have set since."""
    expected = plan.before
    for intent in done:
        expected = expected.after(intent.change)
    return expected


def _lease(incident: Incident, terms: LeaseTerms | None, now: datetime) -> Lease | None:
    """The lease that goes with an intent. Each has an id of its own: should this change not happen after all, the lease
    of an earlier one still knows what to give back."""
    if terms is None:
        return None
    return Lease(
        id=f"{terms.kind}:{terms.resource_id}#{incident.id}#{incident.head_sequence + 1}",
        incident_id=incident.id,
        service_key=incident.service.key,
        terms=terms,
        taken_at=now,
        due_at=now + timedelta(seconds=terms.duration_s),
    )


def _concrete(change: Change, done: tuple[Intent, ...]) -> Change:
    """Put the copy that the stage before registered in the place kept for it."""
    if isinstance(change, SetTaskDefinition) and change.task_definition == COPY_JUST_REGISTERED:
        result = done[-1].result
        if result is None or not result.made:
            raise LookupError("the stage before registered no copy")
        return SetTaskDefinition(task_definition=result.made)
    return change


def _done(change: Change, result: ChangeResult) -> str:
    match change:
        case ForceNewDeployment():
            return "a new deployment of the same task definition was started"
        case SetTaskDefinition(task_definition=wanted):
            return f"the service was set to {short(wanted)}"
        case RegisterCopy(task_definition=original, memory_mib=None):
            return f"a copy of the inactive {short(original)} was registered"
        case RegisterCopy(task_definition=original, memory_mib=memory):
            return f"a copy of {short(original)} with {memory} MiB was registered"
        case StopDeployment():
            return "the deployment in flight was stopped, ECS rolls it back"
        case SetFloor(minimum=minimum):
            return f"the floor of the scalable target was set to {counted(minimum, 'task')}"
        case SetCeiling(maximum=maximum, minimum=None):
            return f"the ceiling of the scalable target was set to {counted(maximum, 'task')}"
        case SetCeiling(maximum=maximum, minimum=minimum):
            return f"the scalable target was set to {minimum} to {maximum} tasks"
        case SetTracking(policy=policy, target=target):
            return f"policy {policy} was set to aim at {target:g} %"
        case SetCount(count=count):
            return f"the service was set to {counted(count, 'task')}"
        case DeregisterTarget(target=address):
            return f"target {address} was deregistered and drains"
        case StopTask(task=task):
            return f"task {short(task)} was stopped, ECS starts another one"
        case ShiftZone(zone=zone):
            return f"traffic was shifted away from {zone}"
        case ScaleToZero():
            return "the service was set to 0 tasks, and all of them stop"
        case BlockAddress(ip_set=ip_set, address=address):
            return f"{address} was added to IP set {ip_set.name}"
        case UnblockAddress(ip_set=ip_set, address=address):
            return f"{address} was taken out of IP set {ip_set.name}"
        case DisableUser(user_pool=pool, user=user):
            return f"user {user} of pool {pool} was disabled"
        case SetStickiness(target_group=group):
            return f"sticky sessions were switched on in {group.rsplit(':', 1)[-1]}"
        case CallWebhook(webhook=name):
            return f"webhook {name} answered {result.answer}"
        case BackUpTable(table=table, backup=name):
            return f"table {table} is backed up as {name}"
        case SnapshotDatabase(instance=instance, snapshot=name):
            return f"snapshot {name} of DB instance {instance} is being taken"
        case MuteAlarm(alarm=alarm, duration_s=duration):
            return f"alarm {alarm} is muted for {duration // 60} minutes"
        case UnmuteAlarm(alarm=alarm):
            return f"alarm {alarm} is not muted any more"
