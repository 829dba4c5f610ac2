"""Calling endpoints of the application: against a real server, with a certificate made for it."""

import logging
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from functions.adapters.changer import AwsChanger
from functions.adapters.webhooks import ANSWER_BYTES, CALLS, LINE_LIMIT, HttpsWebhooks
from functions.domain.changes import CallWebhook, ChangeResult
from functions.domain.errors import ChangeDoubtful, ChangeFailed, ChangeRefused
from functions.domain.services import ServiceRef
from tests.fakes.aws import FakeAws, refusal
from tests.fakes.certificates import Certificate, make_certificate

TOKEN = "0f9a3c-Tell_Nobody-77e1"
SECRET = "pardon/cron-secret"
ORDERS = ServiceRef(region="eu-west-1", cluster="shop", service="orders")

Answer = Callable[[BaseHTTPRequestHandler], None]


def say(status: int = 200, body: str = "", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body.encode())))
        request.end_headers()
        request.wfile.write(body.encode())

    return answer


@dataclass
class Application:
    """What answers, and what it was asked: method, path, authorisation."""

    url: str
    context: ssl.SSLContext
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    answer: Answer = field(default_factory=say)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def application(certificate: Certificate) -> Iterator[Application]:
    running: Application

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append((self.command, self.path, self.headers.get("Authorization")))
            running.answer(self)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = certificate.serving.wrap_socket(server.socket, server_side=True)
    running = Application(url=f"https://127.0.0.1:{server.server_port}", context=certificate.trusting)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    server.shutdown()
    server.server_close()
    thread.join()


def secrets(value: str = TOKEN) -> FakeAws:
    return FakeAws(GetSecretValue={"Name": SECRET, "SecretString": value})


def hook(application: Application, **said: object) -> CallWebhook:
    ordinary = {"webhook": "cleanup", "url": f"{application.url}/api/cleanup?all=1", "method": "POST", "timeout_s": 5}
    return CallWebhook.model_validate(ordinary | said)


def call(application: Application, change: CallWebhook, aws: FakeAws | None = None) -> ChangeResult:
    """By the door through which every change goes."""
    aws = aws or secrets()
    webhooks = HttpsWebhooks(client=aws.client, context=application.context)
    return AwsChanger(client=aws.client, webhooks=webhooks).apply(ORDERS, change)


def slow(seconds: float) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        say()(request)

    return answer


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_one_request_with_its_method_and_nothing_more(application: Application, method: str) -> None:
    """Path and query as they are written, no authorisation where no token is named, and no secret is read."""
    aws = secrets()
    application.answer = say(200, "12 threads removed\nand more\n")

    result = call(application, hook(application, method=method), aws)

    assert application.asked == [(method, "/api/cleanup?all=1", None)]
    assert result == ChangeResult(answer="200: 12 threads removed")
    assert aws.calls == []


def test_the_token_is_sent_as_a_bearer_token(application: Application) -> None:
    """What the secret holds, without the line break that editors leave."""
    aws = secrets(f"{TOKEN}\n")
    call(application, hook(application, token=SECRET), aws)
    assert application.asked == [("POST", "/api/cleanup?all=1", f"Bearer {TOKEN}")]
    assert aws.calls == [(CALLS[0], {"SecretId": SECRET})]


@pytest.mark.parametrize("status", [301, 303, 307])
def test_a_redirect_is_not_followed(application: Application, status: int) -> None:
    """The token goes where the playbook says, and nowhere else; whether anything was done nobody knows."""
    application.answer = say(status, Location=f"{application.url}/elsewhere")
    with pytest.raises(ChangeDoubtful, match=str(status)):
        call(application, hook(application, token=SECRET))
    assert len(application.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 405, 429])
def test_an_application_that_will_not(application: Application, status: int) -> None:
    """It proves that nothing was done, and says why."""
    application.answer = say(status, "no such session")
    with pytest.raises(ChangeRefused, match=f"{status}: no such session"):
        call(application, hook(application))


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_an_application_that_failed_may_have_done_it(application: Application, status: int) -> None:
    """A server error proves nothing."""
    application.answer = say(status)
    with pytest.raises(ChangeDoubtful, match=str(status)):
        call(application, hook(application))


def test_no_answer_in_time_is_doubtful(application: Application) -> None:
    """The request was there: it is not sent again, and counts as done."""
    application.answer = slow(2)
    with pytest.raises(ChangeDoubtful):
        call(application, hook(application, timeout_s=1))
    assert len(application.asked) == 1


