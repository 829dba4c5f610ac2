"""Tasks that stop by themselves: ECS replaces one, and nobody is called; what does not get better is told."""

from datetime import timedelta

import pytest

from functions.domain.incidents import Fact, IncidentStatus
from functions.workflow.decide import UNFELT_PATIENCE
from functions.workflow.table import Outcome, StepName
from tests.fakes.engine import Responder
from tests.fakes.signals import task_signal
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import assert_sound, facts, playbook, raise_alarm


@pytest.fixture
def responder() -> Responder:
    """One of two tasks died in a quiet hour, and its replacement is on its way."""
    responder = Responder(playbook=playbook())
    responder.world.load, responder.world.running = 0.7, 1
    assert responder.intake(task_signal(responder.clock.now()))
    return responder


def test_a_task_that_ecs_replaces_calls_nobody(responder: Responder) -> None:
    """The incident waits, closes by itself, and is for the record alone."""
    begun = responder.clock.now()

    def replaced(step: StepName) -> None:
        if responder.clock.now() - begun > timedelta(seconds=150):
            responder.world.running = 2

    responder.run(before=replaced)
    assert responder.notifier.pages == []
    assert responder.world.changes == []
    (incident,) = responder.ledger.incidents_of(REF)
    assert incident.status is IncidentStatus.RESOLVED
    assert incident.title == "task stopped by itself: Essential container in task exited"
    assert responder.archive.documents
    assert facts(responder)[-1] is Fact.INCIDENT_RESOLVED
    assert_sound(responder)


def test_what_is_not_steady_after_ten_minutes_is_told(responder: Responder) -> None:
    """Once, and not before; while it is young it is looked at often, then about once a minute."""
    begun = responder.clock.now()
    responder.run(until=StepName.WATCH)
    waited = responder.clock.now() - begun
    assert UNFELT_PATIENCE <= waited < UNFELT_PATIENCE + timedelta(seconds=120)
    looks = [outcome for step, outcome in responder.visited if step is StepName.ASSESS]
    assert 10 <= len(looks) <= 20
    assert set(looks[:-1]) == {Outcome.WAIT}
    assert len(responder.notifier.pages) == 1


def test_who_was_told_hears_of_the_end(responder: Responder) -> None:
    """After the page, the recovery is news."""
    responder.run(until=StepName.WATCH)
    responder.world.running = 2
    responder.executions.started.append((*responder.executions.started[-1][:2], "assess"))
    responder.run()
    assert [page.subject[:6] for page in responder.notifier.pages] == ["[page ", "[resol"]


def test_a_crash_loop_is_two_signals_in_two_stretches(responder: Responder) -> None:
    """Many tasks of one deployment die: the inbox holds one signal for each ten minutes."""
    begun = responder.clock.now().replace(minute=10, second=0)
    for minute in range(20):
        responder.intake(task_signal(begun + timedelta(minutes=minute)))
    (incident,) = responder.ledger.incidents_of(REF)
    assert len(responder.ledger.inbox(incident.id)) == 2


def test_an_alarm_that_joins_is_heeded_at_the_next_look(responder: Responder) -> None:
    """Waiting ends as soon as users feel it: within a look or two the incident is decided like any other."""
    joined = responder.clock.now() + timedelta(seconds=200)

    def breaks(step: StepName) -> None:
        if responder.clock.now() >= joined and not responder.world.stuck:
            responder.world.stuck = True
            raise_alarm(responder)

    responder.run(before=breaks, until=StepName.WATCH)
    assert responder.clock.now() < joined + timedelta(seconds=150)
    assert len(responder.notifier.pages) == 1
