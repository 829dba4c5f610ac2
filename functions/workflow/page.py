"""Page: tell people once for each thing they have to know."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from functions.domain.errors import ReadFailed
from functions.domain.heartbeat import is_heartbeat
from functions.domain.incidents import Fact, IncidentStatus, NewEvent
from functions.playbooks.schema import Playbook
from functions.ports import Archive, Clock, Ledger, Notifier
from functions.workflow.answers import heard
from functions.workflow.close import keep
from functions.workflow.inbox import alarms_of
from functions.workflow.letters import escalation
from functions.workflow.looked import newest_look
from functions.workflow.promises import in_time, next_update, second_call_at, standing_of
from functions.workflow.restore import POSTPONE_LIMIT
from functions.workflow.severity import by_playbook
from functions.workflow.story import Story, heeding, tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Result, Visit, incident_of
from functions.workflow.watch import SHORTEST_S


@dataclass(frozen=True, kw_only=True)
class PagePeople:
    ledger: Ledger
    notifier: Notifier
    archive: Archive
    clock: Clock
    playbooks: Mapping[str, Playbook]

    def __call__(self, visit: Visit) -> Result:
        """Publish, then write that it was: a page may go out twice after a crash, never not at all."""
        incident = incident_of(visit, self.ledger)
        if is_heartbeat(incident.service):
            return Result(outcome=Outcome.TOLD)  # one that does not come back is told by an alarm
        incident, events = heard(
            self.ledger, incident, self.ledger.events(incident.id), expired=visit.outcome == Outcome.EXPIRED
        )
        inbox = self.ledger.inbox(incident.id)
        story = heeding(tell(events), incident.id, [entry for entry in inbox if entry.number > incident.signals_seen])
        about, now, is_open = _about(story, visit.outcome), self.clock.now(), incident.status is IncidentStatus.OPEN
        due_at = story.due_at
        # Whoever leads the incident has left the question behind.
        settled = story.taken_by is not None and visit.outcome == Outcome.EXPIRED
        if not settled and (about not in story.paged or story.graver_than_told):
            with suppress(ReadFailed):  # people first: the close stores the trail again, and the table has it
                keep(self.archive, incident, events)
            playbook = self.playbooks.get(incident.service.key)
            grade = story.grade or by_playbook(playbook, alarms_of(inbox))
            due_at = next_update(playbook, grade, now) if is_open else None
            calls_at = second_call_at(playbook, grade, now) if is_open and not story.escalated else None
            earliest = min((at for at in (story.escalate_at, calls_at) if at is not None), default=None)
            page = escalation(
                incident,
                events,
                grade=grade,
                looked=newest_look(self.ledger, events),
                standing=standing_of(playbook, replace(story, escalate_at=earliest), now, next_update_at=due_at),
            )
            message = self.notifier.publish(page)
            event = NewEvent(
                fact=Fact.PAGE_SENT,
                actor=StepName.PAGE,
                summary=f"paged: {page.subject}",
                data={
                    "about": about,
                    "subject": page.subject,
                    "severity": None if grade is None else grade.severity,
                    "message": message,
                    "head": incident.head_hash,
                    "next_update_at": None if due_at is None else due_at.isoformat(),
                    "escalate_at": None if calls_at is None else calls_at.isoformat(),
                },
            )
            incident = self.ledger.append(incident, [event], step=StepName.PAGE)
        if incident.status is IncidentStatus.RESOLVED:
            return Result(outcome=Outcome.TOLD)
        return in_time(Result(outcome=Outcome.PAGED, wait_s=SHORTEST_S), due_at, now)


def _about(story: Story, came_from: str | None) -> str:
    """What this page would be about; the same twice is one page.

    `came_from` is the outcome of the step before. That nobody can tell whether it helped is news by itself; what else a
    check of the recovery said is none, or the same page would go out again after the next one.

    A lease that cannot be given back is tried again at every sweep: once it was told, its number says nothing new."""
    gist = "" if story.decision is None else story.decision.gist
    untold = Outcome.GIVE_UP if came_from == Outcome.GIVE_UP else ""
    answer = "" if story.request is None or story.request.ended is None else f"#{story.request.ended}"
    return f"{gist}#{story.attempts}#{untold}#{min(story.postponed, POSTPONE_LIMIT)}{answer}"
