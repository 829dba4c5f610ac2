"""What every table in a terminal is made of."""

from rich.table import Table

from functions.domain.redaction import clean

LONGEST = 600


def columns(*names: str) -> Table:
    """A table without lines, whose cells are folded where they are too long."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def text(foreign: object) -> str:
    """What comes from outside, without control characters, and not longer than a screen can show."""
    return clean(str(foreign), limit=LONGEST)
