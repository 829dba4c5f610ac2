"""`responder releases`: what a service ran, what was judged of it, and what differs between two task definitions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from functions.domain.services import ServiceRef, is_ecs_name

if TYPE_CHECKING:
    from functions.domain.evidence import Release
    from functions.ports import ServiceReader
    from tools.cli.main import Desk


def desk_reader(region: str) -> "ServiceReader":
    """The services on AWS."""
    from functions import bootstrap

    return bootstrap.desk_reader(region)


@click.command()
@click.argument("service", metavar="SERVICE")
@click.option("--diff", nargs=2, metavar="A B", help="What differs between two of its task definitions, as orders:42.")
@click.option("--table", envvar="RESPONDER_TABLE", default="ecs-first-responder", help="The ledger's table.")
@click.option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The responder's Region.")
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
    console().print(release_table(ref, known, now=desk.now()))


def _print_differences(desk: "Desk", ref: ServiceRef, known: "Sequence[Release]", a: str, b: str) -> None:
    from functions.domain.differences import differences
    from functions.domain.evidence import short
    from tools.cli.render import console, difference_table

    reader = desk.open_reader(ref.region)
    before, after = (reader.definition(_named(each, ref, known)) for each in (a, b))
    told = differences(before, after)
    names = short(before.task_definition) or a, short(after.task_definition) or b
    console().print(difference_table(*names, told))


def _named(written: str, ref: ServiceRef, known: "Sequence[Release]") -> str:
    """The task definition that is meant. A bare number is one of the family that the service runs."""
    from functions.domain.evidence import short

    if not written.isdigit():
        return written
    family = short(known[0].task_definition).rpartition(":")[0] if known else ref.service
    return f"{family}:{written}"


def service_of(text: str, region: str | None) -> ServiceRef:
    """The service that somebody wrote as [region/]cluster/service."""
    parts = text.split("/")
    if len(parts) == 2 and region:
        parts.insert(0, region)
    if len(parts) == 2:
        raise click.ClickException("no Region is given; set AWS_REGION or write --region, for example us-east-1")
    if len(parts) != 3 or not all(map(is_ecs_name, parts)):
        raise click.ClickException(f"'{text}' is no service; write cluster/service or region/cluster/service")
    return ServiceRef(region=parts[0], cluster=parts[1], service=parts[2])
