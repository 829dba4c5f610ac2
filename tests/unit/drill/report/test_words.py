"""Numbers as people read them."""

import pytest

from tests.fakes.drills import drill_results
from tools.drill.report.words import clock, count, per_run, ratio, recovery
from tools.drill.results import Spread, Summary


def summary(*, runs: int, troubled: int, recovered: int, seconds: float | None = 125.0) -> Summary:
    """A summary of which only the recoveries matter."""
    whole = drill_results(scenarios=1, seeds=1, policies=("oracle",)).by_policy["oracle"]
    return Summary(
        runs=runs,
        troubled=troubled,
        recovered=recovered,
        escalated_correctly=0,
        impact_median=0,
        impact_ratio_to_oracle=whole.impact_ratio_to_oracle,
        recovery_s=Spread(p50=seconds, p95=seconds),
        recovery_from_alarm_s=whole.recovery_from_alarm_s,
        recovery_ratio_to_oracle=whole.recovery_ratio_to_oracle,
        actions=0,
        harmful=0,
    )


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0"), (7.4, "7"), (1240, "1,240"), (9999.6, "10.0k"), (38_460, "38.5k"), (2_140_000, "2.1M"), (None, "—")],
)
def test_counts(number: float | None, written: str) -> None:
    """A count is exact while it is short, and rounded beyond ten thousand."""
    assert count(number) == written


@pytest.mark.parametrize(
    ("number", "written"), [(1.0, "1.00"), (9.994, "9.99"), (12.34, "12.3"), (1240.0, "1,240"), (None, "—")]
)
def test_ratios(number: float | None, written: str) -> None:
    """A ratio has three digits that mean something."""
    assert ratio(number) == written


@pytest.mark.parametrize(("seconds", "written"), [(0, "0:00"), (42.4, "0:42"), (425, "7:05"), (5640, "94:00")])
def test_clock(seconds: float, written: str) -> None:
    """A length of time is minutes and seconds, also beyond an hour."""
    assert clock(seconds) == written


def test_per_run_of_nothing() -> None:
    """Without runs there is no number per run."""
    assert (per_run(3, 0), per_run(3, 2)) == ("—", "1.5")


def test_a_recovery_that_came() -> None:
    """When at least the share recovered, the time is told."""
    assert recovery(summary(runs=20, troubled=20, recovered=19), 0.95) == "2:05"


def test_a_recovery_that_did_not_come() -> None:
    """When fewer than the share recovered, the time until the end of the run is not passed off as a recovery."""
    assert recovery(summary(runs=20, troubled=20, recovered=18), 0.95) == "never"
    assert recovery(summary(runs=20, troubled=20, recovered=18), 0.5) == "2:05"


def test_runs_without_trouble_recover_from_nothing() -> None:
    """Runs in which nothing went wrong do not make up for those that never recovered."""
    assert recovery(summary(runs=20, troubled=4, recovered=17), 0.5) == "never"
    assert recovery(summary(runs=20, troubled=0, recovered=20, seconds=None), 0.5) == "—"
