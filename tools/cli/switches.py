"""What operators set for one service: a pause, its end, and the mode, whether at the terminal or on a page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import click

from functions.domain.byhand import ByHand
from functions.domain.errors import InputError
from functions.domain.incidents import Mode, Switch
from functions.domain.redaction import clean
from functions.domain.services import ServiceRef
from functions.guardrails.verdicts import BREAKER_WINDOW
from functions.ports import Ledger
from tools.cli.notes import identity_of, written
from tools.cli.options import Length, by_option, ledger_options, service_argument, service_of, with_options

if TYPE_CHECKING:
    from tools.cli.main import Desk

AS_WRITTEN = "playbook"
"""In place of a mode: the one that the playbook says."""


class Hand(NamedTuple):
    """Who sets something, and when."""

    by: str
    """In their own words."""
    identity: str
    """The same person as IAM knows them; empty where AWS does not say it."""
    at: datetime

    def noted(self, what: str, *, reason: str, ref: ServiceRef) -> ByHand:
        return written(what, by=self.by, identity=self.identity, reason=reason, about=ref.key, at=self.at)


class Ended(NamedTuple):
    """What a pause left behind."""

    was_paused: bool
    did_not_help: Sequence[str]
    """Incidents in which actions did not help, which spoke against the next one until now."""


def set_pause(ledger: Ledger, ref: ServiceRef, length: timedelta, *, hand: Hand, reason: str) -> datetime:
    """Let the responder only look at the service for so long; until when that is.

    Raises:
        Superseded: somebody else set the switch in this moment.
    """
    until, switch = hand.at + length, ledger.switch(ref)
    ledger.note_by_hand(hand.noted(f"pauses it until {until:%Y-%m-%d %H:%M} UTC", reason=reason, ref=ref))
    ledger.set_switch(ref, _said(switch, hand, reason, paused_until=until), was=switch)
    return until


def end_pause(ledger: Ledger, ref: ServiceRef, *, hand: Hand) -> Ended:
    """Let the responder act again, also where actions did not help.

    Raises:
        Superseded: somebody else set the switch in this moment.
    """
    switch = ledger.switch(ref)
    ledger.note_by_hand(hand.noted("ends the pause", reason="", ref=ref))
    ledger.set_switch(ref, _said(switch, hand, "resumed", paused_until=None), was=switch)
    failed = ledger.ineffective(ref, since=hand.at - BREAKER_WINDOW)
    if failed:
        ledger.forget_ineffective(ref)
    return Ended(was_paused=switch.paused(hand.at), did_not_help=sorted(failed))


def set_mode(ledger: Ledger, ref: ServiceRef, mode: str, *, hand: Hand, reason: str) -> str:
    """Set `observe`, `ask` or `auto` by hand, or `playbook` for what the playbook says; what holds now, as a sentence.

    Raises:
        InputError: there is no such mode.
        Superseded: somebody else set the switch in this moment.
    """
    if mode != AS_WRITTEN and mode not in list(Mode):
        raise InputError(f"there is no mode {clean(mode, limit=40)}; write {', '.join(Mode)} or {AS_WRITTEN}")
    chosen = None if mode == AS_WRITTEN else Mode(mode)
    holds = "the mode is what the playbook says"
    if chosen is not None:
        holds = f"the mode is {chosen}, whatever the playbook says"
    switch = ledger.switch(ref)
    ledger.note_by_hand(hand.noted(f"sets the mode: {holds}", reason=reason, ref=ref))
    ledger.set_switch(ref, _said(switch, hand, reason, mode=chosen), was=switch)
    return holds


def _said(switch: Switch, hand: Hand, reason: str, **changed: object) -> Switch:
    who = {"by": clean(hand.by, limit=100), "reason": clean(reason, limit=500), "at": hand.at}
    return switch.model_copy(update={**who, **changed})


def hand_of(desk: "Desk", region: str, by: str) -> Hand:
    """Whoever sits at the desk."""
    return Hand(by=by, identity=identity_of(desk, region), at=desk.now())


@click.command()
@service_argument
@click.option("--for", "length", type=Length(), required=True, help="How long, for example 2h.")
@click.option("--reason", required=True, help="Why; the next person will ask.")
@by_option
@with_options(*ledger_options)
@click.pass_obj
def pause(desk: "Desk", service: str, length: timedelta, reason: str, by: str, table: str, region: str | None) -> None:
    """Let the responder only look at a service for a while: [region/]cluster/service."""
    ref = service_of(service, region)
    ledger, hand = desk.open_ledger(table, ref.region), hand_of(desk, ref.region, by)
    until = set_pause(ledger, ref, length, hand=hand, reason=reason)
    click.echo(f"{ref} is paused until {until:%Y-%m-%d %H:%M} UTC; `responder resume {service}` ends it earlier")


@click.command()
@service_argument
@by_option
@with_options(*ledger_options)
@click.pass_obj
def resume(desk: "Desk", service: str, by: str, table: str, region: str | None) -> None:
    """End a pause, and let the responder act again where actions did not help."""
    ref = service_of(service, region)
    ended = end_pause(desk.open_ledger(table, ref.region), ref, hand=hand_of(desk, ref.region, by))
    click.echo(f"{ref} is resumed" if ended.was_paused else f"{ref} was not paused")
    if ended.did_not_help:
        incidents_said = ", ".join(ended.did_not_help)
        click.echo(f"actions did not help in {incidents_said}: that no longer speaks against the next one")


@click.command()
@service_argument
@click.argument("mode", type=click.Choice([*(each.value for each in Mode), AS_WRITTEN]), metavar="MODE")
@click.option("--reason", required=True, help="Why; the next person will ask.")
@by_option
@with_options(*ledger_options)
@click.pass_obj
def mode(desk: "Desk", service: str, mode: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Let the responder observe, ask or act (auto) for a service, whatever its playbook says: [region/]cluster/service.

    It holds until somebody sets another one; `playbook` is what the playbook says.
    """
    ref = service_of(service, region)
    ledger, hand = desk.open_ledger(table, ref.region), hand_of(desk, ref.region, by)
    click.echo(f"{ref}: {set_mode(ledger, ref, mode, hand=hand, reason=reason)}")


COMMANDS = (pause, resume, mode)
