"""Measures warm handlers in the process of a Lambda function: `python -m tools.bench.replay.warm FILE`."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.bench.replay.calls import Bare, Invocation, Listener, SameOrAlike, find_answers, make
from tools.bench.replay.handlers import SetClock, deployed, shipped
from tools.bench.replay.recorded import record, scenarios
from tools.bench.replay.taken import cpu_s, memory_bytes
from tools.bench.replay.wire import BareClients, Wire, WireClients
from tools.drill.deployment import DrillSettings, InTurn
from tools.drill.scenario import Scenario

ROUNDS = 9
WARMED = 3
"""Rounds before anything is taken."""

EACH = 2
"""Invocations of one step that are taken from one incident: its first ones differ most."""


def measure(rounds: int = ROUNDS) -> Sequence[Mapping[str, Any]]:
    """One row for each invocation: the step, the calls, and what both sides took."""
    return [row for scenario in scenarios() for row in _of(scenario, rounds)]


def _of(scenario: Scenario, rounds: int) -> Iterator[Mapping[str, Any]]:
    wire = Wire()
    setting = scenario.setting
    bare = Bare(BareClients(wire, region=setting.region))
    settings = DrillSettings(region=setting.region, account=setting.account)
    invocations = chosen(record(scenario))
    clock = SetClock(invocations[0].at)
    parts: Any = {"settings": settings, "clock": clock, "playbooks": shipped(scenario.playbooks)}
    for invocation in invocations:
        _listen(invocation, wire, bare, clock, parts)
    with deployed(clients=WireClients(wire, region=setting.region), **parts) as handle:
        for invocation in invocations:
            ready = bare.ready(invocation.calls)
            clock.at = invocation.at

            def before(invocation: Invocation = invocation) -> None:
                wire.load(invocation.answers)

            def ours(invocation: Invocation = invocation) -> Any:
                return handle(invocation)

            def floor(ready: Any = ready) -> None:
                make(ready)

            cpu_s(ours, floor, before=before, rounds=WARMED)
            cpu = cpu_s(ours, floor, before=before, rounds=rounds)
            memory = memory_bytes(ours, floor, before=before)
            yield {
                "scenario": scenario.name,
                "step": invocation.step,
                "calls": len(invocation.calls),
                "cpu_s": [cpu.ours, cpu.floor],
                "memory_bytes": [memory.ours, memory.floor],
            }


def _listen(invocation: Invocation, wire: Wire, bare: Bare, clock: SetClock, parts: Any) -> None:
    """Handle it once on this wire, and from then on know it by the calls that were made now.

    Raises:
        AssertionError: if something else came of it than when it was recorded.
    """
    find_answers(wire, bare, invocation)
    listener = Listener(SameOrAlike(invocation))
    clock.at, wire.live = invocation.at, listener.live
    clients = WireClients(wire, region=parts["settings"].region, heard=listener.heard)
    with deployed(clients=clients, threads=InTurn, **parts) as handle:
        returned = handle(invocation)
    if invocation.returned is not None and returned != invocation.returned:
        raise AssertionError(f"{invocation.step} returned {returned}, and {invocation.returned} when it was recorded")
    invocation.calls = listener.calls
    find_answers(wire, bare, invocation)


def chosen(invocations: Sequence[Invocation]) -> Sequence[Invocation]:
    """The first invocations of each step, and of intake."""
    found: list[Invocation] = []
    for invocation in invocations:
        if sum(each.step == invocation.step for each in found) < EACH:
            found.append(invocation)
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(measure()))
