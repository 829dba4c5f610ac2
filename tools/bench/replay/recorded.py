"""The incidents that the warm handlers are measured on: played once in the drill's world, every invocation recorded."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from moto.core.serialize import SERIALIZERS
from moto.core.utils import get_service_model

from functions.workflow.table import Function
from tools.bench.replay.calls import Call, Invocation
from tools.bench.replay.wire import Answer
from tools.chaos.deployment import FragileDeployment
from tools.drill.deployment import DrillSettings
from tools.drill.policies.registry import POLICIES
from tools.drill.runner import clients_of
from tools.drill.scenario import Scenario, load_scenarios
from tools.drill.world.refusal import Refused
from tools.drill.world.world import World

SCENARIOS = ("release-fails-requests", "traffic-spike-with-room", "backend-failing")
"""A release is rolled back; a floor is raised, and given back later; people are paged."""


def scenarios() -> Sequence[Scenario]:
    return load_scenarios(SCENARIOS)


def record(scenario: Scenario, *, seed: int = 0) -> list[Invocation]:
    """Every invocation of a function in this run that called AWS, in their order."""
    fitted = POLICIES["responder"].fit_out(scenario)
    world = World(fitted.setting, seed=seed)
    settings = DrillSettings(region=fitted.setting.region, account=fitted.setting.account)
    deployment = _Recording(
        world, clients=clients_of(fitted.setting.region), playbooks=fitted.playbooks, settings=settings
    )
    deployment.live_through(deployment.heard)
    return [each for each in deployment.invocations if each.calls]


class _Recording(FragileDeployment):
    """The responder with its ledger's own adapter, and somebody who writes down what it does."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.invocations: list[Invocation] = []
        self._current: Invocation | None = None

    def heard(self, model: Any, parameters: Mapping[str, Any], attempts: int, ask: Any) -> dict[str, Any]:
        """One call on the wire of the drill."""
        refused: Refused | None = None
        try:
            answer: dict[str, Any] = ask()
        except Refused as error:
            refused = error
        if self._current is not None:
            said = refusal(model, refused) if refused is not None else written(model, answer)
            self._current.calls.append(
                Call(model.service_model.service_name, model.name, deepcopy(dict(parameters)), attempts, said)
            )
        if refused is not None:
            raise refused
        return answer

    def _invoke(self, function: Function, payload: dict[str, Any]) -> dict[str, Any]:
        with self._recorded(function.value, payload["step"], payload) as invocation:
            invocation.returned = super()._invoke(function, payload)
        answer: dict[str, Any] = invocation.returned
        return answer

    def _receive(self, message: str, times: int) -> None:
        with self._recorded("intake", "intake", json.loads(message)):
            super()._receive(message, times)

    @contextmanager
    def _recorded(self, function: str, step: str, event: Mapping[str, Any]) -> Iterator[Invocation]:
        self._current = Invocation(function=function, step=step, event=deepcopy(dict(event)), at=self.now)
        try:
            yield self._current
        finally:
            self.invocations.append(self._current)
            self._current = None


def written(model: Any, answer: Mapping[str, Any]) -> Answer:
    """The answer as the service writes it."""
    if isinstance(stream := answer.get("Body"), BytesIO):
        return Answer(200, {"Content-Length": str(answer["ContentLength"])}, stream.getvalue())
    service = model.service_model
    known = get_service_model(service.service_name).operation_model(model.name)
    response = SERIALIZERS[service.resolved_protocol](known).serialize(dict(answer))
    body = response["body"]
    return Answer(
        response["status_code"],
        {name: str(value) for name, value in response["headers"].items()},
        body if isinstance(body, bytes) else str(body).encode(),
    )


def refusal(model: Any, refused: Refused) -> Answer:
    """The refusal as the service writes it."""
    protocol = model.service_model.resolved_protocol
    if "json" in protocol:
        body = {"__type": refused.code, "message": refused.message, **refused.more}
        return Answer(refused.status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode())
    error = f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
    around = {"query": "<ErrorResponse>{}</ErrorResponse>", "ec2": "<Response><Errors>{}</Errors></Response>"}
    return Answer(refused.status, {"Content-Type": "text/xml"}, around.get(protocol, "{}").format(error).encode())
