"""The world: everything that moves by itself, in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tools.drill.world.setting import Setting

STEP_S = 10
"""Length of one step of a `Tally`."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One call that changed something, or was refused."""

    at_s: float
    caller: str
    """Who called: the label of `wire.calling`, or who it was in the world (`pipeline`, `engineer`, `autoscaling`)."""
    operation: str
    parameters: dict[str, Any]
    refused: str | None = None
    """The error code, where AWS refused."""


@dataclass
class Tally:
    """What users and tasks of one service, or of all, lived through: one entry for each step of `STEP_S`."""

    requests: list[float] = field(default_factory=list)
    """Of users, without their retries."""
    failed: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    """Answered, but slower than `slow_s`."""
    running: list[float] = field(default_factory=list)
    """Tasks, on average."""
    healthy: list[float] = field(default_factory=list)
    """Targets, on average."""
    desired: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Percent, mean over tasks."""
    latency: list[float] = field(default_factory=list)
    """Mean seconds of an answer."""
    served: list[bool] = field(default_factory=list)
    """Whether the setting's goal was met."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What only the world knows."""

    faults: tuple[str, ...]
    """Kinds of the faults that have begun and still hurt, for example `bad-release/5xx`."""
    began_at_s: float | None
    """When the first fault of the run began, gone or not."""
    served: bool
    """Whether the goal was met in the newest whole step, for every service."""


class World:
    """One world for one seed. `now` and `seconds` are virtual; nothing happens but in `run_until`."""

    def __init__(self, setting: Setting, *, seed: int) -> None: ...

    tally: Tally
    tallies: dict[str, Tally]
    """By service."""
    changes: list[Change]

    @property
    def seconds(self) -> float: ...
    @property
    def now(self) -> datetime: ...
    @property
    def truth(self) -> Truth: ...

    def run_until(self, seconds: float) -> None:
        """Let the world go on, callbacks included, until this time of the run."""

    def at(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call back at this time; at once, in order, if it has passed."""

    def on_message(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Who takes the messages of the intake queue: events as Lambda gets them from SQS."""
