"""Shutting somebody out, from the order to the end of it: always asked for, done once, and taken back where it ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from functions.domain.approvals import Answer
from functions.domain.breach import CallFacts
from functions.domain.causes import Cause
from functions.domain.changes import (
    ActionName,
    BackUpTable,
    BlockAddress,
    Change,
    DisableUser,
    IpScope,
    IpSet,
    MuteAlarm,
    ScaleToZero,
    SetCeiling,
    UnblockAddress,
    UnmuteAlarm,
)
from functions.domain.errors import ChangeDoubtful, ChangeRefused
from functions.domain.incidents import Fact, IncidentStatus, Mode, NewEvent, Switch
from functions.domain.maintenance import Announced
from functions.domain.orders import Order, Ordered
from functions.workflow.decide import NOT_DEPLOYED
from functions.workflow.orders import GiveOrder
from functions.workflow.restore import Restore
from functions.workflow.story import tell
from functions.workflow.table import StepName
from tests.fakes.engine import Execution, Killed, Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_approval import answering, incident_id, subjects
from tests.unit.workflow.test_further_sources import FINDING, THREAT
from tests.unit.workflow.test_incident import after_bad_release, assert_sound, facts, playbook, raise_alarm
from tests.unit.workflow.test_mutes import continued, flapping
from tools.chaos import samples

ADDRESS = "93.184.216.34"
ANOTHER = "93.184.216.35"
SET = IpSet(name="blocked", id="set-1", scope=IpScope.REGIONAL)
CONTAIN = {"ip_set": SET.model_dump(mode="json"), "user_pool": "eu-west-1_Ab12Cd34E"}
RESOURCE = "service/shop/orders"
OPEN, SHUT = SetCeiling(resource_id=RESOURCE, maximum=0, minimum=0), ScaleToZero()


def responder_in(mode: str, *, deployed: bool = True, account: str = "000000000000", **said: object) -> Responder:
    return Responder(playbook=playbook(mode=mode, contain=CONTAIN, **said), contain_deployed=deployed, account=account)


@pytest.fixture
def responder() -> Responder:
    return responder_in("auto")


def order(what: Ordered, **said: object) -> Order:
    return Order.model_validate({"what": what, "by": "ann", "reason": "seen in the logs", **said})


def block(address: str = ADDRESS, *, hours: int = 24) -> Order:
    return order(Ordered.BLOCK_ADDRESS, address=address, duration_s=hours * 3600)


def give(responder: Responder, given: Order) -> str:
    responder.clock.advance(seconds=1)
    return GiveOrder(ledger=responder.ledger, executions=responder.executions, now=responder.clock.now)(
        REF, given
    ).incident_id


ORDERS = [order(Ordered.ISOLATE), block(), order(Ordered.DISABLE_USER, user="u-17")]


def asks(responder: Responder, answer: Answer) -> Callable[[], None]:
    return answering(responder, answer)


@pytest.mark.parametrize("mode", ["ask", "auto"])
@pytest.mark.parametrize("given", ORDERS, ids=lambda given: str(given.what))
def test_an_order_is_asked_for_before_anything_is_done(given: Order, mode: str) -> None:
    """Whoever orders it sees the plan first; without a yes nothing happens."""
    responder = responder_in(mode)
    give(responder, given)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert responder.path[:2] == ["assess:ask", "approval:expired"]
    assert subjects(responder)[0] == "[approve?"
    assert "ann orders" in responder.notifier.pages[0].text
    assert_sound(responder)


@pytest.mark.parametrize("given", ORDERS, ids=lambda given: str(given.what))
def test_in_mode_observe_an_order_is_recorded_and_paged(given: Order) -> None:
    """The mode holds for people's orders as for everything: the plan is shown, and nothing is asked or done."""
    responder = responder_in("observe")
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, given)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert responder.path[0] == "assess:escalate"
    assert "mode observe" in responder.notifier.pages[0].text


