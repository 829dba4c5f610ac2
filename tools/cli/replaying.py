"""Decides an incident again, on the evidence that its trail recorded: what would this playbook have done?

The decision is made by the very code that assess runs; only its probes, its clock and its ledger are those of then. The
ledger and its archive are read, nothing else is. What the ledger keeps no history of is taken from the recorded
verdict; where there is none, it is named as not known. Each look is decided with the past that the trail has: what
would have come of another decision, nobody can tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import takewhile
from typing import Any, NoReturn, cast

from functions.actions.registry import ACTIONS
from functions.diagnostics.look import Probe
from functions.domain.causes import Judgement
from functions.domain.changes import Lease, Verdict
from functions.domain.differences import Difference
from functions.domain.errors import LedgerError, ReadFailed, TrailBroken
from functions.domain.findings import Findings, Reading
from functions.domain.incidents import Event, Fact, FleetSwitch, Incident, Switch
from functions.domain.maintenance import Announced, window_at
from functions.domain.model import Model, Moment
from functions.domain.services import ServiceRef
from functions.domain.troubles import Trouble
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Fleet, Ledger, Readers, ServiceRecord
from functions.workflow.assess import Examiner
from functions.workflow.decide import NOT_DEPLOYED
from functions.workflow.decision import Decision
from functions.workflow.situation import CHARGES_LOOKBACK, trouble_of
from functions.workflow.story import tell
from functions.workflow.table import Outcome
from functions.workflow.trails import Trail, read_trail

AS_RECORDED = ("stop", "pause", "fleet budget", "breaker", "shared cause")
"""Guardrails whose evidence has no history in the ledger: what they said then is taken over."""

EARLIER = 200
"""Incidents of a service that are looked through for actions and leases of before."""


class Kind(IntEnum):
    """What a difference means for the service, what looks most harmful first."""

    ACTS = 0
    ACTS_OTHERWISE = 1
    STANDS_STILL = 2
    SAYS_OTHERWISE = 3
    NOT_DECIDED = 4
    SAME = 5

    @property
    def said(self) -> str:
        return _SAID[self]


_SAID: Mapping[Kind, str] = {
    Kind.ACTS: "would act where it stood still",
    Kind.ACTS_OTHERWISE: "would act differently",
    Kind.STANDS_STILL: "would stand still where it acted",
    Kind.SAYS_OTHERWISE: "would say something else",
    Kind.NOT_DECIDED: "cannot be decided again",
    Kind.SAME: "the same",
}


class Side(Model):
    """One decision, as far as it is compared."""

    outcome: Outcome
    causes: tuple[tuple[str, float], ...]
    """Causes that the evidence does not rule out, with their confidence, the likeliest first."""
    rung: str | None
    """The rung of the ladder that was chosen, whatever the guardrails said of it."""
    plan: str | None
    """What it would change, as a sentence."""
    verdicts: Mapping[str, bool]
    """Whether each guardrail allowed it; empty where there is no plan."""
    reason: str


class Step(Model):
    """One look of assess, decided twice."""

    sequence: int
    """Of the evidence in the trail."""
    at: Moment
    then: Side
    now: Side | None
    """None where it cannot be decided again."""
    differences: tuple[Difference, ...] = ()
    as_recorded: tuple[str, ...] = ()
    """Guardrails whose word was taken over from the trail."""
    not_known: tuple[str, ...] = ()
    """Parts that nobody can decide again, each with the reason."""

    @property
    def kind(self) -> Kind:
        if self.now is None:
            return Kind.NOT_DECIDED
        if not self.differences:
            return Kind.SAME
        acted, acts = self.then.outcome is Outcome.ACT, self.now.outcome is Outcome.ACT
        if acts:
            otherwise = any(each.what in ("action", "plan") for each in self.differences)
            return Kind.ACTS if not acted else Kind.ACTS_OTHERWISE if otherwise else Kind.SAYS_OTHERWISE
        return Kind.STANDS_STILL if acted else Kind.SAYS_OTHERWISE


class Replay(Model):
    """One incident, decided again look by look."""

    incident: Incident
    playbook: str
    steps: tuple[Step, ...]

    @property
    def kind(self) -> Kind:
        """The gravest of its looks; one that cannot be decided again hides no difference of another."""
        return min((step.kind for step in self.steps), default=Kind.NOT_DECIDED)

    @property
    def telling(self) -> Step | None:
        """The first look that the kind is about."""
        return next((step for step in self.steps if step.kind is self.kind), None)

    @property
    def differs(self) -> bool:
        return self.kind < Kind.NOT_DECIDED


@dataclass(frozen=True, kw_only=True)
class Again:
    """Replays incidents of one service."""

    ledger: Ledger
    playbook: Playbook
    _acts: dict[str, tuple[Event, ...]] = field(default_factory=dict)
    """By incident, the events that tell of charges and leases."""

    def __call__(self, incident_id: str) -> Replay:
        """Decide it again.

        Raises:
            NotInLedger: there is no such incident.
            TrailBroken: its trail does not verify, so that it is no evidence.
            LedgerError: the ledger cannot be read.
        """
        trail = read_trail(self.ledger, incident_id)
        if trail.broken is not None:
            raise TrailBroken(f"{incident_id}: the trail is broken, and nothing is decided on it: {trail.broken}")
        return Replay(incident=trail.incident, playbook=self.playbook.name, steps=tuple(self._steps(trail)))

    def _steps(self, trail: Trail) -> Iterator[Step]:
        events = [event.model_copy(update={"data": trail.evidence[event.sequence]}) for event in trail.events]
        for place, event in enumerate(events):
            if event.fact is not Fact.EVIDENCE_GATHERED:
                continue
            following = list(takewhile(lambda e: e.fact is not Fact.EVIDENCE_GATHERED, events[place + 1 :]))
            decided = next((each for each in following if "decision" in each.data), None)
            ranked = next((each for each in following if each.fact is Fact.CAUSES_RANKED), None)
            if decided is None or ranked is None or "judgements" not in ranked.data:
                continue
            decision = Decision.model_validate(decided.data["decision"])
            judgements = [Judgement.model_validate(each) for each in ranked.data["judgements"]]
            then = _side(decision, judgements)
            unread = [n for n in trail.unread if n <= event.sequence]
            if unread or "findings" not in event.data:
                why = f"evidence of event {unread[0] if unread else event.sequence} lies in the archive, unread"
                yield Step(sequence=event.sequence, at=event.at, then=then, now=None, not_known=(why,))
                continue
            findings = Findings.from_json(event.data["findings"])
            yield self._again(trail.incident, events[:place], event, findings, decision, then)

    def _again(
        self,
        incident: Incident,
        before: Sequence[Event],
        event: Event,
        findings: Findings,
        recorded: Decision,
        then: Side,
    ) -> Step:
        now = findings.looked_at
        story = tell(before)
        seen = [entry for entry in self.ledger.inbox(incident.id) if entry.received_at <= now]
        denied = {verdict.guardrail: verdict for verdict in recorded.verdicts if not verdict.allowed}
        switch, unheard_of = self._switch(incident.service, now, denied)
        as_it_was = _AsItWas(
            switch_then=switch,
            fleet_then=Fleet(
                switch=FleetSwitch(stopped="stop" in denied),
                charges=0,
                troubles=self._troubles(incident, findings) if "shared cause" in denied else (),
            ),
            ineffective_then=self._ineffective(now) if "breaker" in denied else {},
            leases=self._leases(incident, now),
            charged=self._charges(incident, now),
        )
        examiner = Examiner(
            ledger=cast(Ledger, as_it_was),
            readers=_no_readers(),
            clock=_Then(now),
            probes={name: _recorded(name, reading) for name, reading in findings.readings()},
            actions=ACTIONS,
            fleet_actions_per_hour=0 if "fleet budget" in denied else 1,
            contain_deployed=_contained(recorded),
        )
        stood = incident.model_copy(update={"signals_seen": max((entry.number for entry in seen), default=0)})
        try:
            made = examiner.examine(stood, self.playbook, story, seen, waiting=story.orders)
        except _NotRecorded as unknown:
            return Step(sequence=event.sequence, at=event.at, then=then, now=None, not_known=(str(unknown),))
        decision = _with_recorded(made.decision, recorded.verdicts)
        side = _side(decision, made.judgements)
        carried = {verdict.guardrail for verdict in recorded.verdicts}
        asked = {verdict.guardrail for verdict in decision.verdicts}
        return Step(
            sequence=event.sequence,
            at=event.at,
            then=then,
            now=side,
            differences=tuple(_compared(then, side, recorded, decision)),
            as_recorded=tuple(
                name for name in (*AS_RECORDED, *(["maintenance"] if unheard_of else [])) if name in carried & asked
            ),
            not_known=(
                *(
                    f"{name}: no plan was judged then, and the ledger keeps no history of it; taken as a yes"
                    for name in AS_RECORDED
                    if name in asked - carried
                ),
                *self._unread_then(findings),
                *_contain_not_known(recorded, decision),
            ),
        )

    def _switch(self, ref: ServiceRef, now: datetime, denied: Mapping[str, Verdict]) -> tuple[Switch, bool]:
        """What operators had set, as far as anything tells of it; and whether a window is known from its verdict
        alone."""
        left = self.ledger.switch(ref)
        mode = left.mode if left.at is not None and left.at <= now else None
        announced = tuple(each for each in left.maintenance if each.at <= now)
        held = denied.get("maintenance")
        unheard_of = held is not None and window_at(now, self.playbook.maintenance, announced) is None
        if held is not None and unheard_of:
            ends = now + timedelta(minutes=1)
            announced += (Announced(start=now, end=ends, by="somebody", reason=held.reason, at=now),)
        until = now + timedelta(minutes=1) if "pause" in denied else None
        switch = Switch(mode=mode, paused_until=until, by="somebody", reason="as recorded", maintenance=announced)
        return switch, unheard_of

    def _troubles(self, incident: Incident, findings: Findings) -> tuple[Trouble, ...]:
        """As many neighbours in trouble as it takes for a no."""
        mine = trouble_of(incident, self.playbook, findings)
        return tuple(
            mine.model_copy(update={"service_key": f"as recorded {n}", "incident_id": f"as recorded {n}"})
            for n in range(self.playbook.limits.neighbours_in_trouble + 1)
        )

    def _ineffective(self, now: datetime) -> Mapping[str, datetime]:
        """As many incidents in which nothing helped as it takes for a no."""
        return {f"as recorded {n}": now for n in range(self.playbook.limits.ineffective_incidents)}

    def _unread_then(self, findings: Findings) -> Iterator[str]:
        """What this playbook would have read, and nobody did."""
        read = findings.dependencies.value
        if read is not None:
            known = {each.name for each in read.dependencies}
            missing = [each.name for each in self.playbook.dependencies if each.name not in known]
            if missing:
                yield f"dependencies: {', '.join(missing)} was not read then"

    def _charges(self, incident: Incident, now: datetime) -> tuple[datetime, ...]:
        """When actions were begun on the service in the day before, newest first."""
        intents = (e for e in self._acted(incident, now) if e.fact is Fact.ACTION_INTENDED and e.data.get("stage") == 0)
        return tuple(sorted((e.at for e in intents if now - CHARGES_LOOKBACK <= e.at < now), reverse=True))

    def _leases(self, incident: Incident, now: datetime) -> tuple[Lease, ...]:
        """What was out on the service, of the incidents that are looked through."""
        out: dict[str, Lease] = {}
        for event in sorted(self._acted(incident, now), key=lambda each: each.at):
            if event.at >= now or not event.data.get("lease"):
                continue
            lease = Lease.model_validate(event.data["lease"])
            if event.fact in (Fact.LEASE_RESTORED, Fact.LEASE_LEFT):
                out.pop(lease.id, None)
            else:
                out[lease.id] = lease
        return tuple(out.values())

    def _acted(self, incident: Incident, now: datetime) -> Iterator[Event]:
        """The service has one open incident at a time: those before this one ended before it began."""
        for other in self._others(incident, now):
            if other.id not in self._acts:
                self._acts[other.id] = tuple(self._telling(other))
            yield from self._acts[other.id]

    def _others(self, incident: Incident, now: datetime) -> Iterator[Incident]:
        yield incident
        for other in self.ledger.incidents_of(incident.service, limit=EARLIER):
            if other.id == incident.id or other.opened_at >= now:
                continue
            # A lease goes on after its incident; its end is an event of that incident, too.
            if other.updated_at >= now - CHARGES_LOOKBACK:
                yield other

    def _telling(self, incident: Incident) -> Iterator[Event]:
        told = (Fact.ACTION_INTENDED, Fact.LEASE_RESTORED, Fact.LEASE_LEFT, Fact.LEASE_POSTPONED)
        for event in self.ledger.events(incident.id):
            if event.fact in told:
                yield event.model_copy(update={"data": self.ledger.evidence(event)})


class _NotRecorded(LedgerError):
    """Something is asked of the ledger of then that it does not tell."""


@dataclass(frozen=True, kw_only=True)
class _AsItWas:
    """The ledger as it was, as far as a decision reads it."""

    switch_then: Switch
    fleet_then: Fleet
    leases: tuple[Lease, ...]
    charged: tuple[datetime, ...]
    ineffective_then: Mapping[str, datetime]

    def service_record(self, ref: ServiceRef) -> ServiceRecord:
        """Of the releases only probes ask, and what they found is recorded."""
        return ServiceRecord(
            holder=None,
            switch=self.switch_then,
            releases=(),
            charges=self.charged,
            ineffective=self.ineffective_then,
            leases=self.leases,
        )

    def fleet(self, *, since: datetime) -> Fleet:
        return self.fleet_then

    def __getattr__(self, name: str) -> NoReturn:
        raise _NotRecorded(f"the ledger does not tell what its {name} said then")


@dataclass(frozen=True)
class _Then(Clock):
    moment: datetime

    def now(self) -> datetime:
        return self.moment


def _no_readers() -> Readers:
    """Nothing is read; threads are needed all the same."""
    nothing: dict[str, Any] = {each.name: None for each in fields(Readers)}
    return Readers(**{**nothing, "threads": lambda count: ThreadPoolExecutor(max_workers=1)})


def _recorded(name: str, reading: Reading[Any]) -> Probe:
    """A probe that finds what was found then."""

    def read(around: object, known: Mapping[str, Any]) -> Any:
        if not reading.known:
            raise ReadFailed(reading.error or "not read")
        return reading.value

    return Probe(name=name, read=read, permissions=())


def _contained(recorded: Decision) -> bool:
    """Whether the contain stack was deployed, by what was decided; without a word of it, it was not."""
    return recorded.plan is not None and recorded.plan.action.contains


def _contain_not_known(recorded: Decision, decision: Decision) -> Iterator[str]:
    def missed(made: Decision) -> bool:
        return any(each.reason == NOT_DEPLOYED for each in made.alternatives)

    if missed(decision) and not missed(recorded):
        yield "contain: the trail does not tell whether the contain stack was deployed; taken as a no"


def _with_recorded(decision: Decision, recorded: Sequence[Verdict]) -> Decision:
    """The decision with the words of the guardrails that were taken over, instead of those that stand for them."""
    said = {verdict.guardrail: verdict for verdict in recorded if verdict.guardrail in AS_RECORDED}
    return decision.model_copy(
        update={"verdicts": tuple(said.get(verdict.guardrail, verdict) for verdict in decision.verdicts)}
    )


def _side(decision: Decision, judgements: Sequence[Judgement]) -> Side:
    likely = [each for each in judgements if each.confidence > 0] or list(judgements[:1])
    return Side(
        outcome=decision.outcome,
        causes=tuple((each.cause.value, each.confidence) for each in likely),
        rung=None if decision.plan is None else decision.plan.rung,
        plan=None if decision.plan is None else decision.plan.summary,
        verdicts={verdict.guardrail: verdict.allowed for verdict in decision.verdicts},
        reason=decision.reason,
    )


def _compared(then: Side, now: Side, recorded: Decision, decision: Decision) -> Iterator[Difference]:
    """What is not the same, in the order in which it is decided."""
    if then.causes != now.causes:
        yield Difference(what="causes", before=_ranking(then), after=_ranking(now))
    if then.rung != now.rung:
        yield Difference(what="action", before=then.rung or "none", after=now.rung or "none")
    elif recorded.plan is not None and decision.plan is not None and recorded.plan.hash != decision.plan.hash:
        yield Difference(what="plan", before=recorded.plan.summary, after=decision.plan.summary)
    if then.verdicts and now.verdicts:
        old = {verdict.guardrail: verdict for verdict in recorded.verdicts}
        for verdict in decision.verdicts:
            known = old.get(verdict.guardrail)
            if known is None or known.allowed != verdict.allowed:
                yield Difference(what=verdict.guardrail, before=_verdict(known), after=_verdict(verdict))
    if then.outcome is not now.outcome:
        yield Difference(what="outcome", before=f"{then.outcome}: {then.reason}", after=f"{now.outcome}: {now.reason}")


def _ranking(side: Side) -> str:
    return ", ".join(f"{cause} {confidence:.2f}" for cause, confidence in side.causes) or "none"


def _verdict(verdict: Verdict | None) -> str:
    if verdict is None:
        return "was not asked"
    return f"{'yes' if verdict.allowed else 'no'}: {verdict.reason}"
