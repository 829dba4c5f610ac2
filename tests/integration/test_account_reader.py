"""Reading who changed the service, its stack, what AWS says of itself, and what GuardDuty found."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.adapters.account import CALLS, AwsAccountReader
from functions.domain.errors import ReadFailed
from functions.domain.services import ServiceRef
from tests.fakes.aws import FakeAws, refusal
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
SERVICE = "arn:aws:ecs:eu-west-1:000000000000:service/shop/orders"
STACK = "arn:aws:cloudformation:eu-west-1:000000000000:stack/shop/1"


def reader(**replies: Any) -> tuple[AwsAccountReader, FakeAws]:
    aws = FakeAws(**replies)
    clients = {name: aws.client(name) for name in ("cloudtrail", "cloudformation", "health", "guardduty")}
    return AwsAccountReader(**clients, clock=FakeClock(NOW)), aws


def event(**told: Any) -> dict[str, Any]:
    whole = {
        "userIdentity": {"arn": "arn:aws:sts::000000000000:assumed-role/deploy/jane"},
        "requestParameters": {"cluster": "shop", "service": "orders"},
    }
    return {
        "EventName": "UpdateService",
        "EventTime": NOW,
        "Username": "jane",
        "CloudTrailEvent": json.dumps(whole | told),
    }


class TestChanges:
    def test_who_changed_the_service(self) -> None:
        """Role and session, as the end of the caller's ARN has them."""
        account, aws = reader(LookupEvents={"Events": [event()]})
        (change,) = account.changes(ORDERS, since=SINCE).changes
        assert (change.event, change.by, change.resource) == ("UpdateService", "assumed-role/deploy/jane", "orders")
        ((_, parameters),) = aws.calls
        assert (parameters["StartTime"], parameters["EndTime"]) == (SINCE, NOW)

    @pytest.mark.parametrize(
        ("asked", "ours"),
        [
            ({"cluster": "arn:aws:ecs:eu-west-1:000000000000:cluster/shop", "service": SERVICE}, True),
            ({"cluster": "shop", "service": "orders-eu"}, False),
            ({"cluster": "mall", "service": "orders"}, False),
            ({"service": "orders"}, False),
            (None, False),
        ],
    )
    def test_only_this_service_counts(self, asked: Any, ours: bool) -> None:
        """Names or ARNs; a service of the same name in another cluster is another one."""
        account, _ = reader(LookupEvents={"Events": [event(requestParameters=asked)]})
        assert bool(account.changes(ORDERS, since=SINCE).changes) is ours

    def test_a_call_that_was_refused_changed_nothing(self) -> None:
        """It is in the trail all the same."""
        account, _ = reader(LookupEvents={"Events": [event(errorCode="AccessDenied")]})
        assert account.changes(ORDERS, since=SINCE).changes == ()

    def test_names_are_redacted(self) -> None:
        """A session is often named after an e-mail address."""
        who = {"arn": "arn:aws:sts::000000000000:assumed-role/sso/jane@example.com"}
        account, _ = reader(LookupEvents={"Events": [event(userIdentity=who)]})
        (change,) = account.changes(ORDERS, since=SINCE).changes
        assert change.by == "assumed-role/sso/[redacted]"

    @pytest.mark.parametrize("told", ["", "{", "[]"])
    def test_an_event_that_cannot_be_read_is_nobodys(self, told: str) -> None:
        """It does not take the others with it."""
        account, _ = reader(LookupEvents={"Events": [{**event(), "CloudTrailEvent": told}, event()]})
        assert len(account.changes(ORDERS, since=SINCE).changes) == 1

    def test_a_throttle_is_unknown(self) -> None:
        """CloudTrail allows two requests a second: nobody waits for it, and no answer is not nobody."""
        account, _ = reader(LookupEvents=refusal("ThrottlingException"))
        with pytest.raises(ReadFailed, match="CloudTrail"):
            account.changes(ORDERS, since=SINCE)


class TestStack:
    def test_the_stack_of_a_service(self) -> None:
        """Found by the service's ARN, read by its own."""
        account, aws = reader(
            DescribeStackResources={"StackResources": [_resource("Cluster"), _resource("Service")]},
            DescribeStacks={
                "Stacks": [
                    {
                        "StackName": "shop",
                        "StackStatus": "UPDATE_IN_PROGRESS",
                        "CreationTime": SINCE,
                        "LastUpdatedTime": NOW,
                    }
                ]
            },
        )
        facts = account.stack(SERVICE)
        assert (facts.name, facts.in_progress, facts.since) == ("shop", True, NOW)
        assert [parameters for _, parameters in aws.calls] == [{"PhysicalResourceId": SERVICE}, {"StackName": STACK}]

    def test_a_service_without_a_stack(self) -> None:
        """CloudFormation refuses then, and that is an answer; any other refusal is none."""
        gone = refusal("ValidationError", f"Stack for {SERVICE} does not exist")
        assert reader(DescribeStackResources=gone)[0].stack(SERVICE).name == ""
        for denied in (refusal("AccessDenied"), refusal("ValidationError", "1 validation error detected")):
            with pytest.raises(ReadFailed):
                reader(DescribeStackResources=denied)[0].stack(SERVICE)


