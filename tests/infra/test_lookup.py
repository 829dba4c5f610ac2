"""The look-up of a service's load balancer and log group while its alarms are deployed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, cast

import pytest

from functions import bootstrap
from functions.domain.circumstances import TaskDefinitionFacts
from functions.domain.evidence import ServiceFacts
from functions.domain.services import ServiceRef
from functions.handlers.lookup import LOG_GROUP, NotThere, deliver, failure, front_door, handler, log_group, success
from functions.ports import ServiceReader
from tests.unit.handlers.context import context

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
    log_groups: tuple[str, ...] = ("/ecs/orders",)

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

    def definition(self, task_definition: str) -> TaskDefinitionFacts:
        assert task_definition == "orders:1"
        return TaskDefinitionFacts(task_definition=task_definition, log_groups=self.log_groups)

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


def test_the_log_group_is_that_of_the_task_definition() -> None:
    """The group that the containers of the running task definition log to."""
    assert log_group(cast(ServiceReader, Shop()), REF) == {"LogGroup": "/ecs/orders"}


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        (("/ecs/orders", "/ecs/proxy"), "logs to several groups (/ecs/orders, /ecs/proxy)"),
        ((), "logs to no group of CloudWatch Logs here"),
    ],
)
def test_nobody_guesses_which_log_is_meant(groups: tuple[str, ...], says: str) -> None:
    """With several groups, or none, the deployment fails and says what to write."""
    with pytest.raises(NotThere) as missing:
        log_group(cast(ServiceReader, Shop(log_groups=groups)), REF)
    assert str(missing.value) == (
        f"ECS service orders in cluster shop (eu-west-1) {says}; write overrides: log_group in its playbook, or leave "
        "the alarms on logs out"
    )


def test_a_log_of_a_service_that_is_missing() -> None:
    """It is the service that the deployment has to name."""
    with pytest.raises(NotThere, match="does not exist; deploy it first"):
        log_group(cast(ServiceReader, Shop(status="INACTIVE")), REF)


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


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (LOG_GROUP, {"LogGroup": "/ecs/orders"}),
        (
            "Custom::EcsServiceFrontDoor",
            {"LoadBalancer": "app/front/fedcba9876543210", "TargetGroup": "targetgroup/orders/0123456789abcdef"},
        ),
    ],
)
def test_the_kind_of_resource_says_what_is_looked_up(
    kind: str,
    data: dict[str, str],
    cloudformation: tuple[str, list[tuple[str, dict[str, Any]]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One function answers both, each for the resource that asks."""
    monkeypatch.setattr(bootstrap, "service_reader", Shop)
    url, got = cloudformation
    handler(request(url, ResourceType=kind), context("lookup"))
    assert got[0][1]["Status"] == "SUCCESS"
    assert got[0][1]["Data"] == data
