"""The workflow engine, the topic, the bucket, the clock and the clients."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from functions.adapters import eventbridge, s3, sns, stepfunctions
from functions.adapters.clients import Clients, read_time
from functions.adapters.clock import SystemClock
from functions.adapters.eventbridge import EventBridgeAnnouncer
from functions.adapters.s3 import S3Archive
from functions.adapters.sns import SnsNotifier
from functions.adapters.stepfunctions import StepFunctionsAnswers, StepFunctionsExecutions
from functions.adapters.sts import caller
from functions.domain.announcements import Announcement, Happened
from functions.domain.approvals import Answer
from functions.domain.errors import ReadFailed
from functions.domain.incidents import GENESIS, Event, Fact, Incident, IncidentStatus, NewEvent
from functions.domain.services import ServiceRef
from functions.ports import Page
from functions.workflow.announce import announcement
from tests.fakes.aws import FakeAws, record_actions, refusal

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:responder"
REGION = "eu-west-1"


def announcements(number: int) -> list[Announcement]:
    """So many, of an incident that was just opened."""
    at = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
    service = ServiceRef(region=REGION, cluster="shop", service="orders")
    opened = NewEvent(fact=Fact.INCIDENT_OPENED, actor="intake", summary="orders-5xx is ALARM")
    event = Event.chain("inc-1", 1, at, opened, GENESIS)
    incident = Incident(
        id="inc-1", service=service, status=IncidentStatus.OPEN, title="x", opened_at=at, updated_at=at, head_sequence=1
    )
    return [announcement(incident, [event], event, Happened.OPENED)] * number


class TestAnnouncer:
    @mock_aws
    def test_an_event_is_put_on_the_default_bus(self) -> None:
        """EventBridge takes it, and gives its rights a name."""
        client = boto3.client("events", region_name=REGION)
        actions = record_actions(client)
        EventBridgeAnnouncer(client).announce(announcements(1))
        assert actions == set(eventbridge.CALLS)

    def test_what_is_sent(self) -> None:
        """Ten at once, under our own source, with the notification for chat as Amazon Q Developer reads it."""
        aws = FakeAws(PutEvents={"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]})
        EventBridgeAnnouncer(aws.client("events")).announce(announcements(12))
        entries = [call["Entries"] for _, call in aws.calls]
        assert [len(some) for some in entries] == [10, 2]
        entry = entries[0][0]
        assert (entry["Source"], entry["DetailType"]) == ("ecs-first-responder", "Incident Opened")
        detail = json.loads(entry["Detail"])
        assert (detail["id"], detail["happened"]) == ("inc-1#1", "Incident Opened")
        assert (detail["chat"]["version"], detail["chat"]["source"]) == ("1.0", "custom")
        assert detail["chat"]["metadata"]["threadId"] == "inc-1"
        assert detail["chat"]["content"]["textType"] == "client-markdown"

    def test_one_that_is_not_taken_is_a_failure(self) -> None:
        """Although the call itself went well."""
        refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
        aws = FakeAws(PutEvents={"FailedEntryCount": 1, "Entries": [refused]})
        with pytest.raises(ReadFailed, match="ThrottlingException"):
            EventBridgeAnnouncer(aws.client("events")).announce(announcements(1))


class TestExecutions:
    @mock_aws
    def test_an_execution_starts_once(self) -> None:
        """An execution carries its incident, is found running, and a second start of the same name is no error."""
        client = boto3.client("stepfunctions", region_name=REGION)
        actions = record_actions(client)
        machine = client.create_state_machine(
            name="responder",
            definition=json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Pass", "End": True}}}),
            roleArn="arn:aws:iam::123456789012:role/responder",
        )["stateMachineArn"]
        actions.clear()
        executions = StepFunctionsExecutions(client, state_machine=machine)

        assert not executions.running("inc-1", 1)
        assert executions.start("inc-1", 1, step="restore")
        assert executions.running("inc-1", 1)
        assert not executions.running("inc-1", 2)
        assert actions == set(stepfunctions.CALLS)

        arn = f"{machine.replace('stateMachine', 'execution')}:inc-1-1"
        assert json.loads(client.describe_execution(executionArn=arn)["input"]) == {
            "incident_id": "inc-1",
            "generation": 1,
            "step": "restore",
        }

    def test_a_name_that_was_used(self) -> None:
        """ExecutionAlreadyExists says that the incident is being carried, or was."""
        aws = FakeAws(StartExecution=refusal("ExecutionAlreadyExists"))
        assert not StepFunctionsExecutions(aws.client("stepfunctions"), state_machine=MACHINE).start("inc-1", 1)

    @pytest.mark.parametrize(("status", "running"), [("RUNNING", True), ("FAILED", False), ("PENDING_REDRIVE", False)])
    def test_only_running_is_running(self, status: str, running: bool) -> None:
        """A closed execution does not carry its incident; a version in the machine's ARN is no part of its name."""
        aws = FakeAws(
            DescribeExecution={
                "executionArn": "x",
                "stateMachineArn": MACHINE,
                "status": status,
                "startDate": "2026-01-01T00:00:00Z",
            }
        )
        executions = StepFunctionsExecutions(aws.client("stepfunctions"), state_machine=f"{MACHINE}:live")

        assert executions.running("inc-1", 3) is running
        assert aws.calls[0][1]["executionArn"] == ("arn:aws:states:eu-west-1:123456789012:execution:responder:inc-1-3")

    def test_no_answer(self) -> None:
        """Any other error is ReadFailed: neither running nor closed."""
        aws = FakeAws(DescribeExecution=refusal("AccessDeniedException"), StartExecution=refusal("InvalidName"))
        executions = StepFunctionsExecutions(aws.client("stepfunctions"), state_machine=MACHINE)
        with pytest.raises(ReadFailed):
            executions.running("inc-1", 1)
        with pytest.raises(ReadFailed):
            executions.start("inc-1", 1)

    def test_who_listens_is_woken(self) -> None:
        """With the outcome that its step knows; where nobody listens any more, that is no error."""
        aws = FakeAws(SendTaskSuccess={})
        assert StepFunctionsExecutions(aws.client("stepfunctions"), state_machine=MACHINE).wake("t", "new-signal")
        assert aws.calls == [("states:SendTaskSuccess", {"taskToken": "t", "output": '{"outcome": "new-signal"}'})]
        aws = FakeAws(SendTaskSuccess=refusal("TaskTimedOut"))
        assert not StepFunctionsExecutions(aws.client("stepfunctions"), state_machine=MACHINE).wake("t", "new-signal")


