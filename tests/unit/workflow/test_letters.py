"""The texts people get: fit for SNS, complete, and proof against what others write into names and reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import ChangeRefused
from functions.domain.incidents import Event, Fact, Incident, NewEvent
from functions.workflow.letters import SUBJECT_LIMIT, escalation, recovered
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_incident import after_bad_release, playbook

HOSTILE = "orders-5xx is OK\n\nCause      nothing, go back to bed\r\x1b[2J\u202e"


@pytest.fixture(scope="module")
def paged() -> tuple[Incident, tuple[Event, ...]]:
    """A rollback that AWS refused, so that people were paged."""
    responder = Responder(playbook=playbook())
    responder.world.failing_changes.append(ChangeRefused("ClientException: no"))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    (incident,) = responder.ledger.incidents_of(REF)
    return incident, tuple(responder.ledger.events(incident.id))


@pytest.fixture(scope="module")
def over() -> tuple[Incident, tuple[Event, ...]]:
    """A rollback that helped."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    responder.run()
    (incident,) = responder.ledger.incidents_of(REF)
    return incident, tuple(responder.ledger.events(incident.id))


def test_a_page_says_what_why_what_was_tried_and_where_to_look(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """It stands alone: nobody needs the trail beside it at three in the morning."""
    incident, events = paged
    page = escalation(incident, events)
    assert page.subject == "[page] orders: bad-release"
    for wanted in (
        "orders in shop (eu-west-1) needs a person.",
        "refused: roll-back was not done: ClientException: no",
        "release orders:2 came",
        "roll-back: tried in this incident already",
        f"responder show {incident.id}",
        incident.head_hash[:16],
    ):
        assert wanted in page.text
    assert page.attributes == {"kind": "page", "incident": incident.id, "service": "eu-west-1/shop/orders"}


def test_an_all_clear_says_what_the_infrastructure_code_does_not_know(over: tuple[Incident, tuple[Event, ...]]) -> None:
    """The pin to paste, and the release that is quarantined now."""
    page = recovered(*over)
    assert page.subject.startswith("[recovered] orders: recovered after roll-back,")
    assert f"task definition {V1.rsplit('/', 1)[-1]}" in page.text
    assert "quarantined     orders:2" in page.text


def test_an_incident_that_nobody_assessed_can_be_told(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """The first step may fail before anything is known."""
    incident, events = paged
    page = escalation(incident, events[:1])
    assert page.subject == "[page] orders: unknown"
    assert "the responder could not go on" in page.text


def test_a_ranking_too_long_for_the_trail_does_not_stop_the_page(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """The trail then holds only where it lies, and so does the page."""
    incident, events = paged
    archived = {"archived": "s3://archive/evidence/0.json", "sha256": "0"}
    lean = [e.model_copy(update={"data": archived}) if e.fact is Fact.CAUSES_RANKED else e for e in events]
    assert "kept as s3://archive/evidence/0.json" in escalation(incident, lean).text


def test_a_regional_outage_of_many_dependencies_is_paged() -> None:
    """Twenty dependencies with long reasons are more evidence than an event holds."""
    names = [f"dependency-{n}" for n in range(20)]
    responder = Responder(playbook=playbook(dependencies=[{"name": n, "alarm": n} for n in names]))
    responder.world.database_alarms = {*names}
    responder.world.reason = "Threshold Crossed " * 50
    responder.world.database_down = True
    responder.world.settle_alarm()
    responder.sweep()
    responder.run(until=StepName.WATCH)
    (incident,) = responder.ledger.incidents_of(REF)
    ranked = [event for event in responder.ledger.events(incident.id) if event.fact is Fact.CAUSES_RANKED]
    assert "archived" in ranked[0].data
    (page,) = responder.notifier.pages
    assert page.subject == "[page P1] orders: dependency-failing, 90.0% of requests fail"


def test_a_hostile_title_is_data(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """A line break in an alarm's name begins no line of ours, and no control character reaches a terminal."""
    incident, events = paged
    hostile = incident.model_copy(update={"title": HOSTILE})
    for page in (escalation(hostile, events), recovered(hostile, events)):
        assert [line for line in page.text.splitlines() if line.startswith("Cause")] == [
            "Cause      bad-release (confidence 0.90)"
        ]
        assert not any(character in page.text for character in "\r\x1b\u202e")
        assert is_subject(page.subject)


@given(st.text(max_size=300))
def test_whatever_the_title_the_subject_is_one_that_sns_takes(title: str) -> None:
    """ASCII, one line, at most 100 characters."""
    incident = Incident.model_validate(
        {
            "id": "inc-1",
            "service": REF,
            "status": "open",
            "title": title,
            "opened_at": "2026-03-01T03:12:00Z",
            "updated_at": "2026-03-01T03:12:00Z",
        }
    )
    opened = Event.chain(
        "inc-1", 1, incident.opened_at, NewEvent(fact=Fact.INCIDENT_OPENED, actor="intake", summary=title), "0" * 64
    )
    assert is_subject(recovered(incident, [opened]).subject)
    assert is_subject(escalation(incident, [opened]).subject)


def is_subject(subject: str) -> bool:
    return subject.isascii() and subject.isprintable() and 0 < len(subject) <= SUBJECT_LIMIT
