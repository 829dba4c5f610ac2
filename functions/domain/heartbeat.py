"""The heartbeat: a signal that the responder sends itself, to see whether it comes back.

It goes the way of every other: from a schedule of EventBridge through the queue into the inbox, through the steps
assess and close, and into the archive. It has a service of its own, which no playbook can name, so that nothing it says
can concern any other; no step looks at AWS for it, changes anything, or tells anybody.
"""

from datetime import datetime

from functions.domain.services import ServiceRef

HEARTBEAT = ServiceRef(region="responder", cluster="(itself)", service="(heartbeat)")
"""Whose incident a heartbeat is. ECS lets no cluster and no service be called so, and `responder` is no Region."""

ID_PREFIX = "heartbeat"
"""How the id of its incident begins; that of every other begins otherwise."""

RULE_SUFFIX = "-heartbeat"
"""How the name of the rule ends whose schedule sends it."""

EVERY_S = 900
"""15 minutes: six transitions each time, and the rest, are about 0.50 USD a month; every five minutes would be 1.50."""

RETURNS_WITHIN_S = 300
"""What comes back later than this proves no more that an incident would be carried in time."""

LOST_AFTER_S = 2 * EVERY_S + 300
"""Without one in so long a time two in a row are lost, or late: one alone is nobody's night."""

KEPT_AS = "heartbeat/last.jsonl"
"""Key of the trail in the archive: one object, written again by each."""


def is_heartbeat(ref: ServiceRef) -> bool:
    return ref == HEARTBEAT


def came_in_time(sent_at: datetime | None, returned_at: datetime) -> bool:
    """Whether it took no longer than it may. One that says nothing readable of its time, or comes from the future by
    more than clocks differ, did not."""
    if sent_at is None:
        return False
    took = (returned_at - sent_at).total_seconds()
    return -60 <= took <= RETURNS_WITHIN_S
