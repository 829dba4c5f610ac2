"""What the items of the checklist read from, with everything that several of them need read only once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar, cast

from functions.diagnostics.look import Surroundings
from functions.diagnostics.probes import read_definition, read_scaling, read_service
from functions.domain.circumstances import TaskDefinitionFacts
from functions.domain.costs import BillFacts
from functions.domain.digests import Period
from functions.domain.errors import ReadFailed, ResponderError
from functions.domain.evidence import ScalingFacts, ServiceFacts
from functions.domain.incidents import Incident, IncidentStatus
from functions.domain.watched import WatchedDatabase
from functions.playbooks.schema import Playbook
from functions.ports import DigestReaders, Ledger, Measure, Points, Readers

HOUR_S = 3600
"""Length of the periods that metrics are read in: CloudWatch keeps them for 15 months."""

BILL_LATE = timedelta(days=1)
"""The figures of a day are whole about a day after it (Cost Management User Guide, "Analyzing your costs")."""

T = TypeVar("T")


class Once:
    """Keeps what was read, and why something could not be read: nobody waits for the same failure twice."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._known: dict[str, tuple[Any, ResponderError | None]] = {}

    def __call__(self, name: str, read: Callable[[], T]) -> T:
        with self._lock:
            mine = self._locks.setdefault(name, Lock())
        with mine:
            if name not in self._known:
                try:
                    self._known[name] = (read(), None)
                except ResponderError as error:
                    self._known[name] = (None, error)
        value, failed = self._known[name]
        if failed is not None:
            raise failed
        return cast(T, value)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a digest is read from, and for which time."""

    readers: Readers
    more: DigestReaders
    ledger: Ledger
    period: Period
    until: datetime

    @property
    def since(self) -> datetime:
        return self.until - self.period.span


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All services together, and the account."""

    sources: Sources
    playbooks: Sequence[Playbook]
    once: Once = field(default_factory=Once)
    one_at_a_time: AbstractContextManager[Any] = field(default_factory=Lock)
    """Held while something is asked that AWS takes only twice a second."""

    @cached_property
    def services(self) -> Sequence["Around"]:
        return tuple(Around(playbook=playbook, fleet=self) for playbook in self.playbooks)

    def bill(self) -> BillFacts:
        """Whole days, the last of which is over for a day; at least one.

        Raises:
            ReadFailed: it was not read, or there are no figures.
        """
        return self.once("bill", self._bill)

    def _bill(self) -> BillFacts:
        until = (self.sources.until - BILL_LATE).date()
        bill = self.sources.more.bill.bill(since=until - self.sources.period.span, until=until)
        if not bill.days:
            raise ReadFailed("Cost Explorer has no figures for these days")
        return bill

    def incidents(self) -> Sequence[Incident]:
        """Those opened in this time, and those that are open or were closed in it, newest first."""
        return self.once("incidents", self._incidents)

    def _incidents(self) -> Sequence[Incident]:
        # One that was closed in this time may have been opened long before: as long again is looked back.
        start, ledger = self.sources.since - self.sources.period.span, self.sources.ledger
        found = {i.id: i for i in (*ledger.open_incidents(), *ledger.incidents_between(start, self.sources.until))}
        return sorted(
            (i for i in found.values() if self.opened_now(i) or i.closed_at is None or self.closed_now(i)),
            key=lambda incident: incident.opened_at,
            reverse=True,
        )

    def opened_now(self, incident: Incident) -> bool:
        return incident.opened_at >= self.sources.since

    def closed_now(self, incident: Incident) -> bool:
        return incident.closed_at is not None and incident.closed_at >= self.sources.since


