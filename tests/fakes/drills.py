"""Results of a drill that was never run, of any size, the same each time."""

from collections.abc import Iterable, Sequence
from random import Random

from tools.drill.measures import percentile
from tools.drill.results import (
    Mark,
    Note,
    PolicyNote,
    Results,
    RunResult,
    ScenarioNote,
    Spread,
    Summary,
    Timeline,
    Variation,
)

_POLICIES = {
    "none": ("Nobody does anything.", 40.0, 0.3),
    "native": ("The circuit breaker, rollback by alarms, and target tracking.", 20.0, 0.5),
    "restart": ("A new deployment at every alarm.", 25.0, 0.4),
    "runbook": ("The runbook's steps in the order in which it lists them.", 8.0, 0.8),
    "person": ("The right action, after the runbook's response time.", 6.0, 0.9),
    "oracle": ("Knows the fault, and acts at the first alarm.", 1.0, 1.0),
    "responder": ("The first responder with its playbook.", 1.4, 0.96),
}
_KINDS = ("outage", "performance", "database", "security")


def drill_results(
    *,
    scenarios: int = 2,
    policies: Sequence[str] = tuple(_POLICIES),
    seeds: int = 3,
    timelines: bool = True,
    harm: Sequence[str] = ("users lost 412 requests, 96 more than without any action",),
    variations: bool = True,
    names: Sequence[str] = (),
    harmed: str = "restart",
    said: str = "likeliest cause: bad-release (0.90)",
) -> Results:
    """Results in which impact and recovery are drawn so that policies differ as one would expect.

    Args:
        harm: why the first run of the policy `harmed` counts as harmful, in each scenario.
        said: what a note of every timeline says, and the title of every scenario.
    """
    titles = [names[i] if i < len(names) else f"scenario-{i + 1}" for i in range(scenarios)]
    runs = [
        _run(
            scenario, policy, seed, timelines=timelines, harm=harm if policy == harmed and seed == 1 else (), said=said
        )
        for scenario in titles
        for policy in policies
        for seed in range(1, seeds + 1)
    ]
    by_policy = {p: _summary([r for r in runs if r.policy == p], runs) for p in policies}
    return Results(
        seeds=seeds,
        scenarios=tuple(
            ScenarioNote(
                name=name,
                kind=_KINDS[i * len(_KINDS) // scenarios],
                title=f"What happens in {name}: {said}",
                truth="The new release fails two fifths of its requests.",
                fixable=i % 3 != 2,
                people=i % 3 == 2,
            )
            for i, name in enumerate(titles)
        ),
        policies=tuple(PolicyNote(name=p, title=_POLICIES[p][0]) for p in policies),
        by_policy=by_policy,
        by_scenario={
            name: {p: _summary([r for r in runs if r.scenario == name and r.policy == p], runs) for p in policies}
            for name in titles
        },
        runs=tuple(runs),
        variations=tuple(Variation(constant="task start", factor=factor, by_policy=by_policy) for factor in (0.5, 1.5))
        if variations
        else (),
    )


def _run(scenario: str, policy: str, seed: int, *, timelines: bool, harm: Sequence[str], said: str) -> RunResult:
    chance = Random(f"{scenario} {policy} {seed}")
    _, worse, recovers = _POLICIES[policy]
    factor = Random(f"{scenario} {seed}").lognormvariate(0, 0.8) * worse * chance.lognormvariate(0, 0.3)
    recovered = chance.random() < recovers
    after = min(120 + 110 * factor * chance.uniform(0.7, 1.3), 3000.0)
    requests = 3600 * 40.0
    failed = round(min(30 * factor * 20, requests / 2), 1)
    ended, fault = 3600.0, 300.0
    return RunResult(
        scenario=scenario,
        policy=policy,
        seed=seed,
        ended_s=ended,
        fault_s=fault,
        alarm_s=fault + 180,
        recovered_s=fault + after if recovered else None,
        requests=requests,
        failed=failed,
        slow=round(failed / 5, 1),
        actions=0 if policy == "none" else 1,
        escalated=not recovered,
        escalated_correctly=recovered,
        cause_named="bad-release" if policy == "responder" else None,
        cause_first=recovered if policy == "responder" else None,
        harm=tuple(harm),
        timeline=_timeline(chance, fault, fault + after if recovered else ended, said) if timelines else None,
    )


def _timeline(chance: Random, fault: float, until: float, said: str) -> Timeline:
    interval, points = 30.0, 120
    bad = [fault <= i * interval < until for i in range(points)]
    rps = [40 + chance.uniform(-2, 2) for _ in range(points)]
    healthy = [3 - (chance.random() < 0.3) if b else 3 for b in bad]
    return Timeline(
        interval_s=interval,
        requests_rps=rps,
        failed_rps=[0.4 * r if b else 0.0 for r, b in zip(rps, bad, strict=True)],
        slow_rps=[0.1 * r if b else 0.0 for r, b in zip(rps, bad, strict=True)],
        tasks_desired=[3] * points,
        tasks_running=[3] * points,
        tasks_healthy=healthy,
        cpu_percent=[45 + chance.uniform(-4, 4) + 20 * b for b in bad],
        latency_s=[0.12 + 0.6 * b + chance.uniform(0, 0.03) for b in bad],
        notes=(
            Note(at_s=fault, mark=Mark.FAULT, actor="world", text="release 2 is shipped; it fails 40 % of requests"),
            Note(at_s=fault + 180, mark=Mark.ALARM, actor="intake", text="orders-errors is ALARM"),
            Note(at_s=fault + 182, mark=Mark.THOUGHT, actor="assess", text=said),
            Note(at_s=fault + 183, mark=Mark.THOUGHT, actor="assess", text="act: roll back from orders:2 to orders:1"),
            Note(at_s=fault + 184, mark=Mark.ACTION, actor="remediate", text="the service was set to orders:1"),
            Note(at_s=until, mark=Mark.RECOVERED, actor="world", text="users get answers again"),
        ),
    )


def _summary(runs: Sequence[RunResult], every: Iterable[RunResult]) -> Summary:
    best = {(r.scenario, r.seed): r for r in every if r.policy == "oracle"}
    compared = [(r.impact + 1) / (best[r.scenario, r.seed].impact + 1) for r in runs if (r.scenario, r.seed) in best]
    recovery = [r.recovery_s if r.recovery_s is not None else r.ended_s - (r.fault_s or 0) for r in runs]
    slower = [
        (mine + 1) / ((best[r.scenario, r.seed].recovery_s or 0) + 1)
        for r, mine in zip(runs, recovery, strict=True)
        if (r.scenario, r.seed) in best
    ]
    return Summary(
        runs=len(runs),
        troubled=len(runs),
        recovered=sum(r.recovered_s is not None for r in runs),
        escalated_correctly=sum(r.escalated_correctly for r in runs),
        impact_median=percentile([r.impact for r in runs], 50) or 0.0,
        impact_ratio_to_oracle=_spread(compared),
        recovery_s=_spread(recovery),
        recovery_from_alarm_s=_spread([seconds - 180 for seconds in recovery]),
        recovery_ratio_to_oracle=_spread(slower),
        actions=sum(r.actions for r in runs),
        harmful=sum(bool(r.harm) for r in runs),
        cause_first=sum(bool(r.cause_first) for r in runs) if runs[0].cause_first is not None else None,
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(p50=percentile(values, 50), p95=percentile(values, 95))
