"""Restore: give back what was temporary, if it is still the way we left it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.changes import Lease
from functions.domain.errors import ChangeFailed, ReadFailed
from functions.domain.evidence import ScalingFacts
from functions.domain.incidents import Fact, Incident, NewEvent
from functions.ports import Clock, Ledger, ScalingRestorer, ServiceReader
from functions.workflow.story import tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Result, Visit, incident_of

POSTPONE_S = 300
POSTPONE_LIMIT = 6
PAUSED_S = 900
"""How often to look whether an operator's pause is over: it holds for giving back, too."""


@dataclass(frozen=True, kw_only=True)
class Restore:
    ledger: Ledger
    reader: ServiceReader
    restorer: ScalingRestorer
    clock: Clock

    def __call__(self, visit: Visit) -> Result:
        """End every lease on the service that is due. Another open incident of the service keeps them: its close comes
        by here again, and the lease still knows the original value."""
        incident = incident_of(visit, self.ledger)
        leases = self.ledger.service_leases(incident.service)
        if not leases:
            return Result(outcome=Outcome.RESTORED)
        holder = self.ledger.lock_holder(incident.service)
        if holder is not None and holder != incident.id:
            return self._left_to(incident, holder)
        now = self.clock.now()
        if self.ledger.switch(incident.service).paused(now):
            return Result(outcome=Outcome.NOT_DUE, wait_s=PAUSED_S)
        due = [lease for lease in leases if lease.due_at <= now]
        if not due:
            return Result(outcome=Outcome.NOT_DUE, wait_s=until_due(leases, now))
        for lease in due:
            problem = self._give_back(incident, lease)
            if problem is not None:
                return self._postponed(incident, lease, problem)
            incident = self.ledger.incident(incident.id)
        left = self.ledger.service_leases(incident.service)
        if left:
            return Result(outcome=Outcome.NOT_DUE, wait_s=until_due(left, now))
        return Result(outcome=Outcome.RESTORED)

    def _left_to(self, incident: Incident, holder: str) -> Result:
        event = NewEvent(
            fact=Fact.LOOKED_AGAIN,
            actor=StepName.RESTORE,
            summary=f"incident {holder} holds the service now and gives the lease back when it closes",
        )
        self.ledger.append(incident, [event], step=StepName.RESTORE)
        return Result(outcome=Outcome.RESTORED)

    def _give_back(self, incident: Incident, lease: Lease) -> str | None:
        """Restore one lease; the problem when it cannot be done now."""
        try:
            scaling = self.reader.scaling(incident.service, resource_id=lease.terms.resource_id)
        except ReadFailed as error:
            return str(error)
        terms = lease.terms
        if scaling.registered and scaling.minimum == terms.original:
            self._end(incident, lease, Fact.LEASE_RESTORED, f"the floor is {terms.original} tasks, as it was")
            return None
        if not scaling.registered or scaling.minimum != terms.value:
            self._end(incident, lease, Fact.LEASE_LEFT, self._why_left(lease, scaling))
            return None
        try:
            self.restorer.restore_floor(incident.service, resource_id=terms.resource_id, minimum=terms.original)
        except ChangeFailed as error:
            return str(error)
        self._end(
            incident, lease, Fact.LEASE_RESTORED, f"the floor is back from {terms.value} to {terms.original} tasks"
        )
        return None

    def _why_left(self, lease: Lease, scaling: ScalingFacts) -> str:
        if not scaling.registered:
            return "the scalable target is gone"
        for other in self.ledger.service_leases(self.ledger.incident(lease.incident_id).service):
            if other.terms.resource_id == lease.terms.resource_id and other.terms.value == scaling.minimum:
                return f"the floor is {scaling.minimum}: the lease of incident {other.incident_id} gives it back"
        return f"the floor is {scaling.minimum}, not the {lease.terms.value} we set: somebody else changed it"

    def _end(self, incident: Incident, lease: Lease, fact: Fact, summary: str) -> None:
        event = NewEvent(
            fact=fact, actor=StepName.RESTORE, summary=summary, data={"lease": lease.model_dump(mode="json")}
        )
        self.ledger.end_lease(incident, lease, event)

    def _postponed(self, incident: Incident, lease: Lease, problem: str) -> Result:
        story = tell(self.ledger.events(incident.id))
        event = NewEvent(
            fact=Fact.LEASE_POSTPONED,
            actor=StepName.RESTORE,
            summary=f"the floor could not be given back yet: {problem}",
            data={"lease": lease.model_dump(mode="json")},
        )
        self.ledger.append(incident, [event], step=StepName.RESTORE)
        if story.postponed + 1 >= POSTPONE_LIMIT:
            return Result(outcome=Outcome.GIVE_UP)
        return Result(outcome=Outcome.POSTPONED, wait_s=POSTPONE_S)


def until_due(leases: Sequence[Lease], now: datetime) -> int:
    """Whole seconds until the first lease ends, at least one."""
    return max(1, int((min(lease.due_at for lease in leases) - now).total_seconds()) + 1)
