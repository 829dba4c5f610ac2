"""What people answer over the HTTP API: the same as at the desk, by whoever IAM says they are."""

from dataclasses import dataclass

from functions.domain.approvals import Answer
from functions.domain.model import Model
from functions.domain.redaction import clean
from functions.workflow.answers import TakeAnswer
from functions.workflow.api.records import Asked, asked, status_url

MOST_BY, MOST_REASON = 100, 500


class Answered(Model):
    """An answer that is written down. Whether it is acted upon, the incident tells."""

    incident_id: str
    status_url: str
    approval: Asked
    next: str
    """What happens now, in a sentence."""


_NEXT = {
    Answer.GRANTED: "the responder looks again first, and acts only if the plan is still the same",
    Answer.DENIED: "people are paged, and the responder goes on looking",
}


@dataclass(frozen=True, kw_only=True)
class AnswerPeople:
    take: TakeAnswer

    def __call__(self, incident_id: str, answer: Answer, *, identity: str, reason: str) -> Answered:
        """`identity` is the caller's ARN. Raises what `TakeAnswer` raises."""
        taken = self.take(
            incident_id, answer, by=called(identity), identity=identity, reason=reason_of(reason, identity)
        )
        return Answered(
            incident_id=incident_id, status_url=status_url(incident_id), approval=asked(taken), next=_NEXT[answer]
        )


def called(arn: str) -> str:
    """How people know a caller: the user's name, or the role's with its session."""
    return clean(arn.rpartition(":")[2].partition("/")[2] or arn, limit=MOST_BY)


def reason_of(written: str, arn: str) -> str:
    """What was written, or by whom where nothing was."""
    return clean(written.strip(), limit=MOST_REASON) or f"by {clean(arn, limit=MOST_REASON)}"
