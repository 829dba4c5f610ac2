"""Words of a playbook in log lines: whatever they are, they mean themselves."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.causes import Cause
from functions.domain.logged import LogCause, cause_in, expression, filter_pattern
from functions.domain.patterns import patterns_in

printable = st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"])
hostile = st.text(st.one_of(st.sampled_from('"\\?-|%/[](){}^$.*+&!=<>, '), printable), min_size=3, max_size=30).filter(
    lambda word: word == word.strip() and len(word) >= 3
)
several = st.lists(hostile, min_size=1, max_size=5)


def terms(pattern: str) -> Iterator[tuple[str, str]]:
    """What CloudWatch reads in a pattern for unstructured lines: each term with the sign before it.

    A term is quoted, and in the quotes a backslash takes the meaning from what follows; outside there are only blanks.
    """
    place = 0
    while place < len(pattern):
        sign = "?" if pattern[place] == "?" else ""
        place += len(sign)
        assert pattern[place] == '"'
        place, said = place + 1, ""
        while pattern[place] != '"':
            if pattern[place] == "\\":
                place += 1
            said, place = said + pattern[place], place + 1
        yield sign, said
        assert pattern[place + 1 : place + 2] in ("", " ")
        place += 2


@given(several)
def test_no_word_changes_what_a_filter_means(words: list[str]) -> None:
    """A filter is any of the words, however they are written: none of them ends its quotes or is an operator."""
    sign = "?" if len(words) > 1 else ""
    assert list(terms(filter_pattern(words))) == [(sign, word) for word in words]


@given(several, st.text(printable, max_size=30))
def test_no_word_changes_what_a_query_means(words: list[str], line: str) -> None:
    """The expression finds the words and nothing else, and nothing in it ends it, quotes, or begins another stage."""
    written = expression(words)
    assert not set(written) & set("/'\"`\n(){}[]^$.*+?")
    assert re.findall(r"\\(?!x[0-9a-f]{2})", written) == []
    found = re.compile(written, re.IGNORECASE)
    for word in words:
        assert found.search(f"before {word} after")
    plainly = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    assert bool(found.search(line)) == bool(plainly.search(line))


def test_alternatives_are_as_the_user_guide_has_them() -> None:
    """Each term of an OR has a question mark of its own; a single term has none."""
    assert filter_pattern(["ERROR", "Rate exceeded"]) == '?"ERROR" ?"Rate exceeded"'
    assert filter_pattern(['level="error"']) == '"level=\\"error\\""'


SCHEMA = LogCause(contains=("ProgrammingError", "ORA-00942"), cause=Cause.SCHEMA_MISMATCH)
DENIED = LogCause(contains=("no grant", "programmingerror: denied"), cause=Cause.PERMISSION_DENIED)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("django.db.utils.programmingerror: x", Cause.SCHEMA_MISMATCH),
        ("there is No Grant for it", Cause.PERMISSION_DENIED),
        ("ProgrammingError: denied", Cause.SCHEMA_MISMATCH),
        ("out of memory", None),
    ],
)
def test_a_line_speaks_of_the_first_cause_whose_words_it_has(line: str, cause: Cause | None) -> None:
    """In upper or lower case; where several fit, the playbook's order decides."""
    assert cause_in(line, (SCHEMA, DENIED)) is cause


def test_lines_alike_but_for_the_word_are_two_patterns() -> None:
    """A number or a quoted name that tells the cause is not lost with what varies."""
    lines = ["ORA-00942: see the manual", "ORA-12541: see the manual", "ORA-12541: see the manual"]
    found = patterns_in(lines, (SCHEMA,))
    assert [(p.pattern, p.cause, p.count) for p in found] == [
        ("ORA-*: see the manual", None, 2),
        ("ORA-*: see the manual", Cause.SCHEMA_MISMATCH, 1),
    ]


def test_a_word_counts_beyond_what_is_kept_of_its_line() -> None:
    """A long line is cut where it is kept, not where it is read."""
    (found,) = patterns_in(["Traceback " + "x" * 400 + " ProgrammingError"], (SCHEMA,))
    assert found.cause is Cause.SCHEMA_MISMATCH
    assert "ProgrammingError" not in found.sample
