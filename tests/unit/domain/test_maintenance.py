"""When a maintenance window is open, against a computation that goes another way; above all where clocks change."""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.domain.maintenance import Announced, Regular, Weekday, next_window, window_at

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "America/Santiago",  # at midnight, south of the equator
    "Africa/Casablanca",  # twice a year around Ramadan
    "Asia/Kathmandu",  # never, and no whole hours
)
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 12, 31, tzinfo=UTC)


def regular(**said: Any) -> Regular:
    return Regular.model_validate({"every": "sunday", "from": "02:00", "to": "04:00"} | said)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_open(moment: datetime, *windows: Regular) -> bool:
    return window_at(moment, windows, ()) is not None


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-22T01:59:59", False),
        ("2026-11-22T02:00:00", True),
        ("2026-11-22T03:59:59", True),
        ("2026-11-22T04:00:00", False),
        ("2026-11-21T03:00:00", False),
        ("2026-11-23T03:00:00", False),
    ],
)
def test_a_sunday_night(moment: str, expected: bool) -> None:
    """The start belongs to a window, its end does not."""
    assert is_open(utc(moment), regular()) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-21T21:59:00", False),
        ("2026-11-21T22:00:00", True),
        ("2026-11-22T01:59:00", True),
        ("2026-11-22T02:00:00", False),
        ("2026-11-22T22:30:00", False),
        ("2026-11-21T01:00:00", False),
    ],
)
def test_a_window_across_midnight_belongs_to_the_day_on_which_it_begins(moment: str, expected: bool) -> None:
    """Saturday from 22:00 to 02:00 ends on Sunday; nothing begins on Sunday, and nothing on Friday."""
    assert is_open(utc(moment), regular(every="saturday", **{"from": "22:00", "to": "02:00"})) is expected


