"""What was temporary comes back: once it is due, if it is still ours, and when nobody else holds the service."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.changes import Lease, LeaseKind, LeaseTerms, SetCeiling, SetFloor, SetTracking
from functions.domain.errors import ChangeDoubtful, ChangeRefused
from functions.domain.incidents import Event, Fact, Incident, IncidentStatus, NewEvent, Switch
from functions.workflow.restore import POSTPONE_LIMIT, Restore
from functions.workflow.table import StepName
from functions.workflow.visit import Visit
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.engine import Killed, Responder
from tests.fakes.findings import terms
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, World
from tests.unit.workflow.test_incident import facts, playbook, raise_alarm

LEASE_S = 1800


@pytest.fixture
def responder() -> Responder:
    """After a traffic spike: the floor is raised, the incident is over, and its execution waits for the lease's end."""
    responder = Responder(playbook=playbook())
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.run(until=StepName.RESTORE)
    assert responder.world.minimum == 4
    assert responder.ledger.incidents_of(REF)[0].status is IncidentStatus.RESOLVED
    return responder


def finish(responder: Responder) -> None:
    """The execution that waits for the lease's end goes on from there."""
    incident, generation, _ = responder.executions.started[-1]
    responder.executions.started.append((incident, generation, "restore"))
    responder.run()


def restored(responder: Responder) -> list[int]:
    """Floors that were given back."""
    return [c.minimum for c in responder.world.restored if isinstance(c, SetFloor)]


def last(responder: Responder, fact: Fact) -> Event:
    events = [e for i in responder.ledger.incidents_of(REF) for e in responder.ledger.events(i.id) if e.fact is fact]
    return max(events, key=lambda event: event.at)


def test_what_nobody_takes_away_is_told_when_the_floor_comes_back(responder: Responder) -> None:
    """Without a policy the tasks that it brought run on."""
    responder.world.by_hand = True
    finish(responder)
    told = last(responder, Fact.LEASE_RESTORED).summary
    assert told.startswith("the floor is back from 4 to 2; no policy scales in")
    assert responder.world.desired == 4


def test_the_floor_comes_back_when_the_lease_ends(responder: Responder) -> None:
    """Not before, and with nothing else changed."""
    taken = responder.ledger.service_leases(REF)[0].taken_at
    finish(responder)
    assert restored(responder) == [2]
    assert responder.clock.now() >= taken + timedelta(seconds=LEASE_S)
    assert responder.ledger.service_leases(REF) == ()


def test_a_target_that_is_gone_leaves_nothing_to_give_back(responder: Responder) -> None:
    """Somebody removed the scalable target: the lease ends, and nothing is registered again."""
    responder.world.has_scaling = False
    finish(responder)
    assert responder.world.restored == []
    assert "the scalable target or its policy is gone" in last(responder, Fact.LEASE_LEFT).summary


def test_a_floor_that_was_given_back_by_hand_is_fine(responder: Responder) -> None:
    """It is as it was: nothing to do."""
    responder.world.minimum = 2
    finish(responder)
    assert responder.world.restored == []
    assert facts(responder)[-1] is Fact.LEASE_RESTORED


def test_an_answer_lost_while_giving_back_is_found_out(responder: Responder) -> None:
    """The next look sees the floor where it was."""
    responder.world.lost_answers.append(ChangeDoubtful("read timeout"))
    finish(responder)
    assert restored(responder) == [2]
    assert Fact.LEASE_POSTPONED in facts(responder)
    assert facts(responder)[-1] is Fact.LEASE_RESTORED


def test_what_cannot_be_given_back_is_told_once_and_tried_on(responder: Responder) -> None:
    """People hear of it once; every sweep tries again, and nobody is paged for that."""
    responder.world.failing_changes = [ChangeRefused("no")] * (POSTPONE_LIMIT + 3)
    finish(responder)
    paged = [page for page in responder.notifier.pages if page.subject.startswith("[page")]
    assert len(paged) == 1
    assert "could not be given back" in paged[0].text
    while responder.ledger.service_leases(REF):
        responder.clock.advance(seconds=300)
        assert responder.sweep().restoring
        responder.run()
    assert responder.world.minimum == 2
    assert [page for page in responder.notifier.pages if page.subject.startswith("[page")] == paged


