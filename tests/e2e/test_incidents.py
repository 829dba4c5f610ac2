"""Incidents from the alarm to the closed trail, on the stacks that go to AWS."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from functions.bootstrap import TAKE_OVER_MARGIN_S
from functions.domain.incidents import Fact, Incident, IncidentStatus, Mode, Switch
from functions.domain.signals import AlarmState
from functions.workflow.trails import Trail
from infra.function import TIMEOUT_S
from tests.e2e.conftest import Responder, facts
from tools.demo.scenarios import SCENARIOS, Told
from tools.demo.stage import REF

COPIES = 10
TAKE_OVER_AFTER = timedelta(seconds=TIMEOUT_S + TAKE_OVER_MARGIN_S)
NAME = f"{REF.cluster}/{REF.service}"


@dataclass(frozen=True)
class Ended:
    """An incident that is over, and how many updates of the service ECS told of meanwhile."""

    trail: Trail
    changes: int

    @property
    def incident(self) -> Incident:
        return self.trail.incident


@pytest.fixture(scope="module")
def first(responder: Responder) -> Ended:
    """A bad release and its alarm; the alarm's message comes ten more times while the incident is open."""
    before = responder.changes_of_the_service()
    incident = responder.ship_bad_release()
    responder.until(lambda: bool(responder.alarm_messages()), "the alarm topic had no message")
    responder.send_again(responder.alarm_messages()[-1], times=COPIES)
    assert responder.ledger.incident(incident.id).status is IncidentStatus.OPEN, "the copies came too late"
    trail = responder.until_closed(incident)
    return Ended(trail=trail, changes=responder.changes_of_the_service() - before)


@pytest.fixture(scope="module")
def second(responder: Responder, first: Ended) -> Ended:
    """Another bad release, whose workflow is killed after it has acted; the sweep is called when it may take over."""
    before = responder.changes_of_the_service()
    incident = responder.ship_bad_release()
    responder.until_said(incident, Fact.ACTION_TAKEN)
    responder.stop_execution_of(incident)
    responder.stage.sweep()
    unmoved = responder.ledger.incident(incident.id).generation == incident.generation
    assert unmoved, "taken over while a function of the old execution could still write"
    may_take_over = responder.ledger.incident(incident.id).updated_at + TAKE_OVER_AFTER
    responder.until(lambda: datetime.now(UTC) > may_take_over, "time stands still")
    responder.stage.sweep()
    return Ended(trail=responder.until_closed(incident), changes=responder.changes_of_the_service() - before)


def test_a_bad_release_is_rolled_back(responder: Responder, first: Ended) -> None:
    """From the emulator's own alarm to the release that was good before, in one action, and the trail verifies."""
    told = Told()
    SCENARIOS["bad-release"].check(responder.stage, first.trail, told)
    assert told == []
    assert first.incident.status is IncidentStatus.RESOLVED
    assert first.trail.broken is None
    assert facts(first.trail).count(Fact.ACTION_TAKEN) == 1


def test_between_two_looks_the_execution_listens(responder: Responder, first: Ended) -> None:
    """With a token that lies in the ledger meanwhile, and never by the clock for want of one."""
    entered = responder.states_of(first.incident)
    assert "listen" in entered
    assert "listen by the clock" not in entered


def test_ten_copies_during_the_incident_change_nothing(responder: Responder, first: Ended) -> None:
    """An alarm's message that comes again and again is one signal, one execution, and one deployment by us."""
    received = [entry.signal for entry in responder.ledger.inbox(first.incident.id)]
    assert [signal.state for signal in received].count(AlarmState.ALARM) == 1
    assert responder.executions_of(first.incident) == [first.incident.execution_name]
    assert first.changes == 2, "the team's release, and the rollback"


