"""The page on scale says what follows from the code and from what was counted."""

from functions.domain.table import INDEXES
from infra.permissions import __doc__ as of_permissions
from tests.docs.pages import PROJECT, Page
from tools.cost.model import kept
from tools.cost.scale import OF_ONE_RESPONDER, SIZES, places, rows, table

PAGE = Page(PROJECT / "docs" / "scale.md")


def test_the_table_is_calculated() -> None:
    """`python -m tools.cost.scale` prints it."""
    assert table(kept()) in PAGE.text


def test_a_quota_that_is_met_is_said() -> None:
    """In as many places as it takes, every figure is within its quota."""
    for row in rows(kept()):
        for size in SIZES:
            if row.quota is not None:
                assert row.asked(size) / places(row, size) <= row.quota


def test_what_it_says_of_one_responder_holds() -> None:
    """The limit of the roles and the indexes that it names are those of the code."""
    assert OF_ONE_RESPONDER == 150
    assert "about 150 services" in " ".join((of_permissions or "").split())
    assert {index.name for index in INDEXES} >= {"listed", "open"}
