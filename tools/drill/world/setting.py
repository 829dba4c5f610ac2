"""What a scenario may say of the world.

Units stand in the names: `_s` seconds, `_rps` requests per second, `_percent` percent. A time is counted from the
beginning of the run. A number may be written as a range `[low, high]`, from which each seed draws its own value.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from functions.playbooks.schema import Statistic, Symptom


class Part(BaseModel):
    """Frozen, and an unknown key is an error: a misspelt fault must never be a fault that does not happen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _in_order(number: float | tuple[float, float]) -> float | tuple[float, float]:
    if isinstance(number, tuple) and number[0] > number[1]:
        raise ValueError(f"{list(number)} is no range: write the lower number first")
    return number


def _positive(number: float | tuple[float, float]) -> float | tuple[float, float]:
    if (number[0] if isinstance(number, tuple) else number) < 0:
        raise ValueError("it cannot be negative")
    return number


Number = Annotated[float | tuple[float, float], AfterValidator(_positive), AfterValidator(_in_order)]
"""A number that is not negative, or a range `[low, high]` from which a seed draws."""


def extreme(number: Number, *, low: bool = False) -> float:
    """A number that a scenario gives, or one end of its range: whoever prepares, prepares for the worst seed."""
    return number[0 if low else 1] if isinstance(number, tuple) else number


class Spike(Part):
    """More, or less, traffic for a while."""

    shape: Literal["spike"] = "spike"
    at_s: Number
    factor: Number
    """How many times the traffic there would be without it."""
    ramp_s: Number = 60
    """How long it takes to rise, and to fall again."""
    lasts_s: Number | None = None
    """From its beginning to the beginning of its fall; without it, it stays."""


class Daily(Part):
    """The swing of a day, as a sine around the base."""

    shape: Literal["daily"] = "daily"
    swing_percent: Number
    """How far it goes up and down from the base."""
    period_s: Number = 86_400
    peak_s: Number = 0
    """When the top is reached."""


class Traffic(Part):
    """What users send."""

    base_rps: Number
    curve: tuple[Annotated[Spike | Daily, Field(discriminator="shape")], ...] = ()
    noise_percent: Number = 5
    """How far a minute strays from the curve, at most."""
    retries: Annotated[int, Field(ge=0, le=5)] = 0
    """How often a client tries again what failed. Every retry is load, too."""


class HealthCheck(Part):
    """The target group's health check, and how long the service waits for a new task."""

    interval_s: Number = 30
    healthy: Annotated[int, Field(ge=1, le=10)] = 2
    """Successes in a row until a target counts as healthy."""
    unhealthy: Annotated[int, Field(ge=1, le=10)] = 3
    """Failures in a row until it counts as unhealthy."""
    grace_s: Number = 60
    """The service's healthCheckGracePeriodSeconds."""


class Rollout(Part):
    """The service's deployment configuration."""

    minimum_percent: Annotated[int, Field(ge=0, le=100)] = 100
    maximum_percent: Annotated[int, Field(ge=100, le=200)] = 200
    circuit_breaker: bool = False
    rollback: bool = True
    """Whether the circuit breaker, or the alarms, also roll back."""
    alarms: tuple[str, ...] = ()
    """Alarms by name that fail a deployment while it is in progress."""


class TargetTracking(Part):
    """A target tracking policy on one of the two metrics that ECS services are tracked by."""

    metric: Literal["cpu", "requests"] = "cpu"
    target: Number = 60
    """CPU percent, or requests per target and minute."""
    cooldown_out_s: Number = 300
    cooldown_in_s: Number = 300


class Scaling(Part):
    """The scalable target of the service's desired count."""

    minimum: Annotated[int, Field(ge=0)] = 1
    maximum: Annotated[int, Field(ge=0)] = 10
    tracking: TargetTracking | None = None
    scale_in_suspended: bool = False
    scale_out_suspended: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum ({self.minimum}) is above maximum ({self.maximum})")
        return self


