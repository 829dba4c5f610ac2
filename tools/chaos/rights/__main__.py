"""`python -m tools.chaos.rights`: what each function calls, against what its role grants."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from tools.chaos.command import run
from tools.chaos.figures import add
from tools.chaos.rights.comparison import Compared, compare, figures
from tools.chaos.rights.granted import granted, synthesised
from tools.chaos.rights.scenes import EVERYTHING, recorded
from tools.cli.render import console
from tools.drill.scenario import load_scenarios

NOT_EVEN = 1
"""Exit status where a right is not needed, or one is not there."""


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Add the figures to it.")
@click.option("--all", "whole", is_flag=True, help="List every right with its call, not only what is not even.")
@click.pass_context
def main(context: click.Context, json_file: Path | None, whole: bool) -> None:
    """Play every scene, synthesise a deployment with everything, and compare calls and grants function by function."""
    (everything,) = load_scenarios([str(EVERYTHING)])
    compared = compare(granted(synthesised(everything, EVERYTHING)), recorded())
    found = figures(compared)
    if json_file is not None:
        add(json_file, found)
    console().print(table(compared))
    for each in compared:
        for right in sorted(each.granted | each.missing) if whole else sorted(each.unused | each.missing):
            console().print(f"{each.function}  {right}  {_state(each, right)}", markup=False, highlight=False)
    context.exit(NOT_EVEN if any(found.values()) else 0)


def table(compared: Sequence[Compared]) -> Table:
    """One row for each function."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    shown.add_column("function")
    for heading in ("called", "granted", "for a reason", "unused", "missing"):
        shown.add_column(heading, justify="right")
    for each in compared:
        wrong = [Text(str(len(some)), style="bold red" if some else "green") for some in (each.unused, each.missing)]
        shown.add_row(each.function, str(len(each.called)), str(len(each.granted)), str(len(each.excused)), *wrong)
    return shown


def _state(each: Compared, right: str) -> str:
    if right in each.missing:
        return "is called, and not granted"
    if right in each.unused:
        return "is granted, and never called"
    return "without a call, for a reason" if right in each.excused else "is called"


if __name__ == "__main__":
    sys.exit(run(main, "tools.chaos.rights"))
