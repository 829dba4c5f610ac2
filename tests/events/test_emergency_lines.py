"""Every command line of a runbook of emergency procedures, where one lies beside this project, is one the API takes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.api import Api, curled, serving
from tests.fakes.engine import Responder
from tests.unit.handlers.api.conftest import playbook
from tests.unit.handlers.api.test_orders import broken

RUNBOOK = Path(__file__).resolve().parents[3] / "shared" / "runbooks" / "emergency-procedures.md"
FILLED = {"<load-balancer-dns>": "api.example.com", "<cluster>": "shop", "<service>": "orders"}


def lines() -> Iterator[str]:
    """The command lines, with names in place of what stands in angle brackets."""
    if not RUNBOOK.is_file():
        return
    text = RUNBOOK.read_text(encoding="utf-8").replace("\\\n", " ")
    for placeholder, name in FILLED.items():
        text = text.replace(placeholder, name)
    for found in re.finditer(r"curl [^\n]*api\.example\.com[^\n]*", text):
        # A pipe, an alternative and the quote of `watch` are the shell's.
        yield re.split(r"' *$| \| | \|\| ", found[0])[0] if "-d" not in found[0] else found[0]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    known = playbook(alarms=[{"existing": "orders-5xx"}, {"check": "home", "url": "https://api.example.com/"}])
    with serving(broken(Responder(playbook=known)), monkeypatch) as made:
        yield made


@pytest.mark.skipif(not RUNBOOK.is_file(), reason="no runbook lies beside this project")
def test_there_are_such_lines() -> None:
    """Otherwise the test below would hold of nothing."""
    assert len(set(lines())) >= 20


@pytest.mark.parametrize("line", sorted(set(lines())))
def test_a_line_is_taken(api: Api, line: str) -> None:
    """Path, method and body: it is answered, taken in, or refused by a rule with a name."""
    said = api.send(curled(line))
    assert said.status in (200, 202, 409), said.text
    if said.status == 409:
        assert said.body["rule"]
