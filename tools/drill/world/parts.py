"""The things that ECS keeps of a service: releases, revisions, deployments, service deployments and tasks."""

from dataclasses import dataclass, field

from tools.drill.world.serving import UNHANDLED, Conduct

PENDING, IN_PROGRESS = "PENDING", "IN_PROGRESS"
ROLLBACK_REQUESTED, ROLLBACK_IN_PROGRESS = "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"
STOP_REQUESTED, STOPPED, SUCCESSFUL = "STOP_REQUESTED", "STOPPED", "SUCCESSFUL"
ROLLBACK_SUCCESSFUL, ROLLBACK_FAILED = "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"
ONGOING = frozenset({PENDING, IN_PROGRESS, STOP_REQUESTED, ROLLBACK_REQUESTED, ROLLBACK_IN_PROGRESS})
"""Statuses of service deployments that are not finished (ECS API reference, ServiceDeployment)."""


@dataclass(kw_only=True)
class Release:
    """A task definition, and how its tasks behave."""

    arn: str
    number: int
    image: str
    digest: str
    conduct: Conduct
    start: str = "fine"
    """fine, dies-at-start, image-missing, secret-missing or never-runs."""
    lives_s: float | None = None
    """After how long a task dies by itself."""
    leak_percent_per_s: float = 0.0
    leaks_from_s: float = float("-inf")
    checkable: bool = True
    """Whether the health check asks the right port."""
    bad: str | None = None
    """What is wrong with it, for the truth."""
    active: bool = True
    """False once it is deregistered: INACTIVE."""
    registered_s: float = 0.0
    cpu: int = 256
    """CPU units of a task."""
    memory_mib: int = 512
    secrets: tuple[str, ...] = ()
    """`valueFrom` of its secrets: ARNs of Secrets Manager or of SSM parameters."""
    last_words: str = "Fatal: unrecoverable error, shutting down"
    """What a task writes that ends by itself. One that the kernel kills writes nothing."""

    def enlarged(self, *, cpu: int, memory_mib: int) -> None:
        """Let its tasks be of another size: twice the CPU carries twice the requests, and the same leak fills twice the
        memory in twice the time."""
        self.conduct = self.conduct._replace(capacity_rps=self.conduct.capacity_rps * cpu / self.cpu)
        self.leak_percent_per_s *= self.memory_mib / memory_mib
        self.cpu, self.memory_mib = cpu, memory_mib


@dataclass(kw_only=True)
class Stickiness:
    """Whether the load balancer sends a user to the same task again, by a cookie of its own."""

    enabled: bool = False
    duration_s: int = 86_400


@dataclass(kw_only=True)
class Revision:
    """A service revision: what one service deployment wants to run. A rollback makes none."""

    arn: str
    release: Release
    created_s: float


@dataclass(kw_only=True, eq=False)
class ServiceDeployment:
    """The record of a deployment, which also tells its rollback."""

    arn: str
    status: str
    created_s: float
    started_s: float | None = None
    finished_s: float | None = None
    updated_s: float
    source: Revision | None
    target: Revision
    reason: str | None = None
    rollback_reason: str | None = None
    rollback_started_s: float | None = None
    rollback_to: Revision | None = None
    breaker: str = "MONITORING"
    """MONITORING, MONITORING_COMPLETE, TRIGGERED or DISABLED."""
    failures: int = 0
    """Failed tasks since the last one that became healthy: what the circuit breaker counts."""
    threshold: int = 3
    alarms: tuple[str, ...] = ()
    """Alarms that are watched; none where one was in ALARM when the deployment began."""
    triggered: tuple[str, ...] = ()


@dataclass(kw_only=True, eq=False)
class Deployment:
    """An entry of DescribeServices `deployments`."""

    id: str
    revision: Revision
    record: ServiceDeployment
    created_s: float
    updated_s: float
    desired: int
    status: str = "PRIMARY"
    rollout: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed: int = 0
    """Tasks that failed to start or to stay up: DescribeServices `failedTasks`."""
    baked_s: float | None = None
    """When its tasks were all there, with alarms still to be watched."""

    @property
    def release(self) -> Release:
        return self.revision.release


@dataclass(kw_only=True, eq=False, slots=True)
class Task:
    """One task from PROVISIONING to STOPPED, with its target behind the load balancer."""

    ordinal: int
    kind: str
    """Its release. What chance gives a task hangs on its release and on its place among the tasks of that, so that a
    deployment by somebody does not give the tasks of another one other chances."""
    place: int
    id: str
    arn: str
    deployment: Deployment
    zone: str
    created_s: float
    pace: float = 1.0
    """How much longer than others of its release it lives, where tasks die by themselves."""
    status: str = "PROVISIONING"
    started_s: float | None = None
    stopping_s: float | None = None
    stopped_s: float | None = None
    stop_code: str | None = None
    stopped_reason: str = ""
    container_reason: str | None = None
    exit_code: int | None = None
    target: str | None = None
    """initial, healthy, unhealthy or draining; None where it is not registered."""
    target_reason: str | None = None
    passed: int = 0
    missed: int = 0
    next_check_s: float = 0.0
    condemned: bool = False
    """ECS has decided to replace it, because the load balancer finds it unhealthy."""
    stuck: bool = False
    unchecked: bool = False
    """Its health check fails for a reason of its own."""
    failing: float = 0.0
    complaint: str = UNHANDLED
    """What it writes of the requests that it fails by itself."""
    dead: bool = False
    reregistered: bool = False
    """ECS has registered its target once more after somebody deregistered it."""
    first_healthy_s: float | None = None
    version: int = field(default=1)

    @property
    def release(self) -> Release:
        return self.deployment.revision.release

    @property
    def alive(self) -> bool:
        """On its way up or running: what the scheduler counts."""
        return self.stopping_s is None and self.stopped_s is None

    @property
    def running(self) -> bool:
        return self.status == "RUNNING"

    @property
    def good(self) -> bool:
        return self.alive and not self.condemned

    @property
    def healthy(self) -> bool:
        return self.alive and self.target == "healthy" and not self.condemned
