"""A report as one HTML page that needs nothing from outside: no script, no font, no picture, no style sheet.

It is a tree of elements, so that no text can be markup, and the page's own policy forbids it to load or send anything.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from xml.etree.ElementTree import Element

from functions.domain.differences import Difference
from functions.domain.durations import spoken
from functions.workflow.reporting.elements import Child, el, html
from functions.workflow.reporting.model import ActionTold, CauseTold, Entry, IncidentReport, Mark, MarkKind
from functions.workflow.reporting.plots import plot, sign, window
from functions.workflow.reporting.style import CSS
from functions.workflow.reporting.words import NOBODY, NOTHING_OUT, clock, day_and_clock, hours, is_command

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SIGN = {
    MarkKind.TROUBLE: "×",
    MarkKind.ALARM: "!",
    MarkKind.ACTION: "▶",
    MarkKind.RECOVERED: "✓",
    MarkKind.RELEASE: "R",
    MarkKind.PEOPLE: "✉",
    MarkKind.LEASE: "↩",
}
_QUIET = timedelta(minutes=5)
"""After so long without an event the timeline has a gap, too."""


def as_html(report: IncidentReport) -> str:
    """The whole page; the same report gives the same bytes."""
    page = el(
        "html",
        el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            el("meta", name="referrer", content="no-referrer"),
            el("title", f"{report.service.service}: {report.cause}, {report.alarm_at:%Y-%m-%d %H:%M} UTC"),
            el("style", CSS),
        ),
        el("body", el("main", parts(report))),
        lang="en",
    )
    return "<!doctype html>\n" + html(page) + "\n"


def parts(report: IncidentReport) -> Sequence[Element]:
    """What the page says, for whoever shows it in a page of their own: the header, the sections, the footer. Nothing in
    it has a style of its own, so that a page may forbid those."""
    sections = [section for section in _sections(report) if section is not None]
    links = [el("a", str(section[0].text), href=f"#{section.get('id')}") for section in sections]
    return (_head(report, links), *sections, _foot(report))


def _section(identifier: str, title: str, *children: Child) -> Element:
    return el("section", el("h2", title), *children, id=identifier)


def _sections(report: IncidentReport) -> Iterator[Element | None]:
    """What happened, why, what was done and how it stands, and what is left to do."""
    yield _section("timeline", "Timeline", _timeline(report))
    yield _metrics(report)
    yield _causes(report)
    yield _release(report)
    yield _logs(report)
    yield _done(report)
    yield _leases(report)
    yield _validated(report)
    yield _pins(report)
    yield _section("next", "Next steps", _steps(report))
    yield _lessons(report)


def _head(report: IncidentReport, links: Sequence[Element]) -> Element:
    ref = report.service
    status = el("span", "open", class_="chip bad") if report.open else el("span", "resolved", class_="chip good")
    next_text = report.steps[0].text if report.steps else ""
    return el(
        "header",
        el(
            "div",
            status,
            el("span", report.severity, class_="chip warn") if report.severity else None,
            el("span", f"{ref.service} in {ref.cluster}, {ref.region}", class_="where"),
            class_="chips",
        ),
        el("h1", report.summary),
        el("p", f"{report.title} · {day_and_clock(report.alarm_at)} · all times in UTC", class_="where"),
        el("div", [_figure(text, what) for what, text in report.figures], _objectives(report), class_="figures"),
        el("dl", _brief("Why", report.why), _brief("Now", report.now), _brief("Next", next_text), class_="brief"),
        el("nav", links, aria_label="Parts of this report"),
    )


def _brief(what: str, text: str) -> Child:
    """One of the few lines that are read first; nothing in a report that was written before there were any."""
    return [el("dt", what), el("dd", text[:1].upper() + text[1:])] if text else None


def _figure(text: str, what: str, tone: str | None = None) -> Element:
    return el("div", el("b", text, class_=tone), el("span", what), class_="figure")


def _objectives(report: IncidentReport) -> Iterator[Element]:
    for objective in report.objectives:
        allowed = hours(objective.allowed_s)
        if objective.used_s is None or objective.met is None:
            yield _figure("not known", f"{objective.name} {allowed}: {objective.what}")
        else:
            used = spoken(timedelta(seconds=objective.used_s))
            kept = "kept" if objective.met else "missed"
            yield _figure(f"{used} of {allowed}", f"{objective.name} {kept}", "good" if objective.met else "text-bad")


def _done(report: IncidentReport) -> Element:
    if not report.actions:
        why = el("p", report.no_action[:1].upper() + report.no_action[1:])
        return _section("done", "What was done", el("p", el("b", "Nothing was changed.")), why, _people(report))
    return _section("done", "What was done", [_action(action) for action in report.actions], _people(report))


def _people(report: IncidentReport) -> Child:
    if not report.people:
        return el("p", NOBODY, class_="soft")
    return [el("h3", "People"), el("ul", [el("li", line) for line in report.people], class_="plain small")]


def _action(action: ActionTold) -> Element:
    tone = {True: "effect good", False: "effect text-bad", None: "effect"}[action.helped]
    mark = {True: "✓ ", False: "✗ ", None: ""}[action.helped]
    who = f", granted by {action.granted_by}" if action.granted_by else ""
    return el(
        "div",
        el("h3", el("span", el("i", str(action.number)), class_="badge action"), action.summary),
        el("p", f"{clock(action.at)} for {action.cause}{who}: {action.done}", class_="soft small"),
        el("p", mark, action.effect[:1].upper() + action.effect[1:], class_=tone) if action.effect else None,
        el("div", _changes("set", action.state), _gains(action), class_="two")
        if action.state or action.gains
        else None,
        el("ul", [el("li", line) for line in action.details], class_="plain small soft") if action.details else None,
        _undo(action.undo),
        class_="card",
    )


def _undo(undo: str) -> Child:
    if is_command(undo):
        return [el("p", "To take it back:", class_="small soft"), el("pre", undo)]
    return el("p", f"To take it back: {undo}.", class_="small soft") if undo else None


def _changes(what: str, changes: Sequence[Difference]) -> Element | None:
    return _table((what, "before", "after"), [(c.what, c.before, c.after) for c in changes]) if changes else None


def _gains(action: ActionTold) -> Element | None:
    moved = [(gain.what, gain.before, gain.after) for gain in action.gains if not gain.same]
    same = [f"{gain.what} {gain.after}" for gain in action.gains if gain.same]
    if not action.gains:
        return None
    return el(
        "div",
        _table(("measured", "before", "after"), moved) if moved else None,
        el("p", f"About as before: {', '.join(same)}.", class_="small soft") if same else None,
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Element:
    return el(
        "table",
        el("thead", el("tr", [el("th", name, scope="col") if name else el("td") for name in head])),
        el("tbody", [el("tr", [_cell(text, place) for place, text in enumerate(row)]) for row in rows]),
    )


def _cell(text: str, place: int) -> Element:
    if not text:
        return el("td", "none", class_="none")
    return el("td", text, class_="was" if place == 1 else None)


def _timeline(report: IncidentReport) -> Element:
    lines = []
    for place, entry in enumerate(report.entries):
        before = report.entries[place - 1] if place else None
        if before is not None and entry.at.date() != before.at.date():
            lines.append(el("li", el("b", f"{entry.at:%Y-%m-%d}", class_="day"), class_="loud gap"))
        lines.append(_entry(entry, before))
    return el("ol", lines, class_="time")


def _entry(entry: Entry, before: Entry | None) -> Element:
    later = before is not None and entry.at - before.at >= _QUIET
    classes = " ".join(filter(None, ("loud" if entry.loud else "", "gap" if later else "")))
    times = f" (the last of {entry.times} like it)" if entry.times > 1 else ""
    return el(
        "li",
        el("time", clock(entry.at), datetime=entry.at.isoformat()),
        el("span", _SIGN.get(entry.kind, "·"), class_=f"sign {entry.kind}"),
        el("span", entry.actor, class_="who"),
        el("span", entry.text + times),
        class_=classes or None,
    )


def _metrics(report: IncidentReport) -> Element | None:
    over = window(report.curves, report.marks)
    if not report.curves or over is None:
        return None
    return _section(
        "metrics",
        "Metrics",
        el("ul", [_legend(mark) for mark in report.marks], class_="legend"),
        el("div", [plot(curve, report.marks, over=over) for curve in report.curves], class_="plots"),
    )


def _legend(mark: Mark) -> Element:
    label = mark.label.removeprefix(f"{sign(mark)} ")
    text = f"{clock(mark.at)} {mark.text if mark.kind is MarkKind.RELEASE else label}"
    return el("li", el("span", el("i", sign(mark)), class_=f"badge {mark.kind}"), text)


def _causes(report: IncidentReport) -> Element:
    shown: Child = [_cause(cause) for cause in report.causes]
    if not report.causes:
        shown = el("p", "No look at the service was finished, so nothing is known of the cause.", class_="soft")
    rest = f"{report.others} other causes were judged less likely or ruled out." if report.others else ""
    return _section("causes", "Causes", shown, el("p", rest, class_="soft small") if rest else None)


def _cause(cause: CauseTold) -> Element:
    bar = el(
        "svg",
        el("rect", width=f"{100 * cause.confidence:.0f}", height="8"),
        class_="bar",
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    signs = (("+", "good", cause.evidence_for), ("−", "text-bad", cause.evidence_against), ("?", "warn", cause.unread))
    proof = [
        el("li", el("b", mark, class_=tone), f"not read: {line}" if mark == "?" else line)
        for mark, tone, lines in signs
        for line in lines
    ]
    return el(
        "div",
        el(
            "h3",
            bar,
            f"{cause.cause}, {cause.confidence:.2f} sure",
            el("span", "  treated as this", class_="soft small") if cause.chosen else None,
        ),
        el("ul", proof, class_="proof"),
        class_="card chosen" if cause.chosen else "card",
    )


def _leases(report: IncidentReport) -> Element:
    rows = [
        (lease.text, lease.ended or f"out until {clock(lease.due_at)} UTC, then given back by itself")
        for lease in report.leases
    ]
    if not rows:
        return _section("leases", "Put back", el("p", NOTHING_OUT, class_="soft"))
    return _section("leases", "Put back", _table(("temporary", "how it ended"), rows))


def _validated(report: IncidentReport) -> Element | None:
    if not report.validated:
        return None
    rows = [(each.part, each.finding, each.reason) for each in report.validated]
    return _section("validated", "Validated before it was resolved", _table(("part", "finding", "why"), rows))


def _logs(report: IncidentReport) -> Element | None:
    logs = report.logs
    if not logs.groups and not logs.patterns:
        return None
    excerpt = [
        el("li", el("time", f"{at:%H:%M:%S.%f}"[:-3]), " ", el("span", stream[:8], class_="who"), f" {line}")
        for at, stream, line in logs.excerpt
    ]
    return _section(
        "logs",
        "Logs",
        _table(("times", "what error lines said"), [(f"{n:,}", text) for n, text in logs.patterns])
        if logs.patterns
        else None,
        [el("h3", "First error lines", class_="below"), el("ul", excerpt, class_="log")] if excerpt else None,
        el("p", logs.kept, class_="small soft") if logs.kept else None,
        el("p", "The same time in full:", class_="small soft") if logs.commands else None,
        [el("pre", command) for command in logs.commands],
        el("p", el("a", "Open the time of the incident in Logs Insights", href=logs.link, rel="noreferrer"))
        if logs.link
        else None,
    )


def _release(report: IncidentReport) -> Element | None:
    if not report.at_fault:
        return None
    title = f"What {report.at_fault} changed"
    if report.differences is None:
        return _section("release", title, el("p", f"It could not be compared with {report.good}.", class_="soft"))
    if not report.differences:
        said = (
            f"Its task definition is the same as that of {report.good}, as far as ECS tells: values of environment "
            "variables are not read, and an image may have been pushed anew under its tag."
        )
        return _section("release", title, el("p", said))
    rows = [(d.what, d.before, d.after) for d in report.differences]
    note = "Values of environment variables are not read."
    return _section(
        "release",
        title,
        _table(("", f"{report.good}, good", report.at_fault), rows),
        el("p", note, class_="small soft"),
    )


def _lessons(report: IncidentReport) -> Element:
    changes = [el("li", el("span", lesson.about, class_="about"), el("span", lesson.text)) for lesson in report.lessons]
    parts = [
        el(
            "div",
            el("h3", part.title),
            [el("p", line) for line in part.lines],
            [el("p", el("b", "To fill in: "), question, class_="ask") for question in part.questions],
            class_="card",
        )
        for part in report.draft
    ]
    return _section(
        "postmortem",
        "Post-mortem draft",
        el("p", "Written from the trail. What only people know is marked.", class_="soft"),
        el("div", parts, class_="draft"),
        [el("h3", "What to change"), el("ul", changes, class_="changes")] if changes else None,
    )


def _pins(report: IncidentReport) -> Element | None:
    if not report.pins:
        return None
    cards = [
        el(
            "div",
            el("h3", pin.title),
            el("p", pin.why),
            el(
                "div",
                [
                    el("div", el("span", name, class_="small soft"), el("pre", text))
                    for name, text in (
                        ("AWS CDK (TypeScript)", pin.cdk),
                        ("CloudFormation", pin.cloudformation),
                        ("Terraform", pin.terraform),
                    )
                ],
                class_="pins",
            ),
            class_="card",
        )
        for pin in report.pins
    ]
    return _section("drift", "Drift from the infrastructure code", cards)


def _steps(report: IncidentReport) -> Element:
    return el("ol", [el("li", step.text, el("pre", step.command) if step.command else None) for step in report.steps])


def _foot(report: IncidentReport) -> Element:
    unread = [el("p", f"Not read for this report: {each}.", class_="warn") for each in report.unread]
    kept = f" Kept in {report.place}." if report.place else ""
    return el(
        "footer",
        unread,
        el(
            "p",
            f"Incident {report.incident_id}, written at {day_and_clock(report.written_at)} from {report.events} "
            f"events, head {report.head[:16]}.{kept}",
        ),
    )
