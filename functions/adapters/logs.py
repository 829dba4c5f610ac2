"""Reads CloudWatch Logs by Logs Insights, which charges for every byte that a query scans: hence the limits."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from typing import Any

from functions.adapters.answers import Answer, reading
from functions.domain.circumstances import LinesFacts, LogLine, LogQueryFacts, LogsFacts
from functions.domain.errors import ReadFailed
from functions.domain.logged import ERROR_WORDS, LogCause, LogQuery, expression, filter_pattern
from functions.domain.patterns import LINE, patterns_in
from functions.domain.redaction import clean

CALLS = ("logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery")
"""IAM actions; the latter two cannot be narrowed to a resource (Service Authorization Reference)."""

LINES_CALLS = ("logs:FilterLogEvents",)
"""IAM actions of `lines`, which costs nothing for what it reads through."""

MOST_PAGES = 20
"""Of one log group. A page may be empty where few lines match (API reference, FilterLogEvents)."""

LINE_LIMIT = 1000
"""Characters of a line that is kept."""

LINES = 500
"""The newest error lines: enough to see what is said most, and by which task."""

ERRORS = (
    "fields @logStream, substr(@message, 0, 1000) as line"
    " | filter @message like /(?i)(error|exception|fatal|panic|critical|severe|traceback|fail|denied|refused|reset"
    "|aborted|forbidden|unauthori|expired|invalid|violat|undefined|does not exist|no such|unknown column|unable|cannot"
    "|could not|unreachable|unavailable|bad gateway|timeout|timed out|exceeded|throttl|slowdown|too many|exhausted"
    "|overload|out of memory|queue is full{})/"
    " | sort @timestamp desc"
)
"""CloudWatch Logs Insights QL, with room for more words. No two queries for patterns and tasks: the bytes would be paid
for twice."""

WITH_WORDS = "fields substr(@message, 0, 1000) as line | filter @message like /(?i)({})/ | sort @timestamp desc"

SHOWN = 5
"""Rows of a query of the playbook that people are shown."""

PAUSES_S = (0.0, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Between the questions whether queries are done: eight seconds in all, well within the deadline of a look."""


