"""`responder maintenance`: windows in which nothing is changed, announced, listed and taken back."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from tools.cli.options import Length, by_option, ledger_options, service_argument, service_of, with_options

if TYPE_CHECKING:
    from tools.cli.main import Desk


@click.command()
@service_argument
@click.option("--from", "start", metavar="WHEN", help="now, 02:00 or 2026-11-22T02:00, in UTC.  [default: now]")
@click.option("--for", "length", type=Length(), help="How long, for example 2h; a day at most.")
@click.option("--reason", default="", help="What is done; the next person will ask.")
@by_option
@click.option("--cancel", is_flag=True, help="Take an announced window back; with several, --from says which.")
@with_options(*ledger_options)
@click.pass_obj
def maintenance(
    desk: "Desk",
    service: str,
    start: str | None,
    length: timedelta | None,
    reason: str,
    by: str,
    cancel: bool,
    table: str,
    region: str | None,
) -> None:
    """Announce a maintenance window of a service: [region/]cluster/service. Without options, list those announced."""
    from functions.domain.maintenance import Announced
    from functions.domain.redaction import clean
    from tools.cli.notes import keep_note
    from tools.cli.render import announced_table, console
    from tools.cli.windows import announced, cancelled, start_of, to_come

    ref, now = service_of(service, region), desk.now()
    ledger = desk.open_ledger(table, ref.region)
    switch = ledger.switch(ref)
    if cancel:
        if length is not None:
            raise click.ClickException("--cancel takes no --for: write --cancel, with --from where there are several")
        left, taken = cancelled(switch, None if start is None else start_of(start, now, past=True), now=now)
        what = f"takes back the maintenance from {taken.window.span}"
        keep_note(desk, table, ref.region, what, by=by, reason=reason, about=ref.key)
        ledger.set_switch(ref, left, was=switch)
        click.echo(f"{ref} has no maintenance window any more from {taken.window.span}")
        return
    if start is None and length is None:
        console().print(announced_table(ref, to_come(switch, now=now), now=now))
        return
    if length is None or not reason.strip():
        raise click.ClickException("a window needs a length and a reason: write --for 2h --reason '...'")
    begins = start_of("now" if start is None else start, now)
    window = Announced(
        start=begins, end=begins + length, by=clean(by, limit=100), reason=clean(reason, limit=500), at=now
    )
    what = f"announces maintenance from {window.window.span}"
    keep_note(desk, table, ref.region, what, by=by, reason=reason, about=ref.key)
    ledger.set_switch(ref, announced(switch, window, now=now), was=switch)
    click.echo(
        f"{ref} is in maintenance from {window.window.span}: nothing is changed meanwhile; "
        f"`responder maintenance {service} --cancel` takes it back"
    )
