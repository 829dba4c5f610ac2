"""Intake: from a signal to an incident with a running execution. It decides nothing and reads no AWS."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.domain.signals import Signal
from functions.playbooks.matching import find_service
from functions.playbooks.schema import Playbook
from functions.ports import Executions, Ledger, Opening


@dataclass(frozen=True, kw_only=True)
class Intake:
    ledger: Ledger
    executions: Executions
    playbooks: Sequence[Playbook]

    def __call__(self, signal: Signal) -> Opening | None:
        """Record the signal and make sure that its incident is being carried; None for one that belongs to no playbook.

        StartExecution is called for every signal, also a repeated one: a crash between the two is repaired by the
        redelivery, and an execution that exists already is fine.
        """
        match = find_service(signal, self.playbooks)
        if match.ref is None or match.playbook is None:
            self.ledger.record_unmatched(signal, match.reason)
            return None
        opening = self.ledger.record_signal(signal, match.ref, may_open=signal.opens_incident)
        if opening.incident_id is not None:
            self.executions.start(opening.incident_id, opening.generation)
        return opening
