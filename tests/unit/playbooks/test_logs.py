"""What a playbook says of logs: alarms, causes and queries, and every mistake in them with its remedy."""

from pathlib import Path

import pytest

from functions.domain.causes import Cause
from functions.domain.errors import PlaybookError
from functions.domain.logged import TOLD_BY_LOGS
from functions.domain.severity import Severity
from functions.playbooks.compiled import Compiled, compile_playbooks
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import LogAlarm, NewAlarm, Playbook

HEAD = "region: eu-west-1\ncluster: shop\nservice: orders\n"
CAUSES = ", ".join(TOLD_BY_LOGS)


def loaded(tmp_path: Path, text: str) -> Playbook:
    file = tmp_path / "orders.yaml"
    file.write_text(HEAD + text)
    (playbook,) = load_playbooks([file])
    return playbook


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(PlaybookError) as wrong:
        loaded(tmp_path, text)
    return [line.removeprefix(f"{tmp_path}/orders.yaml:") for line in str(wrong.value).splitlines()]


NAME = "a short name in small letters, digits and hyphens, such as throttling-errors"
KEYS = "period, evaluation_periods, datapoints, severity, log, contains, threshold"
ONCE = "each symptom, log, check and existing alarm once"
WORDS = "words of the line, three letters at least, such as ThrottlingException"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "alarms: [{log: Bad Name, contains: abc}]",
            f"4: alarms.log: 'Bad Name' does not fit; write {NAME}",
        ),
        ("alarms: [{log: a}]", f"4: alarms.contains is missing; write {WORDS}"),
        ("alarms: [{log: a, contains: []}]", "4: alarms.contains: there is no word in it; write at least one"),
        ("alarms: [{log: a, contains: 500}]", f"4: alarms.contains: '500' is no text; write {WORDS}, in quotes"),
        (
            "alarms: [{log: a, contains: [abc, ab]}]",
            "4: alarms.contains: 'ab' is in too many lines; write three letters or more",
        ),
        (
            'alarms: [{log: a, contains: "abc\\nxyz"}]',
            "4: alarms.contains: write it on one line, without blanks around it",
        ),
        (
            "alarms: [{log: a, contains: abc, treshold: 1}]",
            "4: alarms.treshold is no key of a playbook; write threshold",
        ),
        (
            "alarms: [{log: a, contains: abc, symptom: cpu}]",
            f"4: alarms.symptom is no key of a playbook; write one of: {KEYS}",
        ),
        (
            f"alarms: [{{log: a, contains: [{', '.join(str(n) + 'x' * 200 for n in range(6))}]}}]",
            "4: alarms: contains is longer than a filter of CloudWatch Logs can be; write fewer or shorter words",
        ),
        (
            "alarms: [{log: a, contains: abc}, {log: a, contains: xyz}]",
            f"1: the playbook: alarms: 'responder-shop-orders-log-a' stands there twice; write {ONCE}",
        ),
        ("alarms: [{symptom: cpu, statistic: p95}]", "4: alarms: cpu has one statistic only; leave statistic out"),
        (
            "alarms: [{symptom: response-time, statistic: 95}]",
            "4: alarms.statistic: '95' is not allowed; write p95",
        ),
        ("log_causes: [{contains: abc}]", f"4: log_causes.cause is missing; write one of: {CAUSES}"),
        (
            "log_causes: [{contains: abc, cause: bad-release}]",
            f"4: log_causes.cause: log lines alone cannot tell bad-release; write one of: {CAUSES}",
        ),
        (
            "log_causes: [{contains: abc, cause: schema-mismach}]",
            "4: log_causes.cause: 'schema-mismach' is not allowed; write schema-mismatch",
        ),
        (
            "log_causes: [{contains: abc, cause: the weather}]",
            f"4: log_causes.cause: 'the weather' is not allowed; write one of: {CAUSES}",
        ),
        (
            "log_queries: [{name: a}]",
            "4: log_queries: a query is made of words or is written out; write either contains or query",
        ),
        (
            "log_queries: [{name: a, contains: abc, query: filter x}]",
            "4: log_queries: a query is made of words or is written out; write either contains or query",
        ),
        ("log_queries: [{contains: abc}]", "4: log_queries.name is missing; write a short name"),
        ("log_queries: [{name: a, contain: abc}]", "4: log_queries.contain is no key of a playbook; write contains"),
        (
            "log_queries: [{name: a, contains: abc}, {name: a, contains: xyz}]",
            "1: the playbook: log_queries: the name 'a' stands there twice; write another one",
        ),
        (
            f"log_queries: [{', '.join(f'{{name: q{n}, contains: abc}}' for n in range(6))}]",
            "4: log_queries: there are 6, and each scans the logs anew; write 5 or fewer",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error(tmp_path: Path, text: str, says: str) -> None:
    """Each is told once, with its line and what to write instead."""
    (mistake,) = mistakes(tmp_path, text + "\n")
    assert mistake == says


ALL = """\
severity: P3
alarms:
  - symptom: response-time
    statistic: p95
  - log: throttling-errors
    contains: ThrottlingException
    severity: P1
log_causes:
  - {contains: ProgrammingError, cause: schema-mismatch}
log_queries:
  - {name: slow, contains: [slow, timeout]}
  - {name: rate, query: stats count(*) by bin(1m)}
"""


def test_a_word_needs_no_list_and_nothing_else(tmp_path: Path) -> None:
    """An alarm on a log has defaults for all but its name and its words, and is one of the playbook's like others."""
    playbook = loaded(tmp_path, ALL)
    p95, lines = playbook.alarms

    assert isinstance(p95, NewAlarm)
    assert p95.statistic == "p95"
    assert isinstance(lines, LogAlarm)
    assert lines.contains == ("ThrottlingException",)
    assert (lines.threshold, lines.evaluation_periods, lines.datapoints) == (10.0, 3, 2)
    name = "responder-shop-orders-log-throttling-errors"
    assert playbook.alarm_names == ("responder-shop-orders-response-time", name)
    assert playbook.severity_of(name) is Severity.P1
    assert playbook.log_causes[0].cause is Cause.SCHEMA_MISMATCH


def test_a_single_line_may_be_too_many(tmp_path: Path) -> None:
    """A threshold of 0 means that any such line counts."""
    (alarm,) = loaded(tmp_path, "alarms: [{log: panic, contains: panic, threshold: 0}]\n").alarms
    assert isinstance(alarm, LogAlarm)
    assert alarm.threshold == 0


def test_it_is_shipped_as_it_was_read(tmp_path: Path) -> None:
    """What the functions read back is the same playbook."""
    playbook = loaded(tmp_path, ALL)
    assert tuple(Compiled(compile_playbooks([playbook]).encode()).values()) == (playbook,)
