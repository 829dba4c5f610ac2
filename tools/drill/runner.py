"""Runs: one scenario with one seed under one policy, and many of them side by side."""

import gc
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from multiprocessing import get_context

from functions.domain.causes import Cause
from functions.observability import logger
from tools.drill import measures
from tools.drill.deployment import Deployment, DrillSettings
from tools.drill.policies.policy import Policy, Stage
from tools.drill.policies.registry import POLICIES
from tools.drill.results import Mark, Note, RunResult, Timeline
from tools.drill.scenario import Scenario
from tools.drill.world import wire
from tools.drill.world.constants import CONSTANTS, Constants
from tools.drill.world.tally import STEP_S, Tally
from tools.drill.world.world import Change, World

INTERVAL_S = 30
"""Length of an interval of a timeline."""

METRICS_DISABLED = "POWERTOOLS_METRICS_DISABLED"
"""Environment variable by which Powertools for AWS Lambda prints no metrics."""

NOBODY = "none"

GARBAGE = (50_000, 10, 2)
"""Thresholds of the garbage collector in a process that makes many runs: those that it has by itself took a tenth of
the time. The oldest generation is small, because what the first job left is kept out of it, and holds whole worlds."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as it was, before it is measured against others of the same seed."""

    policy: str
    stage: Stage
    tally: Tally
    actions: tuple[Change, ...]
    first_fault_s: float | None
    rollbacks: tuple[tuple[float, float], ...]
    """From when to when ECS was rolling back."""


@cache
def clients_of(region: str) -> wire.WiredClients:
    """Clients take longer to make than a run takes, so a process makes them once."""
    return wire.WiredClients(region=region)


@contextmanager
def quiet() -> Iterator[None]:
    """The functions log and measure for CloudWatch; at the desk nobody reads that."""
    level, disabled = logger.log_level, os.environ.get(METRICS_DISABLED)
    logger.setLevel("CRITICAL")
    os.environ[METRICS_DISABLED] = "true"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No application metrics to publish")
            yield
    finally:
        logger.setLevel(level)
        if disabled is None:
            del os.environ[METRICS_DISABLED]
        else:
            os.environ[METRICS_DISABLED] = disabled


def play(scenario: Scenario, policy: Policy, seed: int, *, constants: Constants = CONSTANTS) -> Run:
    """One run, from the beginning of the world to its horizon."""
    fitted = policy.fit_out(scenario)
    world = World(fitted.setting, seed=seed, constants=constants)
    settings = DrillSettings(region=fitted.setting.region, account=fitted.setting.account)
    clients = clients_of(fitted.setting.region)
    deployment = Deployment(world, clients=clients, playbooks=fitted.playbooks, settings=settings)
    stage = Stage(scenario=fitted, world=world, clients=clients, deployment=deployment)
    with (
        wire.connected(world, deployment.answering),
        wire.calling(policy.name),
        policy.respond(stage) as take,
    ):
        world.on_message(take)
        world.run_until(fitted.setting.horizon_s)
    return Run(
        policy=policy.name,
        stage=stage,
        tally=world.tally,
        actions=tuple(c for c in world.changes if c.caller == policy.name and c.refused is None),
        first_fault_s=world.truth.began_at_s,
        rollbacks=tuple(rollbacks_of(world)),
    )


def play_seed(
    scenario: Scenario, policies: Sequence[str], seed: int, *, timeline: bool, constants: Constants = CONSTANTS
) -> list[RunResult]:
    """One seed under these policies, each measured against nobody's and the oracle's run of the same seed."""
    baseline = play(scenario, POLICIES[NOBODY], seed, constants=constants)
    found = []
    for name in policies:
        run = baseline if name == NOBODY else play(scenario, POLICIES[name], seed, constants=constants)
        found.append(_result(run, POLICIES[name], seed, baseline, timeline=timeline))
    return found


