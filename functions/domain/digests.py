"""Digests: what people go through every morning, week and month, as lines that each begin with a verdict."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from functions.domain.model import Model, Moment


class Period(StrEnum):
    """How often a digest comes, and how far it looks back."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def span(self) -> timedelta:
        """Thirty days for a month: what is read from AWS by the hour goes back further than that."""
        return timedelta(days={Period.DAILY: 1, Period.WEEKLY: 7, Period.MONTHLY: 30}[self])

    def key(self, at: datetime) -> str:
        """The day, the ISO week or the month of `at`, in UTC: of each there is one digest."""
        match self:
            case Period.DAILY:
                return f"{at:%Y-%m-%d}"
            case Period.WEEKLY:
                return f"{at:%G-W%V}"
            case Period.MONTHLY:
                return f"{at:%Y-%m}"


class Verdict(StrEnum):
    """What a line says before anything else. Evidence that is missing is never `ok`."""

    LOOK = "look"
    """A person should look at it."""
    UNKNOWN = "unknown"
    """It could not be read, for the reason that is given."""
    OK = "ok"
    NONE = "n/a"
    """There is nothing of the kind to look at: the playbook or the service has none."""


class Found(Model):
    """What one item of the checklist came to: the verdict, then the number, then what belongs to it."""

    verdict: Verdict
    text: str
    details: tuple[str, ...] = ()


class Line(Model):
    """One item of the checklist, by its name."""

    name: str
    found: Found


class Section(Model):
    """The lines of one service, or of the account."""

    title: str
    """`cluster/service`, or what people call the rest."""
    lines: tuple[Line, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(1 for line in self.lines if line.found.verdict is verdict)


class Digest(Model):
    """One digest of a deployment: every service of its playbooks, and the account around them."""

    responder: str
    region: str
    period: Period
    since: Moment
    until: Moment
    sections: tuple[Section, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(section.count(verdict) for section in self.sections)

    def having(self, verdict: Verdict) -> tuple[tuple[str, Line], ...]:
        """The lines with that verdict, each with the title of its section."""
        return tuple(
            (section.title, line)
            for section in self.sections
            for line in section.lines
            if line.found.verdict is verdict
        )


def ok(text: str, *details: str) -> Found:
    return Found(verdict=Verdict.OK, text=text, details=details)


def look(text: str, *details: str) -> Found:
    return Found(verdict=Verdict.LOOK, text=text, details=details)


def unknown(text: str, *details: str) -> Found:
    return Found(verdict=Verdict.UNKNOWN, text=text, details=details)


def nothing(text: str) -> Found:
    return Found(verdict=Verdict.NONE, text=text)


def named(names: Sequence[str], most: int = 3) -> str:
    """The first of them, and how many more there are; with a colon before them, and nothing for none."""
    if not names:
        return ""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f": {', '.join(names[:most])}{more}"


def when(at: datetime) -> str:
    """A time within the last weeks, for people: UTC, with the day of the week."""
    return f"{at:%a %m-%d %H:%M}"


def worst(looks: bool, unknowns: bool) -> Verdict:
    """The verdict of several together: one that should be looked at is not hidden by one that is unknown."""
    if looks:
        return Verdict.LOOK
    return Verdict.UNKNOWN if unknowns else Verdict.OK
