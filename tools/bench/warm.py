"""Warm handlers: CPU time and memory of each step, beside the bare calls of AWS that it makes.

Both sides run in one process that looks like a Lambda function, on incidents that were recorded in the
drill's world: the handler as it is deployed, and a loop that makes the same calls with boto3 and does nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.bench.entries import Against, Entry, Goal, Told
from tools.bench.replay.lambdas import as_lambda

RATIO = Goal(1.5)
OWN = Goal(5, Against.NOTHING)

STEPS = ("intake", "assess", "remediate", "verify", "page", "update", "watch", "close", "report", "restore")


def measure(told: Told) -> Sequence[Entry]:
    """One incident that ends by itself for each way in which one can, every step of it."""
    told("two incidents are mended and one is told to people")
    rows: list[dict[str, Any]] = as_lambda("tools.bench.replay.warm")
    return [entry for step in STEPS for entry in entries(step, [row for row in rows if row["step"] == step])]


def entries(step: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[Entry]:
    """What one step took, the mean of its invocations."""
    if not rows:
        raise AssertionError(f"no incident that was recorded has a step {step}")
    ours_s, floor_s = _mean(rows, "cpu_s")
    ours_bytes, floor_bytes = _mean(rows, "memory_bytes")
    calls = sum(row["calls"] for row in rows) / len(rows)
    how = f"{len(rows)} invocations with {calls:.3g} calls each"
    yield Entry(f"warm: {step}, CPU", "ms", ours_s * 1e3, floor=floor_s * 1e3, goal=RATIO, how=how)
    yield Entry(f"warm: {step}, own CPU", "ms", (ours_s - floor_s) * 1e3, goal=OWN, how="CPU less that of bare calls")
    yield Entry(
        f"warm: {step}, memory", "KB", ours_bytes / 1e3, floor=floor_bytes / 1e3, how="peak of Python's objects"
    )


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[float, float]:
    ours, floor = zip(*(row[name] for row in rows), strict=True)
    return sum(ours) / len(rows), sum(floor) / len(rows)
