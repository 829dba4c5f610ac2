"""What others tell of a service: the trail, its stack, AWS Health, secrets, alarm history, policies, dependencies."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters.answers import code_of
from tests.unit.drill.world.worlds import DATABASE, SHIPPED_S, bad_release, client, failed, orders, world
from tools.drill.world import wire
from tools.drill.world.answers_account import HEALTH_HIGH_S, TRAIL_HIGH_S, TRAIL_LOW_S
from tools.drill.world.world import World

NEEDS = [{"dependency": "db", "connections_per_task": 10}]


def trail(of: World) -> list[dict[str, Any]]:
    """UpdateService in the last hours, as CloudTrail tells it now."""
    with wire.connected(of):
        answer = client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "UpdateService"}],
            StartTime=of.now - timedelta(hours=3),
            EndTime=of.now,
        )
    return [json.loads(event["CloudTrailEvent"]) for event in answer["Events"]]


def test_the_trail_tells_late_who_changed_what() -> None:
    """A release is told some minutes later, with who shipped it."""
    of = world(bad_release("5xx"))
    of.run_until(SHIPPED_S + TRAIL_LOW_S - 1)
    assert trail(of) == []
    of.run_until(SHIPPED_S + TRAIL_HIGH_S)
    (event,) = trail(of)
    assert event["userIdentity"]["arn"].endswith("assumed-role/deploy/pipeline")
    assert event["requestParameters"]["service"] == "orders"
    assert event["requestParameters"]["cluster"] == "shop"


def test_the_trail_knows_scaling_and_refused_calls() -> None:
    """Application Auto Scaling changes the count by UpdateService; what was refused has an error code."""
    of = world(scaling={"minimum": 6, "maximum": 9})
    with wire.connected(of), wire.calling("responder"):
        of.targets["orders"].register(minimum=7, maximum=None)
        with pytest.raises(ClientError):
            client("ecs").update_service(cluster="shop", service="orders", taskDefinition="orders:1")
    of.run_until(TRAIL_HIGH_S + 1)
    by = {event["userIdentity"]["arn"].rsplit("/", 2)[-2]: event for event in trail(of)}
    assert by["AWSServiceRoleForApplicationAutoScaling_ECSService"]["requestParameters"]["desiredCount"] == 7
    assert by["ecs-first-responder-remediate"]["errorCode"] == "ClientException"


def stack_status(of: World) -> str:
    cloudformation = client("cloudformation")
    with wire.connected(of):
        found = cloudformation.describe_stack_resources(PhysicalResourceId=orders(of).arn)["StackResources"]
        (stack,) = cloudformation.describe_stacks(StackName=found[0]["StackId"])["Stacks"]
    assert stack["StackName"] == "shop-orders"
    return str(stack["StackStatus"])


def test_a_stack_is_in_progress_while_its_release_rolls_out() -> None:
    """The pipeline ships through the stack, which waits for the service."""
    of = world({"kind": "engineer", "does": "deploys"}, stack="shop-orders")
    of.run_until(SHIPPED_S - 1)
    assert stack_status(of) == "UPDATE_COMPLETE"
    of.run_until(SHIPPED_S + 10)
    assert stack_status(of) == "UPDATE_IN_PROGRESS"
    of.run_until(SHIPPED_S + 900)
    assert stack_status(of) == "UPDATE_COMPLETE"


def test_what_belongs_to_no_stack_is_told_as_aws_tells_it() -> None:
    """CloudFormation has no code of its own for it."""
    of = world()
    with wire.connected(of), pytest.raises(ClientError, match="does not exist") as none:
        client("cloudformation").describe_stack_resources(PhysicalResourceId=orders(of).arn)
    assert code_of(none.value) == "ValidationError"


def test_health_tells_those_who_pay() -> None:
    """Trouble of a zone is told minutes later and is closed at its end; without a plan nothing is."""
    fault = {"kind": "zone-impaired", "until_s": SHIPPED_S + 3000}
    asked = {"regions": ["eu-central-1"], "eventStatusCodes": ["open"], "eventTypeCategories": ["issue"]}
    of, poor = world(fault), world(fault)
    object.__setattr__(of.setting, "support_plan", True)
    health, found = client("health"), []
    for at_s in (SHIPPED_S + 60, SHIPPED_S + HEALTH_HIGH_S, SHIPPED_S + 3100):
        of.run_until(at_s)
        with wire.connected(of):
            found.append(health.describe_events(filter=asked)["events"])
    assert [len(events) for events in found] == [0, 1, 0]
    assert found[1][0]["availabilityZone"] == of.zones[0]
    with wire.connected(poor), pytest.raises(ClientError) as refused:
        health.describe_events(filter=asked)
    assert code_of(refused.value) == "SubscriptionRequiredException"


@pytest.mark.thorough
def test_secrets_are_those_of_the_task_definition() -> None:
    """What a task definition names can be described, with when it was changed; a missing secret cannot."""
    of = world(bad_release("secret-missing"), secrets=["db", "/limits"])
    of.run_until(SHIPPED_S + 10)
    with wire.connected(of):
        release = orders(of).primary.release.arn
        definition = client("ecs").describe_task_definition(taskDefinition=release)["taskDefinition"]
        secret, parameter, missing = (e["valueFrom"] for e in definition["containerDefinitions"][0]["secrets"])
        secrets = client("secretsmanager")
        assert secrets.describe_secret(SecretId=secret)["LastChangedDate"] < of.now - timedelta(days=10)
        of.secrets[secret].changed_s = of.seconds
        assert secrets.describe_secret(SecretId=secret)["LastChangedDate"] == of.now
        with pytest.raises(secrets.exceptions.ResourceNotFoundException):
            secrets.describe_secret(SecretId=missing)
        wanted = {"Key": "Name", "Option": "Equals", "Values": ["/orders/limits", "/orders/nothing"]}
        found = client("ssm").describe_parameters(ParameterFilters=[wanted])["Parameters"]
    assert [each["Name"] for each in found] == ["/orders/limits"]
    assert parameter == found[0]["ARN"]


def test_alarm_history_has_every_transition() -> None:
    """Each change of state is kept, newest first, with the states before and after."""
    of = world({"kind": "false-alarm", "alarm": "error-rate"})
    of.run_until(SHIPPED_S + 300)
    with wire.connected(of):
        items = client("cloudwatch").describe_alarm_history(
            AlarmName="error-rate", AlarmTypes=["MetricAlarm", "CompositeAlarm"], HistoryItemType="StateUpdate",
            StartDate=of.now - timedelta(hours=2), EndDate=of.now, ScanBy="TimestampDescending",
        )["AlarmHistoryItems"]  # fmt: skip
    states = [json.loads(item["HistoryData"]) for item in items]
    assert [state["newState"]["stateValue"] for state in states] == ["OK", "ALARM"]
    assert items[1]["Timestamp"] == of.moment(SHIPPED_S)
    assert items[1]["HistorySummary"] == "Alarm updated from OK to ALARM"


def test_a_policy_takes_another_target() -> None:
    """PutScalingPolicy with another target value counts from the next look on; anything else is not understood."""
    of = world(scaling={"minimum": 4, "maximum": 9, "tracking": {"target": 60}})
    scaling = client("application-autoscaling")
    with wire.connected(of):
        (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
        kept = {key: policy[key] for key in ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")}
        configuration = policy["TargetTrackingScalingPolicyConfiguration"]
        assert configuration["TargetValue"] == 60
        scaling.put_scaling_policy(
            **kept,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={**configuration, "TargetValue": 30},
        )
    of.run_until(1200)
    assert orders(of).desired > 4


def enlarged(of: World, **size: str) -> None:
    """Deploy a copy of the release that runs, of another size."""
    ecs = client("ecs")
    with wire.connected(of):
        old = ecs.describe_task_definition(taskDefinition=orders(of).primary.release.arn)["taskDefinition"]
        made = ecs.register_task_definition(family="orders", containerDefinitions=old["containerDefinitions"], **size)
        arn = made["taskDefinition"]["taskDefinitionArn"]
        assert size.items() <= made["taskDefinition"].items()
        ecs.update_service(cluster="shop", service="orders", taskDefinition=arn)


def test_a_larger_task_carries_more() -> None:
    """With twice the CPU the same load takes half of it, and with twice the memory half of that."""
    of = world()
    of.run_until(SHIPPED_S)
    enlarged(of, cpu="512", memory="1024")
    of.run_until(2000)
    service = orders(of)
    cpu, memory = (service.front.metric_keys[name] for name in ("CPUUtilization", "MemoryUtilization"))
    for key in (cpu, memory):
        before, after = (of.metrics.value(key, at_s, 60, "Average", now_s=of.seconds) for at_s in (300, 1800))
        assert before is not None
        assert after is not None
        assert after == pytest.approx(before / 2, abs=2)


def measured(of: World, namespace: str, name: str, dimensions: dict[str, str], statistic: str) -> list[float]:
    """The last five whole minutes that have arrived, oldest first."""
    start = (int(of.seconds // 60) - 6) * 60
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    with wire.connected(of):
        answer = client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}],
            StartTime=of.moment(start),
            EndTime=of.moment(start + 300),
            ScanBy="TimestampAscending",
        )
    values: list[float] = answer["MetricDataResults"][0]["Values"]
    return values


def database(of: World, name: str, statistic: str = "Average") -> list[float]:
    return measured(of, "AWS/RDS", name, {"DBInstanceIdentifier": "db"}, statistic)


def status(of: World) -> str:
    with wire.connected(of):
        (instance,) = client("rds").describe_db_instances(DBInstanceIdentifier="db")["DBInstances"]
    return str(instance["DBInstanceStatus"])


def test_a_database_shows_how_it_is() -> None:
    """Available at first; busy while it is slow, full while out of connections, and not available while it is down."""
    trouble = {"kind": "dependency", "dependency": "db", "until_s": SHIPPED_S + 600}
    of = world(trouble | {"how": "slow", "latency_s": 5}, needs=NEEDS, dependencies=[DATABASE])
    of.run_until(SHIPPED_S)
    assert status(of) == "available"
    assert database(of, "DatabaseConnections") == [40.0] * 5
    usual = database(of, "CPUUtilization")[0]
    of.run_until(SHIPPED_S + 500)
    assert min(database(of, "CPUUtilization")) > 2 * usual
    assert min(database(of, "ReadLatency")) > 0.02
    full = world(trouble | {"how": "out-of-connections", "connections": 25}, needs=NEEDS, dependencies=[DATABASE])
    down = world(trouble | {"how": "down"}, needs=NEEDS, dependencies=[DATABASE])
    for of in (full, down):
        of.run_until(SHIPPED_S + 500)
    assert database(full, "DatabaseConnections")[-1] == 25.0
    assert status(down) != "available"
    down.run_until(SHIPPED_S + 700)
    assert status(down) == "available"


def test_nobody_elses_database_is_found() -> None:
    """An unknown DB instance has the error code of RDS."""
    of = world()
    with wire.connected(of), pytest.raises(ClientError) as unknown:
        client("rds").describe_db_instances(DBInstanceIdentifier="db")
    assert code_of(unknown.value) == "DBInstanceNotFound"


def test_a_table_shows_what_it_throttles() -> None:
    """Consumed units all the time, throttle events only while it throttles, and the requests that need it fail."""
    of = world(needs=[{"dependency": "carts"}], dependencies=[{"name": "carts", "kind": "table"}])
    table = {"TableName": "carts"}
    of.run_until(SHIPPED_S)
    assert len(measured(of, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", table, "Sum")) == 5
    assert measured(of, "AWS/DynamoDB", "WriteThrottleEvents", table, "Sum") == []
    of.settle()
    of.dependencies["carts"].throttled = 0.3
    of.dependencies_changed()
    of.run_until(SHIPPED_S + 600)
    assert failed(of, since_s=SHIPPED_S) == pytest.approx(0.3 * 100 * 600)
    events = [
        sum(measured(of, "AWS/DynamoDB", name, table, "Sum")) for name in ("ReadThrottleEvents", "WriteThrottleEvents")
    ]
    assert sum(events) == pytest.approx(0.3 * 100 * 300)


def test_a_backend_counts_calls_and_errors() -> None:
    """As an API it shows requests, the share that failed and how long they took."""
    trouble = {"kind": "dependency", "dependency": "pay", "how": "down"}
    of = world(trouble, needs=[{"dependency": "pay"}], dependencies=[{"name": "pay", "kind": "backend"}])
    api = {"ApiName": "pay"}
    of.run_until(SHIPPED_S + 500)
    calls = measured(of, "AWS/ApiGateway", "Count", api, "SampleCount")
    assert measured(of, "AWS/ApiGateway", "5XXError", api, "Sum") == pytest.approx(calls)
    assert measured(of, "AWS/ApiGateway", "Latency", api, "Average") == pytest.approx([10.0] * 5)
    assert measured(of, "AWS/Lambda", "Errors", {"FunctionName": "pay"}, "Sum") == pytest.approx(calls)
