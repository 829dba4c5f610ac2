"""Orders by hand, from the order to the closed incident: planned, judged by every guardrail, done once, verified."""

from datetime import timedelta

import pytest

from functions.domain.approvals import Answer
from functions.domain.changes import (
    Change,
    ForceNewDeployment,
    RegisterCopy,
    SetCeiling,
    SetCount,
    SetFloor,
    SetTaskDefinition,
    StopDeployment,
    StopTask,
)
from functions.domain.errors import AnswerRefused, ChangeRefused, OrderRefused
from functions.domain.evidence import ReleaseState, ServiceDeploymentFacts
from functions.domain.incidents import Fact, IncidentStatus, Mode, Switch
from functions.domain.orders import Order, Ordered
from functions.domain.services import ServiceRef
from functions.workflow.orders import Given, OrderState, Reply, reply_to
from functions.workflow.table import StepName
from tests.fakes.engine import Killed, Responder
from tests.fakes.world import FAMILY, REF, V1, V2, V3
from tests.unit.workflow.test_approval import answering, say, subjects
from tests.unit.workflow.test_incident import after_bad_release, assert_sound, playbook, raise_alarm

RESOURCE = "service/shop/orders"
REDEPLOY, ROLL_BACK, STOP_TASK, LOOK = Ordered.REDEPLOY, Ordered.ROLL_BACK, Ordered.STOP_TASK, Ordered.LOOK


def responder_in(mode: str = "auto", **said: object) -> Responder:
    made = Responder(playbook=playbook(mode=mode, **said))
    made.clock.advance(seconds=3600)
    return made


@pytest.fixture
def responder() -> Responder:
    return responder_in()


def order(what: Ordered, **said: object) -> Order:
    return Order.model_validate({"what": what, "by": "ann", "reason": "the cache is stale", **said})


def scale(count: int, **said: object) -> Order:
    return order(Ordered.SET_COUNT, count=count, **said)


def limits(minimum: int, maximum: int, **said: object) -> Order:
    return order(Ordered.SET_LIMITS, minimum=minimum, maximum=maximum, **said)


def give(responder: Responder, given: Order) -> Given:
    responder.clock.advance(seconds=1)
    return responder.give_order(REF, given)


def obeyed(responder: Responder, given: Order) -> Reply:
    """What became of it, after the incident went to its end or is watched."""
    taken = give(responder, given)
    responder.run(until=StepName.RESTORE)
    return reply_to(responder.ledger, taken)


def known(responder: Responder, *releases: tuple[str, ReleaseState]) -> None:
    """The history of releases, oldest first; the world runs V1."""
    for release, state in releases:
        surroundings = "as always"
        responder.ledger.note_release(REF, release, at=responder.clock.now(), surroundings=surroundings)
        responder.ledger.judge_release(REF, release, state, reason="said the test")
        responder.clock.advance(seconds=60)


def with_history() -> Responder:
    """Three tasks of V1 run; V2 was good, too."""
    made = responder_in()
    known(made, (V2, ReleaseState.GOOD), (V1, ReleaseState.GOOD))
    made.world.running = made.world.desired = 3
    return made


def closed(responder: Responder) -> bool:
    incident = responder.executions.started[-1][0]
    return responder.ledger.incident(incident).status is IncidentStatus.RESOLVED


# Each order, from end to end


ORDERS: list[tuple[Order, list[Change]]] = [
    (order(REDEPLOY), [ForceNewDeployment()]),
    (order(ROLL_BACK), [SetTaskDefinition(task_definition=V2)]),
    (order(ROLL_BACK, to="2"), [SetTaskDefinition(task_definition=V2)]),
    (order(ROLL_BACK, to="orders:2"), [SetTaskDefinition(task_definition=V2)]),
    (order(ROLL_BACK, to=V2), [SetTaskDefinition(task_definition=V2)]),
    (scale(6), [SetFloor(resource_id=RESOURCE, minimum=6)]),
    (scale(1), [SetFloor(resource_id=RESOURCE, minimum=1), SetCount(count=1)]),
    (scale(12), [SetCeiling(resource_id=RESOURCE, maximum=12), SetFloor(resource_id=RESOURCE, minimum=12)]),
    (limits(3, 15), [SetCeiling(resource_id=RESOURCE, maximum=15, minimum=3)]),
]


