"""What a playbook may say: one service, its alarms, its limits, and what answers which cause.

Every key has a default except `region`, `cluster` and `service`. Lengths of time are written `90s`, `10m` or `1h`, and
held in seconds. A limit of 0 means none allowed; a limit that is absent has its default.

The docstring below each key is what operators read of it in docs/playbooks.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from functions.domain.causes import Cause
from functions.domain.changes import ActionName
from functions.domain.durations import DAY_S, Seconds
from functions.domain.incidents import Mode
from functions.domain.logged import LONGEST_FILTER, LogCause, LogQuery, Words, filter_pattern
from functions.domain.model import digest
from functions.domain.services import ServiceRef, is_ecs_name
from functions.domain.watched import Name, Watched
from functions.playbooks.ladders import NOT_OURS, Ladder, default_ladder

_LONGEST_ALARM_NAME = 255
_MOST_QUERIES = 5


def _ecs_name(text: str) -> str:
    if not is_ecs_name(text):
        raise ValueError("not a name ECS allows: write 1 to 255 letters, digits, hyphens or underscores, and no ARN")
    return text


def _valid_period(period: int) -> int:
    if period not in (10, 30) and (period % 60 != 0 or not 60 <= period <= DAY_S):
        raise ValueError("no alarm has such a period: write 10, 30 or a multiple of 60, in seconds")
    return period


EcsName = Annotated[str, AfterValidator(_ecs_name)]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]+$")]
Count = Annotated[int, Field(ge=0, strict=True)]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error: a misspelt limit must never be a limit that is not there."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Severity(StrEnum):
    """One scale for all services, from P0 (everything is down, now) to P4 (when there is time)."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Symptom(StrEnum):
    """What an alarm made from a playbook watches. A symptom is no cause."""

    ERROR_RATE = "error-rate"
    """5xx answers, of targets and load balancer together, in percent of all requests."""
    ERRORS = "errors"
    """5xx answers of the targets in one period, as a plain count; for services with too little traffic for a rate."""
    HEALTHY_HOSTS = "healthy-hosts"
    """Healthy targets; the alarm goes off *below* the threshold, and when there is no such metric at all."""
    RESPONSE_TIME = "response-time"
    """Response time of the targets, in seconds: the average, or a percentile where `statistic` says so."""
    CPU = "cpu"
    """CPU utilisation of the service, in percent of what its tasks reserved."""
    MEMORY = "memory"
    """Memory utilisation of the service, in percent of what its tasks reserved."""
    TASKS = "tasks"
    """Running tasks; more than the threshold are more than anybody meant to pay for."""

    @property
    def default_threshold(self) -> float:
        return _THRESHOLDS[self]


_THRESHOLDS = {
    Symptom.ERROR_RATE: 5.0,
    Symptom.ERRORS: 10.0,
    Symptom.HEALTHY_HOSTS: 1.0,
    Symptom.RESPONSE_TIME: 5.0,
    Symptom.CPU: 90.0,
    Symptom.MEMORY: 90.0,
    Symptom.TASKS: 20.0,  # as many as `max_tasks` allows by default
}
_PERCENT = (Symptom.ERROR_RATE, Symptom.CPU, Symptom.MEMORY)


Statistic = Literal["Average", "p90", "p95", "p99"]


class _NewAlarm(Strict):
    """An alarm that the deployment creates. It goes off when `datapoints` of the last `evaluation_periods` breach."""

    period: Annotated[int, Field(strict=True), AfterValidator(_valid_period)] | None = None
    """Length of one period in seconds: 10, 30 or a multiple of 60; without it, the deployment's own (60)."""
    evaluation_periods: int = Field(default=3, ge=1, strict=True)
    """How many periods it looks back; all together a day at most."""
    datapoints: int = Field(default_factory=lambda data: min(2, data["evaluation_periods"]), ge=1, strict=True)
    """How many of these have to breach; all of them where only one is looked at."""
    severity: Severity | None = None
    """Without it, the playbook's."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.datapoints > self.evaluation_periods:
            raise ValueError(
                f"datapoints ({self.datapoints}) is above evaluation_periods ({self.evaluation_periods}): "
                f"write datapoints: {self.evaluation_periods} or less"
            )
        period = 60 if self.period is None else self.period
        if period * self.evaluation_periods > DAY_S:
            raise ValueError(
                "period times evaluation_periods is above a day, which CloudWatch refuses: write fewer periods"
            )
        return self


class NewAlarm(_NewAlarm):
    """An alarm on the metric of a symptom."""

    symptom: Symptom
    """What each of them watches is in the table below."""
    threshold: float = Field(
        default_factory=lambda data: data["symptom"].default_threshold, gt=0, allow_inf_nan=False, strict=True
    )
    """In the unit of the symptom: percent (100 at most), answers, hosts, seconds or tasks."""
    statistic: Statistic | None = None
    """Of the response time alone, which is averaged without it. `p95` is the time that 95 % of the requests keep to."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.symptom in _PERCENT and self.threshold > 100:
            raise ValueError(
                f"threshold {self.threshold:g} is above 100, and {self.symptom} is in percent: write 100 or less"
            )
        if self.statistic is not None and self.symptom is not Symptom.RESPONSE_TIME:
            raise ValueError(f"{self.symptom} has one statistic only: leave statistic out")
        return self


