"""What a playbook may say: one service, its alarms, its limits, and what answers which cause.

Every key has a default except `region`, `cluster` and `service`. Lengths of time are written `90s`, `10m` or `1h`, and
held in seconds. A limit of 0 means none allowed; a limit that is absent has its default.

The docstring below each key is what operators read of it in docs/playbooks.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from functions.domain.backups import Backups
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, IpScope, IpSet, split_rung
from functions.domain.durations import DAY_S, Seconds, seconds
from functions.domain.incidents import Mode
from functions.domain.logged import LONGEST_FILTER, LogCause, LogQuery, Words, filter_pattern
from functions.domain.maintenance import Regular
from functions.domain.model import digest
from functions.domain.score import TargetLines
from functions.domain.services import ServiceRef, is_ecs_name
from functions.domain.severity import Later, Severity
from functions.domain.synthetic import EVERY_S, SyntheticCheck
from functions.domain.watched import Name, Watched
from functions.domain.webhooks import Webhook
from functions.playbooks.addressee import Addressee, addressee_of
from functions.playbooks.ladders import NOT_OURS, Ladder, default_ladder
from functions.playbooks.people import UPDATES, Bridge, Escalation, Every, Recovery, Silence

_LONGEST_NAME = 255
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

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


_LONGEST_LABEL = 20
_LABEL = rf"^[A-Za-z0-9]([A-Za-z0-9 ._-]{{0,{_LONGEST_LABEL - 2}}}[A-Za-z0-9])?$"


def _respond(value: object) -> object:
    later = next((later for later in Later if later == value), None)
    if later is not None:
        return later
    try:
        written = seconds(value)
    except ValueError:
        written = None
    if not isinstance(written, int) or isinstance(written, bool) or not 60 <= written <= DAY_S:
        words = " or ".join(f"'{later}'" for later in Later)
        raise ValueError(f"{_shown(value)} is no time to respond: write one from 1m to 24h, {words}")
    return written


def _shown(value: object) -> str:
    return f"'{value}'" if isinstance(value, str | int | float) else "this"


class Response(Strict):
    """How one severity is called by the people of a service, and how soon they answer it."""

    label: str = Field(pattern=_LABEL)
    """What your people call it, such as `CRITICAL`; without it, the scale's own name."""
    respond: Annotated[int | Later, BeforeValidator(_respond)]
    """How soon they answer a page of it: a time from `1m` to `24h`, `next business day` or `when there is time`."""


# Runbooks give P1 fifteen minutes where they list alerts, and up to an hour in their prose. The shorter holds: whoever
# is called too early loses a look, whoever is called too late loses users.
_RESPOND: Mapping[Severity, int | Later] = {
    Severity.P0: 15 * 60,
    Severity.P1: 15 * 60,
    Severity.P2: 4 * 3600,
    Severity.P3: Later.NEXT_BUSINESS_DAY,
    Severity.P4: Later.WHEN_THERE_IS_TIME,
}


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


def _enough_periods(datapoints: int, evaluation_periods: int) -> None:
    if datapoints > evaluation_periods:
        raise ValueError(
            f"datapoints ({datapoints}) is above evaluation_periods ({evaluation_periods}): "
            f"write datapoints: {evaluation_periods} or less"
        )


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
        _enough_periods(self.datapoints, self.evaluation_periods)
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


