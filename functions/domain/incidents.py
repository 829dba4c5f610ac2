"""The incident and its append-only trail."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import Field

from functions.domain.errors import TrailBroken
from functions.domain.maintenance import Announced
from functions.domain.model import Model, Moment, digest
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal

GENESIS = "0" * 64
"""What the first event of every trail names as the hash before it."""


class IncidentStatus(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class Fact(StrEnum):
    """Everything that can be said in a trail, in the past tense."""

    INCIDENT_OPENED = "IncidentOpened"
    EXECUTION_RESTARTED = "ExecutionRestarted"
    SIGNAL_RECEIVED = "SignalReceived"
    EVIDENCE_GATHERED = "EvidenceGathered"
    CAUSES_RANKED = "CausesRanked"
    SEVERITY_GRADED = "SeverityGraded"
    PLAN_CHOSEN = "PlanChosen"
    ACTION_WITHHELD = "ActionWithheld"
    WAITED = "Waited"
    STOOD_DOWN = "StoodDown"
    PLAN_OUTDATED = "PlanOutdated"
    APPROVAL_REQUESTED = "ApprovalRequested"
    APPROVAL_GRANTED = "ApprovalGranted"
    APPROVAL_DENIED = "ApprovalDenied"
    APPROVAL_EXPIRED = "ApprovalExpired"
    ACTION_INTENDED = "ActionIntended"
    ACTION_TAKEN = "ActionTaken"
    ACTION_DOUBTFUL = "ActionDoubtful"
    ACTION_REFUSED = "ActionRefused"
    RECOVERY_CHECKED = "RecoveryChecked"
    RECOVERY_VALIDATED = "RecoveryValidated"
    PAGE_SENT = "PageSent"
    UPDATE_POSTED = "UpdatePosted"
    ESCALATED = "Escalated"
    ACKNOWLEDGED = "Acknowledged"
    COMMAND_TAKEN = "CommandTaken"
    COMMAND_RELEASED = "CommandReleased"
    LOOKED_AGAIN = "LookedAgain"
    SUCCESSOR_STARTED = "SuccessorStarted"
    INCIDENT_RESOLVED = "IncidentResolved"
    LEASE_RESTORED = "LeaseRestored"
    LEASE_LEFT = "LeaseLeft"
    LEASE_POSTPONED = "LeasePostponed"


class NewEvent(Model):
    """An event about to be appended; the ledger adds sequence number, time and hash."""

    fact: Fact
    actor: str
    """The step that says so, for example `assess`, or a person's name."""
    summary: str
    """One line for the timeline."""
    data: Mapping[str, Any] = {}
    """Plain JSON; redacted before it comes here."""


class Event(Model):
    """One line of the trail. `hash` covers everything else, `previous` is the hash of the event before."""

    incident_id: str
    sequence: int
    at: Moment
    fact: Fact
    actor: str
    summary: str
    data: Mapping[str, Any] = {}
    previous: str
    hash: str

    @classmethod
    def chain(cls, incident_id: str, sequence: int, at: Moment, new: NewEvent, previous: str) -> "Event":
        """Make the event that follows `previous`."""
        body: dict[str, Any] = {
            "incident_id": incident_id,
            "sequence": sequence,
            "at": at.isoformat(),
            "fact": new.fact.value,
            "actor": new.actor,
            "summary": new.summary,
            "data": dict(new.data),
            "previous": previous,
        }
        return cls(**{**body, "at": at}, hash=digest(body))

    @property
    def expected_hash(self) -> str:
        return digest(
            {
                "incident_id": self.incident_id,
                "sequence": self.sequence,
                "at": self.at.isoformat(),
                "fact": self.fact.value,
                "actor": self.actor,
                "summary": self.summary,
                "data": dict(self.data),
                "previous": self.previous,
            }
        )


def verify_trail(events: Sequence[Event], *, head_sequence: int, head_hash: str) -> None:
    """Recompute the whole chain and compare its end with the incident's head.

    Raises:
        TrailBroken: naming the first event that does not fit, or the end that is missing.
    """
    previous = GENESIS
    for expected, event in enumerate(events, start=1):
        if event.sequence != expected:
            raise TrailBroken(f"event {expected} is missing: the trail goes on with event {event.sequence}")
        if event.previous != previous:
            raise TrailBroken(f"event {event.sequence} does not follow the event before it")
        if event.hash != event.expected_hash:
            raise TrailBroken(f"event {event.sequence} ({event.fact}) was changed after it was written")
        previous = event.hash
    if len(events) != head_sequence or previous != head_hash:
        raise TrailBroken(
            f"the trail has {len(events)} events, its head says {head_sequence}: the end was cut or the head changed"
        )


class Incident(Model):
    """The head of an incident: where it stands now. All that happened lies in its events.

    `generation` is the fencing token: it grows whenever another execution takes over, and every write of an older one
    is refused.
    """

    id: str
    service: ServiceRef
    status: IncidentStatus
    title: str
    opened_at: Moment
    updated_at: Moment
    closed_at: Moment | None = None
    generation: int = 1
    head_sequence: int = 0
    head_hash: str = GENESIS
    signals_received: int = 0
    signals_seen: int = 0
    step: str = "assess"
    """The step that wrote last."""

    @property
    def execution_name(self) -> str:
        """Name of the execution that carries this incident now; a name cannot be used again for 90 days."""
        return f"{self.id}-{self.generation}"


class InboxEntry(Model):
    """One signal in an incident's inbox."""

    number: int
    received_at: Moment
    signal: Signal


class Mode(StrEnum):
    """How much a service lets the responder do."""

    OBSERVE = "observe"
    ASK = "ask"
    AUTO = "auto"


class Switch(Model):
    """What operators set by hand for one service; absent fields leave the playbook in force."""

    paused_until: Moment | None = None
    mode: Mode | None = None
    by: str = ""
    reason: str = ""
    at: Moment | None = None
    maintenance: tuple[Announced, ...] = ()
    """Maintenance windows that were announced, in the order of their start."""

    def paused(self, now: Moment) -> bool:
        return self.paused_until is not None and now < self.paused_until


class FleetSwitch(Model):
    """What operators set by hand for every service at once."""

    stopped: bool
    by: str = ""
    reason: str = ""
    at: Moment | None = None

    @property
    def said(self) -> str:
        """Who stopped everything, since when, and why."""
        since = "" if self.at is None else f" since {self.at:%Y-%m-%d %H:%M} UTC"
        return f"everything is stopped by {self.by or 'an operator'}{since}: {self.reason}"


UNREADABLE_SWITCH = FleetSwitch(
    stopped=True, by="nobody we know", reason="the ledger's record of it cannot be read, so nothing is changed"
)
"""What a record that makes no sense stands for: whoever wrote it may have meant a stop."""


class Opening(Model):
    """What recording a signal led to."""

    incident_id: str | None
    """The incident that has the signal now; None when it was only noted (an OK with nothing open)."""
    generation: int = 0
    opened: bool = False
    duplicate: bool = False
    """The same state change was recorded before; nothing was written."""
    token: str | None = Field(default=None, exclude=True, repr=False)
    """Where the signal ends a pause of its execution: what wakes it. Nobody may wait with it any more."""

    @property
    def execution_name(self) -> str | None:
        return None if self.incident_id is None else f"{self.incident_id}-{self.generation}"
