"""Plots of metrics as SVG, with what happened marked in them. Colours come from the page, by class."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, floor, log10
from xml.etree.ElementTree import Element

from functions.workflow.reporting.elements import el
from functions.workflow.reporting.model import Curve, Mark, MarkKind
from functions.workflow.reporting.words import clock, figure, number

Across = Callable[[datetime], float]
"""From a time to where it is drawn."""
Up = Callable[[float], float]
"""From a value to where it is drawn."""

WIDTH, HEIGHT = 360.0, 132.0
"""In the page's own pixels, so that what is written is read on a phone; the height is that of the plot alone."""
LEFT, RIGHT, BELOW = 38.0, 10.0, 22.0
ROW = 15.0
"""Height of a row of signs above the plot."""
APART = 15.0
"""Two signs closer than this stand in different rows."""
GAP = 2.5
"""Periods without data after which a line is broken."""

SIGNS = {
    MarkKind.ALARM: "!",
    MarkKind.RECOVERED: "✓",
    MarkKind.RELEASE: "R",
    MarkKind.TROUBLE: "×",
    MarkKind.LEASE: "↩",
}
"""What stands in the circle of a mark; an action has its number."""

_STEPS_MIN = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720)
_LABELS = 4


def sign(mark: Mark) -> str:
    """One or two letters for a mark."""
    return SIGNS.get(mark.kind) or mark.label.split()[0]


def window(curves: Sequence[Curve], marks: Sequence[Mark]) -> tuple[datetime, datetime] | None:
    """From when to when all plots go: the data, and every mark."""
    times = [at for curve in curves for at, _ in curve.points] + [mark.at for mark in marks]
    return (min(times), max(times)) if len(times) > 1 and min(times) < max(times) else None


def plot(curve: Curve, marks: Sequence[Mark], *, over: tuple[datetime, datetime]) -> Element:
    """One metric. Its title, unit and extremes are written out, so that it is read without colours."""
    start, end = over
    seconds = (end - start).total_seconds()

    def across(at: datetime) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - start).total_seconds() / seconds

    rows = _rows([across(mark.at) for mark in marks])
    above = 20.0 + ROW * (max(rows, default=0) + 1)
    bottom = above + HEIGHT
    top = _top(curve)

    def up(value: float) -> float:
        return bottom - HEIGHT * min(value, top) / top

    extreme = curve.extreme
    said = ""
    if extreme is not None:
        said = f"{curve.extreme_name} {figure(extreme[1], curve.unit)} at {clock(extreme[0])[:5]}"
    title = f"{curve.title}{f', {curve.unit}' if curve.unit else ''}"
    label = f"{title}; {said}"
    total = bottom + BELOW
    return el(
        "svg",
        el("text", title, class_="name", x=0, y=12),
        el("text", said, class_="peak", x=WIDTH - RIGHT, y=12, text_anchor="end"),
        _bad_time(marks, across, above, bottom),
        list(_grid(curve, top, up)),
        list(_times(start, end, across, bottom)),
        list(_drawn(curve, across, up, bottom)),
        list(_limit(curve, top, up)),
        [_mark(mark, across(mark.at), 20.0 + ROW * row, bottom) for mark, row in zip(marks, rows, strict=True)],
        viewBox=f"0 0 {WIDTH:g} {total:g}",
        role="img",
        aria_label=label,
    )


def _rows(places: Sequence[float]) -> list[int]:
    """The row of each sign, so that none covers another."""
    rows: list[int] = []
    for index, place in enumerate(places):
        taken = {rows[other] for other in range(index) if abs(places[other] - place) < APART}
        rows.append(next(row for row in range(len(places)) if row not in taken))
    return rows


def _top(curve: Curve) -> float:
    """Where the scale ends: a round number above everything that is shown."""
    highest = max((value for _, value in curve.points), default=0.0)
    if curve.limit is not None and curve.limit <= 4 * max(highest, 1e-9):
        highest = max(highest, curve.limit)
    if curve.top is not None:
        return max(curve.top, _round_up(highest) if highest > curve.top else 0.0)
    # Things that are counted one by one have an even scale, so that its middle is a whole number.
    return _round_up(highest * 1.05) if curve.unit else 2.0 * ceil(max(highest, 1.0) * 1.05 / 2)


