"""The API of one service that is well, with a release before the one that runs."""

from collections.abc import Iterator

import pytest

from functions.playbooks.schema import Playbook
from tests.fakes.api import Api, serving
from tests.fakes.engine import Responder
from tests.fakes.world import REF, V1, V2


def playbook(**said: object) -> Playbook:
    return Playbook.model_validate(
        {
            "region": REF.region,
            "cluster": REF.cluster,
            "service": REF.service,
            "mode": "auto",
            "alarms": [
                {"existing": "orders-5xx"},
                {"check": "front-page", "url": "https://shop.example.com/", "json": {"field": "up", "below": 1}},
            ],
            "dependencies": [{"name": "orders-db", "alarm": "orders-db-unreachable"}],
            **said,
        }
    )


def shipped(responder: Responder) -> Responder:
    """V1 was watched to be good, then V2 was shipped and is fine, too."""
    responder.world.task_definition = V1
    responder.bake()
    responder.clock.advance(seconds=3600)
    responder.bake()
    responder.world.ship(V2)
    responder.clock.advance(seconds=7200)
    responder.bake()
    return responder


@pytest.fixture
def responder() -> Responder:
    return shipped(Responder(playbook=playbook()))


@pytest.fixture
def api(responder: Responder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with serving(responder, monkeypatch) as made:
        yield made
