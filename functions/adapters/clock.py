"""The time of the machine."""

from datetime import UTC, datetime


class SystemClock:
    """The `Clock` of the deployed responder. Calls nothing."""

    def now(self) -> datetime:
        return datetime.now(UTC)
