"""Child processes that never outlive the block that started them."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_REAP_SECONDS = 2.0


@contextmanager
def terminating() -> Iterator[None]:
    """Make SIGTERM and SIGHUP end the block like Ctrl-C does, so that what it opened gets closed.

    The exit status is the shell's convention for a signal, 128 + its number. Outside the main thread, where Python
    allows no handlers, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    previous = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def process_group(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path, directory: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, and in `directory` if given; at the end the whole group is killed.

    The group is its own session too: a Ctrl-C in the terminal reaches only the parent, which then decides the order in
    which things end. Killed, not asked: nothing that these processes hold is worth saving.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with _undisturbed():
            _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the leader and its descendants, and wait until the system has forgotten them."""
    deadline = time.monotonic() + _REAP_SECONDS
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.02)
    process.wait()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold back an impatient second Ctrl-C until the block is through."""
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
