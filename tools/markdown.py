"""Markdown as the generated pages have it: wrapped where the code is, tables one row a line."""

import textwrap
from collections.abc import Sequence


def prose(text: str, *, first: str = "", then: str = "") -> str:
    """A paragraph; `first` begins its first line, `then` the others."""
    return textwrap.fill(
        text,
        width=120,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def bullets(*items: str) -> str:
    return "\n".join(prose(item, first="- ", then="  ") for item in items)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def code(name: object) -> str:
    return f"`{name}`"


def one_line(text: str) -> str:
    """Text as a cell of a table takes it."""
    return " ".join(text.split()).replace("|", "\\|")
