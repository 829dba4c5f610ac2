"""The actions on one task, one zone, the size of tasks and the load balancer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.actions.action import Refusal, Terms
from functions.actions.enlarge_task import FARGATE_SIZES, next_size
from functions.actions.registry import ACTIONS
from functions.domain.causes import Cause
from functions.domain.changes import (
    COPY_JUST_REGISTERED,
    ActionName,
    DeregisterTarget,
    Plan,
    RegisterCopy,
    SetStickiness,
    SetTaskDefinition,
    ShiftZone,
    StopTask,
)
from functions.domain.evidence import Metric, TargetFacts, TargetsFacts, TaskFacts, TasksFacts
from functions.domain.findings import Findings
from tests.fakes.findings import (
    definition,
    deployment,
    findings,
    front,
    logs,
    metrics,
    releases,
    service,
    service_deployment,
    terms,
    without,
)
from tests.fakes.world import BALANCER, GROUP, V2

REPLACE, SHIFT = ActionName.REPLACE_TASK, ActionName.SHIFT_ZONE
ENLARGE, STICKY = ActionName.ENLARGE_TASK, ActionName.RESTORE_STICKINESS
CAUSE = {
    REPLACE: Cause.BAD_TASK,
    SHIFT: Cause.ZONE_IMPAIRED,
    ENLARGE: Cause.OUT_OF_MEMORY,
    STICKY: Cause.STICKINESS_LOST,
}
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")


def running(count: int) -> TasksFacts:
    """Tasks spread over three zones."""
    return TasksFacts(
        running=tuple(
            TaskFacts(
                arn=f"arn:aws:ecs:eu-west-1:000000000000:task/shop/task{n}",
                task_definition=V2,
                last_status="RUNNING",
                zone=ZONES[n % 3],
                address=f"10.0.0.{n}",
            )
            for n in range(count)
        ),
        stopped=(),
    )


def targets(*states: str) -> TargetsFacts:
    """One target for each of the tasks, in that state."""
    return TargetsFacts(
        targets=tuple(
            TargetFacts(target_group=GROUP, target=f"10.0.0.{n}:8080", state=state, zone=ZONES[n % 3])
            for n, state in enumerate(states)
        )
    )


def one_bad(**said: Any) -> Findings:
    """Three tasks, of which the second has all the error lines."""
    ordinary = {
        "service": service(desired=3, running=3),
        "tasks": running(3),
        "targets": targets("healthy", "healthy", "healthy"),
        "logs": logs({"boom": 50}, errors_by_task={"task1": 50}),
    }
    return findings(**(ordinary | said))


def one_zone(**said: Any) -> Findings:
    """Six tasks in three zones, and those of the second zone are unhealthy."""
    ordinary = {
        "service": service(desired=6, running=6),
        "tasks": running(6),
        "targets": targets("healthy", "unhealthy", "healthy", "healthy", "unhealthy", "healthy"),
        "front": open_front(),
    }
    return findings(**(ordinary | said))


def open_front(**said: Any) -> Any:
    ordinary: dict[str, Any] = {
        "load_balancer": BALANCER,
        "zonal_shift_allowed": True,
        "zone_ids": {"eu-west-1a": "euw1-az1", "eu-west-1b": "euw1-az2", "eu-west-1c": "euw1-az3"},
    }
    return front(**(ordinary | said))


ORDINARY = {
    REPLACE: one_bad(),
    SHIFT: one_zone(),
    ENLARGE: findings(definition=definition(cpu=512, memory_mib=1024)),
    STICKY: findings(front=front(sticky_s=3600)),
}
NEEDED = {
    REPLACE: ("service", "tasks", "targets"),
    SHIFT: ("service", "tasks", "targets", "front", "metrics"),
    ENLARGE: ("service", "releases", "definition"),
    STICKY: ("service", "front"),
}


def planned(action: ActionName, seen: Findings, given: Terms | None = None) -> Plan:
    plan = ACTIONS[action].plan(CAUSE[action], seen, given or terms())
    assert isinstance(plan, Plan), plan
    return plan


def refused(action: ActionName, seen: Findings, given: Terms | None = None) -> str:
    refusal = ACTIONS[action].plan(CAUSE[action], seen, given or terms())
    assert isinstance(refusal, Refusal), refusal
    return refusal.reason


@pytest.mark.parametrize(("action", "unread"), [(action, name) for action, names in NEEDED.items() for name in names])
def test_nothing_is_done_on_what_was_not_read(action: ActionName, unread: str) -> None:
    """Unknown is never the same as fine."""
    assert refused(action, without(ORDINARY[action], unread))


@pytest.mark.parametrize("action", CAUSE)
def test_a_service_that_a_person_stopped_is_left_alone(action: ActionName) -> None:
    """Set to 0, or being deleted."""
    for said in ({"desired": 0, "running": 0}, {"status": "DRAINING"}):
        seen = replace(ORDINARY[action], service=findings(service=service(**said)).service)
        assert refused(action, seen)


def test_only_enlarging_and_shutting_out_ask_in_mode_auto() -> None:
    """The one costs more from then on, and no alarm says when to take it back; the others end somebody's service."""
    assert {name for name, action in ACTIONS.items() if action.asks} == {ENLARGE, *filter(contains, ActionName)}


