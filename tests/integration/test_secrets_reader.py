"""Reading whether secrets exist and when they changed."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.adapters.secrets import CALLS, AwsSecretsReader
from functions.domain.errors import ReadFailed
from tests.fakes.aws import FakeAws, record_actions, refusal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:orders/db-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:000000000000:parameter/orders/flags"


def reader(**replies: Any) -> tuple[AwsSecretsReader, FakeAws]:
    aws = FakeAws(**replies)
    return AwsSecretsReader(secrets=aws.client("secretsmanager"), parameters=aws.client("ssm")), aws


def test_when_a_secret_changed() -> None:
    """A task definition may name one key of a secret: the secret is asked about, and nobody asks for its value."""
    secrets, aws = reader(DescribeSecret={"LastChangedDate": NOON})
    (facts,) = secrets.secrets([f"{SECRET}:password::"]).secrets
    assert (facts.name, facts.exists, facts.changed_at) == (SECRET, True, NOON)
    assert aws.calls == [("secretsmanager:DescribeSecret", {"SecretId": SECRET})]


@pytest.mark.parametrize(
    ("reply", "exists"),
    [(refusal("ResourceNotFoundException"), False), ({"LastChangedDate": NOON, "DeletedDate": NOON}, False)],
)
def test_a_secret_that_cannot_be_had(reply: Any, exists: bool) -> None:
    """Gone, and waiting for its deletion, are the same to a task that starts."""
    secrets, _ = reader(DescribeSecret=reply)
    (facts,) = secrets.secrets([SECRET]).secrets
    assert facts.exists is exists


def test_parameters_are_asked_about_together() -> None:
    """By name or by ARN, in as few calls as can be; one that is not in the answer does not exist."""
    secrets, aws = reader(DescribeParameters={"Parameters": [{"Name": "/orders/flags", "LastModifiedDate": NOON}]})
    first, second, third = secrets.secrets([PARAMETER, "/orders/gone", "/orders/flags"]).secrets
    assert (first.name, first.exists, first.changed_at) == ("/orders/flags", True, NOON)
    assert (second.name, second.exists, third.exists) == ("/orders/gone", False, True)
    ((action, parameters),) = aws.calls
    assert action == "ssm:DescribeParameters"
    assert parameters["ParameterFilters"][0]["Values"] == ["/orders/flags", "/orders/gone"]


def test_one_that_cannot_be_read_leaves_the_others() -> None:
    """A secret of another account is unknown, neither there nor gone."""
    secrets, _ = reader(
        DescribeSecret=refusal("AccessDeniedException"), DescribeParameters={"Parameters": [{"Name": "flags"}]}
    )
    first, second = secrets.secrets([SECRET, "flags"]).secrets
    assert (first.exists, second.exists) == (None, True)


def test_no_answer() -> None:
    """When none can be read, all is unknown."""
    secrets, _ = reader(
        DescribeSecret=refusal("ThrottlingException"), DescribeParameters=refusal("ThrottlingException")
    )
    with pytest.raises(ReadFailed):
        secrets.secrets([SECRET, "/orders/flags"])


@mock_aws
def test_as_aws_keeps_them() -> None:
    """Against moto: what exists has its time, what does not is known to be gone, and no value is asked for."""
    manager, ssm = (boto3.client(name, region_name="eu-west-1") for name in ("secretsmanager", "ssm"))
    arn = manager.create_secret(Name="orders/db", SecretString="x")["ARN"]
    ssm.put_parameter(Name="/orders/flags", Value="x", Type="SecureString")
    actions = [record_actions(client) for client in (manager, ssm)]

    facts = AwsSecretsReader(secrets=manager, parameters=ssm).secrets([arn, SECRET, "/orders/flags", "/orders/gone"])

    assert [secret.exists for secret in facts.secrets] == [True, False, True, False]
    assert all((secret.changed_at is not None) == secret.exists for secret in facts.secrets)
    assert set().union(*actions) == set(CALLS)
