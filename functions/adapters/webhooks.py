"""Calls endpoints of the application: one request, at most once, and whatever is answered in one redacted line."""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from functions.adapters.answers import reading
from functions.adapters.http import USER_AGENT, path_of
from functions.domain.called import Service
from functions.domain.changes import CallWebhook, ChangeResult
from functions.domain.errors import ChangeDoubtful, ChangeRefused, ReadFailed
from functions.domain.redaction import REDACTED, clean

CALLS = ("secretsmanager:GetSecretValue",)
"""IAM actions, for a webhook with a token alone."""

ANSWER_BYTES = 4096
"""As much of an answer is read; what comes behind says nothing more."""

LINE_LIMIT = 200
"""Characters of an answer's first line that are kept."""


class HttpsWebhooks:
    """The `WebhookCaller` of the deployed responder: no redirects, no cookies, no proxy. IAM actions: `CALLS`.

    The token is in the request and nowhere else: it is taken out of what comes back, too.
    """

    def __init__(self, *, client: Callable[[Service], Any], context: ssl.SSLContext | None = None) -> None:
        """`client` makes the one for secrets when a token is needed; `context` says whom to trust, instead of the
        machine's own authorities."""
        self._client = client
        self._context = context

    def call(self, change: CallWebhook) -> ChangeResult:
        what = f"{change.method} to webhook {change.webhook}"
        token = None if change.token is None else self._token(change.token)
        ends = time.monotonic() + change.timeout_s
        connection = self._connection(change)
        try:
            try:
                connection.connect()
            except (OSError, HTTPException) as failed:
                raise ChangeRefused(f"{what} was not sent: {_said(failed)}") from failed
            try:
                with _cut_off(connection, ends - time.monotonic()):
                    status, line = _answer(connection, change, token)
            except (OSError, HTTPException) as failed:
                raise ChangeDoubtful(f"{what} was sent, and nobody answered in time: {_said(failed)}") from failed
        finally:
            connection.close()
        return _judged(what, status, line)

    def _connection(self, change: CallWebhook) -> HTTPConnection:
        parts = urlsplit(change.url)
        if parts.scheme == "https":
            return HTTPSConnection(parts.hostname or "", parts.port, timeout=change.timeout_s, context=self._context)
        return HTTPConnection(parts.hostname or "", parts.port, timeout=change.timeout_s)

    def _token(self, secret: str) -> str:
        """What the secret holds.

        Raises:
            ChangeRefused: it cannot be read, or is no token. The error does not say what it is.
        """
        try:
            with reading(f"secret {secret}"):
                answer = self._client("secretsmanager").get_secret_value(SecretId=secret)
        except ReadFailed as failed:
            raise ChangeRefused(f"nothing was called: {failed}") from failed
        token = str(answer.get("SecretString", "")).strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token or _is_json(token):
            raise ChangeRefused(
                f"nothing was called: secret {secret} is no bearer token; keep the token in it, alone and as text"
            )
        return token


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


@contextmanager
def _cut_off(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Nothing comes through any more after these seconds: a socket's own time-out begins anew with every byte."""
    # The connection forgets its socket as soon as it has the headers of an answer that ends it.
    wire = connection.sock

    def cut() -> None:
        with suppress(OSError):  # somebody else was faster
            # Not the method of an SSLSocket, which would forget its encryption while somebody reads.
            socket.socket.shutdown(wire, socket.SHUT_RDWR)

    timer = Timer(max(0.0, seconds), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _answer(connection: HTTPConnection, change: CallWebhook, token: str | None) -> tuple[int, str]:
    """The status, and the first line of what came with it. Raises OSError or HTTPException where no status came."""
    headers = {"User-Agent": USER_AGENT, "Connection": "close"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(change.method, path_of(urlsplit(change.url)), headers=headers)
    response = connection.getresponse()
    try:
        body = response.read(ANSWER_BYTES)
    except (OSError, HTTPException):
        body = b""
    text = body.decode("utf-8", "replace")
    if token is not None:
        text = text.replace(token, REDACTED)
    return response.status, clean(next(iter(text.strip().splitlines()), ""), limit=LINE_LIMIT)


def _judged(what: str, status: int, line: str) -> ChangeResult:
    """As with AWS, a client error proves that nothing was done and a server error proves nothing (RFC 9110, sections
    15.5 and 15.6). Nor does a redirect: it may lead to where the work is done, or to what it brought (section 15.4)."""
    said = f"{status}: {line}" if line else str(status)
    if 200 <= status < 300:
        return ChangeResult(answer=said)
    if 400 <= status < 500 and status != 408:
        raise ChangeRefused(f"{what} was answered {said}")
    raise ChangeDoubtful(f"{what} may have done something: it was answered {said}")


def _said(failed: Exception) -> str:
    return clean(f"{type(failed).__name__}: {failed}", limit=LINE_LIMIT)
