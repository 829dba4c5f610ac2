"""Recorded invocations, handled again by the handlers as they are deployed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.handlers import intake
from functions.playbooks.compiled import Compiled, compile_playbooks
from functions.playbooks.schema import Playbook
from functions.settings import Settings
from tools.bench.replay.calls import Invocation
from tools.bench.replay.wire import WireClients
from tools.drill.deployment import HANDLERS

Handler = Callable[[dict[str, Any], LambdaContext], Any]


class SetClock:
    """The `Clock` of a replay: it is as late as it was."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Context:
    """What Lambda hands a function beside its event."""

    function_version = "1"
    memory_limit_in_mb = 512
    aws_request_id = "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"
    function_name = "ecs-first-responder"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:ecs-first-responder"


CONTEXT = cast(LambdaContext, Context())


def shipped(playbooks: Iterable[Playbook]) -> Compiled:
    """Playbooks as a deployment ships them."""
    return Compiled(compile_playbooks(playbooks).encode())


@contextmanager
def deployed(
    *,
    settings: Settings,
    clients: WireClients,
    clock: SetClock,
    playbooks: Compiled,
    threads: Callable[[int], Executor] | None = None,
) -> Iterator[Callable[[Invocation], Any]]:
    """What handles an invocation, with everything but the wire and the clock as it is on Lambda; other `threads` are
    for who listens, and has to hear the calls in the order in which they were made at first."""
    handlers: Mapping[str, Handler] = {
        "intake": intake.handler,
        **{function.value: handler for function, handler in HANDLERS.items()},
    }

    def handle(invocation: Invocation) -> Any:
        return handlers[invocation.function](cast(dict[str, Any], invocation.event), CONTEXT)

    with bootstrap.composed(settings=settings, clients=clients, clock=clock, playbooks=playbooks, threads=threads):
        yield handle
