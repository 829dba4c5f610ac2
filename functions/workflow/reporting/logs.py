"""The lines of an incident: what is kept of them, what is shown, and how to see the rest."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import quote

from pydantic_core import to_json

from functions.domain.circumstances import LinesFacts, LogLine, LogPattern
from functions.domain.consoles import console
from functions.domain.findings import Findings
from functions.domain.logged import ERROR_WORDS
from functions.domain.patterns import pattern_of
from functions.domain.redaction import printable
from functions.domain.shell import word
from functions.workflow.reporting.model import LogsTold

MOST_LINES = 2_000
MOST_BYTES = 1_000_000
"""What is kept of the lines of one incident, whichever limit is reached first."""

BEFORE = timedelta(minutes=1)
"""How long before the trouble the kept lines begin: what led to it."""

SHOWN = 40
SHOWN_OF_A_KIND = 3
PATTERNS_SHOWN = 6

_SPEAKS_OF_ERRORS = re.compile("|".join(map(re.escape, ERROR_WORDS)))

_QUERY = "fields @timestamp, @logStream, @message\n| sort @timestamp asc\n| limit 1000"


def as_lines(facts: LinesFacts) -> tuple[str, int]:
    """The lines as JSON Lines, as many as fit into `MOST_BYTES`, and how many that are."""
    kept: list[bytes] = []
    size = 0
    for line in facts.lines:
        written = as_json(line)
        size += len(written)
        if size > MOST_BYTES:
            break
        kept.append(written)
    return b"".join(kept).decode(), len(kept)


def as_json(line: LogLine) -> bytes:
    """One line of JSON Lines, with its end."""
    return to_json({"at": line.at, "stream": line.stream, "message": line.message}) + b"\n"


def logs_told(
    region: str,
    *,
    since: datetime,
    until: datetime,
    looked: Findings | None,
    lines: LinesFacts | None,
    kept: int,
    place: str,
) -> LogsTold:
    """What the report says of the logs; empty where nobody knows where the service logs to. `kept`: so many of the
    lines are kept."""
    definition = None if looked is None else looked.definition.value
    groups = lines.groups if lines is not None else () if definition is None else definition.log_groups
    read = None if looked is None else looked.logs.value
    patterns: Sequence[LogPattern] = () if read is None else read.patterns[:PATTERNS_SHOWN]
    return LogsTold(
        groups=groups,
        patterns=tuple((each.count, each.sample or each.pattern) for each in patterns),
        excerpt=() if lines is None else _excerpt(lines.lines),
        kept="" if lines is None else _kept(lines, kept, place),
        commands=tuple(
            command
            for group in groups
            for command in (
                f"aws logs tail {word(group)} --since {since:%Y-%m-%dT%H:%M:%SZ} --region {region}",
                _whole_range(group, since, until, region),
            )
        ),
        link=insights_link(region, groups, since=since, until=until) if groups else "",
    )


def insights_link(region: str, groups: Sequence[str], *, since: datetime, until: datetime) -> str:
    """Logs Insights in the console, with the groups, the time and a query filled in.

    The console writes an object as ~(name~value…), a text behind an apostrophe with what is
    special as `*` and its code, and all of it percent-encoded twice with `$` for the percent sign.
    """
    sources = "".join(f"~{_console(printable(group))}" for group in groups)
    detail = (
        f"~(end~{_console(_iso(until))}~start~{_console(_iso(since))}~timeType~{_console('ABSOLUTE')}"
        f"~tz~{_console('UTC')}~editorString~{_console(_QUERY)}~source~({sources}))"
    )
    for plain, code in (("~", "$257E"), ("(", "$2528"), (")", "$2529"), ("'", "$2527")):
        detail = detail.replace(plain, code)
    return f"{console(region)}/cloudwatch/home?region={region}#logsV2:logs-insights$3FqueryDetail$3D{detail}"


def _console(text: str) -> str:
    """A text as the console writes it in a link."""
    return "'" + quote(text, safe="").replace("~", "%7E").replace("%", "*")


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _whole_range(group: str, since: datetime, until: datetime, region: str) -> str:
    times = f"--start-time {_ms(since)} --end-time {_ms(until)}"
    return f"aws logs filter-log-events --log-group-name {word(group)} {times} --region {region}"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _kept(lines: LinesFacts, count: int, place: str) -> str:
    where = f" in {place}log.jsonl" if place else ""
    whole = lines.whole and count == len(lines.lines)
    last = lines.until if whole or not count else lines.lines[count - 1].at
    said = f"{count:,} line{'s' * (count != 1)} from {lines.since:%H:%M:%S} to {last:%H:%M:%S} UTC"
    if whole and not count:
        return f"There were no lines from {lines.since:%H:%M:%S} to {last:%H:%M:%S} UTC."
    if whole:
        return f"All {said} are kept{where}."
    return (
        f"{said} are kept{where}. There were more: at most {MOST_LINES:,} lines are read, those that speak of errors "
        f"before the others, and {MOST_BYTES // 1_000_000} MB of them kept."
    )


def _excerpt(lines: Sequence[LogLine]) -> tuple[tuple[datetime, str, str], ...]:
    """The first lines that speak of an error, a few of each kind."""
    seen: Counter[str] = Counter()
    kind_of = cache(pattern_of)
    shown: list[tuple[datetime, str, str]] = []
    for line in lines:
        if _SPEAKS_OF_ERRORS.search(line.message) is None:
            continue
        kind = kind_of(line.message[:300])
        seen[kind] += 1
        if seen[kind] <= SHOWN_OF_A_KIND:
            shown.append((line.at, line.stream.rsplit("/", 1)[-1], line.message))
        if len(shown) == SHOWN:
            break
    return tuple(shown)
