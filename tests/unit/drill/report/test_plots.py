"""The plots, as SVG that a browser and an XML parser read."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from tools.drill.report.plots import WIDTH, impact_plot, recovery_plot


def coordinates(svg: str) -> list[float]:
    return [float(number) for number in re.findall(r'\b(?:x|x1|x2|cx)="([^"]+)"', svg)]


@pytest.mark.parametrize(
    "values",
    [[0.0], [0.0, 0.0], [1.0], [0.001, 12.0, 4e6], [float(n) for n in range(500)], []],
    ids=["zero", "zeros", "one", "wide", "many", "none"],
)
@pytest.mark.parametrize("relative", [True, False])
def test_impact_stays_on_the_paper(values: list[float], relative: bool) -> None:
    """Whatever was lost, from nothing to millions, lies between the edges of the plot."""
    svg = impact_plot({"none": values, "responder": [3.0]}, relative=relative)
    ElementTree.fromstring(svg)
    assert all(0 <= x <= WIDTH for x in coordinates(svg))


def test_a_ratio_beyond_the_edge_is_said_to_be() -> None:
    """Far better than the oracle lies at the edge of the plot, which then stands for all that is less."""
    assert ">≤ 0.1</text>" in impact_plot({"native": [0.001, 1.0]}, relative=True)
    assert ">0.1</text>" in impact_plot({"native": [0.2, 1.0]}, relative=True)


def test_few_runs_are_dots_and_many_are_a_shape() -> None:
    """Each run can be seen while there are few; many show where most of them are."""
    few = impact_plot({"none": [float(n) for n in range(1, 21)]}, relative=False)
    many = impact_plot({"none": [float(n) for n in range(1, 201)]}, relative=False)
    assert (few.count("<circle"), few.count("<rect")) == (20, 0)
    assert many.count("<circle") == 0
    assert many.count("<rect") > 5


def test_recovery_ends_at_its_share() -> None:
    """A policy's line ends at the share of runs that recovered, and its label says so."""
    svg = recovery_plot({"person": [60.0, 600.0, None, None], "none": [None]}, horizon_s=1200)
    ElementTree.fromstring(svg)
    assert "person<tspan" in svg
    assert " 50 %</tspan>" in svg
    assert " 0 %</tspan>" in svg


def test_labels_do_not_cover_each_other() -> None:
    """Policies that end at the same share are labelled below each other."""
    svg = recovery_plot({name: [60.0] for name in ("a", "b", "c", "d")}, horizon_s=1200)
    heights = sorted(float(y) for y in re.findall(r'class="label[^>]* y="([^"]+)"', svg))
    assert all(lower - upper >= 14 for upper, lower in pairwise(heights))


@pytest.mark.parametrize("horizon_s", [0.0, 30.0, 3600.0, 86_400.0])
def test_any_length_of_run(horizon_s: float) -> None:
    """The axis has a few marks, whether a run takes a minute or a day."""
    svg = recovery_plot({"none": [10.0]}, horizon_s=horizon_s)
    assert 1 <= svg.count('text-anchor="middle"') <= 60
