"""Starts and finds executions of the workflow."""

import json
from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.answers import code_of, reading

CALLS = ("states:StartExecution", "states:DescribeExecution")
"""IAM actions."""


class StepFunctionsExecutions:
    """The `Executions` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, state_machine: str) -> None:
        """`state_machine` is its ARN."""
        self._client = client
        self._state_machine = state_machine

    def start(self, incident: str, generation: int, *, step: str = "assess") -> bool:
        with reading(f"execution {_name(incident, generation)}"):
            try:
                self._client.start_execution(
                    stateMachineArn=self._state_machine,
                    name=_name(incident, generation),
                    input=json.dumps({"incident_id": incident, "generation": generation, "step": step}),
                )
            except ClientError as error:
                if code_of(error) == "ExecutionAlreadyExists":
                    return False
                raise
        return True

    def running(self, incident: str, generation: int) -> bool:
        with reading(f"execution {_name(incident, generation)}"):
            try:
                answer = self._client.describe_execution(executionArn=self._arn(_name(incident, generation)))
            except ClientError as error:
                if code_of(error) == "ExecutionDoesNotExist":
                    return False
                raise
        return bool(answer.get("status") == "RUNNING")

    def _arn(self, name: str) -> str:
        # arn:partition:states:region:account:stateMachine:name, perhaps with a version or an alias behind
        partition, states, region, account, _, machine = self._state_machine.split(":")[1:7]
        return f"arn:{partition}:{states}:{region}:{account}:execution:{machine}:{name}"


def _name(incident: str, generation: int) -> str:
    return f"{incident}-{generation}"
