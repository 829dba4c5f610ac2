"""What the bench takes for a start is all that the first event needs, and for its floor the same clients."""

from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import pytest

from tools.bench import cold_start
from tools.bench.cold.ours import ADAPTERS
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


def test_every_validator_that_is_no_models_is_counted() -> None:
    """The others are found by their class."""
    functions = Path(cold_start.PROJECT, "functions")
    making = [path for path in functions.rglob("*.py") if " TypeAdapter(" in path.read_text()]
    assert {".".join(path.relative_to(cold_start.PROJECT).with_suffix("").parts) for path in making} == set(ADAPTERS)


@pytest.mark.parametrize(
    ("ours", "floor", "starts"),
    [
        ([9, 9, 9], [5, 5, 5], 3),
        ([9, 8, 9, 8, 8.1], [5, 5, 5], 5),
        ([9, 9, 9], [5, 4, 4, 4], 4),
        ([9, 8, 7, 6, 5, 4, 3, 2], [5, 5, 5], 7),
    ],
)
def test_it_is_started_until_the_lowest_is_no_accident(ours: list[float], floor: list[float], starts: int) -> None:
    """Or as often as it may be."""

    def takes(times: list[float]) -> Callable[[], cold_start.Start]:
        taken = chain(times, repeat(times[-1]))
        return lambda: cold_start.Start(cpu_ms=next(taken), wall_ms=1)

    sides = cold_start.in_turns(takes(ours), takes(floor), 3, 7, lambda number: None)
    assert [len(side) for side in sides] == [starts, starts]