def test_a_pause_holds_for_giving_back_too(responder: Responder) -> None:
    """An operator who said hands off finds the service as it was left, until the pause is over."""
    until = responder.clock.now() + timedelta(hours=3)
    responder.ledger.set_switch(REF, Switch(paused_until=until, by="ann", reason="migration"))
    finish(responder)
    assert restored(responder) == [2]
    assert last(responder, Fact.LEASE_RESTORED).at >= until


def spike_again(responder: Responder) -> None:
    """The load grows further while the first lease is still out."""
    responder.clock.advance(seconds=900)
    responder.sweep()
    responder.world.load = 4.5
    raise_alarm(responder, 1000)


def test_a_second_spike_raises_the_floor_that_a_lease_holds(responder: Responder) -> None:
    """Its own lease gives back what was there before both; the first one ends without a touch."""
    spike_again(responder)
    responder.run()
    assert [c.minimum for c in responder.world.changes if isinstance(c, SetFloor)] == [4, 7]
    assert restored(responder) == [2]
    assert "gives it back" in last(responder, Fact.LEASE_LEFT).summary
    assert responder.ledger.service_leases(REF) == ()


def test_a_floor_that_a_person_set_is_what_a_later_lease_gives_back(responder: Responder) -> None:
    """It is not ours any more: the next spike takes it as the original."""
    responder.world.minimum = 5
    responder.world.desired = responder.world.running = 5
    spike_again(responder)
    responder.run()
    assert restored(responder) == [5]


def test_the_sweep_leaves_an_overdue_lease_to_the_open_incident(responder: Responder) -> None:
    """No execution is started for it again and again: whoever holds the service gives it back when closing."""
    for started in responder.executions.started:
        responder.executions.ended.add(started[:2])
    responder.world.database_down = True
    raise_alarm(responder, 1000)
    responder.run(until=StepName.WATCH)
    responder.clock.advance(seconds=2 * LEASE_S)
    assert [responder.sweep().restoring for _ in range(3)] == [(), (), ()]
    responder.world.database_down = False
    finish_watch = responder.executions.started[-1]
    responder.executions.started.append((finish_watch[0], finish_watch[1], "assess"))
    responder.run()
    assert responder.world.minimum == 2
    assert responder.ledger.service_leases(REF) == ()


def test_a_lease_whose_execution_died_is_given_back_by_the_sweep(responder: Responder) -> None:
    """Overdue, the service free, nobody carrying it: a new execution begins at restore."""
    for started in responder.executions.started:
        responder.executions.ended.add(started[:2])
    assert responder.sweep().restoring == ()
    responder.clock.advance(seconds=LEASE_S + 300)
    assert len(responder.sweep().restoring) == 1
    assert responder.executions.started[-1][2] == "restore"
    responder.run()
    assert restored(responder) == [2]


def test_a_raise_that_aws_refused_leaves_no_lease() -> None:
    """Nothing was raised, so that nothing can be given back."""
    responder = Responder(playbook=playbook())
    responder.world.load = 3.0
    responder.world.failing_changes.append(ChangeRefused("no"))
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert responder.ledger.service_leases(REF) == ()
    assert Fact.LEASE_LEFT in facts(responder)


def test_a_raise_whose_answer_was_lost_is_leased() -> None:
    """It may have happened, so it comes back."""
    responder = Responder(playbook=playbook())
    responder.world.load = 3.0
    responder.world.afterwards.append(_die)
    raise_alarm(responder)
    responder.run()
    responder.clock.advance(seconds=300)
    responder.sweep()
    responder.run()
    assert restored(responder) == [2]
    assert responder.world.minimum == 2


