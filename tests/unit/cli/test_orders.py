"""`responder isolate`, `block` and `disable-user`: what is ordered, what is refused, and that nothing is done by it."""

import pytest

from functions.domain.orders import Ordered
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_contain import ADDRESS, responder_in
from tools.cli.main import Desk, run

SERVICE = "shop/orders"
WHY = ("--reason", "seen in the logs", "--by", "ann")
IDENTITY = "arn:aws:sts::000000000000:assumed-role/on-call/ann"


@pytest.fixture
def responder() -> Responder:
    return responder_in("auto")


def say(made: Responder, *arguments: str) -> int:
    desk = Desk(
        open_ledger=lambda table, region: made.ledger,
        now=made.clock.now,
        identity=lambda region: IDENTITY,
        open_executions=lambda region, name, identity: made.executions,
    )
    return run([*arguments, "--region", REF.region], desk)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("isolate", SERVICE), Ordered.ISOLATE),
        (("block", SERVICE, ADDRESS, "--for", "24h"), Ordered.BLOCK_ADDRESS),
        (("disable-user", SERVICE, "u-17"), Ordered.DISABLE_USER),
    ],
)
def test_an_order_opens_an_incident_that_asks(
    words: tuple[str, ...], what: Ordered, responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands in the trail with its reason and who gave it, and nothing is done before somebody approves."""
    assert say(responder, *words, *WHY) == 0
    incident = responder.executions.started[-1][0]
    assert f"responder approve {incident}" in capsys.readouterr().out
    (entry,) = responder.ledger.inbox(incident)
    assert entry.signal.order is not None
    assert entry.signal.order.what is what
    assert (entry.signal.order.by, entry.signal.order.identity) == ("ann", IDENTITY)
    responder.run(until=StepName.APPROVAL)
    assert responder.world.changes == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("block", SERVICE, "10.0.0.7", "--for", "1h"), "private address"),
        (("block", SERVICE, "127.0.0.1", "--for", "1h"), "loopback address"),
        (("block", SERVICE, "93.184.216.0/24", "--for", "1h"), "no range"),
        (("block", SERVICE, ADDRESS, "--for", "30s"), "a minute at least"),
        (("block", SERVICE, ADDRESS, "--for", "200d"), "90 days at most"),
        (("disable-user", SERVICE, "ann@example.com"), "no personal data"),
        (("isolate", "orders"), "is no service"),
    ],
)
def test_what_must_not_be_is_refused_at_the_desk(
    words: tuple[str, ...], said: str, responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that says why, and nothing is recorded."""
    assert say(responder, *words, *WHY) == 2
    assert said in capsys.readouterr().err
    assert responder.ledger.open_incidents() == ()


@pytest.mark.parametrize("words", [("isolate", SERVICE), ("block", SERVICE, ADDRESS, "--for", "1h")])
def test_an_order_needs_a_reason(words: tuple[str, ...], responder: Responder) -> None:
    """The next person will ask."""
    assert say(responder, *words) == 2
