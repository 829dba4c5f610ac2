"""The texts people get. Each stands alone: read on a phone at three in the morning, without the trail beside it.

They go from what happened to why, to what is happening now, and end with what to type. Lines are not wrapped: a phone
breaks them where it has to, and would break what was wrapped before once more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from functions.domain.approvals import Approval
from functions.domain.causes import Cause, Judgement
from functions.domain.changes import (
    ActionName,
    DisableUser,
    Lease,
    LeaseKind,
    LeaseTerms,
    Plan,
    RegisterCopy,
    ScaleToZero,
    SetCeiling,
    SetCount,
    SetFloor,
    SetStickiness,
    SetTaskDefinition,
    ShiftZone,
)
from functions.domain.consoles import object_page
from functions.domain.durations import spoken
from functions.domain.evidence import short
from functions.domain.findings import Findings
from functions.domain.incidents import Event, Fact, Incident, IncidentStatus
from functions.domain.redaction import clean
from functions.domain.severity import Grade
from functions.domain.shell import word
from functions.domain.validation import Validation
from functions.domain.words import clock, counted
from functions.guardrails.verdicts import stop
from functions.ports import Page
from functions.workflow.advice import advice
from functions.workflow.decision import Decision
from functions.workflow.standing import Standing, impact, lines, recovery_times, services, started
from functions.workflow.story import Intent, Story, tell
from functions.workflow.table import Outcome

SUBJECT_LIMIT = 100
"""Characters of an SNS subject, which must be ASCII without line breaks (SNS API reference: Publish)."""

_REASONS = frozenset(
    {
        Fact.RECOVERY_CHECKED,
        Fact.ACTION_WITHHELD,
        Fact.LEASE_POSTPONED,
        Fact.APPROVAL_DENIED,
        Fact.APPROVAL_EXPIRED,
    }
)

HEADINGS = {
    Fact.ACTION_TAKEN: "done",
    Fact.ACTION_DOUBTFUL: "done, perhaps",
    Fact.ACTION_REFUSED: "refused",
    Fact.LEASE_POSTPONED: "not given back",
}


BY_HAND = frozenset({ActionName.SET_COUNT, ActionName.SET_LIMITS})

NEWS = frozenset(
    {
        Fact.SIGNAL_RECEIVED,
        Fact.SEVERITY_GRADED,
        Fact.PLAN_CHOSEN,
        Fact.ACTION_WITHHELD,
        Fact.STOOD_DOWN,
        Fact.ACTION_TAKEN,
        Fact.ACTION_DOUBTFUL,
        Fact.ACTION_REFUSED,
        Fact.RECOVERY_CHECKED,
        Fact.APPROVAL_GRANTED,
        Fact.APPROVAL_DENIED,
        Fact.APPROVAL_EXPIRED,
        Fact.ESCALATED,
        Fact.ACKNOWLEDGED,
        Fact.COMMAND_TAKEN,
        Fact.COMMAND_RELEASED,
        Fact.LOOKED_AGAIN,
        Fact.LEASE_RESTORED,
        Fact.LEASE_LEFT,
        Fact.LEASE_POSTPONED,
    }
)
"""What an update tells of, where it is new."""

NEWS_LINES = 8
"""Of these, so many: a phone shows twenty lines."""

FOR_A_PERSON = "only a person can fill in"

POST_MORTEM_IN = 2
"""Working days after an incident for which its post-mortem is proposed: people still remember then."""
SATURDAY = 5


def escalation(
    incident: Incident,
    events: Sequence[Event],
    *,
    grade: Grade | None = None,
    looked: Findings | None = None,
    standing: Standing | None = None,
) -> Page:
    """The page: what is wrong, why, what is happening now, what was tried, and what people can do.

    `looked` is what the newest look brought, `standing` what the playbook and the clock add; it is of the newest event
    without.
    """
    story = tell(events)
    subject = f"[page{_label(grade)}] {_about(incident, story, grade)}"
    said = _needs_a_person(incident, events, grade, looked, standing or Standing(now=events[-1].at))
    return _page(incident, subject, said, kind="page", grade=grade)


def second_call(
    incident: Incident,
    events: Sequence[Event],
    *,
    grade: Grade | None,
    looked: Findings | None,
    standing: Standing,
) -> Page:
    """The page once more, for the second contact, because nobody acknowledged it in time."""
    story = tell(events)
    paged = next((event for event in events if event.fact is Fact.PAGE_SENT), events[-1])
    said = [
        f"Nobody has acknowledged the page of {paged.at:%H:%M} UTC, {spoken(standing.now - paged.at)} ago.",
        "You are called in their place.",
        "",
        *_needs_a_person(incident, events, grade, looked, standing, called=True),
    ]
    subject = f"[second contact{_label(grade)}] {_about(incident, story, grade)}"
    return _page(incident, subject, said, kind="second-contact", grade=grade)


def update(
    incident: Incident, events: Sequence[Event], *, grade: Grade | None, looked: Findings | None, standing: Standing
) -> Page:
    """The promised update on an incident that is still open: what is new, and what is being waited for.

    All updates on one incident have one subject, so that mail programs put them together.
    """
    story = tell(events)
    open_for = spoken(standing.now - started(incident, story))
    said = [
        f"{incident.service.service} in {incident.service.cluster} ({incident.service.region}): open for {open_for}.",
        "",
        *_severity(grade),
        f"Impact     {impact(grade, looked)}",
        f"Cause      {_cause(story, events)}",
        *_section(f"New since {_told_at(story, events):%H:%M} UTC", _news(story, events)),
        *_section("Now", lines(story, standing, looked=looked)),
        *_where(incident, story),
    ]
    return _page(incident, f"[update] {incident.service.service}: {incident.id}", said, kind="update", grade=grade)


def _about(incident: Incident, story: Story, grade: Grade | None) -> str:
    cause = "unknown" if story.decision is None else story.decision.cause
    seen = "" if grade is None or not grade.seen else f", {grade.seen}"
    return f"{incident.service.service}: {cause}{seen}"


def _needs_a_person(
    incident: Incident,
    events: Sequence[Event],
    grade: Grade | None,
    looked: Findings | None,
    standing: Standing,
    *,
    called: bool = False,
) -> list[str]:
    """`called`: this is what the second contact gets."""
    story = replace(tell(events), escalated=called)
    decision = story.decision
    said = [
        f"{incident.service.service} in {incident.service.cluster} ({incident.service.region}) needs a person.",
        "",
        *_grave(grade, events),
        *_began(incident, story, standing),
        f"Services   {services(incident, looked)}",
        f"Impact     {impact(grade, looked)}",
        f"Alarm      {clean(incident.title)}",
        f"Cause      {_cause(story, events)}",
        f"Why a page {_why(story, events)}",
    ]
    said += _section("Evidence", _evidence(events))
    said += _section("Asked of the logs", _asked(looked))
    said += _section("Tried", tried(events))
    said += _section("Now", lines(story, standing, looked=looked))
    if decision is not None and decision.plan is not None and not story.intents:
        said += _section("What would be done", [decision.plan.summary, f"undo: {decision.plan.undo}"])
    cause = Cause.UNKNOWN if decision is None else decision.cause
    to_type = advice(cause, incident.service, standing.playbook, looked)
    return [*said, *_where(incident, story, log_group=_log_group(looked), to_type=to_type)]


def question(
    incident: Incident,
    events: Sequence[Event],
    approval: Approval,
    plan: Plan,
    *,
    grade: Grade | None = None,
    looked: Findings | None = None,
    standing: Standing | None = None,
) -> Page:
    """May this be done? What it rests on, the plan, how to say yes or no, and until when. Until then nobody hears of it
    again. `looked` is what the newest look brought."""
    story = tell(events)
    minutes = round((approval.expires_at - approval.asked_at).total_seconds() / 60)
    now = standing or Standing(now=approval.asked_at, next_update_at=approval.expires_at)
    where = f"{incident.service.service} in {incident.service.cluster} ({incident.service.region})"
    said = [
        f"{where} needs a yes or a no within {counted(minutes, 'minute')}: {plan.summary}.",
        "",
        *_grave(grade, events),
        *_began(incident, story, now),
        f"Services   {services(incident, looked)}",
        f"Impact     {impact(grade, looked)}",
        f"Alarm      {clean(incident.title)}",
        f"Cause      {_cause(story, events)}",
        f"Why asked  {_why(story, events)}",
    ]
    said += _section("Evidence", _evidence(events))
    said += _section("Tried", tried(events))
    asked = [
        f"Status: waiting for a yes or a no until {approval.expires_at:%H:%M} UTC",
        *lines(story, now, looked=looked)[1:],
    ]
    said += _section("Now", asked)
    yes_or_no = [
        f"Plan       {plan.summary}",
        f"Undo       {plan.undo}",
        f"Yes        responder approve {incident.id}",
        f"No         responder deny {incident.id} --reason '...'",
        f"Expires    {clock(approval.expires_at)}; without an answer nothing is done",
        "A yes is good for this very plan, once: the responder looks again first, and asks again if it is another one.",
    ]
    said += _section("Yes or no", yes_or_no)
    said += _where(incident, story)
    subject = f"[approve?{_label(grade)}] {incident.service.service}: {plan.action} for {plan.cause}"
    return _page(incident, subject, said, kind="approval", grade=grade)


def recovered(
    incident: Incident,
    events: Sequence[Event],
    *,
    looked: Findings | None = None,
    standing: Standing | None = None,
) -> Page:
    """All clear: what it was, how long it took, what helped, and what is left to do."""
    story, surest = tell(events), _up_to_the_surest(events)
    resolved = next((e for e in reversed(events) if e.fact is Fact.INCIDENT_RESOLVED), None)
    summary = clean(incident.title) if resolved is None else resolved.summary
    ended = events[-1].at if resolved is None else resolved.at
    then = Standing(now=ended) if standing is None else replace(standing, now=ended)
    said = [
        f"{incident.service.service} in {incident.service.cluster} ({incident.service.region}) {summary}.",
        "",
        *_gravest(events),
        f"Services   {services(incident, looked)}",
        f"Started    {clock(started(incident, story))}",
        f"Resolved   {clock(ended)}",
        f"Duration   {spoken(ended - started(incident, story))}",
        f"Alarm      {clean(incident.title)}",
        f"Cause      {_cause(story, surest)}",
        *(f"  + {line}" for line in _spoke_for_it(story, surest)),
    ]
    said += _section("Done", tried(events))
    said += _section("Validated", _validated(events))
    now = [
        *_temporary(story, events),
        f"Incident commander: {story.commander}",
        *recovery_times(story, then, looked=looked, over=True),
    ]
    said += _section("Now", now)
    place = None if resolved is None else resolved.data.get("report")
    said += _section("To do", [*_drift(story), *_afterwards(ended, reported=place is not None)])
    said += _where(incident, story, to_type=[] if place is None else _report(incident, place))
    subject = f"[resolved{_label(worst_grade(events))}] {incident.service.service}: {summary}"
    return _page(incident, subject, said, kind="recovered")


def _afterwards(ended: datetime, *, reported: bool) -> list[str]:
    """What only people can do, with a day for it: the second working day from now on."""
    day, left = ended, POST_MORTEM_IN
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < SATURDAY
    drafted = "the report has a draft; " if reported else ""
    measures = "the report has drafts, below What to change" if reported else FOR_A_PERSON
    return [
        f"Post-mortem: {drafted}proposed for {day:%A, %Y-%m-%d}, the time {FOR_A_PERSON}",
        f"Preventive measures: {measures}",
    ]


def _report(incident: Incident, place: str) -> list[str]:
    """How the report is opened: at the desk, on a phone that is signed in to AWS, and where it lies."""
    page = f"{place}report.html"
    link = object_page(incident.service.region, page)
    return [
        f"Report     responder report {incident.id} --open",
        *([] if link is None else [f"In S3      {link}"]),
        f"           {page}",
    ]


def _began(incident: Incident, story: Story, standing: Standing) -> list[str]:
    since = started(incident, story)
    return [f"Started    {clock(since)}, {spoken(standing.now - since)} ago"]


def _severity(grade: Grade | None) -> list[str]:
    return [] if grade is None else [f"Severity   {grade.name}: {grade.reason}"]


def _told_at(story: Story, events: Sequence[Event]) -> datetime:
    """When people heard of it last."""
    return next((event.at for event in events if event.sequence == story.told), events[0].at)


def _news(story: Story, events: Sequence[Event]) -> list[str]:
    """What happened since people heard of it last; of looks that found the same, the newest."""
    new = [event for event in events if event.sequence > story.told and event.fact in NEWS]
    newest = {event.summary: event for event in new if event.fact is Fact.LOOKED_AGAIN}
    told = [event for event in new if event.fact is not Fact.LOOKED_AGAIN or newest[event.summary] is event]
    left_out = [f"and {len(told) - NEWS_LINES} events before that"] if len(told) > NEWS_LINES else []
    return [*left_out, *(f"{event.at:%H:%M:%S} {event.summary}" for event in told[-NEWS_LINES:])] or ["nothing"]


def _spoke_for_it(story: Story, events: Sequence[Event]) -> list[str]:
    """The evidence for the cause that was named, as the look found it that named it."""
    acted = story.acted
    cause = acted.plan.cause if acted is not None else getattr(_last_trouble(events), "cause", None)
    for event in reversed(events):
        if event.fact is Fact.CAUSES_RANKED:
            ranked = [Judgement.model_validate(judgement) for judgement in event.data.get("judgements", ())]
            found = next((each for each in ranked if each.cause == cause and each.evidence_for), None)
            if found is not None:
                return list(found.evidence_for)
    return []


def _up_to_the_surest(events: Sequence[Event]) -> Sequence[Event]:
    """The trail until the look that was surest of a cause: when all is well again, the evidence is, too."""
    decisions = [(e.sequence, Decision.model_validate(e.data["decision"])) for e in events if "decision" in e.data]
    named = [
        (at, each)
        for at, each in decisions
        if each.outcome is not Outcome.ALL_CLEAR and each.cause is not Cause.UNKNOWN
    ]
    if not named:
        return events
    surest, _ = max(named, key=lambda found: found[1].confidence)
    return [event for event in events if event.sequence <= surest]


def _label(grade: Grade | None) -> str:
    return "" if grade is None else f" {grade.label}"


def _grave(grade: Grade | None, events: Sequence[Event]) -> list[str]:
    """How grave, why, and until when somebody has to answer. The time runs from the newest event, which led here."""
    if grade is None:
        return []
    lines = [f"Severity   {grade.name}: {grade.reason}", f"Respond    {grade.respond_text}"]
    if isinstance(grade.respond, int):
        by = events[-1].at + timedelta(seconds=grade.respond)
        lines[-1] += f", by {by:%H:%M} UTC"
    return lines


def worst_grade(events: Sequence[Event]) -> Grade | None:
    """How grave it was at its worst; None where nobody graded it."""
    worst = _worst(events)
    return None if worst is None else worst[1]


def _worst(events: Sequence[Event]) -> tuple[datetime, Grade] | None:
    grades = [(e.at, Grade.model_validate(e.data["grade"])) for e in events if e.fact is Fact.SEVERITY_GRADED]
    return min(grades, key=lambda graded: graded[1].severity, default=None)


def _gravest(events: Sequence[Event]) -> list[str]:
    """Since when it was so grave, and why: what came later may have been worse without a name of its own."""
    worst = _worst(events)
    if worst is None:
        return []
    at, grade = worst
    return [f"Severity   {grade.name} at its worst, from {at:%H:%M} UTC on: {grade.reason}"]


def _cause(story: Story, events: Sequence[Event]) -> str:
    """The cause that was acted upon, else the newest one found: that all is clear now is no cause."""
    acted = story.acted
    decision = _last_trouble(events)
    if acted is not None:
        return str(acted.plan.cause)
    if decision is None:
        return "unknown"
    if decision.cause is Cause.UNKNOWN:
        return "unknown: no cause fits the evidence"
    return f"{decision.cause} (confidence {decision.confidence:.2f})"


def _last_trouble(events: Sequence[Event]) -> Decision | None:
    decisions = (Decision.model_validate(e.data["decision"]) for e in reversed(events) if "decision" in e.data)
    return next((decision for decision in decisions if decision.outcome is not Outcome.ALL_CLEAR), None)


def _why(story: Story, events: Sequence[Event]) -> str:
    last = next((e for e in reversed(events) if e.fact in _REASONS), None)
    if last is not None and last.fact is not Fact.ACTION_WITHHELD:
        return last.summary
    reason = "the responder could not go on" if story.decision is None else story.decision.reason
    return f"it is graver than the {story.paged_as} you were told of; {reason}" if story.graver_than_told else reason


def _evidence(events: Sequence[Event]) -> list[str]:
    ranked = next((e for e in reversed(events) if e.fact is Fact.CAUSES_RANKED), None)
    if ranked is None:
        return []
    if "judgements" not in ranked.data:
        return [f"too long for a page, kept as {ranked.data.get('archived', 'part of the trail')}"]
    judgements = [Judgement.model_validate(judgement) for judgement in ranked.data["judgements"]]
    lines: list[str] = []
    for judgement in judgements[:3]:
        lines.append(f"{judgement.cause} {judgement.confidence:.2f}")
        # What speaks for several is said once: a phone shows twenty lines.
        lines += [line for evidence in judgement.evidence_for if (line := f"  + {evidence}") not in lines]
        lines += [f"  - {evidence}" for evidence in judgement.evidence_against]
        if judgement.missing:
            lines.append(f"  ? cannot be judged without {', '.join(judgement.missing)}")
    return lines


def _asked(looked: Findings | None) -> list[str]:
    """What the playbook's own queries of the logs found."""
    logs = None if looked is None else looked.logs.value
    lines = []
    for query in () if logs is None else logs.queries:
        lines += [str(query), *(f"  {line}" for line in query.lines)]
    return lines


