"""The desk of Ann, who is on call, at a responder that a test has made."""

from dataclasses import replace
from typing import Any

from tests.fakes.engine import Responder
from tools.cli.main import Desk

IDENTITY = "arn:aws:sts::000000000000:assumed-role/on-call/ann"


def desk_of(made: Responder, **instead: Any) -> Desk:
    """Everything that a command may ask for; `instead` has what is to be otherwise, by the names of `Desk`."""
    desk = Desk(
        open_ledger=lambda table, region: made.ledger,
        now=made.clock.now,
        identity=lambda region: IDENTITY,
        open_answers=lambda region: made.people,
        open_executions=lambda region, name, identity: made.executions,
        open_archive=lambda region: made.archive,
        open_readers=lambda region: made.world.readers,
        open_examiner=lambda region, ledger: made.examiner,
    )
    return replace(desk, **instead)
