"""Reading error lines by CloudWatch Logs Insights."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.adapters.logs import CALLS, LINES, PAUSES_S, InsightsReader
from functions.domain.circumstances import LogsFacts
from functions.domain.errors import ReadFailed
from tests.fakes.aws import FakeAws, refusal

NOW = datetime(2026, 3, 1, 3, 12, 30, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=9)
TASK, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


def rows(*lines: tuple[str, str]) -> list[list[dict[str, str]]]:
    return [
        [
            {"field": "@logStream", "value": stream},
            {"field": "line", "value": line},
            {"field": "@ptr", "value": "CmEKJgoi"},
        ]
        for stream, line in lines
    ]


def answer(status: str = "Complete", *lines: tuple[str, str], scanned: float = 5000) -> dict[str, Any]:
    return {"status": status, "results": rows(*lines), "statistics": {"bytesScanned": scanned}}


class Insights:
    """A query that takes as many answers as a test gives; the last one stays."""

    def __init__(self, *answers: Any, most_bytes: int = 1_000_000) -> None:
        self.left = list(answers)
        self.paused: list[float] = []
        self.aws = FakeAws(
            StartQuery={"queryId": "q-1"},
            GetQueryResults=lambda _: self.left.pop(0) if len(self.left) > 1 else self.left[0],
            StopQuery={"success": True},
        )
        self.reader = InsightsReader(self.aws.client("logs"), most_bytes=most_bytes, pause=self.paused.append)

    def errors(self, groups: Sequence[str] = ("/ecs/orders",)) -> LogsFacts:
        return self.reader.errors(groups, since=SINCE, until=NOW)

    @property
    def actions(self) -> list[str]:
        return [action for action, _ in self.aws.calls]


def test_errors_by_what_they_say_and_by_task() -> None:
    """Lines that differ in their numbers are one pattern; the end of a stream's name is the task."""
    insights = Insights(
        answer(
            "Complete",
            (f"orders/app/{TASK}", "ERROR order 1 failed"),
            (f"orders/app/{TASK}", "ERROR order 2 failed"),
            (f"orders/app/{OTHER}", "ERROR no route"),
        )
    )

    facts = insights.errors()

    assert [(p.pattern, p.count) for p in facts.patterns] == [("ERROR order * failed", 2), ("ERROR no route", 1)]
    assert facts.errors_by_task == {TASK: 2, OTHER: 1}
    assert (facts.since, facts.groups, facts.scanned_bytes) == (SINCE, ("/ecs/orders",), 5000)
    assert not facts.partial
    assert insights.paused == []


def test_a_query_costs_what_its_time_and_lines_allow() -> None:
    """Seconds since 1970 at both ends, all groups in one query, and so many lines and no more."""
    insights = Insights(answer())
    insights.errors(["/ecs/orders", "/ecs/sidecar"])
    (_, parameters), *_ = insights.aws.calls
    assert (parameters["startTime"], parameters["endTime"]) == (int(SINCE.timestamp()), int(NOW.timestamp()))
    assert parameters["logGroupNames"] == ["/ecs/orders", "/ecs/sidecar"]
    assert parameters["limit"] == LINES
    assert insights.actions == list(CALLS[:2])


def test_streams_that_are_not_named_after_tasks() -> None:
    """Without a prefix a stream has another name: then nobody knows which task it was."""
    facts = Insights(answer("Complete", ("3f2a9c1d", "ERROR no route"))).errors()
    assert (facts.errors, facts.errors_by_task) == (1, {})


def test_no_error_is_an_answer() -> None:
    """A query that is complete and found nothing says that nothing was written."""
    facts = Insights(answer()).errors()
    assert (facts.patterns, facts.partial) == ((), False)


def test_it_waits_for_the_answer() -> None:
    """A query that runs is asked again."""
    insights = Insights(answer("Scheduled"), answer("Running"), answer("Complete", ("a/b/c", "ERROR x")))
    assert insights.errors().errors == 1
    assert len(insights.paused) == 2
    assert "logs:StopQuery" not in insights.actions


def test_a_query_that_costs_too_much_is_stopped() -> None:
    """What it found so far is kept, and known to be a part."""
    insights = Insights(answer("Running", ("a/b/c", "ERROR x"), scanned=2_000_000))
    facts = insights.errors()
    assert (facts.errors, facts.partial, facts.scanned_bytes) == (1, True, 2_000_000)
    assert insights.actions == list(CALLS)
    assert insights.paused == []


def test_a_query_that_takes_too_long_is_stopped() -> None:
    """After eight seconds it is given up; without a line that means unknown, and not that there was none."""
    insights = Insights(answer("Running"))
    with pytest.raises(ReadFailed, match="running when it was given up"):
        insights.errors()
    assert insights.actions[-1] == "logs:StopQuery"
    assert sum(insights.paused) == sum(PAUSES_S) == 8.0


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout", "Unknown"])
def test_a_query_that_failed(status: str) -> None:
    """It is over without an answer: unknown, and there is nothing to stop."""
    insights = Insights(answer(status))
    with pytest.raises(ReadFailed, match=status.lower()):
        insights.errors()
    assert "logs:StopQuery" not in insights.actions


def test_a_deployment_that_reads_no_logs() -> None:
    """A limit of nothing means that no query is begun."""
    insights = Insights(answer(), most_bytes=0)
    with pytest.raises(ReadFailed, match="limit is 0"):
        insights.errors()
    assert insights.actions == []


def test_no_such_group() -> None:
    """A log group that is gone leaves the logs unknown."""
    insights = Insights(answer())
    insights.aws.replies["StartQuery"] = refusal("ResourceNotFoundException", "no such log group")
    with pytest.raises(ReadFailed, match="/ecs/orders"):
        insights.errors()
