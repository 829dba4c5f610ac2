"""`responder stop` and `responder start`: everything that the responder does on its own, at once."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from tools.cli.aws import on_aws
from tools.cli.notes import keep_note
from tools.cli.options import by_option, ledger_options, region_of, with_options

if TYPE_CHECKING:
    from functions.ports import FunctionHold
    from tools.cli.main import Desk

NOTHING_CHOSEN = "this is for every service at once: write --all; for one service there is `responder {one}`"


@on_aws
def desk_hold(region: str) -> "FunctionHold":
    """The functions on AWS."""
    from functions import bootstrap

    return bootstrap.desk_hold(region)


_options = (
    click.option("--all", "everything", is_flag=True, help="Every service."),
    click.option("--reason", required=True, help="Why; the next person will ask."),
    by_option,
    *ledger_options,
)


@click.command()
@with_options(*_options)
@click.option("--hard", is_flag=True, help="Also keep the functions that change something from running at all.")
@click.pass_context
def stop(
    context: click.Context, everything: bool, hard: bool, reason: str, by: str, table: str, region: str | None
) -> None:
    """Stop everything that the responder does on its own, for all services, from its next action on.

    It goes on looking, writing down and paging. With --hard it also works where the ledger cannot be reached.
    """
    from functions.domain.errors import LedgerError
    from functions.domain.incidents import FleetSwitch
    from functions.domain.redaction import clean

    desk: Desk = context.obj
    if not everything and not hard:
        raise click.ClickException(NOTHING_CHOSEN.format(one="pause SERVICE"))
    known = region_of(region)
    # The functions come first: a table that hangs is given up after many seconds only.
    done = _each(desk, known, table, _held) if hard else True
    stopped = FleetSwitch(stopped=True, by=clean(by, limit=100), reason=clean(reason, limit=500), at=desk.now())
    try:
        desk.open_ledger(table, known).set_fleet_switch(stopped)
    except LedgerError as failed:
        if not hard:
            raise click.ClickException(
                f"nothing is stopped: {failed}\n"
                "`responder stop --all --hard` works without the ledger: it keeps the functions from running"
            ) from failed
        done = False
        click.echo(f"The ledger does not know of it: {failed}")
        click.echo("Only what is held above is stopped; say it again when the ledger can be reached.")
    else:
        click.echo("Everything is stopped: the responder looks, writes down and pages, and changes nothing any more.")
        # Afterwards: a stop waits for nothing.
        keep_note(desk, table, known, "stopped everything", by=by, reason=reason, about="")
    click.echo("What was begun before still comes to its end, such as a deployment in ECS.")
    click.echo("`responder start --all --reason '...'` ends it")
    context.exit(0 if done else 1)


@click.command()
@with_options(*_options)
@click.pass_context
def start(context: click.Context, everything: bool, reason: str, by: str, table: str, region: str | None) -> None:
    """Let the responder act again, after `responder stop`, hard or not."""
    from functions.domain.incidents import FleetSwitch
    from functions.domain.redaction import clean

    desk: Desk = context.obj
    if not everything:
        raise click.ClickException(NOTHING_CHOSEN.format(one="resume SERVICE"))
    known = region_of(region)
    ledger = desk.open_ledger(table, known)
    before = ledger.fleet_switch()
    started = FleetSwitch(stopped=False, by=clean(by, limit=100), reason=clean(reason, limit=500), at=desk.now())
    keep_note(desk, table, known, "lets the responder act again", by=by, reason=reason, about="")
    ledger.set_fleet_switch(started, was=before)
    click.echo(f"It is over: {before.said}" if before.stopped else "In the ledger, nothing was stopped.")
    if not _each(desk, known, table, _let_go):
        click.echo("A function that is held lets incidents fail: mend that, then run this again.")
        context.exit(1)
    click.echo("The responder acts again, from its next look at each service on.")


def _each(desk: "Desk", region: str, name: str, what: "Callable[[FunctionHold, str], Said]") -> bool:
    """Do it to each function that changes something, and say what came of it. False when one was not done."""
    from functions.domain.errors import ChangeFailed, NotNamed, ReadFailed
    from functions.workflow.table import Function

    hold, done = desk.open_hold(region), True
    for function in (Function.REMEDIATE, Function.RESTORE, Function.CONTAIN):
        full = f"{name}-{function}"
        try:
            for line in what(hold, full):
                click.echo(f"  {full}: {line}")
        except NotNamed:
            # The contain stack need not be there; the others always are.
            done = done and function is Function.CONTAIN
            also = "" if function is Function.CONTAIN else f" in {region}; are --region and --table right?"
            click.echo(f"  {full}: not deployed{also}")
        except (ReadFailed, ChangeFailed) as failed:
            done = False
            click.echo(f"  {full}: NOT DONE: {failed}")
    return done


Said = Iterator[str]
"""Lines about one function."""


def _held(hold: "FunctionHold", function: str) -> Said:
    from functions.domain.errors import ReadFailed

    try:
        before = hold.reserved(function)
    except ReadFailed:
        before = None  # that it is held matters more than what was there
    hold.hold(function)
    yield "held: its reserved concurrency is 0, so that it does not run"
    if before:
        yield (
            f"its reserved concurrency was {before}; to have that back after the start:\n"
            f"    aws lambda put-function-concurrency --function-name {function} "
            f"--reserved-concurrent-executions {before}"
        )


def _let_go(hold: "FunctionHold", function: str) -> Said:
    before = hold.reserved(function)
    if before is None:
        yield "was not held"
    elif before > 0:
        yield f"was not held; its reserved concurrency stays {before}"
    else:
        hold.let_go(function)
        yield "runs again: nothing is reserved for it any more"


COMMANDS = (stop, start)
