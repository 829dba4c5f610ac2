"""Page: tell people once for each thing they have to know."""

from dataclasses import dataclass

from functions.domain.incidents import Fact, IncidentStatus, NewEvent
from functions.ports import Archive, Ledger, Notifier
from functions.workflow.close import keep
from functions.workflow.letters import escalation
from functions.workflow.restore import POSTPONE_LIMIT
from functions.workflow.story import Story, tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Result, Visit, incident_of
from functions.workflow.watch import SHORTEST_S


@dataclass(frozen=True, kw_only=True)
class PagePeople:
    ledger: Ledger
    notifier: Notifier
    archive: Archive

    def __call__(self, visit: Visit) -> Result:
        """Publish, then write that it was: a page may go out twice after a crash, never not at all."""
        incident = incident_of(visit, self.ledger)
        events = self.ledger.events(incident.id)
        story = tell(events)
        about = _about(story)
        if about != story.paged:
            keep(self.archive, incident, events)
            page = escalation(incident, events)
            message = self.notifier.publish(page)
            event = NewEvent(
                fact=Fact.PAGE_SENT,
                actor=StepName.PAGE,
                summary=f"paged: {page.subject}",
                data={"about": about, "subject": page.subject, "message": message, "head": incident.head_hash},
            )
            incident = self.ledger.append(incident, [event], step=StepName.PAGE)
        if incident.status is IncidentStatus.RESOLVED:
            return Result(outcome=Outcome.TOLD)
        return Result(outcome=Outcome.PAGED, wait_s=SHORTEST_S)


def _about(story: Story) -> str:
    """What this page would be about; the same twice in a row is one page.

    A lease that cannot be given back is tried again at every sweep: once it was told, its number says nothing new."""
    gist = "" if story.decision is None else story.decision.gist
    return f"{gist}#{story.attempts}#{story.checked or ''}#{min(story.postponed, POSTPONE_LIMIT)}"
