"""The start of each function, as Lambda makes it: a handler is imported, and builds what its first event needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from functions import settings as names
from tools.bench.cold_start import environment

ROOT = Path(__file__).parents[3]
HANDLERS = sorted(
    path.stem for path in (ROOT / "functions" / "handlers").glob("*.py") if "\ndef handler(" in path.read_text()
)
START = """
import gc
from importlib import import_module
from pathlib import Path
import sys

import_module(f"functions.handlers.{sys.argv[1]}")
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""


@pytest.mark.parametrize("function", HANDLERS)
def test_a_function_starts_without_looking_for_garbage_and_then_looks(function: str, tmp_path: Path) -> None:
    """It reaches no AWS, and leaves no function that never frees anything."""
    playbooks = tmp_path / names.COMPILED_PLAYBOOKS
    playbooks.touch()
    started = subprocess.run(
        [sys.executable, "-c", START, function],
        env={**environment(ROOT, account="111122223333"), names.PLAYBOOKS_FILE: str(playbooks)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.stdout.split(), started.stderr) == (["True", "True"], "")