@pytest.mark.parametrize("given", ORDERS, ids=lambda given: str(given.what))
def test_without_the_contain_stack_an_order_is_refused(given: Order) -> None:
    """And the page says why."""
    responder = responder_in("auto", deployed=False)
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, given)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert NOT_DEPLOYED in responder.notifier.pages[0].text


def test_isolating_closes_the_autoscaler_and_then_stops_every_task(responder: Responder) -> None:
    """By the step of the contain stack alone; then people are told how to bring it back, and it stays theirs."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, order(Ordered.ISOLATE))
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == [OPEN, SHUT]
    assert "contain:next-stage" in responder.path
    assert not any(step.startswith("remediate") for step in responder.path)
    text = responder.notifier.pages[-1].text
    assert "--min-capacity 2 --max-capacity 10" in text
    assert "--desired-count 2" in text
    assert responder.ledger.incident(incident_id(responder)).status is IncidentStatus.OPEN
    assert_sound(responder)


def test_an_isolated_service_is_watched_until_a_person_brings_it_back(responder: Responder) -> None:
    """Nothing is all clear while no task runs; once it is back and well, the incident closes by itself."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, order(Ordered.ISOLATE))
    visits: list[StepName] = []

    def back(step: StepName) -> None:
        visits.append(step)
        if visits.count(StepName.WATCH) == 10:
            responder.world.minimum, responder.world.maximum = 2, 10
            responder.world.desired = responder.world.running = 2

    responder.run(before=back)
    assert visits.count(StepName.WATCH) >= 10
    assert len(subjects(responder)) == 3  # the question, the page that it is isolated, and that it is back
    assert responder.ledger.incident(incident_id(responder)).status is IncidentStatus.RESOLVED
    assert responder.world.changes == [OPEN, SHUT]


def test_a_grant_to_isolate_outlives_the_autoscaler(responder: Responder) -> None:
    """However many tasks there are by then: all of them are meant."""

    def granted() -> None:
        responder.world.desired = responder.world.running = 6
        asks(responder, Answer.GRANTED)()

    responder.asked = granted
    give(responder, order(Ordered.ISOLATE))
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == [OPEN, SHUT]
    assert "--desired-count 6" in responder.notifier.pages[-1].text


def test_without_an_autoscaler_one_call_isolates(responder: Responder) -> None:
    """There is nothing to close first."""
    responder.world.has_scaling = False
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, order(Ordered.ISOLATE))
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == [SHUT]


@pytest.mark.parametrize("mode", ["ask", "auto"])
def test_a_ladder_that_isolates_asks_as_well(mode: str) -> None:
    """A flood is answered as the playbook says, in no mode without people."""
    responder = responder_in(mode, ladders={"suspected-breach": ["isolate", "page"]})
    responder.world.load = 30.0
    responder.world.running = responder.world.desired = 2
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert "assess:ask" in responder.path
    assert responder.world.changes == []


def flooded(answer: Answer) -> Responder:
    """Far more requests than users send, and a ladder that saves the data before it isolates."""
    ladders = {"suspected-breach": ["back-up", "isolate", "page"]}
    made = responder_in("auto", ladders=ladders, backups={"dynamodb": ["orders"]})
    made.world.load = 30.0
    made.world.running = made.world.desired = 2
    made.asked = asks(made, answer)
    return made


def test_the_data_is_saved_before_the_service_is_isolated() -> None:
    """Each by the step that has the rights for it; only to isolate people are asked."""
    responder = flooded(Answer.GRANTED)
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    saved = BackUpTable(table="orders", backup=f"responder-{incident_id(responder)}")
    assert responder.world.changes == [saved, OPEN, SHUT]
    steps = [each for each in responder.path if not each.endswith(":wait") and each != "settle:done"]
    assert steps[:6] == [
        "assess:act",
        "remediate:look-again",
        "assess:ask",
        "approval:granted",
        "assess:contain",
        "contain:next-stage",
    ]
    assert_sound(responder)


