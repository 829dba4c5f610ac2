"""A report as Markdown, for wikis and pull requests: the same words as the page, without the plots."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from functions.domain.durations import spoken
from functions.domain.redaction import printable
from functions.workflow.reporting.model import ActionTold, IncidentReport
from functions.workflow.reporting.words import NOBODY, NOTHING_OUT, clock, day_and_clock, figure, hours, is_command

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~!])")
_LEADS = re.compile(r"^(\d{0,9})([-+.)=])(?=\s|$|[-=])")
"""What makes a list or a heading of a line that begins with it."""
_FENCE = re.compile(r"`{3,}")


def as_markdown(report: IncidentReport) -> str:
    """The whole text. What comes from outside cannot be markup: it is escaped, or stands in a code block."""
    return "\n".join(_lines(report)).rstrip() + "\n"


def _lines(report: IncidentReport) -> Iterator[str]:
    ref = report.service
    yield f"# {_text(report.summary)}"
    yield ""
    status = "open" if report.open else "resolved"
    severity = f", {_text(report.severity)}" if report.severity else ""
    where = f"{ref.service} in {ref.cluster}, {ref.region}"
    yield f"{_text(report.title)} · {_text(where)} · {day_and_clock(report.alarm_at)} · {status}{severity}"
    yield ""
    yield from _table(("", ""), [(what, text) for what, text in (*report.figures, *_objectives(report))])
    for what, text in (("Why", report.why), ("Now", report.now)):
        if text:
            yield f"**{what}:** {_text(text)}"
            yield ""
    yield from _section(
        "Timeline", _table(("UTC", "who", "what"), [_entry_row(report, n) for n in range(len(report.entries))])
    )
    yield from _section("Metrics", _table(("metric", "worst", "at", "last"), list(_curves(report))))
    yield from _section("Causes", _causes(report))
    if report.at_fault:
        yield from _section(f"What {_text(report.at_fault)} changed", _release(report))
    yield from _section("Logs", _logs(report))
    yield from _done(report)
    yield from _section("Put back", _leases(report))
    validated = [(each.part, each.finding, each.reason) for each in report.validated]
    yield from _section("Validated before it was resolved", _table(("part", "finding", "why"), validated))
    yield from _section("Drift from the infrastructure code", _pins(report))
    yield from _section("Next steps", _steps(report))
    yield from _section("Post-mortem draft", _draft(report))
    for unread in report.unread:
        yield f"Not read for this report: {_text(unread)}."
        yield ""
    kept = f" Kept in {_text(report.place)}." if report.place else ""
    yield (
        f"Incident {_text(report.incident_id)}, written at {day_and_clock(report.written_at)} from {report.events} "
        f"events, head {report.head[:16]}.{kept}"
    )


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    """Nothing where there are no lines."""
    told = list(lines)
    if told:
        yield f"## {title}"
        yield ""
        yield from told


def _objectives(report: IncidentReport) -> Iterator[tuple[str, str]]:
    for objective in report.objectives:
        allowed = hours(objective.allowed_s)
        if objective.used_s is None:
            yield f"{objective.name} {allowed}", f"not known: {objective.what}"
        else:
            kept = "kept" if objective.met else "missed"
            yield f"{objective.name} {kept}", f"{spoken(timedelta(seconds=objective.used_s))} of {allowed}"


def _done(report: IncidentReport) -> Iterator[str]:
    yield "## What was done"
    yield ""
    if not report.actions:
        yield f"Nothing was changed. {_text(report.no_action[:1].upper() + report.no_action[1:])}"
        yield ""
    for action in report.actions:
        yield from _action(action)
    yield from (f"- {_text(line)}" for line in report.people or (NOBODY,))
    yield ""


def _action(action: ActionTold) -> Iterator[str]:
    who = f", granted by {action.granted_by}" if action.granted_by else ""
    yield f"### {action.number}. {_text(action.summary)}"
    yield ""
    yield f"{clock(action.at)} for {_text(action.cause)}{_text(who)}: {_text(action.done)}."
    yield ""
    if action.effect:
        yield f"**{_text(action.effect)}**"
        yield ""
    yield from _table(("set", "before", "after"), [(c.what, c.before, c.after) for c in action.state])
    moved = [(gain.what, gain.before, gain.after) for gain in action.gains if not gain.same]
    yield from _table(("measured", "before", "after"), moved)
    same = [f"{gain.what} {gain.after}" for gain in action.gains if gain.same]
    if same:
        yield f"About as before: {_text(', '.join(same))}."
        yield ""
    if is_command(action.undo):
        yield "To take it back:"
        yield ""
        yield from _code(action.undo)
    elif action.undo:
        yield f"To take it back: {_text(action.undo)}."
        yield ""


def _entry_row(report: IncidentReport, place: int) -> tuple[str, str, str]:
    entry = report.entries[place]
    times = f" (the last of {entry.times} like it)" if entry.times > 1 else ""
    day = "" if entry.at.date() == report.entries[0].at.date() else f"{entry.at:%Y-%m-%d} "
    return day + clock(entry.at), entry.actor, entry.text + times


def _curves(report: IncidentReport) -> Iterator[tuple[str, str, str, str]]:
    for curve in report.curves:
        if (extreme := curve.extreme) is not None:
            last = figure(curve.points[-1][1], curve.unit)
            worst = f"{curve.extreme_name} {figure(extreme[1], curve.unit)}"
            yield curve.title, worst, clock(extreme[0]), last


def _causes(report: IncidentReport) -> Iterator[str]:
    for cause in report.causes:
        chosen = ", treated as this" if cause.chosen else ""
        yield f"- **{_text(cause.cause)}** {cause.confidence:.2f} sure{chosen}"
        yield from (f"  - for: {_text(line)}" for line in cause.evidence_for)
        yield from (f"  - against: {_text(line)}" for line in cause.evidence_against)
        yield from (f"  - not read: {_text(line)}" for line in cause.unread)
    if report.causes:
        yield ""


def _leases(report: IncidentReport) -> Iterator[str]:
    leases = [
        (lease.text, lease.ended or f"out until {clock(lease.due_at)} UTC, then given back by itself")
        for lease in report.leases
    ]
    if leases:
        yield from _table(("temporary", "how it ended"), leases)
    else:
        yield NOTHING_OUT
        yield ""


def _logs(report: IncidentReport) -> Iterator[str]:
    logs = report.logs
    yield from _table(("times", "what error lines said"), [(f"{count:,}", text) for count, text in logs.patterns])
    if logs.excerpt:
        yield from _code("\n".join(f"{clock(at)} {stream[:8]} {line}" for at, stream, line in logs.excerpt))
    if logs.kept:
        yield _text(logs.kept)
        yield ""
    if logs.commands:
        yield from _code("\n".join(logs.commands))
    if logs.link:
        yield f"[Logs Insights at the time of the incident]({logs.link})"
        yield ""


def _release(report: IncidentReport) -> Iterator[str]:
    if report.differences is None:
        yield f"It could not be compared with {_text(report.good)}."
        yield ""
    elif not report.differences:
        yield f"Its task definition is the same as that of {_text(report.good)}, as far as ECS tells."
        yield ""
    else:
        rows = [(d.what, d.before, d.after) for d in report.differences]
        yield from _table(("", f"{report.good}, good", report.at_fault), rows)


def _draft(report: IncidentReport) -> Iterator[str]:
    for part in report.draft:
        yield f"### {_text(part.title)}"
        yield ""
        for line in part.lines:
            yield _text(line)
            yield ""
        for question in part.questions:
            yield f"- [ ] To fill in: {_text(question)}"
        if part.questions:
            yield ""
    if report.lessons:
        yield "### What to change"
        yield ""
        yield from (f"- {_text(lesson.about)}: {_text(lesson.text)}" for lesson in report.lessons)
        yield ""


def _pins(report: IncidentReport) -> Iterator[str]:
    for pin in report.pins:
        yield f"### {_text(pin.title)}"
        yield ""
        yield _text(pin.why)
        yield ""
        for name, text in (("typescript", pin.cdk), ("yaml", pin.cloudformation), ("hcl", pin.terraform)):
            yield from _code(text, name)


def _steps(report: IncidentReport) -> Iterator[str]:
    for place, step in enumerate(report.steps, 1):
        yield f"{place}. {_text(step.text)}"
        if step.command:
            yield ""
            yield from (f"   {line}" if line else "" for line in _code(step.command))
    if report.steps and not report.steps[-1].command:
        yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(map(_text, head))} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_text(cell) or 'none' for cell in row)} |"
    yield ""


def _code(text: str, language: str = "") -> Iterator[str]:
    """A block behind a fence that is longer than any in it."""
    longest = max((len(found) for found in _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    yield f"{fence}{language}"
    yield from map(printable, text.splitlines())
    yield fence
    yield ""


def _text(text: str) -> str:
    return _LEADS.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", printable(" ".join(text.split()))))
