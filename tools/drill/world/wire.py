"""Real boto3 clients whose calls are answered by the world of the moment.

with wire.connected(world):
    with wire.calling("responder"):
        handler(event, context)
"""

from collections.abc import Iterator
from contextlib import contextmanager

from functions.adapters.clients import Clients
from tools.drill.world.world import World


class WiredClients(Clients):
    """Clients of the deployed responder on the wire of the drill. Make them once for a process."""


@contextmanager
def connected(world: World) -> Iterator[None]:
    """Let this world answer all calls, in this process."""
    yield


@contextmanager
def calling(caller: str) -> Iterator[None]:
    """Label what changes meanwhile with who called."""
    yield
