"""Numbers and times as a report writes them."""

from datetime import datetime


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


def clock(moment: datetime) -> str:
    """The time of day, to the second."""
    return f"{moment:%H:%M:%S}"


def day_and_clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
