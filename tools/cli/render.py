"""How incidents, trails and explanations look in a terminal, at 3 a.m. and a hundred columns.

Everything that comes from outside is shown as `Text`, never as markup, and without control characters.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from functions.domain.backups import BackupFacts
from functions.domain.byhand import ByHand
from functions.domain.circumstances import LogQueryFacts
from functions.domain.differences import Difference
from functions.domain.durations import spoken
from functions.domain.evidence import Release, ReleaseState, short
from functions.domain.incidents import Event, Fact, Incident, IncidentStatus
from functions.domain.maintenance import Announced, next_window
from functions.domain.orders import Order
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal
from functions.playbooks.schema import Playbook
from functions.workflow.orders import Given, OrderState, Reply
from functions.workflow.reporting.known import Known
from functions.workflow.standing import status
from functions.workflow.story import Story
from functions.workflow.trails import Trail
from tools.cli.explain import Explanation
from tools.cli.listed import Line, counted
from tools.cli.tables import columns, distance, pairs, text, timeline_row

WIDTH = 100
"""Columns; a wider terminal is not filled, because long lines are hard to read."""

PASTED = 44
"""Columns of a command below an event of a timeline, in a terminal of 80: what the terminal breaks by itself cannot be
pasted."""

_MARKS: Mapping[Fact, tuple[str, str]] = {
    Fact.INCIDENT_OPENED: ("●", "bold red"),
    Fact.SIGNAL_RECEIVED: ("○", "red"),
    Fact.SEVERITY_GRADED: ("▲", "bold magenta"),
    Fact.PLAN_CHOSEN: ("◆", "bold cyan"),
    Fact.ACTION_WITHHELD: ("◇", "bold yellow"),
    Fact.ACTION_INTENDED: ("▷", "yellow"),
    Fact.ACTION_TAKEN: ("▶", "bold yellow"),
    Fact.ACTION_DOUBTFUL: ("▶", "bold red"),
    Fact.ACTION_REFUSED: ("✗", "bold red"),
    Fact.RECOVERY_VALIDATED: ("◈", "green"),
    Fact.LEASE_RESTORED: ("◀", "green"),
    Fact.LEASE_LEFT: ("◀", "yellow"),
    Fact.LEASE_POSTPONED: ("◀", "yellow"),
    Fact.APPROVAL_REQUESTED: ("✉", "bold yellow"),
    Fact.APPROVAL_GRANTED: ("◆", "bold green"),
    Fact.APPROVAL_DENIED: ("◇", "bold red"),
    Fact.APPROVAL_EXPIRED: ("◇", "bold yellow"),
    Fact.PAGE_SENT: ("✉", "bold magenta"),
    Fact.UPDATE_POSTED: ("✉", "magenta"),
    Fact.ESCALATED: ("✉", "bold red"),
    Fact.ACKNOWLEDGED: ("●", "bold green"),
    Fact.COMMAND_TAKEN: ("●", "bold green"),
    Fact.COMMAND_RELEASED: ("○", "green"),
    Fact.INCIDENT_RESOLVED: ("✓", "bold green"),
}
_OTHER_MARK = ("·", "dim")

_ENDED: Mapping[Fact | None, str] = {
    None: ", perhaps: nothing was answered yet",
    Fact.ACTION_DOUBTFUL: ", perhaps: AWS did not answer",
    Fact.ACTION_REFUSED: ", which was refused",
}
"""What is said of an action, unless it was done."""

_COMMAND = (
    ("commander", frozenset({Fact.COMMAND_TAKEN, Fact.COMMAND_RELEASED})),
    ("has the page", frozenset({Fact.ACKNOWLEDGED})),
)
"""Who leads it and who has the page, by what they said."""

_CAUSES_SHOWN, _REASONS_SHOWN = 4, 3

WAYS_OUT: Mapping[str, str] = {
    "stop": "`responder start --all` ends the stop, for every service",
    "pause": "`responder resume` ends the pause",
    "maintenance": "order it again after the window; `responder maintenance --cancel` ends an announced one",
    "mode": "the playbook says `mode: observe`: with ask or auto, orders are carried out",
    "service budget": "order it again later, or raise limits: actions_per_hour in the playbook",
    "fleet budget": "order it again later; the whole fleet has had its changes of this hour",
    "dependency": "mend that first: new tasks would make it worse",
    "task counts": "the bounds are limits: min_tasks and max_tasks of the playbook",
    "native rollback": "wait for ECS to end it",
    "external change": "look who deployed, then order it again",
}
"""What a person can do where a guardrail refuses an order."""

_VERDICTS: Mapping[tuple[bool, bool], Text] = {
    (True, False): Text("✓ ", style="green"),
    (True, True): Text("! ", style="bold yellow"),
    (False, False): Text("✗ ", style="bold red"),
}
"""By whether the guardrail allows it, and whether only because a person ordered it."""

_REPLIES: Mapping[OrderState, tuple[str, str]] = {
    OrderState.WAITING: ("…", "bold yellow"),
    OrderState.ALLOWED: ("✓", "bold green"),
    OrderState.ASKED: ("✉", "bold yellow"),
    OrderState.REFUSED: ("✗", "bold red"),
    OrderState.DONE: ("✓", "bold green"),
    OrderState.FAILED: ("✗", "bold red"),
}

_JUDGED = {
    ReleaseState.SEEN: "",
    ReleaseState.GOOD: "bold green",
    ReleaseState.SUSPECT: "bold yellow",
    ReleaseState.QUARANTINED: "bold red",
}


def console() -> Console:
    """Standard output, no wider than is good to read."""
    out = Console(highlight=False, markup=False, emoji=False)
    out.width = min(out.width, WIDTH) if out.is_terminal else WIDTH
    return out


def took(span: timedelta | None) -> str:
    """A length of time for a person, or a dash where there is none."""
    return "—" if span is None else spoken(span)


def trail(found: Trail, *, now: datetime, full: bool = False) -> RenderableType:
    """A whole incident: head, timeline, and whether the chain verifies.

    `full` spells out what otherwise is only counted: guardrails that agreed, causes that are unlikely.
    """
    return Group(head(found, now=now), "", timeline(found, full=full), "", verification(found))


def head(found: Trail, *, now: datetime) -> RenderableType:
    """The incident in a few lines: what happened, why, what was done, what happens now, and what can be done."""
    incident, known = found.incident, Known(found)
    title = Text.assemble(_status(incident), "  ", (text(incident.title), "bold"))
    facts = pairs()
    facts.add_row("service", Text(str(incident.service), style="bold"))
    facts.add_row("incident", incident.id)
    facts.add_row("alarm", _clock(found.alarm_at))
    if found.grade is not None:
        facts.add_row("severity", Text(f"{found.grade.name}: {text(found.grade.reason)}"))
        facts.add_row("respond", found.grade.respond_text)
    facts.add_row("why", Group(*_why(known)))
    facts.add_row("done", Group(*_done(known)))
    facts.add_row("alarm → first action", took(found.to_first_action))
    facts.add_row("alarm → recovery", took(found.to_recovery))
    for said, names in _COMMAND:
        newest_said = next((event for event in reversed(found.events) if event.fact in names), None)
        if newest_said is not None and newest_said.fact is not Fact.COMMAND_RELEASED:
            facts.add_row(said, Text(text(newest_said.actor), style="bold"))
    if incident.closed_at is None:
        facts.add_row("now", Text(text(status(known.story)), style="bold yellow"))
        facts.add_row("open for", f"{took(now - incident.opened_at)}, last step {incident.step}")
    else:
        facts.add_row("closed", _clock(incident.closed_at))
    facts.add_row("you can", "\n".join(_commands(incident, known.story)))
    return Group(title, Padding(facts, (0, 0, 0, 2)))


def _why(known: Known) -> Iterable[Text]:
    """What it was treated as, and the first of what speaks for that."""
    judged = next((each for each in known.ranking if each.cause is known.cause), None)
    if judged is None:
        yield Text("not looked yet" if known.trouble is None else str(known.cause))
        return
    yield Text(f"{judged.cause} ({judged.confidence:.2f})", style="bold")
    for line in judged.evidence_for[:_REASONS_SHOWN]:
        yield Text.assemble(("+ ", "green"), text(line))


def _done(known: Known) -> Iterable[Text]:
    begun = [intent for intent in known.story.intents if intent.stage == 0]
    for intent in begun:
        yield Text(f"{text(intent.plan.summary)}{_ENDED.get(intent.ended, '')}", style="bold")
    if not begun:
        why = "" if known.trouble is None else f": {text(known.trouble.reason)}"
        yield Text(f"nothing was changed{why}")


def _commands(incident: Incident, story: Story) -> Iterable[str]:
    """What a person can do, in the order in which it is most likely wanted."""
    if incident.closed_at is not None:
        yield f"responder report {incident.id}"
        return
    if story.request is not None and story.request.ended is None:
        yield f"responder approve {incident.id}, or deny"
    if story.acknowledged_by is None:
        yield f"responder ack {incident.id}"
    yield f"responder {'take' if story.taken_by is None else 'give-back'} {incident.id}"
    yield f"responder status {incident.service.key}"


def timeline(found: Trail, *, full: bool = False) -> RenderableType:
    """Every event, by its distance from the alarm, with what it rests on below it."""
    return Group(
        *(
            entry(
                event,
                found.evidence.get(event.sequence, {}),
                since=found.alarm_at,
                full=full,
                unread=event.sequence in found.unread,
            )
            for event in found.events
        )
    )


def entry(
    event: Event, evidence: Mapping[str, Any], *, since: datetime, full: bool = False, unread: bool = False
) -> RenderableType:
    """One event of a timeline that began at `since`; entries printed one after the other stand in line."""
    mark, style = _MARKS.get(event.fact, _OTHER_MARK)
    said = Text(text(event.summary), style="" if mark == _OTHER_MARK[0] else style)
    details = list(_details(event, evidence, full=full))
    if unread:
        details.append(Text("its evidence lies in the archive, which could not be read", style="yellow"))
    return timeline_row(distance(event.at - since), mark, style, text(event.actor), said, *details)


def brief(event: Event, *, since: datetime) -> RenderableType:
    """One event in a line or two, for whoever watches it happen."""
    mark, style = _MARKS.get(event.fact, _OTHER_MARK)
    summary = Text(text(event.summary), style=style if mark != "·" else "")
    return timeline_row(distance(event.at - since), mark, style, text(event.actor), summary, width=6)


def standing(incident: Incident, *, now: datetime) -> RenderableType:
    """How an open incident stands, in one line that is written over."""
    words = {"assess": "looks at the service", "approval": "waits for people", "remediate": "acts"}
    words |= {"verify": "checks what it brought", "watch": "watches", "page": "tells people", "close": "closes"}
    does = words.get(incident.step, incident.step)
    said = f"  … open for {took(now - incident.opened_at)}, {does}; Ctrl-C ends only this"
    return Text(said, style="dim", no_wrap=True, overflow="ellipsis")


def verification(found: Trail) -> RenderableType:
    """One line: does the trail hold, and what is its head?"""
    if found.broken is not None:
        return Text.assemble(("✗ the trail is broken: ", "bold red"), text(found.broken))
    events = f"{len(found.events)} event{'s' * (len(found.events) != 1)}"
    return Text.assemble((f"✓ the trail holds: {events}, ", "green"), (f"head {found.incident.head_hash}", "dim"))


def stopped(said: str) -> RenderableType:
    """What comes first on a screen while everything is stopped."""
    return Group(
        Text(" EVERYTHING IS STOPPED ", style="bold white on red"),
        Text(text(said), style="bold red"),
        Text("the responder changes nothing; `responder start --all --reason '...'` ends it", style="red"),
        "",
    )


def incident_table(found: Sequence[Line], *, now: datetime) -> RenderableType:
    """A list of incidents, in the order given: of each what went off, why, what was done, what happens now, and where
    to go on."""
    table = columns("status", "opened", "service", "what happened, why, what was done, and what happens now")
    for place in (1, 2):
        table.columns[place].no_wrap = True
    for line in found:
        incident = line.incident
        this_year = incident.opened_at.year == now.year
        opened = f"{incident.opened_at:%m-%d %H:%M}" if this_year else _clock(incident.opened_at, with_seconds=False)
        took = f"{'took' if incident.closed_at is not None else 'for'} {line.took}"
        table.add_row(
            Text.assemble(_status(incident), f"\n{line.severity}"),
            Text.assemble(opened, (f"\n{took}", "dim")),
            Text.assemble(text(incident.service.service), (f"\n{text(incident.service.cluster)}", "dim")),
            Text("\n").join(_told(line)),
        )
    return table


def _told(line: Line) -> Iterable[Text]:
    incident = line.incident
    yield Text(text(line.what))
    yield Text(text(line.cause), style="bold") if line.cause else Text("not looked yet", style="dim")
    if line.changed:
        yield Text(text(line.doing))
    elif line.doing and incident.closed_at is not None:
        yield Text(f"nothing was changed: {text(line.doing)}", style="dim")
    for note in line.notes:
        yield Text(text(note), style="yellow")
    if line.now:
        untouched = "" if line.changed else "nothing was changed; "
        yield Text(f"{untouched}{text(line.now)}", style="yellow")
    answer = f"responder approve {incident.id}, or deny" if line.waiting is not None else ""
    yield Text(answer, style="bold yellow") if answer else Text(incident.id, style="dim")


def listing(found: Sequence[Line], *, where: str, now: datetime) -> RenderableType:
    """A list of incidents below a line that counts them, and above one that says how to go on. `where`: which list it
    is, in words."""
    if not found:
        return Text(f"no incident {where}", style="green")
    counts = counted(found)
    parts = [f"{len(found)} incident{'s' * (len(found) != 1)}", f"{counts['open']} open"]
    parts += [f"{counts['waiting']} waiting for your answer"] * bool(counts["waiting"])
    said, waiting = ", ".join([*parts, f"{counts['acted']} acted upon"]), counts["waiting"]
    more = f"`responder show {found[0].incident.id}` tells the rest of one; `responder console` shows them as pages"
    return Group(
        Text.assemble((said, "bold yellow" if waiting else "bold"), (f" {where}", "dim")),
        "",
        incident_table(found, now=now),
        "",
        Text(more, style="dim"),
    )


def dry_run(order: Order, tried: Reply) -> RenderableType:
    """What would become of an order."""
    where = "would open an incident" if tried.incident_id is None else f"would join {tried.incident_id}"
    title = Text.assemble(("dry run  ", "bold cyan"), (text(order.wanted), "bold"), (f", {where}", "dim"))
    would = {
        OrderState.ALLOWED: "would be done",
        OrderState.ASKED: "people would be asked first",
        OrderState.REFUSED: "would be refused",
    }
    return Group(title, *_replied(tried, would.get(tried.state, "would look")), _untouched())


def order_given(order: Order, given: Given) -> RenderableType:
    """That an order was taken in."""
    again = ", the same order as before," if given.duplicate else ""
    where = (f" in {given.incident_id}", "dim")
    return Text.assemble(("ordered  ", "bold cyan"), (text(order.wanted), "bold"), again, where)


def order_reply(order: Order, given: Given, reply: Reply, *, waited_s: int) -> RenderableType:
    """What became of it, and what comes next."""
    show = f"responder show {given.incident_id}"
    late = (
        "not decided yet" if reply.reason else f"nobody has looked at it in {waited_s} s: it is done, or refused, later"
    )
    said = {
        OrderState.WAITING: late,
        OrderState.ALLOWED: "is being done",
        OrderState.ASKED: "people have to grant it",
        OrderState.REFUSED: "refused",
        OrderState.DONE: "done" if order.what.action is not None else "looked",
        OrderState.FAILED: "failed",
    }
    then = {
        OrderState.ASKED: f"responder approve {given.incident_id}",
        OrderState.DONE: f"{show} tells whether it helped" if order.what.action is not None else show,
    }
    nothing = [_untouched()] if reply.state is OrderState.REFUSED else []
    next_line = Text(f"  → {then.get(reply.state, show)}", style="bold")
    return Group(*_replied(reply, said[reply.state]), *nothing, next_line)


def _replied(reply: Reply, said: str) -> Iterable[RenderableType]:
    mark, style = _REPLIES[reply.state]
    refused = reply.state is OrderState.REFUSED
    denied = {verdict.guardrail: verdict.reason for verdict in reply.verdicts if not verdict.allowed}
    rules = [rule for rule in reply.refused_by if rule in denied]
    if refused and rules:
        said = f"{said} by {', '.join(rules)}"
    why = (
        "; ".join(denied[rule] for rule in rules)
        if refused and rules and denied[rules[0]] in reply.reason
        else reply.reason
    )
    if reply.state is OrderState.ASKED:
        why = denied.get("approval", why).removeprefix("people have to grant it: ")
    shows_why = bool(why) and reply.state is not OrderState.ALLOWED
    yield Text.assemble((f"{mark} {said}", style), *([": ", text(why)] if shows_why else []))
    facts = pairs()
    if reply.plan is not None:
        facts.add_row("plan", Text(text(reply.plan.summary), style="bold"))
        if not refused:
            facts.add_row("undo", _pasteable(text(reply.plan.undo)))
    for verdict in reply.verdicts:
        if verdict.ordered:
            facts.add_row(text(verdict.guardrail), Text.assemble(_VERDICTS[True, True], text(verdict.reason)))
    for rule in reply.refused_by:
        if rule in WAYS_OUT:
            facts.add_row("then", WAYS_OUT[rule])
    agreed = [text(verdict.guardrail) for verdict in reply.verdicts if verdict.allowed and not verdict.ordered]
    if agreed and not refused:
        facts.add_row("guardrails", Text.assemble(("✓ ", "green"), (", ".join(agreed), "dim")))
    if facts.row_count:
        yield Padding(facts, (0, 0, 0, 2))


def _untouched() -> RenderableType:
    return Text("  nothing was changed", style="dim")


def backup_table(found: Sequence[BackupFacts], *, now: datetime) -> RenderableType:
    """Backups, in the order given, with their age."""
    if not found:
        return Text("no backups", style="yellow")
    table = columns("of", "age", "taken", "status", "name")
    for backup in found:
        age = now - backup.at
        table.add_row(
            text(backup.of),
            took(age) if age < timedelta(days=2) else f"{age.days} days",
            _clock(backup.at, with_seconds=False),
            text(backup.status.lower()),
            text(backup.name),
        )
    return table


def release_table(ref: ServiceRef, known: Sequence[Release]) -> RenderableType:
    """What a service ran, in the order given, and what was judged of each."""
    if not known:
        return Text(f"{ref} has no release yet that was seen running steadily", style="yellow")
    table = columns("release", "judged", "first seen", "last seen", "why")
    table.columns[0].no_wrap = True
    for release in known:
        table.add_row(
            Text(text(short(release.task_definition)), style="bold"),
            Text(release.state, style=_JUDGED[release.state]),
            _clock(release.first_seen, with_seconds=False),
            _clock(release.last_seen, with_seconds=False),
            Text(text(release.reason) or "not judged yet", style="" if release.reason else "dim"),
        )
    return table


def difference_table(before: str, after: str, told: Sequence[Difference]) -> RenderableType:
    """What differs between two task definitions, by their names."""
    if not told:
        same = f"{before} and {after} are the same, as far as ECS tells; values of environment variables are not read"
        return Text(same, style="green")
    table = columns("what", before, after)
    for difference in told:
        sides = (
            Text(text(side) or "none", style="" if side else "dim") for side in (difference.before, difference.after)
        )
        table.add_row(Text(text(difference.what), style="bold"), *sides)
    return table


def announced_table(ref: ServiceRef, windows: Sequence[Announced], *, now: datetime) -> RenderableType:
    """The announced windows of one service that are not over."""
    if not windows:
        return Text(f"{ref} has no announced maintenance window; regular ones stand in its playbook", style="green")
    table = columns("", "maintenance", "by", "why")
    for announced in windows:
        open_now = Text("open", style="bold yellow") if announced.window.holds(now) else Text("to come", style="dim")
        table.add_row(open_now, announced.window.span, text(announced.by), text(announced.reason))
    return table


def audit_table(notes: Sequence[ByHand]) -> RenderableType:
    """What people did by hand, in the order given."""
    if not notes:
        return Text("nobody did anything by hand", style="green")
    table = columns("when", "who", "what", "about", "why")
    for note in notes:
        who = Text(text(note.by), style="bold")
        if note.identity:
            who.append(f"\n{text(note.identity.rsplit(':', 1)[-1])}", style="dim")
        at = _clock(note.at, with_seconds=False)
        table.add_row(at, who, text(note.what), text(note.about), text(note.reason))
    return table


def unmatched_table(unmatched: Iterable[tuple[Signal, str]]) -> RenderableType:
    """Signals without a playbook, with the reason."""
    rows = list(unmatched)
    if not rows:
        return Text("every signal belonged to a playbook", style="green")
    table = columns("when", "signal", "Region", "why")
    for signal, reason in rows:
        when = "?" if signal.occurred_at is None else _clock(signal.occurred_at, with_seconds=False)
        table.add_row(when, text(signal.title), signal.region or "?", text(reason))
    return table


def playbook_table(playbooks: Sequence[Playbook], *, now: datetime) -> RenderableType:
    """Playbooks that hold, one line each, and below them the maintenance windows as they were understood."""
    windows = [Text.assemble("\n", *_understood(playbook, now)) for playbook in playbooks if playbook.maintenance]
    return Group(_playbooks(playbooks), *windows)


def _understood(playbook: Playbook, now: datetime) -> Iterable[str | tuple[str, str]]:
    yield (f"{text(playbook.name)}: nothing is changed\n", "bold")
    for regular in playbook.maintenance:
        coming = next_window(now, [regular])
        when = "" if coming is None else f"{'open now' if coming.holds(now) else 'next'}: {coming.span}"
        yield f"  {regular.label}"
        yield (f"  {when}\n", "dim")


def _playbooks(playbooks: Iterable[Playbook]) -> Table:
    table = columns("", "playbook", "service", "mode", "severity", "alarms")
    for playbook in playbooks:
        table.add_row(
            Text("✓", style="green"),
            playbook.name,
            str(playbook.ref),
            playbook.mode,
            _severity(playbook),
            "\n".join(map(text, playbook.alarm_names)) or Text("none; ECS events only", style="dim"),
        )
    return table


def _severity(playbook: Playbook) -> str:
    """The playbook's own severity, as its people call it, too."""
    label = playbook.severities[playbook.severity].label
    return str(playbook.severity) if label == playbook.severity else f"{playbook.severity} ({text(label)})"


