"""The environment of a Lambda function, in a process of its own: what Powertools and the X-Ray SDK look at, they find."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TRACED = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled={}"

ROOT = Path(__file__).resolve().parents[3]


def as_lambda(module: str, *arguments: str, sampled: bool) -> Any:
    """What the module writes into the file that it is given last, as JSON. `sampled`: the run is traced by X-Ray, as
    the first of each second is, and one of twenty beyond (X-Ray Developer Guide, "Configuring sampling rules")."""
    with tempfile.TemporaryDirectory() as directory:
        found = Path(directory, "found.json")
        subprocess.run(
            [sys.executable, "-m", module, *arguments, str(found)],
            check=True,
            cwd=ROOT,
            env={**os.environ, **environment(sampled=sampled)},
            stdout=subprocess.DEVNULL,
        )
        return json.loads(found.read_text())


def environment(*, sampled: bool) -> Mapping[str, str]:
    """Lambda Developer Guide, "Defined runtime environment variables", and what the stack sets."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "ecs-first-responder",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "_X_AMZN_TRACE_ID": _TRACED.format(int(sampled)),
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
