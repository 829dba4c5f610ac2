"""A service in trouble at the moment its alarm tells of it, and what the responder will do about it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeGuard

from functions import bootstrap
from functions.adapters.clients import Clients
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind
from functions.domain.watched import WatchedAlarm
from functions.handlers.signals import read_message
from functions.ports import Clock
from tools.bench.chain.wire import AnsweredClients
from tools.chaos.deployment import FragileDeployment
from tools.drill.deployment import DrillSettings
from tools.drill.runner import clients_of, quiet
from tools.drill.scenario import Scenario, load_scenarios
from tools.drill.world import wire
from tools.drill.world.web import WorldHttp
from tools.drill.world.world import World

STEP_S = 1.0
"""How far the world goes on between two looks whether the alarm has told."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One trouble with one remedy. `remedy` is the operation by which it begins."""

    name: str
    scenario: str
    remedy: str
    seed: int = 0


ROLLBACK, SCALE_OUT, FORCE_REDEPLOY = "rollback", "scale out", "force redeploy"

SCENES: tuple[Scene, ...] = (
    Scene(name=ROLLBACK, scenario="release-fails-requests", remedy="UpdateService"),
    Scene(name=SCALE_OUT, scenario="traffic-spike-with-room", remedy="RegisterScalableTarget"),
    Scene(name=FORCE_REDEPLOY, scenario="stuck-tasks", remedy="UpdateService"),
)


class _UntilTold(FragileDeployment):
    """Lives with the service until an alarm tells of trouble, and keeps that message instead of taking it in.

    From the moment the trouble began nothing watches young releases: they would open the same incident by themselves.
    """

    told: dict[str, Any] | None = None
    started: dict[str, Any] | None = None

    @property
    def settings(self) -> DrillSettings:
        return self._settings

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def answering(self) -> Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        """With two operations that only operators call."""
        return {
            **super().answering,
            "GetMetricStatistics": lambda given: {"Label": given["MetricName"], "Datapoints": []},
            "ListTaskDefinitions": self._revisions,
        }

    def _revisions(self, given: Mapping[str, Any]) -> dict[str, Any]:
        (service,) = self._world.services.values()
        return {"taskDefinitionArns": list(dict.fromkeys(r.target.release.arn for r in reversed(service.records)))}

    def take(self, message: dict[str, Any]) -> None:
        if self.told is None and any(_alarms(record) for record in message["Records"]):
            self.told = message
        elif self.told is None:
            super().take(message)

    def _wake_bake(self, event: dict[str, Any]) -> None:
        if self._world.truth.began_at_s is None:
            super()._wake_bake(event)

    def _start_execution(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Whoever plays the scene carries the execution himself."""
        if self.told is None:
            return super()._start_execution(given)
        self.started = json.loads(given["input"])
        return {"executionArn": f"{given['stateMachineArn']}:{given['name']}", "startDate": self._clock.now()}


def _alarms(record: Mapping[str, Any]) -> bool:
    return any(map(_opens, read_message(record["body"])))


def _opens(told: object) -> TypeGuard[Signal]:
    return isinstance(told, Signal) and told.kind is SignalKind.ALARM and told.opens_incident


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A scene that is about to be played."""

    scene: Scene
    scenario: Scenario
    world: World
    deployment: _UntilTold
    clients: Clients
    message: dict[str, Any]

    @property
    def service(self) -> ServiceRef:
        return self.scenario.playbooks[0].ref

    @property
    def now(self) -> Any:
        return self.deployment.now

    @property
    def started(self) -> dict[str, Any]:
        """What StartExecution was given."""
        if self.deployment.started is None:
            raise LookupError("no execution was started")
        return dict(self.deployment.started)

    @property
    def alarm(self) -> str:
        """Name of the alarm that told."""
        (signal,) = filter(_opens, read_message(self.message["Records"][0]["body"]))
        return str(signal.alarm)

    @property
    def dependency_alarms(self) -> tuple[str, ...]:
        """Alarms of what the service stands on."""
        return tuple(each.alarm for each in self.scenario.playbooks[0].dependencies if isinstance(each, WatchedAlarm))

    @property
    def log_group(self) -> str:
        """Where the service logs to."""
        (service,) = self.world.services.values()
        return service.logs.group

    @property
    def scaled(self) -> bool:
        """Whether the service has a scalable target."""
        return self.scenario.setting.services[0].scaling is not None

    def context(self, function: str) -> Any:
        """What Lambda hands that function beside its event."""
        return self.deployment._context(function)


@contextmanager
def staged(scene: Scene) -> Iterator[Stage]:
    """The world as it stands when the alarm tells, with the handlers ready to run on clients that are answered here."""
    scenario = _scenario(scene.scenario)
    region, account = scenario.setting.region, scenario.setting.account
    world = World(scenario.setting, seed=scene.seed)
    settings = DrillSettings(region=region, account=account)
    deployment = _UntilTold(world, clients=clients_of(region), playbooks=scenario.playbooks, settings=settings)
    with quiet(), wire.connected(world, deployment.answering), wire.calling("responder"):
        with deployment.live():
            world.on_message(deployment.take)
            while deployment.told is None:
                if world.seconds > scenario.setting.horizon_s:
                    raise LookupError(f"no alarm told of {scene.scenario}")
                world.run_until(world.seconds + STEP_S)
        clients = answered_clients(region)
        with bootstrap.composed(
            settings=settings,
            clients=clients,
            clock=deployment.clock,
            playbooks=scenario.playbooks,
            http=WorldHttp(world),
        ):
            yield Stage(
                scene=scene,
                scenario=scenario,
                world=world,
                deployment=deployment,
                clients=clients,
                message=deployment.told,
            )


@cache
def answered_clients(region: str) -> AnsweredClients:
    """Made once: making one takes longer than playing a scene."""
    return AnsweredClients(region=region)


@cache
def _scenario(name: str) -> Scenario:
    (found,) = load_scenarios([name])
    return found
