"""What the ledger answers: incidents, their trails, what is asked of people, and who does what about a service."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.approvals import Answer, Approval
from functions.domain.errors import NotNamed
from functions.domain.evidence import Release, ReleaseState, short
from functions.domain.incidents import Event, Fact, FleetSwitch, Incident, IncidentStatus, Mode, Switch
from functions.domain.maintenance import window_at
from functions.domain.model import Model, Moment
from functions.domain.severity import Severity
from functions.guardrails.verdicts import BREAKER_WINDOW, Breaker, breaker_of
from functions.playbooks.named import the_one
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Ledger
from functions.workflow.story import Story, report_of, tell

PATH = "/api/v1/incidents"
MOST_TRAILS = 40
"""Trails that one search reads: each is a request of its own, and an HTTP API ends at 30 s."""
A_DAY = timedelta(days=1)


class IncidentLine(Model):
    """One incident in a list."""

    id: str
    service: str
    status: IncidentStatus
    title: str
    step: str
    """The step that wrote last."""
    opened_at: Moment
    closed_at: Moment | None
    status_url: str
    """Path under which it is told in whole."""


class IncidentList(Model):
    incidents: tuple[IncidentLine, ...]


class Line(Model):
    """One event of a trail, without its data."""

    sequence: int
    at: Moment
    fact: Fact
    actor: str
    summary: str


class Asked(Model):
    """What people were asked, and what they said."""

    incident_id: str
    summary: str
    asked_at: Moment
    expires_at: Moment
    answer: Answer | None
    by: str
    identity: str
    """The same person as IAM knows them."""
    reason: str
    answered_at: Moment | None


class IncidentWhole(IncidentLine):
    """One incident: where it stands, and its timeline."""

    severity: Severity | None
    """None where nobody has looked at it yet."""
    cause: str | None
    """What the newest decision took for the cause."""
    decision: str | None
    """What was decided last, and why."""
    actions: tuple[str, ...]
    """What was begun, in order."""
    commander: str
    """Who leads it."""
    acknowledged_by: str | None
    """Who has the page."""
    next_update_at: Moment | None
    """When people hear of it again, of an incident that is open."""
    report: str | None
    """Where its report lies, of one that is resolved: the address of a page in S3."""
    approval: Asked | None
    timeline: tuple[Line, ...]


class AuditEntry(Line):
    """One event of any trail."""

    incident_id: str
    service: str


class AuditAnswer(Model):
    """What a search in the trails found, newest first."""

    entries: tuple[AuditEntry, ...]
    since: Moment
    until: Moment
    left_out: int
    """How many more were found in these incidents than were asked for: ask for more, or more narrowly."""
    incidents_searched: int
    next_until: Moment | None
    """Where the search stopped: the same question with it as `until` goes on; None where all was searched."""


class ReleaseLine(Model):
    """One release that the service ran and that could be gone back to."""

    snapshot_id: str
    """`family:revision` of its task definition."""
    task_definition: str
    state: ReleaseState
    first_seen: Moment
    last_seen: Moment
    reason: str
    usable: bool
    """Neither quarantined nor suspect."""


class BreakerLine(Model):
    """Whether the responder still acts upon the service by itself, after actions that did not help."""

    open: bool
    """Nothing is done while it is open, but what people order."""
    failed: int
    """Incidents of the last day that were acted upon without effect."""
    limit: int
    """With so many it opens, as the playbook says."""
    closes_at: Moment | None
    """When it closes by itself; null while it is closed."""
    reason: str


class OrchestrationAnswer(Model):
    """What the responder does about a service now."""

    service: str
    mode: Mode
    """What it may do by itself."""
    stopped: str | None
    """Who stopped everything, for all services, since when and why; null where nobody did."""
    paused_until: Moment | None
    in_maintenance: bool
    breaker: BreakerLine
    handling: bool
    """Whether an incident is open."""
    incident: IncidentLine | None
    doing: str
    """In a sentence."""
    waiting_for: Asked | None
    """What people are asked at the moment."""
    recent: tuple[IncidentLine, ...]
    """The newest incidents of the service."""


@dataclass(frozen=True, kw_only=True)
class Records:
    ledger: Ledger
    clock: Clock
    playbooks: Sequence[Playbook]

    def incidents(self, *, service: str | None, only_open: bool, since: datetime | None, limit: int) -> IncidentList:
        """Those that are open, and those opened since then or in the last day; newest first."""
        now = self.clock.now()
        found = {incident.id: incident for incident in self.ledger.open_incidents()}
        if not only_open:
            found |= {i.id: i for i in self.ledger.incidents_between(since or now - A_DAY, now)}
        ref = None if service is None else the_one(self.playbooks, service).ref
        wanted = [incident for incident in found.values() if ref is None or incident.service == ref]
        newest = sorted(wanted, key=lambda incident: incident.opened_at, reverse=True)
        return IncidentList(incidents=tuple(line(incident) for incident in newest[:limit]))

    def incident(self, incident_id: str) -> IncidentWhole:
        """Raises NotInLedger."""
        incident = self.ledger.incident(incident_id)
        return whole(incident, self.ledger.events(incident_id), self.ledger.approval(incident_id))

    def search(
        self,
        *,
        text: str | None,
        service: str | None,
        actor: str | None,
        fact: Fact | None,
        since: datetime | None,
        until: datetime | None,
        limit: int,
    ) -> AuditAnswer:
        """Events of the incidents that were opened in that time, the last day where nobody says, newest first."""
        ends = self.clock.now() if until is None else until
        begins = ends - A_DAY if since is None else since
        ref = None if service is None else the_one(self.playbooks, service).ref
        listed = [i for i in self.ledger.incidents_between(begins, ends) if ref is None or i.service == ref]
        entries: list[AuditEntry] = []
        searched = 0
        for incident in listed[:MOST_TRAILS]:
            if len(entries) >= limit:
                break
            searched += 1
            events = reversed(self.ledger.events(incident.id))
            entries += [entry(incident, event) for event in events if fits(event, text=text, actor=actor, fact=fact)]
        newest = sorted(entries, key=lambda each: each.at, reverse=True)
        stopped = listed[searched].opened_at if searched < len(listed) else None
        return AuditAnswer(
            entries=tuple(newest[:limit]),
            left_out=max(0, len(newest) - limit),
            since=begins,
            until=ends,
            incidents_searched=searched,
            next_until=stopped,
        )

    def orchestration(self, service: str) -> OrchestrationAnswer:
        """Needs nothing but the ledger, so that it answers while AWS does not."""
        playbook = the_one(self.playbooks, service)
        switch, now = self.ledger.switch(playbook.ref), self.clock.now()
        holder = self.ledger.lock_holder(playbook.ref)
        incident = None if holder is None else self.ledger.incident(holder)
        story = None if incident is None else tell(self.ledger.events(incident.id))
        approval = None if incident is None else self.ledger.approval(incident.id)
        recent = self.ledger.incidents_of(playbook.ref, limit=5)
        fleet = self.ledger.fleet_switch()
        failed = self.ledger.ineffective(playbook.ref, since=now - BREAKER_WINDOW)
        breaker = breaker_of(failed.values(), playbook.limits.ineffective_incidents)
        return orchestration(playbook, switch, fleet, breaker, incident, story, approval, recent, now=now)

    def releases(self, service: str) -> tuple[ReleaseLine, ...]:
        """The release history, newest first."""
        return tuple(map(release_line, self.ledger.releases(the_one(self.playbooks, service).ref)))


def line(incident: Incident) -> IncidentLine:
    return IncidentLine(
        id=incident.id,
        service=incident.service.key,
        status=incident.status,
        title=incident.title,
        step=incident.step,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        status_url=status_url(incident.id),
    )


def status_url(incident_id: str) -> str:
    return f"{PATH}/{incident_id}"


def whole(incident: Incident, events: Sequence[Event], approval: Approval | None) -> IncidentWhole:
    story = tell(events)
    return IncidentWhole(
        **line(incident).model_dump(),
        severity=None if story.grade is None else story.grade.severity,
        cause=None if story.decision is None else story.decision.cause,
        decision=None if story.decision is None else f"{story.decision.outcome}: {story.decision.reason}",
        actions=tuple(intent.plan.summary for intent in story.intents if intent.stage == 0),
        commander=story.commander,
        acknowledged_by=story.acknowledged_by,
        next_update_at=story.next_update_at if incident.status is IncidentStatus.OPEN else None,
        report=report_of(events),
        approval=None if approval is None else asked(approval),
        timeline=tuple(
            Line(sequence=e.sequence, at=e.at, fact=e.fact, actor=e.actor, summary=e.summary) for e in events
        ),
    )


def asked(approval: Approval) -> Asked:
    """All but the token, which lets whoever has it wake the execution."""
    return Asked(**approval.model_dump(include=set(Asked.model_fields)))


def entry(incident: Incident, event: Event) -> AuditEntry:
    return AuditEntry(
        incident_id=incident.id,
        service=incident.service.key,
        sequence=event.sequence,
        at=event.at,
        fact=event.fact,
        actor=event.actor,
        summary=event.summary,
    )


def fits(event: Event, *, text: str | None, actor: str | None, fact: Fact | None) -> bool:
    """Whether an event is what is looked for. Who ordered or answered something counts as its actor, too."""
    people = [event.actor, *_people(event)]
    return (
        (fact is None or event.fact is fact)
        and (actor is None or any(actor.lower() in each.lower() for each in people))
        and (text is None or text.lower() in event.summary.lower() or text in event.incident_id)
    )


def _people(event: Event) -> Iterable[str]:
    order = (event.data.get("signal") or {}).get("order") or {}
    for said in (event.data, order):
        yield from (str(said[key]) for key in ("by", "identity") if said.get(key))


def release_line(release: Release) -> ReleaseLine:
    return ReleaseLine(
        snapshot_id=short(release.task_definition),
        task_definition=release.task_definition,
        state=release.state,
        first_seen=release.first_seen,
        last_seen=release.last_seen,
        reason=release.reason,
        usable=release.state not in (ReleaseState.QUARANTINED, ReleaseState.SUSPECT),
    )


def orchestration(
    playbook: Playbook,
    switch: Switch,
    fleet: FleetSwitch,
    breaker: Breaker,
    incident: Incident | None,
    story: Story | None,
    approval: Approval | None,
    recent: Sequence[Incident],
    *,
    now: datetime,
) -> OrchestrationAnswer:
    paused = switch.paused(now)
    waiting = approval if approval is not None and approval.answer is None and now < approval.expires_at else None
    return OrchestrationAnswer(
        service=playbook.ref.key,
        mode=playbook.mode if switch.mode is None else switch.mode,
        stopped=fleet.said if fleet.stopped else None,
        paused_until=switch.paused_until if paused else None,
        in_maintenance=window_at(now, playbook.maintenance, switch.maintenance) is not None,
        breaker=BreakerLine(
            open=not breaker.closed,
            failed=breaker.failed,
            limit=breaker.limit,
            closes_at=breaker.closes_at,
            reason=breaker.said if breaker.closed else breaker.why_open,
        ),
        handling=incident is not None,
        incident=None if incident is None else line(incident),
        doing=_doing(incident, story, waiting),
        waiting_for=None if waiting is None else asked(waiting),
        recent=tuple(map(line, recent)),
    )


def _doing(incident: Incident | None, story: Story | None, waiting: Approval | None) -> str:
    if incident is None or story is None:
        return "no incident is open, so nothing is being done"
    if waiting is not None:
        return f"waits for people: {waiting.summary}"
    if story.decision is None:
        return "a look at the service is about to be taken"
    return f"{incident.step}: {story.decision.outcome}, {story.decision.reason}"


def snapshot(releases: Sequence[Release], written: str) -> str:
    """The task definition that a snapshot id names.

    Raises:
        NotNamed: there is no such release on record.
    """
    found = next(
        (r.task_definition for r in releases if written in (short(r.task_definition), r.task_definition)), None
    )
    if found is None:
        known = ", ".join(short(release.task_definition) for release in releases[:5]) or "none"
        raise NotNamed(f"no such snapshot; write latest, or one of those on record: {known}")
    return found
