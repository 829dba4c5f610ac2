"""What was temporary comes back: once it is due, if it is still ours, and when nobody else holds the service."""

from datetime import timedelta

import pytest

from functions.domain.changes import SetFloor
from functions.domain.errors import ChangeDoubtful, ChangeRefused
from functions.domain.incidents import Event, Fact, IncidentStatus, Switch
from functions.workflow.restore import POSTPONE_LIMIT
from functions.workflow.table import StepName
from tests.fakes.engine import Killed, Responder
from tests.fakes.world import REF
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
