"""The environment of the functions: the names live here alone, `infra/` sets them from here too."""

import os

TABLE_NAME = "RESPONDER_TABLE"
STATE_MACHINE_ARN = "RESPONDER_STATE_MACHINE_ARN"
PAGE_TOPIC_ARN = "RESPONDER_PAGE_TOPIC_ARN"
SECOND_TOPIC_ARN = "RESPONDER_SECOND_TOPIC_ARN"
BUCKET_NAME = "RESPONDER_BUCKET"
PLAYBOOKS_FILE = "RESPONDER_PLAYBOOKS_FILE"
INTAKE_QUEUE_URL = "RESPONDER_INTAKE_QUEUE_URL"
FUNCTION_TIMEOUT = "RESPONDER_FUNCTION_TIMEOUT_S"
FLEET_ACTIONS_PER_HOUR = "RESPONDER_FLEET_ACTIONS_PER_HOUR"
LOG_SCAN_MB = "RESPONDER_LOG_SCAN_MB"
CONTAIN = "RESPONDER_CONTAIN"
READ_FUNCTION = "RESPONDER_READ_FUNCTION"
TRIAL_FUNCTION = "RESPONDER_TRIAL_FUNCTION"

INITIALIZATION = "AWS_LAMBDA_INITIALIZATION_TYPE"
"""Lambda sets it, and nobody else (Lambda Developer Guide, "Defined runtime environment variables")."""

COMPILED_PLAYBOOKS = "playbooks.tsv"
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


class Settings:
    """What the environment tells a function. Each is read when it is asked for: a function without a need for one is
    not given it, and need not be.
    """

    @property
    def on_lambda(self) -> bool:
        return INITIALIZATION in os.environ

    @property
    def region(self) -> str:
        return required("AWS_REGION")

    @property
    def table(self) -> str:
        return required(TABLE_NAME)

    @property
    def bucket(self) -> str:
        """Empty for a function that keeps no documents."""
        return required(BUCKET_NAME)

    @property
    def page_topic(self) -> str:
        return required(PAGE_TOPIC_ARN)

    @property
    def second_topic(self) -> str:
        """Where second contacts are called."""
        return required(SECOND_TOPIC_ARN)

    @property
    def state_machine(self) -> str:
        return required(STATE_MACHINE_ARN)

    @property
    def account(self) -> str:
        """The account that this is deployed to, as the state machine's ARN says it."""
        return self.state_machine.split(":")[4]

    @property
    def intake_queue(self) -> str:
        return required(INTAKE_QUEUE_URL)

    @property
    def playbooks_file(self) -> str:
        return os.environ.get(PLAYBOOKS_FILE, COMPILED_PLAYBOOKS)

    @property
    def function_timeout_s(self) -> int:
        """Seconds after which Lambda ends any of the functions."""
        return int(required(FUNCTION_TIMEOUT))

    @property
    def fleet_actions_per_hour(self) -> int:
        """Actions in one hour for all services together; 0 means none allowed."""
        return int(required(FLEET_ACTIONS_PER_HOUR))

    @property
    def log_scan_mb(self) -> int:
        """Megabytes of logs that one look may scan; 0 means none."""
        return int(required(LOG_SCAN_MB))

    @property
    def contain_deployed(self) -> bool:
        """Whether the contain stack is deployed beside this one."""
        return required(CONTAIN) == "true"

    @property
    def read_function(self) -> str:
        """Name of the function that reads AWS for the HTTP API."""
        return required(READ_FUNCTION)

    @property
    def trial_function(self) -> str:
        """Name of the function that asks services over HTTP for the HTTP API."""
        return required(TRIAL_FUNCTION)


class DeskSettings(Settings):
    """At a desk, where no environment was set: the Region is given, and all else is what a deployment has by default.

    Other limits of the deployment are those that the responder itself will hold to; set them here by the same names.
    """

    def __init__(self, region: str) -> None:
        self._region = region

    @property
    def region(self) -> str:
        return self._region

    @property
    def fleet_actions_per_hour(self) -> int:
        return int(os.environ.get(FLEET_ACTIONS_PER_HOUR, "20"))

    @property
    def log_scan_mb(self) -> int:
        return int(os.environ.get(LOG_SCAN_MB, "1000"))

    @property
    def contain_deployed(self) -> bool:
        return os.environ.get(CONTAIN) == "true"
