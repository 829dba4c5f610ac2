"""The first event that each function gets in a drill, with every answer of AWS to it."""

import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from functions.playbooks.schema import Playbook
from functions.workflow.table import Function
from tools.chaos.rights.recorded import Errands, Everything, Given, Recorded, RecordedClients
from tools.chaos.rights.scenes import EVERYTHING, WITH_ERRANDS
from tools.chaos.sweep import scenarios_of
from tools.drill.engine import Json
from tools.drill.scenario import Scenario, load_scenarios
from tools.drill.world.refusal import Refused
from tools.drill.world.world import World

PLAIN = "release-fails-requests"
"""A scenario of the drill with one service, a playbook as most are, and a rollback that helps."""


@dataclass(kw_only=True)
class FirstEvent:
    """What a function was asked first, and what AWS answered meanwhile: plain data, to be read without this module."""

    function: str
    account: str
    event: Any
    at: datetime
    calls: list[dict[str, Any]] = field(default_factory=list)
    """Each with `service`, `attempts`, `operation`, `given`, and either `answer` or `refused`."""

    def calls_operation(self, operation: str) -> bool:
        return any(call["operation"] == operation for call in self.calls)

    def write(self, file: Path) -> None:
        file.write_bytes(pickle.dumps(vars(self)))


class _Listening(Recorded):
    """Keeps the first event of each function; of intake the first that starts an execution: an alarm of somebody."""

    def __init__(self, world: World, **rest: Any) -> None:
        super().__init__(world, **rest)
        self.first: dict[str, FirstEvent] = {}
        self._heard: Any = None
        self._keeping: list[FirstEvent | None] = []

    def around(self, model: Any, given: Given, attempts: int, ask: Callable[[], Json]) -> Json:
        keeping = self._keeping[-1] if self._keeping else None
        if keeping is None:
            return super().around(model, given, attempts, ask)
        call = {
            "service": model.service_model.service_name,
            "attempts": attempts,
            "operation": model.name,
            "given": pickle.dumps(dict(given)),
        }
        keeping.calls.append(call)
        try:
            answer = super().around(model, given, attempts, ask)
        except Refused as refused:
            call["refused"] = {"code": refused.code, "status": refused.status, "more": dict(refused.more)}
            raise
        call["answer"] = pickle.dumps(answer)
        return answer

    @contextmanager
    def invocation(self, function: str, **known: Any) -> Iterator[None]:
        kept = None
        if function not in self.first and self._heard is not None:
            kept = self.first[function] = FirstEvent(
                function=function, account=self._settings.account, event=self._heard, at=self._clock.now()
            )
        self._heard = None
        self._keeping.append(kept)
        try:
            with super().invocation(function, **known):
                yield
        finally:
            self._keeping.pop()
            if kept is not None and function == "intake" and not kept.calls_operation("StartExecution"):
                del self.first[function]

    def _receive(self, message: str, times: int) -> None:
        self._heard = json.loads(message)
        super()._receive(message, times)

    def _asynchronously(self, name: str, handler: Callable[..., Any], event: Json, times: int = 0) -> None:
        self._heard = dict(event)
        super()._asynchronously(name, handler, event, times)

    def _invoke(self, function: Function, payload: Json) -> Json:
        self._heard = dict(payload)
        return super()._invoke(function, payload)

    def call(self, function: str, handler: Callable[..., Any], event: Json) -> Any:
        self._heard = json.loads(json.dumps(event))
        return super().call(function, handler, event)


def first_events(*, everything: bool = True) -> tuple[dict[str, FirstEvent], dict[str, tuple[Playbook, ...]]]:
    """The first event of each function, and the playbooks it was handled with.

    Those of the incident itself come from a plain scenario; `everything` adds those of functions that play no part in
    it, from a scene in which each is called.
    """
    (plain,) = scenarios_of((PLAIN,))
    found = _played(plain)
    playbooks = dict.fromkeys(found, plain.playbooks)
    if everything:
        (whole,) = load_scenarios([str(EVERYTHING)])
        for function, event in _played(whole).items():
            if function not in found:
                found[function], playbooks[function] = event, whole.playbooks
    return found, playbooks


def _played(scenario: Scenario) -> dict[str, FirstEvent]:
    world = World(scenario.setting, seed=0)
    settings = Everything(region=scenario.setting.region, account=scenario.setting.account)
    deployment = _Listening(
        world,
        clients=RecordedClients(region=scenario.setting.region),
        playbooks=scenario.playbooks,
        settings=settings,
        errands=WITH_ERRANDS.get(scenario.name, Errands()),
    )
    deployment.live_through(deployment.around)
    return deployment.first