@pytest.mark.parametrize("mode", ["auto", "ask"])
@pytest.mark.parametrize(("given", "changes"), ORDERS, ids=lambda each: each.wanted if isinstance(each, Order) else "")
def test_an_order_is_planned_done_verified_and_closed(given: Order, changes: list[Change], mode: str) -> None:
    """In mode auto as in mode ask, where the order is the yes of whoever gave it: nobody is asked, nobody is paged."""
    responder = responder_in(mode)
    known(responder, (V2, ReleaseState.GOOD), (V1, ReleaseState.GOOD))
    reply = obeyed(responder, given)
    assert responder.world.changes == changes
    assert reply.state is OrderState.DONE
    assert reply.plan is not None
    assert responder.path[0] == "assess:act"
    assert responder.path[-2:] == ["verify:recovered", "close:resolved"]
    assert subjects(responder) == ["[resolved"]
    assert "ann orders" in responder.notifier.pages[0].text
    assert closed(responder)
    assert_sound(responder)


def test_a_chosen_task_is_stopped_while_another_works(responder: Responder) -> None:
    """With a reason of its own; ECS starts another one."""
    responder.world.running = responder.world.desired = 3
    reply = obeyed(responder, order(STOP_TASK, task="1"))
    (stop,) = responder.world.changes
    assert isinstance(stop, StopTask)
    assert (stop.task, stop.reason) == ("task/1", "stopped by hand, through the first responder")
    assert reply.state is OrderState.DONE
    assert closed(responder)


def test_a_look_by_hand_diagnoses_and_acts_as_the_playbook_says(responder: Responder) -> None:
    """Where nothing is wrong it closes at once; where something is, the ladder is climbed."""
    reply = obeyed(responder, order(LOOK))
    assert (reply.state, reply.plan) == (OrderState.DONE, None)
    assert responder.world.changes == []
    assert closed(responder)
    responder.world.stuck = True
    responder.clock.advance(seconds=600)
    give(responder, order(LOOK))
    responder.run(until=StepName.VERIFY)
    assert responder.world.changes == [ForceNewDeployment()]


def test_without_an_autoscaler_the_count_itself_is_set(responder: Responder) -> None:
    """There is no floor to raise."""
    responder.world.has_scaling = False
    obeyed(responder, scale(5))
    assert responder.world.changes == [SetCount(count=5)]
    assert closed(responder)


def test_limits_need_a_scalable_target(responder: Responder) -> None:
    """The refusal says which command is for a service without one."""
    responder.world.has_scaling = False
    reply = obeyed(responder, limits(2, 5))
    assert reply.state is OrderState.REFUSED
    assert "responder scale" in reply.reason


# For a while


def test_a_count_for_a_while_is_given_back(responder: Responder) -> None:
    """Floor and ceiling come back when the lease ends, whether or not the incident is closed by then."""
    give(responder, scale(12, duration_s=7200))
    began = responder.clock.now()
    responder.run()
    assert responder.clock.now() - began >= timedelta(hours=2)
    assert (responder.world.minimum, responder.world.maximum) == (2, 12)  # 12 tasks run: the ceiling waits
    assert responder.world.restored == [SetFloor(resource_id=RESOURCE, minimum=2)]


def test_a_count_without_an_autoscaler_is_given_back_too(responder: Responder) -> None:
    """The count that was there before comes back, if nobody changed it meanwhile."""
    responder.world.has_scaling = False
    give(responder, scale(5, duration_s=3600))
    responder.run()
    assert responder.world.restored == [SetCount(count=2)]
    assert responder.ledger.service_leases(REF) == ()


