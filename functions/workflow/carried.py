"""What becomes of a signal once it is recorded: somebody carries its incident on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.workflow.table import Outcome

if TYPE_CHECKING:
    from functions.domain.incidents import Opening
    from functions.ports import Executions


def carry_on(executions: Executions, opening: Opening) -> None:
    """Start the execution of an incident that has a signal, and wake it where it listens.

    Also for a signal that was recorded before: a crash between the two is repaired by the redelivery, and an execution
    that exists already, or is awake, is fine.
    """
    if opening.incident_id is None:
        return
    executions.start(opening.incident_id, opening.generation)
    if opening.token is not None:
        executions.wake(opening.token, Outcome.NEW_SIGNAL)
