"""Assess: read everything, rank the causes, decide, and write down all three."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.actions.action import Action, Terms
from functions.diagnostics.breach import breach_evidence
from functions.diagnostics.look import Probe, Surroundings, look
from functions.diagnostics.ranking import rank
from functions.domain.causes import Cause, Judgement
from functions.domain.changes import ActionName
from functions.domain.containment import Containment
from functions.domain.findings import Findings
from functions.domain.heartbeat import is_heartbeat
from functions.domain.incidents import Fact, InboxEntry, Incident, NewEvent
from functions.domain.logged import LogQuery
from functions.domain.orders import Order, PendingOrder
from functions.domain.severity import Grade
from functions.domain.signals import SignalKind, pending
from functions.domain.troubles import Trouble
from functions.guardrails.verdicts import HOUR
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Fleet, Ledger, Readers, ServiceRecord
from functions.workflow.answers import heard
from functions.workflow.command import led_by
from functions.workflow.decide import decide
from functions.workflow.decision import Decision
from functions.workflow.inbox import alarms_of, changed_at, received, told_lately
from functions.workflow.intents import doubtful, quarantine
from functions.workflow.promises import in_time
from functions.workflow.scored import scored
from functions.workflow.severity import changed, graded
from functions.workflow.situation import charged_lately, situation_of, trouble_of
from functions.workflow.story import Story, heeding, tell
from functions.workflow.surroundings import LOOK_DEADLINE_S, floor_held, surroundings_of
from functions.workflow.table import Outcome, StepName
from functions.workflow.validation import Validator, healthy, validated
from functions.workflow.visit import Result, Visit, case_file_of

FIRST_WATCH_S = 60
FACT_OF: Mapping[Outcome, Fact] = {
    Outcome.ACT: Fact.PLAN_CHOSEN,
    Outcome.ASK: Fact.ACTION_WITHHELD,
    Outcome.ESCALATE: Fact.ACTION_WITHHELD,
    Outcome.WAIT: Fact.WAITED,
    Outcome.STAND_DOWN: Fact.STOOD_DOWN,
    Outcome.ALL_CLEAR: Fact.STOOD_DOWN,
}


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """One look and what follows from it."""

    findings: Findings
    judgements: Sequence[Judgement]
    decision: Decision
    grade: Grade


@dataclass(frozen=True, kw_only=True)
class Examiner:
    """Looks at the service of an incident and decides; writes nothing. Assess and watch share it."""

    ledger: Ledger
    readers: Readers
    clock: Clock
    probes: Mapping[str, Probe]
    actions: Mapping[ActionName, Action]
    fleet_actions_per_hour: int
    contain_deployed: bool = False
    """Whether the contain stack is there."""

    def examine(
        self,
        incident: Incident,
        playbook: Playbook,
        story: Story,
        inbox: Sequence[InboxEntry],
        *,
        log_queries: Sequence[LogQuery] = (),
        waiting: Sequence[PendingOrder] | None = None,
    ) -> Assessment:
        """`log_queries` cost money and tell no cause: they are for a look that people will read. `waiting` are orders
        instead of those that wait in the inbox."""
        now = self.clock.now()
        if waiting is None:
            waiting = _waiting(incident, story, inbox)
        ordered = waiting[0] if waiting else None
        record, fleet = self._remembered(incident, now)
        around = self._surroundings(incident, playbook, story, inbox, record, now)
        if ordered is not None:
            around = replace(around, wanted_release=ordered.order.target)
        findings = look(
            self.probes.values(), replace(around, log_queries=tuple(log_queries)), deadline_s=LOOK_DEADLINE_S
        )
        judgements = rank(findings)
        if ordered is not None and ordered.order.what.contains:
            judgements = _believed(ordered.order, judgements, findings)
        score = scored(playbook, findings, away=story.shifted_from(now))
        decision = decide(
            findings=findings,
            judgements=judgements,
            ladders={judgement.cause: playbook.ladder(judgement.cause) for judgement in judgements},
            threshold=playbook.confidence,
            tried=story.tried,
            carried_out=story.carried_out,
            waited=timedelta(0) if story.waiting_since is None else now - story.waiting_since,
            age=now - incident.opened_at,
            change_came=changed_at(inbox) is not None,
            verifying=self._verifying(story),
            actions=self.actions,
            terms=self._terms(incident, playbook, record, None if ordered is None else ordered.order),
            situation=situation_of(
                incident,
                playbook,
                story,
                findings,
                record=record,
                fleet=fleet,
                now=now,
                fleet_limit=self.fleet_actions_per_hour,
            ),
            ordered=ordered,
            isolated=story.isolated,
            short=None if score is None or score.reached else score.reason,
            acted_at=None if story.acted is None else story.acted.at,
        )
        if score is not None and decision.outcome is Outcome.ALL_CLEAR:
            decision = decision.model_copy(update={"reason": f"{decision.reason}; {score.reason}"})
        told = heeding(story, incident.id, [entry for entry in inbox if entry.number > incident.signals_seen])
        decision = led_by(told.taken_by, decision)
        grade = graded(playbook, alarms_of(inbox), findings, judgements, story.grade)
        return Assessment(findings=findings, judgements=judgements, decision=decision, grade=grade)

    def _remembered(self, incident: Incident, now: datetime) -> tuple[ServiceRecord, Fleet]:
        """What the ledger knows of the service and of all services."""
        with self.readers.threads(2) as pool:
            record = pool.submit(self.ledger.service_record, incident.service)
            fleet = pool.submit(self.ledger.fleet, since=now - HOUR)
            return record.result(), fleet.result()

    def _verifying(self, story: Story) -> ActionName | None:
        """The action that is given its time to show; one that only prepares has nothing to show."""
        acted = story.verifying
        return None if acted is None or self.actions[acted].prepares else acted

    def _surroundings(
        self,
        incident: Incident,
        playbook: Playbook,
        story: Story,
        inbox: Sequence[InboxEntry],
        record: ServiceRecord,
        now: datetime,
    ) -> Surroundings:
        return replace(
            surroundings_of(playbook, readers=self.readers, ledger=None, now=now),
            history=tuple(record.releases),
            alarms=alarms_of(inbox),
            began_at=incident.opened_at,
            changed_at=_opened_by_change(incident, inbox),
            own_deployments=story.own_deployments,
            cost_told=bool(told_lately(inbox, SignalKind.COST, now)),
            threats=tuple(
                dict.fromkeys(
                    s.reference for s in told_lately(inbox, SignalKind.THREAT, now) if s.reference is not None
                )
            ),
            floor_held=floor_held(record.leases),
            acted_at=(*story.mended_at, *(at for at in charged_lately(record, now) if at < incident.opened_at)),
            stopped_at=story.stopped_at,
        )

    def _terms(
        self, incident: Incident, playbook: Playbook, record: ServiceRecord, order: Order | None
    ) -> dict[ActionName, Terms]:
        leases = tuple(record.leases)
        ip_set = playbook.contain.ip_set
        containment = Containment(
            deployed=self.contain_deployed,
            ip_set=None if ip_set is None else ip_set.ref,
            user_pool=playbook.contain.user_pool,
            never_block=playbook.contain.never_block,
        )
        return {
            name: Terms(
                settle_s=playbook.settle_of(name).first_look,
                deadline_s=playbook.settle_of(name).deadline,
                min_tasks=playbook.limits.min_tasks,
                max_tasks=playbook.limits.max_tasks,
                step_percent=playbook.scale_out.step_percent,
                lease_s=playbook.scale_out.lease,
                shift_s=playbook.zonal_shift.lease,
                leases=leases,
                webhooks=playbook.webhooks,
                backups=playbook.backups,
                incident_id=incident.id,
                alarms=playbook.mutable_alarms,
                mute_s=playbook.mute.lease,
                containment=containment,
                order=order,
            )
            for name in self.actions
        }


def _waiting(incident: Incident, story: Story, inbox: Sequence[InboxEntry]) -> tuple[PendingOrder, ...]:
    """What operators ordered and nothing has come of yet, with what nobody has seen so far."""
    unseen = [entry for entry in inbox if entry.number > incident.signals_seen]
    return (*story.orders, *(order for entry in unseen if (order := pending(entry.number, entry.signal)) is not None))


def _believed(order: Order, judgements: Sequence[Judgement], findings: Findings) -> tuple[Judgement, ...]:
    """Whoever orders to shut somebody out suspects a breach, and need not prove it."""
    found = next((each for each in judgements if each.cause is Cause.SUSPECTED_BREACH), None)
    seen = breach_evidence(findings) if found is None else found.evidence_for
    told = Judgement(cause=Cause.SUSPECTED_BREACH, confidence=1.0, evidence_for=(order.summary, *seen))
    return (told, *(each for each in judgements if each.cause is not Cause.SUSPECTED_BREACH))


def _opened_by_change(incident: Incident, inbox: Sequence[InboxEntry]) -> datetime | None:
    """The same, where nothing else came first: a change during an incident is not what it began with."""
    at = changed_at(inbox[:1])
    return at if at is not None and at <= incident.opened_at else None


@dataclass(frozen=True, kw_only=True)
class Assess:
    """The step itself."""

    ledger: Ledger
    examiner: Examiner
    playbooks: Mapping[str, Playbook]
    validator: Validator

    def __call__(self, visit: Visit) -> Result:
        file = case_file_of(visit, self.ledger)
        inbox = file.inbox
        if is_heartbeat(file.incident.service):
            return self._beat(file.incident, len(inbox))
        incident, events = heard(self.ledger, file.incident, file.events)
        story = tell(events)
        fresh = received([entry for entry in inbox if entry.number > incident.signals_seen])
        if story.open_intent is not None:
            quarantine(self.ledger, incident, story.open_intent.plan)
            self.ledger.append(
                incident, [*fresh, doubtful(story.open_intent)], step=StepName.ASSESS, signals_seen=len(inbox)
            )
            settling = Result(outcome=Outcome.WAIT, wait_s=story.open_intent.plan.settle_s)
            return in_time(settling, story.due_at, self.examiner.clock.now())
        playbook = self.playbooks.get(incident.service.key)
        if playbook is None:
            return self._without_playbook(incident, inbox, fresh)
        assessment = self.examiner.examine(incident, playbook, story, inbox, log_queries=playbook.log_queries)
        decision = assessment.decision
        grave = [] if decision.outcome is Outcome.ALL_CLEAR else changed(story.grade, assessment.grade, actor="assess")
        lines = [
            *fresh,
            _gathered(assessment.findings),
            _ranked(assessment.judgements),
            *grave,
            _decided(decision),
            *cleared(self.validator, incident, playbook, story, assessment, actor=StepName.ASSESS),
        ]
        # What runs is a fact whatever becomes of this visit, and need not wait for its lines.
        with self.examiner.readers.threads(1) as pool:
            noted = pool.submit(self._note_release, incident, assessment.findings)
            self.ledger.append(
                incident,
                lines,
                step=StepName.ASSESS,
                signals_seen=len(inbox),
                trouble=self._trouble(incident, playbook, assessment),
            )
        noted.result()
        if story.failed_to_help:
            self.ledger.note_ineffective(incident.service, incident.id, at=self.examiner.clock.now())
        result = Result(outcome=_leads_to(decision), wait_s=_wait_s(decision, playbook))
        # People who are asked are promised the end of their time instead.
        return result if decision.outcome is Outcome.ASK else in_time(result, story.due_at, self.examiner.clock.now())

    def _beat(self, incident: Incident, beats: int) -> Result:
        """A heartbeat has nothing to look at, whatever lies in its inbox. Many that piled up are one line."""
        event = NewEvent(
            fact=Fact.STOOD_DOWN,
            actor=StepName.ASSESS,
            summary=f"{beats} heartbeat{'' if beats == 1 else 's'}: no service is looked at, and nothing is done",
        )
        self.ledger.append(incident, [event], step=StepName.ASSESS, signals_seen=beats)
        return Result(outcome=Outcome.ALL_CLEAR)

    def _without_playbook(self, incident: Incident, inbox: Sequence[InboxEntry], fresh: list[NewEvent]) -> Result:
        """The playbook was taken away while the incident was open: nothing may be done any more. An order for a service
        that nobody wrote a playbook for is over at once."""
        decision = Decision(
            outcome=Outcome.ESCALATE, cause=Cause.UNKNOWN, confidence=0.0, reason="the service has no playbook any more"
        )
        if all(entry.signal.kind is SignalKind.MANUAL for entry in inbox):
            decision = decision.model_copy(
                update={
                    "outcome": Outcome.ALL_CLEAR,
                    "reason": f"no playbook names {incident.service}: nothing may be done there",
                    "order": inbox[-1].number,
                }
            )
        self.ledger.append(incident, [*fresh, _decided(decision)], step=StepName.ASSESS, signals_seen=len(inbox))
        return Result(outcome=decision.outcome)

    def _trouble(self, incident: Incident, playbook: Playbook, assessment: Assessment) -> Trouble | None:
        """What the incidents of other services have to know of this one."""
        if assessment.decision.outcome is Outcome.ALL_CLEAR:
            return None
        return trouble_of(incident, playbook, assessment.findings)

    def _note_release(self, incident: Incident, findings: Findings) -> None:
        service = findings.service.value
        if service is not None and service.steady:
            self.ledger.note_release(
                incident.service,
                service.task_definition,
                at=findings.looked_at,
                surroundings=service.surroundings,
            )


def cleared(
    validator: Validator,
    incident: Incident,
    playbook: Playbook,
    story: Story,
    assessment: Assessment,
    *,
    actor: StepName,
) -> list[NewEvent]:
    """What the validation says, where a look found that all is clear. It is told, and holds nothing back: what speaks
    against all being clear is in the look itself."""
    if assessment.decision.outcome is not Outcome.ALL_CLEAR:
        return []
    findings = assessment.findings
    validation = validator(
        playbook,
        health=healthy(assessment.decision.reason, unread=[] if findings.targets.known else ["targets"]),
        service=findings.service.value,
        began_at=story.alarm_at or incident.opened_at,
    )
    return [validated(validation, actor=actor)]


def _leads_to(decision: Decision) -> Outcome:
    """What only the contain stack may do goes its own way."""
    if decision.outcome is Outcome.ACT and decision.plan is not None and decision.plan.action.contains:
        return Outcome.CONTAIN
    return decision.outcome


def _wait_s(decision: Decision, playbook: Playbook) -> int:
    match decision.outcome:
        case Outcome.STAND_DOWN:
            return min(FIRST_WATCH_S, decision.wait_s or FIRST_WATCH_S)
        case Outcome.ASK:
            return playbook.approval.expires
        case _:
            return decision.wait_s


_PROBES_CALLED = {"health": "AWS Health"}
"""Where a probe's name alone would say something else."""


