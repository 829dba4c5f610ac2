"""What an operation of AWS is, for the world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.drill.world.world import World

Parameters = Mapping[str, Any]
Answer = dict[str, Any]
Operation = Callable[[World, Parameters], Answer]


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Operations by name: those that read, those that change something, each call of which is noted, and those of the
    responder's own keeping (pages and documents), which change no service."""

    reads: Mapping[str, Operation] = field(default_factory=dict)
    changes: Mapping[str, Operation] = field(default_factory=dict)
    keeping: Mapping[str, Operation] = field(default_factory=dict)
