"""A webhook of a playbook, from the alarm to the application that answers over TLS."""

from functions.domain.incidents import Fact
from functions.ports import Ledger
from tests.e2e.conftest import TOKEN_SECRET, Responder, facts
from tests.e2e.front_door import Called, FrontDoor
from tools.demo.scenarios import SCENARIOS
from tools.demo.stage import REF

TOKEN = "t0ken-of-the-clean-up"


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
