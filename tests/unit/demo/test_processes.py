"""Child processes that never outlive the block that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.demo.processes import process_group, terminating

PARENT_WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


class Wanted(Exception):
    """What a test raises on purpose."""


def first_line(log: Path) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        line, newline, _ = log.read_text().partition("\n")
        if newline:
            return line
        time.sleep(0.02)
    raise AssertionError(f"nothing was written to {log}")


def runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be reaped."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_descendants_end_with_the_block(tmp_path: Path) -> None:
    """A child of the started process, which nobody else knows, is gone after the block as well."""
    log = tmp_path / "log"
    with process_group([sys.executable, "-c", PARENT_WITH_CHILD], environment=os.environ, log=log) as parent:
        child = int(first_line(log))
        assert runs(child)
    assert parent.returncode == -signal.SIGKILL
    assert not runs(child)


@pytest.mark.thorough
def test_an_error_ends_the_processes_too(tmp_path: Path) -> None:
    """An exception inside the block passes through, and leaves no process behind."""
    log = tmp_path / "log"

    def fail_inside() -> None:
        with process_group([sys.executable, "-c", PARENT_WITH_CHILD], environment=os.environ, log=log):
            assert runs(int(first_line(log)))
            raise Wanted

    with pytest.raises(Wanted):
        fail_inside()
    assert not runs(int(first_line(log)))


def test_a_process_that_ended_by_itself_is_no_problem(tmp_path: Path) -> None:
    """A block whose process is long gone ends without an error and keeps its exit status."""
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    with process_group(command, environment=os.environ, log=tmp_path / "log") as process:
        process.wait(timeout=10)
    assert process.returncode == 3


def test_sigterm_unwinds_the_block() -> None:
    """SIGTERM leaves the block as an exit with the shell's status for it, so that everything gets closed."""
    before = signal.getsignal(signal.SIGTERM)

    def terminate_inside() -> None:
        with terminating():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)

    with pytest.raises(SystemExit) as left:
        terminate_inside()
    assert left.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
