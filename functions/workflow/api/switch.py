"""Stopping and starting everything over the HTTP API: the same switch as at the desk."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from functions.domain.byhand import ByHand
from functions.domain.errors import LedgerError
from functions.domain.incidents import FleetSwitch
from functions.domain.model import Model
from functions.ports import Ledger
from functions.workflow.api.answer import called, reason_of


class Switched(Model):
    """The switch of every service, as it is now."""

    stopped: bool
    by: str
    reason: str
    at: datetime
    before: str | None
    """Who had stopped everything before, since when and why; null where nobody had."""
    next: str
    """What happens now, in a sentence."""


_NEXT = {
    True: "the responder looks, writes down and pages, and changes nothing any more; what was begun before comes to "
    "its end",
    False: "the responder acts again, from its next look at each service on; functions that `responder stop --hard` "
    "held are let go by `responder start` alone",
}


@dataclass(frozen=True, kw_only=True)
class SwitchEverything:
    ledger: Ledger
    now: Callable[[], datetime]

    def __call__(self, *, stopped: bool, identity: str, reason: str) -> Switched:
        """`identity` is the caller's ARN. A stop holds whatever was there before; a start ends the stop that it saw.

        Raises:
            Superseded: somebody else set the switch in the moment of a start.
            LedgerError: the ledger cannot be written.
        """
        by, why, now = called(identity), reason_of(reason, identity), self.now()
        switch = FleetSwitch(stopped=stopped, by=by, reason=why, at=now)
        what = "stopped everything" if stopped else "lets the responder act again"
        note = ByHand(at=now, by=by, identity=identity, what=what, reason=why)
        before = self._stop(switch, note) if stopped else self._start(switch, note)
        return Switched(
            stopped=stopped,
            by=by,
            reason=why,
            at=now,
            before=before.said if before.stopped else None,
            next=_NEXT[stopped],
        )

    def _stop(self, switch: FleetSwitch, note: ByHand) -> FleetSwitch:
        """A stop waits for nothing: neither for what was there before, nor for its note."""
        before = FleetSwitch(stopped=False)
        with suppress(LedgerError):
            before = self.ledger.fleet_switch()
        self.ledger.set_fleet_switch(switch)
        with suppress(LedgerError):
            self.ledger.note_by_hand(note)
        return before

    def _start(self, switch: FleetSwitch, note: ByHand) -> FleetSwitch:
        before = self.ledger.fleet_switch()
        self.ledger.note_by_hand(note)
        self.ledger.set_fleet_switch(switch, was=before)
        return before
