"""All that `make chaos` makes: every point of every scenario, and runs in faulty weather, in several processes."""

import gc
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tools.chaos.promises import PROMISES
from tools.chaos.runs import Explorer, Outcome, Undisturbed, replay, undisturbed
from tools.drill.runner import GARBAGE, quiet
from tools.drill.scenario import Scenario, load_scenarios, shipped

OWN = Path(__file__).resolve().parent / "scenarios"
"""Scenarios for what no shipped one does: changes beside ECS, and leases that are no range of a scalable target."""

AT_ONCE = 100
"""Faulty runs of one job: they share the undisturbed run that they are compared with."""


class Stopped(BaseException):
    """Somebody interrupted; no handler of the responder takes it for a failure of its own."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What goes to a process: the points of one run, or some numbers of the weather."""

    scenario: int
    """Place in the list."""
    seed: int
    share: float = 0.0
    twice: bool = False
    weather: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Of:
    """What came of one scenario, or of several."""

    name: str
    calls: int = 0
    """Calls of the undisturbed runs, whose points were taken."""
    crash_points: int = 0
    """Runs in which something broke at one point, or at two."""
    faulty_runs: int = 0
    faults: int = 0
    """What went wrong in the faulty runs, all together."""
    kept: tuple[tuple[str, int], ...] = tuple((promise, 0) for promise in PROMISES)
    """Runs that did not keep it, for each promise."""
    broken: tuple[Outcome, ...] = ()
    """Those runs."""

    def and_of(self, outcomes: Sequence[Outcome], *, calls: int, faulty: bool) -> "Of":
        """With more runs."""
        counts = dict(self.kept)
        for outcome in outcomes:
            for promise in {violation.promise for violation in outcome.violations}:
                counts[promise] += 1
        runs = sum(1 for outcome in outcomes if outcome.breaks or outcome.weather is not None)
        return replace(
            self,
            calls=self.calls + calls,
            crash_points=self.crash_points + (0 if faulty else runs),
            faulty_runs=self.faulty_runs + (runs if faulty else 0),
            faults=self.faults + (sum(outcome.happened for outcome in outcomes) if faulty else 0),
            kept=tuple(counts.items()),
            broken=(*self.broken, *(outcome for outcome in outcomes if outcome.violations)),
        )

    @classmethod
    def all(cls, parts: Sequence["Of"]) -> "Of":
        """Of all of them."""
        return cls(
            name="all",
            calls=sum(part.calls for part in parts),
            crash_points=sum(part.crash_points for part in parts),
            faulty_runs=sum(part.faulty_runs for part in parts),
            faults=sum(part.faults for part in parts),
            kept=tuple((promise, sum(dict(part.kept)[promise] for part in parts)) for promise in PROMISES),
            broken=tuple(outcome for part in parts for outcome in part.broken),
        )

    @property
    def figures(self) -> dict[str, int]:
        """As they are written to a file."""
        return {"crash_points": self.crash_points, "faulty_runs": self.faulty_runs, **dict(self.kept)}


def scenarios_of(wanted: Sequence[str]) -> tuple[Scenario, ...]:
    """By name or file; without any, the drill's and those of chaos itself.

    Raises:
        ScenarioError: if there is none of that name, or it does not hold.
    """
    own = {path.stem: str(path) for path in sorted(OWN.glob("*.yaml"))}
    return load_scenarios([own.get(name, name) for name in wanted or (*shipped(), *own)])


def jobs_of(scenarios: Sequence[Scenario], *, seeds: int, share: float, twice: bool, faulty: int) -> list[Job]:
    """Every seed of every scenario, and the faulty runs spread evenly over both."""
    worlds = [(place, seed) for seed in range(seeds) for place in range(len(scenarios))]
    jobs = [Job(scenario=place, seed=seed, share=share, twice=twice) for place, seed in worlds if share > 0]
    for n, (place, seed) in enumerate(worlds):
        numbers = range(n, faulty, len(worlds))
        jobs += [
            Job(scenario=place, seed=seed, weather=tuple(numbers[at : at + AT_ONCE]))
            for at in range(0, len(numbers), AT_ONCE)
        ]
    return jobs


