"""`responder incidents`: those that are open and those of late, for people and for programs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from tools.cli.completion import known_services
from tools.cli.options import Length, ledger_options, region_of, service_of, with_options

if TYPE_CHECKING:
    from functions.domain.incidents import Incident
    from functions.workflow.story import Story
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
    """List incidents: those that are open, and those of the last day.

    One that is open is listed however old it is.
    """
    from functions.domain.model import canonical_json
    from functions.workflow.story import tell
    from functions.workflow.table import StepName
    from tools.cli.listed import listed
    from tools.cli.render import console, incident_table, stopped, unmatched_table
    from tools.cli.windows import windows_of

    ledger, now = desk.open_ledger(table, region_of(region)), desk.now()
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
    found = listed(ledger, now=now, since=since, only_open=only_open, service=ref)
    # What nobody asks for is not read: a trail is a request of its own.
    told = {i.id: tell(ledger.events(i.id)) for i in found if as_json or i.closed_at is None}
    shown = [i for i in found if not wanted or wanted & {_status(i), _state(i, told.get(i.id))}]
    if as_json:
        plain = [_plain(incident, told[incident.id], now=now) for incident in shown]
        click.echo(canonical_json({"stopped": said, "incidents": plain}))
        return
    waiting = {i.id: ledger.approval(i.id) for i in shown if i.step == StepName.APPROVAL}
    notes = {i.id: windows_of(ledger.switch(i.service), told[i.id], now=now) for i in shown if i.id in told}
    console().print(incident_table(shown, now=now, approvals=waiting, notes=notes))


def _status(incident: "Incident") -> str:
    return incident.status.value


def _state(incident: "Incident", story: "Story | None") -> State:
    if incident.closed_at is not None or story is None:
        return State.RESOLVED
    if story.taken_by is not None:
        return State.TAKEN
    if story.request is not None and story.request.ended is None:
        return State.ASKED
    return State.ESCALATED if story.paged or story.escalated else State.WORKING


def _plain(incident: "Incident", story: "Story", *, now: datetime) -> Mapping[str, Any]:
    """The documented shape. Fields may be added to it, and none is taken away."""
    end = now if incident.closed_at is None else incident.closed_at
    decision, state = story.decision, _state(incident, story)
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
