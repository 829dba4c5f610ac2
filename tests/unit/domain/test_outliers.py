"""Which task or zone differs from all others, and when none does."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.circumstances import LogPattern, LogsFacts
from functions.domain.evidence import Metric, TargetFacts, TargetsFacts, TaskFacts, TasksFacts
from functions.domain.findings import Findings
from functions.domain.outliers import MOST, BadTask, BadZone, Nowhere, bad_task, bad_zone
from tests.fakes.findings import NOW, findings, metrics
from tests.fakes.world import GROUP, V2

ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1a")


def task(name: str, zone: str = ZONES[0], **said: object) -> TaskFacts:
    ordinary = {"arn": f"task/shop/{name}", "task_definition": V2, "last_status": "RUNNING", "zone": zone}
    return TaskFacts.model_validate({**ordinary, "address": f"10.0.0.{int(name[1:])}", **said})


FOUR = tuple(task(f"t{n}", zone) for n, zone in enumerate(ZONES))


def logs(**lines: int) -> LogsFacts:
    patterns = (LogPattern(pattern="Unhandled exception", count=sum(lines.values())),)
    return LogsFacts(since=NOW, groups=("/ecs/orders",), patterns=patterns, errors_by_task=lines)


def seen(running: tuple[TaskFacts, ...] = FOUR, stopped: tuple[TaskFacts, ...] = (), **said: object) -> Findings:
    return findings(tasks=TasksFacts(running=running, stopped=stopped), **said)


def targets(**states: str) -> TargetsFacts:
    return TargetsFacts(
        targets=tuple(
            TargetFacts(
                target_group=GROUP,
                target=f"10.0.0.{int(name[1:])}:8080",
                state=state,
                reason="Target.Timeout" if state == "unhealthy" else None,
            )
            for name, state in states.items()
        )
    )


def test_the_task_with_nearly_all_error_lines_is_the_one() -> None:
    """Told with its numbers, so that a person can check it."""
    found = bad_task(seen(logs=logs(t2=90, t0=4)))
    assert isinstance(found, BadTask)
    assert found.task.id == "t2"
    assert "90 of 94 error lines" in found.evidence


def test_the_one_target_that_is_unhealthy_is_the_one() -> None:
    """Even where nobody writes logs."""
    found = bad_task(seen(logs=None, targets=targets(t0="healthy", t1="healthy", t2="unhealthy", t3="healthy")))
    assert isinstance(found, BadTask)
    assert found.task.id == "t2"


NO_TASK = {
    "errors are everywhere": seen(logs=logs(t0=30, t1=28, t2=31, t3=25)),
    "too few lines": seen(logs=logs(t2=9)),
    "it runs no more": seen(logs=logs(t9=100)),
    "one task alone": seen(running=FOUR[:1], logs=logs(t0=100)),
    "most targets are unhealthy": seen(targets=targets(t0="unhealthy", t1="unhealthy", t2="unhealthy", t3="healthy")),
    "one of two targets": seen(targets=targets(t0="unhealthy", t1="healthy")),
    "the unhealthy target is no task": seen(targets=targets(t0="healthy", t1="healthy", t7="unhealthy")),
    "nothing was read": findings(tasks=None, logs=None, targets=None),
}


@pytest.mark.parametrize("given", NO_TASK.values(), ids=NO_TASK)
def test_no_task_is_named_where_none_differs(given: Findings) -> None:
    """To stop the wrong task is to take capacity away from users."""
    assert isinstance(bad_task(given), Nowhere)


@given(st.dictionaries(st.sampled_from(["t0", "t1", "t2", "t3"]), st.integers(0, 500)))
def test_a_task_that_is_named_has_most_lines(lines: dict[str, int]) -> None:
    """Whatever the lines: never a task with less than most of them."""
    found = bad_task(seen(logs=logs(**lines), targets=None))
    if isinstance(found, BadTask):
        assert lines[found.task.id] >= MOST * sum(lines.values())


def by_zone(**failed: float) -> object:
    """Ten requests a second in every zone, and so many that fail."""
    counts = {f"eu-west-1{z}": {Metric.REQUESTS: 10.0, Metric.TARGET_5XX: failed.get(z, 0.0)} for z in "abc"}
    return metrics().model_copy(update={"by_zone": counts})


def failed_start(name: str, zone: str) -> TaskFacts:
    return task(name, zone, last_status="STOPPED", stop_code="TaskFailedToStart", stopped_at=NOW - timedelta(minutes=2))


ZONE_A = {
    "requests fail in it alone": seen(metrics=by_zone(a=7.0), logs=logs(t0=50, t3=48)),
    "requests fail wholly in it, and nobody writes logs": seen(metrics=by_zone(a=7.0), logs=None),
    "its targets are unhealthy": seen(targets=targets(t0="unhealthy", t1="healthy", t2="healthy", t3="unhealthy")),
    "tasks do not start in it": seen(
        running=FOUR[:3],
        stopped=(failed_start("t8", ZONES[0]), failed_start("t9", ZONES[0])),
        targets=targets(t1="healthy", t2="healthy"),
    ),
}


@pytest.mark.parametrize("given", ZONE_A.values(), ids=ZONE_A)
def test_the_zone_in_which_tasks_fail_is_the_one(given: Findings) -> None:
    """By what users lose in it, or by what happens to its tasks."""
    found = bad_zone(given)
    assert isinstance(found, BadZone), found
    assert found.zone == "eu-west-1a"


NO_ZONE = {
    "requests fail everywhere": seen(metrics=by_zone(a=5.0, b=5.0, c=5.0)),
    "one of its two tasks has all error lines": seen(metrics=by_zone(a=5.0), logs=logs(t3=90)),
    "one of its two tasks may be the one": seen(metrics=by_zone(a=4.0), logs=None),
    "a single task runs in it": seen(metrics=by_zone(b=9.0), logs=logs(t1=90, t2=60)),
    "all tasks run in it": seen(running=(FOUR[0], FOUR[3]), metrics=by_zone(a=9.0)),
    "a target of it is healthy": seen(targets=targets(t0="unhealthy", t1="healthy", t2="healthy", t3="healthy")),
    "targets of two zones are unhealthy": seen(
        targets=targets(t0="unhealthy", t1="unhealthy", t2="healthy", t3="unhealthy")
    ),
    "nothing was read": findings(tasks=None, metrics=None, targets=None),
}


@pytest.mark.parametrize("given", NO_ZONE.values(), ids=NO_ZONE)
def test_no_zone_is_named_where_none_differs(given: Findings) -> None:
    """To shift away from the wrong zone is to lose the capacity that works."""
    assert isinstance(bad_zone(given), Nowhere)
