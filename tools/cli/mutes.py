"""`responder mute` and `unmute`: an alarm that only tells people is held back for a while."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from tools.cli.options import Length, by_option, ledger_options, region_of, with_options

if TYPE_CHECKING:
    from tools.cli.main import Desk


@click.command()
@click.argument("alarm", metavar="ALARM")
@click.option("--for", "length", type=Length(), required=True, help="How long, for example 2h; 15d at most.")
@click.option("--reason", required=True, help="Why; the next person will ask.")
@with_options(by_option, *ledger_options)
@click.pass_obj
def mute(desk: "Desk", alarm: str, length: timedelta, reason: str, by: str, table: str, region: str | None) -> None:
    """Mute an alarm that only tells people: its actions are held back for a while, its state still changes."""
    from functions.domain.changes import MuteAlarm
    from functions.domain.durations import written
    from functions.domain.mutes import LONGEST, not_to_be_muted
    from functions.domain.redaction import clean
    from tools.cli.notes import keep_note

    if length > LONGEST or length < timedelta(minutes=1):
        raise click.ClickException(f"an alarm is muted for 1m to {LONGEST.days}d; write another --for")
    known = region_of(region)
    keeper = desk.open_mutes(known)
    refusal = not_to_be_muted(keeper.actions(alarm))
    if refusal is not None:
        raise click.ClickException(f"alarm {alarm} is not muted: {refusal}")
    seconds = int(length.total_seconds())
    what = f"mutes {alarm} for {written(seconds)}"
    keep_note(desk, table, known, what, by=by, reason=reason, about=alarm)
    keeper.apply(MuteAlarm(alarm=alarm, duration_s=seconds, note=clean(f"{by}: {reason}", limit=500)))
    ends = f"{desk.now() + length:%Y-%m-%d %H:%M} UTC"
    click.echo(f"{alarm} is muted from the next minute on, until about {ends}; `responder unmute {alarm}` ends it")


@click.command()
@click.argument("alarm", metavar="ALARM")
@with_options(by_option, *ledger_options)
@click.pass_obj
def unmute(desk: "Desk", alarm: str, by: str, table: str, region: str | None) -> None:
    """End a mute that the responder or `responder mute` began; an alarm in ALARM tells people then."""
    from functions.domain.changes import UnmuteAlarm
    from tools.cli.notes import keep_note

    known = region_of(region)
    keeper = desk.open_mutes(known)
    was_muted = keeper.muted_s(alarm) != 0
    keep_note(desk, table, known, f"ends the mute of {alarm}", by=by, reason="", about=alarm)
    keeper.apply(UnmuteAlarm(alarm=alarm))
    click.echo(f"{alarm} is not muted any more" if was_muted else f"{alarm} was not muted by the responder")


COMMANDS = (mute, unmute)
