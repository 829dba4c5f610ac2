"""A ledger full of incidents of many kinds, each played to some point in the drill's world by the responder itself."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from functions.adapters.memory_ledger import MemoryLedger
from functions.playbooks.schema import Playbook
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tools.drill.deployment import Deployment, DrillSettings
from tools.drill.runner import clients_of, quiet
from tools.drill.scenario import SHIPPED, Scenario, load_scenarios
from tools.drill.world import wire
from tools.drill.world.world import BEGINNING, World


@dataclass(frozen=True, kw_only=True)
class Play:
    """One scenario, played for a service of that name until so many seconds, or to its end."""

    scenario: str
    service: str
    mode: str = "auto"
    until_s: float | None = None
    seed: int = 1


PLAYS = (
    Play(scenario="release-fails-requests", service="orders"),
    Play(scenario="release-fails-requests", service="checkout", mode="ask", until_s=3000, seed=3),
    Play(scenario="stuck-tasks", service="catalogue"),
    Play(scenario="traffic-spike-with-room", service="search", until_s=3300),
    Play(scenario="database-down", service="accounts", until_s=3000),
    Play(scenario="zone-impaired", service="payments", mode="observe", until_s=2700),
    Play(scenario="one-bad-task", service="images"),
    Play(scenario="false-alarm", service="mail"),
)


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Several services of one responder."""

    ledger: MemoryLedger
    archive: FakeArchive
    clock: FakeClock
    playbooks: Sequence[Playbook]


def estate(plays: Sequence[Play] = PLAYS) -> Estate:
    """Play them, and put what is left of all of them into one ledger. Their clocks run at the same time."""
    latest = BEGINNING + timedelta(seconds=max(play.until_s or 0 for play in plays))
    clock, archive = FakeClock(latest), FakeArchive()
    merged = MemoryLedger(clock=clock, archive=archive)
    playbooks: list[Playbook] = []
    with quiet():
        for play in plays:
            scenario = _for(play)
            ledger, documents, ended = _played(play, scenario)
            _merge(merged, ledger)
            archive.documents.update(documents)
            playbooks += scenario.playbooks
            latest = max(latest, ended)
    clock.advance(seconds=max(0.0, (latest - clock.now()).total_seconds()))
    return Estate(ledger=merged, archive=archive, clock=clock, playbooks=playbooks)


def _for(play: Play) -> Scenario:
    """The scenario, with its service under another name."""
    text = (SHIPPED / f"{play.scenario}.yaml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / f"{play.scenario}.yaml"
        file.write_text(text.replace("name: orders\n", f"name: {play.service}\n"), encoding="utf-8")
        (scenario,) = load_scenarios([str(file)])
    playbooks = tuple(
        Playbook.model_validate(playbook.model_dump(by_alias=True) | {"mode": play.mode, "approval": {"expires": "1h"}})
        for playbook in scenario.playbooks
    )
    return Scenario(name=scenario.name, head=scenario.head, setting=scenario.setting, playbooks=playbooks)


def _played(play: Play, scenario: Scenario) -> tuple[Any, dict[str, str], datetime]:
    setting = scenario.setting
    world = World(setting, seed=play.seed)
    settings = DrillSettings(region=setting.region, account=setting.account)
    clients = clients_of(setting.region)
    deployment = Deployment(world, clients=clients, playbooks=scenario.playbooks, settings=settings)
    with wire.connected(world, deployment.answering), wire.calling("responder"), deployment.live():
        world.on_message(deployment.take)
        world.run_until(setting.horizon_s if play.until_s is None else play.until_s)
    documents = {f"s3://{bucket}/{key}": body.decode() for (bucket, key), body in world.objects.items()}
    return deployment.ledger, documents, max((event.at for event in deployment.trail()), default=BEGINNING)


def _merge(into: MemoryLedger, other: MemoryLedger) -> None:
    for name, records in vars(other).items():
        if isinstance(records, dict):
            getattr(into, name).update(records)
