"""Listen: between two looks the execution sleeps, and the next signal wakes it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from functions.domain.errors import Superseded
from functions.ports import Executions, Ledger
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Visit

WAKEFUL_VISITS = 150
"""After so many looks it pauses by the clock alone: a storm of signals must not use up the visits of verify."""


@dataclass(frozen=True, kw_only=True)
class Listen:
    ledger: Ledger
    executions: Callable[[], Executions]
    """Needed only where a signal was faster."""

    def __call__(self, visit: Visit, token: str) -> None:
        """Leave the token where whoever records the next signal finds it; one that came since the last look wakes the
        execution at once. So does another execution that carries the incident on by now: verify finds out, and ends.
        """
        if visit.visits.get(StepName.VERIFY, 0) > WAKEFUL_VISITS:
            return
        sleeps = False
        with suppress(Superseded):
            sleeps = self.ledger.listen(
                visit.incident_id, visit.generation, token, wakes=visit.wakes, signals=visit.signals
            )
        if not sleeps:
            self.executions().wake(token, Outcome.NEW_SIGNAL)
