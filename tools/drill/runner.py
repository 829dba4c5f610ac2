"""Runs: one scenario with one seed under one policy, and many of them side by side."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

from functions.observability import logger
from tools.drill import measures
from tools.drill.deployment import Deployment, DrillSettings
from tools.drill.engine import Json
from tools.drill.policies.passive import Nobody
from tools.drill.policies.policy import Policy, Stage, signals_of
from tools.drill.policies.registry import POLICIES
from tools.drill.results import Mark, RunResult, Timeline
from tools.drill.scenario import Scenario
from tools.drill.switchboard import Switchboard
from tools.drill.world import wire
from tools.drill.world.constants import CONSTANTS, Constants
from tools.drill.world.world import STEP_S, Change, Tally, World

INTERVAL_S = 30
"""Length of an interval of a timeline."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as it was, before it is measured against others of the same seed."""

    stage: Stage
    tally: Tally
    actions: tuple[Change, ...]
    first_fault_s: float | None


@cache
def _telephone(region: str) -> tuple[wire.WiredClients, Switchboard]:
    """Clients take longer to make than a run takes to run, so a process makes them once."""
    clients = wire.WiredClients(region=region)
    return clients, Switchboard(clients)


def quiet() -> None:
    """The functions log and measure for CloudWatch; at the desk nobody reads that."""
    logger.setLevel("CRITICAL")
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    warnings.filterwarnings("ignore", message="No application metrics to publish")


def play(scenario: Scenario, policy: Policy, seed: int, *, constants: Constants = CONSTANTS) -> Run:
    """One run, from the beginning of the world to its horizon."""
    fitted = policy.fit_out(scenario)
    world = World(fitted.setting, seed=seed, constants=constants)
    settings = DrillSettings(region=fitted.setting.region, account=fitted.setting.account)
    clients, switchboard = _telephone(fitted.setting.region)
    deployment = Deployment(
        world, clients=clients, switchboard=switchboard, playbooks=fitted.playbooks, settings=settings
    )
    stage = Stage(scenario=fitted, world=world, clients=clients, deployment=deployment)
    with wire.connected(world), wire.calling(policy.name), policy.respond(stage) as take:
        world.on_message(_overheard(stage, take))
        world.run_until(fitted.setting.horizon_s)
    return Run(
        stage=stage,
        tally=world.tally,
        actions=tuple(c for c in world.changes if c.caller == policy.name and c.refused is None),
        first_fault_s=world.truth.began_at_s,
    )


def _overheard(stage: Stage, take: Callable[[Json], None]) -> Callable[[Json], None]:
    def heard(message: Json) -> None:
        for signal in signals_of(message):
            stage.note(Mark.ALARM, "world", signal.title)
        take(message)

    return heard
