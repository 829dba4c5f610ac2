"""Stopping and starting everything over the API."""

from datetime import timedelta
from typing import NoReturn

import pytest

from functions.domain.byhand import ByHand
from functions.domain.errors import LedgerError
from functions.domain.incidents import FleetSwitch
from tests.fakes.api import ANN, Api, event

STOP, START = "/api/v1/responder/stop", "/api/v1/responder/start"


def test_everything_is_stopped_and_started_again(api: Api) -> None:
    """By whom IAM knows, and why; the ledger has it, and a note of each."""
    ledger, clock = api.responder.ledger, api.responder.clock
    said = api.post(STOP, {"reason": "it rolls back too much"})
    assert (said.status, said.body["stopped"], said.body["before"]) == (200, True, None)
    assert ledger.fleet_switch() == FleetSwitch(
        stopped=True, by="on-call/ann", reason="it rolls back too much", at=clock.now()
    )
    clock.advance(seconds=60)
    said = api.post(START, {"reason": "it was right"})
    assert said.body["stopped"] is False
    assert said.body["before"].startswith("everything is stopped by on-call/ann")
    assert not ledger.fleet_switch().stopped
    notes = ledger.by_hand_between(clock.now() - timedelta(hours=1), clock.now())
    assert [(note.identity, note.what) for note in notes] == [
        (ANN, "lets the responder act again"),
        (ANN, "stopped everything"),
    ]


def test_an_emergency_needs_no_body(api: Api) -> None:
    """Without a reason it is by whom."""
    assert api.send(event("POST", STOP)).status == 200
    assert api.responder.ledger.fleet_switch().reason == f"by {ANN}"


def test_a_misspelt_key_stops_nothing(api: Api) -> None:
    """What is meant is not guessed."""
    assert api.post(STOP, {"reasn": "x"}).status == 422
    assert not api.responder.ledger.fleet_switch().stopped


def test_nobody_whom_iam_does_not_know(api: Api) -> None:
    """Stops or starts anything."""
    assert api.post(STOP, caller=None).status == 403
    assert not api.responder.ledger.fleet_switch().stopped


def test_a_stop_waits_neither_for_what_was_there_nor_for_its_note(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written all the same; where it cannot be, the answer is 503, and a start is no start."""
    ledger = api.responder.ledger
    real = ledger.fleet_switch

    def silent(*arguments: ByHand) -> NoReturn:
        raise LedgerError("the table does not answer")

    monkeypatch.setattr(ledger, "fleet_switch", silent)
    monkeypatch.setattr(ledger, "note_by_hand", silent)
    assert api.post(STOP).status == 200
    assert real().stopped
    assert api.post(START).status == 503
    assert real().stopped
