"""`make chaos`: break the responder at every point and in every weather, and count the promises that it did not keep.

python -m tools.chaos                     everything, which takes long: docs/chaos.md says how long
python -m tools.chaos --share 0.05 --faulty 100 --scenario stuck-tasks
python -m tools.chaos replay --scenario stuck-tasks --break kill@17+
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tools.chaos import figures
from tools.chaos.command import INTERRUPTED, run
from tools.chaos.runs import Outcome, undisturbed
from tools.chaos.runs import replay as play_again
from tools.chaos.sweep import Of, jobs_of, scenarios_of, sweep
from tools.cli.render import console
from tools.drill.runner import quiet

NOT_KEPT = 1
"""Exit status when any promise was not kept."""

SHOWN = 20
"""Runs that are named one by one; the file has all of them."""

HEADINGS = {
    "double_effects": "double effects",
    "lost_incidents": "lost incidents",
    "leaked_leases": "leaked leases",
    "broken_trails": "broken trails",
    "other_outcomes": "other outcomes",
    "harmful_runs": "harmful runs",
    "broken_runs": "broken runs",
}


@click.group(invoke_without_command=True)
@click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--seeds", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Worlds of each scenario.")
@click.option(
    "--share", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Share of the points; 0 for none."
)
@click.option("--once", is_flag=True, help="Do not break again what makes up for the first break.")
@click.option("--faulty", type=click.IntRange(0), default=10_000, show_default=True, help="Runs in faulty weather.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes side by side.  [default: one per core]")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the figures into this file."
)
@click.pass_context
def main(
    context: click.Context,
    scenarios: tuple[str, ...],
    seeds: int,
    share: float,
    once: bool,
    faulty: int,
    jobs: int | None,
    json_file: Path | None,
) -> None:
    """Break the responder at every point of every scenario, and in faulty weather; count the promises not kept."""
    if context.invoked_subcommand is not None:
        return
    loaded = scenarios_of(scenarios)
    work = jobs_of(loaded, seeds=seeds, share=share, twice=not once, faulty=faulty)
    began = time.monotonic()
    columns = (
        TextColumn("breaking"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("jobs"),
        TextColumn("{task.fields[runs]:,} runs"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=len(work), runs=0)

        def told(done: int, runs: int, broken: Outcome | None) -> None:
            progress.update(bar, completed=done, runs=runs)
            if broken is not None:
                progress.print(f"not kept: {broken.replay}", markup=False, highlight=False, soft_wrap=True)

        found, whole = sweep(
            loaded,
            work,
            processes=jobs or os.cpu_count() or 1,
            told=told,
        )
    total = Of.all(found)
    if json_file is not None and whole:
        figures.add(json_file, _written(found, total, time.monotonic() - began))
    console().print(table(found))
    console().print(summary(total))
    for outcome in total.broken[:SHOWN]:
        for violation in outcome.violations:
            console().print(f"{violation.promise}: {violation.says}", markup=False, highlight=False)
        console().print(f"    {outcome.replay}", markup=False, highlight=False, soft_wrap=True)
    if len(total.broken) > SHOWN:
        console().print(f"… and {len(total.broken) - SHOWN} runs more", markup=False, highlight=False)
    if not whole:
        console().print("interrupted: these are the runs that were made until then, and no file was written")
        context.exit(INTERRUPTED)
    context.exit(NOT_KEPT if total.broken else 0)


@main.command()
@click.option("--scenario", required=True, metavar="NAME")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--break", "breaks", multiple=True, metavar="WHAT@POINT", help="For example kill@17+; may be repeated.")
@click.option("--weather", type=click.IntRange(0), help="Number of the weather of a faulty run.")
@click.pass_context
def replay(context: click.Context, scenario: str, seed: int, breaks: tuple[str, ...], weather: int | None) -> None:
    """Make one run again, and tell what happened in it."""
    (loaded,) = scenarios_of([scenario])
    with quiet():
        outcome, lines = play_again(loaded, seed, undisturbed(loaded, seed), breaks=breaks, weather=weather)
    for line in lines:
        click.echo(line)
    for violation in outcome.violations:
        click.echo(f"NOT KEPT  {violation.promise}: {violation.says}")
    context.exit(NOT_KEPT if outcome.violations else 0)


def table(found: Sequence[Of]) -> Table:
    """One row for each scenario, with what it did not keep."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    shown.add_column("scenario")
    for heading in ("calls", "crash points", "faulty runs", "faults"):
        shown.add_column(heading, justify="right")
    shown.add_column("not kept")
    for of in found:
        unkept = ", ".join(f"{HEADINGS[promise]}: {count:,}" for promise, count in of.kept if count)
        plain = [f"{value:,}" for value in (of.calls, of.crash_points, of.faulty_runs, of.faults)]
        shown.add_row(of.name, *plain, Text(unkept, style="bold red") if unkept else "")
    return shown


def summary(total: Of) -> Table:
    """The figures of all of them."""
    shown = Table.grid(padding=(0, 2))
    shown.add_column()
    shown.add_column(justify="right")
    for heading, value in (("crash points", total.crash_points), ("faulty runs", total.faulty_runs)):
        shown.add_row(heading, f"{value:,}")
    for promise, count in total.kept:
        shown.add_row(HEADINGS[promise], Text(f"{count:,}", style="bold red" if count else "green"))
    return shown


def _written(found: Sequence[Of], total: Of, seconds: float) -> dict[str, object]:
    return {
        **total.figures,
        "scenarios": len(found),
        "calls": total.calls,
        "faults": total.faults,
        "seconds": round(seconds),
        "by_scenario": {of.name: of.figures for of in found},
        "violations": [
            {"replay": outcome.replay, "promise": violation.promise, "says": violation.says}
            for outcome in total.broken
            for violation in outcome.violations
        ],
    }


if __name__ == "__main__":
    sys.exit(run(main, "tools.chaos"))
