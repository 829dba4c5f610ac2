"""CPU time and memory of two sides, taken in turn."""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

Side = Callable[[], object]


@dataclass(frozen=True)
class Taken:
    """What one side took."""

    ours: float
    floor: float


def cpu_s(ours: Side, floor: Side, *, before: Callable[[], None], rounds: int) -> Taken:
    """Seconds of CPU of all threads, the median of so many rounds; each round takes both sides, one after the other.

    `before` makes ready for either side, and is not counted."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, found in zip((ours, floor), taken, strict=True):
            before()
            began = time.process_time()
            side()
            found.append(time.process_time() - began)
    return Taken(*map(statistics.median, taken))


def memory_bytes(ours: Side, floor: Side, *, before: Callable[[], None]) -> Taken:
    """Bytes that Python's objects take at the most, beyond what lay there before."""
    peaks = []
    for side in (ours, floor):
        before()
        gc.collect()
        tracemalloc.start()
        try:
            side()
            peaks.append(float(tracemalloc.get_traced_memory()[1]))
        finally:
            tracemalloc.stop()
    return Taken(*peaks)
