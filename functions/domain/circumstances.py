"""What surrounds a service: its settings, its logs, and what others did to it lately. Read by the probes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from functions.domain.causes import Cause
from functions.domain.model import Model, Moment


class ContainerFacts(Model):
    """One container of a task definition (API reference, ContainerDefinition). No value of a variable is ever read."""

    name: str
    image: str = ""
    """As it is written there, with its tag."""
    digest: str | None = None
    """What that image was when the service revision was made; None where nobody told."""
    cpu: int | None = None
    """CPU units; None where it names none of its own."""
    memory_mib: int | None = None
    reserved_mib: int | None = None
    environment: tuple[str, ...] = ()
    """Names of its variables, in the order of the alphabet."""
    environment_files: tuple[str, ...] = ()
    secrets: Mapping[str, str] = {}
    """By the name of the variable, `valueFrom`: an ARN or the name of a parameter."""
    ports: tuple[str, ...] = ()
    """For example `8080/tcp`."""
    command: str = ""
    """Entry point and command, redacted."""
    health_check: str = ""
    """What is run, how often, how long it may take and how often it may fail; empty without one."""
    essential: bool = True


class TaskDefinitionFacts(Model):
    """The task definition that runs (DescribeTaskDefinition), as far as decisions need it."""

    task_definition: str
    cpu: int | None = None
    """CPU units of a task; 1024 are one vCPU. None where only containers say."""
    memory_mib: int | None = None
    ports: tuple[int, ...] = ()
    """Container ports, of all containers."""
    container_health_check: bool = False
    secrets: tuple[str, ...] = ()
    """`valueFrom` of every secret of every container: ARNs of Secrets Manager secrets or SSM parameters."""
    log_groups: tuple[str, ...] = ()
    """CloudWatch log groups its containers write to (driver awslogs)."""
    log_prefixes: tuple[str, ...] = ()
    """`awslogs-stream-prefix` of its containers: with one, a stream is named prefix/container/task-id."""
    task_role: str | None = None
    """ARN of the role whose credentials its containers have."""
    execution_role: str | None = None
    network_mode: str | None = None
    containers: tuple[ContainerFacts, ...] = ()
    """In its order. Empty in a trail that was written before they were read."""


class TargetGroupFacts(Model):
    """One target group: health check and stickiness (DescribeTargetGroups, DescribeTargetGroupAttributes)."""

    arn: str
    health_check_path: str | None = None
    health_check_port: str = "traffic-port"
    health_check_protocol: str = "HTTP"
    matcher: str | None = None
    """HTTP codes that count as healthy, for example `200` or `200-299`."""
    interval_s: int = 30
    timeout_s: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    port: int | None = None
    stickiness: bool = False
    stickiness_type: str = ""
    """lb_cookie, app_cookie or source_ip."""
    stickiness_s: int | None = None
    """How long a load balancer's cookie lasts."""


class FrontFacts(Model):
    """What stands in front of the service."""

    target_groups: tuple[TargetGroupFacts, ...] = ()
    load_balancer: str | None = None
    zonal_shift_allowed: bool = False
    """Whether the load balancer has opted in to zonal shift (attribute `zonal_shift.config.enabled`)."""
    zone_ids: Mapping[str, str] = {}
    """By zone name, for example eu-west-1a, the zone's id, for example euw1-az3: zonal shift takes only ids."""
    shifted_away: tuple[str, ...] | None = ()
    """Ids of zones from which traffic is shifted away already; None where nobody could say."""
    sticky_s: int | None = None
    """How long the playbook wants the load balancer's cookie to last; None where it wants no sticky sessions."""


class LogPattern(Model):
    """Error lines that differ only in their variable parts."""

    pattern: str
    """The line with its variable parts left out, redacted."""
    count: int
    sample: str = ""
    """One such line, redacted and cut to 300 characters."""
    cause: Cause | None = None
    """What such lines speak of, where the playbook says so (`log_causes`)."""


