"""Trials: what an operator has asked of a service over HTTP, at once, and what came back."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import ceil
from statistics import fmean

from pydantic import Field

from functions.domain.model import Model, Moment, digest
from functions.domain.services import ServiceRef

MOST_CONCURRENT = 10
LONGEST_S = 45
"""The function that makes the requests ends after 60 s, and has to write down what it found before that."""
MOST_EACH_PER_S = 5.0
"""Requests that one of those side by side begins in a second: a trial is to measure a service, never to flood it."""
REQUEST_TIMEOUT_S = 10
SLOT_S = 120
"""Of one service, one trial under load begins in each stretch of so many seconds: its name says which."""

MOST_ERRORS = 5

_RUN_ID = re.compile(r"run-[0-9a-f]{12}-[0-9]{8,12}")


class CheckSaid(Model):
    """One check of the playbook, made once."""

    check: str
    demands: str
    """What has to be so, for people."""
    passed: bool | None
    """None where it could not be made, which says nothing of the service."""
    finding: str = ""
    """Why it failed, or could not be made."""
    alarm: str | None = None
    """The alarm that knows, where it could not be made for want of a secret."""


class Load(Model):
    """One trial under load, as it was ordered."""

    id: str
    service: ServiceRef
    url: str
    concurrent: int = Field(ge=1, le=MOST_CONCURRENT)
    """Requests side by side."""
    seconds: int = Field(ge=1, le=LONGEST_S)
    by: str
    """ARN of whoever ordered it."""
    asked_at: Moment


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It could not be carried out, for reasons of our own."""


class Measured(Model):
    """What a trial under load found. Times are in seconds, from opening the connection to the answer's status line."""

    requests: int
    failed: int
    """No answer in time, or one that is neither 2xx nor 3xx."""
    statuses: Mapping[str, int]
    """How often each status came; `none` where no answer did."""
    error_rate: float
    """Failed ones in percent of all."""
    average_s: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    slowest_s: float | None = None
    errors: tuple[str, ...] = ()
    """Why there was no answer, each once; the first few."""


class Run(Model):
    """One trial under load, with what came of it so far."""

    load: Load
    state: RunState
    measured: Measured | None = None
    ended_at: Moment | None = None
    why: str = ""
    """Why it could not be carried out."""


class Sample(Model):
    """One request of a trial under load."""

    status: int | None
    """None when there was no answer in time, or no connection."""
    seconds: float
    error: str = ""


def measured(samples: Sequence[Sample]) -> Measured:
    """What the requests of a trial tell together."""
    times = sorted(sample.seconds for sample in samples)
    failed = sum(1 for sample in samples if sample.status is None or not 200 <= sample.status < 400)
    statuses = Counter("none" if sample.status is None else str(sample.status) for sample in samples)
    return Measured(
        requests=len(samples),
        failed=failed,
        statuses=dict(sorted(statuses.items())),
        error_rate=round(100 * failed / len(samples), 3) if samples else 0.0,
        average_s=round(fmean(times), 4) if times else None,
        p50_s=_quantile(times, 0.50),
        p95_s=_quantile(times, 0.95),
        p99_s=_quantile(times, 0.99),
        slowest_s=round(times[-1], 4) if times else None,
        errors=tuple(dict.fromkeys(sample.error for sample in samples if sample.error))[:MOST_ERRORS],
    )


def _quantile(times: Sequence[float], share: float) -> float | None:
    """The time that this share of the requests keeps to: one that was measured, none in between."""
    return round(times[max(0, ceil(share * len(times)) - 1)], 4) if times else None


def run_id(ref: ServiceRef, at: Moment, *, slots_ago: int = 0) -> str:
    """The name of the service's trial in this stretch of time, or in one before."""
    return f"run-{digest(ref.key)[:12]}-{int(at.timestamp()) // SLOT_S - slots_ago}"


def is_run_id(text: str) -> bool:
    return _RUN_ID.fullmatch(text) is not None