def test_a_service_whose_data_could_not_be_saved_is_not_isolated_by_a_ladder() -> None:
    """Nothing follows a backup that was refused, and nobody is asked for it."""
    responder = flooded(Answer.GRANTED)
    responder.world.failing_changes.append(ChangeRefused("no"))
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert "assess:ask" not in responder.path
    assert "back-up: it was not done, and nothing follows without it" in responder.notifier.pages[-1].text


def test_a_mute_and_a_block_end_each_by_its_own_step() -> None:
    """Restore ends the mute, lift the block; neither waits for the other."""
    responder = flapping(contain=CONTAIN)
    responder.asked = asks(responder, Answer.GRANTED)
    responder.run(until=StepName.VERIFY)
    responder.world.faked_alarm = False
    give(responder, block(hours=1))
    continued(responder)
    muted, blocked = responder.world.changes
    assert isinstance(muted, MuteAlarm)
    assert blocked == BlockAddress(ip_set=SET, address=ADDRESS)
    assert responder.world.restored == [
        UnmuteAlarm(alarm="orders-5xx"),
        UnblockAddress(ip_set=SET, address=ADDRESS),
    ]
    assert "lift:done" in responder.path
    assert responder.ledger.service_leases(REF) == ()
    assert_sound(responder)


def test_an_address_is_blocked_and_taken_out_again_when_its_time_is_over(responder: Responder) -> None:
    """The lease outlives the incident; what others put into the set stays there."""
    responder.world.blocked = ["9.9.9.9"]
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block(hours=24))
    began = responder.clock.now()
    responder.run()
    assert responder.world.changes == [BlockAddress(ip_set=SET, address=ADDRESS)]
    assert responder.world.restored == [UnblockAddress(ip_set=SET, address=ADDRESS)]
    assert responder.world.blocked == ["9.9.9.9"]
    assert responder.clock.now() - began >= timedelta(hours=24)
    assert responder.path[-3:] == ["restore:contain", "lift:done", "restore:restored"]
    assert responder.ledger.service_leases(REF) == ()
    assert_sound(responder)


def test_what_somebody_else_took_out_is_not_taken_out_again(responder: Responder) -> None:
    """The trail says so, and the lease is over."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block())

    def before(step: StepName) -> None:
        if step is StepName.RESTORE and ADDRESS in responder.world.blocked:
            responder.world.blocked.remove(ADDRESS)

    responder.run(before=before)
    assert responder.world.restored == []
    assert Fact.LEASE_LEFT in facts(responder)


def test_a_stack_that_was_taken_away_is_told_when_an_address_is_due(responder: Responder) -> None:
    """The block stays, and people hear that they have to end it."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block())
    responder.run(until=StepName.RESTORE)
    restore = responder.steps[StepName.RESTORE]
    assert isinstance(restore, Restore)
    responder.steps[StepName.RESTORE] = replace(restore, contain_deployed=False)
    responder.executions.started.append((incident_id(responder), 1, "restore"))
    responder.run()
    assert responder.world.restored == []
    assert "not deployed any more" in responder.notifier.pages[-1].text


@pytest.mark.parametrize("given", ORDERS, ids=lambda given: str(given.what))
def test_nobody_is_shut_out_in_a_maintenance_window(given: Order) -> None:
    """Nobody is asked for it, and whoever ordered it hears why."""
    responder = responder_in("auto", maintenance=[{"every": "day", "from": "00:00", "to": "06:00"}])
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, given)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert "maintenance: in maintenance until" in responder.notifier.pages[-1].text


