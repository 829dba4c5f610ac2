"""The start of each function, as Lambda makes it: a handler is imported, and builds what its first event needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions import settings as names

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
    told = {
        names.INITIALIZATION: "on-demand",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
        names.PLAYBOOKS_FILE: str(playbooks),
        names.TABLE_NAME: "responder",
        names.STATE_MACHINE_ARN: "arn:aws:states:eu-west-1:111122223333:stateMachine:responder",
        names.PAGE_TOPIC_ARN: "arn:aws:sns:eu-west-1:111122223333:pages",
        names.SECOND_TOPIC_ARN: "arn:aws:sns:eu-west-1:111122223333:second",
        names.BUCKET_NAME: "responder",
        names.INTAKE_QUEUE_URL: "https://queue.invalid/111122223333/responder",
        names.FUNCTION_TIMEOUT: "60",
        names.FLEET_ACTIONS_PER_HOUR: "20",
        names.LOG_SCAN_MB: "1000",
        names.CONTAIN: "true",
        names.READ_FUNCTION: "read",
        names.TRIAL_FUNCTION: "trial",
    }
    started = subprocess.run(
        [sys.executable, "-c", START, function],
        env={"PATH": os.environ["PATH"], **told},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.stdout.split(), started.stderr) == (["True", "True"], "")
