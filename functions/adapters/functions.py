"""Asks other functions of the responder: the one that reads AWS, and the one that asks services over HTTP."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from functions.adapters.answers import reading
from functions.domain.errors import FunctionFailed, ReadFailed
from functions.domain.findings import Findings
from functions.domain.orders import Order
from functions.domain.services import ServiceRef
from functions.domain.trials import CheckSaid, Load

CALLS = ("lambda:InvokeFunction",)
"""IAM actions."""

ANSWERS_WITHIN_S = 25.0
"""An HTTP API gives up after 30 s (API Gateway Developer Guide, "Quotas for configuring and running an HTTP API")."""


class ReadingFunction:
    """The `Inspector` of a function that may not read AWS itself. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, function: str) -> None:
        """The client waits for `ANSWERS_WITHIN_S`, and does not repeat a call."""
        self._client = client
        self._function = function

    def inspect(self, ref: ServiceRef, probes: Sequence[str] = ()) -> Findings:
        answer = _invoked(self._client, self._function, {"service": ref.key, "probes": list(probes)})
        try:
            return Findings.from_json(answer)
        except ValidationError as error:
            raise ReadFailed(f"function {self._function} answered something else than findings") from error

    def reply(self, ref: ServiceRef, order: Order) -> Mapping[str, Any]:
        return _invoked(self._client, self._function, {"service": ref.key, "order": order.model_dump(mode="json")})


class TryingFunction:
    """The `Trier` of a function that asks no service itself. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, function: str) -> None:
        self._client = client
        self._function = function

    def checks(self, ref: ServiceRef, *, whole: bool) -> Sequence[CheckSaid]:
        answer = _invoked(self._client, self._function, {"service": ref.key, "whole": whole})
        try:
            return tuple(CheckSaid.model_validate(each) for each in answer["checks"])
        except (KeyError, TypeError, ValidationError) as error:
            raise ReadFailed(f"function {self._function} answered something else than checks") from error

    def begin(self, load: Load) -> None:
        with reading(f"function {self._function}"):
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps({"load": load.model_dump(mode="json")}).encode(),
            )


def _invoked(client: Any, function: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a function answers. One that fails has answered nothing."""
    with reading(f"function {function}"):
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        body: bytes = answer["Payload"].read()
    if "FunctionError" in answer:
        raise FunctionFailed(f"function {function} failed; its log says why")
    try:
        said = json.loads(body)
    except ValueError as error:
        raise ReadFailed(f"function {function} answered something else than JSON") from error
    if not isinstance(said, dict):
        raise ReadFailed(f"function {function} answered something else than an object")
    return said
