"""Plans of several stages, end to end in memory: what each relies on, what it leases, and what people read of it."""

from datetime import timedelta

import pytest

from functions.domain.causes import Cause
from functions.domain.changes import (
    ActionName,
    Change,
    DeregisterTarget,
    Lease,
    LeaseKind,
    LeaseTerms,
    Plan,
    RegisterCopy,
    SetCeiling,
    SetFloor,
    SetStickiness,
    SetTaskDefinition,
    ShiftZone,
    StopTask,
)
from functions.domain.errors import ChangeRefused
from functions.domain.evidence import TargetFacts, TargetsFacts
from functions.domain.incidents import Event, Fact, NewEvent
from functions.workflow.decision import Decision
from functions.workflow.letters import recovered
from functions.workflow.story import tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.verify import unsteady
from tests.fakes.engine import Responder
from tests.fakes.findings import NOW, deployment, service
from tests.fakes.signals import alarm_signal
from tests.fakes.world import BALANCER, FAMILY, GROUP, REF
from tests.unit.workflow.test_incident import playbook, raise_alarm

RESOURCE = "service/shop/orders"
RAISING = {"ladders": {"scaling-ceiling": ["raise-ceiling"], "overload": ["raise-ceiling"]}}


@pytest.fixture
def crowded() -> Responder:
    """More load than the ceiling lets in, and a playbook that may raise it."""
    responder = Responder(playbook=playbook(**RAISING))
    responder.world.maximum = 3
    responder.world.load = 4.5
    raise_alarm(responder)
    return responder


def test_ceiling_and_floor_are_raised_one_after_the_other_and_both_come_back(crowded: Responder) -> None:
    """Each stage has its own intent and its own lease, and what the first one set is no difference to the second."""
    crowded.run()
    assert [type(change) for change in crowded.world.changes[:2]] == [SetCeiling, SetFloor]
    assert "remediate:next-stage" in crowded.path
    assert "remediate:differs" not in crowded.path
    crowded.world.load = 1.0
    crowded.world.desired = crowded.world.running = 2
    crowded.clock.advance(seconds=3600)
    crowded.sweep()
    crowded.run()
    assert (crowded.world.minimum, crowded.world.maximum) == (2, 3)
    assert crowded.ledger.service_leases(REF) == ()


def test_a_ceiling_that_somebody_changes_between_the_stages_stops_the_plan(crowded: Responder) -> None:
    """The second stage looks again, too."""

    def engineer(step: StepName) -> None:
        if step is StepName.REMEDIATE and crowded.world.changes:
            crowded.world.maximum = 50

    crowded.run(until=StepName.WATCH, before=engineer)
    assert [type(change) for change in crowded.world.changes] == [SetCeiling]
    assert "remediate:differs" in crowded.path


def test_a_refused_second_stage_leaves_the_first_ones_lease(crowded: Responder) -> None:
    """What was raised comes back; what was not needs no lease."""

    def refuse(change: Change) -> None:
        if isinstance(change, SetFloor):
            crowded.world.failing_changes.append(ChangeRefused("no"))

    crowded.world.watching = refuse
    crowded.run(until=StepName.WATCH)
    assert [lease.terms.kind for lease in crowded.ledger.service_leases(REF)] == [LeaseKind.CEILING]


def test_a_database_that_fails_between_plan_and_action_stops_a_plan_that_scales() -> None:
    """More tasks would make it worse: what the service stands on is read again, too."""
    responder = Responder(playbook=playbook())
    responder.world.load = 3.0
    raise_alarm(responder)

    def fail(step: StepName) -> None:
        if step is StepName.REMEDIATE:
            responder.world.database_down = True

    responder.run(until=StepName.WATCH, before=fail)
    assert responder.world.changes == []
    assert responder.path[:2] == ["assess:act", "remediate:differs"]


