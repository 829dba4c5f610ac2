"""Asks what a synthetic check asks: one GET request or one opening of a WebSocket, with one deadline for all of it."""

import base64
import hashlib
import io
import os
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from functions.adapters.http import USER_AGENT, path_of
from functions.domain.errors import ReadFailed
from functions.domain.redaction import clean
from functions.domain.synthetic import SWITCHING, CheckAnswer, SyntheticCheck

MOST_BYTES = 256 * 1024
"""Of an answer's body. What tells how a service is does not take more."""

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a server appends to the key before it hashes it (RFC 6455, 1.3)."""

_CLOSE = b"\x88\x80"
"""A close frame without a reason, masked as a client has to (RFC 6455, 5.2 and 5.5.1); the mask follows."""

_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""There is no such name for anybody. What else goes wrong with a name may be our own resolver."""


class HttpChecker:
    """The `CheckCaller` of the deployed responder: no redirects, no cookies, no proxy, and certificates are verified.

    Calls no AWS. `trust` is for tests; without it, the machine's own certificate authorities are trusted.
    """

    def __init__(self, *, trust: ssl.SSLContext | None = None) -> None:
        self._trust = ssl.create_default_context() if trust is None else trust

    def ask(self, check: SyntheticCheck, *, headers: Mapping[str, str]) -> CheckAnswer:
        parts = urlsplit(check.url)
        status, ends = None, time.monotonic() + check.timeout
        key = base64.b64encode(os.urandom(16)).decode()
        connection = self._connection(parts)
        try:
            connection.sock = self._connected(parts, ends)
            connection.request("GET", path_of(parts), headers=_headers(check, headers, key))
            answer = HTTPResponse(_Until(connection.sock, ends), method="GET")  # type: ignore[arg-type]
            answer.begin()
            status = answer.status
            if check.websocket:
                opened = status == SWITCHING and _opens(answer, key)
                if opened:
                    with suppress(OSError):
                        connection.sock.sendall(_CLOSE + os.urandom(4))
                return CheckAnswer(status=status, opened=opened)
            if check.reads is None:
                return CheckAnswer(status=status)
            return _with_body(answer)
        except TimeoutError:
            return CheckAnswer(status=status, error=f"no whole answer within {check.timeout} s")
        except socket.gaierror as unknown:
            if unknown.errno not in _NO_SUCH_NAME:
                raise ReadFailed(f"{parts.hostname} cannot be looked up: {unknown}") from unknown
            return CheckAnswer(status=None, error=f"{parts.hostname} has no address")
        except OSError as failed:
            return CheckAnswer(status=status, error=clean(f"{type(failed).__name__}: {failed}"))
        except HTTPException as failed:
            # Its text is the server's, who knows the header that was sent.
            return CheckAnswer(status=status, error=f"answered something else than HTTP ({type(failed).__name__})")
        finally:
            connection.close()

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "https":
            return HTTPSConnection(host, parts.port, context=self._trust)
        return HTTPConnection(host, parts.port)

    def _connected(self, parts: SplitResult, ends: float) -> socket.socket:
        """A connection by the deadline; http.client's own would take the whole time for each address of a name."""
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        failed: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            plain = socket.socket(family, kind, protocol)
            try:
                plain.settimeout(_left(ends))
                plain.connect(address)
                plain.settimeout(_left(ends))
                return self._trust.wrap_socket(plain, server_hostname=host) if parts.scheme == "https" else plain
            except OSError as error:
                plain.close()
                failed = error
        raise failed or OSError("no address answers")


class _Until(io.RawIOBase):
    """A socket to read from until a deadline, however little of the answer comes at a time."""

    def __init__(self, connected: socket.socket, ends: float) -> None:
        self._socket, self._ends = connected, ends

    def makefile(self, mode: str) -> io.BufferedReader:
        """What `HTTPResponse` asks of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._socket.settimeout(_left(self._ends))
        return self._socket.recv_into(buffer)


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _headers(check: SyntheticCheck, headers: Mapping[str, str], key: str) -> dict[str, str]:
    written = {"User-Agent": USER_AGENT, **headers}
    if not check.websocket:
        return {**written, "Connection": "close"}
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    return {**written, **upgrade, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}


def _opens(answer: HTTPResponse, key: str) -> bool:
    """Whether a 101 is an answer to this very key, and to nothing that was not asked for (RFC 6455, 4.1)."""
    accepted = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode(), usedforsecurity=False).digest()).decode()
    return (
        answer.getheader("Upgrade", "").lower() == "websocket"
        and "upgrade" in (token.strip() for token in answer.getheader("Connection", "").lower().split(","))
        and answer.getheader("Sec-WebSocket-Accept", "") == accepted
        and answer.getheader("Sec-WebSocket-Extensions") is None
        and answer.getheader("Sec-WebSocket-Protocol") is None
    )


def _with_body(answer: HTTPResponse) -> CheckAnswer:
    try:
        body = answer.read(MOST_BYTES + 1)
    except ValueError:
        # http.client takes a chunk of negative length for one.
        return CheckAnswer(status=answer.status, error="answered something else than HTTP")
    if len(body) > MOST_BYTES:
        return CheckAnswer(status=answer.status, error=f"answered with more than {MOST_BYTES // 1024} KB")
    try:
        return CheckAnswer(status=answer.status, body=body.decode())
    except UnicodeDecodeError:
        return CheckAnswer(status=answer.status, error="answered something else than UTF-8 text")
