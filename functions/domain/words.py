"""Words that several texts for people share."""

from datetime import datetime


def counted(number: int, one: str, several: str | None = None) -> str:
    """`1 task`, `2 tasks`; `several` where it is no mere `s` more."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def clock(moment: datetime) -> str:
    """A point in time for people: UTC, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
