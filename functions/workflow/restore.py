"""Restore: give back what was temporary, if it is still the way we left it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from functions.domain.changes import Lease, LeaseKind, LeaseTerms, giving_back
from functions.domain.errors import ChangeFailed, ReadFailed
from functions.domain.evidence import ScalingFacts
from functions.domain.incidents import Fact, Incident, NewEvent
from functions.domain.maintenance import window_at
from functions.playbooks.schema import Playbook
from functions.ports import Clock, IpSetReader, Ledger, MuteReader, ServiceChanger, ServiceReader
from functions.workflow.story import tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Result, Visit, incident_of

NOT_DEPLOYED = "the contain stack is not deployed any more: take the address out of the set by hand, or deploy it"
POSTPONE_S = 300
POSTPONE_LIMIT = 6
NEEDED_S = 300
"""How often to look whether the autoscaler has taken back the tasks that a lower ceiling would stop."""

PAUSED_S = 900
"""How often to look whether an operator's stop or pause, or a maintenance window, is over: all hold for giving back,
too."""


@dataclass(frozen=True, kw_only=True)
class Restore:
    ledger: Ledger
    reader: ServiceReader
    mutes: MuteReader
    changer: ServiceChanger
    clock: Clock
    playbooks: Mapping[str, Playbook]
    contain_deployed: bool = False

    def __call__(self, visit: Visit) -> Result:
        """End every lease on the service that is due. Another open incident of the service keeps them: its close comes
        by here again, and the lease still knows the original value.

        A blocked address is left to the step `lift`, whose function alone may touch an IP set."""
        incident = incident_of(visit, self.ledger)
        leases = self.ledger.service_leases(incident.service)
        if not leases:
            return Result(outcome=Outcome.RESTORED)
        holder = self.ledger.lock_holder(incident.service)
        if holder is not None and holder != incident.id:
            return self._left_to(incident, holder)
        now = self.clock.now()
        held = _held_s(self.ledger, self.playbooks, incident, now)
        if held is not None:
            return Result(outcome=Outcome.NOT_DUE, wait_s=held)
        due = [lease for lease in leases if lease.due_at <= now]
        if not due:
            return Result(outcome=Outcome.NOT_DUE, wait_s=until_due(leases, now))
        waiting: list[Lease] = []
        blocked = [lease for lease in due if lease.terms.kind is LeaseKind.ADDRESS]
        for lease in [each for each in due if each not in blocked]:
            try:
                if not self._give_back(incident, lease):
                    waiting.append(lease)
            except (ReadFailed, ChangeFailed) as error:
                return postponed(self.ledger, incident, lease, str(error), step=StepName.RESTORE)
            incident = self.ledger.incident(incident.id)
        if blocked and not self.contain_deployed:
            return postponed(self.ledger, incident, blocked[0], NOT_DEPLOYED, step=StepName.RESTORE)
        if blocked:
            return Result(outcome=Outcome.CONTAIN)
        left = [lease for lease in self.ledger.service_leases(incident.service) if lease not in waiting]
        pauses = [until_due(left, now)] if left else []
        pauses += [NEEDED_S] if waiting else []
        if pauses:
            return Result(outcome=Outcome.NOT_DUE, wait_s=min(pauses))
        return Result(outcome=Outcome.RESTORED)

    def _left_to(self, incident: Incident, holder: str) -> Result:
        event = NewEvent(
            fact=Fact.LOOKED_AGAIN,
            actor=StepName.RESTORE,
            summary=f"incident {holder} holds the service now and gives the lease back when it closes",
        )
        self.ledger.append(incident, [event], step=StepName.RESTORE)
        return Result(outcome=Outcome.RESTORED)

    def _give_back(self, incident: Incident, lease: Lease) -> bool:
        """Restore one lease, or end it where there is nothing to restore any more. False when it has to wait.

        Raises:
            ReadFailed, ChangeFailed: it could not be done now.
        """
        terms = lease.terms
        scaling: ScalingFacts | None = None
        value: float | None
        if terms.kind is LeaseKind.MUTE:
            value = self.mutes.muted_s(terms.resource_id)
        elif terms.kind is LeaseKind.COUNT:
            service = self.reader.service(incident.service)
            value = None if service is None else service.desired
        else:
            scaling = self.reader.scaling(incident.service, resource_id=terms.resource_id)
            value = _value(terms, scaling)
        if value == terms.original:
            end(self.ledger, incident, lease, Fact.LEASE_RESTORED, _as_it_was(terms))
            return True
        if value != terms.value:
            end(self.ledger, incident, lease, Fact.LEASE_LEFT, self._why_left(lease, value))
            return True
        if scaling is not None and terms.kind is LeaseKind.CEILING and self._above(incident, scaling, terms.original):
            return False
        self.changer.apply(incident.service, giving_back(terms))
        end(self.ledger, incident, lease, Fact.LEASE_RESTORED, _given_back(terms, scaling))
        return True

    def _above(self, incident: Incident, scaling: ScalingFacts, ceiling: float) -> bool:
        """Whether more tasks are wanted than a ceiling allows: lowering it would stop them at once, needed or not."""
        service = self.reader.service(incident.service)
        desired = 0 if service is None else service.desired
        return max(desired, scaling.minimum) > ceiling

    def _why_left(self, lease: Lease, value: float | None) -> str:
        terms = lease.terms
        if value is None:
            gone = "service" if terms.kind is LeaseKind.COUNT else "scalable target or its policy"
            return f"the {gone} is gone, and {_name(terms)} with it"
        for other in self.ledger.service_leases(self.ledger.incident(lease.incident_id).service):
            if _same_thing(other.terms, terms) and other.terms.value == value:
                return f"{_name(terms)} is {value:g}: the lease of incident {other.incident_id} gives it back"
        if terms.kind is LeaseKind.MUTE:
            return f"somebody else mutes alarm {terms.resource_id} now, for another time"
        return f"{_name(terms)} is {value:g}, not the {terms.value:g} we set: somebody else changed it"


@dataclass(frozen=True, kw_only=True)
class Lift:
    """Takes blocked addresses out of their IP sets again: those that are due, still there, and ours."""

    ledger: Ledger
    ip_sets: IpSetReader
    changer: ServiceChanger
    clock: Clock
    playbooks: Mapping[str, Playbook]

    def __call__(self, visit: Visit) -> Result:
        """Every address that is due, unless nothing may be changed now: restore, which comes next, then waits."""
        incident = incident_of(visit, self.ledger)
        now = self.clock.now()
        if _held_s(self.ledger, self.playbooks, incident, now) is not None:
            return Result(outcome=Outcome.DONE)
        for lease in self.ledger.service_leases(incident.service):
            block = lease.terms.block
            if block is None or lease.due_at > now:
                continue
            try:
                if self.ip_sets.holds(block.ip_set, block.address):
                    self.changer.apply(incident.service, giving_back(lease.terms))
                    fact, how = Fact.LEASE_RESTORED, f"{block.address} was taken out of IP set {block.ip_set.name}"
                else:
                    fact, how = Fact.LEASE_LEFT, f"{block.address} is not in IP set {block.ip_set.name} any more"
            except (ReadFailed, ChangeFailed) as error:
                return postponed(self.ledger, incident, lease, str(error), step=StepName.LIFT)
            incident = end(self.ledger, incident, lease, fact, how, step=StepName.LIFT)
        return Result(outcome=Outcome.DONE)


def _held_s(ledger: Ledger, playbooks: Mapping[str, Playbook], incident: Incident, now: datetime) -> int | None:
    """Seconds until it is looked again whether something may be changed; None when it may: there is neither an
    operator's stop or pause nor a maintenance window."""
    if ledger.fleet_switch().stopped:
        return PAUSED_S
    switch, playbook = ledger.switch(incident.service), playbooks.get(incident.service.key)
    if switch.paused(now):
        return PAUSED_S
    window = window_at(now, () if playbook is None else playbook.maintenance, switch.maintenance)
    return None if window is None else min(PAUSED_S, ceil((window.end - now).total_seconds()))


