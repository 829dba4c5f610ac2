"""One look at a service: all probes, side by side, under one deadline."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from functions.domain.backups import Backups
from functions.domain.errors import ReadFailed
from functions.domain.evidence import Release
from functions.domain.findings import Findings, Reading
from functions.domain.logged import LogCause, LogQuery
from functions.domain.permissions import Permission
from functions.domain.services import ServiceRef
from functions.domain.watched import Watched
from functions.ports import Readers


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a probe is told: the service, where to read, and what is known of the incident so far."""

    ref: ServiceRef
    readers: Readers
    now: datetime
    alarms: tuple[str, ...] = ()
    """Names of the alarms that the incident's signals spoke of."""
    began_at: datetime | None = None
    """When the incident was opened; None when there is none, as in a routine look."""
    changed_at: datetime | None = None
    """When the change came about that opened the incident; None where none did."""
    history: tuple[Release, ...] = ()
    own_deployments: frozenset[str] = frozenset()
    """Deployments that our own actions of this incident started."""
    acted_at: tuple[datetime, ...] = ()
    """When the responder changed something of the service lately, in this incident or before it."""
    stopped_at: datetime | None = None
    """When we stopped a deployment in this incident: the rollback that ECS begins then is ours, too."""
    dependencies: tuple[Watched, ...] = ()
    """What the playbook says the service stands on."""
    target_groups: tuple[str, ...] = ()
    """Instead of those that the service names."""
    load_balancer: str | None = None
    """Instead of the one in front of the target group."""
    scalable_target: str | None = None
    """Instead of the one that has the service's own name."""
    log_group: str | None = None
    """Instead of those that the task definition names."""
    breach_evidence: bool = False
    """Whether the playbook asks for what may speak for a breach."""
    log_causes: tuple[LogCause, ...] = ()
    """What the playbook's own words in error lines speak of."""
    log_queries: tuple[LogQuery, ...] = ()
    """What the playbook wants to be asked of the logs, for people."""
    sticky_s: int | None = None
    """How long the playbook wants the load balancer's cookie to last; None where it wants no sticky sessions."""
    budget_tasks: int | None = None
    """How many tasks the playbook means to pay for."""
    budget_usd: float | None = None
    """What the playbook allows the service to cost a day."""
    floor_held: int | None = None
    """How many tasks a lease of the responder's own keeps running; None without such a lease."""
    cost_alarms: tuple[str, ...] = ()
    """Names of the alarms of the playbook that tell of many tasks."""
    wanted_release: str | None = None
    """The task definition that an operator wants to go back to; None where nobody named one."""
    cost_told: bool = False
    """Whether a signal of the incident spoke of money in the last day."""
    recovery_of: Backups | None = None
    """What the newest backups are wanted of; None where the playbook says nothing of how old they may be."""
    threats: tuple[str, ...] = ()
    """ARNs of the findings that signals of the incident told of in the last day."""


class Read(Protocol):
    def __call__(self, around: Surroundings, known: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One thing to read. `name` is its field in `Findings`.

    `needs` are probes whose values it is given, and without which it cannot be read; `wants` are probes that it waits
    for as well, and whose values it is given where they are known. `ahead` is what of it can be read before they are
    there: its value is given under the probe's own name, and without it the probe cannot be read.
    """

    name: str
    read: Read
    permissions: tuple[Permission, ...]
    needs: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    ahead: Read | None = None


def look(probes: Iterable[Probe], around: Surroundings, *, deadline_s: float) -> Findings:
    """Read everything, and give what there is when the deadline passes.

    A probe that fails or is late leaves an unknown reading with its reason, and so does one whose needs are unknown.
    A thread that hangs is left behind: its answer no longer counts.
    """
    waiting = {probe.name: probe for probe in probes}
    readings: dict[str, Reading[Any]] = {}
    ends = time.monotonic() + deadline_s
    pool = around.readers.threads(max(1, len(waiting) + sum(1 for probe in waiting.values() if probe.ahead)))
    running: dict[Future[Any], Probe] = {}
    try:
        ahead = {probe.name: pool.submit(probe.ahead, around, {}) for probe in waiting.values() if probe.ahead}
        while waiting or running:
            _begin(waiting, running, readings, around, pool, ahead)
            if not running:
                break
            done, _ = wait(running, timeout=max(0.0, ends - time.monotonic()), return_when="FIRST_COMPLETED")
            if not done:
                break
            for future in done:
                readings[running.pop(future).name] = _reading(future)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    late = [probe.name for probe in running.values()] + list(waiting)
    readings |= {name: Reading(error=f"no answer within {deadline_s:g} s") for name in late}
    return Findings(looked_at=around.now, **readings)


def _begin(
    waiting: dict[str, Probe],
    running: dict[Future[Any], Probe],
    readings: dict[str, Reading[Any]],
    around: Surroundings,
    pool: Executor,
    ahead: Mapping[str, Future[Any]],
) -> None:
    for probe in [p for p in waiting.values() if all(name in readings for name in (*p.needs, *p.wants))]:
        del waiting[probe.name]
        unknown = [need for need in probe.needs if not readings[need].known]
        if unknown:
            readings[probe.name] = Reading(error=f"cannot be read without {', '.join(unknown)}")
        else:
            known = {name: readings[name].value for name in (*probe.needs, *probe.wants) if readings[name].known}
            running[pool.submit(_read, probe, around, known, ahead.get(probe.name))] = probe


def _read(probe: Probe, around: Surroundings, known: Mapping[str, Any], ahead: Future[Any] | None) -> Any:
    return probe.read(around, known if ahead is None else {**known, probe.name: ahead.result()})


def _reading(future: Future[Any]) -> Reading[Any]:
    try:
        return Reading(value=future.result())
    except ReadFailed as error:
        return Reading(error=str(error))
