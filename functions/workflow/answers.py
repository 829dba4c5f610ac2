"""What people answer: taken at the desk, written down once, and read by the step that comes next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.approvals import Answer, Approval
from functions.domain.errors import AnswerRefused, Superseded
from functions.domain.incidents import Event, Fact, Incident, IncidentStatus, NewEvent
from functions.domain.words import clock
from functions.ports import Answers, Ledger
from functions.workflow.story import Request, tell
from functions.workflow.table import StepName


@dataclass(frozen=True, kw_only=True)
class TakeAnswer:
    """Writes one answer into the ledger, then wakes the execution that waits for it.

    The trail is left to the workflow. Whoever is interrupted between the two gives the same answer again.
    """

    ledger: Ledger
    answers: Answers
    now: Callable[[], datetime]

    def __call__(
        self, incident_id: str, answer: Answer, *, by: str, identity: str, reason: str, plan_hash: str | None = None
    ) -> Approval:
        """The request with the answer in it. `plan_hash`: whoever answers has seen this plan, and answers no other.

        Raises:
            AnswerRefused: there is nothing to answer (any more), with the reason.
            NotInLedger: there is no such incident.
            ReadFailed: it is written, and nobody knows whether the execution was told: the same answer again tells it.
        """
        asked = self._open_request(incident_id)
        if plan_hash is not None and plan_hash != asked.plan_hash:
            raise AnswerRefused(f"{incident_id}: another plan is asked for by now: {asked.summary}; look at it first")
        if asked.answer is None:
            asked = self._written(asked, answer, by=by, identity=identity, reason=reason)
        elif asked.answer is not answer:
            raise AnswerRefused(f"{incident_id}: {_said(asked)} already, and an answer is given once")
        if not self.answers.deliver(asked.token, answer) and self._ended(asked) is None:
            raise AnswerRefused(
                f"{incident_id}: the answer came too late: nobody waits for it any more, and nothing is done by it"
            )
        return asked

    def _open_request(self, incident_id: str) -> Approval:
        """The newest request, if an answer to it can still count."""
        incident = self.ledger.incident(incident_id)
        asked = self.ledger.approval(incident_id)
        if asked is None:
            raise AnswerRefused(f"{incident_id}: nobody was asked anything in this incident")
        ended = self._ended(asked)
        if ended is Fact.APPROVAL_EXPIRED:
            raise AnswerRefused(f"{incident_id}: the request expired at {clock(asked.expires_at)}; people were paged")
        if ended is not None:
            raise AnswerRefused(f"{incident_id}: {_said(asked)} already, and the incident has gone on with it")
        if incident.status is not IncidentStatus.OPEN:
            raise AnswerRefused(f"{incident_id}: the incident is closed, there is nothing to allow any more")
        if incident.generation != asked.generation:
            raise AnswerRefused(f"{incident_id}: the execution that asked has ended; its successor asks again")
        if asked.answer is None and self.now() >= asked.expires_at:
            raise AnswerRefused(f"{incident_id}: the request expired at {clock(asked.expires_at)}; people are paged")
        return asked

    def _written(self, asked: Approval, answer: Answer, *, by: str, identity: str, reason: str) -> Approval:
        answered = asked.model_copy(
            update={
                "answer": answer,
                "by": by,
                "identity": identity,
                "reason": reason,
                "answered_at": self.now(),
            }
        )
        try:
            self.ledger.answer_approval(asked, answered)
        except Superseded as error:
            raise AnswerRefused(f"{asked.incident_id}: {error}; look at it again") from error
        return answered

    def _ended(self, asked: Approval) -> Fact | None:
        """What the trail says became of this request."""
        requests = tell(self.ledger.events(asked.incident_id)).requests
        return next((request.ended for request in requests if request.number == asked.number), None)


def heard(
    ledger: Ledger, incident: Incident, events: Sequence[Event], *, expired: bool = False
) -> tuple[Incident, Sequence[Event]]:
    """The incident and its trail, after what became of the newest request was written there.

    The answer in the ledger is what counts, whatever woke the execution. `expired`: nobody woke it in time; then an
    answer that lies there came to nothing.
    """
    request = tell(events).request
    if request is None or request.ended is not None:
        return incident, events
    approval = ledger.approval(incident.id)
    if expired:
        told = _expired(request)
    elif approval is not None and approval.number == request.number and approval.answer is not None:
        told = _answered(approval)
    else:
        return incident, events
    return ledger.append(incident, [told], step=StepName.APPROVAL), ledger.events(incident.id)


def _expired(request: Request) -> NewEvent:
    return NewEvent(
        fact=Fact.APPROVAL_EXPIRED,
        actor=StepName.APPROVAL,
        summary=f"nobody answered until {clock(request.expires_at)}, so this was not done: {request.plan.summary}",
        data={"number": request.number},
    )


def _answered(approval: Approval) -> NewEvent:
    because = f" ({approval.reason})" if approval.reason else ""
    return NewEvent(
        fact=Fact.APPROVAL_GRANTED if approval.answer is Answer.GRANTED else Fact.APPROVAL_DENIED,
        actor=approval.by,
        summary=f"{approval.answer} by {approval.by}{because}: {approval.summary}",
        data={
            "number": approval.number,
            "plan_hash": approval.plan_hash,
            "by": approval.by,
            "identity": approval.identity,
            "reason": approval.reason,
            "answered_at": None if approval.answered_at is None else approval.answered_at.isoformat(),
        },
    )


def _said(asked: Approval) -> str:
    at = "" if asked.answered_at is None else f" at {clock(asked.answered_at)}"
    return f"{asked.answer} by {asked.by}{at}"
