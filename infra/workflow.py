"""The table of steps, compiled to Amazon States Language.

A pure function from the table to the definition, so that the definition can be tested without a stack. The language is
JSONata because a field that is missing is then simply unequal to everything: with JSONPath a `Choice` on a missing path
ends the execution with States.Runtime, which nothing can catch (Step Functions Developer Guide, "Error names").
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from functions.domain.errors import Superseded
from functions.domain.heartbeat import ID_PREFIX
from functions.workflow.table import ENTRY, TABLE, Function, Outcome, Step, StepName

UNSAID_WAIT_S = 30
"""How long a wait is when no step said so, as for an execution that begins at a waiting step."""

TASK_TIMEOUT_MARGIN_S = 15
"""Longer than the function's own time-out: a task that gives up first would leave its function running unwatched."""

REPEAT_AFTER_S = 10
"""How long before a step that may be repeated is, the first time; each further pause is twice the one before."""

BEGIN = "begin"
FAILURE = "whose failure"
PAGE_FAILURE = "page the failure"
FAILED = "failed"

_LONGEST_CAUSE = 2_000
"""Characters of an error's cause in a page; a Lambda's may hold a whole stack trace."""


def definition(
    *,
    functions: Mapping[Function, str],
    function_timeout_s: int,
    page_topic: str,
    state_machine: str,
) -> dict[str, Any]:
    """The state machine of one incident.

    `functions` are ARNs of published versions or aliases; a step whose function is not among them is left out, and
    whoever says an outcome that leads there is paged for. `page_topic` and `state_machine` are ARNs too, the latter the
    machine's own, which its successor is started on. `function_timeout_s` is the longest time-out of those functions.
    """
    states: dict[str, Any] = {BEGIN: _begin()}
    for step in _carried(functions).values():
        states.update(_states(step, functions, function_timeout_s, state_machine))
    states[StepName.END.value] = {"Type": "Succeed"}
    states[FAILURE] = _failure()
    states[PAGE_FAILURE] = _page_failure(page_topic)
    states[FAILED] = {
        "Type": "Fail",
        "Error": "ResponderFailed",
        "Cause": "See the state before; the operators were paged, of a heartbeat an alarm tells them.",
    }
    return {
        "Comment": "The life of one incident, compiled from functions/workflow/table.py",
        "QueryLanguage": "JSONata",
        "StartAt": BEGIN,
        "States": states,
    }


def _carried(functions: Mapping[Function, str]) -> Mapping[StepName, Step]:
    """The table without the steps of functions that are not deployed, and without the ways that lead to them."""
    missing = {name for name, step in TABLE.items() if step.function is not None and step.function not in functions}
    return {
        name: replace(step, transitions={said: to for said, to in step.transitions.items() if to not in missing})
        for name, step in TABLE.items()
        if name not in missing
    }


def first_state(step: StepName) -> str:
    """Name of the state by which a step is entered: its wait where it has one."""
    if step is StepName.END:
        return step.value
    return _wait_state(step) if TABLE[step].waits and TABLE[step].function is not None else step.value


def answer_state(step: StepName) -> str:
    """Name of the state that reads a step's outcome."""
    return f"after {step}"


def _wait_state(step: StepName) -> str:
    return f"before {step}"


def _alone_state(step: StepName) -> str:
    """Name of the wait of a step that awaits, and could not ask."""
    return f"{step} by the clock"


def _one_way(step: Step) -> StepName | None:
    """Where a step leads, whatever it says; None where that depends. What is superseded is caught of a step that
    awaits, and said by others."""
    ways = {*step.transitions.values(), *(() if step.awaits else (StepName.END,))}
    return ways.pop() if len(ways) == 1 else None


def _next_state(step: Step) -> str:
    """Name of the state after a step that was done: none reads its answer where all lead the same way, because each
    state is paid for."""
    way = _one_way(step)
    return answer_state(step.name) if way is None else first_state(way)


def _onward(step: Step) -> dict[str, Any]:
    then = _next_state(step)
    return {"End": True} if then == StepName.END else {"Next": then}


def _states(
    step: Step, functions: Mapping[Function, str], function_timeout_s: int, state_machine: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    if step.name is StepName.SUCCESSOR:
        yield step.name.value, _start_successor(step, state_machine)
    elif step.function is None:
        yield step.name.value, _wait(first_state(step.transitions[Outcome.DONE]))
    else:
        if step.waits:
            yield _wait_state(step.name), _wait(step.name.value)
        invoked = functions[step.function]
        yield step.name.value, _ask(step, invoked) if step.awaits else _invoke(step, invoked, function_timeout_s)
        if _one_way(step) is None:
            yield answer_state(step.name), _route(step)
        if step.awaits and step.spared:
            yield _alone_state(step.name), _wait(first_state(step.transitions[Outcome.EXPIRED]))


def _begin() -> dict[str, Any]:
    return {
        "Type": "Choice",
        "Choices": [
            {"Condition": f"{{% $states.input.step = '{step}' %}}", "Next": first_state(step)} for step in ENTRY
        ],
        "Default": FAILURE,
    }


def _wait(then: str) -> dict[str, Any]:
    seconds = f"$exists($states.input.wait_s) ? $states.input.wait_s : {UNSAID_WAIT_S}"
    return {"Type": "Wait", "Seconds": f"{{% {seconds} %}}", "Next": then}


def _invoke(step: Step, function: str, function_timeout_s: int) -> dict[str, Any]:
    # No Retry, not even on Lambda's service exceptions: a call whose answer is lost may have had its effect. Only the
    # table says of which step that does not matter.
    repeated = {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": REPEAT_AFTER_S,
        "MaxAttempts": step.repeats,
        "BackoffRate": 2,
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": function,
            "Payload": f"{{% $merge([$states.input, {{'step': '{step.name}'}}]) %}}",
        },
        "Output": "{% $states.result.Payload %}",
        "TimeoutSeconds": function_timeout_s + TASK_TIMEOUT_MARGIN_S,
        **({"Retry": [repeated]} if step.repeats else {}),
        "Catch": [_spare(step) if step.spared else _catch_everything(step.name)],
        **_onward(step),
    }


