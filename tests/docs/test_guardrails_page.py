"""The page of the guardrails is what the code says and does."""

import ast
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from functions.domain.dependencies import DependencyState
from functions.domain.incidents import FleetSwitch, Mode, Switch
from functions.domain.maintenance import Window
from functions.guardrails.verdicts import GUARDRAILS, Situation, judge
from functions.playbooks.schema import Playbook
from tests.docs.pages import PROJECT, README, REFERENCE, Page, code
from tests.fakes.findings import NOW, dependencies, findings, releases, service_deployment
from tests.unit.guardrails.test_verdicts import plan, situation
from tests.unit.workflow.test_switches_mid_incident import FLIPS

GUARDRAILS_PAGE = Page(PROJECT / "docs" / "guardrails.md")
ROWS = GUARDRAILS_PAGE.table("guardrail", "asks", "default", "set by", "says no with", "shown by")

HOUR = timedelta(hours=1)


def ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


REFUSING: Mapping[str, Situation] = {
    "stop": situation(fleet_switch=FleetSwitch(stopped=True, by="ann", reason="a hunch", at=NOW)),
    "pause": situation(switch=Switch(paused_until=NOW + HOUR, by="ann", reason="a load test")),
    "maintenance": situation(maintenance=Window(start=NOW, end=NOW + HOUR, label="announced by ann: new disks")),
    "mode": situation(mode=Mode.OBSERVE),
    "approval": situation(mode=Mode.ASK),
    "attempts": situation(attempts=3),
    "service budget": situation(charges=tuple(map(ago, (12, 15, 20, 30)))),
    "fleet budget": situation(fleet_charges=20),
    "cooldown": situation(charges=(ago(4),)),
    "breaker": situation(ineffective={"inc-1": ago(60), "inc-2": ago(120), "inc-3": ago(180)}),
    "shared cause": situation(
        neighbours=tuple((f"eu-west-1/shop/{name}", "eu-west-1 rds shop-db") for name in ("basket", "search"))
    ),
    "dependency": situation(findings=findings(dependencies=dependencies(DependencyState.FAILING))),
    "native rollback": situation(
        findings=findings(releases=releases(service_deployments=(service_deployment("ROLLBACK_IN_PROGRESS"),)))
    ),
    "external change": situation(findings=findings(releases=releases(changed_during_incident=True))),
    "task counts": situation(min_tasks=3),
}
"""A situation in which that guardrail says no, and no other."""


def test_every_guardrail_has_its_row_and_no_other() -> None:
    """In the order in which they are asked, and with a situation below in which it says no."""
    names = [guardrail.__name__.replace("_", " ") for guardrail in GUARDRAILS]
    assert [row[0] for row in ROWS] == names == list(REFUSING) == list(FLIPS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_words_of_its_refusal(row: tuple[str, ...]) -> None:
    """With the numbers, as the trail has them."""
    denied = [verdict for verdict in judge(REFUSING[row[0]], plan()) if not verdict.allowed]
    assert [(verdict.guardrail, verdict.reason) for verdict in denied] == [(row[0], row[4])]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_its_keys_have_these_defaults(row: tuple[str, ...]) -> None:
    """As the reference of the playbook has them."""
    keys = [key for key in Page(GUARDRAILS_PAGE.path).code if key.startswith("limits.")]
    assert {f"limits.{name}" for name in Playbook.model_fields["limits"].annotation.model_fields} == set(keys)  # type: ignore[union-attr]
    shown = {
        cells[0]: cells[3]
        for rows in REFERENCE.tables("key", "what it is", "what to write", "default")
        for cells in rows
    }
    mine = [code(key) for key in keys if code(key) in row[3]]
    assert row[2] == ", ".join(shown[key] for key in mine) or not mine


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_tests_that_show_it_are_there(row: tuple[str, ...]) -> None:
    """By file and name."""
    named = [part.strip("` ") for part in row[5].split(",")]
    assert named
    for each in named:
        path, _, name = each.partition("::")
        tree = ast.parse((PROJECT / path).read_text("utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, each


def test_the_page_is_linked() -> None:
    """From where people look first."""
    for page in (README, Page(PROJECT / "docs" / "operations.md")):
        assert any(link.endswith("guardrails.md") for link in page.links), page
