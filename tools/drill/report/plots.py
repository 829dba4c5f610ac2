"""Plots as inline SVG: impact by policy, and how soon each policy's runs recovered.

Colours come from the page's style sheet, by the class `policy-NAME`, so that a plot follows light and dark.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

from tools.drill.measures import percentile
from tools.drill.report.words import clock, count, ratio

Scale = Callable[[float], float]
"""From a value to where it is drawn."""

WIDTH = 760
_LEFT = 92
"""Room for the names of policies."""
_RIGHT = 130
"""Room for numbers, or for labels at the ends of lines."""
_FEW = 60
"""Up to here every run is a dot; beyond, a shape shows how many there are."""


def impact_plot(by_policy: Mapping[str, Sequence[float]], *, relative: bool) -> str:
    """How much users lost: one row per policy, on a logarithmic axis.

    Args:
        by_policy: a number for each run, in the order in which policies are to be shown.
        relative: whether the numbers are ratios to the oracle, or requests.
    """
    row, top = 34, 8
    shown = {policy: [max(value, 0.0) for value in values] for policy, values in by_policy.items() if values}
    height = top + row * len(shown) + 40
    lowest = min((min(values) for values in shown.values()), default=1.0)
    first = floor(log10(max(lowest, 0.1))) if relative else 0
    last = max(ceil(log10(max((max(values) for values in shown.values()), default=1.0) + 1)), first + 1)
    span = WIDTH - _LEFT - _RIGHT

    def across(value: float) -> float:
        at_least = max(value, 10.0**first)  # no request lost lies at the edge, where a logarithm has no zero
        return _LEFT + span * (log10(at_least) - first) / (last - first)

    said = "impact compared with the oracle" if relative else "failed and slow requests per run"
    parts = [_open(height, f"{said.capitalize()}, by policy")]
    bottom = top + row * len(shown)
    for power in range(first, last + 1):
        x = across(10.0**power)
        beyond = "≤ " if relative and power == first and lowest < 10.0**first else ""
        label = beyond + f"{10.0**power:g}" if power < 0 else count(10.0**power).replace(".0", "")
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{label}</text>')
    if relative:
        x = across(1.0)
        parts.append(f'<line class="same" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
    parts.append(
        f'<text class="axis" x="{_LEFT + span / 2:.0f}" y="{bottom + 33}" text-anchor="middle">{escape(said)}</text>'
    )
    written = ratio if relative else count
    for index, (policy, values) in enumerate(shown.items()):
        middle = top + row * index + row / 2
        parts.append(f'<g class="policy-{escape(policy)}">')
        parts.append(_name(policy, _LEFT - 12, middle + 4))
        parts.append(_dots(values, across, middle) if len(values) <= _FEW else _shape(values, across, middle))
        p50, p95 = percentile(values, 50), percentile(values, 95)
        if p50 is not None and p95 is not None:
            parts.append(_upright("median", across(p50), middle, 11))
            parts.append(_upright("p95", across(p95), middle, 6))
            parts.append(
                f'<line class="reach" x1="{across(p50):.1f}" x2="{across(p95):.1f}" y1="{middle}" y2="{middle}"/>'
                f'<text class="value" x="{WIDTH - _RIGHT + 14}" y="{middle + 4}">'
                f'<tspan class="strong">{written(p50)}</tspan><tspan class="weak"> · p95 {written(p95)}</tspan></text>'
            )
        parts.append("</g>")
    return "".join(parts) + "</svg>"


def recovery_plot(by_policy: Mapping[str, Sequence[float | None]], *, horizon_s: float) -> str:
    """The share of runs that had recovered, by the time since the fault; None is a run that never did."""
    top, plot, below = 12, 220, 42
    height = top + plot + below
    horizon_s = max(horizon_s, 60)
    span = WIDTH - _LEFT - _RIGHT
    bottom = top + plot

    def across(seconds: float) -> float:
        return _LEFT + span * min(seconds / horizon_s, 1)

    def up(share: float) -> float:
        return bottom - plot * share

    parts = [_open(height, "Share of runs that had recovered, by minutes since the fault, one line per policy")]
    for tenth in (0, 25, 50, 75, 100):
        y = up(tenth / 100)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth} %</text>')
    step = next((m for m in (1, 2, 5, 10, 15, 30, 60, 120, 240) if horizon_s / 60 / m <= 9), 480)
    for minute in range(0, int(horizon_s // 60) + 1, step):
        x = across(minute * 60)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{minute}</text>')
    parts.append(
        f'<text class="axis" x="{_LEFT + span / 2:.0f}" y="{bottom + 35}" text-anchor="middle">'
        "minutes since the fault</text>"
    )
    ends: list[tuple[float, str, int]] = []
    for policy, times in by_policy.items():
        if not times:
            continue
        came = sorted(time for time in times if time is not None)
        half = clock(percentile(came, 50))
        parts.append(
            f'<path class="line policy-{escape(policy)}" d="{_steps(came, len(times), across, up)}">'
            f"<title>{escape(policy)}: {len(came)} of {len(times)} recovered, half of these by {half}</title></path>"
        )
        ends.append((up(len(came) / len(times)), policy, round(100 * len(came) / len(times))))
    for y, policy, percent in _apart(ends, distance=15, lowest=bottom + 4):
        parts.append(
            f'<text class="label policy-{escape(policy)}" x="{WIDTH - _RIGHT + 8}" y="{y + 4:.1f}">'
            f'{escape(policy)}<tspan class="weak"> {percent} %</tspan></text>'
        )
    return "".join(parts) + "</svg>"


def _open(height: float, title: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
    )


def _name(policy: str, x: float, y: float) -> str:
    return f'<text class="name" x="{x}" y="{y}" text-anchor="end">{escape(policy)}</text>'


def _upright(kind: str, x: float, middle: float, reach: float) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{middle - reach}" y2="{middle + reach}"/>'


def _dots(values: Sequence[float], across: Scale, middle: float) -> str:
    """Dots that would cover each other stand above and below, in the order of the runs."""
    taken: dict[int, int] = {}
    dots = []
    for value in values:
        x = across(value)
        column = round(x / 5)
        place = taken.get(column, 0)
        taken[column] = place + 1
        away = (place + 1) // 2 * 4 * (-1 if place % 2 else 1)
        dots.append(f'<circle cx="{x:.1f}" cy="{middle + max(min(away, 13), -13)}" r="2.4"/>')
    return f'<g class="dots">{"".join(dots)}</g>'


def _shape(values: Sequence[float], across: Scale, middle: float) -> str:
    bins: dict[int, int] = {}
    wide = 6
    for value in values:
        column = round((across(value) - _LEFT) / wide)
        bins[column] = bins.get(column, 0) + 1
    most = max(bins.values())
    bars = []
    for column, runs in sorted(bins.items()):
        tall = max(26 * (runs / most) ** 0.5, 1.2)  # the root, so that a rare but terrible run can be seen
        x, y = _LEFT + column * wide - wide / 2, middle - tall / 2
        bars.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide - 0.6}" height="{tall:.1f}"/>')
    return f'<g class="bars">{"".join(bars)}</g>'


def _steps(came: Sequence[float], runs: int, across: Scale, up: Scale) -> str:
    path = [f"M{_LEFT} {up(0):.1f}"]
    drawn = f"{_LEFT:.1f}"
    for index, time in enumerate(came, start=1):
        x = f"{across(time):.1f}"
        y = f"{up(index / runs):.1f}"
        if x != drawn:
            path.extend((f"H{x}", f"V{y}"))
            drawn = x
        elif path[-1].startswith("V"):
            path[-1] = f"V{y}"
        else:
            path.append(f"V{y}")
    path.append(f"H{WIDTH - _RIGHT}")
    return "".join(path)


def _apart(labels: Sequence[tuple[float, str, int]], *, distance: float, lowest: float) -> list[tuple[float, str, int]]:
    """Labels from the top down, moved only as far as they would overlap, and none below `lowest`."""
    ordered = sorted(labels, key=lambda label: label[0])
    heights: list[float] = []
    for y, _, _ in ordered:
        heights.append(max(y, heights[-1] + distance) if heights else y)
    limit = lowest
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], limit)
        limit = heights[place] - distance
    return [(y, policy, percent) for y, (_, policy, percent) in zip(heights, ordered, strict=True)]