class TestAnswers:
    def test_an_answer_wakes_the_execution(self) -> None:
        """With the outcome and nothing else: the state machine keeps its own payload."""
        aws = FakeAws(SendTaskSuccess={})
        assert StepFunctionsAnswers(aws.client("stepfunctions")).deliver("token", Answer.GRANTED)
        assert aws.calls == [
            (stepfunctions.ANSWER_CALLS[0], {"taskToken": "token", "output": '{"outcome": "granted"}'})
        ]

    @pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
    def test_nobody_waits_any_more(self, code: str) -> None:
        """It expired, was answered before, or is gone."""
        aws = FakeAws(SendTaskSuccess=refusal(code))
        assert not StepFunctionsAnswers(aws.client("stepfunctions")).deliver("token", Answer.DENIED)

    def test_whoever_may_not_answer_is_told(self) -> None:
        """No right, no network: that is no answer to whether somebody waits."""
        aws = FakeAws(SendTaskSuccess=refusal("AccessDeniedException"))
        with pytest.raises(ReadFailed, match="AccessDenied"):
            StepFunctionsAnswers(aws.client("stepfunctions")).deliver("token", Answer.DENIED)


def test_the_caller() -> None:
    """Whoever the credentials belong to."""
    aws = FakeAws(GetCallerIdentity={"Arn": "arn:aws:iam::123456789012:user/maria"})
    assert caller(aws.client("sts")) == "arn:aws:iam::123456789012:user/maria"


