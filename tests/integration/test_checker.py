"""Synthetic checks against a server that answers: over TLS, with a certificate made for these tests."""

import base64
import hashlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.adapters import check_metrics, secret_values
from functions.adapters.check_metrics import CloudWatchCheckMetrics
from functions.adapters.checker import MOST_BYTES, HttpChecker
from functions.adapters.secret_values import AwsSecretValues
from functions.diagnostics.synthetic import finding
from functions.domain.errors import ReadFailed
from functions.domain.synthetic import CheckAnswer, SyntheticCheck
from functions.handlers import check as handler
from functions.playbooks.schema import Playbook
from functions.workflow.checks import RunChecks
from tests.fakes.aws import FakeAws, refusal
from tests.fakes.certificates import Certificate, make_certificate
from tests.fakes.clock import FakeClock
from tests.unit.handlers.context import context

SECRET = "k3epThisT0Yourself"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Headers = Mapping[str, str]
Answer = Callable[[socket.socket, str, Headers], None]
"""What a path does: with the connection, the request line and the headers, names in small letters."""


class Server:
    """Answers on a port of this machine, a thread for each connection, as it is told by path."""

    def __init__(self, *, context: ssl.SSLContext | None, host: str = "127.0.0.1") -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, Headers]] = []
        """Path and headers of every request, in order."""
        self._context = context
        self._listening = socket.create_server((host, 0))
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def close(self) -> None:
        # A listening socket that is closed does not wake whoever waits for a connection on it.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._connections:
            connection.close()
        self._accepting.join(timeout=15)
        self.wait()

    def wait(self) -> None:
        """Until every connection so far is at its end."""
        for thread in self._threads:
            thread.join(timeout=15)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                lines = self._head(connection)
                if lines:
                    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
                    path = lines[0].split(" ")[1]
                    self.asked.append((path, headers))
                    self.answers[path.partition("?")[0]](connection, lines[0], headers)
        except OSError:
            """Whoever asked went away, which some of them are meant to."""

    def _head(self, connection: socket.socket) -> list[str]:
        received = b""
        while b"\r\n\r\n" not in received:
            more = connection.recv(4096)
            if not more:
                return []
            received += more
        return received.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    """A plain answer."""

    def answer(connection: socket.socket, line: str, asked: Headers) -> None:
        head = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)

    return answer


def sends(*parts: bytes, every_s: float = 0.0) -> Answer:
    """These bytes, part by part."""

    def answer(connection: socket.socket, line: str, asked: Headers) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(every_s)

    return answer


def upgrades(**changed: str | None) -> Answer:
    """An opening of a WebSocket as RFC 6455 has it, except for these headers."""

    def answer(connection: socket.socket, line: str, asked: Headers) -> None:
        accept = base64.b64encode(hashlib.sha1(f"{asked['sec-websocket-key']}{GUID}".encode()).digest()).decode()
        right = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Accept": accept}
        headers = {name: value for name, value in {**right, **changed}.items() if value is not None}
        head = ["HTTP/1.1 101 Switching Protocols", *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items())]
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        connection.recv(100)

    return answer


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(certificate: Certificate) -> Iterator[Server]:
    running = Server(context=certificate.serving)
    yield running
    running.close()


@pytest.fixture
def checker(certificate: Certificate) -> HttpChecker:
    return HttpChecker(trust=certificate.trusting)


def check(server: Server, path: str = "/health", **said: Any) -> SyntheticCheck:
    return SyntheticCheck.model_validate({"check": "up", "url": f"https://127.0.0.1:{server.port}{path}", **said})


def found(checker: HttpChecker, asked: SyntheticCheck, headers: Headers | None = None) -> str:
    return finding(asked, checker.ask(asked, headers=headers or {}))


POOLS = json.dumps({"pools": {"unhealthy": 2, "healthy": 3}, "state": "degraded"}).encode()


