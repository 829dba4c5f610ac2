"""`make bench`: measure on this machine, side by side, and print each figure with its ratio and its goal.

python -m tools.bench                     everything; docs/performance.md says how long that takes
python -m tools.bench --only cold-start --only storm
"""

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from tools.bench.areas import AREAS, measure_of
from tools.bench.entries import Entry

WIDTH = 160
"""Columns of the table in a file or a pipe."""

NOT_MET = 1
"""Exit status when a goal was not met."""


@click.command()
@click.option("--only", "areas", multiple=True, type=click.Choice(list(AREAS)), help="Only this area; may be repeated.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the figures into this file."
)
@click.pass_context
def main(context: click.Context, areas: tuple[str, ...], json_file: Path | None) -> None:
    """Measure what the responder takes, beside its floor and what people would do without it."""
    entries: list[Entry] = []
    progress = Console(stderr=True)
    for area in areas or AREAS:
        with progress.status(area) as status:
            entries += measure_of(area)(partial(_tell, status, area))
        progress.print(f"{area}: measured", style="dim")
    out = Console(highlight=False, markup=False, emoji=False)
    out.width = out.width if out.is_terminal else WIDTH
    out.print(table(entries))
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps([entry.written() for entry in entries], indent=2, ensure_ascii=False) + "\n")
    context.exit(NOT_MET if any(entry.met is False for entry in entries) else 0)


def _tell(status: Status, area: str, what: str) -> None:
    status.update(f"{area}: {what}")


def table(entries: Sequence[Entry]) -> Table:
    """One row for each figure."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    shown.add_column("figure")
    shown.add_column("unit")
    for heading in ("ours", "floor", "× floor", "baseline", "× baseline"):
        shown.add_column(heading, justify="right")
    shown.add_column("goal")
    shown.add_column("")
    for entry in entries:
        figures = (entry.ours, entry.floor, entry.ratio_to_floor, entry.baseline, entry.ratio_to_baseline)
        met = {None: Text(""), True: Text("met", style="green"), False: Text("not met", style="bold red")}[entry.met]
        shown.add_row(entry.name, entry.unit, *map(plain, figures), str(entry.goal or ""), met)
    return shown


def plain(value: float | None) -> str:
    """Three digits that count; nothing for what was not measured."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.3g}"


if __name__ == "__main__":
    sys.exit(main(prog_name="python -m tools.bench"))
