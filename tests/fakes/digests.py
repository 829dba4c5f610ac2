"""An estate of three services behind the ports of a digest: one is in trouble, one is not used, one is well.

A test says which readings fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import cos, pi
from typing import Any

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.backups import BackupFacts, Backups
from functions.domain.breach import CallFacts, ImageFacts
from functions.domain.changes import Lease, LeaseTerms
from functions.domain.circumstances import AlarmHistoryFacts, SecretFacts, TaskDefinitionFacts
from functions.domain.costs import BilledDay, BillFacts
from functions.domain.dependencies import DatabaseFacts, QueriesFacts, QueryFacts
from functions.domain.digests import Period
from functions.domain.errors import ReadFailed
from functions.domain.evidence import (
    AlarmFacts,
    DeploymentFacts,
    Metric,
    ReleaseState,
    ScalingActivityFacts,
    ScalingFacts,
    ServiceDeploymentFacts,
    ServiceFacts,
    TargetFacts,
    TasksFacts,
)
from functions.domain.incidents import Fact, Incident, NewEvent, Switch
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState, Signal, SignalKind
from functions.playbooks.schema import Playbook
from functions.ports import DigestReaders, DrillRecord, Measure, MetricsQuery, Points, Series
from functions.workflow.digests.around import Sources
from tests.fakes.clock import FakeClock
from tests.fakes.quiet import Quiet

MORNING = datetime.fromisoformat("2026-03-02T06:00:00+00:00")
"""A Monday."""

ORDERS: dict[str, Any] = {
    "region": "eu-west-1",
    "cluster": "shop",
    "service": "orders",
    "mode": "auto",
    "alarms": [
        {"symptom": "error-rate"},
        {"symptom": "cpu"},
        {"existing": "orders-legacy-5xx"},
        {"check": "front-page", "url": "https://shop.example.com/?utm=1"},
        {"check": "pool-health", "url": "https://shop.example.com/api/pool-health"},
    ],
    "dependencies": [{"name": "orders-db", "rds": "orders-db"}, {"name": "carts", "dynamodb": "carts"}],
    "backups": {"dynamodb": ["carts"], "rds": "orders-db"},
    "log_queries": [{"name": "slow", "contains": "slow"}],
    "budget": {"usd_per_day": 4},
    "limits": {"max_tasks": 8},
}
STOCK: dict[str, Any] = {
    "region": "eu-west-1",
    "cluster": "shop",
    "service": "stock",
    "alarms": [{"symptom": "cpu"}],
    "limits": {"max_tasks": 4},
}
EXPORT: dict[str, Any] = {"region": "eu-west-1", "cluster": "back-office", "service": "export", "mode": "ask"}

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/orders-db-AbCdEf"


def playbooks() -> tuple[Playbook, ...]:
    return tuple(map(Playbook.model_validate, (ORDERS, STOCK, EXPORT)))


@dataclass
class Estate:
    """Everything that a digest reads, as it is on one Monday morning."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(MORNING))
    unreadable: set[str] = field(default_factory=set)
    """Names of reading methods that fail."""
    quiet: Quiet = field(default_factory=Quiet)
    ledger: MemoryLedger = field(init=False)
    asked: list[str] = field(default_factory=list)
    """Names of the reading methods that were called."""
    measures: dict[tuple[str, str, str], Callable[[datetime], float | None]] = field(default_factory=dict)
    """By whose it is, metric and statistic; what is not there was never measured."""
    drill: DrillRecord | None = None
    detected: tuple[str, ...] = ("12abc34d567e8fa901bc2d34e56789f0",)
    muted: set[str] = field(default_factory=set)
    backups: tuple[BackupFacts, ...] = ()
    insights: QueriesFacts = field(default_factory=lambda: QueriesFacts(insights=True))
    own_a_day: float = 0.0
    bill: tuple[float, ...] = (30.1, 29.8, 30.4, 30.2, 30.0, 30.3, 44.9)
    """What each of the last days cost."""
    vcpus: float = 100.0

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(clock=self.clock)

    def _may(self, call: str) -> None:
        self.asked.append(call)
        if call in self.unreadable:
            raise ReadFailed(f"{call} is throttled")

    def sources(self, period: Period) -> Sources:
        self.quiet.unreadable = self.unreadable
        readers = self.quiet.readers(service=self, metrics=self)
        return Sources(readers=readers, more=self.more, ledger=self.ledger, period=period, until=self.clock.now())

    @property
    def more(self) -> DigestReaders:
        return DigestReaders(
            bill=self._Bill(self), quotas=self, queries=self, detectors=self, mutes=self, backups=self, drills=self
        )

    # --- ServiceReader

    def services(self, refs: Sequence[ServiceRef]) -> Mapping[ServiceRef, ServiceFacts | None]:
        return {ref: self.service(ref) for ref in refs}

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        self._may("service")
        started = self.clock.now() - timedelta(days=4)
        count = {"orders": 4, "stock": 2}.get(ref.service, 1)
        return ServiceFacts(
            arn=f"arn:aws:ecs:eu-west-1:123456789012:service/{ref.cluster}/{ref.service}",
            status="ACTIVE",
            desired=count,
            running=count,
            pending=0,
            task_definition=f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{ref.service}:41",
            target_groups=() if ref.service == "export" else (f"arn:x:targetgroup/{ref.service}/0123456789abcdef",),
            launch_type="FARGATE",
            deployments=(
                DeploymentFacts(
                    id="ecs-svc/1",
                    status="PRIMARY",
                    rollout_state="COMPLETED",
                    task_definition=f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{ref.service}:41",
                    desired=count,
                    running=count,
                    pending=0,
                    failed=0,
                    created_at=started,
                ),
            ),
        )

    def tasks(self, ref: ServiceRef) -> TasksFacts:
        self._may("tasks")
        return TasksFacts(running=(), stopped=(), images=(f"1.dkr.ecr/{ref.service}@sha256:0123",))

    def service_deployments(self, ref: ServiceRef) -> Sequence[ServiceDeploymentFacts]:
        return ()

    def revisions(self, arns: Sequence[str]) -> Sequence[Any]:
        return ()

    def task_definition_status(self, task_definition: str) -> str:
        return "ACTIVE"

    def definition(self, task_definition: str) -> TaskDefinitionFacts:
        self._may("definition")
        orders = "orders" in task_definition
        return TaskDefinitionFacts(
            task_definition=task_definition,
            cpu=1024,
            memory_mib=2048,
            secrets=(SECRET,) if orders else (),
            task_role="arn:aws:iam::123456789012:role/orders-task",
            log_groups=("/ecs/orders",) if orders else ("/ecs/other",),
        )

    def targets(self, target_groups: Sequence[str]) -> Sequence[TargetFacts]:
        self._may("targets")
        return [
            TargetFacts(target_group=group, target=f"10.0.0.{n}", state="healthy")
            for group in target_groups
            for n in range(4 if "orders" in group else 2)
        ]

    def load_balancer(self, target_group: str) -> str | None:
        self._may("load_balancer")
        return "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/0123456789abcdef"

    def scaling(self, ref: ServiceRef, *, resource_id: str | None = None) -> ScalingFacts:
        self._may("scaling")
        if ref.service == "export":
            return ScalingFacts(registered=False)
        now = self.clock.now()
        activities = tuple(
            ScalingActivityFacts(
                at=now - timedelta(days=n, hours=9),
                description="Setting desired count to 8.",
                status="Successful",
                not_scaled=("AlreadyAtMaxCapacity",) if n == 2 else (),
            )
            for n in range(5)
        )
        return ScalingFacts(
            registered=True,
            resource_id=f"service/{ref.cluster}/{ref.service}",
            minimum=2,
            maximum=8,
            activities=activities if ref.service == "orders" else (),
        )

    # --- MetricsReader

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        self._may("alarms")
        since = self.clock.now() - timedelta(hours=1)
        return [
            AlarmFacts(
                name=name,
                arn=f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}",
                state=AlarmState.ALARM if name == "orders-legacy-5xx" else AlarmState.OK,
                since=since,
                breaching_now=name == "orders-legacy-5xx",
            )
            for name in names
        ]

    def states(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        return [alarm.model_copy(update={"breaching_now": None}) for alarm in self.alarms(names)]

    def alarm_history(self, names: Sequence[str], *, since: datetime) -> AlarmHistoryFacts:
        self._may("alarm_history")
        times = tuple(self.clock.now() - timedelta(hours=n) for n in range(1, 12))
        return AlarmHistoryFacts(
            since=since, went_off={name: times if name == "orders-legacy-5xx" else () for name in names}
        )

    def series(self, query: MetricsQuery) -> Series:
        self._may("series")
        values = {
            Metric.REQUESTS: 600.0,
            Metric.TARGET_5XX: 1.0,
            Metric.LATENCY: 0.2,
            Metric.LATENCY_P95: 0.6,
            Metric.HEALTHY_HOSTS: 4.0,
            Metric.CPU: 42.0,
            Metric.MEMORY: 55.0,
            Metric.TASKS: 4.0,
        }
        times = [query.end - timedelta(seconds=n * query.period_s) for n in range(10, 0, -1)]
        return Series(metrics={m: [(at, values[m]) for at in times] for m in query.dimensions if m in values})

    def measured(self, measures: Sequence[Measure], *, start: datetime, end: datetime) -> Sequence[Points]:
        self._may("measured")
        return [self._points(measure, start, end) for measure in measures]

    def _points(self, measure: Measure, start: datetime, end: datetime) -> Points:
        whose = next(
            (measure.dimensions[name] for name in WHOSE if name in measure.dimensions), measure.namespace
        ).removeprefix("targetgroup/")
        at = start.replace(minute=0, second=0, microsecond=0)
        step = timedelta(seconds=measure.period_s)
        value = self.measures.get((whose.split("/")[0], measure.metric, measure.statistic), _never)
        points = []
        while at < end:
            if at >= start and (one := value(at)) is not None:
                points.append((at, one))
            at += step
        return points

    # --- what only a digest reads

    @dataclass
    class _Bill:
        estate: "Estate"

        def bill(self, *, since: date, until: date) -> BillFacts:
            self.estate._may("bill")
            days = [
                BilledDay(
                    day=until - timedelta(days=len(self.estate.bill) - n),
                    by_service={
                        "Amazon Elastic Container Service": total * 0.55,
                        "Amazon Relational Database Service": total * 0.3,
                        "EC2 - Other": total * 0.1,
                        "AmazonCloudWatch": total * 0.05,
                    },
                    own=self.estate.own_a_day,
                    estimated=True,
                )
                for n, total in enumerate(self.estate.bill)
            ]
            return BillFacts(days=tuple(days))

    def fargate_vcpus(self) -> float:
        self._may("fargate_vcpus")
        return self.vcpus

    def busiest(self, instance: str, *, since: datetime, until: datetime) -> QueriesFacts:
        self._may("busiest")
        return self.insights

    def detectors(self) -> Sequence[str]:
        self._may("detectors")
        return self.detected

    def muted_s(self, alarm: str) -> int:
        self._may("muted_s")
        return 3600 if alarm in self.muted else 0

    def known(self, backups: Backups) -> Sequence[BackupFacts]:
        self._may("known")
        return self.backups

    def last(self) -> DrillRecord | None:
        self._may("last")
        return self.drill


def _never(at: datetime) -> float | None:
    """What nobody measures."""
    return None


WHOSE = ("CheckName", "ServiceName", "TargetGroup", "DBInstanceIdentifier")
READINGS = (
    "service",
    "tasks",
    "definition",
    "targets",
    "load_balancer",
    "scaling",
    "alarms",
    "alarm_history",
    "series",
    "measured",
    "bill",
    "fargate_vcpus",
    "busiest",
    "detectors",
    "muted_s",
    "known",
    "last",
    "errors",
    "secrets",
    "denials",
    "images",
    "threats",
    "database",
)
"""Every reading method that can fail."""


def estate() -> Estate:
    """The estate with a week behind it."""
    found = Estate()
    now, quiet = found.clock.now(), found.quiet

    def by_day(low: float, high: float) -> Callable[[datetime], float]:
        """Busiest at 14:00."""
        return lambda at: low + (high - low) * (1 + cos((at.hour - 14) / 12 * pi)) / 2

    def always(value: float) -> Callable[[datetime], float]:
        return lambda at: value

    found.measures = {
        ("orders", "CPUUtilization", "Average"): by_day(18, 83),
        ("orders", "MemoryUtilization", "Average"): by_day(48, 61),
        ("orders", "CPUUtilization", "SampleCount"): lambda at: 60.0 * round(by_day(2, 8)(at)),
        ("stock", "CPUUtilization", "Average"): always(3),
        ("stock", "MemoryUtilization", "Average"): always(31),
        ("stock", "CPUUtilization", "SampleCount"): always(120),
        ("export", "CPUUtilization", "Average"): by_day(2, 38),
        ("export", "MemoryUtilization", "Average"): always(40),
        ("export", "CPUUtilization", "SampleCount"): always(60),
        ("orders", "RequestCount", "Sum"): by_day(2_000, 90_000),
        ("orders", "HTTPCode_Target_5XX_Count", "Sum"): lambda at: 1900.0 if at.hour == 3 else 11.0,
        ("orders", "TargetResponseTime", "p95"): by_day(0.3, 1.4),
        ("orders", "HealthyHostCount", "Maximum"): always(4),
        ("stock", "HealthyHostCount", "Maximum"): always(2),
        ("front-page", "Failed", "Sum"): lambda at: 13.0 if at.hour == 3 else 0.0,
        ("front-page", "Failed", "SampleCount"): always(60),
        ("pool-health", "Failed", "Sum"): always(0),
        ("pool-health", "Failed", "SampleCount"): always(60),
        ("orders-db", "CPUUtilization", "Average"): by_day(22, 71),
        ("orders-db", "DatabaseConnections", "Maximum"): by_day(40, 180),
        ("orders-db", "FreeStorageSpace", "Minimum"): lambda at: 40e9 - 1.1e9 * ((at - now) / timedelta(days=1)),
        ("AWS", "ResourceCount", "Maximum"): by_day(8, 34),
    }
    quiet.shown_lines = (
        *["2026-03-02 03:14:07 ERROR payment gateway timed out after 3000 ms"] * 212,
        *["2026-03-02 03:14:08 ERROR cannot load cart 1234 of user jane.roe@example.com"] * 40,
        *["WARN failed to refresh price list, token=4711abc"] * 3,
    )
    quiet.shown_secrets = {SECRET: SecretFacts(name=SECRET, changed_at=now - timedelta(days=211))}
    quiet.shown_images = (ImageFacts(image="orders@0123456789ab", status="COMPLETE", critical=1, high=4),)
    quiet.shown_calls = (
        CallFacts(
            at=now - timedelta(days=2),
            event="UpdateService",
            source="ecs.amazonaws.com",
            by="assumed-role/dev/jane",
            denied=True,
            own=False,
        ),
    )
    quiet.shown_databases = {"orders-db": DatabaseFacts(status="available")}
    found.insights = QueriesFacts(
        insights=True,
        queries=(
            QueryFacts(statement="SELECT * FROM orders WHERE customer = ? ORDER BY placed_at", sessions=1.42),
            QueryFacts(statement="UPDATE stock SET reserved = reserved + ? WHERE sku = ?", sessions=0.31),
        ),
    )
    found.backups = (
        BackupFacts(kind="rds", of="orders-db", id="a", name="a", at=now - timedelta(hours=26), status="available"),
        BackupFacts(kind="dynamodb", of="carts", id="b", name="b", at=now - timedelta(days=19), status="AVAILABLE"),
    )
    _history(found)
    return found


def _history(found: Estate) -> None:
    """Two incidents, one of them open; a pause, a lease, releases."""
    ledger, clock, now = found.ledger, found.clock, found.clock.now()
    orders = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
    clock._now = now - timedelta(hours=2, minutes=46)
    incident = _opened(found, orders, "responder-shop-orders-error-rate")
    clock.advance(seconds=371)
    looked = NewEvent(fact=Fact.LOOKED_AGAIN, actor="watch", summary="looked")
    ledger.resolve(
        ledger.append(incident, [looked], step="watch", signals_seen=1),
        NewEvent(fact=Fact.INCIDENT_RESOLVED, actor="close", summary="it is well again"),
    )
    clock._now = now - timedelta(minutes=58)
    open_one = _opened(found, orders, "orders-legacy-5xx")
    ledger.append(
        open_one,
        [NewEvent(fact=Fact.ACTION_TAKEN, actor="remediate", summary="floor raised")],
        step="remediate",
        lease=Lease(
            id="floor",
            incident_id=open_one.id,
            service_key=orders.key,
            terms=LeaseTerms(resource_id="service/shop/orders", original=2, value=6, duration_s=1800),
            taken_at=clock.now(),
            due_at=clock.now() + timedelta(minutes=30),
        ),
    )
    clock._now = now
    stock = ServiceRef(region="eu-west-1", cluster="shop", service="stock")
    ledger.set_switch(
        stock, Switch(paused_until=now + timedelta(hours=9), by="jane", reason="moving to the new database", at=now)
    )
    family = "arn:aws:ecs:eu-west-1:123456789012:task-definition/orders"
    for number, state in ((39, ReleaseState.GOOD), (40, ReleaseState.QUARANTINED), (41, ReleaseState.GOOD)):
        ledger.note_release(orders, f"{family}:{number}", at=now - timedelta(days=45 - number))
        ledger.judge_release(orders, f"{family}:{number}", state, reason="seen")


def _opened(found: Estate, ref: ServiceRef, alarm: str) -> Incident:
    signal = Signal(
        kind=SignalKind.ALARM,
        occurred_at=found.clock.now(),
        region=ref.region,
        alarm=alarm,
        state=AlarmState.ALARM,
        cluster=ref.cluster,
        service=ref.service,
    )
    opening = found.ledger.record_signal(signal, ref, may_open=True)
    assert opening.incident_id is not None
    return found.ledger.incident(opening.incident_id)
