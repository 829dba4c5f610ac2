"""Numbers and times as a report writes them."""

from datetime import datetime

NOBODY = "Nobody was paged or asked."
NOTHING_OUT = "Nothing temporary was set: there is nothing to put back."


def number(value: float) -> str:
    """Three digits that matter, and thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.2f}".rstrip("0").rstrip(".")


def figure(value: float, unit: str) -> str:
    """A number with its unit, which no line break parts."""
    return f"{number(value)}\N{NO-BREAK SPACE}{unit}" if unit else number(value)


def hours(seconds: float) -> str:
    """A promised length of time: `2 h`, `90 min`."""
    return f"{seconds / 3600:g} h" if seconds % 3600 == 0 else f"{seconds / 60:g} min"


def is_command(undo: str) -> bool:
    """Whether a way back can be pasted, or is told in words."""
    return undo.startswith("aws ")


def clock(moment: datetime) -> str:
    """The time of day, to the second."""
    return f"{moment:%H:%M:%S}"


def day_and_clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