def sweep(
    scenarios: Sequence[Scenario],
    jobs: Sequence[Job],
    *,
    processes: int,
    told: Callable[[int, int, Outcome | None], None] = lambda jobs, runs, broken: None,
) -> tuple[list[Of], bool]:
    """Of each scenario, and whether all was made: whoever interrupts gets the runs that were made until then, as soon
    as those that are under way have ended. `told` hears how many jobs are done and how many runs, and of each run that
    did not keep a promise as soon as it is made.

    The processes are not this one even where it is only one: they fork, which a process with threads must not.
    """
    found = [Of(name=scenario.name) for scenario in scenarios]
    context = get_context("spawn")
    runs, stop, broken = context.Value("i", 0), context.Event(), context.SimpleQueue()
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_begin, initargs=(tuple(scenarios), runs, stop, broken)
    ) as pool:
        waiting = [(job, pool.submit(_play, job)) for job in jobs]
        for done, (job, future) in enumerate(waiting, start=1):
            while not future.done():
                try:
                    told(done - 1, runs.value, None if broken.empty() else broken.get())
                    _wait(future)
                except KeyboardInterrupt:
                    if stop.is_set():
                        raise
                    stop.set()
            calls, outcomes = future.result()
            found[job.scenario] = found[job.scenario].and_of(outcomes, calls=calls, faulty=bool(job.weather))
            told(done, runs.value, None)
        while not broken.empty():
            told(len(waiting), runs.value, broken.get())
    return found, not stop.is_set()


def play_job(scenario: Scenario, job: Job, told: Callable[[Outcome], None]) -> tuple[int, list[Outcome]]:
    """The calls whose points were taken, and the outcomes."""
    against = undisturbed(scenario, job.seed)
    whole = Outcome(scenario=scenario.name, seed=job.seed, breaks=(), violations=against.violations)
    if job.weather:
        return 0, [whole, *_faulty(scenario, job, against, told)]
    explorer = Explorer(scenario, job.seed, job.share, job.twice, told)
    return against.calls, [whole, *explorer.explore(against)]


def _faulty(scenario: Scenario, job: Job, against: Undisturbed, told: Callable[[Outcome], None]) -> Iterator[Outcome]:
    for number in job.weather:
        outcome, _ = replay(scenario, job.seed, against, weather=number)
        told(outcome)
        yield outcome


def _wait(future: Any) -> None:
    with suppress(TimeoutError):
        future.exception(timeout=0.5)


_scenarios: tuple[Scenario, ...] = ()
_runs: Any = None
_stop: Any = None
_broken: Any = None
"""In a process of the pool, which keeps them in no other place."""

_process = ExitStack()


def _begin(scenarios: tuple[Scenario, ...], runs: Any, stop: Any, broken: Any) -> None:
    global _scenarios, _runs, _stop, _broken
    _scenarios, _runs, _stop, _broken = scenarios, runs, stop, broken
    # What is loaded stays; it is neither searched for garbage again and again, nor copied for it after a fork.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    # The terminal interrupts all of its processes; only the first one knows what to do then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _process.enter_context(quiet())


def _play(job: Job) -> tuple[int, list[Outcome]]:
    heard: list[Outcome] = []

    def told(outcome: Outcome) -> None:
        heard.append(outcome)
        with _runs.get_lock():
            _runs.value += 1
        if outcome.violations:
            _broken.put(outcome)
        if _stop.is_set():
            raise Stopped

    if _stop.is_set():
        return 0, []
    try:
        return play_job(_scenarios[job.scenario], job, told)
    except Stopped:
        return 0, heard
    finally:
        gc.collect()
