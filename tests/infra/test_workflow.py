"""The table of steps against the state machine that is made from it."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonata  # type: ignore[import-untyped]  # it comes without types
import pytest

from functions.workflow.table import ENTRY, TABLE, Function, Outcome, Step, StepName
from infra.workflow import (
    BEGIN,
    FAILED,
    FAILURE,
    PAGE_FAILURE,
    UNSAID_WAIT_S,
    answer_state,
    definition,
    first_state,
)

FUNCTION_TIMEOUT_S = 60
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:responder"
EVENTS_OF_AN_EXECUTION = 25_000
EVENTS_OF_A_STATE = {"Task": 5, "Choice": 2, "Wait": 2, "Pass": 2, "Succeed": 2, "Fail": 2}
"""Entered and exited, and for a task scheduled, started and ended between them."""

EVENTS_OF_A_CALLBACK = 6
"""As a task, and submitted: the answer comes later."""

CARRIED = [step for step in TABLE.values() if step.function is not None]
WORKING = [step for step in CARRIED if not step.awaits]
ASKING = [step for step in CARRIED if step.awaits]
CHOOSING = [step for step in WORKING if step.name is not StepName.REPORT]
"""The report is the last thing, whatever it says."""


@pytest.fixture(scope="module")
def machine() -> dict[str, Any]:
    return definition(
        functions={function: f"arn:function:{function}:7" for function in Function},
        function_timeout_s=FUNCTION_TIMEOUT_S,
        page_topic="arn:topic:pages",
        state_machine=MACHINE,
    )


@pytest.fixture(scope="module")
def states(machine: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = machine["States"]
    return found


def evaluate(text: str, *, given: Mapping[str, Any], result: Any = None, error: Any = None, context: Any = None) -> Any:
    """What Step Functions makes of a JSONata expression."""
    assert text.startswith("{%")
    assert text.endswith("%}")
    bindings = {"states": {"input": dict(given), "result": result, "errorOutput": error, "context": context}}
    return jsonata.Jsonata.jsonata(text[2:-2].strip()).evaluate(None, bindings)


def chosen(choice: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """The state a Choice goes on with."""
    for rule in choice["Choices"]:
        if evaluate(rule["Condition"], given=given):
            return str(rule["Next"])
    return str(choice["Default"])


def follows(states: Mapping[str, Any], step: StepName, given: Mapping[str, Any]) -> str:
    """The state after a step that was done, past what reads its answer."""
    state = states[step.value]
    if state.get("End"):
        return StepName.END.value
    return chosen(states[state["Next"]], given) if state["Next"] == answer_state(step) else str(state["Next"])


@pytest.mark.parametrize("step", WORKING, ids=lambda step: step.name.value)
def test_every_outcome_leads_where_the_table_says(step: Step, states: dict[str, Any]) -> None:
    """After a step, each of its outcomes is followed by the first state of the step that the table names."""
    for outcome, target in step.transitions.items():
        assert follows(states, step.name, {"outcome": outcome.value}) == first_state(target)
        assert follows(states, step.name, {"outcome": outcome.value, "wait_s": 9}) == first_state(target)


def test_a_wait_of_nothing_is_no_state(states: dict[str, Any]) -> None:
    """Each state is paid for: the wait before a step is entered only where there is something to wait for."""
    for said, way in (
        ({"outcome": "act", "wait_s": 0}, "remediate"),
        ({"outcome": "act", "wait_s": 1}, "before remediate"),
        ({"outcome": "act"}, "before remediate"),
        ({"outcome": "wait", "wait_s": 0}, "settle"),
    ):
        assert follows(states, StepName.ASSESS, said) == way


@pytest.mark.parametrize("step", WORKING, ids=lambda step: step.name.value)
def test_a_superseded_execution_ends(step: Step, states: dict[str, Any]) -> None:
    """An execution that another one has replaced ends from any step, without a word."""
    assert follows(states, step.name, {"outcome": Outcome.SUPERSEDED.value}) == StepName.END.value
    assert states[StepName.END.value] == {"Type": "Succeed"}


@pytest.mark.parametrize("step", CHOOSING, ids=lambda step: step.name.value)
@pytest.mark.parametrize("answer", [{"outcome": "never-heard-of"}, {"outcome": None}, {}])
def test_an_outcome_that_leads_nowhere_is_paged(step: Step, answer: dict[str, Any], states: dict[str, Any]) -> None:
    """An outcome outside the table, or none at all, ends in a page and not in a guess."""
    assert chosen(states[answer_state(step.name)], answer) == FAILURE


@pytest.mark.parametrize("step", WORKING, ids=lambda step: step.name.value)
def test_a_step_is_told_its_name_and_all_that_came_before(step: Step, states: dict[str, Any]) -> None:
    """A step's function gets the payload of the step before it, with its own name as `step`."""
    payload = states[step.name.value]["Arguments"]["Payload"]
    before = {"incident_id": "inc-1", "generation": 2, "step": "other", "wait_s": 5, "visits": {"assess": 3}}
    assert evaluate(payload, given=before) == {**before, "step": step.name.value}


