"""How a replay looks in a terminal."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from functions.domain.durations import written
from functions.domain.redaction import clean
from functions.playbooks.schema import Playbook
from functions.workflow.table import Outcome
from tools.cli.listed import titled
from tools.cli.replaying import Kind, Replay, Side, Step
from tools.cli.tables import columns, distance, pairs, timeline_row

_STYLES: Mapping[Kind, tuple[str, str]] = {
    Kind.ACTS: ("✗", "bold red"),
    Kind.ACTS_OTHERWISE: ("✗", "bold red"),
    Kind.STANDS_STILL: ("!", "bold yellow"),
    Kind.SAYS_OTHERWISE: ("≠", "yellow"),
    Kind.NOT_DECIDED: ("?", "magenta"),
    Kind.SAME: ("✓", "green"),
}


def replayed(made: Replay) -> RenderableType:
    """One incident, look by look, and what it comes to."""
    incident = made.incident
    title = Text.assemble(("replay  ", "bold cyan"), (_title(made), "bold"))
    by = Text(f"  {incident.id}, {incident.service}, by the playbook {clean(made.playbook, limit=100)}", style="dim")
    steps = [_step(step, made) for step in made.steps]
    return Group(title, by, "", *steps, "", *_limits(made), _summary(made))


def _step(step: Step, made: Replay) -> RenderableType:
    mark, style = _STYLES[step.kind]
    said = Text(f"{step.kind.said}: " if step.kind is not Kind.SAME else "", style=style)
    said.append(_gist(step.then), style="bold" if step.kind is not Kind.SAME else "")
    details: list[RenderableType] = []
    if step.differences:
        table = columns("", "then", "now")
        for each in step.differences:
            table.add_row(
                Text(each.what, style="dim"),
                clean(each.before, limit=600),
                Text(clean(each.after, limit=600), style=style),
            )
        details.append(table)
    details += [Text(f"? {clean(line, limit=600)}", style="magenta") for line in step.not_known]
    at = distance(step.at - made.incident.opened_at)
    return timeline_row(at, mark, style, f"event {step.sequence}", said, *details)


def _gist(side: Side) -> str:
    cause, confidence = side.causes[0] if side.causes else ("unknown", 0.0)
    return f"{side.outcome}{'' if side.rung is None else f' {side.rung}'}, {cause} {confidence:.2f}"


def _limits(made: Replay) -> Iterator[RenderableType]:
    taken = sorted({name for step in made.steps for name in step.as_recorded})
    if taken:
        yield Text(f"As recorded, because the ledger keeps no history of it: {', '.join(taken)}.", style="dim")
    if made.differs:
        yield Text(
            "Each look is decided with the past that the trail has; what would have come of another decision, "
            "nobody can tell.",
            style="dim",
        )


def _summary(made: Replay) -> RenderableType:
    if not made.steps:
        return Text("? nobody has looked at it yet: there is nothing to decide again", style="magenta")
    counted = Counter(step.kind for step in made.steps)
    mark, style = _STYLES[made.kind]
    told = ", ".join(f"{counted[kind]} {kind.said}" for kind in Kind if counted[kind])
    looks = f"{len(made.steps)} look{'s' * (len(made.steps) != 1)}"
    return Text(f"{mark} {looks}: {told}", style=style)


def backtested(
    made: Sequence[Replay],
    unread: Mapping[str, str],
    *,
    playbooks: Sequence[Playbook],
    since: timedelta,
    everything: bool,
) -> RenderableType:
    """Incidents in the order given, then and now; those in which nothing differs are only counted."""
    services = ", ".join(f"{each.cluster}/{each.service}" for each in playbooks)
    span = written(int(since.total_seconds()))
    if not made and not unread:
        return Text(f"no incidents of {services} in the last {span}", style="yellow")
    shown = [each for each in made if everything or each.kind is not Kind.SAME]
    failed = [Text(f"? {clean(reason, limit=600)}\n", style="magenta") for reason in unread.values()]
    return Group(*(_then_and_now(each) for each in shown), *failed, _counts(made, unread, services, span))


def _then_and_now(made: Replay) -> RenderableType:
    """One incident in four lines or more."""
    mark, style = _STYLES[made.kind]
    step = made.telling
    why = [] if step is None else [each.what for each in step.differences if each.what != "outcome"]
    because = f", by {', '.join(why)}" if why else ""
    head = Text.assemble(
        (f"{mark} {made.kind.said}{because}", style),
        (f"\n  {_title(made)}", "bold"),
        (f"\n  {made.incident.opened_at:%Y-%m-%d %H:%M} UTC  {made.incident.id}", "dim"),
    )
    facts = pairs()
    facts.add_row("then", "nobody looked at it" if step is None else _whole(step.then))
    if step is not None:
        now = Text("; ".join(step.not_known) or "not known") if step.now is None else Text(_whole(step.now))
        now.stylize(style)
        facts.add_row("now", now)
    return Group(head, Padding(facts, (0, 0, 1, 2)))


def _title(made: Replay) -> str:
    """What opened it."""
    return clean(titled(made.incident), limit=90)


def _whole(side: Side) -> str:
    """A decision with what it would change, or its reason where it changes nothing."""
    acts = side.plan is not None and side.outcome in (Outcome.ACT, Outcome.ASK)
    return clean(f"{side.outcome}: {side.plan if acts else side.reason}", limit=300)


def _counts(made: Sequence[Replay], unread: Mapping[str, str], services: str, span: str) -> RenderableType:
    counted = Counter(each.kind for each in made)
    facts = pairs()
    for kind in Kind:
        if counted[kind]:
            _, style = _STYLES[kind]
            facts.add_row(Text(str(counted[kind]), style=style), Text(kind.said, style=style))
    if unread:
        facts.add_row(Text(str(len(unread)), style="magenta"), Text("cannot be read", style="magenta"))
    many = len(made) + len(unread)
    title = Text(f"{many} incident{'s' * (many != 1)} of {services} in the last {span}", style="bold")
    return Group(title, Padding(facts, (0, 0, 0, 2)))
