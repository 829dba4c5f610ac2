"""Reads CloudWatch Logs by Logs Insights, which charges for every byte that a query scans: hence the limits."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from functions.adapters.answers import Answer, reading
from functions.domain.circumstances import LogsFacts
from functions.domain.errors import ReadFailed
from functions.domain.patterns import patterns_in

CALLS = ("logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery")
"""IAM actions; the latter two cannot be narrowed to a resource (Service Authorization Reference)."""

LINES = 500
"""The newest error lines: enough to see what is said most, and by which task."""

ERRORS = (
    "fields @logStream, substr(@message, 0, 1000) as line"
    " | filter @message like /(?i)(error|exception|fatal|panic|critical|severe|traceback|fail|denied|refused|reset"
    "|aborted|forbidden|unauthori|expired|invalid|violat|undefined|does not exist|no such|unknown column|unable|cannot"
    "|could not|unreachable|unavailable|bad gateway|timeout|timed out|exceeded|throttl|slowdown|too many|exhausted"
    "|overload|out of memory|queue is full)/"
    " | sort @timestamp desc"
)
"""CloudWatch Logs Insights QL. No two queries for patterns and tasks: the bytes would be paid for twice."""

PAUSES_S = (0.0, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Between the questions whether a query is done: eight seconds in all, well within the deadline of a look."""


class InsightsReader:
    """The `LogsReader` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, most_bytes: int, pause: Callable[[float], None] = time.sleep) -> None:
        """`most_bytes` is what one query may scan before it is stopped; with 0 none is begun."""
        self._logs = client
        self._most_bytes = most_bytes
        self._pause = pause

    def errors(self, groups: Sequence[str], *, since: datetime, until: datetime) -> LogsFacts:
        if self._most_bytes == 0:
            raise ReadFailed("this deployment does not read logs: its limit is 0")
        with reading(f"the logs in {', '.join(groups)}"):
            query = self._logs.start_query(
                logGroupNames=list(groups),
                startTime=int(since.timestamp()),
                endTime=int(until.timestamp()),
                queryString=ERRORS,
                limit=LINES,
            )["queryId"]
            answer = self._answer(query)
            if answer.get("status") in ("Scheduled", "Running"):
                self._logs.stop_query(queryId=query)
        complete = answer.get("status") == "Complete"
        scanned = _scanned(answer)
        rows = answer.get("results", ())
        if not complete and not rows:
            raise ReadFailed(
                f"the query of {', '.join(groups)} was {str(answer.get('status')).lower()} when it was given up, "
                f"with {scanned} bytes scanned and no line found"
            )
        return LogsFacts(
            since=since,
            groups=tuple(groups),
            patterns=patterns_in(_column(rows, "line")),
            errors_by_task=_by_task(rows),
            scanned_bytes=scanned,
            partial=not complete,
        )

    def _answer(self, query: str) -> Answer:
        """The newest answer when the query is done, or has cost enough, or time is up. One that runs has partial
        results (API reference, GetQueryResults)."""
        answer: Answer = {}
        for pause_s in PAUSES_S:
            if pause_s:
                self._pause(pause_s)
            answer = self._logs.get_query_results(queryId=query)
            if answer.get("status") not in ("Scheduled", "Running") or _scanned(answer) > self._most_bytes:
                break
        return answer


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
