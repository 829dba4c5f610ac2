"""What people are paged for: each thing that they have to know, once."""

import pytest

from functions.domain.causes import Cause
from functions.domain.incidents import Fact
from functions.workflow.decision import Decision
from functions.workflow.page import PagePeople
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Visit
from tests.fakes.archive import FakeArchive
from tests.fakes.world import FakeNotifier
from tests.unit.workflow.test_verify import Incident, said

ESCALATED = Decision(outcome=Outcome.ESCALATE, cause=Cause.DEPENDENCY_FAILING, confidence=0.9, reason="for people")


class Paged:
    """An incident whose service was acted upon, and which people have to hear of."""

    def __init__(self) -> None:
        self.incident = Incident()
        self.notifier = FakeNotifier()
        self.page = PagePeople(
            ledger=self.incident.ledger,
            notifier=self.notifier,
            archive=FakeArchive(),
            clock=self.incident.clock,
            playbooks={},
        )

    def tell(self, fact: Fact, **data: object) -> None:
        ledger, identifier = self.incident.ledger, self.incident.id
        ledger.append(ledger.incident(identifier), [said(fact, **data)], step="assess")

    def decided(self, decision: Decision) -> None:
        self.tell(Fact.STOOD_DOWN, decision=decision.model_dump(mode="json"))

    def checked(self, outcome: Outcome) -> None:
        self.tell(Fact.RECOVERY_CHECKED, outcome=outcome, steady=False)

    def visit(self, came_from: Outcome) -> int:
        """How many pages there are after it."""
        self.page(Visit(incident_id=self.incident.id, generation=1, step=StepName.PAGE, outcome=came_from))
        return len(self.notifier.pages)


@pytest.mark.parametrize("between", [Outcome.LOOK_AGAIN, Outcome.NOT_YET, Outcome.INEFFECTIVE, Outcome.CANNOT_TELL])
def test_the_same_news_is_paged_once_whatever_a_check_said_between(between: Outcome) -> None:
    """A check of the recovery that leads back to the same decision is no news."""
    paged = Paged()
    paged.decided(ESCALATED)
    assert paged.visit(Outcome.ESCALATE) == 1
    paged.checked(between)
    paged.decided(ESCALATED)
    assert paged.visit(Outcome.ESCALATE) == 1


def test_that_nobody_can_tell_is_news_once() -> None:
    """And what was news before it is none after it."""
    paged = Paged()
    paged.decided(ESCALATED)
    assert paged.visit(Outcome.ESCALATE) == 1
    paged.checked(Outcome.GIVE_UP)
    assert paged.visit(Outcome.GIVE_UP) == 2
    paged.decided(ESCALATED)
    assert paged.visit(Outcome.ESCALATE) == 2
    paged.checked(Outcome.GIVE_UP)
    assert paged.visit(Outcome.GIVE_UP) == 2


def test_another_cause_is_news() -> None:
    """Whatever was paged before."""
    paged = Paged()
    paged.decided(ESCALATED)
    paged.visit(Outcome.ESCALATE)
    paged.decided(ESCALATED.model_copy(update={"cause": Cause.DEPENDENCY_SLOW}))
    assert paged.visit(Outcome.ESCALATE) == 2
