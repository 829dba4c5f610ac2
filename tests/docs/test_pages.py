"""The pages hang together: links lead somewhere, files that are named exist, and nothing is left half written."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ARCHITECTURE, PAGES, PROJECT, README, Page

pages = pytest.mark.parametrize("page", PAGES, ids=str)

UNFINISHED = re.compile(r"\b(TODO|FIXME|TBD|XXX)\b|lorem ipsum", re.I)
SOMEBODYS_MACHINE = re.compile(r"(?<![\w.:/-])/(?:home|root|tmp|Users|work|mnt)/")
A_PATH = re.compile(r"^(?:functions|infra|tools|tests|docs|playbooks)/[\w./-]*$")


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pages
def test_every_link_leads_somewhere(page: Page) -> None:
    """To a file of the project, and to a heading that is in it."""
    for link in page.links:
        assert "://" not in link, f"{link}: nobody holds a foreign page to what it said"
        target, _, anchor = link.partition("#")
        file = (page.path.parent / target).resolve() if target else page.path
        assert file.exists(), link
        assert PROJECT in file.parents
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.M)
            assert anchor in map(slug, headings), link


@pages
def test_every_path_exists(page: Page) -> None:
    """What looks like a path of the project is one."""
    for name in page.code:
        if A_PATH.match(name):
            assert (PROJECT / name).exists(), name


@pages
def test_nothing_is_unfinished_or_of_one_machine(page: Page) -> None:
    """No note to oneself, and no directory that only its author has."""
    assert UNFINISHED.search(page.text) is None
    assert SOMEBODYS_MACHINE.search(page.text) is None


@pages
def test_lines_are_short(page: Page) -> None:
    """Prose is wrapped where the code is; tables are not."""
    assert [line for line in page.text.splitlines() if len(line) > 130 and not line.startswith("|")] == []


def test_every_page_is_found_from_the_readme() -> None:
    """A page that nobody links to is read by nobody."""
    linked = {(PROJECT / link).resolve() for link in README.links if "://" not in link}
    for page in PAGES:
        assert page is README or not linked.isdisjoint({page.path, *page.path.parents}), page


def test_every_module_of_the_workflow_is_on_the_way() -> None:
    """The architecture page comes by every module of the workflow."""
    for path in sorted((PROJECT / "functions" / "workflow").glob("[a-z]*.py")):
        assert f"functions/workflow/{path.name}" in ARCHITECTURE.text


def test_the_picture_shows_the_steps() -> None:
    """Every name in it is one of the code's."""
    drawn = set(re.findall(r'<text class="name"[^>]*>([a-z]+)</text>', (PROJECT / "docs" / "overview.svg").read_text()))
    assert drawn == {"intake", "sweep", "assess", "remediate", "verify", "page", "watch", "close", "ledger"}


def test_the_decisions_are_short() -> None:
    """Fifteen lines are enough for context, decision and consequence."""
    for path in sorted(Path(PROJECT / "docs" / "decisions").glob("*.md")):
        assert len(path.read_text().splitlines()) <= 15, path
