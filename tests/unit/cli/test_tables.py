"""What every table in a terminal is made of."""

from io import StringIO

from rich.console import Console

from tools.cli import render, status_screen
from tools.cli.tables import LONGEST, columns, text


def test_foreign_text_cannot_steer_the_terminal() -> None:
    """No control characters, on one line, and cut."""
    assert text("red \x1b[31m and\x07 loud") == "red [31m and loud"
    assert len(text("x" * 5000)) <= LONGEST


def test_a_long_cell_is_folded() -> None:
    """On a narrow terminal nothing is left out."""
    table = columns("id", "why")
    table.add_row("1", "x" * 100)
    narrow = Console(width=40, file=StringIO())
    with narrow.capture() as shown:
        narrow.print(table)
    assert shown.get().count("x") == 100


def test_both_screens_share_them() -> None:
    """So that they cannot differ."""
    for screen in (render, status_screen):
        assert vars(screen)["columns"] is columns
        assert vars(screen)["text"] is text
