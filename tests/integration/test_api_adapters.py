"""What the HTTP API reaches: other functions of the responder, trials in the archive, and a service under load."""

import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.adapters.functions import ReadingFunction, TryingFunction
from functions.adapters.http import HttpGetter
from functions.adapters.loader import HttpLoader
from functions.adapters.runs import PLACE, S3Runs
from functions.domain.errors import ReadFailed
from functions.domain.orders import Order, Ordered
from functions.domain.trials import MOST_EACH_PER_S, Load, Run, RunState, measured, run_id
from tests.fakes.aws import FakeAws, refusal
from tests.fakes.findings import findings
from tests.fakes.world import REF

AT = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
ORDER = Order(what=Ordered.ROLL_BACK, by="ann", reason="errors")


def load(url: str = "https://shop.example.com/", *, concurrent: int = 2, seconds: int = 1) -> Load:
    return Load(
        id=run_id(REF, AT), service=REF, url=url, concurrent=concurrent, seconds=seconds, by="arn:aws:x", asked_at=AT
    )


def answering(body: object, **more: Any) -> FakeAws:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FakeAws(Invoke={"StatusCode": 200, "Payload": io.BytesIO(raw), **more})


class TestReadingFunction:
    def test_findings_come_back_as_they_were_found(self) -> None:
        """As JSON on the way, and the same afterwards."""
        found = findings()
        aws = answering(found.to_json())
        assert ReadingFunction(aws.client("lambda"), function="read").inspect(REF, ["service"]) == found
        ((_, sent),) = aws.calls
        assert json.loads(sent["Payload"]) == {"service": REF.key, "probes": ["service"]}

    def test_what_would_become_of_an_order_is_asked(self) -> None:
        """The order goes over whole."""
        aws = answering({"state": "allowed"})
        said = ReadingFunction(aws.client("lambda"), function="read").reply(REF, ORDER)
        ((_, sent),) = aws.calls
        assert (said, json.loads(sent["Payload"])["order"]["what"]) == ({"state": "allowed"}, "roll-back")

    @pytest.mark.parametrize(
        "aws",
        [
            answering({"errorMessage": "x"}, FunctionError="Unhandled"),
            answering(b"not json"),
            answering([]),
            answering({"service": 7}),
            FakeAws(Invoke=refusal("TooManyRequestsException")),
        ],
    )
    def test_an_answer_that_is_none_is_no_evidence(self, aws: FakeAws) -> None:
        """A function that fails has found nothing."""
        with pytest.raises(ReadFailed):
            ReadingFunction(aws.client("lambda"), function="read").inspect(REF)


class TestTryingFunction:
    def test_checks_come_back(self) -> None:
        """In the order in which the playbook has them."""
        aws = answering({"checks": [{"check": "a", "demands": "x", "passed": True}]})
        (said,) = TryingFunction(aws.client("lambda"), function="trial").checks(REF, whole=True)
        assert (said.check, said.passed) == ("a", True)

    @pytest.mark.parametrize("body", [{}, {"checks": 7}, {"checks": [{}]}])
    def test_what_is_no_list_of_checks_is_none(self, body: object) -> None:
        """And nothing has passed."""
        with pytest.raises(ReadFailed):
            TryingFunction(answering(body).client("lambda"), function="trial").checks(REF, whole=True)

    def test_nobody_waits_for_load(self) -> None:
        """The function is called as an event."""
        aws = answering(b"")
        TryingFunction(aws.client("lambda"), function="trial").begin(load())
        ((_, sent),) = aws.calls
        assert (sent["InvocationType"], json.loads(sent["Payload"])["load"]["id"]) == ("Event", run_id(REF, AT))


@mock_aws
def test_a_trial_is_announced_once_and_closed() -> None:
    """Whoever comes second is told no, and what it found takes the place of the announcement."""
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="archive")
    runs = S3Runs(client, bucket="archive")
    begun = Run(load=load(), state=RunState.RUNNING)
    assert runs.run(begun.load.id) is None
    assert runs.announce(begun)
    assert not runs.announce(begun)
    assert runs.run(begun.load.id) == begun
    done = begun.model_copy(update={"state": RunState.DONE, "measured": measured([])})
    runs.close(done)
    assert runs.run(begun.load.id) == done
    assert [each["Key"] for each in client.list_objects_v2(Bucket="archive")["Contents"]] == [
        f"{PLACE}{begun.load.id}.json"
    ]


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_a_trial_that_is_not_there_may_look_forbidden(code: str) -> None:
    """S3 tells nobody what is missing who may not list."""
    aws = FakeAws(GetObject=refusal(code))
    assert S3Runs(aws.client("s3"), bucket="archive").run("run-1") is None


def test_a_bucket_that_does_not_answer_is_no_missing_trial() -> None:
    """It may be there."""
    with pytest.raises(ReadFailed):
        S3Runs(FakeAws(GetObject=refusal("SlowDown")).client("s3"), bucket="archive").run("run-1")


class _Counting(BaseHTTPRequestHandler):
    """Answers, and counts how many it answers at once."""

    lock = threading.Lock()
    statuses: tuple[int, ...] = (200,)
    seen, most, now = 0, 0, 0

    def do_GET(self) -> None:
        kind = type(self)
        with kind.lock:
            kind.seen, kind.now = kind.seen + 1, kind.now + 1
            kind.most = max(kind.most, kind.now)
            status = kind.statuses[kind.seen % len(kind.statuses)]
        self.send_response(status)
        self.send_header("Location", "http://elsewhere.example.com/")
        self.end_headers()
        with kind.lock:
            kind.now -= 1

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def served() -> Iterator[tuple[str, type[_Counting]]]:
    handler = type("Counting", (_Counting,), {"lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}/", handler
    server.shutdown()
    serving.join()
    server.server_close()


def test_no_more_requests_than_were_ordered(served: tuple[str, type[_Counting]]) -> None:
    """Side by side and in a second; each answer is counted, and redirects are not followed."""
    url, handler = served
    handler.statuses = (200, 302, 500)
    samples = HttpLoader(HttpGetter(), threads=ThreadPoolExecutor).make(load(url, concurrent=3, seconds=1))
    assert len(samples) == handler.seen
    assert 3 <= len(samples) <= 3 * (MOST_EACH_PER_S + 1)
    assert handler.most <= 3
    told = measured(samples)
    assert set(told.statuses) == {"200", "302", "500"}
    assert told.failed == told.statuses["500"]


def test_nobody_at_home_is_an_error_and_no_crash() -> None:
    """Every request that got no answer failed."""
    samples = HttpLoader(HttpGetter(), threads=ThreadPoolExecutor).make(load("http://127.0.0.1:9/", seconds=1))
    told = measured(samples)
    assert (told.failed, told.error_rate) == (told.requests, 100.0)
    assert told.errors
