"""Orders on every ledger: one place in the inbox, one key, and an execution that looks at once."""

import pytest

from functions.domain.errors import OrderRefused
from functions.domain.incidents import Fact, NewEvent
from functions.domain.orders import Order, Ordered
from functions.ports import Ledger
from functions.workflow.orders import GiveOrder, OrderState, reply_to
from functions.workflow.table import StepName
from tests.fakes.clock import FakeClock
from tests.fakes.world import FakeExecutions
from tests.integration.test_ledger_contract import ORDERS, open_incident


def order(**said: object) -> Order:
    return Order.model_validate({"what": Ordered.SET_COUNT, "count": 4, "by": "ann", "reason": "a test", **said})


@pytest.fixture
def executions() -> FakeExecutions:
    return FakeExecutions()


@pytest.fixture
def give(ledger: Ledger, clock: FakeClock, executions: FakeExecutions) -> GiveOrder:
    return GiveOrder(ledger=ledger, executions=executions, now=clock.now)


def test_an_order_opens_an_incident_and_keeps_its_words(
    give: GiveOrder, ledger: Ledger, executions: FakeExecutions
) -> None:
    """What was ordered is read back as it was given, and nothing has come of it yet."""
    given = give(ORDERS, order(duration_s=3600, key="k-1"))
    (entry,) = ledger.inbox(given.incident_id)
    assert entry.signal.order == order(duration_s=3600, key="k-1")
    assert executions.started == [(given.incident_id, 1, "assess")]
    assert reply_to(ledger, given).state is OrderState.WAITING


def test_a_key_is_one_order(give: GiveOrder, ledger: Ledger, clock: FakeClock) -> None:
    """However late it comes again; and it is good for no other order."""
    first = give(ORDERS, order(key="k-1"))
    clock.advance(seconds=86_400)
    again = give(ORDERS, order(key="k-1"))
    assert (again.incident_id, again.number, again.duplicate) == (first.incident_id, first.number, True)
    with pytest.raises(OrderRefused):
        give(ORDERS, order(key="k-1", count=5))
    assert len(ledger.inbox(first.incident_id)) == 1


def test_a_watched_incident_is_taken_over(give: GiveOrder, ledger: Ledger, executions: FakeExecutions) -> None:
    """By the next generation, which begins at once; one that is at work keeps its own."""
    incident = open_incident(ledger)
    give(ORDERS, order())
    assert ledger.incident(incident.id).generation == 1
    paged = NewEvent(fact=Fact.PAGE_SENT, actor="page", summary="paged", data={"about": "it"})
    ledger.append(ledger.incident(incident.id), [paged], step=StepName.PAGE)
    given = give(ORDERS, order(count=5))
    assert given.number == 3
    assert ledger.incident(incident.id).generation == 2
    assert executions.started[-1] == (incident.id, 2, "assess")
