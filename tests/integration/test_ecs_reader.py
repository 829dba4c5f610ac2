"""Reading ECS, from answers in the shapes that ECS gives."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.adapters.ecs import CALLS, EcsReader
from functions.domain.errors import ReadFailed
from functions.domain.services import ServiceRef
from tests.fakes.aws import FakeAws, refusal

ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
PREFIX = "arn:aws:ecs:eu-west-1:000000000000"
NOON = datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))
NOON_UTC = datetime(2026, 3, 1, 12, tzinfo=UTC)


def service(**changes: Any) -> dict[str, Any]:
    return {
        "serviceArn": f"{PREFIX}:service/shop/orders",
        "status": "ACTIVE",
        "desiredCount": 4,
        "runningCount": 3,
        "pendingCount": 1,
        "launchType": "FARGATE",
        "taskDefinition": f"{PREFIX}:task-definition/orders:7",
        "loadBalancers": [
            {"targetGroupArn": "arn:tg/one", "containerName": "web", "containerPort": 80},
            {"targetGroupArn": "arn:tg/one", "containerName": "web", "containerPort": 81},
            {"loadBalancerName": "classic", "containerName": "web", "containerPort": 80},
        ],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["a", "b"], "securityGroups": ["s"]}},
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": True, "rollback": False},
            "alarms": {"alarmNames": ["x"], "enable": True, "rollback": True},
        },
        "deployments": [
            {
                "id": "ecs-svc/1",
                "status": "PRIMARY",
                "taskDefinition": f"{PREFIX}:task-definition/orders:7",
                "desiredCount": 4,
                "runningCount": 3,
                "pendingCount": 1,
                "failedTasks": 2,
                "createdAt": NOON,
                "updatedAt": NOON,
                "rolloutState": "IN_PROGRESS",
                "rolloutStateReason": "ECS deployment ecs-svc/1 in progress.",
            }
        ],
        "events": [{"id": "e", "createdAt": NOON, "message": "(service orders) said password=hunter2"}],
        "schedulingStrategy": "REPLICA",
        "healthCheckGracePeriodSeconds": 60,
        **changes,
    }


def reader(**replies: Any) -> EcsReader:
    return EcsReader(FakeAws(**replies).client("ecs"))


def described(**changes: Any) -> Any:
    facts = reader(DescribeServices={"services": [service(**changes)], "failures": []}).service(ORDERS)
    assert facts is not None
    return facts


class TestTheService:
    def test_what_is_read(self) -> None:
        """Counts, the deployment, its guards and its target groups come through, times in UTC, text redacted."""
        facts = described()

        assert (facts.desired, facts.running, facts.pending) == (4, 3, 1)
        assert facts.primary.id == "ecs-svc/1"
        assert (facts.primary.failed, facts.primary.rollout_state) == (2, "IN_PROGRESS")
        assert facts.primary.created_at == NOON_UTC
        assert facts.primary.created_at.tzinfo is UTC
        assert facts.target_groups == ("arn:tg/one",)
        assert facts.security_groups == ("s",)
        assert facts.circuit_breaker
        assert facts.native_rollback
        assert (facts.controller, facts.strategy, facts.health_check_grace_s) == ("ECS", "REPLICA", 60)
        assert facts.events[0].message == "(service orders) said password=[redacted]"

    def test_what_ecs_leaves_out(self) -> None:
        """A service of another controller, or an inactive one, lacks most fields and is read all the same."""
        bare = {
            "serviceArn": f"{PREFIX}:service/orders",
            "status": "INACTIVE",
            "deploymentController": {"type": "EXTERNAL"},
        }

        facts = reader(DescribeServices={"services": [bare]}).service(ORDERS)

        assert facts is not None
        assert (facts.status, facts.controller, facts.primary) == ("INACTIVE", "EXTERNAL", None)
        assert not facts.native_rollback

    def test_no_such_service(self) -> None:
        """MISSING, or a cluster that ECS does not know, means that there is no such service."""
        missing = {"services": [], "failures": [{"arn": "x", "reason": "MISSING"}]}

        assert reader(DescribeServices=missing).service(ORDERS) is None
        assert reader(DescribeServices=refusal("ClusterNotFoundException")).service(ORDERS) is None

    @pytest.mark.parametrize(
        "reply",
        [
            refusal("AccessDeniedException"),
            refusal("ServerException", status=500),
            ReadTimeoutError(endpoint_url="https://ecs"),
            {"services": [], "failures": [{"arn": "x", "reason": "INTERNAL"}]},
            {"services": [service(deployments=[{"id": "no time"}])]},
        ],
    )
    def test_no_answer_is_no_evidence(self, reply: Any) -> None:
        """Whatever keeps ECS from answering is ReadFailed, never an empty answer."""
        with pytest.raises(ReadFailed):
            reader(DescribeServices=reply).service(ORDERS)

    def test_surroundings(self) -> None:
        """The surroundings ignore order and the task definition, and notice another network."""
        same = described(
            taskDefinition="other:1",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["b", "a"], "securityGroups": ["s"]}},
        )
        other = described(networkConfiguration={"awsvpcConfiguration": {"subnets": ["a"], "securityGroups": ["s"]}})

        assert described().surroundings == same.surroundings
        assert described().surroundings != other.surroundings


class TestServicesTogether:
    PAY = ServiceRef(region="eu-west-1", cluster="shop", service="pay")

    def test_ten_of_a_cluster_are_one_request(self) -> None:
        """What is gone is None, and each cluster is asked for itself."""
        asked: list[tuple[str, list[str]]] = []

        def reply(given: Any) -> Any:
            asked.append((given["cluster"], given["services"]))
            gone = [name for name in given["services"] if name != "orders"]
            return {
                "services": [service()],
                "failures": [{"arn": f"{PREFIX}:service/shop/{name}", "reason": "MISSING"} for name in gone],
            }

        refs = [ORDERS, *(ORDERS.model_copy(update={"service": f"s{n}"}) for n in range(11))]
        found = reader(DescribeServices=reply).services([*refs, ORDERS.model_copy(update={"cluster": "b"})])
        assert [(cluster, len(names)) for cluster, names in asked] == [("shop", 10), ("shop", 2), ("b", 1)]
        assert found[ORDERS] is not None
        assert found[refs[3]] is None

    @pytest.mark.parametrize(
        "reply",
        [
            refusal("AccessDeniedException"),
            {"services": [], "failures": [{"arn": f"{PREFIX}:service/shop/orders", "reason": "THROTTLED"}]},
        ],
    )
    def test_what_could_not_be_read_is_left_out(self, reply: Any) -> None:
        """It is neither there nor gone: whoever asks for it by itself hears why."""
        assert reader(DescribeServices=reply).services([ORDERS, self.PAY]) == {}


class TestTasks:
    def test_running_and_stopped(self) -> None:
        """Every running task is read, a hundred at a time, and stopped ones with why they stopped."""
        running = [f"{PREFIX}:task/shop/{number:03}" for number in range(150)]
        gone = f"{PREFIX}:task/shop/gone"

        def list_tasks(parameters: Any) -> dict[str, Any]:
            if parameters["desiredStatus"] == "STOPPED":
                return {"taskArns": [gone]}
            if "nextToken" in parameters:
                return {"taskArns": running[100:]}
            return {"taskArns": running[:100], "nextToken": "more"}

        def describe(parameters: Any) -> dict[str, Any]:
            return {"tasks": [stopped if arn == gone else {"taskArn": arn} for arn in parameters["tasks"]]}

        stopped = {
            "taskArn": gone,
            "taskDefinitionArn": "orders:7",
            "lastStatus": "STOPPED",
            "startedBy": "ecs-svc/1",
            "stoppedAt": NOON,
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "containers": [{"name": "web", "exitCode": 137, "reason": "OutOfMemoryError: killed"}, {"name": "log"}],
        }

        tasks = reader(ListTasks=list_tasks, DescribeTasks=describe).tasks(ORDERS)

        assert [task.arn for task in tasks.running] == running
        (task,) = tasks.stopped
        assert (task.exit_codes, task.container_reasons) == ((137,), ("OutOfMemoryError: killed",))
        assert (task.stop_code, task.stopped_at) == ("EssentialContainerExited", NOON_UTC)
        assert task.deployment_id == "ecs-svc/1"
        assert tasks.running[0].health == "UNKNOWN"

    def test_the_images_that_run(self) -> None:
        """Each once, by repository and digest; a tag says nothing, and without a digest nobody knows."""
        digest = f"sha256:{'0' * 64}"
        images = ["reg.example.com:5000/shop/orders:7", f"reg.example.com:5000/shop/orders@{digest}", "nginx", "new"]
        containers = [{"image": image, "imageDigest": digest} for image in images[:3]] + [{"image": images[3]}]
        task = {"taskArn": "task/1", "lastStatus": "RUNNING", "containers": containers}
        gone = {**task, "lastStatus": "STOPPED", "containers": [{"image": "old", "imageDigest": digest}]}
        made = reader(ListTasks={"taskArns": ["task/1"]}, DescribeTasks={"tasks": [task, gone]})

        assert made.tasks(ORDERS).images == (f"reg.example.com:5000/shop/orders@{digest}", f"nginx@{digest}")

    def test_no_tasks(self) -> None:
        """A service without tasks needs no second question."""
        tasks = reader(ListTasks={"taskArns": []}).tasks(ORDERS)
        assert (tasks.running, tasks.stopped) == ((), ())


class TestDeploymentsAndRevisions:
    def test_service_deployments_come_newest_first(self) -> None:
        """Deployments are sorted by their creation, with the rollback and the alarms that caused it."""
        aws = FakeAws(
            ListServiceDeployments={
                "serviceDeployments": [
                    {"serviceDeploymentArn": f"sd/{number:02}", "createdAt": NOON + timedelta(minutes=number)}
                    for number in range(30)
                ]
            },
            DescribeServiceDeployments=lambda parameters: {
                "serviceDeployments": [
                    {
                        "serviceDeploymentArn": arn,
                        "status": "ROLLBACK_SUCCESSFUL",
                        "createdAt": NOON + timedelta(minutes=int(arn[3:])),
                        "finishedAt": NOON + timedelta(hours=1),
                        "targetServiceRevision": {"arn": "sr/2"},
                        "rollback": {"reason": "Alarm triggered", "serviceRevisionArn": "sr/1"},
                        "alarms": {"status": "TRIGGERED", "triggeredAlarmNames": ["orders-5xx"]},
                    }
                    for arn in parameters["serviceDeploymentArns"]
                ]
            },
        )

        found = EcsReader(aws.client("ecs")).service_deployments(ORDERS)

        assert [deployment.arn for deployment in found] == [f"sd/{number:02}" for number in range(29, 9, -1)]
        assert (found[0].target_revision, found[0].rollback_revision) == ("sr/2", "sr/1")
        assert found[0].triggered_alarms == ("orders-5xx",)
        assert found[0].finished_at == NOON_UTC + timedelta(hours=1)
        assert not found[0].ongoing

    def test_an_account_that_keeps_none(self) -> None:
        """No deployments on record is an answer, not a failure."""
        assert reader(ListServiceDeployments={"serviceDeployments": []}).service_deployments(ORDERS) == ()
        assert reader().revisions([]) == ()

    def test_revisions(self) -> None:
        """A revision brings its images only when every one of them is known."""
        images = [
            {"containerName": "web", "imageDigest": "sha256:b"},
            {"containerName": "log", "imageDigest": "sha256:a"},
        ]
        base = {"taskDefinition": "orders:7", "createdAt": NOON}
        first, second = reader(
            DescribeServiceRevisions={
                "serviceRevisions": [
                    {**base, "serviceRevisionArn": "sr/1", "containerImages": images, "launchType": "FARGATE"},
                    {**base, "serviceRevisionArn": "sr/2", "containerImages": [*images, {"containerName": "new"}]},
                ]
            }
        ).revisions(["sr/1", "sr/2"])

        assert (first.task_definition, first.image_digests) == ("orders:7", ("sha256:a", "sha256:b"))
        assert second.image_digests == ()
        assert first.surroundings != second.surroundings

    def test_the_state_of_a_task_definition(self) -> None:
        """A task definition is active, inactive or missing; a question that was denied stays open."""
        inactive = {"taskDefinition": {"status": "INACTIVE"}}
        assert reader(DescribeTaskDefinition=inactive).task_definition_status("orders:1") == "INACTIVE"
        gone = refusal("ClientException", "Unable to describe task definition.")
        assert reader(DescribeTaskDefinition=gone).task_definition_status("orders:1") == "MISSING"
        unanswered: tuple[Any, ...] = (refusal("AccessDeniedException"), {"taskDefinition": {}})
        for reply in unanswered:
            with pytest.raises(ReadFailed):
                reader(DescribeTaskDefinition=reply).task_definition_status("orders:1")

    def test_where_its_containers_log(self) -> None:
        """The groups of the awslogs driver in this Region, each once; a container that logs elsewhere names none."""

        def container(driver: str, group: str, region: str = "eu-west-1") -> dict[str, Any]:
            options = {"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": "orders"}
            return {"name": group, "logConfiguration": {"logDriver": driver, "options": options}}

        containers = [container("awslogs", "/ecs/orders"), container("awslogs", "/ecs/orders"), {"name": "quiet"}]
        containers += [container("awsfirelens", "/ecs/router"), container("awslogs", "/ecs/far", "us-east-1")]
        described = {"taskDefinition": {"status": "ACTIVE", "containerDefinitions": containers}}
        facts = reader(DescribeTaskDefinition=described).definition("orders:1")
        assert (facts.log_groups, facts.log_prefixes) == (("/ecs/orders",), ("orders",))

    def test_what_a_task_definition_says(self) -> None:
        """Size, ports, secrets and whether ECS asks the container itself how it is."""
        described: dict[str, Any] = {
            "taskDefinition": {
                "taskDefinitionArn": "orders:1",
                "cpu": "512",
                "memory": "1024",
                "taskRoleArn": "arn:aws:iam::000000000000:role/orders-task",
                "containerDefinitions": [
                    {
                        "portMappings": [{"containerPort": 8080}],
                        "healthCheck": {"command": ["CMD", "true"]},
                        "secrets": [
                            {"name": "DB", "valueFrom": "/orders/db"},
                            {"name": "D2", "valueFrom": "/orders/db"},
                        ],
                    },
                    {"portMappings": [{"containerPort": 9090}, {"containerPort": 8080}]},
                ],
            }
        }
        facts = reader(DescribeTaskDefinition=described).definition("orders:1")
        assert (facts.task_definition, facts.cpu, facts.memory_mib) == ("orders:1", 512, 1024)
        assert (facts.ports, facts.secrets) == ((8080, 9090), ("/orders/db",))
        assert facts.container_health_check
        assert facts.task_role == "arn:aws:iam::000000000000:role/orders-task"
        bare = reader(DescribeTaskDefinition={"taskDefinition": {}}).definition("orders:1")
        assert (bare.cpu, bare.ports, bare.container_health_check, bare.task_role) == (None, (), False, None)

    def test_what_its_containers_are(self) -> None:
        """Image, size, names of variables, secrets, ports, command and health check, and never the value of a
        variable; what a command says of a password is taken out."""
        container = {
            "name": "app",
            "image": "orders:42",
            "cpu": 0,
            "memory": 512,
            "environment": [{"name": "STAGE", "value": "s3cr3t-value"}, {"name": "DEBUG", "value": "1"}],
            "secrets": [{"name": "DB", "valueFrom": "/orders/db"}],
            "portMappings": [{"containerPort": 8080, "protocol": "tcp"}, {"containerPort": 53, "protocol": "udp"}],
            "entryPoint": ["python"],
            "command": ["-m", "app", "--password=hunter22"],
            "healthCheck": {"command": ["CMD", "true"], "interval": 10, "startPeriod": 60},
        }
        described = {"taskDefinition": {"containerDefinitions": [container, {"name": "bare"}]}}
        facts = reader(DescribeTaskDefinition=described).definition("orders:1")
        app, bare = facts.containers
        assert (app.image, app.cpu, app.memory_mib, app.environment) == ("orders:42", None, 512, ("DEBUG", "STAGE"))
        assert (app.secrets, app.ports) == ({"DB": "/orders/db"}, ("8080/tcp", "53/udp"))
        assert app.command == "python -m app --password=[redacted]"
        assert app.health_check == "CMD true every 10 s, within 5 s, 3 times, after 60 s"
        assert (bare.image, bare.health_check, bare.environment) == ("", "", ())
        assert "s3cr3t-value" not in facts.model_dump_json()

    def test_what_the_images_of_a_revision_are(self) -> None:
        """Digests by container, as far as ECS tells them."""
        images = [{"containerName": "app", "image": "orders:42", "imageDigest": "sha256:aa"}, {"containerName": "log"}]
        answer = {"serviceRevisions": [{"serviceRevisionArn": "sr/1", "containerImages": images}]}
        (revision,) = reader(DescribeServiceRevisions=answer).revisions(["sr/1"])
        assert revision.images == {"app": "sha256:aa"}


def test_declared_calls_are_the_calls_made() -> None:
    """The reader declares exactly the IAM actions of the calls that it makes."""
    aws = FakeAws(
        DescribeServices={"services": []},
        ListTasks={"taskArns": ["task/1"]},
        DescribeTasks={"tasks": []},
        ListServiceDeployments={"serviceDeployments": [{"serviceDeploymentArn": "sd/1", "createdAt": NOON}]},
        DescribeServiceDeployments={"serviceDeployments": []},
        DescribeServiceRevisions={"serviceRevisions": []},
        DescribeTaskDefinition={"taskDefinition": {"status": "ACTIVE"}},
    )
    ecs = EcsReader(aws.client("ecs"))

    ecs.service(ORDERS)
    ecs.tasks(ORDERS)
    ecs.service_deployments(ORDERS)
    ecs.revisions(["sr/1"])
    ecs.task_definition_status("orders:1")

    assert aws.actions == set(CALLS)