def _log_group(looked: Findings | None) -> str | None:
    definition = None if looked is None else looked.definition.value
    return definition.log_groups[0] if definition is not None and definition.log_groups else None


def tried(events: Sequence[Event]) -> list[str]:
    """Everything that was changed, or was to be; what says the same twice in a row is told once."""
    told = [(event.at, f"{HEADINGS[event.fact]}: {event.summary}") for event in events if event.fact in HEADINGS]
    lines = []
    for text, same in groupby(told, key=lambda line: line[1]):
        times = [at for at, _ in same]
        again = f" (again at {', '.join(f'{at:%H:%M:%S}' for at in times[1:])})" if len(times) > 1 else ""
        lines.append(f"{times[0]:%H:%M:%S} {text}{again}")
    return lines or ["nothing was changed"]


def _validated(events: Sequence[Event]) -> list[str]:
    """Each part of the validation, as the newest one found it; nothing of incidents that had none."""
    told = next((e for e in reversed(events) if e.fact is Fact.RECOVERY_VALIDATED), None)
    if told is None:
        return []
    parts = Validation.model_validate(told.data["validation"]).parts
    return [f"{part.part:<11} {part.finding:<10} {clean(part.reason)}" for part in parts]


def _drift(story: Story) -> list[str]:
    """What the infrastructure code does not know yet, ready to paste."""
    lines = []
    for intent in story.intents:
        if intent.ended not in (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL):
            continue
        lines += _differs(intent)
    return list(dict.fromkeys(lines))


