"""From the message of an alarm to the call that remedies: round trips in a row, and time with latency injected.

Three troubles of the drill, each at the moment its alarm tells: the responder as it is deployed, the shortest chain
that keeps its promises, and what an operator would type, each in a world of its own. Every attempt that botocore makes
is away for as long; docs/performance.md has the floor line by line.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from statistics import median

from tools.bench.chain.baseline import by_hand
from tools.bench.chain.floor import Floor
from tools.bench.chain.ours import respond
from tools.bench.chain.scenes import SCENES, Scene, Stage, staged
from tools.bench.chain.sequence import sequential
from tools.bench.chain.transitions import transitions
from tools.bench.chain.wire import Call, latency
from tools.bench.entries import Entry, Goal, Told

LATENCY_S = 0.025
"""What a call of AWS takes from a function in the same Region. An assumption."""

COUNTED_AT_S = 0.2
"""Far beyond the time that the process takes between two calls: nothing but waiting keeps calls apart then."""

COUNTED = 2
"""How often calls are counted: noise only lengthens a chain, so that the shortest one counts."""

TIMED = 9
"""How often time is measured, side by side: the median counts."""

GOAL = Goal(1.3)

Chain = Callable[[Stage], None]

SIDES: Mapping[str, Chain] = {"ours": respond, "floor": lambda stage: Floor(stage).respond(), "baseline": by_hand}


@dataclass(frozen=True, kw_only=True)
class Played:
    """One scene, until the call that remedies was answered."""

    seconds: float
    calls: Sequence[Call]


def measure(told: Told) -> Sequence[Entry]:
    """Two entries for each trouble."""
    entries: list[Entry] = []
    entered = tuple(transitions())
    for scene in SCENES:
        told(f"{scene.name}, warming up")
        for chain in SIDES.values():
            play(scene, chain, latency_s=0.0)
        told(f"{scene.name}, counting")
        counted = {
            name: float(min(len(sequential(play(scene, chain, latency_s=COUNTED_AT_S).calls)) for _ in range(COUNTED)))
            for name, chain in SIDES.items()
        }
        entries.append(
            Entry(
                f"alarm to action: {scene.name}, round trips",
                "calls",
                **counted,
                goal=GOAL,
                how=(
                    "calls of AWS one after the other, from the alarm's message to the remedy; side by side is one; "
                    f"ours beside {len(entered)} states that Step Functions enters: {', '.join(entered)}"
                ),
            )
        )
        seconds: dict[str, list[float]] = {name: [] for name in SIDES}
        for number in range(1, TIMED + 1):
            told(f"{scene.name}, timing {number} of {TIMED}")
            for name, chain in SIDES.items():
                seconds[name].append(play(scene, chain, latency_s=LATENCY_S).seconds)
        entries.append(
            Entry(
                f"alarm to action: {scene.name}, time",
                "ms",
                **{name: 1000 * median(taken) for name, taken in seconds.items()},
                goal=GOAL,
                how=f"the same with {1000 * LATENCY_S:g} ms for each call and all work in the process; median",
            )
        )
    return entries


def play(scene: Scene, chain: Chain, *, latency_s: float) -> Played:
    """Play a scene in a fresh world.

    Raises:
        LookupError: it does not come to the remedy.
    """
    # The functions print metrics, which CloudWatch would take from their log.
    with redirect_stdout(StringIO()), staged(scene) as stage, latency(latency_s) as calls:
        gc.collect()
        began = time.perf_counter()
        chain(stage)
    remedied = next((call for call in calls if call.operation == scene.remedy), None)
    if remedied is None:
        raise LookupError(f"{scene.name}: {scene.remedy} was not called")
    return Played(seconds=remedied.ended - began, calls=[call for call in calls if call.ended <= remedied.ended])
