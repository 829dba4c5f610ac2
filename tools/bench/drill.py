"""What drilling takes: CPU time of one run of the responder and of the world alone, memory, and runs in faulty weather.

10,000 runs within ten minutes on two cores are 0.12 s of CPU time for a run. A drill makes seven for each scenario and
seed, one for each way to respond; that of the responder takes the most by far, and has a line of its own. Everything
is measured in a process of its own, as the drill makes its runs, after a lap that warms what later ones share.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tools.bench.entries import Against, Entry, Goal, Told
from tools.chaos.runs import replay, undisturbed
from tools.chaos.sweep import scenarios_of
from tools.drill.asked import OURS
from tools.drill.policies.registry import POLICIES
from tools.drill.runner import NOBODY, keep, play, quiet
from tools.drill.scenario import Scenario, load_scenarios

LAPS = 2
"""Times that every scenario is drilled, each with another seed, after the one that warms."""

OTHERS = tuple(name for name in POLICIES if name not in (OURS, NOBODY))
"""Ways to respond that a drill compares the responder with, beside doing nothing."""

EVERY = 4
"""Of the scenarios of chaos, every fourth one is run in faulty weather: a run costs three times as much."""

CPU_S_AT_MOST = 0.12
GROWS_AT_MOST = 1.1
"""Peak memory after all laps, compared with the first: what a run leaves behind would show."""


@dataclass(frozen=True, kw_only=True)
class Lap:
    """Runs of the responder, and as many of the same worlds without it, and of each other way to respond."""

    runs: int = 0
    ours_s: float = 0.0
    alone_s: float = 0.0
    others_s: float = 0.0
    """Of the other ways together."""
    peak_mb: float = 0.0
    """Of the process until the end of the lap."""

    def __add__(self, other: "Lap") -> "Lap":
        return Lap(
            runs=self.runs + other.runs,
            ours_s=self.ours_s + other.ours_s,
            alone_s=self.alone_s + other.alone_s,
            others_s=self.others_s + other.others_s,
            peak_mb=max(self.peak_mb, other.peak_mb),
        )


def measure(told: Told) -> Sequence[Entry]:
    """Both sides by turns: a run of the responder, then the same world without it."""
    scenarios = tuple(load_scenarios([]))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        told("the first lap, which warms")
        first = pool.submit(drilled, scenarios, 0).result()
        drills = Lap()
        for seed in range(1, LAPS + 1):
            told(f"lap {seed} of {LAPS}")
            drills += pool.submit(drilled, scenarios, seed).result()
        told("faulty weather")
        foul = pool.submit(weathered, tuple(scenarios_of([])[::EVERY]), 0).result()
    return entries(first, drills, foul)


def drilled(scenarios: Sequence[Scenario], seed: int) -> Lap:
    """Every one of these scenarios once, with each way to respond."""
    lap = Lap()
    with quiet():
        for scenario in scenarios:
            ours_s = _cpu_s(partial(play, scenario, POLICIES[OURS], seed))
            alone_s = _cpu_s(partial(play, scenario, POLICIES[NOBODY], seed))
            others_s = sum(_cpu_s(partial(play, scenario, POLICIES[name], seed)) for name in OTHERS)
            keep()
            lap += Lap(runs=1, ours_s=ours_s, alone_s=alone_s, others_s=others_s)
    return lap + Lap(peak_mb=peak_mb())


def weathered(scenarios: Sequence[Scenario], seed: int) -> Lap:
    """The same in faulty weather; what the runs are compared with is made before, and not counted."""
    lap = Lap()
    with quiet():
        for scenario in scenarios:
            against = undisturbed(scenario, seed)
            ours_s = _cpu_s(partial(replay, scenario, seed, against, weather=seed))
            alone_s = _cpu_s(partial(play, scenario, POLICIES[NOBODY], seed))
            lap += Lap(runs=1, ours_s=ours_s, alone_s=alone_s)
    return lap + Lap(peak_mb=peak_mb())


def entries(first: Lap, drills: Lap, foul: Lap) -> Sequence[Entry]:
    """`first` warmed; its times do not count."""
    ours_s, alone_s = drills.ours_s / drills.runs, drills.alone_s / drills.runs
    whole_s = (drills.ours_s + drills.alone_s + drills.others_s) / drills.runs / len(POLICIES)
    return (
        Entry(
            name="drill: a run, of every way to respond",
            unit="CPU s",
            ours=whole_s,
            floor=alone_s,
            goal=Goal(CPU_S_AT_MOST, Against.NOTHING),
            how=f"what `responder drill` makes: mean of {drills.runs * len(POLICIES)} runs, {len(POLICIES)} ways each",
        ),
        Entry(
            name="drill: runs per minute and core",
            unit="runs",
            ours=60 / whole_s,
            floor=60 / alone_s,
            how="from the line above; more is better",
        ),
        Entry(
            name="drill: a run of the responder",
            unit="CPU s",
            ours=ours_s,
            floor=alone_s,
            goal=Goal(CPU_S_AT_MOST, Against.NOTHING),
            how=f"mean of {drills.runs} runs over all scenarios; floor: the same worlds with nobody responding",
        ),
        Entry(
            name="drill: peak memory of a process",
            unit="MB",
            ours=drills.peak_mb,
            baseline=first.peak_mb,
            goal=Goal(GROWS_AT_MOST, Against.BASELINE),
            how=f"after {first.runs + drills.runs} runs of the responder; baseline: after the first {first.runs}",
        ),
        Entry(
            name="drill: a run in faulty weather",
            unit="CPU s",
            ours=foul.ours_s / foul.runs,
            floor=foul.alone_s / foul.runs,
            how=f"mean of {foul.runs} runs of chaos; floor: the same worlds with nobody responding, up to the horizon",
        ),
    )


def peak_mb() -> float:
    """The most memory that this process has had so far.

    Linux tells it of the program that runs (proc(5), VmHWM); `getrusage` also counts the process that started it, where
    that one was larger (getrusage(2), ru_maxrss; bytes on macOS).
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def _cpu_s(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began
