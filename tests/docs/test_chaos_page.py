"""The page of chaos says what the command does and counts."""

import re

import click

from tests.docs.pages import PROJECT, Page
from tools.chaos.__main__ import HEADINGS, main
from tools.chaos.breaks import Break
from tools.chaos.promises import PROMISES

CHAOS = Page(PROJECT / "docs" / "chaos.md")


def rows(first: str) -> dict[str, str]:
    """The table whose first column has this heading."""
    table = CHAOS.text.split(f"| {first} |", 1)[1].split("\n\n", 1)[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.*?) \|$", table, re.M))


def test_every_option_is_explained_as_the_command_explains_it() -> None:
    """And none that it does not have."""
    options = [each for each in main.params if isinstance(each, click.Option)]
    helps = {option.opts[0]: (option.help or "") for option in options}
    assert rows("option") == helps


def test_every_break_is_explained() -> None:
    """By the name that a replay takes."""
    assert set(rows("break")) == {each.value for each in Break}


def test_everything_that_is_counted_is_defined() -> None:
    """By the heading of its column."""
    defined = re.findall(r"^- \*\*(.+?)\*\*:", CHAOS.text, re.M)
    assert defined == [HEADINGS[promise] for promise in PROMISES]