def _temporary(story: Story, events: Sequence[Event]) -> list[str]:
    """What is set for a while and was not given back yet, with the time at which it is."""
    out: dict[str, str] = {}
    for event in events:
        if event.data.get("lease") is not None:
            lease = Lease.model_validate(event.data["lease"])
            out[lease.id] = _leased(lease.terms, lease.due_at)
            if event.fact in (Fact.LEASE_RESTORED, Fact.LEASE_LEFT):
                del out[lease.id]
    shifts = [
        f"no traffic goes to {shift.zone} until {intent.at + timedelta(seconds=shift.expires_s):%H:%M} UTC"
        for intent in story.intents
        if intent.ended in (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL) and isinstance(shift := intent.change, ShiftZone)
    ]
    return [f"Temporary: {text}" for text in (*out.values(), *shifts)]


def _differs(intent: Intent) -> list[str]:
    """What a change that lasts leaves different from the infrastructure code, until somebody writes it there too."""
    plan = intent.plan
    match intent.change:
        case SetTaskDefinition(task_definition=good) if plan.action is ActionName.ROLL_BACK:
            return [
                "your infrastructure code still names the bad release; until it is fixed, pin the good one:",
                f"  task definition {short(good)}",
                f"  quarantined     {short(plan.quarantine or '')}",
            ]
        case RegisterCopy(memory_mib=memory, cpu=cpu) if memory is not None:
            made = "" if intent.result is None else f", as {short(intent.result.made)} has it"
            return [
                "your infrastructure code still has the smaller task, and its next deployment brings it back; write:",
                f"  cpu {cpu}, memory {memory}{made}",
            ]
        case SetCeiling(maximum=maximum, minimum=minimum) if plan.action is ActionName.LOWER_CEILING:
            floor = "" if minimum is None else f"minimum {minimum}, "
            return [
                "your infrastructure code still has the higher ceiling, and its next deployment brings it back; write:",
                f"  {floor}maximum {maximum} tasks",
                f"  or take it back: {plan.undo}",
            ]
        case SetStickiness(target_group=group, duration_s=duration):
            return [
                "whatever switched sticky sessions off may do it again; your infrastructure code has to say:",
                f"  stickiness on, lb_cookie, {duration} s, in {group.rsplit(':', 1)[-1]}",
            ]
        case SetFloor() | SetCeiling() | SetCount() if plan.action in BY_HAND and not plan.leases:
            return [
                "set by hand, and your infrastructure code may say otherwise; its next deployment brings that back:",
                f"  {plan.summary}",
                f"  or take it back: {plan.undo}",
            ]
        case SetCeiling() | ScaleToZero() if plan.action is ActionName.ISOLATE:
            return ["the service is isolated until a person brings it back:", f"  {plan.undo}"]
        case DisableUser(user=user):
            return [f"user {user} is disabled until a person enables it again:", f"  {plan.undo}"]
        case _:
            return []


