"""What an answer has to be for a synthetic check to be fine."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.diagnostics.synthetic import finding
from functions.domain.synthetic import SWITCHING, CheckAnswer, SyntheticCheck

URL = "https://shop.example.com/health"

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=80)
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def check(**said: Any) -> SyntheticCheck:
    return SyntheticCheck.model_validate({"check": "health", "url": URL, **said})


def reads(value: Any, **limit: Any) -> str:
    """The finding about `{"it": value}`."""
    asked = check(json={"field": "it", **limit})
    return finding(asked, CheckAnswer(status=200, body=json.dumps({"it": value})))


@given(expected=st.integers(100, 599), status=st.integers(100, 599))
def test_one_status_is_fine(expected: int, status: int) -> None:
    """And no other is, not even one that sounds as good."""
    assert (finding(check(status=expected), CheckAnswer(status=status)) == "") == (status == expected)


@given(answer=st.builds(CheckAnswer, status=st.none() | st.integers(100, 599), body=st.none() | st.text(max_size=99)))
def test_a_websocket_is_fine_only_if_it_was_opened(answer: CheckAnswer) -> None:
    """Whatever else came back: no status and no body stands for the right key."""
    assert finding(check(websocket=True), answer) != ""


@given(value=SCALARS | JSON, limit=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_within_its_limit_is_fine_and_nothing_else_is(value: Any, limit: float) -> None:
    """What is no number, or is not there, is never within a limit."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    assert (reads(value, above=limit) == "") == (number and not value > limit)
    assert (reads(value, below=limit) == "") == (number and not value < limit)


@given(value=JSON, wanted=st.booleans() | st.integers() | st.text(max_size=80))
def test_only_the_very_value_is_no_other(value: Any, wanted: Any) -> None:
    """As JSON tells them apart: true is not 1, and '1' is not 1."""
    same = value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
    assert (reads(value, other_than=wanted) == "") == same
    assert reads(wanted, other_than=wanted) == ""


@given(body=st.none() | st.text() | JSON.map(json.dumps))
def test_what_cannot_be_read_is_never_fine(body: str | None) -> None:
    """A body without the field, without JSON, or none at all: a failure, and no error."""
    asked = check(json={"field": "there.is.no.such.field", "above": 0})
    assert finding(asked, CheckAnswer(status=200, body=body)) != ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"it": NaN}', "answered something else than JSON"),
        ('{"it": -Infinity}', "answered something else than JSON"),
        ("[" * 100_000, "answered something else than JSON"),
        ('{"it": ' + "9" * 5000 + "}", "answered something else than JSON"),
        ("<html>", "answered something else than JSON"),
        ("", "answered something else than JSON"),
        ("{}", "it is not in the answer"),
        ('{"it": null}', "it is not in the answer"),
        ('{"it": "7"}', "it is '7', which is no number"),
        ('{"it": true}', "it is true, which is no number"),
        ('{"it": [1]}', "it is a list, which is no number"),
        ('{"it": 7.25}', "it is 7.25, above 0"),
        ('{"it": 1e400}', "it is inf, above 0"),
        ('{"it": 0}', ""),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_said(body: str, said: str) -> None:
    """The finding is a sentence about the field, with what was found."""
    assert finding(check(json={"field": "it", "above": 0}), CheckAnswer(status=200, body=body)) == said


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("length(pools[?state!='ok'])", "length(pools[?state!='ok']) is 1, above 0"),
        ("pools[0].load", ""),
        ("length(size)", "length(size) cannot be read from the answer"),
        ("no_such_function(size)", "no_such_function(size) cannot be read from the answer"),
        ("max(pools[].state)", "max(pools[].state) is 'ok', which is no number"),
    ],
)
def test_a_field_is_a_jmespath(field: str, said: str) -> None:
    """It may count and choose; one that does not fit the answer is a failure."""
    body = json.dumps({"size": 3, "pools": [{"state": "bad", "load": 0}, {"state": "ok", "load": 9}]})
    assert finding(check(json={"field": field, "above": 0}), CheckAnswer(status=200, body=body)) == said


def test_a_long_text_is_not_repeated() -> None:
    """Neither whole nor cut: a part of it could be a part of a secret."""
    assert reads("x" * 61, other_than="ok") == "it is a text of 61 characters, not 'ok'"
    assert reads("x" * 60, other_than="ok") == f"it is '{'x' * 60}', not 'ok'"


def test_why_there_is_no_answer_is_the_finding() -> None:
    """The first thing that went wrong is told."""
    assert (
        finding(check(), CheckAnswer(status=None, error="no whole answer within 5 s")) == "no whole answer within 5 s"
    )
    assert finding(check(), CheckAnswer(status=None)) == "no answer"
    half = CheckAnswer(status=200, error="no whole answer within 5 s")
    assert finding(check(), half) == "", "nobody asked for a body"
    assert finding(check(json={"field": "a", "above": 0}), half) == "no whole answer within 5 s"
    assert finding(check(websocket=True), CheckAnswer(status=SWITCHING, opened=True)) == ""


@pytest.mark.parametrize(
    ("said", "demands"),
    [
        ({}, f"{URL} has to answer 200 within 5 s"),
        ({"url": f"{URL}?key=4711#top"}, f"{URL} has to answer 200 within 5 s"),
        ({"status": 204, "timeout": "2s"}, f"{URL} has to answer 204 within 2 s"),
        ({"websocket": True}, f"{URL} has to open a WebSocket within 5 s"),
        (
            {"json": {"field": "pools.ok", "below": 2}},
            f"{URL} has to answer 200 within 5 s, and pools.ok must not be below 2",
        ),
        (
            {"json": {"field": "pools.bad", "above": 1234567}},
            f"{URL} has to answer 200 within 5 s, and pools.bad must not be above 1234567",
        ),
        (
            {"json": {"field": "ready", "other_than": True}},
            f"{URL} has to answer 200 within 5 s, and ready must be true",
        ),
    ],
)
def test_what_is_demanded_in_a_sentence(said: dict[str, Any], demands: str) -> None:
    """For the alarm and the page, without what stands behind the question mark."""
    assert check(**said).demands == demands
