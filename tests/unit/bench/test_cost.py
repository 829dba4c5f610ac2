"""What the bench counts is what AWS would charge for, and what `responder cost` says is what was counted."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from functions.domain.counts import Count, Counted
from functions.observability import emit, logger
from functions.workflow.table import StepName
from infra.function import MEMORY_MB
from tools.bench.cost import units
from tools.bench.cost.figures import month
from tools.bench.cost.incidents import played
from tools.bench.cost.meter import logged, metrics_of, states_of, transitions_of
from tools.cost.durations import MEMORY_GB
from tools.cost.model import Part, kept
from tools.cost.prices import Item, usd
from tools.drill.engine import Execution
from tools.drill.scenario import load_scenarios


def model(service: str, operation: str) -> Any:
    return SimpleNamespace(service_model=SimpleNamespace(signing_name=service), name=operation)


def item(sort: str, size: int, **more: str) -> Mapping[str, Mapping[str, str]]:
    return {"pk": {"S": "p"}, "sk": {"S": sort}, "body": {"S": "x" * size}, **{k: {"S": v} for k, v in more.items()}}


class TestUnits:
    @pytest.mark.parametrize(("size", "consistent", "expected"), [(10, True, 1), (5000, True, 2), (5000, False, 1)])
    def test_a_read_is_charged_by_four_kilobytes(self, size: int, consistent: bool, expected: float) -> None:
        """Half as much where it need not be consistent."""
        given = {"ConsistentRead": consistent}
        assert units.of_reading("GetItem", given, {"Item": item("a", size)}) == expected
        assert units.of_reading("Query", given, {"Items": [item("a", size - 100), item("b", 20)]}) == expected

    def test_a_read_that_finds_nothing_is_one_unit(self) -> None:
        """The table was asked all the same."""
        assert units.of_reading("GetItem", {"ConsistentRead": True}, {}) == 1

    @pytest.mark.parametrize(
        ("before", "after", "transaction", "expected"),
        [
            (None, item("a", 10), False, 1),
            (None, item("a", 10), True, 2),
            (None, item("a", 1500), True, 4),
            (item("a", 2500), item("a", 10), False, 3),
            (None, item("a", 10, listing="incidents", listed_at="1"), True, 3),
            (
                item("a", 10, listing="incidents", listed_at="1"),
                item("a", 20, listing="incidents", listed_at="1"),
                False,
                2,
            ),
            (
                item("a", 10, listing="incidents", listed_at="1"),
                item("a", 10, listing="incidents", listed_at="2"),
                False,
                3,
            ),
            (item("a", 10, listing="leases", listed_at="1"), None, False, 2),
        ],
    )
    def test_a_write_is_charged_by_the_kilobyte_and_in_every_index(
        self, before: Any, after: Any, transaction: bool, expected: float
    ) -> None:
        """The larger of what was there and what is there; twice in a transaction; an index entry that moves, twice."""
        there = [before]

        def write() -> Mapping[str, Any]:
            there[0] = after
            return {}

        part = {"Key": {"pk": {"S": "p"}, "sk": {"S": "a"}}}
        assert units.of_writing([part], lambda _: there[0], write=write, transaction=transaction) == expected

    def test_metrics_are_charged_one_by_one(self) -> None:
        """An expression over them costs nothing."""
        queries = [{"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}, {"Id": "c", "Expression": "a/b"}]
        asked = units.of_call(model("monitoring", "GetMetricData"), {"MetricDataQueries": queries}, subscribers=1)
        assert asked == {Item.METRIC_READ: 2}

    def test_a_service_that_nobody_priced_is_not_free(self) -> None:
        """A new call must not make the bill smaller than it is."""
        assert units.of_call(model("ecs", "DescribeServices"), {}, subscribers=1) == {}
        with pytest.raises(KeyError, match="bedrock"):
            units.of_call(model("bedrock", "Converse"), {}, subscribers=1)


def test_a_transition_is_every_state_of_the_compiled_machine() -> None:
    """Entering and ending are two; a step is the function and reading its answer, and its wait where it had one. The
    report ends the execution itself."""
    assert (states_of()[StepName.SETTLE], states_of()[StepName.VERIFY], states_of()[StepName.LISTEN]) == (1, 2, 1)

    def counted(*steps: StepName, waits: int = 0) -> int:
        begun = Execution(name="a", started_at=datetime.now(UTC), at=steps[-1], payload={}, steps=[*steps], waits=waits)
        return transitions_of(begun)

    assert counted(StepName.ASSESS, StepName.CLOSE, StepName.END) == 6
    assert counted(StepName.ASSESS, StepName.CLOSE, StepName.REPORT, StepName.END) == 6
    assert counted(StepName.ASSESS, StepName.REMEDIATE, StepName.REMEDIATE, waits=1) == 8


def test_memory_is_the_stacks() -> None:
    """GB-seconds are as many as the functions have."""
    assert MEMORY_GB * 1024 == MEMORY_MB


def test_a_real_incident_is_counted_whole() -> None:
    """Each of its parts is on the bill, and the same run costs the same."""
    (scenario,) = load_scenarios(["release-leaks-memory"])
    told, again = played(scenario), played(scenario)
    assert (told.incidents, told.actions, told.resolved) == (1, 1, True)
    # The first line of a process says that it is one.
    assert {i: n for i, n in told.used.items() if told.used[i] != again.used[i]}.keys() <= {Item.LOG_GB}
    assert usd(told.used) == pytest.approx(usd(again.used), rel=1e-3)
    for each in (Item.TRANSITION, Item.LAMBDA_GB_S, Item.WRITE, Item.METRIC_READ, Item.SNS_EMAIL, Item.LOG_GB):
        assert told.used[each] > 0, each
    assert 0.0005 < usd(told.used) < 0.005


@pytest.mark.parametrize("services", [1, 3])
def test_the_kept_figures_are_those_that_are_counted(services: int) -> None:
    """Where this fails, calls or templates have changed: `python -m tools.bench.cost` counts anew."""
    counted, figures = month(services), kept()
    for part in Part:
        expected = figures.month(part, services)
        assert usd(counted[part]) == pytest.approx(usd(expected), rel=0.01, abs=1e-4), part
        assert {i for i, n in counted[part].items() if n} == {i for i, n in expected.items() if n}, part


def test_logs_and_metrics_are_weighed_as_they_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    """What is logged and what is printed for metrics is the same log."""
    with logged() as lines:
        logger.info("x")
        emit(Counted(count=Count.PAGES_SENT))
    assert len(lines) == 1
    assert '"message":"x"' in lines[0]
    printed = json.loads(capsys.readouterr().out)
    assert list(metrics_of(printed)) == ["EcsFirstResponder/PagesSent{service=ecs-first-responder}"]
