"""`responder logs`: the lines of a service at any time, masked, to be read or kept."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions.domain.errors import InputError
from tools.cli.options import aws_options, service_argument, service_of, with_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.domain.circumstances import LinesFacts
    from functions.domain.services import ServiceRef
    from tools.cli.main import Desk

MOST_LINES = 100_000
"""What one call fetches at the most; longer times are exported by CloudWatch Logs itself."""

SHOWN = 50


@click.command()
@service_argument
@click.option("--from", "start", metavar="WHEN", help="For example 2026-11-22T02:00, in UTC.  [default: an hour ago]")
@click.option("--to", "end", metavar="WHEN", default="now", show_default=True, help="The same.")
@click.option("--save", "file", type=click.Path(path_type=Path), metavar="FILE", help="Keep them as JSON Lines.")
@with_options(*aws_options)
@click.pass_obj
def logs(desk: "Desk", service: str, start: str | None, end: str, file: Path | None, region: str | None) -> None:
    """Show what a service logged in any time, secrets masked, and how to see it in the console: cluster/service.

    Lines that speak of errors come before others where not all can be had.
    """
    from functions.workflow.reporting.logs import insights_link
    from tools.cli.windows import start_of

    ref, now = service_of(service, region), desk.now()
    until = start_of(end, now, past=True)
    since = until - timedelta(hours=1) if start is None else start_of(start, now, past=True)
    if since >= until:
        raise InputError(f"--from is {since:%Y-%m-%d %H:%M} UTC, which is not before --to")
    groups = _groups(desk, ref)
    most = SHOWN if file is None else MOST_LINES
    found = desk.open_readers(ref.region).logs.lines(groups, since=since, until=until, most=most)
    if file is None:
        _show(found)
    else:
        _save(found, file)
    click.echo(f"\nLogs Insights at this time:\n  {insights_link(ref.region, groups, since=since, until=until)}")
    if not found.whole:
        click.echo("\nAll of it, into a bucket of yours that lets CloudWatch Logs write:")
        for group in groups:
            click.echo(
                f"  aws logs create-export-task --log-group-name {group} --from {int(since.timestamp() * 1000)} "
                f"--to {int(until.timestamp() * 1000)} --destination BUCKET --region {ref.region}"
            )


def _groups(desk: "Desk", ref: "ServiceRef") -> "Sequence[str]":
    """Where the task definition that runs says that its containers log."""
    reader = desk.open_readers(ref.region).service
    facts = reader.service(ref)
    if facts is None:
        raise InputError(f"ECS knows no service {ref}")
    groups = reader.definition(facts.task_definition).log_groups
    if not groups:
        raise InputError(f"the containers of {ref} write to no log group of CloudWatch in {ref.region}")
    return groups


def _show(found: "LinesFacts") -> None:
    for line in found.lines:
        click.echo(f"{line.at:%Y-%m-%d %H:%M:%S} {line.stream.rsplit('/', 1)[-1][:8]} {line.message}")
    more = "" if found.whole else f"; there are more, --save keeps up to {MOST_LINES:,}"
    click.echo(f"{len(found.lines)} line{'s' * (len(found.lines) != 1)}{more}")


def _save(found: "LinesFacts", file: Path) -> None:
    from functions.workflow.reporting.logs import as_json

    try:
        with file.open("wb") as out:
            out.writelines(map(as_json, found.lines))
    except OSError as failed:
        raise InputError(f"{file} cannot be written: {failed.strerror}") from None
    more = "" if found.whole else f"; there are more than the {MOST_LINES:,} that are fetched at the most"
    click.echo(f"written: {file}, {len(found.lines):,} lines{more}")