def test_a_trail_of_before_with_one_lease_can_still_be_read() -> None:
    """An execution outlives a deployment of the responder."""
    lease = LeaseTerms(resource_id=RESOURCE, original=2, value=4, duration_s=1800)
    written = plan(SetFloor(resource_id=RESOURCE, minimum=4), leases=(lease,)).model_dump(mode="json")
    old = {name: value for name, value in written.items() if name not in ("leases", "pause_s")}
    read = Plan.model_validate({**old, "lease": lease.model_dump(mode="json")})
    assert read.leases == (lease,)
    assert read.lease_of(0) == lease
    assert Plan.model_validate({**old, "lease": None}).leases == ()


def plan(*changes: Change, action: ActionName = ActionName.SCALE_OUT, **said: object) -> Plan:
    ordinary = {
        "action": action,
        "cause": Cause.OVERLOAD,
        "summary": "said the test",
        "changes": changes,
        "before": {
            "status": "ACTIVE",
            "desired": 2,
            "task_definition": "orders:2",
            "primary_deployment": None,
            "deployments": 1,
        },
        "undo": "undo it like this",
        "settle_s": 60,
        "deadline_s": 300,
    }
    return Plan.model_validate(ordinary | said)


def test_between_two_stages_there_is_the_pause_that_the_plan_wants() -> None:
    """A task is drained before it is stopped."""
    drain = DeregisterTarget(target_group=GROUP, target="10.0.0.1", port=8080)
    drained = plan(drain, drain, StopTask(task="task/1", reason="bad"), action=ActionName.REPLACE_TASK, pause_s=10)
    drained = drained.model_copy(update={"before": drained.before.model_copy(update={"running": 2})})
    responder = Responder(playbook=playbook())
    service = responder.world.service(REF)
    assert service is not None
    assert service.primary is not None
    before = drained.before.model_copy(
        update={"task_definition": service.task_definition, "primary_deployment": service.primary.id}
    )
    chosen(responder, drained.model_copy(update={"before": before}))
    began = responder.clock.now()
    responder.run(until=StepName.VERIFY)
    assert responder.world.changes == list(drained.changes)
    assert timedelta(seconds=20) <= responder.clock.now() - began <= timedelta(seconds=20 + 60 + 10)


def chosen(responder: Responder, wanted: Plan) -> None:
    """An execution that is about to carry out that plan."""
    opening = responder.ledger.record_signal(alarm_signal(), REF, may_open=True)
    assert opening.incident_id is not None
    incident = responder.ledger.incident(opening.incident_id)
    decision = Decision(outcome=Outcome.ACT, cause=wanted.cause, confidence=0.9, reason="said the test", plan=wanted)
    said = {"decision": decision.model_dump(mode="json")}
    event = NewEvent(fact=Fact.PLAN_CHOSEN, actor="assess", summary="said the test", data=said)
    responder.ledger.append(incident, [event], step="assess", signals_seen=1)
    responder.executions.started.append((incident.id, incident.generation, "remediate"))


# --- what lasts is told


SHIFT = ShiftZone(load_balancer=BALANCER, zone_id="euw1-az2", zone="eu-west-1b", expires_s=3600)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (
            plan(SetCeiling(resource_id=RESOURCE, maximum=4, minimum=2), action=ActionName.LOWER_CEILING),
            ("still has the higher ceiling", "minimum 2, maximum 4 tasks", "undo it like this"),
        ),
        (plan(SHIFT, action=ActionName.SHIFT_ZONE), ("no traffic goes to eu-west-1b until",)),
        (
            plan(SetStickiness(target_group=GROUP, duration_s=600), action=ActionName.RESTORE_STICKINESS),
            ("stickiness on, lb_cookie, 600 s",),
        ),
        (
            plan(RegisterCopy(task_definition="orders:2", cpu=512, memory_mib=2048), action=ActionName.ENLARGE_TASK),
            ("still has the smaller task", "cpu 512, memory 2048"),
        ),
        (
            plan(
                SetCeiling(resource_id=RESOURCE, maximum=20),
                action=ActionName.RAISE_CEILING,
                leases=(
                    LeaseTerms(kind=LeaseKind.CEILING, resource_id=RESOURCE, original=10, value=20, duration_s=1800),
                ),
            ),
            ("Temporary: the ceiling is 20 tasks until 03:42 UTC, then 10 again by itself",),
        ),
    ],
)
def test_the_letter_says_what_the_infrastructure_code_does_not_know(wanted: Plan, words: tuple[str, ...]) -> None:
    """Every change that lasts, and every lease with its end."""
    responder, trail = taken(wanted)
    text = recovered(responder.ledger.incidents_of(REF)[0], trail).text
    for each in words:
        assert each in text


