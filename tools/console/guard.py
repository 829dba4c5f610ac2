"""Who may ask this console: one browser at a time that was let in by a link, on this machine, from its own pages.

IAM decides what the operator may do. What is kept out here is everybody else who could make the operator's browser, or
a program on the same machine, ask in their place: other users of the machine (the link's key, and the cookie it is
exchanged for), pages of other sites (SameSite, Origin and a token in each form), names that are made to point to
127.0.0.1 (the Host header), and markup in what was written elsewhere (the content security policy).
"""

import hmac
import secrets
from collections.abc import Callable
from threading import Lock

from flask import Flask, Response, abort, request, session

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Without the page of origin a browser would send `Origin: null` with a form, and no-referrer means without it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
LARGEST_REQUEST = 64 * 1024

_OPEN = frozenset({"enter", "static"})
"""What is answered to anybody: the way in, and files that come with the project."""


class Door:
    """The way in: a link with a key that works once. Each use makes the next link, which only the terminal shows."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self._say = say
        self._key = ""
        self._lock = Lock()
        self.address = ""
        """`127.0.0.1:PORT`; empty until the port is known, and then nobody is let in."""

    def stands_at(self, address: str) -> None:
        self.address = address

    def link(self) -> str:
        """Make the next link and say it."""
        self._key = secrets.token_urlsafe(32)
        made = f"http://{self.address}/enter?key={self._key}"
        self._say(made)
        return made

    def lets_in(self, key: str) -> bool:
        """Whether this is the key, which is used up then."""
        with self._lock:
            if not self._key or not hmac.compare_digest(key.encode(), self._key.encode()):
                return False
            self._key = ""
            self.link()
            return True


def stand_guard(app: Flask, door: Door) -> None:
    """Check every request before its page, and seal every answer."""
    app.secret_key = secrets.token_bytes(32)  # of this process: nothing that it signed outlives it
    app.config.update(
        # Cookies know no port: two consoles on one machine need two names.
        SESSION_COOKIE_NAME=f"responder-{secrets.token_hex(4)}",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
    )

    @app.before_request
    def check() -> None:
        if not door.address or request.host != door.address:
            abort(403, f"This console answers to its own address only: http://{door.address}")
        if request.endpoint in _OPEN:
            return
        if not session.get("in"):
            abort(401)
        if request.method == "POST":
            _check_form(door)

    @app.after_request
    def seal(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response


def _check_form(door: Door) -> None:
    if request.headers.get("Origin") != f"http://{door.address}":
        abort(403, "This did not come from a page of this console, so nothing was done.")
    if not hmac.compare_digest(request.form.get("token", "").encode(), token().encode()):
        abort(403, "This form is not from this session, so nothing was done. Open the page again.")


def token() -> str:
    """What every form of this session has to bring back."""
    known = session.get("token")
    if known is None:
        raise LookupError("a form is written for somebody who was not let in")
    return str(known)


def let_in() -> None:
    """From here on the browser that asks now is the operator's."""
    session.clear()
    session.update({"in": True, "token": secrets.token_urlsafe(32)})
