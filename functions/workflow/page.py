"""Page: tell people once for each thing they have to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.domain.errors import ReadFailed, TrailBroken
from functions.domain.evidence import Findings
from functions.domain.incidents import Event, Fact, InboxEntry, IncidentStatus, NewEvent
from functions.playbooks.schema import Playbook
from functions.ports import Archive, Ledger, Notifier
from functions.workflow.answers import heard
from functions.workflow.assess import alarms_of
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
    playbooks: Mapping[str, Playbook]

    def __call__(self, visit: Visit) -> Result:
        """Publish, then write that it was: a page may go out twice after a crash, never not at all."""
        incident = incident_of(visit, self.ledger)
        incident, events = heard(
            self.ledger, incident, self.ledger.events(incident.id), expired=visit.outcome == Outcome.EXPIRED
        )
        story = tell(events)
        about = _about(story)
        if about not in story.paged:
            keep(self.archive, incident, events)
            grave = severity(self.playbooks.get(incident.service.key), self.ledger.inbox(incident.id))
            page = escalation(incident, events, severity=grave, looked=self._looked(events))
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

    def _looked(self, events: Sequence[Event]) -> Findings | None:
        """What the newest look at the service brought; a page goes out without it, too."""
        looked = next((event for event in reversed(events) if event.fact is Fact.EVIDENCE_GATHERED), None)
        if looked is None:
            return None
        try:
            return Findings.model_validate(self.ledger.evidence(looked)["findings"])
        except (ReadFailed, TrailBroken):
            return None


def severity(playbook: Playbook | None, inbox: Sequence[InboxEntry]) -> str:
    """The gravest severity among the alarms of the incident, P0 before P4; empty without a playbook."""
    if playbook is None:
        return ""
    return min((playbook.severity_of(alarm) for alarm in alarms_of(inbox)), default=playbook.severity)


def _about(story: Story) -> str:
    """What this page would be about; the same twice is one page.

    A lease that cannot be given back is tried again at every sweep: once it was told, its number says nothing new."""
    gist = "" if story.decision is None else story.decision.gist
    answer = "" if story.request is None or story.request.ended is None else f"#{story.request.ended}"
    return f"{gist}#{story.attempts}#{story.checked or ''}#{min(story.postponed, POSTPONE_LIMIT)}{answer}"
