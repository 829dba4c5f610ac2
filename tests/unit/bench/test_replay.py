"""What the bench measures of handlers is what they do: the same requests on both sides, none but what was recorded."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tools.bench import storm, warm
from tools.bench.replay import storm as storms
from tools.bench.replay.calls import Bare, Call, Invocation, Listener, SameOrAlike, find_answers, make
from tools.bench.replay.handlers import SetClock, deployed, shipped
from tools.bench.replay.recorded import record, scenarios
from tools.bench.replay.wire import Answer, NotRecorded, Wire, WireClients
from tools.chaos import samples
from tools.drill.deployment import DrillSettings, InTurn
from tools.drill.runner import quiet

REGION = samples.REGION


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    with quiet():
        yield


def test_a_storm_makes_the_same_requests_on_both_sides() -> None:
    """Every batch is measured once, and each recorded answer is asked for by the handler and by the bare calls."""
    weather = storms.Weather()
    storm = weather.storm(services=6, messages_in_all=40, at_once=2)
    left: list[int] = []

    def timed(batch: Invocation, side: Callable[[], object]) -> float:
        weather._wire.load(batch.answers)
        side()
        left.append(weather._wire.left)
        return 1.0

    weather._timed = timed  # type: ignore[method-assign]
    weather.blow(storm)

    assert len(storm.batches) == 4
    assert left == [0] * 8
    assert storm.written() | {"calls": 0} == {"services": 6, "messages": 40, "calls": 0, "cpu_s": [0.1, 0.1]}
    assert len({batch.at for batch in storm.batches}) == 4


def test_a_storm_has_copies_and_opens_an_incident_for_each_service() -> None:
    """Four things happen to each service, and ten messages tell of them."""
    storm = storms.Weather().storm(services=3, messages_in_all=30)

    made = [call for batch in storm.batches for call in batch.calls]
    writes = [call for call in made if call.operation == "TransactWriteItems"]
    puts = [
        part["Put"]["Item"]["sk"]["S"] for call in writes for part in call.parameters["TransactItems"] if "Put" in part
    ]
    assert puts.count("LOCK") == 3
    assert puts.count("SIGNAL") == 12


def test_a_recorded_step_is_handled_as_it_was() -> None:
    """Each step of an incident makes its calls again, bare or not, and comes to the same outcome."""
    scenario = scenarios()[0]
    settings = DrillSettings(region=scenario.setting.region, account=scenario.setting.account)
    wire, invocations = Wire(), record(scenario)
    bare = Bare(WireClients(wire, region=REGION))
    clock = SetClock(invocations[0].at)
    parts: Any = {"settings": settings, "clock": clock, "playbooks": shipped(scenario.playbooks), "threads": InTurn}

    steps = {each.step: each for each in reversed(invocations)}
    assert {"intake", "assess", "remediate", "verify", "close", "report"} <= set(steps)
    for step in ("intake", "remediate", "close"):
        invocation = steps[step]
        find_answers(wire, bare, invocation)
        listener = Listener(SameOrAlike(invocation))
        clock.at, wire.live = invocation.at, listener.live
        with deployed(clients=WireClients(wire, region=REGION, heard=listener.heard), **parts) as handle:
            handle(invocation)
        invocation.calls = listener.calls
        find_answers(wire, bare, invocation)

        wire.load(invocation.answers)
        make(bare.ready(invocation.calls))
        assert wire.left == 0

        wire.load(invocation.answers)
        with deployed(clients=WireClients(wire, region=REGION), **parts) as handle:
            assert invocation.returned in (None, handle(invocation))
        assert wire.left == 0 or step == "intake"


def test_a_request_that_was_not_recorded_is_no_failure_of_aws() -> None:
    """It ends the bench; no handler goes on as if AWS had refused it."""
    wire = Wire()
    client = WireClients(wire, region=REGION).once("dynamodb")
    with pytest.raises(NotRecorded):
        client.get_item(TableName="t", Key={"pk": {"S": "a"}})


def test_what_differs_each_time_is_no_part_of_a_request() -> None:
    """boto3 gives each transaction a new token; the answer is found all the same."""
    wire = Wire()
    bare = Bare(WireClients(wire, region=REGION))
    call = Call(
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "t", "Item": {}}}]},
        3,
        Answer(200, {}, b"{}"),
    )
    invocation = Invocation(function="intake", step="intake", event={}, at=storms.BEGAN, calls=[call, call])
    find_answers(wire, bare, invocation)

    wire.load(invocation.answers)
    make(bare.ready(invocation.calls))
    assert wire.left == 0


def test_figures_become_entries() -> None:
    """A step's figures are the means of its invocations; own CPU is what ours takes beyond the bare calls."""
    rows = [{"calls": n, "cpu_s": [0.003 * n, 0.002 * n], "memory_bytes": [2000, 1000]} for n in (1, 3)]
    cpu, own, memory = warm.entries("verify", rows)
    assert [cpu.ours, cpu.floor, own.ours] == pytest.approx([6, 4, 2])
    assert cpu.met
    assert own.met
    assert (memory.ours, memory.floor, memory.met) == (2, 1, None)

    of_storm = {"services": 10, "messages": 100, "calls": 1.5, "cpu_s": [0.003, 0.001]}
    ratio, calls, flat = storm.entries(
        {"storm": of_storm, "few": of_storm, "many": of_storm | {"cpu_s": [0.0032, 0.001]}}
    )
    assert (ratio.met, calls.ours, flat.met) == (False, 1.5, True)
