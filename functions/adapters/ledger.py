"""The ledger on DynamoDB: one table, every write conditional, every decision read consistently by primary key.

| record           | pk                     | sk                        | in index                            |
| ---------------- | ---------------------- | ------------------------- | ----------------------------------- |
| incident         | INCIDENT#id            | HEAD                      | listed, by-service; open while open |
| its trail        | INCIDENT#id            | EVENT#sequence            |                                     |
| its inbox        | INCIDENT#id            | SIGNAL#number             |                                     |
| its approval     | INCIDENT#id            | APPROVAL                  |                                     |
| lock             | SERVICE#key            | LOCK                      |                                     |
| switch           | SERVICE#key            | SWITCH                    |                                     |
| charges          | SERVICE#key or FLEET   | BUDGET                    |                                     |
| fleet switch     | FLEET                  | SWITCH                    |                                     |
| no effect        | SERVICE#key            | INEFFECTIVE               |                                     |
| trouble          | FLEET                  | TROUBLE#key               |                                     |
| release          | SERVICE#key            | RELEASE#task definition   |                                     |
| lease            | SERVICE#key            | LEASE#id                  | listed, by its end                  |
| recorded signal  | RECORDED#dedupe key    | SIGNAL (180 days)         |                                     |
| unmatched signal | UNMATCHED#dedupe key   | SIGNAL (90 days)          | listed                              |
| claim            | CLAIM#what             | CLAIM (400 days)          |                                     |
| by hand          | BYHAND#hash of it      | NOTE                      | listed                              |

A heartbeat's incident is in no index, and its records expire after 14 days.

The head is written by two parties: intake counts signals, the workflow moves everything else. Neither overwrites what
is the other's, and each is refused when its own part changed meanwhile. Where the workflow listens, its task token lies
in the head, and each of the two is refused when the other was first. The approval is written by the workflow when it
asks, and by a person who answers.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.adapters import bookkeeping, items
from functions.adapters.dynamo import ABSENT, ANYTHING, Cancelled, Expected, Item, Place, Table, Writes, place
from functions.domain.byhand import ByHand
from functions.domain.errors import NotInLedger, Superseded, TrailBroken
from functions.domain.history import Release, ReleaseState
from functions.domain.incidents import (
    Event,
    FleetSwitch,
    InboxEntry,
    Incident,
    IncidentStatus,
    NewEvent,
    Opening,
    Switch,
)
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, Wakes
from functions.domain.table import BY_SERVICE, LISTED, OPEN, SORT_KEY

if TYPE_CHECKING:
    from functions.domain.approvals import Approval
    from functions.domain.changes import Lease
    from functions.domain.troubles import Trouble
    from functions.ports import Ahead, Archive, BudgetCharge, CaseFile, Clock, Fleet, ServiceRecord

CALLS = (
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:ConditionCheckItem",
)
"""IAM actions. TransactWriteItems is authorised by those of its parts (DynamoDB Developer Guide, "Using IAM with
DynamoDB transactions")."""

ATTEMPTS = 6
"""How often a write is computed anew after somebody else was faster, before giving up."""


class DynamoLedger:
    """The `Ledger` of the deployed responder. IAM actions: `CALLS`, on the table and (Query) on its indexes.

    Raises LedgerError from every method when DynamoDB does not answer or refuses.
    """

    def __init__(
        self,
        client: Any,
        *,
        table: str,
        clock: Clock,
        archive: Archive | None = None,
        pause: Callable[[float], None] = time.sleep,
        written: Callable[[Incident, Sequence[Event]], None] = lambda incident, events: None,
    ) -> None:
        """`written` is told of every line of a trail, once it stands there."""
        self._table = Table(client, table)
        self._clock = clock
        self._archive = archive
        self._pause = pause
        self._written = written

    # --- intake

    def look_ahead(self, signals: Sequence[tuple[Signal, ServiceRef]]) -> Ahead:
        known = self._table.get_all(
            key for signal, ref in signals for key in (items.recorded_key(signal), items.lock_key(ref))
        )
        concerned = {str(item["incident"]) for item in known.values() if item is not None and "incident" in item}
        return {**known, **self._table.get_all(map(items.head_key, sorted(concerned)))}

    def record_signal(self, signal: Signal, ref: ServiceRef, *, may_open: bool, ahead: Ahead | None = None) -> Opening:
        ahead = {} if ahead is None else ahead
        recorded_at = place(items.recorded_key(signal))
        for attempt in range(ATTEMPTS):
            now = self._now()
            if ahead.get(recorded_at) is not None:
                return self._recorded_before(signal, ahead)
            lock = self._known(items.lock_key(ref), ahead)
            opened: tuple[Incident, tuple[Event, ...]] | None = None
            if lock is not None:
                head = self._head(str(lock["incident"]), ahead)
                writes, opening, written = self._join(signal, ref, head, now)
            elif may_open:
                incident, event = bookkeeping.opening(signal, ref, now)
                opened = incident, (event,)
                writes, opening, written = self._open(signal, ref, incident, event)
            else:
                recorded = items.recorded_item(signal, None, now)
                writes = self._table.writes().put(recorded, when=ABSENT).check(items.lock_key(ref), when=ABSENT)
                opening, written = Opening(incident_id=None), (recorded,)
            try:
                self._table.transact(writes)
            except Cancelled as cancelled:
                # What was read ahead is no longer so: it is read again, here and by who comes next.
                for at in (recorded_at, place(items.lock_key(ref)), *_heads(lock)):
                    ahead.pop(at, None)
                if cancelled.refused(0):
                    return self._recorded_before(signal, ahead)
                self._wait(attempt)
            else:
                ahead.update({place(item): item for item in written})
                if opened:
                    self._written(*opened)
                return opening
        raise Superseded(f"the incident of {ref} kept changing; the signal was not recorded")

    def _join(
        self, signal: Signal, ref: ServiceRef, head: Item, now: datetime
    ) -> tuple[Writes, Opening, tuple[Item, ...]]:
        """The writes, what comes of them, and what lies there then of what was read."""
        incident_id, received = str(head["id"]), int(head["signals_received"])
        entry = InboxEntry(number=received + 1, received_at=now, signal=signal)
        recorded = items.recorded_item(signal, incident_id, now)
        writes = (
            self._table.writes()
            .put(recorded, when=ABSENT)
            .check(items.lock_key(ref), when={"incident": incident_id})
            .update(
                items.head_key(incident_id),
                # Whoever begins to listen meanwhile is seen the next time.
                when={
                    "status": IncidentStatus.OPEN.value,
                    "signals_received": received,
                    items.TASK_TOKEN: head.get(items.TASK_TOKEN),
                },
                changes={"signals_received": entry.number},
            )
            .put(items.inbox_item(incident_id, entry), when=ABSENT)
        )
        opening = _opening_of(head, signal)
        return writes, opening, (recorded, {**head, "signals_received": entry.number})

    def _open(
        self, signal: Signal, ref: ServiceRef, incident: Incident, event: Event
    ) -> tuple[Writes, Opening, tuple[Item, ...]]:
        now = incident.opened_at
        entry = InboxEntry(number=1, received_at=now, signal=signal)
        recorded, head = items.recorded_item(signal, incident.id, now), items.head_item(incident)
        lock: Item = {**items.lock_key(ref), "incident": incident.id, **items.expiry(incident.id, now)}
        writes = (
            self._table.writes()
            .put(recorded, when=ABSENT)
            .put(lock, when=ABSENT)
            .put(head, when=ABSENT)
            .put(items.event_item(event), when=ABSENT)
            .put(items.inbox_item(incident.id, entry), when=ABSENT)
        )
        opening = Opening(incident_id=incident.id, generation=incident.generation, opened=True)
        return writes, opening, (recorded, lock, head)

    def _recorded_before(self, signal: Signal, ahead: Ahead) -> Opening:
        recorded = self._known(items.recorded_key(signal), ahead)
        if recorded is None or "incident" not in recorded:
            return Opening(incident_id=None, duplicate=True)
        return _opening_of(self._head(str(recorded["incident"]), ahead), signal, duplicate=True)

    def listen(self, incident_id: str, generation: int, token: str, *, wakes: Wakes, signals: int | None) -> bool:
        when: Expected = {"status": IncidentStatus.OPEN.value, "generation": generation}
        for attempt in range(ATTEMPTS):
            heard = {} if signals is None else {"signals_received": signals}
            writes = self._table.writes().update(
                items.head_key(incident_id),
                when={**when, **heard},
                changes={items.TASK_TOKEN: token, items.WAKES: wakes.value},
            )
            try:
                self._table.transact(writes)
            except Cancelled as cancelled:
                if not cancelled.refused(0):
                    self._wait(attempt)
                    continue
                head = self._head(incident_id, {})
                if any(head[name] != value for name, value in when.items()):
                    break
                return False
            else:
                return True
        raise Superseded(f"incident {incident_id} was closed or taken over meanwhile")

    def _known(self, at: Item, ahead: Ahead) -> Item | None:
        where = place(at)
        found: Item | None = ahead[where] if where in ahead else self._table.get(at)
        return found

    def _head(self, incident_id: str, ahead: Ahead) -> Item:
        item = self._known(items.head_key(incident_id), ahead)
        if item is None:
            raise NotInLedger(f"no incident {incident_id!r} in the ledger")
        return item

    def record_unmatched(self, signal: Signal, reason: str) -> bool:
        item = items.unmatched_item(signal, reason, self._now())
        try:
            self._table.transact(self._table.writes().put(item, when=ABSENT))
        except Cancelled as cancelled:
            if cancelled.refused(0):
                return False
            raise
        return True

    # --- the incident

    def incident(self, incident_id: str) -> Incident:
        return items.incident_of(self._head(incident_id, {}))

    def events(self, incident_id: str) -> Sequence[Event]:
        found = self._table.records(items.incident_partition(incident_id), items.EVENTS)
        return tuple(items.event_of(item) for item in found)

    def evidence(self, event: Event) -> Mapping[str, Any]:
        return bookkeeping.evidence(event, self._archive)

    def inbox(self, incident_id: str) -> Sequence[InboxEntry]:
        found = self._table.records(items.incident_partition(incident_id), items.SIGNALS)
        return tuple(InboxEntry.model_validate_json(str(item["body"])) for item in found)

    def case_file(self, incident_id: str) -> CaseFile:
        from functions.ports import CaseFile

        # A query may see a transaction in parts (DynamoDB Developer Guide, "Isolation levels and transactions").
        for attempt in range(ATTEMPTS):
            found = self._table.partition(items.incident_partition(incident_id))
            head = _in(found, items.head_key(incident_id))
            if head is None:
                raise NotInLedger(f"no incident {incident_id!r} in the ledger")
            incident = items.incident_of(head)
            events = tuple(items.event_of(item) for item in _of_kind(found, items.EVENTS))
            inbox = tuple(InboxEntry.model_validate_json(str(item["body"])) for item in _of_kind(found, items.SIGNALS))
            if events and events[-1].hash == incident.head_hash and len(inbox) >= incident.signals_received:
                return CaseFile(incident=incident, events=events, inbox=inbox)
            self._wait(attempt)
        raise TrailBroken(f"the trail or the inbox of incident {incident_id} is not as long as its head says")

    def append(
        self,
        incident: Incident,
        events: Sequence[NewEvent],
        *,
        step: str,
        signals_seen: int | None = None,
        lease: Lease | None = None,
        budget: BudgetCharge | None = None,
        approval: Approval | None = None,
        trouble: Trouble | None = None,
        unless_stopped: bool = False,
        as_read: tuple[ServiceRecord, Fleet] | None = None,
    ) -> Incident:
        lines = self._continued(incident, events)
        seen = incident.signals_seen if signals_seen is None else signals_seen
        after = bookkeeping.advanced(incident, lines, step=step, signals_seen=seen)

        def writes() -> Writes:
            nonlocal as_read
            # What was read before is good for the first attempt: if that fails, something of it has changed.
            of_service, of_fleet = (None, None) if as_read is None else (each.stored for each in as_read)
            as_read = None

            def known(at: Item) -> Item | None:
                return self._table.get(at) if of_service is None else _in(of_service, at)

            parts = self._advance(incident, after, lines)
            if lease is not None:
                parts.put(items.lease_item(lease), when=_lease_expected(lease, known(items.lease_key(lease))))
            if trouble is not None:
                parts.put(items.trouble_item(trouble), when=ANYTHING)
            fleet: Mapping[str, Item] = {}
            if unless_stopped or budget is not None:
                fleet = self._table.partition(items.FLEET) if of_fleet is None else of_fleet
            if unless_stopped:
                _unless_stopped(parts, fleet)
            if budget is not None:
                ref = incident.service
                charged = known(items.budget_key(ref))
                _charge(parts, ref, charged, at=budget.at, limit=budget.service_limit)
                _charge(parts, None, _in(fleet, items.budget_key(None)), at=budget.at, limit=budget.fleet_limit)
            if approval is not None:
                stored = self._table.get(items.approval_key(incident.id))
                parts.put(items.approval_item(approval), when=ABSENT if stored is None else {"body": stored["body"]})
            return parts

        self._move(incident, lines, writes)
        return after

    def resolve(self, incident: Incident, event: NewEvent) -> Incident:
        lines = self._continued(incident, [event])
        after = bookkeeping.advanced(
            incident, lines, step="close", status=IncidentStatus.RESOLVED, closed_at=lines[-1].at
        )

        def writes() -> Writes:
            return self._advance(
                incident,
                after,
                lines,
                when={
                    "status": IncidentStatus.OPEN.value,
                    "signals_received": incident.signals_seen,
                    "signals_seen": incident.signals_seen,
                },
            ).delete(items.lock_key(incident.service), when={"incident": incident.id})

        self._move(incident, lines, writes)
        return after.model_copy(update={"signals_received": incident.signals_seen})

    def next_generation(self, incident: Incident, event: NewEvent) -> Incident:
        lines = self._continued(incident, [event])
        after = bookkeeping.advanced(incident, lines, generation=incident.generation + 1)
        self._move(incident, lines, lambda: self._advance(incident, after, lines))
        return after

    def approval(self, incident_id: str) -> Approval | None:
        from functions.domain.approvals import Approval

        item = self._table.get(items.approval_key(incident_id))
        return None if item is None else Approval.model_validate_json(str(item["body"]))

    def answer_approval(self, asked: Approval, answered: Approval) -> None:
        writes = (
            self._table.writes()
            .check(
                items.head_key(asked.incident_id),
                when={"status": IncidentStatus.OPEN.value, "generation": asked.generation},
            )
            .put(items.approval_item(answered), when={"body": items.body(asked)})
        )
        for attempt in range(ATTEMPTS):
            try:
                self._table.transact(writes)
            except Cancelled as cancelled:
                if cancelled.refused(0):
                    raise Superseded(f"incident {asked.incident_id} was closed or taken over meanwhile") from cancelled
                if cancelled.refused(1):
                    break
                self._wait(attempt)
            else:
                return
        raise Superseded(f"the request of {asked.incident_id} was answered or replaced meanwhile")

    def _continued(self, incident: Incident, events: Sequence[NewEvent]) -> tuple[Event, ...]:
        return bookkeeping.continued(incident, events, self._now(), self._archive)

    def _advance(
        self, incident: Incident, after: Incident, lines: Sequence[Event], *, when: Expected | None = None
    ) -> Writes:
        """The head and its new events; `signals_received` is intake's and stays out."""
        writes = self._table.writes().update(
            items.head_key(incident.id),
            when={
                "generation": incident.generation,
                "head_sequence": incident.head_sequence,
                "head_hash": incident.head_hash,
                **(when or {}),
            },
            changes={
                "generation": after.generation,
                # Whoever writes does not listen.
                items.TASK_TOKEN: None,
                items.WAKES: None,
                "head_sequence": after.head_sequence,
                "head_hash": after.head_hash,
                "signals_seen": after.signals_seen,
                "step": after.step,
                "status": after.status.value,
                "updated_at": items.stamp(after.updated_at),
                "closed_at": None if after.closed_at is None else items.stamp(after.closed_at),
                OPEN.partition_key: items.lists(incident.service, after.status).get(OPEN.partition_key),
            },
        )
        for line in lines:
            writes.put(items.event_item(line), when=ABSENT)
        return writes

    def _move(self, incident: Incident, lines: Sequence[Event], writes: Callable[[], Writes]) -> None:
        """Carry out a write on a head, anew while only budgets, leases or other transactions are in the way."""
        for attempt in range(ATTEMPTS):
            try:
                self._table.transact(writes())
            except Cancelled as cancelled:
                if cancelled.refused(0):
                    break
                self._wait(attempt)
            else:
                self._written(incident, lines)
                return
        raise Superseded(f"incident {incident.id} moved on after event {incident.head_sequence}")

    # --- the service

    def service_record(self, ref: ServiceRef) -> ServiceRecord:
        from functions.ports import ServiceRecord

        found = self._table.partition(items.service_partition(ref.key))
        lock, switch = _in(found, items.lock_key(ref)), _in(found, items.switch_key(ref))
        return ServiceRecord(
            holder=None if lock is None else str(lock["incident"]),
            switch=_switch_of(switch),
            releases=_releases(_of_kind(found, items.RELEASES)),
            charges=items.charges_of(_in(found, items.budget_key(ref))),
            ineffective=items.ineffective_of(_in(found, items.ineffective_key(ref))),
            leases=_by_end(_of_kind(found, items.LEASES_OUT)),
            stored=found,
        )

    def lock_holder(self, ref: ServiceRef) -> str | None:
        item = self._table.get(items.lock_key(ref))
        return None if item is None else str(item["incident"])

    def switch(self, ref: ServiceRef) -> Switch:
        return _switch_of(self._table.get(items.switch_key(ref)))

    def set_switch(self, ref: ServiceRef, switch: Switch, *, was: Switch | None = None) -> None:
        item = {**items.switch_key(ref), "body": items.body(switch)}
        if was is None:
            self._table.put(item)
            return
        stored = self._table.get(items.switch_key(ref))
        known = _switch_of(stored)
        changed = Superseded(f"the switch of {ref} was set by somebody else meanwhile")
        if known != was:
            raise changed
        expected = ABSENT if stored is None else {"body": stored["body"]}
        try:
            self._table.transact(self._table.writes().put(item, when=expected))
        except Cancelled as cancelled:
            raise changed from cancelled

    def releases(self, ref: ServiceRef) -> Sequence[Release]:
        return _releases(self._table.records(items.service_partition(ref.key), items.RELEASES))

    def note_release(
        self, ref: ServiceRef, task_definition: str, *, at: datetime, surroundings: str = "", passed: bool = False
    ) -> None:
        self._revise_release(
            ref,
            task_definition,
            lambda known: bookkeeping.noted(known, task_definition, at=at, surroundings=surroundings, passed=passed),
        )

    def judge_release(self, ref: ServiceRef, task_definition: str, state: ReleaseState, *, reason: str) -> None:
        now = self._now()
        self._revise_release(
            ref,
            task_definition,
            lambda known: bookkeeping.judged(known, task_definition, state, reason=reason, at=now),
        )

    def _revise_release(
        self, ref: ServiceRef, task_definition: str, revised: Callable[[Release | None], Release]
    ) -> None:
        at = items.release_key(ref, task_definition)
        for attempt in range(ATTEMPTS):
            stored = self._table.get(at)
            known = None if stored is None else Release.model_validate_json(str(stored["body"]))
            item = {**at, "body": items.body(revised(known))}
            try:
                self._table.transact(
                    self._table.writes().put(item, when=ABSENT if stored is None else {"body": stored["body"]})
                )
            except Cancelled:
                self._wait(attempt)
            else:
                return
        raise Superseded(f"the release {task_definition} of {ref} kept changing")

    def judge_by_hand(
        self, ref: ServiceRef, task_definition: str, state: ReleaseState, note: ByHand, *, was: ReleaseState | None
    ) -> None:
        at = items.release_key(ref, task_definition)
        for attempt in range(ATTEMPTS):
            stored = self._table.get(at)
            known = None if stored is None else Release.model_validate_json(str(stored["body"]))
            after = bookkeeping.judged_by_hand(known, task_definition, state, note, was=was)
            writes = self._table.writes().put(
                {**at, "body": items.body(after)}, when=ABSENT if stored is None else {"body": stored["body"]}
            )
            try:
                self._table.transact(writes.put(items.by_hand_item(note), when=ABSENT))
            except Cancelled:
                self._wait(attempt)  # a release that runs is written down every minute
            else:
                return
        raise Superseded(f"the release {task_definition} of {ref} kept changing")

    def note_by_hand(self, note: ByHand) -> None:
        item = items.by_hand_item(note)
        try:
            self._table.transact(self._table.writes().put(item, when=ABSENT))
        except Cancelled as cancelled:
            if not cancelled.refused(0):
                raise

    def by_hand_between(self, start: datetime, end: datetime) -> Sequence[ByHand]:
        found = self._table.listed(LISTED, items.BY_HAND, between=(items.stamp(start), items.stamp(end)))
        return tuple(ByHand.model_validate_json(str(item["body"])) for item in found)

    def charges(self, ref: ServiceRef, *, since: datetime) -> Sequence[datetime]:
        charges = items.charges_of(self._table.get(items.budget_key(ref)))
        return tuple(charge for charge in charges if charge >= since)

    def note_ineffective(self, ref: ServiceRef, incident_id: str, *, at: datetime) -> None:
        for attempt in range(ATTEMPTS):
            stored = self._table.get(items.ineffective_key(ref))
            known = items.ineffective_of(stored)
            after = bookkeeping.failed_again(known, incident_id, at=at)
            if after == known:
                return
            try:
                self._table.transact(
                    self._table.writes().put(items.ineffective_item(ref, after), when=_as_stored(stored))
                )
            except Cancelled:
                self._wait(attempt)
            else:
                return
        raise Superseded(f"what did not help {ref} kept changing")

    def forget_ineffective(self, ref: ServiceRef) -> None:
        stored = self._table.get(items.ineffective_key(ref))
        if stored is None:
            return
        try:
            self._table.transact(self._table.writes().delete(items.ineffective_key(ref), when={"body": stored["body"]}))
        except Cancelled as cancelled:
            raise Superseded(f"what did not help {ref} changed meanwhile") from cancelled

    def ineffective(self, ref: ServiceRef, *, since: datetime) -> Mapping[str, datetime]:
        known = items.ineffective_of(self._table.get(items.ineffective_key(ref)))
        return {each: at for each, at in known.items() if at >= since}

    # --- the fleet

    def fleet(self, *, since: datetime) -> Fleet:
        from functions.domain.troubles import Trouble
        from functions.ports import Fleet

        fleet = self._table.partition(items.FLEET)
        charges = items.charges_of(_in(fleet, items.budget_key(None)))
        return Fleet(
            switch=items.fleet_switch_of(_in(fleet, items.fleet_switch_key())),
            charges=sum(1 for charge in charges if charge >= since),
            troubles=tuple(
                trouble
                for name, item in sorted(fleet.items())
                if name.startswith(items.TROUBLES)
                and (trouble := Trouble.model_validate_json(str(item["body"]))).at >= since
            ),
            stored=fleet,
        )

    def fleet_switch(self) -> FleetSwitch:
        return items.fleet_switch_of(self._table.get(items.fleet_switch_key()))

    def set_fleet_switch(self, switch: FleetSwitch, *, was: FleetSwitch | None = None) -> None:
        item = {**items.fleet_switch_key(), "body": items.body(switch)}
        if was is None:
            self._table.put(item)
            return
        stored = self._table.get(items.fleet_switch_key())
        changed = Superseded("the switch of the fleet was set by somebody else meanwhile")
        if items.fleet_switch_of(stored) != was:
            raise changed
        try:
            self._table.transact(self._table.writes().put(item, when=_as_stored(stored)))
        except Cancelled as cancelled:
            raise changed from cancelled

    # --- leases

    def leases(self, incident_id: str) -> Sequence[Lease]:
        found = self.service_leases(self.incident(incident_id).service)
        return tuple(lease for lease in found if lease.incident_id == incident_id)

    def service_leases(self, ref: ServiceRef) -> Sequence[Lease]:
        return _by_end(self._table.records(items.service_partition(ref.key), items.LEASES_OUT))

    def end_lease(self, incident: Incident, lease: Lease, event: NewEvent) -> Incident:
        lines = self._continued(incident, [event])
        after = bookkeeping.advanced(incident, lines)

        def writes() -> Writes:
            if self._table.get(items.lease_key(lease)) is None:
                raise Superseded(f"lease {lease.id} ended before")
            return self._advance(incident, after, lines).delete(
                items.lease_key(lease), when={"incident": lease.incident_id}
            )

        self._move(incident, lines, writes)
        return after

    # --- what is done once

    def claim(self, what: str) -> bool:
        try:
            self._table.transact(self._table.writes().put(items.claim_item(what, self._now()), when=ABSENT))
        except Cancelled as cancelled:
            if cancelled.refused(0):
                return False
            raise
        return True

    def give_up(self, what: str) -> None:
        stored = self._table.get(items.claim_key(what))
        if stored is not None:
            self._table.transact(self._table.writes().delete(items.claim_key(what), when={"at": stored["at"]}))

    # --- lists

    def open_incidents(self) -> Sequence[Incident]:
        return tuple(items.incident_of(item) for item in self._table.listed(OPEN, "open"))

    def incidents_between(self, start: datetime, end: datetime) -> Sequence[Incident]:
        found = self._table.listed(LISTED, items.INCIDENTS, between=(items.stamp(start), items.stamp(end)))
        return tuple(items.incident_of(item) for item in found)

    def incidents_of(self, ref: ServiceRef, *, limit: int = 50) -> Sequence[Incident]:
        return tuple(items.incident_of(item) for item in self._table.listed(BY_SERVICE, ref.key, limit=limit))

    def leases_due(self, at: datetime) -> Sequence[Lease]:
        return _by_end(self._table.listed(LISTED, items.LEASES, between=("", items.stamp(at))))

    def unmatched(self, *, limit: int = 50) -> Sequence[tuple[Signal, str]]:
        return tuple(
            (Signal.model_validate_json(str(item["body"])), str(item["reason"]))
            for item in self._table.listed(LISTED, items.UNMATCHED, limit=limit)
        )

    # --- the table

    def _now(self) -> datetime:
        return bookkeeping.utc(self._clock.now())

    def _wait(self, attempt: int) -> None:
        # Jitter parts two writers that collided; the longest wait is under a second.
        self._pause(random.uniform(0, 0.02 * 2**attempt))


def _opening_of(head: Item, signal: Signal, *, duplicate: bool = False) -> Opening:
    wakes = head.get(items.WAKES)
    return Opening(
        incident_id=str(head["id"]),
        generation=int(head["generation"]),
        duplicate=duplicate,
        token=str(head[items.TASK_TOKEN]) if wakes is not None and signal.ends(Wakes(str(wakes))) else None,
    )


def _heads(lock: Item | None) -> tuple[Place, ...]:
    """Where the head of the incident lies that holds a lock."""
    return () if lock is None else (place(items.head_key(str(lock["incident"]))),)


def _in(partition: Mapping[str, Item], at: Item) -> Item | None:
    return partition.get(str(at[SORT_KEY]))


def _of_kind(partition: Mapping[str, Item], prefix: str) -> list[Item]:
    return [item for name, item in partition.items() if name.startswith(prefix)]


def _as_stored(stored: Item | None) -> Expected:
    return ABSENT if stored is None else {"body": stored.get("body")}


def _unless_stopped(parts: Writes, fleet: Mapping[str, Item]) -> None:
    stored = _in(fleet, items.fleet_switch_key())
    switch = items.fleet_switch_of(stored)
    if switch.stopped:
        raise Superseded(switch.said)
    parts.check(items.fleet_switch_key(), when=_as_stored(stored))


def _charge(parts: Writes, ref: ServiceRef | None, stored: Item | None, *, at: datetime, limit: int) -> None:
    charges = bookkeeping.charged(
        items.charges_of(stored), at=at, limit=limit, of="the fleet" if ref is None else ref.key
    )
    parts.put(items.charges_item(ref, charges), when=_as_stored(stored))


def _lease_expected(lease: Lease, known: Item | None) -> Expected:
    if known is None:
        return ABSENT
    if known["incident"] != lease.incident_id:
        raise Superseded(f"lease {lease.id} belongs to incident {known['incident']}")
    return {"body": known["body"]}


def _switch_of(item: Item | None) -> Switch:
    return Switch() if item is None else Switch.model_validate_json(str(item["body"]))


def _releases(found: Sequence[Item]) -> tuple[Release, ...]:
    return bookkeeping.newest_first([Release.model_validate_json(str(item["body"])) for item in found])


def _by_end(found: Sequence[Item]) -> tuple[Lease, ...]:
    from functions.domain.changes import Lease

    leases = [Lease.model_validate_json(str(item["body"])) for item in found]
    return tuple(sorted(leases, key=lambda lease: (lease.due_at, lease.id)))
