"""The sweep mends what it can, whatever it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.changes import Lease, LeaseTerms
from functions.domain.errors import LedgerError, ReadFailed
from functions.domain.evidence import AlarmFacts
from functions.domain.heartbeat import HEARTBEAT
from functions.domain.incidents import Fact, Incident, NewEvent
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind
from functions.playbooks.schema import Playbook
from functions.ports import BudgetCharge
from functions.workflow.sweep import Sweep
from tests.fakes.clock import FakeClock
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, FakeExecutions, World
from tests.unit.workflow.test_incident import playbook

NOTE = NewEvent(fact=Fact.LOOKED_AGAIN, actor="watch", summary="looked")


@dataclass
class Throttled(FakeExecutions):
    """Step Functions that do not say how some incidents are carried."""

    unread: set[str] = field(default_factory=set)

    def running(self, incident: str, generation: int) -> bool:
        if incident in self.unread:
            raise ReadFailed(f"execution {incident}-{generation}: ThrottlingException")
        return super().running(incident, generation)


class Unreadable(MemoryLedger):
    """A ledger some of whose incidents cannot be read."""

    unreadable: frozenset[str] = frozenset()

    def incident(self, incident_id: str) -> Incident:
        if incident_id in self.unreadable:
            raise LedgerError("the table cannot be reached")
        return super().incident(incident_id)


def opened(ledger: MemoryLedger, number: int) -> Incident:
    ref = ServiceRef(region="eu-west-1", cluster="shop", service=f"service-{number}")
    opening = ledger.record_signal(alarm_signal(number), ref, may_open=True)
    assert opening.incident_id is not None
    return ledger.incident(opening.incident_id)


def leased(ledger: MemoryLedger, number: int, clock: FakeClock) -> Incident:
    """A resolved incident whose lease is still out, for half an hour."""
    incident = opened(ledger, number)
    lease = Lease(
        id=f"lease-{number}",
        incident_id=incident.id,
        service_key=incident.service.key,
        terms=LeaseTerms(resource_id="service/shop/orders", original=2, value=4, duration_s=1800),
        taken_at=clock.now(),
        due_at=clock.now() + timedelta(minutes=30),
    )
    incident = ledger.append(incident, [NOTE], step="remediate", signals_seen=1, lease=lease)
    return ledger.resolve(incident, NOTE)


def sweep_of(ledger: MemoryLedger, executions: FakeExecutions, world: World, *playbooks: Playbook) -> Sweep:
    return Sweep(
        ledger=ledger,
        executions=executions,
        metrics=world,
        clock=world.clock,
        playbooks=playbooks,
        take_over_after=timedelta(seconds=70),
    )


def test_an_incident_of_which_nobody_says_how_it_is_carried_keeps_no_other_from_its_restart() -> None:
    """All others are restarted, and then the sweep fails, so that it is counted and made again."""
    clock, executions = FakeClock(), Throttled()
    ledger = MemoryLedger(clock=clock)
    incidents = {opened(ledger, number).id for number in range(3)}
    executions.unread = {ledger.open_incidents()[0].id}
    clock.advance(seconds=300)

    with pytest.raises(ReadFailed, match="ThrottlingException"):
        sweep_of(ledger, executions, World(clock=clock))()

    assert {incident for incident, _, _ in executions.started} == incidents - executions.unread


def test_a_lease_whose_incident_cannot_be_read_keeps_no_other_from_being_given_back() -> None:
    """Each overdue lease is looked at by itself."""
    clock, executions = FakeClock(), FakeExecutions()
    ledger = Unreadable(clock=clock)
    incidents = {leased(ledger, number, clock).id for number in range(3)}
    clock.advance(seconds=3600)
    ledger.unreadable = frozenset({ledger.leases_due(clock.now())[0].incident_id})

    with pytest.raises(LedgerError, match="cannot be reached"):
        sweep_of(ledger, executions, World(clock=clock))()

    assert {(incident, step) for incident, _, step in executions.started} == {
        (incident, "restore") for incident in incidents - ledger.unreadable
    }


def test_an_alarm_that_nobody_told_of_opens_its_incident_whatever_else_cannot_be_swept() -> None:
    """Nothing depends on a message arriving, nor on how another incident fares."""
    clock, executions = FakeClock(), Throttled()
    ledger, world = MemoryLedger(clock=clock), World(clock=clock)
    executions.unread = {opened(ledger, 1).id}
    world.database_down = True
    world.settle_alarm()
    clock.advance(seconds=300)

    with pytest.raises(ReadFailed):
        sweep_of(ledger, executions, world, playbook())()

    assert ledger.lock_holder(REF) in {incident for incident, _, _ in executions.started}


class Asked(World):
    """Writes down which alarms are asked for together, and refuses one of them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.requests: list[tuple[str, ...]] = []
        self.refused: str | None = None

    def states(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        self.requests.append(tuple(names))
        if self.refused in names:
            raise ReadFailed("the alarms: AccessDenied")
        return super().states(names)

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        return tuple(self._alarm(name) for name in names)


def fleet(count: int, *, alarms: int) -> list[Playbook]:
    return [
        Playbook.model_validate(
            {
                "region": REF.region,
                "cluster": REF.cluster,
                "service": f"s{n}",
                "alarms": [{"existing": f"s{n}-{number}"} for number in range(alarms)],
            }
        )
        for n in range(count)
    ]


def test_a_hundred_alarms_are_one_request() -> None:
    """Each request costs, whatever is in it; the alarms of one service are not torn apart, and one without is not
    asked for."""
    world = Asked(clock=FakeClock())
    world.settle_alarm()
    playbooks = [*fleet(40, alarms=3), *fleet(1, alarms=0)]
    sweep_of(MemoryLedger(clock=world.clock), FakeExecutions(), world, *playbooks)()
    assert [len(names) for names in world.requests] == [99, 21]
    assert {name for names in world.requests for name in names} == {n for p in playbooks for n in p.alarm_names}


def test_alarms_that_cannot_be_read_are_told_by_service() -> None:
    """Those of other requests are looked at all the same."""
    world = Asked(clock=FakeClock())
    world.refused = "s0-0"
    world.database_down = True
    world.settle_alarm()
    swept = sweep_of(MemoryLedger(clock=world.clock), FakeExecutions(), world, *fleet(3, alarms=50))()
    assert len(swept.unread) == 2
    assert len(set(swept.opened)) == 1


def test_it_counts_what_is_open_overdue_and_used_up() -> None:
    """A lease is overdue half an hour after its end, and a charge counts for an hour; the heartbeat is no incident."""
    clock = FakeClock()
    ledger, executions = MemoryLedger(clock=clock), Throttled()
    sweep = Sweep(
        ledger=ledger,
        executions=executions,
        metrics=World(clock=clock),
        clock=clock,
        playbooks=[],
        take_over_after=timedelta(seconds=70),
    )
    incident = opened(ledger, 1)
    ledger.record_signal(Signal(kind=SignalKind.HEARTBEAT, occurred_at=clock.now()), HEARTBEAT, may_open=True)
    charge = BudgetCharge(at=clock.now(), service_limit=4, fleet_limit=20)
    ledger.append(incident, [NOTE], step="remediate", budget=charge)
    leased(ledger, 2, clock)

    def counts() -> tuple[int, int, int]:
        swept = sweep()
        return swept.open, swept.overdue, swept.fleet_actions

    assert counts() == (1, 0, 1)
    clock.advance(seconds=1800 + 29 * 60)
    assert counts() == (1, 0, 1)
    clock.advance(seconds=2 * 60)
    assert counts() == (1, 1, 0)
