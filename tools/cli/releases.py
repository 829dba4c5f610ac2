"""`responder releases`: what a service ran, what was judged of it, and what differs between two task definitions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tools.cli.options import ledger_options, service_of, with_options

if TYPE_CHECKING:
    from functions.domain.evidence import Release
    from functions.domain.services import ServiceRef
    from tools.cli.main import Desk


@click.command()
@click.argument("service", metavar="SERVICE")
@click.option("--diff", nargs=2, metavar="A B", help="What differs between two of its task definitions, as orders:42.")
@with_options(*ledger_options)
@click.pass_obj
def releases(desk: "Desk", service: str, diff: tuple[str, str] | None, table: str, region: str | None) -> None:
    """Show what a service ran and what was judged of each release, newest first: [region/]cluster/service.

    A revision or its number is enough: --diff 41 42.
    """
    from tools.cli.render import console, release_table

    ref = service_of(service, region)
    ledger = desk.open_ledger(table, region or ref.region)
    known = ledger.releases(ref)
    if diff:
        _print_differences(desk, ref, known, *diff)
        return
    console().print(release_table(ref, known))


def _print_differences(desk: "Desk", ref: "ServiceRef", known: "Sequence[Release]", a: str, b: str) -> None:
    from functions.domain.differences import differences
    from functions.domain.evidence import short
    from tools.cli.render import console, difference_table

    reader = desk.open_readers(ref.region).service
    before, after = (reader.definition(_named(each, ref, known)) for each in (a, b))
    told = differences(before, after)
    names = short(before.task_definition) or a, short(after.task_definition) or b
    console().print(difference_table(*names, told))


def _named(written: str, ref: "ServiceRef", known: "Sequence[Release]") -> str:
    """The task definition that is meant. A bare number is one of the family that the service runs."""
    from functions.domain.evidence import short

    if not written.isdigit():
        return written
    family = short(known[0].task_definition).rpartition(":")[0] if known else ref.service
    return f"{family}:{written}"
