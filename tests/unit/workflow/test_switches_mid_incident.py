"""Every guardrail in the middle of an incident: what changes between the plan and the action holds the action back."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.evidence import ServiceDeploymentFacts
from functions.domain.incidents import Event, Fact, FleetSwitch, Mode, NewEvent, Switch
from functions.domain.maintenance import Announced
from functions.domain.services import ServiceRef
from functions.domain.troubles import Trouble
from functions.guardrails.verdicts import GUARDRAILS
from functions.ports import BudgetCharge
from functions.workflow.remediate import Remediate
from functions.workflow.table import StepName
from tests.fakes.engine import FLEET_LIMIT, Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_incident import playbook, raise_alarm

Flip = Callable[[Responder], None]


def other(number: int) -> ServiceRef:
    return ServiceRef(region=REF.region, cluster=REF.cluster, service=f"other-{number}")


def charge(responder: Responder, ref: ServiceRef, number: int) -> None:
    """An action of an incident of this service."""
    opening = responder.ledger.record_signal(alarm_signal(number, alarm=f"{ref.service}-a"), ref, may_open=True)
    assert opening.incident_id is not None
    budget = BudgetCharge(at=responder.clock.now(), service_limit=99, fleet_limit=99)
    note = NewEvent(fact=Fact.LOOKED_AGAIN, actor="test", summary="acted")
    incident = responder.ledger.incident(opening.incident_id)
    incident = responder.ledger.append(incident, [note], step="remediate", signals_seen=1, budget=budget)
    if ref == REF:
        responder.ledger.resolve(incident, note)


def switched(**said: Any) -> Flip:
    def flip(responder: Responder) -> None:
        now = responder.clock.now()
        responder.ledger.set_switch(REF, Switch(by="ann", reason="new disks", at=now, **said))

    return flip


def paused(responder: Responder) -> None:
    switched(paused_until=responder.clock.now() + timedelta(hours=1))(responder)


def announced(responder: Responder) -> None:
    now = responder.clock.now()
    switched(maintenance=(Announced(start=now, end=now + timedelta(hours=1), by="ann", reason="new disks", at=now),))(
        responder
    )


def stopped(responder: Responder) -> None:
    responder.ledger.set_fleet_switch(FleetSwitch(stopped=True, by="ann", reason="a hunch", at=responder.clock.now()))


def limited(**limits: Any) -> Flip:
    """Another playbook was deployed."""

    def flip(responder: Responder) -> None:
        remediate = responder.steps[StepName.REMEDIATE]
        assert isinstance(remediate, Remediate)
        assert isinstance(remediate.playbooks, dict)
        remediate.playbooks[REF.key] = playbook(limits=limits)

    return flip


def fleet_used_up(responder: Responder) -> None:
    for number in range(FLEET_LIMIT):
        charge(responder, other(number), 1000 + number)


def breaker_open(responder: Responder) -> None:
    for number in range(3):
        responder.ledger.note_ineffective(REF, f"inc-{number}", at=responder.clock.now())


def in_trouble_together(responder: Responder) -> None:
    for number in range(2):
        responder.ledger.note_trouble(
            Trouble(
                service_key=other(number).key,
                incident_id=f"inc-{number}",
                at=responder.clock.now(),
                shares=(DATABASE,),
            )
        )


def database_down(responder: Responder) -> None:
    responder.world.database_down = True


def deployed_by_somebody(responder: Responder) -> None:
    responder.world.ship(V1)


def rolled_back_by_ecs(responder: Responder) -> None:
    """The deployment that ECS begins for it is the newest of the service from then on."""
    responder.world.ship(V1)
    responder.world.in_flight = ServiceDeploymentFacts(
        arn="arn:aws:ecs:eu-west-1:000000000000:service-deployment/shop/orders/9",
        status="ROLLBACK_IN_PROGRESS",
        created_at=responder.clock.now(),
    )


DATABASE = "eu-west-1 alarm orders-db-unreachable"
COMMON = "2 other services that share something with this one are in trouble, 1 may be"
BROKEN = "3 of 3 incidents of the last 24 hours were acted upon without effect, the breaker closes"

FLIPS: Mapping[str, tuple[Flip, str]] = {
    "stop": (stopped, "stop: everything is stopped by ann since 2026-03-01 03:18 UTC: a hunch"),
    "pause": (paused, "pause: paused by ann until 2026-03-01 04:18 UTC: new disks"),
    "maintenance": (
        announced,
        "maintenance: in maintenance until 2026-03-01 04:18 UTC: announced by ann: new disks",
    ),
    "mode": (switched(mode=Mode.OBSERVE), "mode: the service is in mode observe"),
    "approval": (switched(mode=Mode.ASK), "approval: people have to grant it: the service is in mode ask"),
    "attempts": (limited(attempts_per_incident=0), "attempts: 0 of 0 attempts of this incident are used"),
    "service budget": (limited(actions_per_hour=1), "service budget: 1 of 1 actions in the last hour are used"),
    "fleet budget": (
        fleet_used_up,
        "fleet budget: 21 of 20 actions of the whole fleet in the last hour are used",
    ),
    "cooldown": (
        limited(cooldown=3600),
        "cooldown: an earlier incident was acted upon at 02:57:00 UTC, the cooldown ends at 03:57:00",
    ),
    "breaker": (
        breaker_open,
        f"breaker: {BROKEN} at 2026-03-02 03:18 UTC, or with `responder resume`",
    ),
    "shared cause": (
        in_trouble_together,
        f"shared cause: {COMMON}; eu-west-1/shop/other-0 shares {DATABASE}; eu-west-1/shop/other-1 shares {DATABASE}",
    ),
    "dependency": (database_down, "dependency: orders-db is failing now: "),
    "native rollback": (rolled_back_by_ecs, "external change: primary_deployment was ecs-svc/1 and is ecs-svc/2"),
    "external change": (deployed_by_somebody, "external change: primary_deployment was ecs-svc/1 and is ecs-svc/2"),
    "task counts": (
        limited(min_tasks=3),
        "task counts: only 2 tasks are wanted, below the playbook's 3: the service is not in order",
    ),
}
"""What happens between assess and remediate, and the words in which the action is refused."""


def hanging() -> Responder:
    """Tasks that hang, twenty minutes after an earlier incident was acted upon."""
    made = Responder(playbook=playbook())
    made.clock.advance(seconds=-900)
    charge(made, REF, 500)
    made.clock.advance(seconds=1200)
    made.world.stuck = True
    raise_alarm(made)
    made.clock.advance(seconds=60)
    return made


def outdated(responder: Responder) -> list[Event]:
    (incident, _, _) = responder.executions.started[-1]
    return [event for event in responder.ledger.events(incident) if event.fact is Fact.PLAN_OUTDATED]


def test_every_guardrail_is_here() -> None:
    """A new one needs a line, too."""
    assert list(FLIPS) == [guardrail.__name__.replace("_", " ") for guardrail in GUARDRAILS]


def test_with_nothing_in_between_the_plan_is_carried_out() -> None:
    """So that what is seen below is the guardrail's doing."""
    responder = hanging()
    responder.run(until=StepName.VERIFY)
    assert responder.path == ["assess:act", "remediate:done"]
    assert len(responder.world.changes) == 1


