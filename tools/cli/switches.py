"""What operators set for one service: a pause, its end, and the mode, whether at the terminal or on a page."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from functions.domain.errors import InputError
from functions.domain.incidents import Mode, Switch
from functions.domain.redaction import clean
from functions.domain.services import ServiceRef
from functions.ports import Ledger
from tools.cli.options import ledger_options, region_of, service_of, with_options

if TYPE_CHECKING:
    from tools.cli.main import Desk

AS_WRITTEN = "playbook"
"""In place of a mode: the one that the playbook says."""


def set_pause(ledger: Ledger, ref: ServiceRef, length: timedelta, *, by: str, reason: str, now: datetime) -> datetime:
    """Let the responder only look at the service for so long; until when that is.

    Raises:
        Superseded: somebody else set the switch in this moment.
    """
    until, switch = now + length, ledger.switch(ref)
    ledger.set_switch(ref, _said(switch, by=by, reason=reason, now=now, paused_until=until), was=switch)
    return until


def end_pause(ledger: Ledger, ref: ServiceRef, *, by: str, now: datetime) -> bool:
    """Whether there was a pause to end.

    Raises:
        Superseded: somebody else set the switch in this moment.
    """
    switch = ledger.switch(ref)
    ledger.set_switch(ref, _said(switch, by=by, reason="resumed", now=now, paused_until=None), was=switch)
    return switch.paused(now)


def set_mode(ledger: Ledger, ref: ServiceRef, mode: str, *, by: str, reason: str, now: datetime) -> str:
    """Set `observe`, `ask` or `auto` by hand, or `playbook` for what the playbook says; what holds now, as a sentence.

    Raises:
        InputError: there is no such mode.
        Superseded: somebody else set the switch in this moment.
    """
    if mode != AS_WRITTEN and mode not in list(Mode):
        raise InputError(f"there is no mode {clean(mode, limit=40)}; write {', '.join(Mode)} or {AS_WRITTEN}")
    chosen = None if mode == AS_WRITTEN else Mode(mode)
    switch = ledger.switch(ref)
    ledger.set_switch(ref, _said(switch, by=by, reason=reason, now=now, mode=chosen), was=switch)
    return (
        "the mode is what the playbook says" if chosen is None else f"the mode is {chosen}, whatever the playbook says"
    )


def _said(switch: Switch, *, by: str, reason: str, now: datetime, **changed: object) -> Switch:
    who = {"by": clean(by, limit=100), "reason": clean(reason, limit=500), "at": now}
    return switch.model_copy(update={**who, **changed})


@click.command()
@click.argument("service", metavar="SERVICE")
@click.argument("mode", type=click.Choice([*(each.value for each in Mode), AS_WRITTEN]), metavar="MODE")
@click.option("--reason", required=True, help="Why; the next person will ask.")
@click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name")
@with_options(*ledger_options)
@click.pass_obj
def mode(desk: "Desk", service: str, mode: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Let the responder observe, ask or act (auto) for a service, whatever its playbook says: [region/]cluster/service.

    It holds until somebody sets another one; `playbook` is what the playbook says.
    """
    ledger, ref = desk.open_ledger(table, region_of(region)), service_of(service, region)
    click.echo(f"{ref}: {set_mode(ledger, ref, mode, by=by, reason=reason, now=desk.now())}")
