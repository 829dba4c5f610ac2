"""Serves the pages on the loopback address until Ctrl-C."""

import webbrowser
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from threading import Lock
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import click
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wsgi import ClosingIterator

from functions.domain.errors import InputError
from tools.console.app import make_app
from tools.console.guard import Door
from tools.console.room import Room

HOST = "127.0.0.1"
"""The only address there is: no option opens another one."""

FORM_TAKES_S = 10.0
"""How long a form that was sent before Ctrl-C is given: a few requests to AWS."""


class _Quiet(WSGIRequestHandler):
    """Answers without a line for each request, and without saying what it is made of."""

    server_version = "responder"
    sys_version = ""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _whole(app: WSGIApplication) -> WSGIApplication:
    """`app`, whose answers hold no open file when they are sent: where a browser goes away before it has read one,
    werkzeug 3.1's server leaves it unclosed."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with closing(ClosingIterator(app(environ, start_response))) as parts:
            return list(parts)

    return answer


@contextmanager
def standing(
    room: Room, *, port: int, say: Callable[[str], None], writing: "Lock | None" = None
) -> Iterator[tuple[BaseWSGIServer, Door]]:
    """A server that holds its port, and its door; it answers once somebody lets it. `say` hears each link; `writing` is
    held while a form is carried out.

    Raises:
        InputError: the port is taken.
    """
    door = Door(say=say)
    try:
        app = make_app(room, door, writing=writing or Lock())
        server = make_server(HOST, port, _whole(app), threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit) as taken:  # werkzeug would end the process where the address is in use
        raise InputError(f"port {port} of {HOST} cannot be had; write another --port, or none") from taken
    door.stands_at(f"{HOST}:{server.server_port}")
    try:
        yield server, door
    finally:
        server.server_close()


def serve(room: Room, *, port: int, browser: bool) -> None:
    """Until Ctrl-C. A form that was sent by then is carried out; what is being read is left to itself.

    Raises:
        InputError: the port is taken.
    """
    writing = Lock()
    with standing(room, port=port, say=lambda link: click.echo(f"  {link}"), writing=writing) as (server, door):
        click.echo(f"You are {room.by}, for AWS {room.identity}. Only this machine can reach the console.")
        click.echo("It is at the address below, which works once; the next one follows. Ctrl-C ends it.")
        link = door.link()
        if browser and not webbrowser.open(link):
            click.echo("No browser could be opened: open the address yourself.")
        server.serve_forever()
    writing.acquire(timeout=FORM_TAKES_S)
