"""How the sample service would behave: from its tasks and its faults to one second of traffic.

Pure and in expected values, without chance: the same state always gives the same second, and a count may be 12.5.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

TASK_CAPACITY_RPS = 50.0
"""Requests per second that take all of a task's CPU; more are refused with 503."""

BAD_RELEASE_FAILURE_SHARE = 0.4
HUNG_REQUEST_SECONDS = 10.0
"""After this time the proxy beside a hung worker gives up on it and answers 504."""

_BASE_RESPONSE_SECONDS = 0.08
_SATURATED_RESPONSE_SECONDS = 3.0
_FAIL_FAST_SECONDS = 0.02
_IDLE_CPU_PERCENT = 3.0
_DATABASE_DOWN_CPU_SHARE = 0.7
_BASE_MEMORY_PERCENT = 38.0
_BUSY_MEMORY_PERCENT = 17.0


class FaultsUnreadable(ValueError):
    """The control file is not what this module writes."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """The load on the service and what is wrong with it: what the demo switches.

    Attributes:
        traffic: requests per second.
        bad_images: images whose tasks fail a part of the requests.
        stuck_tasks: ARNs of the tasks whose workers hang. Their replacements do not.
        database_down: the database takes no connections.
    """

    traffic: float
    bad_images: frozenset[str] = frozenset()
    stuck_tasks: frozenset[str] = frozenset()
    database_down: bool = False

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the control file.

        Raises:
            FaultsUnreadable: if it is none.
        """
        try:
            written: dict[str, Any] = json.loads(path.read_text())
            return cls(
                traffic=float(written["traffic"]),
                bad_images=frozenset(written["bad_images"]),
                stuck_tasks=frozenset(written["stuck_tasks"]),
                database_down=bool(written["database_down"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FaultsUnreadable(f"{path} is no control file of the workload: {error!r}") from error

    def write(self, path: Path) -> None:
        """Replace the control file at once, so that no reader sees half of it."""
        draft = path.with_suffix(".draft")
        values = asdict(self) | {
            "bad_images": sorted(self.bad_images),
            "stuck_tasks": sorted(self.stuck_tasks),
        }
        draft.write_text(json.dumps(values))
        os.replace(draft, path)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A running task behind the load balancer."""

    arn: str
    image: str


@dataclass(frozen=True, kw_only=True)
class Responses:
    """So many requests answered in so much time."""

    seconds: float
    count: float


@dataclass(frozen=True, kw_only=True)
class Second:
    """What the load balancer, the tasks and the database's clients show for one second.

    Attributes:
        requests: those for which there was a target.
        target_5xx: answered with an error by a task.
        balancer_5xx: answered with an error by the load balancer, for want of a target.
        responses: the answers of the tasks by their time.
        cpu: percent, one value per task.
        memory: percent, one value per task.
        connection_failures: to the database.
    """

    requests: float
    target_5xx: float
    balancer_5xx: float
    responses: tuple[Responses, ...] = ()
    cpu: tuple[float, ...] = ()
    memory: tuple[float, ...] = ()
    connection_failures: float = 0.0

    @property
    def failed(self) -> float:
        return self.target_5xx + self.balancer_5xx

    @property
    def sent(self) -> float:
        """All requests of the clients, with a target or without."""
        return self.requests + self.balancer_5xx

    @property
    def response_seconds(self) -> float | None:
        """The mean time of an answer, None without any."""
        answered = sum(each.count for each in self.responses)
        return sum(each.seconds * each.count for each in self.responses) / answered if answered else None


@dataclass(frozen=True, kw_only=True)
class _Share:
    """One task's part in a second."""

    failed: float
    cpu: float
    responses: tuple[Responses, ...]
    connection_failures: float = 0.0
    utilisation: float = 0.0


def second_of(tasks: Sequence[Task], faults: Faults) -> Second:
    """One second of traffic, spread evenly: the health check is shallow, so every running task gets its share."""
    if not tasks:
        return Second(requests=0.0, target_5xx=0.0, balancer_5xx=faults.traffic)
    offered = faults.traffic / len(tasks)
    shares = [_share_of(task, offered, faults) for task in tasks]
    return Second(
        requests=faults.traffic,
        target_5xx=sum(share.failed for share in shares),
        balancer_5xx=0.0,
        responses=tuple(response for share in shares for response in share.responses if response.count),
        cpu=tuple(share.cpu for share in shares),
        memory=tuple(_BASE_MEMORY_PERCENT + _BUSY_MEMORY_PERCENT * share.utilisation for share in shares),
        connection_failures=sum(share.connection_failures for share in shares),
    )


def _share_of(task: Task, offered: float, faults: Faults) -> _Share:
    if task.arn in faults.stuck_tasks:
        hung = Responses(seconds=HUNG_REQUEST_SECONDS, count=offered)
        return _Share(failed=offered, cpu=_IDLE_CPU_PERCENT, responses=(hung,))
    served = min(offered, TASK_CAPACITY_RPS)
    refused = Responses(seconds=_FAIL_FAST_SECONDS, count=offered - served)
    utilisation = served / TASK_CAPACITY_RPS
    cpu = _IDLE_CPU_PERCENT + (100.0 - _IDLE_CPU_PERCENT) * utilisation
    if faults.database_down:
        return _Share(
            failed=offered,
            cpu=cpu * _DATABASE_DOWN_CPU_SHARE,
            responses=(Responses(seconds=_FAIL_FAST_SECONDS, count=offered),),
            connection_failures=served,
            utilisation=utilisation,
        )
    failing = served * BAD_RELEASE_FAILURE_SHARE if task.image in faults.bad_images else 0.0
    return _Share(
        failed=failing + refused.count,
        cpu=cpu,
        responses=(Responses(seconds=_response_seconds(utilisation), count=served), refused),
        utilisation=utilisation,
    )


def _response_seconds(utilisation: float) -> float:
    """The time in a queue grows with 1 / (1 - utilisation), as for one server with random arrivals."""
    if utilisation >= 1.0:
        return _SATURATED_RESPONSE_SECONDS
    return min(_BASE_RESPONSE_SECONDS / (1.0 - utilisation), _SATURATED_RESPONSE_SECONDS)
