"""Lengths of time as operators write and read them."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS = {"s": 1, "m": 60, "h": 3600}
DAY_S = 86_400


def seconds(value: object) -> object:
    """Read a length of time: `90s`, `10m`, `1h`, or a whole number of seconds.

    Raises:
        ValueError: if it is text of another kind. What is neither text nor number is left to the schema to refuse.
    """
    if not isinstance(value, str):
        return value
    written = re.fullmatch(r"([0-9]{1,9}) ?([smh])", value.strip())
    if written is None:
        raise ValueError(f"'{value}' is no length of time: write 90s, 10m or 1h")
    return int(written[1]) * _UNITS[written[2]]


Seconds = Annotated[int, BeforeValidator(seconds), Field(ge=0, le=DAY_S, strict=True)]
"""A length of time in whole seconds, a day at most."""


def written(length_s: int) -> str:
    """A length of time as operators write it, in its largest whole unit: `2h`, `90m`, `7d`."""
    units = {"d": DAY_S, "h": 3600, "m": 60, "s": 1}
    unit = next(name for name, unit_s in units.items() if length_s % unit_s == 0)
    return f"{length_s // units[unit]}{unit}"


def spoken(span: timedelta) -> str:
    """A length of time for a person: `42 s`, `3 min 05 s` or `2 h 10 min`."""
    seconds = round(span.total_seconds())
    if abs(seconds) < 60:
        return f"{seconds} s"
    if abs(seconds) < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
