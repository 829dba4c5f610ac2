"""Real boto3 clients whose calls are answered by the world of the moment.

    with wire.connected(world):
        with wire.calling("responder"):
            handler(event, context)

The parameters are checked as botocore checks them; where it would build a request and send it, the world answers.
Nothing ever reaches a network.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from functions.adapters.clients import Clients
from functions.domain.called import Service
from tools.drill.world.answers import OPERATIONS
from tools.drill.world.refusal import Refused
from tools.drill.world.shapes import Shapes
from tools.drill.world.world import World

Answering = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Answers one operation from its parameters, or raises `Refused`."""

Around = Callable[[Any, Mapping[str, Any], int, Callable[[], dict[str, Any]]], dict[str, Any]]
"""Stands between the clients and the world: is given botocore's model of the operation, the parameters, the attempts
that botocore would make, and what makes one of them."""


class WorldUnable(Exception):
    """A call that no world answers: the drill is incomplete, and must not go on as if AWS had failed."""


@dataclass
class _Wire:
    world: World
    answering: Mapping[str, Answering]
    around: Around
    caller: str = "somebody"
    broken: list[str] = field(default_factory=list)


_wire: _Wire | None = None
_shapes = Shapes()


def _directly(
    model: Any, parameters: Mapping[str, Any], attempts: int, ask: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    return ask()


@contextmanager
def connected(
    world: World, answering: Mapping[str, Answering] | None = None, *, around: Around = _directly
) -> Iterator[None]:
    """Let this world answer all calls, in this process; `answering` adds operations by name, such as StartExecution.
    `around` may keep a call or its answer from arriving.

    Raises:
        WorldUnable: at the end, if a call came that nobody could answer, or an answer was not what AWS answers; also
            when whoever called took it for a failure of AWS.
    """
    global _wire
    before, _wire = _wire, _Wire(world, answering or {}, around)
    try:
        yield
        if _wire.broken:
            raise WorldUnable("; ".join(dict.fromkeys(_wire.broken)))
    finally:
        _wire = before


@contextmanager
def calling(caller: str) -> Iterator[None]:
    """Label what changes meanwhile with who called."""
    wire = _connected()
    before, wire.caller = wire.caller, caller
    try:
        yield
    finally:
        wire.caller = before


class WiredClients(Clients):
    """The clients of the deployed responder on the wire of the drill, with the attempts they have there.

    Each is made once: making one takes longer than a whole run.
    """

    def __init__(self, *, region: str) -> None:
        super().__init__(region=region)
        self._wired: dict[tuple[str, int], Any] = {}
        self._session.set_credentials("drill", "drill")

    def _client(self, service: Service, *, attempts: int) -> Any:
        made = self._wired.get((service, attempts))
        if made is None:
            made = self._wired[service, attempts] = super()._client(service, attempts=attempts)
            attach(made, attempts=attempts)
        return made


def attach(client: Any, *, attempts: int = 1) -> None:
    """Put a client on the wire. `attempts` is how often botocore would send a call that fails.

    It takes the place of `BaseClient._make_api_call` of botocore, which would spend more time on an endpoint, headers
    and a body that nobody reads than the world on its answer.
    """

    models: dict[str, Any] = {}

    def make_api_call(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        model = models.get(operation)
        if model is None:
            model = models[operation] = client.meta.service_model.operation_model(operation)
        _shapes.check_parameters(model, parameters)
        # Probes call side by side: what they are answered must not depend on which of them came first.
        meta = {"RequestId": f"{len(_connected().world.changes):08x}-0000-4000-8000-000000000000", "RetryAttempts": 0}
        try:
            answer = _connected().around(model, parameters, attempts, lambda: _answer(model, parameters, attempts))
        except Refused as refused:
            error = {"Code": refused.code, "Message": refused.message}
            refusal = {**refused.more, "Error": error, "ResponseMetadata": {**meta, "HTTPStatusCode": refused.status}}
            raise client.exceptions.from_code(refused.code)(refusal, operation) from None
        return {**answer, "ResponseMetadata": {**meta, "HTTPStatusCode": 200}}

    client._make_api_call = make_api_call


def answered(model: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the world of the moment answers to one attempt of a call, for clients that are on a wire of their own.

    Raises:
        Refused: as AWS refuses it.
    """
    return _answer(model, parameters, 1)


def _connected() -> _Wire:
    if _wire is None:
        raise WorldUnable("no world is connected")
    return _wire


def _answer(model: Any, parameters: Mapping[str, Any], attempts: int) -> dict[str, Any]:
    wire = _connected()
    try:
        answer = _ask(wire, model.name, parameters, attempts)
        _shapes.check(model, answer)
    except Refused:
        raise
    except Exception as error:
        wire.broken.append(f"{model.name}: {type(error).__name__}: {error}")
        raise
    return answer


def _ask(wire: _Wire, operation: str, parameters: Mapping[str, Any], attempts: int) -> dict[str, Any]:
    world = wire.world
    if (own := wire.answering.get(operation)) is not None:
        return own(parameters)
    if (keeping := OPERATIONS.keeping.get(operation)) is not None:
        return keeping(world, parameters)
    change = OPERATIONS.changes.get(operation)
    read = OPERATIONS.reads.get(operation)
    if change is None and read is None:
        raise WorldUnable(f"the world does not know {operation}")
    refused: str | None = None
    try:
        if world.api.troubled:
            what = "" if change is not None else _distinct(parameters)
            world.api.admit(operation, what, reads=change is None, attempts=attempts)
        return change(world, parameters) if change is not None else read(world, parameters)  # type: ignore[misc]
    except Refused as error:
        refused = error.code
        raise
    finally:
        if change is not None:
            world.change_by(wire.caller, operation, dict(parameters), refused=refused)


def _distinct(parameters: Mapping[str, Any]) -> str:
    """What tells calls apart that one look makes at the same time: the resources, not the times."""
    return "|".join(
        f"{name}={value}" for name, value in sorted(parameters.items()) if name not in ("StartTime", "EndTime", "tasks")
    )
