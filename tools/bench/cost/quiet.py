"""What the responder costs while nothing is wrong: some hours of a quiet world, with heartbeats and digests."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from functions.domain.digests import Period
from functions.domain.heartbeat import EVERY_S
from functions.handlers import digest
from tools.bench.cost.meter import Meter, Metered, metered
from tools.chaos import samples
from tools.cost.prices import Item, Used
from tools.drill.deployment import DrillSettings
from tools.drill.engine import Json
from tools.drill.runner import clients_of
from tools.drill.scenario import Scenario, load_scenarios
from tools.drill.world.messages import from_queue
from tools.drill.world.world import World

HOURS_A_MONTH = 730
SETTLED_S = 2 * 3600.0
"""By then the releases are known to be good, and nobody watches them any more."""

MEASURED_S = 3600.0

RPS = 10
"""Requests of each service in a second: what their logs hold, which digests scan."""

DIGESTS_A_MONTH: Mapping[Period, float] = {Period.DAILY: 365 / 12, Period.WEEKLY: 365 / 12 / 7, Period.MONTHLY: 1}

OF_HEARTBEATS = ("intake", "assess", "close")
"""Nothing else makes these run in a quiet world."""

Given = Mapping[str, Any]


class Quiet(Metered):
    """As `Metered`, with heartbeats, and with what a digest asks of AWS that no world has."""

    def __init__(self, world: World, *, settings: DrillSettings, **rest: Any) -> None:
        super().__init__(world, settings=settings, **rest)
        self._where = settings

    @property
    def answering(self) -> Mapping[str, Callable[[Given], Json]]:
        return {
            **super().answering,
            "DescribeImageScanFindings": lambda given: {"imageScanStatus": {"status": "COMPLETE"}},
            "GetCostAndUsage": lambda given: {"ResultsByTime": []},
            "GetServiceQuota": lambda given: {"Quota": {"Value": 100.0}},
            "ListDetectors": lambda given: {"DetectorIds": []},
        }

    def beat(self) -> None:
        """The schedule of the heartbeat."""
        region, account, now = self._where.region, self._where.account, self._clock.now()
        beat = samples.heartbeat_event(account=account, region=region, time=f"{now:%Y-%m-%dT%H:%M:%SZ}")
        self.take(from_queue(beat, account=account, region=region, id=f"beat-{now:%H%M%S}", at=now))
        self._later(EVERY_S, self.beat)

    def tell(self, period: Period) -> None:
        """The schedule of one digest."""
        with self.invocation("digest"):
            digest.handler({"period": period.value}, self._context("digest"))


def quiet(services: int) -> Meter:
    """A month of it, by who uses what: `bake`, `sweep`, `heartbeat`, `digest`, and the custom `metrics`."""
    deployment, world = _deployed(services)
    with metered(world, deployment):
        deployment.beat()
        world.run_until(SETTLED_S)
        known, written, begun = _copied(deployment), set(deployment.metrics), len(deployment.engine.executions)
        transitions = deployment.transitions().total()
        world.run_until(SETTLED_S + MEASURED_S)
        found = _since(deployment, known)
        found["heartbeat"][Item.TRANSITION] = deployment.transitions().total() - transitions
        found["heartbeat"][Item.TRACE] = 2 * (len(deployment.engine.executions) - begun)
        times = HOURS_A_MONTH * 3600 / MEASURED_S
        month = Meter({who: Counter({i: n * times for i, n in used.items()}) for who, used in found.items()})
        # Charged for in each hour in which it is written: these are written in every hour.
        month.add("metrics", {Item.METRIC: len({name for name, _ in deployment.metrics - written})})
        for period, often in DIGESTS_A_MONTH.items():
            known = _copied(deployment)
            deployment.tell(period)
            told = _since(deployment, known)["digest"]
            month.add("digest", {item: amount * often for item, amount in told.items()})
    return month


def young() -> Used:
    """What it takes to watch one release until it is good, more than the rounds that are made anyway."""
    deployment, world = _deployed(1)
    with metered(world, deployment):
        world.run_until(SETTLED_S)
        known = _copied(deployment)
        world.run_until(2 * SETTLED_S)
        resting = _since(deployment, known)["bake"]
        return {item: n - resting[item] for item, n in known["bake"].items() if n > resting[item]}


def _deployed(services: int) -> tuple[Quiet, World]:
    scenario = _scenario(services)
    setting = scenario.setting
    world = World(setting, seed=0)
    settings = DrillSettings(region=setting.region, account=setting.account)
    return Quiet(world, clients=clients_of(setting.region), playbooks=scenario.playbooks, settings=settings), world


def _copied(deployment: Metered) -> Mapping[str, Counter[Item]]:
    return {who: Counter(used) for who, used in deployment.meter.items()}


def _since(deployment: Metered, before: Mapping[str, Counter[Item]]) -> Meter:
    found = Meter()
    for who, used in deployment.meter.items():
        known = before.get(who, Counter())
        more = {item: amount - known[item] for item, amount in used.items() if amount != known[item]}
        found.add("heartbeat" if who in OF_HEARTBEATS else who, more)
    return found


def _scenario(services: int) -> Scenario:
    """So many services, each with the README's first playbook, in which nothing happens."""
    said = {
        "title": "Nothing happens",
        "kind": "outage",
        "truth": {"says": "nothing is wrong", "cause": "unknown"},
        "playbook": {"alarms": [{"symptom": "error-rate"}, {"symptom": "healthy-hosts"}]},
        "world": {
            "services": [{"name": f"service-{n}", "tasks": 3, "traffic": {"base_rps": RPS}} for n in range(services)],
            "faults": [],
        },
    }
    with TemporaryDirectory() as directory:
        path = Path(directory) / "quiet.yaml"
        path.write_text(yaml.safe_dump(said))
        (scenario,) = load_scenarios([str(path)])
    return scenario