def explanations(found: Iterable[Explanation]) -> RenderableType:
    """One block per message."""
    return Group(*(_explanation(explanation) for explanation in found))


def _explanation(explanation: Explanation) -> RenderableType:
    styles = {"signal": "bold green", "ignored": "dim", "refused": "bold red"}
    title = Text.assemble((explanation.outcome, styles[explanation.outcome]), "  ", text(explanation.file))
    facts = pairs()
    signal, match = explanation.signal, explanation.match
    if signal is None or match is None:
        facts.add_row("because", text(explanation.reason))
        return Group(title, Padding(facts, (0, 0, 1, 2)))
    was = "" if signal.previous_state is None else f", was {signal.previous_state}"
    when = "at an unknown time" if signal.occurred_at is None else _clock(signal.occurred_at)
    facts.add_row("signal", Text(f"{text(signal.title)}{was}, {when}"))
    if signal.reason:
        facts.add_row("", Text(text(signal.reason), style="dim"))
    named = match.ref or "/".join(filter(None, (signal.cluster, signal.service))) or "not named"
    facts.add_row("service", Text(str(named), style="bold" if match.ref else ""))
    playbook = Text("none", style="yellow") if match.playbook is None else Text(match.playbook.name, style="bold")
    facts.add_row("playbook", Text.assemble(playbook, f": {text(match.reason)}"))
    facts.add_row("what", explanation.reason.removesuffix(f"; {match.reason}"))
    return Group(title, Padding(facts, (0, 0, 1, 2)))


