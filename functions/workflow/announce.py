"""Announce: tell machines what a trail says, once the step that wrote it is done. Nothing waits for it.

Whatever goes wrong, the incident goes on: what could not be told is told after the next step that may tell. An
execution that takes an incident over tells what is new from then on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.domain.announcements import (
    AffectedService,
    Announcement,
    ChatContent,
    ChatMetadata,
    ChatNotification,
    Happened,
    in_chat,
)
from functions.domain.durations import spoken
from functions.domain.incidents import Event, Fact, Incident, IncidentStatus
from functions.domain.redaction import clean
from functions.ports import Announcer, Ledger
from functions.workflow.standing import started, status
from functions.workflow.story import Story, report_of, tell
from functions.workflow.table import Outcome

TOLD_AS: Mapping[Fact, Happened] = {
    Fact.INCIDENT_OPENED: Happened.OPENED,
    Fact.ACTION_TAKEN: Happened.ACTED,
    Fact.ACTION_DOUBTFUL: Happened.ACTED,
    Fact.PAGE_SENT: Happened.PAGED,
    Fact.UPDATE_POSTED: Happened.UPDATED,
    Fact.ESCALATED: Happened.ESCALATED,
    Fact.ACKNOWLEDGED: Happened.ACKNOWLEDGED,
    Fact.COMMAND_TAKEN: Happened.TAKEN,
    Fact.COMMAND_RELEASED: Happened.RELEASED,
    Fact.INCIDENT_RESOLVED: Happened.RESOLVED,
}

_TAKEN_OVER = frozenset({Fact.EXECUTION_RESTARTED, Fact.SUCCESSOR_STARTED})


@dataclass(frozen=True, kw_only=True)
class Announce:
    ledger: Ledger
    announcer: Announcer

    def __call__(self, incident_id: str, announced: int) -> int:
        """Tell every line of the trail after that one; the number of the last one told.

        Raises:
            ReadFailed: the bus did not take them.
        """
        incident = self.ledger.incident(incident_id)
        if incident.head_sequence <= announced:
            return announced
        events = self.ledger.events(incident_id)
        since = announced or next((e.sequence for e in reversed(events) if e.fact in _TAKEN_OVER), 0)
        new = [event for event in events if event.sequence > since and event.fact in TOLD_AS]
        if new:
            self.announcer.announce([announcement(incident, events, e, TOLD_AS[e.fact]) for e in new])
        return events[-1].sequence

    def question(self, incident_id: str) -> None:
        """Tell that people are asked now.

        Raises:
            ReadFailed: the bus did not take it.
        """
        incident, events = self.ledger.incident(incident_id), self.ledger.events(incident_id)
        asked = next((event for event in reversed(events) if event.fact is Fact.APPROVAL_REQUESTED), None)
        if asked is not None:
            self.announcer.announce([announcement(incident, events, asked, Happened.ASKED)])


def announcement(incident: Incident, events: Sequence[Event], event: Event, happened: Happened) -> Announcement:
    """What one line of a trail tells, with how the incident stood then."""
    then = [each for each in events if each.sequence <= event.sequence]
    story = tell(then)
    decision, grade, acted = story.decision, story.grade, story.acted
    known = decision is not None and decision.outcome is not Outcome.ALL_CLEAR
    resolved = event.fact is Fact.INCIDENT_RESOLVED
    identifier = f"{incident.id}#{event.sequence}"
    since = started(incident, story)
    return Announcement(
        id=identifier,
        happened=happened,
        at=event.at,
        incident=incident.id,
        status=IncidentStatus.RESOLVED if resolved else IncidentStatus.OPEN,
        service=AffectedService(**incident.service.model_dump()),
        title=clean(incident.title),
        summary=clean(event.summary),
        started_at=since,
        severity=None if grade is None else grade.severity,
        severity_label=None if grade is None else grade.label,
        impact="" if grade is None else clean(grade.seen),
        cause=decision.cause if decision is not None and known else None,
        confidence=decision.confidence if decision is not None and known else None,
        action=None if acted is None else acted.plan.action,
        commander=story.commander,
        acknowledged_by=story.acknowledged_by,
        next_update_at=story.next_update_at,
        duration_s=(event.at - since).total_seconds() if resolved else None,
        report=report_of([event]),
        head=event.hash,
        chat=_chat(incident, story, event, happened, identifier),
    )


def _chat(incident: Incident, story: Story, event: Event, happened: Happened, identifier: str) -> ChatNotification:
    grade = story.grade
    label = "" if grade is None else f"[{grade.label}] "
    title = f"{label}{incident.service.service}: {_SAID[happened]}"
    lines = [] if happened is Happened.PAGED else [in_chat(event.summary)]
    lines += [] if grade is None or not grade.seen else [f"Impact: {in_chat(grade.seen)}"]
    if happened is Happened.PAGED and story.decision is not None:
        lines.append(f"Why: {in_chat(f'{story.decision.cause}: {story.decision.reason}')}")
    if happened is Happened.OPENED:
        lines.append("Status: the responder looks at it")
    elif happened is not Happened.RESOLVED:
        lines.append(f"Status: {in_chat(status(story))}")
    lines.append(f"Incident commander: {in_chat(story.commander)}")
    if story.next_update_at is not None:
        lines.append(f"Next update: {story.next_update_at:%H:%M} UTC")
    if happened is Happened.RESOLVED:
        lines.append(f"Duration: {spoken(event.at - started(incident, story))}")
        report = report_of([event])
        lines.append("" if report is None else f"Report: {in_chat(report)}")
    cause = [] if story.decision is None else [story.decision.cause.value]
    return ChatNotification(
        id=identifier,
        content=ChatContent(
            title=title,
            description="\n".join(filter(None, lines)),
            next_steps=tuple(f"`{command}`" for command in _commands(incident, story, happened)),
            keywords=(incident.service.service, *([] if grade is None else [grade.label]), *cause),
        ),
        metadata=ChatMetadata(
            thread_id=incident.id,
            summary=title,
            event_type=happened,
            related_resources=(f"{incident.service.cluster}/{incident.service.service}",),
            additional_context={"incident": incident.id, "service": incident.service.key, "happened": happened},
        ),
    )


_SAID: Mapping[Happened, str] = {
    Happened.OPENED: "an incident was opened",
    Happened.ASKED: "may the responder do this?",
    Happened.ACTED: "the responder acted",
    Happened.PAGED: "people are needed",
    Happened.UPDATED: "the incident is still open",
    Happened.ESCALATED: "nobody has the page",
    Happened.ACKNOWLEDGED: "somebody has the page",
    Happened.TAKEN: "a person leads the incident",
    Happened.RELEASED: "the responder leads the incident again",
    Happened.RESOLVED: "the incident is over",
}


def _commands(incident: Incident, story: Story, happened: Happened) -> list[str]:
    """What can be typed now, the most pressing first."""
    said = [f"responder show {incident.id}"]
    if happened is Happened.RESOLVED:
        return [f"responder report {incident.id} --open", *said]
    if happened is Happened.ASKED:
        return [f"responder approve {incident.id}", f"responder deny {incident.id}", *said]
    if story.taken_by is not None:
        return [f"responder give-back {incident.id}", *said]
    have = [] if story.acknowledged_by is not None else [f"responder ack {incident.id}"]
    return [*have, f"responder take {incident.id}", *said]
