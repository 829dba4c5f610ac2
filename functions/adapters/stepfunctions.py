"""Starts and finds executions of the workflow, and wakes one that waits to be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.adapters.answers import code_of, reading

if TYPE_CHECKING:
    from functions.domain.approvals import Answer

CALLS = ("states:StartExecution", "states:DescribeExecution")
"""IAM actions."""

ANSWER_CALLS = ("states:SendTaskSuccess",)
"""IAM actions of `StepFunctionsAnswers`, and of waking."""

_WAITS_NO_LONGER = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""TaskTimedOut also says that the task was answered before (Step Functions API reference: SendTaskSuccess)."""


class StepFunctionsExecutions:
    """The `Executions` of the deployed responder. IAM actions: `CALLS`, and `ANSWER_CALLS` to wake."""

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

    def wake(self, token: str, outcome: str) -> bool:
        return _woken(self._client, token, outcome)

    def _arn(self, name: str) -> str:
        # arn:partition:states:region:account:stateMachine:name, perhaps with a version or an alias behind
        partition, states, region, account, _, machine = self._state_machine.split(":")[1:7]
        return f"arn:{partition}:{states}:{region}:{account}:execution:{machine}:{name}"


class StepFunctionsAnswers:
    """The `Answers` of the deployed responder, for people at the desk. IAM actions: `ANSWER_CALLS`."""

    def __init__(self, client: Any) -> None:
        """The client must not repeat a call by itself: a repeated answer is told that nobody waits for it."""
        self._client = client

    def deliver(self, token: str, answer: Answer) -> bool:
        return _woken(self._client, token, answer.value)


def _woken(client: Any, token: str, outcome: str) -> bool:
    with reading("the execution that waits for an answer"):
        try:
            client.send_task_success(taskToken=token, output=json.dumps({"outcome": outcome}))
        except ClientError as error:
            if code_of(error) in _WAITS_NO_LONGER:
                return False
            raise
    return True


def _name(incident: str, generation: int) -> str:
    return f"{incident}-{generation}"
