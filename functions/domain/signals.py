"""Signals: what the outside tells the responder. A signal opens eyes; it is never a reason to act by itself."""

from collections.abc import Mapping
from enum import StrEnum

from functions.domain.containment import Order
from functions.domain.model import Model, Moment, digest
from functions.domain.redaction import clean

TASKS_COUNT_FOR_S = 600
"""Seconds within which all tasks of one deployment that stop by themselves are one signal."""

SELF_STOPPED = frozenset({"TaskFailedToStart", "EssentialContainerExited"})
"""Stop codes of tasks that nobody asked to stop (ECS API reference: Task `stopCode`)."""

STOPPED_BY_SCHEDULER = "ServiceSchedulerInitiated"
HEALTH_CHECK_FAILED = "Task failed "
"""How the reason begins when the scheduler replaces a task that failed its health checks, those of the load balancer or
of its container, rather than one it no longer needs (ECS Developer Guide, "Amazon ECS stopped task error messages")."""


class SignalKind(StrEnum):
    """Where a signal comes from, in the field's words."""

    ALARM = "alarm"
    DEPLOYMENT = "deployment"
    SERVICE_ACTION = "service_action"
    TASK = "task"
    RELEASE = "release"
    """The responder's own watch over young releases."""
    SECRET = "secret"
    """A secret that tasks of the service had read was changed."""
    MANUAL = "manual"
    """An operator at the desk ordered something. No message from outside is ever read as one."""


class AlarmState(StrEnum):
    """The three states of a CloudWatch alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class MetricRef(Model):
    """One metric an alarm looks at."""

    namespace: str
    name: str
    dimensions: Mapping[str, str] = {}


class Signal(Model):
    """One message, understood. Text from outside (`reason`) is data: redacted, cut, and never interpreted.

    `cluster` and `service` are set only when the message names exactly one; either can be known without the other.
    """

    kind: SignalKind
    occurred_at: Moment | None
    """When the state changed, by the sender's clock; None when the message does not say so readably."""
    account: str | None = None
    region: str | None = None
    cluster: str | None = None
    service: str | None = None
    reason: str = ""

    alarm: str | None = None
    alarm_arn: str | None = None
    state: AlarmState | None = None
    previous_state: AlarmState | None = None
    metrics: tuple[MetricRef, ...] = ()
    children: tuple[str, ...] = ()
    """Names of the alarms that a composite alarm's rule or its triggering children mention."""
    suppressed_by: str | None = None
    """What suppressed the actions of a composite alarm; such a signal never opens an incident."""

    event_name: str | None = None
    """Name of an ECS event, for example SERVICE_DEPLOYMENT_FAILED; of a task its status, for example STOPPED."""
    level: str | None = None
    """INFO, WARN or ERROR, as ECS says."""
    deployment_id: str | None = None
    stop_code: str | None = None
    """Why a task stopped, as ECS classifies it."""
    secret: str | None = None
    """Name of the secret or parameter that was changed."""
    order: Order | None = None
    """MANUAL: what was ordered."""
    fingerprint: str | None = None
    """Hash of the message, which tells apart two messages without a readable time."""

    @property
    def dedupe_key(self) -> str:
        """One key per state change: a message delivered ten times has it ten times, the next state change another.

        SNS, EventBridge and DescribeAlarms tell the same change with different precision: alarms count by the second.
        Tasks that stopped by themselves count together, by their deployment and the ten minutes in which they stopped.
        """
        if self.kind is SignalKind.ALARM:
            return digest([self.kind, self.account, self.region, self.alarm, self.state, self._moment(1)])
        if self.kind is SignalKind.RELEASE:
            return digest([self.kind, self.region, self.cluster, self.service, self.deployment_id])
        if self.kind is SignalKind.SECRET:
            return digest([self.kind, self.region, self.cluster, self.service, self.secret, self._moment(1)])
        if self.kind is SignalKind.MANUAL:
            ordered = None if self.order is None else self.order.model_dump(mode="json")
            return digest([self.kind, self.region, self.cluster, self.service, ordered, self._moment(1)])
        source = [self.kind, self.account, self.region, self.cluster, self.service, self.deployment_id]
        if self.stopped_by_itself:
            return digest([*source, "stopped by itself", self._moment(TASKS_COUNT_FOR_S)])
        return digest([*source, self.event_name, self._moment(1)])

    def _moment(self, seconds: int) -> str | None:
        """The stretch of so many seconds in which it happened."""
        if self.occurred_at is None:
            return self.fingerprint
        return str(int(self.occurred_at.timestamp()) // seconds)

    @property
    def stopped_by_itself(self) -> bool:
        """Whether this is a task that nobody wanted to stop: it failed to start, died, or failed its health checks."""
        if self.kind is not SignalKind.TASK or self.event_name != "STOPPED":
            return False
        unhealthy = self.stop_code == STOPPED_BY_SCHEDULER and self.reason.startswith(HEALTH_CHECK_FAILED)
        return unhealthy or self.stop_code in SELF_STOPPED

    @property
    def opens_incident(self) -> bool:
        """Whether this signal, by itself, is worth an incident."""
        match self.kind:
            case SignalKind.ALARM:
                return self.state is AlarmState.ALARM and self.suppressed_by is None
            case SignalKind.DEPLOYMENT:
                return self.event_name == "SERVICE_DEPLOYMENT_FAILED"
            case SignalKind.SERVICE_ACTION:
                return self.level == "ERROR"
            case SignalKind.TASK:
                return self.stopped_by_itself
            case SignalKind.RELEASE | SignalKind.SECRET | SignalKind.MANUAL:
                return True

    @property
    def title(self) -> str:
        """A few words for a list of incidents."""
        return f"{self._what}: {clean(self.reason, limit=80)}" if self.stopped_by_itself and self.reason else self._what

    @property
    def summary(self) -> str:
        """What happened, with the reason in full."""
        return f"{self._what}: {self.reason}" if self.reason else self._what

    @property
    def _what(self) -> str:
        if self.kind is SignalKind.ALARM:
            return f"{self.alarm} is {self.state}"
        if self.stopped_by_itself:
            return "task stopped by itself"
        if self.kind is SignalKind.SECRET:
            return f"secret {self.secret} was changed"
        if self.order is not None:
            return self.order.summary
        return f"{self.event_name or self.kind}"
