"""May we, here, now? Every guardrail at its limit."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from functions.actions.action import state_before
from functions.domain.approvals import Consent
from functions.domain.causes import Cause
from functions.domain.changes import (
    ActionName,
    Change,
    ForceNewDeployment,
    Plan,
    ScaleToZero,
    SetCeiling,
    SetCount,
    SetFloor,
    Verdict,
)
from functions.domain.dependencies import DependencyState
from functions.domain.incidents import FleetSwitch, Mode, Switch
from functions.domain.maintenance import Window
from functions.domain.orders import Order, Ordered, PendingOrder
from functions.guardrails.verdicts import GUARDRAILS, Situation, judge
from tests.fakes.findings import NOW, dependencies, findings, releases, service, service_deployment

FORCE = ForceNewDeployment()


def situation(**said: object) -> Situation:
    """One in which everything is allowed, but for what is said."""
    ordinary: dict[str, object] = {
        "now": NOW,
        "mode": Mode.AUTO,
        "switch": Switch(),
        "fleet_switch": FleetSwitch(stopped=False),
        "findings": findings(),
        "attempts": 0,
        "attempts_limit": 3,
        "charges": (),
        "hourly_limit": 4,
        "fleet_charges": 0,
        "fleet_limit": 20,
        "cooldown_s": 600,
        "own_charges": (),
        "ineffective": {},
        "ineffective_limit": 3,
        "neighbours": (),
        "neighbours_limit": 1,
        "min_tasks": 1,
        "max_tasks": 20,
        "restarts_or_scales": True,
    }
    return Situation(**(ordinary | said))  # type: ignore[arg-type]


def plan(*changes: Change, action: ActionName = ActionName.FORCE_NEW_DEPLOYMENT) -> Plan:
    return Plan(
        action=action,
        cause=Cause.STUCK_TASKS,
        summary="said the test",
        changes=changes or (FORCE,),
        before=state_before(changes, service()),
        undo="nothing",
        settle_s=60,
        deadline_s=600,
    )


def floor(minimum: int) -> Plan:
    return plan(SetFloor(resource_id="service/shop/orders", minimum=minimum), action=ActionName.SCALE_OUT)


def denied(given: Situation, by: Plan | None = None) -> set[str]:
    return {verdict.guardrail for verdict in judge(given, plan() if by is None else by) if not verdict.allowed}


def test_an_ordinary_action_is_allowed_by_every_guardrail() -> None:
    """Each says yes with a reason, in a fixed order."""
    verdicts = judge(situation(), plan())
    assert all(verdict.allowed and verdict.reason for verdict in verdicts)
    assert [v.guardrail.replace(" ", "_") for v in verdicts] == [guardrail.__name__ for guardrail in GUARDRAILS]


def test_a_stop_of_everything_comes_first_and_says_whose_it_is() -> None:
    """With the reason, who, and since when; a person's order does not pass it, nor does a grant."""
    stopped = FleetSwitch(stopped=True, by="ann", reason="it rolls back too much", at=NOW)
    given = situation(
        fleet_switch=stopped, ordered=by(Ordered.REDEPLOY), mode=Mode.ASK, consent=Consent(granted=plan().hash)
    )
    first = judge(given, plan())[0]
    assert (first.guardrail, first.allowed, first.ordered) == ("stop", False, False)
    assert first.reason == f"everything is stopped by ann since {NOW:%Y-%m-%d %H:%M} UTC: it rolls back too much"
    assert denied(given) == {"stop"}


def test_a_stop_that_is_over_holds_nothing_back() -> None:
    """Who started again stays on record, and says nothing any more."""
    assert denied(situation(fleet_switch=FleetSwitch(stopped=False, by="ben", reason="it was right", at=NOW))) == set()


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


