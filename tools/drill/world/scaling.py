"""Application Auto Scaling: the range of a service's desired count, and target tracking within it.

Source: Application Auto Scaling User Guide, "Target tracking scaling policies", "Scaling activities", "Suspend and
resume scaling"; API reference, RegisterScalableTarget.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil

from tools.drill.world.chance import Chance
from tools.drill.world.constants import Constants
from tools.drill.world.metrics import MINUTE_S, Metrics
from tools.drill.world.refusal import Refused
from tools.drill.world.service import Service
from tools.drill.world.setting import Scaling

ACTIVITIES_KEPT = 50
"""Activities that one answer has at most (Application Auto Scaling API reference, DescribeScalingActivities)."""
AT_MAXIMUM_TOLD_S = 300.0
"""How often an activity is added that did not scale. Assumption."""


@dataclass(kw_only=True)
class Activity:
    """One scaling activity."""

    id: str
    at_s: float
    cause: str
    description: str
    status: str = "Successful"
    message: str = ""
    not_scaled: str | None = None
    desired: int | None = None
    """The count it set, where it scaled."""


@dataclass(kw_only=True)
class Suspended:
    """SuspendedState of a scalable target."""

    scale_in: bool = False
    scale_out: bool = False
    scheduled: bool = False


@dataclass(kw_only=True)
class Tracking:
    """A target tracking policy, and when it scaled last."""

    name: str
    metric: str
    """cpu or requests."""
    target: float
    cooldown_out_s: float
    cooldown_in_s: float
    out_at_s: float = float("-inf")
    in_at_s: float = float("-inf")


@dataclass
class ScalableTarget:
    """The scalable target of one service, with its policy if it has one."""

    service: Service
    setting: Scaling
    chance: Chance
    constants: Constants
    metrics: Metrics
    activities: deque[Activity] = field(default_factory=lambda: deque(maxlen=ACTIVITIES_KEPT))
    """Newest first."""

    def __post_init__(self) -> None:
        self.minimum, self.maximum = self.setting.minimum, self.setting.maximum
        self.suspended = Suspended(scale_in=self.setting.scale_in_suspended, scale_out=self.setting.scale_out_suspended)
        self._numbered = 0
        tracking, name = self.setting.tracking, f"{self.service.name}/tracking"
        self.tracking = None if tracking is None else Tracking(
            name=f"{self.service.name}-{tracking.metric}",
            metric=tracking.metric,
            target=self.chance.number(tracking.target, f"{name}/target"),
            cooldown_out_s=self.chance.number(tracking.cooldown_out_s, f"{name}/cooldown-out"),
            cooldown_in_s=self.chance.number(tracking.cooldown_in_s, f"{name}/cooldown-in"),
        )  # fmt: skip

    @property
    def resource_id(self) -> str:
        return f"service/{self.service.world.setting.cluster}/{self.service.name}"

    def register(self, *, minimum: int | None, maximum: int | None) -> None:
        """Set the range, or a part of it; the desired count moves inside at once.

        Raises:
            Refused: if the range is upside down.
        """
        low = self.minimum if minimum is None else minimum
        high = self.maximum if maximum is None else maximum
        if low > high:
            raise Refused("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        self.minimum, self.maximum = low, high
        desired = self.service.desired
        if desired < low:
            self._scale(low, f"minimum capacity was set to {low}")
        elif desired > high:
            self._scale(high, f"maximum capacity was set to {high}")

    def _scale(self, count: int, cause: str) -> None:
        self._note(
            cause,
            f"Setting desired count to {count}.",
            message=f"Successfully set desired count to {count}. Change successfully fulfilled by ecs.",
            desired=count,
        )
        text = f"{self.service.name}: autoscaling set {count} tasks: {cause}"
        self.service.world.happened("scaling", text)
        self.service.say(
            f"Message: Successfully set desired count to {count}. Change successfully fulfilled by ecs. Cause: {cause}"
        )
        self.service.set_desired(count)

    def _note(
        self,
        cause: str,
        description: str,
        *,
        message: str = "",
        status: str = "Successful",
        not_scaled: str | None = None,
        desired: int | None = None,
    ) -> None:
        self._numbered += 1
        token = self.chance.token(f"{self.service.name}/activity", self._numbered)
        identifier = "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:32]))
        self.activities.appendleft(
            Activity(
                id=identifier,
                at_s=self.service.now,
                cause=cause,
                description=description,
                status=status,
                message=message,
                not_scaled=not_scaled,
                desired=desired,
            )
        )

    def track(self) -> None:
        """Look at the policy's two alarms, as CloudWatch does every minute."""
        tracking, service = self.tracking, self.service
        if tracking is None or service.desired == 0:
            return
        out_points, in_points = int(self.constants.tracking_out_points), int(self.constants.tracking_in_points)
        values = self._values(tracking, in_points)
        newest = values[-out_points:]
        now = service.now
        if len(newest) == out_points and all(value > tracking.target for value in newest):
            if self.suspended.scale_out or now < tracking.out_at_s + tracking.cooldown_out_s:
                return
            self._out(tracking, newest[-1])
        elif len(values) == in_points and all(
            value < self.constants.tracking_in_share * tracking.target for value in values
        ):
            # Scale-in is off while a deployment is under way (ECS Developer Guide, "Service auto scaling").
            cooling = now < max(tracking.in_at_s, tracking.out_at_s) + tracking.cooldown_in_s
            if self.suspended.scale_in or service.rollouts.deploying or cooling:
                return
            count = max(self.minimum, ceil(service.desired * values[-1] / tracking.target))
            if count < service.desired:
                tracking.in_at_s = now
                self._scale(count, self._cause(tracking, "Low"))

    def _out(self, tracking: Tracking, value: float) -> None:
        service, now = self.service, self.service.now
        count = min(self.maximum, ceil(service.desired * value / tracking.target))
        if count > service.desired:
            tracking.out_at_s = now
            self._scale(count, self._cause(tracking, "High"))
        elif service.desired >= self.maximum:
            newest = self.activities[0] if self.activities else None
            if newest is None or newest.not_scaled is None or now >= newest.at_s + AT_MAXIMUM_TOLD_S:
                self._note(
                    self._cause(tracking, "High"),
                    "Attempting to scale due to alarm triggered",
                    status="Failed",
                    not_scaled="AlreadyAtMaxCapacity",
                )

    def alarm(self, tracking: Tracking, side: str) -> str:
        """Name of one of the two alarms of a policy, by `High` or `Low`."""
        return f"TargetTracking-{self.resource_id}-Alarm{side}-{self.chance.token(tracking.name, size=8)}"

    def _cause(self, tracking: Tracking, side: str) -> str:
        return f"monitor alarm {self.alarm(tracking, side)} in state ALARM triggered policy {tracking.name}"

    def _values(self, tracking: Tracking, count: int) -> list[float]:
        """The newest minutes in a row that have data, oldest first."""
        keys, now = self.service.front.metric_keys, self.service.now
        newest = self.metrics.newest_minute(keys["CPUUtilization"], now)
        found: list[float] = []
        for minute in range(newest, newest - count, -1):
            value = self._value(tracking.metric, minute)
            if value is None:
                break
            found.append(value)
        return found[::-1]

    def _value(self, metric: str, minute: int) -> float | None:
        keys, now = self.service.front.metric_keys, self.service.now

        def read(name: str, statistic: str) -> float | None:
            return self.metrics.value(keys[name], minute * MINUTE_S, MINUTE_S, statistic, now_s=now)

        if metric == "cpu":
            return read("CPUUtilization", "Average")
        requests, hosts = read("RequestCount", "Sum"), read("HealthyHostCount", "Average")
        return None if requests is None or not hosts else requests / hosts