class CheckAlarm(SyntheticCheck):
    """An alarm that the deployment creates on a check of its own, which is made from outside once a minute.

    It goes off when `datapoints` of the last `evaluation_periods` minutes failed.
    """

    evaluation_periods: int = Field(default=3, ge=1, le=DAY_S // EVERY_S, strict=True)
    """How many minutes it looks back."""
    datapoints: int = Field(default_factory=lambda data: min(2, data["evaluation_periods"]), ge=1, strict=True)
    """How many of these have to fail; all of them where only one is looked at."""
    severity: Severity | None = None
    """Without it, the playbook's."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        _enough_periods(self.datapoints, self.evaluation_periods)
        return self


def _kind_of_alarm(value: object) -> str:
    for kind, model in (("existing", ExistingAlarm), ("log", LogAlarm), ("check", CheckAlarm)):
        if isinstance(value, model) or (isinstance(value, Mapping) and kind in value):
            return kind
    return "new"


Alarm = Annotated[
    Annotated[NewAlarm, Tag("new")]
    | Annotated[LogAlarm, Tag("log")]
    | Annotated[ExistingAlarm, Tag("existing")]
    | Annotated[CheckAlarm, Tag("check")],
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
    ineffective_incidents: Count = 3
    """In how many incidents of one day actions may fail to help; from there on none is taken, until a person looked."""
    neighbours_in_trouble: Count = 1
    """How many other services that share a dependency or a zone may be in trouble at once; with more, the cause is
    theirs in common, and the service is neither restarted nor scaled."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_tasks > self.max_tasks:
            raise ValueError(
                f"min_tasks ({self.min_tasks}) is above max_tasks ({self.max_tasks}): "
                f"write max_tasks: {self.min_tasks} or more, or lower min_tasks"
            )
        return self


class Budget(Strict):
    """What the service may cost. More is an incident, whether AWS Budgets tells it or not."""

    tasks: Annotated[int, Field(ge=1, strict=True)] | None = None
    """How many tasks are meant to be paid for; it makes an alarm on running tasks."""
    usd_per_day: Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)] | None = None
    """By the list price of Fargate, for the tasks that are wanted."""


_OVER_BUDGET = {"symptom": Symptom.TASKS.value, "evaluation_periods": 10, "datapoints": 10}
"""A deployment runs the old and the new tasks side by side for some minutes: that is no matter of a budget."""


def _watches_tasks(alarm: object) -> bool:
    return (alarm.get("symptom") if isinstance(alarm, Mapping) else getattr(alarm, "symptom", None)) == Symptom.TASKS


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


class Mute(Strict):
    """How an alarm that flaps is muted."""

    lease: Annotated[Seconds, Field(ge=60)] = 3600
    """For how long."""


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


def _rung(written: str) -> str:
    try:
        action, named = split_rung(written)
    except ValueError:
        raise PydanticCustomError("enum", "no such action") from None
    if action is not ActionName.CALL_WEBHOOK:
        if named:
            raise ValueError(f"{action} is done with nothing else: write {action} alone")
        return action
    if not named:
        raise ValueError(f"which webhook? write {action}:NAME, with a name that stands under webhooks")
    return written


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError("no network in CIDR notation: write 198.51.100.0/24, without bits behind the mask") from error


def _page_last(ladder: Ladder) -> Ladder:
    if len(set(ladder)) != len(ladder):
        raise ValueError("an action stands there twice: write each once")
    if ActionName.PAGE in ladder[:-1]:
        raise ValueError("nothing comes after page: write it last")
    return ladder


Rung = Annotated[str, AfterValidator(_rung)]


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
    ActionName.CALL_WEBHOOK: {"first_look": 60, "deadline": 300},
    ActionName.BACK_UP: {"first_look": 30, "deadline": 120},
    ActionName.MUTE_ALARM: {"first_look": 60, "deadline": 300},
    ActionName.ISOLATE: {"first_look": 60, "deadline": 600},
    ActionName.BLOCK_ADDRESS: {"first_look": 60, "deadline": 600},
    ActionName.DISABLE_USER: {"first_look": 60, "deadline": 600},
    ActionName.SET_COUNT: {"first_look": 90, "deadline": 300},
    ActionName.SET_LIMITS: {"first_look": 90, "deadline": 300},
}


_ORDERED = frozenset({ActionName.BLOCK_ADDRESS, ActionName.DISABLE_USER, ActionName.SET_COUNT, ActionName.SET_LIMITS})
"""Actions that need to be told whom, or how many: no ladder can say so."""


class Approving(Strict):
    """How people are asked before something is done, in mode `ask` or for an action that always asks."""

    expires: Annotated[Seconds, Field(ge=60)] = 900
    """How long an answer is waited for."""


