"""Runs: one with what it is told to break, or every point of one, each in a process that forks off right there.

A run is determined by its scenario and its seed. So the run is made once, and at every point where something can break
the process forks: the child goes on with it broken, to the end, and the parent goes on as if nothing had happened.
"""

import os
import pickle
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

from functions.domain.incidents import IncidentStatus
from tools.chaos.breaks import Break, Breaks, Choose, Weather
from tools.chaos.deployment import FragileDeployment, Invocation
from tools.chaos.played import Played
from tools.chaos.promises import BROKE, SERVED_S, OfService, Violation, of_service, violations
from tools.drill.deployment import DrillSettings
from tools.drill.policies.ours import Responder
from tools.drill.policies.policy import Stage
from tools.drill.policies.registry import POLICIES
from tools.drill.runner import NOBODY, Run, clients_of, harm_of, play, rollbacks_of
from tools.drill.scenario import Scenario
from tools.drill.world import wire
from tools.drill.world.chance import Chance
from tools.drill.world.world import World

CALM_S = 300.0
"""After the horizon nothing breaks any more; so often it is looked whether everything has come to rest."""

RESTLESS_S = 3600.0
"""How long the undisturbed run has for it. Where it has not come to rest by then, no other run is asked to."""

LONGEST_CALM_S = 14_400.0
"""How long the others have: the longest lease, the longest pause between two looks, and some sweeps more."""

MENDED_S = 2400.0
"""So long the world goes on after the last thing broke: a message is received five times in half an hour, and the sweep
and its repetitions come in between."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one run."""

    scenario: str
    seed: int
    breaks: tuple[str, ...]
    """What broke, as `--break` takes it."""
    weather: int | None = None
    happened: int = 0
    """How many things broke."""
    calls: int = 0
    points: int = 0
    """Points of the run that this outcome stands for."""
    violations: tuple[Violation, ...] = ()

    @property
    def replay(self) -> str:
        """The command that makes this run again."""
        what = [f"--break {each}" for each in self.breaks]
        what += [] if self.weather is None else [f"--weather {self.weather}"]
        return f"python -m tools.chaos replay --scenario {self.scenario} --seed {self.seed} {' '.join(what)}".strip()


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """What runs are compared with: the same seed with nothing broken, and with nobody responding."""

    services: Mapping[str, OfService]
    nobody: Run
    calm_s: float
    """How long after the horizon another run may take to come to rest."""
    violations: tuple[Violation, ...] = ()
    calls: int = 0


def undisturbed(scenario: Scenario, seed: int) -> Undisturbed:
    """The two runs of one seed."""
    nobody = play(scenario, POLICIES[NOBODY], seed)

    def judge(played: Played) -> Undisturbed:
        services = {playbook.service: of_service(played, playbook.service) for playbook in scenario.playbooks}
        return Undisturbed(
            services=services,
            nobody=nobody,
            calm_s=LONGEST_CALM_S if _at_rest(played) else RESTLESS_S,
            violations=tuple(violations(played, services)),
            calls=played.breaks.calls,
        )

    return _play(scenario, seed, nobody, calm_s=RESTLESS_S, judge=judge)


def replay(
    scenario: Scenario,
    seed: int,
    against: Undisturbed,
    *,
    breaks: Sequence[str] = (),
    weather: int | None = None,
    deploy: type[FragileDeployment] = FragileDeployment,
) -> tuple[Outcome, tuple[str, ...]]:
    """One run in which these breaks happen, each written as `kill@17+`, in this weather, and what happened in it.

    `deploy` is for tests, which deploy responders that break promises."""
    planned: dict[str, Break] = {}
    for each in breaks:
        what, _, point = each.partition("@")
        planned[point] = Break(what)

    def choose(point: str, options: Sequence[Break], invocation: Invocation) -> Break | None:
        return planned[point] if planned.get(point) in options else None

    def judge(played: Played) -> tuple[Outcome, tuple[str, ...]]:
        outcome = Outcome(
            scenario=scenario.name,
            seed=seed,
            breaks=tuple(breaks),
            weather=weather,
            happened=len(played.breaks.happened),
            calls=played.breaks.calls,
            violations=tuple(violations(played, against.services)),
        )
        return outcome, tuple(_told(played))

    calm_s, nobody = against.calm_s, against.nobody
    return _play(scenario, seed, nobody, calm_s=calm_s, judge=judge, choose=choose, weather=weather, deploy=deploy)


def _told(played: Played) -> Iterator[str]:
    """What happened in a run, line by line."""
    lines = [(at_s, f"BROKE {what}") for at_s, what in played.breaks.happened]
    lines += [
        (effect.at_s, f"EFFECT {effect.operation} at {effect.point} by {effect.function}: {dict(effect.parameters)}")
        for effect in played.breaks.effects
    ]
    lines += [(at_s, f"PAGE {text}") for at_s, text in played.deployment.failures]
    lines += [
        (
            played.seconds(event.at),
            f"{event.incident_id} {event.sequence} {event.fact}: {event.summary}",
        )
        for event in played.deployment.trail()
    ]
    return (f"{at_s:8.0f} s  {text}" for at_s, text in sorted(lines, key=lambda line: line[0]))


