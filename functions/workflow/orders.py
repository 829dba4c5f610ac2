"""Orders: what an operator orders, recorded like every other signal, and what became of it. By it alone nothing is."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from functions.domain.changes import Plan, Verdict
from functions.domain.errors import LedgerError, OrderRefused, Superseded
from functions.domain.incidents import Event, Fact, Incident, IncidentStatus, NewEvent
from functions.domain.model import Model
from functions.domain.orders import Order, PendingOrder
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind, pending
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Executions, Ledger, Opening
from functions.workflow.assess import Examiner
from functions.workflow.carried import carry_on
from functions.workflow.decision import PRECONDITION, Decision
from functions.workflow.story import Story, tell
from functions.workflow.table import Outcome, StepName

DOUBLE_PRESS = timedelta(seconds=60)
"""The same order by the same person for the same reason, without a key and within this time, is one order."""

NO_PLAYBOOK = "no playbook"
"""In place of a guardrail's name, where the responder does not know the service."""


class Given(Model):
    """An order that was taken in."""

    incident_id: str
    number: int
    """Its place in the inbox of the incident."""
    duplicate: bool = False
    """It had been given before, and is not given twice."""


class OrderState(StrEnum):
    """How far an order has come; of a dry run, how far it would."""

    WAITING = "waiting"
    """Nobody has looked at it yet."""
    ALLOWED = "allowed"
    """Planned, and no guardrail is in its way."""
    ASKED = "asked"
    """It needs a grant: `responder approve`."""
    REFUSED = "refused"
    DONE = "done"
    """Carried out, as far as AWS answered. Whether it helps is for verify to tell."""
    FAILED = "failed"
    """Begun, and refused by AWS, or not carried to its end."""


class Reply(Model):
    """What became of an order, or would."""

    state: OrderState
    reason: str = ""
    """The rule that decided, or what was done, as a sentence."""
    refused_by: tuple[str, ...] = ()
    """Names of the guardrails that refuse it; `precondition` where the action itself makes no plan."""
    plan: Plan | None = None
    verdicts: tuple[Verdict, ...] = ()
    incident_id: str | None = None
    """Of a dry run the incident that is open now."""

    @property
    def final(self) -> bool:
        """Nothing more comes of the order itself."""
        return self.state in (OrderState.REFUSED, OrderState.DONE, OrderState.FAILED)


@dataclass(frozen=True, kw_only=True)
class GiveOrder:
    """Puts an order into the inbox of the service's open incident, or opens one."""

    ledger: Ledger
    executions: Executions
    now: Callable[[], datetime]
    playbooks: Mapping[str, Playbook] | None = None
    """By service; None at a desk that has none, where an order for an unknown service is refused a step later."""

    def __call__(self, ref: ServiceRef, order: Order) -> Given:
        """Record it and see that somebody looks at it now.

        The incident plans it, lets the guardrails judge it, and asks people where it has to. An order with the key of
        an earlier one, or pressed twice, is that order.

        Raises:
            OrderRefused: no playbook names the service, or the key belongs to another order.
            LedgerError: it could not be recorded.
        """
        if self.playbooks is not None and ref.key not in self.playbooks:
            raise OrderRefused(f"no playbook names {ref}: write one, or another service")
        before = self._before(ref, order)
        if before is not None:
            return before
        signal = Signal(
            kind=SignalKind.MANUAL,
            occurred_at=self.now(),
            region=ref.region,
            cluster=ref.cluster,
            service=ref.service,
            order=order,
        )
        opening = self.ledger.record_signal(signal, ref, may_open=signal.opens_incident)
        if opening.incident_id is None:
            raise LedgerError(f"the order for {ref} was recorded before, and its incident is gone")
        number = self._number(opening.incident_id, order)
        self._wake(opening, order)
        return Given(incident_id=opening.incident_id, number=number, duplicate=opening.duplicate)

    def _before(self, ref: ServiceRef, order: Order) -> Given | None:
        """The same order, pressed a moment ago without a key."""
        holder = self.ledger.lock_holder(ref)
        if holder is None or order.key:
            return None
        since = self.now() - DOUBLE_PRESS
        for entry in self.ledger.inbox(holder):
            known = entry.signal.order
            if known is not None and known.same_as(order) and entry.received_at > since:
                return Given(incident_id=holder, number=entry.number, duplicate=True)
        return None

    def _number(self, incident_id: str, order: Order) -> int:
        """Its place in the inbox: that of the newest like it."""
        given = [entry for entry in self.ledger.inbox(incident_id) if entry.signal.order is not None]
        number = next((entry.number for entry in reversed(given) if entry.signal.order == order), None)
        if number is None:
            raise OrderRefused(f"the key {order.key} belongs to another order, given in {incident_id}: take a new one")
        return number

    def _wake(self, opening: Opening, order: Order) -> None:
        """Start the execution. One that only watches, or waits for people, sleeps for up to a quarter of an hour:
        another takes its place, and whatever the sleeping one would still write is refused. A question that is still
        needed then is asked again."""
        if opening.incident_id is None:
            return
        incident = self.ledger.incident(opening.incident_id)
        if incident.status is not IncidentStatus.OPEN:
            return
        if opening.duplicate or not _asleep(incident, tell(self.ledger.events(incident.id)), self.now()):
            carry_on(self.executions, opening)
            return
        event = NewEvent(
            fact=Fact.EXECUTION_RESTARTED,
            actor=order.by,
            summary="an order came while the incident only waited: another execution looks at once",
        )
        with suppress(Superseded):  # it is awake: it has just written something
            incident = self.ledger.next_generation(incident, event)
        self.executions.start(incident.id, incident.generation)