def _die() -> None:
    raise Killed


# --- leases of other kinds, taken by hand


RESOURCE = "service/shop/orders"


def out(responder: Responder, kind: LeaseKind, *, original: float, value: float, policy: str = "") -> Lease:
    """A lease beside the floor's, of the same incident, that ends at the same time."""
    (first,) = responder.ledger.service_leases(REF)
    terms = LeaseTerms(
        kind=kind, resource_id=RESOURCE, policy=policy, original=original, value=value, duration_s=LEASE_S
    )
    lease = first.model_copy(update={"id": f"{kind}:by hand", "terms": terms})
    incident = responder.ledger.incident(first.incident_id)
    taken = NewEvent(fact=Fact.LOOKED_AGAIN, actor="test", summary="took a lease")
    responder.ledger.append(incident, [taken], step="restore", lease=lease)
    return lease


def test_a_ceiling_comes_back_when_no_more_tasks_are_wanted_than_it_allows(responder: Responder) -> None:
    """Lowering it while they are would stop tasks at once: it waits for the autoscaler, without a word to people."""
    responder.world.maximum, responder.world.desired, responder.world.running = 15, 12, 12
    out(responder, LeaseKind.CEILING, original=10, value=15)

    def calm_down(step: StepName) -> None:
        if responder.clock.now() >= due + timedelta(hours=2):
            responder.world.desired = responder.world.running = 4

    due = responder.ledger.service_leases(REF)[0].due_at
    incident, generation, _ = responder.executions.started[-1]
    responder.executions.started.append((incident, generation, "restore"))
    responder.run(before=calm_down)
    assert responder.world.restored == [
        SetFloor(resource_id=RESOURCE, minimum=2),
        SetCeiling(resource_id=RESOURCE, maximum=10),
    ]
    assert last(responder, Fact.LEASE_RESTORED).at >= due + timedelta(hours=2)
    assert responder.world.desired == 4
    assert not [page for page in responder.notifier.pages if page.subject.startswith("[page")]


def test_a_ceiling_waits_for_the_floor_above_it(responder: Responder) -> None:
    """Application Auto Scaling refuses a ceiling below the floor."""
    responder.world.minimum = responder.world.maximum = 4
    responder.world.desired = responder.world.running = 3
    out(responder, LeaseKind.CEILING, original=3, value=4)
    finish(responder)
    assert responder.world.restored == [
        SetFloor(resource_id=RESOURCE, minimum=2),
        SetCeiling(resource_id=RESOURCE, maximum=3),
    ]


def test_a_target_of_the_autoscaler_comes_back(responder: Responder) -> None:
    """If it is still the one that was set."""
    responder.world.tracking = 56.0
    out(responder, LeaseKind.TRACKING, original=70.0, value=56.0, policy="cpu")
    finish(responder)
    assert SetTracking(resource_id=RESOURCE, policy="cpu", target=70.0) in responder.world.restored
    assert responder.ledger.service_leases(REF) == ()


@pytest.mark.parametrize("now", [60.0, None])
def test_a_target_that_somebody_else_set_is_left(responder: Responder, now: float | None) -> None:
    """Or a policy that is gone."""
    responder.world.tracking = now
    out(responder, LeaseKind.TRACKING, original=70.0, value=56.0, policy="cpu")
    finish(responder)
    assert [type(change) for change in responder.world.restored] == [SetFloor]
    assert Fact.LEASE_LEFT in {e.fact for i in responder.ledger.incidents_of(REF) for e in trail(responder, i.id)}


def trail(responder: Responder, incident: str) -> Sequence[Event]:
    return responder.ledger.events(incident)


CEILING = 1_000_000
"""So far above every floor that the two never meet."""


