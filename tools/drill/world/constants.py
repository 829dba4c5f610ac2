"""The numbers of the world that no scenario says, each with its source. `Constants.scaled` bends them for a test of
how much a result depends on them."""

from dataclasses import dataclass, fields, replace
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Constants:
    """Times in seconds, shares from 0 to 1, utilisation in percent.

    *Assumption* marks what no source gives: a value chosen to be plausible, and worth bending.
    """

    task_start_low_s: float = 20.0
    task_start_high_s: float = 60.0
    """From launch to RUNNING without the image pull: 20 to 60 s on Fargate, as ECS users measure it."""
    launch_burst: float = 100.0
    launches_per_s: float = 20.0
    """Fargate launches 100 tasks at once, then 20 a second (AWS Fargate service quotas)."""
    stop_s: float = 5.0
    """From SIGTERM to the end of a process that obeys it. Assumption; ECS kills after 30 s (`stopTimeout`)."""
    deregistration_s: float = 30.0
    """How long a target drains. Assumption: the target group's default is 300 s, and services with short requests
    lower it, as the ECS Best Practices Guide, "Load balancer connection draining", advises."""
    crash_unseen_s: float = 5.0
    """How long the load balancer still sends requests to a task that died, until ECS deregisters it. Assumption."""
    dies_at_start_s: float = 4.0
    """How long a task that dies at its start is RUNNING before. Assumption."""
    life_spread: float = 0.2
    """How far the life of a task whose release leaks or dies differs from the mean, up and down. Assumption."""
    hung_start_s: float = 180.0
    """After this a task that cannot reach what it needs to start gives up: retried calls of the agent. Assumption."""

    breaker_share: float = 0.5
    breaker_least: float = 3.0
    breaker_most: float = 200.0
    """Failures until the circuit breaker acts: half the desired count, within 3 and 200 (ECS Developer Guide, "How the
    Amazon ECS deployment circuit breaker detects failures")."""
    throttle_after: float = 3.0
    throttle_first_s: float = 30.0
    throttle_most_s: float = 1620.0
    """A service whose tasks fail to start is slowed down step by step, to 27 minutes at most (ECS Developer Guide,
    "Service throttle logic"). After how many failures, and from where: assumption; it doubles."""
    deployment_pending_s: float = 2.0
    """From createdAt to startedAt, as in the AWS CLI's example of DescribeServiceDeployments."""
    stop_request_s: float = 3.0
    """How long a service deployment stays ROLLBACK_REQUESTED. Assumption."""
    placement_retry_s: float = 30.0
    """How often placement is tried again where there was no capacity. Assumption."""
    placement_told_s: float = 300.0
    """How often that is told. Assumption."""

    metric_late_low_s: float = 10.0
    metric_late_high_s: float = 60.0
    """How long after the end of its minute a data point can be read: a standard metric arrives up to a minute late."""
    delivery_s: float = 2.0
    """From a change of state to the function that takes it from the queue. Assumption."""
    trail_event_low_s: float = 10.0
    trail_event_high_s: float = 90.0
    """How much later an event comes that CloudTrail tells to EventBridge. Assumption: AWS gives no figure for it, only
    about five minutes until a trail lies in S3."""

    tracking_out_points: float = 3.0
    tracking_in_points: float = 15.0
    """One-minute periods that must breach (Application Auto Scaling User Guide, target tracking: alarms AlarmHigh and
    AlarmLow)."""
    tracking_in_share: float = 0.9
    """Scale-in begins only this far below the target (same guide: it is more conservative). Observed in the alarms
    that ECS services get."""

    idle_cpu_percent: float = 3.0
    """Assumption."""
    fail_fast_s: float = 0.02
    """Time of an answer that needs no work, such as a refusal. Assumption."""
    full_queue_s: float = 6.0
    """How long a request waits in a task whose queue is full; what does not fit is refused. Assumption."""
    hung_request_s: float = 10.0
    """After this the proxy in front of a hung worker answers 504. Assumption, below the load balancer's idle time-out
    of 60 s."""
    workers: float = 60.0
    """Requests that one task works on at a time; a slow dependency holds them. Assumption."""
    dependency_down_cpu: float = 0.5
    """CPU of a request that fails for want of its dependency, as a share of one that succeeds. Assumption."""
    busy_memory_percent: float = 15.0
    """What full load adds to a task's memory. Assumption."""
    overload_unhealthy: float = 2.5
    """A task offered this many times what it can carry fails its health check by a time-out. Assumption."""

    def scaled(self, name: str, factor: float) -> Self:
        """The same with one constant multiplied.

        Raises:
            ValueError: if there is no such constant.
        """
        if name not in {each.name for each in fields(self)}:
            raise ValueError(f"there is no constant {name}")
        return replace(self, **{name: getattr(self, name) * factor})


CONSTANTS = Constants()