def _asleep(incident: Incident, story: Story, now: datetime) -> bool:
    """Whether its execution surely sleeps by now: people know, or are asked, and nothing is done."""
    if incident.status is not IncidentStatus.OPEN:
        return False
    if incident.step in (StepName.PAGE, StepName.WATCH, StepName.APPROVAL):
        return True
    if incident.step != StepName.ASSESS or story.decision is None:
        return False
    if story.decision.outcome is Outcome.STAND_DOWN:
        return True
    # After this one comes the page, which must not be lost; it takes no minute.
    return story.decision.outcome is Outcome.ESCALATE and now - incident.updated_at >= timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class TryOrder:
    """A dry run: looks at the service and decides as the incident would, and writes nothing."""

    ledger: Ledger
    examiner: Examiner
    clock: Clock
    playbooks: Mapping[str, Playbook]

    def __call__(self, ref: ServiceRef, order: Order) -> Reply:
        """What would become of the order now."""
        playbook = self.playbooks.get(ref.key)
        if playbook is None:
            reason = f"no playbook names {ref}: write one, or another service"
            return Reply(state=OrderState.REFUSED, reason=reason, refused_by=(NO_PLAYBOOK,))
        now = self.clock.now()
        holder = self.ledger.lock_holder(ref)
        if holder is None:
            incident = Incident(
                id="dry-run",
                service=ref,
                status=IncidentStatus.OPEN,
                title=order.summary,
                opened_at=now,
                updated_at=now,
            )
            story = Story()
        else:
            incident, story = self.ledger.incident(holder), tell(self.ledger.events(holder))
        inbox = () if holder is None else self.ledger.inbox(holder)
        given = pending(len(inbox) + 1, Signal(kind=SignalKind.MANUAL, occurred_at=now, order=order))
        waiting: Sequence[PendingOrder] = () if given is None else (given,)
        decision = self.examiner.examine(incident, playbook, story, inbox, waiting=waiting).decision
        return _judged(decision).model_copy(update={"incident_id": holder})


def reply_to(ledger: Ledger, given: Given) -> Reply:
    """What has become of an order so far, as the trail of its incident tells it.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    events = ledger.events(given.incident_id)
    entry = next(e for e in ledger.inbox(given.incident_id) if e.number == given.number)
    looks = pending(given.number, entry.signal) is None
    reply = _looked(events, given.number) if looks else _obeyed(events, given.number)
    return reply.model_copy(update={"incident_id": given.incident_id})


def _looked(events: Sequence[Event], number: int) -> Reply:
    """Of a look: the first decision after it was seen that is more than to wait."""
    reply = Reply(state=OrderState.WAITING)
    seen = next(
        (n for n, e in enumerate(events) if e.fact is Fact.SIGNAL_RECEIVED and e.data["number"] == number), None
    )
    for event in () if seen is None else events[seen:]:
        if "decision" in event.data:
            decision = Decision.model_validate(event.data["decision"])
            waits = decision.outcome is Outcome.WAIT
            reply = Reply(
                state=OrderState.WAITING if waits else OrderState.DONE,
                reason=f"{decision.outcome}: {decision.reason}",
                plan=decision.plan,
                verdicts=decision.verdicts,
            )
            if not waits:
                return reply
    return reply


def _obeyed(events: Sequence[Event], number: int) -> Reply:
    reply = Reply(state=OrderState.WAITING)
    left = 0
    for event in events:
        if "decision" in event.data:
            decision = Decision.model_validate(event.data["decision"])
            if decision.order == number:
                reply, left = _judged(decision), 0 if decision.plan is None else len(decision.plan.changes)
            elif left and reply.state is OrderState.ALLOWED:
                return _failed(reply, "only a part of it was done; the responder goes on with what it finds")
        elif reply.state is OrderState.ASKED and event.fact in (Fact.APPROVAL_DENIED, Fact.APPROVAL_EXPIRED):
            return reply.model_copy(
                update={"state": OrderState.REFUSED, "reason": event.summary, "refused_by": ("approval",)}
            )
        elif reply.state is not OrderState.ALLOWED:
            continue
        elif event.fact is Fact.PLAN_OUTDATED:
            begun = reply.plan is not None and left < len(reply.plan.changes)
            reply = _failed(reply, event.summary) if begun else Reply(state=OrderState.WAITING, reason=event.summary)
        elif event.fact is Fact.ACTION_REFUSED:
            return _failed(reply, event.summary)
        elif event.fact in (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL):
            left -= 1
            if left == 0 or event.fact is Fact.ACTION_DOUBTFUL:
                return reply.model_copy(update={"state": OrderState.DONE, "reason": event.summary})
    return reply


def _judged(decision: Decision) -> Reply:
    match decision.outcome:
        case Outcome.ACT:
            state = OrderState.ALLOWED
        case Outcome.ASK:
            state = OrderState.ASKED
        case _:
            state = OrderState.REFUSED if decision.refused_by else OrderState.DONE
    planless = decision.refused_by == (PRECONDITION,) and bool(decision.alternatives)
    return Reply(
        state=state,
        reason=decision.alternatives[-1].reason if planless else decision.reason,
        refused_by=decision.refused_by,
        plan=decision.plan,
        verdicts=decision.verdicts,
    )


def _failed(reply: Reply, reason: str) -> Reply:
    return reply.model_copy(update={"state": OrderState.FAILED, "reason": reason})