def test_a_count_that_somebody_changed_meanwhile_stays(responder: Responder) -> None:
    """It is theirs then, and the trail says so."""
    responder.world.has_scaling = False
    give(responder, scale(5, duration_s=3600))
    responder.run(until=StepName.RESTORE)
    responder.world.desired = responder.world.running = 7

    responder.run()
    assert responder.world.restored == []
    assert responder.world.desired == 7


def test_limits_for_a_while_come_back_one_by_one(responder: Responder) -> None:
    """Each bound is a lease of its own."""
    give(responder, limits(3, 15, duration_s=3600))
    responder.run()
    assert responder.world.changes == [
        SetFloor(resource_id=RESOURCE, minimum=3),
        SetCeiling(resource_id=RESOURCE, maximum=15),
    ]
    assert (responder.world.minimum, responder.world.maximum) == (2, 10)
    assert responder.ledger.service_leases(REF) == ()


def test_limits_without_an_end_stay_and_the_mail_says_so(responder: Responder) -> None:
    """The next deployment of the infrastructure code may bring the old ones back."""
    obeyed(responder, limits(3, 15))
    assert responder.ledger.service_leases(REF) == ()
    assert "your infrastructure code may say otherwise" in responder.notifier.pages[-1].text


# What a guardrail refuses


def paused(responder: Responder) -> None:
    until = responder.clock.now() + timedelta(hours=1)
    responder.ledger.set_switch(
        REF, Switch(paused_until=until, by="bob", reason="a migration"), was=responder.ledger.switch(REF)
    )


def used_up(responder: Responder) -> None:
    for _ in range(4):
        responder.clock.advance(seconds=61)
        give(responder, order(REDEPLOY))
        responder.run()


@pytest.mark.parametrize(
    ("given", "said", "rule"),
    [
        (scale(21), {}, "task counts"),
        (scale(0), {}, "task counts"),
        (scale(1), {"limits": {"min_tasks": 2}}, "task counts"),
        (limits(0, 5), {}, "task counts"),
        (limits(2, 21), {}, "task counts"),
        (order(REDEPLOY), {"mode": "observe"}, "mode"),
        (order(REDEPLOY), {"limits": {"actions_per_hour": 0}}, "service budget"),
        (
            order(REDEPLOY),
            {"maintenance": [{"every": "day", "from": "00:00", "to": "23:59"}]},
            "maintenance",
        ),
    ],
)
def test_bounds_modes_windows_and_budgets_hold_for_a_person_too(
    given: Order, said: dict[str, object], rule: str
) -> None:
    """Nothing is changed, the reply names the rule, and nobody is paged for it."""
    mode = str(said.pop("mode", "auto")) if "mode" in said else "auto"
    responder = responder_in(mode, **said)
    reply = obeyed(responder, given)
    assert (reply.state, reply.refused_by) == (OrderState.REFUSED, (rule,))
    assert rule in reply.reason
    assert responder.world.changes == []
    assert subjects(responder) == []
    assert closed(responder)


def test_a_paused_service_takes_no_order(responder: Responder) -> None:
    """Somebody said hands off: whoever wants it anyway ends the pause first."""
    paused(responder)
    reply = obeyed(responder, order(REDEPLOY))
    assert reply.refused_by == ("pause",)
    assert "bob" in reply.reason
    assert responder.world.changes == []


@pytest.mark.thorough
def test_a_dead_database_vetoes_new_tasks_and_not_fewer(responder: Responder) -> None:
    """New tasks make an outage of what they stand on worse; taking some away does not."""
    responder.world.running = responder.world.desired = 6
    responder.world.database_down = True
    responder.world.settle_alarm()
    assert obeyed(responder, order(REDEPLOY)).refused_by == ("dependency",)
    assert obeyed(responder, scale(8)).refused_by == ("dependency",)
    assert responder.world.changes == []
    obeyed(responder, scale(4))
    assert responder.world.changes[-1] == SetCount(count=4)


