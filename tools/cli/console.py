"""`responder console`: incidents and services as pages on this machine, with the operator's own credentials."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from tools.cli.options import by_option, ledger_options, playbooks_option, region_of, with_options

if TYPE_CHECKING:
    from tools.cli.main import Desk


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default="a free one", help="Of 127.0.0.1.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@by_option
@playbooks_option
@click.option(
    "--drill",
    "drill_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What `responder drill --json` wrote.  [default: build/drill.json, if there]",
)
@with_options(*ledger_options)
@click.pass_obj
def console(
    desk: "Desk",
    port: int,
    no_browser: bool,
    by: str,
    playbooks: Path,
    drill_file: Path | None,
    table: str,
    region: str | None,
) -> None:
    """Show incidents and services as pages in your browser, live: for one operator, on 127.0.0.1, with what is ordered
    most often. The pages name the commands for the rest.

    It reads and orders with your own AWS credentials, and nobody else can reach it. Ctrl-C ends it.
    """
    from tools.console.room import open_room
    from tools.console.server import serve

    room = open_room(desk, table=table, region=region_of(region), by=by, playbooks=playbooks, drill_file=drill_file)
    with suppress(KeyboardInterrupt):  # a second one, while a form is waited for
        serve(room, port=port, browser=not no_browser)
    desk.leave()


def leave() -> NoReturn:
    """End the process at once: what is being read changes nothing, and Python would wait until AWS has answered."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


COMMANDS = (console,)
