"""Reports of incidents in a real browser: on a phone, at a desk, in the dark and on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from functions.workflow.reporting.model import IncidentReport
from functions.workflow.reporting.page import as_html
from tests.browser import browsing, read_alone
from tools.drill.policies.registry import POLICIES
from tools.drill.runner import play, quiet
from tools.drill.scenario import load_scenarios

LONG = "A_NAME_OF_A_VARIABLE_THAT_NOBODY_EVER_THOUGHT_OF_MAKING_ANY_SHORTER"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


def kept(scenario: str) -> dict[str, str]:
    """What the archive has of the report of an incident that the responder went through, by name of the document."""
    (found,) = load_scenarios([scenario])
    with quiet():
        world = play(found, POLICIES["responder"], 1).stage.world
    return {key.rpartition("/")[2]: body.decode() for (_, key), body in world.objects.items() if "/report/" in key}


@pytest.mark.parametrize(
    "scenario", ["release-fails-requests", "traffic-spike-with-room", "one-bad-task", "database-down"]
)
def test_a_report_is_read_everywhere(scenario: str, browser: Browser, tmp_path: Path) -> None:
    """Rolled back, scaled out and put back, a task replaced, nothing done: no violation of accessibility, nothing wider
    than what it is read on, nothing that moves while it loads, no error and no request."""
    page = tmp_path / "report.html"
    page.write_text(kept(scenario)["report.html"], encoding="utf-8")
    assert read_alone(browser, page, f"report-{scenario}") == []


def test_a_long_name_makes_no_page_wider(browser: Browser, tmp_path: Path) -> None:
    """Wherever it stands: in a table, a timeline, a heading or a command."""
    said = kept("release-fails-requests")["report.json"].replace("orders:43", LONG).replace("image", LONG)
    page = tmp_path / "report.html"
    page.write_text(as_html(IncidentReport.model_validate_json(said)), encoding="utf-8")
    assert read_alone(browser, page, "report-long-names") == []
