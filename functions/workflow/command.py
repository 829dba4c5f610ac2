"""Command: who leads an incident. What people say at the desk comes as a signal, and the workflow heeds it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from functions.domain.errors import AnswerRefused
from functions.domain.incidents import Incident, IncidentStatus
from functions.domain.people import Said, Word
from functions.domain.signals import Signal, SignalKind
from functions.ports import Ledger
from functions.workflow.decision import Decision
from functions.workflow.story import Story, heeding, tell
from functions.workflow.table import Outcome


def led_by(person: str | None, decision: Decision) -> Decision:
    """The decision while that person leads the incident: the responder stands down, and closes what is all clear. What
    people themselves order is done all the same."""
    if person is None or decision.order is not None or decision.outcome is Outcome.ALL_CLEAR:
        return decision
    by_itself = f"by itself it would {decision.outcome}: {decision.reason}"
    return decision.model_copy(
        update={
            "outcome": Outcome.STAND_DOWN,
            "reason": f"{person} leads the incident, and the responder only watches; {by_itself}",
            "wait_s": 0,
            "held_by": "",
            "taken_by": person,
        }
    )


@dataclass(frozen=True, kw_only=True)
class SaySo:
    """Puts what a person says of an incident into its inbox. From then on it holds; the next step writes it down."""

    ledger: Ledger
    now: Callable[[], datetime]

    def __call__(self, incident_id: str, said: Said, *, by: str, identity: str, reason: str = "") -> str:
        """What holds now, as a sentence.

        Raises:
            AnswerRefused: the incident is closed.
            NotInLedger: there is no such incident.
        """
        incident = self.ledger.incident(incident_id)
        if incident.status is not IncidentStatus.OPEN:
            raise AnswerRefused(f"{incident_id}: the incident is closed, nobody has to lead it any more")
        before = self._known(incident)
        if said is Said.ACKNOWLEDGED and before.acknowledged_by is not None:
            return f"{before.acknowledged_by} has the page already"
        if said is Said.RELEASED and before.taken_by is None:
            return "the responder leads it already"
        if said is Said.TAKEN and before.taken_by == by:
            return f"{by} leads it already"
        signal = Signal(
            kind=SignalKind.MANUAL,
            occurred_at=self.now(),
            region=incident.service.region,
            cluster=incident.service.cluster,
            service=incident.service.service,
            word=Word(incident_id=incident_id, said=said, by=by, identity=identity, reason=reason),
        )
        opening = self.ledger.record_signal(signal, incident.service, may_open=False)
        if opening.incident_id != incident_id:
            raise AnswerRefused(f"{incident_id}: the incident was closed in this moment")
        match said:
            case Said.ACKNOWLEDGED:
                return f"{by} has the page: nobody else is called, and the responder goes on"
            case Said.TAKEN:
                return f"{by} leads it now: the responder only watches, and gives back what was temporary"
            case Said.RELEASED:
                return "the responder leads it again, from its next look on"

    def _known(self, incident: Incident) -> Story:
        inbox = self.ledger.inbox(incident.id)
        unseen = [entry for entry in inbox if entry.number > incident.signals_seen]
        return heeding(tell(self.ledger.events(incident.id)), incident.id, unseen)
