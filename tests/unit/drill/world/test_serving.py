"""How requests fare, in closed form."""

import pytest

from tools.drill.world.constants import CONSTANTS
from tools.drill.world.serving import Backing, Conduct, Served, serve, share_of

USUAL = Conduct(capacity_rps=50.0, latency_s=0.1)
FINE = Backing()


def served(
    users: float,
    fleet: dict[Conduct, int],
    backing: Backing = FINE,
    *,
    retries: int = 0,
    failing_before: float = 0.0,
) -> Served:
    return serve(users, fleet, backing, retries=retries, failing_before=failing_before, slow_s=2.0, constants=CONSTANTS)


def test_the_queue_grows_with_utilisation() -> None:
    """At half its capacity a task answers in twice the time of an idle one, and uses half its CPU."""
    share = share_of(25.0, USUAL, FINE, slow_s=2.0, constants=CONSTANTS)
    assert share.seconds / share.answered == pytest.approx(0.2)
    assert share.cpu == pytest.approx(3 + 97 * 0.5)
    assert share.target_5xx == pytest.approx(0.0)


def test_what_does_not_fit_is_refused() -> None:
    """Above its capacity a task refuses the rest, and whoever is served waits for the whole queue."""
    share = share_of(75.0, USUAL, FINE, slow_s=2.0, constants=CONSTANTS)
    assert share.target_5xx == pytest.approx(25.0)
    assert share.cpu == pytest.approx(100.0)
    assert share.slow > 0.7 * 50


def test_more_tasks_carry_more() -> None:
    """A load that two tasks cannot carry does not trouble four."""
    assert served(150.0, {USUAL: 2}).users_failed > 0
    assert served(150.0, {USUAL: 4}).users_failed == pytest.approx(0.0)


def test_without_a_target_the_load_balancer_answers() -> None:
    """Without any target every request gets a 5xx of the load balancer, and none of a target."""
    found = served(100.0, {})
    assert (found.balancer_5xx, found.target_5xx, found.users_failed, found.cpu) == (100.0, 0.0, 100.0, None)


def test_a_stuck_task_idles_and_fails() -> None:
    """A stuck task fails all its requests after a long time and uses no CPU."""
    found = served(100.0, {USUAL._replace(stuck=True): 4})
    assert found.users_failed == pytest.approx(100.0)
    assert found.cpu == CONSTANTS.idle_cpu_percent
    assert found.seconds / found.answered == CONSTANTS.hung_request_s


def test_a_dead_target_loses_its_share() -> None:
    """Requests to a task that died become errors of the load balancer until its target is gone."""
    found = served(100.0, {USUAL: 3, USUAL._replace(dead=True): 1})
    assert found.balancer_5xx == pytest.approx(25.0)


def test_a_failing_release_fails_its_share() -> None:
    """A release that fails 40 percent does so at any load, with the CPU of a good one."""
    good, bad = served(100.0, {USUAL: 4}), served(100.0, {USUAL._replace(failing=0.4): 4})
    assert bad.users_failed == pytest.approx(40.0)
    assert bad.cpu == pytest.approx(good.cpu)


def test_a_dead_dependency_idles_tasks() -> None:
    """Requests that need a dead dependency fail fast, and cost less CPU."""
    good, bad = served(100.0, {USUAL: 4}), served(100.0, {USUAL: 4}, Backing(failing=1.0))
    assert bad.users_failed == pytest.approx(100.0)
    assert good.cpu is not None
    assert bad.cpu is not None
    assert bad.cpu < good.cpu


def test_a_slow_dependency_holds_workers() -> None:
    """A slow dependency makes requests slow, and with too few workers refuses some although the CPU idles."""
    found = served(100.0, {USUAL: 4}, Backing(slow=1.0, wait_s=4.0))
    assert found.users_slow > 0
    assert found.users_failed > 0
    assert found.cpu is not None
    assert found.cpu < 50


def test_retries_are_load_and_save_users() -> None:
    """Clients that try again send more, and fewer users fail in the end."""
    fleet = {USUAL._replace(failing=0.2): 4}
    once, thrice = served(50.0, fleet), served(50.0, fleet, retries=2, failing_before=0.2)
    assert thrice.sent == pytest.approx(50 * (1 + 0.2 + 0.04))
    assert thrice.users_failed == pytest.approx(50 * 0.2**3)
    assert once.users_failed == pytest.approx(50 * 0.2)
