"""The HTTP API as it is deployed: signed requests through its routes to its functions, and nobody else."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.conftest import Responder
from tools.demo.emulator import REGION, Emulator
from tools.demo.stage import REF, RESPONDER

Ask = Callable[..., tuple[int, Any]]
SERVICE = f"{REF.cluster}/{REF.service}"


@pytest.fixture(scope="module")
def ask(responder: Responder) -> Ask:
    """Asks the deployed API as `curl --aws-sigv4` does, in the name of a user of IAM."""
    aws = responder.stage.aws
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=RESPONDER)["Stacks"]
    address = next(each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "ApiUrl")
    users = {"ann": _user(aws, "ann", "execute-api:Invoke"), "bob": _user(aws, "bob", "sqs:ListQueues")}

    def asked(method: str, path: str, body: str | None = None, *, by: str | None = "ann") -> tuple[int, Any]:
        form = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
        # The name of the API is under no DNS here: it is told by the header.
        host = address.removeprefix("http://").rpartition(":")[0]
        made = AWSRequest(method=method, url=f"{aws.endpoint}{path}", data=body, headers={"Host": host, **form})
        if by is not None:
            SigV4Auth(users[by], "execute-api", REGION).add_auth(made)
        sent = urllib.request.Request(
            made.url, method=method, data=None if body is None else body.encode(), headers=dict(made.headers)
        )
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read())

    return asked


def _user(aws: Emulator, name: str, action: str) -> Credentials:
    """A user of IAM who may do that, and nothing else."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def test_nobody_is_answered_unsigned(ask: Ask) -> None:
    """The route refuses it before any function is called."""
    assert ask("GET", "/api/v1/incidents", by=None)[0] == 403


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/incidents"), ("POST", "/api/v1/incidents/inc-1/approve")]
)
def test_nobody_is_answered_whom_iam_does_not_let(ask: Ask, method: str, path: str) -> None:
    """A signature is not enough: a user without the right to call the API neither reads nor approves."""
    assert ask(method, path, None if method == "GET" else "{}", by="bob")[0] == 403
    assert ask(method, path, None if method == "GET" else "{}")[0] in (200, 404)


def test_what_the_ledger_knows_is_told(ask: Ask) -> None:
    """By the function that is asked."""
    status, said = ask("GET", f"/api/v1/deployment-orchestration/status/{SERVICE}")
    assert (status, said["service"]) == (200, REF.key)


def test_what_only_aws_knows_is_read_by_another_function(ask: Ask) -> None:
    """From ECS and CloudWatch, while traffic flows."""
    status, said = ask("GET", "/api/v1/health/score")
    assert status == 200, said
    assert said["known"] > 0
    status, said = ask("GET", "/api/v1/health/comprehensive")
    assert (status, said["desired_tasks"]) == (200, said["running_tasks"])


def test_an_order_is_tried_without_effect(ask: Ask, responder: Responder) -> None:
    """As a form, which is what `curl -d` sends: either it would be done, or a rule with a name forbids it."""
    before = responder.changes_of_the_service()
    status, said = ask("POST", f"/api/v1/disaster-recovery/rollback/{SERVICE}", '{"dry_run": true}')
    assert (status == 200 and said["dry_run"]) or (status == 409 and said["rule"]), said
    assert responder.changes_of_the_service() == before


def test_a_path_that_there_is_not_is_a_problem(ask: Ask) -> None:
    """Answered by the function, through the default route."""
    status, said = ask("DELETE", "/nothing")
    assert (status, said["title"]) == (404, "Not Found")
