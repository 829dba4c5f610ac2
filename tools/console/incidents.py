"""What the pages of incidents show: the list, and one incident with its report and what may be said of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from xml.etree.ElementTree import Element

from functions.domain.approvals import Approval
from functions.domain.changes import Plan
from functions.domain.incidents import Incident, IncidentStatus
from functions.domain.services import ServiceRef
from functions.workflow.promises import standing_of
from functions.workflow.report import Gather, kept_report, leases_of
from functions.workflow.reporting.compose import compose
from functions.workflow.reporting.known import Gathered, Known
from functions.workflow.reporting.model import CauseTold, IncidentReport
from functions.workflow.reporting.page import parts
from functions.workflow.standing import lines as standing_lines
from functions.workflow.story import Story, tell
from functions.workflow.trails import Trail, read_trail
from tools.cli.listed import Line, heard, known, line, listed, waits
from tools.console.kept import Kept
from tools.console.room import Room

MOST_ROWS = 100
"""Incidents in one list: each that was not shown before takes a request of its own."""

MOST_KNOWN = 5 * MOST_ROWS
"""Trails of lists that are held in memory."""

MONTH = timedelta(days=30)
SERVICES_FOR = timedelta(minutes=1)
"""How long the services are taken to be the same: to find them takes a look at a month."""

SINCE = {"1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days", "365d": "last year"}
"""How far a list looks back, as it is written in the address, and in words."""

STATES = {"all": "every state", "open": "open", "waiting": "waiting for people", "resolved": "resolved"}

GATHERED_FOR = timedelta(seconds=30)
"""How long the metrics and lines of an open incident are shown before they are read again."""
GATHER_WAIT_S = 2.0
"""How long the page of an open incident waits for them; it is there without them, and they come a look later."""
POLL_S, LONG_POLL_S, LEASE_POLL_S = 5, 30, 60
"""Seconds between two looks at the ledger: for an incident that is open and the lists of a day, for longer lists, and
for an incident that only has leases out."""
WRITTEN_WITHIN = timedelta(minutes=10)
"""After that long the report of a closed incident is not expected any more."""

LINES = 300
"""Log lines that are read of an open incident; of one that is over, the responder itself keeps many more."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    rows: Sequence[Line]
    more: int
    """How many are not shown."""
    poll_s: int
    """After how many seconds to look again."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The request for approval that waits for an answer, with the plan it is about."""

    approval: Approval
    plan: Plan | None
    reason: str
    """Why it is asked, as decided."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One incident."""

    incident: Incident
    report: IncidentReport
    parts: Sequence[Element]
    chosen: CauseTold | None
    """What it is treated as, with its evidence; None where nothing is known yet."""
    broken: str | None
    """Why the trail does not verify."""
    standing: Sequence[tuple[str, str]]
    """How it stands, line by line; empty once it is resolved."""
    story: Story
    asked: Asked | None
    answered: Approval | None
    """An answer that nobody has acted upon yet."""
    reading: bool
    """Metrics and lines are still being read."""
    poll_s: int | None
    """After how many seconds to look again; None where nothing of it changes any more."""


