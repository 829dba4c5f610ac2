"""The engine interprets the table as Step Functions runs what is compiled from it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from functions.domain.errors import Superseded
from functions.workflow.table import TABLE, Function, Outcome, StepName
from infra.workflow import REPEAT_AFTER_S, UNSAID_WAIT_S
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
        if TABLE[StepName(payload["step"])].spared:
            return payload
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
    assert [step for _, _, step in functions.calls] == ["assess", "remediate", "verify", "close", "report"]
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
    assert functions.calls[0] == (UNSAID_WAIT_S + STEP_S, Function.RESTORE, "restore")


def test_a_step_that_is_spared_may_fail() -> None:
    """The execution goes on with what the step before it said, and nobody is paged."""
    time, pages = Time(), list[str]()
    said = [(Outcome.ALL_CLEAR, 0), (Outcome.LEASES_LEFT, 60), (Outcome.RESTORED, 0)]

    class Failing(Functions):
        def __call__(self, function: Function, payload: Json) -> Json:
            if function is Function.REPORT:
                raise RuntimeError("nothing can be written")
            return super().__call__(function, payload)

    functions = Failing(time, *said)
    engine = engine_of(time, functions, pages)
    engine.start("inc-1-1", begun())
    time.run()
    assert [step for _, _, step in functions.calls] == ["assess", "close", "restore"]
    assert functions.calls[2][0] - functions.calls[1][0] >= 60
    assert engine.failed == ()
    assert pages == []


class Sleeper(Functions):
    """Functions one of which listens, and remembers its token."""

    tokens: list[str]

    def __call__(self, function: Function, payload: Json) -> Json:
        if payload["step"] == StepName.LISTEN:
            self.tokens = [*getattr(self, "tokens", ()), payload["token"]]
            return {}
        return super().__call__(function, payload)


LISTENS = [(Outcome.WAIT, 0), (Outcome.NOT_YET, 100), (Outcome.RECOVERED, 0), (Outcome.RESOLVED, 0)]


@pytest.mark.parametrize(("woken_after_s", "paused_s"), [(None, 100), (40, 40), (200, 100)])
def test_who_listens_is_woken_or_waits_its_time(woken_after_s: int | None, paused_s: int) -> None:
    """Who is woken too late finds nobody asleep."""
    time = Time()
    functions = Sleeper(time, *LISTENS)
    engine = engine_of(time, functions, [])
    if woken_after_s is not None:
        time.later(3 * STEP_S + woken_after_s, lambda: engine.answer(functions.tokens[0], Outcome.NEW_SIGNAL))
    engine.start("inc-1-1", begun())
    time.run()
    (first, _, _), (second, _, _) = [call for call in functions.calls if call[2] == StepName.VERIFY]
    assert second - first == paused_s + 2 * STEP_S
    assert [each.status for each in engine.executions] == ["SUCCEEDED"]


def test_who_cannot_listen_waits_its_time() -> None:
    """Its token is good for nothing then: the task that it belongs to has failed."""

    class Deaf(Sleeper):
        def __call__(self, function: Function, payload: Json) -> Json:
            answer = super().__call__(function, payload)
            if payload["step"] == StepName.LISTEN:
                raise RuntimeError("the table is away")
            return answer

    time, pages = Time(), list[str]()
    functions = Deaf(time, *LISTENS)
    engine = engine_of(time, functions, pages)
    time.later(50, lambda: engine.answer(functions.tokens[0], Outcome.NEW_SIGNAL))
    engine.start("inc-1-1", begun())
    time.run()
    (first, _, _), (second, _, _) = [call for call in functions.calls if call[2] == StepName.VERIFY]
    assert second - first == 100 + 2 * STEP_S
    assert ([each.status for each in engine.executions], pages) == (["SUCCEEDED"], [])


def test_who_was_woken_before_the_asker_failed_has_gone_on() -> None:
    """The task was complete by then: what becomes of its function is no matter, and nobody looks twice."""
    time, pages = Time(), list[str]()

    class DiesAfterwards(Sleeper):
        def __call__(self, function: Function, payload: Json) -> Json:
            answer = super().__call__(function, payload)
            if payload["step"] == StepName.LISTEN:
                engine.answer(payload["token"], Outcome.NEW_SIGNAL)
                raise RuntimeError("killed")
            return answer

    functions = DiesAfterwards(time, *LISTENS)
    engine = engine_of(time, functions, pages)
    engine.start("inc-1-1", begun())
    time.run()
    assert [step for _, _, step in functions.calls].count(StepName.VERIFY) == 2
    assert ([each.status for each in engine.executions], pages) == (["SUCCEEDED"], [])


@pytest.mark.parametrize("failures", [1, TABLE[StepName.CLOSE].repeats, TABLE[StepName.CLOSE].repeats + 1])
def test_a_step_that_may_be_repeated_is(failures: int) -> None:
    """With the payload that it had before, after pauses that grow; people are paged when it still fails."""
    time, pages = Time(), list[str]()
    tried: list[tuple[float, Json]] = []

    class Failing(Functions):
        def __call__(self, function: Function, payload: Json) -> Json:
            if function is Function.CLOSE:
                tried.append((time.seconds, payload))
                if len(tried) <= failures:
                    raise RuntimeError("the topic takes nothing")
            return super().__call__(function, payload)

    engine = engine_of(time, Failing(time, (Outcome.ALL_CLEAR, 0), (Outcome.RESOLVED, 0), (Outcome.RESOLVED, 0)), pages)
    engine.start("inc-1-1", begun())
    time.run()
    assert len(tried) == min(failures, TABLE[StepName.CLOSE].repeats) + 1
    assert all(payload == tried[0][1] for _, payload in tried)
    pauses = [after - before for (before, _), (after, _) in pairwise(tried)]
    assert pauses == [REPEAT_AFTER_S * 2**number + STEP_S for number in range(len(pauses))]
    assert (len(engine.failed), len(pages)) == ((1, 1) if failures > TABLE[StepName.CLOSE].repeats else (0, 0))


def test_a_name_is_used_once() -> None:
    """An execution of the same name is refused, also after it ended."""
    time = Time()
    engine = engine_of(time, Functions(time, (Outcome.ALL_CLEAR, 0), (Outcome.RESOLVED, 0)), [])
    assert engine.start("inc-1-1", begun())
    assert not engine.start("inc-1-1", begun())
    time.run()
    assert not engine.start("inc-1-1", begun())


class Asking(Functions):
    """Functions of which one asks people and hands out its token instead of an answer."""

    token = ""

    def __call__(self, function: Function, payload: Json) -> Json:
        if payload["step"] != StepName.APPROVAL:
            return super().__call__(function, payload)
        self.calls.append((self.time.seconds, function, payload["step"]))
        self.token = payload["token"]
        return {}


def test_nobody_answers_a_request_until_it_expires() -> None:
    """People are asked, time passes in the world, and then they are told."""
    time = Time()
    functions = Asking(time, (Outcome.ASK, 900), (Outcome.TOLD, 0))
    engine_of(time, functions, []).start("inc-1-1", begun())
    time.run()
    assert [(function, step) for _, function, step in functions.calls] == [
        (Function.ASSESS, "assess"),
        (Function.NOTIFY, "approval"),
        (Function.NOTIFY, "page"),
    ]
    assert functions.calls[2][0] - functions.calls[1][0] >= 900


def test_an_answer_lets_the_execution_go_on_at_once_and_only_once() -> None:
    """Neither a second answer nor the time that passes later changes where it stands."""
    time = Time()
    functions = Asking(time, (Outcome.ASK, 900), (Outcome.ALL_CLEAR, 0), (Outcome.RESOLVED, 0))
    engine = engine_of(time, functions, [])
    engine.start("inc-1-1", begun())

    def answer() -> None:
        engine.answer(functions.token, Outcome.GRANTED)
        engine.answer(functions.token, Outcome.DENIED)

    time.later(60, answer)
    time.run()
    assert [step for _, _, step in functions.calls] == ["assess", "approval", "assess", "close", "report"]
    assert functions.calls[2][0] == 60 + STEP_S


def test_an_execution_that_was_replaced_asks_nobody() -> None:
    """It ends without a word, as from any other step."""
    time, pages = Time(), list[str]()

    def invoke(function: Function, payload: Json) -> Json:
        if payload["step"] == StepName.APPROVAL:
            raise Superseded("another one carries it on")
        return {**payload, "outcome": Outcome.ASK.value, "wait_s": 900}

    engine = engine_of(time, invoke, pages)
    engine.start("inc-1-1", begun())
    time.run()
    execution = engine.execution("inc-1-1")
    assert execution is not None
    assert (execution.status, pages) == ("SUCCEEDED", [])


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


@pytest.mark.parametrize("failing", [False, True])
def test_an_execution_that_is_stopped_goes_no_further(failing: bool) -> None:
    """Whatever the function that ran meanwhile answers; and its name stays taken."""
    time, pages = Time(), list[str]()
    functions = Functions(time, (Outcome.ACT, 0))

    def stopping(function: Function, payload: Json) -> Json:
        engine.abort("inc-1-1")
        if failing:
            raise RuntimeError("no room")
        return functions(function, payload)

    engine = engine_of(time, stopping, pages)
    engine.start("inc-1-1", begun())
    time.run()
    execution = engine.execution("inc-1-1")
    assert execution is not None
    assert (execution.status, pages) == ("ABORTED", [])
    assert not engine.start("inc-1-1", begun())
