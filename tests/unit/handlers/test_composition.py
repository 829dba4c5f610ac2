"""The functions can be built out of other parts, for whoever runs them outside of Lambda."""

import pytest

from functions import bootstrap
from functions.adapters.clients import Clients
from functions.adapters.memory_ledger import MemoryLedger
from functions.settings import Settings
from infra.context import Deployment
from tests.fakes.clock import FakeClock


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any in the environment, a client would look for some on the network."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


def test_inside_the_block_everything_is_made_of_the_given_parts() -> None:
    """And each thing is built once."""
    clock = FakeClock()
    ledger = MemoryLedger(clock=clock)
    with bootstrap.composed(
        settings=_Settings(), clients=Clients(region="eu-west-1"), clock=clock, ledger=ledger, playbooks=()
    ):
        assert bootstrap.intake().ledger is ledger
        assert bootstrap.sweep().clock is clock
        assert bootstrap.sweep() is bootstrap.sweep()


def test_after_the_block_nothing_of_it_is_left() -> None:
    """The next block begins with its own parts."""
    clock = FakeClock()
    ledgers = [MemoryLedger(clock=clock), MemoryLedger(clock=clock)]
    for ledger in ledgers:
        with bootstrap.composed(
            settings=_Settings(), clients=Clients(region="eu-west-1"), clock=clock, ledger=ledger, playbooks=()
        ):
            assert bootstrap.intake().ledger is ledger


class _Settings(Settings):
    region = "eu-west-1"
    state_machine = "arn:aws:states:eu-west-1:000000000000:stateMachine:responder"
    function_timeout_s = 60
    contain_deployed = False


@pytest.mark.thorough
def test_the_desk_looks_with_its_own_region_and_the_default_limits() -> None:
    """Nothing of a function's environment is needed, and nothing of the desk stays behind."""
    ledger = MemoryLedger(clock=FakeClock(), archive=None)
    examiner = bootstrap.desk_examiner("eu-west-1", ledger)
    assert examiner.ledger is ledger
    assert examiner.fleet_actions_per_hour == Deployment(region="eu-west-1").fleet_actions_per_hour
    assert "_examiner" not in bootstrap._built
