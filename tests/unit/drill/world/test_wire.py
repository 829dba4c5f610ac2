"""Real boto3 clients get answers that AWS could give."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from functions.adapters.answers import code_of
from tests.unit.drill.world.worlds import (
    DATABASE,
    ERROR_RATE,
    HEALTHY_HOSTS,
    SHIPPED_S,
    bad_release,
    failed,
    orders,
    world,
)
from tools.drill.world import wire
from tools.drill.world.shapes import WrongShape, compare
from tools.drill.world.world import World

EVERY_ALARM = [
    ERROR_RATE,
    HEALTHY_HOSTS,
    *({"name": name, "symptom": name, "threshold": 50} for name in ("errors", "response-time", "cpu", "memory")),
    {"name": "tasks", "symptom": "tasks", "threshold": 50, "period_s": 300},
    {"name": "p95", "symptom": "response-time", "statistic": "p95", "threshold": 50},
    {"name": "log", "contains": ["Unhandled"], "threshold": 50},
]


@pytest.fixture(scope="module")
def clients() -> wire.WiredClients:
    return wire.WiredClients(region="eu-central-1")


def read_everything(of: World, clients: wire.WiredClients) -> Iterator[dict[str, Any]]:
    """Every reading operation that the responder and the policies call."""
    ecs, elb = clients.once("ecs"), clients.once("elbv2")
    scaling, cloudwatch = clients.once("application-autoscaling"), clients.once("cloudwatch")
    here = {"cluster": "shop", "service": "orders"}
    yield ecs.describe_services(cluster="shop", services=["orders", "nobody"])
    for status in ("RUNNING", "STOPPED"):
        listed = ecs.list_tasks(cluster="shop", serviceName="orders", desiredStatus=status)
        yield listed
        if listed["taskArns"]:
            yield ecs.describe_tasks(cluster="shop", tasks=listed["taskArns"])
    deployments = ecs.list_service_deployments(**here)
    yield deployments
    arns = [entry["serviceDeploymentArn"] for entry in deployments["serviceDeployments"]]
    described = ecs.describe_service_deployments(serviceDeploymentArns=arns)
    yield described
    revisions = [entry["targetServiceRevision"]["arn"] for entry in described["serviceDeployments"]]
    yield ecs.describe_service_revisions(serviceRevisionArns=revisions)
    yield ecs.describe_task_definition(taskDefinition="orders:42")
    groups = elb.describe_target_groups()
    yield groups
    yield elb.describe_target_health(TargetGroupArn=groups["TargetGroups"][0]["TargetGroupArn"])
    yield scaling.describe_scalable_targets(ServiceNamespace="ecs")
    yield scaling.describe_scaling_activities(ServiceNamespace="ecs", IncludeNotScaledActivities=True)
    alarms = cloudwatch.describe_alarms()
    yield alarms
    for alarm in alarms["MetricAlarms"]:
        metric = {"Namespace": alarm.get("Namespace"), "MetricName": alarm.get("MetricName")}
        stat = {
            "Metric": {**metric, "Dimensions": alarm.get("Dimensions")},
            "Period": 60,
            "Stat": alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
        }
        yield cloudwatch.get_metric_data(
            MetricDataQueries=alarm.get("Metrics") or [{"Id": "q", "MetricStat": stat}],
            StartTime=of.now - timedelta(minutes=30),
            EndTime=of.now,
        )


@pytest.mark.parametrize("how", ["5xx", "dies-at-start", "dies-later", "memory-leak", "image-missing", "wrong-port"])
def test_every_answer_has_the_shape_of_aws(how: str, clients: wire.WiredClients) -> None:
    """Whatever happens, all answers fit the output shapes of botocore's own service models, at any time."""
    of = world(
        bad_release(how),
        needs=[{"dependency": "db"}],
        dependencies=[DATABASE],
        alarms=EVERY_ALARM,
        scaling={"minimum": 4, "maximum": 5, "tracking": {"target": 30}},
        rollout={"circuit_breaker": True, "alarms": ["error-rate"]},
    )
    with wire.connected(of), pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.drill.world.shapes.CHECKED_WHOLE", 10**6)
        for seconds in (0, 590, 605, 640, 700, 760, 900, 1300, 2400):
            of.run_until(seconds)
            assert all(answer["ResponseMetadata"]["HTTPStatusCode"] == 200 for answer in read_everything(of, clients))


