"""The look-up of a service's load balancer while its alarms are deployed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, cast

import pytest

from functions.domain.evidence import ServiceFacts
from functions.domain.services import ServiceRef
from functions.handlers.lookup import NotThere, deliver, failure, front_door, success
from functions.ports import ServiceReader

REF = ServiceRef(region="eu-west-1", cluster="shop", service="orders")
ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
ORDERS = f"{ELB}:targetgroup/orders/0123456789abcdef"
ADMIN = f"{ELB}:targetgroup/admin/1123456789abcdef"
FRONT = f"{ELB}:loadbalancer/app/front/fedcba9876543210"
NETWORK = f"{ELB}:loadbalancer/net/raw/aedcba9876543210"


@dataclass
class Shop:
    """The part of AWS that the look-up asks: one service, and which balancer stands before which target group."""

    status: str = "ACTIVE"
    target_groups: tuple[str, ...] = (ORDERS,)
    balancers: dict[str, str | None] = field(default_factory=lambda: {ORDERS: FRONT, ADMIN: None})

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        if ref != REF:
            return None
        return ServiceFacts(
            arn="arn:aws:ecs:eu-west-1:123456789012:service/shop/orders",
            status=self.status,
            desired=2,
            running=2,
            pending=0,
            task_definition="orders:1",
            deployments=(),
            target_groups=self.target_groups,
        )

    def load_balancer(self, target_group: str) -> str | None:
        return self.balancers[target_group]


def found(shop: Shop, ref: ServiceRef = REF, **asked: str) -> dict[str, str]:
    return front_door(cast(ServiceReader, shop), ref, **asked)


def test_dimensions_are_the_ends_of_the_arns() -> None:
    """CloudWatch names a load balancer and a target group by what follows in their ARNs."""
    assert found(Shop()) == {
        "LoadBalancer": "app/front/fedcba9876543210",
        "TargetGroup": "targetgroup/orders/0123456789abcdef",
    }


def test_the_first_group_behind_a_balancer_counts() -> None:
    """A target group that no balancer uses shows no metrics, so it is passed over."""
    assert found(Shop(target_groups=(ADMIN, ORDERS)))["TargetGroup"] == "targetgroup/orders/0123456789abcdef"


def test_a_group_that_the_playbook_names_is_the_one() -> None:
    """An override of the target group alone still has its balancer looked up."""
    shop = Shop(balancers={ORDERS: None, ADMIN: FRONT})
    assert found(shop, target_group=ADMIN)["TargetGroup"] == "targetgroup/admin/1123456789abcdef"


@pytest.mark.parametrize("shop", [Shop(status="INACTIVE"), Shop()])
def test_a_missing_service_is_named(shop: Shop) -> None:
    """The deployment fails with the service's name and with what to do."""
    ref = REF if shop.status == "INACTIVE" else ServiceRef(region="eu-west-1", cluster="shop", service="odrers")
    with pytest.raises(NotThere) as missing:
        found(shop, ref)
    assert str(missing.value).startswith(
        f"ECS service {ref.service} in cluster shop (eu-west-1) does not exist; deploy it first, or correct"
    )


@pytest.mark.parametrize(
    "shop", [Shop(target_groups=()), Shop(balancers={ORDERS: None}), Shop(balancers={ORDERS: NETWORK})]
)
def test_a_service_without_an_application_load_balancer_has_no_such_alarms(shop: Shop) -> None:
    """Alarms on metrics that nobody will ever send are refused, with what to write instead."""
    with pytest.raises(NotThere, match="no target group behind an Application Load Balancer; leave the alarms"):
        found(shop)


@pytest.fixture
def cloudformation() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A place that takes answers: its URL, and what it got."""
    got: list[tuple[str, dict[str, Any]]] = []

    class Taker(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append((self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taker)
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}/answer?signature=x", got
    server.shutdown()
    serving.join()
    server.server_close()


def request(url: str, **more: str) -> dict[str, Any]:
    return {
        "RequestType": "Create",
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "FrontDoor",
        "ResourceProperties": {"Region": "eu-west-1", "Cluster": "shop", "Service": "orders"},
        **more,
    }


@pytest.mark.parametrize("answer", [success({"LoadBalancer": "app/front/1"}), failure("no such service")])
def test_cloudformation_gets_its_answer(
    answer: dict[str, Any], cloudformation: tuple[str, list[tuple[str, dict[str, Any]]]]
) -> None:
    """The answer goes to the URL of the request, with what the request has to be told again, and no content type."""
    url, got = cloudformation
    deliver(request(url), answer)
    assert got == [
        (
            "",
            {
                **answer,
                "PhysicalResourceId": "shop/orders",
                "StackId": "stack",
                "RequestId": "request",
                "LogicalResourceId": "FrontDoor",
            },
        )
    ]


def test_a_new_look_replaces_nothing(cloudformation: tuple[str, list[tuple[str, dict[str, Any]]]]) -> None:
    """An update keeps the identity that CloudFormation knows, so that nothing is deleted after it."""
    url, got = cloudformation
    deliver(request(url, RequestType="Update", PhysicalResourceId="as-it-was"), success({}))
    assert got[0][1]["PhysicalResourceId"] == "as-it-was"
