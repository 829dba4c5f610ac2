"""The responder in every shipped scenario, one run of each: what it names, what it does, and what it must not do."""

from collections.abc import Iterator

import pytest

from tools.drill.measures import recovered
from tools.drill.runner import play_seed, quiet
from tools.drill.scenario import load_scenarios, shipped

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    with quiet():
        yield


@pytest.mark.parametrize("name", shipped())
def test_the_trouble_of_a_scenario_is_answered(name: str) -> None:
    """The true cause is named first, its remedy ends it or people are told, and users lose nothing by it."""
    (scenario,) = load_scenarios([name])
    (run,) = play_seed(scenario, ["responder"], 1, timeline=False)
    truth = scenario.truth
    assert run.cause_first, run.cause_named
    assert run.harm == ()
    if truth.remedies:
        assert run.actions > 0
        assert recovered(run)
    if truth.people:
        assert run.actions == 0
        assert run.escalated
