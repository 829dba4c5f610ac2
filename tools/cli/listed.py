"""Which incidents a list shows, and what it says of each: what went off, why, what was done, and what happens now."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.approvals import Approval
from functions.domain.durations import spoken
from functions.domain.incidents import Incident, IncidentStatus
from functions.domain.services import ServiceRef
from functions.ports import Ledger
from functions.workflow.reporting.known import Known
from functions.workflow.standing import status
from functions.workflow.story import Story, heeding
from functions.workflow.table import StepName
from functions.workflow.trails import Trail
from tools.cli.windows import windows_of

SIDE_BY_SIDE = 8
"""Trails that are read at the same time: each is a request of its own, and a long list takes hundreds."""

_SIGN = re.compile(r"[A-Z]+(_[A-Z]+)+")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One incident in a list."""

    incident: Incident
    story: Story
    what: str
    """What went off, without the names that the service's own column has."""
    severity: str
    """At its worst; empty where nobody looked yet."""
    cause: str
    """What it is, or was, treated as; empty where nobody looked yet."""
    doing: str
    """What was done; where nothing was, what was decided last."""
    changed: bool
    """Something was changed."""
    now: str
    """What the responder does now, or waits for; empty once it is resolved."""
    took: str
    waiting: Approval | None
    """What people are asked now."""
    notes: Sequence[str]
    """What maintenance windows have to do with it."""


def listed(
    ledger: Ledger, *, now: datetime, since: timedelta, only_open: bool = False, service: ServiceRef | None = None
) -> Sequence[Incident]:
    """Those that are open, whenever they were opened, and those opened since then; newest first."""
    found = {incident.id: incident for incident in ledger.open_incidents()}
    if not only_open:
        found |= {incident.id: incident for incident in ledger.incidents_between(now - since, now)}
    wanted = [incident for incident in found.values() if service is None or incident.service == service]
    return sorted(wanted, key=lambda incident: incident.opened_at, reverse=True)


def lines(ledger: Ledger, incidents: Sequence[Incident], *, now: datetime) -> Sequence[Line]:
    """What there is to say of each, in the order given."""

    def read(incident: Incident) -> Line:
        return line(ledger, incident, known(ledger, incident), now=now)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return tuple(pool.map(read, incidents))


def line(ledger: Ledger, incident: Incident, found: Known, *, now: datetime) -> Line:
    """What there is to say of one incident with that trail."""
    still_open = incident.status is IncidentStatus.OPEN
    approval = ledger.approval(incident.id) if still_open and incident.step == StepName.APPROVAL else None
    story, decision = heard(ledger, incident, found.story), found.trouble
    done = [intent.plan.summary for intent in story.intents if intent.stage == 0]
    return Line(
        incident=incident,
        story=story,
        what=titled(incident),
        severity="" if found.worst is None else found.worst.name,
        cause="" if decision is None else str(found.cause),
        doing=_and_more(done) if done else "" if decision is None else decision.reason,
        changed=bool(done),
        now=status(story) if still_open else "",
        took=spoken((incident.closed_at or now) - incident.opened_at),
        waiting=approval if approval is not None and waits(approval, incident, now) else None,
        notes=windows_of(ledger.switch(incident.service), story, now=now) if still_open else (),
    )


def counted(found: Sequence[Line]) -> Mapping[str, int]:
    """How many of these are open, how many wait for people, and in how many something was changed."""
    return {
        "open": sum(line.incident.status is IncidentStatus.OPEN for line in found),
        "waiting": sum(line.waiting is not None for line in found),
        "acted": sum(line.changed for line in found),
    }


def known(ledger: Ledger, incident: Incident) -> Known:
    """What follows from its trail, without the evidence that lies in the archive."""
    events = tuple(ledger.events(incident.id))
    return Known(Trail(incident=incident, events=events, evidence={e.sequence: e.data for e in events}))


def heard(ledger: Ledger, incident: Incident, story: Story) -> Story:
    """The story, with what people said of an open incident and no step has written down yet."""
    if incident.status is not IncidentStatus.OPEN:
        return story
    inbox = ledger.inbox(incident.id)
    return heeding(story, incident.id, [entry for entry in inbox if entry.number > incident.signals_seen])


def waits(approval: Approval, incident: Incident, now: datetime) -> bool:
    """Whether an answer to it can still count."""
    mine = approval.generation == incident.generation and incident.status is IncidentStatus.OPEN
    return approval.answer is None and now < approval.expires_at and mine


def titled(incident: Incident) -> str:
    """What went off: names of alarms without their beginning, which says the service again, and signs as words."""
    title = incident.title.replace(f"responder-{incident.service.cluster}-{incident.service.service}-", "")
    return title.replace("_", " ").lower() if _SIGN.fullmatch(title) else title


def _and_more(done: Sequence[str]) -> str:
    return done[0] if len(done) == 1 else f"{done[0]}, and {len(done) - 1} more"
