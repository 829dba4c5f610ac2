"""The HTTP API around a responder in memory: its real handlers and use cases, asked as API Gateway asks them."""

import base64
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from functions import bootstrap
from functions.actions.registry import ACTIONS
from functions.diagnostics.registry import PROBES
from functions.domain.errors import ReadFailed
from functions.domain.findings import Findings
from functions.domain.orders import Order
from functions.domain.services import ServiceRef
from functions.domain.trials import CheckSaid, Load, Run
from functions.handlers import api
from functions.playbooks.schema import Playbook
from functions.workflow.api.answer import AnswerPeople
from functions.workflow.api.inquire import Inquire
from functions.workflow.api.inspect import Inspect
from functions.workflow.api.order import OrderByHand
from functions.workflow.api.records import Records
from functions.workflow.api.switch import SwitchEverything
from functions.workflow.api.trials import Try
from functions.workflow.assess import Examiner
from functions.workflow.orders import GiveOrder, TryOrder
from tests.fakes.engine import FLEET_LIMIT, Responder
from tests.unit.handlers.context import context

ANN = "arn:aws:sts::123456789012:assumed-role/on-call/ann"


@dataclass
class LocalInspector:
    """The function `read` in the same process; what goes in and out is JSON, as on the wire."""

    inspect_: Inspect
    try_: TryOrder
    broken: bool = False

    def inspect(self, ref: ServiceRef, probes: Sequence[str] = ()) -> Findings:
        if self.broken:
            raise ReadFailed("function read does not answer")
        found = self.inspect_.inspect(ref, probes)
        return Findings.from_json(json.loads(json.dumps(found.to_json())))

    def reply(self, ref: ServiceRef, order: Order) -> Mapping[str, Any]:
        if self.broken:
            raise ReadFailed("function read does not answer")
        said: Mapping[str, Any] = json.loads(self.try_(ref, order).model_dump_json())
        return said


@dataclass
class FakeTrier:
    """Somebody who asks a service over HTTP, and is told by the test what is answered."""

    said: list[CheckSaid] = field(default_factory=list)
    begun: list[Load] = field(default_factory=list)
    broken: bool = False

    def checks(self, ref: ServiceRef, *, whole: bool) -> Sequence[CheckSaid]:
        if self.broken:
            raise ReadFailed("function trial does not answer")
        return self.said

    def begin(self, load: Load) -> None:
        if self.broken:
            raise ReadFailed("function trial does not answer")
        self.begun.append(load)


@dataclass
class FakeRuns:
    """Trials under load in memory."""

    known: dict[str, Run] = field(default_factory=dict)

    def announce(self, run: Run) -> bool:
        if run.load.id in self.known:
            return False
        self.known[run.load.id] = run
        return True

    def run(self, run_id: str) -> Run | None:
        return self.known.get(run_id)

    def close(self, run: Run) -> None:
        self.known[run.load.id] = run


@dataclass(frozen=True)
class Said:
    """What came back."""

    status: int
    type: str
    text: str
    headers: Mapping[str, str]

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass
class Api:
    """Asks the handler of the function `api`."""

    responder: Responder
    inspector: LocalInspector
    trier: FakeTrier
    runs: FakeRuns

    def get(self, path: str, *, caller: str | None = ANN) -> Said:
        return self.send(event("GET", path, caller=caller))

    def post(self, path: str, body: object = None, *, caller: str | None = ANN) -> Said:
        text = None if body is None else json.dumps(body)
        return self.send(event("POST", path, body=text, content_type="application/json", caller=caller))

    def curl(self, line: str) -> Said:
        """What a command line of curl sends."""
        return self.send(curled(line))

    def send(self, request: Mapping[str, Any]) -> Said:
        answered = api.handler(dict(request), context("api"))
        assert isinstance(json.dumps(answered), str)
        headers = {name.lower(): str(value) for name, value in answered["headers"].items()}
        said = Said(int(answered["statusCode"]), headers["content-type"], answered["body"], headers)
        if said.status >= 400:
            assert said.type == "application/problem+json"
            assert said.body["status"] == said.status
        return said


