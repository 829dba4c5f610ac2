"""The pages that people read, taken apart: code blocks, tables, links."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(PROJECT))

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self, *languages: str) -> list[str]:
        """The code blocks in any of these languages."""
        return [body for language, body in _FENCE.findall(self.text) if language in languages]

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _FENCE.sub("", self.text)

    @property
    def code(self) -> list[str]:
        """What stands in backticks within the prose."""
        return _CODE.findall(self.prose)

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def commands(self) -> Iterator[str]:
        """What people are told to type: lines of shell blocks, and whatever in backticks may be a command."""
        for block in self.blocks("sh"):
            for line in block.replace("\\\n", " ").splitlines():
                yield line.split("#")[0].strip()
        yield from self.code

    def table(self, *header: str) -> list[tuple[str, ...]]:
        """The rows of the one table with these column names.

        Raises:
            LookupError: if the page has no such table, or several.
        """
        found = self.tables(*header)
        if len(found) != 1:
            raise LookupError(f"{self} has {len(found)} tables with the columns {', '.join(header)}")
        return found[0]

    def tables(self, *header: str) -> list[list[tuple[str, ...]]]:
        """The rows of every table with these column names, table by table."""
        return [rows[2:] for rows in self._tables() if rows[0] == header]

    def _tables(self) -> Iterator[list[tuple[str, ...]]]:
        rows: list[tuple[str, ...]] = []
        for line in [*self.text.splitlines(), ""]:
            if line.startswith("| "):
                rows.append(tuple(cell.strip() for cell in line.strip()[1:-1].split("|")))
            elif rows:
                yield rows
                rows = []


README = Page(PROJECT / "README.md")
ARCHITECTURE = Page(PROJECT / "docs" / "architecture.md")
OPERATIONS = Page(PROJECT / "docs" / "operations.md")
REFERENCE = Page(PROJECT / "docs" / "playbooks.md")
FIRST_PLAYBOOK = Page(PROJECT / "docs" / "first-playbook.md")
EMULATOR = Page(PROJECT / "docs" / "emulator.md")
PAGES: Sequence[Page] = (
    README,
    Page(PROJECT / "playbooks" / "README.md"),
    *(Page(path) for path in sorted((PROJECT / "docs").rglob("*.md"))),
)


def written(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as it has to stand on a page."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(name: object) -> str:
    return f"`{name}`"
