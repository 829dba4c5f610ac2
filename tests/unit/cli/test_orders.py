"""`responder isolate`, `block` and `disable-user`: what is ordered, what is refused, and that nothing is done by it."""

from pathlib import Path

import pytest

from functions.domain.errors import NotNamed
from functions.domain.orders import Ordered
from functions.workflow.table import StepName
from tests.fakes.desk import IDENTITY, desk_of
from tests.fakes.engine import Execution, Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_contain import ADDRESS, responder_in
from tools.cli.main import run

SERVICE = "shop/orders"
WHY = ("--reason", "seen in the logs", "--by", "ann")


@pytest.fixture
def responder() -> Responder:
    return responder_in("auto")


class Functions:
    """Those that are deployed; none is held."""

    def __init__(self, *, contained: bool) -> None:
        self._contained = contained

    def reserved(self, function: str) -> int | None:
        if function.endswith("-contain") and not self._contained:
            raise NotNamed(f"there is no function {function}")
        return None

    def hold(self, function: str) -> None:
        raise AssertionError(function)

    let_go = hold


def say(made: Responder, *arguments: str, contained: bool = True) -> int:
    executions: dict[str, Execution] = {}

    def sleep(seconds: float) -> None:
        made.clock.advance(seconds=seconds)
        begun = made.executions.started[-1]
        execution = executions.setdefault(begun[0], Execution.begun(*begun))
        if execution.at is not StepName.APPROVAL:
            made.go(execution)

    desk = desk_of(made, open_hold=lambda region: Functions(contained=contained), sleep=sleep)
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
    assert say(responder, *words, *WHY, "--wait", "0") == 0
    incident = responder.executions.started[-1][0]
    assert incident in capsys.readouterr().out
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
        (("block", SERVICE, ADDRESS, "--for", "30s"), "write a length from 1m to 90d"),
        (("block", SERVICE, ADDRESS, "--for", "200d"), "write a length from 1m to 90d"),
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


def test_the_command_waits_until_people_are_asked(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 3: it is not done, and the line says how it is granted."""
    assert say(responder, "isolate", SERVICE, *WHY) == 3
    incident = responder.executions.started[-1][0]
    out = capsys.readouterr().out
    assert "✉ people have to grant it" in out
    assert f"→ responder approve {incident}" in out
    assert responder.world.changes == []


@pytest.mark.parametrize(("deployed", "status"), [(True, 3), (False, 1)])
def test_a_dry_run_asks_whether_the_contain_stack_is_there(
    deployed: bool, status: int, responder: Responder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it nothing is shut out; with it people would be asked. Nothing is recorded."""
    (tmp_path / "orders.yaml").write_text("region: eu-west-1\ncluster: shop\nservice: orders\nmode: auto\n")
    dry = ("--dry-run", "--playbooks", str(tmp_path))
    assert say(responder, "isolate", SERVICE, *WHY, *dry, contained=deployed) == status
    out = capsys.readouterr().out
    assert ("people would be asked first" in out) is deployed
    assert ("the contain stack is not deployed" in out) is not deployed
    assert responder.ledger.open_incidents() == ()
