"""Deployments, the circuit breaker and rollbacks go as ECS has them."""

from itertools import pairwise

import pytest

from tests.unit.drill.world.worlds import ERROR_RATE, SHIPPED_S, bad_release, failed, orders, world
from tools.drill.world.parts import SUCCESSFUL
from tools.drill.world.refusal import Refused
from tools.drill.world.world import World

BREAKER = {"circuit_breaker": True, "rollback": True}


def forced(of: World) -> None:
    of.run_until(SHIPPED_S)
    orders(of).rollouts.deploy(orders(of).primary.release)


@pytest.mark.parametrize(("least", "most"), [(100, 200), (50, 100), (50, 150), (100, 150)])
def test_a_rollout_keeps_its_bounds(least: int, most: int) -> None:
    """While tasks are replaced, healthy ones never fall below the minimum, nor all tasks rise above the maximum."""
    of = world(rollout={"minimum_percent": least, "maximum_percent": most})
    forced(of)
    for seconds in range(int(SHIPPED_S), int(SHIPPED_S) + 1200, 5):
        of.run_until(seconds)
        alive = [task for task in orders(of).tasks if task.alive]
        assert len(alive) <= 4 * most / 100
        assert sum(task.healthy for task in alive) >= 4 * least / 100
    assert orders(of).rollouts.records[-1].status == SUCCESSFUL
    assert all(task.deployment is orders(of).primary for task in orders(of).tasks)


def test_replacing_healthy_tasks_loses_nothing() -> None:
    """A forced deployment drains what it stops, and no request fails."""
    of = world()
    forced(of)
    of.run_until(SHIPPED_S + 900)
    assert failed(of) == pytest.approx(0.0)


def test_a_deployment_takes_minutes() -> None:
    """A deployment of four tasks is done within 2 to 10 minutes, and then says that it is steady."""
    of = world()
    forced(of)
    of.run_until(SHIPPED_S + 1200)
    finished_s = orders(of).rollouts.records[-1].finished_s
    assert finished_s is not None
    assert 60 < finished_s - SHIPPED_S < 600
    assert orders(of).events[0][2] == "(service orders) has reached a steady state."


def test_bounds_that_leave_no_room_stall() -> None:
    """At minimum and maximum 100 percent nothing can be stopped or started: the deployment stays in progress."""
    of = world(rollout={"minimum_percent": 100, "maximum_percent": 100})
    forced(of)
    of.run_until(SHIPPED_S + 1800)
    assert orders(of).primary.rollout == "IN_PROGRESS"
    assert "was unable to stop or start tasks" in orders(of).events[0][2]


@pytest.mark.parametrize(("tasks", "threshold"), [(1, 3), (4, 3), (10, 5), (500, 200)])
def test_the_breaker_counts_to_half(tasks: int, threshold: int) -> None:
    """The circuit breaker's threshold is half the desired count, at least 3 and at most 200."""
    of = world(tasks=tasks, rollout=BREAKER)
    assert orders(of).rollouts.records[-1].threshold == threshold


@pytest.mark.parametrize("how", ["dies-at-start", "image-missing", "secret-missing", "wrong-port"])
def test_the_breaker_rolls_back(how: str) -> None:
    """A release whose tasks do not come up is rolled back by the circuit breaker, and users feel nothing."""
    of = world(bad_release(how), rollout=BREAKER)
    of.run_until(SHIPPED_S + 1200)
    record = orders(of).rollouts.records[-1]
    assert (record.status, record.breaker) == ("ROLLBACK_SUCCESSFUL", "TRIGGERED")
    assert record.rollback_to is orders(of).rollouts.records[-2].target
    assert orders(of).primary.revision is record.rollback_to
    assert failed(of) == pytest.approx(0.0)
    assert of.truth.faults == ()


def test_a_rollback_makes_no_revision() -> None:
    """After a rollback there are as many revisions as deployments, and what runs is the older one."""
    of = world(bad_release("dies-at-start"), rollout=BREAKER)
    of.run_until(SHIPPED_S + 1200)
    assert len(orders(of).rollouts.revisions) == len(orders(of).rollouts.records)


def test_the_breaker_without_rollback_leaves_it_failed() -> None:
    """Without rollback the deployment is FAILED, its record STOPPED, and the old tasks go on serving."""
    of = world(bad_release("dies-at-start"), rollout={"circuit_breaker": True, "rollback": False})
    of.run_until(SHIPPED_S + 1200)
    assert (orders(of).primary.rollout, orders(of).rollouts.records[-1].status) == ("FAILED", "STOPPED")
    assert failed(of) == pytest.approx(0.0)


def test_without_a_breaker_ecs_tries_for_ever() -> None:
    """Without the circuit breaker the deployment stays in progress, more and more slowly, with failed tasks."""
    of = world(bad_release("image-missing"))
    of.run_until(SHIPPED_S + 3600)
    assert orders(of).primary.rollout == "IN_PROGRESS"
    stops = [task.stopped_s for task in orders(of).gone if task.stopped_s is not None]
    pauses = [later - earlier for earlier, later in pairwise(stops)]
    half = len(pauses) // 2
    assert max(pauses[half:]) > 4 * max(pauses[:half])
    assert any("unable to consistently start tasks" in message for _, _, message in orders(of).events)


