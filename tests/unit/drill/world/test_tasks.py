"""Tasks come, are checked, and go, with the reasons that ECS gives."""

from typing import Any

import pytest

from functions.domain.signals import Signal, SignalKind
from functions.handlers.signals import read_message
from tests.unit.drill.world.worlds import SHIPPED_S, bad_release, failed, orders, world

STOPS = {
    "dies-at-start": ("EssentialContainerExited", "Essential container in task exited", 1),
    "dies-later": ("EssentialContainerExited", "Essential container in task exited", 1),
    "memory-leak": ("EssentialContainerExited", "OutOfMemoryError: Container killed due to memory usage", 137),
    "image-missing": ("TaskFailedToStart", "CannotPullContainerError", None),
    "secret-missing": ("TaskFailedToStart", "ResourceInitializationError", None),
    "wrong-port": ("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group arn:", 137),
}


@pytest.mark.parametrize("how", STOPS)
def test_a_stopped_task_says_why(how: str) -> None:
    """Each bad release leaves stopped tasks with its stop code, reason and exit code."""
    code, reason, exit_code = STOPS[how]
    of = world(bad_release(how))
    of.run_until(SHIPPED_S + 1500)
    bad = [task for task in orders(of).gone if task.release.bad == how]
    assert bad
    assert {(task.stop_code, task.exit_code) for task in bad} == {(code, exit_code)}
    assert all(task.stopped_reason.startswith(reason) for task in bad)


@pytest.mark.parametrize("how", STOPS)
def test_a_task_that_stops_by_itself_is_told(how: str) -> None:
    """Each as an event that the responder understands and opens an incident for, as soon as it stopped."""
    of = world(bad_release(how))
    told: list[Signal] = []
    of.on_message(lambda message: told.extend(stopped_tasks(message)))
    of.run_until(SHIPPED_S + 1500)
    bad = [task for task in orders(of).gone if task.release.bad == how]
    assert len(told) in (len(bad), len(bad) - 1)
    assert all(signal.opens_incident and signal.service == "orders" for signal in told)
    stopped_at = {of.moment(task.stopped_s or 0.0).replace(microsecond=0) for task in bad}
    assert {s.occurred_at.replace(microsecond=0) for s in told if s.occurred_at is not None} <= stopped_at


def test_a_task_that_somebody_stops_is_not() -> None:
    """Neither a deployment, nor scaling in, nor StopTask makes an event that the responder's rule lets in."""
    of = world()
    told: list[Signal] = []
    of.on_message(lambda message: told.extend(stopped_tasks(message)))
    of.run_until(SHIPPED_S)
    orders(of).rollouts.deploy(orders(of).primary.release)
    of.run_until(SHIPPED_S + 600)
    orders(of).set_desired(2)
    orders(of).stop_task(orders(of).tasks[0], "said the test")
    of.run_until(SHIPPED_S + 1200)
    assert len(orders(of).gone) >= 6
    assert told == []


def stopped_tasks(message: dict[str, Any]) -> list[Signal]:
    read = read_message(message)
    return [signal for signal in read if isinstance(signal, Signal) and signal.kind is SignalKind.TASK]


def test_a_task_starts_within_a_minute_or_so() -> None:
    """A replacement runs 20 to 60 s and an image pull after its launch, and is healthy two health checks later."""
    of = world(image_pull_s=15)
    of.run_until(SHIPPED_S)
    orders(of).set_desired(30)
    of.run_until(SHIPPED_S + 400)
    for task in orders(of).tasks[4:]:
        assert task.started_s is not None
        assert task.first_healthy_s is not None
        assert 35 <= task.started_s - SHIPPED_S <= 75
        assert 60 <= task.first_healthy_s - task.started_s <= 70


def test_a_target_is_given_up_after_three_misses() -> None:
    """A target that stops answering is unhealthy after three health checks in a row, and not before two."""
    of = world({"kind": "stuck-tasks", "tasks_percent": 25, "health_check_notices": True})
    of.run_until(SHIPPED_S + 55)
    assert all(task.target == "healthy" for task in orders(of).tasks)
    of.run_until(SHIPPED_S + 101)
    assert sum(task.target == "unhealthy" for task in orders(of).tasks) == 1


def test_an_unhealthy_task_is_replaced_first() -> None:
    """ECS starts the replacement of an unhealthy task before it stops it, where the maximum leaves room."""
    of = world({"kind": "stuck-tasks", "tasks_percent": 25, "health_check_notices": True})
    of.run_until(SHIPPED_S + 150)
    assert sum(task.alive for task in orders(of).tasks) == 5
    of.run_until(SHIPPED_S + 600)
    assert sum(task.healthy for task in orders(of).tasks) == 4
    assert of.truth.faults == ()


def test_no_room_means_one_by_one() -> None:
    """Where the maximum leaves no room, unhealthy tasks are stopped one by one to make some."""
    of = world(
        {"kind": "stuck-tasks", "tasks_percent": 50, "health_check_notices": True},
        rollout={"minimum_percent": 50, "maximum_percent": 100},
    )
    for seconds in range(int(SHIPPED_S), int(SHIPPED_S) + 900, 5):
        of.run_until(seconds)
        assert sum(task.alive for task in orders(of).tasks) <= 4
    assert of.truth.faults == ()


