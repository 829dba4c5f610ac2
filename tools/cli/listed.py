"""Which incidents a list shows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.domain.incidents import Incident
from functions.domain.services import ServiceRef
from functions.ports import Ledger


def listed(
    ledger: Ledger, *, now: datetime, since: timedelta, only_open: bool = False, service: ServiceRef | None = None
) -> Sequence[Incident]:
    """Those that are open, whenever they were opened, and those opened since then; newest first."""
    found = {incident.id: incident for incident in ledger.open_incidents()}
    if not only_open:
        found |= {incident.id: incident for incident in ledger.incidents_between(now - since, now)}
    wanted = [incident for incident in found.values() if service is None or incident.service == service]
    return sorted(wanted, key=lambda incident: incident.opened_at, reverse=True)
