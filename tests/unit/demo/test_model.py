"""The model of the sample service: what each fault looks like from outside."""

from pathlib import Path

import pytest

from tools.demo.model import HUNG_REQUEST_SECONDS, TASK_CAPACITY_RPS, Faults, FaultsUnreadable, Second, Task, second_of

GOOD = "shop/orders:1.4.2"
BAD = "shop/orders:1.5.0"


def tasks(count: int, *, image: str = GOOD, first: int = 0) -> list[Task]:
    return [Task(arn=f"task/{first + number}", image=image) for number in range(count)]


def mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)


def response_seconds(second: Second) -> float:
    assert second.response_seconds is not None
    return second.response_seconds


NORMAL = second_of(tasks(3), Faults(traffic=60))


def test_a_healthy_service_answers_everything() -> None:
    """Within its capacity and without a fault no request fails and the database takes every connection."""
    assert NORMAL.requests == 60
    assert NORMAL.failed == 0
    assert NORMAL.connection_failures == 0
    assert response_seconds(NORMAL) < 0.2


def test_a_bad_release_fails_a_part_at_unchanged_load() -> None:
    """Tasks of a bad image fail some requests while CPU, memory and database look as before."""
    second = second_of(tasks(3, image=BAD), Faults(traffic=60, bad_images=frozenset({BAD})))
    assert 0 < second.target_5xx < second.requests
    assert second.cpu == NORMAL.cpu
    assert second.memory == NORMAL.memory
    assert second.connection_failures == 0


def test_a_release_that_is_half_way_fails_half_as_much() -> None:
    """Only the tasks of the bad image fail requests, so a mixed service fails in proportion."""
    faults = Faults(traffic=60, bad_images=frozenset({BAD}))
    mixed = second_of(tasks(2) + tasks(2, image=BAD, first=2), faults)
    whole = second_of(tasks(4, image=BAD), faults)
    assert mixed.failed == pytest.approx(whole.failed / 2)


def test_overload_refuses_what_is_over_capacity() -> None:
    """With every CPU used up the requests over capacity fail and the others become slow."""
    second = second_of(tasks(3), Faults(traffic=3 * TASK_CAPACITY_RPS + 90))
    assert second.target_5xx == 90
    assert second.cpu == (100.0, 100.0, 100.0)
    assert response_seconds(second) > 10 * response_seconds(NORMAL)


def test_more_tasks_end_an_overload() -> None:
    """The same traffic on enough tasks fails nowhere."""
    assert second_of(tasks(7), Faults(traffic=240)).failed == 0


def test_stuck_tasks_idle_while_their_requests_time_out() -> None:
    """A hung task uses hardly any CPU, and each request to it fails after the proxy's patience."""
    second = second_of(tasks(3), Faults(traffic=60, stuck_tasks=frozenset({"task/0", "task/1", "task/2"})))
    assert second.target_5xx == 60
    assert mean(second.cpu) < 5
    assert response_seconds(second) == HUNG_REQUEST_SECONDS


def test_a_replaced_task_is_not_stuck() -> None:
    """Replacing the tasks heals the service although the fault is never switched off."""
    faults = Faults(traffic=60, stuck_tasks=frozenset({"task/0", "task/1", "task/2"}))
    assert second_of(tasks(3, first=10), faults) == NORMAL


def test_one_stuck_task_fails_its_share() -> None:
    """The load balancer goes on sending a hung task its share of the requests."""
    second = second_of(tasks(3), Faults(traffic=60, stuck_tasks=frozenset({"task/1"})))
    assert second.target_5xx == pytest.approx(20)
    assert min(second.cpu) < 5 < max(second.cpu)


def test_a_dead_database_fails_everything_quickly() -> None:
    """Without its database the service fails fast, its CPU falls and the clients count connection failures."""
    second = second_of(tasks(3), Faults(traffic=60, database_down=True))
    assert second.target_5xx == 60
    assert second.connection_failures == 60
    assert mean(second.cpu) < mean(NORMAL.cpu)
    assert response_seconds(second) < response_seconds(NORMAL)


def test_a_dead_database_is_not_healed_by_more_tasks() -> None:
    """Scaling out against a dead database changes nothing for the clients."""
    assert second_of(tasks(30), Faults(traffic=60, database_down=True)).failed == pytest.approx(60)


def test_without_tasks_the_load_balancer_answers() -> None:
    """With no target every request fails at the load balancer and nothing is measured of tasks."""
    second = second_of([], Faults(traffic=60))
    assert second.requests == 0
    assert second.balancer_5xx == second.sent == 60
    assert second.cpu == ()
    assert second.response_seconds is None


def test_every_answer_is_counted_once() -> None:
    """The response times account for exactly the requests that reached a task, whatever the fault."""
    for faults in (
        Faults(traffic=60),
        Faults(traffic=400),
        Faults(traffic=60, database_down=True),
        Faults(traffic=400, bad_images=frozenset({BAD}), stuck_tasks=frozenset({"task/0"})),
    ):
        second = second_of(tasks(2) + tasks(1, image=BAD, first=2), faults)
        assert sum(each.count for each in second.responses) == pytest.approx(second.requests)
        assert second.failed <= second.requests


def test_faults_survive_their_file(tmp_path: Path) -> None:
    """What is written to the control file is read back, and no draft is left beside it."""
    faults = Faults(traffic=12.5, bad_images=frozenset({BAD}), stuck_tasks=frozenset({"a", "b"}), database_down=True)
    control = tmp_path / "faults.json"
    faults.write(control)
    assert Faults.read(control) == faults
    assert list(tmp_path.iterdir()) == [control]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"traffic": "much", "bad_images": []}'])
def test_an_unreadable_control_file_is_an_error(tmp_path: Path, content: str) -> None:
    """A control file with anything else in it is refused by name, never read as `no faults`."""
    control = tmp_path / "faults.json"
    control.write_text(content)
    with pytest.raises(FaultsUnreadable, match=r"faults\.json"):
        Faults.read(control)
