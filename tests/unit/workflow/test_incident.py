"""Whole incidents in memory: the real table, steps, ranking and ledger around a small world."""

from datetime import timedelta

import pytest

from functions.domain.changes import ForceNewDeployment, RegisterCopy, SetFloor, SetTaskDefinition
from functions.domain.errors import ChangeDoubtful, ChangeRefused
from functions.domain.evidence import ReleaseState
from functions.domain.incidents import Fact, IncidentStatus, Mode, Switch, verify_trail
from functions.domain.signals import AlarmState
from functions.playbooks.schema import Playbook
from functions.workflow.inbox import SEEN_ONE_BY_ONE
from functions.workflow.table import TABLE, StepName
from tests.fakes.engine import Execution, Killed, Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V1, V2, V3


def playbook(**said: object) -> Playbook:
    return Playbook.model_validate(
        {
            "region": REF.region,
            "cluster": REF.cluster,
            "service": REF.service,
            "mode": "auto",
            "alarms": [{"existing": "orders-5xx"}],
            "dependencies": [{"name": "orders-db", "alarm": "orders-db-unreachable"}],
            **said,
        }
    )


@pytest.fixture
def responder() -> Responder:
    return Responder(playbook=playbook())


def after_bad_release(responder: Responder, *, running: str = V1) -> None:
    """V1 was watched to be good, then V2 was shipped and fails."""
    world = responder.world
    world.task_definition = running
    responder.bake()
    responder.clock.advance(seconds=3600)
    responder.bake()
    world.bad.add(V2)
    world.ship(V2)
    responder.clock.advance(seconds=120)
    raise_alarm(responder)


def raise_alarm(responder: Responder, number: int = 0) -> None:
    assert responder.world.settle_alarm()
    responder.clock.advance(seconds=2)
    assert responder.intake(alarm_signal(number))


def facts(responder: Responder, incident_id: str | None = None) -> list[Fact]:
    return [event.fact for event in responder.ledger.events(incident_id or responder.executions.started[-1][0])]


def carried(responder: Responder, execution: Execution, *, to: StepName) -> None:
    while execution.at is not to:
        responder.go(execution)


def assert_sound(responder: Responder) -> None:
    """Every trail verifies, and no service has two open incidents."""
    for incident_id in {i for i, _, _ in responder.executions.started}:
        incident = responder.ledger.incident(incident_id)
        verify_trail(
            responder.ledger.events(incident_id),
            head_sequence=incident.head_sequence,
            head_hash=incident.head_hash,
        )
    assert len(responder.ledger.open_incidents()) <= 1


def test_a_bad_release_is_rolled_back_to_the_last_known_good(responder: Responder) -> None:
    """A release that fails after its deployment completed is replaced by the good one, verified, and quarantined."""
    after_bad_release(responder)
    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    assert responder.path[:2] == ["assess:act", "remediate:done"]
    assert responder.path[-2:] == ["verify:recovered", "close:resolved"]
    states = {r.task_definition: r.state for r in responder.ledger.releases(REF)}
    assert states == {V1: ReleaseState.GOOD, V2: ReleaseState.QUARANTINED}
    assert responder.notifier.pages[-1].subject.startswith("[resolved P1] orders")
    assert "orders:1" in responder.notifier.pages[-1].text
    assert_sound(responder)


def test_the_release_before_the_bad_one_is_skipped_when_it_is_quarantined(responder: Responder) -> None:
    """The rollback goes to the newest release that is good, which need not be the one before."""
    world = responder.world
    for version, state in ((V1, ReleaseState.GOOD), (V2, ReleaseState.QUARANTINED)):
        responder.ledger.note_release(REF, version, at=responder.clock.now(), surroundings="as always")
        responder.ledger.judge_release(REF, version, state, reason="said the test")
        responder.clock.advance(seconds=3600)
    world.bad.add(V3)
    world.ship(V3)
    responder.clock.advance(seconds=120)
    raise_alarm(responder)
    responder.run()
    assert world.changes == [SetTaskDefinition(task_definition=V1)]