def _round_up(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def _grid(curve: Curve, top: float, up: Up) -> Iterator[Element]:
    for share in (0.0, 0.5, 1.0):
        value = top * share
        y = up(value)
        yield el("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=_at(y), y2=_at(y))
        yield el("text", number(value), class_="tick", x=LEFT - 4, y=_at(y + 3.5), text_anchor="end")


def _times(start: datetime, end: datetime, across: Across, bottom: float) -> Iterator[Element]:
    minutes = (end - start).total_seconds() / 60
    step = next((each for each in _STEPS_MIN if minutes / each <= _LABELS + 1), 1440)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    place = midnight + timedelta(minutes=step * (int((start - midnight).total_seconds() // 60) // step + 1))
    while place <= end:
        x = across(place)
        yield el("line", class_="tickmark", x1=_at(x), x2=_at(x), y1=_at(bottom), y2=_at(bottom + 4))
        if LEFT + 8 < x < WIDTH - RIGHT - 8:
            yield el("text", f"{place:%H:%M}", class_="tick", x=_at(x), y=_at(bottom + 15), text_anchor="middle")
        place += timedelta(minutes=step)


def _bad_time(marks: Sequence[Mark], across: Across, above: float, bottom: float) -> Element | None:
    """From the alarm to the all-clear, shaded."""
    alarm = next((mark.at for mark in marks if mark.kind is MarkKind.ALARM), None)
    clear = next((mark.at for mark in marks if mark.kind is MarkKind.RECOVERED), None)
    if alarm is None:
        return None
    left, right = across(alarm), WIDTH - RIGHT if clear is None else across(clear)
    return el(
        "rect", class_="bad", x=_at(left), y=_at(above), width=_at(max(0.0, right - left)), height=_at(bottom - above)
    )


def _mark(mark: Mark, x: float, y: float, bottom: float) -> Element:
    kind = f"mark {mark.kind}"
    return el(
        "g",
        el("title", f"{clock(mark.at)} UTC {mark.text}"),
        el("line", x1=_at(x), x2=_at(x), y1=_at(y + 13), y2=_at(bottom)),
        el("circle", cx=_at(x), cy=_at(y + 7), r="6.5"),
        el("text", sign(mark), x=_at(x), y=_at(y + 10.5), text_anchor="middle"),
        class_=kind,
    )


def _limit(curve: Curve, top: float, up: Up) -> Iterator[Element]:
    if curve.limit is None or curve.limit > top:
        return
    y = up(curve.limit)
    yield el("line", class_="limit", x1=LEFT, x2=WIDTH - RIGHT, y1=_at(y), y2=_at(y))
    text = f"{curve.limit_text} {figure(curve.limit, curve.unit)}"
    yield el(
        "text", text, class_="limit-text", x=WIDTH - RIGHT - 2, y=_at(y - 3 if y > 40 else y + 10), text_anchor="end"
    )


def _pieces(curve: Curve) -> list[list[tuple[datetime, float]]]:
    """The points, in pieces between which data is missing."""
    steps = sorted((b[0] - a[0]).total_seconds() for a, b in pairwise(curve.points))
    usual = steps[len(steps) // 2] if steps else 0.0
    pieces: list[list[tuple[datetime, float]]] = []
    for point in curve.points:
        if not pieces or (point[0] - pieces[-1][-1][0]).total_seconds() > GAP * usual:
            pieces.append([])
        pieces[-1].append(point)
    return pieces


def _drawn(curve: Curve, across: Across, up: Up, bottom: float) -> Iterator[Element]:
    """The curve as a line over an area, and a point that has no neighbours as a dot."""
    pieces = [[(_at(across(at)), _at(up(value))) for at, value in piece] for piece in _pieces(curve)]
    lines, areas = [], []
    for piece in pieces:
        if len(piece) > 1:
            along = " L".join(map(",".join, piece))
            lines.append(f"M{along}")
            areas.append(f"M{piece[0][0]},{_at(bottom)} L{along} L{piece[-1][0]},{_at(bottom)} Z")
    yield el("path", class_="area", d=" ".join(areas))
    yield el("path", class_="line", d=" ".join(lines))
    for (x, y), *others in pieces:
        if not others:
            yield el("circle", class_="dot", cx=x, cy=y, r="1.8")


def _at(value: float) -> str:
    return f"{value:.1f}"
