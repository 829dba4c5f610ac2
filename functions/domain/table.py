"""The ledger's table, declared once: the infrastructure builds it from here, the adapter writes by it.

All key attributes are strings. Every index projects all attributes and is sparse: an item without the index's partition
key is not in it.
"""

from typing import NamedTuple

PARTITION_KEY = "pk"
SORT_KEY = "sk"

TTL_ATTRIBUTE = "expires"
"""Epoch seconds. DynamoDB deletes within days after it, so nothing may rely on an item being gone."""


class Index(NamedTuple):
    """A global secondary index: for lists that people read, never for a decision."""

    name: str
    partition_key: str
    sort_key: str


LISTED = Index(name="listed", partition_key="listing", sort_key="listed_at")
"""Incidents by the time they opened, leases by the time they end, unmatched signals by the time they came, what
people did by hand by its time."""

OPEN = Index(name="open", partition_key="open", sort_key="listed_at")
"""Incidents that are not resolved."""

BY_SERVICE = Index(name="by-service", partition_key="of_service", sort_key="listed_at")
"""A service's incidents by the time they opened."""

INDEXES = (LISTED, OPEN, BY_SERVICE)
