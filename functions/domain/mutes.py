"""Muted alarms: what may be muted, and how a mute is told apart from those of others.

A mute rule of CloudWatch holds the actions of an alarm back while its state goes on changing; an event of EventBridge
is no action (Amazon CloudWatch User Guide, "Alarm mute rules" and "Alarm actions"). When a mute ends and the alarm is
in ALARM, its actions run then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.domain.circumstances import AlarmHistoryFacts
from functions.domain.evidence import AlarmFacts
from functions.domain.model import digest

PREFIX = "responder-mute-"
"""Begins the name of every mute rule made here; grants go by it."""

LONGEST = timedelta(days=15)
"""CloudWatch API reference, PutAlarmMuteRule."""

FLAPS = 3
"""Times that an alarm went off by itself within the two hours that are looked at."""

FLAPS_BRIEFLY = timedelta(minutes=5)
"""An episode that lasts longer is no flapping any more."""

_LONGEST_NAME = 255


def flapping(alarm: AlarmFacts, history: AlarmHistoryFacts, *, now: datetime) -> bool:
    """Whether an alarm that is in ALARM goes off and on again by itself, which it does not where we mend what it tells
    of."""
    return now - alarm.since < FLAPS_BRIEFLY and history.by_itself(alarm.name) >= FLAPS


def rule_of(alarm: str) -> str:
    """The one rule by which an alarm is muted here, whoever does it: muting it again is no second rule."""
    name = f"{PREFIX}{alarm}"
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 13]}-{digest(alarm)[:12]}"


def not_to_be_muted(actions: Sequence[str] | None) -> str | None:
    """Why an alarm with these actions (ARNs) stays loud; None where they only tell people.

    A mute holds back every action alike, and one that scales, stops or repairs something would be missing.
    """
    if actions is None:
        return "its actions could not be read"
    if not actions:
        return "it has no actions that could be muted"
    other = next((action for action in actions if action.split(":")[2:3] != ["sns"]), None)
    return None if other is None else f"it does more than tell people: {other}"