def test_an_inactive_task_definition_is_registered_again_first(responder: Responder) -> None:
    """ECS takes no INACTIVE task definition: a copy is made, and the service is set to the copy."""
    responder.world.inactive.add(V1)
    after_bad_release(responder)
    responder.run()
    copy = "arn:aws:ecs:eu-west-1:000000000000:task-definition/orders:99"
    assert responder.world.changes == [RegisterCopy(task_definition=V1), SetTaskDefinition(task_definition=copy)]
    assert "remediate:next-stage" in responder.path


def test_without_a_release_to_go_back_to_people_are_paged(responder: Responder) -> None:
    """The first release of a service has no way back: nothing is changed."""
    responder.world.bad.add(V1)
    responder.world.ship(V1)
    responder.clock.advance(seconds=120)
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert responder.notifier.pages[-1].subject.startswith("[page")


def test_more_than_the_task_definition_changed(responder: Responder) -> None:
    """A rollback leaves network and load balancer alone: when they changed too, people decide."""
    after_bad_release(responder)
    responder.ledger.note_release(REF, V1, at=responder.clock.now(), surroundings="another network")
    responder.ledger.note_release(REF, V2, at=responder.clock.now(), surroundings="as always")
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert "more than the task definition changed" in responder.notifier.pages[-1].text


def test_a_traffic_spike_raises_the_floor_as_a_lease_and_gives_it_back(responder: Responder) -> None:
    """The floor goes up for the load there is, and back to what it was when the lease ends."""
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.run(until=StepName.CLOSE)
    assert [c for c in responder.world.changes if isinstance(c, SetFloor)] == responder.world.changes
    raised = responder.world.minimum
    assert 3 <= raised <= 10
    payload = responder.executions.started[-1]
    responder.visited.clear()
    responder.world.load = 1.0
    responder.executions.started.append((payload[0], payload[1], "assess"))
    responder.run()
    assert responder.world.minimum == 2
    assert "close:leases-left" in responder.path
    assert facts(responder)[-1] is Fact.LEASE_RESTORED
    assert_sound(responder)


def test_a_floor_that_somebody_changed_is_left_alone(responder: Responder) -> None:
    """The lease is given back only if the value is still the one that was set."""
    responder.world.load = 3.0
    raise_alarm(responder)

    def engineer(step: StepName) -> None:
        if step is StepName.RESTORE:
            responder.world.minimum = 7

    responder.run(before=engineer)
    assert responder.world.minimum == 7
    assert facts(responder)[-1] is Fact.LEASE_LEFT


def test_stuck_tasks_are_replaced(responder: Responder) -> None:
    """Idle CPU, failing requests, dependencies known to be fine and no new release: a forced deployment."""
    responder.world.stuck = True
    raise_alarm(responder)
    responder.run()
    assert responder.world.changes == [ForceNewDeployment()]
    assert responder.path[-1] == "close:resolved"


def test_a_database_that_dies_after_the_plan_was_made_stops_it(responder: Responder) -> None:
    """The dependencies are read once more right before tasks are replaced: nothing is changed while one is down."""

    def dies(step: StepName) -> None:
        responder.world.database_down = responder.world.database_down or step is StepName.REMEDIATE

    responder.world.stuck = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH, before=dies)
    assert "remediate:differs" in responder.path
    assert responder.world.changes == []


def test_idle_tasks_are_not_restarted_while_no_dependency_is_known_to_be_fine() -> None:
    """Without a dependency in the playbook, idle tasks may just as well wait for a dead one: people decide."""
    responder = Responder(playbook=playbook(dependencies=[]))
    responder.world.stuck = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []


def test_a_dead_database_is_not_scaled_against(responder: Responder) -> None:
    """While a dependency fails nothing is changed: people are paged once, and all is closed when it is back."""
    responder.world.database_down = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    (page,) = responder.notifier.pages
    assert page.subject == "[page P1] orders: dependency-failing, 90.0% of requests fail"
    assert "orders-db" in responder.notifier.pages[0].text
    assert "aws logs tail /ecs/orders --since 30m --region eu-west-1" in responder.notifier.pages[0].text


def test_watch_closes_when_everything_is_well_again(responder: Responder) -> None:
    """Alarms fire on transitions only, so the responder looks again by itself."""
    responder.world.database_down = True
    raise_alarm(responder)
    watched = 0

    def repaired(step: StepName) -> None:
        nonlocal watched
        watched += step is StepName.WATCH
        if watched == 3:
            responder.world.database_down = False

    responder.run(before=repaired)
    assert responder.path[-2:] == ["watch:all-clear", "close:resolved"]
    assert responder.world.changes == []
    assert "Cause      dependency-failing" in responder.notifier.pages[-1].text