def end(
    ledger: Ledger, incident: Incident, lease: Lease, fact: Fact, summary: str, *, step: StepName = StepName.RESTORE
) -> Incident:
    """Remove a lease, and say how it ended."""
    event = NewEvent(fact=fact, actor=step, summary=summary, data={"lease": lease.model_dump(mode="json")})
    return ledger.end_lease(incident, lease, event)


def postponed(ledger: Ledger, incident: Incident, lease: Lease, problem: str, *, step: StepName) -> Result:
    """Try again later, and tell people when it takes too long."""
    story = tell(ledger.events(incident.id))
    event = NewEvent(
        fact=Fact.LEASE_POSTPONED,
        actor=step,
        summary=f"{_name(lease.terms)} could not be given back yet: {problem}",
        data={"lease": lease.model_dump(mode="json")},
    )
    ledger.append(incident, [event], step=step)
    if story.postponed + 1 >= POSTPONE_LIMIT:
        return Result(outcome=Outcome.GIVE_UP)
    return Result(outcome=Outcome.POSTPONED, wait_s=POSTPONE_S)


def until_due(leases: Sequence[Lease], now: datetime) -> int:
    """Whole seconds until the first lease ends, at least one."""
    return max(1, int((min(lease.due_at for lease in leases) - now).total_seconds()) + 1)


