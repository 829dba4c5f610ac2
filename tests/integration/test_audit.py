"""The audit with pip-audit itself, asking advisories that are served here."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tools.audit import LOCKED, main

ADVISORY = {
    "id": "PYSEC-2030-1",
    "aliases": ["CVE-2030-1"],
    "summary": "Made up.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "boto3"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9999"}]}],
        }
    ],
}
"""In the Open Source Vulnerability format."""


class Advisories(ThreadingHTTPServer):
    """Answers every query as `POST /v1/query` of OSV does, and remembers who was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: set[tuple[str, str]] = set()
        self.vulnerable: str | None = None
        self.broken = False


class _Answer(BaseHTTPRequestHandler):
    server: Advisories

    def do_POST(self) -> None:
        query: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        self.server.asked.add((name, query["version"]))
        body = json.dumps({"vulns": [ADVISORY]} if name == self.server.vulnerable else {}).encode()
        self.send_response(503 if self.server.broken else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def advisories(monkeypatch: pytest.MonkeyPatch) -> Iterator[Advisories]:
    with Advisories() as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
        yield server
        server.shutdown()


def test_every_pin_is_asked_for(advisories: Advisories, capsys: pytest.CaptureFixture[str]) -> None:
    """All that is installed on this platform, in the locked version."""
    assert main([]) == 0
    locked = re.findall(r"^([\w.-]+)==(\S+) \\$", LOCKED.read_text(), re.M)
    assert set(locked) <= advisories.asked
    assert len(locked) > 90
    assert f"in {len(advisories.asked)} packages" in capsys.readouterr().out


def test_an_advisory_is_found(advisories: Advisories, capsys: pytest.CaptureFixture[str]) -> None:
    """One that has the pinned version in its range."""
    advisories.vulnerable = "boto3"
    assert main(["--unless-offline"]) == 1
    assert re.search(r"boto3 \S+: PYSEC-2030-1 CVE-2030-1; fixed in 9999", capsys.readouterr().out)


def test_an_error_is_no_answer(advisories: Advisories, capsys: pytest.CaptureFixture[str]) -> None:
    """A service that is out of order has not said that all is well."""
    advisories.broken = True
    assert main([]) == 2
    assert "NOT AUDITED" in capsys.readouterr().out
