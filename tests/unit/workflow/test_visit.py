"""One visit: the payload in, the payload out, and the counter that ends every loop."""

from typing import Any

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.errors import Superseded
from functions.domain.incidents import Fact, NewEvent
from functions.workflow.table import TABLE, Outcome, StepName
from functions.workflow.visit import Result, Visit, carry, incident_of
from tests.fakes.clock import FakeClock
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF

BEGUN: dict[str, Any] = {"incident_id": "inc-1", "generation": 1, "step": "assess"}


def says(outcome: Outcome, **said: Any) -> Any:
    return lambda visit: Result(outcome=outcome, **said)


def test_a_visit_is_counted_and_says_where_it_leads() -> None:
    """The payload that travels on holds the incident, the outcome, the wait, the counters, and how far machines were
    told; nothing else."""
    after = carry(StepName.VERIFY, {**BEGUN, "visits": {"assess": 2}}, says(Outcome.NOT_YET, wait_s=30))
    assert after == {
        "incident_id": "inc-1",
        "generation": 1,
        "step": "verify",
        "outcome": "not-yet",
        "wait_s": 30,
        "left_s": 0,
        "signals": None,
        "wakes": "orders",
        "visits": {"assess": 2, "verify": 1},
        "announced": 0,
    }


def test_the_payload_of_another_version_is_read() -> None:
    """What a newer version added is ignored; what an older one did not know has its default."""
    assert carry(StepName.PAGE, {**BEGUN, "mood": "calm"}, says(Outcome.PAGED))["visits"] == {"page": 1}


@pytest.mark.parametrize("step", [name for name, row in TABLE.items() if row.visits])
def test_after_the_last_visit_the_step_is_not_called(step: StepName) -> None:
    """The last one still is; from then on the counter answers."""
    called = []

    def step_call(visit: Visit) -> Result:
        called.append(visit)
        return Result(outcome=next(iter(TABLE[step].transitions)))

    last = carry(step, {**BEGUN, "visits": {step: TABLE[step].visits - 1}}, step_call)
    beyond = carry(step, last, step_call)
    assert len(called) == 1
    assert beyond["outcome"] == Outcome.EXHAUSTED


def test_a_step_may_have_something_to_hand_over_at_the_end() -> None:
    """Its last word may begin a new generation, which the payload then carries."""
    used_up = {**BEGUN, "visits": {"watch": TABLE[StepName.WATCH].visits}}
    after = carry(StepName.WATCH, used_up, says(Outcome.LOOK_AGAIN), exhausted=says(Outcome.EXHAUSTED, generation=2))
    assert (after["outcome"], after["generation"]) == ("exhausted", 2)


def test_a_superseded_step_ends_its_execution() -> None:
    """Whoever was overtaken says nothing more, also at its last visit."""

    def overtaken(visit: Visit) -> Result:
        raise Superseded("another execution carries it on")

    assert carry(StepName.ASSESS, BEGUN, overtaken)["outcome"] == "superseded"
    used_up = {**BEGUN, "visits": {"watch": TABLE[StepName.WATCH].visits}}
    assert carry(StepName.WATCH, used_up, says(Outcome.CHANGED), exhausted=overtaken)["outcome"] == "superseded"


def test_an_outcome_unknown_to_the_table_is_a_bug() -> None:
    """It is raised, so that the error edge pages people."""
    with pytest.raises(KeyError):
        carry(StepName.ASSESS, BEGUN, says(Outcome.RESOLVED))


def test_an_execution_of_an_older_generation_has_no_incident() -> None:
    """The generation is the fencing token."""
    ledger = MemoryLedger(clock=FakeClock())
    opening = ledger.record_signal(alarm_signal(), REF, may_open=True)
    assert opening.incident_id is not None
    mine = Visit(incident_id=opening.incident_id, generation=1)
    incident = incident_of(mine, ledger)
    ledger.next_generation(incident, NewEvent(fact=Fact.EXECUTION_RESTARTED, actor="sweep", summary="goes on"))
    with pytest.raises(Superseded, match="generation 2"):
        incident_of(mine, ledger)
