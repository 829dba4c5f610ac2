"""Reading databases, URLs, and the metrics of whatever a playbook names."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from functions.adapters.cloudwatch import CloudWatchReader
from functions.adapters.http import HttpGetter
from functions.adapters.rds import RdsReader
from functions.domain.errors import ReadFailed
from functions.ports import Measure
from tests.fakes.aws import FakeAws, Reply, refusal
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 3, 1, 3, 12, 30, tzinfo=UTC)
INSTANCE = {"DBInstanceIdentifier": "orders-db", "DBInstanceStatus": "available", "DbiResourceId": "db-ABC"}
TOP = {"Keys": [{"Dimensions": {"db.sql_tokenized.statement": "SELECT * FROM orders WHERE id = ?"}, "Total": 3.5}]}


def reader(database: Reply, insights: Reply | None = None) -> RdsReader:
    aws = FakeAws(DescribeDBInstances=database, DescribeDimensionKeys=insights or {})
    return RdsReader(aws.client("rds"), insights=aws.client("pi"), clock=FakeClock())


class TestDatabases:
    def test_status(self) -> None:
        """The status as RDS has it; without Performance Insights nothing is said of what loads it."""
        facts = reader({"DBInstances": [INSTANCE]}, TOP).database("orders-db")
        assert facts is not None
        assert (facts.status, facts.top_queries) == ("available", ())

    def test_what_loads_it(self) -> None:
        """With Performance Insights the heaviest statements are named, without their literals."""
        facts = reader({"DBInstances": [{**INSTANCE, "PerformanceInsightsEnabled": True}]}, TOP).database("orders-db")
        assert facts is not None
        assert facts.top_queries == ("3.50 sessions: SELECT * FROM orders WHERE id = ?",)

    def test_insights_are_for_people_only(self) -> None:
        """A refusal of Performance Insights leaves the status as it is."""
        enabled = {"DBInstances": [{**INSTANCE, "PerformanceInsightsEnabled": True}]}
        facts = reader(enabled, refusal("NotAuthorizedException")).database("orders-db")
        assert facts is not None
        assert (facts.status, facts.top_queries) == ("available", ())

    def test_no_such_database(self) -> None:
        """What RDS does not know is no failure to read, and is not fine either."""
        assert reader(refusal("DBInstanceNotFound")).database("orders-db") is None

    def test_a_refusal_is_no_answer(self) -> None:
        """Without the right to read it nothing is known."""
        with pytest.raises(ReadFailed, match="orders-db"):
            reader(refusal("AccessDenied")).database("orders-db")


class Answering(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/slow":
            time.sleep(1.5)
        self.send_response({"/moved": 302, "/broken": 500}.get(self.path, 200))
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is enough."""


@pytest.fixture
def url() -> Iterator[str]:
    """A server on this machine."""
    Answering.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class TestHttp:
    @pytest.mark.parametrize(
        ("path", "status"), [("/", 200), ("/health?deep=1", 200), ("/moved", 302), ("/broken", 500)]
    )
    def test_the_status_is_the_answer(self, url: str, path: str, status: int) -> None:
        """Of one request; a redirect is an answer like any other, and is not followed."""
        assert HttpGetter().answer(url + path, timeout_s=3).status == status
        assert Answering.asked == [path]

    def test_no_answer_in_time(self, url: str) -> None:
        """It is given up after the time-out."""
        answer = HttpGetter().answer(f"{url}/slow", timeout_s=1)
        assert answer.status is None
        assert answer.seconds < 1.4
        assert answer.error

    def test_nobody_listens(self) -> None:
        """A refused connection is no answer."""
        assert HttpGetter().answer("http://127.0.0.1:9/", timeout_s=1).status is None

    def test_a_name_that_nobody_knows(self) -> None:
        """It says more of where we ask from than of who should answer."""
        with pytest.raises(ReadFailed, match="cannot be looked up"):
            HttpGetter().answer("http://nowhere.invalid/", timeout_s=1)


def test_measures_are_asked_for_together() -> None:
    """One request for all, answered in the order of the measures; a sum over a dimension is a search."""
    at = NOW - timedelta(minutes=1)
    aws = FakeAws(
        GetMetricData={
            "MetricDataResults": [
                {"Id": "m1", "Timestamps": [at], "Values": [2.0], "StatusCode": "Complete"},
                {"Id": "m0", "Timestamps": [at], "Values": [1.0], "StatusCode": "Complete"},
            ]
        }
    )
    client = aws.client("cloudwatch")
    asked: list[dict[str, object]] = []
    client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: asked.append(params)
    )
    measures = [
        Measure(namespace="AWS/DynamoDB", metric="ReadThrottleEvents", dimensions={"TableName": "t"}, statistic="Sum"),
        Measure(
            namespace="AWS/Cognito",
            metric="SignInThrottles",
            dimensions={"UserPool": "eu-west-1_a"},
            statistic="Sum",
            period_s=300,
            summed_over=("UserPoolClient",),
        ),
        Measure(namespace="A", metric="B", dimensions={}, statistic="p99"),
    ]
    points = CloudWatchReader(client, clock=FakeClock()).measured(measures, start=NOW - timedelta(hours=1), end=NOW)
    assert [list(values) for values in points] == [[(at, 1.0)], [(at, 2.0)], []]
    (call,) = asked
    queries = call["MetricDataQueries"]
    assert isinstance(queries, list)
    assert queries[1]["Expression"] == (
        "SUM(SEARCH('{AWS/Cognito,UserPool,UserPoolClient} "
        'MetricName="SignInThrottles" UserPool="eu-west-1_a"\', \'Sum\', 300))'
    )
