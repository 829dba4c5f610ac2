"""What is going to happen, in virtual time."""

from collections.abc import Callable
from heapq import heappop, heappush


class Timetable:
    """Callbacks by time; those of the same time in the order in which they were entered."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds since the beginning of the run."""
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._entered = 0

    def at(self, seconds: float, callback: Callable[[], None]) -> None:
        """Enter a callback; one for the past is called next."""
        self._entered += 1
        heappush(self._entries, (max(seconds, self.now), self._entered, callback))

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        self.at(self.now + seconds, callback)

    def run_until(self, seconds: float) -> None:
        """Call everything that is due until then, also what these callbacks enter, and let the time be then."""
        while self._entries and self._entries[0][0] <= seconds:
            self.now, _, callback = heappop(self._entries)
            callback()
        self.now = max(self.now, seconds)
