"""`responder drill`: the arguments, a progress bar, and where the results go."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from functions.domain.errors import InputError
from tools.cli.render import console
from tools.drill.drill import drill, runs_of
from tools.drill.policies.registry import POLICIES
from tools.drill.report import as_html, as_json, results_table
from tools.drill.results import Results
from tools.drill.scenario import Kind, Scenario, load_scenarios

HARMFUL = 1
"""Exit status of a gate that does not let a playbook pass."""

SENSITIVITY_SEEDS = 2
"""Seeds that are run again for each bent constant."""

OURS = "responder"


def run_drill(
    *,
    wanted: Sequence[str],
    policies: Sequence[str],
    kind: str | None,
    seeds: int,
    jobs: int | None,
    playbook: Path | None,
    sensitivity: bool,
    gate: bool,
    json_file: Path | None,
    report_file: Path | None,
) -> int:
    """Drill, tell, and give the exit status.

    Raises:
        InputError: if there is nothing to drill, or a file does not hold or cannot be written.
    """
    unknown = [name for name in policies if name not in POLICIES]
    if unknown:
        raise InputError(f"there is no policy '{unknown[0]}'; write one of: {', '.join(POLICIES)}")
    scenarios = _of_kind(load_scenarios(wanted, playbook=playbook), kind)
    chosen = tuple(policies) or tuple(POLICIES)
    if gate and OURS not in chosen:
        chosen = (*chosen, OURS)
    results = _drilled(
        scenarios,
        chosen,
        seeds=seeds,
        processes=jobs or os.cpu_count() or 1,
        timelines=seeds if report_file is not None else 0,
        sensitivity_seeds=min(seeds, SENSITIVITY_SEEDS) if sensitivity else 0,
    )
    console().print(results_table(results))
    for file, text in ((json_file, as_json), (report_file, as_html)):
        if file is not None:
            _write(file, text(results))
    return HARMFUL if gate and results.by_policy[OURS].harmful > 0 else 0


def _of_kind(scenarios: Sequence[Scenario], kind: str | None) -> Sequence[Scenario]:
    if kind is None:
        return scenarios
    found = [scenario for scenario in scenarios if scenario.head.kind is Kind(kind)]
    if not found:
        raise InputError(f"none of these scenarios is of kind {kind}; leave --kind or --scenario out")
    return found


def _drilled(
    scenarios: Sequence[Scenario],
    policies: Sequence[str],
    *,
    seeds: int,
    processes: int,
    timelines: int,
    sensitivity_seeds: int,
) -> Results:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        total = runs_of(scenarios, policies, seeds=seeds, sensitivity_seeds=sensitivity_seeds)
        bar = progress.add_task("drilling", total=total)
        return drill(
            scenarios,
            policies,
            seeds=seeds,
            processes=processes,
            timelines=timelines,
            sensitivity_seeds=sensitivity_seeds,
            played=lambda runs: progress.advance(bar, runs),
        )


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as failed:
        raise InputError(f"{file} cannot be written: {failed.strerror}") from None
