"""The texts people get. Each stands alone: read on a phone at three in the morning, without the trail beside it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.domain.approvals import Approval
from functions.domain.causes import Cause, Judgement
from functions.domain.changes import (
    ActionName,
    DisableUser,
    LeaseKind,
    LeaseTerms,
    Plan,
    RegisterCopy,
    ScaleToZero,
    SetCeiling,
    SetStickiness,
    SetTaskDefinition,
    ShiftZone,
)
from functions.domain.evidence import Findings, short
from functions.domain.incidents import Event, Fact, Incident
from functions.domain.redaction import clean
from functions.domain.severity import Grade
from functions.ports import Page
from functions.workflow.decision import Decision
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


def escalation(
    incident: Incident, events: Sequence[Event], *, grade: Grade | None = None, looked: Findings | None = None
) -> Page:
    """The page: what is wrong, what was tried, why nothing more is done, and where to look.

    `looked` is what the newest look brought, for what people read in the logs.
    """
    story = tell(events)
    decision = story.decision
    cause = "unknown" if decision is None else decision.cause
    lines = [
        f"{incident.service.service} in {incident.service.cluster} ({incident.service.region}) needs a person.",
        "",
        *_grave(grade, events),
        f"Alarm      {clean(incident.title)}",
        f"Opened     {clock(incident.opened_at)}",
        f"Cause      {_cause(story, events)}",
        f"Why a page {_why(story, events)}",
    ]
    if decision is not None and decision.plan is not None and not story.intents:
        lines += ["", "What would be done:", f"  {decision.plan.summary}", f"  undo: {decision.plan.undo}"]
    lines += _section("Evidence", _evidence(events))
    lines += _section("Asked of the logs", _asked(looked))
    lines += _section("Tried", _tried(events))
    lines += _where(incident, log_group=_log_group(looked))
    seen = "" if grade is None or not grade.seen else f", {grade.seen}"
    subject = f"[page{_label(grade)}] {incident.service.service}: {cause}{seen}"
    return _page(incident, subject, lines, kind="page", grade=grade)


def question(
    incident: Incident, events: Sequence[Event], approval: Approval, plan: Plan, *, grade: Grade | None = None
) -> Page:
    """May this be done? The plan, what it rests on, until when, and how to say yes or no."""
    story = tell(events)
    minutes = round((approval.expires_at - approval.asked_at).total_seconds() / 60)
    lines = [
        f"{incident.service.service} in {incident.service.cluster} ({incident.service.region}) needs a yes or a no.",
        "",
        f"Plan       {plan.summary}",
        f"Undo       {plan.undo}",
        f"Expires    {clock(approval.expires_at)}, in {minutes} minutes; without an answer nothing is done",
        f"Yes        responder approve {incident.id}",
        f"No         responder deny {incident.id} --reason '...'",
        "",
        *_grave(grade, events),
        f"Alarm      {clean(incident.title)}",
        f"Opened     {clock(incident.opened_at)}",
        f"Cause      {_cause(story, events)}",
        f"Why asked  {_why(story, events)}",
        "",
        "A yes is good for this very plan, once: the responder looks again first, and asks again if it is another one.",
    ]
    lines += _section("Evidence", _evidence(events))
    lines += _section("Tried", _tried(events))
    lines += _where(incident)
    subject = f"[approve?{_label(grade)}] {incident.service.service}: {plan.action} for {plan.cause}"
    return _page(incident, subject, lines, kind="approval", grade=grade)


def recovered(incident: Incident, events: Sequence[Event]) -> Page:
    """All clear: what it was, what helped, and what still differs from the infrastructure code."""
    story = tell(events)
    resolved = next((e for e in reversed(events) if e.fact is Fact.INCIDENT_RESOLVED), None)
    summary = clean(incident.title) if resolved is None else resolved.summary
    lines = [
        f"{incident.service.service} in {incident.service.cluster} ({incident.service.region}) {summary}.",
        "",
        f"Alarm      {clean(incident.title)}",
        f"Opened     {clock(incident.opened_at)}",
        f"Cause      {_cause(story, events)}",
        *_gravest(events),
    ]
    lines += _section("Done", _tried(events))
    lines += _section("To do", _drift(story))
    lines += _where(incident)
    place = None if resolved is None else resolved.data.get("report")
    if place is not None:
        lines += ["", f"Report     responder report {incident.id} --open", f"           {place}report.html"]
    return _page(incident, f"[recovered] {incident.service.service}: {summary}", lines, kind="recovered")


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


def _gravest(events: Sequence[Event]) -> list[str]:
    """How grave it was at its worst."""
    grades = [Grade.model_validate(e.data["grade"]) for e in events if e.fact is Fact.SEVERITY_GRADED]
    worst = min(grades, key=lambda grade: grade.severity, default=None)
    return [] if worst is None else [f"Severity   {worst.name} at its worst: {worst.reason}"]


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


def _tried(events: Sequence[Event]) -> list[str]:
    lines = [
        f"{event.at:%H:%M:%S} {HEADINGS[event.fact]}: {event.summary}" for event in events if event.fact in HEADINGS
    ]
    return lines or ["nothing was changed"]


def _drift(story: Story) -> list[str]:
    """What the infrastructure code does not know yet, ready to paste."""
    lines = []
    for intent in story.intents:
        plan = intent.plan
        if intent.ended not in (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL):
            continue
        lines += _differs(intent)
        terms = plan.lease_of(intent.stage)
        if terms is not None:
            lines.append(_leased(terms))
    return list(dict.fromkeys(lines))


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
        case SetCeiling() | ScaleToZero() if plan.action is ActionName.ISOLATE:
            return ["the service is isolated until a person brings it back:", f"  {plan.undo}"]
        case DisableUser(user=user):
            return [f"user {user} is disabled until a person enables it again:", f"  {plan.undo}"]
        case ShiftZone(zone=zone, expires_s=expires):
            return [f"no traffic goes to {zone} until {intent.at + timedelta(seconds=expires):%H:%M:%S} UTC"]
        case _:
            return []


def _leased(terms: LeaseTerms) -> str:
    then = f"until the lease ends, then {terms.original:g} again by itself"
    match terms.kind:
        case LeaseKind.TRACKING:
            return f"policy {terms.policy} aims at {terms.value:g} % {then}"
        case LeaseKind.MUTE:
            minutes = round(terms.value / 60)
            return f"alarm {terms.resource_id} is muted for {minutes} minutes: mend its threshold or its periods"
        case LeaseKind.ADDRESS if terms.block is not None:
            return f"{terms.block.address} stays in IP set {terms.block.ip_set.name} until the lease ends"
        case _:
            return f"the {terms.kind} is {terms.value:g} {then}"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _where(incident: Incident, *, log_group: str | None = None) -> list[str]:
    tail = f"aws logs tail {log_group} --since 30m --region {incident.service.region}"
    return [
        "",
        *([] if log_group is None else [f"Logs       {tail}"]),
        f"Look       responder show {incident.id}",
        f"Check      responder verify {incident.id}",
        f"Pause      responder pause {incident.service.key} --for 2h --reason '...'",
        f"Trail      {incident.head_sequence} events, head {incident.head_hash[:16]}",
    ]


def clock(moment: datetime) -> str:
    """A point in time for people: UTC, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _page(incident: Incident, subject: str, lines: Sequence[str], *, kind: str, grade: Grade | None = None) -> Page:
    plain = clean(subject).encode("ascii", "replace").decode()
    return Page(
        subject=plain if len(plain) <= SUBJECT_LIMIT else plain[: SUBJECT_LIMIT - 3] + "...",
        text="\n".join(lines) + "\n",
        attributes={
            "kind": kind,
            "incident": incident.id,
            "service": incident.service.key,
            **({} if grade is None else {"severity": str(grade.severity)}),
        },
    )
