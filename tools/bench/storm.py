"""Storms: what intake takes for each message when very many come at once, beside the bare calls that it makes.

Batches as Lambda takes them from the queue go through the handler as it is deployed, with the ledger's own adapter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.bench.entries import Entry, Goal, Told
from tools.bench.replay.lambdas import as_lambda

SERVICES, MESSAGES = 1_000, 10_000
COMPARED = 1_000
"""Messages of either storm where few services are compared with many."""

RATIO, FLAT = Goal(2), Goal(1.1)


def measure(told: Told) -> Sequence[Entry]:
    """One storm over a thousand services, and two that differ only in how many services there are."""
    told(f"{MESSAGES:,} messages of {SERVICES:,} services, and twice {COMPARED:,} messages")
    arguments = map(str, (SERVICES, MESSAGES, COMPARED))
    return entries(as_lambda("tools.bench.replay.storm", *arguments))


def entries(found: Mapping[str, Mapping[str, Any]]) -> Sequence[Entry]:
    storm, few, many = found["storm"], found["few"], found["many"]
    ours_s, floor_s = storm["cpu_s"]
    how = f"{storm['messages']:,} messages of {storm['services']:,} services in batches of ten, six of ten are copies"
    return [
        Entry("storm: CPU per message", "ms", ours_s * 1e3, floor=floor_s * 1e3, goal=RATIO, how=how),
        Entry(
            "storm: calls of AWS per message",
            "calls",
            storm["calls"],
            how="signals of one batch share reads and starts",
        ),
        Entry(
            f"storm: CPU per message with {many['services']:,} services over {few['services']:,}",
            "ms",
            many["cpu_s"][0] * 1e3,
            floor=few["cpu_s"][0] * 1e3,
            goal=FLAT,
            how="the floor is the same storm where there are few services",
        ),
    ]
