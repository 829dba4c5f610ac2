"""Close: what is left to be done when it dies in the middle."""

import pytest

from functions.domain.errors import ReadFailed
from functions.domain.incidents import Fact, IncidentStatus
from functions.workflow.table import StepName
from functions.workflow.visit import carry
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import after_bad_release, playbook


@pytest.mark.parametrize("dies_at", ["archive", "topic"])
def test_a_close_that_died_is_finished_when_it_is_called_again(dies_at: str) -> None:
    """The incident is resolved and the lock free, but nothing was archived and nobody told: the same payload again does
    the rest, and resolves nothing twice."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    payload = responder.run(until=StepName.CLOSE)
    keep = responder.archive.keep

    def refused(key: str, body: str, *, content_type: str) -> str:
        raise ReadFailed("the archive takes nothing")

    if dies_at == "archive":
        responder.archive.keep = refused  # type: ignore[method-assign]
    responder.notifier.failing = dies_at == "topic"
    with pytest.raises(Exception, match="takes nothing"):
        carry(StepName.CLOSE, payload, responder.steps[StepName.CLOSE])
    incident = responder.ledger.incidents_of(REF)[0]
    assert incident.status is IncidentStatus.RESOLVED
    told = len(responder.notifier.pages)

    responder.archive.keep, responder.notifier.failing = keep, False  # type: ignore[method-assign]
    carry(StepName.CLOSE, payload, responder.steps[StepName.CLOSE])

    assert [page.attributes["kind"] for page in responder.notifier.pages[told:]] == ["recovered"]
    assert any(incident.id in url for url in responder.archive.documents)
    facts = [event.fact for event in responder.ledger.events(incident.id)]
    assert facts.count(Fact.INCIDENT_RESOLVED) == 1
