"""Signals: what the outside tells the responder. A signal opens eyes; it is never a reason to act by itself."""

from collections.abc import Mapping
from enum import StrEnum

from functions.domain.model import Model, Moment, digest


class SignalKind(StrEnum):
    """Where a signal comes from, in the field's words."""

    ALARM = "alarm"
    DEPLOYMENT = "deployment"
    SERVICE_ACTION = "service_action"
    TASK = "task"


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
    """Name of an ECS event, for example SERVICE_DEPLOYMENT_FAILED."""
    level: str | None = None
    """INFO, WARN or ERROR, as ECS says."""
    deployment_id: str | None = None
    fingerprint: str | None = None
    """Hash of the message, which tells apart two messages without a readable time."""

    @property
    def dedupe_key(self) -> str:
        """One key per state change: a message delivered ten times has it ten times, the next state change another.

        SNS, EventBridge and DescribeAlarms tell the same change with different precision: alarms count by the second.
        """
        moment = self.fingerprint if self.occurred_at is None else str(int(self.occurred_at.timestamp()))
        if self.kind is SignalKind.ALARM:
            return digest([self.kind, self.account, self.region, self.alarm, self.state, moment])
        return digest(
            [
                self.kind,
                self.account,
                self.region,
                self.cluster,
                self.service,
                self.event_name,
                self.deployment_id,
                moment,
            ]
        )

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
                return False

    @property
    def title(self) -> str:
        """A few words for a list of incidents."""
        if self.kind is SignalKind.ALARM:
            return f"{self.alarm} is {self.state}"
        return f"{self.event_name or self.kind}"