def _value(terms: LeaseTerms, scaling: ScalingFacts) -> float | None:
    """What the leased thing is set to now; None when it is gone.

    Raises:
        ReadFailed: if nobody could say.
    """
    if not scaling.registered:
        return None
    match terms.kind:
        case LeaseKind.FLOOR:
            return scaling.minimum
        case LeaseKind.CEILING:
            return scaling.maximum
        case LeaseKind.MUTE | LeaseKind.COUNT:
            raise ValueError(f"a {terms.kind} is none of the scalable target")
        case LeaseKind.TRACKING:
            if scaling.policies is None:
                raise ReadFailed("the scaling policies could not be read")
            return next((policy.target for policy in scaling.policies if policy.name == terms.policy), None)
        case LeaseKind.ADDRESS:
            raise LookupError("an IP set is not read here")


def _name(terms: LeaseTerms) -> str:
    match terms.kind:
        case LeaseKind.TRACKING:
            return f"the target of policy {terms.policy}"
        case LeaseKind.MUTE:
            return f"the mute of alarm {terms.resource_id}"
        case LeaseKind.ADDRESS if terms.block is not None:
            return f"the block of {terms.block.address}"
        case _:
            return f"the {terms.kind}"


def _as_it_was(terms: LeaseTerms) -> str:
    if terms.kind is LeaseKind.MUTE:
        return f"alarm {terms.resource_id} is not muted any more"
    return f"{_name(terms)} is {terms.original:g}, as it was"


def _given_back(terms: LeaseTerms, scaling: ScalingFacts | None) -> str:
    if terms.kind is LeaseKind.MUTE:
        return f"alarm {terms.resource_id} is not muted any more: its rule was deleted"
    back = f"{_name(terms)} is back from {terms.value:g} to {terms.original:g}"
    if terms.kind is LeaseKind.FLOOR and scaling is not None and scaling.by_hand:
        return f"{back}; no policy scales in, so what runs beyond it is left until somebody sets the count"
    return back


def _same_thing(one: LeaseTerms, other: LeaseTerms) -> bool:
    return (one.kind, one.resource_id, one.policy) == (other.kind, other.resource_id, other.policy)
