"""Verify: did it help? Steady, healthy and quiet, held for as long as the alarm itself looks back; then validated."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from functions.diagnostics.crashes import looping
from functions.diagnostics.thresholds import LATELY
from functions.domain.errors import ReadFailed
from functions.domain.evidence import AlarmFacts, AlarmsFacts, ServiceFacts, TargetsFacts, group_name
from functions.domain.incidents import Fact, InboxEntry, Incident, NewEvent
from functions.domain.model import Model
from functions.domain.signals import AlarmState, SignalKind, Wakes
from functions.domain.words import counted
from functions.playbooks.schema import Playbook
from functions.ports import Clock, HealthReaders, Ledger
from functions.workflow.inbox import alarms_of, changed_at, received, told_lately
from functions.workflow.promises import in_time, is_due
from functions.workflow.story import Intent, Story, tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.validation import Validator, healthy, validated
from functions.workflow.visit import Result, Visit, case_file_of

if TYPE_CHECKING:
    from functions.workflow.scored import ScoreLook

WITHOUT_ALARM = timedelta(minutes=5)
"""How long a service without an alarm has to be steady and healthy to count as recovered."""

WITHOUT_SIGNAL = timedelta(minutes=1)
"""How long between two looks at a service that nothing would tell of."""

CANNOT_TELL_LIMIT = 3
LOOK_EVERY_S = 30
UNSTEADY_LOOK_EVERY = timedelta(minutes=1)
"""A deployment that has ended wakes."""
LOOK_AT_LEAST_EVERY_S = 300
"""However long nothing can be known: for trouble of which no signal tells. An order wakes, and so does an alarm that
goes off again."""

GATHERING = timedelta(seconds=30)
"""An alarm seldom comes alone: those of one trouble go off within as long, and are looked at together."""

SOONEST_S = 5

LATE_S = 60
"""A standard metric arrives up to a minute late."""

_WORDS = {
    Outcome.RECOVERED: "recovered",
    Outcome.NOT_YET: "not recovered yet",
    Outcome.LOOK_AGAIN: "looked at anew",
    Outcome.CANNOT_TELL: "nobody can tell whether it recovered",
    Outcome.GIVE_UP: "given up to people, as nobody can tell whether it recovered",
    Outcome.INEFFECTIVE: "no effect",
}
"""What a check of the recovery can say, as the trail tells it to people."""


class Check(Model):
    """One look at the recovery. `steady`: service and targets are as they should be. `held`: only a synthetic check
    keeps it from being recovered."""

    outcome: Outcome
    steady: bool
    reason: str
    held: bool = False
    look_in_s: int = Field(default=LOOK_EVERY_S, exclude=True)
    """When it is worth looking again."""
    wakes: Wakes = Field(default=Wakes.TROUBLE, exclude=True)
    """Which signals make it worth looking before."""
    service: ServiceFacts | None = Field(default=None, exclude=True)
    """As it was read for this, for what is asked next; the trail does not repeat it."""


@dataclass(frozen=True, kw_only=True)
class Verify:
    ledger: Ledger
    readers: HealthReaders
    score_look: Callable[[], "ScoreLook"]
    """Needed only where the playbook asks for a health score."""
    clock: Clock
    playbooks: Mapping[str, Playbook]
    validator: Validator

    def __call__(self, visit: Visit) -> Result:
        found = case_file_of(visit, self.ledger)
        incident, story, inbox = found.incident, tell(found.events), found.inbox
        due = is_due(story.due_at, self.clock.now(), visit.visits)
        if visit.left_s:
            # Woken for a promise alone: what is waited for is given the rest of its time.
            said = Outcome.PROMISED_MEANWHILE if due else Outcome.WAIT
            return Result(outcome=said, wait_s=visit.left_s, left_s=visit.left_s if due else 0)
        check = self._functional(incident, story, self._check(incident, story, inbox))
        if check.outcome is Outcome.CANNOT_TELL and story.cannot_tell + 1 >= CANNOT_TELL_LIMIT:
            check = check.model_copy(update={"outcome": Outcome.GIVE_UP})
        calming = _calming(inbox, incident.signals_seen)
        steady = story.steady_since is not None
        changed = (check.outcome, check.steady, check.held) != (story.checked, steady, story.held)
        events = received(calming)
        if changed or check.outcome is not Outcome.NOT_YET:
            events.append(
                NewEvent(
                    fact=Fact.RECOVERY_CHECKED,
                    actor=StepName.VERIFY,
                    summary=f"{_WORDS[check.outcome]}: {check.reason}",
                    data=check.model_dump(mode="json"),
                )
            )
        events += self._validated(incident, story, check)
        if events:
            self.ledger.append(
                incident, events, step=StepName.VERIFY, signals_seen=incident.signals_seen + len(calming)
            )
        if due and check.outcome in (Outcome.NOT_YET, Outcome.CANNOT_TELL):
            return Result(outcome=Outcome.PROMISED_MEANWHILE, left_s=LOOK_EVERY_S)
        result = Result(
            outcome=check.outcome, wait_s=check.look_in_s, signals=incident.signals_received, wakes=check.wakes
        )
        now = self.clock.now()
        if story.due_at is None or story.due_at <= now:
            return result
        # A pause that ends for a promise ends for a look as well, so that nothing of it is left.
        return in_time(result, story.due_at, now).model_copy(update={"left_s": 0})

    def _functional(self, incident: Incident, story: Story, check: Check) -> Check:
        """A recovery is held back while a synthetic check fails that was fine before the trouble, as by an alarm that
        is not OK yet. A check that cannot be read holds nothing back."""
        playbook = self.playbooks.get(incident.service.key)
        if check.outcome is not Outcome.RECOVERED or playbook is None:
            return check
        failing = self.validator.failing(playbook, began_at=story.alarm_at or incident.opened_at)
        if failing is None:
            return check
        waits = _not_yet(str(failing), story, self.clock.now(), steady=True)
        return waits.model_copy(update={"held": True})

    def _validated(self, incident: Incident, story: Story, check: Check) -> list[NewEvent]:
        """What the validation says of a recovery, for its end to be told with."""
        playbook = self.playbooks.get(incident.service.key)
        if check.outcome is not Outcome.RECOVERED or playbook is None:
            return []
        validation = self.validator(
            playbook,
            health=healthy(check.reason),
            service=check.service,
            began_at=story.alarm_at or incident.opened_at,
        )
        return [validated(validation, actor=StepName.VERIFY)]

    def _check(self, incident: Incident, story: Story, inbox: Sequence[InboxEntry]) -> Check:
        now = self.clock.now()
        names = alarms_of(inbox)
        if story.orders or any(e.signal.order is not None for e in inbox if e.number > incident.signals_seen):
            steady = story.steady_since is not None
            return Check(outcome=Outcome.LOOK_AGAIN, steady=steady, reason="an operator ordered something")
        try:
            service = self.readers.service.service(incident.service)
            if service is None:
                return _cannot_tell("the service is gone")
            playbook = self.playbooks.get(incident.service.key)
            groups = (playbook.overrides.target_groups if playbook else ()) or service.target_groups
            targets = TargetsFacts(targets=tuple(self.readers.service.targets(groups)) if groups else ())
            trouble = unsteady(service, targets, groups, away=story.shifted_from(now))
            alarms = tuple(self.readers.metrics.states(names)) if names and trouble is None else ()
            if _worth_its_metrics(alarms, story, now):
                alarms = tuple(self.readers.metrics.alarms(names))
        except ReadFailed as error:
            return _cannot_tell(str(error))
        if story.isolated is not None and service.desired == 0 and service.running == 0:
            # No recovery: what comes next is for people, and assess tells them.
            return Check(outcome=Outcome.LOOK_AGAIN, steady=False, reason="isolated: no task runs any more")
        if trouble is None:
            found = {alarm.name for alarm in alarms}
            facts = AlarmsFacts(alarms=alarms, gone=tuple(name for name in names if name not in found))
            raised = _raised(inbox, incident.signals_seen) if story.acted is not None else ()
            held = _held(
                facts,
                story,
                now,
                change_came=changed_at(inbox) is not None,
                unrefuted=_unrefuted(inbox, now),
                raised=raised,
            )
            held = self._lasting(held, service, incident, story, now).model_copy(update={"service": service})
            return self._scored(held, facts, incident, playbook, story, now)
        primary = service.primary
        if primary is not None and primary.rollout_state == "FAILED":
            return Check(outcome=Outcome.INEFFECTIVE, steady=False, reason=f"deployment {primary.id} failed")
        again_at = now + UNSTEADY_LOOK_EVERY
        if story.acted is not None:
            again_at = min(again_at, _deadline(story.acted))
        return _until(_not_yet(trouble, story, now, steady=False), again_at, now, wakes=Wakes.ORDERS)

    def _lasting(self, held: Check, service: ServiceFacts, incident: Incident, story: Story, now: datetime) -> Check:
        """Recovered only if tasks do not die again and again: a crash loop is steady, healthy and quiet between two
        crashes. Its tasks are read last, for what else would be a recovery."""
        if held.outcome is not Outcome.RECOVERED:
            return held
        try:
            tasks = self.readers.service.tasks(incident.service)
        except ReadFailed as error:
            return _cannot_tell(str(error), steady=True)
        died = looping(service, tasks, now=now, since=None if story.acted is None else story.acted.at)
        if not died:
            return held
        stopped = "1 task stopped by itself" if len(died) == 1 else f"{len(died)} tasks stopped by themselves"
        reason = f"{stopped} in the last {LATELY.seconds // 60} minutes"
        return _not_yet(reason, story, now, steady=True)

    def _scored(
        self,
        held: Check,
        alarms: AlarmsFacts,
        incident: Incident,
        playbook: Playbook | None,
        story: Story,
        now: datetime,
    ) -> Check:
        """Recovered only with the health score that the playbook asks for, which is read last: it takes the most."""
        if held.outcome is not Outcome.RECOVERED or playbook is None or playbook.recovered.score is None:
            return held
        score = self.score_look()(
            playbook,
            alarms=tuple(alarm.name for alarm in alarms.alarms),
            began_at=incident.opened_at,
            away=story.shifted_from(now),
            now=now,
        )
        if score is None:
            return held
        if score.reached is None:
            return _cannot_tell(score.reason, steady=True)
        if not score.reached:
            return _not_yet(score.reason, story, now, steady=True, lag_s=alarms.window_s)
        return held.model_copy(update={"reason": f"{held.reason}; {score.reason}"})


def _unrefuted(inbox: Sequence[InboxEntry], now: datetime) -> bool:
    """Whether signals told of costs or of an intruder, which no steadiness refutes."""
    return any(told_lately(inbox, kind, now) for kind in (SignalKind.COST, SignalKind.THREAT))


def _calming(inbox: Sequence[InboxEntry], seen: int) -> Sequence[InboxEntry]:
    """The unseen signals, when none of them asks for a new assessment: the OK that a recovery brings."""
    unseen = [entry for entry in inbox if entry.number > seen]
    return [] if any(entry.signal.opens_incident for entry in unseen) else unseen


def _raised(inbox: Sequence[InboxEntry], seen: int) -> Sequence[InboxEntry]:
    """The signals of alarms that went off only after the last assessment: trouble that nobody has looked at yet."""
    known = alarms_of([entry for entry in inbox if entry.number <= seen])
    unseen = [entry for entry in inbox if entry.number > seen and entry.signal.opens_incident]
    return [entry for entry in unseen if not set(alarms_of([entry])) <= set(known)]


def unsteady(
    service: ServiceFacts, targets: TargetsFacts, groups: tuple[str, ...], *, away: frozenset[str] = frozenset()
) -> str | None:
    """What keeps the service from being steady and healthy; None when nothing does.

    `away` are zones (names) out of which traffic is shifted: what comes and goes there is no matter, as long as
    everything elsewhere is healthy.
    """
    if away:
        return _unsteady_outside(service, targets, groups, away)
    if not service.steady:
        deployments = counted(len(service.deployments), "deployment")
        return f"not steady: {service.running} of {service.desired} tasks run, {deployments}"
    for group in groups:
        healthy = targets.healthy(group)
        if healthy < service.desired:
            return f"{healthy} of {service.desired} targets are healthy in {group_name(group)}"
    return None


def _unsteady_outside(
    service: ServiceFacts, targets: TargetsFacts, groups: tuple[str, ...], away: frozenset[str]
) -> str | None:
    if len(service.deployments) != 1:
        return f"not steady: {counted(len(service.deployments), 'deployment')}"
    for group in groups:
        outside = [t for t in targets.targets if t.target_group == group and t.zone not in away]
        # A target that drains is one that ECS replaces.
        wanted = [target for target in outside if target.state != "draining"]
        healthy = sum(1 for target in wanted if target.state == "healthy")
        if healthy == 0 or healthy < len(wanted):
            return f"{healthy} of {len(wanted)} targets outside {', '.join(sorted(away))} are healthy"
    return None


def _held(
    alarms: AlarmsFacts,
    story: Story,
    now: datetime,
    *,
    change_came: bool,
    unrefuted: bool = False,
    raised: Sequence[InboxEntry] = (),
) -> Check:
    """Steady and healthy: recovered once the alarms have been quiet for their own window.

    After a change that nobody answered yet, and of costs or a finding, `unrefuted`, steadiness tells nothing: what was
    waited for is looked at again. So is the service when alarms went off after the action, `raised`: there may be a
    second trouble."""
    if alarms.gone:
        return _cannot_tell(f"alarm {', '.join(alarms.gone)} no longer exists", steady=True)
    if unrefuted and story.acted is None:
        return _not_yet("steady and healthy, which does not answer what was told", story, now, steady=True)
    if not alarms.alarms:
        since = story.steady_since or now
        if now - since >= WITHOUT_ALARM:
            return Check(
                outcome=Outcome.RECOVERED, steady=True, reason=f"steady and healthy since {since:%H:%M:%S} UTC"
            )
        if change_came and story.acted is None:
            return _not_yet("steady and healthy, but a change may yet show what it does", story, now, steady=True)
        if story.acted is None and story.decision is not None and story.decision.is_about_to_act:
            return _not_yet("steady and healthy, but what was found is not answered yet", story, now, steady=True)
        waits = _not_yet("steady and healthy, but not for five minutes yet", story, now, steady=True, patient=True)
        return _until(waits, min(since + WITHOUT_ALARM, now + WITHOUT_SIGNAL), now)
    loud = [alarm for alarm in alarms.alarms if alarm.state is AlarmState.ALARM]
    silent = [alarm for alarm in alarms.alarms if alarm.state is AlarmState.INSUFFICIENT_DATA]
    if loud:
        since = story.steady_since or now
        if story.acted is not None and loud[0].breaching_now and now - since >= _shows_within(alarms):
            return Check(
                outcome=Outcome.INEFFECTIVE,
                steady=True,
                reason=f"steady since {since:%H:%M:%S} UTC, and the metric of alarm {loud[0].name} still breaches",
            )
        if raised:
            names = alarms_of(raised)
            told = f"alarm{'s' * (len(names) > 1)} {' and '.join(names)} went off after the last look"
            gathered_at = raised[-1].received_at + GATHERING
            if now >= gathered_at:
                return Check(outcome=Outcome.LOOK_AGAIN, steady=True, reason=told)
            waits = _not_yet(told, story, now, steady=True, patient=True)
            return _until(waits, gathered_at, now, wakes=Wakes.ORDERS)
        waits = _not_yet(f"alarm {loud[0].name} is still in ALARM", story, now, steady=True, lag_s=alarms.window_s)
        if story.acted is None:
            return waits
        quiet = since + timedelta(seconds=alarms.window_s)  # at the soonest
        shown = quiet if now < quiet else since + _shows_within(alarms)
        return _until(waits, min(shown, _deadline(story.acted, lag_s=alarms.window_s)), now)
    if silent:
        return _cannot_tell(f"alarm {silent[0].name} has no data", steady=True)
    breaching = [alarm for alarm in alarms.alarms if alarm.breaching_now]
    if breaching:
        return _not_yet(
            f"the metric of alarm {breaching[0].name} still breaches", story, now, steady=True, patient=True
        )
    quiet_since = max(alarm.since for alarm in alarms.alarms)
    held = timedelta(seconds=alarms.window_s)
    if now - quiet_since >= held:
        return Check(
            outcome=Outcome.RECOVERED,
            steady=True,
            reason=f"steady, healthy and every alarm OK for {alarms.window_s} s, which is as long as they look back",
        )
    waits = _not_yet(f"every alarm is OK, but not for {alarms.window_s} s yet", story, now, steady=True, patient=True)
    return _until(waits, quiet_since + held, now)


def _worth_its_metrics(alarms: Sequence[AlarmFacts], story: Story, now: datetime) -> bool:
    """Whether the answer depends on the metrics of the alarms, which are paid for by the metric: no alarm has been OK
    for less than its window, or one stays in ALARM for longer than what was before can explain."""
    facts = AlarmsFacts(alarms=tuple(alarms))
    if not alarms or any(alarm.state is AlarmState.INSUFFICIENT_DATA for alarm in alarms):
        return False
    if any(alarm.state is AlarmState.ALARM for alarm in alarms):
        return story.acted is not None and now - (story.steady_since or now) >= _shows_within(facts)
    return now - max(alarm.since for alarm in alarms) >= timedelta(seconds=facts.window_s)


def _until(check: Check, moment: datetime, now: datetime, *, wakes: Wakes = Wakes.TROUBLE) -> Check:
    """The same, looked at again when something else can be said: the states between then and now say nothing."""
    wait_s = math.ceil((moment - now).total_seconds())
    look_in_s = min(max(wait_s, SOONEST_S), LOOK_AT_LEAST_EVERY_S)
    return check.model_copy(update={"look_in_s": look_in_s, "wakes": wakes})


def _deadline(acted: Intent, *, lag_s: int = 0) -> datetime:
    """When an action that has shown no effect is given up."""
    return acted.at + timedelta(seconds=acted.plan.deadline_s + lag_s)


def _shows_within(alarms: AlarmsFacts) -> timedelta:
    """How long after the service is steady a metric may still breach for what was before: the alarm's own window, whose
    newest period comes up to a minute late."""
    return timedelta(seconds=alarms.window_s + LATE_S)


def _not_yet(reason: str, story: Story, now: datetime, *, steady: bool, patient: bool = False, lag_s: int = 0) -> Check:
    """Not recovered: still time, or past the deadline.

    `patient`: it is on the way, so the deadline may pass. `lag_s`: an alarm goes on saying ALARM for as long as it
    looks back, however well the service is by then.
    """
    acted = story.acted
    if acted is None:
        waited = timedelta(seconds=0 if story.decision is None else story.decision.wait_s)
        if (story.waited_at is None or now >= story.waited_at + waited) and not patient:
            return Check(
                outcome=Outcome.LOOK_AGAIN, steady=steady, reason=f"{reason} after {waited.seconds} s of waiting"
            )
    elif now >= _deadline(acted, lag_s=lag_s) and not patient:
        limit = f"within {acted.plan.deadline_s} s of {acted.plan.action}"
        return Check(outcome=Outcome.INEFFECTIVE, steady=steady, reason=f"{reason}, and did not recover {limit}")
    return Check(outcome=Outcome.NOT_YET, steady=steady, reason=reason)


def _cannot_tell(reason: str, *, steady: bool = False) -> Check:
    return Check(outcome=Outcome.CANNOT_TELL, steady=steady, reason=reason)