def _resource(name: str) -> dict[str, Any]:
    said = {"LogicalResourceId": name, "ResourceType": "AWS::ECS::Service", "ResourceStatus": "CREATE_COMPLETE"}
    return {"StackName": "shop", "StackId": STACK, "Timestamp": SINCE, **said}


class TestHealth:
    def test_open_issues(self) -> None:
        """Those of the Region, with their zone where they have one."""
        account, aws = reader(
            DescribeEvents={
                "events": [
                    {
                        "arn": "arn:aws:health:eu-west-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/1",
                        "service": "EC2",
                        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
                        "eventTypeCategory": "issue",
                        "availabilityZone": "eu-west-1a",
                        "startTime": SINCE,
                    }
                ]
            }
        )
        (issue,) = account.health("eu-west-1").events
        assert (issue.service, issue.zone, issue.began_at) == ("EC2", "eu-west-1a", SINCE)
        ((_, parameters),) = aws.calls
        assert parameters["filter"]["regions"] == ["eu-west-1"]

    def test_without_a_support_plan(self) -> None:
        """AWS does not tell everybody: the reason is a plain one."""
        account, _ = reader(DescribeEvents=refusal("SubscriptionRequiredException"))
        with pytest.raises(ReadFailed, match="paid support plan"):
            account.health("eu-west-1")


def test_declared_calls_are_the_calls_made() -> None:
    """The reader declares exactly the IAM actions of the calls that it makes."""
    account, aws = reader(
        LookupEvents={},
        DescribeStackResources={"StackResources": [_resource("Service")]},
        DescribeStacks={"Stacks": [{"StackName": "shop", "StackStatus": "CREATE_COMPLETE", "CreationTime": SINCE}]},
        DescribeEvents={},
        GetFindings={"Findings": [_finding("1cd2")]},
        ListDetectors={"DetectorIds": []},
    )
    account.detectors()
    account.changes(ORDERS, since=SINCE)
    account.stack(SERVICE)
    account.health("eu-west-1")
    account.threats([f"{DETECTOR}/finding/1cd2"])
    assert aws.actions == set(CALLS)


DETECTOR = "arn:aws:guardduty:eu-west-1:000000000000:detector/0ab1"


def _finding(number: str, **said: Any) -> dict[str, Any]:
    ordinary = {
        "AccountId": "000000000000",
        "Arn": f"{DETECTOR}/finding/{number}",
        "CreatedAt": "2026-03-01T03:00:00.000Z",
        "Id": number,
        "Region": "eu-west-1",
        "Resource": {"ResourceType": "ECSCluster", "EcsClusterDetails": {"TaskDetails": {"Arn": "task/shop/0123"}}},
        "SchemaVersion": "2.0",
        "Service": {"Archived": False},
        "Severity": 8.0,
        "Title": "A container asks for a mining pool",
        "Type": "CryptoCurrency:Runtime/BitcoinTool.B!DNS",
        "UpdatedAt": "2026-03-01T03:12:00.000Z",
    }
    return ordinary | said


class TestThreats:
    def test_findings_are_read_back_by_their_names(self) -> None:
        """Type, severity, what it is about, and whether somebody has put it away."""
        role = {"ResourceType": "AccessKey", "AccessKeyDetails": {"UserName": "orders-task"}}
        account, aws = reader(
            GetFindings={"Findings": [_finding("1cd2"), _finding("3ef4", Resource=role, Service={"Archived": True})]}
        )
        first, second = account.threats([f"{DETECTOR}/finding/1cd2", f"{DETECTOR}/finding/3ef4"]).threats
        assert (first.type, first.severity, first.level) == ("CryptoCurrency:Runtime/BitcoinTool.B!DNS", 8.0, "HIGH")
        assert (first.resource, first.archived) == ("task/shop/0123", False)
        assert (second.resource, second.archived) == ("orders-task", True)
        ((_, parameters),) = aws.calls
        assert parameters == {"DetectorId": "0ab1", "FindingIds": ["1cd2", "3ef4"]}

    @pytest.mark.parametrize(
        "reply", [{"Findings": []}, refusal("AccessDeniedException"), refusal("BadRequestException")]
    )
    def test_a_finding_that_guardduty_does_not_have_is_unknown(self, reply: Any) -> None:
        """Not the same as none: nobody knows what the message was about."""
        with pytest.raises(ReadFailed, match="GuardDuty"):
            reader(GetFindings=reply)[0].threats([f"{DETECTOR}/finding/1cd2"])

    def test_what_is_no_name_of_a_finding_is_not_asked_for(self) -> None:
        """It could not have come from GuardDuty."""
        account, aws = reader()
        with pytest.raises(ReadFailed):
            account.threats([DETECTOR])
        assert aws.calls == []
