"""What an intent brings about besides its change: the release that it declares bad, and what is told when nobody knows
how it ended."""

from functions.domain.changes import Plan
from functions.domain.evidence import ReleaseState
from functions.domain.incidents import Fact, Incident, NewEvent
from functions.ports import Ledger
from functions.workflow.story import Intent


def doubtful(intent: Intent) -> NewEvent:
    """An intent whose answer was lost. It counts as done: doing it again could do it twice."""
    return NewEvent(
        fact=Fact.ACTION_DOUBTFUL,
        actor="responder",
        summary=f"nobody wrote down how this ended: {intent.plan.summary}; it counts as done",
        data={"intent": intent.sequence, "error": "the execution ended between the intent and its result"},
    )


def quarantine(ledger: Ledger, incident: Incident, plan: Plan) -> None:
    """Declare bad what the plan rolls back. It comes before the record that the change was made: whoever dies between
    the two leaves an open intent, and the successor comes by here again."""
    if plan.quarantine is not None:
        ledger.judge_release(
            incident.service,
            plan.quarantine,
            ReleaseState.QUARANTINED,
            reason=f"rolled back in {incident.id}: {plan.cause}",
        )
