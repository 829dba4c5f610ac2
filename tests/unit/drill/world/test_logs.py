"""Logs: failed requests leave lines that tell why, in the stream of the task that failed them."""

from collections import Counter
from typing import Any

import pytest

from functions.adapters.answers import code_of
from functions.adapters.logs import LINES, errors_query
from tests.unit.drill.world.worlds import DATABASE, SHIPPED_S, bad_release, client, failed, orders, world
from tools.drill.world import wire
from tools.drill.world.front import UNREACHABLE
from tools.drill.world.logs import LATE_S, NOISE
from tools.drill.world.serving import QUEUE_FULL, UNHANDLED
from tools.drill.world.world import BEGINNING, World

NEEDS = [{"dependency": "db"}]


def asked(of: World, *, minutes: float = 5, query: str = errors_query(), limit: int = LINES) -> dict[str, Any]:
    """What Logs Insights answers now, as the responder asks it."""
    logs, now = client("logs"), int(BEGINNING.timestamp() + of.seconds)
    with wire.connected(of):
        started = logs.start_query(
            logGroupNames=["/ecs/orders"],
            startTime=int(now - minutes * 60),
            endTime=now,
            queryString=query,
            limit=limit,
        )
        answer: dict[str, Any] = logs.get_query_results(queryId=started["queryId"])
    return answer


