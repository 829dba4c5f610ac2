"""`responder replay` and `responder backtest`: what another playbook, or today's code, would have done."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functions.domain.errors import InputError
from tools.cli.options import Length, ledger_options, playbooks_option, region_of, with_options
from tools.cli.playbooks import playbook_of

if TYPE_CHECKING:
    from functions.playbooks.schema import Playbook
    from functions.ports import Ledger
    from tools.cli.main import Desk
    from tools.cli.replaying import Replay

DIFFERS = 3
"""Exit status where something would be otherwise."""
NOT_DECIDED = 1
"""Exit status where nothing that could be decided differs, and something could not be decided."""

MOST = 10_000
"""Incidents of one service that are gone through."""


@click.command()
@click.argument("incident_id", metavar="ID")
@click.option("--playbook", type=click.Path(path_type=Path), metavar="FILE", help="Decide by this playbook.")
@playbooks_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@with_options(*ledger_options)
@click.pass_context
def replay(
    context: click.Context,
    incident_id: str,
    playbook: Path | None,
    playbooks: Path,
    as_json: bool,
    table: str,
    region: str | None,
) -> None:
    """Decide an incident again, on the evidence that its trail recorded, and show what would differ, look by look.

    It reads the ledger and its archive, and nothing else. Exit status: 0 the same, 3 something differs, 1 a part could
    not be decided.
    """
    from tools.cli.render import console
    from tools.cli.render_replay import replayed
    from tools.cli.replaying import Again, Kind

    desk: Desk = context.obj
    ledger = desk.open_ledger(table, region_of(region))
    incident = ledger.incident(incident_id)
    found = playbook_of(playbooks if playbook is None else playbook, incident.service)
    made = Again(ledger=ledger, playbook=found)(incident_id)
    if as_json:
        click.echo(_json(made))
    else:
        console().print(replayed(made))
    undecided = any(step.kind is Kind.NOT_DECIDED for step in made.steps) or not made.steps
    context.exit(DIFFERS if made.differs else NOT_DECIDED if undecided else 0)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PLAYBOOK...", type=click.Path(path_type=Path))
@click.option("--since", type=Length(), default="90d", show_default=True, help="How far to look back.")
@click.option("--all", "everything", is_flag=True, help="Also list incidents in which nothing differs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@with_options(*ledger_options)
@click.pass_context
def backtest(
    context: click.Context,
    paths: tuple[Path, ...],
    since: timedelta,
    everything: bool,
    as_json: bool,
    table: str,
    region: str | None,
) -> None:
    """Replay every recorded incident of a playbook's service by that playbook; what looks most harmful comes first.

    It reads the ledger and its archive, and nothing else. Exit status: 0 nothing differs, 3 something does, 1 a part
    could not be decided.
    """
    from functions.domain.model import canonical_json
    from functions.playbooks.loading import load_playbooks
    from tools.cli.render import console
    from tools.cli.render_replay import backtested
    from tools.cli.replaying import Kind

    desk: Desk = context.obj
    known = load_playbooks(paths)
    if not known:
        raise InputError(f"no playbook in {', '.join(map(str, paths))}; write one that ends in .yaml")
    ledger = desk.open_ledger(table, region_of(region))
    made: list[Replay] = []
    unread: dict[str, str] = {}
    for playbook in known:
        found, failed = _history(ledger, playbook, desk=desk, since=since)
        made += found
        unread |= failed
    made.sort(key=lambda each: (each.kind, -each.incident.opened_at.timestamp()))
    if as_json:
        counts = {kind.name.lower().replace("_", "-"): sum(each.kind is kind for each in made) for kind in Kind}
        incidents = [_plain(each) for each in made]
        click.echo(canonical_json({"counts": counts, "incidents": incidents, "unread": unread}))
    else:
        console().print(backtested(made, unread, playbooks=known, since=since, everything=everything))
    undecided = bool(unread) or any(each.kind is Kind.NOT_DECIDED for each in made)
    context.exit(DIFFERS if any(each.differs for each in made) else NOT_DECIDED if undecided else 0)


def _history(
    ledger: "Ledger", playbook: "Playbook", *, desk: "Desk", since: timedelta
) -> "tuple[Sequence[Replay], dict[str, str]]":
    """Every incident of the service, and of those that cannot be replayed, why."""
    from functions.domain.errors import NotInLedger, TrailBroken
    from tools.cli.replaying import Again

    again, begins = Again(ledger=ledger, playbook=playbook), desk.now() - since
    made: list[Replay] = []
    unread: dict[str, str] = {}
    for incident in ledger.incidents_of(playbook.ref, limit=MOST):
        if incident.opened_at < begins:
            break
        try:
            made.append(again(incident.id))
        except (TrailBroken, NotInLedger) as error:
            unread[incident.id] = str(error)
    return made, unread


def _json(made: "Replay") -> str:
    from functions.domain.model import canonical_json

    return canonical_json(_plain(made))


def _plain(made: "Replay") -> dict[str, object]:
    """Of one incident: what differs, look by look."""
    return {
        "id": made.incident.id,
        "service": made.incident.service.key,
        "title": made.incident.title,
        "opened_at": made.incident.opened_at.isoformat(),
        "playbook": made.playbook,
        "kind": made.kind.name.lower().replace("_", "-"),
        "steps": [
            {**step.model_dump(mode="json"), "kind": step.kind.name.lower().replace("_", "-")} for step in made.steps
        ],
    }


COMMANDS = (replay, backtest)
