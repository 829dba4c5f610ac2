"""Maintenance windows announced at the desk: reading what people typed, announcing, cancelling."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from functions.domain.errors import InputError
from functions.domain.incidents import Switch
from functions.domain.maintenance import LONGEST, Announced
from functions.workflow.story import Story

KEPT = timedelta(days=1)
"""How long a window that is over stays in the switch: an incident that began in it may still be open."""

SOONEST = timedelta(minutes=1)
"""A start that is no longer ago than this is now."""


def start_of(text: str, now: datetime, *, past: bool = False) -> datetime:
    """When a window starts: `now`, a time of day (the next one, in UTC), or a date and time, in UTC unless it says
    otherwise.

    Raises:
        InputError: if it is none of these, or over where it may not be `past`.
    """
    if text == "now":
        return now
    if re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", text):
        hours, minutes = map(int, text.split(":"))
        today = now.astimezone(UTC).replace(hour=hours, minute=minutes, second=0, microsecond=0)
        return today if today >= now - SOONEST else today + timedelta(days=1)
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        written = None
    if written is None or len(text) <= len("2026-11-22"):
        raise InputError(f"'{text}' is no start; write now, 02:00 or 2026-11-22T02:00, in UTC or with an offset")
    start = (written if written.tzinfo is not None else written.replace(tzinfo=UTC)).astimezone(UTC)
    if start < now - SOONEST and not past:
        raise InputError(f"{start:%Y-%m-%d %H:%M} UTC is over; write a time to come")
    return start


def announced(switch: Switch, window: Announced, *, now: datetime) -> Switch:
    """The switch with one window more, and without those that are long over.

    Raises:
        InputError: if the window is longer than a day.
    """
    if window.end - window.start > LONGEST:
        raise InputError("a maintenance window lasts a day at most; announce one for each day, or pause the service")
    kept = [each for each in switch.maintenance if each.end > now - KEPT]
    return switch.model_copy(update={"maintenance": tuple(sorted([*kept, window], key=lambda each: each.start))})


def to_come(switch: Switch, *, now: datetime) -> Sequence[Announced]:
    """The announced windows that are not over."""
    return tuple(each for each in switch.maintenance if each.end > now)


def windows_of(switch: Switch, story: Story, *, now: datetime) -> Sequence[str]:
    """What an open incident has to do with maintenance, a line each: the window for which people are not paged yet, and
    those announced for its service."""
    held = "" if story.decision is None else story.decision.held_by
    lines = [f"no page yet: {held}"] if held else []
    return [*lines, *(f"maintenance {each.window.span}" for each in to_come(switch, now=now))]


def cancelled(switch: Switch, start: datetime | None, *, now: datetime) -> tuple[Switch, Announced]:
    """The switch without one window, and that window: the one with this start, or the only one that is not over.

    Raises:
        InputError: if there is none, or more than one.
    """
    left = to_come(switch, now=now)
    found = [each for each in left if start is None or each.start.replace(second=0, microsecond=0) == start]
    if not left:
        raise InputError("no announced maintenance window is left; regular ones stand in the playbook")
    if len(found) != 1:
        starts = " or ".join(f"{each.start:%Y-%m-%dT%H:%M}" for each in left)
        raise InputError(f"which window? write --cancel --from {starts}")
    return (
        switch.model_copy(update={"maintenance": tuple(each for each in switch.maintenance if each != found[0])}),
        found[0],
    )
