"""What is said of an incident at the desk: `responder approve` and `deny`, `ack`, `take` and `give-back`."""

from typing import TYPE_CHECKING

import click

from tools.cli.options import by_option, ledger_options, region_of, with_options

if TYPE_CHECKING:
    from functions.domain.approvals import Answer
    from functions.domain.people import Said
    from tools.cli.main import Desk

_about_an_incident = with_options(
    click.argument("incident_id", metavar="ID"),
    click.option("--reason", default="", help="What else is to be known; it stands in the trail."),
    by_option,
    *ledger_options,
)


@click.command()
@_about_an_incident
@click.pass_obj
def approve(desk: "Desk", incident_id: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Let the responder carry out the plan it asks for: this very plan, once."""
    from functions.domain.approvals import Answer

    summary = _answer(desk, incident_id, Answer.GRANTED, reason=reason, by=by, table=table, region=region)
    click.echo(f"granted: {summary}\nThe responder looks again first, and acts only if the plan is still the same.")


@click.command()
@_about_an_incident
@click.pass_obj
def deny(desk: "Desk", incident_id: str, reason: str, by: str, table: str, region: str | None) -> None:
    """Forbid the plan that the responder asks for; in this incident it does not ask for it again."""
    from functions.domain.approvals import Answer

    summary = _answer(desk, incident_id, Answer.DENIED, reason=reason, by=by, table=table, region=region)
    click.echo(f"denied: {summary}\nPeople are paged, and the responder goes on looking.")


def _answer(
    desk: "Desk", incident_id: str, answer: "Answer", *, reason: str, by: str, table: str, region: str | None
) -> str:
    from functions.domain.redaction import clean
    from functions.workflow.answers import TakeAnswer

    known = region_of(region)
    take = TakeAnswer(ledger=desk.open_ledger(table, known), answers=desk.open_answers(known), now=desk.now)
    identity = desk.identity(known)
    return take(
        incident_id, answer, by=clean(by, limit=100), identity=identity, reason=clean(reason, limit=500)
    ).summary


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


COMMANDS = (approve, deny, ack, take, give_back)
