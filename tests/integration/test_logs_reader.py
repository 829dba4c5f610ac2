"""Reading error lines by CloudWatch Logs Insights."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters.logs import CALLS, LINES, LINES_CALLS, MOST_PAGES, PAUSES_S, SHOWN, InsightsReader, errors_query
from functions.domain.causes import Cause
from functions.domain.circumstances import LinesFacts, LogsFacts
from functions.domain.errors import ReadFailed
from functions.domain.logged import LogCause, LogQuery
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


SLOW = LogQuery(name="slow", contains=("took", "time/out"))
RATE = LogQuery(name="rate", query="stats count(*) as lines by bin(1m)")


class Asked:
    """The query for error lines, and those of a playbook: each with what it is answered."""

    def __init__(self, *, first: Any, most_bytes: int = 1_000_000, **others: Any) -> None:
        self.paused: list[float] = []
        self.answers: dict[str, Any] = {"errors": first, **others}
        self.begun: dict[str, str] = {}
        self.aws = FakeAws(StartQuery=self._start, GetQueryResults=self._results, StopQuery={"success": True})
        self.reader = InsightsReader(self.aws.client("logs"), most_bytes=most_bytes, pause=self.paused.append)

    def _start(self, parameters: Any) -> dict[str, str]:
        name = list(self.answers)[len(self.begun)]
        self.begun[name] = parameters["queryString"]
        return {"queryId": name}

    def _results(self, parameters: Any) -> Any:
        given = self.answers[parameters["queryId"]]
        return (
            given.pop(0)
            if isinstance(given, list) and len(given) > 1
            else given[0]
            if isinstance(given, list)
            else given
        )

    def facts(self, *queries: LogQuery, causes: Sequence[LogCause] = ()) -> LogsFacts:
        return self.reader.errors(["/ecs/orders"], since=SINCE, until=NOW, causes=causes, queries=queries)

    def parameters(self, operation: str) -> list[Any]:
        return [parameters for action, parameters in self.aws.calls if action == f"logs:{operation}"]


def found(*rows: dict[str, str], matched: int, scanned: int = 5000, status: str = "Complete") -> dict[str, Any]:
    return {
        "status": status,
        "results": [[{"field": key, "value": value} for key, value in {**row, "@ptr": "Cm"}.items()] for row in rows],
        "statistics": {"recordsMatched": float(matched), "bytesScanned": float(scanned)},
    }


def test_what_the_playbook_asks_is_answered_beside_the_error_lines() -> None:
    """How many lines there are and a few of them, redacted; of a written query the rows, each value with its name."""
    asked = Asked(
        first=answer(),
        slow=found({"line": "took 9 s, password=hunter2"}, matched=214),
        rate=found({"bin(1m)": "03:11", "lines": "40"}, {"bin(1m)": "03:10", "lines": "38"}, matched=78),
    )

    slow, rate = asked.facts(SLOW, RATE).queries

    assert (slow.name, slow.count, slow.lines) == ("slow", 214, ("took 9 s, password=[redacted]",))
    assert (rate.count, rate.lines) == (78, ("bin(1m) 03:11, lines 40", "bin(1m) 03:10, lines 38"))
    assert (slow.error, slow.partial, str(slow)) == (None, False, "slow: 214 lines")
    assert asked.begun["rate"] == RATE.query
    assert "(took|time\\x2fout)" in asked.begun["slow"]
    errors, *others = asked.parameters("StartQuery")
    assert all(other == {**errors, "queryString": other["queryString"], "limit": SHOWN} for other in others)


def test_nothing_found_is_an_answer_of_its_own() -> None:
    """A query that is complete and matched no line says so: none, and not unknown."""
    (facts,) = Asked(first=answer(), slow=found(matched=0)).facts(SLOW).queries
    assert (facts.count, facts.lines, facts.error) == (0, (), None)


def test_all_queries_of_a_look_share_one_limit_on_bytes() -> None:
    """Each costs what the first one did: only those are begun that fit, and the others are unknown."""
    asked = Asked(first=answer(scanned=400), slow=found(matched=1, scanned=400), most_bytes=1000)
    slow, rate = asked.facts(SLOW, RATE).queries
    assert slow.count == 1
    assert (rate.count, rate.error) == (
        None,
        "it was not begun: the deployment's limit on scanned bytes or time leaves no room",
    )
    assert str(rate) == f"rate: unknown, {rate.error}"
    assert list(asked.begun) == ["errors", "slow"]


def test_queries_that_scan_more_than_expected_are_stopped() -> None:
    """The limit holds for what they scan together; what a stopped one found is a part, and without a row unknown."""
    asked = Asked(
        first=answer(scanned=100),
        slow=found({"line": "took 9 s"}, matched=3, scanned=600, status="Running"),
        rate=found(matched=0, scanned=600, status="Running"),
        most_bytes=1000,
    )
    facts = asked.facts(SLOW, RATE)
    slow, rate = facts.queries
    assert (slow.count, slow.partial, str(slow)) == (3, True, "slow: at least 3 lines")
    assert (rate.count, rate.error) == (None, "it was running when it was given up")
    assert {p["queryId"] for p in asked.parameters("StopQuery")} == {"slow", "rate"}
    assert facts.scanned_bytes == 1300


def test_all_queries_of_a_look_share_one_deadline() -> None:
    """Eight seconds for everything, however many there are."""
    asked = Asked(first=[answer("Running"), answer("Running"), answer()], slow=found(matched=0, status="Running"))
    (slow,) = asked.facts(SLOW).queries
    assert slow.error is not None
    assert sum(asked.paused) == sum(PAUSES_S)


def test_no_query_is_begun_where_error_lines_took_all_the_time() -> None:
    """The error lines tell the cause, so that they come first."""
    asked = Asked(first=answer("Running", ("a/b/c", "ERROR x")))
    facts = asked.facts(SLOW)
    assert facts.errors == 1
    assert facts.queries[0].error is not None
    assert list(asked.begun) == ["errors"]


@pytest.mark.parametrize("operation", ["StartQuery", "GetQueryResults"])
def test_a_query_that_fails_is_unknown_and_the_others_are_not(operation: str) -> None:
    """One that Logs Insights cannot read, or that is throttled: the reason is kept, and no count."""
    asked = Asked(first=answer(), slow=found(matched=1), rate=found(matched=2))
    before = asked.aws.replies[operation]
    assert callable(before)

    def refused(parameters: Any) -> Any:
        if parameters.get("queryString") == SLOW_TEXT or parameters.get("queryId") == "slow":
            raise ClientError({"Error": {"Code": "MalformedQueryException", "Message": "no such command"}}, operation)
        return before(parameters)

    asked.aws.replies[operation] = refused
    if operation == "StartQuery":
        del asked.answers["slow"]
    slow, rate = asked.facts(SLOW, RATE).queries
    assert (slow.count, slow.lines) == (None, ())
    assert "no such command" in str(slow.error)
    assert rate.count == 2


SLOW_TEXT = (
    "fields substr(@message, 0, 1000) as line | filter @message like /(?i)(took|time\\x2fout)/ | sort @timestamp desc"
)


def test_words_of_the_playbook_are_looked_for_and_told() -> None:
    """A line that has none of the usual words for an error is read for the playbook's, and counts for their cause."""
    words = LogCause(contains=("ORA-00942", "table/view"), cause=Cause.SCHEMA_MISMATCH)
    asked = Asked(first=answer("Complete", ("a/b/c", "ORA-00942: gone"), ("a/b/c", "ERROR x")))

    facts = asked.facts(causes=[words])

    assert asked.begun["errors"] == errors_query(words.contains)
    assert "|queue is full|ORA\\x2d00942|table\\x2fview)/" in asked.begun["errors"]
    assert {p.pattern: p.cause for p in facts.patterns} == {"ORA-*: gone": Cause.SCHEMA_MISMATCH, "ERROR x": None}


