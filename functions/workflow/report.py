"""Report: once the incident is closed, and again when its leases are back, write down what people will want to read.

Nothing depends on it: the lock is released before, and the table spares the step, so that the execution goes on
whatever becomes of it. What cannot be read is said in the report; only what cannot be written fails.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from functions.diagnostics.metrics import dimensions
from functions.domain.changes import Lease
from functions.domain.circumstances import TaskDefinitionFacts
from functions.domain.differences import with_digests
from functions.domain.errors import ReadFailed
from functions.domain.findings import Findings
from functions.domain.incidents import Fact, Incident
from functions.domain.permissions import Permission, Resource
from functions.playbooks.schema import Playbook
from functions.ports import Archive, Clock, Ledger, MetricsQuery, Readers, Series
from functions.workflow.close import folder
from functions.workflow.reporting.compose import compose
from functions.workflow.reporting.known import Gathered, Known
from functions.workflow.reporting.logs import BEFORE, MOST_LINES
from functions.workflow.reporting.markdown import as_markdown
from functions.workflow.reporting.model import IncidentReport
from functions.workflow.reporting.page import as_html
from functions.workflow.table import Outcome
from functions.workflow.trails import Trail, read_trail
from functions.workflow.visit import Result, Visit, incident_of

NEEDS = (
    Permission(action="cloudwatch:GetMetricData", resource=Resource.ANY),
    Permission(action="elasticloadbalancing:DescribeTargetGroups", resource=Resource.ANY),
    Permission(action="ecs:DescribeTaskDefinition", resource=Resource.ANY),
    Permission(action="logs:FilterLogEvents", resource=Resource.LOG_GROUP),
)
"""What reading for a report takes, beside the ledger."""

USUAL = timedelta(minutes=20)
"""How much of the time before the trouble the plots show."""

MOST_POINTS = 360
"""Data points of one plot: more than a screen shows. A longer incident is read in longer periods."""

PERIODS_S = (60, 300, 900, 3600)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class WriteReport:
    ledger: Ledger
    archive: Archive
    readers: Readers
    clock: Clock
    playbooks: Mapping[str, Playbook]

    def __call__(self, visit: Visit) -> Result:
        """Write the report, and say again what the step before said."""
        incident = incident_of(visit, self.ledger)
        trail = read_trail(self.ledger, incident.id)
        report, gathered = self._report(trail)
        self._keep(incident, report, gathered)
        return Result(outcome=Outcome(visit.outcome or Outcome.RESOLVED), wait_s=visit.wait_s)

    def _report(self, trail: Trail) -> tuple[IncidentReport, Gathered]:
        gather = Gather(ledger=self.ledger, readers=self.readers, playbooks=self.playbooks)
        now, place = self.clock.now(), self.archive.url(folder(trail.incident))
        gathered = replace(gather(trail, now=now), place=place)
        return compose(trail, gathered, self.playbooks.get(trail.incident.service.key), now=now), gathered

    def _keep(self, incident: Incident, report: IncidentReport, gathered: Gathered) -> None:
        """The page last: who finds it finds the rest, too."""
        documents = [("report.json", report.model_dump_json(), "application/json")]
        if gathered.lines is not None:
            documents.append(("log.jsonl", gathered.log[0], "application/x-ndjson"))
        documents.append(("report.md", as_markdown(report), "text/markdown; charset=utf-8"))
        documents.append(("report.html", as_html(report), "text/html; charset=utf-8"))
        for name, body, content_type in documents:
            self.archive.keep(folder(incident) + name, body, content_type=content_type)


@dataclass(frozen=True, kw_only=True)
class Gather:
    """Reads what a report tells beside the trail, of an incident that is over or still open."""

    ledger: Ledger
    readers: Readers
    playbooks: Mapping[str, Playbook]

    def __call__(self, trail: Trail, *, now: datetime, most_lines: int = MOST_LINES) -> Gathered:
        """What cannot be read is left out, with its reason."""
        known = Known(trail)
        unread: dict[str, str] = {}
        incident = trail.incident
        until = incident.closed_at or now
        found = _last_look(known)
        series, period_s = None, 60
        if found is not None and found.service.value is not None:
            start, end = known.since - USUAL, max(until, _put_back_at(known))
            period_s = _period_s(end - start)
            series = _tried(unread, "metrics", lambda: self._series(incident, found, start, end, period_s))
        definitions = None
        if known.releases is not None:
            good, bad = known.releases
            definitions = _tried(
                unread, "task definitions", lambda: (self._defined(known, good), self._defined(known, bad))
            )
        groups = _log_groups(known)
        lines = None
        if groups:
            since = known.since - BEFORE
            lines = _tried(
                unread, "log lines", lambda: self.readers.logs.lines(groups, since=since, until=until, most=most_lines)
            )
        return Gathered(
            series=series,
            period_s=period_s,
            definitions=definitions,
            lines=lines,
            leases=leases_of(self.ledger, incident),
            unread=unread,
        )

    def _series(self, incident: Incident, found: Findings, start: datetime, until: datetime, period_s: int) -> Series:
        service, front = found.service.value, found.front.value
        playbook = self.playbooks.get(incident.service.key)
        overrides = None if playbook is None else playbook.overrides
        groups = () if service is None else service.target_groups
        balancer = None if front is None else front.load_balancer
        if overrides is not None:
            groups, balancer = overrides.target_groups or groups, overrides.load_balancer or balancer
        if balancer is None and groups:
            balancer = self.readers.service.load_balancer(groups[0])
        return self.readers.metrics.series(
            MetricsQuery(
                start=start,
                end=until,
                period_s=period_s,
                dimensions=dimensions(incident.service, groups, balancer),
            )
        )

    def _defined(self, known: Known, task_definition: str) -> TaskDefinitionFacts:
        revisions = [r for _, f in known.looks if f.releases.value is not None for r in f.releases.value.revisions]
        return with_digests(self.readers.service.definition(task_definition), revisions)


def _tried(unread: dict[str, str], what: str, read: Callable[[], T]) -> T | None:
    """What was read, or None, with the reason among the `unread`."""
    try:
        return read()
    except ReadFailed as failed:
        unread[what] = str(failed)
        return None


def _last_look(known: Known) -> Findings | None:
    return next((findings for _, findings in reversed(known.looks) if findings.service.known), None)


def _put_back_at(known: Known) -> datetime:
    """When the last lease of it ended; when it was opened, where it took none."""
    ended = (event.at for event in known.trail.events if event.fact in (Fact.LEASE_RESTORED, Fact.LEASE_LEFT))
    return max(ended, default=known.trail.incident.opened_at)


def _log_groups(known: Known) -> tuple[str, ...]:
    found = (findings.definition.value for _, findings in reversed(known.looks))
    return next((definition.log_groups for definition in found if definition is not None and definition.log_groups), ())


def _period_s(span: timedelta) -> int:
    """The shortest period of which so long a time has not too many."""
    return next((s for s in PERIODS_S if span.total_seconds() / s <= MOST_POINTS), PERIODS_S[-1])


def from_trail(ledger: Ledger, trail: Trail, playbook: Playbook | None, *, now: datetime) -> IncidentReport:
    """The report without what is read beside the trail, for whoever may not read it, or before it was read."""
    why = "they are read by the responder itself, when the incident closes"
    gathered = Gathered(
        leases=leases_of(ledger, trail.incident), unread={"metrics, task definitions and log lines": why}
    )
    return compose(trail, gathered, playbook, now=now)


def leases_of(ledger: Ledger, incident: Incident) -> Sequence[Lease]:
    """What the incident holds for a while, and has not given back."""
    return [each for each in ledger.service_leases(incident.service) if each.incident_id == incident.id]


def kept_report(ledger: Ledger, archive: Archive, incident: Incident) -> IncidentReport | None:
    """The report as it was written; None where none was, or it cannot be fetched.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    resolved = next((e for e in reversed(ledger.events(incident.id)) if e.fact is Fact.INCIDENT_RESOLVED), None)
    place = None if resolved is None else resolved.data.get("report")
    if place is None:
        return None
    try:
        return IncidentReport.model_validate_json(archive.fetch(f"{place}report.json"))
    except ReadFailed:
        return None