def contains(name: ActionName) -> bool:
    return name.contains


# --- replace one task


def test_the_one_bad_task_is_drained_twice_and_stopped() -> None:
    """ECS may register a running task again at once; all of it takes half a minute at the most."""
    plan = planned(REPLACE, one_bad())
    drain = DeregisterTarget(target_group=GROUP, target="10.0.0.1", port=8080)
    assert plan.changes[:2] == (drain, drain)
    stop = plan.changes[2]
    assert isinstance(stop, StopTask)
    assert stop.task.endswith("/task1")
    assert stop.reason
    assert len(plan.changes) == 3
    assert 0 < plan.pause_s * 2 <= 30
    assert plan.before.running == 3


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"logs": logs({"boom": 50}, errors_by_task={"task1": 25, "task2": 25})}, "no single task"),
        ({"service": service(desired=3, running=2)}, "not in a steady state"),
        ({"service": service(desired=3, running=3, primary=deployment(rollout_state="IN_PROGRESS"))}, "steady"),
        ({"targets": targets("unhealthy", "healthy", "unhealthy")}, "most targets are unhealthy"),
        ({"targets": targets("draining", "healthy", "draining")}, "only 0 healthy tasks would be left"),
    ],
)
def test_no_task_is_stopped_that_may_be_needed(said: Mapping[str, Any], reason: str) -> None:
    """Several are bad, others come and go, or too few would be left. An ALB with only unhealthy targets fails open."""
    assert reason in refused(REPLACE, one_bad(**said))


@pytest.mark.parametrize(("cpu", "spare"), [(66.0, True), (67.0, False), (100.0, False)])
def test_the_others_can_carry_its_part_of_the_load(cpu: float, spare: bool) -> None:
    """Three tasks at 67 % leave two at their end: the one that complains is rather the first of them."""
    plan = ACTIONS[REPLACE].plan(Cause.BAD_TASK, one_bad(metrics=metrics(now={Metric.CPU: cpu})), terms())
    assert isinstance(plan, Plan) is spare
    assert spare or "none to spare" in refused(REPLACE, one_bad(metrics=metrics(now={Metric.CPU: cpu})))


def test_as_many_as_the_playbook_wants_are_left() -> None:
    """Healthy ones."""
    assert "have to be 3" in refused(REPLACE, one_bad(), terms(min_tasks=3))


@given(st.lists(st.sampled_from(["healthy", "unhealthy", "draining", "initial"]), min_size=1, max_size=6), st.data())
def test_healthy_tasks_are_left_whatever_the_targets_say(states: list[str], data: st.DataObject) -> None:
    """At most one task is stopped, it is the one with the errors, and enough of the others are healthy."""
    bad = data.draw(st.integers(0, len(states) - 1))
    least = data.draw(st.integers(0, 4))
    seen = one_bad(
        service=service(desired=len(states), running=len(states)),
        tasks=running(len(states)),
        targets=targets(*states),
        logs=logs({"boom": 50}, errors_by_task={f"task{bad}": 50}),
    )
    plan = ACTIONS[REPLACE].plan(Cause.BAD_TASK, seen, terms(min_tasks=least))
    others = [state for n, state in enumerate(states) if n != bad]
    if isinstance(plan, Plan):
        assert others.count("healthy") >= max(1, least, others.count("unhealthy"))
        assert [c.task for c in plan.changes if isinstance(c, StopTask)] == [seen_task(seen, bad)]


def seen_task(seen: Findings, number: int) -> str:
    assert seen.tasks.value is not None
    return seen.tasks.value.running[number].arn


# --- shift away from a zone


