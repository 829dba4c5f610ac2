"""Reads one incident with everything that belongs to it, and says whether its trail holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.domain.errors import ReadFailed, TrailBroken
from functions.domain.incidents import Event, Fact, Incident, verify_trail
from functions.domain.severity import Grade
from functions.ports import Ledger


@dataclass(frozen=True, kw_only=True)
class Trail:
    """An incident, its events, and the evidence of each as it was appended, by sequence number."""

    incident: Incident
    events: tuple[Event, ...]
    evidence: Mapping[int, Mapping[str, Any]]
    broken: str | None = None
    """Why the chain does not verify; None when it does."""
    unread: tuple[int, ...] = ()
    """Events whose archived evidence could not be fetched."""

    @property
    def alarm_at(self) -> datetime:
        """When the alarm changed its state; when the incident was opened, where no alarm says so."""
        opened = self._first(Fact.INCIDENT_OPENED)
        written = None if opened is None else self.evidence[opened.sequence].get("signal", {}).get("occurred_at")
        return self.incident.opened_at if written is None else datetime.fromisoformat(written)

    @property
    def to_first_action(self) -> timedelta | None:
        """From the alarm to the first change made; None when none was."""
        acted = self._first(Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL)
        return None if acted is None else acted.at - self.alarm_at

    @property
    def to_recovery(self) -> timedelta | None:
        """From the alarm to the end of the incident; None while it is open."""
        closed = self.incident.closed_at
        return None if closed is None else closed - self.alarm_at

    @property
    def grade(self) -> Grade | None:
        """How grave it is, or was at last; None where nobody looked at it yet."""
        graded = next((event for event in reversed(self.events) if event.fact is Fact.SEVERITY_GRADED), None)
        return None if graded is None else Grade.model_validate(self.evidence[graded.sequence]["grade"])

    def _first(self, *facts: Fact) -> Event | None:
        return next((event for event in self.events if event.fact in facts), None)


def read_trail(ledger: Ledger, incident_id: str) -> Trail:
    """Read and verify.

    Raises:
        NotInLedger: if there is no such incident.
        LedgerError: if the ledger cannot be read.
    """
    incident = ledger.incident(incident_id)
    events = tuple(ledger.events(incident_id))
    evidence: dict[int, Mapping[str, Any]] = {}
    unread: list[int] = []
    broken: str | None = None
    try:
        verify_trail(events, head_sequence=incident.head_sequence, head_hash=incident.head_hash)
    except TrailBroken as found:
        broken = str(found)
    for event in events:
        evidence[event.sequence] = event.data
        try:
            evidence[event.sequence] = ledger.evidence(event)
        except TrailBroken as found:
            broken = broken or str(found)
        except ReadFailed:
            unread.append(event.sequence)
    return Trail(incident=incident, events=events, evidence=evidence, broken=broken, unread=tuple(unread))
