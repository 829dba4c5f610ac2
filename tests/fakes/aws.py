"""AWS answering from a table: real boto3 clients, whose calls end before they reach the wire."""

from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.validate import ParamValidator

Parameters = Mapping[str, Any]
Reply = Mapping[str, Any] | Exception | Callable[[Parameters], Mapping[str, Any]]


class FakeAws:
    """Answers by operation name. botocore checks the parameters, this class the answers, against the service's model.

    An answer may be a function of the parameters, or an exception such as `refusal(…)` or botocore's own.
    """

    def __init__(self, **replies: Reply) -> None:
        self.replies: dict[str, Reply] = dict(replies)
        self.calls: list[tuple[str, Parameters]] = []
        """Operation and parameters of every call, in order."""

    @property
    def actions(self) -> set[str]:
        """The IAM actions of all calls so far."""
        return {action for action, _ in self.calls}

    def client(self, service: str) -> Any:
        client = boto3.client(
            service,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )
        client.meta.events.register("provide-client-params", self._note)
        client.meta.events.register("before-call", self._answer)
        return client

    def _note(self, *, params: Parameters, model: Any, **_: object) -> None:
        self.calls.append((iam_action(model), params))

    def _answer(self, *, model: Any, **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        reply = self.replies[model.name]
        if isinstance(reply, _Refusal):
            return AWSResponse("", reply.status, {}, None), {
                **reply.fields,
                "Error": {"Code": reply.code, "Message": reply.message},
                "ResponseMetadata": {"HTTPStatusCode": reply.status},
            }
        if isinstance(reply, Exception):
            raise reply
        answer = dict(reply(self.calls[-1][1]) if callable(reply) else reply)
        if model.output_shape is not None:
            report = ParamValidator().validate(answer, model.output_shape)
            assert not report.has_errors(), report.generate_report()
        answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "RequestId": "req-1"}
        return AWSResponse("", 200, {}, None), answer


class _Refusal(Exception):
    def __init__(self, code: str, message: str, status: int, fields: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.code, self.message, self.status, self.fields = code, message, status, fields


def refusal(code: str, message: str = "no", *, status: int = 400, **fields: Any) -> Exception:
    """AWS's answer to a call that it does not carry out; `fields` stand beside the error in it."""
    return _Refusal(code, message, status, fields)


def iam_action(model: Any) -> str:
    """The IAM action of an operation, for the services whose actions are named like their operations."""
    prefix = {"monitoring": "cloudwatch"}.get(model.service_model.signing_name, model.service_model.signing_name)
    return f"{prefix}:{model.name}"


def record_actions(client: Any) -> set[str]:
    """The IAM actions of the calls that this client makes from now on; the set grows as it makes them."""
    actions: set[str] = set()

    def note(*, model: Any, **_: object) -> None:
        actions.add(iam_action(model))

    client.meta.events.register("before-call", note)
    return actions
