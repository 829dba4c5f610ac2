"""Puts announcements on the event bus."""

from collections.abc import Sequence
from typing import Any

from functions.adapters.answers import reading
from functions.domain.announcements import SOURCE, Announcement
from functions.domain.errors import ReadFailed

CALLS = ("events:PutEvents",)

BUS = "default"
_AT_ONCE = 10
"""Entries in one call (EventBridge API reference: PutEvents)."""


class EventBridgeAnnouncer:
    """The `Announcer` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any) -> None:
        """`client` sends each call once: whoever announces tries again later."""
        self._client = client

    def announce(self, announcements: Sequence[Announcement]) -> None:
        for first in range(0, len(announcements), _AT_ONCE):
            some = announcements[first : first + _AT_ONCE]
            with reading(f"event bus {BUS}"):
                answer = self._client.put_events(Entries=[_entry(each) for each in some])
            # Some may be refused while the call itself succeeds (EventBridge User Guide, "Handling failures with
            # PutEvents").
            if answer.get("FailedEntryCount", 0):
                codes = sorted({str(e["ErrorCode"]) for e in answer.get("Entries", ()) if "ErrorCode" in e})
                raise ReadFailed(f"event bus {BUS} did not take every event: {', '.join(codes)}")


def _entry(announcement: Announcement) -> dict[str, Any]:
    return {
        "Source": SOURCE,
        "DetailType": announcement.happened.value,
        "Time": announcement.at,
        "EventBusName": BUS,
        "Detail": announcement.model_dump_json(by_alias=True),
    }