@pytest.mark.parametrize(
    ("begins", "answered"),
    [("HTTP/1.1 200 OK\r\n", "200"), ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "200"), ("HTTP/1.1 ", None)],
)
def test_an_answer_that_trickles_ends_in_time(application: Application, begins: str, answered: str | None) -> None:
    """Each byte comes well before a socket gives up, and the whole would never end. A status is an answer, though."""

    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(begins.encode())
        for _ in range(40):
            request.wfile.write(b"0")
            time.sleep(0.2)

    application.answer = trickle
    began = time.monotonic()
    if answered is None:
        with pytest.raises(ChangeDoubtful):
            call(application, hook(application, timeout_s=1))
    else:
        assert call(application, hook(application, timeout_s=1)).answer.startswith(answered)
    assert time.monotonic() - began < 3


def test_a_connection_that_breaks_is_doubtful(application: Application) -> None:
    """Half an answer is none."""
    application.answer = lambda request: request.connection.close()
    with pytest.raises(ChangeDoubtful):
        call(application, hook(application))


def test_an_endless_answer_is_not_read(application: Application) -> None:
    """Its beginning says enough, and the rest is left where it is."""
    sent = 0

    def endless(request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.send_response(200)
        request.end_headers()
        for _ in range(2000):
            sent += request.wfile.write(b"x" * 65536)

    application.answer = endless
    result = call(application, hook(application))
    assert len(result.answer) == len("200: ") + LINE_LIMIT
    assert sent < 2000 * 65536
    assert LINE_LIMIT < ANSWER_BYTES


def test_a_server_that_nobody_vouches_for_gets_nothing(application: Application) -> None:
    """Its certificate is unknown: the token is not sent, and nothing happened."""
    aws = secrets()
    with pytest.raises(ChangeRefused, match=r"was not sent.*certificate"):
        HttpsWebhooks(client=aws.client).call(hook(application, token=SECRET))
    assert application.asked == []


def test_nobody_there(application: Application) -> None:
    """A connection that is refused, or a name that nobody knows, had no effect."""
    for url in ("https://127.0.0.1:9/", "https://no-such-host.invalid/"):
        with pytest.raises(ChangeRefused, match="was not sent"):
            call(application, hook(application, url=url))


@pytest.mark.parametrize("held", [" ", '{"CRON_SECRET": "x"}', "two words", "a\r\nX-Injected: yes", "gehéim", "a\x00b"])
def test_a_secret_that_is_no_token(application: Application, held: str) -> None:
    """Nothing is called with it, and the error says which secret, not what is in it."""
    with pytest.raises(ChangeRefused, match=f"secret {SECRET} is no bearer token") as raised:
        call(application, hook(application, token=SECRET), secrets(held))
    assert application.asked == []
    assert not held.strip() or held not in str(raised.value)


def test_a_secret_that_cannot_be_read(application: Application) -> None:
    """No right, no secret: nothing is called."""
    aws = FakeAws(GetSecretValue=refusal("AccessDeniedException"))
    with pytest.raises(ChangeRefused, match=r"nothing was called.*AccessDenied"):
        call(application, hook(application, token=SECRET), aws)
    assert application.asked == []


@pytest.mark.parametrize(
    ("answer", "timeout_s"),
    [
        (say(200, f"hello, Bearer {TOKEN}"), 5),
        (say(200, f"token={TOKEN}"), 5),
        (say(401, f"{TOKEN} is not valid"), 5),
        (say(500, f"KeyError: {TOKEN}"), 5),
        (say(302, Location=f"https://127.0.0.1:9/?{TOKEN}"), 5),
        (slow(2), 1),
        (lambda request: request.connection.close(), 5),
    ],
)
def test_the_token_is_told_nobody(
    application: Application, answer: Answer, timeout_s: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what is recorded, nor an error and everything behind it, nor a log has it, whatever is answered."""
    application.answer = answer
    caplog.set_level(logging.DEBUG)
    change = hook(application, token=SECRET, timeout_s=timeout_s)
    try:
        told = call(application, change).model_dump_json()
    except ChangeFailed as error:
        told = "".join(traceback.format_exception(error))
    assert application.asked[0][2] == f"Bearer {TOKEN}"
    assert TOKEN not in told + change.model_dump_json() + caplog.text