class Leases(RuleBasedStateMachine):
    """Whoever raises, lowers, crashes or interferes: what was temporary is given back, and nothing else is touched."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.world = World(clock=self.clock, minimum=2, maximum=CEILING)
        self.ledger = MemoryLedger(clock=self.clock, archive=FakeArchive())
        self.opening = self.ledger.record_signal(alarm_signal(), REF, may_open=True)
        self.meant = {LeaseKind.FLOOR: 2, LeaseKind.CEILING: CEILING}
        """What people want each of them to be."""
        self.theirs: set[LeaseKind] = set()
        """Those that somebody else set last, not we."""
        self.number = 0

    @property
    def incident(self) -> Incident:
        assert self.opening.incident_id is not None
        return self.ledger.incident(self.opening.incident_id)

    def now(self, kind: LeaseKind) -> int:
        return self.world.minimum if kind is LeaseKind.FLOOR else self.world.maximum

    def put(self, kind: LeaseKind, value: int) -> None:
        if kind is LeaseKind.FLOOR:
            self.world.minimum = value
        else:
            self.world.maximum = value

    @rule(kind=st.sampled_from([LeaseKind.FLOOR, LeaseKind.CEILING]), by=st.integers(1, 5), lost=st.booleans())
    def raised(self, kind: LeaseKind, by: int, lost: bool) -> None:
        """An action of ours; `lost`: the lease is written, and the change never happened."""
        now = self.now(kind)
        given = terms(leases=tuple(self.ledger.service_leases(REF)))
        self.number += 1
        lease = Lease(
            id=f"{kind}:{self.number}",
            incident_id=self.incident.id,
            service_key=REF.key,
            terms=LeaseTerms(
                kind=kind,
                resource_id=RESOURCE,
                original=given.original(kind, RESOURCE, now),
                value=now + by,
                duration_s=600,
            ),
            taken_at=self.clock.now(),
            due_at=self.clock.now() + timedelta(seconds=600),
        )
        event = NewEvent(fact=Fact.LOOKED_AGAIN, actor="test", summary="took a lease")
        self.ledger.append(self.incident, [event], step="remediate", lease=lease)
        if not lost:
            self.put(kind, now + by)
            self.theirs.discard(kind)

    @rule(kind=st.sampled_from([LeaseKind.FLOOR, LeaseKind.CEILING]))
    def interfered(self, kind: LeaseKind) -> None:
        """A person sets it to something that no lease of ours ever set."""
        self.number += 1
        self.meant[kind] = 1000 * self.number + (CEILING if kind is LeaseKind.CEILING else 0)
        self.put(kind, self.meant[kind])
        self.theirs.add(kind)

    @rule(desired=st.sampled_from([1, CEILING, CEILING + 3, 2 * CEILING]))
    def scaled(self, desired: int) -> None:
        """The autoscaler moves."""
        self.world.desired = self.world.running = desired

    @rule(fails=st.booleans(), seconds=st.integers(1, 900))
    def restored(self, fails: bool, seconds: int) -> None:
        """One visit of the step, with an answer that may be lost."""
        self.clock.advance(seconds=seconds)
        desired = self.world.desired
        if fails:
            self.world.lost_answers.append(ChangeDoubtful("read timeout"))
        self.visit()
        self.world.lost_answers.clear()
        assert self.world.desired >= desired, "giving back stopped tasks"

    def visit(self) -> None:
        step = Restore(
            ledger=self.ledger,
            reader=self.world,
            mutes=self.world,
            changer=self.world.giving_back,
            clock=self.clock,
            playbooks={},
        )
        step(Visit(incident_id=self.incident.id, generation=self.incident.generation))

    @invariant()
    def what_somebody_else_set_stays(self) -> None:
        assert all(self.now(kind) == self.meant[kind] for kind in self.theirs)

    def teardown(self) -> None:
        """In the end, with few tasks wanted and AWS answering, no lease is left, and all is as people meant it."""
        self.world.desired = self.world.running = 1
        for _ in range(40):
            self.clock.advance(seconds=900)
            self.visit()
        assert self.ledger.service_leases(REF) == ()
        assert {kind: self.now(kind) for kind in self.meant} == self.meant


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