def test_a_score_that_stays_too_low_is_for_people() -> None:
    """The action helped, the alarm is quiet, the score that is asked for is not reached: people are told, nothing more
    is done, and the incident closes by itself once it is reached."""
    responder = Responder(playbook=playbook(recovered={"score": 98}, targets={"cpu_percent": 10}))
    after_bad_release(responder)
    watched = 0

    def eased(step: StepName) -> None:
        nonlocal watched
        watched += step is StepName.WATCH
        if watched == 3:
            responder.world.load = 0.25

    responder.run(before=eased)
    incident = responder.executions.started[-1][0]
    assert responder.world.task_definition == V1
    assert facts(responder).count(Fact.ACTION_TAKEN) == 1
    assert responder.ledger.incident(incident).status is IncidentStatus.RESOLVED
    assert any("the health score is 97, and 98 is asked for" in page.text for page in responder.notifier.pages)
    looked = [e.summary for e in responder.ledger.events(incident) if e.fact is Fact.LOOKED_AGAIN]
    assert looked[-1].endswith("the health score is 100, and 98 is asked for: nothing costs points")


def test_observe_records_the_plan_and_changes_nothing() -> None:
    """Mode observe, which is the default, stops at the plan and tells people what it would do."""
    responder = Responder(playbook=playbook(mode="observe"))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    withheld = [
        e for e in responder.ledger.events(responder.executions.started[-1][0]) if e.fact is Fact.ACTION_WITHHELD
    ]
    assert withheld[0].data["decision"]["plan"]["changes"] == [{"kind": "set-task-definition", "task_definition": V1}]
    assert "What would be done" in responder.notifier.pages[0].text


def test_a_paused_service_is_left_alone(responder: Responder) -> None:
    """An operator's pause is obeyed, also when it comes between the plan and the action."""

    def pause(step: StepName) -> None:
        if step is StepName.REMEDIATE:
            responder.ledger.set_switch(
                REF, Switch(paused_until=responder.clock.now().replace(year=2027), by="ann", reason="migration")
            )

    after_bad_release(responder)
    responder.run(before=pause, until=StepName.WATCH)
    assert responder.world.changes == []
    assert Fact.PLAN_OUTDATED in facts(responder)


def test_a_switch_to_observe_between_plan_and_action_is_obeyed(responder: Responder) -> None:
    """Remediate asks for the mode once more, just before it acts."""

    def observe(step: StepName) -> None:
        if step is StepName.REMEDIATE:
            responder.ledger.set_switch(REF, Switch(mode=Mode.OBSERVE, by="ann"))

    after_bad_release(responder)
    responder.run(before=observe, until=StepName.WATCH)
    assert responder.world.changes == []
    assert Fact.PLAN_OUTDATED in facts(responder)


def test_an_operators_mode_comes_before_the_playbooks(responder: Responder) -> None:
    """A switch to observe takes effect at once."""
    responder.ledger.set_switch(REF, Switch(mode=Mode.OBSERVE, by="ann"))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []


def test_a_deployment_by_somebody_else_between_plan_and_action_is_respected(responder: Responder) -> None:
    """Remediate reads the service once more: what differs sends it back to assess, which sees the other at work."""
    after_bad_release(responder)

    def engineer(step: StepName) -> None:
        if step is StepName.REMEDIATE and responder.world.task_definition == V2:
            responder.world.ship(V3)

    responder.run(before=engineer)
    assert responder.world.changes == []
    assert responder.path[:3] == ["assess:act", "remediate:differs", "assess:all-clear"]


def test_a_faked_alarm_is_not_acted_upon(responder: Responder) -> None:
    """SetAlarmState can fake an alarm: the metric itself is asked."""
    responder.world.faked_alarm = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert responder.path == ["assess:stand-down"]