class Incidents:
    """Reads incidents for the pages. What does not change any more is read once."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._known: dict[str, Known] = {}
        self._services: tuple[datetime | None, Sequence[ServiceRef]] = (None, ())
        self._trails: dict[str, Trail] = {}
        self._lock = Lock()
        self._gathered: Kept[Gathered] = Kept(now=room.now, keep=GATHERED_FOR)

    # --- the list

    def listing(self, *, since: timedelta, state: str, service: ServiceRef | None) -> Listing:
        """Those that are open or were opened since then, newest first; those that wait for people before all others."""
        ledger, now = self._room.ledger, self._room.now()
        only_open = state in ("open", "waiting")
        found = listed(ledger, now=now, since=since, only_open=only_open, service=service)
        if state == "resolved":
            found = [incident for incident in found if incident.status is IncidentStatus.RESOLVED]
        rows = [self._line(incident, now) for incident in found[:MOST_ROWS]]
        if state == "waiting":
            rows = [row for row in rows if row.waiting is not None]
        first = sorted(rows, key=lambda row: (row.waiting is None, row.incident.status is IncidentStatus.RESOLVED))
        poll_s = LONG_POLL_S if since > timedelta(days=1) and not only_open else POLL_S
        return Listing(rows=first, more=max(0, len(found) - MOST_ROWS), poll_s=poll_s)

    def services(self) -> Sequence[ServiceRef]:
        """Those with a playbook, and those that had an incident in the last month, as of a minute ago at most."""
        now = self._room.now()
        read_at, refs = self._services
        if read_at is None or now - read_at > SERVICES_FOR:
            seen = {i.service.key: i.service for i in listed(self._room.ledger, now=now, since=MONTH)}
            known = {key: playbook.ref for key, playbook in self._room.playbooks.items()}
            refs = [ref for _, ref in sorted((seen | known).items())]
            self._services = (now, refs)
        return refs

    def _line(self, incident: Incident, now: datetime) -> Line:
        """Its trail is read anew when it went on."""
        found = self._known.get(incident.id)
        if found is None or found.trail.incident.head_hash != incident.head_hash:
            found = known(self._room.ledger, incident)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[incident.id] = found
        return line(self._room.ledger, incident, found, now=now)

    # --- one incident

    def page(self, incident_id: str) -> Page:
        """Raises NotInLedger."""
        room, now = self._room, self._room.now()
        trail = self._trail(incident_id)
        incident = trail.incident
        report, reading = self._report(trail, now)
        still_open = incident.status is IncidentStatus.OPEN
        story = heard(room.ledger, incident, tell(trail.events))
        playbook = room.playbook(incident.service)
        approval = room.ledger.approval(incident_id) if still_open else None
        asked = None
        if approval is not None and waits(approval, incident, now):
            request = next((each for each in story.requests if each.number == approval.number), None)
            decision = story.decision
            asked = Asked(
                approval=approval,
                plan=None if request is None else request.plan,
                reason="" if decision is None else decision.reason,
            )
        unheard = approval is not None and approval.answer is not None and _open_request(story, approval)
        standing = standing_of(playbook, story, now, next_update_at=story.next_update_at)
        said = standing_lines(story, standing) if still_open else []
        return Page(
            incident=incident,
            report=report,
            parts=parts(report),
            chosen=next((cause for cause in report.causes if cause.chosen), None),
            broken=trail.broken,
            standing=[(name, text) for name, _, text in (line.partition(": ") for line in said)],
            story=story,
            asked=asked,
            answered=approval if unheard else None,
            reading=reading,
            poll_s=_poll_s(incident, report, now),
        )

    def _trail(self, incident_id: str) -> Trail:
        """The trail; what was appended is read once, since nothing of it changes."""
        incident = self._room.ledger.incident(incident_id)
        known = self._trails.get(incident_id)
        if known is not None and known.incident.head_hash == incident.head_hash and not known.unread:
            return replace(known, incident=incident)
        made = read_trail(self._room.ledger, incident_id)
        with self._lock:
            self._trails = {**dict(list(self._trails.items())[-MOST_ROWS:]), incident_id: made}
        return made

    def _report(self, trail: Trail, now: datetime) -> tuple[IncidentReport, bool]:
        """As it was kept, or as it can be told now; whether more is being read for it."""
        room = self._room
        kept = kept_report(room.ledger, room.archive, trail.incident)
        if kept is not None:
            return kept, False
        gather = Gather(ledger=room.ledger, readers=room.readers, playbooks=room.playbooks)
        found = self._gathered.get(
            trail.incident.id, lambda: gather(trail, now=room.now(), most_lines=LINES), wait_s=GATHER_WAIT_S
        )
        leases = leases_of(room.ledger, trail.incident)
        gathered = Gathered(leases=leases) if found is None else replace(found, leases=leases)
        return compose(trail, gathered, room.playbook(trail.incident.service), now=now), found is None


def _poll_s(incident: Incident, report: IncidentReport, now: datetime) -> int | None:
    if incident.closed_at is None:
        return POLL_S
    unwritten = not report.place and now - incident.closed_at < WRITTEN_WITHIN
    return POLL_S if unwritten else LEASE_POLL_S if any(not lease.ended for lease in report.leases) else None


def _open_request(story: Story, approval: Approval) -> bool:
    """Whether no step has written down yet what became of it."""
    return any(request.number == approval.number and request.ended is None for request in story.requests)