class LogAlarm(_NewAlarm):
    """An alarm on lines that have certain words, for what no metric shows. CloudWatch counts them as they come in."""

    log: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    """What the alarm is called, after the service's name."""
    contains: Words
    """Lines with any of these words, in this very case: so CloudWatch compares them."""
    threshold: float = Field(default=10.0, ge=0, allow_inf_nan=False, strict=True)
    """Lines in one period; with more of them the period counts as bad."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(filter_pattern(self.contains)) > LONGEST_FILTER:
            raise ValueError("contains is longer than a filter of CloudWatch Logs can be: write fewer or shorter words")
        return self


class ExistingAlarm(Strict):
    """An alarm that somebody else made. Its state changes are followed by name; nothing on it has to change."""

    existing: Name
    """Its name, no ARN."""
    severity: Severity | None = None
    """Without it, the playbook's."""


def _kind_of_alarm(value: object) -> str:
    if isinstance(value, ExistingAlarm) or (isinstance(value, Mapping) and "existing" in value):
        return "existing"
    if isinstance(value, LogAlarm) or (isinstance(value, Mapping) and "log" in value):
        return "log"
    return "new"


Alarm = Annotated[
    Annotated[NewAlarm, Tag("new")] | Annotated[LogAlarm, Tag("log")] | Annotated[ExistingAlarm, Tag("existing")],
    Discriminator(_kind_of_alarm),
]


class Limits(Strict):
    """How far the responder may go. 0 means none allowed, absent means the default."""

    min_tasks: Count = 1
    """No action may leave fewer tasks than this running."""
    max_tasks: Count = 20
    """Scaling out never asks for more tasks than this."""
    attempts_per_incident: Count = 3
    """How many actions one incident may see; after that, people."""
    actions_per_hour: Count = 4
    """How many actions the service may see in any hour, over all its incidents."""
    cooldown: Seconds = 600
    """After an action, how long no later incident of the service is acted upon."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_tasks > self.max_tasks:
            raise ValueError(
                f"min_tasks ({self.min_tasks}) is above max_tasks ({self.max_tasks}): "
                f"write max_tasks: {self.min_tasks} or more, or lower min_tasks"
            )
        return self


class ScaleOut(Strict):
    """How scaling out is done: the floor of the scalable target is raised for a while, then put back."""

    step_percent: int = Field(default=50, ge=1, le=400, strict=True)
    """How many tasks more, in percent of those that run."""
    lease: Annotated[Seconds, Field(ge=60)] = 1800
    """How long a raised floor or ceiling, or a lowered target of the autoscaler, is held."""


class ZonalShift(Strict):
    """How traffic is shifted away from an impaired zone."""

    lease: Annotated[Seconds, Field(ge=60)] = 3600
    """After how long the load balancer ends the shift by itself."""


class Settle(Strict):
    """How long an action is given to show an effect."""

    first_look: Seconds
    """When it is first looked whether the action helped."""
    deadline: Seconds
    """Without an effect by then it counts as ineffective, and the next action is considered."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.deadline <= self.first_look:
            raise ValueError(
                f"deadline ({self.deadline}s) is not after first_look ({self.first_look}s): write a longer deadline"
            )
        return self


def _settles(action: ActionName) -> ActionName:
    if action is ActionName.PAGE:
        raise ValueError("a page changes nothing that could settle: leave the line out")
    return action


