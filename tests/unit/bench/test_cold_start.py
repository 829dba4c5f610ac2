"""What the bench takes for a start is all that the first event needs, and for its floor the same clients."""

import pytest

from tools.bench import cold_start
from tools.bench.cold.recording import first_events


@pytest.mark.thorough
def test_a_start_has_what_the_first_event_needs_and_the_floor_the_same_clients() -> None:
    """Intake is started for an alarm that opens an incident: ledger and workflow, and the addressee of its alarm."""
    events, playbooks = first_events(everything=False)

    with cold_start.Started(events["intake"], playbooks["intake"]) as started:
        assert sorted(started.needs["clients"]) == [["dynamodb", 3], ["stepfunctions", 3]]
        assert {"intake", "_ledger", "_executions", "_compiled"} <= set(started.needs["builders"])
        assert "functions.adapters.ledger" in started.needs["modules"]
        assert "functions.diagnostics.registry" not in started.needs["modules"]
        ours, floor = started.ours(), started.floor()
    assert floor.cpu_ms > 0
    assert ours.cpu_ms > 0
    assert set(cold_start.HELD) <= set(events)


def test_many_playbooks_are_of_as_many_services() -> None:
    """The one that is looked up is among them."""
    from tests.unit.playbooks.test_matching import playbook

    made = cold_start.among([playbook()], 50)

    assert made[0] == playbook()
    assert len({each.ref.key for each in made}) == 50
