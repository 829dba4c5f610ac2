"""Signals: what the outside tells the responder. A signal opens eyes; it is never a reason to act by itself."""

from collections.abc import Mapping
from enum import StrEnum

from functions.domain.model import Model, Moment, digest
from functions.domain.orders import Order, PendingOrder
from functions.domain.people import Word
from functions.domain.redaction import clean, printable

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
    """An operator at the desk ordered or said something. No message from outside is ever read as one."""
    HEALTH = "health"
    """AWS says of itself that something of its own is, was or will be wrong."""
    COST = "cost"
    """Money: AWS Budgets, Cost Anomaly Detection, or the budget of the playbook."""
    THREAT = "threat"
    """GuardDuty saw something that an intruder would do."""
    HEARTBEAT = "heartbeat"
    """The responder's own, sent to see whether it comes back. It concerns no service."""


class Wakes(StrEnum):
    """What ends a pause between two looks before its time."""

    ORDERS = "orders"
    """What people say, and news of a deployment."""
    TROUBLE = "trouble"
    """That, and whatever would open an incident."""


class AlarmState(StrEnum):
    """The three states of a CloudWatch alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


HEALTH_ISSUE = "issue"
"""Level of a Health signal that tells of trouble of now; others have been, or will be, or are none."""

OVER_BUDGET = "OVER_BUDGET"
"""Name of the responder's own event: the service costs more than its playbook allows."""

WORTH_A_LOOK = ("MEDIUM", "HIGH", "CRITICAL")
"""Levels of a finding that open an incident (GuardDuty User Guide, "Severity levels of GuardDuty findings")."""

_DAY_S = 86_400

_OF_A_SERVICE = frozenset({SignalKind.HEALTH, SignalKind.COST, SignalKind.THREAT})
"""Kinds that tell of something with a name of its own, which may concern several services."""


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
    """INFO, WARN or ERROR, as ECS says; of a finding LOW to CRITICAL, of a budget ACTUAL or FORECASTED, of an event of
    AWS Health its category, or `upcoming` or `closed`."""
    deployment_id: str | None = None
    stop_code: str | None = None
    """Why a task stopped, as ECS classifies it."""
    secret: str | None = None
    """Name of the secret or parameter that was changed."""
    order: Order | None = None
    """MANUAL: what was ordered."""
    word: Word | None = None
    """MANUAL: what was said of an incident."""
    reference: str | None = None
    """What it is about, by its own name: ARN of a Health event or of a finding, name of a budget, id of an anomaly."""
    aws_service: str | None = None
    """Whose trouble or whose cost it is, as AWS Health writes it: ECS, RDS."""
    names: tuple[str, ...] = ()
    """What else it names: resources of ECS as `cluster/service`, `cluster/*` and `cluster/` (a task), others by their
    own id; budgets, monitors, tags, roles."""
    fingerprint: str | None = None
    """Hash of the message, which tells apart two messages without a readable time."""

    @property
    def dedupe_key(self) -> str:
        """One key per state change: a message delivered ten times has it ten times, the next state change another.

        SNS, EventBridge and DescribeAlarms tell the same change with different precision: alarms count by the second.
        Tasks that stopped by themselves count together, by their deployment and the ten minutes in which they stopped.
        An event of AWS Health is told again and again, and counts once in each state; findings and costs once a day. An
        order with a key counts once.
        """
        if self.kind is SignalKind.ALARM:
            return digest([self.kind, self.account, self.region, self.alarm, self.state, self._moment(1)])
        if self.kind is SignalKind.RELEASE:
            return digest([self.kind, self.region, self.cluster, self.service, self.deployment_id])
        if self.kind is SignalKind.SECRET:
            return digest([self.kind, self.region, self.cluster, self.service, self.secret, self._moment(1)])
        if self.kind is SignalKind.MANUAL:
            given = [self.kind, self.region, self.cluster, self.service]
            if self.order is not None and self.order.key:
                return digest([*given, "key", self.order.key])
            ordered = None if self.order is None else self.order.model_dump(mode="json")
            told = [*given, ordered, self._moment(1)]
            return digest(told if self.word is None else [*told, self.word.model_dump(mode="json")])
        if self.kind in _OF_A_SERVICE:
            told = [self.kind, self.region, self.cluster, self.service, self.event_name, self.reference, self.level]
            return digest(told if self.kind is SignalKind.HEALTH else [*told, self._moment(_DAY_S)])
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
            case SignalKind.HEALTH:
                return self.level == HEALTH_ISSUE
            case SignalKind.THREAT:
                return self.level in WORTH_A_LOOK
            case SignalKind.MANUAL:
                return self.word is None
            case SignalKind.RELEASE | SignalKind.SECRET | SignalKind.COST | SignalKind.HEARTBEAT:
                return True

    def ends(self, pause: Wakes) -> bool:
        """Whether somebody who pauses like that looks at once for it."""
        if self.kind in (SignalKind.MANUAL, SignalKind.DEPLOYMENT):
            return True
        return pause is Wakes.TROUBLE and self.opens_incident

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
            return f"{printable(self.alarm or '')} is {self.state}"
        if self.stopped_by_itself:
            return "task stopped by itself"
        if self.kind is SignalKind.SECRET:
            return f"secret {self.secret} was changed"
        if self.order is not None:
            return self.order.summary
        if self.word is not None:
            return self.word.summary
        if self.kind is SignalKind.HEALTH:
            return f"AWS Health: {self.event_name} ({self.level})"
        if self.kind is SignalKind.COST:
            return "over budget" if self.event_name == OVER_BUDGET else f"cost: {self.reference}"
        if self.kind is SignalKind.THREAT:
            return f"GuardDuty: {self.event_name} ({self.level})"
        return _EVENTS_CALLED.get(self.event_name or "", self.event_name or str(self.kind))


_EVENTS_CALLED = {
    "RELEASE_HURTS": "the new release hurts",
    "SERVICE_DEPLOYMENT_IN_PROGRESS": "a deployment is in progress",
    "SERVICE_DEPLOYMENT_COMPLETED": "a deployment was completed",
    "SERVICE_DEPLOYMENT_FAILED": "a deployment failed",
    "SERVICE_STEADY_STATE": "the service is steady",
    "SERVICE_TASK_START_IMPAIRED": "tasks cannot start",
    "SERVICE_TASK_PLACEMENT_FAILURE": "tasks cannot be placed",
    "SERVICE_TASK_CONFIGURATION_FAILURE": "tasks cannot be placed as they are configured",
    "SERVICE_DISCOVERY_OPERATION_THROTTLED": "service discovery is throttled",
    "SERVICE_DISCOVERY_INSTANCE_UNHEALTHY": "service discovery finds a task unhealthy",
    "SERVICE_HEALTH_UNKNOWN": "service discovery does not know how tasks are",
    "CAPACITY_PROVIDER_STEADY_STATE": "the capacity provider is steady",
    "SERVICE_TASKSET_STEADY_STATE": "the task set is steady",
    "SERVICE_DAEMON_PLACEMENT_CONSTRAINT_VIOLATED": "a daemon task cannot be placed",
    "ECS_OPERATION_THROTTLED": "ECS is throttled",
}
"""What events of ECS say (Amazon ECS Developer Guide, "Amazon ECS service action events" and "deployment state change
events"), and the responder's own; others keep their name."""


def pending(number: int, signal: Signal) -> PendingOrder | None:
    """The order in a signal that has this place in the inbox. None where nothing has to come of it but a look."""
    if signal.order is None or signal.order.what.action is None:
        return None
    return PendingOrder(number=number, order=signal.order, at=signal.occurred_at)
