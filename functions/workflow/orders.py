"""Orders: what an operator orders at the desk, recorded like every other signal. Nothing is done by it alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from functions.domain.containment import Order
from functions.domain.errors import LedgerError
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind
from functions.ports import Executions, Ledger


@dataclass(frozen=True, kw_only=True)
class GiveOrder:
    ledger: Ledger
    executions: Executions
    now: Callable[[], datetime]

    def __call__(self, ref: ServiceRef, order: Order) -> str:
        """Put the order into the inbox of the service's open incident, or open one; its id.

        The incident plans it, asks people, and does it only when they say yes.
        """
        signal = Signal(
            kind=SignalKind.MANUAL,
            occurred_at=self.now(),
            region=ref.region,
            cluster=ref.cluster,
            service=ref.service,
            order=order,
        )
        opening = self.ledger.record_signal(signal, ref, may_open=signal.opens_incident)
        if opening.incident_id is None:
            raise LedgerError(f"the order for {ref} was recorded before, and its incident is over")
        self.executions.start(opening.incident_id, opening.generation)
        return opening.incident_id
