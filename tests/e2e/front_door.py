"""A server on this machine that stands for the front door of services, so that checks and webhooks meet a real one."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from tests.fakes.certificates import Certificate

_HOST = "127.0.0.1"
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""
_URL = re.compile(r"https://[a-z0-9.-]+(?P<path>/\S*)")
_HEALTHY = json.dumps({"pools": [{"status": "healthy"}]}).encode()


class Called(NamedTuple):
    """A POST request: what a webhook sends."""

    path: str
    authorization: str | None


@dataclass
class FrontDoor:
    """Answers every path well, and opens WebSockets, unless it is closed."""

    port: int
    trusted: Path
    """The certificate that whoever calls has to trust."""
    closed: bool = False
    called: list[Called] = field(default_factory=list)
    when_called: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"https://{_HOST}:{self.port}"

    def instead(self, playbook: str) -> str:
        """A playbook's text with this door in place of every URL."""
        return _URL.sub(lambda url: f"{self.url}{url['path']}", playbook)


@contextmanager
def front_door(certificate: Certificate) -> Iterator[FrontDoor]:
    """The door, on a free port, for as long as the block lasts."""
    server = _Server((_HOST, 0), _Answers)
    server.socket = certificate.serving.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    door = FrontDoor(port=server.server_address[1], trusted=certificate.chain)
    server.door = door  # type: ignore[attr-defined]
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Who goes away in the middle of a request is nobody's fault here."""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        door: FrontDoor = self.server.door  # type: ignore[attr-defined]
        self.close_connection = True
        door.called.append(Called(self.path, self.headers.get("Authorization")))
        door.when_called()
        self._answer(200, b'{"cleaned": true}')

    def do_GET(self) -> None:
        door: FrontDoor = self.server.door  # type: ignore[attr-defined]
        self.close_connection = True
        if door.closed:
            self._answer(503, b"closed")
        elif key := self.headers.get("Sec-WebSocket-Key"):
            accepted = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()
            self.send_response(101)
            for name, value in (
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Accept", accepted),
            ):
                self.send_header(name, value)
            self.end_headers()
        else:
            self._answer(200, _HEALTHY)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""