def _details(event: Event, data: Mapping[str, Any], *, full: bool) -> Iterable[RenderableType]:
    if isinstance(findings := data.get("findings"), Mapping):
        yield from _asked_of_the_logs(findings)
    if "judgements" in data:
        yield _ranking(data["judgements"], most=len(data["judgements"]) if full else _CAUSES_SHOWN)
    if isinstance(decision := data.get("decision"), Mapping):
        yield from _decision(decision, event.summary, full=full)
    if data.get("identity"):
        yield Text(text(data["identity"]), style="dim")
    if event.fact is Fact.ACTION_TAKEN and isinstance(result := data.get("result"), Mapping):
        made = [f"{name.replace('_', ' ')} {value}" for name, value in result.items() if value]
        if made:
            yield Text(text(", ".join(made)), style="dim")


def _asked_of_the_logs(findings: Mapping[str, Any]) -> Iterable[RenderableType]:
    """What the playbook's own queries found."""
    logs = (findings.get("logs") or {}).get("value") or {}
    for query in map(LogQueryFacts.model_validate, logs.get("queries", ())):
        yield Text(f"asked of the logs: {text(query)}", style="dim" if query.error is None else "yellow")
        for line in query.lines:
            yield Padding(Text(text(line), style="dim"), (0, 0, 0, 2))


