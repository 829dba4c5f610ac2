"""Asks over HTTP whether something answers."""

import socket
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from functions.domain.dependencies import HttpAnswer
from functions.domain.errors import ReadFailed
from functions.domain.redaction import clean

USER_AGENT = "ecs-first-responder"


class HttpGetter:
    """One GET request at a time: no redirects, no cookies, no proxy, and nothing behind the status line is read."""

    def answer(self, url: str, *, timeout_s: int) -> HttpAnswer:
        parts = urlsplit(url)
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=timeout_s)
        began = time.monotonic()
        status, error = None, ""
        try:
            connection.request("GET", path_of(parts), headers={"User-Agent": USER_AGENT, "Connection": "close"})
            status = connection.getresponse().status
        except socket.gaierror as unknown:
            raise ReadFailed(f"{parts.hostname} cannot be looked up: {unknown}") from unknown
        except (OSError, HTTPException) as failed:
            error = clean(f"{type(failed).__name__}: {failed}")
        finally:
            connection.close()
        return HttpAnswer(status=status, seconds=time.monotonic() - began, error=error)


def path_of(parts: SplitResult) -> str:
    """What a request asks a host for."""
    return f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
