"""Holding a function: nothing is reserved for it, so that it does not run, and letting it go again."""

import contextlib
import io
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from moto import mock_aws

from functions.adapters.holds import CALLS, LambdaHold
from functions.domain.errors import ChangeDoubtful, ChangeRefused, NotNamed, ReadFailed
from tests.fakes.aws import FakeAws, refusal

FUNCTION = "ecs-first-responder-remediate"
DENIED = refusal("AccessDeniedException", "not authorized, password=hunter2", status=403)


@pytest.fixture(params=["moto", "emulator"])
def deployed(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of Lambda where the function is."""
    if request.param == "emulator":
        yield _with_function(endpoint_url=request.getfixturevalue("endpoint"))
        return
    with mock_aws():
        yield _with_function()


def _with_function(**where: Any) -> Any:
    known = {"region_name": "eu-west-1", "aws_access_key_id": "test", "aws_secret_access_key": "test", **where}
    iam, client = boto3.client("iam", **known), boto3.client("lambda", **known)
    name = f"remediate-{uuid.uuid4().hex[:8]}"
    assumed = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("main.py", "")
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):
        client.delete_function(FunctionName=FUNCTION)
    client.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role=assumed["Role"]["Arn"],
        Handler="main.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    return client


def test_a_function_is_held_and_let_go(deployed: Any) -> None:
    """Each as often as it is said."""
    hold = LambdaHold(deployed)
    assert hold.reserved(FUNCTION) is None
    for _ in range(2):
        hold.hold(FUNCTION)
        assert hold.reserved(FUNCTION) == 0
    for _ in range(2):
        hold.let_go(FUNCTION)
        assert hold.reserved(FUNCTION) is None


def test_what_somebody_reserved_is_told(deployed: Any) -> None:
    """It is a number of its own, and not a function that is held."""
    deployed.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=5)
    assert LambdaHold(deployed).reserved(FUNCTION) == 5


def test_a_function_that_is_not_deployed_is_named_so() -> None:
    """The contain stack need not be there."""
    aws = FakeAws(GetFunctionConcurrency=refusal("ResourceNotFoundException", status=404))
    with pytest.raises(NotNamed, match=FUNCTION):
        LambdaHold(aws.client("lambda")).reserved(FUNCTION)


def test_what_aws_answers_is_told_apart() -> None:
    """A no is a no; without an answer it may be done; and nothing secret is repeated."""
    no = LambdaHold(
        FakeAws(GetFunctionConcurrency=DENIED, PutFunctionConcurrency=DENIED, DeleteFunctionConcurrency=DENIED).client(
            "lambda"
        )
    )
    with pytest.raises(ReadFailed) as unread:
        no.reserved(FUNCTION)
    for act in (no.hold, no.let_go):
        with pytest.raises(ChangeRefused) as refused:
            act(FUNCTION)
        assert "hunter2" not in f"{unread.value}{refused.value}"
    lost = ReadTimeoutError(endpoint_url="https://lambda")
    gone = EndpointConnectionError(endpoint_url="https://lambda")
    silent = LambdaHold(FakeAws(PutFunctionConcurrency=lost, DeleteFunctionConcurrency=gone).client("lambda"))
    for act in (silent.hold, silent.let_go):
        with pytest.raises(ChangeDoubtful):
            act(FUNCTION)


def test_declared_calls_are_the_calls_made() -> None:
    """With the versions of the API left out, as IAM has them."""
    aws = FakeAws(
        GetFunctionConcurrency={},
        PutFunctionConcurrency={"ReservedConcurrentExecutions": 0},
        DeleteFunctionConcurrency={},
    )
    hold = LambdaHold(aws.client("lambda"))
    hold.reserved(FUNCTION)
    hold.hold(FUNCTION)
    hold.let_go(FUNCTION)
    assert aws.calls[1][1] == {"FunctionName": FUNCTION, "ReservedConcurrentExecutions": 0}
    assert aws.actions == set(CALLS)
