"""The sample service's traffic: a process that watches the service through the AWS API and publishes what it shows.

Every second it looks at the tasks that run, reads the faults from its control file, asks the model what such a second
looks like and publishes that as the metrics of the load balancer, of ECS and of the database's clients. It knows the
responder no more than real traffic does::

    python -m tools.demo.workload --faults faults.json --totals totals.jsonl

It stands in for AWS in three more ways, because the emulator has no tasks that serve and no Application Auto Scaling
that acts. It publishes to namespaces of AWS itself, which only an emulator allows. It registers the running tasks in
the target group, as ECS does for tasks with an address. And it moves the service's desired count into the range of its
scalable target, as RegisterScalableTarget does at once (Application Auto Scaling API reference). It plays no target
tracking.

A task sends its CPU and memory once in a period of the alarms, as it sends them once a minute on AWS: their samples
count the tasks.
"""

import hashlib
import json
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import boto3

from tools.demo.model import Faults, Second, Task, second_of
from tools.demo.shop import (
    ALARM_PERIOD_S,
    CLUSTER,
    DATABASE_DIMENSIONS,
    DATABASE_METRIC,
    DATABASE_NAMESPACE,
    SERVICE,
)

_BALANCER_NAMESPACE = "AWS/ApplicationELB"
_ECS_NAMESPACE = "AWS/ECS"

Datum = dict[str, Any]
"""One entry of PutMetricData's `MetricData`."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names under which the load balancer reports, as CloudWatch dimensions take them."""

    load_balancer: str
    target_group: str

    @classmethod
    def of(cls, *, load_balancer_arn: str, target_group_arn: str) -> Self:
        """From ARNs: the dimension is what follows `loadbalancer/`, and what follows the account (ELB user guide)."""
        return cls(
            load_balancer=load_balancer_arn.partition(":loadbalancer/")[2],
            target_group=target_group_arn.rpartition(":")[2],
        )


def metric_data(second: Second, names: Names, *, at: datetime) -> dict[str, list[Datum]]:
    """What CloudWatch would hold for this second, by namespace.

    Each metric goes out under one set of dimensions, though a load balancer reports under several: the emulator's
    alarms add up all that bear the name. And counts of zero go out, which a load balancer leaves out: the emulator's
    alarms never leave ALARM for want of data.
    """
    balancer = {"LoadBalancer": names.load_balancer}
    target = {"TargetGroup": names.target_group, **balancer}
    service = {"ClusterName": CLUSTER, "ServiceName": SERVICE}
    tasks = len(second.cpu)

    def datum(name: str, dimensions: Mapping[str, str], unit: str, values: Mapping[float, float]) -> Datum:
        return {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Timestamp": at,
            "Unit": unit,
            "Values": list(values),
            "Counts": list(values.values()),
        }

    def count(name: str, dimensions: Mapping[str, str], value: float) -> Datum:
        return datum(name, dimensions, "Count", {value: 1.0})

    from_balancer = [
        count("RequestCount", target, second.requests),
        count("HTTPCode_Target_5XX_Count", target, second.target_5xx),
        count("HTTPCode_ELB_5XX_Count", balancer, second.balancer_5xx),
    ]
    from_service = []
    once_a_period = 1 / ALARM_PERIOD_S
    # Without a task there is nothing to measure: these metrics then go missing, as they do on AWS.
    if tasks:
        from_balancer += [
            count("HealthyHostCount", target, tasks),
            count("UnHealthyHostCount", target, 0),
            count("RequestCountPerTarget", {"TargetGroup": names.target_group}, second.requests / tasks),
        ]
        from_service += [
            datum("CPUUtilization", service, "Percent", _tally((each, once_a_period) for each in second.cpu)),
            datum("MemoryUtilization", service, "Percent", _tally((each, once_a_period) for each in second.memory)),
        ]
    if second.responses:
        times = _tally((each.seconds, each.count) for each in second.responses)
        from_balancer.append(datum("TargetResponseTime", target, "Seconds", times))
    return {
        _BALANCER_NAMESPACE: from_balancer,
        _ECS_NAMESPACE: from_service,
        DATABASE_NAMESPACE: [count(DATABASE_METRIC, DATABASE_DIMENSIONS, second.connection_failures)],
    }


def _tally(weighted: Iterable[tuple[float, float]]) -> dict[float, float]:
    """The sum of the weights of each value: PutMetricData wants a value once."""
    total: dict[float, float] = {}
    for value, weight in weighted:
        total[value] = total.get(value, 0.0) + weight
    return total