@pytest.mark.parametrize("call", ["service", "alarms", "series", "service_deployments", "scaling"])
def test_unreadable_evidence_never_leads_to_an_action(responder: Responder, call: str) -> None:
    """A probe that fails leaves unknown: a cause that requires it is not acted upon."""
    after_bad_release(responder)
    responder.world.unreadable.add(call)
    responder.run(until=StepName.WATCH)
    if call != "scaling":
        assert responder.world.changes == []
        assert responder.notifier.pages


def test_a_refused_change_goes_to_the_next_rung(responder: Responder) -> None:
    """AWS said no, so nothing happened: the ladder goes on, here to people."""
    responder.world.failing_changes.append(ChangeRefused("ClientException: no"))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert Fact.ACTION_REFUSED in facts(responder)
    assert responder.notifier.pages


def test_a_lost_answer_counts_as_done(responder: Responder) -> None:
    """No second call after a time-out: verification finds out that it worked."""
    responder.world.lost_answers.append(ChangeDoubtful("read timeout"))
    after_bad_release(responder)
    responder.run()
    assert len(responder.world.changes) == 1
    assert Fact.ACTION_DOUBTFUL in facts(responder)
    assert responder.path[-1] == "close:resolved"


def test_an_action_without_effect_is_not_repeated(responder: Responder) -> None:
    """A rollback that does not help by its deadline is ineffective, and people are paged."""
    responder.world.stays_broken = True
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert len(responder.world.changes) == 1
    assert "verify:ineffective" in responder.path
    assert responder.notifier.pages[-1].subject.startswith("[page")


def test_ten_deliveries_of_one_state_change_are_one_incident_and_one_action(responder: Responder) -> None:
    """Also again after the recovery; only a new state change opens a second incident."""
    after_bad_release(responder)
    for _ in range(9):
        responder.intake(alarm_signal(0))
    responder.run()
    assert responder.intake(alarm_signal(0))
    assert len(responder.ledger.incidents_of(REF)) == 1
    assert len(responder.world.changes) == 1
    responder.intake(alarm_signal(900))
    assert len(responder.ledger.incidents_of(REF)) == 2


def test_a_signal_that_comes_while_closing_is_seen_first(responder: Responder) -> None:
    """Closing is conditional on every signal having been seen."""
    after_bad_release(responder)
    sent = False

    def late(step: StepName) -> None:
        nonlocal sent
        if step is StepName.CLOSE and not sent:
            sent = True
            responder.intake(alarm_signal(500, state=AlarmState.OK))

    responder.run(before=late)
    assert "close:new-signal" in responder.path
    assert responder.path[-1] == "close:resolved"