def test_a_wrong_shape_is_found(clients: wire.WiredClients) -> None:
    """An answer with an unknown field, a wrong type, an unknown value or a time without zone is no answer of AWS."""
    shape = clients.once("ecs").meta.service_model.operation_model("DescribeServices").output_shape
    wrongs: list[dict[str, Any]] = [
        {"surprise": 1},
        {"services": {}},
        {"services": [{"desiredCount": "4"}]},
        {"services": [{"launchType": "MOON"}]},
    ]
    for wrong in wrongs:
        with pytest.raises(WrongShape):
            compare(shape, wrong, "DescribeServices")


def test_wrong_parameters_are_refused_by_botocore(clients: wire.WiredClients) -> None:
    """botocore validates parameters before the world sees them."""
    with wire.connected(world()), pytest.raises(ParamValidationError):
        clients.once("ecs").describe_services(services="orders")


def test_an_unknown_operation_fails_loudly(clients: wire.WiredClients) -> None:
    """An operation that the world does not know breaks the run, also when whoever called swallows the error."""
    with pytest.raises(wire.WorldUnable, match="ListClusters"), wire.connected(world()):  # noqa: SIM117
        with pytest.raises(wire.WorldUnable):
            clients.once("ecs").list_clusters()


def test_without_a_world_nothing_is_answered(clients: wire.WiredClients) -> None:
    """A call outside of a run never reaches a network."""
    with pytest.raises(wire.WorldUnable, match="no world"):
        clients.once("ecs").list_tasks()


def test_what_is_not_there_is_told_as_aws_tells_it(clients: wire.WiredClients) -> None:
    """Missing services, clusters and task definitions have the answers and error codes of ECS."""
    ecs = clients.once("ecs")
    with wire.connected(world()):
        assert ecs.describe_services(cluster="shop", services=["nobody"])["failures"][0]["reason"] == "MISSING"
        with pytest.raises(ClientError) as gone:
            ecs.describe_services(cluster="nowhere", services=["orders"])
        assert code_of(gone.value) == "ClusterNotFoundException"
        with pytest.raises(ClientError) as unknown:
            ecs.describe_task_definition(taskDefinition="orders:1")
        assert code_of(unknown.value) == "ClientException"


def test_changes_are_noted_with_who_made_them(clients: wire.WiredClients) -> None:
    """Every changing call is noted with its caller, also a refused one."""
    of = world()
    ecs = clients.once("ecs")
    with wire.connected(of), wire.calling("responder"):
        of.run_until(SHIPPED_S)
        ecs.update_service(cluster="shop", service="orders", forceNewDeployment=True)
        with pytest.raises(ClientError):
            ecs.stop_service_deployment(serviceDeploymentArn=orders(of).rollouts.records[0].arn)
    assert [(c.at_s, c.caller, c.operation, c.refused) for c in of.changes] == [
        (SHIPPED_S, "responder", "UpdateService", None),
        (SHIPPED_S, "responder", "StopServiceDeployment", "ConflictException"),
    ]


def test_an_inactive_task_definition_needs_a_copy(clients: wire.WiredClients) -> None:
    """A deregistered task definition cannot be deployed; a copy of it can, and behaves like it."""
    of = world(bad_release("5xx"))
    ecs = clients.once("ecs")
    with wire.connected(of):
        of.run_until(SHIPPED_S + 600)
        ecs.deregister_task_definition(taskDefinition="orders:42")
        with pytest.raises(ClientError, match="inactive"):
            ecs.update_service(cluster="shop", service="orders", taskDefinition="orders:42")
        old = ecs.describe_task_definition(taskDefinition="orders:42")["taskDefinition"]
        copy = ecs.register_task_definition(family="orders", containerDefinitions=old["containerDefinitions"])
        arn = copy["taskDefinition"]["taskDefinitionArn"]
        ecs.update_service(cluster="shop", service="orders", taskDefinition=arn)
        of.run_until(SHIPPED_S + 1200)
    assert failed(of, since_s=SHIPPED_S + 1100) == pytest.approx(0.0)


def test_reads_fail_when_every_attempt_does(clients: wire.WiredClients) -> None:
    """Throttling fails a client without retries as often as it throttles, and one with three attempts far less."""
    of = world({"kind": "api", "how": "throttled", "calls_percent": 50})
    lost = {}
    with wire.connected(of):
        of.run_until(SHIPPED_S + 1)
        for attempts, ecs in ((1, clients.once("ecs")), (3, clients.repeating("ecs"))):
            lost[attempts] = sum(_is_throttled(ecs) for _ in range(400))
        clients.once("ecs").update_service(cluster="shop", service="orders", forceNewDeployment=True)
    assert 150 < lost[1] < 250
    assert 20 < lost[3] < 90


def _is_throttled(ecs: Any) -> bool:
    try:
        ecs.describe_services(cluster="shop", services=["orders"])
    except ClientError as error:
        return code_of(error) == "ThrottlingException"
    return False
