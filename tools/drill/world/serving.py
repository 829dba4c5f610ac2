"""How tasks serve requests: from how a task behaves and what it is offered to what comes back. Pure, in closed form.

A task is one server with random arrivals: the time in its queue grows with 1 / (1 - utilisation), and the time of one
request is spread exponentially around the mean. Everything is a rate per second; nothing here draws a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from tools.drill.world.constants import Constants

UNHANDLED = "Unhandled exception in handler"
"""What a service writes of a failure that nobody has thought of."""

Blame = tuple[tuple[str, float], ...]
"""Why requests fail, one reason after the other: what the task writes of it, and the share it takes of those left."""


class Conduct(NamedTuple):
    """How a task treats requests. Tasks of the same conduct are served as one."""

    capacity_rps: float
    latency_s: float
    failing: float = 0.0
    """Share of the requests that it fails."""
    stuck: bool = False
    dead: bool = False
    """Nothing answers any more, and the load balancer does not know it yet."""
    complaint: str = UNHANDLED
    """What the task writes of a request that it fails."""


class Backing(NamedTuple):
    """What the dependencies of a service do to its requests."""

    failing: float = 0.0
    """Share of the requests that fail for want of a dependency."""
    slow: float = 0.0
    """Share of the requests that wait for a slow one."""
    wait_s: float = 0.0
    """How long they wait."""
    blame: Blame = ()
    """What the tasks write of those that fail."""
    waiting: str = ""
    """What they write of a request that found no worker, because all wait for a slow one."""
    late: str = ""
    """What they write of a request that has waited for it for long."""


class Share(NamedTuple):
    """What one task does with what it is offered, per second."""

    target_5xx: float
    balancer_5xx: float
    slow: float
    answered: float
    """By the task, with success or not."""
    seconds: float
    """Sum of the times of these answers."""
    cpu: float
    """Percent."""


@dataclass(frozen=True)
class Served:
    """One second of a service."""

    sent: float
    """Requests with retries, as the load balancer sees them."""
    users: float
    """Requests of users."""
    users_failed: float
    """Those that failed after all retries."""
    users_slow: float
    target_5xx: float
    balancer_5xx: float
    answered: float
    seconds: float
    cpu: float | None
    """Mean over tasks in service; None without any."""

    @property
    def failing(self) -> float:
        """Share of what was sent that failed; what no sender is there for does not fail."""
        return (self.target_5xx + self.balancer_5xx) / self.sent if self.sent > 0 else 0.0


def share_of(offered: float, conduct: Conduct, backing: Backing, *, slow_s: float, constants: Constants) -> Share:
    """One task's part."""
    if conduct.dead:
        return Share(0.0, offered, 0.0, 0.0, 0.0, 0.0)
    if conduct.stuck:
        hung = constants.hung_request_s
        return Share(offered, 0.0, 0.0, offered, offered * hung, constants.idle_cpu_percent)
    work, waiting = _work(backing, constants), backing.slow * backing.wait_s
    capacity = _capacity(conduct, backing, constants)
    served = min(offered, capacity)
    queue_s = min(_queue_s(conduct.latency_s, served / capacity), conduct.latency_s + constants.full_queue_s)
    good = served * (1.0 - backing.failing) * (1.0 - conduct.failing)
    failed_fast = offered - served + served * backing.failing
    answered_s = (served - served * backing.failing) * (queue_s + waiting) + failed_fast * constants.fail_fast_s
    too_slow = backing.slow * _tail(slow_s - backing.wait_s, queue_s) + (1 - backing.slow) * _tail(slow_s, queue_s)
    busy = served * work / conduct.capacity_rps
    return Share(
        target_5xx=offered - good,
        balancer_5xx=0.0,
        slow=good * too_slow,
        answered=offered,
        seconds=answered_s,
        cpu=constants.idle_cpu_percent + (100.0 - constants.idle_cpu_percent) * min(1.0, busy),
    )


def _work(backing: Backing, constants: Constants) -> float:
    """CPU of a mean request, as a share of one that lacks nothing."""
    return 1.0 - backing.failing * (1.0 - constants.dependency_down_cpu)


def _capacity(conduct: Conduct, backing: Backing, constants: Constants) -> float:
    waiting = backing.slow * backing.wait_s
    by_cpu = conduct.capacity_rps / _work(backing, constants)
    return min(by_cpu, constants.workers / (conduct.latency_s + waiting))


QUEUE_FULL = "Rejected: request queue is full"
"""What a task writes of a request that does not fit into its queue."""
LATE_S = 1.0
"""After waiting so long for a dependency a task writes a line about it. Assumption."""


def complaints(offered: float, conduct: Conduct, backing: Backing, blame: Blame, constants: Constants) -> Blame:
    """What one task writes of its failed and of its late requests, and how often per second.

    Nothing comes from a task that is gone, nor from a worker that hangs: whoever waits in front of it gives up, and the
    worker never knows.
    """
    if conduct.dead or conduct.stuck:
        return ()
    served = min(offered, _capacity(conduct, backing, constants))
    written = [(backing.waiting or QUEUE_FULL, offered - served)]
    if backing.wait_s >= LATE_S:
        written.append((backing.late, served * backing.slow))
    left = served
    for text, share in (*backing.blame, *blame):
        written.append((text, left * share))
        left *= 1.0 - share
    return tuple((text, rate) for text, rate in written if rate > 0)


def _queue_s(latency_s: float, utilisation: float) -> float:
    return latency_s / (1.0 - utilisation) if utilisation < 1.0 else float("inf")


def _tail(seconds: float, mean_s: float) -> float:
    """Share of times above `seconds` when they are spread exponentially around the mean."""
    return 1.0 if seconds <= 0 else exp(-seconds / mean_s)


def serve(
    users: float,
    fleet: Mapping[Conduct, int],
    backing: Backing,
    *,
    retries: int,
    failing_before: float,
    slow_s: float,
    constants: Constants,
) -> Served:
    """One second of a fleet of targets, each offered the same.

    `failing_before` is the share that failed a moment ago, from which the clients' retries follow. Without a target
    the load balancer answers 503 by itself (Elastic Load Balancing User Guide, "HTTP 503: Service unavailable").
    """
    sent = users * sum(failing_before**attempt for attempt in range(retries + 1))
    targets = sum(fleet.values())
    if targets == 0:
        return Served(sent, users, users, 0.0, 0.0, sent, 0.0, 0.0, None)
    offered = sent / targets
    target_5xx = balancer_5xx = slow = answered = seconds = cpu = 0.0
    for conduct, count in fleet.items():
        share = share_of(offered, conduct, backing, slow_s=slow_s, constants=constants)
        target_5xx += share.target_5xx * count
        balancer_5xx += share.balancer_5xx * count
        slow += share.slow * count
        answered += share.answered * count
        seconds += share.seconds * count
        cpu += share.cpu * count
    failing = (target_5xx + balancer_5xx) / sent if sent > 0 else 0.0
    return Served(
        sent=sent,
        users=users,
        users_failed=users * failing ** (retries + 1),
        users_slow=slow / sent * users if sent > 0 else 0.0,
        target_5xx=target_5xx,
        balancer_5xx=balancer_5xx,
        answered=answered,
        seconds=seconds,
        cpu=cpu / targets,
    )
