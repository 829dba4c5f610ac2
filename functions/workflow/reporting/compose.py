"""From a trail, and what was read beside it, to everything that its report says."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from functions.diagnostics.severity import NOTHING_FELT
from functions.domain.backups import RecoveryPoints
from functions.domain.causes import Cause
from functions.domain.differences import differences
from functions.domain.durations import spoken
from functions.domain.evidence import Metric, short
from functions.domain.incidents import Event, Fact, IncidentStatus
from functions.domain.model import Moment
from functions.playbooks.schema import NewAlarm, Playbook, Symptom
from functions.ports import Series
from functions.workflow.reporting.acted import actions_told, leases_told
from functions.workflow.reporting.known import Gathered, Known
from functions.workflow.reporting.lessons import draft, lessons, next_steps
from functions.workflow.reporting.logs import BEFORE, logs_told
from functions.workflow.reporting.model import (
    ActionTold,
    CauseTold,
    Checked,
    Curve,
    Entry,
    IncidentReport,
    LeaseTold,
    Mark,
    MarkKind,
    Objective,
)
from functions.workflow.reporting.pins import pins
from functions.workflow.reporting.words import clock, figure, number
from functions.workflow.standing import status
from functions.workflow.table import Outcome
from functions.workflow.trails import Trail

CAUSES_SHOWN = 5
UNLIKELY = 0.2
"""Below this confidence a cause is counted and not shown, unless it is the first."""

_LOUD: Mapping[Fact, MarkKind] = {
    Fact.INCIDENT_OPENED: MarkKind.ALARM,
    Fact.SIGNAL_RECEIVED: MarkKind.ALARM,
    Fact.PLAN_CHOSEN: MarkKind.OTHER,
    Fact.ACTION_WITHHELD: MarkKind.OTHER,
    Fact.ACTION_TAKEN: MarkKind.ACTION,
    Fact.ACTION_DOUBTFUL: MarkKind.ACTION,
    Fact.ACTION_REFUSED: MarkKind.ACTION,
    Fact.SEVERITY_GRADED: MarkKind.OTHER,
    Fact.PAGE_SENT: MarkKind.PEOPLE,
    Fact.UPDATE_POSTED: MarkKind.PEOPLE,
    Fact.ESCALATED: MarkKind.PEOPLE,
    Fact.ACKNOWLEDGED: MarkKind.PEOPLE,
    Fact.COMMAND_TAKEN: MarkKind.PEOPLE,
    Fact.COMMAND_RELEASED: MarkKind.PEOPLE,
    Fact.APPROVAL_REQUESTED: MarkKind.PEOPLE,
    Fact.APPROVAL_GRANTED: MarkKind.PEOPLE,
    Fact.APPROVAL_DENIED: MarkKind.PEOPLE,
    Fact.APPROVAL_EXPIRED: MarkKind.PEOPLE,
    Fact.LEASE_RESTORED: MarkKind.LEASE,
    Fact.LEASE_LEFT: MarkKind.LEASE,
    Fact.LEASE_POSTPONED: MarkKind.LEASE,
    Fact.INCIDENT_RESOLVED: MarkKind.RECOVERED,
}
_REPEATED = (Fact.RECOVERY_CHECKED, Fact.LOOKED_AGAIN)
"""Of several in a row that say the same, the last stands for all."""

OPENED = "heard of it, and opened the incident"

_PEOPLE = frozenset(fact for fact, kind in _LOUD.items() if kind is MarkKind.PEOPLE)

_TIMES = (Metric.LATENCY, Metric.LATENCY_P95)

SAID_FOR = 2
"""Of the evidence for the cause so much stands at the top; all of it stands below."""

_RELEASE_SHOWN = timedelta(hours=1)
"""How long before the trouble a deployment is still worth a line."""


def compose(trail: Trail, gathered: Gathered, playbook: Playbook | None, *, now: datetime) -> IncidentReport:
    """The report of an incident, closed or not, of what is known of it now."""
    known = Known(trail)
    incident = trail.incident
    curves = _curves(gathered, playbook)
    actions = actions_told(known, curves)
    leases = leases_told(known, gathered.leases, now=now)
    releases = known.releases
    out = [(lease.terms, lease.due_at) for lease in gathered.leases]
    pinned = pins(known.story.intents, out, good=None if releases is None else releases[0])
    causes = tuple(_causes(known))
    until = incident.closed_at or now
    failed = None if gathered.series is None else _failed(gathered.series, known.since, until)
    compared = gathered.definitions
    differ = None if compared is None else differences(*compared)
    worst = known.worst
    return IncidentReport(
        incident_id=incident.id,
        service=incident.service,
        title=incident.title,
        open=incident.status is IncidentStatus.OPEN,
        severity="" if worst is None else worst.name,
        severity_reason="" if worst is None else worst.reason,
        summary=_summary(known, actions),
        why=_why(known),
        now=_now(known, leases),
        cause=known.cause,
        onset=known.onset,
        alarm_at=known.alarm_at,
        closed_at=incident.closed_at,
        written_at=now,
        figures=tuple(_figures(known, failed)),
        objectives=tuple(_objectives(known, playbook, until)),
        actions=actions,
        no_action="" if actions else _no_action(known),
        people=tuple(f"{clock(e.at)} {e.summary}" for e in trail.events if e.fact in _PEOPLE),
        entries=tuple(_entries(known)),
        curves=curves,
        marks=tuple(_marks(known, actions)),
        causes=causes,
        others=max(0, len(known.ranking) - len(causes)),
        leases=leases,
        validated=tuple(
            Checked(part=each.part, finding=each.finding, reason=each.reason)
            for each in (() if known.validated is None else known.validated.parts)
        ),
        logs=logs_told(
            incident.service.region,
            since=known.since - BEFORE,
            until=until,
            looked=known.telling,
            lines=gathered.lines,
            kept=gathered.log[1],
            place=gathered.place,
        ),
        good="" if releases is None else short(releases[0]),
        at_fault="" if releases is None else short(releases[1]),
        differences=differ,
        pins=pinned,
        lessons=tuple(lessons(known, playbook)),
        draft=tuple(draft(known, actions, differ, failed)),
        steps=tuple(next_steps(known, leases, pinned)),
        unread=(*(f"{what}: {why}" for what, why in gathered.unread.items()), *_unfetched(trail)),
        events=incident.head_sequence,
        head=incident.head_hash,
        place=gathered.place,
    )


def _unfetched(trail: Trail) -> Iterator[str]:
    if trail.unread:
        yield f"evidence: that of {len(trail.unread)} events lies in the archive and could not be fetched"
    if trail.broken is not None:
        yield f"trail: {trail.broken}"


def _summary(known: Known, actions: Sequence[ActionTold]) -> str:
    service, incident = known.trail.incident.service.service, known.trail.incident
    done = [action for action in actions if action.state]
    felt = _felt(known) or incident.title
    cause = _cause_of(known)
    said = f"{service}: {felt}; {cause}; "
    if done:
        others = "" if len(done) == 1 else f" and {len(done) - 1} more"
        said += f"{done[0].action}{others} {_after(done[0].at - known.alarm_at, 'the alarm')}"
    else:
        said += "nothing was changed"
    if incident.closed_at is None:
        return f"{said}; it is still open."
    return f"{said}; all clear {_after(incident.closed_at - known.alarm_at, 'the alarm')}."


def _felt(known: Known) -> str:
    if not known.felt:
        return ""
    return "users felt nothing" if known.felt == NOTHING_FELT else f"at its worst, {known.felt}"


def _why(known: Known) -> str:
    """The cause in a sentence: what spoke for it most, or why nobody knows."""
    top = next((judgement for judgement in known.ranking if judgement.cause == known.cause), None)
    if known.cause is Cause.UNKNOWN or top is None or not top.evidence_for:
        return f"{_cause_of(known)}."
    said = "; ".join(line.rstrip(".") for line in top.evidence_for[:SAID_FOR])
    return f"{known.cause}, {top.confidence:.2f} sure: {said}."


def _now(known: Known, leases: Sequence[LeaseTold]) -> str:
    """How it stands, what is out for a while, and what was left for people."""
    closed_at, validated = known.trail.incident.closed_at, known.validated
    if closed_at is None:
        said = f"Open: {status(known.story)}."
    else:
        checked = "" if validated is None else f"; validated: {validated.summary}"
        said = f"Resolved at {clock(closed_at)} UTC{checked}."
    out = [f" {lease.text} until {clock(lease.due_at)} UTC." for lease in leases if not lease.ended]
    return said + "".join(each[0] + each[1].upper() + each[2:] for each in out)


def _cause_of(known: Known) -> str:
    if known.cause is Cause.UNKNOWN:
        return "no cause was found"
    if known.others_at_work:
        return f"somebody else was at it ({known.cause})"
    came = "" if known.releases is None else f", which came with {short(known.releases[1])}"
    return f"the cause was {known.cause}{came}"


def _after(span: timedelta, what: str) -> str:
    return f"{spoken(abs(span))} {'before' if span < timedelta() else 'after'} {what}"


def _no_action(known: Known) -> str:
    withheld = [decision for _, decision in known.decisions if decision.plan is not None]
    if withheld and withheld[-1].plan is not None:
        return f"{withheld[-1].reason}. It would have been: {withheld[-1].plan.summary}."
    last = [decision for _, decision in known.decisions if decision.outcome in (Outcome.ESCALATE, Outcome.STAND_DOWN)]
    about_it = [decision for decision in last if decision.cause is known.cause] or last
    told = about_it[-1] if about_it else known.trouble
    return told.reason if told is not None else "nobody decided anything"


def _figures(known: Known, failed: tuple[float, float] | None) -> Iterator[tuple[str, str]]:
    first = known.first(Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL)
    if known.onset is not None and known.onset < known.alarm_at:
        yield ("trouble to alarm", spoken(known.alarm_at - known.onset))
    yield ("alarm to first action", "none" if first is None else spoken(first.at - known.alarm_at))
    closed_at = known.trail.incident.closed_at
    yield ("alarm to all clear", "open" if closed_at is None else spoken(closed_at - known.alarm_at))
    if failed is not None:
        count, requests = failed
        yield (f"requests failed: {number(count)} of {number(requests)}", figure(100 * count / requests, "%"))


def _objectives(known: Known, playbook: Playbook | None, until: datetime) -> Iterator[Objective]:
    """The recovery times that the playbook promises: how long it lasted, and how old the newest backup was then."""
    if playbook is None:
        return
    if playbook.rto is not None:
        yield Objective(name="RTO", allowed_s=playbook.rto, used_s=(until - known.alarm_at).total_seconds())
    if playbook.rpo is not None:
        points = None if known.telling is None else known.telling.backups.value
        oldest = None if points is None else points.weakest
        if oldest is not None:
            age = (known.onset or known.alarm_at) - oldest.at
            yield Objective(name="RPO", allowed_s=playbook.rpo, used_s=age.total_seconds(), what=oldest.of)
        else:
            yield Objective(name="RPO", allowed_s=playbook.rpo, used_s=None, what=_no_backup(points))


def _no_backup(points: RecoveryPoints | None) -> str:
    if points is None:
        return "how old the newest backup was could not be read"
    return f"no usable backup of {points.without}" if points.asked else "the playbook names no backups"


def _failed(series: Series, since: datetime, until: datetime) -> tuple[float, float] | None:
    """How many requests failed in that time, and how many there were; None without requests."""
    within = {
        metric: sum(value for at, value in series.metrics.get(metric, ()) if since <= at <= until)
        for metric in (Metric.REQUESTS, Metric.TARGET_5XX, Metric.ELB_5XX)
    }
    # What the load balancer answers by itself never reaches a target, and is not among the requests of one.
    requests = within[Metric.REQUESTS] + within[Metric.ELB_5XX]
    return (within[Metric.TARGET_5XX] + within[Metric.ELB_5XX], requests) if requests > 0 else None


def _curves(gathered: Gathered, playbook: Playbook | None) -> tuple[Curve, ...]:
    """The metrics that have any data, each in the unit that people read."""
    if gathered.series is None:
        return ()
    series, period = gathered.series.metrics, gathered.period_s
    limits = _limits(playbook)
    slowest = max((value for metric in _TIMES for _, value in series.get(metric, ())), default=0.0)
    time_unit, in_unit = ("s", 1.0) if slowest >= 1 else ("ms", 1000.0)

    def plain(metric: Metric, factor: float = 1.0) -> tuple[tuple[Moment, float], ...]:
        return tuple((at, round(value * factor, 4)) for at, value in series.get(metric, ()))

    wanted: tuple[tuple[str, str, tuple[tuple[Moment, float], ...], Symptom | None, float | None], ...] = (
        ("Failed requests", "%", _shares(series), Symptom.ERROR_RATE, None),
        ("Response time", time_unit, plain(Metric.LATENCY, in_unit), Symptom.RESPONSE_TIME, None),
        ("Response time p95", time_unit, plain(Metric.LATENCY_P95, in_unit), None, None),
        ("Requests", "/s", plain(Metric.REQUESTS, 1 / period), None, None),
        ("Healthy targets", "", plain(Metric.HEALTHY_HOSTS), Symptom.HEALTHY_HOSTS, None),
        ("Running tasks", "", plain(Metric.TASKS, min(1.0, 60 / period)), Symptom.TASKS, None),
        ("CPU", "%", plain(Metric.CPU), Symptom.CPU, 100.0),
        ("Memory", "%", plain(Metric.MEMORY), Symptom.MEMORY, 100.0),
    )
    found = []
    for title, unit, points, symptom, top in wanted:
        if len(points) < 2:
            continue
        limit = None if symptom is None else limits.get(symptom)
        scale = in_unit if symptom is Symptom.RESPONSE_TIME else 1.0
        found.append(
            Curve(
                title=title,
                unit=unit,
                points=points,
                limit=None if limit is None else limit * scale,
                limit_text="" if limit is None else "alarm",
                top=top,
                fewer_is_worse=symptom is Symptom.HEALTHY_HOSTS,
            )
        )
    return tuple(found)


def _shares(series: Mapping[Metric, Sequence[tuple[datetime, float]]]) -> tuple[tuple[Moment, float], ...]:
    """Failed requests in percent, period by period: a count of failures that is not there is none."""
    target, balancer = dict(series.get(Metric.TARGET_5XX, ())), dict(series.get(Metric.ELB_5XX, ()))
    points = []
    for at in sorted({at for at, _ in series.get(Metric.REQUESTS, ())} | set(balancer)):
        requests = dict(series.get(Metric.REQUESTS, ())).get(at, 0.0) + balancer.get(at, 0.0)
        if requests > 0:
            points.append((at, round(100 * (target.get(at, 0.0) + balancer.get(at, 0.0)) / requests, 3)))
    return tuple(points)


def _limits(playbook: Playbook | None) -> dict[Symptom, float]:
    alarms = () if playbook is None else playbook.alarms
    # A percentile is not the average that is drawn.
    return {a.symptom: a.threshold for a in alarms if isinstance(a, NewAlarm) and a.statistic in (None, "Average")}


def _causes(known: Known) -> Iterator[CauseTold]:
    for place, judgement in enumerate(known.ranking[:CAUSES_SHOWN]):
        chosen = judgement.cause == known.cause
        if place > 0 and judgement.confidence < UNLIKELY and not chosen:
            continue
        yield CauseTold(
            cause=judgement.cause,
            confidence=judgement.confidence,
            chosen=chosen,
            evidence_for=judgement.evidence_for,
            evidence_against=judgement.evidence_against,
            unread=(*judgement.missing, *judgement.missing_support),
        )


def _entries(known: Known) -> Iterator[Entry]:
    """The timeline: what the trail says, and what it says of the time before it."""
    lines = [*_before(known), *_folded(_after_the_alarm(known))]
    yield from sorted(lines, key=lambda entry: entry.at)


def _before(known: Known) -> Iterator[Entry]:
    for at, text in _deployments(known):
        yield Entry(at=at, kind=MarkKind.RELEASE, actor="ECS", text=text, loud=True)
    if known.onset is not None and known.onset < known.alarm_at:
        text = "the trouble began, as far as the metrics of the alarm tell"
        yield Entry(at=known.onset, kind=MarkKind.TROUBLE, actor="CloudWatch", text=text, loud=True)
    first = _first_signal(known)
    if first is not None and known.alarm_at < known.trail.incident.opened_at:
        yield Entry(at=known.alarm_at, kind=MarkKind.ALARM, actor="CloudWatch", text=first.summary, loud=True)


def _first_signal(known: Known) -> Event | None:
    """What the alarm said that opened the incident; None where no alarm did."""
    received = known.first(Fact.SIGNAL_RECEIVED)
    of_an_alarm = received is not None and received.data.get("signal", {}).get("alarm") is not None
    return received if of_an_alarm else None


def _after_the_alarm(known: Known) -> Sequence[Event]:
    """The trail without what the line of the alarm itself says already: that it went off, and that this was heard."""
    first, events = _first_signal(known), known.trail.events
    if first is None or known.alarm_at >= known.trail.incident.opened_at:
        return events
    return [
        event.model_copy(update={"summary": OPENED}) if event.fact is Fact.INCIDENT_OPENED else event
        for event in events
        if event is not first
    ]


def _deployments(known: Known) -> Iterator[tuple[datetime, str]]:
    """Deployments that began shortly before the trouble, as the looks found them."""
    told: set[str] = set()
    for _, findings in known.looks[:1]:
        service = findings.service.value
        for deployment in () if service is None else service.deployments:
            soon = known.since - _RELEASE_SHOWN <= deployment.created_at <= known.trail.incident.opened_at
            if soon and deployment.id not in told:
                told.add(deployment.id)
                yield deployment.created_at, f"the deployment of {short(deployment.task_definition)} began"


def _folded(events: Sequence[Event]) -> Iterator[Entry]:
    """A line for each event, but for those that only say again what was said."""
    times = 1
    for place, event in enumerate(events):
        following = events[place + 1] if place + 1 < len(events) else None
        if _same_again(event, following):
            times += 1
            continue
        again = _said_again(events, place)
        if again is not None:
            yield Entry(
                at=event.at,
                kind=_kind(event),
                actor=event.actor,
                text=event.summary + again,
                loud=event.fact in _LOUD,
                times=times,
            )
        times = 1


def _said_again(events: Sequence[Event], place: int) -> str | None:
    """How often a quiet line comes again, word by word and with nothing else of its kind between; None of a line that
    is told with the one before it."""
    event = events[place]
    if event.fact in _LOUD or event.fact in _REPEATED:
        return ""
    alike = [other for other in events if other.fact is event.fact]
    at = next(n for n, other in enumerate(alike) if other is event)
    if at and alike[at - 1].summary == event.summary:
        return None
    same = list(takewhile(lambda other: other.summary == event.summary, alike[at + 1 :]))
    if len(same) < 2:
        return f" (once more at {clock(same[0].at)})" if same else ""
    return f" ({len(same)} more times, the last at {clock(same[-1].at)})"


def _kind(event: Event) -> MarkKind:
    """What the line is about. A signal is one of an alarm, or of something else."""
    if event.fact is Fact.SIGNAL_RECEIVED:
        state = event.data.get("signal", {}).get("state")
        return {"ALARM": MarkKind.ALARM, "OK": MarkKind.RECOVERED}.get(state, MarkKind.OTHER)
    return _LOUD.get(event.fact, MarkKind.OTHER)


def _same_again(event: Event, following: Event | None) -> bool:
    return (
        following is not None
        and event.fact in _REPEATED
        and following.fact is event.fact
        and event.data.get("outcome") == following.data.get("outcome")
    )


def _marks(known: Known, actions: Sequence[ActionTold]) -> Iterator[Mark]:
    for at, text in _deployments(known):
        yield Mark(at=at, kind=MarkKind.RELEASE, label="release", text=text)
    yield Mark(at=known.alarm_at, kind=MarkKind.ALARM, label="alarm", text=known.trail.incident.title)
    for action in actions:
        label = f"{action.number} {action.action}"
        yield Mark(at=action.at, kind=MarkKind.ACTION, label=label, text=action.summary)
    closed_at = known.trail.incident.closed_at
    if closed_at is not None:
        yield Mark(at=closed_at, kind=MarkKind.RECOVERED, label="all clear", text="the incident was closed")
    for event in known.trail.events:
        if event.fact is Fact.LEASE_RESTORED:
            yield Mark(at=event.at, kind=MarkKind.LEASE, label="put back", text=event.summary)
