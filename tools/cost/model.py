"""The bill of a month: what was counted, times how many of it, times the list price."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from tools.cost.prices import FREE_DASHBOARDS, PRICES, Item, Used, usd

FIGURES = Path(__file__).with_name("figures.json")
"""What was counted, for `responder cost`, which does not count by itself. `python -m tools.bench.cost` writes it."""


class Part(StrEnum):
    """What costs by the month, by its name in `figures.json`."""

    OWN_ALARMS = "alarms on the responder itself"
    KEY = "the key of the topics"
    QUEUE = "the queue, asked for messages"
    DASHBOARD = "the dashboard of the fleet"
    METRICS = "metrics of its own"
    SWEEP = "the sweep, every 5 minutes"
    BAKE = "the watch over releases"
    HEARTBEAT = "the heartbeat, every 15 minutes"
    DIGEST = "digests"
    UNATTENDED = "pages while the responder is unwell"
    SERVICE_ALARMS = "the alarms of the services"


class Kind(StrEnum):
    """What costs each time, by its name in `figures.json`."""

    ONE_ACTION = "incidents resolved by one action"
    LADDER = "incidents that no action resolves"
    """Three of four rungs taken in vain, until people are paged."""
    WATCHED_HOUR = "hours of watching until mended"
    RELEASE = "releases watched until good"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What was counted: by the month, for the deployment (`fixed`) and more by service (`each`); and each time."""

    fixed: Mapping[Part, Used]
    each: Mapping[Part, Used]
    times: Mapping[Kind, Used]

    def month(self, part: Part, services: int) -> Used:
        """What a part uses in a month for so many services."""
        fixed, each = self.fixed.get(part, {}), self.each.get(part, {})
        return {item: fixed.get(item, 0.0) + services * each.get(item, 0.0) for item in {**fixed, **each}}

    def written(self) -> dict[str, Any]:
        """As JSON has it, to six digits that count."""
        return {
            name: {key.value: {item.value: _rounded(n) for item, n in used.items() if n} for key, used in group.items()}
            for name, group in (("fixed", self.fixed), ("each", self.each), ("times", self.times))
        }


def counted_of(written: Mapping[str, Any]) -> Counted:
    """What `written` wrote."""

    def of(used: Mapping[str, float]) -> Used:
        return {Item(item): float(n) for item, n in used.items()}

    return Counted(
        fixed={Part(part): of(used) for part, used in written["fixed"].items()},
        each={Part(part): of(used) for part, used in written["each"].items()},
        times={Kind(kind): of(used) for kind, used in written["times"].items()},
    )


def kept() -> Counted:
    """What was counted last."""
    return counted_of(json.loads(FIGURES.read_text()))


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


@dataclass(frozen=True, kw_only=True)
class Question:
    """Somebody's own numbers, by the month."""

    services: int = 10
    incidents: float = 20
    ladders: float = 1
    """Of the incidents, those that no action resolved: the whole ladder, a page, `watched_h` until people mended it."""
    watched_h: float = 1.0
    releases: float = 40
    alarms: float | None = None
    """Metrics that the alarms of one service stand on; None for those of the README's first playbook."""
    checks: float = 0
    """Synthetic checks of all services."""
    dashboards: int = 0
    """That the account has besides, or that playbooks ask for."""
    unattended: bool = True
    fleet_dashboard: bool = True


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the bill."""

    what: str
    usd: float
    made_of: Used = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Bill:
    """A month. `idle` is there without any incident, `alarms` what the services' own alarms cost beside it."""

    idle: tuple[Line, ...]
    alarms: tuple[Line, ...]
    incidents: tuple[Line, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        return (*self.idle, *self.alarms, *self.incidents)

    @property
    def usd(self) -> float:
        return total(self.lines)


def total(lines: tuple[Line, ...]) -> float:
    return math.fsum(line.usd for line in lines)


CHECKS_A_MONTH = 730 * 60
CHECK_S = 0.35
"""Billed for each minute in which checks are made, at half a GB; an assumption, most of it waiting for who is asked."""


def bill(counted: Counted, question: Question) -> Bill:
    """The month, itemised, in the order of what costs most."""
    alarms = counted.month(Part.SERVICE_ALARMS, question.services)
    if question.alarms is not None:
        alarms = {Item.ALARM: question.alarms * question.services}
    of_services = [_line(Part.SERVICE_ALARMS, alarms)]
    if question.unattended:
        of_services.append(_line(Part.UNATTENDED, counted.month(Part.UNATTENDED, question.services)))
    return Bill(
        idle=_dearest(_idle(counted, question)),
        alarms=_dearest(of_services),
        incidents=_dearest(_times(counted, question)),
    )


def _idle(counted: Counted, question: Question) -> Iterator[Line]:
    for part in Part:
        if part in (Part.SERVICE_ALARMS, Part.UNATTENDED, Part.DASHBOARD):
            continue
        yield _line(part, counted.month(part, question.services))
    dashboards = question.dashboards + (1 if question.fleet_dashboard else 0)
    beyond = max(0, dashboards - FREE_DASHBOARDS)
    yield _line(
        "dashboards", {Item.DASHBOARD: beyond}, note=f"{dashboards}; an account has {FREE_DASHBOARDS} for nothing"
    )
    if question.checks:
        yield _line(
            "synthetic checks, every minute",
            {
                Item.METRIC: question.checks,
                Item.CLOUDWATCH_REQUEST: CHECKS_A_MONTH,
                Item.LAMBDA_REQUEST: CHECKS_A_MONTH,
                Item.LAMBDA_GB_S: CHECKS_A_MONTH * CHECK_S * 0.5,
            },
        )


def _times(counted: Counted, question: Question) -> Iterator[Line]:
    ladders = min(question.ladders, question.incidents)
    for kind, times in (
        (Kind.ONE_ACTION, question.incidents - ladders),
        (Kind.LADDER, ladders),
        (Kind.WATCHED_HOUR, ladders * question.watched_h),
        (Kind.RELEASE, question.releases),
    ):
        used = counted.times[kind]
        yield _line(kind, {item: n * times for item, n in used.items()}, note=f"{times:g} × {usd(used):.4f}")


def _line(what: str, used: Used, *, note: str = "") -> Line:
    return Line(what=str(what), usd=usd(used), made_of={item: n for item, n in used.items() if n}, note=note)


def _dearest(lines: Iterator[Line] | list[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: -line.usd))


def dearest_items(used: Used, most: int = 3) -> list[tuple[Item, float]]:
    """What a line is mostly made of, with its part of the price."""
    priced = [(item, PRICES[item].each * amount) for item, amount in used.items()]
    return sorted((each for each in priced if each[1] > 0), key=lambda each: -each[1])[:most]