@pytest.mark.parametrize("step", WORKING, ids=lambda step: step.name.value)
def test_a_step_calls_its_own_function_and_hands_its_answer_on(step: Step, states: dict[str, Any]) -> None:
    """What the table names as the step's function is what is invoked, and its answer is the next state's input."""
    state = states[step.name.value]
    assert state["Resource"] == "arn:aws:states:::lambda:invoke"
    assert state["Arguments"]["FunctionName"] == f"arn:function:{step.function}:7"
    assert evaluate(state["Output"], given={}, result={"Payload": {"outcome": "act"}}) == {"outcome": "act"}
    assert state.get("Next") == (answer_state(step.name) if step in CHOOSING else None)


def test_no_call_of_a_function_is_repeated_that_may_change_something(states: dict[str, Any]) -> None:
    """A call whose answer is lost may have had its effect, so no invocation has a Retry of any kind, but for those of
    which the table says that it does not matter: whatever happened to them, they are called again."""
    invocations = {name: state for name, state in states.items() if "lambda:invoke" in state.get("Resource", "")}
    assert len(invocations) == len(CARRIED)
    repeated = {name: state["Retry"] for name, state in invocations.items() if "Retry" in state}
    assert set(repeated) == {StepName.CLOSE.value}
    ((rule,),) = repeated.values()
    assert (rule["ErrorEquals"], rule["MaxAttempts"]) == (["States.ALL"], TABLE[StepName.CLOSE].repeats)


def test_a_task_outwaits_its_function(states: dict[str, Any]) -> None:
    """A task gives up only after the function behind it was stopped, so that no effect comes after the error."""
    for step in WORKING:
        assert states[step.name.value]["TimeoutSeconds"] > FUNCTION_TIMEOUT_S


def test_every_error_of_every_task_is_paged(states: dict[str, Any]) -> None:
    """Whatever fails in a task that carries the incident leads to the page that Step Functions sends by itself; the
    steps that the table spares carry none."""
    tasks = {name: state for name, state in states.items() if state["Type"] == "Task" and name != PAGE_FAILURE}
    assert set(tasks) == {step.name.value for step in CARRIED} | {StepName.SUCCESSOR.value}
    spared = {step.name.value for step in CARRIED if step.spared}
    for name, state in tasks.items():
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
        assert (state["Catch"][-1]["Next"] == FAILURE) is (name not in spared)


def test_a_report_that_cannot_be_written_changes_nothing(states: dict[str, Any]) -> None:
    """When its function fails, the execution goes on with what the step before said: to the end, or to the leases."""
    reports = {StepName.INTERIM: first_state(StepName.RESTORE), StepName.REPORT: StepName.END.value}
    assert {step.name for step in WORKING if step.spared} == {*reports}
    for before in (StepName.CLOSE, StepName.RESTORE):
        for said, to in TABLE[before].transitions.items():
            if to not in reports:
                continue
            (catch,) = states[to.value]["Catch"]
            assert catch["ErrorEquals"] == ["States.ALL"]
            payload = {"incident_id": "inc-1", "step": before.value, "outcome": said.value, "wait_s": 9}
            caught = evaluate(catch["Output"], given=payload, error={"Error": "Unhandled"})
            assert caught == payload
            after = catch["Next"]
            assert (chosen(states[after], caught) if after == answer_state(to) else after) == reports[to]


def test_who_cannot_listen_waits_by_the_clock(states: dict[str, Any]) -> None:
    """Whatever keeps the token from its place, the pause is as long as it was to be, and the next look comes."""
    catch = states[StepName.LISTEN.value]["Catch"][-1]
    assert evaluate(catch["Output"], given={**ASKED, "wait_s": 40}) == {**ASKED, "wait_s": 40, "outcome": "expired"}
    wait = states[catch["Next"]]
    assert (wait["Type"], wait["Next"]) == ("Wait", StepName.VERIFY.value)
    assert evaluate(wait["Seconds"], given={"wait_s": 40}) == 40


