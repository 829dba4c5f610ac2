"""Application Auto Scaling moves the desired count as its guide says."""

from itertools import pairwise
from typing import Any

import pytest

from tests.unit.drill.world.worlds import SHIPPED_S, orders, world
from tools.drill.world.refusal import Refused
from tools.drill.world.scaling import ScalableTarget
from tools.drill.world.world import World

TRACKING = {"minimum": 4, "maximum": 12, "tracking": {"target": 60}}
SPIKE = {
    "base_rps": 100,
    "noise_percent": 0,
    "curve": [{"shape": "spike", "at_s": SHIPPED_S, "factor": 1.9, "ramp_s": 0}],
}


def spiking(scaling: dict[str, Any] = TRACKING, **changes: Any) -> World:
    return world(traffic=SPIKE, scaling=scaling, **changes)


def target(of: World) -> ScalableTarget:
    return of.targets["orders"]


def first_scaling_s(of: World) -> float:
    return next(happening.at_s for happening in of.diary if happening.kind == "scaling")


def test_it_scales_out_after_three_minutes() -> None:
    """Target tracking scales out when three minutes breached and have arrived, in proportion to the metric."""
    of = spiking()
    of.run_until(SHIPPED_S + 170)
    assert orders(of).desired == 4
    of.run_until(SHIPPED_S + 330)
    assert orders(of).desired == 7
    assert SHIPPED_S + 180 < first_scaling_s(of) <= SHIPPED_S + 180 + 120


def test_it_scales_in_after_fifteen_minutes() -> None:
    """Target tracking scales in only after fifteen minutes below, and never under the minimum."""
    curve = [{"shape": "spike", "at_s": SHIPPED_S, "factor": 1.9, "ramp_s": 0, "lasts_s": 900}]
    of = world(traffic={"base_rps": 100, "noise_percent": 0, "curve": curve}, scaling=TRACKING)
    of.run_until(SHIPPED_S + 900 + 890)
    assert orders(of).desired == 7
    of.run_until(SHIPPED_S + 900 + 3600)
    assert orders(of).desired == 4


def test_it_waits_for_its_cooldown() -> None:
    """Between two steps out lies the cooldown."""
    of = spiking({**TRACKING, "maximum": 30, "tracking": {"target": 30, "cooldown_out_s": 600}})
    of.run_until(SHIPPED_S + 1800)
    steps = [happening.at_s for happening in of.diary if happening.kind == "scaling"]
    assert all(later - earlier >= 600 for earlier, later in pairwise(steps))


def test_at_its_maximum_it_says_why_not() -> None:
    """At the maximum an activity fails with AlreadyAtMaxCapacity, and the desired count stays."""
    of = spiking({**TRACKING, "maximum": 4})
    of.run_until(SHIPPED_S + 600)
    assert orders(of).desired == 4
    assert {(each.status, each.not_scaled) for each in target(of).activities} == {("Failed", "AlreadyAtMaxCapacity")}


def test_suspended_means_suspended() -> None:
    """Suspended scale-out scales nothing, by itself."""
    of = spiking({**TRACKING, "scale_out_suspended": True})
    of.run_until(SHIPPED_S + 900)
    assert orders(of).desired == 4


def test_scale_in_is_off_during_a_deployment() -> None:
    """While a deployment is in progress nothing is scaled in."""
    of = world(
        {"kind": "bad-release", "how": "image-missing", "at_s": 0},
        traffic={"base_rps": 40, "noise_percent": 0},
        scaling={"minimum": 1, "maximum": 8, "tracking": {"target": 60}},
    )
    of.run_until(3600)
    assert orders(of).rollouts.deploying
    assert orders(of).desired == 4


def test_a_raised_floor_counts_at_once() -> None:
    """RegisterScalableTarget moves the desired count into the new range at once, and leaves out what it is not told."""
    of = world(scaling={"minimum": 4, "maximum": 10})
    of.run_until(SHIPPED_S)
    target(of).register(minimum=7, maximum=None)
    assert (orders(of).desired, target(of).minimum, target(of).maximum) == (7, 7, 10)
    target(of).register(minimum=2, maximum=3)
    assert orders(of).desired == 3


def test_a_range_upside_down_is_refused() -> None:
    """A minimum above the maximum is a ValidationException."""
    of = world(scaling={"minimum": 4, "maximum": 10})
    with pytest.raises(Refused, match="ValidationException"):
        target(of).register(minimum=11, maximum=None)
