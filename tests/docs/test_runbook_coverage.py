"""The page on the five runbooks leaves no item out, counts right, and names nothing that does not exist."""

import ast
import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pytest

from functions.diagnostics.registry import PROBES
from functions.domain.causes import Cause
from functions.domain.changes import ActionName
from functions.domain.incidents import Mode
from functions.guardrails.verdicts import GUARDRAILS
from functions.handlers.http.app import document
from functions.playbooks.schema import Playbook
from infra.context import Deployment
from tests.docs.pages import PROJECT, Page, code, written
from tools.cli.main import cli
from tools.drill.scenario import shipped

COVERAGE = Page(PROJECT / "docs" / "runbook-coverage.md")
HEADER = ("what the runbooks ask", "answer", "how, or why", "shown by", "items")
RUNBOOKS_HEADER = ("runbook", "playbook", "items")
ITEMS: Mapping[str, int] = {
    "vibejudge": 70,
    "incident-commander": 62,
    "emergency-procedures": 94,
    "pardon-simulator": 79,
    "image-caption": 46,
}
AUTOMATIC, OPERATOR = "automatic", "operator's command"
ANSWERS: Sequence[str] = (AUTOMATIC, OPERATOR, "out of scope")

_ITEM = re.compile(rf"({'|'.join(ITEMS)}) L[0-9]+(?:–[0-9]+)?[a-z]?")
_TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
_CODE = re.compile(r"`([^`]+)`")
_A_FILE = re.compile(r"(?:docs|playbooks|tests)/[\w./-]+")


@dataclass(frozen=True)
class Row:
    """One line of the page: items that are answered alike."""

    asks: str
    answer: str
    how: str
    shown_by: str
    items: tuple[str, ...]

    def __str__(self) -> str:
        return self.asks


def rows() -> list[Row]:
    return [
        Row(asks, answer, how, shown_by, tuple(items.split(", ")))
        for table in COVERAGE.tables(*HEADER)
        for asks, answer, how, shown_by, items in table
    ]


each_row = pytest.mark.parametrize("row", rows(), ids=str)


def test_every_item_stands_there_once() -> None:
    """Each of the 351 has one answer: none is left out, and none has two."""
    named = [item for row in rows() for item in row.items]
    assert [item for item, times in Counter(named).items() if times > 1] == []
    assert Counter(matched[1] for item in named if (matched := _ITEM.fullmatch(item))) == ITEMS
    assert len(named) == sum(ITEMS.values()) == 351


def test_every_table_but_the_counts_is_one_of_items() -> None:
    """A table with a misspelt heading would be passed over."""
    headings = re.findall(r"^## (.+)$", COVERAGE.text, re.M)
    assert len(COVERAGE.tables(*HEADER)) == len(headings) - 1
    assert headings[-1] == "In numbers"


@each_row
def test_every_answer_is_given_in_full(row: Row) -> None:
    """What is automatic has a test that shows it, what is a command has the command, and the others have a reason."""
    assert row.answer in ANSWERS
    assert row.how
    if row.answer == AUTOMATIC:
        assert row.shown_by
    if row.answer == OPERATOR:
        assert re.search(r"`(?:responder |GET /|POST /)", row.how)


@each_row
def test_what_shows_it_exists(row: Row) -> None:
    """Tests are named by file and function, scenarios of the drill by name."""
    for shown_by in filter(None, row.shown_by.split(", ")):
        scenario, name = shown_by.startswith("scenario "), shown_by.removeprefix("scenario ").strip("`")
        assert shown_by == ("scenario " if scenario else "") + code(name)
        assert name in shipped() if scenario else _TEST.fullmatch(name) and exists(name), name


def test_everything_that_is_named_exists() -> None:
    """Causes, actions, guardrails, probes, keys of playbooks, commands and files: whatever stands in backticks."""
    for row in rows():
        for name in _CODE.findall(row.asks + row.how):
            assert exists(name), f"{name}, in: {row}"
    for name in _CODE.findall("\n".join(line for line in COVERAGE.text.splitlines() if not line.startswith("|"))):
        assert exists(name), name


def exists(name: str) -> bool:
    if _A_FILE.match(name):
        file, _, function = name.partition("::")
        return (PROJECT / file).exists() and (not function or function in functions_of(file))
    if name.startswith("responder "):
        return name.split()[1] in cli.commands
    if name.startswith(("GET ", "POST ")):
        return name in REQUESTS
    return name.startswith("aws ") or name in KNOWN


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def keys_of(schema: object) -> Iterator[str]:
    """Every key that a file of this schema may have, at any depth."""
    if isinstance(schema, Mapping):
        yield from schema.get("properties", ())
        for part in schema.values():
            yield from keys_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from keys_of(part)


REQUESTS = {f"{method.upper()} {path}" for path, operations in document()["paths"].items() for method in operations}
KNOWN = {
    *Cause,
    *ActionName,
    *Mode,
    *PROBES,
    *shipped(),
    *(guardrail.__name__.replace("_", " ") for guardrail in GUARDRAILS),
    *keys_of(Playbook.model_json_schema()),
    *(field.name for field in dataclasses.fields(Deployment)),
}


def test_every_runbook_has_its_playbook() -> None:
    """Each playbook of the directory carries out one of them, but for the one to begin with."""
    shown = COVERAGE.table(*RUNBOOKS_HEADER)
    files = {f"playbooks/{path.name}" for path in (PROJECT / "playbooks").glob("*.yaml")}
    assert {playbook.strip("`") for _, playbook, _ in shown} == files - {"playbooks/minimal.yaml"}
    assert [(runbook, count) for runbook, _, count in shown] == [(name, str(n)) for name, n in ITEMS.items()]


def test_the_counts_are_those_of_the_tables() -> None:
    """By runbook and answer, with their sums."""
    found = Counter((item.split(" ")[0], row.answer) for row in rows() for item in row.items)
    counts = {name: [found[name, answer] for answer in ANSWERS] for name in ITEMS}
    counts["all"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    expected = [(name, *map(str, numbers), str(sum(numbers))) for name, numbers in counts.items()]
    header = ("in", *ANSWERS, "together")
    assert COVERAGE.table(*header) == expected, f"it should be:\n\n{written(header, expected)}\n"
