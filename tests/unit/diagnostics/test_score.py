"""The health score: what costs points, what is not known, and that nothing worse is ever better."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.diagnostics.registry import PROBES
from functions.diagnostics.score import LEAST_KNOWN, LOST_MOST, READS, VITAL, WEIGHTS, health_score
from functions.domain.dependencies import DependenciesFacts, DependencyFacts, DependencyState
from functions.domain.evidence import Metric, TargetFacts, TargetsFacts
from functions.domain.findings import Findings, Reading
from functions.domain.score import HealthScore, PartName, TargetLines
from tests.fakes.findings import dependencies, deployment, findings, metrics, service, without
from tests.fakes.world import GROUP

LINES = TargetLines()
OTHER_GROUP = GROUP.replace("orders", "orders-green")


def targets(*states: str, group: str = GROUP) -> TargetsFacts:
    return TargetsFacts(
        targets=tuple(
            TargetFacts(target_group=group, target=f"10.0.0.{n}", state=state, zone=f"eu-west-1{'ab'[n % 2]}")
            for n, state in enumerate(states)
        )
    )


def well(**said: Any) -> Findings:
    """Two tasks, two healthy targets, and what is given."""
    return findings(**({"targets": targets("healthy", "healthy")} | said))


def scored(seen: Findings, **lines: float) -> HealthScore:
    return health_score(seen, TargetLines.model_validate(lines))


def points(seen: Findings, part: PartName, **lines: float) -> float | None:
    return next(each.points for each in scored(seen, **lines).parts if each.name is part)


def reason(seen: Findings, part: PartName) -> str:
    return next(each.reason for each in scored(seen).parts if each.name is part)


def dependency(state: DependencyState, **figures: float) -> DependenciesFacts:
    named = {name.replace("_", " "): value for name, value in figures.items()}
    return DependenciesFacts(dependencies=(DependencyFacts(name="orders-db", state=state, detail="so", figures=named),))


def test_a_service_that_is_well_has_all_points() -> None:
    """Nothing that is missed costs nothing: 100 of 100, of all that there is to know."""
    found = scored(well())
    assert (found.score, found.known, found.reason) == (100, 1.0, "nothing costs points")
    assert found.costs == found.unknown == ()


def test_the_weights_make_a_hundred() -> None:
    """The weights are points of a hundred."""
    assert sum(WEIGHTS.values()) == 100


def test_it_reads_what_probes_need() -> None:
    """What the score reads, with what these probes need, is all there."""
    assert {need for name in READS for need in (*PROBES[name].needs, *PROBES[name].wants)} <= set(READS)


COSTS = {
    "a task is missing": (well(service=service(running=1)), PartName.TASKS, 10.0, "1 of 2 tasks run"),
    "a target is ill": (well(targets=targets("healthy", "unhealthy")), PartName.TARGETS, 10.0, "1 of 2 targets"),
    "a target is not there": (well(targets=targets("healthy")), PartName.TARGETS, 10.0, "1 of 2 targets"),
    "no target is there": (well(targets=targets()), PartName.TARGETS, 0.0, "0 of 2 targets"),
    "one target more is ill": (
        well(targets=targets("healthy", "healthy", "unhealthy")),
        PartName.TARGETS,
        13.3,
        "2 of 3 targets",
    ),
    "new ones are not there yet": (
        well(targets=targets("healthy", "healthy", "initial", "initial")),
        PartName.TARGETS,
        20.0,
        "2 of 2 targets",
    ),
    "one that drains is replaced": (
        well(targets=targets("healthy", "healthy", "draining")),
        PartName.TARGETS,
        20.0,
        "2 of 2 targets",
    ),
    "half as many fail as cost everything": (
        well(metrics=metrics(now={Metric.REQUESTS: 100.0, Metric.TARGET_5XX: 5.5})),
        PartName.ERRORS,
        12.5,
        "5.5 % of the requests fail (target 1 %)",
    ),
    "one of two fails at night": (
        well(metrics=metrics(now={Metric.REQUESTS: 0.01, Metric.TARGET_5XX: 0.005})),
        PartName.ERRORS,
        12.5,
        "but that is 1 in all",
    ),
    "only the load balancer counts failures": (
        well(metrics=metrics(now={Metric.REQUESTS: None, Metric.TARGET_5XX: None, Metric.ELB_5XX: 0.001})),
        PartName.ERRORS,
        0.0,
        "100.0 % of the requests fail",
    ),
    "slow": (
        well(metrics=metrics(now={Metric.LATENCY_P95: 4.5})),
        PartName.LATENCY,
        5.0,
        "p95 is 4.5 s (target 3 s)",
    ),
    "slow in the newest minute": (
        well(metrics=metrics(latest={Metric.LATENCY_P95: 60.0})),
        PartName.LATENCY,
        0.0,
        "p95 is 60.0 s",
    ),
    "CPU": (well(metrics=metrics(now={Metric.CPU: 85.0})), PartName.SATURATION, 5.0, "CPU is at 85 % (target 70 %)"),
    "memory": (well(metrics=metrics(now={Metric.MEMORY: 95.0})), PartName.SATURATION, 2.5, "memory is at 95 %"),
    "a deployment": (
        well(service=service(primary=deployment(rollout_state="IN_PROGRESS", running=1))),
        PartName.DEPLOYMENTS,
        2.5,
        "in progress: 1 of 2 new tasks run",
    ),
    "a failed deployment": (
        well(service=service(primary=deployment(rollout_state="FAILED"))),
        PartName.DEPLOYMENTS,
        0.0,
        "failed",
    ),
    "a dependency fails": (
        well(dependencies=dependencies(DependencyState.FAILING)),
        PartName.DEPENDENCIES,
        0.0,
        "orders-db is failing: said the test",
    ),
    "a dependency is slow": (well(dependencies=dependencies(DependencyState.SLOW)), PartName.DEPENDENCIES, 5.0, "slow"),
    "a database works hard": (
        well(dependencies=dependency(DependencyState.OK, cpu_percent=85.0)),
        PartName.DEPENDENCIES,
        7.5,
        "the CPU of orders-db is at 85 % (target 80 %)",
    ),
}


@pytest.mark.parametrize(("seen", "part", "left", "said"), COSTS.values(), ids=COSTS.keys())
def test_what_is_missed_costs_points(seen: Findings, part: PartName, left: float, said: str) -> None:
    """Each part loses points for its own facts alone, and says with the numbers why."""
    found = scored(seen)
    assert points(seen, part) == left
    assert said in reason(seen, part)
    assert {each.name for each in found.costs} <= {part}
    expected = LOST_MOST if left == 0 and part in VITAL else int(100 - WEIGHTS[part] + left)
    assert found.score == expected


@pytest.mark.parametrize(
    ("line", "value", "metric", "part"),
    [
        ("cpu_percent", 35.0, Metric.CPU, PartName.SATURATION),
        ("memory_percent", 40.0, Metric.MEMORY, PartName.SATURATION),
        ("p95_s", 0.4, Metric.LATENCY_P95, PartName.LATENCY),
    ],
)
def test_the_playbook_draws_the_line(line: str, value: float, metric: Metric, part: PartName) -> None:
    """What just keeps to a target of the playbook costs nothing; with a stricter target it does."""
    seen = well(metrics=metrics(now={metric: value}))
    assert points(seen, part, **{line: value}) == WEIGHTS[part]
    assert (points(seen, part, **{line: value / 1.5}) or 0.0) < WEIGHTS[part]


def test_nobody_served_is_never_nearly_well() -> None:
    """With a vital part lost, the rest cannot make up for it."""
    every = well(metrics=metrics(now={Metric.TARGET_5XX: 10.0}))
    assert scored(every).score == LOST_MOST
    assert scored(every).reason.startswith("40 at most: errors has nothing left; errors costs 25")
    assert scored(well(service=service(running=0), targets=targets())).score == LOST_MOST


@pytest.mark.parametrize(
    ("seen", "named"),
    [
        (without(well(), "metrics"), ("errors", "latency", "saturation")),
        (without(well(), "service"), ("tasks", "targets", "errors", "latency", "deployments")),
        (without(well(), "metrics", "targets"), ("targets", "errors", "latency", "saturation")),
    ],
)
def test_too_little_is_no_score(seen: Findings, named: tuple[str, ...]) -> None:
    """Where less is known than a score needs there is none, and what is not known is named with its reason."""
    found = scored(seen)
    assert found.score is None
    assert found.known < LEAST_KNOWN
    assert tuple(part.name for part in found.unknown) == named
    assert "is throttled" in found.reason


def test_what_is_not_known_counts_neither_way() -> None:
    """One part that could not be read is left out of the score, and named."""
    ill = {"metrics": metrics(now={Metric.LATENCY_P95: 6.0})}
    assert scored(well(**ill)).score == 90
    found = scored(without(well(**ill), "dependencies"))
    assert (found.score, found.known) == (88, 0.9)
    assert found.reason == (
        "latency costs 10: p95 is 6.0 s (target 3 s); "
        "dependencies is not known: the dependencies could not be read: dependencies is throttled"
    )


def test_without_requests_the_rest_tells() -> None:
    """At night, when no request is counted, there is a score of tasks, targets and load, which says so."""
    nothing = dict.fromkeys((Metric.REQUESTS, Metric.TARGET_5XX, Metric.LATENCY, Metric.LATENCY_P95))
    night = well(metrics=metrics(now=nothing))
    found = scored(night)
    assert (found.score, found.known) == (100, 1.0)
    assert [part.name for part in found.parts if not part.applies] == ["errors", "latency"]
    assert found.reason == "no requests were counted; nothing costs points"
    assert scored(without(night, "dependencies")).score == 100


def test_requests_without_response_times_are_not_well() -> None:
    """Where requests were counted and no response time was, nobody knows the latency."""
    found = scored(well(metrics=metrics(now={Metric.LATENCY_P95: None})))
    assert [part.reason for part in found.unknown] == ["no response times were measured"]


def test_what_a_service_does_not_have_is_not_asked_of_it() -> None:
    """A worker without load balancer and dependencies is judged by the rest, all of which is known."""
    worker = findings(service=service(target_groups=()), dependencies=dependencies(None))
    found = scored(worker)
    assert (found.score, found.known) == (100, 1.0)
    assert [part.name for part in found.parts if not part.applies] == ["targets", "errors", "latency", "dependencies"]
    assert scored(without(worker, "metrics")).score == 100


def test_a_service_that_nobody_wants_has_no_score() -> None:
    """Without a wanted task there is nothing to judge."""
    found = scored(well(service=service(desired=0, running=0)))
    assert found.score is None
    assert "no task is wanted" in found.reason


def test_the_idle_side_of_blue_and_green_does_not_count() -> None:
    """A target group that gets no traffic is left out; where none gets any, nobody knows."""
    both = TargetsFacts(
        targets=(*targets("healthy", "healthy").targets, *targets("unused", "unused", group=OTHER_GROUP).targets)
    )
    assert points(well(targets=both), PartName.TARGETS) == 20
    assert points(well(targets=targets("unused", "unused")), PartName.TARGETS) is None


def test_the_worst_target_group_counts() -> None:
    """A service behind two target groups is as well as the worse of the two."""
    fewer = targets("healthy", group=OTHER_GROUP)
    both = TargetsFacts(targets=(*targets("healthy", "healthy").targets, *fewer.targets))
    assert points(well(targets=both), PartName.TARGETS) == 10


def test_a_zone_that_gets_no_traffic_does_not_count() -> None:
    """While traffic is shifted out of a zone, what is ill there costs nothing."""
    seen = well(targets=targets("healthy", "unhealthy"))
    assert health_score(seen, LINES, away=frozenset({"eu-west-1b"})).score == 100
    assert health_score(seen, LINES, away=frozenset({"eu-west-1a"})).score == LOST_MOST


def test_one_that_nobody_knows_hides_none_that_fails() -> None:
    """A dependency that fails costs all points even if another could not be read; without it, nobody knows."""
    unknown = DependencyFacts(name="mail", state=DependencyState.UNKNOWN, detail="timed out")
    failing = DependencyFacts(name="orders-db", state=DependencyState.FAILING)
    fine = failing.model_copy(update={"state": DependencyState.OK})
    assert points(well(dependencies=DependenciesFacts(dependencies=(unknown, failing))), PartName.DEPENDENCIES) == 0
    assert points(well(dependencies=DependenciesFacts(dependencies=(unknown, fine))), PartName.DEPENDENCIES) is None


def test_its_json_has_the_score() -> None:
    """An interface can hand it out as it is: `.score` is a number, or null."""
    assert scored(well()).model_dump(mode="json")["score"] == 100
    assert scored(without(well(), "service")).model_dump(mode="json")["score"] is None
    assert HealthScore.model_validate(scored(well()).model_dump(mode="json")) == scored(well())


Facts = dict[str, Any]

ROLLOUTS = ("COMPLETED", "IN_PROGRESS", "FAILED")
GRAVER = (DependencyState.OK, DependencyState.SLOW, DependencyState.FAILING)

FACTS = st.fixed_dictionaries(
    {
        "desired": st.integers(0, 6),
        "running": st.integers(0, 8),
        "states": st.lists(st.sampled_from(["healthy", "unhealthy", "initial", "draining", "unused"]), max_size=6),
        "requests": st.none() | st.floats(0, 500),
        "errors": st.floats(0, 500),
        "p95": st.none() | st.floats(0, 20),
        "cpu": st.none() | st.floats(0, 150),
        "memory": st.none() | st.floats(0, 100),
        "rollout": st.sampled_from(ROLLOUTS),
        "dependencies": st.lists(st.sampled_from([*DependencyState]), max_size=3),
        "database": st.floats(0, 100),
        "fronted": st.booleans(),
        "unread": st.sets(st.sampled_from(READS)),
    }
)


def seen_with(facts: Facts) -> Findings:
    """What a look brings where these are the facts."""
    figures = {"cpu percent": facts["database"]}
    now = {
        Metric.REQUESTS: facts["requests"],
        Metric.TARGET_5XX: facts["errors"],
        Metric.LATENCY_P95: facts["p95"],
        Metric.CPU: facts["cpu"],
        Metric.MEMORY: facts["memory"],
    }
    fronted = facts["fronted"]
    return without(
        findings(
            service=service(
                primary=deployment(rollout_state=facts["rollout"]),
                desired=facts["desired"],
                running=facts["running"],
                target_groups=(GROUP,) if fronted else (),
            ),
            targets=targets(*facts["states"]) if fronted else targets(),
            metrics=metrics(now=now),
            dependencies=DependenciesFacts(
                dependencies=tuple(
                    DependencyFacts(name=f"dependency {n}", state=state, figures=figures)
                    for n, state in enumerate(facts["dependencies"])
                )
            ),
        ),
        *facts["unread"],
    )


@st.composite
def worsened(draw: st.DrawFn) -> tuple[Findings, Findings]:
    """A look, and one at the same service with one fact worse."""
    before: Facts = draw(FACTS)
    after = dict(before)
    figures = ["errors", "p95", "cpu", "memory"]
    what = draw(st.sampled_from([*figures, "running", "states", "rollout", "dependencies", "database"]))
    match what:
        case "running":
            after["running"] = draw(st.integers(0, before["running"]))
        case "states":
            ill = st.sampled_from(["unhealthy", "draining", "initial"])
            after["states"] = [draw(ill) if s == "healthy" and draw(st.booleans()) else s for s in before["states"]]
        case "rollout":
            after["rollout"] = draw(st.sampled_from(ROLLOUTS[ROLLOUTS.index(before["rollout"]) :]))
        case "dependencies":
            after["dependencies"] = [
                draw(st.sampled_from(GRAVER[GRAVER.index(state) :])) if state in GRAVER else state
                for state in before["dependencies"]
            ]
        case "database":
            after["database"] = draw(st.floats(before["database"], 100))
        case _ if before[what] is not None:
            after[what] = draw(st.floats(before[what], 1000))
    return seen_with(before), seen_with(after)


@given(FACTS)
def test_it_is_always_between_0_and_100(facts: Facts) -> None:
    """Whatever the facts, the score is a whole number from 0 to 100, or none."""
    found = health_score(seen_with(facts), LINES)
    assert found.score is None or 0 <= found.score <= 100
    assert 0 <= found.known <= 1
    assert all(part.points is None or 0 <= part.points <= part.weight for part in found.parts)
    assert found.score is None or found.score < 100 or not found.costs


@given(worsened())
def test_nothing_worse_is_better(looks: tuple[Findings, Findings]) -> None:
    """Facts that are worse never make the score higher."""
    before, after = (health_score(seen, LINES) for seen in looks)
    assert before.score is None or after.score is None or after.score <= before.score


@given(FACTS)
def test_what_could_not_be_read_is_never_well(facts: Facts) -> None:
    """With nothing read at all there is no score, and no part has points."""
    unread: dict[str, Any] = {name: Reading(error="throttled") for name in READS}
    nothing = replace(seen_with(facts), **unread)
    found = health_score(nothing, LINES)
    assert found.score is None
    assert all(part.points is None for part in found.parts)
