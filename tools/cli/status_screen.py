"""How the status of a service looks in a terminal, from 80 columns on.

What comes from outside is shown as `Text`, never as markup, and without control characters.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from functions.diagnostics.signs import Signs
from functions.domain.dependencies import DependenciesFacts, DependencyState
from functions.domain.durations import spoken
from functions.domain.evidence import AlarmsFacts, Metric, ScalingFacts, ServiceFacts, TargetsFacts, TaskFacts, short
from functions.domain.findings import Findings, Reading
from functions.domain.incidents import Mode
from functions.domain.score import HealthScore, Part
from functions.domain.signals import HEALTH_CHECK_FAILED, STOPPED_BY_SCHEDULER, AlarmState
from tools.cli.render import stopped
from tools.cli.service_status import ServiceStatus, TaskLoad
from tools.cli.tables import columns, text

T = TypeVar("T")

WIDE = 100
"""Columns from which on the whole id of a task is shown."""
WELL, BEARABLE = 80, 50
"""From here on a score is shown as good, and as neither good nor bad."""
ROWS = 10
"""Tasks that are listed, and targets; those that are not well come first, the rest is counted."""
STOPPED_SHOWN = 3
STOPPED_LATELY = timedelta(hours=1)
TREND = 40
"""Looks that the trend has."""

_BARS = "▁▂▃▄▅▆▇█"
_CELLS = 20
_ALARM_STYLE = {AlarmState.OK: "green", AlarmState.ALARM: "bold red", AlarmState.INSUFFICIENT_DATA: "yellow"}
_HEALTH_STYLE = {"HEALTHY": "green", "UNHEALTHY": "bold red"}
_DEPENDENCY_STYLE = {DependencyState.OK: "green", DependencyState.UNKNOWN: "yellow"}
_MODE_STYLE = {Mode.AUTO: "green", Mode.ASK: "yellow", Mode.OBSERVE: "yellow"}


def screen(
    seen: ServiceStatus, *, width: int, before: Sequence[ServiceStatus] = (), every_s: int | None = None
) -> RenderableType:
    """The whole screen: how well the service is doing first, then what it is made of.

    `before` are earlier looks, the oldest first, for the trend; with `every_s` it says when the next look is.
    """
    held = seen.responder.value
    return Group(
        *([] if held is None or held.stopped is None else [stopped(held.stopped)]),
        _title(seen, every_s),
        "",
        _score(seen.health),
        *_trend([*before, seen][-TREND:]),
        _below(_parts(seen)),
        _responder(seen),
        *_section("TASKS", seen.service_facts, lambda facts: _tasks(facts, seen, wide=width >= WIDE)),
        *_section("DEPLOYMENTS", seen.service_facts, lambda facts: _deployments(facts, seen.at)),
        *_section("TARGETS", seen.targets, _targets),
        *_section("SCALING", seen.scaling, lambda facts: _scaling(facts, seen)),
        *_section("ALARMS", seen.alarms, lambda facts: _alarms(facts, seen.at)),
        *_section("DEPENDENCIES", seen.dependencies, _dependencies),
    )


def _title(seen: ServiceStatus, every_s: int | None) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    where = f"  {seen.service.cluster}, {seen.service.region}"
    ends = "" if every_s is None else f", again every {every_s} s, Ctrl-C ends"
    line.add_row(
        Text.assemble((text(seen.service.service), "bold"), (where, "dim")),
        Text(f"{seen.at:%Y-%m-%d %H:%M:%S} UTC{ends}", style="dim"),
    )
    return line


def _score(health: HealthScore) -> RenderableType:
    if health.score is None:
        return Text.assemble(_label("HEALTH"), ("unknown", "bold yellow"), (f"  {text(health.note)}", "yellow"))
    style = _style_of(health.score)
    full = round(_CELLS * health.score / 100)
    said = Text.assemble(
        _label("HEALTH"),
        (f"{health.score} of 100", f"bold {style}"),
        "  ",
        ("█" * full, style),
        ("░" * (_CELLS - full), "dim"),
    )
    if health.known < 1:
        said.append(f"  of the {health.known:.0%} that is known", style="yellow")
    if health.note:
        return Group(said, _below(Text(text(health.note), style="yellow")))
    return said


def _style_of(score: int) -> str:
    return "green" if score >= WELL else "yellow" if score >= BEARABLE else "red"


def _trend(looks: Sequence[ServiceStatus]) -> Iterator[RenderableType]:
    """Score and errors from look to look; nothing where there is one only."""
    if len(looks) < 2:
        return
    scores = [look.score for look in looks]
    shares = [_signs(look).error_share_most for look in looks]
    ends = f"{_or_unknown(scores[0])} → {_or_unknown(scores[-1])} in {spoken(looks[-1].at - looks[0].at)}"
    yield Text.assemble("  ", ("score   ", "dim"), _sparks(scores, 100), f"  {ends}")
    errors = [None if share is None else 100 * share for share in shares]
    ends = f"{_or_unknown(errors[0], ' %', 1)} → {_or_unknown(errors[-1], ' %', 1)} of the requests"
    yield Text.assemble("  ", ("errors  ", "dim"), _sparks(errors, max(10, *(e or 0 for e in errors))), f"  {ends}")
    yield ""


def _sparks(values: Sequence[float | None], most: float) -> str:
    top = len(_BARS) - 1
    return "".join("?" if value is None else _BARS[min(top, round(top * value / most))] for value in values)


def _or_unknown(value: float | None, unit: str = "", digits: int = 0) -> str:
    return "unknown" if value is None else f"{value:.{digits}f}{unit}"


def _parts(seen: ServiceStatus) -> RenderableType:
    table = _grid(3)
    table.columns[1].justify = "right"
    for part in seen.health.parts:
        fine = part.known and not part.lost
        table.add_row(part.name, _points(part), Text(text(part.reason), style="" if fine else _part_style(part)))
    requests = None if seen.metrics.value is None else seen.metrics.value.now(Metric.REQUESTS)
    if requests is not None:
        table.add_row("requests", "", Text(f"{requests:.1f} a second", style="dim"))
    return table


def _points(part: Part) -> Text:
    if not part.applies:
        return Text("–", style="dim")
    if part.points is None:
        return Text(f"?/{part.weight}", style="yellow")
    return Text(f"{part.points:g}/{part.weight}", style=_part_style(part))


def _part_style(part: Part) -> str:
    if not part.applies:
        return "dim"
    if part.points is None:
        return "yellow"
    return "green" if not part.lost else "red" if part.points < part.weight / 2 else "yellow"


def _responder(seen: ServiceStatus) -> RenderableType:
    heading = _label("RESPONDER")
    lines: list[RenderableType] = [heading]
    held = seen.responder.value
    if held is None:
        heading.append(f"mode {seen.plain_mode} in the playbook; ")
        heading.append(f"the ledger is unknown: {text(seen.responder.error)}", style="yellow")
        return Group("", *lines)
    heading.append(f"mode {held.mode}", style=_MODE_STYLE[held.mode])
    if held.paused_until is not None:
        why = f"{text(held.by)}: {text(held.reason)}"
        lines.append(_below(Text(f"paused until {held.paused_until:%Y-%m-%d %H:%M} UTC by {why}", style="bold yellow")))
    if held.maintenance is not None:
        lines.append(_below(Text(f"in maintenance: {text(held.maintenance)}", style="bold yellow")))
    if held.incident is None:
        heading.append(", no open incident")
    else:
        incident = held.incident
        age = _age(incident.opened_at, seen.at)
        lines.append(_below(Text(f"● {text(incident.title)}, open for {age}, at {incident.step}", style="bold red")))
        lines.append(_below(Text(f"  responder show {incident.id}", style="dim")))
    return Group("", *lines)


def _tasks(facts: ServiceFacts, seen: ServiceStatus, *, wide: bool) -> Iterator[RenderableType]:
    pending = f", {facts.pending} pending" if facts.pending else ""
    style = "" if facts.running >= facts.desired and not facts.pending else "bold yellow"
    style = "bold red" if facts.desired and not facts.running else style
    yield Text(f"{facts.running} run{pending}, {facts.desired} wanted", style=style)
    if facts.status != "ACTIVE":
        yield _line(f"the service is {text(facts.status)}", style="bold red")
    if seen.tasks.value is None:
        yield _unknown(seen.tasks)
        return
    loads = seen.loads.value or {}
    running = sorted(seen.tasks.value.running, key=unwell_first)
    if running:
        yield _below(_task_table(running[:ROWS], loads, seen.at, wide=wide))
    if len(running) > ROWS:
        yield _line(f"and {len(running) - ROWS} more", style="dim")
    if not loads and running:
        yield _below(Text(text(_unmeasured(seen.loads)), style="dim" if seen.loads.error is None else "yellow"))
    yield from _stopped(seen.tasks.value.stopped, seen.at)


def _stopped(tasks: Sequence[TaskFacts], at: datetime) -> Iterator[RenderableType]:
    """Those that stopped lately. The ones that ECS took away for a deployment or for scaling are only counted."""
    lately = [task for task in tasks if task.stopped_at is not None and at - task.stopped_at <= STOPPED_LATELY]
    newest = stopped_of_themselves(tasks, at)
    for task in newest[:STOPPED_SHOWN]:
        yield _line(f"{text(task.id)[:8]} stopped {_age(task.stopped_at, at)} ago{why_stopped(task)}", style="red")
    if len(newest) > STOPPED_SHOWN:
        yield _line(f"and {len(newest) - STOPPED_SHOWN} more stopped so within the hour", style="red")
    if len(lately) > len(newest):
        yield _line(
            f"{len(lately) - len(newest)} taken away by ECS within the hour, for a deployment or scaling", style="dim"
        )


def stopped_of_themselves(tasks: Sequence[TaskFacts], at: datetime) -> Sequence[TaskFacts]:
    """Those of the last hour that ECS did not take away for a deployment or for scaling, newest first."""
    lately = [task for task in tasks if task.stopped_at is not None and at - task.stopped_at <= STOPPED_LATELY]
    return sorted(filter(_of_itself, lately), key=lambda task: task.stopped_at or at, reverse=True)


def _of_itself(task: TaskFacts) -> bool:
    return task.stop_code != STOPPED_BY_SCHEDULER or task.stopped_reason.startswith(HEALTH_CHECK_FAILED)


def _task_table(
    tasks: Sequence[TaskFacts], loads: Mapping[str, TaskLoad], at: datetime, *, wide: bool
) -> RenderableType:
    """CPU and memory have columns only where they are known of one task at least."""
    measured = ("CPU", "memory") if loads else ()
    table = columns("id", "status", "health", *measured, "zone", "runs", "started")
    for task in tasks:
        load = loads.get(task.id, TaskLoad())
        health = Text(text(task.health.lower()), style=_HEALTH_STYLE.get(task.health, "dim"))
        table.add_row(
            text(task.id) if wide else text(task.id)[:8],
            Text(text(task.last_status.lower()), style="" if task.last_status == "RUNNING" else "yellow"),
            health,
            *((_percent(load.cpu_percent), _percent(load.memory_percent)) if loads else ()),
            text(task.zone or "unknown"),
            short(text(task.task_definition)),
            "not yet" if task.started_at is None else f"{_age(task.started_at, at)} ago",
        )
    return table


def _unmeasured(loads: Reading[Mapping[str, TaskLoad]]) -> str:
    if loads.error is not None:
        return f"CPU and memory of each task are unknown: {loads.error}"
    return "CPU and memory of a task: only with Container Insights, enhanced observability"


def unwell_first(task: TaskFacts) -> tuple[bool, bool, float]:
    """A key to sort by."""
    newest = 0.0 if task.started_at is None else -task.started_at.timestamp()
    return task.health != "UNHEALTHY", task.last_status == "RUNNING", newest


def why_stopped(task: TaskFacts) -> str:
    """Its exit codes and what ECS says, as a clause that begins with its own mark."""
    exits = f", exit code {', '.join(map(str, task.exit_codes))}" if task.exit_codes else ""
    said = [*task.container_reasons, task.stopped_reason]
    return f"{exits}: {text('; '.join(dict.fromkeys(filter(None, said))) or task.stop_code or 'nobody knows why')}"


def _deployments(facts: ServiceFacts, at: datetime) -> Iterator[RenderableType]:
    one = len(facts.deployments) == 1
    yield Text("steady" if facts.steady else f"{len(facts.deployments)} at once" if not one else "not steady yet")
    table = columns("status", "rollout", "runs", "tasks", "began")
    for each in facts.deployments:
        rollout = each.rollout_state or "?"
        failed = f", {each.failed} failed" if each.failed else ""
        table.add_row(
            each.status.lower(),
            Text(
                rollout.lower().replace("_", " "),
                style={"COMPLETED": "green", "FAILED": "bold red"}.get(rollout, "yellow"),
            ),
            short(text(each.task_definition)),
            Text(f"{each.running} of {each.desired}{failed}", style="red" if each.failed else ""),
            f"{_age(each.created_at, at)} ago",
        )
    yield _below(table)
    for each in facts.deployments:
        if each.rollout_state != "COMPLETED" and each.rollout_reason:
            yield _line(f"{text(each.rollout_reason)}", style="yellow")


def _targets(facts: TargetsFacts) -> Iterator[RenderableType]:
    if not facts.targets:
        yield Text("none: there is no load balancer, or nothing is registered", style="dim")
        return
    summaries = []
    for group in facts.groups:
        members = [target for target in facts.targets if target.target_group == group]
        summaries.append(f"{facts.healthy(group)} of {len(members)} healthy in {_group(group)}")
    ill = [target for target in facts.targets if target.state != "healthy"]
    yield Text("; ".join(summaries), style="bold red" if any(t.state == "unhealthy" for t in ill) else "")
    if ill:
        table = _grid(4)
        for target in ill[:ROWS]:
            style = "bold red" if target.state == "unhealthy" else "yellow"
            table.add_row(
                text(target.target),
                Text(text(target.state), style=style),
                text(target.zone or "?"),
                text(target.reason or ""),
            )
        yield _below(table)
    healthy = [target for target in facts.targets if target.state == "healthy"]
    named = ", ".join(f"{text(t.target)} ({text(t.zone)})" if t.zone else text(t.target) for t in healthy[:ROWS])
    more = f" and {len(healthy) - ROWS} more" if len(healthy) > ROWS else ""
    if healthy:
        yield _below(Text.assemble(("healthy", "green"), (f"  {named}{more}", "dim")))


def _scaling(facts: ScalingFacts, seen: ServiceStatus) -> Iterator[RenderableType]:
    if not facts.registered:
        yield Text("none: the number of tasks stays as it is set", style="dim")
        return
    service = seen.service_facts.value
    wanted = "" if service is None else f", {service.desired} wanted"
    at_most = service is not None and service.desired >= facts.maximum
    yield Text(f"{facts.minimum} to {facts.maximum} tasks{wanted}", style="bold yellow" if at_most else "")
    for way, suspended in (("out", facts.scale_out_suspended), ("in", facts.scale_in_suspended)):
        if suspended:
            yield _line(f"scaling {way} is suspended", style="bold yellow")
    if facts.policies is None:
        yield _line("its policies are unknown", style="yellow")
    for policy in facts.policies or ():
        yield _line(f"{text(policy.name)} keeps {text(policy.metric)} at {policy.target:g}", style="dim")
    for activity in (facts.activities or ())[:1]:
        said = f"{activity.status.lower()}, {_age(activity.at, seen.at)} ago: {activity.description}"
        yield _line(f"{text(said)}", style="dim")


def _alarms(facts: AlarmsFacts, at: datetime) -> Iterator[RenderableType]:
    loud = sum(alarm.state is AlarmState.ALARM for alarm in facts.alarms)
    if not facts.alarms and not facts.gone:
        yield Text("the playbook has none", style="dim")
        return
    yield Text(
        f"{loud} of {len(facts.alarms)} in ALARM" if loud else f"none of {len(facts.alarms)} in ALARM",
        style="bold red" if loud else "",
    )
    table = _grid(3)
    order = (AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA, AlarmState.OK)
    for alarm in sorted(facts.alarms, key=lambda alarm: order.index(alarm.state)):
        state = "NO DATA" if alarm.state is AlarmState.INSUFFICIENT_DATA else str(alarm.state)
        name = Text(text(alarm.name))
        if alarm.state is AlarmState.ALARM:
            name.append(f"\n{text(alarm.reason)}", style="dim")
        if alarm.state is AlarmState.OK and alarm.breaching_now:
            name.append("\nits metric breaches right now", style="yellow")
        table.add_row(Text(state, style=_ALARM_STYLE[alarm.state]), name, f"for {_age(alarm.since, at)}")
    for gone in facts.gone:
        table.add_row(Text("MISSING", style="bold yellow"), text(gone), "no such alarm")
    yield _below(table)


def _dependencies(facts: DependenciesFacts) -> Iterator[RenderableType]:
    if not facts.dependencies:
        yield Text("the playbook names none", style="dim")
        return
    troubled = len(facts.troubled)
    yield Text(
        f"{troubled} of {len(facts.dependencies)} in trouble" if troubled else "none in trouble",
        style="bold red" if troubled else "",
    )
    table = _grid(3)
    for each in facts.dependencies:
        style = _DEPENDENCY_STYLE.get(each.state, "bold red")
        table.add_row(Text(each.state, style=style), text(each.name), Text(text(each.detail), style="dim"))
    yield _below(table)


def _section(name: str, reading: Reading[T], made: Callable[[T], Iterator[RenderableType]]) -> Iterator[RenderableType]:
    """A heading with what comes first of a section beside it; one line where it could not be read."""
    yield ""
    if reading.value is None:
        yield _label(name).append(f"unknown: {text(reading.error or 'not read')}", style="yellow")
        return
    first, *rest = made(reading.value)
    heading = _label(name)
    yield heading.append_text(first) if isinstance(first, Text) else heading
    yield from rest


def _unknown(reading: Reading[T]) -> RenderableType:
    return _line(f"unknown: {text(reading.error or 'not read')}", style="yellow")


def _label(name: str) -> Text:
    return Text.assemble((f"{name:<14}", "bold"))


def _line(said: str, *, style: str) -> RenderableType:
    return _below(Text(said, style=style))


def _below(table: RenderableType) -> RenderableType:
    return Padding(table, (0, 0, 0, 2))


def _grid(columns: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for number in range(columns):
        table.add_column(overflow="fold", ratio=1 if number == columns - 1 and columns > 3 else None)
    return table


def _group(arn: str) -> str:
    return text(arn.split("targetgroup/", 1)[-1].split("/")[0])


def _percent(value: float | None) -> Text:
    return Text("?", style="dim") if value is None else Text(f"{value:.0f} %")


def _age(since: datetime | None, at: datetime) -> str:
    if since is None:
        return "?"
    age = at - since
    return spoken(age) if age < timedelta(days=2) else f"{age.days} days"


def _signs(seen: ServiceStatus) -> Signs:
    return Signs(Findings(looked_at=seen.at, metrics=seen.metrics))