def test_a_window_that_opens_after_the_yes_stops_it_too(responder: Responder) -> None:
    """The contain step looks again just before."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block())

    def before(step: StepName) -> None:
        if step is StepName.CONTAIN:
            announce(responder, hours=1)

    responder.run(until=StepName.WATCH, before=before)
    assert responder.world.changes == []
    assert "contain:differs" in responder.path


def announce(responder: Responder, *, hours: int) -> None:
    now = responder.clock.now()
    window = Announced(start=now, end=now + timedelta(hours=hours), by="bob", reason="new disks", at=now)
    responder.ledger.set_switch(REF, Switch(maintenance=(window,)))


def test_a_block_is_lifted_when_the_window_is_over(responder: Responder) -> None:
    """Also where the window is announced between the two steps that end it."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block(hours=1))
    ends: list[datetime] = []

    def before(step: StepName) -> None:
        if step is StepName.LIFT and not ends:
            announce(responder, hours=3)
            ends.append(responder.clock.now() + timedelta(hours=3))
        assert not responder.world.restored or responder.clock.now() >= ends[0]

    responder.run(before=before)
    assert responder.world.restored == [UnblockAddress(ip_set=SET, address=ADDRESS)]
    assert responder.path[-6:] == [
        "restore:contain",
        "lift:done",
        "restore:not-due",
        "restore:contain",
        "lift:done",
        "restore:restored",
    ]


def test_a_finding_of_guardduty_is_answered_by_the_ladder() -> None:
    """As a flood is: people are asked, and after their yes no task runs. The incident stays open."""
    responder = responder_in("auto", account=samples.ACCOUNT, ladders={"suspected-breach": ["isolate", "page"]})
    responder.asked = asks(responder, Answer.GRANTED)
    responder.world.quiet.shown_threats = (THREAT,)
    responder.intake(FINDING)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == [OPEN, SHUT]
    assert "GuardDuty, HIGH (8)" in responder.notifier.pages[0].text
    assert "--desired-count 2" in responder.notifier.pages[-1].text
    assert responder.ledger.incident(incident_id(responder)).status is IncidentStatus.OPEN
    assert_sound(responder)


def test_a_user_is_disabled_once(responder: Responder) -> None:
    """And the trail says by whose order, and how to take it back."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, order(Ordered.DISABLE_USER, user="u-17"))
    responder.run()
    assert responder.world.changes == [DisableUser(user_pool="eu-west-1_Ab12Cd34E", user="u-17")]
    assert "admin-enable-user" in responder.notifier.pages[-1].text
    received = next(e for e in responder.ledger.events(incident_id(responder)) if e.fact is Fact.SIGNAL_RECEIVED)
    assert received.actor == "ann"


def test_two_orders_at_once_are_both_asked_for(responder: Responder) -> None:
    """One after the other; none is lost, and the first is given its answer first."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block(ADDRESS))
    give(responder, block(ANOTHER))
    responder.run(until=StepName.RESTORE)
    assert [c.address for c in responder.world.changes if isinstance(c, BlockAddress)] == [ADDRESS, ANOTHER]


def test_a_no_ends_that_order_and_no_other(responder: Responder) -> None:
    """A mistyped address is denied; the right one may be ordered in the same incident."""
    answers = iter([Answer.DENIED, Answer.GRANTED])
    responder.asked = lambda: asks(responder, next(answers))()
    give(responder, block(ADDRESS))
    give(responder, block(ANOTHER))
    responder.run(until=StepName.RESTORE)
    assert [c.address for c in responder.world.changes if isinstance(c, BlockAddress)] == [ANOTHER]


def test_an_order_joins_the_open_incident(responder: Responder) -> None:
    """Its trail has the order, and nothing of the lock or the order of things changes."""
    after_bad_release(responder)
    first = incident_id(responder)
    assert give(responder, block()) == first


def test_a_doubtful_block_counts_as_done(responder: Responder) -> None:
    """It is not sent twice; the lease is out, and takes it back if it is there."""
    responder.asked = asks(responder, Answer.GRANTED)
    responder.world.lost_answers.append(ChangeDoubtful("no answer"))
    give(responder, block())
    responder.run()
    assert responder.world.changes == [BlockAddress(ip_set=SET, address=ADDRESS)]
    assert responder.world.blocked == []


def test_a_refused_block_leaves_no_lease(responder: Responder) -> None:
    """Nothing was changed, so there is nothing to give back."""
    responder.asked = asks(responder, Answer.GRANTED)
    responder.world.failing_changes.append(ChangeRefused("WAFOptimisticLockException"))
    give(responder, block())
    responder.run()
    assert responder.world.changes == []
    assert responder.ledger.service_leases(REF) == ()


