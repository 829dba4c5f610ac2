"""Clients of boto3 whose requests are answered in this process, after a pause as long as AWS is away.

Everything on the side of the client is what runs on AWS: parameters are checked, requests built, signed and tried
again, answers parsed. Where botocore would send an attempt (its event `before-send`), the pause begins; when it is over
the world of a drill answers, in the bytes of the service's protocol. Attempts that are on their way at the same time
pause at the same time: only the world itself answers one after the other.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from threading import Lock, local
from typing import Any
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from functions.adapters.clients import Clients
from functions.domain.called import Service
from tools.drill.world import wire
from tools.drill.world.refusal import Refused


@dataclass(frozen=True, kw_only=True)
class Call:
    """One attempt of one call: from when to when it was away, in seconds of `time.perf_counter`."""

    operation: str
    began: float
    ended: float


@dataclass
class Line:
    """The way to AWS: how long an attempt is away, and which were."""

    latency_s: float
    calls: list[Call] = field(default_factory=list)
    answering: Lock = field(default_factory=Lock)


_line = Line(latency_s=0.0)
_asked = local()
"""What the thread asks for at this moment: `before-send` is told no parameters."""


@contextmanager
def latency(seconds: float) -> Iterator[list[Call]]:
    """Let every attempt be away as long; the attempts that were made, in the order in which they ended."""
    global _line
    before, _line = _line, Line(latency_s=seconds)
    try:
        yield _line.calls
    finally:
        _line = before


class AnsweredClients(Clients):
    """The clients of the deployed responder, answered here. Each is made once, as in a function that is warm."""

    def __init__(self, *, region: str) -> None:
        super().__init__(region=region)
        self._made: dict[tuple[str, int], Any] = {}
        self._session.set_credentials("bench", "bench")

    def _client(self, service: Service, *, attempts: int) -> Any:
        made = self._made.get((service, attempts))
        if made is None:
            made = self._made[service, attempts] = super()._client(service, attempts=attempts)
            made.meta.events.register_first("provide-client-params", _note)
            made.meta.events.register_first("before-send", _answer)
        return made


def _note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    _asked.model, _asked.parameters = model, params


def _answer(request: Any, **_: Any) -> AWSResponse:
    line, model = _line, _asked.model
    began = time.perf_counter()
    time.sleep(line.latency_s)
    with line.answering:
        status, headers, body = _answered(model, _asked.parameters)
        line.calls.append(Call(operation=model.name, began=began, ended=time.perf_counter()))
    return AWSResponse(request.url, status, headers, _Raw(body))


class _Raw(BytesIO):
    """What is left to read of an answer, as urllib3 has it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _answered(model: Any, parameters: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    protocol = model.service_model.resolved_protocol
    try:
        answer = wire.answered(model, parameters)
    except Refused as refused:
        return _refusal(protocol, refused)
    written = _serializer(model.service_model.service_name, model.name, protocol).serialize(answer)
    body = written["body"]
    headers = {**written["headers"], "x-amzn-RequestId": "00000000-0000-4000-8000-000000000000"}
    return written["status_code"], headers, body.encode() if isinstance(body, str) else body


@cache
def _serializer(service: str, operation: str, protocol: str) -> Any:
    return get_serializer_class(service, protocol)(get_service_model(service).operation_model(operation))


def _refusal(protocol: str, refused: Refused) -> tuple[int, dict[str, str], bytes]:
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": refused.code, "message": refused.message, **refused.more})
        return refused.status, {"x-amzn-ErrorType": refused.code}, body.encode()
    said = f"<Error><Code>{escape(refused.code)}</Code><Message>{escape(refused.message)}</Message></Error>"
    if protocol == "query":
        said = f"<ErrorResponse>{said}<RequestId>0</RequestId></ErrorResponse>"
    elif protocol == "ec2":
        said = f"<Response><Errors>{said}</Errors><RequestID>0</RequestID></Response>"
    return refused.status, {}, said.encode()