def test_the_page_of_a_failure_says_where_and_why(states: dict[str, Any]) -> None:
    """The operators read which incident stopped, at which step, with which error, and how to see its trail."""
    before = {"incident_id": "inc-20260301-031200-ab12", "generation": 2, "step": "assess", "outcome": "act"}
    error = {"Error": "States.Timeout", "Cause": "x" * 30_000}
    caught = evaluate(states["remediate"]["Catch"][-1]["Output"], given=before, error=error)
    arguments = states[PAGE_FAILURE]["Arguments"]
    message = evaluate(arguments["Message"], given=caught)
    assert arguments["TopicArn"] == "arn:topic:pages"
    assert "Incident inc-20260301-031200-ab12, generation 2: step remediate failed with States.Timeout: xxx" in message
    assert "\nIts trail: responder show inc-20260301-031200-ab12" in message
    assert len(message) < 3_000
    assert len(evaluate(arguments["Subject"], given=caught)) <= 100
    assert states[PAGE_FAILURE]["Next"] == FAILED


def test_the_page_of_a_stray_outcome_names_it(states: dict[str, Any]) -> None:
    """An outcome that leads nowhere is paged with the step that gave it."""
    stray = {"incident_id": "inc-1", "generation": 1, "step": "verify", "outcome": "maybe"}
    assert 'step verify answered "maybe", which leads nowhere' in evaluate(
        states[PAGE_FAILURE]["Arguments"]["Message"], given=stray
    )


def test_a_page_is_possible_without_an_outcome_or_an_incident(states: dict[str, Any]) -> None:
    """An execution started with nonsense still ends in a page."""
    assert "which leads nowhere" in evaluate(states[PAGE_FAILURE]["Arguments"]["Message"], given={})


@pytest.mark.parametrize("entry", ENTRY)
def test_an_execution_begins_where_it_is_told(entry: StepName, machine: dict[str, Any]) -> None:
    """The payload's `step` says where an execution begins, for the entries of the table."""
    assert machine["StartAt"] == BEGIN
    assert chosen(machine["States"][BEGIN], {"step": entry.value}) == first_state(entry)


def test_an_execution_begins_nowhere_else(states: dict[str, Any]) -> None:
    """Whoever starts an execution at another step, above all at remediate, gets a page instead."""
    for step in set(StepName) - set(ENTRY):
        assert chosen(states[BEGIN], {"step": step.value}) == FAILURE


@pytest.mark.parametrize("step", [step for step in TABLE.values() if step.waits], ids=lambda step: step.name.value)
def test_a_waiting_step_waits_as_long_as_it_was_told(step: Step, states: dict[str, Any]) -> None:
    """The wait before a step is the payload's `wait_s`; without one it is short, but never no wait at all."""
    wait = states[first_state(step.name)]
    assert wait["Type"] == "Wait"
    assert evaluate(wait["Seconds"], given={"wait_s": 90}) == 90
    assert evaluate(wait["Seconds"], given={}) == UNSAID_WAIT_S > 0


ASKED = {"incident_id": "inc-1", "generation": 2, "step": "assess", "outcome": "ask", "wait_s": 900}


