"""Alarms go by CloudWatch's own tables."""

import pytest

from tests.unit.drill.world.worlds import orders, world
from tools.drill.world.alarms import Rule, judged

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
