"""What the newest look at a service brought, for the texts that people get: they go out without it, too."""

from collections.abc import Sequence

from functions.domain.errors import ReadFailed, TrailBroken
from functions.domain.findings import Findings
from functions.domain.incidents import Event, Fact
from functions.ports import Ledger


def newest_look(ledger: Ledger, events: Sequence[Event]) -> Findings | None:
    """None where nobody looked yet, or what was found cannot be read any more."""
    looked = next((event for event in reversed(events) if event.fact is Fact.EVIDENCE_GATHERED), None)
    if looked is None:
        return None
    try:
        return Findings.from_json(ledger.evidence(looked)["findings"])
    except (ReadFailed, TrailBroken):
        return None
