"""CloudWatch Logs Insights, as the world answers it (CloudWatch Logs API reference; CloudWatch Logs User Guide, "Logs
Insights query syntax")."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import islice
from math import floor
from typing import NamedTuple

from tools.drill.world.logs import LEVEL, Lines, Logs
from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.world import BEGINNING, World

MOST_LINES = 1000
"""Lines of an answer where the query sets no limit (CloudWatch Logs API reference, StartQuery: the default was raised
since, and nothing here asks for more)."""
VARIANTS = 4
"""Kinds of lines with the same reason, which differ by the identifier of the request. In truth each has its own; a few
show whoever reads them that it varies."""

_STAGE = re.compile(r"\s*\|\s*(?=(?:fields|filter|sort|limit)\b)")
_MESSAGE = re.compile(r"substr\(@message,\s*0,\s*(\d+)\)\s+as\s+(\w+)|@message")


class _Query(NamedTuple):
    """What a query asks for, as far as the world understands it: newest lines that match a pattern."""

    columns: tuple[tuple[str, int | None], ...]
    """Names of the columns; with a number, the message cut to it, else the stream."""
    matches: re.Pattern[str]
    limit: int


@cache
def _read(text: str, limit: int | None) -> _Query:
    columns: list[tuple[str, int | None]] = []
    matches, newest_first = None, False
    for stage in _STAGE.split(text.strip().removeprefix("|")):
        word, _, rest = stage.strip().partition(" ")
        if word == "fields":
            columns = [_column(part.strip(), text) for part in re.split(r",\s*(?![^(]*\))", rest)]
        elif word == "filter" and (found := re.fullmatch(r"@message like /(.*)/", rest.strip())) is not None:
            matches = re.compile(found[1])
        elif word == "sort" and rest.split() == ["@timestamp", "desc"]:
            newest_first = True
        elif word == "limit":
            limit = int(rest)
        else:
            raise NotImplementedError(f"the world cannot carry out {stage!r} of the query {text!r}")
    if not columns or matches is None or not newest_first:
        raise NotImplementedError(f"the world answers only the newest lines that match, not {text!r}")
    return _Query(tuple(columns), matches, limit or MOST_LINES)


def _column(written: str, text: str) -> tuple[str, int | None]:
    if written == "@logStream":
        return written, None
    found = _MESSAGE.fullmatch(written)
    if found is None:
        raise NotImplementedError(f"the world has no field {written!r} for the query {text!r}")
    return ("@message", 10**6) if found[1] is None else (found[2], int(found[1]))


def start_query(world: World, parameters: Parameters) -> Answer:
    """The answer is ready at once: what a query takes is far below the step in which a look is made."""
    names = parameters.get("logGroupNames") or [parameters["logGroupName"]]
    known = {service.logs.group: service.logs for service in world.services.values()}
    missing = [name for name in names if name not in known]
    if missing:
        raise Refused("ResourceNotFoundException", f"Log group '{missing[0]}' does not exist for account ID")
    query = _read(parameters["queryString"], parameters.get("limit"))
    start_s, ends_s = (float(parameters[name]) - BEGINNING.timestamp() for name in ("startTime", "endTime"))
    answer = _carry_out(query, [known[name] for name in names], world, start_s, ends_s)
    # Named after what it asks for: of two that begin side by side neither is the first.
    token = world.chance.token(f"query/{'/'.join(names)}/{start_s:g}/{ends_s:g}", hash_of(parameters["queryString"]))
    identifier = "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:]))
    world.queries[identifier] = answer
    return {"queryId": identifier}


def hash_of(text: str) -> int:
    """The same in every process."""
    return sum(place * ord(letter) for place, letter in enumerate(text, 1))


def _carry_out(query: _Query, groups: Sequence[Logs], world: World, start_s: float, ends_s: float) -> Answer:
    rows: list[list[Answer]] = []
    matching = cache(partial(_matching, query, world))
    matched, scanned = 0, 0.0
    for logs in groups:
        scanned += logs.scanned(start_s, ends_s)
        for batch in logs.between(start_s, ends_s):
            told = [
                (lines, messages) for lines in batch if (messages := matching(lines.text, min(VARIANTS, lines.times)))
            ]
            count = sum(lines.times for lines, _ in told)
            matched += count
            room = max(0, query.limit - len(rows))
            share, passed = 1.0 if count <= room else room / count, 0
            for lines, messages in told:
                # Rounded along the way, so that all together are as many as there is room for.
                times = round((passed + lines.times) * share) - round(passed * share)
                rows += _rows(query, logs, lines, messages, times)
                passed += lines.times
    return {
        "queryLanguage": "CWLI",
        "results": rows,
        "statistics": {
            "recordsMatched": float(matched),
            "recordsScanned": max(float(matched), scanned // 100),
            "bytesScanned": scanned,
            "logGroupsScanned": float(len(groups)),
        },
        "status": "Complete",
    }


def _matching(query: _Query, world: World, text: str, variants: int) -> Sequence[str]:
    """So many kinds of a line as they stand in the log; none where the filter leaves them out."""
    messages = [f"{LEVEL} [{world.chance.token('request', variant, size=4)}] {text}" for variant in range(variants)]
    return messages if query.matches.search(messages[0]) else ()


def _rows(query: _Query, logs: Logs, lines: Lines, messages: Sequence[str], count: int) -> list[list[Answer]]:
    stream = f"{logs.prefix}/{logs.container}/{lines.task}"
    kinds = [
        [{"field": name, "value": stream if cut is None else text[:cut]} for name, cut in query.columns]
        for text in messages
    ]
    return (kinds * (count // len(kinds) + 1))[:count]


def _of_query(world: World, parameters: Parameters) -> Answer:
    answer = world.queries.get(parameters["queryId"])
    if answer is None:
        raise Refused("ResourceNotFoundException", "The specified query does not exist")
    return answer


def get_query_results(world: World, parameters: Parameters) -> Answer:
    return dict(_of_query(world, parameters))


def stop_query(world: World, parameters: Parameters) -> Answer:
    _of_query(world, parameters)
    return {"success": False}


SLICE_S = 10.0
"""Lines are told by what was written in so long a time, and are taken to be written evenly in it."""


def filter_log_events(world: World, parameters: Parameters) -> Answer:
    """The oldest lines first, page by page. The world has error lines alone: a pattern for such lines finds them all.

    A token says how many lines came before its page.
    """
    name, limit = parameters["logGroupName"], int(parameters.get("limit", 10_000))
    before = int(parameters.get("nextToken", 0))
    logs = next((service.logs for service in world.services.values() if service.logs.group == name), None)
    if logs is None:
        raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
    start_s, ends_s = (parameters[at] / 1000 - BEGINNING.timestamp() for at in ("startTime", "endTime"))
    found = list(islice(_all_written(world, logs, start_s, ends_s), before, before + limit + 1))
    answer: Answer = {"events": found[:limit], "searchedLogStreams": []}
    return answer if len(found) <= limit else {**answer, "nextToken": str(before + limit)}


def _all_written(world: World, logs: Logs, start_s: float, ends_s: float) -> Iterator[Answer]:
    # Before the world began nothing was written; the slices lie as if something had been.
    at_s = start_s + max(0, floor(-start_s / SLICE_S)) * SLICE_S
    requests = [world.chance.token("request", variant, size=4) for variant in range(VARIANTS)]
    while at_s < min(ends_s, world.seconds):
        yield from _written(requests, logs, at_s, min(at_s + SLICE_S, ends_s))
        at_s += SLICE_S


def _written(requests: Sequence[str], logs: Logs, start_s: float, ends_s: float) -> Iterator[Answer]:
    told = [lines for lot in logs.between(start_s, ends_s) for lines in lot]
    every = (ends_s - start_s) / max(1, sum(lines.times for lines in told))
    begins_s = BEGINNING.timestamp() + start_s
    place = 0
    for lines in told:
        stream = f"{logs.prefix}/{logs.container}/{lines.task}"
        for _ in range(lines.times):
            moment = int((begins_s + every * place) * 1000)
            yield {
                "logStreamName": stream,
                "timestamp": moment,
                "message": f"{LEVEL} [{requests[place % VARIANTS]}] {lines.text}",
                "ingestionTime": moment,
                "eventId": f"{moment}-{place}",
            }
            place += 1


LOGS = Operations(
    reads={
        "StartQuery": start_query,
        "GetQueryResults": get_query_results,
        "StopQuery": stop_query,
        "FilterLogEvents": filter_log_events,
    },
)
