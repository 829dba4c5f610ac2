"""The engine interprets the table as Step Functions runs what is compiled from it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.workflow.table import Function, Outcome, StepName
from infra.workflow import UNSAID_WAIT_S
from tools.drill.engine import STEP_S, Engine, Json

START = datetime(2026, 1, 1, tzinfo=UTC)


class Time:
    """Virtual time with callbacks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waiting: list[tuple[float, int, Callable[[], None]]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.waiting.append((self.seconds + seconds, len(self.waiting), callback))

    def run(self) -> None:
        while self.waiting:
            self.waiting.sort(key=lambda each: each[:2])
            self.seconds, _, callback = self.waiting.pop(0)
            callback()


class Functions:
    """Functions that answer from a list, and remember what they were sent and when."""

    def __init__(self, time: Time, *answers: tuple[Outcome, int]) -> None:
        self.time = time
        self.answers = list(answers)
        self.calls: list[tuple[float, Function, str]] = []

    def __call__(self, function: Function, payload: Json) -> Json:
        self.calls.append((self.time.seconds, function, payload["step"]))
        outcome, wait_s = self.answers.pop(0)
        return {**payload, "outcome": outcome.value, "wait_s": wait_s}


def begun(step: StepName = StepName.ASSESS) -> dict[str, Any]:
    return {"incident_id": "inc-1", "generation": 1, "step": step.value}


def engine_of(time: Time, invoke: Callable[[Function, Json], Json], pages: list[str]) -> Engine:
    return Engine(now=time.now, later=time.later, invoke=invoke, page=lambda subject, text: pages.append(subject))


def test_an_execution_follows_the_table_to_its_end_and_waits_in_virtual_time() -> None:
    """Every function takes a while, and settle waits as long as the step before it said."""
    time = Time()
    functions = Functions(time, (Outcome.ACT, 0), (Outcome.DONE, 90), (Outcome.RECOVERED, 0), (Outcome.RESOLVED, 0))
    engine = engine_of(time, functions, [])
    assert engine.start("inc-1-1", begun())
    time.run()
    assert [step for _, _, step in functions.calls] == ["assess", "remediate", "verify", "close"]
    assert functions.calls[2][0] == 3 * STEP_S + 90
    execution = engine.execution("inc-1-1")
    assert execution is not None
    assert (execution.status, execution.started_at) == ("SUCCEEDED", START)


def test_an_execution_that_begins_with_a_wait_waits_as_long_as_the_state_machine() -> None:
    """No step said how long, so the compiled default holds."""
    time = Time()
    functions = Functions(time, (Outcome.RESTORED, 0))
    engine_of(time, functions, []).start("inc-1-2", begun(StepName.RESTORE))
    time.run()
    assert functions.calls == [(UNSAID_WAIT_S + STEP_S, Function.RESTORE, "restore")]


def test_a_name_is_used_once() -> None:
    """An execution of the same name is refused, also after it ended."""
    time = Time()
    engine = engine_of(time, Functions(time, (Outcome.ALL_CLEAR, 0), (Outcome.RESOLVED, 0)), [])
    assert engine.start("inc-1-1", begun())
    assert not engine.start("inc-1-1", begun())
    time.run()
    assert not engine.start("inc-1-1", begun())


def test_approval_leads_to_its_stand_in() -> None:
    """Until approvals can be granted, a plan that needs one goes to people."""
    time = Time()
    functions = Functions(time, (Outcome.ASK, 0), (Outcome.TOLD, 0))
    engine_of(time, functions, []).start("inc-1-1", begun())
    time.run()
    assert [function for _, function, _ in functions.calls] == [Function.ASSESS, Function.NOTIFY]


def test_a_successor_goes_on_where_the_watch_grew_long() -> None:
    """Its name has the generation that the watch handed over."""
    time = Time()

    def invoke(function: Function, payload: Json) -> Json:
        if payload["step"] == "watch":
            return {**payload, "outcome": Outcome.EXHAUSTED.value, "generation": 2}
        outcome = Outcome.STAND_DOWN if payload["generation"] == 1 else Outcome.SUPERSEDED
        return {**payload, "outcome": outcome.value, "wait_s": 60}

    engine = engine_of(time, invoke, [])
    engine.start("inc-1-1", begun())
    time.run()
    assert engine.execution("inc-1-2") is not None


def test_a_step_that_raises_ends_its_execution_with_a_page() -> None:
    """Step Functions catches everything, tells people, and leaves the rest to the sweep."""
    time, pages = Time(), list[str]()

    def invoke(function: Function, payload: Json) -> Json:
        raise ZeroDivisionError("out of order")

    engine = engine_of(time, invoke, pages)
    engine.start("inc-1-1", begun())
    time.run()
    execution = engine.execution("inc-1-1")
    assert execution is not None
    assert execution.status == "FAILED"
    assert pages == ["ECS responder stopped at inc-1"]
