"""Listen: between two looks the execution sleeps, and the next signal wakes it."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.ports import Executions, Ledger
from functions.workflow.table import Outcome, StepName
from functions.workflow.visit import Visit

WAKEFUL_VISITS = 150
"""How often one execution is woken at most. What comes faster than verify's visits last is looked at by the clock."""


@dataclass(frozen=True, kw_only=True)
class Listen:
    ledger: Ledger
    executions: Callable[[], Executions]
    """Needed only where a signal was faster."""

    def __call__(self, visit: Visit, token: str) -> None:
        """Leave the token where whoever records the next signal finds it; one that came since the last look wakes the
        execution at once.

        Raises:
            Superseded: another execution carries the incident on.
        """
        if visit.visits.get(StepName.VERIFY, 0) > WAKEFUL_VISITS:
            return
        if not self.ledger.listen(visit.incident_id, visit.generation, token, wakes=visit.wakes, signals=visit.signals):
            self.executions().wake(token, Outcome.NEW_SIGNAL)
