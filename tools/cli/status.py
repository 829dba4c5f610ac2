"""`responder status`: how a service is doing, with or without an incident, on one screen."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools.cli.options import ledger_options, playbooks_option, service_argument, service_of, with_options
from tools.cli.playbooks import playbook_of

if TYPE_CHECKING:
    from tools.cli.main import Desk
    from tools.cli.service_status import ServiceStatus

EVERY_S = 30
"""Seconds between two looks of `--watch`."""


@click.command()
@service_argument
@click.option("--watch", is_flag=True, help=f"Look again every {EVERY_S} s, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@playbooks_option
@with_options(*ledger_options)
@click.pass_obj
def status(
    desk: "Desk", service: str, watch: bool, as_json: bool, playbooks: Path, table: str, region: str | None
) -> None:
    """Show how a service is doing: health score, tasks, deployments, targets, scaling, alarms: cluster/service.

    It reads AWS with your own credentials, and changes nothing. It needs the service's playbook; what the ledger knows
    is shown where there is one.
    """
    from tools.cli.render import console
    from tools.cli.service_status import status_of
    from tools.cli.status_screen import screen

    if watch and as_json:
        raise click.ClickException("--watch is for people; leave it out, or --json")
    ref = service_of(service, region)
    playbook = playbook_of(playbooks, ref)
    readers = desk.open_readers(ref.region)

    def look() -> "ServiceStatus":
        return status_of(
            playbook, readers=readers, open_ledger=lambda: desk.open_ledger(table, ref.region), now=desk.now()
        )

    if as_json:
        click.echo(look().model_dump_json(indent=2))
    elif watch:
        _watch(look, desk.sleep)
    else:
        out = console()
        out.print(screen(look(), width=out.width))


def _watch(look: Callable[[], "ServiceStatus"], sleep: Callable[[float], None]) -> None:
    """Look again and again; what was seen last stays on the terminal."""
    from rich.live import Live

    from tools.cli.render import console
    from tools.cli.status_screen import TREND, screen

    out = console()
    looks = [look()]
    try:
        first = screen(looks[-1], width=out.width, every_s=EVERY_S)
        with Live(first, console=out, screen=out.is_terminal, auto_refresh=False) as live:
            live.refresh()
            while True:
                sleep(EVERY_S)
                looks = [*looks[-TREND:], look()]
                live.update(screen(looks[-1], width=out.width, before=looks[:-1], every_s=EVERY_S), refresh=True)
    except KeyboardInterrupt:
        if out.is_terminal:
            out.print(screen(looks[-1], width=out.width, before=looks[:-1]))