def _page_last(ladder: Ladder) -> Ladder:
    if len(set(ladder)) != len(ladder):
        raise ValueError("an action stands there twice: write each once")
    if ActionName.PAGE in ladder[:-1]:
        raise ValueError("nothing comes after page: write it last")
    return ladder


# As runbooks for ECS have it: a new task is in service after about 90 s, one that is still pending after 120 s hangs,
# and a deployment is stable after 5 to 10 minutes.
_SETTLE: Mapping[ActionName, Mapping[str, int]] = {
    ActionName.ROLL_BACK: {"first_look": 90, "deadline": 600},
    ActionName.FORCE_NEW_DEPLOYMENT: {"first_look": 120, "deadline": 600},
    ActionName.SCALE_OUT: {"first_look": 90, "deadline": 300},
    ActionName.RAISE_CEILING: {"first_look": 90, "deadline": 300},
    ActionName.LOWER_CEILING: {"first_look": 60, "deadline": 600},
    ActionName.TUNE_TRACKING: {"first_look": 120, "deadline": 600},
    ActionName.REPLACE_TASK: {"first_look": 60, "deadline": 300},
    ActionName.SHIFT_ZONE: {"first_look": 60, "deadline": 600},
    ActionName.ENLARGE_TASK: {"first_look": 120, "deadline": 600},
    ActionName.RESTORE_STICKINESS: {"first_look": 60, "deadline": 300},
}


class Approving(Strict):
    """How people are asked before something is done, in mode `ask` or for an action that always asks."""

    expires: Annotated[Seconds, Field(ge=60)] = 900
    """How long an answer is waited for."""


class Notify(Strict):
    """Who is subscribed to the page. Others may subscribe to the topic by themselves."""

    email: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")], ...] = ()
    """Addresses; each has to confirm once."""
    https: tuple[Annotated[str, Field(pattern=r"^https://[^\s/]+(/\S*)?$")], ...] = ()
    """URLs that take what SNS posts; each has to confirm once."""


class Overrides(Strict):
    """What is normally read from the service itself at deployment; written here, it is taken as it stands."""

    target_groups: tuple[
        Annotated[str, Field(pattern=r"^arn:[^:]+:elasticloadbalancing:[^:]*:[0-9]*:targetgroup/.+$")], ...
    ] = ()
    """ARNs of the target groups that the service is behind."""
    load_balancer: (
        Annotated[str, Field(pattern=r"^arn:[^:]+:elasticloadbalancing:[^:]*:[0-9]*:loadbalancer/.+$")] | None
    ) = None
    """ARN of the Application Load Balancer in front of it."""
    log_group: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./#-]{1,512}$")] | None = None
    """Log group of the tasks; the page says how to follow it."""
    scalable_target: Annotated[str, Field(pattern=r"^service/[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,255}$")] | None = None
    """Resource id of the scalable target whose floor is raised, `service/CLUSTER/SERVICE`."""


