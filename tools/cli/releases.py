"""`responder release`: what a service ran, what was judged of it, and what people say of it.

A release that people quarantine is never rolled back to, from the next look or action on; one that they trust may be.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tools.cli.options import by_hand_options, ledger_options, region_of, service_argument, service_of, with_options
from tools.cli.overview import Told

if TYPE_CHECKING:
    from functions.domain.evidence import Release, ReleaseState
    from functions.domain.services import ServiceRef
    from tools.cli.main import Desk


@click.group(cls=Told)
def release() -> None:
    """What a service ran, what was judged of each release, and what people say of it."""


@release.command("list")
@service_argument
@with_options(*ledger_options)
@click.pass_obj
def list_releases(desk: "Desk", service: str, table: str, region: str | None) -> None:
    """Show what a service ran and what was judged of each release, newest first: [region/]cluster/service."""
    from tools.cli.render import console, release_table

    ref = service_of(service, region)
    console().print(release_table(ref, desk.open_ledger(table, region or ref.region).releases(ref)))


@release.command()
@service_argument
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@with_options(*ledger_options)
@click.pass_obj
def diff(desk: "Desk", service: str, before: str, after: str, table: str, region: str | None) -> None:
    """Show what differs between two task definitions of a service. A revision or its number is enough: 41 42."""
    from functions.domain.differences import differences
    from functions.domain.evidence import short
    from tools.cli.render import console, difference_table

    ref = service_of(service, region)
    known = desk.open_ledger(table, region or ref.region).releases(ref)
    reader = desk.open_readers(ref.region).service
    a, b = (reader.definition(_named(each, ref, known)) for each in (before, after))
    names = short(a.task_definition) or before, short(b.task_definition) or after
    console().print(difference_table(*names, differences(a, b)))


@release.command()
@service_argument
@click.argument("revision", metavar="REVISION")
@with_options(*by_hand_options)
@click.pass_obj
def quarantine(desk: "Desk", service: str, revision: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Never roll back to a release, from now on: 41, orders:41 or an ARN. Nothing else is changed.

    It may be one that never ran. `responder release trust` frees it.
    """
    from functions.domain.evidence import ReleaseState, short

    ref = service_of(service, region)
    ledger = desk.open_ledger(table, region_of(ref.region))
    history = ledger.releases(ref)
    known = _on_record(revision, ref, history)
    if known is not None and known.state is ReleaseState.QUARANTINED:
        raise click.ClickException(f"{short(known.task_definition)} is quarantined already: {known.reason}")
    if known is not None:
        meant = known.task_definition
    else:
        # It has to be the very name by which ECS and the ledger know it, or nothing would heed it.
        meant = desk.open_readers(ref.region).service.definition(_named(revision, ref, history)).task_definition
    _say(desk, ref, meant, ReleaseState.QUARANTINED, known, what="quarantines", reason=reason, by=by, table=table)
    click.echo(f"{short(meant)} is quarantined: no rollback goes to it any more, also of an incident that is open")
    if history and history[0].task_definition == meant:
        click.echo(f"It is what was seen running last: `responder rollback {service}` goes back from it.")


@release.command()
@service_argument
@click.argument("revision", metavar="REVISION")
@with_options(*by_hand_options)
@click.pass_obj
def trust(desk: "Desk", service: str, revision: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Free a quarantined or suspect release: a rollback may go to it again, though one that was watched comes first.

    While it runs it is watched anew, and is good after its bake time.
    """
    from functions.domain.evidence import ReleaseState, short

    ref = service_of(service, region)
    known = _on_record(revision, ref, desk.open_ledger(table, region_of(ref.region)).releases(ref))
    if known is None:
        raise click.ClickException(f"{revision} is not on record; `responder release list {service}` shows what is")
    if known.state not in (ReleaseState.QUARANTINED, ReleaseState.SUSPECT):
        raise click.ClickException(f"{short(known.task_definition)} is {known.state}: a rollback may go to it as it is")
    meant = known.task_definition
    _say(desk, ref, meant, ReleaseState.SEEN, known, what="trusts", reason=reason, by=by, table=table)
    click.echo(f"{short(meant)} is {known.state} no more ({known.reason}): a rollback may go to it again")


def _say(
    desk: "Desk",
    ref: "ServiceRef",
    meant: str,
    state: "ReleaseState",
    known: "Release | None",
    *,
    what: str,
    reason: str,
    by: str,
    table: str,
) -> None:
    from functions.domain.evidence import short
    from tools.cli.notes import note_of

    note = note_of(desk, ref.region, f"{what} {short(meant)}", by=by, reason=reason, about=ref.key)
    ledger = desk.open_ledger(table, region_of(ref.region))
    ledger.judge_by_hand(ref, meant, state, note, was=None if known is None else known.state)


def _on_record(written: str, ref: "ServiceRef", known: "Sequence[Release]") -> "Release | None":
    from functions.domain.evidence import short

    named = _named(written, ref, known)
    return next((each for each in known if named in (each.task_definition, short(each.task_definition))), None)


def _named(written: str, ref: "ServiceRef", known: "Sequence[Release]") -> str:
    """The task definition that is meant. A bare number is one of the family that the service runs."""
    from functions.domain.evidence import short

    if not written.isdigit():
        return written
    family = short(known[0].task_definition).rpartition(":")[0] if known else ref.service
    return f"{family}:{written}"