def test_what_dies_after_completion_is_nobodys_job() -> None:
    """A release that dies after its deployment completed is not rolled back by the circuit breaker."""
    of = world(bad_release("dies-later", lives_s=600), rollout=BREAKER)
    of.run_until(SHIPPED_S + 3000)
    assert orders(of).rollouts.records[-1].status == SUCCESSFUL
    assert of.truth.faults == ("bad-release/dies-later",)


def test_an_alarm_rolls_a_deployment_back() -> None:
    """An alarm of the deployment that goes off while it is in progress, bake time included, rolls it back."""
    of = world(bad_release("5xx"), rollout={"rollback": True, "maximum_percent": 125, "alarms": ["error-rate"]})
    of.run_until(SHIPPED_S + 1500)
    record = orders(of).rollouts.records[-1]
    assert (record.status, record.triggered) == ("ROLLBACK_SUCCESSFUL", ("error-rate",))
    assert of.truth.faults == ()


def test_an_alarm_in_alarm_is_not_watched() -> None:
    """A deployment that begins while its alarm is in ALARM has no native net."""
    of = world(bad_release("5xx"), rollout={"rollback": True, "alarms": ["error-rate"]}, alarms=[ERROR_RATE])
    of.run_until(SHIPPED_S - 1)
    of.alarms["error-rate"].set("ALARM", "testing", of.now)
    of.run_until(SHIPPED_S + 1500)
    record = orders(of).rollouts.records[-1]
    assert (record.status, record.alarms) == (SUCCESSFUL, ())


def test_stopping_a_deployment_rolls_it_back() -> None:
    """StopServiceDeployment goes through ROLLBACK_REQUESTED and ROLLBACK_IN_PROGRESS, also without any native net."""
    of = world(bad_release("dies-at-start"), rollout={"minimum_percent": 50, "maximum_percent": 100})
    of.run_until(SHIPPED_S + 200)
    record = orders(of).rollouts.records[-1]
    orders(of).rollouts.stop_deployment(record, "ROLLBACK")
    seen = [record.status]
    for _ in range(400):
        of.run_until(of.seconds + 1)
        seen.append(record.status)
    assert list(dict.fromkeys(seen)) == ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    assert orders(of).running() == 4


def test_stopping_without_rollback_only_stops() -> None:
    """StopServiceDeployment with ABORT goes through STOP_REQUESTED to STOPPED, and leaves the tasks as they are."""
    of = world(bad_release("dies-at-start"))
    of.run_until(SHIPPED_S + 10)
    record = orders(of).rollouts.records[-1]
    orders(of).rollouts.stop_deployment(record, "ABORT")
    assert record.status == "STOP_REQUESTED"
    of.run_until(SHIPPED_S + 300)
    assert record.status == "STOPPED"
    assert failed(of) == pytest.approx(0.0)


def test_a_rollback_can_fail() -> None:
    """When the tasks of the release that comes back do not start either, the rollback has failed."""
    of = world(bad_release("dies-at-start"), rollout={**BREAKER, "minimum_percent": 0, "maximum_percent": 100})
    of.run_until(SHIPPED_S - 1)
    orders(of).primary.release.start = "image-missing"
    of.run_until(SHIPPED_S + 900)
    assert orders(of).rollouts.records[-1].status == "ROLLBACK_FAILED"


def test_a_finished_deployment_cannot_be_stopped() -> None:
    """StopServiceDeployment of a finished deployment is refused with ConflictException."""
    of = world()
    with pytest.raises(Refused, match="ConflictException"):
        orders(of).rollouts.stop_deployment(orders(of).rollouts.records[-1], "ROLLBACK")


def test_a_deployment_supersedes_the_one_in_flight() -> None:
    """A new deployment stops the one in flight, and a rollback of it would go to what was steady before both."""
    of = world(bad_release("5xx"))
    of.run_until(SHIPPED_S + 30)
    orders(of).rollouts.deploy(orders(of).rollouts.new_release(at_s=of.seconds))
    assert orders(of).rollouts.records[-2].status == "STOPPED"
    assert orders(of).rollouts.records[-1].source is orders(of).rollouts.records[-3].target


def test_a_desired_count_is_no_deployment() -> None:
    """Changing the desired count starts tasks and no deployment."""
    of = world()
    of.run_until(SHIPPED_S)
    orders(of).set_desired(6)
    of.run_until(SHIPPED_S + 300)
    assert orders(of).running() == 6
    assert len(orders(of).rollouts.records) == 3
    orders(of).set_desired(3)
    of.run_until(SHIPPED_S + 600)
    assert orders(of).running() == 3
    assert failed(of) == pytest.approx(0.0)