def count_within(desired: int, *, minimum: int, maximum: int) -> int:
    """The desired count that a scalable target with this range leaves a service."""
    return max(minimum, min(desired, maximum))


def address_of(task_arn: str) -> str:
    """A private address for a task, made up from its identifier: the emulator gives tasks none."""
    first, second, third = hashlib.sha256(task_arn.encode()).digest()[:3]
    return f"10.{first}.{second}.{third}"


class Workload:
    """The service as its surroundings see it, over boto3 clients that are handed in."""

    def __init__(self, *, ecs: Any, elbv2: Any, autoscaling: Any, cloudwatch: Any) -> None:
        self._ecs = ecs
        self._elbv2 = elbv2
        self._autoscaling = autoscaling
        self._cloudwatch = cloudwatch
        self._names = self._find_names()
        self._registered: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls) -> Self:
        return cls(
            ecs=boto3.client("ecs"),
            elbv2=boto3.client("elbv2"),
            autoscaling=boto3.client("application-autoscaling"),
            cloudwatch=boto3.client("cloudwatch"),
        )

    def step(self, faults: Faults, *, at: datetime) -> Second:
        """Live through one second and publish it."""
        self._obey_scalable_target()
        tasks = self._running_tasks()
        self._register(tasks)
        second = second_of(tasks, faults)
        for namespace, data in metric_data(second, self._names, at=at).items():
            if data:
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        return second

    def _register(self, tasks: Sequence[Task]) -> None:
        """Put the running tasks into the target group, and take the others out."""
        wanted = frozenset(address_of(task.arn) for task in tasks)
        group = self._target_group()
        if arrived := wanted - self._registered:
            self._elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": each} for each in sorted(arrived)])
        if gone := self._registered - wanted:
            self._elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": each} for each in sorted(gone)])
        self._registered = wanted

    def _target_group(self) -> str:
        (balanced,) = self._service()["loadBalancers"]
        return str(balanced["targetGroupArn"])

    def _find_names(self) -> Names:
        target_group = self._target_group()
        found = self._elbv2.describe_target_groups(TargetGroupArns=[target_group])["TargetGroups"][0]
        return Names.of(load_balancer_arn=found["LoadBalancerArns"][0], target_group_arn=target_group)

    def _service(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
        return found

    def _running_tasks(self) -> list[Task]:
        arns = self._ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE, desiredStatus="RUNNING")["taskArns"]
        if not arns:
            return []
        return [
            Task(arn=task["taskArn"], image=container["image"])
            for task in self._ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
            for container in task["containers"]
            if task["lastStatus"] == "RUNNING" and container["name"] == SERVICE
        ]

    def _obey_scalable_target(self) -> None:
        targets = self._autoscaling.describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[f"service/{CLUSTER}/{SERVICE}"]
        )["ScalableTargets"]
        desired = self._service()["desiredCount"]
        for target in targets:
            within = count_within(desired, minimum=target["MinCapacity"], maximum=target["MaxCapacity"])
            if within != desired:
                self._ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=within)


def totals_line(second: Second, *, at: datetime) -> str:
    """One second for whoever adds up: JSON with the requests sent, those that failed, tasks, CPU and response time."""
    return json.dumps(
        {
            "at": at.isoformat(),
            "requests": round(second.sent, 3),
            "failed": round(second.failed, 3),
            "tasks": len(second.cpu),
            "cpu": round(sum(second.cpu) / len(second.cpu), 1) if second.cpu else None,
            "response_s": round(second.response_seconds, 3) if second.response_seconds is not None else None,
        }
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until the process is ended."""
    parser = ArgumentParser(description="Traffic for the sample service.")
    parser.add_argument("--faults", type=Path, required=True, help="control file, read every second")
    parser.add_argument("--totals", type=Path, required=True, help="JSON Lines file, one line per second is added")
    chosen = parser.parse_args(arguments)
    workload = Workload.from_environment()
    with chosen.totals.open("a", buffering=1) as totals:
        due = time.monotonic()
        while True:
            at = datetime.now(UTC)
            second = workload.step(Faults.read(chosen.faults), at=at)
            totals.write(totals_line(second, at=at) + "\n")
            # After a slow second the next one starts at once, but lost seconds are not made up for.
            due = max(due + 1.0, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