class BlockList(Strict):
    """An IP set of AWS WAF whose addresses a web ACL blocks; addresses are added to it and taken out again."""

    name: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,128}$")]
    """Its name in AWS WAF."""
    id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,36}$")]
    """Its id, which AWS WAF gave it; `aws wafv2 list-ip-sets` shows it."""
    scope: IpScope
    """`REGIONAL`, for load balancers and APIs in the service's Region, or `CLOUDFRONT`."""

    @property
    def ref(self) -> IpSet:
        return IpSet(name=self.name, id=self.id, scope=self.scope)


class Contain(Strict):
    """What may be shut out when a breach is suspected: always after asking, and with the contain stack only."""

    evidence: bool = Field(default=False, strict=True)
    """Whether each look also reads security groups, image scans and denied calls."""
    ip_set: BlockList | None = None
    """Without it no address is blocked."""
    never_block: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Public networks whose addresses are never blocked. Private and reserved ones never are."""
    user_pool: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]+_[0-9A-Za-z]+$")] | None = None
    """The Cognito user pool whose users may be disabled; without it none is."""


class Recovered(Strict):
    """What a service has to reach besides a steady state and quiet alarms to count as recovered."""

    score: int | None = Field(default=None, ge=1, le=100, strict=True)
    """The health score; without it, none is asked for. A score that nobody knows is never enough."""


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


def _fitting(name: str) -> str:
    """A name that CloudWatch takes; one that is too long ends in a hash."""
    if len(name) <= _LONGEST_NAME:
        return name
    mark = f"-{digest(name)[:12]}"
    return name[: _LONGEST_NAME - len(mark)] + mark


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
    """How grave an incident is, from P0 (everything is down, now) to P4 (when there is time). What users feel raises or
    lowers it."""
    severities: Mapping[Severity, Response] = Field(default={}, validate_default=True)
    """What your people call each step of the scale, and how soon they answer; what is left out has its default."""
    maintenance: tuple[Regular, ...] = ()
    """When people work on the service regularly: then nothing is changed."""
    alarms: tuple[Alarm, ...] = ()
    """What opens an incident, beside the events of ECS itself."""
    dependencies: tuple[Watched, ...] = ()
    """What the service stands on. While one of them is in trouble, the service is neither scaled nor restarted."""
    checks: tuple[Watched, ...] = ()
    """What has to be fine after a release, all through its bake time, for the release to count as good."""
    webhooks: tuple[Webhook, ...] = ()
    """Endpoints of the application that ladders may call."""
    backups: Backups = Field(default_factory=Backups)
    """What `back-up` in a ladder saves before anything behind it is done."""
    log_causes: tuple[LogCause, ...] = ()
    """What error lines with certain words speak of, beside the words that everybody has for it."""
    log_queries: tuple[LogQuery, ...] = ()
    """What is asked of the logs at each assessment, for people to read; no cause is told by it."""
    targets: TargetLines = Field(default_factory=TargetLines)
    recovered: Recovered = Field(default_factory=Recovered)
    sticky_sessions: Annotated[Seconds, Field(ge=1)] | None = None
    """How long the load balancer's cookie has to last; without it, the service does not need one."""
    limits: Limits = Field(default_factory=Limits)
    budget: Budget = Field(default_factory=Budget)
    scale_out: ScaleOut = Field(default_factory=ScaleOut)
    zonal_shift: ZonalShift = Field(default_factory=ZonalShift)
    mute: Mute = Field(default_factory=Mute)
    settle: Mapping[Annotated[ActionName, AfterValidator(_settles)], Settle] = Field(default={}, validate_default=True)
    """How long an action is given to show an effect. What is left out has the action's default."""
    ladders: Mapping[Cause, Annotated[tuple[Rung, ...], AfterValidator(_page_last)]] = {}
    """Which actions answer a cause, from the first to the last, a webhook as `call-webhook:NAME`. A cause that is left
    out has its default."""
    confidence: float = Field(default=0.6, ge=0, le=1, strict=True)
    """A cause less certain than this is not acted upon but given to people."""
    approval: Approving = Field(default_factory=Approving)
    dashboard: bool = Field(default=False, strict=True)
    """Whether the deployment makes a dashboard in CloudWatch. An account has three for nothing; every further one costs
    3 USD a month."""
    bake: Seconds = 900
    """How long a release has to run steadily, with every alarm OK, before it counts as good and may be rolled back
    to."""
    contain: Contain = Field(default_factory=Contain)
    notify: Notify = Field(default_factory=Notify)
    escalation: Escalation = Field(default_factory=Escalation)
    bridge: Bridge | None = None
    """Where people meet during an incident: a URL, or the name of a channel."""
    updates: Mapping[Severity, Every] = Field(default={}, validate_default=True)
    """How often people who were told of an incident hear of it while it is open; what is left out has its default."""
    rto: Recovery | None = None
    """How long an outage may last; pages say how much of it is used."""
    rpo: Recovery | None = None
    """How old the newest backup of what `backups` names may be; pages say how old it is."""
    overrides: Overrides = Field(default_factory=Overrides)

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

    @model_validator(mode="before")
    @classmethod
    def _complete_severities(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        written = data.get("severities", {})
        if not isinstance(written, Mapping):
            return data
        whole: dict[str, Any] = {each.value: {"label": each.value, "respond": _RESPOND[each]} for each in Severity}
        for severity, said in written.items():
            whole[severity] = {**whole.get(severity, {}), **said} if isinstance(said, Mapping) else said
        return {**data, "severities": whole}

    @field_validator("updates")
    @classmethod
    def _complete_updates(cls, written: Mapping[Severity, int | Silence]) -> Mapping[Severity, int | Silence]:
        return {**UPDATES, **written}

    @model_validator(mode="before")
    @classmethod
    def _budget_makes_an_alarm(cls, data: Any) -> Any:
        """Unless the playbook has one on tasks already, which then has to say the same."""
        budget, alarms = (data.get("budget"), data.get("alarms", ())) if isinstance(data, Mapping) else (None, ())
        tasks = budget.get("tasks") if isinstance(budget, Mapping) else getattr(budget, "tasks", None)
        if type(tasks) is not int or tasks < 1 or not isinstance(alarms, list | tuple):
            return data
        if any(map(_watches_tasks, alarms)):
            return data
        return {**data, "alarms": [*alarms, {**_OVER_BUDGET, "threshold": tasks}]}

    @field_validator("ladders")
    @classmethod
    def _leave_alone(cls, ladders: Mapping[Cause, Ladder]) -> Mapping[Cause, Ladder]:
        for cause, ladder in ladders.items():
            if cause is not Cause.FALSE_ALARM and ActionName.MUTE_ALARM in ladder:
                raise ValueError(f"{cause} is no false alarm: write mute-alarm under false-alarm alone")
            quiet = {ActionName.MUTE_ALARM} if cause is Cause.FALSE_ALARM else set()
            if cause in NOT_OURS and set(ladder) - {ActionName.PAGE, *quiet}:
                raise ValueError(f"the responder never acts on {cause}: leave that line out")
            ordered = sorted(set(ladder) & _ORDERED)
            if ordered:
                raise ValueError(f"{ordered[0]} is for an operator to order: leave it out")
            if ActionName.ISOLATE in ladder and cause is not Cause.SUSPECTED_BREACH:
                raise ValueError(f"isolate answers {Cause.SUSPECTED_BREACH} alone: leave it out")
        return ladders

    @model_validator(mode="after")
    def _alarms_differ(self) -> Self:
        names = [self.alarm_name(alarm) for alarm in self.alarms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"alarms: '{twice[0]}' stands there twice: write each symptom, log, check and existing alarm once"
            )
        return self

    @model_validator(mode="after")
    def _secrets_are_near(self) -> Self:
        for check in self.synthetic_checks:
            parts = [] if check.header is None else check.header.secret.split(":")
            if len(parts) > 1 and parts[3] != self.region:
                raise ValueError(
                    f"alarms: the secret of check '{check.check}' lies in {parts[3]}: write one of {self.region}"
                )
        return self

    @model_validator(mode="after")
    def _budget_agrees(self) -> Self:
        tasks = self.budget.tasks
        if tasks is not None and tasks < self.limits.min_tasks:
            raise ValueError(
                f"budget: {tasks} tasks is less than min_tasks ({self.limits.min_tasks}): "
                f"write tasks: {self.limits.min_tasks} or more, or lower min_tasks"
            )
        for alarm in self.alarms:
            if tasks is not None and _watches_tasks(alarm) and getattr(alarm, "threshold", tasks) != tasks:
                raise ValueError(
                    f"budget: {tasks} tasks and the alarm on tasks differ: write threshold: {tasks}, "
                    "or leave the alarm out"
                )
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        named = {
            "dependencies": self.dependencies,
            "checks": self.checks,
            "webhooks": self.webhooks,
            "log_queries": self.log_queries,
        }
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

    @model_validator(mode="after")
    def _ladders_have_what_they_name(self) -> Self:
        hooks = {webhook.name for webhook in self.webhooks}
        for ladder in self.ladders.values():
            for action, named in map(split_rung, ladder):
                if action is ActionName.MUTE_ALARM and not self.mutable_alarms:
                    raise ValueError("ladders: mute-alarm has no alarm that calls people: name an existing one")
                if action is ActionName.BACK_UP and self.backups.nothing:
                    raise ValueError(
                        "ladders: back-up has nothing to save: write tables or a DB instance under backups"
                    )
                if action is ActionName.CALL_WEBHOOK and named not in hooks:
                    raise ValueError(
                        f"ladders: no webhook is called '{named}': write it under webhooks, or another one"
                    )
        return self

    @property
    def mutable_alarms(self) -> tuple[str, ...]:
        """Names of the alarms that may be muted: existing ones, where the ladder of false alarms says so.

        One that the deployment makes tells nobody but the responder, which would hear of trouble later.
        """
        if ActionName.MUTE_ALARM not in self.ladder(Cause.FALSE_ALARM):
            return ()
        return tuple(alarm.existing for alarm in self.alarms if isinstance(alarm, ExistingAlarm))

    @property
    def ref(self) -> ServiceRef:
        return ServiceRef(region=self.region, cluster=self.cluster, service=self.service)

    @property
    def addressee(self) -> Addressee:
        """What tells whether a signal concerns it."""
        return addressee_of(self)

    def alarm_name(self, alarm: Alarm) -> str:
        """The alarm's name in CloudWatch, the same at every deployment. One too long for CloudWatch ends in a hash."""
        match alarm:
            case ExistingAlarm():
                return alarm.existing
            case LogAlarm():
                watched = f"log-{alarm.log}"
            case CheckAlarm():
                watched = f"check-{alarm.check}"
            case NewAlarm():
                watched = alarm.symptom
        return _fitting(f"responder-{self.cluster}-{self.service}-{watched}")

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """Names of all alarms of this playbook, created and existing, in the order they are written."""
        return tuple(self.alarm_name(alarm) for alarm in self.alarms)

    @property
    def unattended_name(self) -> str:
        """Name of the alarm that pages people while one of `alarm_names` is in ALARM and the responder is unwell."""
        return _fitting(f"responder-{self.cluster}-{self.service}-unattended")

    @property
    def dashboard_name(self) -> str | None:
        """The dashboard's name in CloudWatch, where dashboards belong to no Region; None where none is asked for."""
        return _fitting(f"responder-{self.region}-{self.cluster}-{self.service}") if self.dashboard else None

    @property
    def synthetic_checks(self) -> tuple[CheckAlarm, ...]:
        """What is asked of the service from outside, and has an alarm."""
        return tuple(alarm for alarm in self.alarms if isinstance(alarm, CheckAlarm))

    @property
    def cost_alarms(self) -> tuple[str, ...]:
        """Names of the alarms on running tasks: they tell of costs, and of nothing that users feel."""
        return tuple(self.alarm_name(alarm) for alarm in self.alarms if _watches_tasks(alarm))

    def severity_of(self, alarm_name: str | None) -> Severity:
        """How grave it is when this alarm goes off; without such an alarm, the playbook's own severity."""
        written = (alarm.severity for alarm in self.alarms if self.alarm_name(alarm) == alarm_name)
        return next((severity for severity in written if severity is not None), self.severity)

    def update_every(self, severity: Severity) -> int | None:
        """Seconds between two updates on an open incident; None where none is promised."""
        every = self.updates[severity]
        return None if every is Silence.NEVER else int(every)

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
