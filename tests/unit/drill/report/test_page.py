"""The page that people get."""

import gzip
import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.fakes.drills import drill_results
from tools.drill.report import as_html
from tools.drill.report.packed import packed

_VOID = {"meta", "link", "br", "img", "input", "hr"}
_OPTIONAL_END = {"th", "td", "tr", "dt", "dd", "option", "thead", "tbody", "p", "li"}


class Page(HTMLParser):
    """What is on the page: elements with their attributes, ids, links, and the text of its scripts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self._open: list[str] = []
        self._script: str | None = None
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs).get("id") or ""
        if tag not in _VOID | _OPTIONAL_END:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None
        if tag not in _VOID | _OPTIONAL_END:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data


def unpacked(text: str) -> list[dict[str, Any]]:
    found = json.loads(gzip.decompress(b64decode(text)))
    assert isinstance(found, list)
    return found


def test_it_needs_nothing_from_outside() -> None:
    """The page loads no style, script, font or picture, and its policy would not let it."""
    source = as_html(drill_results())
    page = Page(source)
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    assert not [tag for tag, attributes in page.elements if tag == "link" or "src" in attributes]
    assert all((a.get("href") or "#").startswith("#") for _, a in page.elements)
    assert "@import" not in source
    assert "url(" not in source


def test_the_same_results_give_the_same_bytes() -> None:
    """Nothing on the page depends on the time or the machine."""
    assert as_html(drill_results()) == as_html(drill_results())


def test_every_run_has_a_timeline() -> None:
    """All runs of all policies are on the page, with their series and with what the responder thought."""
    results = drill_results(scenarios=2, seeds=4)
    page = Page(as_html(results))
    for scenario in results.scenarios:
        runs = unpacked(page.scripts[f"runs-{scenario.name}"].strip())
        assert {(run["policy"], run["seed"]) for run in runs} == {
            (policy.name, seed) for policy in results.policies for seed in (1, 2, 3, 4)
        }
        assert all(len(run["rps"]) == len(run["healthy"]) == 120 for run in runs)
        assert [202 + 280, "thought", "assess", "likeliest cause: bad-release (0.90)"] in runs[0]["notes"]


def test_links_lead_to_something() -> None:
    """Every link on the page names a scenario that has a place, or a run that is there."""
    results = drill_results(scenarios=3)
    page = Page(as_html(results))
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    runs = {(run.scenario, run.policy) for run in results.runs}
    for _, attributes in page.elements:
        link = attributes.get("href")
        if link is None:
            continue
        what, *where = link.removeprefix("#").split("/")
        assert what in ids or (what == "run" and (where[0], where[1]) in runs)


def test_foreign_text_stays_text() -> None:
    """A scenario's or a trail's text cannot become a part of the page."""
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    results = drill_results(scenarios=1, harm=(hostile,), said=hostile)
    source = as_html(results)
    assert "<script>alert" not in source
    assert "<img" not in source
    assert source.count("</script>") == source.count("<script")


def test_without_timelines_there_is_no_viewer() -> None:
    """A drill that kept no timelines offers none, and its page has no script at all."""
    page = Page(as_html(drill_results(timelines=False)))
    assert page.scripts == {}
    assert not any(attributes.get("id") == "timeline" for _, attributes in page.elements)


@pytest.mark.parametrize("policies", [("responder",), ("none", "restart"), ("oracle",), ("none", "responder")])
def test_any_choice_of_policies(policies: tuple[str, ...]) -> None:
    """The page can be made of any policies, with or without the oracle and ours."""
    source = as_html(drill_results(policies=policies, variations=False))
    Page(source)
    assert "nan" not in re.sub(r"[a-z]{2,}nan|nan[a-z]{2,}", "", source.partition("<main>")[2].partition("<script")[0])


def test_a_drill_of_thousands_of_runs_stays_a_page() -> None:
    """A run takes about a kilobyte, so that a mailbox takes the page of a whole drill."""
    results = drill_results(scenarios=1, policies=("oracle",), seeds=20)
    assert len(packed(results.runs)) < 20 * 1500
