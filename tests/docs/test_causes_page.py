"""The page about the causes is what rules, ladders and figures say, and the figures are of what there is."""

import re
from pathlib import Path

from functions.diagnostics.registry import PROBES
from functions.domain.causes import Cause
from functions.domain.findings import READINGS
from tests.docs.pages import PROJECT, Page
from tests.fakes.drills import drill_results
from tools.drill import causes
from tools.drill.report import as_json
from tools.drill.scenario import load_scenarios

CAUSES = Page(PROJECT / "docs" / "causes.md")
FIGURES = causes.figures_of(causes.FIGURES)


def test_the_page_is_what_the_code_says() -> None:
    """Nobody edits it: what is wrong on it is wrong in a docstring, in a declaration or in the generator."""
    assert CAUSES.text == causes.page(FIGURES, load_scenarios()), f"run `make causes`: {CAUSES} is of yesterday"


def test_the_figures_are_of_the_scenarios_that_there_are() -> None:
    """Each scenario has its numbers, and no number is of a scenario that is gone."""
    there_are = {scenario.name for scenario in load_scenarios()}
    for name, of in FIGURES.policies.items():
        assert set(of.scenarios) == there_are, f"{name}: run `make drill causes DRILL=build/drill.json`"


def test_every_cause_has_a_section() -> None:
    """In the order of the ranking; what fits nothing comes last."""
    sections = re.findall(r"^### (.+)$", CAUSES.text, re.M)
    assert sorted(sections) == sorted(Cause)
    assert sections[-1] == Cause.UNKNOWN


def test_every_reading_is_explained() -> None:
    """What it tells and what it costs; with no reading that is not made."""
    readings = set(READINGS)
    assert set(causes.EVIDENCE) == set(PROBES) == readings


def test_figures_are_taken_from_what_a_drill_writes(tmp_path: Path) -> None:
    """The drill's own JSON is read, what the page does not show is left out, and what is kept is read the same."""
    drill, kept = tmp_path / "drill.json", tmp_path / "figures.json"
    drill.write_text(as_json(drill_results()))
    figures = causes.figures_of(drill)
    kept.write_text(causes.as_file(figures))
    assert figures == causes.figures_of(kept)
    assert set(figures.policies) == {"none", "responder"}
    assert figures.policies["responder"].scenarios