class LogQueryFacts(Model):
    """What came of one query that the playbook asks for (`log_queries`)."""

    name: str
    count: int | None = None
    """How many lines it matched; None where nobody knows."""
    lines: tuple[str, ...] = ()
    """A few of its rows, redacted and cut to 300 characters."""
    partial: bool = False
    """It was stopped for its cost or its time: there may be more than this."""
    error: str | None = None
    """Why nothing is known; None where it was answered."""

    def __str__(self) -> str:
        """What came of it, for a person, without the lines."""
        if self.error is not None:
            return f"{self.name}: unknown, {self.error}"
        least = "at least " if self.partial else ""
        return f"{self.name}: {least}{self.count} line{'' if self.count == 1 else 's'}"


class LogsFacts(Model):
    """Error lines of the service since the trouble began (CloudWatch Logs Insights)."""

    since: Moment
    groups: tuple[str, ...]
    patterns: tuple[LogPattern, ...] = ()
    """Most frequent first."""
    errors_by_task: Mapping[str, int] = {}
    """Error lines by task id, from the names of the log streams; empty where streams are not named after tasks."""
    scanned_bytes: int = 0
    partial: bool = False
    """The query was stopped for its cost or its time: there may be more than this."""
    queries: tuple[LogQueryFacts, ...] = ()
    """What the playbook wants to be shown, in its order; no cause is told by it."""

    @property
    def errors(self) -> int:
        return sum(pattern.count for pattern in self.patterns)


class LogLine(NamedTuple):
    """One line as it stood in the log, redacted. A report has thousands of them, so that nothing is validated here."""

    at: datetime
    stream: str
    message: str


@dataclass(frozen=True, kw_only=True)
class LinesFacts:
    """Lines of a time, oldest first (FilterLogEvents)."""

    since: datetime
    until: datetime
    groups: tuple[str, ...]
    lines: tuple[LogLine, ...] = ()
    whole: bool = True
    """These are all there are; False where a limit left some out."""


class SecretFacts(Model):
    """One secret or parameter of the task definition; its value is never read."""

    name: str
    exists: bool | None = True
    """None where it could not be read."""
    changed_at: Moment | None = None


class SecretsFacts(Model):
    secrets: tuple[SecretFacts, ...] = ()


class AlarmHistoryFacts(Model):
    """How often the alarms of the incident went off lately (DescribeAlarmHistory)."""

    since: Moment
    went_off: Mapping[str, tuple[Moment, ...]] = {}
    """By alarm, when it changed to ALARM, newest first."""
    acted: tuple[Moment, ...] = ()
    """When the responder changed something that could have ended the trouble. Empty in a trail that was written before
    it was asked."""

    def by_itself(self, alarm: str) -> int:
        """How often it went off without an answer of ours before it went off again: a state that we ended says nothing
        of one that ends by itself."""
        times, until = self.went_off.get(alarm, ()), None
        unanswered = 0
        for at in times:
            unanswered += not any(acted >= at and (until is None or acted < until) for acted in self.acted)
            until = at
        return unanswered


class ChangeFacts(Model):
    """One call that changed something, as CloudTrail tells it."""

    at: Moment
    event: str
    """Name of the call, for example UpdateService."""
    by: str
    """Who: role session or user, redacted."""
    resource: str = ""


class ChangesFacts(Model):
    """Who changed what of this service lately, newest first. CloudTrail tells it minutes late: it only names who."""

    since: Moment
    changes: tuple[ChangeFacts, ...] = ()


class StackFacts(Model):
    """The CloudFormation stack the service belongs to; without one, `name` is empty."""

    name: str = ""
    status: str = ""
    since: Moment | None = None

    @property
    def in_progress(self) -> bool:
        """A stack is being changed right now; clean-up after an update changes the service no more."""
        return self.status.endswith("_IN_PROGRESS") and "CLEANUP" not in self.status


class HealthEventFacts(Model):
    """One open event of AWS Health."""

    code: str
    """For example AWS_ECS_OPERATIONAL_ISSUE."""
    service: str
    category: str = "issue"
    zone: str | None = None
    began_at: Moment | None = None
    arn: str = ""


class HealthFacts(Model):
    """What AWS says of itself in this Region; needs a paid support plan, and is unknown without one."""

    events: tuple[HealthEventFacts, ...] = ()
