"""Who leads an incident, said at the desk: `responder ack`, `take` and `give-back`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from tools.cli.options import ledger_options, region_of

if TYPE_CHECKING:
    from functions.domain.people import Said
    from tools.cli.main import Desk

_options = (
    click.argument("incident_id", metavar="ID"),
    click.option("--reason", default="", help="What else is to be known; it stands in the trail."),
    click.option("--by", envvar=["USER", "LOGNAME"], default="an operator", show_default="your login name"),
    *ledger_options,
)


def _about_an_incident(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_options):
        command = option(command)
    return command


@click.command()
@_about_an_incident
@click.pass_obj
def ack(desk: "Desk", incident_id: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Say that you have the page of an incident: nobody else is called. The responder goes on."""
    from functions.domain.people import Said

    _say(desk, incident_id, Said.ACKNOWLEDGED, reason=reason, by=by, table=table, region=region)


@click.command()
@_about_an_incident
@click.pass_obj
def take(desk: "Desk", incident_id: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Lead an incident: the responder only watches, gives back what was temporary, and closes it when all is well."""
    from functions.domain.people import Said

    _say(desk, incident_id, Said.TAKEN, reason=reason, by=by, table=table, region=region)
    click.echo(f"`responder give-back {incident_id}` gives it back")


@click.command()
@_about_an_incident
@click.pass_obj
def give_back(desk: "Desk", incident_id: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Give an incident back to the responder."""
    from functions.domain.people import Said

    _say(desk, incident_id, Said.RELEASED, reason=reason, by=by, table=table, region=region)


def _say(desk: "Desk", incident_id: str, said: "Said", *, reason: str, by: str, table: str, region: str | None) -> None:
    from functions.domain.redaction import clean
    from functions.workflow.command import SaySo

    known = region_of(region)
    say = SaySo(ledger=desk.open_ledger(table, known), now=desk.now)
    identity = desk.identity(known)
    told = say(incident_id, said, by=clean(by, limit=100), identity=identity, reason=clean(reason, limit=500))
    click.echo(f"{incident_id}: {told}")


COMMANDS = (ack, take, give_back)
