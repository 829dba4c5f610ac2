"""What CloudWatch holds of a service or a dependency, minute by minute.

Metrics of load balancers and of ECS have one data point a minute (Application Load Balancer user guide, "CloudWatch
metrics"; ECS Developer Guide, "CloudWatch metrics"). A count that is zero is not reported.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

MINUTE_S = 60

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name and sorted dimensions of a metric."""


class Point:
    """One metric's minute: what is needed for every statistic that is asked for."""

    __slots__ = ("count", "least", "most", "total")

    def __init__(self) -> None:
        self.total = 0.0
        self.count = 0.0
        self.least = float("inf")
        self.most = float("-inf")

    def add(self, total: float, count: float, value: float) -> None:
        self.total += total
        self.count += count
        # Comparisons: this is called more often than anything else, and min() and max() take several times as long.
        if value < self.least:
            self.least = value
        if value > self.most:
            self.most = value


class Series:
    """One metric by minute."""

    __slots__ = ("points", "sparse")

    def __init__(self, *, sparse: bool) -> None:
        """`sparse`: a minute whose sum is 0 has no data point."""
        self.points: dict[int, Point] = {}
        self.sparse = sparse

    def add(self, minute: int, *, total: float, count: float, value: float) -> None:
        point = self.points.get(minute)
        if point is None:
            point = self.points[minute] = Point()
        point.add(total, count, value)

    def value(self, minutes: Iterable[int], statistic: str) -> float | None:
        """One statistic over some minutes, None without a data point.

        Raises:
            ValueError: for a statistic that the world does not keep.
        """
        held = [p for minute in minutes if (p := self.points.get(minute)) is not None and p.count > 0]
        if self.sparse:
            held = [point for point in held if point.total > 0]
        if not held:
            return None
        match statistic:
            case "Sum":
                return sum(point.total for point in held)
            case "Average":
                return sum(point.total for point in held) / sum(point.count for point in held)
            case "Minimum":
                return min(point.least for point in held)
            case "Maximum":
                return max(point.most for point in held)
            case "SampleCount":
                return float(round(sum(point.count for point in held)))
        raise ValueError(f"the world keeps no statistic {statistic}")


class Times(Series):
    """Lengths of time that are spread exponentially about their mean, so that the mean tells every percentile."""

    def value(self, minutes: Iterable[int], statistic: str) -> float | None:
        """As of any series, and percentiles. Those of several minutes go by the mean of all their requests."""
        percentile = re.fullmatch(r"p(\d{1,2}(?:\.\d+)?)", statistic)
        if percentile is None:
            return super().value(minutes, statistic)
        mean = super().value(minutes, "Average")
        return None if mean is None else mean * -math.log(1.0 - float(percentile[1]) / 100)


class Readable(Protocol):
    """What has a statistic over minutes."""

    def value(self, minutes: range, statistic: str) -> float | None: ...


class _Known:
    """What was read of periods in a row, and changes no more."""

    __slots__ = ("first", "values")

    def __init__(self, first: int) -> None:
        self.first = first
        """Number of the first of these periods."""
        self.values: list[float | None] = []

    def reach(self, first: int, end: int, read: Callable[[int], float | None]) -> None:
        """Read what is missing of the periods from `first` to `end`."""
        if first < self.first:
            if self.values:
                self.values[:0] = [read(number) for number in range(first, self.first)]
            self.first = first
        for number in range(self.first + len(self.values), end):
            self.values.append(read(number))


class _Held:
    """One metric, how late its data points arrive, and what was read of it that changes no more."""

    __slots__ = ("known", "late_s", "series")

    def __init__(self, series: Readable, *, late_s: float) -> None:
        self.series, self.late_s = series, late_s
        self.known: dict[tuple[int, str], _Known] = {}
        """By minutes of a period, and statistic."""

    def value(self, first: int, length: int, statistic: str, newest: int) -> float | None:
        """One statistic of so many minutes from the first one, up to the newest."""
        return self.series.value(range(first, min(first + length, newest + 1)), statistic)

    def newest_minute(self, now_s: float) -> int:
        return int((now_s - self.late_s) // MINUTE_S) - 1


class Metrics:
    """Every metric of the account, and from when on each minute can be read."""

    def __init__(self) -> None:
        self.series: dict[Key, Readable] = {}
        self._held: dict[Key, _Held] = {}

    def make(self, key: Key, *, late_s: float, sparse: bool = False) -> Series:
        """A new metric whose data points arrive so late after the end of their minute."""
        made = Series(sparse=sparse)
        self.hold(key, made, late_s=late_s)
        return made

    def hold(self, key: Key, series: Readable, *, late_s: float) -> None:
        """The same for one that is kept elsewhere; whatever it was before is forgotten."""
        self.series[key] = series
        self._held[key] = _Held(series, late_s=late_s)

    def newest_minute(self, key: Key, now_s: float) -> int:
        """The newest minute whose data point may have arrived."""
        held = self._held.get(key)
        return int(now_s // MINUTE_S) - 1 if held is None else held.newest_minute(now_s)

    def value(self, key: Key, start_s: float, period_s: int, statistic: str, *, now_s: float) -> float | None:
        """One statistic of one period, from what has arrived by now."""
        first, length = int(start_s // MINUTE_S), period_s // MINUTE_S
        if first % length == 0:
            start = first * MINUTE_S
            return self.values(key, range(start, start + period_s, period_s), statistic, now_s=now_s)[0]
        held = self._held.get(key)
        return None if held is None else held.value(first, length, statistic, held.newest_minute(now_s))

    def values(self, key: Key, periods: range, statistic: str, *, now_s: float) -> list[float | None]:
        """One statistic of several periods, from what has arrived by now. They begin at multiples of their length.

        The same periods are read over and over. What the last minute is old enough for to change no more is kept.
        """
        held = self._held.get(key)
        if held is None:
            return [None] * len(periods)
        length = periods.step // MINUTE_S
        first = periods.start // periods.step
        last = first + len(periods)
        known = held.known.get((length, statistic))
        if known is None:
            known = held.known[length, statistic] = _Known(first)
        newest = held.newest_minute(now_s)

        def read(number: int) -> float | None:
            return held.value(number * length, length, statistic, newest)

        known.reach(first, min(last, (newest - 1) // length), read)
        ready = known.values[first - known.first : last - known.first]
        return ready + [read(number) for number in range(first + len(ready), last)]

    def settled(self, keys: Iterable[Key], start_s: float, period_s: int, *, now_s: float) -> bool:
        """Whether what can be read of this period changes no more, for every one of these metrics."""
        ends = int(start_s // MINUTE_S) + period_s // MINUTE_S
        return all(ends < self.newest_minute(key, now_s) for key in keys)


def key_of(namespace: str, name: str, dimensions: Mapping[str, str]) -> Key:
    return namespace, name, tuple(sorted(dimensions.items()))