LIMITS = [
    ("attempts", {"attempts": 2, "attempts_limit": 3}, True),
    ("attempts", {"attempts": 3, "attempts_limit": 3}, False),
    ("attempts", {"attempts": 0, "attempts_limit": 0}, False),
    ("service budget", {"charges": (ago(10), ago(20)), "own_charges": (ago(10), ago(20)), "hourly_limit": 3}, True),
    ("service budget", {"charges": (ago(10), ago(20)), "own_charges": (ago(10), ago(20)), "hourly_limit": 2}, False),
    ("service budget", {"charges": (ago(3599),), "hourly_limit": 1, "cooldown_s": 0}, False),
    ("service budget", {"charges": (ago(3600),), "hourly_limit": 1}, True),
    ("service budget", {"hourly_limit": 0}, False),
    ("fleet budget", {"fleet_charges": 19, "fleet_limit": 20}, True),
    ("fleet budget", {"fleet_charges": 20, "fleet_limit": 20}, False),
    ("fleet budget", {"fleet_limit": 0}, False),
    ("cooldown", {"charges": (ago(600),), "cooldown_s": 600}, True),
    ("cooldown", {"charges": (ago(599),), "cooldown_s": 600}, False),
    ("cooldown", {"charges": (ago(0),), "cooldown_s": 0}, True),
    ("cooldown", {"charges": (ago(1),), "own_charges": (ago(1),), "cooldown_s": 600}, True),
    ("cooldown", {"charges": (ago(1), ago(599)), "own_charges": (ago(1),), "cooldown_s": 600}, False),
    ("breaker", {"ineffective": {"inc-1": NOW, "inc-2": NOW}}, True),
    ("breaker", {"ineffective": {"inc-1": NOW, "inc-2": NOW, "inc-3": NOW}}, False),
    ("breaker", {"ineffective_limit": 0}, False),
    ("shared cause", {"neighbours": (("shop/basket", "alarm db-down"),)}, True),
    ("shared cause", {"neighbours": (("shop/basket", "db"), ("shop/pay", "db"))}, False),
    ("shared cause", {"neighbours": (("shop/basket", "db"),), "neighbours_limit": 0}, False),
    ("shared cause", {"neighbours": (("a", "db"), ("b", "db")), "restarts_or_scales": False}, True),
    ("approval", {"mode": Mode.ASK}, False),
    ("approval", {"asks": True}, False),
    ("approval", {"mode": Mode.ASK, "consent": Consent(granted=plan().hash)}, True),
    ("approval", {"asks": True, "consent": Consent(granted=plan().hash)}, True),
    ("approval", {"mode": Mode.ASK, "consent": Consent(granted="another plan")}, False),
    ("approval", {"consent": Consent(denied=frozenset({(plan().cause, plan().action)}))}, False),
    ("approval", {"consent": Consent(denied=frozenset({(plan().cause, ActionName.SCALE_OUT)}))}, True),
    ("mode", {"mode": Mode.OBSERVE}, False),
    ("mode", {"mode": Mode.AUTO, "switch": Switch(mode=Mode.OBSERVE)}, False),
    ("mode", {"mode": Mode.OBSERVE, "switch": Switch(mode=Mode.AUTO)}, True),
    ("pause", {"switch": Switch(paused_until=NOW + timedelta(seconds=1))}, False),
    ("pause", {"switch": Switch(paused_until=NOW)}, True),
    ("maintenance", {"maintenance": Window(start=ago(60), end=ago(-60), label="every sunday")}, False),
    ("maintenance", {"began_in": Window(start=ago(120), end=ago(60), label="every sunday")}, True),
    ("task counts", {"min_tasks": 2}, True),
    ("task counts", {"min_tasks": 3}, False),
    ("task counts", {"findings": findings(service=None), "min_tasks": 1}, False),
    ("dependency", {"findings": findings(dependencies=dependencies(DependencyState.FAILING))}, False),
    ("dependency", {"findings": findings(dependencies=dependencies(DependencyState.SLOW))}, False),
    ("dependency", {"findings": findings(dependencies=dependencies(DependencyState.THROTTLED))}, False),
    ("dependency", {"findings": findings(dependencies=dependencies(DependencyState.UNKNOWN))}, True),
    ("dependency", {"findings": findings(dependencies=dependencies(None))}, True),
    ("dependency", {"findings": findings(dependencies=None)}, False),
    ("dependency", {"findings": findings(dependencies=None), "restarts_or_scales": False}, True),
    ("external change", {"findings": findings(releases=releases(changed_during_incident=True))}, False),
]


@pytest.mark.parametrize(("guardrail", "said", "allowed"), LIMITS, ids=lambda value: str(value)[:60])
def test_a_guardrail_at_its_limit(guardrail: str, said: dict[str, object], allowed: bool) -> None:
    """Up to the limit it is allowed, from there on not; 0 allows none; and no other guardrail minds."""
    assert denied(situation(**said)) == (set() if allowed else {guardrail})


@pytest.mark.parametrize(("minimum", "allowed"), [(1, False), (2, True), (5, True), (6, False)])
def test_a_floor_stays_between_the_playbooks_bounds(minimum: int, allowed: bool) -> None:
    """Both bounds are allowed themselves, whatever the plan's own arithmetic said."""
    assert denied(situation(min_tasks=2, max_tasks=5), floor(minimum)) == (set() if allowed else {"task counts"})


