"""What the probes read of a service itself, as facts: stored with the incident, and fit to be judged again offline."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from functions.domain.history import Release as Release
from functions.domain.history import ReleaseState as ReleaseState
from functions.domain.model import Model, Moment
from functions.domain.signals import AlarmState


def short(task_definition: str) -> str:
    """`family:revision` of a task definition ARN, as people write it."""
    return task_definition.rsplit("/", 1)[-1]


def brief(task_id: str) -> str:
    """As much of a task's id as tells it from the others of a service, and as its log stream is shown by."""
    return task_id[:8]


def group_name(target_group: str) -> str:
    """The name of a target group, by its ARN (`.../targetgroup/NAME/ID`)."""
    return target_group.rsplit(":", 1)[-1].removeprefix("targetgroup/").partition("/")[0]


class DeploymentFacts(Model):
    """One entry of DescribeServices `deployments` (API reference: Deployment)."""

    id: str
    status: str
    """PRIMARY (the one wanted), ACTIVE (still being replaced) or INACTIVE."""
    rollout_state: str | None
    """IN_PROGRESS, COMPLETED or FAILED; None where ECS does not report it."""
    rollout_reason: str = ""
    task_definition: str
    desired: int
    running: int
    pending: int
    failed: int
    created_at: Moment
    updated_at: Moment | None = None


class ServiceEvent(Model):
    """One service event message, newest first in `ServiceFacts.events`."""

    at: Moment
    message: str


class ServiceFacts(Model):
    """DescribeServices, as far as decisions need it."""

    arn: str
    status: str
    """ACTIVE, DRAINING or INACTIVE."""
    desired: int
    running: int
    pending: int
    task_definition: str
    deployments: tuple[DeploymentFacts, ...]
    events: tuple[ServiceEvent, ...] = ()
    controller: str = "ECS"
    """ECS, CODE_DEPLOY or EXTERNAL; only ECS lets UpdateService change the task definition."""
    strategy: str = "REPLICA"
    circuit_breaker: bool = False
    native_rollback: bool = False
    """Whether the circuit breaker or the deployment alarms may roll back by themselves."""
    target_groups: tuple[str, ...] = ()
    launch_type: str | None = None
    health_check_grace_s: int = 0
    surroundings: str = ""
    """Hash of what UpdateService(taskDefinition) leaves alone: network, load balancers, volumes, platform."""
    security_groups: tuple[str, ...] = ()
    """Ids, in network mode awsvpc."""

    @property
    def primary(self) -> DeploymentFacts | None:
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)

    @property
    def steady(self) -> bool:
        """One deployment, finished, with every task running: what the ECS console calls a steady state."""
        primary = self.primary
        return (
            primary is not None
            and len(self.deployments) == 1
            and primary.rollout_state in (None, "COMPLETED")
            and self.running == self.desired
            and self.pending == 0
        )


class TaskFacts(Model):
    """One task, running or stopped (a stopped one stays visible for at least an hour)."""

    arn: str
    task_definition: str
    last_status: str
    health: str = "UNKNOWN"
    zone: str | None = None
    started_at: Moment | None = None
    stopped_at: Moment | None = None
    stop_code: str | None = None
    stopped_reason: str = ""
    exit_codes: tuple[int, ...] = ()
    container_reasons: tuple[str, ...] = ()
    deployment_id: str | None = None
    """The deployment that started it (`startedBy`)."""
    created_at: Moment | None = None
    address: str | None = None
    """Private IPv4 address of its network interface: how a target group of type ip names it."""

    @property
    def id(self) -> str:
        return self.arn.rsplit("/", 1)[-1]


class TasksFacts(Model):
    running: tuple[TaskFacts, ...]
    stopped: tuple[TaskFacts, ...]
    images: tuple[str, ...] = ()
    """What the running tasks are made of, each once, as `repository@digest`."""


class TargetFacts(Model):
    """One target of a target group (DescribeTargetHealth)."""

    target_group: str
    target: str
    state: str
    """initial, healthy, unhealthy, unused, draining or unavailable."""
    reason: str | None = None
    zone: str | None = None


class TargetsFacts(Model):
    """All targets of all target groups of the service; empty when it has no load balancer."""

    targets: tuple[TargetFacts, ...]

    def healthy(self, target_group: str) -> int:
        return sum(1 for t in self.targets if t.target_group == target_group and t.state == "healthy")

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(sorted({t.target_group for t in self.targets}))


