"""How an incident stands, as every notice tells it: what happens now, who leads, where people meet, when they hear
again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.domain.durations import spoken
from functions.domain.incidents import Incident
from functions.domain.severity import Grade
from functions.playbooks.schema import Playbook
from functions.workflow.story import Story
from functions.workflow.table import Outcome

if TYPE_CHECKING:
    from functions.domain.backups import RecoveryPoints
    from functions.domain.findings import Findings


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the playbook and the clock add to a trail."""

    now: datetime
    next_update_at: datetime | None = None
    """When people hear again at the latest; None where nothing is promised."""
    escalate_at: datetime | None = None
    """When the second contact is called, unless somebody has the page by then; None where nobody is."""
    bridge: str | None = None
    rto_s: int | None = None
    rpo_s: int | None = None
    playbook: Playbook | None = None
    """What the service stands on, for whoever wants to look there."""


def lines(story: Story, standing: Standing, *, looked: Findings | None = None) -> list[str]:
    """The section on what is happening now."""
    return [
        f"Status: {status(story)}",
        f"Incident commander: {story.commander}",
        f"Next update: {_next(standing)}",
        f"Bridge: {standing.bridge or 'the playbook names none'}",
        *_second_contact(story, standing),
        *recovery_times(story, standing, looked=looked),
    ]


def status(story: Story) -> str:
    """What the responder does now, and what it waits for."""
    decision, request = story.decision, story.request
    if story.taken_by is not None:
        return f"{story.taken_by} is at it; the responder watches, and closes the incident when all is well"
    if decision is None:
        return "nobody knows yet: the responder could not go on, and tries again"
    if request is not None and request.ended is None:
        return f"waiting for a yes or a no until {request.expires_at:%H:%M} UTC: {request.plan.summary}"
    match decision.outcome:
        case Outcome.ALL_CLEAR if story.postponed:
            return "all is well, but for what could not be given back; it is tried again"
        case Outcome.ALL_CLEAR:
            return "all is well"
        case Outcome.ACT if decision.plan is not None and story.checked != Outcome.GIVE_UP:
            return f"{decision.plan.action} is given its time to show"
        case Outcome.WAIT:
            return f"waiting: {decision.reason}"
        case Outcome.STAND_DOWN:
            return f"watching: {decision.reason}"
        case _:
            return "waiting for people; the responder looks again every minute at first, then every 15"


def started(incident: Incident, story: Story) -> datetime:
    """When the alarm went off; when the incident was opened, where no alarm says so."""
    return story.alarm_at or incident.opened_at


def services(incident: Incident, looked: Findings | None) -> str:
    """What is affected: the service, and what it stands on that is in trouble."""
    watched = None if looked is None else looked.dependencies.value
    troubled = [] if watched is None else [each.name for each in watched.troubled]
    stands_on = f"; in trouble below it: {', '.join(troubled)}" if troubled else ""
    return f"{incident.service.service} in {incident.service.cluster} ({incident.service.region}){stands_on}"


def impact(grade: Grade | None, looked: Findings | None) -> str:
    """What users and tasks feel of it, as far as it was read."""
    service = None if looked is None else looked.service.value
    tasks = [] if service is None else [f"{service.running} of {service.desired} tasks run"]
    felt = grade.seen if grade is not None and grade.seen else ""
    return ", ".join(filter(None, (felt, *tasks))) or "not known: what would show it could not be read"


def recovery_times(
    story: Story, standing: Standing, *, looked: Findings | None = None, over: bool = False
) -> list[str]:
    """How much of the promised time is used, and what would be lost; nothing where the playbook promises none. `over`:
    the outage has ended."""
    said = []
    if standing.rto_s is not None and story.alarm_at is not None:
        said.append(f"RTO: {_used(story.alarm_at, standing.now, standing.rto_s, over=over)}")
    if standing.rpo_s is not None:
        points = None if looked is None else looked.backups.value
        said.append(f"RPO: {hours(standing.rpo_s)}; {_newest(points, standing)}")
    return said


def hours(seconds: int) -> str:
    """A promised length of time: `2 h`, `90 min`."""
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"


def _used(since: datetime, now: datetime, rto_s: int, *, over: bool) -> str:
    used, limit = now - since, timedelta(seconds=rto_s)
    if used > limit:
        return f"{hours(rto_s)}, exceeded by {spoken(used - limit)}"
    share = f"{spoken(used)} of {hours(rto_s)} used ({used / limit:.0%})"
    return f"kept, {share}" if over else f"{share}, until {since + limit:%H:%M} UTC"


def _newest(points: RecoveryPoints | None, standing: Standing) -> str:
    if points is None:
        return "how old the newest backup is could not be read"
    if not points.asked:
        return "the playbook names no backups"
    oldest = points.weakest
    if oldest is None:
        return f"no usable backup of {points.without}"
    age = standing.now - oldest.at
    late = standing.rpo_s is not None and age.total_seconds() > standing.rpo_s
    said = f"the newest backup of {oldest.of} is {spoken(age)} old"
    return f"{said}, which is too old" if late else said


def _next(standing: Standing) -> str:
    if standing.next_update_at is None:
        return "when there is news"
    day = "" if standing.next_update_at.date() == standing.now.date() else f"{standing.next_update_at:%Y-%m-%d} "
    return f"{day}{standing.next_update_at:%H:%M} UTC"


def _second_contact(story: Story, standing: Standing) -> list[str]:
    if story.acknowledged_by is not None:
        return [f"Acknowledged: by {story.acknowledged_by}"]
    if story.escalated:
        return ["Acknowledged: by nobody; the second contact was called"]
    if standing.escalate_at is None:
        return []
    return [f"Acknowledged: by nobody; the second contact is called at {standing.escalate_at:%H:%M} UTC"]
