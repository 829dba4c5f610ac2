"""What each action plans, and when it makes no plan at all."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.actions.action import Refusal, Terms
from functions.actions.registry import ACTIONS
from functions.actions.scale_out import plan_scale_out
from functions.domain.causes import Cause
from functions.domain.changes import (
    COPY_JUST_REGISTERED,
    ActionName,
    Change,
    ForceNewDeployment,
    Lease,
    LeaseTerms,
    Plan,
    RegisterCopy,
    SetCount,
    SetFloor,
    SetTaskDefinition,
    StopDeployment,
)
from functions.domain.circumstances import SecretFacts, SecretsFacts
from functions.domain.evidence import Metric, ReleaseState, TaskFacts, TasksFacts
from functions.domain.findings import READINGS, Findings
from tests.fakes.findings import (
    JUST_NOW,
    NOW,
    deployment,
    findings,
    metrics,
    newly_released,
    release,
    releases,
    revision,
    scaling,
    service,
    service_deployment,
    terms,
    without,
)
from tests.fakes.world import REF, V1, V2

RESOURCE = "service/shop/orders"
TERMS = terms()
CAUSE = {
    ActionName.ROLL_BACK: Cause.BAD_RELEASE,
    ActionName.SCALE_OUT: Cause.OVERLOAD,
    ActionName.FORCE_NEW_DEPLOYMENT: Cause.STUCK_TASKS,
}
"""The three that plan something on an ordinary day; the others have their own tests beside this one."""
SCALE = ActionName.SCALE_OUT
BACK = ActionName.ROLL_BACK
FORCE = ActionName.FORCE_NEW_DEPLOYMENT


def planned(action: ActionName, seen: Findings, terms: Terms = TERMS) -> Plan:
    plan = ACTIONS[action].plan(CAUSE[action], seen, terms)
    assert isinstance(plan, Plan), plan
    return plan


def refused(action: ActionName, seen: Findings, terms: Terms = TERMS) -> str:
    refusal = ACTIONS[action].plan(CAUSE[action], seen, terms)
    assert isinstance(refusal, Refusal), refusal
    return refusal.reason


def lease(*, original: int, value: int) -> Lease:
    return Lease(
        id="one",
        incident_id="inc-before",
        service_key=REF.key,
        terms=LeaseTerms(resource_id=RESOURCE, original=original, value=value, duration_s=1800),
        taken_at=NOW,
        due_at=NOW + timedelta(minutes=30),
    )


def test_no_change_carries_a_desired_count() -> None:
    """The desired count belongs to the autoscaler and to people: only the change that a person orders could set it."""
    kinds = [kind for kind in get_args(get_args(Change)[0]) if kind is not SetCount]
    fields = {name for kind in kinds for name in kind.model_fields}
    assert not any("desired" in name or "count" in name for name in fields)


@pytest.mark.parametrize("action", CAUSE)
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"status": "DRAINING"}, "the service is DRAINING"),
        ({"status": "INACTIVE"}, "the service is INACTIVE"),
        ({"desired": 0, "running": 0}, "set to 0 tasks, which a person did"),
    ],
)
def test_a_service_that_is_going_or_was_stopped_is_left_alone(
    action: ActionName, said: Mapping[str, Any], reason: str
) -> None:
    """A person set it to 0 or deletes it: no action touches it."""
    assert reason in refused(action, findings(service=service(**said)))


@pytest.mark.parametrize("action", [BACK, FORCE])
@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_other_deployment_controllers_take_no_deployment_of_ours(action: ActionName, controller: str) -> None:
    """UpdateService refuses them, so the plan does."""
    assert controller in refused(action, findings(service=service(controller=controller)))


NEEDED = {BACK: {"service", "releases"}, FORCE: {"service", "releases"}, SCALE: {"service", "scaling", "metrics"}}


@pytest.mark.parametrize("action", CAUSE)
@given(unread=st.sets(st.sampled_from(READINGS)))
def test_a_plan_is_made_of_what_was_read(action: ActionName, unread: set[str]) -> None:
    """Without a reading that it rests on there is no plan; without any other there is."""
    made = ACTIONS[action].plan(CAUSE[action], without(findings(), *unread), TERMS)
    assert isinstance(made, Refusal) == bool(unread & NEEDED[action])


def test_every_plan_says_how_it_is_undone_and_what_it_relies_on() -> None:
    """For people, and for the look just before the action."""
    for action in CAUSE:
        plan = planned(action, findings())
        assert plan.undo
        assert plan.summary
        assert (plan.settle_s, plan.deadline_s) == (90, 600)
        assert plan.before.task_definition == V2
        assert plan.before.primary_deployment == "ecs-svc/1"
        assert (plan.before.minimum is None) == (action is not SCALE)


# --- roll back


def test_a_rollback_sets_the_last_known_good() -> None:
    """One change, to the release that was found; what runs now is declared bad."""
    plan = planned(BACK, newly_released())
    assert plan.changes == (SetTaskDefinition(task_definition=V1),)
    assert plan.quarantine == V2
    assert "--cluster shop --service orders --task-definition orders:2" in plan.undo


def test_an_inactive_release_is_copied_first() -> None:
    """ECS takes no INACTIVE task definition."""
    plan = planned(BACK, newly_released(releases=releases(since=JUST_NOW, last_known_good_active=False)))
    assert plan.changes == (
        RegisterCopy(task_definition=V1),
        SetTaskDefinition(task_definition=COPY_JUST_REGISTERED),
    )


@pytest.mark.parametrize("status", ["PENDING", "IN_PROGRESS", "STOP_REQUESTED"])
def test_a_deployment_in_flight_is_stopped_instead(status: str) -> None:
    """ECS itself goes back then, and the old tasks that still run are kept."""
    flight = service_deployment(status)
    plan = planned(BACK, newly_released(releases=releases(since=JUST_NOW, service_deployments=(flight,))))
    assert plan.changes == (StopDeployment(service_deployment=flight.arn),)
    assert plan.quarantine == V2


def test_a_deployment_in_flight_is_left_to_people_where_ecs_would_go_back_to_a_quarantined_release() -> None:
    """ECS knows of no quarantine, and asks nobody."""
    before = service_deployment("SUCCESSFUL", target_revision="arn:revision/1")
    flights = (service_deployment("IN_PROGRESS", target_revision="arn:revision/2"), before)
    known = release(V1, state=ReleaseState.QUARANTINED, reason="ann: it lies")
    about: dict[str, Any] = {
        "since": JUST_NOW,
        "service_deployments": flights,
        "revisions": (revision("arn:revision/1", V1),),
    }
    seen = newly_released(releases=releases(**about, history=(known,)))
    assert refused(BACK, seen) == "ECS would go back to what ran before, and orders:1 is quarantined: ann: it lies"
    free = known.model_copy(update={"state": ReleaseState.SEEN})
    assert planned(BACK, newly_released(releases=releases(**about, history=(free,)))).quarantine == V2


@pytest.mark.parametrize("status", ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"])
def test_a_rollback_of_ecs_is_left_alone(status: str) -> None:
    """Touch nothing, verify."""
    seen = newly_released(releases=releases(service_deployments=(service_deployment(status),)))
    assert refused(BACK, seen) == "ECS is rolling back by itself"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"last_known_good": None, "last_known_good_reason": "no other release"}, "no other release"),
        ({"differs_beyond_task_definition": True}, "more than the task definition changed"),
        ({"differs_beyond_task_definition": None}, "nobody recorded"),
    ],
)
def test_without_a_sure_way_back_there_is_no_rollback(said: Mapping[str, Any], reason: str) -> None:
    """Nothing to go back to, or more than a task definition would have to go back, or nobody knows."""
    assert reason in refused(BACK, newly_released(releases=releases(since=JUST_NOW, **said)))


BY_CHANCE = (
    Cause.IMAGE_UNAVAILABLE,
    Cause.SECRET_MISSING,
    Cause.SCHEMA_MISMATCH,
    Cause.PERMISSION_DENIED,
    Cause.HEALTH_CHECK_MISCONFIGURED,
    Cause.DEPLOYMENT_STALLED,
    Cause.AUTHENTICATION_FAILING,
)
"""Causes that may come with a release, or not."""


@pytest.mark.parametrize("cause", BY_CHANCE)
def test_what_did_not_come_with_a_release_does_not_go_with_one(cause: Cause) -> None:
    """A release that ran for days before is not the cause, and going back would only replace tasks that work."""
    plan = ACTIONS[BACK].plan(cause, findings(), TERMS)
    assert isinstance(plan, Refusal)
    assert "ran well before" in plan.reason


@pytest.mark.parametrize(
    "seen",
    [
        newly_released(),
        newly_released(service=service(primary=deployment(rollout_state="FAILED"))),
        findings(service=service(primary=deployment(rollout_state="IN_PROGRESS"))),
        findings(releases=releases(service_deployments=(service_deployment("IN_PROGRESS"),))),
    ],
)
@pytest.mark.parametrize("cause", BY_CHANCE)
def test_what_came_with_a_release_goes_with_it(cause: Cause, seen: Findings) -> None:
    """The release is new, its deployment is on the way, or it came to nothing."""
    assert isinstance(ACTIONS[BACK].plan(cause, seen, TERMS), Plan)


@pytest.mark.parametrize("cause", BY_CHANCE)
def test_a_good_release_that_was_deployed_again_is_no_new_one(cause: Cause) -> None:
    """Whoever deployed it: it was there before the trouble."""
    assert isinstance(
        ACTIONS[BACK].plan(cause, newly_released(releases=releases(since=JUST_NOW, returned=True)), TERMS), Refusal
    )


# --- force a new deployment


def test_stuck_tasks_are_replaced_by_the_same_release() -> None:
    """One change, nothing is declared bad, nothing is leased."""
    plan = planned(FORCE, findings())
    assert plan.changes == (ForceNewDeployment(),)
    assert (plan.quarantine, plan.leases) == (None, ())


@pytest.mark.parametrize(
    "seen",
    [
        findings(releases=releases(service_deployments=(service_deployment(),))),
        findings(service=service(deployments=(deployment(), deployment(id="ecs-svc/0", status="ACTIVE")))),
    ],
)
def test_nothing_is_forced_on_top_of_a_deployment(seen: Findings) -> None:
    """Each forced deployment starts another one."""
    assert "a deployment is under way" in refused(FORCE, seen)


STARTED = NOW - timedelta(hours=5)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"secrets": None}, "could not be read"),
        ({"tasks": None}, "could not be read"),
        ({"secrets": SecretsFacts()}, "no secret changed"),
        ({"secrets": SecretsFacts(secrets=(SecretFacts(name="key", changed_at=STARTED),))}, "no secret changed"),
        ({"secrets": SecretsFacts(secrets=(SecretFacts(name="key", exists=False, changed_at=NOW),))}, "does not exist"),
    ],
)
def test_fresh_tasks_would_read_the_same_secret(said: Mapping[str, Any], reason: str) -> None:
    """Where authentication fails, a restart helps only after a secret changed: a task reads it once, at its start."""
    running = (TaskFacts(arn="task/1", task_definition=V2, last_status="RUNNING", started_at=STARTED),)
    ordinary: Mapping[str, Any] = {"tasks": TasksFacts(running=running, stopped=())}
    seen = findings(**{**ordinary, **said})
    refusal = ACTIONS[FORCE].plan(Cause.AUTHENTICATION_FAILING, seen, TERMS)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_a_secret_that_changed_since_is_read_by_fresh_tasks() -> None:
    """The tasks still hold the old one."""
    running = (TaskFacts(arn="task/1", task_definition=V2, last_status="RUNNING", started_at=STARTED),)
    changed = SecretsFacts(secrets=(SecretFacts(name="key", changed_at=STARTED + timedelta(hours=1)),))
    seen = findings(tasks=TasksFacts(running=running, stopped=()), secrets=changed)
    assert isinstance(ACTIONS[FORCE].plan(Cause.AUTHENTICATION_FAILING, seen, TERMS), Plan)


# --- scale out


def test_the_floor_is_raised_for_the_load_there_is() -> None:
    """Three times the requests at 35 % CPU before: 4 tasks carry them at 60 %."""
    seen = findings(metrics=metrics(now={Metric.REQUESTS: 30.0, Metric.CPU: 95.0}))
    plan = planned(SCALE, seen)
    assert plan.changes == (SetFloor(resource_id=RESOURCE, minimum=4),)
    (leased,) = plan.leases
    assert leased == LeaseTerms(resource_id=RESOURCE, original=2, value=4, duration_s=1800)


def test_where_nobody_scales_in_the_plan_says_what_stays() -> None:
    """A floor that goes back takes no task away, and neither does a service without any policy."""
    undo = "the floor goes back to 2 by itself when the lease ends"
    assert planned(SCALE, findings(metrics=metrics(now={Metric.REQUESTS: 30.0}))).undo == undo
    alone = planned(SCALE, findings(metrics=metrics(now={Metric.REQUESTS: 30.0}), scaling=scaling(by_hand=True)))
    assert alone.undo == f"{undo}; no policy scales in, so somebody has to set the count"


@pytest.mark.parametrize("before", [{Metric.REQUESTS: None}, {Metric.REQUESTS: 0.0}, {Metric.CPU: None}])
def test_without_a_baseline_the_playbooks_step_counts(before: Mapping[Metric, float | None]) -> None:
    """Half as many tasks again."""
    plan = planned(SCALE, findings(metrics=metrics(now={Metric.REQUESTS: 900.0}, before=before)))
    assert plan.changes == (SetFloor(resource_id=RESOURCE, minimum=3),)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"registered": False}, "no scalable target"),
        ({"scale_out_suspended": True}, "suspended on the scalable target, which a person did"),
        ({"maximum": 2}, "no more are allowed"),
    ],
)
def test_a_scalable_target_that_cannot_be_raised_is_not(said: Mapping[str, Any], reason: str) -> None:
    """There is none, a person suspended it, or its ceiling is reached."""
    assert reason in refused(SCALE, findings(scaling=scaling(**said)))


COUNT = st.integers(1, 40)
RATE = st.none() | st.floats(0, 1e6, allow_nan=False)


@given(COUNT, COUNT, COUNT, COUNT, RATE, RATE, st.none() | st.floats(0, 100), st.integers(1, 400))
def test_a_floor_is_higher_than_now_and_below_every_ceiling(
    desired: int, minimum: int, maximum: int, allowed: int, now: float, before: float, cpu: float, step: int
) -> None:
    """Whatever the numbers: more tasks than run, a higher floor than there is, no more than the scalable target and
    the playbook allow; or no plan."""
    seen = findings(
        service=service(desired=desired, running=desired),
        scaling=scaling(minimum=minimum, maximum=maximum),
        metrics=metrics(now={Metric.REQUESTS: now}, before={Metric.REQUESTS: before, Metric.CPU: cpu}),
    )
    plan = ACTIONS[SCALE].plan(Cause.OVERLOAD, seen, terms(max_tasks=allowed, step_percent=step))
    if isinstance(plan, Refusal):
        assert min(maximum, allowed) <= max(desired, minimum) or minimum > desired
        return
    (change,) = plan.changes
    assert isinstance(change, SetFloor)
    assert max(desired, minimum) < change.minimum <= min(maximum, allowed)
    assert [leased.value for leased in plan.leases] == [change.minimum]


@pytest.mark.parametrize(
    ("leases", "original"),
    [
        ((), 4),
        ((lease(original=2, value=4),), 2),
        ((lease(original=2, value=3), lease(original=2, value=4)), 2),
        ((lease(original=2, value=6),), 4),
    ],
)
def test_the_floor_to_give_back_is_the_one_nobody_raised_for_a_while(leases: tuple[Lease, ...], original: int) -> None:
    """A floor that a lease of ours raised is not the original; one that a person set since is."""
    seen = findings(service=service(desired=4, running=4), scaling=scaling(minimum=4))
    plan = planned(SCALE, seen, terms(leases=leases))
    assert [leased.original for leased in plan.leases] == [original]


def test_a_ceiling_that_leaves_hardly_any_room_is_for_people() -> None:
    """One task more under a load that needs many helps nobody; as overload it is used all the same."""
    busy = findings(
        service=service(desired=4, running=4),
        scaling=scaling(maximum=5),
        metrics=metrics(now={Metric.REQUESTS: 30.0, Metric.CPU: 95.0}, before={Metric.TASKS: 4.0}),
    )
    refusal = plan_scale_out(Cause.SCALING_CEILING, busy, terms())
    assert isinstance(refusal, Refusal)
    assert "too few for the load" in refusal.reason
    assert isinstance(plan_scale_out(Cause.OVERLOAD, busy, terms()), Plan)
