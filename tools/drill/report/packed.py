"""Runs, small enough that a page can carry all of them.

Each scenario is one gzip of JSON in Base64, which the browser opens when somebody asks for a run of it. Numbers are
rounded to what a plot can show.
"""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from tools.drill.results import RunResult, Timeline


def packed(runs: Iterable[RunResult]) -> str:
    """Runs with a timeline, as Base64 of a gzip of a JSON list; the others are left out."""
    plain = [_run(run, run.timeline) for run in runs if run.timeline is not None]
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _run(run: RunResult, timeline: Timeline) -> dict[str, Any]:
    return {
        "policy": run.policy,
        "seed": run.seed,
        "ended": _rounded(run.ended_s, 0),
        "fault": _rounded(run.fault_s, 0),
        "alarm": _rounded(run.alarm_s, 0),
        "recovered": _rounded(run.recovered_s, 0),
        "requests": _rounded(run.requests, 0),
        "failed": _rounded(run.failed, 0),
        "slow": _rounded(run.slow, 0),
        "actions": run.actions,
        "escalated": run.escalated,
        "correctly": run.escalated_correctly,
        "named": run.cause_named,
        "first": run.cause_first,
        "harm": list(run.harm),
        "interval": timeline.interval_s,
        "rps": _series(timeline.requests_rps, 1),
        "failedRps": _series(timeline.failed_rps, 1),
        "slowRps": _series(timeline.slow_rps, 1),
        "desired": _series(timeline.tasks_desired, 0),
        "running": _series(timeline.tasks_running, 0),
        "healthy": _series(timeline.tasks_healthy, 0),
        "cpu": _series(timeline.cpu_percent, 0),
        "latency": _series(timeline.latency_s, 2),
        "notes": [[_rounded(note.at_s, 0), note.mark.value, note.actor, note.text] for note in timeline.notes],
    }


def _series(values: Sequence[float], decimals: int) -> list[float | None]:
    return [_rounded(value, decimals) for value in values]


def _rounded(value: float | None, decimals: int) -> float | None:
    if value is None:
        return None
    near = round(float(value), decimals)
    return int(near) if near.is_integer() else near  # `3` instead of `3.0`, in a file that has a million of them
