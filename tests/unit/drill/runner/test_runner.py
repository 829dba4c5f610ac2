"""Runs: repeatable, comparable, and measured against what would have happened anyway."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.drill.drill import AS_IT_IS, BENT, FACTORS, drill, runs_of
from tools.drill.policies.registry import POLICIES
from tools.drill.report import as_json
from tools.drill.runner import play, play_seed, quiet
from tools.drill.scenario import Scenario, load_scenarios
from tools.drill.world.tally import STEP_S

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    with quiet():
        yield


def scenario(name: str = "release-fails-requests") -> Scenario:
    (found,) = load_scenarios([name])
    return found


def test_the_same_seed_gives_the_same_run() -> None:
    """To the last bit, timeline and thoughts included."""
    first, again = (play_seed(scenario(), ["responder"], 3, timeline=True) for _ in range(2))
    assert first == again


def test_another_seed_gives_another_run() -> None:
    """Ranges are drawn anew."""
    one, other = (play_seed(scenario(), ["none"], seed, timeline=False)[0] for seed in (1, 2))
    assert one.failed != other.failed


def test_two_policies_live_in_the_same_world_until_one_acts() -> None:
    """So that what differs afterwards is what was done."""
    nobody, oracle = (play(scenario(), POLICIES[name], 5) for name in ("none", "oracle"))
    same = int(oracle.actions[0].at_s // STEP_S)
    assert nobody.tally.failed[:same] == oracle.tally.failed[:same]
    assert nobody.tally.requests == pytest.approx(oracle.tally.requests)


def test_how_many_processes_there_are_changes_nothing() -> None:
    """Two processes give the same bytes as one."""
    found = [drill([scenario()], ["none", "responder"], seeds=2, processes=number) for number in (1, 2)]
    assert as_json(found[0]) == as_json(found[1])


def test_runs_come_by_scenario_policy_and_seed() -> None:
    """In the order in which they are shown."""
    both = [scenario("false-alarm"), scenario("one-bad-task")]
    runs = drill(both, ["restart", "none"], seeds=2, processes=1).runs
    assert [(run.scenario, run.policy, run.seed) for run in runs] == [
        (each.name, policy, seed) for each in both for policy in ("none", "restart") for seed in range(2)
    ]


def test_every_bent_constant_is_a_drill_of_its_own() -> None:
    """With a factor below and above one, after the world as it is with the same seeds."""
    results = drill([scenario()], ["none"], seeds=1, processes=1, sensitivity_seeds=1)
    assert [(each.constant, each.factor) for each in results.variations] == [
        (AS_IT_IS, 1.0),
        *((constant, factor) for constant in BENT for factor in FACTORS),
    ]
    assert all(each.by_policy["none"].runs == 1 for each in results.variations)


def test_the_oracle_runs_along_unseen() -> None:
    """Ratios need it, the table does not show it unless it was asked for."""
    results = drill([scenario()], ["none"], seeds=1, processes=1)
    assert [policy.name for policy in results.policies] == ["none"]
    assert {run.policy for run in results.runs} == {"none"}
    assert results.by_policy["none"].impact_ratio_to_oracle.p50 is not None
    assert runs_of([scenario()], ["none"], seeds=1) == 2


def test_nobody_and_the_oracle_do_no_harm() -> None:
    """By the definition of the one, and the knowledge of the other."""
    for run in play_seed(scenario(), ["none", "oracle"], 0, timeline=False):
        assert run.harm == ()


def test_acting_on_a_false_alarm_is_harm() -> None:
    """Even where users felt nothing."""
    (run,) = play_seed(scenario("false-alarm"), ["restart"], 0, timeline=False)
    assert "it acted on a false alarm" in run.harm


def test_deploying_on_top_of_a_native_rollback_is_harm() -> None:
    """ECS was at it already."""
    runs = [play_seed(scenario("native-rollback-under-way"), ["restart"], seed, timeline=False)[0] for seed in range(4)]
    assert any("it deployed on top of a rollback that was under way" in run.harm for run in runs)


def test_a_timeline_is_kept_where_it_was_asked_for() -> None:
    """All its series are equally long."""
    (run,) = play_seed(scenario(), ["none"], 0, timeline=True)
    assert run.timeline is not None
    assert len(run.timeline.requests_rps) == len(run.timeline.tasks_running) == run.ended_s / run.timeline.interval_s
    assert play_seed(scenario(), ["none"], 0, timeline=False)[0].timeline is None


def test_a_users_playbook_is_drilled(tmp_path: Path) -> None:
    """In the worlds of the shipped scenarios, under its own names."""
    own = tmp_path / "catalogue.yaml"
    own.write_text("region: us-east-1\ncluster: books\nservice: catalogue\nalarms: [{symptom: error-rate}]\n")
    (found,) = load_scenarios(["release-fails-requests"], playbook=own)
    (run,) = play_seed(found, ["responder"], 0, timeline=False)
    assert run.alarm_s is not None
