"""The pages about the drill say what the drill is. A failure shows the table to paste."""

from pathlib import Path

import click
import pytest
import yaml

from tests.docs import drill_tables as told
from tests.docs.pages import PROJECT, Page, code, written
from tools.cli.main import cli
from tools.drill.scenario import load_scenarios

DRILL = Page(PROJECT / "docs" / "drill.md")
SCENARIOS = Page(PROJECT / "docs" / "drill-scenarios.md")


@pytest.mark.parametrize(
    ("page", "header", "rows"),
    [
        pytest.param(DRILL, told.SCENARIOS_HEADER, told.scenarios(), id="scenarios"),
        pytest.param(DRILL, told.POLICIES_HEADER, told.policies(), id="policies"),
        pytest.param(DRILL, told.RUNBOOK_HEADER, told.runbook(), id="runbook"),
        pytest.param(DRILL, told.CONSTANTS_HEADER, told.constants(), id="constants"),
        pytest.param(DRILL, told.OTHERS_HEADER, told.others(), id="others"),
        pytest.param(SCENARIOS, told.KEYS_HEADER, told.keys(), id="keys"),
    ],
)
def test_tables_are_what_the_code_says(page: Page, header: told.Row, rows: list[told.Row]) -> None:
    """Every scenario, policy, constant and key is there, in the words of the code."""
    assert page.table(*header) == rows, f"{page} should have:\n\n{written(header, rows)}\n"


def test_every_constant_has_a_source() -> None:
    """No number of the world stands there without a word on what it is."""
    assert all(said for _, _, said in told.constants())
    assert all(said for _, _, said in told.others())


def test_every_option_is_explained() -> None:
    """The options of the command are all there, in its own words."""
    options = [p for p in cli.commands["drill"].params if isinstance(p, click.Option) and p.help is not None]
    assert DRILL.table("option", "what it does") == [(code(o.opts[0]), o.help) for o in options]


def test_the_scenario_on_the_page_holds(tmp_path: Path) -> None:
    """The example can be copied and is a scenario."""
    (block,) = SCENARIOS.blocks("yaml")
    file = tmp_path / "checkout-is-slow.yaml"
    file.write_text(block)
    (scenario,) = load_scenarios([str(file)])
    assert scenario.setting.services[0].name == "checkout"


def test_the_pipelines_call_what_exists() -> None:
    """Both are YAML, and call `make` and `responder` by targets and options that there are."""
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    options = {option for parameter in cli.commands["drill"].params for option in parameter.opts}
    called = set()
    for block in DRILL.blocks("yaml"):
        (job,) = yaml.safe_load(block)["jobs"].values()
        for line in "\n".join(step.get("run", "") for step in job["steps"]).splitlines():
            words = line.split()
            if words[:1] == ["make"]:
                assert f"\n{words[1]}: " in makefile
            elif words[1:2] == ["drill"]:
                assert {word for word in words if word.startswith("--")} <= options
                called.add("drill")
    assert called == {"drill"}