def test_traffic_is_shifted_by_the_id_of_the_zone_until_it_expires() -> None:
    """Zonal shift takes ids; names differ from account to account."""
    plan = planned(SHIFT, one_zone(), terms(shift_s=1800))
    assert plan.changes == (ShiftZone(load_balancer=BALANCER, zone_id="euw1-az2", zone="eu-west-1b", expires_s=1800),)
    assert plan.before.shifted_away == ()
    assert plan.leases == ()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"front": open_front(zonal_shift_allowed=False)}, "not opted in"),
        ({"front": open_front(load_balancer=None)}, "not opted in"),
        ({"front": open_front(zone_ids={})}, "id of zone eu-west-1b"),
        ({"front": open_front(shifted_away=("euw1-az1",))}, "shifted away from euw1-az1 already"),
        ({"front": open_front(shifted_away=None)}, "nobody could say"),
        ({"metrics": metrics(now={Metric.CPU: 60.0})}, "would run at 90 % CPU"),
        ({"metrics": metrics(now={Metric.CPU: None}, before={Metric.CPU: None})}, "CPU is unknown"),
        ({"targets": targets(*["healthy"] * 6)}, "no zone has clearly more trouble"),
        ({"targets": targets(*["unhealthy"] * 6)}, "no zone has clearly more trouble"),
    ],
)
def test_a_shift_that_would_not_help_is_not_made(said: Mapping[str, Any], reason: str) -> None:
    """Not allowed, one is out already, no room elsewhere, or no zone stands out: people are paged instead."""
    assert reason in refused(SHIFT, one_zone(**said))


# --- enlarge the task


def test_a_larger_task_is_a_copy_with_twice_the_memory() -> None:
    """The next deployment of the infrastructure code brings the old size back, so people are asked first."""
    plan = planned(ENLARGE, ORDINARY[ENLARGE])
    assert plan.changes == (
        RegisterCopy(task_definition=V2, cpu=512, memory_mib=2048),
        SetTaskDefinition(task_definition=COPY_JUST_REGISTERED),
    )
    assert "--task-definition orders:2" in plan.undo
    assert plan.quarantine is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"definition": definition(cpu=None, memory_mib=1024)}, "could not be read"),
        ({"definition": definition(cpu=500, memory_mib=1024)}, "no size of Fargate's"),
        ({"definition": definition(cpu=16384, memory_mib=120 * 1024)}, "no task of twice"),
        ({"definition": definition(task_definition="orders:1", cpu=512, memory_mib=1024)}, "another task definition"),
        ({"service": service(launch_type="EC2")}, "room on its instance"),
        ({"releases": releases(service_deployments=(service_deployment(),))}, "a deployment is under way"),
    ],
)
def test_a_size_that_is_not_known_to_fit_is_not_set(said: Mapping[str, Any], reason: str) -> None:
    """No known size, none that is larger, or no Fargate."""
    assert reason in refused(ENLARGE, replace(ORDINARY[ENLARGE], **_readings(said)))


def _readings(said: Mapping[str, Any]) -> dict[str, Any]:
    seen = findings(**said)
    return {name: getattr(seen, name) for name in said}


@given(st.sampled_from([(cpu, memory) for cpu, sizes in FARGATE_SIZES.items() for memory in sizes]))
def test_the_next_size_is_one_that_fargate_has(size: tuple[int, int]) -> None:
    """At least twice the memory, no less CPU, and no smaller size would do."""
    larger = next_size(*size)
    fitting = [
        (cpu, memory)
        for cpu, sizes in FARGATE_SIZES.items()
        for memory in sizes
        if cpu >= size[0] and memory >= 2 * size[1]
    ]
    assert larger == (min(fitting) if fitting else None)


# --- sticky sessions


def test_sticky_sessions_are_switched_on_where_they_are_off() -> None:
    """For as long as the playbook says."""
    plan = planned(STICKY, ORDINARY[STICKY])
    assert plan.changes == (SetStickiness(target_group=GROUP, duration_s=3600),)
    assert plan.before.sticky == ()
    assert plan.before.after(plan.changes[0]).sticky == (GROUP,)
    assert "stickiness.enabled,Value=false" in plan.undo


@pytest.mark.parametrize(
    ("said", "reason"),
    [({"sticky_s": None}, "does not say"), ({"sticky_s": 3600, "group": {"stickiness": True}}, "are on")],
)
def test_sessions_that_nobody_wants_sticky_stay_as_they_are(said: Mapping[str, Any], reason: str) -> None:
    """The playbook has to say so, and they have to be off."""
    assert reason in refused(STICKY, findings(front=front(**said)))
