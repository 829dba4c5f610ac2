"""The wire: what botocore sends is answered with recorded bytes, so that it does its own work on both sides.

Parameters are checked, a request is built and signed, the answer is parsed: only the socket is missing. Source of the
hook: botocore, `Endpoint._get_response`, which takes what a handler of `before-send` returns for the answer.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.utils import parse_timestamp

from functions.adapters.clients import Clients

Sent = tuple[str, bytes]
"""What tells requests apart: where to and which operation, and the body."""

_TOKEN = re.compile(rb'"[Cc]lient(?:Request)?Token": "[^"]*"')
"""boto3 makes a new one for each request."""


class Answer(NamedTuple):
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Raw(BytesIO):
    """The body as urllib3 has it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


Heard = Callable[[str, str, Mapping[str, Any], int], None]
"""Service, operation, parameters, and the attempts that botocore would make."""


class NotRecorded(BaseException):
    """A request that was not made when it was recorded. No handler may take it for a failure of AWS."""


@dataclass
class Wire:
    """Answers the requests of all its clients. `live` answers while recording, `answers` when it is played again."""

    live: Callable[[Any], Answer] | None = None
    _left: dict[Sent, Iterator[Answer]] = field(default_factory=dict)

    def load(self, answers: Mapping[Sent, Iterable[Answer]]) -> None:
        """What is answered from now on: each request with its answers, in their order."""
        self._left = {sent: iter(given) for sent, given in answers.items()}

    @property
    def left(self) -> int:
        """Answers that nobody has asked for since they were loaded; they are taken by that."""
        return sum(1 for answers in self._left.values() for _ in answers)

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        if self.live is not None:
            answer = self.live(request)
        else:
            sent = sent_by(request)
            found = next(self._left.get(sent, iter(())), None)
            if found is None:
                raise NotRecorded(f"{sent[0]} was not recorded: {sent[1][:2000]!r}")
            answer = found
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Raw(answer.body))


def sent_by(request: Any) -> Sent:
    """The request, without what differs each time."""
    body = request.body
    if request.method != "POST":
        return f"{request.method} {request.url}", b""
    if isinstance(body, str):
        body = body.encode()
    body = body or b""
    if b"lientRequestToken" in body or b'"clientToken' in body:
        body = _TOKEN.sub(b"", body)
    target = request.headers.get("X-Amz-Target", "")
    return f"{request.url} {target.decode() if isinstance(target, bytes) else target}", body


class WireClients(Clients):
    """The clients of the deployed responder on this wire, each made once."""

    def __init__(self, wire: Wire, *, region: str, heard: Heard | None = None) -> None:
        """`heard` is told of each call before it is sent, in the thread that makes it."""
        super().__init__(region=region)
        self._session.set_credentials("AKIDEXAMPLE", "example")
        self._wire, self._heard = wire, heard
        self._made: dict[tuple[str, int, float], Any] = {}

    def _one(self, service: Any, *, attempts: int, read_timeout_s: float) -> Any:
        key = (service, attempts, read_timeout_s)
        if key not in self._made:
            client = super()._one(service, attempts=attempts, read_timeout_s=read_timeout_s)
            client.meta.events.register("before-send", self._wire)
            if self._heard is not None:
                client.meta.events.register("provide-client-params", _hearing(self._heard, service, attempts))
            self._made[key] = client
        return self._made[key]


class BareClients(WireClients):
    """Clients as whoever only makes calls has them: the same attempts and time-outs, and botocore's own name and way to
    read a time."""

    def __init__(self, wire: Wire, *, region: str) -> None:
        super().__init__(wire, region=region)
        self._session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse_timestamp)

    def _config(self, *, attempts: int, read_timeout_s: float) -> Config:
        return super()._config(attempts=attempts, read_timeout_s=read_timeout_s).merge(Config(user_agent=None))


def _hearing(heard: Heard, service: str, attempts: int) -> Callable[..., None]:
    def hear(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        heard(service, model.name, params, attempts)

    return hear
