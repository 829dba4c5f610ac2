"""The step functions: each parses the payload, makes one call, and returns the payload."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.errors import ReadFailed
from functions.domain.signals import Wakes
from functions.handlers import assess, close, notify, remediate, report, restore, sweep, verify
from functions.workflow.sweep import Swept
from functions.workflow.table import TABLE, Outcome, StepName
from functions.workflow.visit import Result, Visit
from tests.unit.handlers.context import context

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

CARRIED: list[tuple[StepName, Handler, str, Outcome]] = [
    (StepName.ASSESS, assess.handler, "assess", Outcome.ACT),
    (StepName.WATCH, assess.handler, "watch", Outcome.LOOK_AGAIN),
    (StepName.REMEDIATE, remediate.handler, "remediate", Outcome.DONE),
    (StepName.VERIFY, verify.handler, "verify", Outcome.RECOVERED),
    (StepName.PAGE, notify.handler, "page_people", Outcome.PAGED),
    (StepName.UPDATE, notify.handler, "keep_promises", Outcome.PAGED),
    (StepName.CLOSE, close.handler, "close", Outcome.RESOLVED),
    (StepName.INTERIM, report.handler, "write_report", Outcome.LEASES_LEFT),
    (StepName.REPORT, report.handler, "write_report", Outcome.RESOLVED),
    (StepName.RESTORE, restore.handler, "restore", Outcome.RESTORED),
]


AWAITING = pytest.mark.parametrize(
    ("step", "handler", "built_by"),
    [(StepName.APPROVAL, notify.handler, "ask_people"), (StepName.LISTEN, verify.handler, "listen")],
    ids=["approval", "listen"],
)


class FakeStep:
    """A step that says one thing, and remembers what it was given."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.visits: list[Visit] = []

    def __call__(self, visit: Visit) -> Result:
        self.visits.append(visit)
        return Result(outcome=self.outcome, wait_s=7, signals=3, wakes=Wakes.TROUBLE)

    def hand_over(self, visit: Visit) -> Result:
        return Result(outcome=Outcome.EXHAUSTED, generation=visit.generation + 1)


TELLS = {StepName.REMEDIATE, StepName.PAGE, StepName.UPDATE, StepName.CLOSE}
"""The steps after which machines are told."""