class AlarmFacts(Model):
    """One alarm as DescribeAlarms shows it now, with what its own metric says."""

    name: str
    arn: str
    state: AlarmState
    since: Moment
    """When it entered this state."""
    reason: str = ""
    composite: bool = False
    children: tuple[str, ...] = ()
    period_s: int = 60
    evaluation_periods: int = 1
    breaching_now: bool | None = None
    """Whether the alarm's own metric breaches, asked from the metric itself because SetAlarmState can fake a state.

    None when there is no data or the alarm's kind (composite, anomaly) cannot be re-evaluated here.
    """
    actions: tuple[str, ...] | None = None
    """ARNs of what it does when its state changes; None where nobody could say."""
    demands: str = ""
    """What the synthetic check behind it demands, in a sentence; empty for every other alarm."""

    @property
    def window_s(self) -> int:
        """Seconds the alarm itself looks back: evaluation periods times period."""
        return self.period_s * self.evaluation_periods


class AlarmsFacts(Model):
    """The alarms of the incident; `gone` are those that no longer exist."""

    alarms: tuple[AlarmFacts, ...]
    gone: tuple[str, ...] = ()
    of_cost: tuple[str, ...] = ()
    """Names of those that tell of many tasks: users feel nothing of what they tell."""

    @property
    def all_ok(self) -> bool:
        """Every alarm known to be OK; an alarm that was deleted, or has no data, is not OK."""
        return not self.gone and all(a.state is AlarmState.OK for a in self.alarms)

    @property
    def window_s(self) -> int:
        """The longest window among the alarms, in seconds; 300 where no alarm opened the incident."""
        return max((a.window_s for a in self.alarms), default=300)


class Metric(StrEnum):
    """The metrics the responder compares now against before, under the names AWS gives them."""

    REQUESTS = "RequestCount"
    TARGET_5XX = "HTTPCode_Target_5XX_Count"
    ELB_5XX = "HTTPCode_ELB_5XX_Count"
    LATENCY = "TargetResponseTime"
    LATENCY_P95 = "TargetResponseTime p95"
    """What 95 % of the requests keep to. Not a metric of that name, but a statistic of it."""
    HEALTHY_HOSTS = "HealthyHostCount"
    CPU = "CPUUtilization"
    MEMORY = "MemoryUtilization"
    TASKS = "RunningTaskCount"
    """How many tasks reported their CPU in a minute, on average: the sample count of CPUUtilization (ECS Developer
    Guide, "Amazon ECS CloudWatch metrics", Service RUNNING task count). Not a metric of that name."""


class MetricWindow(Model):
    """One metric in two windows. Counts are per second, latency in seconds, utilisation in percent, hosts a number.

    A window without data is None: for a count that usually means nothing happened, but that is for the judge to say.
    """

    now: float | None
    before: float | None
    preceding: float | None = None
    """Just before the newest deployment began: trouble that was there already is not that deployment's."""
    latest: float | None = None
    """In the newest whole period alone: it shows first what began, and first what is over."""


class MetricsFacts(Model):
    """Metrics just before now against metrics before the trouble began, with the length of both windows in seconds."""

    onset: Moment
    now_s: int
    before_s: int
    metrics: Mapping[Metric, MetricWindow]
    by_zone: Mapping[str, Mapping[Metric, float]] = {}
    """REQUESTS and TARGET_5XX just now, per second, by Availability Zone (name): the load balancer counts them by the
    zone of the target as well. Zones without a data point are left out."""

    def now(self, metric: Metric) -> float | None:
        window = self.metrics.get(metric)
        return None if window is None else window.now

    def before(self, metric: Metric) -> float | None:
        window = self.metrics.get(metric)
        return None if window is None else window.before

    def preceding(self, metric: Metric) -> float | None:
        window = self.metrics.get(metric)
        return None if window is None else window.preceding

    def latest(self, metric: Metric) -> float | None:
        window = self.metrics.get(metric)
        return None if window is None else window.latest


class TrackingPolicyFacts(Model):
    """A target tracking policy (Application Auto Scaling API reference, ScalingPolicy)."""

    name: str
    metric: str
    """The predefined metric, for example ECSServiceAverageCPUUtilization; `custom` for another one."""
    target: float


