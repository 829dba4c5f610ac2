"""The bench from an alarm to its remedy counts what it says."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from functions.workflow.table import Function
from infra.workflow import definition
from tools.bench.alarm_to_action import SIDES, Chain, play
from tools.bench.chain.scenes import SCENES, Scene, staged
from tools.bench.chain.sequence import sequential
from tools.bench.chain.transitions import transitions
from tools.bench.chain.wire import Call, latency
from tools.drill.world import wire
from tools.drill.world.answers import OPERATIONS
from tools.drill.world.refusal import Refused

LATENCY_S = 0.15


def call(began: float, ended: float, operation: str = "GetItem") -> Call:
    return Call(operation=operation, began=began, ended=ended)


@pytest.mark.parametrize(
    ("calls", "count"),
    [
        ([], 0),
        ([call(0, 1), call(0, 1), call(0.5, 1.5)], 1),
        ([call(0, 1), call(1, 2), call(2, 3)], 3),
        # Two that wait for one, of which one is waited for in turn.
        ([call(0, 1), call(1.1, 2.1), call(1.2, 2.2), call(2.3, 3.3)], 3),
        # A long one beside a chain of short ones.
        ([call(0, 9), call(0, 1), call(1, 2), call(2, 3)], 3),
    ],
)
def test_calls_that_are_away_together_count_once(calls: list[Call], count: int) -> None:
    """The order in which they were noted does not matter."""
    assert len(sequential(calls)) == len(sequential(calls[::-1])) == count


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.scenario)
@pytest.mark.parametrize("chain", SIDES.values(), ids=SIDES)
def test_every_side_comes_to_the_remedy(scene: Scene, chain: Chain) -> None:
    """The last call of each is the one that remedies, and there is no other change before it."""
    played = play(scene, chain, latency_s=0.0)
    changes = {"UpdateService", "RegisterScalableTarget", "StopServiceDeployment", "RegisterTaskDefinition"}
    assert [each.operation for each in played.calls if each.operation in changes] == [scene.remedy]
    assert played.seconds > 0


def test_attempts_pause_side_by_side() -> None:
    """Calls in a row take as long as they are many, and those of two threads overlap."""
    played = play(SCENES[0], SIDES["baseline"], latency_s=LATENCY_S)
    assert len(sequential(played.calls)) == len(played.calls) == 5
    assert played.seconds >= 5 * LATENCY_S

    floor = play(SCENES[0], SIDES["floor"], latency_s=LATENCY_S)
    assert len(sequential(floor.calls)) < len(floor.calls)


def test_every_attempt_is_counted() -> None:
    """A read that is throttled is sent again by botocore, and each time is a call."""
    refusals = iter([Refused("ThrottlingException", "Rate exceeded")])

    def answer(given: Mapping[str, Any]) -> dict[str, Any]:
        for refused in refusals:
            raise refused
        return OPERATIONS.reads["DescribeServices"](stage.world, given)

    with staged(SCENES[0]) as stage, wire.connected(stage.world, {"DescribeServices": answer}), latency(0.0) as calls:
        stage.clients.repeating("ecs").describe_services(
            cluster=stage.service.cluster, services=[stage.service.service]
        )
    assert [each.operation for each in calls] == ["DescribeServices", "DescribeServices"]


def test_the_states_between_are_those_of_the_machine() -> None:
    """Each leads to the next one, from where an execution starts to the function that remedies."""
    functions = {each: f"arn:function:{each}" for each in Function}
    machine = definition(functions=functions, function_timeout_s=60, page_topic="t", state_machine="m")
    entered = tuple(transitions())
    assert entered[0] == machine["StartAt"]
    for state, following in pairwise(entered):
        said = machine["States"][state]
        assert following in [said.get("Next"), *(choice["Next"] for choice in said.get("Choices", ()))]
    assert machine["States"][entered[-1]]["Arguments"]["FunctionName"] == functions[Function.REMEDIATE]
