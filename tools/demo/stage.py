"""Sets the stage: the emulator, the stacks, the traffic; and what a scenario may do on it."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.adapters.ledger import DynamoLedger
from functions.adapters.s3 import S3Archive
from functions.domain.services import ServiceRef
from functions.ports import Ledger
from functions.workflow.table import StepName
from tools.demo import cdk, shop
from tools.demo.asked import grant_as_asked, let_plain_http_in
from tools.demo.emulator import REGION, Emulator, emulator
from tools.demo.model import Faults
from tools.demo.processes import process_group

RESPONDER = "ecs-first-responder"
PLAYBOOKS = Path(__file__).with_name("playbooks")
REF = ServiceRef(region=REGION, cluster=shop.CLUSTER, service=shop.SERVICE)
ALARM = f"responder-{shop.CLUSTER}-{shop.SERVICE}-errors"

USUAL_TRAFFIC = 60.0
BAD_IMAGE = "shop/orders:1.5.0"
WAIT_SCALE = 0.1
"""Waits of the state machine take a tenth of their time; CloudWatch's and ECS's own times are real."""

CONTEXT = {
    "region": REGION,
    "playbooks": str(PLAYBOOKS),
    "alarm_period": str(shop.ALARM_PERIOD_S),
    "architecture": "local",
    "synthesizer": "cli",
    "destroyable": "true",
    "unattended": "false",
}
"""All that differs from a deployment to AWS."""

TIME_OUTS_S = {StepName.APPROVAL: 900, StepName.LISTEN: 3}
"""Seconds in which people may answer a request, as a playbook has it that does not say; and of a pause between two
looks, which is as short as the other waits here."""

WARM_S = 50
"""Seconds of traffic until "before" has enough data points to compare with."""

PATIENCE_S = 240.0


class DemoFailed(RuntimeError):
    """Something that the demo promises did not happen; the message says what."""


@dataclass(frozen=True)
class Now:
    """The last second of traffic, as the workload counted it."""

    at: datetime
    requests: float
    failed: float
    tasks: int
    cpu: float | None
    response_s: float | None


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Stage:
    """A deployed responder in front of a service with traffic."""

    def __init__(self, aws: Emulator, *, enforces_iam: bool = False) -> None:
        self.aws = aws
        self._enforces_iam = enforces_iam
        self.faults_file = aws.directory / "faults.json"
        self.totals_file = aws.directory / "totals.jsonl"
        self._faults = Faults(traffic=USUAL_TRAFFIC, bad_images=frozenset({BAD_IMAGE}))
        self._faults.write(self.faults_file)
        self._ecs = aws.client("ecs")
        self._cloudwatch = aws.client("cloudwatch")
        self._lambda = aws.client("lambda")
        self._sqs = aws.client("sqs")
        self._stepfunctions = aws.client("stepfunctions")
        self._pages_url = ""

    # --- setting up

    def deploy_service(self) -> None:
        """Bootstrap, and deploy the service that the responder will watch."""
        cdk.bootstrap(self.aws)
        cdk.deploy(
            self.aws,
            app=f"{sys.executable} -m tools.demo.sample_service",
            context={"alarm_period": str(shop.ALARM_PERIOD_S), "autoscaling": "false", "synthesizer": "cli"},
        )
        self.aws.register_scalable_target(
            cluster=shop.CLUSTER, service=shop.SERVICE, minimum=shop.TASKS_MINIMUM, maximum=shop.TASKS_MAXIMUM
        )

    def deploy_responder(self, playbooks: Path = PLAYBOOKS) -> None:
        """Deploy the stacks that go to AWS, and subscribe a queue to the pages as a pager would be."""
        context = {**CONTEXT, "playbooks": str(playbooks)}
        if self._enforces_iam:
            # One function works already while the alarms of the services are deployed.
            cdk.deploy(self.aws, app=f"{sys.executable} app.py", stacks=[RESPONDER], context=context)
            grant_as_asked(self.aws.client, prefix=RESPONDER)
            let_plain_http_in(self.aws.client, prefix=RESPONDER)
        cdk.deploy(self.aws, app=f"{sys.executable} app.py", context=context)
        spell_time_outs_out(self._stepfunctions)
        sns = self.aws.client("sns")
        topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
        topic = next(arn for arn in topics if arn.endswith(f":{RESPONDER}-pages"))
        self._pages_url = self.listen("demo-pager", topic)

    def listen(self, name: str, topic: str) -> str:
        """The address of a queue of ours that gets whatever is published to a topic."""
        url: str = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sent = {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **sent}]}
        self._sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        self.aws.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )
        return url

    def warm_up(self, *, tick: Callable[[], None]) -> None:
        """Let traffic flow until there is a usual to compare with and the release that runs has proven good.

        Raises:
            DemoFailed: if that does not happen.
        """
        ledger = self.ledger()

        def proven() -> bool:
            self.bake()
            return any(release.state == "good" for release in ledger.releases(REF))

        self.until(lambda: len(self.totals()) >= 2, "the traffic did not start", tick=tick)
        self.bake()
        self.until(lambda: len(self.totals()) >= WARM_S, "the traffic stopped", tick=tick)
        self.until(proven, "the running release did not become good", tick=tick, every_s=5)
        self.until(lambda: self.alarm_state() == "OK", f"alarm {ALARM} did not become OK", tick=tick)

    # --- what a scenario does

    def ship(self, image: str) -> str:
        """A pipeline ships a release; its task definition."""
        return shop.ship(self._ecs, image=image)

    def set_faults(self, **changes: Any) -> None:
        """Switch what is wrong: the fields of `Faults`."""
        self._faults = replace(self._faults, **changes)
        self._faults.write(self.faults_file)

    def take_back(self) -> None:
        """Run as many tasks as usual again, as target tracking sees to within a quarter of an hour: there is none."""
        self._ecs.update_service(cluster=shop.CLUSTER, service=shop.SERVICE, desiredCount=shop.TASKS_MINIMUM)

    def sweep(self) -> None:
        """Call the sweep now, as its schedule does every five minutes.

        Raises:
            DemoFailed: if the function fails.
        """
        self._call("sweep")

    def bake(self) -> None:
        """Look after the releases now, as a schedule does every minute.

        Raises:
            DemoFailed: if the function fails.
        """
        self._call("bake")

    def _call(self, function: str) -> None:
        answer = self._lambda.invoke(FunctionName=f"{RESPONDER}-{function}", Payload=b"{}")
        if answer.get("FunctionError"):
            raise DemoFailed(f"the function {function} failed: {answer['Payload'].read().decode()}")

    # --- what there is to see

    def ledger(self) -> Ledger:
        """The responder's ledger, read the way the `responder` command reads it."""
        archive = S3Archive(self.aws.client("s3"), bucket=None)
        return DynamoLedger(self.aws.client("dynamodb"), table=RESPONDER, clock=_Clock(), archive=archive)

    def totals(self) -> Sequence[Now]:
        if not self.totals_file.exists():
            return ()
        lines = self.totals_file.read_text().splitlines()
        return [_now(json.loads(line)) for line in lines if line.endswith("}")]

    def alarm_state(self, name: str = ALARM) -> str:
        alarms = self._cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(alarms[0]["StateValue"]) if alarms else "gone"

    def service(self) -> dict[str, Any]:
        found = self._ecs.describe_services(cluster=shop.CLUSTER, services=[shop.SERVICE])
        service: dict[str, Any] = found["services"][0]
        return service

    def task_arns(self) -> frozenset[str]:
        found = self._ecs.list_tasks(cluster=shop.CLUSTER, serviceName=shop.SERVICE, desiredStatus="RUNNING")
        return frozenset(found["taskArns"])

    def floor(self) -> int:
        targets = self.aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
        return int(targets["ScalableTargets"][0]["MinCapacity"])

    def pages(self) -> list[str]:
        """The pages that arrived since the last call, as a pager got them."""
        arrived: list[str] = []
        while messages := self._sqs.receive_message(
            QueueUrl=self._pages_url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            for message in messages:
                arrived.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._pages_url, ReceiptHandle=message["ReceiptHandle"])
        return arrived

    def until(
        self,
        true: Callable[[], bool],
        otherwise: str,
        *,
        tick: Callable[[], None],
        every_s: float = 0.5,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Wait for something to become true.

        Raises:
            DemoFailed: with `otherwise`, when it does not.
        """
        ends = time.monotonic() + patience_s
        while not true():
            if time.monotonic() > ends:
                raise DemoFailed(f"{otherwise} within {patience_s:.0f} s")
            tick()
            time.sleep(every_s)


def spell_time_outs_out(stepfunctions: Any) -> None:
    """Give the steps that wait to be told a time-out in figures: the emulator evaluates no expression there."""
    (machine,) = stepfunctions.list_state_machines()["stateMachines"]
    arn = machine["stateMachineArn"]
    definition = json.loads(stepfunctions.describe_state_machine(stateMachineArn=arn)["definition"])
    for step, seconds in TIME_OUTS_S.items():
        definition["States"][step.value]["TimeoutSeconds"] = seconds
    stepfunctions.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))


@contextmanager
def open_stage(*, trust: Path | None = None, enforce_iam: bool = False) -> Iterator[Stage]:
    """An emulator with a stage in it, which goes when the block ends. Its functions `trust` these certificates.

    With `enforce_iam` they may do no more than their roles grant."""
    with emulator(wait_scale=WAIT_SCALE, trust=trust, enforce_iam=enforce_iam) as aws:
        yield Stage(aws, enforces_iam=enforce_iam)


@contextmanager
def traffic(stage: Stage) -> Iterator[None]:
    """Traffic on the deployed service, in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "tools.demo.workload",
        "--faults",
        str(stage.faults_file),
        "--totals",
        str(stage.totals_file),
    ]
    with ExitStack() as running:
        running.enter_context(
            process_group(command, environment=stage.aws.environment(), log=stage.aws.directory / "workload.log")
        )
        yield


def _now(line: dict[str, Any]) -> Now:
    return Now(
        at=datetime.fromisoformat(line["at"]),
        requests=line["requests"],
        failed=line["failed"],
        tasks=line["tasks"],
        cpu=line["cpu"],
        response_s=line["response_s"],
    )
