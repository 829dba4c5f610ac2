"""The rules of the ledger that do not depend on where it lies: every ledger computes its next records here.

Pure functions from what is stored to what is to be stored, so that two ledgers cannot disagree on a rule.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.domain.errors import Superseded, TrailBroken
from functions.domain.heartbeat import ID_PREFIX, is_heartbeat
from functions.domain.history import Release, ReleaseState
from functions.domain.incidents import GENESIS, Event, Fact, Incident, IncidentStatus, NewEvent
from functions.domain.model import canonical_json
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal

if TYPE_CHECKING:
    from functions.domain.byhand import ByHand
    from functions.ports import Archive

ARCHIVE_ABOVE = 8 * 1024
"""Bytes of canonical JSON beyond which an event's data lies in the archive, and only its hash in the trail."""

EVENTS_PER_APPEND = 90
"""DynamoDB takes 100 items in one transaction; the head, a lease, two budgets and a request travel with the events."""

BUDGET_WINDOW = timedelta(hours=1)
CHARGES_KEPT = timedelta(days=1)
"""How far back the ledger remembers charges: the budget looks back an hour, a cooldown somewhat further."""


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def incident_id(signal: Signal, ref: ServiceRef, at: datetime) -> str:
    """Sortable by time and readable aloud; the tail comes from the signal, so that the same opening has the same id."""
    prefix = ID_PREFIX if is_heartbeat(ref) else "inc"
    return f"{prefix}-{utc(at):%Y%m%d-%H%M%S}-{signal.dedupe_key[:6]}"


def opening(signal: Signal, ref: ServiceRef, at: datetime) -> tuple[Incident, Event]:
    """The incident that this signal opens, and the first line of its trail."""
    identifier = incident_id(signal, ref, at)
    event = Event.chain(
        identifier,
        1,
        at,
        NewEvent(
            fact=Fact.INCIDENT_OPENED,
            actor="intake",
            summary=signal.title,
            data={"service": ref.key, "signal": signal.model_dump(mode="json")},
        ),
        GENESIS,
    )
    incident = Incident(
        id=identifier,
        service=ref,
        status=IncidentStatus.OPEN,
        title=signal.title,
        opened_at=at,
        updated_at=at,
        head_sequence=event.sequence,
        head_hash=event.hash,
        signals_received=1,
        step="intake",
    )
    return incident, event


def continued(incident: Incident, new: Sequence[NewEvent], at: datetime, archive: Archive | None) -> tuple[Event, ...]:
    """The events that follow the incident's head.

    Raises:
        ValueError: if there are none, or more than one transaction can carry.
    """
    if not 1 <= len(new) <= EVENTS_PER_APPEND:
        raise ValueError(f"an append carries 1 to {EVENTS_PER_APPEND} events, not {len(new)}")
    events: list[Event] = []
    previous = incident.head_hash
    for sequence, event in enumerate(new, start=incident.head_sequence + 1):
        lean = event.model_copy(update={"data": _archived(event.data, archive)})
        events.append(Event.chain(incident.id, sequence, at, lean, previous))
        previous = events[-1].hash
    return tuple(events)


def advanced(incident: Incident, events: Sequence[Event], **changes: object) -> Incident:
    """The head after these events."""
    last = events[-1]
    return incident.model_copy(
        update={"head_sequence": last.sequence, "head_hash": last.hash, "updated_at": last.at, **changes}
    )


def _archived(data: Mapping[str, Any], archive: Archive | None) -> Mapping[str, Any]:
    body = canonical_json(dict(data))
    if archive is None or len(body) <= ARCHIVE_ABOVE:
        return data
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    url = archive.keep(f"evidence/{sha256}.json", body, content_type="application/json")
    return {"archived": url, "sha256": sha256}


def evidence(event: Event, archive: Archive | None) -> Mapping[str, Any]:
    """The data of an event as it was appended, fetched from the archive where the trail holds only its hash.

    Raises:
        TrailBroken: if the archived document is not the one that was appended.
        ReadFailed: if it cannot be fetched.
    """
    if archive is None or set(event.data) != {"archived", "sha256"}:
        return event.data
    body = archive.fetch(str(event.data["archived"]))
    if hashlib.sha256(body.encode()).hexdigest() != event.data["sha256"]:
        raise TrailBroken(f"the archived evidence of event {event.sequence} was changed after it was written")
    fetched: dict[str, Any] = json.loads(body)
    return fetched


def charged(charges: Sequence[datetime], *, at: datetime, limit: int, of: str) -> tuple[datetime, ...]:
    """The charges with one more, newest first, without those nobody asks for any longer.

    Raises:
        Superseded: if the hour that ends now holds `limit` charges already; a limit of 0 allows none.
    """
    used = sum(1 for charge in charges if charge > at - BUDGET_WINDOW)
    if used >= limit:
        raise Superseded(f"the budget of {of} is used up: {used} actions in the last hour, {limit} allowed")
    return tuple(sorted((at, *(c for c in charges if c > at - CHARGES_KEPT)), reverse=True))


def failed_again(known: Mapping[str, datetime], incident_id: str, *, at: datetime) -> dict[str, datetime]:
    """Which incidents were acted upon without effect, with one more, and without those nobody asks for any longer."""
    return {
        **{each: when for each, when in known.items() if when > at - CHARGES_KEPT},
        incident_id: known.get(incident_id, at),
    }


def noted(
    known: Release | None, task_definition: str, *, at: datetime, surroundings: str, passed: bool = False
) -> Release:
    """The release after it was seen running at that time, and where `passed`, passing its checks."""
    if known is None:
        known = Release(task_definition=task_definition, first_seen=at, last_seen=at)
    return known.model_copy(
        update={
            "first_seen": min(known.first_seen, at),
            "last_seen": max(known.last_seen, at),
            "surroundings": surroundings or known.surroundings,
            "passed": known.passed + passed,
        }
    )


def judged(known: Release | None, task_definition: str, state: ReleaseState, *, reason: str, at: datetime) -> Release:
    """The release after a judgement; a quarantined one keeps its state, a suspect one begins to prove itself anew."""
    if known is None:
        known = Release(task_definition=task_definition, first_seen=at, last_seen=at)
    if known.state is ReleaseState.QUARANTINED and state is not ReleaseState.QUARANTINED:
        return known
    passed = 0 if state is ReleaseState.SUSPECT else known.passed
    return known.model_copy(update={"state": state, "reason": reason, "passed": passed})


def judged_by_hand(
    known: Release | None, task_definition: str, state: ReleaseState, note: ByHand, *, was: ReleaseState | None
) -> Release:
    """The release after a person's judgement, which lifts a quarantine, too; it begins to prove itself anew.

    Raises:
        Superseded: if its state is not the one that the person saw.
    """
    if (None if known is None else known.state) is not was:
        now = "not on record" if known is None else known.state
        raise Superseded(f"{task_definition} is {now} by now: look again first")
    if known is None:
        known = Release(task_definition=task_definition, first_seen=note.at, last_seen=note.at)
    reason = f"{note.by}: {note.reason}" if note.reason else note.by
    return known.model_copy(update={"state": state, "reason": reason, "passed": 0})


def newest_first(releases: Sequence[Release]) -> tuple[Release, ...]:
    """By the time a release was last seen running: one that came back is newer than the one it replaced."""
    return tuple(sorted(releases, key=lambda r: (r.last_seen, r.first_seen, r.task_definition), reverse=True))
