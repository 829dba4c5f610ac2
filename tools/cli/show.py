"""`responder show` and `verify`: one incident with its whole timeline, once or as it goes on, and whether it holds."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from tools.cli.options import ledger_options, region_of, with_options

if TYPE_CHECKING:
    from functions.ports import Ledger
    from tools.cli.main import Desk

T = TypeVar("T")

EVERY_S = 3
"""Seconds between two looks at the ledger: one small read while nothing happens."""

PATIENCE = 20
"""So many times in a row the ledger may not answer, before it is given up."""


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option("--full", is_flag=True, help="Spell out guardrails that agreed and causes that are unlikely.")
@click.option("--follow", is_flag=True, help="Go on with what happens, until the incident closes or Ctrl-C.")
@with_options(*ledger_options)
@click.pass_obj
def show(desk: "Desk", incident_id: str, full: bool, follow: bool, table: str, region: str | None) -> None:
    """Show one incident: where it stands, and its whole timeline with evidence, plans and pages."""
    from functions.workflow.trails import read_trail
    from tools.cli.render import console, trail

    ledger = desk.open_ledger(table, region_of(region))
    if follow:
        _follow(desk, ledger, incident_id, full=full)
    else:
        console().print(trail(read_trail(ledger, incident_id), now=desk.now(), full=full))


@click.command()
@click.argument("incident_id", metavar="ID")
@with_options(*ledger_options)
@click.pass_context
def verify(context: click.Context, incident_id: str, table: str, region: str | None) -> None:
    """Recompute an incident's hash chain; exit status 1 when it is broken."""
    from functions.workflow.trails import read_trail
    from tools.cli.render import console, verification

    desk: Desk = context.obj
    found = read_trail(desk.open_ledger(table, region_of(region)), incident_id)
    console().print(verification(found), soft_wrap=True)
    if found.broken is not None:
        context.exit(1)


def _follow(desk: "Desk", ledger: "Ledger", incident_id: str, *, full: bool) -> None:
    """Print what is there, then every new event below it; in a terminal the last line says how it stands."""
    from rich.live import Live
    from rich.text import Text

    from functions.domain.incidents import IncidentStatus
    from functions.workflow.trails import read_trail
    from tools.cli.render import console, entry, head, standing, timeline, verification

    out = console()
    found = read_trail(ledger, incident_id)
    out.print(head(found, now=desk.now()), "", timeline(found, full=full), sep="\n")
    # A line that is overwritten is for a screen alone: a pipe gets what happened, and nothing twice.
    with Live(Text(""), console=out, auto_refresh=False, transient=True) as live:
        try:
            while found.incident.status is IncidentStatus.OPEN:
                if out.is_terminal:
                    live.update(standing(found.incident, now=desk.now()), refresh=True)
                desk.sleep(EVERY_S)
                newer = _patiently(desk, lambda: ledger.incident(incident_id))
                if newer.head_sequence == found.incident.head_sequence:
                    continue
                told = len(found.events)
                found = _patiently(desk, lambda: read_trail(ledger, incident_id))
                for event in found.events[told:]:
                    evidence, unread = found.evidence.get(event.sequence, {}), event.sequence in found.unread
                    out.print(entry(event, evidence, since=found.alarm_at, full=full, unread=unread))
        except KeyboardInterrupt:
            return
    out.print("", verification(found), sep="\n")


def _patiently(desk: "Desk", read: Callable[[], T]) -> T:
    """What is read, where the ledger may fail to answer now and then."""
    from functions.domain.errors import LedgerError, NotInLedger

    for _ in range(PATIENCE):
        try:
            return read()
        except NotInLedger:
            raise
        except LedgerError as failed:
            last = failed
            desk.sleep(EVERY_S)
    raise last
