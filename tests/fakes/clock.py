"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A `Clock` under the test's control."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, *, seconds: float) -> datetime:
        """Move on, and say what time it is then."""
        self._now += timedelta(seconds=seconds)
        return self._now
