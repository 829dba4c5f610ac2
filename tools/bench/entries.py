"""One measured figure, what it is held against, and whether it is good enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Against(StrEnum):
    """What a goal is a multiple of."""

    FLOOR = "floor"
    BASELINE = "baseline"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Goal:
    """At most so many times what it is held against; against nothing, at most so many units."""

    at_most: float
    against: Against = Against.FLOOR

    def __str__(self) -> str:
        if self.against is Against.NOTHING:
            return f"≤ {self.at_most:g}"
        return f"≤ {self.at_most:g} × {self.against}"


@dataclass(frozen=True)
class Entry:
    """One line of the table.

    `ours`, `floor` and `baseline` are in the same `unit`. The floor is the least that keeps the promises; the baseline
    is what people would have without the responder. `how` says in half a line what was measured.
    """

    name: str
    unit: str
    ours: float
    floor: float | None = None
    baseline: float | None = None
    goal: Goal | None = None
    how: str = ""

    @property
    def ratio_to_floor(self) -> float | None:
        return ratio(self.ours, self.floor)

    @property
    def ratio_to_baseline(self) -> float | None:
        return ratio(self.ours, self.baseline)

    @property
    def met(self) -> bool | None:
        """None without a goal. A goal whose other side was not measured is not met."""
        if self.goal is None:
            return None
        match self.goal.against:
            case Against.NOTHING:
                reached: float | None = self.ours
            case Against.FLOOR:
                reached = self.ratio_to_floor
            case Against.BASELINE:
                reached = self.ratio_to_baseline
        return reached is not None and reached <= self.goal.at_most

    def written(self) -> dict[str, Any]:
        """As build/bench.json holds it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": self.ours,
            "floor": self.floor,
            "baseline": self.baseline,
            "ratio_to_floor": self.ratio_to_floor,
            "ratio_to_baseline": self.ratio_to_baseline,
            "goal": str(self.goal) if self.goal else None,
            "met": self.met,
            "how": self.how,
        }


def ratio(ours: float, other: float | None) -> float | None:
    """None where there is nothing to divide by."""
    return None if other is None or other == 0 else ours / other


Told = Callable[[str], None]
"""Is told what is being measured now."""

Measure = Callable[[Told], Sequence[Entry]]
"""Measures one area, both sides in one run."""
