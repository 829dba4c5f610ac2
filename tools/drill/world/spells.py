"""What a service went through, spell by spell, for whoever asks later what each zone and each task had of it.

Everything is the same within a spell. Logs and metrics by zone are asked for seldom, and are worked out only then.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tools.drill.world.constants import Constants
from tools.drill.world.metrics import MINUTE_S
from tools.drill.world.serving import Backing, Blame, Conduct, complaints, share_of


class Crew(NamedTuple):
    """Targets of one conduct, which fail requests for the same reasons."""

    conduct: Conduct
    blame: Blame
    zones: Mapping[str, str]
    """Zone by task id."""


class Spell:
    """From when to when, what each target was offered per second, and by whom it was served."""

    __slots__ = ("_by_zone", "backing", "crews", "ends_s", "offered", "start_s")

    def __init__(
        self, start_s: float, ends_s: float, *, offered: float, backing: Backing, crews: tuple[Crew, ...]
    ) -> None:
        self.start_s, self.ends_s = start_s, ends_s
        self.offered, self.backing, self.crews = offered, backing, crews
        self._by_zone: Mapping[str, tuple[float, float]] | None = None

    def by_zone(self, constants: Constants) -> Mapping[str, tuple[float, float]]:
        """Requests and 5xx answers of the targets of each zone, per second."""
        if self._by_zone is None:
            found: dict[str, tuple[float, float]] = {}
            for crew in self.crews:
                failed = share_of(self.offered, crew.conduct, self.backing, slow_s=1.0, constants=constants).target_5xx
                for zone in crew.zones.values():
                    requests, errors = found.get(zone, (0.0, 0.0))
                    found[zone] = requests + self.offered, errors + failed
            self._by_zone = found
        return self._by_zone

    def written(self, constants: Constants) -> Iterator[tuple[Crew, Blame]]:
        """What each task of a crew writes, and how often per second."""
        for crew in self.crews:
            said = complaints(self.offered, crew.conduct, self.backing, crew.blame, constants)
            if said:
                yield crew, said


class Spells:
    """All spells of one service, oldest first."""

    def __init__(self) -> None:
        self._starts: list[float] = []
        self._spells: list[Spell] = []

    def note(self, start_s: float, ends_s: float, *, offered: float, backing: Backing, crews: tuple[Crew, ...]) -> None:
        """Go on with the newest spell where nothing changed, or begin another."""
        newest = self._spells[-1] if self._spells else None
        if (
            newest is not None
            and newest.crews is crews
            and newest.offered == offered
            and newest.backing == backing
            and newest.ends_s == start_s
        ):
            newest.ends_s = ends_s
            return
        self._starts.append(start_s)
        self._spells.append(Spell(start_s, ends_s, offered=offered, backing=backing, crews=crews))

    def between(self, start_s: float, ends_s: float) -> Iterator[tuple[Spell, float]]:
        """The spells that reach into this time with the length of that part, newest first."""
        for place in range(bisect_right(self._starts, ends_s) - 1, -1, -1):
            spell = self._spells[place]
            length = min(ends_s, spell.ends_s) - max(start_s, spell.start_s)
            if length > 0:
                yield spell, length
            elif spell.ends_s <= start_s:
                return


class ZoneSeries:
    """RequestCount or HTTPCode_Target_5XX_Count of one zone."""

    def __init__(self, spells: Spells, zone: str, *, errors: bool, constants: Constants) -> None:
        self._spells, self._zone, self._place, self._constants = spells, zone, int(errors), constants

    def value(self, minutes: range, statistic: str) -> float | None:
        """The sum over some minutes; a count that is zero is not reported.

        Raises:
            ValueError: for a statistic that the world does not keep.
        """
        if statistic != "Sum":
            raise ValueError(f"the world keeps no statistic {statistic} by zone")
        if not minutes:
            return None
        total = 0.0
        for spell, length in self._spells.between(minutes.start * MINUTE_S, minutes.stop * MINUTE_S):
            found = spell.by_zone(self._constants).get(self._zone)
            if found is not None:
                total += found[self._place] * length
        return total if total > 0 else None
