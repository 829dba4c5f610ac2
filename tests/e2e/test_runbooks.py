"""Each alarm of each runbook's playbook, from the alarm to the closed trail, on the stacks that go to AWS.

The services of the playbooks are made in the emulator, as empty as its services are, and their metrics are published
here; checks are made by the deployed function, over TLS
against a real server on this machine. One thing breaches at a time: the
emulator pools the data of a metric's name, so that the alarms on it go off for every service of the Region, and one
incident of each is followed to its end.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters.ledger import DynamoLedger
from functions.adapters.s3 import S3Archive
from functions.domain.incidents import Fact, Incident, IncidentStatus
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import Alarm, CheckAlarm, LogAlarm, NewAlarm, Playbook, Symptom
from functions.workflow.trails import Trail, read_trail
from infra.service_alarms import LOG_NAMESPACE, new_alarms
from tests.e2e.front_door import FrontDoor, front_door
from tests.fakes.certificates import make_certificate
from tools.demo import cdk
from tools.demo.emulator import Emulator, emulator
from tools.demo.stage import CONTEXT, RESPONDER, WAIT_SCALE, spell_time_outs_out

pytestmark = pytest.mark.long

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
REGIONS = ("us-east-1", "us-west-2")
PATIENCE_S = 600.0

USUAL: Mapping[str, float] = {
    "HTTPCode_Target_5XX_Count": 0.0,
    "HealthyHostCount": 3.0,
    "TargetResponseTime": 0.2,
    "CPUUtilization": 30.0,
    "MemoryUtilization": 40.0,
}
LINES, CHECKS = "log", "check"
IN_ITS_PLACE = Symptom.ERRORS
"""Stands in a playbook for `error-rate`: the emulator's CloudFormation makes no alarm of several metrics."""
CHECKED_EVERY_S = 5
BREACHING: Mapping[str, tuple[str, float]] = {
    Symptom.ERRORS: ("HTTPCode_Target_5XX_Count", 50.0),
    Symptom.HEALTHY_HOSTS: ("HealthyHostCount", 0.0),
    Symptom.RESPONSE_TIME: ("TargetResponseTime", 12.0),
    Symptom.CPU: ("CPUUtilization", 97.0),
    Symptom.MEMORY: ("MemoryUtilization", 97.0),
    Symptom.TASKS: ("CPUUtilization", 30.0),
    LINES: ("", 50.0),
    CHECKS: ("", 1.0),
}
"""Metric and value, by what an alarm watches; the names of counted lines and of checks are their alarms' own."""
SELDOM = frozenset({"CPUUtilization"})
SELDOM_S = 60
"""Every task sends one sample of these a minute, and the alarm on running tasks counts them."""
TASKS_TOO_MANY = 40


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def watched(alarm: Alarm) -> str:
    match alarm:
        case NewAlarm():
            return alarm.symptom
        case LogAlarm():
            return LINES
        case CheckAlarm():
            return CHECKS
    raise ValueError(f"{alarm} is made by nobody here")


