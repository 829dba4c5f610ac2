"""Whose alarm is it? One playbook, or none, with the reason."""

from typing import Any

from functions.domain.signals import MetricRef, Signal, SignalKind
from functions.playbooks.matching import find_service
from functions.playbooks.schema import Playbook

REGION = "eu-west-1"
GROUP = "targetgroup/orders/73e2d6bc24d8a067"
BALANCER = "app/shop/50dc6c495c0c9188"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:111122223333"


def playbook(service: str = "orders", **said: Any) -> Playbook:
    return Playbook.model_validate({"region": REGION, "cluster": "shop", "service": service, **said})


def alarm(name: str = "some-alarm", **said: Any) -> Signal:
    return Signal.model_validate({"kind": "alarm", "occurred_at": None, "region": REGION, "alarm": name, **said})


def watching(**dimensions: str) -> tuple[MetricRef, ...]:
    return (MetricRef(namespace="AWS/ApplicationELB", name="RequestCount", dimensions=dimensions),)


def test_by_the_name_of_an_alarm() -> None:
    """An alarm that a playbook made or names belongs to it, whatever its metrics say."""
    made = playbook(alarms=[{"symptom": "cpu"}, {"existing": "orders-5xx"}])

    for name in ("responder-shop-orders-cpu", "orders-5xx"):
        match = find_service(alarm(name, cluster="shop", service="cart"), [made, playbook("cart")])
        assert match.playbook == made
        assert match.ref == made.ref


def test_by_the_name_of_a_check() -> None:
    """The alarm on a check belongs to its playbook, as every alarm that the playbook made."""
    made = playbook(alarms=[{"check": "pool-health", "url": "https://shop.example.com/pools"}])

    match = find_service(alarm("responder-shop-orders-check-pool-health"), [made, playbook("cart")])
    assert (match.playbook, match.reason) == (made, "the playbook names this alarm")


def test_in_its_own_region_only() -> None:
    """The same name in another Region is another alarm; without a Region the name alone has to do."""
    there = playbook(alarms=[{"existing": "orders-5xx"}])

    assert find_service(alarm("orders-5xx", region="us-east-1"), [there]).playbook is None
    assert find_service(alarm("orders-5xx", region=None), [there]).playbook == there


def test_a_composite_belongs_where_its_children_belong() -> None:
    """A composite alarm over alarms of one playbook is that playbook's; over two playbooks it is nobody's."""
    orders, cart = playbook(alarms=[{"symptom": "cpu"}]), playbook("cart", alarms=[{"symptom": "cpu"}])
    children = ("responder-shop-orders-cpu", "unrelated")

    assert find_service(alarm(children=children), [orders, cart]).playbook == orders
    both = find_service(alarm(children=(*children, "responder-shop-cart-cpu")), [orders, cart])
    assert both.playbook is None
    assert "several playbooks" in both.reason


def test_by_the_service_that_is_named() -> None:
    """Cluster and service together find the playbook; the same service in another cluster does not."""
    orders = playbook()

    assert find_service(alarm(cluster="shop", service="orders"), [orders]).playbook == orders
    assert find_service(alarm(cluster="shop-dev", service="orders"), [orders]).playbook is None
    assert find_service(alarm(cluster="shop", service="ORDERS"), [orders]).playbook is None


def test_a_service_without_a_playbook_is_known_all_the_same() -> None:
    """A service nobody wrote a playbook for is named, so that it can be recorded."""
    match = find_service(alarm(cluster="shop", service="cart"), [playbook()])

    assert match.playbook is None
    assert match.ref is not None
    assert match.ref.key == "eu-west-1/shop/cart"
    assert match.reason == "no playbook is for eu-west-1/shop/cart"


def event(**said: Any) -> Signal:
    return Signal.model_validate(
        {"kind": SignalKind.DEPLOYMENT, "occurred_at": None, "region": REGION, "service": "orders", **said}
    )


def test_an_old_arn_fits_if_only_one_service_has_the_name() -> None:
    """An ECS event without a cluster is matched by the service's name, if that is clear; an alarm never is."""
    orders, dev = playbook(), playbook(cluster="shop-dev")

    assert find_service(event(), [orders]).playbook == orders
    assert find_service(event(), [orders, dev]).playbook is None
    assert find_service(event(region="us-east-1"), [orders]).playbook is None
    assert find_service(alarm(service="orders"), [orders]).playbook is None


def test_by_target_group_and_load_balancer() -> None:
    """ALB alarms name no service: a playbook may say which target groups and load balancer are its own."""
    mine = playbook(overrides={"target_groups": [f"{ELB}:{GROUP}"], "load_balancer": f"{ELB}:loadbalancer/{BALANCER}"})

    assert find_service(alarm(metrics=watching(TargetGroup=GROUP, LoadBalancer=BALANCER)), [mine]).playbook == mine
    assert find_service(alarm(metrics=watching(LoadBalancer=BALANCER)), [mine]).playbook == mine
    assert (
        find_service(alarm(metrics=watching(TargetGroup="targetgroup/cart/1", LoadBalancer=BALANCER)), [mine]).playbook
        is None
    )
    assert find_service(alarm(metrics=watching(TargetGroup="orders/73e2d6bc24d8a067")), [mine]).playbook is None
    assert find_service(alarm(metrics=watching(TargetGroup="")), [mine]).playbook is None


def test_reasons_tell_why_nobody_was_found() -> None:
    """An operator who reads the reason knows what to write into which playbook."""
    books = [playbook(dependencies=[{"name": "orders-db", "alarm": "db-down"}])]

    assert "health of orders-db" in find_service(alarm("db-down"), books).reason
    assert "no service" in find_service(alarm(), books).reason
    assert "made of" in find_service(alarm(children=("x",)), books).reason
    assert "leaves its cluster" in find_service(event(service="cart"), books).reason
    assert "names no service" in find_service(event(service=None), books).reason
    several = (*watching(ClusterName="a", ServiceName="b"), *watching(ClusterName="a", ServiceName="c"))
    assert "several services" in find_service(alarm(metrics=several), books).reason
    assert "ECS allows" in find_service(alarm(metrics=watching(ClusterName="a", ServiceName="*")), books).reason
