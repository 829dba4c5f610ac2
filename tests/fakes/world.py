"""A small ECS service that answers, changes and recovers, behind the ports. Time is the test's."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event

from functions.domain.approvals import Answer
from functions.domain.changes import (
    BackUpTable,
    BlockAddress,
    CallWebhook,
    Change,
    ChangeResult,
    DeregisterTarget,
    DisableUser,
    ForceNewDeployment,
    IpSet,
    MuteAlarm,
    RegisterCopy,
    ScaleToZero,
    SetCeiling,
    SetCount,
    SetFloor,
    SetStickiness,
    SetTaskDefinition,
    SetTracking,
    ShiftZone,
    SnapshotDatabase,
    StopDeployment,
    StopTask,
    UnblockAddress,
    UnmuteAlarm,
)
from functions.domain.circumstances import AlarmHistoryFacts, ContainerFacts, TaskDefinitionFacts
from functions.domain.errors import ChangeFailed, ReadFailed
from functions.domain.evidence import (
    AlarmFacts,
    DeploymentFacts,
    Metric,
    RevisionFacts,
    ScalingFacts,
    ServiceDeploymentFacts,
    ServiceFacts,
    TargetFacts,
    TaskFacts,
    TasksFacts,
    TrackingPolicyFacts,
    short,
)
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.domain.validation import AlarmWiring, MonitoringFacts
from functions.ports import Measure, MetricsQuery, Page, Points, Readers, Series
from functions.workflow.validation import Validator
from tests.fakes.clock import FakeClock
from tests.fakes.quiet import Quiet

REF = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
FAMILY = "arn:aws:ecs:eu-west-1:000000000000:task-definition/orders"
V1, V2, V3 = f"{FAMILY}:1", f"{FAMILY}:2", f"{FAMILY}:3"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/orders/0123456789abcdef"
BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/shop/0123456789abcdef"

CALM = {
    Metric.REQUESTS: 600.0,
    Metric.TARGET_5XX: 0.0,
    Metric.LATENCY: 0.12,
    Metric.LATENCY_P95: 0.4,
    Metric.HEALTHY_HOSTS: 2.0,
    Metric.CPU: 35.0,
    Metric.MEMORY: 40.0,
    Metric.TASKS: 2.0,
}
"""One minute of an ordinary day: ten requests a second, none fails."""


def _slow(mean_s: float) -> dict[Metric, float]:
    return {Metric.LATENCY: mean_s, Metric.LATENCY_P95: 3 * mean_s}


@dataclass
class World:
    """The service and its surroundings. A test sets what is wrong, and which changes help."""

    clock: FakeClock
    running: int = 2
    desired: int = 2
    task_definition: str = V1
    deployed_at: datetime | None = None
    deployment: int = 1
    rollout: str = "COMPLETED"
    failed_tasks: int = 0
    status: str = "ACTIVE"
    controller: str = "ECS"
    bad: set[str] = field(default_factory=set)
    """Task definitions that answer with errors."""
    stuck: bool = False
    targets_down: bool = False
    """The load balancer finds no target healthy."""
    late_targets: bool = False
    """No target answers its health check in time."""
    groups: tuple[str, ...] = ()
    """Security groups of the tasks."""
    database_down: bool = False
    database_alarms: set[str] = field(default_factory=lambda: {"orders-db-unreachable"})
    """Names of the alarms that follow the database; every other alarm follows the service."""
    secrets: tuple[str, ...] = ()
    """What the task definitions name."""
    reason: str = ""
    """What every alarm gives as its reason."""
    load: float = 1.0
    minimum: int = 2
    maximum: int = 10
    tracking: float | None = None
    by_hand: bool = False
    """Target of the policy `cpu`; None where there is none."""
    has_scaling: bool = True
    in_flight: ServiceDeploymentFacts | None = None
    inactive: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    """Names of reading methods that fail."""
    faked_alarm: bool = False
    """The alarm says ALARM although its metric is fine, as after SetAlarmState."""
    fails_check: set[str] = field(default_factory=set)
    """Task definitions that look well in every metric, but not to whoever checks them from outside."""
    stays_broken: bool = False
    """No change helps."""
    changes: list[Change] = field(default_factory=list)
    failing_changes: list[ChangeFailed] = field(default_factory=list)
    """What the next changes raise, before anything happens."""
    lost_answers: list[ChangeFailed] = field(default_factory=list)
    """What the next changes raise after they happened."""
    helpful_webhooks: set[str] = field(default_factory=set)
    """Names of the webhooks that let tasks work again."""
    muted: dict[str, int] = field(default_factory=dict)
    """By alarm, for how many seconds."""
    alarm_actions: tuple[str, ...] | None = ("arn:aws:sns:eu-west-1:000000000000:on-call",)
    muted_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By alarm, the mute rules of others."""
    switched_off: set[str] = field(default_factory=set)
    """Alarms whose actions are disabled."""
    deleted_alarms: set[str] = field(default_factory=set)
    """Alarms that whoever asks what watches the service does not find."""
    dashboard_there: bool = True
    waits_for: Event | None = None
    """Whoever asks what watches the service is not answered before that."""
    monitoring_unread: tuple[str, ...] = ()
    """What of mute rules and dashboards cannot be read."""
    flaps: int = 0
    """How often each alarm went off lately, besides the last time."""
    restored: list[Change] = field(default_factory=list)
    """What was given back."""
    watching: Callable[[Change], None] | None = None
    """Called with every change before it has an effect."""
    watching_back: Callable[[Change], None] | None = None
    """The same, for what is given back."""
    meanwhile: list[Callable[[], None]] = field(default_factory=list)
    """What happens while somebody reads the service, one at a time."""
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """What happens right after a change had its effect, before its answer arrives."""
    elsewhere: dict[str, Points] = field(default_factory=dict)
    """What is measured elsewhere, by the name of the metric; nothing by default."""
    blocked: list[str] = field(default_factory=list)
    """What is in the IP set, whoever put it there."""
    disabled: list[str] = field(default_factory=list)
    """Users who may not sign in."""
    previous: str = V1
    """The task definition that ran before the deployment in flight."""
    alarm_changed_at: datetime | None = None
    quiet: Quiet = field(default_factory=Quiet)
    """What surrounds the service."""
    database_changed_at: datetime | None = None
    _database_was_down: bool = False
    _was_alarming: bool = False

    def __post_init__(self) -> None:
        self.start = self.clock.now() - timedelta(hours=6)
        if self.deployed_at is None:
            self.deployed_at = self.start

    @property
    def unwell(self) -> bool:
        return (
            self.task_definition in self.bad
            or self.stuck
            or self.database_down
            or self.load * 2 > self.running * 1.5
            or self.rollout == "FAILED"
        )

    def ship(self, task_definition: str) -> None:
        """A pipeline deploys, and the deployment completes at once."""
        self.task_definition = task_definition
        self._deploy()

    def begin_shipping(self, task_definition: str) -> None:
        """A pipeline deploys, and the deployment goes on until `finish_shipping`."""
        self.previous = self.task_definition
        self.task_definition = task_definition
        self._deploy()
        self.rollout = "IN_PROGRESS"
        self.failed_tasks = 3 if task_definition in self.bad else 0
        self.in_flight = ServiceDeploymentFacts(
            arn=f"arn:aws:ecs:eu-west-1:000000000000:service-deployment/shop/orders/{self.deployment}",
            status="IN_PROGRESS",
            created_at=self.clock.now(),
        )

    def finish_shipping(self) -> None:
        """The circuit breaker gives up on a bad release; every other deployment completes."""
        self.in_flight = None
        self.rollout = "FAILED" if self.task_definition in self.bad else "COMPLETED"

    def _deploy(self) -> str:
        self.deployment += 1
        self.deployed_at = self.clock.now()
        self.rollout = "COMPLETED"
        self.failed_tasks = 0
        self.in_flight = None
        return f"ecs-svc/{self.deployment}"

    def _may(self, call: str) -> None:
        if call in self.unreadable:
            raise ReadFailed(f"{call} is throttled")

    @property
    def validator(self) -> Validator:
        """What asks after a recovery."""
        return Validator(reader=self, metrics=self, monitoring=self, clock=self.clock, threads=ThreadPoolExecutor)

    @property
    def readers(self) -> Readers:
        return self.quiet.readers(service=self, metrics=self)

    # --- ServiceReader

    def services(self, refs: Sequence[ServiceRef]) -> Mapping[ServiceRef, ServiceFacts | None]:
        """Nothing together: whoever asks has to ask for each by itself."""
        return {}

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        if self.meanwhile:
            self.meanwhile.pop()()
        self._may("service")
        assert self.deployed_at is not None
        return ServiceFacts(
            arn=f"arn:aws:ecs:{ref.region}:000000000000:service/{ref.cluster}/{ref.service}",
            status=self.status,
            desired=self.desired,
            running=self.running,
            pending=0,
            task_definition=self.task_definition,
            controller=self.controller,
            target_groups=(GROUP,),
            surroundings="as always",
            security_groups=self.groups,
            deployments=(
                DeploymentFacts(
                    id=f"ecs-svc/{self.deployment}",
                    status="PRIMARY",
                    rollout_state=self.rollout,
                    task_definition=self.task_definition,
                    desired=self.desired,
                    running=self.running,
                    pending=0,
                    failed=self.failed_tasks,
                    created_at=self.deployed_at,
                ),
            ),
        )

    def tasks(self, ref: ServiceRef) -> TasksFacts:
        self._may("tasks")
        return TasksFacts(
            running=tuple(
                TaskFacts(
                    arn=f"task/{n}",
                    task_definition=self.task_definition,
                    last_status="RUNNING",
                    started_at=self.deployed_at,
                )
                for n in range(self.running)
            ),
            stopped=(),
        )

    def service_deployments(self, ref: ServiceRef) -> Sequence[ServiceDeploymentFacts]:
        self._may("service_deployments")
        return () if self.in_flight is None else (self.in_flight,)

    def revisions(self, arns: Sequence[str]) -> Sequence[RevisionFacts]:
        return ()

    def task_definition_status(self, task_definition: str) -> str:
        return "INACTIVE" if task_definition in self.inactive else "ACTIVE"

    def targets(self, target_groups: Sequence[str]) -> Sequence[TargetFacts]:
        self._may("targets")
        unhealthy = self.targets_down or self.late_targets
        return tuple(
            TargetFacts(
                target_group=group,
                target=f"10.0.0.{n}:8080",
                state="unhealthy" if unhealthy else "healthy",
                reason="Target.Timeout" if self.late_targets else None,
            )
            for group in target_groups
            for n in range(self.running)
        )

    def load_balancer(self, target_group: str) -> str | None:
        return BALANCER

    def definition(self, task_definition: str) -> TaskDefinitionFacts:
        self._may("definition")
        return TaskDefinitionFacts(
            task_definition=f"{FAMILY.rpartition('/')[0]}/{short(task_definition)}",
            cpu=512,
            memory_mib=1024,
            ports=(8080,),
            secrets=self.secrets,
            task_role="arn:aws:iam::000000000000:role/service/orders-task",
            log_groups=("/ecs/orders",),
            log_prefixes=("orders",),
            containers=(ContainerFacts(name="app", image=f"orders:{task_definition.rpartition(':')[2]}"),),
        )

    def scaling(self, ref: ServiceRef, *, resource_id: str | None = None) -> ScalingFacts:
        self._may("scaling")
        if not self.has_scaling:
            return ScalingFacts(registered=False)
        return ScalingFacts(
            registered=True,
            resource_id=f"service/{ref.cluster}/{ref.service}",
            minimum=self.minimum,
            maximum=self.maximum,
            policies=() if self.tracking is None else (_policy(self.tracking),),
            by_hand=self.by_hand,
        )

    # --- MetricsReader

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        self._may("alarms")
        self.settle_alarm()
        return tuple(self._alarm(name) for name in names)

    def states(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        return tuple(alarm.model_copy(update={"breaching_now": None}) for alarm in self.alarms(names))

    def settle_alarm(self) -> bool:
        """Let the alarm follow the service; whether it is in ALARM now."""
        if self.database_down != self._database_was_down:
            self._database_was_down, self.database_changed_at = self.database_down, self.clock.now()
        alarming = self.unwell or self.faked_alarm or self.task_definition in self.fails_check
        if alarming != self._was_alarming or self.alarm_changed_at is None:
            self._was_alarming = alarming
            self.alarm_changed_at = self.clock.now()
        return alarming

    def _alarm(self, name: str) -> AlarmFacts:
        assert self.alarm_changed_at is not None
        since = self.alarm_changed_at
        if name in self.database_alarms:
            since = self.database_changed_at or self.start
            state = AlarmState.ALARM if self.database_down else AlarmState.OK
            breaching = self.database_down
        else:
            state = AlarmState.ALARM if self._was_alarming else AlarmState.OK
            breaching = self.unwell or self.task_definition in self.fails_check
        return AlarmFacts(
            name=name,
            arn=f"arn:aws:cloudwatch:eu-west-1:000000000000:alarm:{name}",
            state=state,
            reason=self.reason,
            since=since,
            period_s=60,
            evaluation_periods=2,
            breaching_now=breaching,
            actions=self.alarm_actions,
            demands="https://shop.example.com/pools has to answer 200 within 5 s" if "-check-" in name else "",
        )

    def muted_s(self, alarm: str) -> int:
        self._may("muted_s")
        return self.muted.get(alarm, 0)

    def alarm_history(self, names: Sequence[str], *, since: datetime) -> AlarmHistoryFacts:
        self._may("alarm_history")
        spoke = self.alarm_changed_at
        lately = (spoke,) * (1 + self.flaps) if spoke is not None and self._was_alarming and spoke >= since else ()
        return AlarmHistoryFacts(since=since, went_off=dict.fromkeys(names, lately))

    def series(self, query: MetricsQuery) -> Series:
        self._may("series")
        now = self._metrics()
        trouble = self.alarm_changed_at if self._was_alarming else None
        # A release fails nothing before it was there.
        begins = self.deployed_at if self.task_definition in self.bad else None
        points: dict[Metric, list[tuple[datetime, float]]] = {metric: [] for metric in CALM}
        at = query.start
        while at < query.end:
            recent = at >= query.end - timedelta(seconds=3 * query.period_s) and (begins is None or at >= begins)
            values = now if recent and (trouble is None or self.unwell) else CALM
            for metric, value in values.items():
                points[metric].append((at, value))
            at += timedelta(seconds=query.period_s)
        return Series(metrics=points)

    def measured(self, measures: Sequence[Measure], *, start: datetime, end: datetime) -> Sequence[Points]:
        self._may("measured")
        answers = [(end - timedelta(minutes=n), CALM[Metric.LATENCY]) for n in (4, 3, 2, 1)]
        usual = {Metric.LATENCY.value: answers}
        return [
            [(at, v) for at, v in self.elsewhere.get(m.metric, usual.get(m.metric, ())) if start <= at < end]
            for m in measures
        ]

    def _metrics(self) -> dict[Metric, float]:
        values = dict(CALM)
        values[Metric.REQUESTS] *= self.load
        values[Metric.CPU] = min(100.0, values[Metric.CPU] * self.load * 2 / max(1, self.running))
        values |= {Metric.HEALTHY_HOSTS: float(self.running), Metric.TASKS: float(self.running)}
        requests = values[Metric.REQUESTS]
        if self.task_definition in self.bad:
            values[Metric.TARGET_5XX] = requests * 0.4
        elif self.database_down:
            values |= {Metric.TARGET_5XX: requests * 0.9, Metric.CPU: 12.0}
        elif self.stuck:
            values |= {Metric.TARGET_5XX: requests * 0.5, Metric.CPU: 3.0, **_slow(10.0)}
        elif self.unwell:
            values |= {Metric.TARGET_5XX: requests * 0.2, Metric.CPU: 97.0, **_slow(3.0)}
        return values

    # --- MonitoringReader

    def monitoring(self, alarms: Sequence[str], *, dashboard: str | None) -> MonitoringFacts:
        self._may("monitoring")
        if self.waits_for is not None:
            self.waits_for.wait(timeout=10)
        return MonitoringFacts(
            alarms={
                name: AlarmWiring(name=name, actions_enabled=name not in self.switched_off, has_actions=True)
                for name in alarms
                if name not in self.deleted_alarms
            },
            muted_by={name: rules for name, rules in self.muted_by.items() if name in alarms},
            dashboard=None if dashboard is None else self.dashboard_there,
            unread=self.monitoring_unread,
        )

    # --- IpSetReader

    def holds(self, ip_set: IpSet, address: str) -> bool:
        self._may("ip_set")
        return address in self.blocked

    # --- ServiceChanger

    def apply(self, ref: ServiceRef, change: Change) -> ChangeResult:
        if self.watching is not None:
            self.watching(change)
        if self.failing_changes:
            raise self.failing_changes.pop(0)
        self.changes.append(change)
        return self.answered(change)

    def answered(self, change: Change) -> ChangeResult:
        result = self._applied(change)
        if self.afterwards:
            self.afterwards.pop()()
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return result

    def _applied(self, change: Change) -> ChangeResult:
        match change:
            case ForceNewDeployment():
                self.stuck = self.stuck and self.stays_broken
                return ChangeResult(made=self._deploy())
            case SetTaskDefinition(task_definition=wanted):
                self.task_definition = wanted
                if self.stays_broken:
                    self.bad.add(wanted)
                return ChangeResult(made=self._deploy())
            case RegisterCopy():
                return ChangeResult(made=f"{FAMILY}:99")
            case StopDeployment():
                self.task_definition = self.previous
                return ChangeResult(made=self._deploy())
            case SetFloor(minimum=minimum):
                self.minimum = minimum
                if not self.stays_broken:
                    self.desired = self.running = max(self.desired, minimum)
                return ChangeResult()
            case SetCeiling(maximum=maximum, minimum=floor):
                self.maximum = maximum
                self.minimum = self.minimum if floor is None else floor
                self.desired = self.running = max(self.minimum, min(self.desired, maximum))
                return ChangeResult()
            case SetTracking(target=target):
                self.tracking = target
                return ChangeResult()
            case SetCount(count=count):
                self.desired = self.running = count
                return ChangeResult()
            case ScaleToZero():
                self.desired = self.running = 0
                return ChangeResult()
            case BlockAddress(address=address):
                self.blocked.append(address)
                return ChangeResult()
            case UnblockAddress(address=address):
                self.blocked.remove(address)
                return ChangeResult()
            case DisableUser(user=user):
                self.disabled.append(user)
                return ChangeResult()
            case DeregisterTarget() | StopTask() | ShiftZone() | SetStickiness():
                return ChangeResult()
            case BackUpTable(backup=name) | SnapshotDatabase(snapshot=name):
                return ChangeResult(made=name)
            case MuteAlarm(alarm=alarm, duration_s=duration):
                self.muted[alarm] = duration
                return ChangeResult()
            case UnmuteAlarm(alarm=alarm):
                self.muted.pop(alarm, None)
                return ChangeResult()
            case CallWebhook(webhook=name):
                self.stuck = self.stuck and name not in self.helpful_webhooks
                return ChangeResult(answer="200: done")

    @property
    def giving_back(self) -> "GivingBack":
        """The changer of whoever ends leases: what it changes is no answer to trouble."""
        return GivingBack(self)


def _policy(target: float) -> TrackingPolicyFacts:
    return TrackingPolicyFacts(name="cpu", metric="ECSServiceAverageCPUUtilization", target=target)


@dataclass
class GivingBack:
    world: World

    def apply(self, ref: ServiceRef, change: Change) -> ChangeResult:
        if self.world.watching_back is not None:
            self.world.watching_back(change)
        if self.world.failing_changes:
            raise self.world.failing_changes.pop(0)
        self.world.restored.append(change)
        return self.world.answered(change)


@dataclass
class FakeExecutions:
    """Step Functions as a list of what was started; a test runs them with `tests.fakes.engine`."""

    started: list[tuple[str, int, str]] = field(default_factory=list)
    ended: set[tuple[str, int]] = field(default_factory=set)
    listening: str | None = None
    """The token of the one execution that may listen."""
    woken: list[tuple[str, str]] = field(default_factory=list)

    def wake(self, token: str, outcome: str) -> bool:
        if token != self.listening:
            return False
        self.listening = None
        self.woken.append((token, outcome))
        return True

    def start(self, incident: str, generation: int, *, step: str = "assess") -> bool:
        if any((i, g) == (incident, generation) for i, g, _ in self.started):
            return False
        self.started.append((incident, generation, step))
        return True

    def running(self, incident: str, generation: int) -> bool:
        known = any((i, g) == (incident, generation) for i, g, _ in self.started)
        return known and (incident, generation) not in self.ended


@dataclass
class FakeNotifier:
    pages: list[Page] = field(default_factory=list)

    failing: bool = False
    """The topic takes nothing."""

    @property
    def news(self) -> list[Page]:
        """What was sent, but for the updates that were promised."""
        return [page for page in self.pages if page.attributes["kind"] != "update"]

    @property
    def updates(self) -> list[Page]:
        return [page for page in self.pages if page.attributes["kind"] == "update"]

    def publish(self, page: Page) -> str:
        if self.failing:
            raise ReadFailed("the topic takes nothing")
        self.pages.append(page)
        return f"message-{len(self.pages)}"


@dataclass
class FakeAnswers:
    """The one execution that may be waiting, by its token, and what it was told."""

    waiting: str | None = None
    said: Answer | None = None

    def deliver(self, token: str, answer: Answer) -> bool:
        if token != self.waiting:
            return False
        self.waiting, self.said = None, answer
        return True
