"""One visit to a step: the payload in, the payload out, and the counter that ends every loop."""

from collections.abc import Callable, Mapping
from typing import Any

from functions.domain.errors import Superseded
from functions.domain.incidents import Incident
from functions.domain.model import Model
from functions.domain.signals import Wakes
from functions.ports import CaseFile, Ledger
from functions.workflow.table import TABLE, Outcome, StepName, next_step


class Visit(Model):
    """The payload that travels through the state machine; nothing else does."""

    incident_id: str
    generation: int
    step: str = StepName.ASSESS
    outcome: str | None = None
    wait_s: int = 0
    visits: Mapping[str, int] = {}
    left_s: int = 0
    """What is left of a wait that was interrupted, because something was promised for this moment."""
    signals: int | None = None
    """How many signals the incident had when the step before looked; None where it did not."""
    wakes: Wakes = Wakes.ORDERS
    """What ends the pause that comes next."""
    announced: int = 0
    """Sequence number of the last event of the trail that was put on the bus by this execution."""


class Result(Model):
    """What a step says. `wait_s` matters where the next step begins with a wait, and `left_s` is what is left of it for
    afterwards. `generation`: a new one was begun. `signals`: as many had come when it looked. `wakes`: what ends
    the pause that it says."""

    outcome: Outcome
    wait_s: int = 0
    left_s: int = 0
    generation: int | None = None
    signals: int | None = None
    wakes: Wakes = Wakes.ORDERS


StepCall = Callable[[Visit], Result]


def carry(
    step: StepName, payload: Mapping[str, Any], call: StepCall, *, exhausted: StepCall | None = None
) -> dict[str, Any]:
    """Do one visit of a step: count it, call it, and say where it leads.

    `exhausted` is called instead when the visits are used up, for a step that has something to hand over.

    Raises:
        KeyError: if the step says an outcome that the table does not know, which is a bug.
    """
    visit = Visit.model_validate(payload)
    count = visit.visits.get(step, 0) + 1
    try:
        if count <= TABLE[step].visits:
            result = call(visit)
        elif exhausted is not None:
            result = exhausted(visit)
        else:
            result = Result(outcome=Outcome.EXHAUSTED)
    except Superseded:
        result = Result(outcome=Outcome.SUPERSEDED)
    next_step(step, result.outcome)
    return Visit(
        incident_id=visit.incident_id,
        generation=visit.generation if result.generation is None else result.generation,
        step=step,
        outcome=result.outcome,
        wait_s=result.wait_s,
        left_s=result.left_s,
        signals=result.signals,
        wakes=result.wakes,
        visits={**visit.visits, step: count},
        announced=visit.announced,
    ).model_dump(mode="json")


def incident_of(visit: Visit, ledger: Ledger) -> Incident:
    """The incident this execution carries.

    Raises:
        Superseded: another execution carries it on.
    """
    return _carried(visit, ledger.incident(visit.incident_id))


def case_file_of(visit: Visit, ledger: Ledger) -> CaseFile:
    """The same with its trail and its inbox, in one reading.

    Raises:
        Superseded: another execution carries it on.
    """
    found = ledger.case_file(visit.incident_id)
    _carried(visit, found.incident)
    return found


def _carried(visit: Visit, incident: Incident) -> Incident:
    if incident.generation != visit.generation:
        raise Superseded(f"incident {incident.id} is carried on by generation {incident.generation}")
    return incident