def test_a_killed_containment_is_not_repeated(responder: Responder) -> None:
    """Between the intent and its result it counts as done, for whoever takes the incident over."""
    responder.asked = asks(responder, Answer.GRANTED)

    def die() -> None:
        raise Killed

    responder.world.afterwards.append(die)
    give(responder, order(Ordered.DISABLE_USER, user="u-17"))
    responder.run()
    responder.clock.advance(seconds=600)
    responder.sweep()
    responder.run()
    assert responder.world.disabled == ["u-17"]
    assert Fact.ACTION_DOUBTFUL in facts(responder)


@pytest.mark.parametrize("given", ORDERS, ids=lambda given: str(given.what))
def test_whoever_was_replaced_shuts_nobody_out(given: Order, responder: Responder) -> None:
    """The fencing token holds for the contain step as for every other."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, given)
    responder.run(until=StepName.CONTAIN)
    incident = responder.ledger.incident(incident_id(responder))
    taken = NewEvent(fact=Fact.EXECUTION_RESTARTED, actor="sweep", summary="taken over")
    responder.ledger.next_generation(incident, taken)
    execution = Execution(incident.id, 1, StepName.CONTAIN, {"incident_id": incident.id, "generation": 1})
    responder.go(execution)
    assert execution.at is StepName.END
    assert responder.world.changes == []


def test_a_switch_to_observe_after_the_grant_stops_it(responder: Responder) -> None:
    """The contain step looks again just before."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block())

    def before(step: StepName) -> None:
        if step is StepName.CONTAIN:
            responder.ledger.set_switch(REF, Switch(mode=Mode.OBSERVE, by="bob"))

    responder.run(until=StepName.WATCH, before=before)
    assert responder.world.changes == []


def test_the_step_that_changes_services_takes_no_such_plan(responder: Responder) -> None:
    """Whatever an outcome says: remediate has neither the rights nor the code path."""
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block())
    payload = responder.run(until=StepName.CONTAIN)
    with pytest.raises(LookupError, match="not for the step"):
        responder.go(Execution(incident_id(responder), 1, StepName.REMEDIATE, payload))


def test_an_order_is_for_a_suspected_breach(responder: Responder) -> None:
    """Whoever orders it suspects one, and need not prove it; the trail says who."""
    give(responder, block())
    responder.run(until=StepName.WATCH)
    story = tell(responder.ledger.events(incident_id(responder)))
    assert story.decision is not None
    assert story.decision.cause is Cause.SUSPECTED_BREACH
    assert story.decision.plan is not None
    assert story.decision.plan.action is ActionName.BLOCK_ADDRESS


def test_an_isolation_that_got_stuck_is_told_with_its_way_back(responder: Responder) -> None:
    """The scalable target is closed and the second call refused: the tasks stop by themselves, and people know."""
    responder.asked = asks(responder, Answer.GRANTED)
    refused = [ChangeRefused("ClientException: no")]

    def refuse_the_second(change: Change) -> None:
        if isinstance(change, ScaleToZero):
            responder.world.failing_changes.extend(refused)

    responder.world.watching = refuse_the_second
    give(responder, order(Ordered.ISOLATE))
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == [OPEN]
    assert "--min-capacity 2 --max-capacity 10" in responder.notifier.pages[-1].text
    assert responder.ledger.incident(incident_id(responder)).status is IncidentStatus.OPEN


def test_the_question_shows_what_else_speaks_for_a_breach() -> None:
    """Where the playbook asks for it, whoever decides reads it beside the plan."""
    responder = Responder(playbook=playbook(mode="auto", contain={**CONTAIN, "evidence": True}))
    responder.world.quiet.shown_calls = (
        CallFacts(
            at=responder.clock.now(), event="CreateUser", source="iam.amazonaws.com", by="x", denied=True, own=True
        ),
    )
    give(responder, block())
    responder.run(until=StepName.WATCH)
    assert "the tasks' own role was denied CreateUser of iam" in responder.notifier.pages[0].text