@pytest.mark.parametrize("name", FLIPS)
def test_a_switch_between_plan_and_action_is_obeyed(name: str) -> None:
    """Nothing is intended, charged or changed; the trail names the rule and its numbers; and assess looks anew."""
    flip, said = FLIPS[name]
    responder = hanging()
    before = responder.ledger.charges(REF, since=responder.clock.now() - timedelta(days=1))
    flipped: list[StepName] = []

    def begin(step: StepName) -> None:
        if step is StepName.REMEDIATE and not flipped:
            flipped.append(step)
            flip(responder)

    responder.run(before=begin, until=StepName.WATCH, most=12) if name not in WAITED_FOR else _some(responder, begin)
    assert flipped
    assert responder.path[:2] == ["assess:act", "remediate:differs"]
    assert responder.visited[2][0] is StepName.ASSESS
    assert outdated(responder)[0].summary.startswith(f"did not act: {said}")
    assert responder.world.changes == []
    assert responder.ledger.charges(REF, since=responder.clock.now() - timedelta(days=1)) == before
    assert Fact.ACTION_INTENDED not in [e.fact for e in responder.ledger.events(responder.executions.started[-1][0])]


WAITED_FOR = frozenset({"native rollback", "external change"})
"""Somebody else is at it: assess waits for them instead of paging."""


def _some(responder: Responder, begin: Callable[[StepName], None]) -> None:
    with pytest.raises(AssertionError, match="no end"):
        responder.run(before=begin, until=StepName.WATCH, most=6)
