"""A stop of everything: whatever comes next is held back, wherever an incident stands, until somebody starts again."""

from datetime import timedelta

import pytest

from functions.domain.approvals import Answer
from functions.domain.changes import RegisterCopy, SetTaskDefinition
from functions.domain.errors import LedgerError
from functions.domain.incidents import Event, Fact, FleetSwitch
from functions.domain.orders import Ordered
from functions.workflow.orders import OrderState
from functions.workflow.story import tell
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_contain import asks, block, give, responder_in
from tests.unit.workflow.test_incident import after_bad_release, assert_sound, playbook, raise_alarm
from tests.unit.workflow.test_orders_by_hand import obeyed, order

SAID = "everything is stopped by ann since 2026-"


def stop(responder: Responder) -> None:
    responder.ledger.set_fleet_switch(
        FleetSwitch(stopped=True, by="ann", reason="it rolls back too much", at=responder.clock.now())
    )


def start(responder: Responder) -> None:
    responder.ledger.set_fleet_switch(
        FleetSwitch(stopped=False, by="ben", reason="it was right", at=responder.clock.now())
    )


def events(responder: Responder, fact: Fact) -> list[Event]:
    (incident,) = responder.ledger.incidents_of(REF)
    return [event for event in responder.ledger.events(incident.id) if event.fact is fact]


def denials(responder: Responder) -> dict[str, str]:
    (incident,) = responder.ledger.incidents_of(REF)
    decision = tell(responder.ledger.events(incident.id)).decision
    assert decision is not None
    return {each.guardrail: each.reason for each in decision.verdicts if not each.allowed}


def test_nothing_is_changed_and_people_are_paged() -> None:
    """The service is looked at, the verdict says who stopped everything, since when and why, and people hear of it."""
    responder = Responder(playbook=playbook())
    stop(responder)
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert set(denials(responder)) == {"stop"}
    assert denials(responder)["stop"].startswith(SAID)
    assert denials(responder)["stop"].endswith("UTC: it rolls back too much")
    assert responder.notifier.pages[0].subject.startswith("[page")
    assert "everything is stopped by ann" in responder.notifier.pages[0].text
    assert "Start      responder start --all --reason" in responder.notifier.pages[0].text
    assert_sound(responder)


def test_nobody_is_asked_for_what_is_stopped() -> None:
    """A yes would change nothing."""
    responder = Responder(playbook=playbook(mode="ask"))
    stop(responder)
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert {page.subject.split()[0] for page in responder.notifier.pages}.isdisjoint({"[approve?]", "[approve?"})
    assert responder.world.changes == []


def test_a_stop_between_plan_and_action_is_obeyed() -> None:
    """The intent is written only while nothing is stopped, and without it nothing is done."""
    responder = Responder(playbook=playbook())

    def begin(step: StepName) -> None:
        if step is StepName.REMEDIATE:
            stop(responder)

    after_bad_release(responder)
    responder.run(before=begin, until=StepName.WATCH)
    assert responder.world.changes == []
    assert events(responder, Fact.ACTION_INTENDED) == []
    assert responder.ledger.charges(REF, since=responder.clock.now() - timedelta(hours=1)) == ()
    assert events(responder, Fact.PLAN_OUTDATED)[0].summary.startswith(f"did not act: stop: {SAID}")
    assert set(denials(responder)) == {"stop"}
    assert_sound(responder)


def test_a_stop_is_obeyed_between_two_stages_of_one_action() -> None:
    """What was begun is left where it is, and nothing is charged twice."""
    responder = Responder(playbook=playbook())
    responder.world.inactive.add(V1)

    def begin(step: StepName) -> None:
        if responder.world.changes:
            stop(responder)

    after_bad_release(responder)
    responder.run(before=begin, until=StepName.WATCH)
    assert responder.world.changes == [RegisterCopy(task_definition=V1)]
    assert len(events(responder, Fact.ACTION_INTENDED)) == 1


def test_a_switch_that_cannot_be_read_holds_the_action_back() -> None:
    """Whether everything is stopped is then not known, so nothing is done, and the step fails for all to see."""
    responder = Responder(playbook=playbook())
    ledger = responder.ledger
    append = ledger.append

    def unreachable(*given: object, unless_stopped: bool = False, **said: object) -> object:
        if unless_stopped:
            raise LedgerError("the table ledger cannot be reached")
        return append(*given, **said)  # type: ignore[arg-type]

    ledger.append = unreachable  # type: ignore[method-assign,assignment]
    after_bad_release(responder)
    with pytest.raises(LedgerError, match="cannot be reached"):
        responder.run(until=StepName.WATCH)
    assert responder.world.changes == []


def test_after_the_start_it_goes_on_by_itself() -> None:
    """The next look finds nothing in its way and acts."""
    responder = Responder(playbook=playbook())
    stop(responder)
    after_bad_release(responder)
    until = responder.clock.now() + timedelta(minutes=30)

    def begin(step: StepName) -> None:
        if responder.clock.now() >= until and responder.ledger.fleet_switch().stopped:
            start(responder)

    responder.run(before=begin)
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    assert until <= events(responder, Fact.ACTION_INTENDED)[0].at <= until + timedelta(minutes=15)
    assert_sound(responder)


@pytest.mark.parametrize("what", [Ordered.REDEPLOY, Ordered.ROLL_BACK])
def test_an_order_by_hand_is_refused_by_it(what: Ordered) -> None:
    """Whoever wants it done starts the responder again, and says why."""
    responder = Responder(playbook=playbook())
    responder.world.task_definition = V1
    stop(responder)
    reply = obeyed(responder, order(what))
    assert reply.state is OrderState.REFUSED
    assert responder.world.changes == []
    if what is Ordered.REDEPLOY:
        assert reply.refused_by == ("stop",)


def test_a_stop_after_the_yes_shuts_nobody_out() -> None:
    """The step of the contain stack asks as late as the others; the grant does not outweigh it."""
    responder = responder_in("auto")
    responder.asked = asks(responder, Answer.GRANTED)
    give(responder, block())

    def begin(step: StepName) -> None:
        if step is StepName.CONTAIN:
            stop(responder)

    responder.run(before=begin, until=StepName.WATCH)
    assert responder.world.changes == []
    assert "contain:differs" in responder.path
    assert "stop" in denials(responder)


def test_a_stop_holds_for_giving_back_too() -> None:
    """A raised floor stays, however long its lease has ended, and comes back soon after the start."""
    responder = raised()
    stop(responder)
    ends = responder.clock.now() + timedelta(hours=2)

    def begin(step: StepName) -> None:
        if responder.clock.now() >= ends:
            start(responder)

    responder.run(before=begin)
    given_back = events(responder, Fact.LEASE_RESTORED)[0].at
    assert ends <= given_back <= ends + timedelta(minutes=16)


def test_the_sweep_leaves_overdue_leases_alone_while_everything_is_stopped() -> None:
    """An execution could only wait, or fail on a function that is held; after the start it is begun."""
    responder = raised()
    responder.executions.ended.update(
        (incident, generation) for incident, generation, _ in responder.executions.started
    )
    stop(responder)
    responder.clock.advance(seconds=3600)
    assert responder.sweep().restoring == ()
    start(responder)
    assert len(responder.sweep().restoring) == 1


def raised() -> Responder:
    """The floor was raised for ten minutes, and the incident is closed."""
    responder = Responder(playbook=playbook(scale_out={"lease": "10m"}))
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.run(until=StepName.RESTORE)
    incident, generation, _ = responder.executions.started[-1]
    responder.executions.started.append((incident, generation, "restore"))
    assert responder.world.minimum > 2
    return responder
