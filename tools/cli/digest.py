"""`responder digest`: goes through the checklist now, with the credentials of whoever sits at the desk."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools.cli.aws import on_aws
from tools.cli.options import ledger_options, playbooks_option, region_of, with_options

if TYPE_CHECKING:
    from functions.domain.digests import Period
    from functions.ports import Ledger
    from functions.workflow.digests.around import Sources
    from tools.cli.main import Desk


@on_aws
def desk_sources(region: str, ledger: "Ledger", period: "Period", until: datetime) -> "Sources":
    """Where a digest is read from on AWS."""
    from functions import bootstrap

    return bootstrap.desk_digest_sources(region, ledger=ledger, period=period, until=until)


@click.command()
@click.option("--daily", "period", flag_value="daily", default="daily", help="Of the last day.  [default]")
@click.option(
    "--weekly", "period", flag_value="weekly", help="Of the last 7 days. Asking Cost Explorer costs 0.01 USD."
)
@click.option("--monthly", "period", flag_value="monthly", help="Of the last 30 days. The same.")
@click.option("--markdown", is_flag=True, help="As it is kept in the archive, with the reason for each n/a.")
@playbooks_option
@with_options(*ledger_options)
@click.pass_obj
def digest(desk: "Desk", period: str, markdown: bool, playbooks: Path, table: str, region: str | None) -> None:
    """Print what the mail of a morning, week or month would say now. Nothing is sent and nothing is changed."""
    from functions.domain.digests import Period
    from functions.playbooks.loading import load_playbooks
    from functions.workflow.digests.compose import compose
    from functions.workflow.digests.letter import as_markdown, as_text

    known = region_of(region)
    chosen = [playbook for playbook in load_playbooks([playbooks]) if playbook.region == known]
    if not chosen:
        raise click.ClickException(f"no playbook in {playbooks} is for {known}; write --playbooks, or another Region")
    sources = desk.open_digest_sources(known, desk.open_ledger(table, known), Period(period), desk.now())
    composed = compose(chosen, sources, responder=table, region=known)
    click.echo(as_markdown(composed) if markdown else as_text(composed), nl=False)
