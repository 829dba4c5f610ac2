"""Whatever order intake, two executions and their leases come in, the ledger keeps its promises."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from moto import mock_aws

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.approvals import Answer, Approval
from functions.domain.changes import Lease, LeaseTerms
from functions.domain.errors import Superseded
from functions.domain.incidents import Fact, FleetSwitch, Incident, IncidentStatus, NewEvent, verify_trail
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.ports import BudgetCharge, Fleet, Ledger, ServiceRecord
from tests.fakes.clock import FakeClock
from tests.fakes.signals import alarm_signal
from tests.integration.conftest import chaos_ledger, dynamo_ledger

SERVICES = tuple(ServiceRef(region="eu-west-1", cluster="shop", service=name) for name in ("orders", "basket"))
SERVICE_LIMIT, FLEET_LIMIT = 2, 3

services = st.sampled_from(SERVICES)
events = st.lists(
    st.builds(
        NewEvent,
        fact=st.just(Fact.LOOKED_AGAIN),
        actor=st.just("watch"),
        summary=st.text(max_size=5),
        data=st.dictionaries(st.text(max_size=3), st.integers() | st.floats(allow_nan=False, allow_infinity=False)),
    ),
    min_size=1,
    max_size=3,
)
NOTE = NewEvent(fact=Fact.LOOKED_AGAIN, actor="watch", summary="looked")


class Histories(RuleBasedStateMachine):
    """Random histories on one ledger. `self.heads` are the heads that some execution has in hand, old ones included."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.ledger: Ledger = self.make_ledger()
        self.heads: list[Incident] = []
        self.delivered: dict[str, ServiceRef] = {}
        self.joined: dict[str, set[str]] = defaultdict(set)
        self.generations: dict[str, int] = {}
        self.charged: dict[str, list[float]] = defaultdict(list)
        self.out: dict[str, Lease] = {}
        self.given_back: list[tuple[Incident, Lease]] = []
        self.failed: dict[str, dict[str, datetime]] = defaultdict(dict)
        self.stopped = False
        self.asked: dict[str, Approval] = {}

    def make_ledger(self) -> Ledger:
        return MemoryLedger(clock=self.clock)

    @initialize(ref=services)
    def begin(self, ref: ServiceRef) -> None:
        self.signal(ref=ref, number=0, may_open=True)

    @rule(ref=services, number=st.integers(0, 8), may_open=st.booleans())
    def signal(self, ref: ServiceRef, number: int, may_open: bool) -> None:
        """Intake: the same signal may come any number of times."""
        state = AlarmState.ALARM if may_open else AlarmState.OK
        signal = alarm_signal(number, state=state, alarm=f"{ref.service}-5xx")
        holder = self.ledger.lock_holder(ref)

        opening = self.ledger.record_signal(signal, ref, may_open=may_open)

        assert opening.duplicate == (signal.dedupe_key in self.delivered)
        self.delivered[signal.dedupe_key] = ref
        if opening.duplicate or opening.incident_id is None:
            assert opening.duplicate or (holder is None and not may_open)
            return
        assert opening.opened == (holder is None)
        assert holder in (None, opening.incident_id)
        self.joined[opening.incident_id].add(signal.dedupe_key)
        if opening.opened:
            self.generations[opening.incident_id] = 1
            self.take_in_hand(self.ledger.incident(opening.incident_id))
        assert opening.generation == self.generations[opening.incident_id]

    @rule(ref=services, number=st.integers(0, 8), faster=st.integers(0, 8))
    def two_signals_at_once(self, ref: ServiceRef, number: int, faster: int) -> None:
        """Another intake is faster, between this one's look at what there is and its write."""
        signal = alarm_signal(number, alarm=f"{ref.service}-5xx")
        known = number == faster or signal.dedupe_key in self.delivered
        ahead = self.ledger.look_ahead([(signal, ref)])
        self.signal(ref=ref, number=faster, may_open=True)
        opening = self.ledger.record_signal(signal, ref, may_open=True, ahead=ahead)
        assert opening.duplicate == known
        if known:
            return
        self.delivered[signal.dedupe_key] = ref
        assert opening.incident_id == self.ledger.lock_holder(ref)
        self.joined[str(opening.incident_id)].add(signal.dedupe_key)
        if opening.opened:
            self.generations[str(opening.incident_id)] = 1
            self.take_in_hand(self.ledger.incident(str(opening.incident_id)))

    @precondition(lambda self: self.heads)
    @rule(data=st.data(), meanwhile=st.sampled_from(["nothing", "an action", "a stop"]))
    def overtaken_before_acting(self, data: st.DataObject, meanwhile: str) -> None:
        """Somebody is faster between an execution's look at switch and budget and its write."""
        newest = {each.service: self.ledger.incident(each.id) for each in self.heads}
        head = data.draw(st.sampled_from(sorted(newest.values(), key=lambda each: each.id)))
        faster = next((each for each in newest.values() if each.service != head.service), head)
        budget = BudgetCharge(at=self.clock.now(), service_limit=SERVICE_LIMIT, fleet_limit=FLEET_LIMIT)
        as_read = (self.ledger.service_record(head.service), self.ledger.fleet(since=budget.at - timedelta(hours=1)))
        match meanwhile:
            case "an action":
                self.charge(faster, budget)
            case "a stop":
                self.stop_or_start(True)
        self.charge(head, budget, as_read=as_read)

    def charge(
        self, head: Incident, budget: BudgetCharge, *, as_read: tuple[ServiceRecord, Fleet] | None = None
    ) -> None:
        """An action that is about to be done; that it exceeds no budget is left to the invariants."""
        try:
            after = self.ledger.append(
                head, [NOTE], step="remediate", budget=budget, unless_stopped=True, as_read=as_read
            )
        except Superseded:
            return
        assert not self.stopped
        for key in (head.service.key, "fleet"):
            self.charged[key].append(budget.at.timestamp())
        self.take_in_hand(after)

    def take_in_hand(self, incident: Incident) -> None:
        self.heads.append(incident)

    def current(self, head: Incident) -> bool:
        stored = self.ledger.incident(head.id)
        return (stored.generation, stored.head_sequence) == (head.generation, head.head_sequence)

    @precondition(lambda self: self.heads)
    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        """An execution takes the newest head in hand, beside the old ones that others still have."""
        head = data.draw(st.sampled_from(self.heads))
        self.take_in_hand(self.ledger.incident(head.id))

    @precondition(lambda self: self.heads)
    @rule(
        data=st.data(), new=events, see=st.booleans(), charge=st.booleans(), lease=st.booleans(), changes=st.booleans()
    )
    def append(
        self, data: st.DataObject, new: list[NewEvent], see: bool, charge: bool, lease: bool, changes: bool
    ) -> None:
        """A step writes what it saw, or, where it `changes` something, what it is about to do."""
        head = data.draw(st.sampled_from(self.heads))
        current = self.current(head)
        seen = len(self.ledger.inbox(head.id)) if see else None
        budget = BudgetCharge(at=self.clock.now(), service_limit=SERVICE_LIMIT, fleet_limit=FLEET_LIMIT)
        room = self.used(head.service.key) < SERVICE_LIMIT and self.used("fleet") < FLEET_LIMIT
        taken = self.lease_of(head)
        try:
            after = self.ledger.append(
                head,
                new,
                step="watch",
                signals_seen=seen,
                budget=budget if charge else None,
                lease=taken if lease else None,
                unless_stopped=changes,
            )
        except Superseded:
            assert not current or (charge and not room) or (changes and self.stopped)
            return
        assert current
        assert room or not charge
        assert not (changes and self.stopped)
        if charge:
            for key in (head.service.key, "fleet"):
                self.charged[key].append(self.clock.now().timestamp())
        if lease:
            self.out[head.id] = taken
        self.take_in_hand(after)

    def lease_of(self, head: Incident) -> Lease:
        return Lease(
            id=head.id,
            incident_id=head.id,
            service_key=head.service.key,
            terms=LeaseTerms(resource_id="r", original=2, value=4, duration_s=60),
            taken_at=self.clock.now(),
            due_at=self.clock.now() + timedelta(seconds=60),
        )

    def used(self, key: str) -> int:
        an_hour_ago = self.clock.now().timestamp() - 3600
        return sum(1 for at in self.charged[key] if at > an_hour_ago)

    @precondition(lambda self: self.heads)
    @rule(data=st.data())
    def end_lease(self, data: st.DataObject) -> None:
        head = data.draw(st.sampled_from(self.heads))
        current, lease = self.current(head), self.out.get(head.id)
        try:
            after = self.ledger.end_lease(head, lease or self.lease_of(head), NOTE)
        except Superseded:
            assert not current or lease is None
            return
        assert current
        assert lease is not None
        self.given_back.append((after, self.out.pop(head.id)))
        self.take_in_hand(after)

    @precondition(lambda self: self.given_back)
    @rule(data=st.data())
    def end_lease_again(self, data: st.DataObject) -> None:
        """Whoever gave a lease back says so a second time, with the newest head in hand."""
        before, lease = data.draw(st.sampled_from(self.given_back))
        if before.id in self.out:
            return
        with pytest.raises(Superseded):
            self.ledger.end_lease(self.ledger.incident(before.id), lease, NOTE)

    @precondition(lambda self: any(n > 1 for n in self.generations.values()))
    @rule(data=st.data(), how=st.sampled_from(["append", "resolve", "lease", "generation"]))
    def write_with_an_old_token(self, data: st.DataObject, how: str) -> None:
        """An execution that was taken over knows the newest head, and is refused for its generation alone."""
        overtaken = data.draw(st.sampled_from(sorted(i for i, n in self.generations.items() if n > 1)))
        newest = self.ledger.incident(overtaken)
        stale = newest.model_copy(update={"generation": newest.generation - 1})
        lease = self.out.get(overtaken) or self.lease_of(stale)
        write: Mapping[str, Callable[[], Incident]] = {
            "append": lambda: self.ledger.append(stale, [NOTE], step="watch"),
            "resolve": lambda: self.ledger.resolve(stale, NOTE),
            "lease": lambda: self.ledger.end_lease(stale, lease, NOTE),
            "generation": lambda: self.ledger.next_generation(stale, NOTE),
        }
        with pytest.raises(Superseded):
            write[how]()
        assert self.ledger.incident(overtaken) == newest

    @rule(stopped=st.booleans())
    def stop_or_start(self, stopped: bool) -> None:
        """Operators stop everything, or start again."""
        self.ledger.set_fleet_switch(FleetSwitch(stopped=stopped, by="ann", reason="a hunch", at=self.clock.now()))
        self.stopped = stopped

    @rule(ref=services, number=st.integers(0, 3))
    def did_not_help(self, ref: ServiceRef, number: int) -> None:
        """An action of an incident had no effect, which is said once or often."""
        self.ledger.note_ineffective(ref, f"inc-{number}", at=self.clock.now())
        kept = {each: at for each, at in self.failed[ref.key].items() if at > self.clock.now() - timedelta(days=1)}
        self.failed[ref.key] = {**kept, f"inc-{number}": kept.get(f"inc-{number}", self.clock.now())}

    @rule(ref=services)
    def somebody_looked(self, ref: ServiceRef) -> None:
        self.ledger.forget_ineffective(ref)
        self.failed[ref.key] = {}

    @precondition(lambda self: self.heads)
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """An execution puts a plan before people; the newest request takes the place of those before."""
        head = data.draw(st.sampled_from(self.heads))
        current = self.current(head)
        number = 1 if head.id not in self.asked else self.asked[head.id].number + 1
        request = Approval(
            incident_id=head.id,
            generation=head.generation,
            number=number,
            plan_hash="p",
            summary="roll back",
            token=f"token-{number}",
            asked_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(hours=1),
        )
        try:
            after = self.ledger.append(head, [NOTE], step="approval", approval=request)
        except Superseded:
            assert not current
            return
        assert current
        self.asked[head.id] = request
        self.take_in_hand(after)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), answer=st.sampled_from(Answer), earlier=st.booleans())
    def answer(self, data: st.DataObject, answer: Answer, earlier: bool) -> None:
        """A person answers what they were shown, which others may have answered or replaced since."""
        stored = self.asked[data.draw(st.sampled_from(sorted(self.asked)))]
        shown = stored.model_copy(update={"answer": None, "by": ""}) if earlier else stored
        incident = self.ledger.incident(stored.incident_id)
        may = shown == stored and incident.status is IncidentStatus.OPEN and incident.generation == stored.generation
        answered = shown.model_copy(update={"answer": answer, "by": "ann"})
        try:
            self.ledger.answer_approval(shown, answered)
        except Superseded:
            assert not may
            return
        assert may
        self.asked[stored.incident_id] = answered

    @precondition(lambda self: self.heads)
    @rule(data=st.data())
    def take_over(self, data: st.DataObject) -> None:
        """The sweep starts another execution of the incident."""
        head = data.draw(st.sampled_from(self.heads))
        current = self.current(head)
        try:
            after = self.ledger.next_generation(head, NOTE)
        except Superseded:
            assert not current
            return
        assert current
        self.generations[head.id] += 1
        assert after.generation == self.generations[head.id]
        self.take_in_hand(after)

    @precondition(lambda self: self.heads)
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        head = data.draw(st.sampled_from(self.heads))
        current, stored = self.current(head), self.ledger.incident(head.id)
        may = current and stored.status is IncidentStatus.OPEN and head.signals_seen == len(self.ledger.inbox(head.id))
        try:
            after = self.ledger.resolve(head, NOTE)
        except Superseded:
            assert not may
            return
        assert may
        self.take_in_hand(after)

    @rule(minutes=st.integers(1, 40))
    def pass_time(self, minutes: int) -> None:
        self.clock.advance(seconds=60 * minutes)

    @invariant()
    def one_open_incident_a_service(self) -> None:
        """The lock names the one open incident of a service, if there is one."""
        for ref in SERVICES:
            incidents = [self.ledger.incident(identifier) for identifier in self.joined]
            of_service = [i.id for i in incidents if i.service == ref and i.status is IncidentStatus.OPEN]
            holder = self.ledger.lock_holder(ref)
            assert of_service == ([] if holder is None else [holder])

    @invariant()
    def what_did_not_help_is_as_written(self) -> None:
        """By incident, at the time at which it was first said."""
        since = self.clock.now() - timedelta(days=1)
        for ref in SERVICES:
            lately = {each: at for each, at in self.failed[ref.key].items() if at >= since}
            assert self.ledger.ineffective(ref, since=since) == lately

    @invariant()
    def every_trail_verifies(self) -> None:
        """Every chain is whole, and no event is of an older generation's making."""
        for identifier in self.joined:
            head = self.ledger.incident(identifier)
            verify_trail(self.ledger.events(identifier), head_sequence=head.head_sequence, head_hash=head.head_hash)
            assert head.generation == self.generations[identifier]

    @invariant()
    def no_signal_is_lost(self) -> None:
        """Every distinct signal lies once in the inbox it was said to be in, and is counted there."""
        for identifier, keys in self.joined.items():
            inbox = self.ledger.inbox(identifier)
            assert [entry.number for entry in inbox] == list(range(1, len(keys) + 1))
            assert {entry.signal.dedupe_key for entry in inbox} == keys
            assert self.ledger.incident(identifier).signals_received == len(keys)

    @invariant()
    def requests_are_as_written(self) -> None:
        """The newest request of each incident, with the one answer that came in time."""
        for identifier in self.joined:
            assert self.ledger.approval(identifier) == self.asked.get(identifier)

    @invariant()
    def budgets_and_leases_are_as_written(self) -> None:
        """Exactly what was written is charged, never more than allowed; a lease is out until it is ended."""
        since = self.clock.now() - timedelta(hours=1)
        assert self.ledger.fleet(since=since).charges == len(self.charges_since("fleet", since))
        assert self.used("fleet") <= FLEET_LIMIT
        for ref in SERVICES:
            charges = [charge.timestamp() for charge in self.ledger.charges(ref, since=since)]
            assert charges == self.charges_since(ref.key, since)
            assert self.used(ref.key) <= SERVICE_LIMIT
            out = [lease.id for lease in self.out.values() if lease.service_key == ref.key]
            assert sorted(lease.id for lease in self.ledger.service_leases(ref)) == sorted(out)

    def charges_since(self, key: str, since: datetime) -> list[float]:
        return sorted((at for at in self.charged[key] if at >= since.timestamp()), reverse=True)


