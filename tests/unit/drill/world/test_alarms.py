"""Alarms go by CloudWatch's own tables."""

import math
from typing import Any

import pytest

from functions.adapters.cloudwatch import CloudWatchReader
from tests.fakes.clock import FakeClock
from tests.unit.drill.world.worlds import SHIPPED_S, bad_release, client, orders, world
from tools.drill.world import wire
from tools.drill.world.alarms import Rule, judged
from tools.drill.world.world import World

THREE_OF_THREE = [
    ("0-X-X", "OK", "OK", "OK", "OK"),
    ("0----", "OK", "OK", "OK", "OK"),
    ("-----", "INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
    ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("--X--", "ALARM", "retain", "ALARM", "OK"),
]
TWO_OF_THREE = [
    ("0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-X--", "OK", "OK", "ALARM", "OK"),
    ("----0", "OK", "OK", "ALARM", "OK"),
    ("----X", "ALARM", "retain", "ALARM", "OK"),
]
"""CloudWatch User Guide, "How alarm state is evaluated when data is missing": points, then the state where missing data
is missing, ignore, breaching, notBreaching. X breaches, 0 does not, - is missing."""

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize("before", ["OK", "ALARM"])
@pytest.mark.parametrize(
    ("datapoints", "points", "treatment", "expected"),
    [
        (datapoints, points, treatment, state)
        for datapoints, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
        for points, *states in table
        for treatment, state in zip(TREATMENTS, states, strict=True)
    ],
)
def test_missing_data(datapoints: int, points: str, treatment: str, expected: str, before: str) -> None:
    """M of N with missing data gives the state that CloudWatch's user guide lists."""
    rule = Rule(
        greater=True, threshold=0.5, period_s=60, evaluation_periods=3, datapoints=datapoints, missing=treatment
    )
    values = [{"X": 1.0, "0": 0.0, "-": None}[point] for point in points]
    assert judged(rule, values, state=before) == (before if expected == "retain" else expected)


@pytest.mark.parametrize("period_s", [60, 300])
def test_running_tasks_are_counted_whatever_the_period(period_s: int) -> None:
    """An alarm on the number of tasks goes off above its threshold, and says the number, not the samples."""
    alarm = {"name": "tasks", "symptom": "tasks", "threshold": 5, "period_s": period_s}
    of = world(alarms=[alarm | {"evaluation_periods": 1, "datapoints": 1}])
    of.run_until(600)
    assert of.alarms["tasks"].state == "OK"
    orders(of).set_desired(7)
    of.run_until(1500)
    assert of.alarms["tasks"].state == "ALARM"
    told = of.alarms["tasks"].reason.partition("[")[2].partition("]")[0]
    assert 5 < float(told) <= 7


AT_ONCE = {"evaluation_periods": 1, "datapoints": 1}
P95: dict[str, Any] = {"name": "p95", "symptom": "response-time", "statistic": "p95"}
LINES: dict[str, Any] = {"name": "lines", "contains": ["nobody says this", "Unhandled"], "threshold": 100}


def breaches(of: World, name: str) -> bool | None:
    """What the responder finds when it asks the alarm's own metric again."""
    with wire.connected(of):
        (facts,) = CloudWatchReader(client("cloudwatch"), clock=FakeClock(of.now)).alarms([name])
    return facts.breaching_now


@pytest.mark.parametrize("period_s", [60, 300])
@pytest.mark.parametrize(("above", "state"), [(0.97, "ALARM"), (1.03, "OK")])
def test_a_percentile_is_that_of_times_spread_exponentially(above: float, state: str, period_s: int) -> None:
    """The time that 95 of 100 requests keep to is ln 20 times the mean; the alarm and whoever asks again agree."""
    calm = world()
    calm.run_until(1500)
    mean = orders(calm).front.latency_s
    of = world(alarms=[P95 | AT_ONCE | {"threshold": above * mean * math.log(20), "period_s": period_s}])
    of.run_until(1500)
    assert of.alarms["p95"].state == state
    assert breaches(of, "p95") is (state == "ALARM")


def test_lines_in_the_log_set_an_alarm_off() -> None:
    """As many lines as requests that the release fails, with any of the words; silence before is no trouble."""
    of = world(bad_release("5xx", failing_percent=40), alarms=[LINES])
    of.run_until(SHIPPED_S)
    assert (of.alarms["lines"].state, breaches(of, "lines")) == ("OK", False)
    of.run_until(SHIPPED_S + 600)
    assert (of.alarms["lines"].state, breaches(of, "lines")) == ("ALARM", True)
    told = of.alarms["lines"].reason.partition("[")[2].partition("]")[0].partition(",")[0]
    assert float(told) == pytest.approx(0.4 * 100 * 60, rel=0.1)


@pytest.mark.parametrize("contains", [["unhandled"], ["nobody says this"]])
def test_other_lines_are_not_counted(contains: list[str]) -> None:
    """Upper and lower case differ, as CloudWatch compares them."""
    of = world(bad_release("5xx", failing_percent=40), alarms=[LINES | {"contains": contains}])
    of.run_until(SHIPPED_S + 600)
    assert of.alarms["lines"].state == "OK"
    assert breaches(of, "lines") is False


def test_an_alarm_watches_one_thing() -> None:
    """A symptom, or the log."""
    with pytest.raises(ValueError, match="write either symptom or contains"):
        world(alarms=[LINES | {"symptom": "cpu"}])
