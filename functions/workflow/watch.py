"""Watch: people know; look again now and then, because alarms fire on transitions only and vetoes lift silently."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from functions.domain.causes import Cause
from functions.domain.incidents import Fact, NewEvent
from functions.playbooks.schema import Playbook
from functions.ports import Ledger
from functions.workflow.assess import Examiner, cleared
from functions.workflow.severity import changed
from functions.workflow.story import tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.validation import Validator
from functions.workflow.visit import Result, Visit, incident_of

SHORTEST_S = 60
LONGEST_S = 900
STANDS_ON = frozenset({Cause.DEPENDENCY_FAILING, Cause.DEPENDENCY_SLOW, Cause.TABLE_THROTTLED})
"""Causes that end elsewhere, and may leave something to do here at once: looked at every minute all the time."""

SAME_PACE = 5
"""So many visits at one distance before the distance doubles."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    ledger: Ledger
    examiner: Examiner
    playbooks: Mapping[str, Playbook]
    validator: Validator

    def __call__(self, visit: Visit) -> Result:
        """Look; leave for assess when a signal came or the decision would now be another one."""
        incident = incident_of(visit, self.ledger)
        story = tell(self.ledger.events(incident.id))
        waits_for_one = story.decision is not None and story.decision.cause in STANDS_ON
        pause = SHORTEST_S if waits_for_one else pace(visit.visits.get(StepName.WATCH, 0) + 1)
        inbox = self.ledger.inbox(incident.id)
        if len(inbox) > incident.signals_seen or story.orders:
            return Result(outcome=Outcome.CHANGED)
        playbook = self.playbooks.get(incident.service.key)
        if playbook is None:
            return Result(outcome=Outcome.LOOK_AGAIN, wait_s=pause)
        seen = self.examiner.examine(incident, playbook, story, inbox)
        decision = seen.decision
        if decision.outcome is Outcome.ALL_CLEAR:
            event = NewEvent(
                fact=Fact.LOOKED_AGAIN, actor=StepName.WATCH, summary=f"{decision.outcome}: {decision.reason}"
            )
            validation = cleared(self.validator, incident, playbook, story, seen, actor=StepName.WATCH)
            self.ledger.append(incident, [event, *validation], step=StepName.WATCH)
            return Result(outcome=Outcome.ALL_CLEAR)
        if story.decision is None or decision.gist != story.decision.gist:
            return Result(outcome=Outcome.CHANGED)
        regraded = changed(story.grade, seen.grade, actor=StepName.WATCH)
        if regraded:
            self.ledger.append(incident, regraded, step=StepName.WATCH)
            if replace(story, grade=seen.grade).graver_than_told:
                return Result(outcome=Outcome.CHANGED)
        return Result(outcome=Outcome.LOOK_AGAIN, wait_s=min(pause, decision.wait_s or pause))

    def hand_over(self, visit: Visit) -> Result:
        """The execution has grown long: a successor carries the incident on, with a fresh history of its own."""
        incident = incident_of(visit, self.ledger)
        event = NewEvent(
            fact=Fact.SUCCESSOR_STARTED, actor=StepName.WATCH, summary="this execution grew long: a successor goes on"
        )
        successor = self.ledger.next_generation(incident, event)
        return Result(outcome=Outcome.EXHAUSTED, generation=successor.generation)


def pace(visit: int) -> int:
    """Seconds until the next look: one minute at first, fifteen at the most."""
    return min(LONGEST_S, int(SHORTEST_S * 2 ** ((visit - 1) // SAME_PACE)))
