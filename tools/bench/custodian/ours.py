"""Runs one of our functions in a process of its own, on invocations whose AWS calls are answered from memory.

`python -m tools.bench.custodian.ours FUNCTION GIVEN FOUND`: `GIVEN` is a pickled `Given`; `FOUND` gets the CPU seconds
until the first of its invocations was handled, of all of them together each time they come again, and nothing else.
Only what the function itself loads is loaded.
"""

import json
import pickle
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from functions import bootstrap
from functions.settings import Settings
from tools.bench.replay.calls import Invocation
from tools.bench.replay.wire import Wire, WireClients


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the process is given."""

    invocations: Sequence[Invocation]
    playbooks: tuple[Any, ...]
    again: int


class Context:
    """What Lambda hands a function beside its event."""

    function_version = "1"
    memory_limit_in_mb = 512
    aws_request_id = "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa"

    def __init__(self, function: str) -> None:
        self.function_name = function
        self.invoked_function_arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{function}"


class SetClock:
    """It is as late as it was."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def main(function: str, given: str, found: str) -> None:
    handler = import_module(f"functions.handlers.{function}").handler
    told: Given = pickle.loads(Path(given).read_bytes())
    context, wire, settings = Context(function), Wire(), Settings()
    clock = SetClock(told.invocations[0].at)

    def handle(invocation: Invocation) -> float:
        clock.at = invocation.at
        wire.load(invocation.answers)
        began = time.process_time()
        handler(invocation.event, context)
        return time.process_time() - began

    clients = WireClients(wire, region=settings.region)
    with bootstrap.composed(settings=settings, clients=clients, clock=clock, playbooks=told.playbooks):
        handle(told.invocations[0])
        cold_s = time.process_time()
        warm_s = [sum(map(handle, told.invocations)) for _ in range(told.again)]
    Path(found).write_text(json.dumps({"cold_s": cold_s, "warm_s": warm_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