@pytest.mark.parametrize("status", ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"])
def test_a_native_rollback_is_not_acted_upon(status: str) -> None:
    """ECS is at it already."""
    seen = findings(releases=releases(service_deployments=(service_deployment(status),)))
    assert denied(situation(findings=seen)) == {"native rollback"}


def test_releases_that_could_not_be_read_deny() -> None:
    """Nobody knows whether ECS or a person is at it."""
    assert denied(situation(findings=findings(releases=None))) == {"native rollback", "external change"}


def test_every_denial_says_why() -> None:
    """With who, how much and until when."""
    given = replace(
        situation(),
        switch=Switch(paused_until=NOW + timedelta(hours=1), by="ann", reason="migration"),
        maintenance=Window(start=NOW, end=NOW + timedelta(hours=2), label="announced by ann: new disks"),
        attempts=3,
        charges=(NOW - timedelta(seconds=30),),
        findings=findings(dependencies=dependencies(DependencyState.FAILING)),
    )
    reasons: dict[str, Verdict] = {verdict.guardrail: verdict for verdict in judge(given, plan())}
    assert reasons["pause"].reason == "paused by ann until 2026-03-01 04:12 UTC: migration"
    assert reasons["maintenance"].reason == "in maintenance until 2026-03-01 05:12 UTC: announced by ann: new disks"
    assert reasons["attempts"].reason == "3 of 3 attempts of this incident are used"
    assert reasons["cooldown"].reason.endswith("the cooldown ends at 03:21:30")
    assert reasons["dependency"].reason == "orders-db is failing"


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        (SetCeiling(resource_id="service/shop/orders", maximum=20), True),
        (SetCeiling(resource_id="service/shop/orders", maximum=21), False),
        (SetCeiling(resource_id="service/shop/orders", maximum=1), False),
        (SetCeiling(resource_id="service/shop/orders", maximum=8, minimum=2), True),
        (SetCeiling(resource_id="service/shop/orders", maximum=8, minimum=1), False),
    ],
)
def test_a_ceiling_stays_within_the_bounds_too(change: SetCeiling, allowed: bool) -> None:
    """Raised or lowered, and with the floor that goes with it."""
    wanted = plan(change, action=ActionName.LOWER_CEILING)
    assert denied(situation(min_tasks=2, max_tasks=20), wanted) == (set() if allowed else {"task counts"})


ISOLATION = plan(
    SetCeiling(resource_id="service/shop/orders", maximum=0, minimum=0), ScaleToZero(), action=ActionName.ISOLATE
)


def test_isolating_goes_below_every_bound() -> None:
    """No task is what it is for; a ceiling of 0 by itself is none."""
    assert denied(situation(min_tasks=2, consent=Consent(granted=ISOLATION.hash)), ISOLATION) == set()
    alone = plan(SetCeiling(resource_id="service/shop/orders", maximum=0), action=ActionName.LOWER_CEILING)
    assert denied(situation(), alone) == {"approval", "task counts"}


@pytest.mark.parametrize("mode", Mode)
def test_what_shuts_out_is_never_carried_out_unasked(mode: Mode) -> None:
    """In no mode; with a grant in every mode but observe, which carries nothing out."""
    assert "approval" in denied(situation(mode=mode, asks=True), ISOLATION)
    granted = situation(mode=mode, asks=True, consent=Consent(granted=ISOLATION.hash))
    assert denied(granted, ISOLATION) == ({"mode"} if mode is Mode.OBSERVE else set())


def by(what: Ordered, *, at: datetime | None = NOW) -> PendingOrder:
    return PendingOrder(number=1, order=Order(what=what, by="ann", reason="because"), at=at)


PASSED = [
    ("approval", {"mode": Mode.ASK}),
    ("attempts", {"attempts": 3}),
    ("cooldown", {"charges": (NOW - timedelta(minutes=1),), "hourly_limit": 4}),
    ("breaker", {"ineffective": {"inc-1": NOW, "inc-2": NOW, "inc-3": NOW}}),
    ("shared cause", {"neighbours": (("a", "alarm db-down"), ("b", "alarm db-down"))}),
    ("external change", {"findings": findings(releases=releases(changed_during_incident=True))}),
]


@pytest.mark.parametrize(("name", "said"), PASSED)
def test_an_order_passes_what_holds_back_the_responders_zeal(name: str, said: dict[str, object]) -> None:
    """Without an order it is a no; with one a yes that says so; and what shuts somebody out passes nothing."""
    assert denied(situation(**said), plan()) == {name}
    ordered = situation(**said, ordered=by(Ordered.REDEPLOY))
    assert denied(ordered, plan()) == set()
    (passed,) = [verdict for verdict in judge(ordered, plan()) if verdict.ordered]
    assert passed.guardrail == name
    assert passed.reason.endswith("the order of ann passes it")
    assert denied(situation(**said, ordered=by(Ordered.ISOLATE)), plan()) == {name}


@pytest.mark.parametrize("at", [None, NOW - timedelta(days=30)])
def test_an_order_does_not_pass_what_was_deployed_after_it(at: datetime | None) -> None:
    """Nor where nobody knows which came first."""
    changed = findings(releases=releases(changed_during_incident=True))
    assert denied(situation(findings=changed, ordered=by(Ordered.REDEPLOY, at=at)), plan()) == {"external change"}
    unread = situation(findings=findings(releases=None), ordered=by(Ordered.REDEPLOY))
    assert denied(unread, plan()) == {"external change", "native rollback"}


@pytest.mark.parametrize("mode", [Mode.ASK, Mode.AUTO])
def test_what_leaves_no_task_is_asked_for_whoever_orders_it(mode: Mode) -> None:
    """The playbook allows it, and still it is asked for."""
    nothing = plan(SetCount(count=0), action=ActionName.SET_COUNT)
    assert denied(situation(mode=mode, min_tasks=0, ordered=by(Ordered.LOOK)), nothing) == {"approval"}


@pytest.mark.parametrize("count", [0, 21])
def test_a_count_is_within_the_playbooks_bounds(count: int) -> None:
    """Whoever sets it."""
    beyond = plan(SetCount(count=count), action=ActionName.SET_COUNT)
    assert "task counts" in denied(situation(ordered=by(Ordered.LOOK)), beyond)
