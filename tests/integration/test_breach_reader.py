"""Reading what may speak for a breach: security groups and users' calls, from AWS as it answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.adapters.breach import CALLS, EVENTS, IMAGES, AwsBreachReader
from functions.adapters.clients import Clients
from functions.domain.errors import ReadFailed
from functions.domain.services import ServiceRef
from tests.fakes.aws import FakeAws, refusal
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
ROLE = "arn:aws:iam::000000000000:role/orders-task"
DIGEST = "sha256:" + "ab" * 32
IMAGE = f"000000000000.dkr.ecr.eu-west-1.amazonaws.com/shop/orders@{DIGEST}"


def reader(**replies: Any) -> tuple[AwsBreachReader, FakeAws]:
    aws = FakeAws(**replies)
    made = AwsBreachReader(
        ec2=lambda: aws.client("ec2"),
        ecr=lambda: aws.client("ecr"),
        cloudtrail=lambda: aws.client("cloudtrail"),
        clock=FakeClock(NOW),
        region="eu-west-1",
    )
    return made, aws


class TestExposure:
    @pytest.fixture(autouse=True)
    def aws(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        with mock_aws():
            yield

    def test_only_rules_for_everybody_count(self) -> None:
        """Of either version of IP; a network of one's own, or another group, is no open door."""
        ec2 = boto3.client("ec2", region_name="eu-west-1")
        group = ec2.create_security_group(GroupName="orders", Description="orders")["GroupId"]
        rules = [
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 90, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
            {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": [{"GroupId": group}]},
        ]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
        made = AwsBreachReader.of(Clients(region="eu-west-1"), clock=FakeClock(NOW), region="eu-west-1")
        found = made.exposure([group])
        assert {(door.what, door.source) for door in found.doors} == {("tcp 22", "0.0.0.0/0"), ("tcp 80 to 90", "::/0")}

    def test_a_group_that_is_not_there_is_unknown(self) -> None:
        """And never taken for closed."""
        made = AwsBreachReader.of(Clients(region="eu-west-1"), clock=FakeClock(NOW), region="eu-west-1")
        with pytest.raises(ReadFailed):
            made.exposure(["sg-00000000"])


class TestImages:
    def test_critical_and_high_findings_are_counted(self) -> None:
        """Of the digest that runs, in its own registry, and the list itself is not read."""
        made, aws = reader(
            DescribeImageScanFindings={
                "imageScanStatus": {"status": "COMPLETE"},
                "imageScanFindings": {"findingSeverityCounts": {"CRITICAL": 2, "HIGH": 5, "LOW": 40}},
            }
        )
        (image,) = made.images([IMAGE]).images
        assert (image.image, image.status, image.critical, image.high) == ("orders@abababababab", "COMPLETE", 2, 5)
        ((_, asked),) = aws.calls
        assert asked["repositoryName"] == "shop/orders"
        assert asked["imageId"] == {"imageDigest": DIGEST}
        assert asked["maxResults"] == 1

    @pytest.mark.parametrize("code", ["ScanNotFoundException", "ImageNotFoundException", "RepositoryNotFoundException"])
    def test_no_scan_is_told_as_none(self, code: str) -> None:
        """It is no image without holes."""
        made, _ = reader(DescribeImageScanFindings=refusal(code))
        (image,) = made.images([IMAGE]).images
        assert image.status not in ("COMPLETE", "ACTIVE")

    @pytest.mark.parametrize(
        "image", ["docker.io/library/nginx@" + DIGEST, IMAGE.replace("eu-west-1", "us-east-1"), "nonsense"]
    )
    def test_what_is_elsewhere_is_not_asked_for(self, image: str) -> None:
        """Neither another registry nor another Region."""
        made, aws = reader()
        (found,) = made.images([image]).images
        assert "not in ECR" in found.status
        assert aws.calls == []

    def test_few_images_are_enough(self) -> None:
        """However many there are."""
        made, aws = reader(DescribeImageScanFindings=refusal("ScanNotFoundException"))
        assert len(made.images([IMAGE] * 9).images) == IMAGES == len(aws.calls)

    def test_what_cannot_be_read_is_unknown(self) -> None:
        """A missing right, for example."""
        made, _ = reader(DescribeImageScanFindings=refusal("AccessDeniedException"))
        with pytest.raises(ReadFailed):
            made.images([IMAGE])


def event(*, error: str | None = None, issuer: str = "arn:other", **asked: Any) -> dict[str, Any]:
    told = {
        "eventSource": "iam.amazonaws.com",
        "userIdentity": {
            "arn": "arn:aws:sts::000000000000:assumed-role/orders-task/0123",
            "sessionContext": {"sessionIssuer": {"arn": issuer}},
        },
        "requestParameters": asked,
        **({} if error is None else {"errorCode": error}),
    }
    return {"EventName": "CreateUser", "EventTime": NOW, "CloudTrailEvent": json.dumps(told)}


class TestDenials:
    @pytest.mark.parametrize(
        ("shown", "said"),
        [
            (event(issuer=ROLE), (False, True)),
            (event(issuer=ROLE, error="AccessDenied"), (True, True)),
            (event(error="AccessDenied", cluster="shop", service="orders"), (True, False)),
            (event(error="Client.UnauthorizedOperation", roleName="orders-task"), (True, False)),
            (event(error="AccessDenied", roleArn=ROLE), (True, False)),
            (event(error="AccessDenied", roleName="another"), None),
            (event(cluster="shop", service="orders"), None),
            (event(error="Throttling", cluster="shop", service="orders"), None),
            ({"EventName": "X", "EventTime": NOW, "CloudTrailEvent": "no json"}, None),
            ({"EventName": "X", "EventTime": NOW, "CloudTrailEvent": "[]"}, None),
        ],
    )
    def test_what_concerns_the_service(self, shown: dict[str, Any], said: tuple[bool, bool] | None) -> None:
        """Calls of its own tasks, and denied ones about it or its role; what others did and may do is not told."""
        made, _ = reader(LookupEvents={"Events": [shown]})
        found = made.denials(ORDERS, task_role=ROLE, since=SINCE)
        assert [(call.denied, call.own) for call in found.calls] == ([] if said is None else [said])

    def test_one_request_for_what_changes_something(self) -> None:
        """CloudTrail takes two a second from the whole account; there may be more than one request tells."""
        made, aws = reader(LookupEvents={"Events": [], "NextToken": "more"})
        assert made.denials(ORDERS, task_role=ROLE, since=SINCE).partial
        ((_, asked),) = aws.calls
        assert asked["LookupAttributes"] == [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
        assert (asked["StartTime"], asked["EndTime"], asked["MaxResults"]) == (SINCE, NOW, EVENTS)

    def test_without_a_role_nobodys_calls_are_its_own(self) -> None:
        """A task that acts as nobody made none of them."""
        made, _ = reader(LookupEvents={"Events": [event(issuer="")]})
        assert made.denials(ORDERS, task_role="", since=SINCE).calls == ()

    def test_throttling_is_unknown(self) -> None:
        """And is not waited out."""
        made, _ = reader(LookupEvents=refusal("ThrottlingException"))
        with pytest.raises(ReadFailed):
            made.denials(ORDERS, task_role=ROLE, since=SINCE)


def test_what_is_called_is_declared() -> None:
    """The rights are made from it."""
    made, aws = reader(
        DescribeSecurityGroups={}, DescribeImageScanFindings=refusal("ScanNotFoundException"), LookupEvents={}
    )
    made.exposure(["sg-1"])
    made.images([IMAGE])
    made.denials(ORDERS, task_role=ROLE, since=SINCE)
    assert aws.actions == set(CALLS)
