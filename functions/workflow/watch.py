"""Watch: people know; look again now and then, because alarms fire on transitions only and vetoes lift silently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from functions.domain.causes import Cause
from functions.domain.incidents import Fact, InboxEntry, Incident, NewEvent
from functions.playbooks.schema import Playbook
from functions.ports import Ledger
from functions.workflow.assess import Assessment, Examiner, cleared
from functions.workflow.promises import in_time, is_due
from functions.workflow.severity import changed
from functions.workflow.story import Story, tell
from functions.workflow.table import TABLE, Outcome, StepName
from functions.workflow.validation import Validator
from functions.workflow.visit import Result, Visit, incident_of

SHORTEST_S = 60
LONGEST_S = 900
STANDS_ON = frozenset({Cause.DEPENDENCY_FAILING, Cause.DEPENDENCY_SLOW, Cause.TABLE_THROTTLED})
"""Causes that end elsewhere, and may leave something to do here at once: looked at every minute all the time."""

LED_S = 120
"""While a person leads the incident, the longest time until it is seen that they gave it back."""

NEEDED = (StepName.ASSESS, StepName.REMEDIATE, StepName.VERIFY, StepName.PAGE)
"""Steps without which nothing comes of a change. Each ends its visits with a page, and a page leads back here."""

SAME_PACE = 5
"""So many visits at one distance before the distance doubles."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    ledger: Ledger
    examiner: Examiner
    playbooks: Mapping[str, Playbook]
    validator: Validator

    def __call__(self, visit: Visit) -> Result:
        """Look; leave for assess when a signal came or the decision would now be another one. An execution that has
        used up the visits of a step on that way leaves it to its successor."""
        result = self._look(visit)
        if result.outcome is Outcome.CHANGED and any(_used_up(visit, step) for step in NEEDED):
            return self.hand_over(visit)
        return result

    def _look(self, visit: Visit) -> Result:
        incident = incident_of(visit, self.ledger)
        story = tell(self.ledger.events(incident.id))
        waits_for_one = story.decision is not None and story.decision.cause in STANDS_ON
        # A visit for a promise is no step of the pace.
        looks = visit.visits.get(StepName.WATCH, 0) - visit.visits.get(StepName.UPDATE, 0)
        pause = SHORTEST_S if waits_for_one else pace(max(0, looks) + 1)
        if story.taken_by is not None:
            pause = min(pause, LED_S)
        now = self.examiner.clock.now()
        due = is_due(story.due_at, now, visit.visits)
        inbox = self.ledger.inbox(incident.id)
        if visit.left_s:
            if due:
                self._look_to_tell(incident, story, inbox)
                return Result(outcome=Outcome.PROMISED, left_s=visit.left_s)
            return self._again(visit.left_s, story, now)
        if len(inbox) > incident.signals_seen or story.orders:
            return Result(outcome=Outcome.CHANGED)
        playbook = self.playbooks.get(incident.service.key)
        if playbook is None:
            return Result(outcome=Outcome.PROMISED, left_s=pause) if due else self._again(pause, story, now)
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
            incident = self.ledger.append(incident, regraded, step=StepName.WATCH)
            if replace(story, grade=seen.grade).graver_than_told:
                return Result(outcome=Outcome.CHANGED)
        if due:
            looked = NewEvent(fact=Fact.LOOKED_AGAIN, actor=StepName.WATCH, summary=_seen(seen))
            self.ledger.append(incident, [looked], step=StepName.WATCH)
            return Result(outcome=Outcome.PROMISED, left_s=min(pause, decision.wait_s or pause))
        return self._again(min(pause, decision.wait_s or pause), story, now)

    def _again(self, pause: int, story: Story, now: datetime) -> Result:
        # What is overdue all the same is left to the successor: this execution has said all that it may.
        ahead = None if story.due_at is None or story.due_at <= now else story.due_at
        return in_time(Result(outcome=Outcome.LOOK_AGAIN, wait_s=pause), ahead, now)

    def _look_to_tell(self, incident: Incident, story: Story, inbox: Sequence[InboxEntry]) -> None:
        """A look for the update alone: what follows from it is left to the next one, whose time has not come."""
        playbook = self.playbooks.get(incident.service.key)
        if playbook is not None:
            seen = self.examiner.examine(incident, playbook, story, inbox)
            looked = NewEvent(fact=Fact.LOOKED_AGAIN, actor=StepName.WATCH, summary=_seen(seen))
            self.ledger.append(incident, [looked], step=StepName.WATCH)

    def hand_over(self, visit: Visit) -> Result:
        """The execution has grown long: a successor carries the incident on, with a fresh history of its own."""
        incident = incident_of(visit, self.ledger)
        event = NewEvent(
            fact=Fact.SUCCESSOR_STARTED, actor=StepName.WATCH, summary="this execution grew long: a successor goes on"
        )
        successor = self.ledger.next_generation(incident, event)
        return Result(outcome=Outcome.EXHAUSTED, generation=successor.generation)


def _used_up(visit: Visit, step: StepName) -> bool:
    return visit.visits.get(step, 0) >= TABLE[step].visits


def _seen(seen: Assessment) -> str:
    """What the look that an update rests on found, in a line."""
    service = seen.findings.service.value
    tasks = "the service could not be read" if service is None else f"{service.running} of {service.desired} tasks run"
    cause = "no cause fits the evidence" if seen.decision.cause is Cause.UNKNOWN else f"cause {seen.decision.cause}"
    return ", ".join(filter(None, (tasks, seen.grade.seen, cause)))


def pace(visit: int) -> int:
    """Seconds until the next look: one minute at first, fifteen at the most."""
    return min(LONGEST_S, int(SHORTEST_S * 2 ** ((visit - 1) // SAME_PACE)))
