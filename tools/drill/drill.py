"""A whole drill: all runs, what they amount to, and how much of it hangs on the world's constants."""

from collections.abc import Callable, Mapping, Sequence

from tools.drill import measures, runner
from tools.drill.policies.registry import POLICIES
from tools.drill.results import PolicyNote, Results, RunResult, ScenarioNote, Summary, Variation
from tools.drill.scenario import Scenario
from tools.drill.world.constants import CONSTANTS, Constants

ORACLE = "oracle"
"""Every drill runs it, shown or not: the others are compared with it."""

BENT: Sequence[str] = (
    "task_start_high_s",
    "stop_s",
    "deregistration_s",
    "metric_late_high_s",
    "full_queue_s",
    "workers",
    "dependency_down_cpu",
    "overload_unhealthy",
)
"""Constants whose change moves the numbers most, or that no source gives."""

FACTORS = (0.5, 1.5)


def drill(
    scenarios: Sequence[Scenario],
    policies: Sequence[str],
    *,
    seeds: int,
    jobs: int,
    timelines: int = 0,
    sensitivity_seeds: int = 0,
    played: Callable[[int], None] = lambda runs: None,
) -> Results:
    """Drill these scenarios under these policies; with `sensitivity_seeds`, again under each bent constant.

    `played` hears how many runs were just done, of `runs_of` in all.
    """
    ordered = [name for name in POLICIES if name in policies]
    runs = _runs(scenarios, ordered, CONSTANTS, seeds=seeds, jobs=jobs, timelines=timelines, played=played)
    variations = tuple(
        Variation(
            constant=constant,
            factor=factor,
            by_policy=_by_policy(
                _runs(scenarios, ordered, bent, seeds=sensitivity_seeds, jobs=jobs, timelines=0, played=played), ordered
            ),
        )
        for constant, factor, bent in _bent()
        if sensitivity_seeds > 0
    )
    return Results(
        seeds=seeds,
        scenarios=tuple(_scenario_note(scenario) for scenario in scenarios),
        policies=tuple(PolicyNote(name=name, title=POLICIES[name].title) for name in ordered),
        by_policy=_by_policy(runs, ordered),
        by_scenario={
            scenario.name: _by_policy([run for run in runs if run.scenario == scenario.name], ordered)
            for scenario in scenarios
        },
        runs=tuple(run for run in runs if run.policy in ordered),
        variations=variations,
    )


def runs_of(scenarios: Sequence[Scenario], policies: Sequence[str], *, seeds: int, sensitivity_seeds: int = 0) -> int:
    """How many runs `drill` makes."""
    each = len(scenarios) * len({*policies, ORACLE})
    return each * (seeds + sensitivity_seeds * len(list(_bent())))


def _bent() -> Sequence[tuple[str, float, Constants]]:
    return [(name, factor, CONSTANTS.scaled(name, factor)) for name in BENT for factor in FACTORS]


def _runs(
    scenarios: Sequence[Scenario],
    ordered: Sequence[str],
    constants: Constants,
    *,
    seeds: int,
    jobs: int,
    timelines: int,
    played: Callable[[int], None],
) -> tuple[RunResult, ...]:
    everybody = [name for name in POLICIES if name in ordered or name == ORACLE]
    return runner.play_all(
        scenarios, everybody, seeds=seeds, jobs=jobs, timelines=timelines, constants=constants, played=played
    )


def _by_policy(runs: Sequence[RunResult], ordered: Sequence[str]) -> Mapping[str, Summary]:
    oracle = {(run.scenario, run.seed): run for run in runs if run.policy == ORACLE}
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
