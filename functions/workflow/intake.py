"""Intake: from a signal to an incident with a running execution. It decides nothing and reads no AWS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from functions.domain.errors import LedgerError
from functions.domain.heartbeat import HEARTBEAT
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind
from functions.playbooks.concerned import concerned, told_to
from functions.workflow.carried import carry_on

if TYPE_CHECKING:
    from functions.playbooks.addressee import Addressee
    from functions.ports import Ahead, Executions, Ledger, Opening

T = TypeVar("T")

_Carried = tuple[str | None, str | None]
"""The execution of an incident, and what wakes it."""


@dataclass(frozen=True, kw_only=True)
class _Told:
    """A signal as one service has it, or why it is nobody's."""

    signal: Signal
    ref: ServiceRef | None = None
    why_nobody: str = ""


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

        Its execution is started for every signal, also a repeated one, and woken where it listens. A heartbeat is asked
        of no playbook: it concerns itself alone, whatever it says.
        """
        return self._take(self._told(signal), {}, set())

    def batch(self, signals: Sequence[Signal]) -> Sequence[tuple[Opening, ...] | Exception]:
        """Take in signals that came together; for each its openings, or what kept it from being taken in, and no other.

        Each is recorded in a transaction of its own. What they share is what the ledger has of them, which is read at
        once, and the start of an execution, which is made once for all signals of an incident; so is waking it.
        """
        told = [_caught(partial(self._told, signal)) for signal in signals]
        ahead = self._look_ahead([each for found in told if not isinstance(found, Exception) for each in found])
        carried: set[_Carried] = set()
        return [
            found if isinstance(found, Exception) else _caught(partial(self._take, found, ahead, carried))
            for found in told
        ]

    def _told(self, signal: Signal) -> Sequence[_Told]:
        if signal.kind is SignalKind.HEARTBEAT:
            return (_Told(signal=signal, ref=HEARTBEAT),)
        if signal.account not in (None, self.account):
            return (_Told(signal=signal, why_nobody=f"it is of account {signal.account}, not of {self.account}"),)
        return [
            _Told(signal=signal, why_nobody=match.reason)
            if match.ref is None or match.playbook is None
            else _Told(signal=told_to(signal, match.ref), ref=match.ref)
            for match in concerned(signal, self.addressees(signal))
        ]

    def _look_ahead(self, told: Sequence[_Told]) -> Ahead:
        try:
            return self.ledger.look_ahead([(each.signal, each.ref) for each in told if each.ref is not None])
        except LedgerError:
            # Each then reads for itself, and fails for itself.
            return {}

    def _take(self, told: Sequence[_Told], ahead: Ahead, carried: set[_Carried]) -> tuple[Opening, ...]:
        openings: list[Opening] = []
        for each in told:
            if each.ref is None:
                self.ledger.record_unmatched(each.signal, each.why_nobody)
                continue
            opening = self.ledger.record_signal(each.signal, each.ref, may_open=each.signal.opens_incident, ahead=ahead)
            needed = opening.execution_name, opening.token
            if needed not in carried:
                carry_on(self.executions, opening)
                carried.add(needed)
            openings.append(opening)
        return tuple(openings)


def _caught(attempt: Callable[[], T]) -> T | Exception:
    try:
        return attempt()
    except Exception as error:  # noqa: BLE001 - whatever keeps one signal back, it keeps back no other
        return error