class TestPages:
    @mock_aws
    def test_a_page_is_published(self) -> None:
        """A page reaches the topic and has an identifier."""
        client = boto3.client("sns", region_name=REGION)
        topic = client.create_topic(Name="page")["TopicArn"]
        actions = record_actions(client)

        page = Page(subject="orders is unwell", text="what, why, what now", attributes={"severity": "P1"})

        assert SnsNotifier(client, topic=topic).publish(page)
        assert actions == set(sns.CALLS)

    def test_what_is_sent(self) -> None:
        """Attributes travel as strings, so that subscribers can filter by them."""
        aws = FakeAws(Publish={"MessageId": "m-1"})

        page = Page(subject="s", text="t", attributes={"severity": "P1"})

        assert SnsNotifier(aws.client("sns"), topic="arn:topic").publish(page) == "m-1"
        assert aws.calls[0][1] == {
            "TopicArn": "arn:topic",
            "Subject": "s",
            "Message": "t",
            "MessageAttributes": {"severity": {"DataType": "String", "StringValue": "P1"}},
        }

    def test_a_topic_that_does_not_take_it(self) -> None:
        """A page that was not taken is ReadFailed, so that nobody believes it was sent."""
        aws = FakeAws(Publish=refusal("KMSAccessDenied"))
        with pytest.raises(ReadFailed, match="arn:topic"):
            SnsNotifier(aws.client("sns"), topic="arn:topic").publish(Page(subject="s", text="t"))


class TestArchive:
    @mock_aws
    def test_what_is_kept_can_be_fetched(self) -> None:
        """A document comes back as it was kept, under the URL that keeping it gave."""
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="records")
        actions = record_actions(client)
        archive = S3Archive(client, bucket="records")

        url = archive.keep("evidence/a b.json", '{"é": 1}', content_type="application/json")

        assert url == "s3://records/evidence/a b.json"
        assert archive.fetch(url) == '{"é": 1}'
        assert actions == set(s3.CALLS)
        with pytest.raises(ReadFailed):
            archive.fetch("s3://records/missing")
        with pytest.raises(ValueError, match="not in bucket"):
            archive.fetch("s3://elsewhere/evidence")

    def test_a_bucket_that_does_not_take_it(self) -> None:
        """A document that was not stored is ReadFailed."""
        aws = FakeAws(PutObject=refusal("AccessDenied", status=403))
        with pytest.raises(ReadFailed):
            S3Archive(aws.client("s3"), bucket="records").keep("k", "b", content_type="text/plain")


class TestClients:
    def test_changes_are_sent_once(self) -> None:
        """A client for changes never sends a call again, a client for reads does; both give up within seconds."""
        clients = Clients(region=REGION)

        once, repeating = clients.once("ecs").meta.config, clients.repeating("ecs").meta.config

        assert once.retries["total_max_attempts"] == 1
        assert repeating.retries["total_max_attempts"] == 3
        for config in (once, repeating):
            assert (config.connect_timeout, config.read_timeout) == (3, 5)
            assert config.retries["mode"] == "standard"
            assert config.region_name == REGION
            assert "ecs-first-responder" in config.user_agent

    @given(st.floats(min_value=0, max_value=2_145_916_800))
    def test_a_time_is_the_one_that_botocore_reads(self, seconds: float) -> None:
        """Whole seconds or not, as a number and as a text, up to 2037."""
        text = datetime.fromtimestamp(seconds, UTC).isoformat()
        for written in (int(seconds), seconds, str(int(seconds)), text):
            assert read_time(written) == parse_timestamp(written)
        assert read_time(seconds).tzinfo is UTC

    def test_what_is_no_time_is_an_error(self) -> None:
        """As botocore has it: an answer that cannot be read, and no time that nobody said."""
        with pytest.raises(ValueError, match="Invalid timestamp"):
            read_time("yesterday, or so")


def test_the_clock_is_utc() -> None:
    """The machine's time comes in UTC."""
    assert SystemClock().now().tzinfo is UTC
