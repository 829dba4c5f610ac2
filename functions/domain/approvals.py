"""What people are asked, and what they said: a plan is put before them, once, until it expires."""

from enum import StrEnum

from functions.domain.causes import Cause
from functions.domain.changes import Plan
from functions.domain.model import Model, Moment


class Answer(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"


class Approval(Model):
    """One request, as it lies in the ledger beside its incident; a later request of the incident takes its place.

    `token` lets whoever has it wake the execution: besides Step Functions' own history it stands here alone, and never
    in a letter, a log or the trail.
    """

    incident_id: str
    generation: int
    """Of the execution that waits for the answer."""
    number: int
    """Counts the requests of the incident, from 1."""
    plan_hash: str
    """The plan that was asked for; a grant is good for no other one."""
    summary: str
    token: str
    asked_at: Moment
    expires_at: Moment
    """An answer counts only before it."""
    answer: Answer | None = None
    by: str = ""
    """Who answered, in their own words."""
    identity: str = ""
    """The same person as IAM knows them: the ARN of the caller."""
    reason: str = ""
    answered_at: Moment | None = None


class Consent(Model):
    """What people said so far about the plans of one incident, as a decision has to know it."""

    granted: str | None = None
    """Hash of the plan that was granted, neither used nor expired yet."""
    denied: frozenset[tuple[Cause, str]] = frozenset()
    """Which rungs were denied as an answer to which cause; a no holds for the rest of the incident."""
    asked: int = 0

    def denies(self, plan: Plan) -> bool:
        return (plan.cause, plan.rung) in self.denied
