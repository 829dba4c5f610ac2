"""Whatever is asked, the answer is one that the document declares, and nothing is done past a guardrail."""

import base64
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.domain.incidents import Switch
from functions.handlers import api as handler
from functions.handlers.http.app import document
from tests.fakes.api import ANN, Api, event, serving
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.handlers.api.conftest import playbook
from tests.unit.handlers.api.test_orders import broken
from tests.unit.handlers.context import context
from tools.chaos.inputs import HOSTILE, bad_json

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
PATHS = [path.replace("{cluster}", "shop").replace("{service}", "orders") for path in document()["paths"]]
CHECKED = (status_code_conformance, content_type_conformance, response_schema_conformance)


def asked(environ: dict[str, Any]) -> dict[str, Any]:
    """The event of a request as WSGI tells it."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode("utf-8", "replace")
    url = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    query = environ.get("QUERY_STRING", "")
    made = event(environ["REQUEST_METHOD"], "/", body=body or None, content_type=environ.get("CONTENT_TYPE"))
    pairs = event("GET", f"/?{query}").get("queryStringParameters")
    key = environ.get("HTTP_IDEMPOTENCY_KEY")
    headers = made["headers"] | ({} if key is None else {"idempotency-key": key})
    return made | {"rawPath": url, "queryStringParameters": pairs, "headers": headers}


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The API as a WSGI application."""
    request = asked(environ)
    request["requestContext"]["http"]["path"] = request["rawPath"]
    said = handler.handler(request, context("api"))
    start_response(f"{int(said['statusCode'])} x", [(name, str(value)) for name, value in said["headers"].items()])
    return [said["body"].encode()]


schema = schemathesis.openapi.from_dict(document())
schema.app = app


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A service in trouble, whose responder a person has paused."""
    responder = broken(Responder(playbook=playbook()))
    until = responder.clock.now().replace(year=2027)
    responder.ledger.set_switch(REF, Switch(paused_until=until, by="bob", reason="a test"))
    with serving(responder, monkeypatch) as made:
        yield made


@pytest.mark.long
@schema.parametrize()
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_document_declares(case: schemathesis.Case[Any], guarded: Api) -> None:
    """Its status, its content type and its shape; never a 5xx but 503. A guardrail that says no is obeyed."""
    answered = case.call_and_validate(checks=list(CHECKED))
    assert answered.status_code < 500 or answered.status_code == 503
    assert guarded.responder.world.changes == []
    assert not guarded.responder.ledger.open_incidents()


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(METHODS),
    path=st.one_of(st.sampled_from(PATHS), st.text(max_size=60).map(lambda text: f"/{text}")),
    query=st.dictionaries(
        st.sampled_from(["service", "severity", "limit", "since", "q", "fact"]), st.text(max_size=20)
    ),
    body=st.one_of(st.none(), st.text(max_size=80), st.sampled_from(['{"dry_run": false}', '{"target_count": 9}'])),
    encoded=st.booleans(),
    caller=st.sampled_from([None, ANN]),
)
def test_no_request_breaks_it_or_gets_past_a_guardrail(
    guarded: Api,
    method: str,
    path: str,
    query: dict[str, str],
    body: str | None,
    encoded: bool,
    caller: str | None,
) -> None:
    """Any method, path, query and body, signed or not."""
    request = event(method, "/", body=body, caller=caller)
    request |= {"rawPath": path, "queryStringParameters": query or None, "isBase64Encoded": encoded}
    request["requestContext"]["http"]["path"] = path
    said = guarded.send(request)
    assert said.status in (200, 202, 400, 403, 404, 405, 409, 422, 503)
    assert said.status == 403 or caller is not None
    assert guarded.responder.world.changes == []
    assert not guarded.responder.ledger.open_incidents()


BODIES = (
    {"reason": "a drill", "dry_run": False, "snapshot_id": "orders:1"},
    {"reason": "a drill", "dry_run": False, "target_count": 9},
    {"reason": "a drill", "cluster_name": "shop", "service_name": "orders", "target_count": 9, "dry_run": False},
    {"answer": "granted", "reason": "fine"},
)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(min_value=0),
    path=st.sampled_from(PATHS),
    body=st.sampled_from(BODIES),
    part=st.sampled_from(HOSTILE),
    sent=st.sampled_from(["as it is", "in base64", "said to be base64"]),
    key=st.none() | st.sampled_from(HOSTILE),
)
def test_no_bad_body_breaks_it_or_gets_past_a_guardrail(
    guarded: Api, seed: int, path: str, body: dict[str, object], part: str, sent: str, key: str | None
) -> None:
    """Bodies of our own shape with something wrong in them, hostile names in paths, and keys that are none."""
    text = bad_json(Random(seed), body)
    if sent == "in base64":
        text = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
    request = event("POST", "/", body=text, content_type="application/json")
    filled = path.replace("{", part.replace("/", "")).replace("}", "")
    request |= {"rawPath": filled, "isBase64Encoded": sent != "as it is"}
    request["requestContext"]["http"]["path"] = filled
    request["headers"] |= {} if key is None else {"idempotency-key": key}
    said = guarded.send(request)
    assert said.status in (200, 202, 400, 403, 404, 405, 409, 422, 503)
    assert len(said.text) < 64 * 1024
    assert guarded.responder.world.changes == []
    assert not guarded.responder.ledger.open_incidents()