def test_the_hourly_limit_holds(responder: Responder) -> None:
    """A person's fifth change in an hour is one too many for everybody."""
    used_up(responder)
    made = list(responder.world.changes)
    assert obeyed(responder, order(REDEPLOY)).refused_by == ("service budget",)
    assert responder.world.changes == made


def test_a_cooldown_is_passed_and_the_trail_says_so(responder: Responder) -> None:
    """It holds back the responder's own zeal after an earlier incident, and not a person."""
    obeyed(responder, order(REDEPLOY))
    responder.clock.advance(seconds=61)
    reply = obeyed(responder, order(REDEPLOY))
    assert reply.state is OrderState.DONE
    (verdict,) = [each for each in reply.verdicts if each.ordered]
    assert (verdict.guardrail, verdict.allowed) == ("cooldown", True)
    assert "the order of ann passes it" in verdict.reason


def test_attempts_and_earlier_deployments_are_passed(responder: Responder) -> None:
    """The attempts of an incident are the ladder's, and a person knows of deployments before the order."""
    responder = responder_in(limits={"attempts_per_incident": 0})
    responder.world.stuck = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    responder.world.ship(V2)
    responder.world.finish_shipping()
    responder.clock.advance(seconds=60)
    given = give(responder, order(REDEPLOY))
    responder.run(until=StepName.VERIFY)
    reply = reply_to(responder.ledger, given)
    assert {each.guardrail for each in reply.verdicts if each.ordered} == {"attempts", "external change"}
    assert responder.world.changes == [ForceNewDeployment()]


def test_what_somebody_deploys_after_the_order_is_not_fought(responder: Responder) -> None:
    """The order knew nothing of it."""
    taken = give(responder, scale(6))
    responder.clock.advance(seconds=30)
    responder.world.ship(V2)
    responder.world.finish_shipping()
    responder.run()
    assert reply_to(responder.ledger, taken).refused_by == ("external change",)
    assert responder.world.changes == []


# Never a second change at once


@pytest.mark.thorough
@pytest.mark.parametrize("given", [order(REDEPLOY), order(ROLL_BACK, to="2"), scale(6), limits(3, 9)])
def test_no_order_goes_on_top_of_a_deployment(given: Order, responder: Responder) -> None:
    """It is refused, and can be given again later."""
    known(responder, (V2, ReleaseState.GOOD), (V1, ReleaseState.GOOD))
    responder.world.begin_shipping(V3)
    reply = obeyed(responder, given)
    assert reply.refused_by[-1] == "precondition"
    assert "deployment is under way" in reply.reason
    assert responder.world.changes == []


@pytest.mark.parametrize("given", [order(REDEPLOY), order(ROLL_BACK), order(ROLL_BACK, to="2"), scale(6)])
def test_nothing_is_done_while_ecs_rolls_back(given: Order, responder: Responder) -> None:
    """ECS is at it already."""
    known(responder, (V2, ReleaseState.GOOD), (V1, ReleaseState.GOOD))
    responder.world.begin_shipping(V3)
    flight = responder.world.in_flight
    assert isinstance(flight, ServiceDeploymentFacts)
    responder.world.in_flight = flight.model_copy(update={"status": "ROLLBACK_IN_PROGRESS"})
    give(responder, given)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []


def test_a_rollback_ends_the_deployment_in_flight(responder: Responder) -> None:
    """That is the one order for a deployment that goes wrong."""
    known(responder, (V1, ReleaseState.GOOD))
    responder.world.begin_shipping(V2)
    responder.clock.advance(seconds=30)
    obeyed(responder, order(ROLL_BACK))
    assert [type(change) for change in responder.world.changes] == [StopDeployment]


# Where a rollback goes


def test_latest_is_the_last_known_good_and_never_the_one_before(responder: Responder) -> None:
    """A quarantined release is skipped, and what is gone back from is quarantined."""
    known(responder, (V1, ReleaseState.GOOD), (V2, ReleaseState.QUARANTINED))
    responder.world.task_definition = V3
    known(responder, (V3, ReleaseState.SEEN))
    obeyed(responder, order(ROLL_BACK, to="latest"))
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    states = {each.task_definition: each.state for each in responder.ledger.releases(REF)}
    assert states[V3] is ReleaseState.QUARANTINED