class WiredHistories(Histories):
    """The same on the deployed ledger, with the table that chaos breaks: as fast as in memory."""

    def make_ledger(self) -> Ledger:
        self.wired = ExitStack()
        return self.wired.enter_context(chaos_ledger(self.clock, None))

    def teardown(self) -> None:
        self.wired.close()


class DynamoHistories(Histories):
    """The same on DynamoDB, as moto has it."""

    endpoint: str | None = None

    def make_ledger(self) -> Ledger:
        return dynamo_ledger(self.clock, None, endpoint=self.endpoint)


def check(histories: type[Histories], examples: int) -> None:
    limits = settings(
        max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(histories, settings=limits)


LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("histories", "examples"),
    [
        (Histories, 100),
        (WiredHistories, 60),
        (DynamoHistories, 10),
        pytest.param(Histories, 1500, marks=LONG),
        pytest.param(WiredHistories, 400, marks=LONG),
        pytest.param(DynamoHistories, 60, marks=LONG),
    ],
)
def test_every_history_keeps_the_promises(histories: type[Histories], examples: int) -> None:
    """At most one open incident a service, whole chains, no stale writer, no lost signal, no budget exceeded, no lease
    given back twice, nothing begun while everything is stopped."""
    with mock_aws():
        check(histories, examples)


@pytest.mark.parametrize("examples", [5, pytest.param(60, marks=LONG)])
def test_every_history_keeps_the_promises_on_the_emulator(endpoint: str, examples: int) -> None:
    """The same on the emulator that the demo and the end-to-end tests run on."""
    check(type("EmulatorHistories", (DynamoHistories,), {"endpoint": endpoint}), examples)
