"""How the ledger's records lie in the table: keys and items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from functions.adapters.dynamo import Item
from functions.domain.heartbeat import ID_PREFIX, is_heartbeat
from functions.domain.incidents import UNREADABLE_SWITCH, Event, FleetSwitch, InboxEntry, Incident, IncidentStatus
from functions.domain.model import Model, canonical_json, digest
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal
from functions.domain.table import BY_SERVICE, LISTED, OPEN, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE

if TYPE_CHECKING:
    from functions.domain.approvals import Approval
    from functions.domain.byhand import ByHand
    from functions.domain.changes import Lease
    from functions.domain.troubles import Trouble

INCIDENTS = "incidents"
LEASES = "leases"
UNMATCHED = "unmatched"
BY_HAND = "by-hand"

SIGNALS_KEPT = timedelta(days=180)
"""Longer than the 90 days after which Step Functions lets an execution name be used again: whoever repeats a signal
must not start an old incident's execution anew."""

UNMATCHED_KEPT = timedelta(days=90)
CLAIMS_KEPT = timedelta(days=400)
HEARTBEATS_KEPT = timedelta(days=14)
"""Its lock, its head, its trail and its inbox. A lock that outlives a responder that was broken so long goes, too."""

FLEET = "FLEET"
"""The partition of what holds for every service at once."""

TASK_TOKEN = "task_token"
"""Attribute of a head: what wakes the execution that listens. `WAKES` says by which signals."""
WAKES = "wakes"

_EVENT = "EVENT#"
_SIGNAL = "SIGNAL#"
_RELEASE = "RELEASE#"
_LEASE = "LEASE#"
TROUBLES = "TROUBLE#"


