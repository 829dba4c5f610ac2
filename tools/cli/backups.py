"""`responder backup`: takes what a playbook names, lists what there is, and only prints how it is restored."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools.cli.options import by_option, ledger_options, playbooks_option, service_argument, service_of, with_options
from tools.cli.playbooks import playbook_of

if TYPE_CHECKING:
    from tools.cli.main import Desk


@click.command()
@service_argument
@click.option("--reason", help="Why; it becomes a part of the name.")
@by_option
@click.option("--list", "only_list", is_flag=True, help="Take none, only show what there is.")
@playbooks_option
@with_options(*ledger_options)
@click.pass_obj
def backup(
    desk: "Desk",
    service: str,
    reason: str | None,
    by: str,
    only_list: bool,
    playbooks: Path,
    table: str,
    region: str | None,
) -> None:
    """Back up what a service's playbook names; show what there is, and how the newest is restored: cluster/service.

    Nothing is restored and nothing is deleted.
    """
    from functions.domain.backups import name_by_hand
    from functions.domain.changes import backing_up
    from tools.cli.notes import keep_note
    from tools.cli.render import backup_table, console

    playbook = playbook_of(playbooks, service_of(service, region))
    if playbook.backups.nothing:
        raise click.ClickException(f"the playbook of {playbook.ref} names no backups; write tables below backups")
    if not only_list and not reason:
        raise click.ClickException("why? write --reason, or --list to take none")
    keeper, now = desk.open_backups(playbook.region), desk.now()
    if not only_list:
        name, why = name_by_hand(now, reason or ""), reason or ""
        what = f"takes the backup {name} of {playbook.backups}"
        keep_note(desk, table, playbook.region, what, by=by, reason=why, about=playbook.ref.key)
        for change in backing_up(playbook.backups, name):
            click.echo(f"taken: {keeper.take(change).made}")
    known = keeper.known(playbook.backups)
    console().print(backup_table(known, now=now))
    for of in dict.fromkeys(each.of for each in known):
        newest = next((each for each in known if each.of == of and each.usable), None)
        if newest is not None:
            click.echo(f"\nTo restore the newest of {of} beside it, run:\n  {newest.restore_command(playbook.region)}")
