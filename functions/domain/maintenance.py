"""Maintenance windows: times in which people work on a service, and the responder changes nothing.

Regular windows stand in the playbook, by the clocks of a time zone. Announced ones lie in the service's switch.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from functions.domain.model import Model, Moment

LONGEST = timedelta(days=1)
"""A window holds back pages too, so that it may not last for ever."""

_FURTHEST = timedelta(days=7)
"""How far the end of windows that follow one another is looked for."""

_DAY_MIN = 24 * 60


class Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_WEEK = tuple(Weekday)


class Window(Model):
    """One window, from its start up to its end, which does not belong to it any more."""

    start: Moment
    end: Moment
    label: str
    """Which one it is, for people."""

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def span(self) -> str:
        """When it is, in UTC."""
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
        return f"{start:%Y-%m-%d %H:%M} to {until} UTC"


class Announced(Model):
    """A window that somebody announced by hand."""

    start: Moment
    end: Moment
    by: str
    reason: str
    at: Moment
    """When it was announced."""

    @property
    def window(self) -> Window:
        return Window(start=self.start, end=self.end, label=f"announced by {self.by}: {self.reason}")


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _time_of_day(value: object) -> object:
    if not isinstance(value, str) or re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00", value) is None:
        raise ValueError(f"'{value}' is no time of day: write one such as 02:00")
    return value.zfill(len("hh:mm"))


def _weekdays(value: object) -> object:
    if value == "day":
        return _WEEK
    if value in ([], (), None):
        raise ValueError("no day is named: write one such as sunday, several in a list, or day")
    return value if isinstance(value, list | tuple) else (value,)


def _in_order(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    return tuple(day for day in _WEEK if day in days)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, LookupError, OSError):
        raise ValueError(f"there is no time zone '{name}': write UTC, or one such as Europe/Berlin") from None
    return name


class Regular(BaseModel):
    """A window that comes every week, or every day, by the clocks on the wall of its time zone.

    One that ends at an earlier time than it begins ends on the next day. Where the clocks are changed, a time that
    comes twice or not at all is read so that the window is longer: less is changed for it, never more.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, defer_build=True
    )

    every: Annotated[tuple[Weekday, ...], BeforeValidator(_weekdays), AfterValidator(_in_order)]
    """The days on which it begins; `day` stands for all of them."""
    begins: Annotated[str, BeforeValidator(_time_of_day)] = Field(alias="from")
    """When it begins, in quotes: `"22:30"`."""
    ends: Annotated[str, BeforeValidator(_time_of_day)] = Field(alias="to")
    """When it ends; an earlier time than it begins is one of the next day."""
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """IANA name of the time zone."""

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.begins == "24:00":
            raise ValueError("a window begins on the day itself: write from: 00:00 of the next day")
        if self.begins == self.ends:
            raise ValueError(f"from and to are both {self.begins}: for the whole day, write from: 00:00 and to: 24:00")
        return self

    @property
    def label(self) -> str:
        days = "day" if self.every == _WEEK else " and ".join(self.every)
        return f"every {days} {self.begins} to {self.ends} {self.zone}"

    def beginning_on(self, day: date) -> Window:
        """The window that begins on this day of its zone."""
        begins, ends = _minutes(self.begins), _minutes(self.ends)
        length = ends - begins if ends > begins else ends - begins + _DAY_MIN
        start = datetime(day.year, day.month, day.day) + timedelta(minutes=begins)  # noqa: DTZ001 - the wall's clock
        return Window(
            start=min(self._readings(start)),
            end=max(self._readings(start + timedelta(minutes=length))),
            label=self.label,
        )

    def _readings(self, wall: datetime) -> tuple[datetime, datetime]:
        """What a time on the wall can mean, in UTC: two moments where the clocks are changed, else twice the same
        (PEP 495)."""
        zone = ZoneInfo(self.zone)
        first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return first, second

    def around(self, moment: datetime, *, days: int) -> Iterator[Window]:
        """The windows from shortly before a moment on, for so many days."""
        today = moment.astimezone(ZoneInfo(self.zone)).date()
        for offset in range(-2, days + 2):
            day = today + timedelta(days=offset)
            if _WEEK[day.weekday()] in self.every:
                yield self.beginning_on(day)


def window_at(moment: datetime, regular: Sequence[Regular], announced: Sequence[Announced]) -> Window | None:
    """The window that is open at a moment, with the end of the last one of those that follow it without a gap."""
    window = _open(moment, regular, announced)
    if window is None:
        return None
    end = window.end
    while end - moment < _FURTHEST:
        following = _open(end, regular, announced)
        if following is None:
            break
        end = following.end
    return window.model_copy(update={"end": end})


def next_window(moment: datetime, regular: Sequence[Regular], announced: Sequence[Announced] = ()) -> Window | None:
    """The one that is open, or else the first to come."""
    coming = [w for each in regular for w in each.around(moment, days=8)] + [each.window for each in announced]
    return min((w for w in coming if w.end > moment), key=lambda window: window.start, default=None)


def _open(moment: datetime, regular: Sequence[Regular], announced: Sequence[Announced]) -> Window | None:
    """Of several, the one that ends last."""
    every = [w for each in regular for w in each.around(moment, days=0)] + [each.window for each in announced]
    return max((w for w in every if w.holds(moment)), key=lambda window: window.end, default=None)