def stamp(moment: datetime) -> str:
    """The time as a text that sorts by time: UTC, always 32 characters."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def key(partition: str, sort: str) -> Item:
    return {PARTITION_KEY: partition, SORT_KEY: sort}


def incident_partition(incident_id: str) -> str:
    return f"INCIDENT#{incident_id}"


def service_partition(service_key: str) -> str:
    return f"SERVICE#{service_key}"


def head_key(incident_id: str) -> Item:
    return key(incident_partition(incident_id), "HEAD")


def approval_key(incident_id: str) -> Item:
    return key(incident_partition(incident_id), "APPROVAL")


def lock_key(ref: ServiceRef) -> Item:
    return key(service_partition(ref.key), "LOCK")


def switch_key(ref: ServiceRef) -> Item:
    return key(service_partition(ref.key), "SWITCH")


def fleet_switch_key() -> Item:
    return key(FLEET, "SWITCH")


def fleet_switch_of(item: Item | None) -> FleetSwitch:
    if item is None:
        return FleetSwitch(stopped=False)
    try:
        return FleetSwitch.model_validate_json(str(item.get("body", "")))
    except ValidationError:
        return UNREADABLE_SWITCH


def budget_key(ref: ServiceRef | None) -> Item:
    """The charges of a service, or of the whole fleet."""
    return key(FLEET if ref is None else service_partition(ref.key), "BUDGET")


def ineffective_key(ref: ServiceRef) -> Item:
    return key(service_partition(ref.key), "INEFFECTIVE")


def trouble_key(service_key: str) -> Item:
    return key(FLEET, TROUBLES + service_key)


def release_key(ref: ServiceRef, task_definition: str) -> Item:
    return key(service_partition(ref.key), _RELEASE + task_definition)


def lease_key(lease: Lease) -> Item:
    return key(service_partition(lease.service_key), _LEASE + lease.id)


def recorded_key(signal: Signal) -> Item:
    return key(f"RECORDED#{signal.dedupe_key}", "SIGNAL")


def unmatched_key(signal: Signal) -> Item:
    return key(f"UNMATCHED#{signal.dedupe_key}", "SIGNAL")


def claim_key(what: str) -> Item:
    return key(f"CLAIM#{what}", "CLAIM")


EVENTS, SIGNALS, RELEASES, LEASES_OUT = _EVENT, _SIGNAL, _RELEASE, _LEASE
"""What the sort keys of each kind of record begin with."""


def body(model: Model) -> str:
    """A nested record as one text: DynamoDB would turn its numbers into decimals and drop its empty sets."""
    return canonical_json(model.model_dump(mode="json"))


def head_item(incident: Incident) -> Item:
    item: Item = {
        **head_key(incident.id),
        "id": incident.id,
        "service": incident.service.key,
        "status": incident.status.value,
        "title": incident.title,
        "opened_at": stamp(incident.opened_at),
        "updated_at": stamp(incident.updated_at),
        "generation": incident.generation,
        "head_sequence": incident.head_sequence,
        "head_hash": incident.head_hash,
        "signals_received": incident.signals_received,
        "signals_seen": incident.signals_seen,
        "step": incident.step,
        LISTED.sort_key: stamp(incident.opened_at),
        **lists(incident.service, incident.status),
        **expiry(incident.id, incident.opened_at),
    }
    if incident.closed_at is not None:
        item["closed_at"] = stamp(incident.closed_at)
    return item


def lists(ref: ServiceRef, status: IncidentStatus) -> Item:
    """The keys of the lists that have the incident, and those that have it no longer. A heartbeat is in none."""
    if is_heartbeat(ref):
        return {}
    listed: Item = {LISTED.partition_key: INCIDENTS, BY_SERVICE.partition_key: ref.key}
    return {**listed, OPEN.partition_key: "open"} if status is IncidentStatus.OPEN else listed


def expiry(incident_id: str, at: datetime) -> Item:
    """When a record of the incident is deleted: never, but for a heartbeat, of which nobody asks after some days."""
    return {TTL_ATTRIBUTE: _epoch(at + HEARTBEATS_KEPT)} if incident_id.startswith(ID_PREFIX) else {}


def incident_of(item: Item) -> Incident:
    return Incident.model_validate({**item, "service": ServiceRef.parse(str(item["service"]))})


def event_item(event: Event) -> Item:
    return {
        **key(incident_partition(event.incident_id), f"{_EVENT}{event.sequence:06d}"),
        "body": body(event),
        **expiry(event.incident_id, event.at),
    }


def event_of(item: Item) -> Event:
    return Event.model_validate_json(str(item["body"]))


def inbox_item(incident_id: str, entry: InboxEntry) -> Item:
    return {
        **key(incident_partition(incident_id), f"{_SIGNAL}{entry.number:06d}"),
        "body": body(entry),
        **expiry(incident_id, entry.received_at),
    }


def recorded_item(signal: Signal, incident_id: str | None, at: datetime) -> Item:
    item: Item = {**recorded_key(signal), TTL_ATTRIBUTE: _epoch(at + SIGNALS_KEPT)}
    if incident_id is not None:
        item["incident"] = incident_id
    return item


def unmatched_item(signal: Signal, reason: str, at: datetime) -> Item:
    return {
        **unmatched_key(signal),
        "body": body(signal),
        "reason": reason,
        LISTED.partition_key: UNMATCHED,
        LISTED.sort_key: stamp(at),
        TTL_ATTRIBUTE: _epoch(at + UNMATCHED_KEPT),
    }


def claim_item(what: str, at: datetime) -> Item:
    return {**claim_key(what), "at": stamp(at), TTL_ATTRIBUTE: _epoch(at + CLAIMS_KEPT)}


def lease_item(lease: Lease) -> Item:
    return {
        **lease_key(lease),
        "incident": lease.incident_id,
        "body": body(lease),
        LISTED.partition_key: LEASES,
        LISTED.sort_key: stamp(lease.due_at),
    }


def by_hand_item(note: ByHand) -> Item:
    return {
        **key(f"BYHAND#{digest(note.model_dump(mode='json'))}", "NOTE"),
        "body": body(note),
        LISTED.partition_key: BY_HAND,
        LISTED.sort_key: stamp(note.at),
    }


def approval_item(approval: Approval) -> Item:
    return {**approval_key(approval.incident_id), "body": body(approval)}


def charges_item(ref: ServiceRef | None, charges: tuple[datetime, ...]) -> Item:
    return {**budget_key(ref), "body": json.dumps([stamp(charge) for charge in charges])}


def charges_of(item: Item | None) -> tuple[datetime, ...]:
    """Newest first; none where nothing was ever charged."""
    return () if item is None else tuple(datetime.fromisoformat(text) for text in json.loads(str(item["body"])))


def ineffective_item(ref: ServiceRef, known: Mapping[str, datetime]) -> Item:
    return {**ineffective_key(ref), "body": json.dumps({each: stamp(at) for each, at in known.items()})}


def ineffective_of(item: Item | None) -> dict[str, datetime]:
    """By incident; none where every action helped."""
    known = {} if item is None else json.loads(str(item["body"]))
    return {each: datetime.fromisoformat(at) for each, at in known.items()}


def trouble_item(trouble: Trouble) -> Item:
    return {**trouble_key(trouble.service_key), "body": body(trouble)}


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
