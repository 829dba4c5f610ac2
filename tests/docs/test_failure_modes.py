"""The page of failures is true: each test that it names exists, and each alarm, and every step has its row."""

import ast
import re

import pytest

from functions.workflow.table import TABLE
from tests.docs.pages import OPERATIONS, PROJECT, Page

FAILURES = Page(PROJECT / "docs" / "failure-modes.md")
HEADER = ("what fails", "what happens", "who tells", "shown by")
ROWS = [row for table in FAILURES.tables(*HEADER) for row in table]


def in_code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_row_is_shown_by_tests_that_exist(row: tuple[str, ...]) -> None:
    """By file and name."""
    shown = in_code(row[3])
    assert shown
    for each in shown:
        file, _, name = each.partition("::")
        tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, each


def test_every_alarm_that_tells_is_explained() -> None:
    """In the table of operations, but for the one that is made of the others."""
    explained = {name for row in OPERATIONS.table("alarm", "what it means", "what to do") for name in in_code(row[0])}
    assert {name for row in ROWS for name in in_code(row[2])} <= explained | {"unhealthy"}


def test_every_step_has_a_row() -> None:
    """But for those that Step Functions does alone."""
    named = " ".join(row[0] for row in ROWS)
    for step in TABLE.values():
        if step.function is not None:
            assert re.search(rf"\b{step.name}\b", named), step.name
