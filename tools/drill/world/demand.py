"""How many requests users send."""

from math import pi, sin

from tools.drill.world.chance import Chance
from tools.drill.world.setting import Daily, Spike, Traffic

MINUTE_S = 60


class Demand:
    """The traffic of one service, as a function of time."""

    def __init__(self, traffic: Traffic, *, service: str, chance: Chance) -> None:
        entity = f"{service}/traffic"
        self._chance = chance
        self._entity = f"{entity}/noise"
        self._base = chance.number(traffic.base_rps, f"{entity}/base")
        self._noise = chance.number(traffic.noise_percent, f"{entity}/noise-percent") / 100
        self._noises: dict[int, float] = {}
        self._curve = [_drawn(part, f"{entity}/curve/{place}", chance) for place, part in enumerate(traffic.curve)]

    def rps(self, seconds: float) -> float:
        """Requests per second at this time of the run, which may lie before its beginning."""
        factor = 1.0
        for part in self._curve:
            factor *= part.factor(seconds)
        return max(0.0, self._base * factor * self._noise_of(int(seconds // MINUTE_S)))

    def _noise_of(self, minute: int) -> float:
        noise = self._noises.get(minute)
        if noise is None:
            noise = 1 + self._noise * (2 * self._chance.share(self._entity, minute) - 1)
            self._noises[minute] = noise
        return noise


class _Spike:
    def __init__(self, *, at_s: float, factor: float, ramp_s: float, lasts_s: float | None) -> None:
        self._at_s, self._factor, self._ramp_s = at_s, factor, max(ramp_s, 1e-9)
        self._falls_s = None if lasts_s is None else at_s + lasts_s

    def factor(self, seconds: float) -> float:
        up = min(1.0, max(0.0, (seconds - self._at_s) / self._ramp_s))
        down = 0.0 if self._falls_s is None else min(1.0, max(0.0, (seconds - self._falls_s) / self._ramp_s))
        return 1 + (self._factor - 1) * (up - down)


class _Daily:
    def __init__(self, *, swing: float, period_s: float, peak_s: float) -> None:
        self._swing, self._period_s, self._peak_s = swing, period_s, peak_s

    def factor(self, seconds: float) -> float:
        return 1 + self._swing * sin(2 * pi * (seconds - self._peak_s) / self._period_s + pi / 2)


def _drawn(part: Spike | Daily, entity: str, chance: Chance) -> _Spike | _Daily:
    match part:
        case Spike():
            return _Spike(
                at_s=chance.number(part.at_s, f"{entity}/at"),
                factor=chance.number(part.factor, f"{entity}/factor"),
                ramp_s=chance.number(part.ramp_s, f"{entity}/ramp"),
                lasts_s=None if part.lasts_s is None else chance.number(part.lasts_s, f"{entity}/lasts"),
            )
        case Daily():
            return _Daily(
                swing=chance.number(part.swing_percent, f"{entity}/swing") / 100,
                period_s=chance.number(part.period_s, f"{entity}/period"),
                peak_s=chance.number(part.peak_s, f"{entity}/peak"),
            )