class ScalingActivityFacts(Model):
    """One scaling activity, also one that did not scale."""

    at: Moment
    description: str
    status: str
    cause: str = ""
    not_scaled: tuple[str, ...] = ()
    """Codes such as AlreadyAtMaxCapacity."""


class ScalingFacts(Model):
    """The scalable target of the service's desired count; `registered` is False where there is none."""

    registered: bool
    resource_id: str = ""
    minimum: int = 0
    maximum: int = 0
    scale_out_suspended: bool | None = None
    """None where the API does not say."""
    scale_in_suspended: bool | None = None
    not_scaled_reasons: tuple[str, ...] | None = ()
    """Codes like AlreadyAtMaxCapacity, newest activity first; None where the activities could not be read."""
    policies: tuple[TrackingPolicyFacts, ...] | None = ()
    """Those that track a target; None where they could not be read."""
    by_hand: bool = False
    """AWS has no policy of any kind for it: no load changes the count within the range."""
    activities: tuple[ScalingActivityFacts, ...] | None = ()
    """Newest first; None where they could not be read."""


class ServiceDeploymentFacts(Model):
    """One entry of DescribeServiceDeployments (kept for 90 days)."""

    arn: str
    status: str
    created_at: Moment
    finished_at: Moment | None = None
    target_revision: str | None = None
    rollback_revision: str | None = None
    rollback_reason: str = ""
    triggered_alarms: tuple[str, ...] = ()
    status_reason: str = ""
    breaker: str | None = None
    """MONITORING, MONITORING_COMPLETE, TRIGGERED or DISABLED; None where ECS does not say."""
    failures: int = 0
    """Tasks that failed, as the circuit breaker counts them."""
    failures_limit: int | None = None

    ONGOING: ClassVar[tuple[str, ...]] = (
        "PENDING",
        "IN_PROGRESS",
        "STOP_REQUESTED",
        "ROLLBACK_REQUESTED",
        "ROLLBACK_IN_PROGRESS",
    )

    @property
    def ongoing(self) -> bool:
        return self.status in self.ONGOING

    @property
    def rolling_back(self) -> bool:
        return self.status in ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


class RevisionFacts(Model):
    """One service revision (DescribeServiceRevisions): what a deployment wants to run, without the desired count."""

    arn: str
    task_definition: str
    image_digests: tuple[str, ...] = ()
    images: Mapping[str, str] = {}
    """By container, the digest of its image, as far as ECS tells."""
    surroundings: str = ""
    """Hash of everything but the task definition: network, load balancers, Service Connect, volumes, platform."""
    created_at: Moment | None = None


class ChosenRelease(Model):
    """The release that an operator named, if the service may be set to it."""

    task_definition: str | None = None
    reason: str
    """What speaks for it, or why not."""
    active: bool = True
    differs_beyond_task_definition: bool | None = None


class ReleasesFacts(Model):
    """The release that runs, those before it, and where to go back to."""

    current: str
    current_since: Moment
    returned: bool = False
    """The current release is a good one that was deployed again: a rollback or a redeployment, not a new release."""
    history: tuple[Release, ...] = ()
    """The responder's own history, newest first."""
    service_deployments: tuple[ServiceDeploymentFacts, ...] = ()
    """Newest first; empty where the account or the emulator keeps none."""
    revisions: tuple[RevisionFacts, ...] = ()
    last_known_good: str | None = None
    last_known_good_reason: str = ""
    """Why this one, or why there is none."""
    last_known_good_active: bool = True
    """False when it was deregistered (INACTIVE) and has to be registered again first."""
    differs_beyond_task_definition: bool | None = None
    """Whether network, load balancers or volumes changed too; None where nobody kept a record."""
    changed_during_incident: bool = False
    """A deployment began after the incident did, and it is not one of ours: a person or a pipeline is at work."""
    deployed_by_us: bool = False
    """The newest deployment is one that an action of this incident began."""
    chosen: ChosenRelease | None = None
    """Where an operator wants to go, if one was named."""

    @property
    def in_flight(self) -> ServiceDeploymentFacts | None:
        return next((d for d in self.service_deployments if d.ongoing), None)
