"""The areas that `make bench` measures, in the order of its table."""

from collections.abc import Mapping
from importlib import import_module

from tools.bench.entries import Measure

AREAS: Mapping[str, str] = {
    "alarm-to-action": "tools.bench.alarm_to_action",
    "cold-start": "tools.bench.cold_start",
    "warm": "tools.bench.warm",
    "storm": "tools.bench.storm",
    "package": "tools.bench.package",
    "cost": "tools.bench.cost.area",
    "drill": "tools.bench.drill",
    "peer": "tools.bench.peer",
}
"""Each area's name and the module whose `measure` measures it; a module is imported only when its area is asked for,
so that none of them weighs on another's figures."""


def measure_of(area: str) -> Measure:
    """The function that measures this area."""
    measure: Measure = import_module(AREAS[area]).measure
    return measure
