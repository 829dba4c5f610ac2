"""How the sample service's team ships a release."""

from typing import Any

from tools.demo.shop import CLUSTER, GOOD_IMAGE, SERVICE, ship


class FakeEcs:
    """A service and the revisions of its task definition."""

    def __init__(self) -> None:
        self.current = "orders:1"
        self.revisions: dict[str, dict[str, Any]] = {
            "orders:1": {
                "taskDefinitionArn": "orders:1",
                "revision": 1,
                "status": "ACTIVE",
                "registeredAt": "yesterday",
                "compatibilities": ["FARGATE"],
                "proxyConfiguration": None,
                "family": SERVICE,
                "cpu": "256",
                "containerDefinitions": [
                    {"name": "sidecar", "image": "proxy:1"},
                    {"name": SERVICE, "image": GOOD_IMAGE, "portMappings": [{"containerPort": 80}]},
                ],
            }
        }

    def describe_services(self, *, cluster: str, services: list[str]) -> dict[str, Any]:
        assert (cluster, services) == (CLUSTER, [SERVICE])
        return {"services": [{"taskDefinition": self.current}]}

    def describe_task_definition(self, *, taskDefinition: str) -> dict[str, Any]:
        return {"taskDefinition": self.revisions[taskDefinition]}

    def register_task_definition(self, **fields: Any) -> dict[str, Any]:
        arn = f"{fields['family']}:{len(self.revisions) + 1}"
        self.revisions[arn] = fields
        return {"taskDefinition": {"taskDefinitionArn": arn}}

    def update_service(self, *, cluster: str, service: str, taskDefinition: str) -> None:
        assert (cluster, service) == (CLUSTER, SERVICE)
        self.current = taskDefinition


def test_a_release_changes_the_image_and_nothing_else() -> None:
    """The new revision is the old one with the service's own image replaced; other containers keep theirs."""
    ecs = FakeEcs()
    released = ship(ecs, image="shop/orders:1.5.0")
    assert ecs.current == released == "orders:2"
    assert ecs.revisions[released] == {
        "family": SERVICE,
        "cpu": "256",
        "containerDefinitions": [
            {"name": "sidecar", "image": "proxy:1"},
            {"name": SERVICE, "image": "shop/orders:1.5.0", "portMappings": [{"containerPort": 80}]},
        ],
    }
