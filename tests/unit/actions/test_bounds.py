"""The actions on the scalable target and its policies: how far they go, and how they are given back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.actions.action import Refusal, Terms
from functions.actions.registry import ACTIONS
from functions.domain.causes import Cause
from functions.domain.changes import (
    ActionName,
    Lease,
    LeaseKind,
    LeaseTerms,
    Plan,
    SetCeiling,
    SetFloor,
    SetTracking,
    giving_back,
)
from functions.domain.costs import BudgetFacts
from functions.domain.evidence import Metric, TrackingPolicyFacts
from functions.domain.findings import Findings
from tests.fakes.findings import NOW, deployment, findings, metrics, scaling, service, terms, without
from tests.fakes.world import REF

RESOURCE = "service/shop/orders"
RAISE, LOWER, TUNE = ActionName.RAISE_CEILING, ActionName.LOWER_CEILING, ActionName.TUNE_TRACKING
CAUSE = {RAISE: Cause.SCALING_CEILING, LOWER: Cause.RUNAWAY_COST, TUNE: Cause.OVERLOAD}
POLICY = TrackingPolicyFacts(name="cpu", metric="ECSServiceAverageCPUUtilization", target=70.0)


def crowded(**said: Any) -> Findings:
    """Ten tasks, as many as are allowed, and three times the load."""
    ordinary = {
        "service": service(desired=10, running=10),
        "metrics": metrics(
            now={Metric.REQUESTS: 30.0, Metric.CPU: 95.0}, before={Metric.REQUESTS: 10.0, Metric.TASKS: 10.0}
        ),
    }
    return findings(**(ordinary | said))


def wasteful(**said: Any) -> Findings:
    """Ten tasks where two ran before, at hardly any CPU, and no more load than before."""
    ordinary = {
        "service": service(desired=10, running=10),
        "metrics": metrics(now={Metric.CPU: 7.0, Metric.TASKS: 10.0}, before={Metric.TASKS: 2.0}),
    }
    return findings(**(ordinary | said))


ORDINARY = {RAISE: crowded(), LOWER: wasteful(), TUNE: findings(scaling=scaling(policies=(POLICY,)))}


def planned(action: ActionName, seen: Findings, given: Terms | None = None) -> Plan:
    plan = ACTIONS[action].plan(CAUSE[action], seen, given or terms())
    assert isinstance(plan, Plan), plan
    return plan


def refused(action: ActionName, seen: Findings, given: Terms | None = None) -> str:
    refusal = ACTIONS[action].plan(CAUSE[action], seen, given or terms())
    assert isinstance(refusal, Refusal), refusal
    return refusal.reason


def lease(kind: LeaseKind, *, original: float, value: float, policy: str = "") -> Lease:
    taken = LeaseTerms(kind=kind, resource_id=RESOURCE, policy=policy, original=original, value=value, duration_s=1800)
    return Lease(id="one", incident_id="inc-1", service_key=REF.key, terms=taken, taken_at=NOW, due_at=NOW)


@pytest.mark.parametrize("action", CAUSE)
@pytest.mark.parametrize("unread", ["service", "scaling", "metrics"])
def test_nothing_is_moved_on_what_was_not_read(action: ActionName, unread: str) -> None:
    """All of them rest on the service, its scalable target and its metrics."""
    assert "could not be read" in refused(action, without(ORDINARY[action], unread))


@pytest.mark.parametrize("action", CAUSE)
def test_nothing_is_registered_that_was_not(action: ActionName) -> None:
    """A service without a scalable target keeps its count."""
    seen = replace(ORDINARY[action], scaling=findings(scaling=scaling(registered=False)).scaling)
    assert "no scalable target" in refused(action, seen)


@pytest.mark.parametrize("action", CAUSE)
def test_every_stage_of_a_lease_takes_it_and_gives_back_what_was(action: ActionName) -> None:
    """What a lease sets is what its stage sets, and giving back is the same kind of change."""
    plan = planned(action, ORDINARY[action])
    taken = [plan.lease_of(stage) for stage in range(len(plan.changes))]
    assert [terms for terms in taken if terms is not None] == list(plan.leases)
    for change, leased in zip(plan.changes, taken, strict=True):
        assert leased is None or type(giving_back(leased)) is type(change)


# --- raise the ceiling


def test_the_ceiling_goes_first_and_the_floor_follows() -> None:
    """Under the old ceiling the floor would be refused; each is a lease of its own."""
    plan = planned(RAISE, crowded(), terms(max_tasks=40))
    assert plan.changes == (
        SetCeiling(resource_id=RESOURCE, maximum=23),
        SetFloor(resource_id=RESOURCE, minimum=18),
    )
    assert [(t.kind, t.original, t.value) for t in plan.leases] == [
        (LeaseKind.CEILING, 10, 23),
        (LeaseKind.FLOOR, 2, 18),
    ]


def test_the_second_stage_relies_on_what_the_first_one_set() -> None:
    """What the plan itself changed is no difference."""
    plan = planned(RAISE, crowded())
    assert plan.before.after(plan.changes[0]) == plan.before.model_copy(update={"maximum": 20})


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (crowded(scaling=scaling(scale_out_suspended=True)), "a person did"),
        (crowded(scaling=scaling(maximum=20)), "not in the way"),
        (crowded(scaling=scaling(maximum=40)), "not in the way"),
    ],
)
def test_a_ceiling_that_is_not_in_the_way_stays(seen: Findings, reason: str) -> None:
    """Room below it is for scaling out; what a person suspended stays so."""
    assert reason in refused(RAISE, seen)


def test_the_playbook_has_the_last_word_on_the_ceiling() -> None:
    """However many are needed."""
    assert "the playbook allows 10" in refused(RAISE, crowded(), terms(max_tasks=10))


COUNT = st.integers(1, 60)
RATE = st.none() | st.floats(0, 1e6, allow_nan=False)


@given(COUNT, COUNT, COUNT, COUNT, RATE, RATE, st.none() | st.floats(0, 100))
def test_neither_ceiling_nor_floor_is_lowered_by_raising(
    desired: int, minimum: int, maximum: int, allowed: int, now: float, before: float, cpu: float
) -> None:
    """Whatever the numbers: the floor stays below the ceiling, and the ceiling within the playbook."""
    seen = findings(
        service=service(desired=desired, running=desired),
        scaling=scaling(minimum=min(minimum, maximum), maximum=maximum),
        metrics=metrics(now={Metric.REQUESTS: now, Metric.CPU: cpu}, before={Metric.REQUESTS: before}),
    )
    plan = ACTIONS[RAISE].plan(Cause.SCALING_CEILING, seen, terms(max_tasks=allowed))
    if isinstance(plan, Refusal):
        return
    ceiling, floor = plan.changes
    assert isinstance(ceiling, SetCeiling)
    assert isinstance(floor, SetFloor)
    assert maximum < ceiling.maximum <= allowed
    assert min(minimum, maximum) < floor.minimum <= ceiling.maximum
    assert floor.minimum > desired


# --- lower the ceiling


def test_a_count_that_nobody_needs_goes_down_to_twice_what_is_needed() -> None:
    """Two tasks carry the load: four are left, and the ceiling says so. It is no lease, a person decides."""
    plan = planned(LOWER, wasteful())
    assert plan.changes == (SetCeiling(resource_id=RESOURCE, maximum=4),)
    assert plan.leases == ()
    assert "--min-capacity 2 --max-capacity 10" in plan.undo


def test_a_target_that_no_service_can_meet_is_no_measure() -> None:
    """It is what made the tasks run away: at 5 % CPU each, forty would be needed."""
    low = POLICY.model_copy(update={"target": 5.0})
    plan = planned(LOWER, wasteful(scaling=scaling(policies=(low,))))
    assert plan.changes == (SetCeiling(resource_id=RESOURCE, maximum=4),)


@pytest.mark.parametrize(("target", "floor"), [(70.0, 4), (40.0, 6), (5.0, 4)])
def test_scaling_out_aims_no_higher_than_the_policy_does(target: float, floor: int) -> None:
    """Or the autoscaler would add tasks right after; a target at which tasks idle does not count."""
    policy = POLICY.model_copy(update={"target": target})
    busy = metrics(now={Metric.REQUESTS: 30.0, Metric.CPU: 95.0})
    plan = ACTIONS[ActionName.SCALE_OUT].plan(
        Cause.OVERLOAD, findings(metrics=busy, scaling=scaling(policies=(policy,))), terms()
    )
    assert isinstance(plan, Plan)
    assert plan.changes == (SetFloor(resource_id=RESOURCE, minimum=floor),)


def test_a_floor_that_went_wrong_goes_back_to_what_ran_before() -> None:
    """A floor above the new ceiling cannot stay."""
    plan = planned(LOWER, wasteful(scaling=scaling(minimum=10)))
    assert plan.changes == (SetCeiling(resource_id=RESOURCE, maximum=4, minimum=2),)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"metrics": metrics(now={Metric.CPU: 7.0, Metric.REQUESTS: 12.0}, before={Metric.TASKS: 2.0})}, "more load"),
        ({"metrics": metrics(now={Metric.CPU: 7.0}, before={Metric.TASKS: None})}, "unknown"),
        ({"metrics": metrics(now={Metric.CPU: None}, before={Metric.TASKS: 2.0})}, "unknown"),
        ({"metrics": metrics(now={Metric.REQUESTS: None}, before={Metric.TASKS: 2.0})}, "unknown"),
        (
            {"metrics": metrics(now={Metric.CPU: 55.0, Metric.TASKS: 10.0}, before={Metric.TASKS: 2.0})},
            "have to be allowed",
        ),
        ({"metrics": metrics(now={Metric.CPU: 7.0}, before={Metric.TASKS: 10.0})}, "have to be allowed"),
        (
            {"service": service(desired=10, running=10, deployments=(deployment(), deployment(id="ecs-svc/0")))},
            "a deployment is under way",
        ),
    ],
)
def test_tasks_that_may_be_needed_are_left(said: Mapping[str, Any], reason: str) -> None:
    """There is more load, nobody knows, they work, they ran before, or a deployment is on the way."""
    assert reason in refused(LOWER, wasteful(**said))


@pytest.mark.parametrize(
    ("budget", "ceiling"),
    [
        (BudgetFacts(tasks=7), 7),
        (BudgetFacts(tasks=3), 4),
        (BudgetFacts(usd_per_day=6.5, task_usd_per_day=1.0), 6),
        (BudgetFacts(tasks=5, usd_per_day=9.0, task_usd_per_day=1.0), 5),
        (BudgetFacts(usd_per_day=6.5), 4),
    ],
)
def test_what_the_budget_allows_is_left(budget: BudgetFacts, ceiling: int) -> None:
    """It is meant to be paid for; what the load needs twice over is left even beyond the budget."""
    plan = planned(LOWER, wasteful(budget=budget))
    assert plan.changes == (SetCeiling(resource_id=RESOURCE, maximum=ceiling),)


@given(COUNT, COUNT, COUNT, st.floats(0.1, 60), st.floats(0, 100))
def test_no_budget_takes_away_what_is_needed(desired: int, allowed: int, least: int, ran: float, cpu: float) -> None:
    """Nor what it allows itself, nor what the playbook wants at least."""
    seen = findings(
        service=service(desired=desired, running=desired),
        scaling=scaling(maximum=200),
        budget=BudgetFacts(tasks=max(1, allowed)),
        metrics=metrics(now={Metric.CPU: cpu, Metric.TASKS: float(desired)}, before={Metric.TASKS: ran}),
    )
    plan = ACTIONS[LOWER].plan(CAUSE[LOWER], seen, terms(min_tasks=least))
    if isinstance(plan, Plan):
        (change,) = plan.changes
        assert isinstance(change, SetCeiling)
        assert desired > change.maximum >= max(allowed, least, ran, 2 * desired * cpu / 60)


def test_within_the_budget_nobody_scales_in() -> None:
    """However idle the tasks are."""
    assert "at least 10 have to be allowed" in refused(LOWER, wasteful(budget=BudgetFacts(tasks=10)))


def test_a_floor_under_lease_is_not_undercut() -> None:
    """It was raised for a reason, and comes back by itself."""
    held = terms(leases=(lease(LeaseKind.FLOOR, original=2, value=8),))
    assert planned(LOWER, wasteful(scaling=scaling(minimum=8)), held).changes == (
        SetCeiling(resource_id=RESOURCE, maximum=8),
    )


@given(COUNT, COUNT, COUNT, COUNT, st.floats(0.1, 60), st.floats(0, 100), st.floats(0, 100), st.floats(0.1, 100))
def test_what_is_left_is_enough(
    desired: int, minimum: int, maximum: int, least: int, ran: float, cpu: float, cpu_before: float, now: float
) -> None:
    """Never below what ran before, what the playbook wants, or the CPU that is used now at 60 %; and never raised."""
    seen = findings(
        service=service(desired=desired, running=desired),
        scaling=scaling(minimum=min(minimum, maximum), maximum=maximum),
        metrics=metrics(
            now={Metric.REQUESTS: now, Metric.CPU: cpu, Metric.TASKS: float(desired)},
            before={Metric.REQUESTS: 10.0, Metric.TASKS: ran, Metric.CPU: cpu_before},
        ),
    )
    plan = ACTIONS[LOWER].plan(Cause.RUNAWAY_COST, seen, terms(min_tasks=least, max_tasks=100))
    if isinstance(plan, Refusal):
        return
    (change,) = plan.changes
    assert isinstance(change, SetCeiling)
    assert max(ran, least, desired * cpu / 60) <= change.maximum < min(desired, maximum)
    assert change.minimum is None or least <= change.minimum <= change.maximum


# --- tune the tracking


def test_the_target_is_lowered_by_a_fifth_as_a_lease() -> None:
    """And never below what idles."""
    plan = planned(TUNE, ORDINARY[TUNE])
    assert plan.changes == (SetTracking(resource_id=RESOURCE, policy="cpu", target=56.0),)
    assert plan.before.tracking == 70.0
    assert [(t.kind, t.policy, t.original, t.value) for t in plan.leases] == [(LeaseKind.TRACKING, "cpu", 70.0, 56.0)]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"policies": None}, "could not be read"),
        ({"policies": ()}, "no policy tracks"),
        ({"policies": (POLICY.model_copy(update={"metric": "custom"}),)}, "no policy tracks"),
        ({"policies": (POLICY.model_copy(update={"target": 30.0}),)}, "aims at 30 % CPU already"),
        ({"policies": (POLICY,), "maximum": 2}, "no more are allowed"),
        ({"policies": (POLICY,), "scale_out_suspended": True}, "a person did"),
    ],
)
def test_a_target_that_would_not_help_stays(said: Mapping[str, Any], reason: str) -> None:
    """There is no such policy, it is low enough, or nothing could come of it."""
    assert reason in refused(TUNE, findings(scaling=scaling(**said)))


def test_a_target_under_lease_goes_back_to_what_it_was_before_both() -> None:
    """The second lease knows the value from before the first."""
    lowered = POLICY.model_copy(update={"target": 56.0})
    held = terms(leases=(lease(LeaseKind.TRACKING, original=70.0, value=56.0, policy="cpu"),))
    assert planned(TUNE, findings(scaling=scaling(policies=(lowered,))), held).leases[0].original == 70.0
