"""Deliveries and calls that do not go as they should."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.drill.world.chance import Chance
from tools.drill.world.refusal import Refused
from tools.drill.world.timetable import Timetable

REORDERED_S = 90.0
"""How long a message that is overtaken by others is held back. Assumption."""
SECOND_COPY_S = 5.0
"""How long after the first the second copy of a message arrives. Assumption."""


@dataclass(frozen=True, kw_only=True)
class _Unruly:
    until_s: float
    duplicate: float
    late: float
    late_s: float
    reordered: float


class Deliveries:
    """Hands messages to the intake queue: once and soon, or as a fault says."""

    def __init__(self, *, chance: Chance, timetable: Timetable, delay_s: float) -> None:
        self._chance, self._timetable, self._delay_s = chance, timetable, delay_s
        self._unruly: _Unruly | None = None
        self._sent: dict[str, int] = {}

    def begin(self, *, until_s: float, duplicate: float, late: float, late_s: float, reordered: float) -> None:
        self._unruly = _Unruly(until_s=until_s, duplicate=duplicate, late=late, late_s=late_s, reordered=reordered)

    def send(self, source: str, deliver: Callable[[int], None]) -> None:
        """Call `deliver` for each time that the message arrives, with how often it was received."""
        ordinal = self._sent.get(source, 0)
        self._sent[source] = ordinal + 1
        delay_s, copies = self._delay_s, 1
        unruly = self._unruly
        if unruly is not None and self._timetable.now < unruly.until_s:
            entity = f"delivery/{source}"
            if self._chance.share(f"{entity}/late", ordinal) < unruly.late:
                delay_s += unruly.late_s
            if self._chance.share(f"{entity}/reordered", ordinal) < unruly.reordered:
                delay_s += REORDERED_S
            if self._chance.share(f"{entity}/duplicate", ordinal) < unruly.duplicate:
                copies = 2
        for copy in range(copies):
            self._timetable.after(delay_s + copy * SECOND_COPY_S, lambda copy=copy: deliver(copy + 1))  # type: ignore[misc]


@dataclass(frozen=True, kw_only=True)
class _ApiTrouble:
    how: str
    until_s: float
    share: float
    operations: tuple[str, ...]


class Api:
    """Whether AWS takes a call at all."""

    def __init__(self, *, chance: Chance, timetable: Timetable) -> None:
        self._chance, self._timetable = chance, timetable
        self._troubles: list[_ApiTrouble] = []
        self._called: dict[str, int] = {}

    def begin(self, *, how: str, until_s: float, share: float, operations: tuple[str, ...]) -> None:
        self._troubles.append(_ApiTrouble(how=how, until_s=until_s, share=share, operations=operations))

    @property
    def troubled(self) -> bool:
        return any(self._timetable.now < trouble.until_s for trouble in self._troubles)

    def admit(self, operation: str, what: str, *, reads: bool, attempts: int) -> None:
        """Let a call through, if one of its attempts gets through.

        `what` tells apart the calls of one operation, so that it does not matter which of two comes first.

        Raises:
            Refused: if every attempt is throttled or fails.
        """
        for place, trouble in enumerate(self._troubles):
            if self._timetable.now >= trouble.until_s:
                continue
            if operation not in trouble.operations if trouble.operations else not reads:
                continue
            entity = f"api/{place}/{operation}/{what}"
            if all(self._unlucky(entity, trouble.share) for _ in range(attempts)):
                if trouble.how == "throttled":
                    raise Refused("ThrottlingException", "Rate exceeded")
                raise Refused("InternalFailure", "An internal error occurred.", status=500)

    def _unlucky(self, entity: str, share: float) -> bool:
        ordinal = self._called.get(entity, 0)
        self._called[entity] = ordinal + 1
        return self._chance.share(entity, ordinal) < share