def test_who_chooses_a_release_declares_none_bad(responder: Responder) -> None:
    """It may be the way forward again."""
    known(responder, (V2, ReleaseState.GOOD), (V1, ReleaseState.GOOD))
    obeyed(responder, order(ROLL_BACK, to="2"))
    states = {each.task_definition: each.state for each in responder.ledger.releases(REF)}
    assert states[V1] is ReleaseState.GOOD


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("2", "orders:2 is quarantined: said the test"),
        ("orders:4", "orders:4 is suspect"),
        ("3", "3 is not on record as a release that ran; on record: "),
        ("1", "orders:1 is what runs now"),
        ("payments:2", "not on record"),
    ],
)
def test_a_release_that_did_not_run_well_is_refused(to: str, why: str, responder: Responder) -> None:
    """With the reason, and with those that are on record."""
    v4 = f"{FAMILY}:4"
    known(responder, (V2, ReleaseState.QUARANTINED), (v4, ReleaseState.SUSPECT), (V1, ReleaseState.GOOD))
    reply = obeyed(responder, order(ROLL_BACK, to=to))
    assert reply.refused_by == ("precondition",)
    assert why in reply.reason
    assert responder.world.changes == []


def test_a_chosen_release_that_was_deregistered_is_registered_again(responder: Responder) -> None:
    """ECS takes no INACTIVE task definition."""
    known(responder, (V2, ReleaseState.GOOD), (V1, ReleaseState.GOOD))
    responder.world.inactive.add(V2)
    obeyed(responder, order(ROLL_BACK, to="2"))
    assert responder.world.changes == [
        RegisterCopy(task_definition=V2),
        SetTaskDefinition(task_definition=f"{FAMILY}:99"),
    ]


@pytest.mark.parametrize(
    ("task", "why"), [("9", "no task 9 of the service runs; these do: 0, 1"), ("1", "healthy tasks would be left")]
)
def test_a_task_that_is_not_stopped(task: str, why: str) -> None:
    """One that is not there, and one without which too few would work."""
    responder = responder_in(limits={"min_tasks": 2})
    reply = obeyed(responder, order(STOP_TASK, task=task))
    assert why in reply.reason
    assert responder.world.changes == []


# To nothing


@pytest.mark.parametrize("mode", ["ask", "auto"])
@pytest.mark.parametrize("given", [scale(0), limits(0, 0)], ids=lambda given: given.wanted)
def test_no_task_at_all_is_asked_for_in_every_mode(given: Order, mode: str) -> None:
    """Where the playbook allows it: whoever wants nobody to be served says so twice."""
    responder = responder_in(mode, limits={"min_tasks": 0})
    taken = give(responder, given)
    responder.run(until=StepName.APPROVAL)
    assert reply_to(responder.ledger, taken).state is OrderState.ASKED
    assert responder.world.changes == []
    responder.asked = answering(responder, Answer.GRANTED)
    responder.run()
    assert responder.world.desired == 0
    assert reply_to(responder.ledger, taken).state is OrderState.DONE
    assert closed(responder)


def test_a_no_refuses_it(responder: Responder) -> None:
    """And so does silence."""
    responder = responder_in(limits={"min_tasks": 0})
    responder.asked = answering(responder, Answer.DENIED)
    taken = give(responder, scale(0))
    responder.run(until=StepName.WATCH)
    reply = reply_to(responder.ledger, taken)
    assert (reply.state, reply.refused_by) == (OrderState.REFUSED, ("approval",))
    assert responder.world.changes == []


def test_a_stopped_service_comes_back_by_an_order(responder: Responder) -> None:
    """What a person set to 0 the responder leaves alone, unless a person says otherwise."""
    responder.world.desired = responder.world.running = 0
    assert obeyed(responder, order(REDEPLOY)).state is OrderState.REFUSED
    assert obeyed(responder, scale(3)).state is OrderState.DONE
    assert responder.world.desired == 3


