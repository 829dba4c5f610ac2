"""What is done by hand outside of any incident leaves a note in the ledger: who, what, when and why."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from functions.domain.byhand import ByHand
    from tools.cli.main import Desk


def identity_of(desk: "Desk", region: str) -> str:
    """The name that IAM has for whoever sits here; empty where AWS does not say it."""
    from functions.domain.errors import ResponderError

    try:
        return desk.identity(region)
    except ResponderError:
        return ""


def written(what: str, *, by: str, identity: str, reason: str, about: str, at: datetime) -> "ByHand":
    """The note of it, as the ledger keeps it."""
    from functions.domain.byhand import ByHand
    from functions.domain.redaction import clean

    return ByHand(
        at=at,
        by=clean(by, limit=100),
        identity=identity,
        what=clean(what, limit=500),
        reason=clean(reason, limit=500),
        about=about,
    )


def note_of(desk: "Desk", region: str, what: str, *, by: str, reason: str, about: str) -> "ByHand":
    """The note of it, by whoever sits here and now."""
    return written(what, by=by, identity=identity_of(desk, region), reason=reason, about=about, at=desk.now())


def keep_note(desk: "Desk", table: str, region: str, what: str, *, by: str, reason: str, about: str) -> None:
    """Write it down before it is done. What people do with their own rights does not wait for the ledger: where it
    cannot be reached, that is said."""
    from functions.domain.errors import LedgerError

    note = note_of(desk, region, what, by=by, reason=reason, about=about)
    try:
        desk.open_ledger(table, region).note_by_hand(note)
    except LedgerError as failed:
        click.echo(f"the ledger does not know of it: {failed}", err=True)
