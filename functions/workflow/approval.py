"""Approval: put a plan before people, and let the execution wait for their answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from functions.domain.approvals import Approval
from functions.domain.incidents import Fact, NewEvent
from functions.domain.words import clock
from functions.playbooks.schema import Playbook
from functions.ports import Clock, Ledger, Notifier
from functions.workflow.inbox import alarms_of
from functions.workflow.letters import question
from functions.workflow.looked import newest_look
from functions.workflow.promises import standing_of
from functions.workflow.severity import by_playbook
from functions.workflow.story import tell
from functions.workflow.table import StepName
from functions.workflow.visit import Visit, incident_of


@dataclass(frozen=True, kw_only=True)
class AskPeople:
    """The step itself. It only asks: the answer comes to the ledger, and wakes the execution by its token."""

    ledger: Ledger
    notifier: Notifier
    clock: Clock
    playbooks: Mapping[str, Playbook]

    def __call__(self, visit: Visit, token: str) -> None:
        """Write the request, then send it: nobody can answer what is not written yet.

        Raises:
            Superseded: another execution carries the incident on.
        """
        incident = incident_of(visit, self.ledger)
        events = self.ledger.events(incident.id)
        story = tell(events)
        if story.decision is None or story.decision.plan is None:
            raise LookupError(f"the newest decision of {incident.id} has no plan to ask for")
        plan, now = story.decision.plan, self.clock.now()
        approval = Approval(
            incident_id=incident.id,
            generation=incident.generation,
            number=len(story.requests) + 1,
            plan_hash=plan.hash,
            summary=plan.summary,
            token=token,
            asked_at=now,
            expires_at=now + timedelta(seconds=visit.wait_s),
        )
        asked = NewEvent(
            fact=Fact.APPROVAL_REQUESTED,
            actor=StepName.APPROVAL,
            summary=f"asked people, until {clock(approval.expires_at)}: {plan.summary}",
            data={
                "number": approval.number,
                "plan": plan.model_dump(mode="json"),
                "plan_hash": plan.hash,
                "expires_at": approval.expires_at.isoformat(),
                "next_update_at": approval.expires_at.isoformat(),
                "evidence": {"sequence": incident.head_sequence, "head": incident.head_hash},
            },
        )
        incident = self.ledger.append(incident, [asked], step=StepName.APPROVAL, approval=approval)
        playbook = self.playbooks.get(incident.service.key)
        written = by_playbook(playbook, alarms_of(self.ledger.inbox(incident.id)))
        standing = standing_of(playbook, story, now, next_update_at=approval.expires_at)
        grade = story.grade or written
        looked = newest_look(self.ledger, events)
        self.notifier.publish(question(incident, events, approval, plan, grade=grade, looked=looked, standing=standing))
