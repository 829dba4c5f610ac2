"""What is denied, rotated, throttled or switched off around a service, and what ends it."""

from typing import Any

import pytest

from functions.domain.secrets import SecretChange
from functions.handlers.signals.secrets import from_eventbridge
from tests.unit.drill.world.worlds import SHIPPED_S, bad_release, failed, orders, world
from tools.drill.world.world import World

TABLE = {"name": "table", "kind": "table"}
DATABASE = {"name": "db", "alarm": "db-down"}
SECONDS = 600.0


def needing(dependency: dict[str, Any], *faults: dict[str, Any], percent: int = 100) -> World:
    needs = [{"dependency": dependency["name"], "requests_percent": percent}]
    return world(*faults, needs=needs, dependencies=[dependency])


def share_failed(of: World, since_s: float) -> float:
    """Of the requests from a time on."""
    steps = slice(int(since_s // 10), None)
    return sum(of.tally.failed[steps]) / sum(of.tally.requests[steps])


@pytest.mark.parametrize("how", ["permission-removed", "schema-changed"])
def test_what_is_denied_is_denied_to_every_task(how: str) -> None:
    """A new deployment changes nothing; it ends when somebody puts it right."""
    of = world({"kind": "refused", "how": how, "failing_percent": 40, "until_s": SHIPPED_S + 2 * SECONDS})
    of.run_until(SHIPPED_S + 10)
    orders(of).rollouts.deploy(orders(of).primary.release)
    of.run_until(SHIPPED_S + 2 * SECONDS - 10)
    assert share_failed(of, SHIPPED_S) == pytest.approx(0.4, abs=0.01)
    assert list(of.truth.faults) == [how]
    of.run_until(SHIPPED_S + 3 * SECONDS)
    assert failed(of, since_s=SHIPPED_S + 2 * SECONDS) == 0
    assert list(of.truth.faults) == []


@pytest.mark.parametrize("how", ["wrong-schema", "lacks-permission"])
def test_a_release_that_does_not_fit_is_gone_with_the_release(how: str) -> None:
    """The one before it served everybody, and does again."""
    of = world(bad_release(how, failing_percent=50))
    before = orders(of).primary.release
    of.run_until(SHIPPED_S + SECONDS)
    assert share_failed(of, SHIPPED_S + SECONDS - 60) == pytest.approx(0.5, abs=0.01)
    assert orders(of).primary.release.conduct.complaint != before.conduct.complaint
    orders(of).rollouts.deploy(before)
    of.run_until(SHIPPED_S + 2 * SECONDS)
    assert share_failed(of, SHIPPED_S + 2 * SECONDS - 60) == 0


def test_a_rotated_password_is_known_to_new_tasks_only() -> None:
    """The secret tells when it was changed; a new deployment reads it."""
    of = world({"kind": "secret-changed", "failing_percent": 60})
    (secret,) = of.secrets.values()
    assert secret.changed_s < 0
    of.run_until(SHIPPED_S + SECONDS)
    assert secret.changed_s == SHIPPED_S
    assert share_failed(of, SHIPPED_S) == pytest.approx(0.6, abs=0.01)
    orders(of).rollouts.deploy(orders(of).primary.release)
    of.run_until(SHIPPED_S + 2 * SECONDS)
    assert share_failed(of, SHIPPED_S + 2 * SECONDS - 60) == 0
    assert of.truth.faults == ()


@pytest.mark.parametrize(
    ("name", "event", "soonest_s", "latest_s"),
    [("db", "PutSecretValue", 10, 95), ("/flags", "Update", 0, 5)],
)
def test_eventbridge_tells_of_a_changed_secret(name: str, event: str, soonest_s: float, latest_s: float) -> None:
    """In AWS's shape; what CloudTrail has to tell comes later than what Systems Manager tells itself."""
    of = world({"kind": "secret-changed", "secret": name}, secrets=["db", "/flags"])
    told: list[tuple[float, SecretChange | None]] = []
    of.on_secret(lambda message: told.append((of.seconds, from_eventbridge(message))))
    of.run_until(SHIPPED_S + SECONDS)
    ((at_s, change),) = told
    assert change is not None
    assert (change.event, change.at) == (event, of.moment(SHIPPED_S))
    assert soonest_s <= at_s - SHIPPED_S <= latest_s
    (reference,) = (each for each in of.secrets if change.concerns(each))
    assert of.secrets[reference].changed_s == SHIPPED_S


def test_dead_connections_outlive_the_outage() -> None:
    """Tasks that lived through it go on failing when the database is back, until they are started anew."""
    down = {"kind": "dependency", "dependency": "db", "how": "down", "until_s": SHIPPED_S + 300}
    of = needing(DATABASE, down | {"leaves_dead_percent": 80}, percent=50)
    of.run_until(SHIPPED_S + SECONDS)
    assert share_failed(of, SHIPPED_S + SECONDS - 60) == pytest.approx(0.4, abs=0.01)
    assert of.alarms["db-down"].state == "OK"
    orders(of).rollouts.deploy(orders(of).primary.release)
    of.run_until(SHIPPED_S + 2 * SECONDS)
    assert share_failed(of, SHIPPED_S + 2 * SECONDS - 60) == 0


@pytest.mark.parametrize("how", ["failing", "throttled"])
def test_a_dependency_may_fail_a_part_of_the_calls(how: str) -> None:
    """Users lose that part of what needs it."""
    fault = {"kind": "dependency", "dependency": "table", "how": how, "failing_percent": 50}
    of = needing(TABLE, fault | {"until_s": SHIPPED_S + 300}, percent=60)
    of.run_until(SHIPPED_S + 300)
    assert share_failed(of, SHIPPED_S) == pytest.approx(0.3, abs=0.01)
    of.run_until(SHIPPED_S + SECONDS)
    assert failed(of, since_s=SHIPPED_S + 300) == 0


def test_lost_stickiness_loses_sessions() -> None:
    """Of four tasks three do not know a user; with stickiness back all is well."""
    of = world({"kind": "stickiness-lost"}, sessions_percent=40, stickiness_s=3600)
    of.run_until(SHIPPED_S + 300)
    assert share_failed(of, SHIPPED_S) == pytest.approx(0.4 * 0.75, abs=0.01)
    of.settle()
    orders(of).stickiness.enabled = True
    orders(of).changed()
    of.run_until(SHIPPED_S + SECONDS)
    assert failed(of, since_s=SHIPPED_S + 300) == 0
    assert of.truth.faults == ()


def test_a_target_that_nobody_can_meet_fills_the_service_up_to_its_ceiling() -> None:
    """Users feel nothing; the goal is missed all the same where it says how many tasks are enough."""
    scaling = {"minimum": 4, "maximum": 20, "tracking": {"target": 60}}
    of = world({"kind": "tracking-changed", "target": 5}, scaling=scaling)
    of.run_until(SHIPPED_S + 2 * SECONDS)
    assert orders(of).desired == 20
    assert sum(of.tally.failed) + sum(of.tally.slow) < 1
    last = len(of.tally.running) - 1
    assert of.tally.served(last, failed_percent=1, slow_percent=5)
    assert not of.tally.served(last, failed_percent=1, slow_percent=5, tasks_at_most=9)
    assert of.tally.wasted(9) > 11 * 5
    of.targets["orders"].register(minimum=None, maximum=6)
    of.run_until(SHIPPED_S + 3 * SECONDS)
    assert orders(of).desired == 6


def test_a_task_that_never_runs_neither_fails_nor_ends() -> None:
    """Nothing counts as failed, so the circuit breaker waits for ever; the deployment is stopped by somebody."""
    rollout = {"minimum_percent": 50, "maximum_percent": 100, "circuit_breaker": True}
    of = world(bad_release("never-runs"), rollout=rollout)
    of.run_until(SHIPPED_S + 3 * SECONDS)
    record = orders(of).records[-1]
    assert (record.status, record.failures, orders(of).running()) == ("IN_PROGRESS", 0, 2)
    assert orders(of).pending() == 2
    orders(of).rollouts.stop_deployment(record, "ROLLBACK")
    of.run_until(SHIPPED_S + 4 * SECONDS)
    assert (record.status, orders(of).running(), orders(of).pending()) == ("ROLLBACK_SUCCESSFUL", 4, 0)


def test_a_zone_that_loses_little_passes_its_health_checks() -> None:
    """Nothing is replaced, and what starts there loses requests, too."""
    of = world({"kind": "zone-impaired", "failing_percent": 40})
    of.run_until(SHIPPED_S + SECONDS)
    assert all(task.healthy for task in orders(of).tasks)
    assert share_failed(of, SHIPPED_S) == pytest.approx(0.2, abs=0.01)
    orders(of).rollouts.deploy(orders(of).primary.release)
    of.run_until(SHIPPED_S + 2 * SECONDS)
    assert share_failed(of, SHIPPED_S + 2 * SECONDS - 60) > 0.05