@dataclass
class Region:
    """The playbooks of one Region on the emulator, their services, and one thread that publishes their metrics."""

    aws: Emulator
    name: str
    playbooks: tuple[Playbook, ...]
    door: FrontDoor
    directory: Path
    """Where the playbooks lie."""
    breaching: str | None = None
    ended: dict[str, Trail] = field(default_factory=dict)
    """The trail of the incident of each alarm."""

    def client(self, service: str) -> Any:
        return self.aws.client(service, region=self.name)

    @property
    def ledger(self) -> DynamoLedger:
        archive = S3Archive(self.client("s3"), bucket=None)
        return DynamoLedger(self.client("dynamodb"), table=RESPONDER, clock=Clock(), archive=archive)

    # --- setting up

    def make_services(self) -> None:
        """A cluster, a service and a load balancer for each playbook."""
        ecs, elbv2, ec2 = self.client("ecs"), self.client("elbv2"), self.client("ec2")
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        for number, playbook in enumerate(self.playbooks):
            ecs.create_cluster(clusterName=playbook.cluster)
            balancer = elbv2.create_load_balancer(Name=f"front-{number}", Subnets=subnets)["LoadBalancers"][0]
            group = elbv2.create_target_group(
                Name=f"group-{number}", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
            )["TargetGroups"][0]
            elbv2.create_listener(
                LoadBalancerArn=balancer["LoadBalancerArn"],
                Protocol="HTTP",
                Port=80,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
            )
            if playbook.sticky_sessions is not None:
                on = [{"Key": "stickiness.enabled", "Value": "true"}]
                elbv2.modify_target_group_attributes(TargetGroupArn=group["TargetGroupArn"], Attributes=on)
            targets = [{"Id": f"10.0.{number}.{task}"} for task in range(playbook.limits.min_tasks)]
            elbv2.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=targets)
            ecs.create_service(
                cluster=playbook.cluster,
                serviceName=playbook.service,
                taskDefinition=self._task_definition(playbook),
                desiredCount=playbook.limits.min_tasks,
                launchType="FARGATE",
                loadBalancers=[
                    {"targetGroupArn": group["TargetGroupArn"], "containerName": "app", "containerPort": 8080}
                ],
                networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
            )

    def _task_definition(self, playbook: Playbook) -> str:
        group = playbook.overrides.log_group
        with suppress(ClientError):  # Two environments may share one.
            self.client("logs").create_log_group(logGroupName=group)
        log = {"awslogs-group": group, "awslogs-region": self.name, "awslogs-stream-prefix": "app"}
        made = self.client("ecs").register_task_definition(
            family=playbook.service,
            cpu="512",
            memory="1024",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[
                {
                    "name": "app",
                    "image": "app:1",
                    "portMappings": [{"containerPort": 8080}],
                    "logConfiguration": {"logDriver": "awslogs", "options": log},
                }
            ],
        )
        arn: str = made["taskDefinition"]["taskDefinitionArn"]
        return arn

    def deploy(self) -> None:
        """The stacks that go to AWS, with the real CDK CLI."""
        cdk.bootstrap(self.aws, region=self.name)
        self.make_services()
        context = {**CONTEXT, "region": self.name, "playbooks": str(self.directory)}
        cdk.deploy(self.aws, app=f"{sys.executable} app.py", context=context)
        spell_time_outs_out(self.client("stepfunctions"))

    # --- what happens

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """Metrics as load balancer and ECS publish them, once a second."""
        stopped = threading.Event()
        publisher = threading.Thread(target=self._publish, args=(stopped,), daemon=True)
        publisher.start()
        try:
            yield
        finally:
            stopped.set()
            publisher.join()

    def _publish(self, stopped: threading.Event) -> None:
        cloudwatch = self.client("cloudwatch")
        watched = {(a["Namespace"], a["MetricName"], json.dumps(a["Dimensions"])) for a in self.alarms()}
        for second in count():
            if stopped.wait(1.0):
                break
            self.door.closed = self.breaching == CHECKS
            if second % CHECKED_EVERY_S == 0:
                self.client("lambda").invoke(FunctionName=f"{RESPONDER}-check", InvocationType="Event", Payload=b"{}")
            for namespace, name, dimensions in sorted(watched):
                datum = self._datum(namespace, name, second)
                if datum is not None:
                    datum |= {"MetricName": name, "Dimensions": json.loads(dimensions)}
                    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])

    def _datum(self, namespace: str, name: str, second: int) -> dict[str, Any] | None:
        """What is published of a metric in this second; None for one that the responder publishes by itself."""
        if namespace == LOG_NAMESPACE:
            return {"Value": BREACHING[LINES][1] if self.breaching == LINES else 0.0}
        if name not in USUAL:
            return None
        if self.breaching is not None and BREACHING[self.breaching][0] == name:
            samples = TASKS_TOO_MANY if self.breaching == Symptom.TASKS else 1
            return {"Values": [BREACHING[self.breaching][1]], "Counts": [samples]}
        return None if name in SELDOM and second % SELDOM_S else {"Value": USUAL[name]}

    def alarms(self) -> list[dict[str, Any]]:
        """The alarms of the playbooks, as CloudWatch has them."""
        pages = self.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix="responder-")
        return [alarm for page in pages for alarm in page["MetricAlarms"]]

    def run_all(self) -> None:
        with self.traffic():
            # An alarm that becomes OK for the first time would join the first incident, and prolong it.
            until(lambda: all(alarm["StateValue"] == "OK" for alarm in self.alarms()), "not every alarm became OK")
            for what in BREACHING:
                self.run(what)

    def run(self, what: str) -> None:
        """Let one thing show until each alarm on it has an incident that came to a decision; then let it end."""
        about = {
            playbook.alarm_name(alarm): playbook.ref
            for playbook in self.playbooks
            for alarm in new_alarms(playbook)
            if watched(alarm) == what
        }
        if not about:
            return
        self.breaching = what
        opened = {name: self._incident_of(name, ref) for name, ref in about.items()}
        self.breaching = None
        for incident in opened.values():
            self._answer(incident)
        for name, incident in opened.items():
            self.ended[name] = self._ended(incident, name)

    def _incident_of(self, alarm: str, ref: ServiceRef) -> Incident:
        found: list[Incident] = []

        def decided() -> bool:
            found[:] = [each for each in self.ledger.incidents_of(ref) if alarm in self._went_off(each)]
            return bool(found) and any(event.fact in DECIDED for event in self.ledger.events(found[0].id))

        until(decided, f"no incident of {alarm} came to a decision")
        return found[0]

    def _answer(self, incident: Incident) -> None:
        """Where people were asked, they say no: what is found is over by then."""
        if not any(event.fact is Fact.APPROVAL_REQUESTED for event in self.ledger.events(incident.id)):
            return
        said = ["deny", incident.id, "--reason", "it is over", "--by", "maria", "--region", self.name]
        command = [str(Path(sys.executable).with_name("responder")), *said]
        done = subprocess.run(command, env=self.aws.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout

    def _went_off(self, incident: Incident) -> set[str | None]:
        inbox = self.ledger.inbox(incident.id)
        return {entry.signal.alarm for entry in inbox if entry.signal.state is AlarmState.ALARM}

    def _ended(self, incident: Incident, alarm: str) -> Trail:
        until(
            lambda: self.ledger.incident(incident.id).status is IncidentStatus.RESOLVED,
            f"the incident of {alarm} was not resolved",
        )
        return read_trail(self.ledger, incident.id)


DECIDED = frozenset({Fact.PAGE_SENT, Fact.ACTION_TAKEN, Fact.APPROVAL_REQUESTED})
"""To stand down is none of these: an alarm is a false one until whole periods of its metric breach, and is looked at
again until then."""


def until(true: Callable[[], bool], otherwise: str) -> None:
    ends = monotonic() + PATIENCE_S
    while not true():
        assert monotonic() < ends, f"{otherwise} within {PATIENCE_S:.0f} s"
        sleep(0.5)


def runbooks() -> tuple[Playbook, ...]:
    return tuple(playbook for playbook in load_playbooks([PLAYBOOKS]) if playbook.region in REGIONS)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Trail]:
    """By alarm, the trail of its incident; both Regions side by side."""
    with ExitStack() as running:
        certificate = make_certificate(tmp_path_factory.mktemp("certificate"))
        aws = running.enter_context(emulator(wait_scale=WAIT_SCALE, trust=certificate.chain))
        regions = []
        for name in REGIONS:
            door = running.enter_context(front_door(certificate))
            directory = tmp_path_factory.mktemp(name)
            for file in sorted(PLAYBOOKS.glob("*.yaml")):
                text = file.read_text("utf-8")
                if f"region: {name}" in text:
                    text = text.replace(f"symptom: {Symptom.ERROR_RATE}", f"symptom: {IN_ITS_PLACE}")
                    (directory / file.name).write_text(door.instead(text), "utf-8")
            regions.append(Region(aws, name, load_playbooks([directory]), door, directory))
        for region in regions:
            region.deploy()
        with ThreadPoolExecutor(len(regions)) as side_by_side:
            list(side_by_side.map(Region.run_all, regions))
        return {name: trail for region in regions for name, trail in region.ended.items()}


def cases() -> Iterator[Any]:
    for playbook in runbooks():
        for alarm in new_alarms(playbook):
            yield pytest.param(playbook, alarm, id=playbook.alarm_name(alarm).removeprefix("responder-"))


@pytest.mark.parametrize(("playbook", "alarm"), list(cases()))
def test_an_alarm_of_a_runbook_becomes_an_incident_that_ends(
    playbook: Playbook, alarm: Alarm, ended: Mapping[str, Trail]
) -> None:
    """Signal, evidence, causes, a decision that people hear of, and the end, in a trail that verifies."""
    name = playbook.alarm_name(alarm).replace(Symptom.ERROR_RATE, IN_ITS_PLACE)
    trail = ended[name]
    told = [event.fact for event in trail.events]
    assert trail.broken is None
    assert trail.incident.service == playbook.ref
    assert trail.incident.status is IncidentStatus.RESOLVED
    assert told.index(Fact.EVIDENCE_GATHERED) < told.index(Fact.CAUSES_RANKED)
    assert DECIDED & set(told)