class TestAnswers:
    def test_the_answer_that_is_expected(self, server: Server, checker: HttpChecker) -> None:
        """The status alone is enough where nothing else is demanded; the query travels with the path."""
        server.answers["/health"] = says(200)
        assert checker.ask(check(server, "/health?deep=1"), headers={}) == CheckAnswer(status=200)
        assert server.asked[0][0] == "/health?deep=1"
        assert server.asked[0][1]["host"] == f"127.0.0.1:{server.port}"

    def test_another_status(self, server: Server, checker: HttpChecker) -> None:
        """A status that was not expected is a failure, whichever it is."""
        server.answers["/health"] = says(503)
        assert found(checker, check(server)) == "answered 503 instead of 200"
        assert found(checker, check(server, status=503)) == ""

    @pytest.mark.parametrize(
        ("limit", "says_so"),
        [
            ({"field": "pools.unhealthy", "above": 0}, "pools.unhealthy is 2, above 0"),
            ({"field": "pools.unhealthy", "above": 2}, ""),
            ({"field": "pools.healthy", "below": 4}, "pools.healthy is 3, below 4"),
            ({"field": "pools.healthy", "below": 3}, ""),
            ({"field": "state", "other_than": "healthy"}, "state is 'degraded', not 'healthy'"),
            ({"field": "state", "other_than": "degraded"}, ""),
            ({"field": "pools.broken", "above": 0}, "pools.broken is not in the answer"),
        ],
    )
    def test_a_field_and_its_limit(self, limit: Any, says_so: str, server: Server, checker: HttpChecker) -> None:
        """The limit is the failure; a field that is not there is one, too."""
        server.answers["/health"] = says(200, POOLS)
        assert found(checker, check(server, json=limit)) == says_so

    def test_an_answer_in_chunks(self, server: Server, checker: HttpChecker) -> None:
        """However the body is sent."""
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (POOLS[:7], POOLS[7:])) + b"0\r\n\r\n"
        server.answers["/health"] = sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks)
        assert (
            found(checker, check(server, json={"field": "pools.healthy", "below": 4})) == "pools.healthy is 3, below 4"
        )

    @pytest.mark.parametrize("chunk", [b"-5\r\n", b"zz\r\n", b"\r\n", b"ffffffffffffffff\r\nx"])
    def test_chunks_that_are_none(self, chunk: bytes, server: Server, checker: HttpChecker) -> None:
        """Whatever a server sends fails its own check and no other."""
        server.answers["/health"] = sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk)
        asked = check(server, json={"field": "@", "above": 0})
        assert found(checker, asked).startswith("answered something else than HTTP")

    def test_a_body_that_is_cut(self, server: Server, checker: HttpChecker) -> None:
        """Half an answer is none."""
        server.answers["/health"] = sends(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", POOLS[:20])
        assert found(checker, check(server, json={"field": "pools.healthy", "below": 1})) != ""

    @pytest.mark.parametrize("declared", [True, False])
    def test_a_body_that_is_too_large(self, declared: bool, server: Server, checker: HttpChecker) -> None:
        """No more is read than a check may hold, whether the server says its length or not."""
        body = json.dumps({"ok": True, "filler": "x" * MOST_BYTES}).encode()
        length = b"Content-Length: %d\r\n" % len(body) if declared else b""
        server.answers["/health"] = sends(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n", body)
        limit = {"field": "ok", "other_than": True}
        assert found(checker, check(server, json=limit)) == "answered with more than 256 KB"

    def test_a_body_that_nobody_asked_for_is_not_read(self, server: Server, checker: HttpChecker) -> None:
        """The status is known before the body ends."""
        server.answers["/health"] = sends(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", *[b"x"] * 8, every_s=0.5)
        began = time.monotonic()
        assert found(checker, check(server, timeout=10)) == ""
        assert time.monotonic() - began < 3, "the body takes four seconds"

    def test_a_redirect_is_an_answer(self, server: Server, checker: HttpChecker) -> None:
        """It is not followed: a sign-in page that answers 200 is no healthy service."""
        server.answers["/health"] = says(302, Location=f"https://127.0.0.1:{server.port}/elsewhere")
        server.answers["/elsewhere"] = says(200)
        assert found(checker, check(server)) == "answered 302 instead of 200"
        assert [path for path, _ in server.asked] == ["/health"]


class TestNoAnswer:
    @pytest.mark.parametrize(
        "slow",
        [
            sends(b"", b"", every_s=2.5),
            sends(*(bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), every_s=0.2),
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", *[b"[" for _ in range(50)], every_s=0.2),
        ],
        ids=["nothing", "a byte at a time", "a body a byte at a time"],
    )
    def test_one_deadline_for_all_of_it(self, slow: Answer, server: Server, checker: HttpChecker) -> None:
        """A server that sends little by little keeps nobody beyond the time-out."""
        server.answers["/health"] = slow
        began = time.monotonic()
        said = found(checker, check(server, timeout=1, json={"field": "@", "above": 0}))
        assert said == "no whole answer within 1 s"
        assert time.monotonic() - began < 3.5, "all of it takes longer than that"

    def test_a_server_that_says_nothing_to_tls(self, checker: HttpChecker) -> None:
        """The handshake is a part of the time-out."""
        silent = socket.create_server(("127.0.0.1", 0))
        with silent:
            asked = SyntheticCheck(check="up", url=f"https://127.0.0.1:{silent.getsockname()[1]}/", timeout=1)
            assert found(checker, asked) == "no whole answer within 1 s"

    def test_nobody_listens(self, checker: HttpChecker) -> None:
        """A refused connection is a failure like any other."""
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            asked = SyntheticCheck(check="up", url=f"https://127.0.0.1:{bound.getsockname()[1]}/")
            assert found(checker, asked).startswith("ConnectionRefusedError: ")

    def test_a_certificate_that_nobody_trusts(self, server: Server) -> None:
        """Users would not get in either."""
        server.answers["/health"] = says(200)
        assert "certificate verify failed" in found(HttpChecker(), check(server))
        assert server.asked == []

    def test_a_certificate_of_another_name(self, certificate: Certificate, checker: HttpChecker) -> None:
        """It is held against the name in the URL."""
        other = Server(context=certificate.serving, host="127.0.0.2")
        try:
            asked = SyntheticCheck(check="up", url=f"https://127.0.0.2:{other.port}/")
            assert "certificate is not valid for '127.0.0.2'" in found(checker, asked)
        finally:
            other.close()

    @pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"", b"HTTP/1.1 abc\r\n\r\n"])
    def test_something_else_than_http(self, garbage: bytes, server: Server, checker: HttpChecker) -> None:
        """Whatever it is, it is no answer."""
        server.answers["/health"] = sends(garbage)
        assert found(checker, check(server)) != ""

    def test_a_name_that_does_not_exist(self, checker: HttpChecker, monkeypatch: pytest.MonkeyPatch) -> None:
        """It exists for no user either; but a resolver that does not answer says nothing of the service."""
        asked = SyntheticCheck(check="up", url="https://shop.invalid/")

        def unknown(number: int) -> Callable[..., Any]:
            def look_up(*_: object, **__: object) -> Any:
                raise socket.gaierror(number, "whatever")

            return look_up

        monkeypatch.setattr(socket, "getaddrinfo", unknown(socket.EAI_NONAME))
        assert found(checker, asked) == "shop.invalid has no address"
        monkeypatch.setattr(socket, "getaddrinfo", unknown(socket.EAI_AGAIN))
        with pytest.raises(ReadFailed, match=r"shop\.invalid cannot be looked up"):
            checker.ask(asked, headers={})

    def test_the_second_address_is_tried(
        self, server: Server, checker: HttpChecker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a browser would, where a name has several."""
        server.answers["/health"] = says(200)
        nobody = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.3", 1))
        somebody = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [nobody, somebody])
        assert found(checker, check(server)) == ""


class TestWebSockets:
    def test_an_opening(self, server: Server, checker: HttpChecker) -> None:
        """The handshake is the one of RFC 6455, with a key of its own each time, and the socket is closed again."""
        closed: list[bytes] = []

        def opens(connection: socket.socket, line: str, asked: Headers) -> None:
            upgrades()(_Noting(connection, closed), line, asked)  # type: ignore[arg-type]

        server.answers["/stream"] = opens
        for _ in range(2):
            assert found(checker, check(server, "/stream", websocket=True)) == ""
        server.wait()
        (_, first), (_, second) = server.asked
        assert (first["upgrade"], first["connection"], first["sec-websocket-version"]) == ("websocket", "Upgrade", "13")
        assert len(base64.b64decode(first["sec-websocket-key"])) == 16
        assert first["sec-websocket-key"] != second["sec-websocket-key"]
        assert [frame[:2] for frame in closed] == [b"\x88\x80"] * 2
        assert all(len(frame) == 6 for frame in closed)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"Sec_WebSocket_Accept": base64.b64encode(b"0" * 20).decode()},
            {"Sec_WebSocket_Accept": None},
            {"Upgrade": None},
            {"Upgrade": "h2c"},
            {"Connection": "close"},
            {"Sec_WebSocket_Extensions": "permessage-deflate"},
            {"Sec_WebSocket_Protocol": "chat"},
        ],
        ids=str,
    )
    def test_a_101_that_opens_nothing(self, wrong: dict[str, str | None], server: Server, checker: HttpChecker) -> None:
        """The status alone proves nothing: a proxy may have made it."""
        server.answers["/stream"] = upgrades(**wrong)
        assert found(checker, check(server, "/stream", websocket=True)) == (
            "answered 101, but opened no WebSocket as RFC 6455 wants it"
        )

    def test_no_101_at_all(self, server: Server, checker: HttpChecker) -> None:
        """A load balancer that lost its WebSockets answers like any page."""
        server.answers["/stream"] = says(200)
        assert found(checker, check(server, "/stream", websocket=True)) == "answered 200 instead of 101"


class _Noting:
    """A connection that notes what it receives."""

    def __init__(self, connection: socket.socket, received: list[bytes]) -> None:
        self._connection, self._received = connection, received

    def sendall(self, data: bytes) -> None:
        self._connection.sendall(data)

    def recv(self, most: int) -> bytes:
        self._received.append(self._connection.recv(most))
        return self._received[-1]


def playbook(*alarms: dict[str, Any]) -> Playbook:
    return Playbook.model_validate(
        {"region": "eu-west-1", "cluster": "shop", "service": "orders", "alarms": list(alarms)}
    )


def reads_secrets(said: object = SECRET) -> FakeAws:
    answer = {"SecretString": said} if isinstance(said, str) else said
    return FakeAws(GetSecretValue=answer, PutMetricData={})  # type: ignore[arg-type]


def rounds(aws: FakeAws, checker: HttpChecker, *alarms: dict[str, Any], deadline_s: float = 20) -> RunChecks:
    return RunChecks(
        caller=checker,
        secrets=AwsSecretValues(aws.client("secretsmanager")),
        metrics=CloudWatchCheckMetrics(aws.client("cloudwatch")),
        clock=FakeClock(),
        playbooks=[playbook(*alarms)],
        threads=ThreadPoolExecutor,
        deadline_s=deadline_s,
    )


def values(aws: FakeAws) -> dict[str, float]:
    """What was published, by the name of the check."""
    return {
        datum["Dimensions"][2]["Value"]: datum["Value"]
        for action, parameters in aws.calls
        if action == "cloudwatch:PutMetricData"
        for datum in parameters["MetricData"]
    }


class TestRounds:
    def url(self, server: Server, path: str) -> str:
        return f"https://127.0.0.1:{server.port}{path}"

    def test_one_metric_for_each(self, server: Server, checker: HttpChecker) -> None:
        """1 where it failed, 0 where it was fine, in the namespace of the checks, by cluster, service and check."""
        server.answers |= {"/good": says(200), "/bad": says(500)}
        aws = reads_secrets()
        made = rounds(
            aws,
            checker,
            {"check": "good", "url": self.url(server, "/good")},
            {"check": "bad", "url": self.url(server, "/bad")},
        )()
        assert (made.fine, made.failed, made.not_made) == (
            1, {"shop/orders bad": "answered 500 instead of 200"}, {},
        )  # fmt: skip
        assert values(aws) == {"good": 0.0, "bad": 1.0}
        (parameters,) = (parameters for _, parameters in aws.calls)
        assert parameters["Namespace"] == "EcsFirstResponder/Checks"
        assert parameters["MetricData"][0]["Dimensions"][:2] == [
            {"Name": "ClusterName", "Value": "shop"},
            {"Name": "ServiceName", "Value": "orders"},
        ]
        assert aws.actions == set(check_metrics.CALLS)

    def test_a_slow_one_delays_no_other(self, server: Server, checker: HttpChecker) -> None:
        """Eight slow checks take as long as one."""
        server.answers |= {"/slow": sends(b"", every_s=3), "/good": says(200)}
        slow = [{"check": f"slow-{n}", "url": self.url(server, "/slow"), "timeout": "1s"} for n in range(8)]
        aws = reads_secrets()
        began = time.monotonic()
        made = rounds(aws, checker, *slow, {"check": "good", "url": self.url(server, "/good")})()
        assert time.monotonic() - began < 5, "one after the other takes eight seconds"
        assert (made.fine, len(made.failed)) == (1, 8)

    @pytest.mark.parametrize(
        ("stored", "key"), [(SECRET, None), (f"{SECRET}\n", None), (json.dumps({"token": SECRET, "n": 1}), "token")]
    )
    def test_the_header_arrives(self, stored: str, key: str | None, server: Server, checker: HttpChecker) -> None:
        """With its prefix, whether the secret is a text, ends in a line break, or is one value of several."""
        server.answers["/cron"] = says(200)
        aws = reads_secrets(stored)
        header = {"name": "Authorization", "secret": "orders/cron", "key": key, "prefix": "Bearer "}
        made = rounds(aws, checker, {"check": "cron", "url": self.url(server, "/cron"), "header": header})()
        assert made.fine == 1
        assert server.asked[0][1]["authorization"] == f"Bearer {SECRET}"
        assert aws.actions == {*check_metrics.CALLS, *secret_values.CALLS}

    @pytest.mark.parametrize(
        "answer",
        [
            says(401, SECRET.encode(), WWW_Authenticate=SECRET),
            says(200, json.dumps({"state": f"you sent {SECRET}"}).encode()),
            says(200, json.dumps({"state": SECRET * 30}).encode()),
            says(200, SECRET.encode()),
            sends(f"{SECRET}\r\n\r\n".encode()),
            sends(f"HTTP/1.1 200 {SECRET}\r\nContent-Length: {SECRET}\r\n\r\n".encode()),
            sends(b"", every_s=2),
        ],
        ids=["refused", "echoed", "echoed at length", "no JSON", "no HTTP", "no length", "slow"],
    )
    def test_the_secret_is_never_told(
        self,
        answer: Answer,
        server: Server,
        checker: HttpChecker,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Whatever a server makes of it, it is in no log, no metric and no result."""
        server.answers["/cron"] = answer
        aws = reads_secrets()
        alarm = {
            "check": "cron",
            "url": self.url(server, "/cron"),
            "json": {"field": "state", "other_than": "healthy"},
            "header": {"name": "X-Key", "secret": "orders/cron"},
            "timeout": "1s",
        }
        monkeypatch.setattr(bootstrap, "run_checks", lambda: rounds(aws, checker, alarm))
        said = handler.handler({}, a_context())
        assert said["failed"].keys() == {"shop/orders cron"}
        told = "".join([*logged(caplog), *capsys.readouterr(), json.dumps(said), str(aws.calls)])
        assert SECRET[:8] not in told
        assert "shop/orders cron" in told

    @pytest.mark.parametrize(
        "stored",
        [
            refusal("AccessDeniedException", "no kms:Decrypt"),
            {"SecretBinary": b"x"},
            json.dumps({"token": " "}),
            "{",
            json.dumps({"other": SECRET}),
            json.dumps({"token": 4711}),
            json.dumps({"token": f"two\n{SECRET}"}),
            json.dumps({"token": f"ü{SECRET}"}),
        ],
        ids=str,
    )
    def test_a_secret_that_cannot_be_had_is_our_own_trouble(
        self,
        stored: object,
        server: Server,
        checker: HttpChecker,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Nothing is asked and nothing is published, the log says what to do, and the other checks are made."""
        server.answers["/good"] = says(200)
        aws = reads_secrets(stored)
        cron = {
            "check": "cron",
            "url": self.url(server, "/cron"),
            "header": {"name": "X-Key", "secret": "orders/cron", "key": "token"},
        }
        good = {"check": "good", "url": self.url(server, "/good")}
        monkeypatch.setattr(bootstrap, "run_checks", lambda: rounds(aws, checker, cron, good))
        said = handler.handler({}, a_context())
        assert values(aws) == {"good": 0.0}
        assert [path for path, _ in server.asked] == ["/good"]
        assert said["not_made"]["shop/orders cron"].startswith("secret orders/cron")
        (error,) = (record.__dict__ for record in caplog.records if record.levelname == "ERROR")
        assert (error["message"], error["check"]) == ("check not made", "shop/orders cron")
        assert "docs/iam.md" in error["reason"]
        counted = capsys.readouterr().out
        assert SECRET not in "".join([*logged(caplog), counted])
        assert '"ChecksNotMade"' in counted

    def test_what_does_not_end_is_our_own_trouble(self, server: Server, checker: HttpChecker) -> None:
        """Nobody knows then whether the service would have answered."""
        server.answers |= {"/slow": sends(b"", every_s=1), "/good": says(200)}
        aws = reads_secrets()
        slow = {"check": "slow", "url": self.url(server, "/slow"), "timeout": "2s"}
        good = {"check": "good", "url": self.url(server, "/good")}
        made = rounds(aws, checker, slow, good, deadline_s=0.5)()
        assert values(aws) == {"good": 0.0}
        assert made.not_made == {"shop/orders slow": "no end within 0.5 s; make fewer checks, or shorten their timeout"}

    def test_metrics_that_are_not_taken(self, server: Server, checker: HttpChecker) -> None:
        """The function fails then, and its own alarm tells."""
        server.answers["/good"] = says(200)
        aws = FakeAws(PutMetricData=refusal("AccessDenied"))
        with pytest.raises(ReadFailed, match="metrics of the checks"):
            rounds(aws, checker, {"check": "good", "url": self.url(server, "/good")})()


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Everything that every log line has, its fields included."""
    assert caplog.records
    return [str(record.__dict__) for record in caplog.records]


def a_context() -> LambdaContext:
    return context("check")


def test_plain_http_on_this_machine() -> None:
    """For an emulator, and for nothing else."""
    running = Server(context=None)
    try:
        running.answers["/health"] = says(200)
        asked = SyntheticCheck(check="up", url=f"http://localhost:{running.port}/health")
        assert found(HttpChecker(), asked) == ""
    finally:
        running.close()
