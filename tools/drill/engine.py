"""Step Functions in virtual time: interprets the workflow's table as `infra/` compiles it, with JSON between steps."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.domain.errors import Superseded
from functions.workflow.table import TABLE, Function, Outcome, Step, StepName, next_step
from infra.workflow import REPEAT_AFTER_S, UNSAID_WAIT_S

STEP_S = 2.0
"""Seconds of the world's clock from entering a step to its outcome: a warm function with its two or three round
trips to AWS one after the other, and the transitions before and after it. An assumption; probes run side by side."""

Json = dict[str, Any]


@dataclass
class Execution:
    """One execution: where it stands, the payload it carries, and how it ended."""

    name: str
    started_at: datetime
    at: StepName
    payload: Json
    status: str = "RUNNING"
    """As DescribeExecution says it (Step Functions API reference)."""
    token: str | None = None
    """What an answer has to come with, while the execution waits for one."""
    steps: list[StepName] = field(default_factory=list)
    """Those that it entered, in their order."""
    waits: int = 0
    """How many of those it entered by a wait."""


class Engine:
    """Carries executions. A step that raises ends its execution as failed, after a page that names the step."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        later: Callable[[float, Callable[[], None]], None],
        invoke: Callable[[Function, Json], Json],
        page: Callable[[str, str], None],
    ) -> None:
        """`later` calls back after so many seconds, `invoke` runs a function, `page` takes a subject and a text."""
        self._now = now
        self._later = later
        self._invoke = invoke
        self._page = page
        self._executions: dict[str, Execution] = {}

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        """Begin an execution; False when one of that name exists, running or not."""
        if name in self._executions:
            return False
        execution = Execution(name=name, started_at=self._now(), at=StepName(payload["step"]), payload=dict(payload))
        self._executions[name] = execution
        self._enter(execution)
        return True

    def execution(self, name: str) -> Execution | None:
        """The execution of that name, where there is one."""
        return self._executions.get(name)

    def abort(self, name: str) -> None:
        """Stop an execution, as StopExecution does: a function of it that runs goes on, and nobody hears its answer."""
        execution = self._executions[name]
        if execution.status == "RUNNING":
            execution.status = "ABORTED"
            execution.token = None

    @property
    def executions(self) -> tuple[Execution, ...]:
        """All of them, in the order in which they began."""
        return tuple(self._executions.values())

    @property
    def failed(self) -> tuple[Execution, ...]:
        return tuple(execution for execution in self._executions.values() if execution.status == "FAILED")

    def _enter(self, execution: Execution) -> None:
        """Go on to the step where the execution stands, after its wait where it has one; not if it was stopped."""
        if execution.status != "RUNNING":
            return
        execution.steps.append(execution.at)
        if execution.at is StepName.END:
            execution.status = "SUCCEEDED"
            return
        row = TABLE[execution.at]
        wait_s = float(execution.payload.get("wait_s", UNSAID_WAIT_S)) if row.waits else 0.0
        execution.waits += row.function is not None and wait_s > 0
        self._later(wait_s + (STEP_S if row.function is not None else 0.0), lambda: self._visit(execution, row))

    def _visit(self, execution: Execution, row: Step, *, repeated: int = 0) -> None:
        if execution.status != "RUNNING":
            return
        if row.function is None:
            if row.name is StepName.SUCCESSOR:
                self._start_successor(execution.payload)
            execution.at = row.transitions[Outcome.DONE]
        elif row.awaits:
            self._ask(execution, row, row.function)
            return
        else:
            sent = json.dumps({**execution.payload, "step": row.name.value})
            try:
                execution.payload = json.loads(json.dumps(self._invoke(row.function, json.loads(sent))))
            except Exception as error:  # noqa: BLE001 - what the state machine catches is States.ALL
                if repeated < row.repeats:
                    pause_s = REPEAT_AFTER_S * 2.0**repeated + STEP_S
                    self._later(pause_s, lambda: self._visit(execution, row, repeated=repeated + 1))
                    return
                if not row.spared:
                    self._fail(execution, row.name, error)
                    return
            execution.at = next_step(row.name, Outcome(execution.payload["outcome"]))
        self._enter(execution)

    def _ask(self, execution: Execution, row: Step, function: Function) -> None:
        """Call the function that asks, then wait for an answer, or until it comes too late."""
        token = f"{execution.name} at {self._now().isoformat()}"
        execution.token = token
        try:
            self._invoke(function, {**execution.payload, "step": row.name.value, "token": token})
        except Superseded:
            self.answer(token, Outcome.SUPERSEDED)
        except Exception as error:  # noqa: BLE001 - as in `_visit`
            if execution.token != token:
                return  # it was answered before it failed, and has gone on
            if not row.spared:
                self._fail(execution, row.name, error)
                return
            token = execution.token = f"{token}, by the clock"  # the task has failed, and its token with it
        self._later(execution.payload["wait_s"] + row.grace_s, lambda: self.answer(token, Outcome.EXPIRED))

    def waits(self, token: str) -> bool:
        """Whether an execution waits with this token."""
        return any(each.token == token for each in self._executions.values())

    def answer(self, token: str, outcome: Outcome) -> None:
        """Let the execution that waits with this token go on; an answer that nobody waits for any more is dropped."""
        for waiting in [each for each in self._executions.values() if each.token == token]:
            waiting.token = None
            waiting.payload = {**waiting.payload, "outcome": outcome.value}
            waiting.at = next_step(waiting.at, outcome)
            self._enter(waiting)

    def _start_successor(self, payload: Json) -> None:
        successor = {key: payload[key] for key in ("incident_id", "generation")}
        self.start(
            f"{successor['incident_id']}-{successor['generation']}", {**successor, "step": StepName.ASSESS.value}
        )

    def _fail(self, execution: Execution, step: StepName, error: Exception) -> None:
        if execution.status != "RUNNING":
            return
        execution.status = "FAILED"
        execution.token = None
        incident = execution.payload["incident_id"]
        self._page(f"ECS responder stopped at {incident}", f"step {step} failed with {type(error).__name__}: {error}")
