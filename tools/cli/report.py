"""`responder report`: the report of an incident, as it was written when it closed, or of what is known until now."""

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import click

from functions.domain.errors import InputError
from tools.cli.aws import on_aws
from tools.cli.options import ledger_options, playbooks_option, region_of, with_options

if TYPE_CHECKING:
    from functions.ports import Archive
    from functions.workflow.reporting.model import IncidentReport
    from tools.cli.main import Desk


@on_aws
def desk_archive(region: str) -> "Archive":
    """What lies beside the ledger on AWS."""
    from functions import bootstrap

    return bootstrap.desk_archive(region)


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option("--html", "html_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the page there.")
@click.option("--markdown", "text_file", type=click.Path(path_type=Path), metavar="FILE", help="Write Markdown there.")
@click.option("--open", "open_it", is_flag=True, help="Show the page in the browser.")
@playbooks_option
@with_options(*ledger_options)
@click.pass_obj
def report(
    desk: "Desk",
    incident_id: str,
    html_file: Path | None,
    text_file: Path | None,
    open_it: bool,
    playbooks: Path,
    table: str,
    region: str | None,
) -> None:
    """Print the report of an incident: what was done, why, what it brought, and what is left to do."""
    from rich.markdown import Markdown

    from functions.workflow.reporting.markdown import as_markdown
    from functions.workflow.reporting.page import as_html
    from tools.cli.render import console

    found = _report(desk, incident_id, playbooks=playbooks, table=table, region=region_of(region))
    if html_file is not None:
        _write(html_file, as_html(found))
    if text_file is not None:
        _write(text_file, as_markdown(found))
    if open_it:
        page = html_file or Path(mkdtemp(prefix="responder-")) / f"{incident_id}.html"
        if html_file is None:
            _write(page, as_html(found))
        click.launch(str(page.resolve()))
    if html_file is None and text_file is None and not open_it:
        console().print(Markdown(as_markdown(found)))


def _report(desk: "Desk", incident_id: str, *, playbooks: Path, table: str, region: str) -> "IncidentReport":
    """As it was kept; of an incident that is open, or whose report is not there, from the trail alone."""
    from functions.playbooks.loading import load_playbooks
    from functions.workflow.report import from_trail, kept_report
    from functions.workflow.trails import read_trail

    ledger = desk.open_ledger(table, region)
    incident = ledger.incident(incident_id)
    kept = kept_report(ledger, desk.open_archive(region), incident)
    if kept is not None:
        return kept
    known = load_playbooks([playbooks]) if playbooks.is_dir() else ()
    playbook = next((each for each in known if each.ref == incident.service), None)
    return from_trail(ledger, read_trail(ledger, incident_id), playbook, now=desk.now())


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as failed:
        raise InputError(f"{file} cannot be written: {failed.strerror}") from None
    click.echo(f"written: {file}")
