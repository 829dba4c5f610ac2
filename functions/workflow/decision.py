"""What was decided, as the trail keeps it. How it comes about is in `functions/workflow/decide.py`, which reads all
that a look brings; who acts on a decision, or tells of it, reads this alone."""

from functions.domain.causes import Cause
from functions.domain.changes import Plan, Verdict
from functions.domain.model import Model
from functions.workflow.table import Outcome

LOOK_AT_ONCE_S = 5
"""Seconds between two looks while only an alarm is waited for."""

PRECONDITION = "precondition"
"""In place of a guardrail's name, where an action makes no plan from what was found."""

OTHERS_AT_WORK = frozenset({Cause.NATIVE_ROLLBACK, Cause.SOMEONE_AT_WORK})
"""Causes that are waited for, until the patience ends."""


class Alternative(Model):
    """Another rung of the ladder, and why it was not taken."""

    action: str
    """As the ladder writes it."""
    reason: str


class Decision(Model):
    """What was decided, by which rule, and what else there was."""

    outcome: Outcome
    cause: Cause
    confidence: float
    reason: str
    """The rule that decided, as a sentence."""
    plan: Plan | None = None
    verdicts: tuple[Verdict, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    wait_s: int = 0
    """Seconds after which the next look is due, where the decision is to wait, or a maintenance window is open."""
    order: int | None = None
    """The order that this answers."""
    held_by: str = ""
    """The maintenance window for which people are not paged yet."""
    taken_by: str = ""
    """Who leads the incident, so that the responder only watches."""

    @property
    def refused_by(self) -> tuple[str, ...]:
        """What stands against the order that this answers: guardrails by their names, or `precondition` where the
        action itself makes no plan. Empty where it is done, or where only a grant is missing."""
        if self.order is None or self.outcome in (Outcome.ACT, Outcome.ASK):
            return ()
        denied = tuple(verdict.guardrail for verdict in self.verdicts if not verdict.allowed)
        beyond_asking = tuple(name for name in denied if name != "approval")
        return beyond_asking or denied or (PRECONDITION,)

    @property
    def is_about_to_act(self) -> bool:
        """A cause is found, and only a moment is let pass before it is answered."""
        return self.outcome is Outcome.WAIT and 0 < self.wait_s <= LOOK_AT_ONCE_S

    @property
    def gist(self) -> str:
        """What must change before people have to hear of it again; free of numbers that change by themselves.

        That people could be asked is no news to those who did not answer, or said no. What goes on in a maintenance
        window is none either."""
        if self.held_by:
            return f"{self.outcome}|held"
        if self.taken_by:
            return f"{self.outcome}|taken"
        denied = sorted(verdict.guardrail for verdict in self.verdicts if not verdict.allowed)
        action = "" if self.plan is None else self.plan.rung
        outcome = Outcome.ESCALATE if self.outcome is Outcome.ASK else self.outcome
        ordered = [] if self.order is None else [f"order {self.order}"]
        return "|".join([outcome, self.cause, action, *denied, *ordered])
