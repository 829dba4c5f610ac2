"""The workload process: what it reads of the service, what it publishes and what it moves."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tools.demo.model import Faults, Task, second_of
from tools.demo.shop import ALARM_PERIOD_S, CLUSTER, SERVICE
from tools.demo.workload import Names, Workload, address_of, count_within, metric_data, totals_line

AT = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
TARGET_GROUP_ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/orders/0123456789abcdef"
LOAD_BALANCER_ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/fedcba9876543210"
NAMES = Names(load_balancer="app/shop/fedcba9876543210", target_group="targetgroup/orders/0123456789abcdef")
IMAGE = "shop/orders:1.4.2"


class FakeEcs:
    """One service whose tasks follow the desired count, as in the emulator."""

    def __init__(self, *, desired: int) -> None:
        self.desired = desired
        self.stopping = 0

    def describe_services(self, *, cluster: str, services: list[str]) -> dict[str, Any]:
        assert (cluster, services) == (CLUSTER, [SERVICE])
        balanced = {"targetGroupArn": TARGET_GROUP_ARN, "containerName": SERVICE, "containerPort": 80}
        return {"services": [{"desiredCount": self.desired, "loadBalancers": [balanced]}]}

    def list_tasks(self, *, cluster: str, serviceName: str, desiredStatus: str) -> dict[str, Any]:
        assert (cluster, serviceName, desiredStatus) == (CLUSTER, SERVICE, "RUNNING")
        return {"taskArns": [f"task/{number}" for number in range(self.desired + self.stopping)]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert cluster == CLUSTER
        assert tasks, "DescribeTasks refuses an empty list"
        containers = [{"name": "sidecar", "image": "proxy:1"}, {"name": SERVICE, "image": IMAGE}]
        return {
            "tasks": [
                {
                    "taskArn": arn,
                    "lastStatus": "RUNNING" if number < self.desired else "PENDING",
                    "containers": containers,
                }
                for number, arn in enumerate(tasks)
            ]
        }

    def update_service(self, *, cluster: str, service: str, desiredCount: int) -> None:
        assert (cluster, service) == (CLUSTER, SERVICE)
        self.desired = desiredCount


class FakeElb:
    def __init__(self) -> None:
        self.targets: set[str] = set()

    def register_targets(self, *, TargetGroupArn: str, Targets: list[dict[str, str]]) -> None:
        assert TargetGroupArn == TARGET_GROUP_ARN
        self.targets |= {target["Id"] for target in Targets}

    def deregister_targets(self, *, TargetGroupArn: str, Targets: list[dict[str, str]]) -> None:
        assert TargetGroupArn == TARGET_GROUP_ARN
        self.targets -= {target["Id"] for target in Targets}

    def describe_target_groups(self, *, TargetGroupArns: list[str]) -> dict[str, Any]:
        assert TargetGroupArns == [TARGET_GROUP_ARN]
        return {"TargetGroups": [{"LoadBalancerArns": [LOAD_BALANCER_ARN]}]}


class FakeAutoscaling:
    def __init__(self, ranges: list[tuple[int, int]]) -> None:
        self.ranges = ranges

    def describe_scalable_targets(self, *, ServiceNamespace: str, ResourceIds: list[str]) -> dict[str, Any]:
        assert (ServiceNamespace, ResourceIds) == ("ecs", [f"service/{CLUSTER}/{SERVICE}"])
        return {"ScalableTargets": [{"MinCapacity": low, "MaxCapacity": high} for low, high in self.ranges]}


class FakeCloudWatch:
    def __init__(self) -> None:
        self.published: dict[str, list[dict[str, Any]]] = {}

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        assert MetricData, "PutMetricData refuses an empty list"
        self.published[Namespace] = MetricData


def workload(
    ecs: FakeEcs, *, ranges: list[tuple[int, int]] | None = None, elb: FakeElb | None = None
) -> tuple[Workload, FakeCloudWatch]:
    cloudwatch = FakeCloudWatch()
    autoscaling = FakeAutoscaling(ranges if ranges is not None else [(1, 10)])
    elb = FakeElb() if elb is None else elb
    return Workload(ecs=ecs, elbv2=elb, autoscaling=autoscaling, cloudwatch=cloudwatch), cloudwatch


def published(count: int, faults: Faults) -> dict[str, dict[str, Any]]:
    """All that is published for a second, by the metric's name."""
    second = second_of([Task(arn=f"task/{number}", image=IMAGE) for number in range(count)], faults)
    return {datum["MetricName"]: datum for data in metric_data(second, NAMES, at=AT).values() for datum in data}


def dimensions(datum: dict[str, Any]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in datum["Dimensions"]}


def test_dimensions_are_cut_from_arns() -> None:
    """The names of load balancer and target group are the ends of their ARNs that CloudWatch uses."""
    assert Names.of(load_balancer_arn=LOAD_BALANCER_ARN, target_group_arn=TARGET_GROUP_ARN) == NAMES