def _leased(terms: LeaseTerms, due_at: datetime) -> str:
    then = f"until {due_at:%H:%M} UTC, then {terms.original:g} again by itself"
    match terms.kind:
        case LeaseKind.TRACKING:
            return f"policy {terms.policy} aims at {terms.value:g} % {then}"
        case LeaseKind.MUTE:
            return f"alarm {terms.resource_id} is muted until {due_at:%H:%M} UTC: mend its threshold or its periods"
        case LeaseKind.ADDRESS if terms.block is not None:
            return f"{terms.block.address} stays in IP set {terms.block.ip_set.name} until {due_at:%H:%M} UTC"
        case LeaseKind.FLOOR | LeaseKind.CEILING:
            return f"the {terms.kind} is {terms.value:g} tasks {then}"
        case _:
            return f"the {terms.kind} is {terms.value:g} {then}"


def _section(title: str, said: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in said)] if said else []


def _where(incident: Incident, story: Story, *, log_group: str | None = None, to_type: Sequence[str] = ()) -> list[str]:
    """`to_type`: what is to be typed beside that which every notice has."""
    tail = f"aws logs tail {word(log_group or '')} --since 30m --region {incident.service.region}"
    commands = [
        *([] if incident.status is IncidentStatus.RESOLVED else _lead(incident, story)),
        *to_type,
        *([] if log_group is None else [f"Logs       {tail}"]),
        f"Look       responder show {incident.id}",
        f"Check      responder verify {incident.id}",
        _hold(incident, story),
        f"Trail      {incident.head_sequence} events, head {incident.head_hash[:16]}",
    ]
    return _section("What you can do", commands)


