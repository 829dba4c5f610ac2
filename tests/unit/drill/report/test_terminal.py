"""The table in the terminal."""

from io import StringIO

from rich.console import Console

from tests.fakes.drills import drill_results
from tools.drill.report import results_table
from tools.drill.results import Results


def lines(results: Results) -> list[str]:
    console = Console(file=StringIO(), width=100, highlight=False, markup=False, emoji=False)
    console.print(results_table(results))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_a_line_for_each_policy_in_each_scenario() -> None:
    """Every scenario has a block with all policies, and so have all of them together."""
    told = lines(drill_results(scenarios=3))
    assert sum(line.startswith("  responder ") for line in told) == 4
    assert any(line.startswith("scenario-2") for line in told)


def test_one_scenario_needs_no_sum() -> None:
    """With a single scenario the block of all together would only repeat it."""
    told = lines(drill_results(scenarios=1))
    assert sum(line.startswith("  responder ") for line in told) == 1


def test_it_fits_a_hundred_columns() -> None:
    """No cell is cut, however long a scenario's name and a number are."""
    told = lines(drill_results(scenarios=2, names=("everything-goes-wrong-at-once-and-then-a-little-more",)))
    assert not any("…" in line for line in told)
    assert max(map(len, told)) <= 100


def test_no_table_without_scenarios_fails() -> None:
    """A drill in which nothing was run is told without an error."""
    results = drill_results(scenarios=1)
    lines(
        Results(
            seeds=0,
            scenarios=(),
            policies=results.policies,
            by_policy={},
            by_scenario={},
            runs=(),
        )
    )


def test_our_harm_is_spelled_out() -> None:
    """Of the responder's own harmful runs the reasons are shown; those of others only count."""
    told = "\n".join(lines(drill_results(scenarios=1)))
    assert "did harm" not in told
    ours = drill_results(scenarios=1, harmed="responder")
    assert "scenario-1, seed 1: users lost 412 requests" in " ".join("\n".join(lines(ours)).split())
