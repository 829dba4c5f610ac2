"""What the responder calls that is no part of the world it looks after: its executions, its topic and its bucket."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from botocore.response import StreamingBody

from functions.adapters.clients import Clients, Service
from tools.drill.engine import DrillBroken, Engine, Json

SERVICES: tuple[Service, ...] = ("stepfunctions", "sns", "s3")

_PARAMETERS = "drill_parameters"
"""Key of a request's context: its parameters by name, before botocore makes a body of them."""

Answer = tuple[int, Json]


@dataclass(frozen=True)
class Published:
    """One message to a topic, at a time of the run."""

    at_s: float
    subject: str
    text: str


class Switchboard:
    """Answers on the wire of clients that live as long as the process; each run begins with a clean one.

    Botocore has validated the parameters by then, as with every other call.
    """

    def __init__(self, clients: Clients) -> None:
        for service in SERVICES:
            for client in (clients.repeating(service), clients.once(service)):
                name = client.meta.service_model.service_id.hyphenize()
                client.meta.events.register_first(f"provide-client-params.{name}.*", _keep)
                client.meta.events.register_first(f"before-call.{name}.*", self._answer)
        self._engine: Engine | None = None

    def begin(self, engine: Engine, *, now: Callable[[], datetime], seconds: Callable[[], float]) -> None:
        """Forget the run before."""
        self._engine, self._now, self._seconds = engine, now, seconds
        self.documents: dict[str, bytes] = {}
        self.published: list[Published] = []

    def _answer(self, model: Any, context: Any, **_: object) -> tuple[Any, Json]:
        if self._engine is None:
            raise DrillBroken(f"{model.name} was called outside of a run")
        status, parsed = self._call(model.name, context[_PARAMETERS], self._engine)
        metadata = {"RequestId": f"drill-{model.name}", "HTTPStatusCode": status, "RetryAttempts": 0}
        return SimpleNamespace(status_code=status), {**parsed, "ResponseMetadata": metadata}

    def _call(self, operation: str, given: Json, engine: Engine) -> Answer:
        match operation:
            case "StartExecution":
                if not engine.start(given["name"], json.loads(given["input"])):
                    return _error("ExecutionAlreadyExists", f"Execution Already Exists: '{given['name']}'")
                arn = f"{given['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{given['name']}"
                return 200, {"executionArn": arn, "startDate": self._now()}
            case "DescribeExecution":
                execution = engine.execution(given["executionArn"].rsplit(":", 1)[-1])
                if execution is None:
                    return _error("ExecutionDoesNotExist", f"Execution Does Not Exist: '{given['executionArn']}'")
                return 200, {
                    "executionArn": given["executionArn"],
                    "stateMachineArn": given["executionArn"].rsplit(":", 1)[0].replace(":execution:", ":stateMachine:"),
                    "status": execution.status,
                    "startDate": execution.started_at,
                }
            case "Publish":
                self.published.append(Published(self._seconds(), given.get("Subject", ""), given["Message"]))
                return 200, {"MessageId": f"message-{len(self.published)}"}
            case "PutObject":
                self.documents[f"{given['Bucket']}/{given['Key']}"] = _content(given["Body"])
                return 200, {"ETag": '"drill"'}
            case "GetObject":
                body = self.documents.get(f"{given['Bucket']}/{given['Key']}")
                if body is None:
                    return _error("NoSuchKey", "The specified key does not exist.", status=404)
                return 200, {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentLength": len(body)}
        raise DrillBroken(f"nobody answers {operation}")


def _keep(params: Json, context: Any, **_: object) -> None:
    context[_PARAMETERS] = dict(params)


def _content(body: Any) -> bytes:
    """By the time the call is answered, botocore may have made a file of it."""
    content: bytes = body if isinstance(body, bytes) else body.read()
    return content


def _error(code: str, message: str, *, status: int = 400) -> Answer:
    return status, {"Error": {"Code": code, "Message": message}}
