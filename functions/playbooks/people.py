"""What a playbook says of people during an incident: whom to call second, where to meet, how often to tell."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from functions.domain.durations import DAY_S, Seconds, seconds
from functions.domain.severity import Severity

SHORTEST_UPDATE_S = 300
"""Nobody reads more often, and whoever mends is kept from it."""


class Silence(StrEnum):
    """In place of how often people hear of an open incident."""

    NEVER = "never"


def _every(value: object) -> object:
    if value == Silence.NEVER:
        return Silence.NEVER
    try:
        written = seconds(value)
    except ValueError:
        written = None
    if not isinstance(written, int) or isinstance(written, bool) or not SHORTEST_UPDATE_S <= written <= DAY_S:
        raise ValueError(f"'{value}' is no distance between updates: write one from 5m to 24h, or '{Silence.NEVER}'")
    return written


Every = Annotated[int | Silence, BeforeValidator(_every)]
"""Seconds between two updates."""

UPDATES: Mapping[Severity, int | Silence] = {
    Severity.P0: 15 * 60,
    Severity.P1: 30 * 60,
    Severity.P2: 2 * 3600,
    Severity.P3: 8 * 3600,
    Severity.P4: Silence.NEVER,
}
"""How often people hear of an open incident, where the playbook does not say."""


Bridge = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]{0,199}$")]
Recovery = Annotated[Seconds, Field(ge=60)]


class Escalation(BaseModel):
    """Who is called when nobody acknowledges a page within the time to respond of its severity."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    email: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")], ...] = ()
    """Addresses; each has to confirm once."""
    https: tuple[Annotated[str, Field(pattern=r"^https://[^\s/]+(/\S*)?$")], ...] = ()
    """URLs that take what SNS posts; each has to confirm once."""

    @property
    def contacts(self) -> tuple[str, ...]:
        return (*self.email, *self.https)
