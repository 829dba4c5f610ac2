"""The shortest chain of calls that keeps the promises, as bare calls of boto3; docs/performance.md has it line by line.

It parses nothing into facts, ranks nothing and plans nothing: the release to go back to and the number of tasks are
told to it. What it reads and writes is what the responder has to read and write.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from functions.adapters.autoscaling import DIMENSION, NAMESPACE, resource_id
from functions.adapters.dynamo import ABSENT, Writes, to_wire
from functions.adapters.items import FLEET, incident_partition, key, service_partition
from functions.adapters.logs import ERRORS, LINES
from functions.domain.table import PARTITION_KEY
from tools.bench.chain.scenes import FORCE_REDEPLOY, ROLLBACK, SCALE_OUT, Stage

Answer = Mapping[str, Any]

THREADS = 16
"""As many reads as begin together."""

_ALB, _ECS = "AWS/ApplicationELB", "AWS/ECS"


class Floor:
    """One run, in the three functions that the responder is deployed as. What travels between two of them is the id of
    the incident."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        repeating, once = stage.clients.repeating, stage.clients.once
        self._dynamodb, self._states, self._s3 = repeating("dynamodb"), repeating("stepfunctions"), repeating("s3")
        self._ecs, self._elb, self._cloudwatch = repeating("ecs"), repeating("elbv2"), repeating("cloudwatch")
        self._scaling, self._scaling_once = repeating("application-autoscaling"), once("application-autoscaling")
        self._logs, self._secrets = once("logs"), repeating("secretsmanager")
        self._trail, self._stacks, self._health = once("cloudtrail"), once("cloudformation"), once("health")
        self._changing = {"ecs": once("ecs"), "application-autoscaling": once("application-autoscaling")}
        self._named = {"cluster": stage.service.cluster, "service": stage.service.service}
        self._service = service_partition(stage.service.key)
        self._incident = incident_partition("inc-floor")
        self._target = {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": resource_id(stage.service),
            "ScalableDimension": DIMENSION,
        }

    def respond(self) -> None:
        self._intake()
        release = self._assess()
        self._remediate(release)

    # --- intake: 2 in a row

    def _intake(self) -> None:
        """Open the incident on condition that nobody holds the service, then start its execution."""
        message = json.loads(self._stage.message["Records"][0]["body"])
        recorded = "RECORDED#" + hashlib.sha256(message["Message"].encode()).hexdigest()
        body = message["Message"]
        self._transact(
            self._writes()
            .put({**key(recorded, "SIGNAL"), "incident": "inc-floor"}, when=ABSENT)
            .put({**key(self._service, "LOCK"), "incident": "inc-floor"}, when=ABSENT)
            .put({**key(self._incident, "HEAD"), "head": 1, "signals": 1}, when=ABSENT)
            .put({**key(self._incident, "EVENT#000001"), "body": body}, when=ABSENT)
            .put({**key(self._incident, "SIGNAL#000001"), "body": body}, when=ABSENT)
        )
        self._states.start_execution(
            stateMachineArn=self._stage.deployment.settings.state_machine,
            name="inc-floor-1",
            input=json.dumps({"incident_id": "inc-floor", "generation": 1, "step": "assess"}),
        )

    # --- assess: 7 in a row

    def _assess(self) -> str:
        """The incident, then everything that a judge, a guardrail or a plan goes by, then what was found and decided.

        Gives the release to go back to.
        """
        self._query(self._incident)
        with ThreadPoolExecutor(THREADS) as pool:
            begun = [pool.submit(read) for read in (*self._at_once(), lambda: self._after_service(pool))]
            releases = pool.submit(self._releases)
            tasks = [pool.submit(self._tasks, status) for status in ("RUNNING", "STOPPED")]
            arns = [arn for listed in tasks for arn in listed.result()["taskArns"]]
            begun.append(pool.submit(self._ecs.describe_tasks, cluster=self._stage.service.cluster, tasks=arns))
            found = [each.result() for each in begun]
            release, deployments = releases.result()
        body = json.dumps([*found, deployments], default=str)
        sha256 = hashlib.sha256(body.encode()).hexdigest()
        self._s3.put_object(
            Bucket=self._stage.deployment.settings.bucket,
            Key=f"evidence/{sha256}.json",
            Body=body.encode(),
            ContentType="application/json",
        )
        writes = self._writes().update(key(self._incident, "HEAD"), when={"head": 1}, changes={"head": 6, "seen": 1})
        for number, said in enumerate((body[:4000], sha256, body[:4000], body[:500], body[:4000]), start=2):
            writes.put({**key(self._incident, f"EVENT#{number:06}"), "body": said}, when=ABSENT)
        writes.put({**key(FLEET, f"TROUBLE#{self._stage.service.key}"), "body": body[:500]}, when=ABSENT)
        self._transact(writes)
        return release

    def _at_once(self) -> Sequence[Callable[[], Any]]:
        """What waits for nothing but the incident."""
        now = self._stage.now
        reads: list[Callable[[], Any]] = [
            lambda: self._query(self._service),
            lambda: self._query(FLEET),
            self._alarms,
            lambda: self._cloudwatch.describe_alarm_history(
                AlarmName=self._stage.alarm, HistoryItemType="StateUpdate", StartDate=now - timedelta(hours=2)
            ),
            self._range,
            lambda: self._trail.lookup_events(
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "UpdateService"}],
                StartTime=now - timedelta(hours=1),
                EndTime=now,
            ),
            lambda: self._health.describe_events(
                filter={"regions": [self._stage.service.region], "eventStatusCodes": ["open"]}
            ),
        ]
        if self._stage.scaled:
            reads += [
                lambda: self._scaling_once.describe_scaling_activities(**self._target),
                lambda: self._scaling_once.describe_scaling_policies(**self._target),
            ]
        return [lambda read=read: _tolerant(read) for read in reads]  # type: ignore[misc]

    def _after_service(self, pool: ThreadPoolExecutor) -> list[Any]:
        """What the service names: its targets, its stack, its task definition, and what these name in turn."""
        service = self._described()
        group = service["loadBalancers"][0]["targetGroupArn"]
        begun: list[Future[Any]] = [
            pool.submit(self._front, group, pool),
            pool.submit(self._logged, service["taskDefinition"], pool),
            pool.submit(self._elb.describe_target_health, TargetGroupArn=group),
            pool.submit(self._elb.describe_target_group_attributes, TargetGroupArn=group),
            pool.submit(
                lambda: _tolerant(
                    lambda: self._stacks.describe_stack_resources(PhysicalResourceId=service["serviceArn"])
                )
            ),
        ]
        return [service, *(each.result() for each in begun)]

    def _front(self, group: str, pool: ThreadPoolExecutor) -> list[Any]:
        """The load balancer, and then the metrics that are counted there."""
        found = self._elb.describe_target_groups(TargetGroupArns=[group])
        balancer = found["TargetGroups"][0]["LoadBalancerArns"][0]
        attributes = pool.submit(self._elb.describe_load_balancer_attributes, LoadBalancerArn=balancer)
        return [found, self._metrics(group, balancer), attributes.result()]

    def _logged(self, definition: str, pool: ThreadPoolExecutor) -> list[Any]:
        """What the service logs to and which secrets it has; then a query, then its answer."""
        found = self._ecs.describe_task_definition(taskDefinition=definition)
        containers = found["taskDefinition"]["containerDefinitions"]
        secrets = [
            pool.submit(self._secrets.describe_secret, SecretId=secret["valueFrom"])
            for container in containers
            for secret in container.get("secrets", ())
        ]
        now = self._stage.now
        query = self._logs.start_query(
            logGroupNames=[container["logConfiguration"]["options"]["awslogs-group"] for container in containers],
            startTime=int((now - timedelta(minutes=15)).timestamp()),
            endTime=int(now.timestamp()),
            queryString=ERRORS,
            limit=LINES,
        )["queryId"]
        return [found, self._logs.get_query_results(queryId=query), *(each.result() for each in secrets)]

    def _releases(self) -> tuple[str, Any]:
        """The release that ran well before, and whether it can still be started."""
        listed = self._ecs.list_service_deployments(**self._named, maxResults=100)["serviceDeployments"]
        newest = sorted(listed, key=lambda each: each["createdAt"], reverse=True)
        arns = [each["serviceDeploymentArn"] for each in newest][:20]
        deployments = self._ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
        revisions = [each["targetServiceRevision"]["arn"] for each in deployments]
        described = self._ecs.describe_service_revisions(serviceRevisionArns=list(dict.fromkeys(revisions)))
        oldest = described["serviceRevisions"][-1]["taskDefinition"]
        before = next((r["taskDefinition"] for r in described["serviceRevisions"][1:]), oldest)
        if self._stage.scene.name == ROLLBACK:
            self._ecs.describe_task_definition(taskDefinition=before)
        return before, [deployments, described]

    # --- remediate: 4 in a row, 5 where new tasks might hurt a dependency

    def _remediate(self, release: str) -> None:
        """The incident again; then, side by side, the switches, the lock, who leads, the service, and what the plan
        stands on; then the intent with its charges; then the one call."""
        self._query(self._incident)
        with ThreadPoolExecutor(THREADS) as pool:
            reads: list[Callable[[], Any]] = [
                lambda: self._query(self._service),
                lambda: self._query(FLEET),
                lambda: self._query(self._incident, "SIGNAL#"),
                self._described,
            ]
            if self._stage.scene.name == SCALE_OUT:
                reads.append(self._range)
            if self._stage.scene.name != ROLLBACK:
                reads.append(self._alarms)
            for each in [pool.submit(read) for read in reads]:
                each.result()
        intent = {**key(self._incident, "EVENT#000007"), "body": release * 20}
        writes = (
            self._writes()
            .update(key(self._incident, "HEAD"), when={"head": 6}, changes={"head": 7})
            .put(intent, when=ABSENT)
            .put({**key(self._service, "BUDGET"), "body": "1"}, when=ABSENT)
            .put({**key(FLEET, "BUDGET"), "body": "1"}, when=ABSENT)
            .check(key(FLEET, "SWITCH"), when=ABSENT)
        )
        if self._stage.scene.name == SCALE_OUT:
            writes.put({**key(self._service, "LEASE#1"), "body": release * 5}, when=ABSENT)
        self._transact(writes)
        match self._stage.scene.name:
            case name if name == ROLLBACK:
                self._changing["ecs"].update_service(**self._named, taskDefinition=release)
            case name if name == FORCE_REDEPLOY:
                self._changing["ecs"].update_service(**self._named, forceNewDeployment=True)
            case _:
                self._changing["application-autoscaling"].register_scalable_target(**self._target, MinCapacity=8)

    # --- single reads

    def _described(self) -> Any:
        return self._ecs.describe_services(cluster=self._stage.service.cluster, services=[self._stage.service.service])[
            "services"
        ][0]

    def _tasks(self, status: str) -> Any:
        cluster, service = self._stage.service.cluster, self._stage.service.service
        return self._ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus=status)

    def _range(self) -> Any:
        return self._scaling.describe_scalable_targets(
            ServiceNamespace=NAMESPACE, ResourceIds=[self._target["ResourceId"]], ScalableDimension=DIMENSION
        )

    def _alarms(self) -> Any:
        """The alarms that told and those of dependencies, and then whether their metrics breach."""
        named = [self._stage.alarm, *self._stage.dependency_alarms]
        alarms = self._cloudwatch.describe_alarms(AlarmNames=named)["MetricAlarms"]
        now = self._stage.now
        queries = [
            query
            for place, alarm in enumerate(alarms)
            for query in (
                [{**each, "Id": f"q{place}{each['Id']}"} for each in alarm["Metrics"] if "MetricStat" in each]
                if "Metrics" in alarm
                else [_query(f"q{place}", alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"], "Average")]
            )
        ]
        points = self._cloudwatch.get_metric_data(
            MetricDataQueries=queries, StartTime=now - timedelta(minutes=5), EndTime=now
        )
        return [alarms, points]

    def _metrics(self, group: str, balancer: str) -> Any:
        now, service = self._stage.now, self._stage.service
        ecs = _pairs(ClusterName=service.cluster, ServiceName=service.service)
        front = {"LoadBalancer": balancer.split(":loadbalancer/", 1)[-1]}
        behind = _pairs(**front, TargetGroup=group.rsplit(":", 1)[-1])
        asked = [
            (_ECS, "CPUUtilization", ecs, "Average"),
            (_ECS, "MemoryUtilization", ecs, "Average"),
            (_ECS, "CPUUtilization", ecs, "SampleCount"),
            (_ALB, "RequestCount", behind, "Sum"),
            (_ALB, "HTTPCode_Target_5XX_Count", behind, "Sum"),
            (_ALB, "HTTPCode_ELB_5XX_Count", _pairs(**front), "Sum"),
            (_ALB, "TargetResponseTime", behind, "Average"),
            (_ALB, "TargetResponseTime", behind, "p95"),
            (_ALB, "HealthyHostCount", behind, "Minimum"),
        ]
        return self._cloudwatch.get_metric_data(
            MetricDataQueries=[_query(f"m{place}", *each) for place, each in enumerate(asked)],
            StartTime=now - timedelta(minutes=40),
            EndTime=now,
        )

    def _query(self, partition: str, prefix: str = "") -> Any:
        values = {":pk": partition, **({":sk": prefix} if prefix else {})}
        return self._dynamodb.query(
            TableName=self._stage.deployment.settings.table,
            KeyConditionExpression="#pk = :pk" + (" AND begins_with(#sk, :sk)" if prefix else ""),
            ExpressionAttributeNames={"#pk": PARTITION_KEY, **({"#sk": "sk"} if prefix else {})},
            ExpressionAttributeValues=to_wire(values),
            ConsistentRead=True,
        )

    def _writes(self) -> Writes:
        return Writes(self._stage.deployment.settings.table)

    def _transact(self, writes: Writes) -> None:
        self._dynamodb.transact_write_items(TransactItems=writes.requests)


def _tolerant(read: Callable[[], Any]) -> Any:
    """What AWS may refuse without an end to the look."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - it is written down like an answer
        return str(error)


def _query(identifier: str, namespace: str, name: str, dimensions: Sequence[Answer], statistic: str) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": list(dimensions)}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}


def _pairs(**dimensions: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]
