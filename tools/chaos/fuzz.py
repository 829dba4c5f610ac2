"""Bad input, very much of it, through the real intake, and the promises that it broke.

python -m tools.chaos.fuzz --inputs 100000 --seed 1 --json build/chaos.json
python -m tools.chaos.fuzz replay --seed 1 --input 4711
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tools.chaos import figures
from tools.chaos.command import run
from tools.chaos.feeding import PROMISES, UNHANDLED, Fed, feed
from tools.chaos.inputs import input_of
from tools.cli.render import console
from tools.drill.runner import quiet

BLOCK = 500
"""Inputs that one world sees. What one of them leaves behind may matter to those that come later, and to no others."""

NOT_KEPT = 1
"""Exit status when any promise was not kept."""

SHOWN = 20

HEADINGS = {
    "unhandled": "unhandled errors",
    "actions": "actions",
    "lost": "lost records",
    "unbounded": "beyond limits",
}


@click.group(invoke_without_command=True)
@click.option("--inputs", type=click.IntRange(1), default=100_000, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which ones.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes side by side.  [default: one per core]")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Add the figures to a file.")
@click.pass_context
def main(context: click.Context, inputs: int, seed: int, jobs: int | None, json_file: Path | None) -> None:
    """Feed the responder with bad input; count the promises that it broke."""
    if context.invoked_subcommand is not None:
        return
    began = time.monotonic()
    columns = (TextColumn("feeding"), BarColumn(), MofNCompleteColumn(), TextColumn("inputs"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=inputs)
        found = fed(
            seed, inputs, processes=jobs or os.cpu_count() or 1, told=lambda n: progress.update(bar, completed=n)
        )
    if json_file is not None:
        figures.add(json_file, {"fuzzed": found.inputs, "unhandled": found.count(UNHANDLED)})
    console().print(table(found, time.monotonic() - began))
    for broken in found.broken[:SHOWN]:
        console().print(Text(f"{HEADINGS[broken.promise]}: {broken.says!a}"), highlight=False)
        again = f"    python -m tools.chaos.fuzz replay --seed {seed} --input {broken.number}"
        console().print(again, markup=False, highlight=False, soft_wrap=True)
    if len(found.broken) > SHOWN:
        console().print(f"… and {len(found.broken) - SHOWN} more", markup=False, highlight=False)
    context.exit(NOT_KEPT if found.broken else 0)


@main.command()
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--input", "number", type=click.IntRange(0), required=True, metavar="NUMBER", help="Its number.")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file, as it is.")
@click.pass_context
def replay(context: click.Context, seed: int, number: int, save: Path | None) -> None:
    """Make one input again, print it as a JSON text, and feed it with all that its world saw before and after it."""
    given = input_of(seed, number)
    if save is not None:
        save.write_bytes(given.text.encode("utf-8", "surrogatepass"))
    click.echo(f"{given.way} {number}: {given.made!a}")
    click.echo(json.dumps(given.text))
    first = number - number % BLOCK
    with quiet():
        found = feed(seed, range(first, first + BLOCK))
    broken = [each for each in found.broken if each.number == number]
    for each in broken:
        click.echo(f"NOT KEPT  {HEADINGS[each.promise]}: {each.says!a}")
    context.exit(NOT_KEPT if broken else 0)


def fed(seed: int, inputs: int, *, processes: int, told: Callable[[int], None] = lambda done: None) -> Fed:
    """The first so many inputs of a seed, in several processes. `told` hears how many are done."""
    blocks = [range(first, min(first + BLOCK, inputs)) for first in range(0, inputs, BLOCK)]
    context = get_context("spawn")
    done = context.Value("i", 0)
    found = Fed()
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(done,)) as pool:
        try:
            for future in [pool.submit(_feed, seed, block) for block in blocks]:
                while not future.done():
                    told(done.value)
                    with suppress(TimeoutError):
                        future.exception(timeout=0.5)
                found = found.and_of(future.result())
        except BaseException:
            # What the fuzzer itself could not do is told at once, and not when all the others are done.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    told(inputs)
    return found


def table(found: Fed, seconds: float) -> Table:
    """What came of the inputs, and the promises."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=False)
    shown.add_column()
    shown.add_column(justify="right")
    rows: Sequence[tuple[str, int]] = (
        ("bad inputs", found.inputs),
        ("  recorded as signals, or playbooks that hold", found.recorded),
        ("  ignored, with a reason", found.ignored),
        ("  refused, with a reason", found.refused),
        ("good records beside them", found.good),
        ("incidents that were opened", found.opened),
    )
    for heading, value in rows:
        shown.add_row(heading, f"{value:,}")
    shown.add_section()
    for promise in PROMISES:
        count = found.count(promise)
        shown.add_row(HEADINGS[promise], Text(f"{count:,}", style="bold red" if count else "green"))
    shown.add_section()
    shown.add_row("seconds", f"{seconds:,.0f}")
    return shown


_process = ExitStack()
_done: Any = None
"""In a process of the pool, which keeps it in no other place."""


def _begin(done: Any) -> None:
    global _done
    _done = done
    _process.enter_context(quiet())


def _feed(seed: int, numbers: range) -> Fed:
    return feed(seed, numbers, told=_told)


def _told(more: int) -> None:
    with _done.get_lock():
        _done.value += more


if __name__ == "__main__":
    sys.exit(run(main, "tools.chaos.fuzz"))
