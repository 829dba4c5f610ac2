"""What is down around the responder keeps people from hearing of an incident only where there is no other way."""

from dataclasses import replace

from functions.domain.errors import ReadFailed
from functions.domain.incidents import Fact
from functions.workflow.assess import Assess
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.unit.workflow.test_incident import after_bad_release, facts, playbook


def test_an_archive_that_is_gone_keeps_nobody_from_the_page() -> None:
    """The copy of the trail is left out: the table has it, and the close stores it."""
    responder = Responder(playbook=playbook(mode="observe"))

    def gone(key: str, body: str, *, content_type: str) -> str:
        raise ReadFailed(f"{key}: the archive takes nothing")

    responder.archive.keep = gone  # type: ignore[method-assign]
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert len(responder.notifier.pages) == 1
    assert Fact.PAGE_SENT in facts(responder)


def test_without_its_playbook_an_incident_is_for_people() -> None:
    """Whoever takes it away while the incident is open takes the leave to act away with it."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    assess = responder.steps[StepName.ASSESS]
    assert isinstance(assess, Assess)
    responder.steps[StepName.ASSESS] = replace(assess, playbooks={})
    responder.run(until=StepName.WATCH)
    assert responder.path == ["assess:escalate", "page:paged"]
    assert responder.world.changes == []
