"""What log lines have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.patterns import LINE, PATTERNS, pattern_of, patterns_in


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("2026-03-01T03:12:00.123Z ERROR order 4711 failed", "2026-03-02T14:02:59.001Z ERROR order 12 failed"),
        ("connect to 10.0.3.7:5432: Connection refused", "connect to 10.0.11.200:5432: Connection refused"),
        ('no user "alice" in cache', 'no user "bob smith" in cache'),
        ("no user 'alice' in cache", "no user 'o' in cache"),
        ("request 6ea2ae3c-1d9c-4d0f-a9ed-b26a4b0b5c6d failed", "request 00000000-0000-0000-0000-000000000001 failed"),
        ("[3f7a] ERROR at 0x7ffe", "[c0d1] ERROR at 0x10"),
        ('{"time": "1", "level": "error", "msg": "no money"}', '{"msg": "no money", "user": "x", "time": "2"}'),
    ],
)
def test_lines_that_say_the_same_are_one(one: str, another: str) -> None:
    """Times, numbers, addresses, identifiers and quoted text do not make another pattern, nor does the rest of a JSON
    line."""
    assert pattern_of(one) == pattern_of(another)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("connection refused", "connection reset"),
        ("S3 is slow", "SQS is slow"),
        ("can't read the user's file", "can't write the user's file"),
        ('{"level": "error", "msg": "no money"}', '{"level": "error", "msg": "no time"}'),
    ],
)
def test_lines_that_say_something_else_are_two(one: str, another: str) -> None:
    """An apostrophe quotes nothing, and the digit of a name is a part of it."""
    assert pattern_of(one) != pattern_of(another)


def test_what_a_line_of_json_says() -> None:
    """Message and error are kept, also of a line that was cut; what else it holds is not."""
    (found,) = patterns_in(
        ['{"ts": 5, "message": "cannot pay", "user": "x", "error": "timeout after 30 s", "stack": "at']
    )
    assert found.sample == "cannot pay: timeout after 30 s"
    assert found.pattern == "cannot pay: timeout after * s"


def test_the_most_frequent_come_first() -> None:
    """Each with how often it was said, and a line as it was."""
    found = patterns_in(["order 1 lost", "no route", "order 2 lost", "order 1 lost"])
    assert [(p.pattern, p.count, p.sample) for p in found] == [
        ("order * lost", 3, "order 1 lost"),
        ("no route", 1, "no route"),
    ]


def test_secrets_are_in_neither() -> None:
    """What an application logs by mistake is not stored a second time."""
    (found,) = patterns_in(["login of jane@example.com with password=hunter2 failed"])
    assert "hunter2" not in found.sample + found.pattern
    assert "jane" not in found.sample + found.pattern


def test_there_is_an_end_to_it() -> None:
    """A log in which every line is another leaves a few short ones."""
    found = patterns_in(f"{'x' * 400} {chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(3))
    assert len(found) == 1
    assert len(found[0].sample) == LINE
    assert len(patterns_in(f"fault {chr(97 + n // 26)}{chr(97 + n % 26)} z" for n in range(200))) == PATTERNS


@given(st.lists(st.text(max_size=80), max_size=30))
def test_no_line_is_counted_twice_or_lost(lines: list[str]) -> None:
    """While there are few patterns, their counts are the number of lines."""
    found = patterns_in(lines)
    if len(found) < PATTERNS:
        assert sum(pattern.count for pattern in found) == len(lines)
    assert len({pattern.pattern for pattern in found}) == len(found)