# In an incident, and beside one


def test_an_order_joins_the_open_incident_and_is_answered_at_once(responder: Responder) -> None:
    """A watching execution sleeps: another takes its place, and what the old one still does is refused."""
    responder.world.database_down = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    first = responder.executions.started[-1]
    responder.world.running = responder.world.desired = 6
    before = responder.clock.now()
    taken = give(responder, scale(4))
    assert taken.incident_id == first[0]
    assert responder.executions.started[-1][:2] == (first[0], first[1] + 1)
    responder.run(until=StepName.VERIFY)
    assert reply_to(responder.ledger, taken).state is OrderState.DONE
    assert responder.clock.now() - before < timedelta(minutes=3)
    assert_sound(responder)


def test_an_execution_that_is_at_work_is_left_at_it(responder: Responder) -> None:
    """It hears of the order at its next step."""
    responder.world.stuck = True
    raise_alarm(responder)
    responder.run(until=StepName.VERIFY)
    started = list(responder.executions.started)
    give(responder, order(LOOK))
    assert responder.executions.started == started


def test_a_bad_release_is_rolled_back_by_hand_in_mode_ask() -> None:
    """Whoever types the order need not also answer the question, and does not wait until it expires."""
    responder = responder_in("ask")
    after_bad_release(responder)
    asked_at = []

    def ordered() -> None:
        asked_at.append(responder.clock.now())
        give(responder, order(ROLL_BACK))
        raise Killed  # the one that asks goes on sleeping

    responder.asked = ordered
    responder.run()
    responder.run()
    (change,) = responder.world.changes
    assert change == SetTaskDefinition(task_definition=V1)
    incident = responder.executions.started[-1][0]
    events = responder.ledger.events(incident)
    (taken,) = [event for event in events if event.fact is Fact.ACTION_TAKEN]
    assert taken.at - asked_at[0] < timedelta(minutes=1)
    assert subjects(responder) == ["[approve?", "[resolved"]
    assert_sound(responder)


def test_a_question_whose_execution_was_replaced_takes_no_answer() -> None:
    """Its successor asks again, if it still has to."""
    responder = responder_in("ask")
    after_bad_release(responder)

    def ordered() -> None:
        give(responder, scale(21))
        raise Killed

    responder.asked = ordered
    responder.run()
    with pytest.raises(AnswerRefused, match="successor asks again"):
        say(responder, Answer.GRANTED)
    responder.asked = answering(responder, Answer.GRANTED)
    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]


def test_a_refused_change_is_told(responder: Responder) -> None:
    """AWS said no: nothing happened."""
    responder.world.failing_changes.append(ChangeRefused("AccessDenied"))
    reply = obeyed(responder, order(REDEPLOY))
    assert reply.state is OrderState.FAILED
    assert "AccessDenied" in reply.reason


def test_a_switch_between_plan_and_change_holds(responder: Responder) -> None:
    """The order waits for another look, which refuses it."""

    def switched(step: StepName) -> None:
        if step is StepName.REMEDIATE:
            was = responder.ledger.switch(REF)
            responder.ledger.set_switch(REF, was.model_copy(update={"mode": Mode.OBSERVE}), was=was)

    taken = give(responder, order(REDEPLOY))
    responder.run(before=switched)
    assert responder.world.changes == []
    assert reply_to(responder.ledger, taken).refused_by == ("mode",)


# Pressed twice


def test_the_same_key_is_one_order_however_often(responder: Responder) -> None:
    """Also when the incident is long over."""
    given = order(REDEPLOY, key="k-1")
    first = give(responder, given)
    responder.run()
    again = give(responder, given)
    assert (again.incident_id, again.number, again.duplicate) == (first.incident_id, first.number, True)
    responder.run()
    assert responder.world.changes == [ForceNewDeployment()]