def test_ten_copies_after_the_recovery_change_nothing(responder: Responder, first: Ended) -> None:
    """The message of an incident that is over opens no other one, and the service stays as it is."""
    before = responder.changes_of_the_service()
    responder.send_again(responder.alarm_messages()[-1], times=COPIES)
    assert list(responder.incidents()) == [first.incident.id]
    assert responder.ledger.incident(first.incident.id) == first.incident
    assert responder.executions_of(first.incident) == [first.incident.execution_name]
    assert responder.changes_of_the_service() == before


def test_a_new_state_change_opens_a_second_incident(responder: Responder, first: Ended, second: Ended) -> None:
    """When the alarm goes off again, that is another incident, with an action of its own."""
    assert sorted(responder.incidents()) == sorted([first.incident.id, second.incident.id])
    assert facts(second.trail).count(Fact.ACTION_TAKEN) == 1
    assert second.changes == 2, "the team's release, and the rollback"


def test_a_killed_workflow_is_taken_over(responder: Responder, second: Ended) -> None:
    """A new generation finishes what the killed execution left, without acting twice, and the trail verifies."""
    assert second.incident.generation == 2, "the sweep did not take it over"
    assert second.incident.status is IncidentStatus.RESOLVED
    assert second.trail.broken is None
    told = facts(second.trail)
    assert told.index(Fact.ACTION_TAKEN) < told.index(Fact.EXECUTION_RESTARTED)
    assert len(responder.executions_of(second.incident)) == 2


def test_a_paused_service_is_left_to_people(responder: Responder, second: Ended) -> None:
    """While a service is paused, the responder looks and changes nothing; once it is resumed, it acts."""
    before = responder.changes_of_the_service()
    responder.command("pause", NAME, "--for", "1h", "--reason", "we look ourselves")
    incident = responder.ship_bad_release()
    responder.until_said(incident, Fact.STOOD_DOWN)
    assert responder.changes_of_the_service() - before == 1, "the team's release alone"

    responder.command("resume", NAME)
    trail = responder.until_closed(incident)
    assert facts(trail).count(Fact.ACTION_TAKEN) == 1
    assert facts(trail).index(Fact.STOOD_DOWN) < facts(trail).index(Fact.ACTION_TAKEN)
    assert responder.changes_of_the_service() - before == 2
    assert trail.broken is None


def test_a_plan_is_carried_out_when_people_grant_it(responder: Responder) -> None:
    """In mode ask nothing is done until somebody says yes; then the plan is carried out once, and verified."""
    before = responder.changes_of_the_service()
    responder.ledger.set_switch(REF, Switch(mode=Mode.ASK, by="maria"))
    responder.stage.pages()
    incident = responder.ship_bad_release()
    responder.until_said(incident, Fact.APPROVAL_REQUESTED)
    letters: list[str] = []

    def asked() -> bool:
        letters.extend(responder.stage.pages())
        return bool(letters)

    responder.until(asked, "nobody was asked")
    assert f"responder approve {incident.id}" in letters[0]
    assert "waiting for your answer" in responder.command("incidents", "--state", "open")
    assert responder.changes_of_the_service() - before == 1, "the team's release alone"

    assert "granted: roll back" in responder.command("approve", incident.id, "--reason", "go ahead", "--by", "maria")
    trail = responder.until_closed(incident)
    responder.ledger.set_switch(REF, Switch())
    told = facts(trail)
    assert told.count(Fact.APPROVAL_GRANTED) == told.count(Fact.ACTION_TAKEN) == 1
    assert told.index(Fact.APPROVAL_GRANTED) < told.index(Fact.ACTION_INTENDED)
    assert responder.changes_of_the_service() - before == 2
    assert trail.broken is None


def test_the_command_line_tells_of_it(responder: Responder, first: Ended, second: Ended) -> None:
    """At the desk, both incidents are listed, shown with what was done, and verified."""
    listed = responder.command("incidents")
    for ended in (first, second):
        assert ended.incident.id in listed
        assert "the service was set to" in responder.command("show", ended.incident.id)
        assert ended.incident.head_hash in responder.command("verify", ended.incident.id)
