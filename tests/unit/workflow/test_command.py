"""Who leads an incident: what people say at the desk, and that the responder heeds it."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from functions.domain.changes import Change
from functions.domain.errors import AnswerRefused
from functions.domain.incidents import Fact, IncidentStatus, verify_trail
from functions.domain.people import AUTOMATIC, Said
from functions.workflow.story import tell
from functions.workflow.table import Outcome, StepName
from tests.fakes.engine import Execution, Killed, Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import FAMILY, REF
from tests.unit.workflow.test_incident import after_bad_release, playbook, raise_alarm


@pytest.fixture
def responder() -> Responder:
    return Responder(playbook=playbook())


def say(responder: Responder, said: Said, by: str = "ann") -> str:
    incident = responder.ledger.incidents_of(REF)[0]
    return responder.say(incident.id, said, by=by, identity="arn:aws:sts::000000000000:assumed-role/on-call/ann")


def facts(responder: Responder) -> list[Fact]:
    return [event.fact for event in responder.ledger.events(responder.ledger.incidents_of(REF)[0].id)]


def test_who_takes_an_incident_over_before_it_is_looked_at_has_it(responder: Responder) -> None:
    """Nothing is done, nobody is paged, and the rule that decided names who leads."""
    after_bad_release(responder)
    say(responder, Said.TAKEN)
    responder.run(until=StepName.WATCH)
    (incident,) = responder.ledger.incidents_of(REF)
    story = tell(responder.ledger.events(incident.id))
    assert responder.path == ["assess:stand-down"]
    assert story.commander == "ann"
    assert story.decision is not None
    assert story.decision.reason.startswith(
        "ann leads the incident, and the responder only watches; by itself it would act: bad-release"
    )
    assert responder.world.changes == []
    assert responder.notifier.pages == []


def test_who_takes_it_over_between_plan_and_action_has_it(responder: Responder) -> None:
    """Remediate asks just before it acts, whoever has not written it down yet."""
    after_bad_release(responder)
    responder.run(until=StepName.REMEDIATE)
    say(responder, Said.TAKEN)
    execution = Execution.begun(*responder.executions.started[-1])
    execution.at = StepName.REMEDIATE
    responder.go(execution)
    responder.go(execution)
    assert responder.path == ["assess:act", "remediate:differs", "assess:stand-down"]
    assert responder.world.changes == []
    assert Fact.COMMAND_TAKEN in facts(responder)


def test_given_back_it_is_acted_upon(responder: Responder) -> None:
    """From the next look on, which a person who leads never waits long for."""
    after_bad_release(responder)
    say(responder, Said.TAKEN)
    responder.run(until=StepName.WATCH)
    given_back = responder.clock.now()
    say(responder, Said.RELEASED)
    responder.run()
    assert len(responder.world.changes) == 1
    acted = next(e for e in responder.ledger.events(responder.executions.started[-1][0]) if e.fact is Fact.ACTION_TAKEN)
    assert (acted.at - given_back).total_seconds() <= 130
    assert responder.ledger.incidents_of(REF)[0].status is IncidentStatus.RESOLVED


def test_what_was_temporary_is_given_back_all_the_same(responder: Responder) -> None:
    """Somebody leads the incident while a floor is raised: the lease ends as it would have."""
    responder.world.load = 2.0
    raise_alarm(responder)
    responder.run(until=StepName.SETTLE)
    assert responder.world.minimum > 2
    say(responder, Said.TAKEN)
    responder.world.load = 1.0
    responder.run()
    assert responder.world.minimum == 2
    assert responder.path[-1] == "restore:restored"


def test_an_incident_that_somebody_leads_is_closed_when_all_is_well(responder: Responder) -> None:
    """And the all-clear names who led it."""
    after_bad_release(responder)
    say(responder, Said.TAKEN)
    responder.run(until=StepName.WATCH)
    responder.world.ship(f"{FAMILY}:9")
    responder.run()
    (incident,) = responder.ledger.incidents_of(REF)
    assert incident.status is IncidentStatus.RESOLVED


def test_who_takes_an_incident_over_instead_of_answering_is_not_paged_for_it() -> None:
    """The question ends unanswered, nothing is done, and what it promised is kept."""
    responder = Responder(playbook=playbook(mode="ask"))
    after_bad_release(responder)

    def take() -> None:
        say(responder, Said.TAKEN)

    responder.asked = take
    with pytest.raises(AssertionError, match="no end"):
        responder.run(most=12)
    assert responder.world.changes == []
    assert [page.attributes["kind"] for page in responder.notifier.pages][:2] == ["approval", "update"]
    assert "page" not in [page.attributes["kind"] for page in responder.notifier.pages]


def test_saying_it_twice_is_fine(responder: Responder) -> None:
    """The second time nothing is written, and the answer says what holds."""
    after_bad_release(responder)
    say(responder, Said.ACKNOWLEDGED)
    assert say(responder, Said.ACKNOWLEDGED, by="bea") == "ann has the page already"
    say(responder, Said.TAKEN)
    assert say(responder, Said.TAKEN) == "ann leads it already"
    say(responder, Said.TAKEN, by="bea")
    responder.run(until=StepName.WATCH)
    (incident,) = responder.ledger.incidents_of(REF)
    story = tell(responder.ledger.events(incident.id))
    assert (story.acknowledged_by, story.commander) == ("ann", "bea")
    say(responder, Said.RELEASED)
    assert say(responder, Said.RELEASED) == "the responder leads it already"
    assert incident.signals_received == 4  # the alarm, and three times somebody said something new


def test_of_a_closed_incident_nothing_can_be_said(responder: Responder) -> None:
    """One error, and no signal that would open another incident."""
    after_bad_release(responder)
    responder.run()
    with pytest.raises(AnswerRefused, match="is closed"):
        say(responder, Said.TAKEN)
    assert responder.ledger.open_incidents() == ()


def test_what_was_said_of_another_incident_means_nothing(responder: Responder) -> None:
    """An incident that closes in that moment may be followed by the next, in whose inbox the word then lies."""
    after_bad_release(responder)
    say(responder, Said.TAKEN)
    (entry,) = [e for e in responder.ledger.inbox(responder.executions.started[-1][0]) if e.signal.word is not None]
    other = Responder(playbook=playbook())
    after_bad_release(other)
    assert entry.signal.word is not None
    foreign = entry.signal.model_copy(update={"word": entry.signal.word.model_copy(update={"incident_id": "inc-0"})})
    other.ledger.record_signal(foreign, REF, may_open=False)
    other.run(until=StepName.SETTLE)
    assert len(other.world.changes) == 1
    assert tell(other.ledger.events(other.executions.started[-1][0])).commander == AUTOMATIC


class Taken(RuleBasedStateMachine):
    """People take, acknowledge and release, signals come, things break and mend, executions die; in any order."""

    @initialize(mode=st.sampled_from(["auto", "auto", "ask"]))
    def begin(self, mode: str) -> None:
        self.responder = Responder(playbook=playbook(mode=mode), asked=None)
        self.world = self.responder.world
        self.world.watching = self.check_change
        self.taken = False
        self.version = 1
        self.executions: dict[tuple[str, int], Execution] = {}
        self.responder.sweep()
        self.responder.clock.advance(seconds=3600)
        self.responder.sweep()

    def check_change(self, change: Change) -> None:
        assert not self.taken, f"{change.kind} while a person leads the incident"

    @rule(said=st.sampled_from(list(Said)), by=st.sampled_from(["ann", "bea"]), rows=st.integers(0, 4))
    def somebody_speaks(self, said: Said, by: str, rows: int) -> None:
        for incident in self.responder.ledger.open_incidents():
            self.responder.clock.advance(seconds=1)
            self.responder.say(incident.id, said, by=by, identity="")
            if said is not Said.ACKNOWLEDGED:
                self.taken = said is Said.TAKEN
        self.run(rows)

    @rule(
        what=st.sampled_from(["a bad release", "a bad release", "six times the load", "tasks hang", "all mends"]),
        rows=st.integers(0, 12),
    )
    def happens(self, what: str, rows: int) -> None:
        match what:
            case "a bad release":
                self.version += 1
                self.world.bad.add(f"{FAMILY}:{self.version}")
                self.world.ship(f"{FAMILY}:{self.version}")
            case "six times the load":
                self.world.load = 6.0
            case "tasks hang":
                self.world.stuck = True
            case _:
                self.world.load, self.world.stuck = 1.0, False
                self.world.bad.clear()
        self.responder.clock.advance(seconds=120)
        if self.world.settle_alarm():
            self.responder.intake(alarm_signal().model_copy(update={"occurred_at": self.world.alarm_changed_at}))
        self.run(rows)

    @rule(rows=st.integers(1, 15))
    def run(self, rows: int) -> None:
        for started in self.responder.executions.started:
            self.executions.setdefault(started[:2], Execution.begun(*started))
        for execution in list(self.executions.values())[-1:]:
            for _ in range(rows):
                if execution.key not in self.responder.executions.ended:
                    self.world.settle_alarm()
                    self.responder.go(execution)
        if not self.responder.ledger.open_incidents():
            self.taken = False

    @rule(between=st.booleans())
    def dies(self, between: bool) -> None:
        def kill() -> None:
            raise Killed

        (self.world.afterwards if between else self.world.meanwhile).append(kill)
        self.run(3)
        self.world.afterwards.clear()
        self.world.meanwhile.clear()
        self.responder.clock.advance(seconds=300)
        self.responder.sweep()

    @rule()
    def taken_right_before_it_acts(self) -> None:
        """Between the plan and the change."""
        for started in self.responder.executions.started:
            self.executions.setdefault(started[:2], Execution.begun(*started))
        for execution in list(self.executions.values())[-1:]:
            for _ in range(4):
                if execution.at is StepName.REMEDIATE and execution.key not in self.responder.executions.ended:
                    self.somebody_speaks(Said.TAKEN, "ann", 0)
                self.run(1)

    @invariant()
    def the_decision_of_a_taken_incident_is_to_watch(self) -> None:
        for incident in self.responder.ledger.open_incidents():
            events = self.responder.ledger.events(incident.id)
            verify_trail(events, head_sequence=incident.head_sequence, head_hash=incident.head_hash)
            story = tell(events)
            if story.taken_by is not None and story.decision is not None and story.decision.taken_by:
                assert story.decision.outcome is Outcome.STAND_DOWN


Taken.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

TestTaken = pytest.mark.thorough(Taken.TestCase)