def test_a_key_is_good_for_one_order_alone(responder: Responder) -> None:
    """Another order under it is a mistake, and is not done."""
    give(responder, order(REDEPLOY, key="k-1"))
    with pytest.raises(OrderRefused, match="k-1 belongs to another order"):
        give(responder, scale(4, key="k-1"))
    responder.run()
    assert responder.world.changes == [ForceNewDeployment()]


def test_a_double_press_without_a_key_is_one_order(responder: Responder) -> None:
    """Within a minute, by the same person, for the same reason."""
    first, second = give(responder, scale(6)), give(responder, scale(6))
    assert (second.number, second.duplicate) == (first.number, True)
    assert len(responder.ledger.inbox(first.incident_id)) == 1


# Unknown services


def test_an_order_for_a_service_without_a_playbook_is_refused(responder: Responder) -> None:
    """Nothing is recorded where the playbooks are known."""
    with pytest.raises(OrderRefused, match="no playbook names"):
        responder.give_order(ServiceRef(region="eu-west-1", cluster="shop", service="odrers"), order(REDEPLOY))
    assert responder.ledger.open_incidents() == ()


def test_where_the_playbooks_are_not_known_the_next_step_refuses(responder: Responder) -> None:
    """The incident is over at once, and nobody is paged for a slip of the pen."""
    desk = type(responder.give_order)(ledger=responder.ledger, executions=responder.executions, now=responder.clock.now)
    given = desk(ServiceRef(region="eu-west-1", cluster="shop", service="odrers"), order(REDEPLOY))
    responder.run()
    reply = reply_to(responder.ledger, given)
    assert reply.state is OrderState.REFUSED
    assert "no playbook names" in reply.reason
    assert responder.ledger.open_incidents() == ()
    assert subjects(responder) == []


# Dry runs


@pytest.mark.parametrize(
    ("given", "said", "state", "rule"),
    [
        (scale(6), {}, OrderState.ALLOWED, ()),
        (scale(21), {}, OrderState.REFUSED, ("task counts",)),
        (scale(0), {"limits": {"min_tasks": 0}}, OrderState.ASKED, ()),
        (order(REDEPLOY), {"mode": "observe"}, OrderState.REFUSED, ("mode",)),
        (order(STOP_TASK, task="9"), {}, OrderState.REFUSED, ("precondition",)),
        (order(LOOK), {}, OrderState.DONE, ()),
    ],
)
def test_a_dry_run_decides_alike_and_changes_nothing(
    given: Order, said: dict[str, object], state: OrderState, rule: tuple[str, ...]
) -> None:
    """The same decision as the order itself would get; no incident, no lock, no change."""
    responder = responder_in(**{"mode": "auto", **said})  # type: ignore[arg-type]
    tried = responder.try_order(REF, given)
    assert (tried.state, tried.refused_by, tried.incident_id) == (state, rule, None)
    assert responder.world.changes == []
    assert responder.ledger.open_incidents() == ()
    assert responder.ledger.lock_holder(REF) is None


def test_a_dry_run_in_an_open_incident_writes_nothing_there(responder: Responder) -> None:
    """It tells which incident the order would join."""
    responder.world.database_down = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    incident = responder.executions.started[-1][0]
    before = responder.ledger.incident(incident)
    tried = responder.try_order(REF, order(REDEPLOY))
    assert (tried.refused_by, tried.incident_id) == (("dependency",), incident)
    assert responder.ledger.incident(incident) == before
    assert Fact.EXECUTION_RESTARTED not in [event.fact for event in responder.ledger.events(incident)]


def test_two_orders_of_one_thing_are_two(responder: Responder) -> None:
    """The second leads to the very plan of the first, and is carried out all the same: else it would wait for ever."""
    given = [give(responder, order(STOP_TASK, task="1", key=key)) for key in ("one", "two")]
    responder.run()
    assert [reply_to(responder.ledger, each).state for each in given] == [OrderState.DONE, OrderState.DONE]
    assert [type(change) for change in responder.world.changes] == [StopTask, StopTask]
    assert responder.ledger.open_incidents() == ()
    assert_sound(responder)