def _result(run: Run, policy: Policy, seed: int, baseline: Run, *, timeline: bool) -> RunResult:
    stage, scenario = run.stage, run.stage.scenario
    trouble = measures.trouble(_served(run))
    fault_s = None
    if trouble is not None:
        fault_s = trouble.began_s if run.first_fault_s is None else min(run.first_fault_s, trouble.began_s)
    recovered_s = None if trouble is None else trouble.ended_s
    named = None if stage.trail is None else measures.cause_named(stage.trail)
    return RunResult(
        scenario=scenario.name,
        policy=policy.name,
        seed=seed,
        ended_s=scenario.setting.horizon_s,
        fault_s=fault_s,
        alarm_s=first_alarm_s(stage),
        recovered_s=recovered_s,
        requests=sum(run.tally.requests),
        failed=sum(run.tally.failed),
        slow=sum(run.tally.slow),
        wasted=_wasted(run),
        actions=len(run.actions),
        escalated=bool(stage.paged_at),
        escalated_correctly=measures.escalated_correctly(
            scenario.truth, paged=bool(stage.paged_at), recovered=trouble is None or recovered_s is not None
        ),
        cause_named=None if named is None else named.cause,
        cause_first=None if stage.trail is None else measures.cause_first(scenario.truth, named, _begun(run, baseline)),
        harm=tuple(harm_of(run, baseline)),
        timeline=_timeline(run) if timeline else None,
    )


def _begun(run: Run, baseline: Run) -> list[tuple[str, datetime]]:
    """Faults by the time they began, with rollbacks that ECS would have begun by itself."""
    world = run.stage.world
    faults = [(trouble.kind, trouble.began_s) for trouble in world.faults.begun]
    return [
        (kind, world.moment(at_s))
        for kind, at_s in (*faults, *(("rollback", began) for began, _ in baseline.rollbacks))
    ]


def first_alarm_s(stage: Stage) -> float | None:
    """When the first alarm of a playbook changed to ALARM, whether anybody heard of it or not."""
    went_off = {f"{name} is ALARM:" for playbook in stage.scenario.playbooks for name in playbook.alarm_names}
    times = (h.at_s for h in stage.world.diary if h.kind == "alarm" and h.text.startswith(tuple(went_off)))
    return min(times, default=None)


def _served(run: Run) -> list[bool]:
    """For each step, whether every service met the goal."""
    goal = run.stage.scenario.setting.goal
    return [
        all(tally.served(step, **goal.model_dump()) for tally in run.stage.world.tallies.values())
        for step in range(len(run.tally.requests))
    ]


def _wasted(run: Run) -> float:
    most = run.stage.scenario.setting.goal.tasks_at_most
    return 0.0 if most is None else sum(tally.wasted(most) for tally in run.stage.world.tallies.values())


def _impact(run: Run) -> float:
    return measures.impact(run.tally) + _wasted(run)


def harm_of(run: Run, baseline: Run) -> Iterator[str]:
    """Each way in which a run did harm, against that of the same seed in which nobody responded."""
    if not run.actions and run.stage.scenario.setting == baseline.stage.scenario.setting:
        return
    lost = measures.more_was_lost(_impact(run), _impact(baseline))
    if lost is not None:
        yield lost
    if not run.actions:
        return
    for playbook in run.stage.scenario.playbooks:
        broken = measures.floor_broken(
            run.stage.world.tallies[playbook.service].healthy,
            baseline.stage.world.tallies[playbook.service].healthy,
            floor=playbook.limits.min_tasks,
            since_s=run.actions[0].at_s,
        )
        if broken is not None:
            yield f"{playbook.service}: {broken}"
    if run.stage.scenario.truth.cause is Cause.FALSE_ALARM:
        yield "it acted on a false alarm"
    if any(_fought(action, run.rollbacks) for action in run.actions):
        yield "it deployed on top of a rollback that was under way"


def _fought(action: Change, rollbacks: Sequence[tuple[float, float]]) -> bool:
    deploys = (
        action.operation == "UpdateService" and {"taskDefinition", "forceNewDeployment"} & action.parameters.keys()
    )
    return bool(deploys) and any(began < action.at_s <= ended for began, ended in rollbacks)


