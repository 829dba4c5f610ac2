"""Between two looks: who sleeps, who is woken, and by what."""

from dataclasses import dataclass, field

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.incidents import Fact, NewEvent
from functions.domain.orders import Order, Ordered
from functions.domain.signals import AlarmState, Signal, SignalKind, Wakes
from functions.workflow.carried import carry_on
from functions.workflow.listen import WAKEFUL_VISITS, Listen
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Visit
from tests.fakes.clock import FakeClock
from tests.fakes.signals import alarm_signal, task_signal
from tests.fakes.world import REF, FakeExecutions

ORDER = Order(what=Ordered.REDEPLOY, by="ada", identity="arn:aws:iam::000000000000:user/ada", reason="stuck")
TAKE_OVER = NewEvent(fact=Fact.EXECUTION_RESTARTED, actor="sweep", summary="it was gone")


def told(kind: SignalKind, **said: object) -> Signal:
    here = alarm_signal(9).model_dump(include={"occurred_at", "account", "region", "cluster", "service"})
    return Signal.model_validate({**here, "kind": kind, **said})


@dataclass
class Sleeper:
    """An incident with one signal, and what its execution does between two looks."""

    ledger: MemoryLedger = field(default_factory=lambda: MemoryLedger(clock=FakeClock()))
    executions: FakeExecutions = field(default_factory=FakeExecutions)

    def __post_init__(self) -> None:
        opening = self.ledger.record_signal(alarm_signal(), REF, may_open=True)
        assert opening.incident_id is not None
        self.id = opening.incident_id
        carry_on(self.executions, opening)

    def sleeps(self, *, wakes: Wakes = Wakes.TROUBLE, signals: int | None = 1, looks: int = 1) -> bool:
        """Whether it sleeps, after it has listened."""
        visit = Visit(incident_id=self.id, generation=1, signals=signals, wakes=wakes, visits={StepName.VERIFY: looks})
        self.executions.listening = "token"
        Listen(ledger=self.ledger, executions=lambda: self.executions)(visit, "token")
        return self.executions.listening is not None

    def hears(self, signal: Signal) -> bool:
        """Whether the signal, once it is recorded, wakes it."""
        carry_on(self.executions, self.ledger.record_signal(signal, REF, may_open=True))
        return self.executions.listening is None


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.mark.parametrize(
    ("signal", "by_orders", "by_trouble"),
    [
        (told(SignalKind.MANUAL, order=ORDER), True, True),
        (told(SignalKind.DEPLOYMENT, event_name="SERVICE_DEPLOYMENT_COMPLETED"), True, True),
        (told(SignalKind.DEPLOYMENT, event_name="SERVICE_DEPLOYMENT_FAILED"), True, True),
        (alarm_signal(5, alarm="orders-cpu"), False, True),
        (task_signal(), False, True),
        (alarm_signal(5, state=AlarmState.OK), False, False),
        (alarm_signal(5, state=AlarmState.INSUFFICIENT_DATA), False, False),
    ],
    ids=["an order", "a deployment that ended", "one that failed", "an alarm", "a crash", "an OK", "no data"],
)
def test_what_ends_a_pause(signal: Signal, by_orders: bool, by_trouble: bool) -> None:
    """People, and the end of a deployment, which is what an unsteady service waits for; new trouble where there was
    none. That it is over, verify sees when it may count."""
    for wakes, woken in ((Wakes.ORDERS, by_orders), (Wakes.TROUBLE, by_trouble)):
        sleeper = Sleeper()
        assert sleeper.sleeps(wakes=wakes)
        assert sleeper.hears(signal) is woken
        assert sleeper.executions.woken == ([("token", Outcome.NEW_SIGNAL)] if woken else [])


def test_what_came_since_the_look_wakes_at_once(sleeper: Sleeper) -> None:
    """Between the look and the pause, whatever it was: nothing that verify has not seen is slept through."""
    sleeper.hears(alarm_signal(5, state=AlarmState.OK))
    assert not sleeper.sleeps(signals=1)
    assert sleeper.sleeps(signals=2)


def test_a_message_that_comes_again_wakes_as_well(sleeper: Sleeper) -> None:
    """The first time, intake may have died before it woke anybody."""
    assert sleeper.sleeps()
    sleeper.ledger.record_signal(alarm_signal(5, alarm="orders-cpu"), REF, may_open=True)
    assert sleeper.hears(alarm_signal(5, alarm="orders-cpu"))


def test_who_was_woken_is_not_woken_again(sleeper: Sleeper) -> None:
    """A token of before is told to nobody, and that is no error."""
    assert sleeper.sleeps()
    assert sleeper.hears(alarm_signal(5, alarm="orders-cpu"))
    sleeper.hears(alarm_signal(6, alarm="orders-memory"))
    assert len(sleeper.executions.woken) == 1


def test_whoever_writes_does_not_listen(sleeper: Sleeper) -> None:
    """What the trail grows by is written awake: the token of before is gone with it."""
    assert sleeper.sleeps()
    sleeper.ledger.append(sleeper.ledger.incident(sleeper.id), [TAKE_OVER], step="verify")
    assert sleeper.ledger.record_signal(alarm_signal(5, alarm="orders-cpu"), REF, may_open=True).token is None


def test_who_was_replaced_does_not_listen(sleeper: Sleeper) -> None:
    """It looks at once, and ends by what it finds; no function has failed by then."""
    sleeper.ledger.next_generation(sleeper.ledger.incident(sleeper.id), TAKE_OVER)
    assert not sleeper.sleeps()
    assert sleeper.ledger.record_signal(alarm_signal(5, alarm="orders-cpu"), REF, may_open=True).token is None


def test_a_storm_does_not_use_up_the_looks(sleeper: Sleeper) -> None:
    """Who was woken often enough looks by the clock: verify's visits have an end."""
    assert sleeper.sleeps(looks=WAKEFUL_VISITS + 1)
    assert not sleeper.hears(alarm_signal(5, alarm="orders-cpu"))


def test_a_token_is_in_no_log(sleeper: Sleeper) -> None:
    """What intake logs of an opening would let its reader wake somebody."""
    assert sleeper.sleeps()
    opening = sleeper.ledger.record_signal(alarm_signal(5, alarm="orders-cpu"), REF, may_open=True)
    assert opening.token == "token"
    assert "token" not in opening.model_dump_json()
    assert "'token'" not in repr(opening)