@dataclass(frozen=True, kw_only=True)
class Around:
    """One service, seen through its playbook."""

    playbook: Playbook
    fleet: Fleet
    once: Once = field(default_factory=Once)

    @property
    def sources(self) -> Sources:
        return self.fleet.sources

    @property
    def readers(self) -> Readers:
        return self.sources.readers

    @property
    def title(self) -> str:
        return f"{self.playbook.cluster}/{self.playbook.service}"

    @property
    def surroundings(self) -> Surroundings:
        """What the probes are told. Nothing of the ledger is among it: what AWS says is told without it, too."""
        overrides = self.playbook.overrides
        return Surroundings(
            ref=self.playbook.ref,
            readers=self.readers,
            now=self.sources.until,
            alarms=self.playbook.alarm_names,
            dependencies=self.playbook.dependencies,
            target_groups=overrides.target_groups,
            load_balancer=overrides.load_balancer,
            scalable_target=overrides.scalable_target,
            log_group=overrides.log_group,
        )

    def service(self) -> ServiceFacts:
        return self.once("service", lambda: read_service(self.surroundings, {}))

    def definition(self) -> TaskDefinitionFacts:
        return self.once("definition", lambda: read_definition(self.surroundings, {"service": self.service()}))

    def scaling(self) -> ScalingFacts:
        return self.once("scaling", lambda: read_scaling(self.surroundings, {}))

    def incidents(self) -> Sequence[Incident]:
        return [incident for incident in self.fleet.incidents() if incident.service == self.playbook.ref]

    def still_open(self) -> Sequence[Incident]:
        return [incident for incident in self.incidents() if incident.status is IncidentStatus.OPEN]

    @property
    def databases(self) -> tuple[WatchedDatabase, ...]:
        """What the playbook names as DB instances, each once."""
        named = (*self.playbook.dependencies, *self.playbook.checks)
        found = {each.rds: each for each in named if isinstance(each, WatchedDatabase)}
        return tuple(found.values())

    def used(self) -> Mapping[str, Points]:
        """`cpu`, `memory` and `tasks` hour by hour, in percent and as a number."""
        return self.once("used", self._used)

    def _used(self) -> Mapping[str, Points]:
        ecs = {"ClusterName": self.playbook.cluster, "ServiceName": self.playbook.service}
        wanted = (
            ("cpu", "CPUUtilization", "Average"),
            ("memory", "MemoryUtilization", "Average"),
            # Each task sends a sample a minute (ECS Developer Guide, "Amazon ECS CloudWatch metrics").
            ("tasks", "CPUUtilization", "SampleCount"),
        )
        measured = self.hourly({name: hour_of("AWS/ECS", metric, ecs, statistic) for name, metric, statistic in wanted})
        return {**measured, "tasks": [(at, count / 60) for at, count in measured["tasks"]]}

    def hourly(self, measures: Mapping[str, Measure]) -> Mapping[str, Points]:
        """The data points of whole hours within this time: of one that was cut a sum or a count says too little."""
        since, until = self.sources.since, self.sources.until
        read = self.readers.metrics.measured(list(measures.values()), start=since, end=until)
        return {
            name: [(at, value) for at, value in points if since <= at and at + timedelta(seconds=HOUR_S) <= until]
            for name, points in zip(measures, read, strict=True)
        }

    def answered(self) -> Mapping[str, Points] | None:
        """`requests` and `failed` as sums, `p95` in seconds and `counted` (healthy targets), hour by hour; None behind
        no load balancer."""
        return self.once("answered", self._answered)

    def _answered(self) -> Mapping[str, Points] | None:
        dimensions = self.behind()
        if dimensions is None:
            return None
        front = {"LoadBalancer": dimensions["LoadBalancer"]}
        # Requests and errors are counted where there are any (Application Load Balancers guide, "CloudWatch metrics");
        # that its targets are shows that somebody counts.
        wanted = (
            ("requests", "RequestCount", "Sum", dimensions),
            ("of targets", "HTTPCode_Target_5XX_Count", "Sum", dimensions),
            ("of balancer", "HTTPCode_ELB_5XX_Count", "Sum", front),
            ("p95", "TargetResponseTime", "p95", dimensions),
            ("counted", "HealthyHostCount", "Maximum", dimensions),
        )
        balancer = "AWS/ApplicationELB"
        points = self.hourly(
            {name: hour_of(balancer, metric, where, statistic) for name, metric, statistic, where in wanted}
        )
        failed: dict[datetime, float] = {}
        for at, value in (*points["of targets"], *points["of balancer"]):
            failed[at] = failed.get(at, 0.0) + value
        return {**points, "failed": sorted(failed.items())}

    def behind(self) -> Mapping[str, str] | None:
        """The dimensions by which its load balancer knows it; None where it is behind none."""
        return self.once("behind", self._behind)

    def _behind(self) -> Mapping[str, str] | None:
        groups = self.playbook.overrides.target_groups or self.service().target_groups
        if not groups:
            return None
        balancer = self.playbook.overrides.load_balancer or self.readers.service.load_balancer(groups[0])
        if balancer is None:
            return None
        return {
            "LoadBalancer": balancer.split(":loadbalancer/", 1)[-1],
            "TargetGroup": groups[0].rsplit(":", 1)[-1],
        }


def hour_of(namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str) -> Measure:
    """A metric, hour by hour."""
    return Measure(namespace=namespace, metric=metric, dimensions=dimensions, statistic=statistic, period_s=HOUR_S)


def highest(points: Points) -> tuple[datetime, float]:
    """The hour with the highest value.

    Raises:
        ReadFailed: nothing was measured.
    """
    if not points:
        raise ReadFailed("nothing was measured in this time")
    return max(points, key=lambda point: point[1])


def average(points: Points) -> float:
    """Raises ReadFailed when nothing was measured."""
    if not points:
        raise ReadFailed("nothing was measured in this time")
    return sum(value for _, value in points) / len(points)
