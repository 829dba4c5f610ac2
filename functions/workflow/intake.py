"""Intake: from a signal to an incident with a running execution. It decides nothing and reads no AWS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.domain.heartbeat import HEARTBEAT
from functions.domain.signals import Signal, SignalKind
from functions.playbooks.concerned import concerned, told_to

if TYPE_CHECKING:
    from functions.playbooks.addressee import Addressee
    from functions.ports import Executions, Ledger, Opening


@dataclass(frozen=True, kw_only=True)
class Intake:
    ledger: Ledger
    executions: Executions
    addressees: Callable[[Signal], Sequence[Addressee]]
    """All whom a signal may concern, as their playbooks say it; others may be among them."""
    account: str
    """Whose alarms and events count; what says nothing of an account is looked at like one of ours."""

    def __call__(self, signal: Signal) -> tuple[Opening, ...]:
        """Record the signal and make sure that its incident is being carried; one opening for each service that it
        concerns, none where it belongs to no playbook.

        StartExecution is called for every signal, also a repeated one: a crash between the two is repaired by the
        redelivery, and an execution that exists already is fine. A heartbeat is asked of no playbook: it concerns
        itself alone, whatever it says.
        """
        if signal.kind is SignalKind.HEARTBEAT:
            beat = self.ledger.record_signal(signal, HEARTBEAT, may_open=True)
            if beat.incident_id is not None:
                self.executions.start(beat.incident_id, beat.generation)
            return (beat,)
        if signal.account not in (None, self.account):
            self.ledger.record_unmatched(signal, f"it is of account {signal.account}, not of {self.account}")
            return ()
        openings: list[Opening] = []
        for match in concerned(signal, self.addressees(signal)):
            if match.ref is None or match.playbook is None:
                self.ledger.record_unmatched(signal, match.reason)
                continue
            told = told_to(signal, match.ref)
            opening = self.ledger.record_signal(told, match.ref, may_open=told.opens_incident)
            if opening.incident_id is not None:
                self.executions.start(opening.incident_id, opening.generation)
            openings.append(opening)
        return tuple(openings)
