"""Update: say what was promised, when it was promised; and call the second contact when nobody has the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.errors import ReadFailed
from functions.domain.incidents import Event, Fact, Incident, NewEvent
from functions.domain.severity import Grade
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Ledger, Notifier
from functions.workflow.inbox import alarms_of
from functions.workflow.letters import second_call, update
from functions.workflow.looked import newest_look
from functions.workflow.promises import in_time, next_update, standing_of
from functions.workflow.severity import by_playbook
from functions.workflow.story import Story, heeding, tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Result, Visit, incident_of
from functions.workflow.watch import SHORTEST_S


@dataclass(frozen=True, kw_only=True)
class KeepPromises:
    ledger: Ledger
    notifier: Notifier
    second: Notifier
    """To the second contacts."""
    clock: Clock
    playbooks: Mapping[str, Playbook]

    def __call__(self, visit: Visit) -> Result:
        """Call, then post, whichever is due. What cannot be sent is tried again at the next visit: an incident does not
        stop for it."""
        incident = incident_of(visit, self.ledger)
        events = self.ledger.events(incident.id)
        story, now = self._heeded(incident, tell(events)), self.clock.now()
        try:
            if story.calls(now):
                incident = self._call(incident, now)
            if story.next_update_at is not None and now >= story.next_update_at:
                self._post(incident, now)
        except ReadFailed as error:
            self._unsent(incident, error)
        said = Outcome.NOT_YET if visit.outcome == Outcome.PROMISED_MEANWHILE else Outcome.PAGED
        due_at = tell(self.ledger.events(incident.id)).due_at
        again = now + timedelta(seconds=SHORTEST_S) if due_at is not None and due_at <= now else due_at
        return in_time(Result(outcome=said, wait_s=visit.left_s or SHORTEST_S), again, now)

    def _heeded(self, incident: Incident, story: Story) -> Story:
        inbox = self.ledger.inbox(incident.id)
        return heeding(story, incident.id, [entry for entry in inbox if entry.number > incident.signals_seen])

    def _call(self, incident: Incident, now: datetime) -> Incident:
        events = self.ledger.events(incident.id)
        story, playbook = tell(events), self.playbooks.get(incident.service.key)
        grade = self._grade(incident, story)
        standing = standing_of(playbook, story, now, next_update_at=story.next_update_at)
        page = second_call(incident, events, grade=grade, looked=newest_look(self.ledger, events), standing=standing)
        message = self.second.publish(page)
        called = NewEvent(
            fact=Fact.ESCALATED,
            actor=StepName.UPDATE,
            summary="nobody acknowledged the page in time: called the second contact",
            data={"subject": page.subject, "message": message},
        )
        return self.ledger.append(incident, [called], step=StepName.UPDATE)

    def _post(self, incident: Incident, now: datetime) -> None:
        """The update names the one that comes after it."""
        events = self.ledger.events(incident.id)
        story, playbook = self._heeded(incident, tell(events)), self.playbooks.get(incident.service.key)
        grade = self._grade(incident, story)
        then = next_update(playbook, grade, now)
        page = update(
            incident,
            events,
            grade=grade,
            looked=newest_look(self.ledger, events),
            standing=standing_of(playbook, story, now, next_update_at=then),
        )
        message = self.notifier.publish(page)
        posted = NewEvent(
            fact=Fact.UPDATE_POSTED,
            actor=StepName.UPDATE,
            summary=f"posted the promised update{_newest_look(story, events)}",
            data={
                "subject": page.subject,
                "message": message,
                "next_update_at": None if then is None else then.isoformat(),
            },
        )
        self.ledger.append(incident, [posted], step=StepName.UPDATE)

    def _unsent(self, incident: Incident, error: ReadFailed) -> None:
        """Written down once, however often it is tried again."""
        events = self.ledger.events(incident.id)
        summary, told = f"what was promised could not be sent: {error}", tell(events).told
        if summary not in {event.summary for event in events if event.sequence > told}:
            failed = NewEvent(fact=Fact.LOOKED_AGAIN, actor=StepName.UPDATE, summary=summary)
            self.ledger.append(incident, [failed], step=StepName.UPDATE)

    def _grade(self, incident: Incident, story: Story) -> Grade | None:
        alarms = alarms_of(self.ledger.inbox(incident.id))
        return story.grade or by_playbook(self.playbooks.get(incident.service.key), alarms)


def _newest_look(story: Story, events: Sequence[Event]) -> str:
    """What the look found that the update rests on; nothing where there was none since people heard last."""
    looks = (e.summary for e in reversed(events) if e.sequence > story.told and e.fact is Fact.LOOKED_AGAIN)
    found = next(looks, None)
    return "" if found is None else f": {found}"