def _ranking(judgements: Sequence[Mapping[str, Any]], *, most: int) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    likely = [j for j in judgements if j.get("confidence", 0) > 0]
    for judgement in likely[:most]:
        first = judgement is likely[0]
        table.add_row(
            Text(f"{judgement['confidence']:.2f}", style="bold" if first else "dim"),
            Text(text(judgement["cause"]), style="bold" if first else ""),
        )
        for sign, key, style in (
            ("+", "evidence_for", "green"),
            ("−", "evidence_against", "red"),
            ("?", "missing", "yellow"),
            ("?", "missing_support", "yellow"),
        ):
            for line in judgement.get(key, ()):
                unread = "not read: " if sign == "?" else ""
                table.add_row("", Text.assemble((f"{sign} ", style), Text(unread + text(line), style="dim")))
    rest = len(judgements) - len(likely[:most])
    if rest > 0:
        table.add_row("", Text(f"and {rest} less likely or ruled out", style="dim"))
    return table


def _decision(decision: Mapping[str, Any], said: str, *, full: bool) -> Iterable[RenderableType]:
    facts = pairs()
    if isinstance(plan := decision.get("plan"), Mapping):
        if plan["summary"] not in said:
            facts.add_row("plan", Text(text(plan["summary"]), style="bold"))
        facts.add_row("undo", _pasteable(text(plan["undo"])))
    verdicts = decision.get("verdicts", ())
    for verdict in verdicts:
        if full or not verdict["allowed"] or verdict.get("ordered"):
            mark = _VERDICTS[verdict["allowed"], bool(verdict.get("ordered"))]
            facts.add_row(text(verdict["guardrail"]), Text.assemble(mark, text(verdict["reason"])))
    agreed = [text(verdict["guardrail"]) for verdict in verdicts if verdict["allowed"] and not verdict.get("ordered")]
    if agreed and not full:
        facts.add_row("guardrails", Text.assemble(("✓ ", "green"), (", ".join(agreed), "dim")))
    for alternative in decision.get("alternatives", ()):
        facts.add_row("not", f"{text(alternative['action'])}: {text(alternative['reason'])}")
    if facts.row_count:
        yield facts


def _pasteable(text: str) -> str:
    """A long command, broken so that a shell still reads it as one when it is copied from the screen."""
    if not text.startswith("aws "):
        return text
    try:
        words = [word if word == "&&" else shlex.quote(word) for word in shlex.split(text)]
    except ValueError:
        return text  # cut in the middle of a word in quotes
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > PASTED:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return " \\\n  ".join(lines)


def _status(incident: Incident) -> Text:
    resolved = incident.status is IncidentStatus.RESOLVED
    return Text(incident.status.upper(), style="bold green" if resolved else "bold red")


def _clock(moment: datetime, *, with_seconds: bool = True) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if with_seconds else f"{moment:%Y-%m-%d %H:%M}"