class Needs(Part):
    """How a service uses a dependency."""

    dependency: str
    requests_percent: Number = 100
    """Share of the requests that cannot be answered without it."""
    connections_per_task: Number = 10


class Alarm(Part):
    """An alarm of a service, as the responder's deployment makes it, or one that somebody else made."""

    name: str
    symptom: Symptom | None = None
    """What it watches; without it, lines in the log."""
    contains: tuple[str, ...] = ()
    """Words of which a line has one, where it watches the log."""
    statistic: Statistic | None = None
    """Of the response time, which is averaged without it."""
    threshold: float
    """In the unit of the symptom: percent, answers in a period, hosts, seconds, or lines in a period."""
    period_s: Annotated[int, Field(ge=60, multiple_of=60)] = 60
    evaluation_periods: Annotated[int, Field(ge=1)] = 3
    datapoints: Annotated[int, Field(ge=1)] = 2
    missing: Literal["breaching", "notBreaching", "ignore", "missing"] | None = None
    """Treatment of missing data; without it, breaching for healthy-hosts and notBreaching for all others."""
    told_by: Literal["sns", "eventbridge", "nobody"] = "sns"
    """How a change of state reaches the responder."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.datapoints > self.evaluation_periods:
            raise ValueError(f"datapoints ({self.datapoints}) is above evaluation_periods ({self.evaluation_periods})")
        if (self.symptom is None) == (not self.contains):
            raise ValueError("an alarm watches a symptom or the log: write either symptom or contains")
        return self


class Service(Part):
    """One ECS service on Fargate behind its own Application Load Balancer."""

    name: str = "orders"
    tasks: Annotated[int, Field(ge=0)] = 4
    """The desired count at the beginning."""
    capacity_rps: Number = 50
    """Requests per second that take all of a task's CPU."""
    latency_s: Number = 0.08
    """Response time of an idle task."""
    memory_percent: Number = 40
    """Of a task that has just started."""
    cpu: Annotated[int, Field(ge=256)] = 256
    """CPU units of a task."""
    memory_mib: Annotated[int, Field(ge=512)] = 512
    sessions_percent: Number = 0
    """Share of the requests that only the task can answer that had the one before; without stickiness they fail at any
    other."""
    stickiness_s: Number | None = None
    """How long the load balancer's cookie holds a user at a task; without it, there is no stickiness."""
    secrets: tuple[str, ...] = ("db",)
    """Names of its secrets below its own name; one that begins with a slash is an SSM parameter."""
    stack: str | None = None
    """The CloudFormation stack it belongs to, by which the pipeline and engineers deploy it then."""
    zonal_shift: bool = False
    """Whether its load balancer has opted in to zonal shift."""
    traffic: Traffic
    slow_s: Number = 2
    """A request that takes longer counts as slow."""
    health_check: HealthCheck = HealthCheck()
    rollout: Rollout = Rollout()
    scaling: Scaling | None = None
    needs: tuple[Needs, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    releases: Annotated[int, Field(ge=1, le=20)] = 3
    """How many releases there were, the one that runs included. The others reached a steady state in their time."""
    released_ago_s: Number = 259_200
    """How long before the beginning the release that runs was shipped."""
    image_pull_s: Number = 15
    """What pulling its image adds to the start of a task."""


class Dependency(Part):
    """Something services stand on. It is nobody's to repair here: it fails and comes back as the faults say."""

    name: str
    kind: Literal["database", "table", "backend"] = "database"
    alarm: str | None = None
    """Name of the alarm that goes off while it fails; without it, nobody watches it."""
    alarm_datapoints: Annotated[int, Field(ge=1)] = 1
    """How many minutes in a row have to be bad until it goes off."""
    alarm_sees_slow: bool = False
    """Whether it goes off, too, while the dependency is only slow."""
    connections: Number | None = None
    """How many it takes at most; without it, as many as anybody wants."""
    latency_s: Number = 0.01


class Fault(Part):
    """Something that happens at a time. `service` is needed only where there is more than one."""

    at_s: Number
    service: str | None = None


class BadRelease(Fault):
    """A pipeline ships a release that is not as good as the one before. Tasks of one that never runs stay PENDING."""

    kind: Literal["bad-release"] = "bad-release"
    how: Literal[
        "dies-at-start",
        "dies-later",
        "5xx",
        "slow",
        "wrong-port",
        "memory-leak",
        "image-missing",
        "secret-missing",
        "never-runs",
        "wrong-schema",
        "lacks-permission",
    ]
    failing_percent: Number = 40
    """5xx, wrong-schema and lacks-permission: share of the requests."""
    slower: Number = 6
    """slow: how many times the response time, and the CPU of a request."""
    lives_s: Number = 420
    """dies-later: how long after its start a task dies."""
    leak_percent_per_min: Number = 6
    """memory-leak: how fast a task's memory fills."""


class MemoryLeak(Fault):
    """The release that runs fills its memory, and each task dies when it is full."""

    kind: Literal["memory-leak"] = "memory-leak"
    leak_percent_per_min: Number = 3


class StuckTasks(Fault):
    """Workers of tasks that run now hang. Their replacements do not."""

    kind: Literal["stuck-tasks"] = "stuck-tasks"
    tasks_percent: Number = 100
    health_check_notices: bool = False
    """Whether the health check fails, too; a shallow one stays green."""


class BadTask(Fault):
    """One task that runs now fails requests. Its replacement does not."""

    kind: Literal["bad-task"] = "bad-task"
    failing_percent: Number = 100


class Refused(Fault):
    """What the service needs has been changed by somebody, so that a share of its requests fails: at every task, of
    every release, however often it starts anew."""

    kind: Literal["refused"] = "refused"
    how: Literal["permission-removed", "schema-changed"]
    until_s: Number | None = None
    failing_percent: Number = 50


class SecretChanged(Fault):
    """A password was rotated: tasks that run now have the old one, tasks that start later read the new one."""

    kind: Literal["secret-changed"] = "secret-changed"
    secret: str = "db"
    """One of the service's `secrets`."""
    failing_percent: Number = 60
    """Share of the requests that need it."""


class StickinessLost(Fault):
    """Somebody switches the load balancer's stickiness off."""

    kind: Literal["stickiness-lost"] = "stickiness-lost"


class TrackingChanged(Fault):
    """Somebody gives the target tracking policy another target."""

    kind: Literal["tracking-changed"] = "tracking-changed"
    target: Number
    """In the unit of the policy's metric."""


class DependencyTrouble(Fault):
    """A dependency is down, fails or throttles a share of the calls, is slow, or has fewer connections than its users
    want."""

    kind: Literal["dependency"] = "dependency"
    dependency: str
    how: Literal["down", "failing", "slow", "throttled", "out-of-connections"]
    until_s: Number | None = None
    failing_percent: Number = 60
    """failing and throttled: share of the calls."""
    leaves_dead_percent: Number = 0
    """down: share of the requests that need it and go on failing at the tasks that lived through it, when it is back:
    their connections are dead, and nobody opens new ones."""
    latency_s: Number = 4
    """slow: how long it takes to answer."""
    connections: Number = 20
    """out-of-connections: how many it still takes."""


class ZoneImpaired(Fault):
    """Tasks in one Availability Zone lose requests. From half of the requests on, they fail health checks, too, and new
    ones do not start there."""

    kind: Literal["zone-impaired"] = "zone-impaired"
    until_s: Number | None = None
    failing_percent: Number = 80


class NoCapacity(Fault):
    """Fargate has no capacity for new tasks."""

    kind: Literal["no-capacity"] = "no-capacity"
    until_s: Number | None = None


class Flapping(Fault):
    """Short bursts of failing requests that end by themselves, so that an alarm flaps."""

    kind: Literal["flapping"] = "flapping"
    until_s: Number | None = None
    burst_s: Number = 130
    every_s: Number = 420
    failing_percent: Number = 12


class FalseAlarm(Fault):
    """Somebody sets an alarm's state by hand, with SetAlarmState; the next evaluation sets it right."""

    kind: Literal["false-alarm"] = "false-alarm"
    alarm: str


class Engineer(Fault):
    """A person changes the service."""

    kind: Literal["engineer"] = "engineer"
    does: Literal["deploys", "scales", "rolls-back"]
    tasks: Annotated[int, Field(ge=0)] | None = None
    """scales: to how many tasks."""


class Deliveries(Fault):
    """The messages of AWS arrive twice, late, or in another order."""

    kind: Literal["deliveries"] = "deliveries"
    until_s: Number | None = None
    duplicate_percent: Number = 0
    late_percent: Number = 0
    late_s: Number = 120
    reordered_percent: Number = 0


class ApiTrouble(Fault):
    """AWS throttles calls or fails them."""

    kind: Literal["api"] = "api"
    how: Literal["throttled", "failing"]
    until_s: Number | None = None
    calls_percent: Number = 50
    operations: tuple[str, ...] = ()
    """For example `DescribeTasks`; without any, all that read. One that changes something has to be named."""


AnyFault = Annotated[
    BadRelease
    | MemoryLeak
    | StuckTasks
    | BadTask
    | Refused
    | SecretChanged
    | StickinessLost
    | TrackingChanged
    | DependencyTrouble
    | ZoneImpaired
    | NoCapacity
    | Flapping
    | FalseAlarm
    | Engineer
    | Deliveries
    | ApiTrouble,
    Field(discriminator="kind"),
]


class Goal(Part):
    """When users are served as they should be: shares of requests, looked at ten seconds at a time."""

    failed_percent: float = 1
    slow_percent: float = 5
    tasks_at_most: Annotated[int, Field(ge=1)] | None = None
    """Running tasks of a service beyond these are waste: the goal is missed, and each counts as a failed request in
    every minute. Without it, tasks cost nothing."""


class Setting(Part):
    """One world, complete."""

    region: str = "eu-central-1"
    account: str = "111122223333"
    cluster: str = "shop"
    services: Annotated[tuple[Service, ...], Field(min_length=1)]
    dependencies: tuple[Dependency, ...] = ()
    zones: Annotated[int, Field(ge=1, le=6)] = 3
    faults: tuple[AnyFault, ...] = ()
    support_plan: bool = False
    """Whether AWS Health tells what is wrong with zones and capacity; without a paid plan it tells nothing."""
    goal: Goal = Goal()
    horizon_s: Annotated[float, Field(gt=0)] = 5400
    """How long the world is watched."""

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        _once("service", [service.name for service in self.services])
        _once("dependency", [dependency.name for dependency in self.dependencies])
        _once("alarm", list(self._alarm_names()))
        known = {dependency.name for dependency in self.dependencies}
        for service in self.services:
            for need in service.needs:
                _known("dependency", need.dependency, known)
            for alarm in service.rollout.alarms:
                _known("alarm", alarm, set(self._alarm_names()))
        for fault in self.faults:
            if fault.service is not None:
                _known("service", fault.service, {service.name for service in self.services})
            service = next((each for each in self.services if each.name == fault.service), self.services[0])
            if isinstance(fault, SecretChanged):
                _known("secret", fault.secret, set(service.secrets))
            if isinstance(fault, TrackingChanged) and (service.scaling is None or service.scaling.tracking is None):
                raise ValueError(f"{service.name} has no target tracking whose target could be changed")
            if isinstance(fault, StickinessLost) and service.stickiness_s is None:
                raise ValueError(f"{service.name} has no stickiness to lose; write stickiness_s")
            if isinstance(fault, DependencyTrouble):
                _known("dependency", fault.dependency, known)
            if isinstance(fault, FalseAlarm):
                _known("alarm", fault.alarm, set(self._alarm_names()))
        return self

    def _alarm_names(self) -> Iterator[str]:
        for service in self.services:
            yield from (alarm.name for alarm in service.alarms)
        yield from (each.alarm for each in self.dependencies if each.alarm is not None)


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} {', '.join(twice)} is there twice")


def _known(what: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise ValueError(f"there is no {what} {name}; there is {', '.join(sorted(known)) or 'none'}")
