"""What only an operator orders: the plans for a count and for limits, and what makes no plan."""

from datetime import timedelta
from typing import Any

import pytest

from functions.actions.action import Refusal
from functions.actions.registry import ACTIONS
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, Lease, LeaseKind, LeaseTerms, Plan, SetCeiling, SetCount, SetFloor
from functions.domain.circumstances import StackFacts
from functions.domain.evidence import ScalingFacts
from functions.domain.orders import Order, Ordered
from tests.fakes.findings import NOW, findings, scaling, service, terms

RESOURCE = scaling().resource_id


def order(what: Ordered, **said: Any) -> Order:
    return Order.model_validate({"what": what, "by": "ann", "reason": "why", **said})


def scale(count: int, **said: Any) -> Order:
    return order(Ordered.SET_COUNT, count=count, **said)


def limits(minimum: int, maximum: int, **said: Any) -> Order:
    return order(Ordered.SET_LIMITS, minimum=minimum, maximum=maximum, **said)


def found(given: Order, *, leases: tuple[Lease, ...] = (), **seen: Any) -> Plan | Refusal:
    name = given.what.action
    assert name is not None
    return ACTIONS[name].plan(Cause.UNKNOWN, findings(**seen), terms(order=given, leases=leases))


def planned(given: Order, **said: Any) -> Plan:
    plan = found(given, **said)
    assert isinstance(plan, Plan), plan
    return plan


def refused(given: Order, **said: Any) -> str:
    refusal = found(given, **said)
    assert isinstance(refusal, Refusal), refusal
    return refusal.reason


def floor_lease(value: int, *, original: int) -> Lease:
    held = LeaseTerms(kind=LeaseKind.FLOOR, resource_id=RESOURCE, original=original, value=value, duration_s=600)
    due = NOW + timedelta(minutes=10)
    return Lease(id="lease", incident_id="inc", service_key="key", terms=held, taken_at=NOW, due_at=due)


@pytest.mark.parametrize("given", [scale(4), limits(2, 6)])
@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({"service": None}, "could not be read"),
        ({"releases": None}, "could not be read"),
        ({"scaling": None}, "could not be read"),
        ({"service": service(status="DRAINING")}, "DRAINING, not ACTIVE"),
        ({"stack": StackFacts(name="shop", status="UPDATE_IN_PROGRESS")}, "stack shop is UPDATE_IN_PROGRESS"),
    ],
)
def test_what_is_not_known_or_at_rest_is_left_alone(given: Order, seen: dict[str, Any], why: str) -> None:
    """A person's number is no reason to act on a service that nobody can see, or on which others work."""
    assert why in refused(given, **seen)


def test_a_daemon_has_no_count() -> None:
    """ECS itself runs one on each instance."""
    assert "DAEMON" in refused(scale(4), service=service(strategy="DAEMON"))


@pytest.mark.parametrize("name", [ActionName.SET_COUNT, ActionName.SET_LIMITS])
def test_nothing_is_planned_without_an_order(name: ActionName) -> None:
    """No cause asks for a number."""
    assert isinstance(ACTIONS[name].plan(Cause.OVERLOAD, findings(), terms()), Refusal)


def test_more_tasks_are_a_floor_and_the_ceiling_makes_room() -> None:
    """The autoscaler brings them by itself, and no count is sent."""
    shown = scaling(minimum=2, maximum=6)
    assert planned(scale(4), scaling=shown).changes == (SetFloor(resource_id=RESOURCE, minimum=4),)
    assert planned(scale(8), scaling=shown).changes == (
        SetCeiling(resource_id=RESOURCE, maximum=8),
        SetFloor(resource_id=RESOURCE, minimum=8),
    )


def test_fewer_tasks_are_a_floor_and_a_count() -> None:
    """The floor first, or the autoscaler would bring them back."""
    many = {"service": service(desired=6, running=6), "scaling": scaling(minimum=5, maximum=9)}
    plan = planned(scale(3), **many)
    assert plan.changes == (SetFloor(resource_id=RESOURCE, minimum=3), SetCount(count=3))
    assert plan.only_takes_away
    assert "--desired-count 6" in plan.undo
    assert not planned(scale(8), **many).only_takes_away


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (scale(2), {"scaling": scaling(minimum=2)}),
        (scale(2), {"scaling": ScalingFacts(registered=False)}),
        (limits(2, 10), {"scaling": scaling(minimum=2, maximum=10)}),
    ],
)
def test_what_is_so_already_is_not_done_again(given: Order, seen: dict[str, Any]) -> None:
    """It would only use up the hour's changes."""
    assert "already" in refused(given, **seen)


def test_a_floor_that_is_leased_does_not_become_one_for_good() -> None:
    """The lease would take it back: for a while it can be had, and another number as well."""
    lease, shown = floor_lease(4, original=2), scaling(minimum=4, maximum=10)
    seen: dict[str, Any] = {"leases": (lease,), "scaling": shown, "service": service(desired=4, running=4)}
    assert "gives 2 back at 2026-03-01 03:22 UTC" in refused(limits(4, 12), **seen)
    assert planned(limits(5, 12), **seen).leases == ()
    ceiling, *others = planned(limits(4, 12, duration_s=3600), **seen).leases
    assert (ceiling.kind, others) == (LeaseKind.CEILING, [])


def test_a_value_for_a_while_gives_back_what_was_there_before_any_lease() -> None:
    """Not what another lease of ours had set."""
    lease, shown = floor_lease(4, original=2), scaling(minimum=4, maximum=10)
    plan = planned(scale(6, duration_s=3600), leases=(lease,), scaling=shown, service=service(desired=4, running=4))
    (terms_of,) = plan.leases
    assert (terms_of.original, terms_of.value) == (2, 6)


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        (limits(12, 20, duration_s=60), [SetCeiling, SetFloor]),
        (limits(1, 3, duration_s=60), [SetFloor, SetCeiling]),
        (limits(2, 20, duration_s=60), [SetCeiling]),
        (limits(12, 20), [SetCeiling]),
    ],
)
def test_a_floor_is_never_above_the_ceiling_on_the_way(given: Order, kinds: list[type]) -> None:
    """Application Auto Scaling would refuse it; without leases one call sets both."""
    plan = planned(given, scaling=scaling(minimum=2, maximum=10))
    assert [type(change) for change in plan.changes] == kinds
    minimum, maximum = 2, 10
    for change in plan.changes:
        if isinstance(change, SetFloor):
            minimum = change.minimum
        elif isinstance(change, SetCeiling):
            maximum = change.maximum
            minimum = minimum if change.minimum is None else change.minimum
        assert minimum <= maximum
    assert (minimum, maximum) == (given.minimum, given.maximum)