class FakeAnnounce:
    """What tells machines, or cannot."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.asked: list[str] = []
        self.broken: Exception | None = None

    def __call__(self, incident_id: str, announced: int) -> int:
        if self.broken is not None:
            raise self.broken
        self.told.append((incident_id, announced))
        return 40

    def question(self, incident_id: str) -> None:
        if self.broken is not None:
            raise self.broken
        self.asked.append(incident_id)


@pytest.fixture(autouse=True)
def announce(monkeypatch: pytest.MonkeyPatch) -> FakeAnnounce:
    fake = FakeAnnounce()
    monkeypatch.setattr(bootstrap, "announce", lambda: fake)
    return fake


@pytest.fixture(params=CARRIED, ids=lambda carried: carried[0])
def carried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[StepName, Handler, FakeStep]:
    step, handler, built_by, outcome = request.param
    fake = FakeStep(outcome)
    monkeypatch.setattr(bootstrap, built_by, lambda: fake)
    return step, handler, fake


def payload(step: StepName, **said: object) -> dict[str, Any]:
    return {"incident_id": "inc-1", "generation": 3, "step": step.value, **said}


def test_a_step_is_called_once_with_the_payload(carried: tuple[StepName, Handler, FakeStep]) -> None:
    """And what it says goes back into the payload, counted."""
    step, handler, fake = carried
    answer = handler(payload(step, visits={step.value: 1}), context(step))
    (visit,) = fake.visits
    assert (visit.incident_id, visit.generation) == ("inc-1", 3)
    assert answer == {
        "incident_id": "inc-1",
        "generation": 3,
        "step": step,
        "outcome": fake.outcome,
        "wait_s": 7,
        "left_s": 0,
        "signals": 3,
        "wakes": "trouble",
        "visits": {step: 2},
        "announced": 40 if step in TELLS else 0,
    }


def test_machines_are_told_after_the_step(carried: tuple[StepName, Handler, FakeStep], announce: FakeAnnounce) -> None:
    """By those who act and those who tell, from the last event on that they were told of."""
    step, handler, _ = carried
    answer = handler(payload(step, announced=17), context(step))
    assert announce.told == ([("inc-1", 17)] if step in TELLS else [])
    assert answer["announced"] == (40 if step in TELLS else 17)


@pytest.mark.parametrize("broken", [ReadFailed("the bus is away"), KeyError("a bug")])
def test_whatever_goes_wrong_with_it_the_step_is_done(
    carried: tuple[StepName, Handler, FakeStep], announce: FakeAnnounce, broken: Exception
) -> None:
    """The payload goes on, and what was not told is told after a later step."""
    step, handler, fake = carried
    announce.broken = broken
    answer = handler(payload(step, announced=17), context(step))
    assert (answer["outcome"], answer["announced"]) == (fake.outcome, 17)


def test_a_question_is_out_before_machines_hear_of_it(announce: FakeAnnounce, monkeypatch: pytest.MonkeyPatch) -> None:
    """And stays asked when they cannot be told."""
    said: list[str] = []
    monkeypatch.setattr(bootstrap, "ask_people", lambda: lambda visit, token: said.append(f"told {announce.asked}"))
    given = payload(StepName.APPROVAL, token="the token", wait_s=900)
    notify.handler(given, context("notify"))
    assert (said, announce.asked) == (["told []"], ["inc-1"])
    announce.broken = ReadFailed("the bus is away")
    assert notify.handler(given, context("notify")) == {}


def test_a_step_whose_visits_are_used_up_is_not_called(carried: tuple[StepName, Handler, FakeStep]) -> None:
    """The counter answers; only watch hands over to a new generation."""
    step, handler, fake = carried
    answer = handler(payload(step, visits={step.value: TABLE[step].visits}), context(step))
    assert fake.visits == []
    assert answer["outcome"] == "exhausted"
    assert answer["generation"] == (4 if step is StepName.WATCH else 3)


def test_a_payload_without_an_incident_is_a_bug(carried: tuple[StepName, Handler, FakeStep]) -> None:
    """It is raised, so that the error edge pages people; nothing is guessed."""
    step, handler, fake = carried
    with pytest.raises(ValueError, match="incident_id"):
        handler({"step": step.value, "generation": 1}, context(step))
    assert fake.visits == []


@AWAITING
def test_who_asks_is_given_the_token_and_answers_nothing(
    step: StepName, handler: Handler, built_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome comes from elsewhere, so what the function returns would only be mistaken for one."""
    asked: list[tuple[Visit, str]] = []
    monkeypatch.setattr(bootstrap, built_by, lambda: lambda visit, token: asked.append((visit, token)))
    assert handler(payload(step, token="the token", wait_s=900), context(step)) == {}
    ((visit, token),) = asked
    assert (visit.incident_id, visit.generation, visit.wait_s, token) == ("inc-1", 3, 900, "the token")


@AWAITING
def test_the_token_is_not_logged(
    step: StepName,
    handler: Handler,
    built_by: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever reads logs may not answer in the name of people, nor wake anybody."""
    monkeypatch.setattr(bootstrap, built_by, lambda: lambda visit, token: None)
    handler(payload(step, token="the-token", wait_s=900), context(step))
    assert "the-token" not in "".join(capsys.readouterr())


def test_the_sweep_says_what_it_swept_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its schedule does not look, but whoever calls it by hand does."""
    monkeypatch.setattr(bootstrap, "sweep", lambda: lambda: Swept(opened=("inc-1",)))
    assert sweep.handler({}, context("sweep")) == {
        "restarted": [],
        "restoring": [],
        "opened": ["inc-1"],
        "unread": [],
        "open": 0,
        "overdue": 0,
        "fleet_actions": 0,
    }
