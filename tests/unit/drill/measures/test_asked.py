"""What is asked of the responder, from its runs."""

from dataclasses import replace

import pytest

from tests.fakes.drills import drill_results
from tools.drill.asked import Asking, better_than, demands
from tools.drill.results import RunResult, Shown, Spread

RESULTS = drill_results(scenarios=2, seeds=4)
FIXABLE, OTHER = (scenario.name for scenario in RESULTS.scenarios)

MET = Shown(runs=100, harmful=0, ratio=Spread(p50=1.25, p95=2.0), unfixable=100, escalated_correctly=99, cause_first=95)


def shown(runs: list[RunResult]) -> Shown:
    oracle = {(run.scenario, run.seed): run for run in RESULTS.runs if run.policy == "oracle"}
    found = Asking(fixable=frozenset({FIXABLE}), oracle=oracle).shown(runs)
    assert found is not None
    return found


def test_only_our_runs_count() -> None:
    """The others are what they are compared with."""
    found = shown(list(RESULTS.runs))
    assert (found.runs, found.unfixable) == (8, 4)


def test_the_ratio_is_of_what_an_action_can_fix() -> None:
    """Where people are needed nobody is asked to be as fast as the oracle."""
    slow = [
        replace(run, failed=1e9) if (run.policy, run.scenario) == ("responder", OTHER) else run for run in RESULTS.runs
    ]
    assert shown(slow).ratio == shown(list(RESULTS.runs)).ratio


def test_without_our_runs_nothing_is_asked() -> None:
    """A drill of other policies has nothing to show."""
    others = [run for run in RESULTS.runs if run.policy != "responder"]
    assert Asking(fixable=frozenset(), oracle={}).shown(others) is None


def test_every_other_way_but_the_oracle_has_to_be_beaten() -> None:
    """By the middle run; a tie is not better."""
    by_policy = RESULTS.by_scenario[FIXABLE]
    found = better_than(by_policy)
    assert set(found) == set(by_policy) - {"responder", "oracle"}
    tied = {**by_policy, "none": by_policy["responder"]}
    assert not better_than(tied)["none"]


def test_just_enough_is_enough() -> None:
    """Each number may be reached."""
    assert all(demand.met for demand in demands(MET, {FIXABLE: {"none": True}}))


@pytest.mark.parametrize(
    "short",
    [
        replace(MET, harmful=1),
        replace(MET, ratio=Spread(p50=1.26, p95=2.0)),
        replace(MET, ratio=Spread(p50=1.25, p95=2.01)),
        replace(MET, escalated_correctly=98),
        replace(MET, cause_first=94),
    ],
)
def test_each_number_can_be_missed(short: Shown) -> None:
    """And only it is told as missed."""
    assert sum(not demand.met for demand in demands(short, {})) == 1


def test_a_bent_world_asks_a_little_less() -> None:
    """Of the middle run only."""
    slower = replace(MET, ratio=Spread(p50=1.5, p95=2.0))
    assert all(demand.met for demand in demands(slower, {}, bent=True))
    assert not all(demand.met for demand in demands(slower, {}))


def test_who_does_better_is_named() -> None:
    """With the scenario."""
    (worse,) = (d for d in demands(MET, {FIXABLE: {"none": True, "native": False}}) if not d.met)
    assert worse.found == f"{FIXABLE} (native)"
