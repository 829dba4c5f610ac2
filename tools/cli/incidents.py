"""`responder incidents`: those that are open and those of late, for people and for programs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from tools.cli.completion import known_services
from tools.cli.options import Length, ledger_options, region_of, service_of, with_options

if TYPE_CHECKING:
    from functions.domain.services import ServiceRef
    from tools.cli.listed import Line
    from tools.cli.main import Desk


class State(StrEnum):
    """How an incident stands; `open` stands for all but the last."""

    WORKING = "working"
    """The responder looks, acts or waits for an effect."""
    ASKED = "asked"
    """People are asked, and have not answered."""
    ESCALATED = "escalated"
    """People were paged, and nobody leads it yet."""
    TAKEN = "taken"
    """A person leads it."""
    RESOLVED = "resolved"


OPEN = "open"


@click.command()
@click.option(
    "--state",
    "states",
    type=click.Choice([OPEN, *(each.value for each in State)]),
    multiple=True,
    help="Only those that stand so; open is all but resolved. May be repeated.",
)
@click.option(
    "--service", metavar="SERVICE", shell_complete=known_services, help="Only this service: [region/]cluster/service."
)
@click.option("--since", type=Length(), default="24h", show_default=True, help="How far to look back.")
@click.option("--unmatched", is_flag=True, help="Signals that belong to no playbook, instead of incidents.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@with_options(*ledger_options)
@click.pass_obj
def incidents(
    desk: "Desk",
    states: tuple[str, ...],
    service: str | None,
    since: timedelta,
    unmatched: bool,
    as_json: bool,
    table: str,
    region: str | None,
) -> None:
    """List incidents with what happened, why, what was done, and what happens now: those that are open, however old,
    and those of the last day.
    """
    from functions.domain.model import canonical_json
    from tools.cli.listed import lines, listed
    from tools.cli.render import console, listing, stopped, unmatched_table

    known, now = region_of(region), desk.now()
    ledger = desk.open_ledger(table, known)
    fleet = ledger.fleet_switch()
    said = fleet.said if fleet.stopped else None
    if said is not None and not as_json:
        console().print(stopped(said))
    if unmatched:
        signals = ledger.unmatched()
        if as_json:
            click.echo(canonical_json({"stopped": said, "unmatched": [_signal(*each) for each in signals]}))
        else:
            console().print(unmatched_table(signals))
        return
    wanted = set(states)
    ref = None if service is None else service_of(service, region)
    only_open = bool(wanted) and State.RESOLVED not in wanted
    found = lines(ledger, listed(ledger, now=now, since=since, only_open=only_open, service=ref), now=now)
    shown = [each for each in found if not wanted or wanted & {each.incident.status.value, _state(each)}]
    if as_json:
        click.echo(canonical_json({"stopped": said, "incidents": [_plain(each, now=now) for each in shown]}))
        return
    console().print(listing(shown, where=_where(known, since, ref, states), now=now))


def _where(region: str, since: timedelta, ref: "ServiceRef | None", states: tuple[str, ...]) -> str:
    """Which list this is, so that an empty one is not mistaken for another."""
    from functions.domain.durations import written

    whose, stands = f"in {region}" if ref is None else f"of {ref}", " or ".join(states)
    if states and State.RESOLVED not in states:
        return f"{whose}, {stands}"
    return (
        f"{whose}, {stands or 'open'} or of the last {written(int(since.total_seconds()))} (--since looks further back)"
    )


def _state(line: "Line") -> State:
    story = line.story
    if line.incident.closed_at is not None:
        return State.RESOLVED
    if story.taken_by is not None:
        return State.TAKEN
    if story.request is not None and story.request.ended is None:
        return State.ASKED
    return State.ESCALATED if story.paged or story.escalated else State.WORKING


def _plain(line: "Line", *, now: datetime) -> Mapping[str, Any]:
    """The documented shape. Fields may be added to it, and none is taken away."""
    incident, story, state = line.incident, line.story, _state(line)
    end = now if incident.closed_at is None else incident.closed_at
    decision = story.decision
    asked = story.request if state is State.ASKED else None
    return {
        "id": incident.id,
        "service": incident.service.key,
        "title": incident.title,
        "status": incident.status.value,
        "state": state.value,
        "step": incident.step,
        "opened_at": _written(incident.opened_at),
        "closed_at": _written(incident.closed_at),
        "took_s": round((end - incident.opened_at).total_seconds()),
        "severity": None if story.grade is None else story.grade.severity.value,
        "cause": None if decision is None else decision.cause.value,
        "confidence": None if decision is None else decision.confidence,
        "actions": [intent.plan.rung for intent in story.intents if intent.stage == 0],
        "paged": bool(story.paged),
        "acknowledged_by": story.acknowledged_by,
        "taken_by": story.taken_by,
        "asked_until": None if asked is None else _written(asked.expires_at),
        "events": incident.head_sequence,
        "head_hash": incident.head_hash,
    }


def _signal(signal: Any, reason: str) -> Mapping[str, Any]:
    return {
        "title": signal.title,
        "region": signal.region,
        "occurred_at": _written(signal.occurred_at),
        "reason": reason,
    }


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