@pytest.mark.parametrize(
    ("day", "written", "start", "end"),
    [
        (date(2026, 7, 5), ("02:00", "04:00"), "2026-07-05T00:00", "2026-07-05T02:00"),  # summer
        (date(2026, 12, 6), ("02:00", "04:00"), "2026-12-06T01:00", "2026-12-06T03:00"),  # winter
        (date(2026, 3, 29), ("01:00", "04:00"), "2026-03-29T00:00", "2026-03-29T02:00"),  # 2 to 3 is not there
        (date(2026, 3, 29), ("02:30", "04:00"), "2026-03-29T00:30", "2026-03-29T02:00"),
        (date(2026, 3, 29), ("01:00", "02:30"), "2026-03-29T00:00", "2026-03-29T01:30"),
        (date(2026, 3, 29), ("02:10", "02:20"), "2026-03-29T00:10", "2026-03-29T01:20"),
        (date(2026, 10, 25), ("01:00", "04:00"), "2026-10-24T23:00", "2026-10-25T03:00"),  # 2 to 3 comes twice
        (date(2026, 10, 25), ("02:30", "04:00"), "2026-10-25T00:30", "2026-10-25T03:00"),
        (date(2026, 10, 25), ("01:00", "02:30"), "2026-10-24T23:00", "2026-10-25T01:30"),
    ],
)
def test_where_clocks_are_changed_the_longer_reading_holds(
    day: date, written: tuple[str, str], start: str, end: str
) -> None:
    """In Berlin, hour by hour: a time that is not there, or there twice, never makes a window shorter."""
    window = regular(zone="Europe/Berlin", **dict(zip(("from", "to"), written, strict=True))).beginning_on(day)
    assert (window.start, window.end) == (utc(start), utc(end))


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The days before which the clocks of a zone were changed."""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    found = tuple(day for n, day in enumerate(days) if n and offsets[n] != offsets[n - 1])
    return found or (FIRST,)


def meanings(wall: datetime, zone: str) -> list[datetime]:
    """Every moment at which clocks show this time; where none does, what it is by the offset before and by that after.

    Asks what clocks show at a moment only, which is never ambiguous.
    """
    around = [wall.replace(tzinfo=UTC) + timedelta(hours=h) for h in range(-30, 31)]
    offsets = {moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in around}
    could_be = [wall.replace(tzinfo=timezone(o)).astimezone(UTC) for o in offsets if o is not None]
    shown = [m for m in could_be if m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall]
    return shown or could_be


def independently_open(moment: datetime, window: Regular) -> bool:
    today = moment.astimezone(ZoneInfo(window.zone)).date()
    for offset in range(-3, 3):
        day = today + timedelta(days=offset)
        if day.strftime("%A").lower() not in window.every:
            continue
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the wall's clock
        begins, ends = (timedelta(hours=int(t[:2]), minutes=int(t[3:])) for t in (window.begins, window.ends))
        ends = ends if ends > begins else ends + timedelta(days=1)
        if min(meanings(midnight + begins, window.zone)) <= moment < max(meanings(midnight + ends, window.zone)):
            return True
    return False


TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Regular, datetime]:
    zone = draw(st.sampled_from(ZONES))
    begins, ends = draw(TIMES), draw(TIMES | st.just("24:00"))
    days = draw(st.just("day") | st.lists(st.sampled_from(Weekday), min_size=1, max_size=3, unique=True))
    near = draw(st.sampled_from(changes(zone))) + timedelta(minutes=draw(st.integers(-3 * 1440, 3 * 1440)))
    if begins == ends:
        ends = "24:00"
    return regular(every=days, zone=zone, **{"from": begins, "to": ends}), near


@given(cases())
def test_a_moment_is_inside_exactly_if_another_computation_says_so(case: tuple[Regular, datetime]) -> None:
    """Around every change of clocks in three years, in zones that change them in different ways, and in none."""
    window, moment = case
    assert is_open(moment, window) is independently_open(moment, window)


@given(cases())
def test_whenever_a_clock_on_the_wall_shows_a_time_of_the_window_it_is_open(case: tuple[Regular, datetime]) -> None:
    """What an operator reads off the wall is never outside, whatever was done to the clocks."""
    window, moment = case
    shows = moment.astimezone(ZoneInfo(window.zone))
    begun_on = shows.date()
    time = f"{shows:%H:%M}"
    if window.ends > window.begins:
        shown = window.begins <= time < window.ends
    else:
        shown = time >= window.begins or time < window.ends
        begun_on -= timedelta(days=1 if time < window.ends else 0)
    if shown and begun_on.strftime("%A").lower() in window.every:
        assert is_open(moment, window)


@pytest.mark.thorough
@given(cases())
def test_the_next_window_is_the_first_that_is_not_over(case: tuple[Regular, datetime]) -> None:
    """It is open, or nothing is open until it begins; and where one is open, it is told to end when it does."""
    window, moment = case
    coming, now = next_window(moment, [window]), window_at(moment, [window], ())
    assert coming is not None
    assert coming.end > moment
    assert coming.holds(moment) is (now is not None)
    assert now is None or now.end - moment > timedelta(days=6) or not is_open(now.end, window)
    assert now is not None or not any(is_open(moment + (coming.start - moment) * part / 8, window) for part in range(8))


def announced(start: str, end: str) -> Announced:
    return Announced(start=utc(start), end=utc(end), by="ann", reason="new disks", at=utc("2026-11-21T00:00"))


def test_windows_without_a_gap_are_told_with_the_end_of_the_last() -> None:
    """A regular one, and one that was announced because the first would not be enough."""
    found = window_at(utc("2026-11-22T02:30"), [regular()], [announced("2026-11-22T03:30", "2026-11-22T06:00")])
    assert found is not None
    assert (found.start, found.end) == (utc("2026-11-22T02:00"), utc("2026-11-22T06:00"))
    assert found.label == "every sunday 02:00 to 04:00 UTC"


def test_windows_without_an_end_are_told_with_one() -> None:
    """Whoever closes every day gets an answer, too."""
    found = window_at(utc("2026-11-22T02:30"), [regular(every="day", **{"from": "00:00", "to": "24:00"})], ())
    assert found is not None
    assert found.end - utc("2026-11-22T02:30") <= timedelta(days=8)


def test_how_a_window_is_told() -> None:
    """By whom and why, or by what the playbook says; in UTC, the date once."""
    assert announced("2026-11-22T03:30", "2026-11-22T06:00").window.span == "2026-11-22 03:30 to 06:00 UTC"
    assert announced("2026-11-22T22:30", "2026-11-23T06:00").window.label == "announced by ann: new disks"
    assert regular(every=["sunday", "saturday"], zone="Asia/Kathmandu").label == (
        "every saturday and sunday 02:00 to 04:00 Asia/Kathmandu"
    )


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"from": "25:00"}, "'25:00' is no time of day: write one such as 02:00"),
        ({"from": 2}, "'2' is no time of day"),
        ({"from": "04:00"}, "from and to are both 04:00: for the whole day, write from: 00:00 and to: 24:00"),
        ({"from": "24:00"}, "write from: 00:00 of the next day"),
        ({"every": []}, "no day is named"),
        ({"zone": "Europe/Berln"}, "there is no time zone 'Europe/Berln'"),
        ({"zone": "../../etc/passwd"}, "there is no time zone"),
        ({"zone": ""}, "there is no time zone"),
        ({"for": "2h"}, "Extra inputs are not permitted"),
    ],
)
def test_a_window_that_is_none(said: dict[str, Any], says: str) -> None:
    """Each mistake is told with what to write instead."""
    with pytest.raises(ValidationError, match=says.replace(".", r"\.")):
        regular(**said)