@contextmanager
def serving(
    responder: Responder, monkeypatch: pytest.MonkeyPatch, *, playbooks: Sequence[Playbook] | None = None
) -> Iterator[Api]:
    """The API of this responder, until the block ends."""
    known = [responder.playbook] if playbooks is None else list(playbooks)
    by_service = {playbook.ref.key: playbook for playbook in known}
    ledger, clock, readers = responder.ledger, responder.clock, responder.world.readers
    examiner = Examiner(
        ledger=ledger,
        readers=readers,
        clock=clock,
        probes=PROBES,
        actions=ACTIONS,
        fleet_actions_per_hour=FLEET_LIMIT,
        contain_deployed=responder.contain_deployed,
    )
    inspector = LocalInspector(
        Inspect(ledger=ledger, readers=readers, clock=clock, probes=PROBES, playbooks=by_service),
        TryOrder(ledger=ledger, examiner=examiner, clock=clock, playbooks=by_service),
    )
    trier, runs = FakeTrier(), FakeRuns()
    records = Records(ledger=ledger, clock=clock, playbooks=known)
    give = GiveOrder(ledger=ledger, executions=responder.executions, now=clock.now, playbooks=by_service)
    built = {
        "records": records,
        "inquire": Inquire(inspector=inspector, records=records, playbooks=known),
        "order_by_hand": OrderByHand(inspector=inspector, give=give, ledger=ledger, playbooks=known),
        "answer_people": AnswerPeople(take=responder.take_answer),
        "switch_everything": SwitchEverything(ledger=ledger, now=clock.now),
        "trying": Try(trier=trier, inspector=inspector, runs=runs, ledger=ledger, clock=clock, playbooks=known),
    }
    with monkeypatch.context() as patched:
        for name, made in built.items():
            patched.setitem(bootstrap._built, name, made)
        yield Api(responder, inspector, trier, runs)


def event(
    method: str,
    url: str,
    *,
    body: str | None = None,
    content_type: str | None = None,
    caller: str | None = ANN,
    base64_encoded: bool = False,
) -> dict[str, Any]:
    """An event of an HTTP API, payload format 2.0 (API Gateway Developer Guide, "Create AWS Lambda proxy integrations
    for HTTP APIs")."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    authorizer = {} if caller is None else {"authorizer": {"iam": {"accessKey": "AKIA", "userArn": caller}}}
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} /{{proxy+}}",
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": {"host": "api.example.com", **({} if content_type is None else {"content-type": content_type})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example.com",
            "http": {
                "method": method,
                "path": parts.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "198.51.100.7",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "request-1",
            "routeKey": f"{method} /{{proxy+}}",
            "stage": "$default",
            "time": "01/Mar/2026:03:12:00 +0000",
            "timeEpoch": 1772334720000,
            **authorizer,
        },
        "isBase64Encoded": base64_encoded,
    }
    if query:
        made["queryStringParameters"] = query
    if body is not None:
        made["body"] = base64.b64encode(body.encode()).decode() if base64_encoded else body
    return made


def curled(line: str) -> dict[str, Any]:
    """The event that a command line of curl becomes. Without a header for it, a body is sent as a form, which API
    Gateway gives in base64."""
    words = iter(shlex.split(line.replace("\\\n", " ")))
    assert next(words) == "curl"
    method, url, body, headers = None, "", None, {}
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(":")
                headers[name.strip().lower()] = value.strip()
            case "-d":
                body = next(words)
            case "--aws-sigv4" | "--user":
                next(words)
            case _ if not word.startswith("-"):
                url = word
    form = "application/x-www-form-urlencoded"
    kind = headers.get("content-type", None if body is None else form)
    return event(
        method or ("GET" if body is None else "POST"),
        url,
        body=body,
        content_type=kind,
        base64_encoded=kind == form,
    )