@pytest.mark.parametrize("step", ASKING, ids=lambda step: step.name.value)
def test_who_asks_is_given_a_token_and_an_answer_is_waited_for(step: Step, states: dict[str, Any]) -> None:
    """The function gets the payload, its step and the token; the answer's outcome is laid over the payload."""
    state = states[step.name.value]
    assert state["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
    assert state["Arguments"]["FunctionName"] == f"arn:function:{step.function}:7"
    context = {"Task": {"Token": "t"}}
    assert evaluate(state["Arguments"]["Payload"], given=ASKED, context=context) == {
        **ASKED,
        "step": step.name.value,
        "token": "t",
    }
    answered = evaluate(state["Output"], given=ASKED, result={"outcome": "granted", "incident_id": "another"})
    assert answered == {**ASKED, "step": step.name.value, "outcome": "granted"}


@pytest.mark.parametrize("step", ASKING, ids=lambda step: step.name.value)
def test_an_answer_leads_where_the_table_says(step: Step, states: dict[str, Any]) -> None:
    """A stray one is paged, unless all lead the same way: then nothing depends on it."""
    for outcome, target in step.transitions.items():
        assert follows(states, step.name, {"outcome": outcome.value}) == first_state(target)
    stray = follows(states, step.name, {"outcome": "done"})
    assert stray == (StepName.VERIFY.value if step.name is StepName.LISTEN else FAILURE)


@pytest.mark.parametrize("step", ASKING, ids=lambda step: step.name.value)
def test_without_an_answer_the_request_expires(step: Step, states: dict[str, Any]) -> None:
    """A little later than people may answer; the outcome says so. Step Functions takes no time-out of 0 s."""
    state = states[step.name.value]
    assert evaluate(state["TimeoutSeconds"], given=ASKED) == 900 + step.grace_s
    assert evaluate(state["TimeoutSeconds"], given={"wait_s": 0}) == max(1, step.grace_s)
    assert (step.grace_s > 0) is (step.name is StepName.APPROVAL)
    expired = state["Catch"][0]
    assert expired["ErrorEquals"] == ["States.Timeout"]
    assert evaluate(expired["Output"], given=ASKED) == {**ASKED, "outcome": "expired"}
    assert expired["Next"] == first_state(step.transitions[Outcome.EXPIRED])


@pytest.mark.parametrize("step", ASKING, ids=lambda step: step.name.value)
def test_who_was_replaced_asks_nobody_and_ends(step: Step, states: dict[str, Any]) -> None:
    """The function raises, and Step Functions knows the error by the name of its class."""
    (superseded,) = (c for c in states[step.name.value]["Catch"] if c["ErrorEquals"] == ["Superseded"])
    assert superseded["Next"] == StepName.END.value


def test_a_successor_is_the_next_generation_at_assess(states: dict[str, Any]) -> None:
    """An execution whose visits are used up starts its successor under the name that the ledger expects, and ends."""
    state = states[StepName.SUCCESSOR.value]
    arguments = state["Arguments"]
    payload = {"incident_id": "inc-1", "generation": 3, "visits": {"watch": 200}}
    assert arguments["StateMachineArn"] == MACHINE
    assert evaluate(arguments["Name"], given=payload) == "inc-1-3"
    assert evaluate(arguments["Input"]["incident_id"], given=payload) == "inc-1"
    assert evaluate(arguments["Input"]["generation"], given=payload) == 3
    assert arguments["Input"]["step"] == "assess"
    assert state["Next"] == StepName.END.value
    assert state["Catch"][0]["Next"] == StepName.END.value, "a successor that runs already is all that is wanted"


def test_every_state_is_reached_and_every_way_leads_somewhere(machine: dict[str, Any]) -> None:
    """No state is left over, and none names a state that is not there."""
    states = machine["States"]
    reached: set[str] = set()
    to_visit = [machine["StartAt"]]
    while to_visit:
        name = to_visit.pop()
        if name not in reached:
            reached.add(name)
            to_visit += ways(states[name])
    assert reached == set(states)


def ways(state: Mapping[str, Any]) -> Iterator[str]:
    for key in ("Next", "Default"):
        if key in state:
            yield state[key]
    for rule in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield rule["Next"]


def test_an_execution_ends_before_its_history_is_full(states: dict[str, Any]) -> None:
    """Even if every step uses up its visits, an execution stays below the 25,000 events that end it.

    Each visit costs its own states and, at most, the uncounted step that may follow it.
    """

    def events(name: str) -> int:
        return EVENTS_OF_A_STATE[states[name]["Type"]]

    def cost(follower: StepName) -> int:
        if TABLE[follower].awaits:
            # What reads its answer, or the wait in place of one.
            return EVENTS_OF_A_CALLBACK + EVENTS_OF_A_STATE["Choice"]
        return events(first_state(follower))

    alone = sum(events(first_state(step.name)) for step in TABLE.values() if step.function is None)
    total = 10 + alone
    for step in WORKING:
        own = {first_state(step.name), step.name.value, answer_state(step.name)} & {*states}
        followers = {
            target
            for target in step.transitions.values()
            if target in TABLE and (TABLE[target].function is None or TABLE[target].awaits)
        }
        # One more than its visits: the one that says `exhausted`.
        total += (step.visits + 1) * (sum(map(events, own)) + max(map(cost, followers), default=0))
    assert all(step.visits > 0 for step in WORKING)
    assert total < EVENTS_OF_AN_EXECUTION


@pytest.mark.parametrize(
    ("given", "goes_to"),
    [
        ({"incident_id": "inc-20260301-031200-65217c"}, PAGE_FAILURE),
        ({"incident_id": "heartbeats-of-others-1"}, PAGE_FAILURE),
        ({"incident_id": None}, PAGE_FAILURE),
        ({"incident_id": ["heartbeat-1", "inc-1"]}, PAGE_FAILURE),
        ({}, PAGE_FAILURE),
        ({"incident_id": "heartbeat-20260301-031200-65217c"}, FAILED),
    ],
)
def test_only_a_heartbeat_fails_without_a_page(given: dict[str, Any], goes_to: str, states: dict[str, Any]) -> None:
    """An alarm tells that it is lost; whatever else fails, people hear of it at once."""
    assert chosen(states[FAILURE], given) == goes_to