class InsightsReader:
    """The `LogsReader` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, most_bytes: int, pause: Callable[[float], None] = time.sleep) -> None:
        """`most_bytes` is what all queries of one look may scan before they are stopped; with 0 none is begun."""
        self._logs = client
        self._most_bytes = most_bytes
        self._pause = pause

    def errors(
        self,
        groups: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        causes: Sequence[LogCause] = (),
        queries: Sequence[LogQuery] = (),
    ) -> LogsFacts:
        if self._most_bytes == 0:
            raise ReadFailed("this deployment does not read logs: its limit is 0")
        words = [word for cause in causes for word in cause.contains]
        wanted = errors_query(words)

        def begin(text: str, limit: int) -> str:
            return str(
                self._logs.start_query(
                    logGroupNames=list(groups),
                    startTime=int(since.timestamp()),
                    endTime=int(until.timestamp()),
                    queryString=text,
                    limit=limit,
                )["queryId"]
            )

        pauses = iter(PAUSES_S)
        with reading(f"the logs in {', '.join(groups)}"):
            query = begin(wanted, LINES)
            answer = self._answer(query, pauses)
            if _runs(answer):
                self._logs.stop_query(queryId=query)
        complete = answer.get("status") == "Complete"
        scanned = _scanned(answer)
        rows = answer.get("results", ())
        if not complete and not rows:
            raise ReadFailed(
                f"the query of {', '.join(groups)} was {str(answer.get('status')).lower()} when it was given up, "
                f"with {scanned} bytes scanned and no line found"
            )
        asked, more = self._asked(queries, begin, pauses=pauses, scanned=scanned if complete else self._most_bytes)
        return LogsFacts(
            since=since,
            groups=tuple(groups),
            patterns=patterns_in(_column(rows, "line"), causes),
            errors_by_task=_by_task(rows),
            scanned_bytes=scanned + more,
            partial=not complete,
            queries=asked,
        )

    def lines(self, groups: Sequence[str], *, since: datetime, until: datetime, most: int) -> LinesFacts:
        if self._most_bytes == 0:
            raise ReadFailed("this deployment does not read logs: its limit is 0")
        found: dict[str, LogLine] = {}
        whole = True
        for group, pattern in product(groups, (filter_pattern(ERROR_WORDS), None)):
            with reading(f"the lines in {group}"):
                complete = self._take(found, group, pattern, since=since, until=until, most=most)
            if not complete and len(found) >= most:
                # There is no room for what else there is: no pattern and no group adds to it.
                whole = False
                break
            # The second pattern finds every line, those of the first among them.
            whole = complete if pattern is None and whole else whole
        return LinesFacts(
            since=since,
            until=until,
            groups=tuple(groups),
            lines=tuple(sorted(found.values(), key=lambda line: line.at)),
            whole=whole,
        )

    def _take(
        self,
        found: dict[str, LogLine],
        group: str,
        pattern: str | None,
        *,
        since: datetime,
        until: datetime,
        most: int,
    ) -> bool:
        """Add the lines that match, by their id. False where there may be more."""
        asked: dict[str, Any] = {
            "logGroupName": group,
            "startTime": int(since.timestamp() * 1000),
            "endTime": int(until.timestamp() * 1000),
            **({} if pattern is None else {"filterPattern": pattern}),
        }
        for _ in range(MOST_PAGES):
            answer = self._logs.filter_log_events(**asked, limit=most)
            for event in answer.get("events", ()):
                identifier = event.get("eventId", "")
                if identifier in found:
                    continue
                if len(found) >= most:
                    return False
                found[identifier] = _line(event)
            token = answer.get("nextToken")
            if token is None:
                return True
            if len(found) >= most:
                return False
            asked["nextToken"] = token
        return False

    def _answer(self, query: str, pauses: Iterator[float]) -> Answer:
        """The newest answer when the query is done, or has cost enough, or time is up. One that runs has partial
        results (API reference, GetQueryResults)."""
        answer: Answer = {}
        for pause_s in pauses:
            if pause_s:
                self._pause(pause_s)
            answer = self._logs.get_query_results(queryId=query)
            if not _runs(answer) or _scanned(answer) > self._most_bytes:
                break
        return answer

    def _asked(
        self, queries: Sequence[LogQuery], begin: Callable[[str, int], str], *, pauses: Iterator[float], scanned: int
    ) -> tuple[tuple[LogQueryFacts, ...], int]:
        """What the playbook asks, side by side, in what is left of time and bytes; and the bytes it took.

        All read the same lines, so that each costs about what the first one did: one that would go beyond the limit is
        not begun.
        """
        known: dict[str, LogQueryFacts] = {}
        begun: dict[str, str] = {}
        answers: dict[str, Answer] = {}

        def unknown(name: str, why: str) -> None:
            known[name] = LogQueryFacts(name=name, error=why)

        for query in queries:
            if scanned * (len(begun) + 2) > self._most_bytes:
                unknown(query.name, "it was not begun: the deployment's limit on scanned bytes or time leaves no room")
                continue
            try:
                with reading(f"the query '{query.name}'"):
                    begun[query.name] = begin(_text(query), SHOWN)
            except ReadFailed as failed:
                unknown(query.name, str(failed))
        for pause_s in pauses if begun else ():
            self._pause(pause_s)
            for name, identifier in begun.items():
                if name in known or not _runs(answers.get(name, {"status": "Running"})):
                    continue
                try:
                    with reading(f"the query '{name}'"):
                        answers[name] = self._logs.get_query_results(queryId=identifier)
                except ReadFailed as failed:
                    unknown(name, str(failed))
            going = [name for name in begun if name not in known and _runs(answers[name])]
            if not going or scanned + sum(map(_scanned, answers.values())) > self._most_bytes:
                break
        for name, identifier in begun.items():
            answer = answers.get(name, {"status": "Running"})
            if _runs(answer):
                self._stop(identifier)
            known.setdefault(name, _query_facts(name, answer))
        return tuple(known[query.name] for query in queries), sum(map(_scanned, answers.values()))

    def _stop(self, identifier: str) -> None:
        """Ends what nobody waits for any more. That it could not be stopped changes nothing of what is known."""
        with suppress(ReadFailed), reading("the query that was to be stopped"):
            self._logs.stop_query(queryId=identifier)


def _line(event: Mapping[str, Any]) -> LogLine:
    at = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, UTC)
    message = clean(event.get("message", ""), limit=LINE_LIMIT)
    return LogLine(at, clean(event.get("logStreamName", "")), message)


def errors_query(words: Sequence[str] = ()) -> str:
    """The newest lines that speak of an error, or have one of these words."""
    return ERRORS.format(f"|{expression(words)}" if words else "")


def _text(query: LogQuery) -> str:
    return WITH_WORDS.format(expression(query.contains)) if query.contains is not None else str(query.query)


def _runs(answer: Answer) -> bool:
    return answer.get("status") in ("Scheduled", "Running")


def _query_facts(name: str, answer: Answer) -> LogQueryFacts:
    rows = answer.get("results", ())[:SHOWN]
    status = str(answer.get("status"))
    if status != "Complete" and not rows:
        return LogQueryFacts(name=name, error=f"it was {status.lower()} when it was given up")
    return LogQueryFacts(
        name=name,
        count=int((answer.get("statistics") or {}).get("recordsMatched", 0)),
        lines=tuple(clean(_row(row), limit=LINE) for row in rows),
        partial=status != "Complete",
    )


def _row(row: Sequence[Mapping[str, str]]) -> str:
    """A row as people read it: its one value, or every value with its name. `@ptr` only serves to fetch the line."""
    cells = [(cell.get("field", ""), cell.get("value", "")) for cell in row if cell.get("field") != "@ptr"]
    return cells[0][1] if len(cells) == 1 else ", ".join(f"{field} {value}" for field, value in cells)


def _scanned(answer: Answer) -> int:
    return int((answer.get("statistics") or {}).get("bytesScanned", 0))


def _column(rows: Sequence[Sequence[Mapping[str, str]]], field: str) -> list[str]:
    return [cell.get("value", "") for row in rows for cell in row if cell.get("field") == field]


def _by_task(rows: Sequence[Sequence[Mapping[str, str]]]) -> dict[str, int]:
    """Lines by task. The awslogs driver names a stream prefix/container/task id, and without a prefix after the
    container's runtime id, which ECS does not tell (ECS Developer Guide, "awslogs-stream-prefix")."""
    found: Counter[str] = Counter()
    for stream, lines in Counter(_column(rows, "@logStream")).items():
        parts = stream.split("/")
        if len(parts) > 2:
            found[parts[-1]] += lines
    return dict(found)
