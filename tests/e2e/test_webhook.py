"""A webhook of a playbook, from the alarm to the application that answers over TLS."""

from collections.abc import Iterator

import pytest

from functions.domain.incidents import Fact
from functions.ports import Ledger
from tests.e2e.conftest import Responder, deployed, facts
from tests.e2e.front_door import Called, FrontDoor, front_door
from tests.fakes.certificates import make_certificate
from tools.demo.scenarios import SCENARIOS
from tools.demo.stage import PLAYBOOKS, REF

TOKEN, TOKEN_SECRET = "t0ken-of-the-clean-up", "orders/clean-up"
WEBHOOK = f"""
webhooks:
  - {{{{name: clean-up, url: "{{url}}/api/clean-up", token: {TOKEN_SECRET}}}}}
ladders:
  stuck-tasks: [call-webhook:clean-up, force-new-deployment, page]
"""
"""What the playbook of the demo does not have."""


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDoor]:
    with front_door(make_certificate(tmp_path_factory.mktemp("certificate"))) as door:
        yield door


@pytest.fixture(scope="module")
def responder(door: FrontDoor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Responder]:
    """One of its own: an alarm that went off for every other test, and was soon quiet, may be a false one."""
    directory = tmp_path_factory.mktemp("playbooks")
    for file in PLAYBOOKS.glob("*.yaml"):
        (directory / file.name).write_text(file.read_text("utf-8") + WEBHOOK.format(url=door.url), "utf-8")
    with deployed(playbooks=directory, trust=door.trusted) as responder:
        yield responder


def newest(ledger: Ledger, known: set[str]) -> str | None:
    return next((each.id for each in ledger.incidents_of(REF) if each.id not in known), None)


def test_the_application_is_asked_to_clean_up(responder: Responder, door: FrontDoor) -> None:
    """Tasks that hang: the application's own clean-up is called once, with the token that Secrets Manager keeps, and it
    helps. The service is not deployed anew, and the token is nowhere in the trail."""
    stage = responder.stage
    stage.aws.client("secretsmanager").create_secret(Name=TOKEN_SECRET, SecretString=TOKEN)
    door.when_called = lambda: stage.set_faults(stuck_tasks=frozenset())
    responder.until(responder.calm, "the service did not stay well", patience_s=150.0)
    known, deployments = set(responder.incidents()), responder.changes_of_the_service()

    SCENARIOS["stuck-tasks"].cause(stage)
    responder.until(lambda: newest(responder.ledger, known) is not None, "no incident was opened")
    incident = responder.ledger.incident(str(newest(responder.ledger, known)))
    trail = responder.until_closed(incident, patience_s=240.0)

    assert door.called == [Called("/api/clean-up", f"Bearer {TOKEN}")]
    assert facts(trail).count(Fact.ACTION_TAKEN) == 1
    taken = next(event for event in trail.events if event.fact is Fact.ACTION_TAKEN)
    assert taken.data["change"]["kind"] == "call-webhook"
    assert "200" in taken.summary
    assert responder.changes_of_the_service() == deployments
    assert trail.broken is None
    assert TOKEN not in "".join(event.model_dump_json() for event in trail.events)