def _hold(incident: Incident, story: Story) -> str:
    """How the responder is held back from the service; or let go, where that is what keeps it from acting."""
    verdicts = () if story.decision is None else story.decision.verdicts
    if any(verdict.guardrail == stop.__name__ and not verdict.allowed for verdict in verdicts):
        return "Start      responder start --all --reason '...'"
    return f"Pause      responder pause {incident.service.key} --for 2h --reason '...'"


def _lead(incident: Incident, story: Story) -> list[str]:
    if story.taken_by is not None:
        return [f"Give back  responder give-back {incident.id}"]
    have = [] if story.acknowledged_by is not None else [f"I have it  responder ack {incident.id}"]
    return [*have, f"Take over  responder take {incident.id}"]


def _page(incident: Incident, subject: str, said: Sequence[str], *, kind: str, grade: Grade | None = None) -> Page:
    plain = clean(subject).encode("ascii", "replace").decode()
    return Page(
        subject=plain if len(plain) <= SUBJECT_LIMIT else plain[: SUBJECT_LIMIT - 3] + "...",
        text="\n".join(said) + "\n",
        attributes={
            "kind": kind,
            "incident": incident.id,
            "service": incident.service.key,
            **({} if grade is None else {"severity": str(grade.severity)}),
        },
    )