def rows(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Task and text, without the identifier of the request."""
    cells = [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]
    return [(cell["@logStream"].rsplit("/", 1)[-1], cell["line"].partition("] ")[2]) for cell in cells]


def texts(answer: dict[str, Any]) -> Counter[str]:
    return Counter(text for _, text in rows(answer))


def loudest(answer: dict[str, Any]) -> str:
    return texts(answer).most_common(1)[0][0]


def test_a_quiet_world_is_not_silent() -> None:
    """Without any fault there are a few lines that mean nothing, from the tasks that run."""
    of = world()
    of.run_until(SHIPPED_S)
    answer = asked(of, minutes=10)
    assert 1 <= len(answer["results"]) <= 30
    assert set(texts(answer)) <= set(NOISE)
    assert {task for task, _ in rows(answer)} <= {task.id for task in orders(of).tasks}


def test_every_failed_request_leaves_a_line() -> None:
    """As many lines as requests that the release failed, spread over its tasks."""
    of = world(bad_release("5xx", failing_percent=40))
    of.run_until(SHIPPED_S + 900)
    answer = asked(of)
    told = answer["statistics"]["recordsMatched"]
    lost = failed(of, since_s=SHIPPED_S + 600)
    assert told == pytest.approx(lost, rel=0.05)
    assert len(answer["results"]) == LINES
    assert loudest(answer) == UNHANDLED
    by_task = Counter(task for task, _ in rows(answer))
    assert set(by_task) == {task.id for task in orders(of).tasks if task.running}
    assert max(by_task.values()) < 1.3 * min(by_task.values())


def test_a_bad_task_complains_alone() -> None:
    """The lines of a task that fails for itself are in its own stream."""
    of = world({"kind": "bad-task"})
    of.run_until(SHIPPED_S + 300)
    (bad,) = [task.id for task in orders(of).tasks if task.failing]
    by_task = Counter(task for task, _ in rows(asked(of)))
    assert by_task[bad] > 0.95 * by_task.total()


def test_a_hung_worker_says_nothing() -> None:
    """While all workers hang no request leaves a line, although all of them fail."""
    of = world({"kind": "stuck-tasks"})
    of.run_until(SHIPPED_S + 300)
    assert failed(of) > 0
    assert asked(of, minutes=4)["results"] == []


@pytest.mark.parametrize(
    ("kind", "how", "words"),
    [
        ("database", "down", "Connection refused"),
        ("database", "out-of-connections", "remaining connection slots"),
        ("database", "slow", "no answer from db"),
        ("backend", "down", "503 Service Unavailable"),
    ],
)
def test_a_dependency_is_named_with_what_is_wrong(kind: str, how: str, words: str) -> None:
    """The lines name the dependency, and tell a refusal from a time-out and from too few connections."""
    trouble = {"kind": "dependency", "dependency": "db", "how": how, "latency_s": 6}
    of = world(trouble, needs=NEEDS, dependencies=[DATABASE | {"kind": kind}])
    of.run_until(SHIPPED_S + 300)
    assert words in loudest(asked(of))
    assert "db" in loudest(asked(of))


def test_an_impaired_zone_times_out() -> None:
    """Tasks in the zone write time-outs, the others nothing but noise."""
    of = world({"kind": "zone-impaired", "failing_percent": 40})
    of.run_until(SHIPPED_S + 120)
    there = {task.id for task in orders(of).tasks if task.zone.endswith("a")}
    lines = rows(asked(of))
    assert {task for task, text in lines if text == UNREACHABLE} == there


def test_what_does_not_fit_is_told() -> None:
    """Under more load than it can carry a task writes that its queue is full."""
    of = world(traffic={"base_rps": 100, "curve": [{"shape": "spike", "at_s": SHIPPED_S, "factor": 3, "ramp_s": 10}]})
    of.run_until(SHIPPED_S + 100)
    assert loudest(asked(of)) == QUEUE_FULL


def test_a_task_that_ends_says_so_but_one_that_is_killed_does_not() -> None:
    """A process that gives up writes its last words; out of memory it has none."""
    ends, killed = (
        world(bad_release("dies-later", lives_s=60)),
        world(bad_release("memory-leak", leak_percent_per_min=40)),
    )
    for of in (ends, killed):
        of.run_until(SHIPPED_S + 600)
    words = orders(ends).primary.release.last_words
    assert texts(asked(ends, minutes=10))[words] >= 4
    assert orders(killed).gone
    assert texts(asked(killed, minutes=10))[words] == 0


def test_lines_are_a_moment_late() -> None:
    """What was written just now cannot be found yet."""
    of = world({"kind": "bad-task"})
    of.run_until(SHIPPED_S + LATE_S - 1)
    assert set(texts(asked(of, minutes=1))) <= set(NOISE)
    of.run_until(SHIPPED_S + 60)
    assert loudest(asked(of, minutes=1)) == UNHANDLED


def test_the_newest_lines_come_first() -> None:
    """A limit takes the newest lines: the trouble of now, not the one of before."""
    burst = {"kind": "flapping", "burst_s": 60, "every_s": 10_000, "failing_percent": 50}
    of = world(burst, {"kind": "dependency", "at_s": SHIPPED_S + 120, "dependency": "db", "how": "down"},
               needs=NEEDS, dependencies=[DATABASE])  # fmt: skip
    of.run_until(SHIPPED_S + 200)
    assert set(texts(asked(of, limit=100))) - set(NOISE) == {"could not connect to server db: Connection refused"}
    assert UNHANDLED in texts(asked(of, limit=10_000))


def test_the_filter_of_a_query_counts() -> None:
    """Only lines that match the pattern are found."""
    of = world({"kind": "bad-task"})
    of.run_until(SHIPPED_S + 120)
    told = "fields @logStream, @message | filter @message like /{}/ | sort @timestamp desc"
    assert asked(of, query=told.format("no such words"))["results"] == []
    (first, *_) = asked(of, query=told.format("Unhandled"))["results"]
    assert [cell["field"] for cell in first] == ["@logStream", "@message"]


@pytest.mark.parametrize("query", ["stats count(*) by @logStream", "fields @logStream | sort @timestamp desc"])
def test_a_query_that_the_world_does_not_understand_breaks_the_run(query: str) -> None:
    """No query is answered by guessing."""
    of = world()
    with pytest.raises(NotImplementedError):
        asked(of, query=query)


def test_what_is_not_there_is_refused() -> None:
    """Unknown log groups and queries have the error codes of CloudWatch Logs."""
    of, logs = world(), client("logs")
    with wire.connected(of):
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.start_query(logGroupNames=["/ecs/nobody"], startTime=0, endTime=1, queryString=errors_query())
        with pytest.raises(logs.exceptions.ResourceNotFoundException) as unknown:
            logs.get_query_results(queryId="none")
    assert code_of(unknown.value) == "ResourceNotFoundException"


def test_reading_changes_nothing() -> None:
    """Whoever asks often is answered the same, and the world goes on as if nobody had asked."""
    calm, busy = world(bad_release("5xx")), world(bad_release("5xx"))
    for seconds in range(60, 1500, 90):
        busy.run_until(seconds)
        assert asked(busy)["results"] == asked(busy)["results"]
    for of in (calm, busy):
        of.run_until(1500)
    assert calm.tally == busy.tally
    assert asked(calm)["results"] == asked(busy)["results"]