def test_grace_protects_a_starting_task() -> None:
    """During its grace period a task that fails health checks is left alone."""
    of = world(bad_release("wrong-port"), health_check={"grace_s": 900})
    of.run_until(SHIPPED_S + 800)
    assert not [task for task in orders(of).gone if task.release.bad]
    of.run_until(SHIPPED_S + 1200)
    assert [task for task in orders(of).gone if task.release.bad]


def test_the_load_balancer_fails_open() -> None:
    """When every target is unhealthy, all of them get requests."""
    of = world({"kind": "stuck-tasks", "tasks_percent": 100, "health_check_notices": True}, health_check={"grace_s": 0})
    of.run_until(SHIPPED_S + 110)
    unhealthy = [task for task in orders(of).tasks if task.target == "unhealthy"]
    assert len(unhealthy) == 4
    assert sum(of.tally.healthy[-1:]) == 0
    keys, minute = orders(of).front.metric_keys, int(SHIPPED_S // 60) + 1
    of.run_until(SHIPPED_S + 120)
    assert of.metrics.series[keys["RequestCount"]].value(range(minute, minute + 1), "Sum") == pytest.approx(6000)
    assert of.metrics.series[keys["HTTPCode_ELB_5XX_Count"]].value(range(minute, minute + 1), "Sum") is None


def test_a_shallow_check_stays_green() -> None:
    """Stuck tasks whose health check does not notice stay healthy and fail everything."""
    of = world({"kind": "stuck-tasks"})
    of.run_until(SHIPPED_S + 600)
    assert all(task.target == "healthy" for task in orders(of).tasks)
    assert failed(of, since_s=SHIPPED_S) == pytest.approx(60_000)


def test_a_new_deployment_frees_stuck_tasks() -> None:
    """Replacements of stuck tasks are not stuck."""
    of = world({"kind": "stuck-tasks"})
    of.run_until(SHIPPED_S + 300)
    orders(of).rollouts.deploy(orders(of).primary.release)
    of.run_until(SHIPPED_S + 900)
    assert of.truth.faults == ()
    assert of.truth.served


def test_one_bad_task_fails_its_share() -> None:
    """One bad task of four fails a quarter of the requests, until somebody stops it."""
    of = world({"kind": "bad-task"})
    of.run_until(SHIPPED_S + 100)
    assert failed(of, since_s=SHIPPED_S) == pytest.approx(0.25 * 100 * 100)
    (bad,) = [task for task in orders(of).tasks if task.failing]
    orders(of).stop_task(bad, "one of them is bad")
    assert (bad.stop_code, bad.stopped_reason) == ("UserInitiated", "one of them is bad")
    of.run_until(SHIPPED_S + 400)
    assert of.truth.faults == ()
    assert orders(of).running() == 4


def test_memory_fills_until_the_task_dies() -> None:
    """A leak of the old release shows in MemoryUtilization, kills tasks when it is full, and survives a restart."""
    of = world({"kind": "memory-leak", "leak_percent_per_min": 6}, memory_percent=40)
    memory = of.metrics.series[orders(of).front.metric_keys["MemoryUtilization"]]
    of.run_until(SHIPPED_S + 420)
    before, now = memory.value(range(8, 9), "Average"), memory.value(range(15, 16), "Average")
    assert before is not None
    assert now is not None
    assert now > before + 20
    of.run_until(SHIPPED_S + 1800)
    assert {task.container_reason for task in orders(of).gone} == {STOPS["memory-leak"][1]}
    assert of.truth.faults == ("memory-leak",)


def test_without_capacity_no_task_starts() -> None:
    """Without Fargate capacity ECS places nothing, says so, and tells it as an event; it goes on when there is some."""
    of = world({"kind": "no-capacity", "until_s": SHIPPED_S + 600})
    told: list[str] = []
    of.on_message(lambda message: told.append(message["Records"][0]["body"]))
    of.run_until(SHIPPED_S)
    orders(of).set_desired(6)
    of.run_until(SHIPPED_S + 500)
    assert orders(of).running() == 4
    assert "Capacity is unavailable at this time" in orders(of).events[0][2]
    assert any("SERVICE_TASK_PLACEMENT_FAILURE" in body for body in told)
    of.run_until(SHIPPED_S + 900)
    assert orders(of).running() == 6


def test_an_impaired_zone_loses_requests() -> None:
    """Tasks of an impaired zone fail requests and health checks, and a replacement there does not start."""
    of = world({"kind": "zone-impaired", "failing_percent": 80})
    of.run_until(SHIPPED_S + 300)
    zone = "eu-central-1a"
    assert failed(of, since_s=SHIPPED_S) > 0
    assert all(task.target != "healthy" for task in orders(of).tasks if task.zone == zone)
    orders(of).rollouts.deploy(orders(of).primary.release)
    of.run_until(SHIPPED_S + 900)
    hung = [task for task in orders(of).gone if task.stop_code == "TaskFailedToStart"]
    assert hung
    assert {task.zone for task in hung} == {zone}
    assert of.truth.faults == (f"zone-impaired/{zone}",)


def test_tasks_are_spread_over_zones() -> None:
    """Four tasks stand in three zones, none of which has more than two."""
    zones = [task.zone for task in orders(world()).tasks]
    assert max(map(zones.count, zones)) == 2
    assert len(set(zones)) == 3