def _ask(step: Step, function: str) -> dict[str, Any]:
    """Invoke the function with a token, and wait until somebody answers with it (Step Functions Developer Guide, "Wait
    for a Callback with Task Token"). The answer's outcome is laid over the payload."""
    asked = f"{{'step': '{step.name}', 'token': $states.context.Task.Token}}"
    expired = f"{{% $merge([$states.input, {{'outcome': '{Outcome.EXPIRED}'}}]) %}}"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {
            "FunctionName": function,
            "Payload": f"{{% $merge([$states.input, {asked}]) %}}",
        },
        "Output": f"{{% $merge([$states.input, {{'step': '{step.name}', 'outcome': $states.result.outcome}}]) %}}",
        # A task may not be given less than a second.
        "TimeoutSeconds": f"{{% $max([1, $states.input.wait_s + {step.grace_s}]) %}}",
        "Catch": [
            {
                "ErrorEquals": ["States.Timeout"],
                "Output": expired,
                "Next": first_state(step.transitions[Outcome.EXPIRED]),
            },
            # The name of the error that the function raises.
            {"ErrorEquals": [Superseded.__name__], "Next": StepName.END.value},
            {"ErrorEquals": ["States.ALL"], "Output": expired, "Next": _alone_state(step.name)}
            if step.spared
            else _catch_everything(step.name),
        ],
        **_onward(step),
    }


def _route(step: Step) -> dict[str, Any]:
    targets = {**step.transitions, Outcome.SUPERSEDED: StepName.END}
    return {
        "Type": "Choice",
        "Choices": [
            {"Condition": f"{{% {condition} %}}", "Next": state}
            for outcome, target in targets.items()
            for condition, state in _ways_into(target, f"$states.input.outcome = '{outcome}'")
        ],
        "Default": FAILURE,
    }


def _ways_into(step: StepName, condition: str) -> Iterator[tuple[str, str]]:
    """The states by which a step is entered on that condition: past its wait where that is nothing, because each state
    is paid for."""
    if first_state(step) != step.value:
        yield f"{condition} and $states.input.wait_s = 0", step.value
    yield condition, first_state(step)


def _start_successor(step: Step, state_machine: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Arguments": {
            "StateMachineArn": state_machine,
            "Name": "{% $states.input.incident_id & '-' & $string($states.input.generation) %}",
            "Input": {
                "incident_id": "{% $states.input.incident_id %}",
                "generation": "{% $states.input.generation %}",
                "step": StepName.ASSESS.value,
            },
        },
        "Output": "{% $states.input %}",
        "Catch": [
            # The sweep was first: the successor runs, which is all that is wanted.
            {"ErrorEquals": ["StepFunctions.ExecutionAlreadyExistsException"], "Next": StepName.END.value},
            _catch_everything(step.name),
        ],
        "Next": first_state(step.transitions[Outcome.DONE]),
    }


def _catch_everything(step: StepName) -> dict[str, Any]:
    failure = f"{{'failed_step': '{step}', 'error': $states.errorOutput}}"
    return {
        "ErrorEquals": ["States.ALL"],
        "Output": f"{{% $merge([$states.input, {failure}]) %}}",
        "Next": FAILURE,
    }


def _spare(step: Step) -> dict[str, Any]:
    """As if the step had said again what the one before it said."""
    return {"ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": _next_state(step)}


def _failure() -> dict[str, Any]:
    """A heartbeat pages nobody: the sweep sends it out again every few minutes, and an alarm tells that it is lost."""
    # A payload that is not as it should be must not fail here: this is the last state that may still page.
    named = "$states.input.incident_id"
    heartbeat = f"$type({named}) = 'string' ? $substringBefore({named}, '-') = '{ID_PREFIX}' : false"
    return {
        "Type": "Choice",
        "Choices": [{"Condition": f"{{% {heartbeat} %}}", "Next": FAILED}],
        "Default": PAGE_FAILURE,
    }


def _page_failure(page_topic: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {
            "TopicArn": page_topic,
            "Subject": "{% $substring('ECS responder stopped at ' & $states.input.incident_id, 0, 100) %}",
            "Message": f"{{% {_FAILURE_MESSAGE} %}}",
        },
        # A page may arrive twice but must arrive.
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 2}],
        "Next": FAILED,
    }


_FAILURE_MESSAGE = f"""(
    $in := $states.input;
    $what := $exists($in.error)
        ? 'step ' & $in.failed_step & ' failed with ' & $in.error.Error & ': '
            & $substring($string($in.error.Cause), 0, {_LONGEST_CAUSE})
        : 'step ' & $in.step & ' answered "' & $in.outcome & '", which leads nowhere';
    'Incident ' & $in.incident_id & ', generation ' & $in.generation & ': ' & $what & '\\n\\n'
        & 'This execution has stopped. Nothing more is done until the sweep restarts the incident, if it is open.\\n'
        & 'Its trail: responder show ' & $in.incident_id
)"""