class Playbook(Strict):
    """Everything the responder may do for one ECS service."""

    name: str = ""
    """What people call it; without it, the name of its file and variant."""
    region: Region
    """Code of the Region where the service runs."""
    cluster: EcsName
    """Name of the ECS cluster, no ARN."""
    service: EcsName
    """Name of the ECS service, no ARN."""
    mode: Mode = Mode.OBSERVE
    """`observe` pages with what it would do, `ask` asks people before it acts, `auto` acts."""
    severity: Severity = Severity.P2
    """How grave an incident is, from P0 (everything is down, now) to P4 (when there is time)."""
    alarms: tuple[Alarm, ...] = ()
    """What opens an incident, beside the events of ECS itself."""
    dependencies: tuple[Watched, ...] = ()
    """What the service stands on. While one of them is in trouble, the service is neither scaled nor restarted."""
    checks: tuple[Watched, ...] = ()
    """What has to be fine after a release, all through its bake time, for the release to count as good."""
    log_causes: tuple[LogCause, ...] = ()
    """What error lines with certain words speak of, beside the words that everybody has for it."""
    log_queries: tuple[LogQuery, ...] = ()
    """What is asked of the logs at each assessment, for people to read; no cause is told by it."""
    sticky_sessions: Annotated[Seconds, Field(ge=1)] | None = None
    """How long the load balancer's cookie has to last; without it, the service does not need one."""
    limits: Limits = Limits()
    scale_out: ScaleOut = ScaleOut()
    zonal_shift: ZonalShift = ZonalShift()
    settle: Mapping[Annotated[ActionName, AfterValidator(_settles)], Settle] = Field(default={}, validate_default=True)
    """How long an action is given to show an effect. What is left out has the action's default."""
    ladders: Mapping[Cause, Annotated[Ladder, AfterValidator(_page_last)]] = {}
    """Which actions answer a cause, from the first to the last. A cause that is left out has its default."""
    confidence: float = Field(default=0.6, ge=0, le=1, strict=True)
    """A cause less certain than this is not acted upon but given to people."""
    approval: Approving = Approving()
    bake: Seconds = 900
    """How long a release has to run steadily, with every alarm OK, before it counts as good and may be rolled back
    to."""
    notify: Notify = Notify()
    overrides: Overrides = Overrides()

    @model_validator(mode="before")
    @classmethod
    def _complete_settle(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        written = data.get("settle", {})
        if not isinstance(written, Mapping):
            return data
        settle = {action.value: dict(times) for action, times in _SETTLE.items()}
        for action, times in written.items():
            settle[action] = {**settle.get(action, {}), **times} if isinstance(times, Mapping) else times
        return {**data, "settle": settle}

    @field_validator("ladders")
    @classmethod
    def _leave_alone(cls, ladders: Mapping[Cause, Ladder]) -> Mapping[Cause, Ladder]:
        for cause, ladder in ladders.items():
            if cause in NOT_OURS and set(ladder) - {ActionName.PAGE}:
                raise ValueError(f"the responder never acts on {cause}: leave that line out")
        return ladders

    @model_validator(mode="after")
    def _alarms_differ(self) -> Self:
        names = [self.alarm_name(alarm) for alarm in self.alarms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"alarms: '{twice[0]}' stands there twice: write each symptom, log and existing alarm once"
            )
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        named = {"dependencies": self.dependencies, "checks": self.checks, "log_queries": self.log_queries}
        for key, several in named.items():
            names = [each.name for each in several]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{key}: the name '{twice[0]}' stands there twice: write another one")
        return self

    @field_validator("log_queries")
    @classmethod
    def _few(cls, queries: tuple[LogQuery, ...]) -> tuple[LogQuery, ...]:
        if len(queries) > _MOST_QUERIES:
            raise ValueError(f"there are {len(queries)}, and each scans the logs anew: write {_MOST_QUERIES} or fewer")
        return queries

    @property
    def ref(self) -> ServiceRef:
        return ServiceRef(region=self.region, cluster=self.cluster, service=self.service)

    def alarm_name(self, alarm: Alarm) -> str:
        """The alarm's name in CloudWatch, the same at every deployment. One too long for CloudWatch ends in a hash."""
        if isinstance(alarm, ExistingAlarm):
            return alarm.existing
        about = f"log-{alarm.log}" if isinstance(alarm, LogAlarm) else alarm.symptom
        name = f"responder-{self.cluster}-{self.service}-{about}"
        if len(name) <= _LONGEST_ALARM_NAME:
            return name
        mark = f"-{digest(name)[:12]}"
        return name[: _LONGEST_ALARM_NAME - len(mark)] + mark

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """Names of all alarms of this playbook, created and existing, in the order they are written."""
        return tuple(self.alarm_name(alarm) for alarm in self.alarms)

    def severity_of(self, alarm_name: str | None) -> Severity:
        """How grave it is when this alarm goes off; without such an alarm, the playbook's own severity."""
        written = (alarm.severity for alarm in self.alarms if self.alarm_name(alarm) == alarm_name)
        return next((severity for severity in written if severity is not None), self.severity)

    def ladder(self, cause: Cause) -> Ladder:
        """What answers this cause, first action first: the playbook's own ladder, else the default.

        It ends with `page`, or is empty: then nothing is to be done but wait or stand down.
        """
        written = self.ladders.get(cause)
        if written is None:
            return default_ladder(cause)
        return written if ActionName.PAGE in written else (*written, ActionName.PAGE)

    def settle_of(self, action: ActionName) -> Settle:
        """How long this action is given.

        Raises:
            KeyError: for `page`, which changes nothing that could settle.
        """
        return self.settle[action]