def rollbacks_of(world: World) -> Iterator[tuple[float, float]]:
    """From when to when ECS was rolling a deployment back."""
    for service in world.services.values():
        for record in service.records:
            if record.rollback_started_s is not None:
                yield record.rollback_started_s, world.seconds if record.finished_s is None else record.finished_s


def _timeline(run: Run) -> Timeline:
    tally, per = run.tally, INTERVAL_S // STEP_S

    def mean(series: Sequence[float]) -> tuple[float, ...]:
        parts = [series[at : at + per] for at in range(0, len(series), per)]
        return tuple(round(sum(part) / len(part), 3) for part in parts)

    def rate(series: Sequence[float]) -> tuple[float, ...]:
        return mean([count / STEP_S for count in series])

    def last(series: Sequence[float]) -> tuple[int, ...]:
        return tuple(round(series[min(at + per, len(series)) - 1]) for at in range(0, len(series), per))

    return Timeline(
        interval_s=INTERVAL_S,
        requests_rps=rate(tally.requests),
        failed_rps=rate(tally.failed),
        slow_rps=rate(tally.slow),
        tasks_desired=last(tally.desired),
        tasks_running=last(tally.running),
        tasks_healthy=last(tally.healthy),
        cpu_percent=mean(tally.cpu),
        latency_s=mean([tally.mean_latency_s(step) for step in range(len(tally.requests))]),
        notes=tuple(sorted([*run.stage.notes, *_world_notes(run)], key=lambda note: note.at_s)),
    )


_KINDS = {"fault": Mark.FAULT, "alarm": Mark.ALARM}


def _world_notes(run: Run) -> Iterator[Note]:
    """What the world did by itself, and changes by anybody but who responds."""
    world = run.stage.world
    for happening in world.diary:
        mark = _KINDS.get(happening.kind, Mark.CHANGE)
        yield Note(at_s=happening.at_s, mark=mark, actor=happening.kind, text=happening.text)
    for change in world.changes:
        if change.caller != run.policy:
            yield Note(at_s=change.at_s, mark=Mark.CHANGE, actor=change.caller, text=change.operation)


@dataclass(frozen=True, kw_only=True)
class Job:
    """The unit that goes to a process: one seed of a scenario, by its place in the list, under every policy."""

    scenario: int
    seed: int
    timeline: bool = False
    constants: Constants = CONSTANTS


@dataclass(frozen=True)
class Lot:
    """What all jobs have in common."""

    scenarios: tuple[Scenario, ...]
    policies: tuple[str, ...]

    def play(self, job: Job) -> list[RunResult]:
        scenario = self.scenarios[job.scenario]
        return play_seed(scenario, self.policies, job.seed, timeline=job.timeline, constants=job.constants)


_lot: Lot | None = None
"""In a process of the pool, which keeps it in no other place."""

_process = ExitStack()
"""What holds to the end of a process of the pool; a context that nobody keeps would end at once."""


def _begin(lot: Lot) -> None:
    global _lot
    _lot = lot
    _process.enter_context(quiet())


def _play(job: Job) -> list[RunResult]:
    if _lot is None:
        raise RuntimeError("this process was told nothing")
    found = _lot.play(job)
    keep()
    return found


@cache
def keep() -> None:
    """What is left after the first job, modules and clients, stays to the end: no collection has to go through it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def play_all(
    scenarios: Sequence[Scenario],
    policies: Sequence[str],
    jobs: Sequence[Job],
    *,
    processes: int,
    played: Callable[[int], None] = lambda runs: None,
) -> list[list[RunResult]]:
    """For each job, its runs by policy as listed. `played` hears how many runs were just done."""
    lot = Lot(tuple(scenarios), tuple(policies))
    found: list[list[RunResult]] = []

    def take(runs: list[RunResult]) -> None:
        found.append(runs)
        played(len(runs))

    if processes <= 1:
        with quiet():
            for job in jobs:
                take(lot.play(job))
    else:
        # Started anew, not forked: a progress bar's thread may hold a lock right now.
        context = get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(lot,)) as pool:
            for runs in pool.map(_play, jobs):
                take(runs)
    return found
