"""GET requests of the responder are answered by the world, as whoever is asked would answer just then."""

from typing import Any

import pytest

from functions.domain.changes import CallWebhook
from functions.domain.errors import ChangeDoubtful, ReadFailed
from tests.unit.drill.world.worlds import SHIPPED_S, bad_release, world
from tools.drill.world.web import WorldHttp, WorldWebhooks
from tools.drill.world.world import World

URL = "https://pay.example.com/health"
NEEDS: dict[str, Any] = {"needs": [{"dependency": "pay"}], "dependencies": [{"name": "pay", "kind": "backend"}]}


def trouble(how: str) -> World:
    of = world({"kind": "dependency", "dependency": "pay", "how": how, "latency_s": 4}, **NEEDS)
    of.run_until(SHIPPED_S + 60)
    return of


@pytest.mark.thorough
def test_a_dependency_answers_as_it_is() -> None:
    """200 while it is well, 503 while it is down; while it is slow late, or not in time."""
    well = world(**NEEDS)
    assert WorldHttp(well).answer(URL, timeout_s=3).status == 200
    assert WorldHttp(trouble("down")).answer(URL, timeout_s=3).status == 503
    patient, hasty = (WorldHttp(trouble("slow")).answer(URL, timeout_s=timeout_s) for timeout_s in (10, 3))
    assert (patient.status, patient.seconds) == (200, 4)
    assert (hasty.status, hasty.seconds) == (None, 3)


def test_a_service_fails_its_share() -> None:
    """A release that fails all requests fails this one, too."""
    of = world(bad_release("5xx", failing_percent=100))
    http = WorldHttp(of)
    of.run_until(SHIPPED_S)
    assert http.answer("http://orders.internal:8080/", timeout_s=3).status == 200
    of.run_until(SHIPPED_S + 900)
    assert http.answer("http://orders.internal:8080/", timeout_s=3).status == 503


def test_who_is_not_in_the_world_is_unknown() -> None:
    """A host that nobody knows is not down."""
    with pytest.raises(ReadFailed, match="not known"):
        WorldHttp(world()).answer("https://example.com/", timeout_s=3)


HOOK = CallWebhook(webhook="cleanup", url=URL, method="GET", timeout_s=3)


def test_a_webhook_is_answered_and_helps_nobody() -> None:
    """It is noted, and changes nothing; the application's own domain, which no world knows, answers as well."""
    of = world(**NEEDS)
    for url in (URL, "https://example.com/cleanup"):
        assert WorldWebhooks(of).call(HOOK.model_copy(update={"url": url})).answer == "200"
    assert [happening.text for happening in of.diary if happening.kind == "webhook"] == [
        f"cleanup: GET {URL}",
        "cleanup: GET https://example.com/cleanup",
    ]
    assert of.changes == []


@pytest.mark.parametrize(("how", "told"), [("down", "503"), ("slow", "timed out")])
def test_a_webhook_of_somebody_unwell_is_doubtful(how: str, told: str) -> None:
    """Whether it did anything nobody knows."""
    with pytest.raises(ChangeDoubtful, match=told):
        WorldWebhooks(trouble(how)).call(HOOK)
