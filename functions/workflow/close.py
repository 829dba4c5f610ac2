"""Close: resolve and release the lock in one transaction, then archive, and tell whom it concerns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.domain.durations import spoken
from functions.domain.errors import Superseded
from functions.domain.heartbeat import KEPT_AS, came_in_time, is_heartbeat
from functions.domain.incidents import Event, Fact, Incident, IncidentStatus, NewEvent
from functions.domain.model import canonical_json
from functions.playbooks.schema import Playbook
from functions.ports import Archive, Clock, Ledger, Notifier
from functions.workflow.letters import recovered
from functions.workflow.looked import newest_look
from functions.workflow.promises import standing_of
from functions.workflow.restore import until_due
from functions.workflow.story import Story, tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Result, Visit, incident_of


@dataclass(frozen=True, kw_only=True)
class Close:
    ledger: Ledger
    archive: Archive
    notifier: Notifier
    clock: Clock
    playbooks: Mapping[str, Playbook]

    def __call__(self, visit: Visit) -> Result:
        incident = incident_of(visit, self.ledger)
        if is_heartbeat(incident.service):
            return self._beat(incident)
        if incident.status is IncidentStatus.OPEN:
            if incident.signals_received > incident.signals_seen:
                return Result(outcome=Outcome.NEW_SIGNAL)
            try:
                incident = self.ledger.resolve(incident, self._resolved(incident))
            except Superseded:
                if self.ledger.incident(incident.id).signals_received > incident.signals_seen:
                    return Result(outcome=Outcome.NEW_SIGNAL)
                raise
        events = self.ledger.events(incident.id)
        keep(self.archive, incident, events)
        story = tell(events)
        if _concerns_people(incident, story):
            playbook = self.playbooks.get(incident.service.key)
            standing = standing_of(playbook, story, self.clock.now(), next_update_at=None)
            looked = newest_look(self.ledger, events)
            self.notifier.publish(recovered(incident, events, looked=looked, standing=standing))
        leases = self.ledger.service_leases(incident.service)
        if leases:
            return Result(outcome=Outcome.LEASES_LEFT, wait_s=until_due(leases, self.clock.now()))
        return Result(outcome=Outcome.RESOLVED)

    def _beat(self, incident: Incident) -> Result:
        """The archive first: what is resolved counts as come back the whole way. Nobody is told."""
        if incident.status is IncidentStatus.OPEN:
            if incident.signals_received > incident.signals_seen:
                return Result(outcome=Outcome.NEW_SIGNAL)
            self.archive.keep(
                KEPT_AS, as_lines(incident, self.ledger.events(incident.id)), content_type="application/x-ndjson"
            )
            sent_at = self.ledger.inbox(incident.id)[-1].signal.occurred_at
            now = self.clock.now()
            event = NewEvent(
                fact=Fact.INCIDENT_RESOLVED,
                actor=StepName.CLOSE,
                summary="the heartbeat came back" + ("" if came_in_time(sent_at, now) else ", too late"),
                data={
                    "in_time": came_in_time(sent_at, now),
                    "seconds": None if sent_at is None else round((now - sent_at).total_seconds(), 1),
                },
            )
            try:
                self.ledger.resolve(incident, event)
            except Superseded:
                if self.ledger.incident(incident.id).signals_received > incident.signals_seen:
                    return Result(outcome=Outcome.NEW_SIGNAL)
                raise
        return Result(outcome=Outcome.RETURNED)

    def _resolved(self, incident: Incident) -> NewEvent:
        story = tell(self.ledger.events(incident.id))
        how = "by itself" if story.acted is None else f"after {story.acted.plan.action}"
        took = self.clock.now() - (story.alarm_at or incident.opened_at)
        return NewEvent(
            fact=Fact.INCIDENT_RESOLVED,
            actor=StepName.CLOSE,
            summary=f"recovered {how}, {spoken(took)} after the {'order' if story.by_hand else 'alarm'}",
            # The step that comes next writes it there.
            data={"seconds": round(took.total_seconds(), 1), "report": self.archive.url(folder(incident))},
        )


def _concerns_people(incident: Incident, story: Story) -> bool:
    """Whether anybody heard of it, or something was changed: what came and went unnoticed is for the record alone.

    A later generation may follow a page that the state machine itself sent, of which the trail knows nothing.
    """
    return bool(story.paged or story.requests or story.intents) or incident.generation > 1


def folder(incident: Incident) -> str:
    """The beginning of the keys of everything that belongs to the incident's report."""
    return f"incidents/{incident.service.key}/{incident.id}/report/"


def keep(archive: Archive, incident: Incident, events: Sequence[Event]) -> str:
    """Store the trail as JSON Lines, the head first, so that a cut tail in the table shows."""
    return archive.keep(
        f"incidents/{incident.service.key}/{incident.id}/{incident.head_sequence:06d}.jsonl",
        as_lines(incident, events),
        content_type="application/x-ndjson",
    )


def as_lines(incident: Incident, events: Sequence[Event]) -> str:
    lines = [incident.model_dump(mode="json"), *(event.model_dump(mode="json") for event in events)]
    return "".join(canonical_json(line) + "\n" for line in lines)
