"""What tables and timelines in a terminal are made of."""

from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from functions.domain.redaction import clean

LONGEST = 600
"""Characters of one text that a screen shows."""


def pairs() -> Table:
    """Names and what belongs to each, without lines."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(ratio=1)
    return table


def columns(*names: str) -> Table:
    """A list below these headings, without lines; what is too long goes on below itself."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def timeline_row(at: str, mark: str, style: str, who: str, *told: RenderableType, width: int = 8) -> RenderableType:
    """One place of a timeline; those that are printed one after the other stand in line."""
    row = Table.grid(padding=(0, 1))
    row.add_column(justify="right", style="dim", no_wrap=True, width=width)
    row.add_column(no_wrap=True, width=1)
    row.add_column(style="dim", no_wrap=True, width=9)
    row.add_column(ratio=1)
    row.add_row(at, Text(mark, style=style), who, Group(*told))
    return row


def distance(span: timedelta) -> str:
    """A place in a timeline, as `+1:05` or `+1:00:05`."""
    seconds = round(span.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    if seconds < 3600:
        return f"{sign}{seconds // 60}:{seconds % 60:02d}"
    return f"{sign}{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def text(foreign: object) -> str:
    """What comes from outside, without control characters, and not longer than a screen can show."""
    return clean(str(foreign), limit=LONGEST)
