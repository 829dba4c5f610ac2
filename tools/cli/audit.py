"""`responder audit`: what people did at the desk outside of any incident."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from tools.cli.completion import known_services
from tools.cli.options import Length, ledger_options, region_of, service_of, with_options

if TYPE_CHECKING:
    from tools.cli.main import Desk


@click.command()
@click.option("--since", type=Length(), default="30d", show_default=True, help="How far to look back.")
@click.option(
    "--service", metavar="SERVICE", shell_complete=known_services, help="Only this service: [region/]cluster/service."
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects instead of text.")
@with_options(*ledger_options)
@click.pass_obj
def audit(desk: "Desk", since: timedelta, service: str | None, as_json: bool, table: str, region: str | None) -> None:
    """List what people did by hand outside of incidents: who, what, when and why, newest first.

    What they ordered in an incident stands in its trail.
    """
    from functions.domain.model import canonical_json
    from tools.cli.render import audit_table, console

    now = desk.now()
    notes = desk.open_ledger(table, region_of(region)).by_hand_between(now - since, now)
    if service is not None:
        key = service_of(service, region).key
        notes = [note for note in notes if note.about == key]
    if as_json:
        click.echo(canonical_json([note.model_dump(mode="json") for note in notes]))
    else:
        console().print(audit_table(notes))