def test_metrics_bear_the_dimensions_of_the_load_balancer_and_of_ecs() -> None:
    """An alarm on the service's own dimensions finds each metric under them."""
    data = published(3, Faults(traffic=60))
    target = {"LoadBalancer": NAMES.load_balancer, "TargetGroup": NAMES.target_group}
    service = {"ClusterName": CLUSTER, "ServiceName": SERVICE}
    for name in ("RequestCount", "HTTPCode_Target_5XX_Count", "TargetResponseTime", "HealthyHostCount"):
        assert dimensions(data[name]) == target
    assert dimensions(data["HTTPCode_ELB_5XX_Count"]) == {"LoadBalancer": NAMES.load_balancer}
    assert dimensions(data["CPUUtilization"]) == dimensions(data["MemoryUtilization"]) == service


def test_percentiles_of_response_times_are_weighted() -> None:
    """One slow task among three weighs a third in the published response times."""
    data = published(3, Faults(traffic=60, stuck_tasks=frozenset({"task/0"})))["TargetResponseTime"]
    assert dict(zip(data["Values"], data["Counts"], strict=True))[10.0] == pytest.approx(20)
    assert sum(data["Counts"]) == pytest.approx(60)


def test_an_average_over_tasks_counts_every_task() -> None:
    """CPU is published once per task, so that average, minimum and maximum are those of the tasks."""
    data = published(3, Faults(traffic=60, stuck_tasks=frozenset({"task/0"})))["CPUUtilization"]
    assert sorted(data["Counts"]) == [1 / ALARM_PERIOD_S, 2 / ALARM_PERIOD_S]


def test_the_samples_of_a_period_count_the_tasks() -> None:
    """A task sends its CPU once a minute on AWS, so that whoever counts samples counts tasks."""
    data = published(3, Faults(traffic=60))["CPUUtilization"]
    assert sum(data["Counts"]) * ALARM_PERIOD_S == pytest.approx(3)


def test_without_tasks_their_metrics_are_missing() -> None:
    """A service without running tasks sends no host count, CPU or response time, and only the load balancer's 5xx."""
    data = published(0, Faults(traffic=60))
    assert not {"HealthyHostCount", "CPUUtilization", "MemoryUtilization", "TargetResponseTime"} & set(data)
    assert data["HTTPCode_ELB_5XX_Count"]["Values"] == [60.0]


def test_a_quiet_second_still_publishes_zeros() -> None:
    """Error counts of zero are published, so that an alarm can find its way back."""
    data = published(3, Faults(traffic=60))
    for name in ("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "ConnectionFailures"):
        assert data[name]["Values"] == [0.0]


def test_a_step_publishes_what_runs() -> None:
    """Only tasks that run and the service's own container count, a starting task or a sidecar does not."""
    ecs = FakeEcs(desired=3)
    ecs.stopping = 1
    watching, cloudwatch = workload(ecs)
    second = watching.step(Faults(traffic=60), at=AT)
    assert len(second.cpu) == 3
    assert set(cloudwatch.published) == {"AWS/ApplicationELB", "AWS/ECS", "Shop/Database"}
    assert all(datum["Timestamp"] == AT for data in cloudwatch.published.values() for datum in data)


def test_a_step_without_tasks_publishes_the_rest() -> None:
    """A service scaled to nothing asks AWS for no task details and still reports failing requests."""
    watching, cloudwatch = workload(FakeEcs(desired=0), ranges=[])
    assert watching.step(Faults(traffic=60), at=AT).balancer_5xx == 60
    assert set(cloudwatch.published) == {"AWS/ApplicationELB", "Shop/Database"}


def test_a_raised_floor_moves_the_desired_count_at_once() -> None:
    """With the scalable target's minimum above the desired count the service grows to it within the same second."""
    ecs = FakeEcs(desired=3)
    watching, _ = workload(ecs, ranges=[(6, 10)])
    assert len(watching.step(Faults(traffic=60), at=AT).cpu) == 6


def test_without_a_scalable_target_the_count_stays() -> None:
    """A service that nothing scales keeps the count it was given."""
    ecs = FakeEcs(desired=3)
    watching, _ = workload(ecs, ranges=[])
    watching.step(Faults(traffic=60), at=AT)
    assert ecs.desired == 3


@pytest.mark.parametrize(("desired", "left"), [(1, 2), (2, 2), (3, 3), (5, 5), (9, 5)])
def test_a_count_stays_within_its_range(desired: int, left: int) -> None:
    """A scalable target lifts a count to its minimum, cuts it to its maximum and leaves one between alone."""
    assert count_within(desired, minimum=2, maximum=5) == left


def test_totals_count_each_request_once() -> None:
    """A line of totals holds what clients sent and what failed, also when the load balancer answered."""
    line = json.loads(totals_line(second_of([], Faults(traffic=60)), at=AT))
    assert line == {
        "at": "2026-03-01T12:00:00+00:00",
        "requests": 60.0,
        "failed": 60.0,
        "tasks": 0,
        "cpu": None,
        "response_s": None,
    }


def test_running_tasks_are_the_targets_of_the_load_balancer() -> None:
    """A task that starts is registered, one that is gone is taken out."""
    ecs, elb = FakeEcs(desired=3), FakeElb()
    life, _ = workload(ecs, elb=elb)
    life.step(Faults(traffic=60), at=AT)
    assert elb.targets == {address_of(f"task/{number}") for number in range(3)}
    ecs.desired = 1
    life.step(Faults(traffic=60), at=AT)
    assert elb.targets == {address_of("task/0")}
