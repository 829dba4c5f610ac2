"""The page and the document of the HTTP API say what its routes do."""

import json
import re
from http import HTTPStatus

import pytest

from functions.domain.trials import LONGEST_S, MOST_CONCURRENT, MOST_EACH_PER_S
from functions.handlers.http.app import PROBLEMS, document
from functions.workflow.api.order import PlanName
from tests.docs.pages import PROJECT, Page
from tools.reference.openapi import DOCUMENT, page, written

API = Page(PROJECT / "docs" / "api.md")


def test_the_document_is_of_today() -> None:
    """What others make clients of is what the routes take and answer."""
    assert DOCUMENT.read_text(encoding="utf-8") == written(), "run `make reference`: docs/openapi.json is of yesterday"


def test_the_table_of_paths_is_of_today() -> None:
    """Every path with its body."""
    assert API.text == page(API.text), "run `make reference`: docs/api.md is of yesterday"


def test_every_operation_may_be_refused_and_says_so() -> None:
    """Each declares what it answers, and problem+json for everything else."""
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert {"200", "202"} & set(operation["responses"]), f"{method} {path}"
            for status in PROBLEMS:
                assert list(operation["responses"][str(status)]["content"]) == ["application/problem+json"]


def test_the_statuses_are_those_of_the_document() -> None:
    """No more, and no fewer."""
    told = {int(status) for status in re.findall(r"^\| ([0-9]{3}) \|", API.text, re.M)}
    assert told == set(PROBLEMS)
    assert all(HTTPStatus(status) for status in told)


@pytest.mark.parametrize("said", [f"at most {MOST_CONCURRENT} requests", f"at most {LONGEST_S} s", *PlanName])
def test_the_caps_and_plans_are_those_of_the_code(said: str) -> None:
    """As numbers and names."""
    assert said in re.sub(r"\s+", " ", API.text)
    assert MOST_EACH_PER_S == 5


def test_the_document_is_openapi() -> None:
    """Of a version that tools know, with every reference resolved inside of it."""
    made = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    assert made["openapi"].startswith("3.1")
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', DOCUMENT.read_text(encoding="utf-8")))
    assert named <= set(made["components"]["schemas"])
