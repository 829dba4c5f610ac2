"""The environment of a Lambda function, in a process of its own, where Powertools looks for it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def as_lambda(module: str, *arguments: str) -> Any:
    """What the module writes into the file that it is given last, as JSON."""
    with tempfile.TemporaryDirectory() as directory:
        found = Path(directory, "found.json")
        subprocess.run(
            [sys.executable, "-m", module, *arguments, str(found)],
            check=True,
            cwd=ROOT,
            env={**os.environ, **environment()},
            stdout=subprocess.DEVNULL,
        )
        return json.loads(found.read_text())


def environment() -> Mapping[str, str]:
    """Lambda Developer Guide, "Defined runtime environment variables", and what the stack sets."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "ecs-first-responder",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "LAMBDA_TASK_ROOT": "/var/task",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "PYDANTIC_DISABLE_PLUGINS": "1",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
