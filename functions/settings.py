"""The environment of the functions: the names live here alone, `infra/` sets them from here too."""

import os
from dataclasses import dataclass

TABLE_NAME = "RESPONDER_TABLE"
STATE_MACHINE_ARN = "RESPONDER_STATE_MACHINE_ARN"
PAGE_TOPIC_ARN = "RESPONDER_PAGE_TOPIC_ARN"
BUCKET_NAME = "RESPONDER_BUCKET"
PLAYBOOKS_FILE = "RESPONDER_PLAYBOOKS_FILE"
INTAKE_QUEUE_URL = "RESPONDER_INTAKE_QUEUE_URL"
FUNCTION_TIMEOUT = "RESPONDER_FUNCTION_TIMEOUT_S"
FLEET_ACTIONS_PER_HOUR = "RESPONDER_FLEET_ACTIONS_PER_HOUR"

COMPILED_PLAYBOOKS = "playbooks.json"
"""File beside the `functions` package, in the asset, that holds the playbooks as synth validated them."""


class MissingSetting(RuntimeError):
    """The function was deployed without a setting it needs: a mistake of the stack, not of the caller."""


def required(name: str) -> str:
    """One environment variable.

    Raises:
        MissingSetting: if it is not set.
    """
    value = os.environ.get(name)
    if value is None:
        raise MissingSetting(f"environment variable {name} is not set")
    return value


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every function is told by its environment; a function without a need for one is not given it."""

    region: str
    table: str
    playbooks_file: str

    @classmethod
    def from_environment(cls) -> "Settings":
        return cls(
            region=required("AWS_REGION"),
            table=required(TABLE_NAME),
            playbooks_file=os.environ.get(PLAYBOOKS_FILE, COMPILED_PLAYBOOKS),
        )