@dataclass
class Explorer:
    """Chooses nothing in the first process, and at each point everything that can break, in a process of its own.

    `share` of the points are taken, drawn by their names. `twice`: whoever makes up for a function that died dies, too,
    at each of its own points. A sweep or a bake that dies before it did anything left nothing to make up for: what its
    repetition does is what the next one on the schedule does, whose points are taken anyway.
    """

    scenario: Scenario
    seed: int
    share: float
    twice: bool
    told: Callable[[Outcome], None]
    broken: list[str] = field(default_factory=list)
    """What broke so far in this process; none in the first one."""
    found: list[Outcome] = field(default_factory=list)
    """Of the processes that were forked."""
    pipe: int | None = None
    left: bool = False
    """What died left something to make up for."""

    def __call__(self, point: str, options: Sequence[Break], invocation: Invocation) -> Break | None:
        if self.broken:
            again = self.twice and self.left and len(self.broken) == 1 and _makes_up(invocation, point)
            options = (Break.KILL,) if again and Break.KILL in options else ()
        for option in options:
            named = f"{option}@{point}"
            drawn = Chance(self.seed).share(f"{self.scenario.name}/{'/'.join(self.broken)}/{named}")
            if drawn < self.share and self._forked(named):
                scheduled = invocation.function in ("sweep", "bake") and point.endswith("-")
                self.left = option is Break.KILL and not scheduled
                return option
        return None

    def _forked(self, named: str) -> bool:
        """Fork; True in the child. The parent waits for what comes of it."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            if self.pipe is not None:
                os.close(self.pipe)
            self.pipe, self.found = writing, []
            self.broken = [*self.broken, named]
            return True
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        found = pickle.loads(told) if told else [self._outcome(violations=(_died(named),))]
        self.found += found
        if self.pipe is None:
            for outcome in found:
                self.told(outcome)
        return False

    def _outcome(self, **known: object) -> Outcome:
        return Outcome(scenario=self.scenario.name, seed=self.seed, breaks=tuple(self.broken), **known)  # type: ignore[arg-type]

    def explore(self, against: Undisturbed) -> list[Outcome]:
        """Every point of the run; the outcomes of all runs that were made on the way."""

        def judge(played: Played) -> Outcome:
            return self._outcome(
                happened=len(played.breaks.happened),
                calls=played.breaks.calls,
                violations=tuple(violations(played, against.services)),
            )

        try:
            outcome = _play(self.scenario, self.seed, against.nobody, calm_s=against.calm_s, judge=judge, choose=self)
            if self.pipe is not None:
                self._tell([outcome, *self.found])
        except BaseException as broke:
            if self.pipe is None:
                raise
            said = "".join(traceback.format_exception(broke)[-3:])
            self._tell([self._outcome(violations=(Violation(promise=BROKE, says=said),)), *self.found])
        return self.found

    def _tell(self, found: list[Outcome]) -> None:
        """Tell the parent, and end here: what comes next in this process belongs to somebody else."""
        if self.pipe is None:
            raise RuntimeError("nobody forked this process")
        with os.fdopen(self.pipe, "wb") as pipe:
            pickle.dump(found, pipe)
        os._exit(0)


def _makes_up(invocation: Invocation, point: str) -> bool:
    """Whether somebody makes up here for a function that died: a sweep does by what it writes."""
    return invocation.again or (invocation.function == "sweep" and point.endswith("+"))


def _died(named: str) -> Violation:
    return Violation(promise=BROKE, says=f"the process of {named} ended without a word")


def _play(
    scenario: Scenario,
    seed: int,
    nobody: Run,
    *,
    calm_s: float,
    judge: Callable[[Played], T],
    choose: Choose = lambda point, options, invocation: None,
    weather: int | None = None,
    deploy: type[FragileDeployment] = FragileDeployment,
) -> T:
    """To the horizon, and on until everything has come to rest, but no longer than `calm_s`."""
    world = World(scenario.setting, seed=seed)
    desk = scenario.head.desk
    settings = DrillSettings(region=scenario.setting.region, account=scenario.setting.account, contain=desk is not None)
    clients = clients_of(scenario.setting.region)
    deployment = deploy(world, clients=clients, playbooks=scenario.playbooks, settings=settings)
    horizon_s = scenario.setting.horizon_s
    foul = None if weather is None else Weather.of(weather, until_s=horizon_s)
    breaks = Breaks(world, deployment, choose=choose, weather=foul)
    played = Played(scenario=scenario, world=world, deployment=deployment, breaks=breaks, began=world.now)
    policy = Responder()
    with (
        wire.connected(world, deployment.answering, around=breaks.around),
        wire.calling(policy.name),
        deployment.live(),
        nullcontext() if desk is None else deployment.staffed(desk),
    ):
        world.on_message(deployment.take)
        world.run_until(horizon_s)
        stage = Stage(scenario=scenario, world=world, clients=clients, deployment=deployment)
        # What people order is no harm that the responder does by itself.
        played.harm = tuple(_harm(stage, nobody)) if desk is None or desk.orders is None else ()
        while not _at_rest(played) and world.seconds < horizon_s + calm_s:
            world.run_until(world.seconds + CALM_S)
        world.run_until(world.seconds + SERVED_S)
        while world.seconds < played.broke_last_s + MENDED_S:
            world.run_until(played.broke_last_s + MENDED_S)
        return judge(played)


def _harm(stage: Stage, nobody: Run) -> Iterable[str]:
    """What the drill calls harm, until now."""
    run = Run(
        policy=Responder.name,
        stage=stage,
        tally=stage.world.tally,
        actions=tuple(c for c in stage.world.changes if c.caller == Responder.name and c.refused is None),
        first_fault_s=stage.world.truth.began_at_s,
        rollbacks=tuple(rollbacks_of(stage.world)),
    )
    return harm_of(run, nobody)


def _at_rest(played: Played) -> bool:
    """Whether nothing is open, out or under way: what still is in the undisturbed run stays so to the end."""
    ledger = played.deployment.ledger
    if any(incident.status is IncidentStatus.OPEN for incident in played.incidents):
        return False
    return not any(ledger.service_leases(playbook.ref) for playbook in played.scenario.playbooks)
