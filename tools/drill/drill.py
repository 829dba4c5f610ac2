"""A whole drill: all runs, what they amount to, and how much of it hangs on the world's constants."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

from tools.drill import measures
from tools.drill.asked import Asking, better_than, demands
from tools.drill.policies.registry import POLICIES
from tools.drill.results import PolicyNote, Results, RunResult, ScenarioNote, Shown, Summary, Variation
from tools.drill.runner import Job, play_all
from tools.drill.scenario import Scenario
from tools.drill.world.constants import CONSTANTS, Constants

ORACLE = "oracle"
"""Every drill runs it, shown or not: the others are compared with it."""

BENT: Mapping[str, tuple[str, ...]] = {
    "start of a task": ("task_start_low_s", "task_start_high_s"),
    "draining of a target": ("deregistration_s",),
    "lateness of metrics": ("metric_late_low_s", "metric_late_high_s"),
    "queue of a task": ("full_queue_s",),
    "health under overload": ("overload_unhealthy",),
    "every time": tuple(each.name for each in fields(Constants) if each.name.endswith("_s")),
}
"""Constants that are bent together: those that move the numbers most, each by itself, and all times at once."""

FACTORS = (0.5, 1.5)

AS_IT_IS = "as it is"
"""Stands for a constant where none is bent."""


def drill(
    scenarios: Sequence[Scenario],
    policies: Sequence[str],
    *,
    seeds: int,
    processes: int,
    timelines: int = 0,
    sensitivity_seeds: int = 0,
    played: Callable[[int], None] = lambda runs: None,
) -> Results:
    """Drill these scenarios under these policies, with seeds from 0 on; the first `timelines` seeds keep timelines.

    With `sensitivity_seeds`, so many seeds are drilled again under each bent constant. `played` hears how many runs
    were just done, of `runs_of` in all.
    """
    ordered = [name for name in POLICIES if name in policies]
    everybody = [name for name in POLICIES if name in ordered or name == ORACLE]
    bent = _bent() if sensitivity_seeds > 0 else ()
    jobs = [
        Job(scenario=place, seed=seed, timeline=seed < timelines)
        for place in range(len(scenarios))
        for seed in range(seeds)
    ]
    again = [
        Job(scenario=place, seed=seed, constants=constants)
        for _, _, constants in bent
        for place in range(len(scenarios))
        for seed in range(sensitivity_seeds)
    ]
    found = play_all(scenarios, everybody, [*jobs, *again], processes=processes, played=played)
    runs, rest = _flat(found[: len(jobs)]), found[len(jobs) :]
    each = len(scenarios) * sensitivity_seeds
    asking = Asking(
        fixable=frozenset(scenario.name for scenario in scenarios if scenario.truth.remedies), oracle=_oracle(runs)
    )
    by_scenario = {
        scenario.name: _by_policy([run for run in runs if run.scenario == scenario.name], ordered)
        for scenario in scenarios
    }
    better = {name: better_than(by_policy) for name, by_policy in by_scenario.items() if name in asking.fixable}
    shown = asking.shown(runs)
    worlds = [(AS_IT_IS, 1.0, [run for run in runs if run.seed < sensitivity_seeds])] if bent else []
    worlds += [
        (constant, factor, _flat(rest[place * each : (place + 1) * each]))
        for place, (constant, factor, _) in enumerate(bent)
    ]
    return Results(
        seeds=seeds,
        scenarios=tuple(_scenario_note(scenario) for scenario in scenarios),
        policies=tuple(PolicyNote(name=name, title=POLICIES[name].title) for name in ordered),
        by_policy=_by_policy(runs, ordered),
        by_scenario=by_scenario,
        runs=_in_order(runs, scenarios, ordered),
        shown=_shown_by_scenario(asking, runs),
        better_than={name: of for name, of in better.items() if of},
        demands=() if shown is None else tuple(demands(shown, better)),
        variations=tuple(_variation(asking.fixable, ordered, *world) for world in worlds),
    )


def _shown_by_scenario(asking: Asking, runs: Sequence[RunResult]) -> Mapping[str, Shown]:
    names = dict.fromkeys(run.scenario for run in runs)
    found = {name: asking.shown([run for run in runs if run.scenario == name]) for name in names}
    return {name: shown for name, shown in found.items() if shown is not None}


def _variation(
    fixable: frozenset[str], ordered: Sequence[str], constant: str, factor: float, runs: Sequence[RunResult]
) -> Variation:
    shown = Asking(fixable=fixable, oracle=_oracle(runs)).shown(runs)
    return Variation(
        constant=constant,
        factor=factor,
        by_policy=_by_policy(runs, ordered),
        shown=shown,
        demands=() if shown is None else tuple(demands(shown, {}, bent=factor != 1)),
    )


def _oracle(runs: Sequence[RunResult]) -> Mapping[tuple[str, int], RunResult]:
    return {(run.scenario, run.seed): run for run in runs if run.policy == ORACLE}


def runs_of(scenarios: Sequence[Scenario], policies: Sequence[str], *, seeds: int, sensitivity_seeds: int = 0) -> int:
    """How many runs `drill` makes."""
    each = len(scenarios) * len({*policies, ORACLE})
    return each * (seeds + sensitivity_seeds * len(_bent()))


def _bent() -> Sequence[tuple[str, float, Constants]]:
    return [(what, factor, _scaled(names, factor)) for what, names in BENT.items() for factor in FACTORS]


def _scaled(names: Sequence[str], factor: float) -> Constants:
    bent = CONSTANTS
    for name in names:
        bent = bent.scaled(name, factor)
    return bent


def _flat(lots: Sequence[Sequence[RunResult]]) -> list[RunResult]:
    return [run for lot in lots for run in lot]


def _in_order(
    runs: Sequence[RunResult], scenarios: Sequence[Scenario], ordered: Sequence[str]
) -> tuple[RunResult, ...]:
    """By scenario, policy and seed, as listed."""
    places = {scenario.name: place for place, scenario in enumerate(scenarios)}
    shown = [run for run in runs if run.policy in ordered]
    return tuple(sorted(shown, key=lambda run: (places[run.scenario], ordered.index(run.policy), run.seed)))


def _by_policy(runs: Sequence[RunResult], ordered: Sequence[str]) -> Mapping[str, Summary]:
    oracle = _oracle(runs)
    return {name: measures.summary([run for run in runs if run.policy == name], oracle) for name in ordered}


def _scenario_note(scenario: Scenario) -> ScenarioNote:
    return ScenarioNote(
        name=scenario.name,
        kind=scenario.head.kind,
        title=scenario.head.title,
        truth=scenario.truth.says,
        fixable=bool(scenario.truth.remedies),
        people=scenario.truth.people,
    )