def test_a_copy_is_named_by_what_it_became() -> None:
    """The pin to paste is a task definition that exists."""
    wanted = plan(SetTaskDefinition(task_definition=f"{FAMILY}:9"), action=ActionName.ROLL_BACK, quarantine="orders:2")
    responder, trail = taken(wanted)
    assert "task definition orders:9" in recovered(responder.ledger.incidents_of(REF)[0], trail).text


def taken(wanted: Plan) -> tuple[Responder, tuple[Event, ...]]:
    """A trail in which the first stage of that plan was carried out."""
    responder = Responder(playbook=playbook())
    chosen(responder, wanted)
    incident = responder.ledger.incidents_of(REF)[0]
    now = responder.clock.now()
    leases = [
        Lease(
            id=f"{terms.kind}:{terms.resource_id}",
            incident_id=incident.id,
            service_key=REF.key,
            terms=terms,
            taken_at=now,
            due_at=now + timedelta(seconds=terms.duration_s),
        ).model_dump(mode="json")
        for terms in (wanted.leases[0] if wanted.leases else None,)
        if terms is not None
    ]
    said = {
        "plan": wanted.model_dump(mode="json"),
        "stage": 0,
        "change": wanted.changes[0].model_dump(mode="json"),
        **dict.fromkeys(["lease"], *leases),
    }
    events = [
        NewEvent(fact=Fact.ACTION_INTENDED, actor="remediate", summary="about to", data=said),
        NewEvent(fact=Fact.ACTION_TAKEN, actor="remediate", summary="done", data={**said, "result": {"made": "it"}}),
    ]
    responder.ledger.append(incident, events, step="remediate")
    return responder, tuple(responder.ledger.events(incident.id))


# --- a zone that was left


def test_a_zone_is_left_until_the_shift_expires() -> None:
    """It ends by itself, and then the zone counts again."""
    responder, trail = taken(plan(SHIFT, action=ActionName.SHIFT_ZONE))
    story, now = tell(trail), responder.clock.now()
    assert story.shifted_from(now) == {"eu-west-1b"}
    assert story.shifted_from(now + timedelta(hours=1)) == frozenset()


def in_zones(*states: tuple[str, str]) -> TargetsFacts:
    return TargetsFacts(
        targets=tuple(
            TargetFacts(target_group=GROUP, target=f"10.0.0.{n}:80", state=state, zone=zone)
            for n, (zone, state) in enumerate(states)
        )
    )


@pytest.mark.parametrize(
    ("targets", "steady"),
    [
        (in_zones(("a", "healthy"), ("b", "unhealthy")), True),
        (in_zones(("a", "healthy"), ("b", "initial")), True),
        (in_zones(("a", "healthy"), ("a", "draining"), ("b", "unhealthy")), True),
        (in_zones(("a", "unhealthy"), ("b", "healthy")), False),
        (in_zones(("a", "healthy"), ("c", "unhealthy")), False),
        (in_zones(("b", "healthy")), False),
        (in_zones(), False),
    ],
)
def test_what_comes_and_goes_in_a_zone_that_was_left_is_no_matter(targets: TargetsFacts, steady: bool) -> None:
    """Everything elsewhere has to be healthy, and there has to be something."""
    shown = service(desired=2, running=1)
    assert (unsteady(shown, targets, (GROUP,), away=frozenset({"b"})) is None) == steady
    assert unsteady(shown, targets, (GROUP,)) is not None


def test_a_deployment_counts_wherever_traffic_goes() -> None:
    """The shift is no excuse for one that is under way."""
    shown = service(deployments=(deployment(), deployment(id="ecs-svc/0", status="ACTIVE", created_at=NOW)))
    assert unsteady(shown, in_zones(("a", "healthy")), (GROUP,), away=frozenset({"b"})) is not None
