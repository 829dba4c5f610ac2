"""How numbers are written for people, the same in the terminal and on the page."""

from math import ceil

from tools.drill.results import Summary

NOTHING = "—"
"""Where a number would make no sense."""
NEVER = "never"
"""For a recovery that did not come before the run ended."""


def count(number: float | None) -> str:
    """A count such as requests: `7`, `1,240`, `38.5k` or `2.1M`."""
    if number is None:
        return NOTHING
    if number < 9_999.5:
        return f"{round(number):,}"
    if number < 999_950:
        return f"{number / 1_000:.1f}k"
    return f"{number / 1_000_000:.1f}M"


def ratio(number: float | None) -> str:
    """How many times the oracle's: `1.00`, `12.3` or `1,240`."""
    if number is None:
        return NOTHING
    if number < 9.995:
        return f"{number:.2f}"
    if number < 99.95:
        return f"{number:.1f}"
    return count(number)


def clock(seconds: float | None) -> str:
    """A length of time as minutes and seconds: `0:42`, `7:05` or `94:00`."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def recovery(summary: Summary, share: float) -> str:
    """The time within which this share of the troubled runs recovered, `never` if fewer did."""
    seconds = summary.recovery_s.p50 if share == 0.5 else summary.recovery_s.p95
    if seconds is None:
        return NOTHING
    recovered_after_trouble = summary.recovered - (summary.runs - summary.troubled)
    return NEVER if recovered_after_trouble < ceil(share * summary.troubled) else clock(seconds)


def of_runs(number: int | None, runs: int) -> str:
    """How many of the runs: `29/30`."""
    return NOTHING if number is None else f"{number}/{runs}"


def per_run(total: int, runs: int) -> str:
    """A total, spread over the runs: `1.3`."""
    return NOTHING if runs == 0 else f"{total / runs:.1f}"
