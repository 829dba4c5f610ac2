"""The plans that shut somebody out: what they change, what they refuse, and how they are taken back."""

from typing import Any

import pytest

from functions.actions.action import Refusal
from functions.actions.contain import plan_block_address, plan_disable_user, plan_isolate
from functions.actions.registry import ACTIONS
from functions.domain.causes import Cause
from functions.domain.changes import (
    ActionName,
    BlockAddress,
    DisableUser,
    IpScope,
    IpSet,
    LeaseKind,
    Plan,
    ScaleToZero,
    SetCeiling,
    StateBefore,
    UnblockAddress,
    giving_back,
)
from functions.domain.containment import Containment
from functions.domain.evidence import ScalingFacts
from functions.domain.orders import Order, Ordered
from tests.fakes.findings import findings, scaling, service, terms

BREACH = Cause.SUSPECTED_BREACH
SET = IpSet(name="blocked", id="set-1", scope=IpScope.CLOUDFRONT)


def order(what: Ordered, **said: Any) -> Order:
    return Order.model_validate({"what": what, "by": "ann", "reason": "why", **said})


def containment(**said: Any) -> Containment:
    return Containment.model_validate({"deployed": True, "ip_set": SET, "user_pool": "eu-west-1_A", **said})


def planned(found: Plan | Refusal) -> Plan:
    assert isinstance(found, Plan), found
    return found


def refused(found: Plan | Refusal) -> str:
    assert isinstance(found, Refusal)
    return found.reason


def test_isolating_goes_to_nothing_and_says_what_was_there() -> None:
    """The commands of the undo are those that bring it back: bounds first, then the count."""
    shown = scaling(minimum=2, maximum=9)
    plan = planned(plan_isolate(BREACH, findings(service=service(desired=3), scaling=shown), terms()))
    assert plan.changes == (SetCeiling(resource_id=shown.resource_id, maximum=0, minimum=0), ScaleToZero())
    assert plan.leases == ()
    bounds, count = plan.undo.split(" && ")
    assert bounds.endswith("--min-capacity 2 --max-capacity 9")
    assert count == "aws ecs update-service --cluster shop --service orders --desired-count 3"


def test_isolating_relies_on_no_count() -> None:
    """The autoscaler may move it between the question and the answer: all tasks are meant."""
    few, many = (planned(plan_isolate(BREACH, findings(service=service(desired=n)), terms())) for n in (2, 9))
    assert few.hash == many.hash
    assert few.summary != many.summary


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"service": service(desired=0)}, "set to 0"),
        ({"service": service(status="DRAINING")}, "DRAINING"),
        ({"service": service(strategy="DAEMON")}, "DAEMON"),
        ({"service": None}, "could not be read"),
        ({"scaling": None}, "could not be read"),
    ],
)
def test_what_cannot_be_isolated(said: dict[str, Any], why: str) -> None:
    """A service that is off already, one that has no count, and one about which too little is known."""
    assert why in refused(plan_isolate(BREACH, findings(**said), terms()))


def test_without_a_scalable_target_only_the_count_is_set() -> None:
    """Nothing would bring tasks back."""
    plan = planned(plan_isolate(BREACH, findings(scaling=ScalingFacts(registered=False)), terms()))
    assert plan.changes == (ScaleToZero(),)


def test_a_block_is_a_lease_of_one_address() -> None:
    """For as long as ordered; its end takes out this address and nothing else. It relies on nothing of the service."""
    given = order(Ordered.BLOCK_ADDRESS, address="93.184.216.34", duration_s=7200)
    plan = planned(plan_block_address(BREACH, findings(), terms(containment=containment(), order=given)))
    assert plan.changes == (BlockAddress(ip_set=SET, address="93.184.216.34"),)
    (lease,) = plan.leases
    assert (lease.kind, lease.duration_s) == (LeaseKind.ADDRESS, 7200)
    assert giving_back(lease) == UnblockAddress(ip_set=SET, address="93.184.216.34")
    assert plan.lease_of(0) == lease
    assert plan.before == StateBefore(status="ACTIVE")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"order": None}, "operator"),
        ({"order": order(Ordered.BLOCK_ADDRESS, address="93.184.216.34")}, "how long"),
        ({"ip_set": None}, "no IP set"),
        ({"order": order(Ordered.BLOCK_ADDRESS, address="10.1.2.3", duration_s=60)}, "private"),
        ({"never_block": ("93.184.0.0/16",)}, "never blocks"),
    ],
)
def test_what_is_not_blocked(said: dict[str, Any], why: str) -> None:
    """Without an order, an end or a set, and where it would hit ourselves or whom the playbook protects."""
    given = order(Ordered.BLOCK_ADDRESS, address="93.184.216.34", duration_s=7200)
    wanted = said.get("order", given)
    around = containment(**{name: value for name, value in said.items() if name != "order"})
    assert why in refused(plan_block_address(BREACH, findings(), terms(containment=around, order=wanted)))


def test_a_user_is_disabled_in_the_playbooks_pool() -> None:
    """And the undo enables them again."""
    given = order(Ordered.DISABLE_USER, user="u-17")
    plan = planned(plan_disable_user(BREACH, findings(), terms(containment=containment(), order=given)))
    assert plan.changes == (DisableUser(user_pool="eu-west-1_A", user="u-17"),)
    assert "admin-enable-user" in plan.undo


@pytest.mark.parametrize(("said", "why"), [({"order": None}, "name the user"), ({"user_pool": None}, "no user pool")])
def test_who_is_not_disabled(said: dict[str, Any], why: str) -> None:
    """Nobody without an order, and nobody without a pool."""
    wanted = said.get("order", order(Ordered.DISABLE_USER, user="u-17"))
    around = containment(**{name: value for name, value in said.items() if name != "order"})
    assert why in refused(plan_disable_user(BREACH, findings(), terms(containment=around, order=wanted)))


@pytest.mark.parametrize("name", [name for name in ActionName if name.contains])
def test_whatever_shuts_out_asks(name: ActionName) -> None:
    """The registry says so of each."""
    assert ACTIONS[name].asks
