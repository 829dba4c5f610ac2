"""The emulator refuses what a role does not grant: with every right nothing is refused, without one people are told."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from functions.domain.incidents import Fact
from functions.workflow.trails import read_trail
from tests.e2e.conftest import Responder
from tools.demo.asked import inline_policies
from tools.demo.shop import GOOD_IMAGE
from tools.demo.stage import RESPONDER

REFUSED = re.compile(r"AccessDenied|AuthorizationError|Unauthorized|not authorized")
"""Whatever services call it."""
CHANGES = "ecs:UpdateService"


def role_of(responder: Responder, function: str) -> str:
    """Name of a function's role."""
    found = responder.functions.get_function_configuration(FunctionName=f"{RESPONDER}-{function}")
    return str(found["Role"]).rpartition("/")[2]


@contextmanager
def without(responder: Responder, function: str, action: str) -> Iterator[None]:
    """The function's role lacks an action until the block ends."""
    iam, role = responder.stage.aws.client("iam"), role_of(responder, function)
    before = inline_policies(iam, role)

    def put(policies: dict[str, dict[str, Any]]) -> None:
        for name, document in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

    put({name: _lacking(document, action) for name, document in before.items()})
    try:
        yield
    finally:
        put(before)


def _lacking(document: dict[str, Any], action: str) -> dict[str, Any]:
    statements = []
    for statement in document["Statement"]:
        listed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if left := [each for each in listed if each != action]:
            statements.append({**statement, "Action": left})
    return {**document, "Statement": statements}


def test_a_digest_is_read_and_told(responder: Responder) -> None:
    """By a role of its own. What the emulator does not have is unknown in it."""
    responder.stage.pages()
    sent = responder.invoke("digest", {"period": "daily"})
    assert sent["sent"] is True
    assert any(sent["digest"] in page or "orders" in page for page in responder.stage.pages())


def refusals(responder: Responder) -> list[str]:
    """What the trails of all incidents say of calls that were refused for want of a right, large evidence included."""
    found = []
    for incident in responder.incidents():
        trail = read_trail(responder.ledger, incident)
        assert (trail.broken, trail.unread) == (None, ())
        found += [text for each in trail.evidence.values() if REFUSED.search(text := json.dumps(dict(each)))]
    return found


def test_nothing_that_the_responder_asked_was_refused(responder: Responder) -> None:
    """From the messages to the records of all incidents so far, and through a sweep, each call is within its role."""
    if not responder.incidents():
        responder.until_closed(responder.ship_bad_release())
    responder.stage.sweep()
    assert refusals(responder) == []


def test_a_missing_right_is_refused_and_people_are_told(responder: Responder) -> None:
    """A role without the right to change the service changes nothing; the page says what was refused."""
    responder.stage.pages()
    before = responder.changes_of_the_service()
    with without(responder, "remediate", CHANGES):
        incident = responder.ship_bad_release()
        responder.until_said(incident, Fact.PAGE_SENT)
        events = responder.ledger.events(incident.id)
        failed = [event for event in events if event.fact is Fact.ACTION_REFUSED]
        assert failed
        assert all(CHANGES in str(event.data) for event in failed)
        assert Fact.ACTION_TAKEN not in [event.fact for event in events]
        assert responder.changes_of_the_service() - before == 1, "the team's release alone"
        assert any(CHANGES in page for page in responder.stage.pages())
    assert any(CHANGES in text for text in refusals(responder))
    responder.stage.ship(GOOD_IMAGE)
    trail = responder.until_closed(incident, patience_s=240.0)
    assert trail.broken is None
