"""One emulator, one deployment and one stream of traffic for every test here; setting them up takes a minute."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from functions.domain.incidents import Fact, Incident, IncidentStatus
from functions.ports import Ledger
from functions.workflow.trails import Trail, read_trail
from tools.demo.scenarios import SCENARIOS
from tools.demo.shop import ALARM_PERIOD_S
from tools.demo.stage import ALARM, PLAYBOOKS, REF, RESPONDER, Stage, open_stage, traffic

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests here, and put them last: who made a small mistake need not wait for them."""
    for item in items:
        if _is_here(item):
            item.add_marker(pytest.mark.e2e)
    items.sort(key=_is_here)


def _is_here(item: pytest.Item) -> bool:
    return item.path.is_relative_to(HERE)


CALM_S = 5 * ALARM_PERIOD_S
"""Seconds without a failed request before the next release is shipped."""


class Responder:
    """The deployed responder: what the tests do to it and what they see of it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sns = stage.aws.client("sns")
        self.sqs = stage.aws.client("sqs")
        self.functions = stage.aws.client("lambda")
        self.executions = stage.aws.client("stepfunctions")
        self._logs = stage.aws.client("logs")
        self.alarm_topic = self._topic("alarms")
        self.intake_queue = self.queue("intake")
        self._overheard: list[str] = []
        self._listening = self._listen()

    @property
    def ledger(self) -> Ledger:
        return self.stage.ledger()

    # --- what happens to it

    def ship_bad_release(self) -> Incident:
        """Break the service as the demo does; the incident that its alarm opens."""
        # A release that comes into trouble may be its cure and is not rolled back: the last trouble has to be over.
        self.until(self.calm, "the service did not stay well", patience_s=150.0)
        before = self.incidents()
        SCENARIOS["bad-release"].cause(self.stage)
        self.until(lambda: len(self.incidents()) > len(before), "no incident was opened")
        (opened,) = self.incidents().keys() - before.keys()
        return self.ledger.incident(opened)

    def calm(self) -> bool:
        """Whether no request failed for as long as a look at what preceded a release goes back, and somewhat longer."""
        recent = self.stage.totals()[-CALM_S:]
        return len(recent) == CALM_S and all(second.failed == 0 for second in recent)

    def alarm_messages(self) -> list[str]:
        """What CloudWatch published each time the service's alarm went off, oldest first."""
        while messages := self.sqs.receive_message(QueueUrl=self._listening, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._overheard.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self._listening, ReceiptHandle=message["ReceiptHandle"])
        went_off = {"AlarmName": ALARM, "NewStateValue": "ALARM"}
        return [text for text in self._overheard if went_off.items() <= json.loads(text).items()]

    def send_again(self, message: str, *, times: int) -> None:
        """Publish an alarm's message to the alarm topic once more, and wait until intake has dealt with every copy."""
        recorded = len(self.said("intake", "signal recorded"))
        for _ in range(times):
            self.sns.publish(TopicArn=self.alarm_topic, Message=message)
        self.until(
            lambda: len(self.said("intake", "signal recorded")) >= recorded + times, "the copies were not taken in"
        )

    def command(self, *arguments: str) -> str:
        """Run the installed `responder` command with the variables that the demo prints; what it says."""
        done = subprocess.run(
            [Path(sys.executable).with_name("responder"), *arguments],
            env={**self.stage.aws.environment(), "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), f"responder {arguments[0]}: {done.stderr}{done.stdout}"
        return done.stdout

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Call one of its functions; what it answers."""
        answer = self.functions.invoke(FunctionName=f"{RESPONDER}-{function}", Payload=json.dumps(event))
        text = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, text
        return json.loads(text) if text else None

    # --- what it does

    def until_closed(self, incident: Incident, *, patience_s: float = 90.0) -> Trail:
        """Wait until the incident is over and the service's alarm is quiet; its whole trail."""
        self.until(
            lambda: self.ledger.incident(incident.id).status is IncidentStatus.RESOLVED,
            "the incident was not resolved",
            patience_s=patience_s,
        )
        self.until(lambda: self.stage.alarm_state() == "OK", f"alarm {ALARM} did not go back to OK")
        return read_trail(self.ledger, incident.id)

    def until_said(self, incident: Incident, fact: Fact) -> None:
        """Wait until the incident's trail says so."""
        self.until(
            lambda: any(event.fact is fact for event in self.ledger.events(incident.id)), f"the trail has no {fact}"
        )

    def incidents(self) -> dict[str, Incident]:
        return {incident.id: incident for incident in self.ledger.incidents_of(REF)}

    def changes_of_the_service(self) -> int:
        """How many updates of the service ECS tells of, whoever made them."""
        return len(self.stage.service()["events"])

    def executions_of(self, incident: Incident) -> list[str]:
        """Names of the executions that ever carried the incident."""
        (machine,) = self.executions.list_state_machines()["stateMachines"]
        found = self.executions.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
        return sorted(execution["name"] for execution in found if execution["name"].startswith(incident.id))

    def states_of(self, incident: Incident) -> set[str]:
        """Names of the states that the execution that carries the incident entered."""
        pages = self.executions.get_paginator("get_execution_history").paginate(executionArn=self._execution(incident))
        events = [event for page in pages for event in page["events"]]
        return {event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event}

    def stop_execution_of(self, incident: Incident) -> None:
        self.executions.stop_execution(executionArn=self._execution(incident), cause="killed by a test")

    def _execution(self, incident: Incident) -> str:
        (machine,) = self.executions.list_state_machines()["stateMachines"]
        arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:")
        return f"{arn}:{incident.execution_name}"

    def said(self, function: str, message: str) -> list[dict[str, Any]]:
        """The lines of a function's log with that message."""
        group = f"/aws/lambda/{RESPONDER}-{function}"
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        texts = (event["message"].strip() for page in pages for event in page["events"])
        lines = (json.loads(text) for text in texts if text.startswith("{"))
        return [line for line in lines if line.get("message") == message]

    # --- where it is

    def queue(self, name: str) -> str:
        """The address of one of its queues."""
        url: str = self.sqs.get_queue_url(QueueName=f"{RESPONDER}-{name}")["QueueUrl"]
        return url

    def messages_in(self, queue: str) -> list[str]:
        """Some of what lies in a queue; it stays there."""
        answer = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in answer.get("Messages", [])]

    def until(self, true: Callable[[], bool], otherwise: str, *, patience_s: float = 90.0) -> None:
        self.stage.until(true, otherwise, tick=lambda: None, patience_s=patience_s)

    def _topic(self, name: str) -> str:
        arns = [str(topic["TopicArn"]) for topic in self.sns.list_topics()["Topics"]]
        return next(arn for arn in arns if arn.endswith(f":{RESPONDER}-{name}"))

    def _listen(self) -> str:
        """A queue of the tests' own, which hears everything that comes by the alarm topic."""
        return self.stage.listen("overheard", self.alarm_topic)


@contextmanager
def deployed(*, playbooks: Path = PLAYBOOKS, trust: Path | None = None) -> Iterator[Responder]:
    """A responder with these playbooks in front of a service with traffic, whose running release has proven good."""
    with open_stage(trust=trust, enforce_iam=True) as stage:
        stage.deploy_service()
        stage.deploy_responder(playbooks)
        responder = Responder(stage)
        with traffic(stage):
            stage.warm_up(tick=lambda: None)
            yield responder


@pytest.fixture(scope="session")
def responder() -> Iterator[Responder]:
    with deployed() as responder:
        yield responder


def facts(trail: Trail) -> list[Fact]:
    return [event.fact for event in trail.events]