def _gathered(findings: Findings) -> NewEvent:
    unknown = findings.unknown()
    service = findings.service.value
    summary = "looked at the service"
    if service is not None:
        summary += f": {service.running} of {service.desired} tasks run"
    if unknown:
        summary += f"; could not read {', '.join(_PROBES_CALLED.get(name, name) for name in sorted(unknown))}"
    return NewEvent(
        fact=Fact.EVIDENCE_GATHERED,
        actor=StepName.ASSESS,
        summary=summary,
        data={"findings": findings.to_json()},
    )


def _ranked(judgements: Sequence[Judgement]) -> NewEvent:
    top = judgements[0]
    return NewEvent(
        fact=Fact.CAUSES_RANKED,
        actor=StepName.ASSESS,
        summary=(
            "no cause fits the evidence"
            if top.cause is Cause.UNKNOWN
            else f"likeliest cause: {top.cause} ({top.confidence:.2f})"
        ),
        data={"judgements": [judgement.model_dump(mode="json") for judgement in judgements]},
    )


def _decided(decision: Decision) -> NewEvent:
    return NewEvent(
        fact=Fact.ACTION_WITHHELD if decision.refused_by else FACT_OF[decision.outcome],
        actor=StepName.ASSESS,
        summary=f"{decision.outcome}: {decision.reason}",
        data={"decision": decision.model_dump(mode="json")},
    )