@pytest.mark.parametrize("visit", range(1, 9))
def test_a_killed_execution_is_picked_up_and_finished(visit: int) -> None:
    """Wherever it is killed, the sweep starts a successor that finishes, without a second effect."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    count = 0

    def kill(step: StepName) -> None:
        nonlocal count
        count += 1
        if count == visit:
            raise Killed

    responder.run(before=kill)
    if responder.ledger.open_incidents():
        responder.clock.advance(seconds=300)
        assert responder.sweep().restarted
        responder.run()
    assert len(responder.world.changes) == 1
    assert responder.ledger.open_incidents() == ()
    assert_sound(responder)


def test_an_action_is_given_its_time_also_when_its_execution_is_lost_meanwhile() -> None:
    """The successor neither takes the next rung nor wakes anybody before the first could show what it does."""
    responder = Responder(playbook=playbook(ladders={"overload": ["scale-out", "force-new-deployment", "page"]}))
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.world.stays_broken = True  # for as long as new tasks take to start
    responder.run(until=StepName.VERIFY)
    (incident, generation, _) = responder.executions.started[-1]
    responder.executions.ended.add((incident, generation))
    responder.clock.advance(seconds=80)
    assert responder.sweep().restarted
    responder.run(until=StepName.VERIFY)

    assert [change.kind for change in responder.world.changes] == ["set-floor"]
    assert responder.notifier.pages == []
    assert facts(responder)[-1] is Fact.WAITED

    responder.world.stays_broken, responder.world.load = False, 1.0
    responder.run()
    assert responder.ledger.incidents_of(REF)[0].status is IncidentStatus.RESOLVED
    assert [change.kind for change in responder.world.changes] == ["set-floor"]


def test_a_crash_between_intent_and_result_is_not_done_again(responder: Responder) -> None:
    """The intent without a result may have happened: it counts as done, and verify decides."""

    class Crashed(Exception):
        pass

    after_bad_release(responder)

    def die(step: StepName) -> None:
        if step is StepName.VERIFY:
            raise Killed

    world = responder.world
    original = world.apply

    def apply_and_die(ref: object, change: object) -> object:
        original(ref, change)  # type: ignore[arg-type]
        raise Killed

    world.apply = apply_and_die  # type: ignore[assignment,method-assign]
    responder.run(before=die)
    world.apply = original  # type: ignore[method-assign]
    responder.clock.advance(seconds=300)
    responder.sweep()
    responder.run()
    assert len(world.changes) == 1
    assert Fact.ACTION_DOUBTFUL in facts(responder)
    assert responder.ledger.incidents_of(REF)[0].status is IncidentStatus.RESOLVED


def test_an_alarm_whose_message_was_lost_is_found_by_the_sweep(responder: Responder) -> None:
    """Nothing depends on a message arriving."""
    responder.world.database_down = True
    responder.world.settle_alarm()
    assert responder.sweep().opened
    assert responder.sweep().opened == ()
    assert len(responder.ledger.open_incidents()) == 1


@pytest.mark.parametrize("step", [StepName.ASSESS, StepName.REMEDIATE, StepName.VERIFY, StepName.PAGE])
def test_what_a_tired_execution_can_do_nothing_about_is_left_to_its_successor_at_once(
    responder: Responder, step: StepName
) -> None:
    """It does not come by again and again, until its watch has grown old as well."""
    responder.world.database_down = True
    raise_alarm(responder)
    tired = Execution.begun(*responder.executions.started[0])
    carried(responder, tired, to=StepName.WATCH)
    tired.payload |= {"visits": {step: TABLE[step].visits}, "wait_s": 0}
    responder.intake(alarm_signal(1))

    came = responder.clock.now()
    carried(responder, tired, to=StepName.END)
    incident = responder.ledger.incident(tired.incident)
    assert incident.generation == 2
    responder.run(until=StepName.WATCH)
    assert responder.clock.now() - came < timedelta(minutes=1)
    assert responder.ledger.incident(tired.incident).signals_seen == 2


@pytest.mark.thorough
def test_a_long_watch_hands_over_to_a_successor(responder: Responder) -> None:
    """An execution ends long before its history is full; the incident goes on under a new generation."""
    responder.world.database_down = True
    raise_alarm(responder)
    responder.run(most=600)
    assert responder.executions.started[-1][1] == 2
    incident = responder.ledger.incident(responder.executions.started[-1][0])
    assert incident.generation == 2
    assert len(responder.notifier.news) == 1


@pytest.mark.thorough
def test_what_the_playbook_wants_is_read_with_what_there_is() -> None:
    """A look takes the playbook's word for log group and sticky sessions, and the trail has both."""
    wanting = Responder(playbook=playbook(sticky_sessions="1h", overrides={"log_group": "/shop/all"}))
    after_bad_release(wanting)
    wanting.run(until=StepName.REMEDIATE)
    incident_id = wanting.executions.started[-1][0]
    looked = next(e for e in wanting.ledger.events(incident_id) if e.fact is Fact.EVIDENCE_GATHERED)
    findings = wanting.ledger.evidence(looked)["findings"]
    assert findings["front"]["value"]["sticky_s"] == 3600
    assert findings["logs"]["value"]["groups"] == ["/shop/all"]


def test_a_flood_of_signals_is_seen_as_a_whole(responder: Responder) -> None:
    """However many come between two looks, each is seen and the incident goes on: the first have a line of the trail
    each, and the rest one together."""
    for number in range(300):
        responder.intake(alarm_signal(number, alarm="orders-5xx"))
    responder.run(until=StepName.CLOSE)
    (incident,) = responder.ledger.incidents_of(REF)
    received = [e for e in responder.ledger.events(incident.id) if e.fact is Fact.SIGNAL_RECEIVED]
    assert incident.signals_seen == incident.signals_received == 300
    assert len(received) == SEEN_ONE_BY_ONE + 1
    assert received[-1].summary == f"{300 - SEEN_ONE_BY_ONE} signals more: orders-5xx is ALARM (260 times)"
    assert_sound(responder)
