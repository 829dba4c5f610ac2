"""Shows what happens while it happens: the trail as it grows, and the traffic below it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from functions.domain.incidents import Event
from functions.workflow.trails import Trail
from tools.cli import render
from tools.demo.stage import Now

_BARS = "▁▂▃▄▅▆▇█"
_SECONDS_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One scenario's end, for the table."""

    scenario: str
    trail: Trail | None
    requests: float
    failed: float
    problems: Sequence[str]

    @property
    def well(self) -> bool:
        return not self.problems


class Narrator:
    """Writes to a terminal, or plainly line by line where there is none."""

    def __init__(self) -> None:
        self.out: Console = render.console()
        self._live: Live | None = None

    def say(self, *lines: RenderableType) -> None:
        for line in lines:
            self.out.print(line)

    def title(self, text: str, *, below: str = "") -> None:
        self.say("", Rule(Text(text, style="bold"), align="left", style="dim"))
        if below:
            self.say(Text(below, style="dim"))

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show that something is being done, and afterwards how long it took."""
        started = datetime.now().astimezone()
        with self._shown(Spinner("dots", Text(f" {what} ...", style="dim"))):
            yield
        seconds = (datetime.now().astimezone() - started).total_seconds()
        self.say(Text.assemble(("✓ ", "green"), what, (f"  {seconds:.0f} s", "dim")))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep the traffic in sight while events are printed above it."""
        with self._shown(Text("")):
            yield

    @contextmanager
    def _shown(self, what: RenderableType) -> Iterator[None]:
        if self._live is not None or not self.out.is_terminal:
            yield
            return
        with Live(what, console=self.out, transient=True, refresh_per_second=8) as self._live:
            try:
                yield
            finally:
                self._live = None

    def show(self, totals: Sequence[Now], *, alarm: str, note: str) -> None:
        """Update what stands below the events."""
        if self._live is not None and totals:
            self._live.update(_traffic(totals, alarm=alarm, note=note))

    def event(self, event: Event, *, since: datetime) -> None:
        self.say(render.brief(event, since=since))

    def incident(self, trail: Trail) -> None:
        """The whole audit trail of an incident."""
        self.title("Audit trail")
        self.say(render.trail(trail, now=datetime.now().astimezone()))

    def page(self, text: str) -> None:
        self.say(Panel(Text(text.rstrip()), title="what the pager got", title_align="left", border_style="magenta"))

    def numbers(self, outcomes: Sequence[Outcome]) -> None:
        self.title("In numbers")
        table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
        table.add_column("scenario")
        for column in ("alarm → action", "alarm → recovery", "failed requests"):
            table.add_column(column, justify="right")
        table.add_column("")
        for outcome in outcomes:
            trail = outcome.trail
            table.add_row(
                outcome.scenario,
                "—" if trail is None else _seconds(trail.to_first_action),
                "—" if trail is None else _seconds(trail.to_recovery),
                f"{outcome.failed:.0f} of {outcome.requests:.0f}",
                Text("✓ as expected", style="green") if outcome.well else Text("✗ failed", style="bold red"),
            )
        self.say(table)
        for outcome in outcomes:
            for problem in outcome.problems:
                self.say(Text(f"✗ {outcome.scenario}: {problem}", style="bold red"))

    def hint(self, title: str, lines: Sequence[str]) -> None:
        """Commands for a person to paste: never wrapped."""
        self.title(title)
        for line in lines:
            self.out.print(Text(f"  {line}"), soft_wrap=True)


def _seconds(span: timedelta | None) -> str:
    return "—" if span is None else f"{span.total_seconds():.1f} s"


def _traffic(totals: Sequence[Now], *, alarm: str, note: str) -> RenderableType:
    recent = totals[-_SECONDS_SHOWN:]
    last = recent[-1]
    shares = [second.failed / second.requests if second.requests else 0.0 for second in recent]
    bars = Text()
    for share in shares:
        index = min(len(_BARS) - 1, round(share * (len(_BARS) - 1)))
        bars.append(_BARS[index], style="green" if share == 0 else "red")
    state = Text(alarm, style={"OK": "bold green", "ALARM": "bold red"}.get(alarm, "yellow"))
    response = "—" if last.response_s is None else f"{last.response_s:.2f} s"
    cpu = "—" if last.cpu is None else f"{last.cpu:.0f} %"
    line = Text.assemble(
        ("traffic ", "dim"),
        f"{last.requests:.0f}/s",
        ("   failing ", "dim"),
        (f"{shares[-1]:.0%}", "bold red" if shares[-1] else "green"),
        ("   response ", "dim"),
        response,
        ("   CPU ", "dim"),
        cpu,
        ("   tasks ", "dim"),
        f"{last.tasks}",
        ("   alarm ", "dim"),
        state,
    )
    return Group(
        Text(""), Text.assemble(("failed requests, last minute  ", "dim"), bars), line, Text(note, style="dim")
    )
