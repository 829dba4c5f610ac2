"""What is granted beside the deployed policies where an emulator enforces IAM: no action that a role has not."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tools.demo.asked import NAME, grant_as_asked, inline_policies, let_plain_http_in

REGION = "us-east-1"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
OTHER = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}

Client = Callable[[str], Any]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role(client: Client, name: str, *actions: str) -> None:
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "arn:aws:ecs:us-east-1:1:service/shop/orders"}
    client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(statement))


def test_only_what_a_role_has_is_granted_elsewhere(client: Client) -> None:
    """On clusters and on nothing; a role without such an action, and one of somebody else, get nothing."""
    role(client, "responder-remediate", "ecs:UpdateService", "sns:Publish")
    role(client, "responder-assess", "ecs:DescribeServices", "logs:StartQuery")
    role(client, "responder-notify", "sns:Publish")
    role(client, "others", "ecs:UpdateService")
    grant_as_asked(client, prefix="responder-")
    granted = {
        name: {
            (action, statement["Resource"])
            for statement in inline_policies(client("iam"), name).get(NAME, {"Statement": []})["Statement"]
            for action in statement["Action"]
        }
        for name in ("responder-remediate", "responder-assess", "responder-notify", "others")
    }
    assert granted == {
        "responder-remediate": {("ecs:UpdateService", "arn:aws:ecs:*:*:cluster/*")},
        "responder-assess": {("ecs:DescribeServices", "arn:aws:ecs:*:*:cluster/*"), ("logs:StartQuery", "*")},
        "responder-notify": set(),
        "others": set(),
    }


def test_tls_is_asked_no_more_and_all_else_stays(client: Client) -> None:
    """Of queues, topics and buckets by their names."""
    sqs, sns, s3 = client("sqs"), client("sns"), client("s3")
    queue = sqs.create_queue(QueueName="responder-intake", Attributes={"Policy": policy(TLS, OTHER)})["QueueUrl"]
    topic = sns.create_topic(Name="responder-pages")["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(OTHER, TLS))
    for bucket in ("responder-archive", "others"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(TLS))
    let_plain_http_in(client, prefix="responder-")
    left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert json.loads(left)["Statement"] == [OTHER]
    assert json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"] == [OTHER]
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="responder-archive")
    assert json.loads(s3.get_bucket_policy(Bucket="others")["Policy"])["Statement"] == [TLS]