def test_without_words_the_query_is_as_it_was() -> None:
    """Nothing is added where the playbook says nothing."""
    assert "queue is full)/" in errors_query()


def event(number: int, message: str, *, second: int = 0) -> dict[str, Any]:
    at = int(SINCE.timestamp() * 1000) + 1000 * second
    return {"eventId": f"e-{number}", "timestamp": at, "message": message, "logStreamName": f"ecs/app/{TASK}"}


class Kept:
    """A log group that answers for lines with words of errors, and for all lines, with the pages a test gives."""

    def __init__(self, errors: Any, every: Any, *, most_bytes: int = 1) -> None:
        self.pages = {True: list(errors), False: list(every)}
        self.aws = FakeAws(FilterLogEvents=self._page)
        self.reader = InsightsReader(self.aws.client("logs"), most_bytes=most_bytes)

    def _page(self, asked: Any) -> Any:
        pages = self.pages["filterPattern" in asked]
        place = int(asked.get("nextToken", 0))
        following = {"nextToken": str(place + 1)} if place + 1 < len(pages) else {}
        return {"events": pages[place], **following}

    def lines(self, most: int = 10) -> LinesFacts:
        return self.reader.lines(["/ecs/orders"], since=SINCE, until=NOW, most=most)


def test_lines_are_kept_in_the_order_of_their_time() -> None:
    """Every line once, whichever pattern found it, redacted and on one line."""
    error, other = event(2, "ERROR: password=hunter22\nat line 1", second=5), event(1, "GET /orders 200", second=3)
    kept = Kept([[error]], [[other], [error]]).lines()
    assert [line.message for line in kept.lines] == ["GET /orders 200", "ERROR: password=[redacted] at line 1"]
    assert kept.lines[1].at == SINCE + timedelta(seconds=5)
    assert kept.whole


def test_lines_that_speak_of_errors_come_before_others() -> None:
    """Where not all fit, errors are kept, and it is said that there were more."""
    errors = [event(n, f"ERROR {n}", second=9) for n in range(3)]
    others = [event(10 + n, f"GET {n}") for n in range(5)]
    kept = Kept([errors], [others, errors]).lines(most=4)
    assert [line.message for line in kept.lines] == ["GET 0", "ERROR 0", "ERROR 1", "ERROR 2"]
    assert not kept.whole


def test_once_there_is_no_room_left_nothing_more_is_read() -> None:
    """What a busy log has beyond the limit costs no further calls."""
    errors = [event(n, f"ERROR {n}") for n in range(6)]
    group = Kept([errors[:4], errors[4:]], [errors[:4], errors[4:]])
    kept = group.lines(most=4)
    assert (len(kept.lines), kept.whole) == (4, False)
    assert len(group.aws.calls) == 1


def test_no_log_group_is_paged_through_for_ever() -> None:
    """Pages may be empty: after so many it is left at what was found."""
    group = Kept([[]], [[] for _ in range(MOST_PAGES + 5)])
    assert not group.lines().whole
    assert len(group.aws.calls) == 1 + MOST_PAGES
    assert group.aws.actions == set(LINES_CALLS)


def test_a_deployment_that_reads_no_logs_keeps_no_lines() -> None:
    """A limit of 0 means none at all; and what AWS does not answer is unknown."""
    with pytest.raises(ReadFailed, match="its limit is 0"):
        Kept([[]], [[]], most_bytes=0).lines()
    group = Kept([[]], [[]])
    group.aws.replies["FilterLogEvents"] = refusal("ResourceNotFoundException")
    with pytest.raises(ReadFailed, match="/ecs/orders"):
        group.lines()
