"""The ledger in memory, for the desk and for tests: the same rules as the one on DynamoDB, in one thread."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from functions.adapters import bookkeeping
from functions.domain.approvals import Approval
from functions.domain.byhand import ByHand
from functions.domain.changes import Lease
from functions.domain.errors import NotInLedger, Superseded
from functions.domain.evidence import Release, ReleaseState
from functions.domain.heartbeat import is_heartbeat
from functions.domain.incidents import Event, FleetSwitch, InboxEntry, Incident, IncidentStatus, NewEvent, Switch
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, Wakes
from functions.domain.troubles import Trouble
from functions.ports import Ahead, Archive, BudgetCharge, CaseFile, Clock, Fleet, Opening, ServiceRecord


class MemoryLedger:
    """A `Ledger` that forgets everything at the end of the process."""

    def __init__(self, *, clock: Clock, archive: Archive | None = None) -> None:
        self._clock = clock
        self._archive = archive
        self._incidents: dict[str, Incident] = {}
        self._events: dict[str, list[Event]] = {}
        self._inboxes: dict[str, list[InboxEntry]] = {}
        self._locks: dict[str, str] = {}
        self._recorded: dict[str, str | None] = {}
        self._unmatched: dict[str, tuple[datetime, Signal, str]] = {}
        self._switches: dict[str, Switch] = {}
        self._fleet_switch = FleetSwitch(stopped=False)
        self._releases: dict[tuple[str, str], Release] = {}
        self._charges: dict[str, tuple[datetime, ...]] = {}
        self._fleet_charges: tuple[datetime, ...] = ()
        self._leases: dict[tuple[str, str], Lease] = {}
        self._approvals: dict[str, Approval] = {}
        self._claims: set[str] = set()
        self._ineffective: dict[str, dict[str, datetime]] = {}
        self._troubles: dict[str, Trouble] = {}
        self._by_hand: list[ByHand] = []
        self._listening: dict[str, tuple[str, Wakes]] = {}

    def look_ahead(self, signals: Sequence[tuple[Signal, ServiceRef]]) -> Ahead:
        return {}

    def record_signal(self, signal: Signal, ref: ServiceRef, *, may_open: bool, ahead: Ahead | None = None) -> Opening:
        key = signal.dedupe_key
        if key in self._recorded:
            return self._opening(self._recorded[key], signal, duplicate=True)
        now = bookkeeping.utc(self._clock.now())
        holder = self._locks.get(ref.key)
        if holder is not None:
            incident = self._incidents[holder]
            number = incident.signals_received + 1
            self._incidents[holder] = incident.model_copy(update={"signals_received": number})
            self._inboxes[holder].append(InboxEntry(number=number, received_at=now, signal=signal))
        elif may_open:
            incident, event = bookkeeping.opening(signal, ref, now)
            holder = incident.id
            self._incidents[holder] = incident
            self._events[holder] = [event]
            self._inboxes[holder] = [InboxEntry(number=1, received_at=now, signal=signal)]
            self._locks[ref.key] = holder
            self._recorded[key] = holder
            return self._opening(holder, signal, opened=True)
        self._recorded[key] = holder
        return self._opening(holder, signal)

    def _opening(
        self, incident_id: str | None, signal: Signal, *, opened: bool = False, duplicate: bool = False
    ) -> Opening:
        if incident_id is None:
            return Opening(incident_id=None, duplicate=duplicate)
        token, wakes = self._listening.get(incident_id, (None, None))
        return Opening(
            incident_id=incident_id,
            generation=self._incidents[incident_id].generation,
            opened=opened,
            duplicate=duplicate,
            token=token if wakes is not None and signal.ends(wakes) else None,
        )

    def listen(self, incident_id: str, generation: int, token: str, *, wakes: Wakes, signals: int | None) -> bool:
        incident = self.incident(incident_id)
        if incident.status is not IncidentStatus.OPEN or incident.generation != generation:
            raise Superseded(f"incident {incident_id} was closed or taken over meanwhile")
        if signals is not None and incident.signals_received != signals:
            return False
        self._listening[incident_id] = token, wakes
        return True

    def record_unmatched(self, signal: Signal, reason: str) -> bool:
        if signal.dedupe_key in self._unmatched:
            return False
        self._unmatched[signal.dedupe_key] = (bookkeeping.utc(self._clock.now()), signal, reason)
        return True

    def incident(self, incident_id: str) -> Incident:
        try:
            return self._incidents[incident_id]
        except KeyError:
            raise NotInLedger(f"no incident {incident_id!r} in the ledger") from None

    def events(self, incident_id: str) -> Sequence[Event]:
        return tuple(self._events.get(incident_id, ()))

    def evidence(self, event: Event) -> Mapping[str, Any]:
        return bookkeeping.evidence(event, self._archive)

    def inbox(self, incident_id: str) -> Sequence[InboxEntry]:
        return tuple(self._inboxes.get(incident_id, ()))

    def case_file(self, incident_id: str) -> CaseFile:
        return CaseFile(
            incident=self.incident(incident_id), events=self.events(incident_id), inbox=self.inbox(incident_id)
        )

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
        stored = self._current(incident)
        if unless_stopped and self._fleet_switch.stopped:
            raise Superseded(self._fleet_switch.said)
        lines = self._continued(stored, events)
        charges, fleet_charges = self._charges.get(incident.service.key, ()), self._fleet_charges
        if budget is not None:
            charges = bookkeeping.charged(charges, at=budget.at, limit=budget.service_limit, of=incident.service.key)
            fleet_charges = bookkeeping.charged(fleet_charges, at=budget.at, limit=budget.fleet_limit, of="the fleet")
        if lease is not None:
            known = self._leases.get((lease.service_key, lease.id))
            if known is not None and known.incident_id != incident.id:
                raise Superseded(f"lease {lease.id} belongs to incident {known.incident_id}")
            self._leases[lease.service_key, lease.id] = lease
        self._charges[incident.service.key], self._fleet_charges = charges, fleet_charges
        if approval is not None:
            self._approvals[incident.id] = approval
        if trouble is not None:
            self.note_trouble(trouble)
        seen = stored.signals_seen if signals_seen is None else signals_seen
        return self._advance(stored, lines, step=step, signals_seen=seen)

    def resolve(self, incident: Incident, event: NewEvent) -> Incident:
        stored = self._current(incident)
        if stored.status is not IncidentStatus.OPEN or self._locks.get(stored.service.key) != stored.id:
            raise Superseded(f"incident {incident.id} is not open any more")
        if stored.signals_received != incident.signals_seen or stored.signals_seen != incident.signals_seen:
            raise Superseded(
                f"incident {incident.id} has {stored.signals_received} signals, {incident.signals_seen} were seen"
            )
        lines = self._continued(stored, [event])
        del self._locks[stored.service.key]
        return self._advance(stored, lines, step="close", status=IncidentStatus.RESOLVED, closed_at=lines[-1].at)

    def next_generation(self, incident: Incident, event: NewEvent) -> Incident:
        stored = self._current(incident)
        return self._advance(stored, self._continued(stored, [event]), generation=stored.generation + 1)

    def approval(self, incident_id: str) -> Approval | None:
        return self._approvals.get(incident_id)

    def answer_approval(self, asked: Approval, answered: Approval) -> None:
        incident = self.incident(asked.incident_id)
        if incident.status is not IncidentStatus.OPEN or incident.generation != asked.generation:
            raise Superseded(f"incident {asked.incident_id} was closed or taken over meanwhile")
        if self._approvals.get(asked.incident_id) != asked:
            raise Superseded(f"the request of {asked.incident_id} was answered or replaced meanwhile")
        self._approvals[asked.incident_id] = answered

    def _current(self, incident: Incident) -> Incident:
        stored = self.incident(incident.id)
        if (stored.generation, stored.head_sequence, stored.head_hash) != (
            incident.generation,
            incident.head_sequence,
            incident.head_hash,
        ):
            raise Superseded(f"incident {incident.id} moved on: event {stored.head_sequence} was written meanwhile")
        return stored

    def _continued(self, stored: Incident, events: Sequence[NewEvent]) -> tuple[Event, ...]:
        return bookkeeping.continued(stored, events, bookkeeping.utc(self._clock.now()), self._archive)

    def _advance(self, stored: Incident, lines: Sequence[Event], **changes: object) -> Incident:
        self._events[stored.id].extend(lines)
        self._listening.pop(stored.id, None)
        self._incidents[stored.id] = bookkeeping.advanced(stored, lines, **changes)
        return self._incidents[stored.id]

    def service_record(self, ref: ServiceRef) -> ServiceRecord:
        return ServiceRecord(
            holder=self.lock_holder(ref),
            switch=self.switch(ref),
            releases=self.releases(ref),
            charges=self._charges.get(ref.key, ()),
            ineffective=dict(self._ineffective.get(ref.key, {})),
            leases=self.service_leases(ref),
        )

    def lock_holder(self, ref: ServiceRef) -> str | None:
        return self._locks.get(ref.key)

    def switch(self, ref: ServiceRef) -> Switch:
        return self._switches.get(ref.key, Switch())

    def set_switch(self, ref: ServiceRef, switch: Switch, *, was: Switch | None = None) -> None:
        if was is not None and self.switch(ref) != was:
            raise Superseded(f"the switch of {ref} was set by somebody else meanwhile")
        self._switches[ref.key] = switch

    def releases(self, ref: ServiceRef) -> Sequence[Release]:
        return bookkeeping.newest_first([r for (key, _), r in self._releases.items() if key == ref.key])

    def note_release(
        self, ref: ServiceRef, task_definition: str, *, at: datetime, surroundings: str = "", passed: bool = False
    ) -> None:
        known = self._releases.get((ref.key, task_definition))
        self._releases[ref.key, task_definition] = bookkeeping.noted(
            known, task_definition, at=at, surroundings=surroundings, passed=passed
        )

    def judge_release(self, ref: ServiceRef, task_definition: str, state: ReleaseState, *, reason: str) -> None:
        known = self._releases.get((ref.key, task_definition))
        self._releases[ref.key, task_definition] = bookkeeping.judged(
            known, task_definition, state, reason=reason, at=bookkeeping.utc(self._clock.now())
        )

    def judge_by_hand(
        self, ref: ServiceRef, task_definition: str, state: ReleaseState, note: ByHand, *, was: ReleaseState | None
    ) -> None:
        known = self._releases.get((ref.key, task_definition))
        self._releases[ref.key, task_definition] = bookkeeping.judged_by_hand(
            known, task_definition, state, note, was=was
        )
        self.note_by_hand(note)

    def note_by_hand(self, note: ByHand) -> None:
        if note not in self._by_hand:
            self._by_hand.append(note)

    def by_hand_between(self, start: datetime, end: datetime) -> Sequence[ByHand]:
        within = (note for note in self._by_hand if start <= note.at <= end)
        return tuple(sorted(within, key=lambda note: note.at, reverse=True))

    def charges(self, ref: ServiceRef, *, since: datetime) -> Sequence[datetime]:
        return tuple(charge for charge in self._charges.get(ref.key, ()) if charge >= since)

    def note_ineffective(self, ref: ServiceRef, incident_id: str, *, at: datetime) -> None:
        known = self._ineffective.get(ref.key, {})
        self._ineffective[ref.key] = bookkeeping.failed_again(known, incident_id, at=bookkeeping.utc(at))

    def forget_ineffective(self, ref: ServiceRef) -> None:
        self._ineffective.pop(ref.key, None)

    def ineffective(self, ref: ServiceRef, *, since: datetime) -> Mapping[str, datetime]:
        return {each: at for each, at in self._ineffective.get(ref.key, {}).items() if at >= since}

    def note_trouble(self, trouble: Trouble) -> None:
        """A service is in trouble, whether it has an incident here or not."""
        self._troubles[trouble.service_key] = trouble

    def fleet(self, *, since: datetime) -> Fleet:
        charges = sum(1 for charge in self._fleet_charges if charge >= since)
        troubles = tuple(trouble for _, trouble in sorted(self._troubles.items()) if trouble.at >= since)
        return Fleet(switch=self._fleet_switch, charges=charges, troubles=troubles)

    def fleet_switch(self) -> FleetSwitch:
        return self._fleet_switch

    def set_fleet_switch(self, switch: FleetSwitch, *, was: FleetSwitch | None = None) -> None:
        if was is not None and self._fleet_switch != was:
            raise Superseded("the switch of the fleet was set by somebody else meanwhile")
        self._fleet_switch = switch

    def leases(self, incident_id: str) -> Sequence[Lease]:
        return self._sorted_leases(lambda lease: lease.incident_id == incident_id)

    def service_leases(self, ref: ServiceRef) -> Sequence[Lease]:
        return self._sorted_leases(lambda lease: lease.service_key == ref.key)

    def end_lease(self, incident: Incident, lease: Lease, event: NewEvent) -> Incident:
        stored = self._current(incident)
        if (lease.service_key, lease.id) not in self._leases:
            raise Superseded(f"lease {lease.id} ended before")
        lines = self._continued(stored, [event])
        del self._leases[lease.service_key, lease.id]
        return self._advance(stored, lines)

    def claim(self, what: str) -> bool:
        if what in self._claims:
            return False
        self._claims.add(what)
        return True

    def give_up(self, what: str) -> None:
        self._claims.discard(what)

    def open_incidents(self) -> Sequence[Incident]:
        return self._sorted_incidents(lambda incident: incident.status is IncidentStatus.OPEN)

    def incidents_between(self, start: datetime, end: datetime) -> Sequence[Incident]:
        return self._sorted_incidents(lambda incident: start <= incident.opened_at <= end)

    def incidents_of(self, ref: ServiceRef, *, limit: int = 50) -> Sequence[Incident]:
        return self._sorted_incidents(lambda incident: incident.service == ref)[:limit]

    def leases_due(self, at: datetime) -> Sequence[Lease]:
        return self._sorted_leases(lambda lease: lease.due_at <= at)

    def unmatched(self, *, limit: int = 50) -> Sequence[tuple[Signal, str]]:
        kept = sorted(self._unmatched.items(), key=lambda item: (item[1][0], item[0]), reverse=True)
        return tuple((signal, reason) for _, (_, signal, reason) in kept[:limit])

    def _sorted_incidents(self, wanted: Callable[[Incident], bool]) -> tuple[Incident, ...]:
        known = (incident for incident in self._incidents.values() if not is_heartbeat(incident.service))
        found = [incident for incident in known if wanted(incident)]
        return tuple(sorted(found, key=lambda incident: (incident.opened_at, incident.id), reverse=True))

    def _sorted_leases(self, wanted: Callable[[Lease], bool]) -> tuple[Lease, ...]:
        found = [lease for lease in self._leases.values() if wanted(lease)]
        return tuple(sorted(found, key=lambda lease: (lease.due_at, lease.id)))
