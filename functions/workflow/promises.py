"""What people were promised, and how long a wait may be so that it is kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

from functions.domain.severity import Grade
from functions.playbooks.schema import Playbook
from functions.workflow.standing import Standing
from functions.workflow.story import Story
from functions.workflow.table import TABLE, StepName
from functions.workflow.visit import Result


def in_time(result: Result, due_at: datetime | None, now: datetime) -> Result:
    """The result, with its wait interrupted where something has to be said before its end; the rest of it is kept for
    afterwards. So a promise changes neither what is decided nor when."""
    if due_at is None:
        return result
    until = min(result.wait_s, max(1, ceil((due_at - now).total_seconds())))
    return result.model_copy(update={"wait_s": until, "left_s": result.wait_s - until})


def is_due(due_at: datetime | None, now: datetime, visits: Mapping[str, int]) -> bool:
    """Whether something has to be said now, and this execution may still say it: its successor says the rest."""
    left = visits.get(StepName.UPDATE, 0) < TABLE[StepName.UPDATE].visits
    return left and due_at is not None and now >= due_at


def standing_of(playbook: Playbook | None, story: Story, now: datetime, *, next_update_at: datetime | None) -> Standing:
    """What a notice says beside the trail."""
    return Standing(
        now=now,
        next_update_at=next_update_at,
        escalate_at=story.escalate_at,
        bridge=None if playbook is None else playbook.bridge,
        rto_s=None if playbook is None else playbook.rto,
        rpo_s=None if playbook is None else playbook.rpo,
        playbook=playbook,
    )


def second_call_at(playbook: Playbook | None, grade: Grade | None, now: datetime) -> datetime | None:
    """Until when somebody has to have the page that goes out now; None where nobody else would be called."""
    if playbook is None or not playbook.escalation.contacts or grade is None or not isinstance(grade.respond, int):
        return None
    return now + timedelta(seconds=grade.respond)


def next_update(playbook: Playbook | None, grade: Grade | None, now: datetime) -> datetime | None:
    """When people are to hear again, at the next full minute; None where the playbook promises nothing."""
    every = None if playbook is None or grade is None else playbook.update_every(grade.severity)
    if every is None:
        return None
    at = now + timedelta(seconds=every)
    return at if at.second == at.microsecond == 0 else at.replace(second=0, microsecond=0) + timedelta(minutes=1)
