"""What a trail tells, and the pace of looking again."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.causes import Cause
from functions.domain.changes import ActionName, ForceNewDeployment, Plan, RegisterCopy, StateBefore
from functions.domain.incidents import GENESIS, Event, Fact, NewEvent
from functions.workflow.decision import Decision
from functions.workflow.story import Story, tell
from functions.workflow.table import Outcome
from functions.workflow.watch import LONGEST_S, SHORTEST_S, pace
from tests.fakes.findings import NOW

PLAN = Plan(
    action=ActionName.ROLL_BACK,
    cause=Cause.BAD_RELEASE,
    summary="said the test",
    changes=(RegisterCopy(task_definition="orders:1"), ForceNewDeployment()),
    before=StateBefore(status="ACTIVE", desired=2, task_definition="orders:2", primary_deployment=None, deployments=1),
    undo="nothing",
    settle_s=60,
    deadline_s=600,
)
OTHER = PLAN.model_copy(update={"action": ActionName.SCALE_OUT})


def told(*said: tuple[Fact, dict[str, Any]]) -> Story:
    """The story of these facts, a minute apart."""
    return tell(
        [
            Event.chain(
                "inc-1",
                number,
                NOW + timedelta(minutes=number),
                NewEvent(fact=fact, actor="x", summary="x", data=data),
                GENESIS,
            )
            for number, (fact, data) in enumerate(said, start=1)
        ]
    )


def decided(outcome: Outcome, cause: Cause = Cause.UNKNOWN) -> tuple[Fact, dict[str, Any]]:
    fact = Fact.WAITED if outcome is Outcome.WAIT else Fact.ACTION_WITHHELD
    decision = Decision(outcome=outcome, cause=cause, confidence=1.0, reason="said the test")
    return fact, {"decision": decision.model_dump(mode="json")}


def intended(stage: int = 0, plan: Plan = PLAN) -> tuple[Fact, dict[str, Any]]:
    return Fact.ACTION_INTENDED, {"plan": plan.model_dump(mode="json"), "stage": stage}


def taken(made: str = "") -> tuple[Fact, dict[str, Any]]:
    return Fact.ACTION_TAKEN, {"result": {"made": made}}


def checked(outcome: str, *, steady: bool = False) -> tuple[Fact, dict[str, Any]]:
    return Fact.RECOVERY_CHECKED, {"outcome": outcome, "steady": steady}


DOUBTFUL: tuple[Fact, dict[str, Any]] = (Fact.ACTION_DOUBTFUL, {})
REFUSED: tuple[Fact, dict[str, Any]] = (Fact.ACTION_REFUSED, {})


def test_an_intent_without_an_end_is_open() -> None:
    """It may have happened; whatever ends it closes it, and only what may have happened counts as acted."""
    assert told(intended()).open_intent is not None
    assert told(intended()).acted is None
    for end, acted in ((taken(), True), (DOUBTFUL, True), (REFUSED, False)):
        story = told(intended(), end)
        assert story.open_intent is None
        assert (story.acted is not None) == acted


def test_an_attempt_is_an_action_and_not_a_stage() -> None:
    """Also one that was refused is an attempt, and was tried."""
    story = told(intended(0), taken("orders:3"), intended(1), taken("ecs-svc/9"), intended(0, OTHER), REFUSED)
    assert story.attempts == 2
    assert story.tried == {ActionName.ROLL_BACK, ActionName.SCALE_OUT}
    assert story.own_deployments == {"orders:3", "ecs-svc/9"}


@pytest.mark.parametrize(
    ("said", "done"),
    [
        ([], 0),
        ([intended(0), taken()], 1),
        ([intended(0), taken(), intended(1), taken()], 2),
        ([intended(0), DOUBTFUL], 0),
        ([intended(0), REFUSED], 0),
        ([intended(0), taken(), intended(0, OTHER), taken()], 0),
        ([intended(0), taken(), intended(1), taken(), intended(0), taken()], 1),
    ],
)
def test_the_stages_done_are_those_of_this_very_plan(said: list[tuple[Fact, dict[str, Any]]], done: int) -> None:
    """Carried out, in a row, at the end of the trail."""
    assert len(told(*said).stages_done(PLAN)) == done


def test_a_wait_goes_on_until_another_decision() -> None:
    """Since the first of the waits in a row."""
    wait = decided(Outcome.WAIT, Cause.SOMEONE_AT_WORK)
    assert told(wait, wait, wait).waiting_since == NOW + timedelta(minutes=1)
    assert told(wait, decided(Outcome.ESCALATE), wait).waiting_since == NOW + timedelta(minutes=3)


def test_a_wait_for_nobody_uses_up_no_patience() -> None:
    """What was waited for because nobody felt it does not count against whoever comes to work on it."""
    alone, others = decided(Outcome.WAIT), decided(Outcome.WAIT, Cause.SOMEONE_AT_WORK)
    assert told(alone, alone).waiting_since is None
    assert told(alone, alone).waited_at == NOW + timedelta(minutes=2)
    assert told(alone, alone, others).waiting_since == NOW + timedelta(minutes=3)


def test_telling_people_does_not_start_the_patience_anew() -> None:
    """Otherwise they would be left alone for another twenty minutes, again and again."""
    wait = decided(Outcome.WAIT, Cause.SOMEONE_AT_WORK)
    story = told(wait, wait, decided(Outcome.ESCALATE, Cause.SOMEONE_AT_WORK))
    assert story.waiting_since == NOW + timedelta(minutes=1)


def test_an_action_starts_the_checks_anew() -> None:
    """What was seen before it says nothing about it."""
    story = told(checked("cannot-tell"), checked("not-yet", steady=True), intended())
    assert (story.checked, story.steady_since, story.cannot_tell) == (None, None, 0)


def test_steady_since_the_first_of_the_steady_looks() -> None:
    """An unsteady one in between ends it."""
    steady, unsteady = checked("not-yet", steady=True), checked("not-yet")
    assert told(steady, steady, unsteady, steady, steady).steady_since == NOW + timedelta(minutes=4)


FACTS = st.sampled_from(
    [
        checked("cannot-tell"),
        checked("not-yet", steady=True),
        decided(Outcome.WAIT, Cause.SOMEONE_AT_WORK),
        decided(Outcome.ESCALATE),
        (Fact.PAGE_SENT, {"about": "x"}),
        (Fact.LEASE_POSTPONED, {}),
        (Fact.EXECUTION_RESTARTED, {}),
    ]
)
ACTIONS_DONE = st.tuples(st.just(intended()), st.sampled_from([taken("d"), DOUBTFUL, REFUSED]))


@given(st.lists(FACTS.map(lambda fact: (fact,)) | ACTIONS_DONE, max_size=12))
def test_every_trail_that_steps_write_can_be_told(said: list[tuple[tuple[Fact, dict[str, Any]], ...]]) -> None:
    """Intents end, counts never shrink, and nothing is open at the end."""
    story = told(*(fact for group in said for fact in group))
    assert story.open_intent is None
    assert story.attempts == sum(len(group) == 2 for group in said)


def test_looking_again_begins_each_minute_and_ends_each_quarter_of_an_hour() -> None:
    """The distance never shrinks, and two hundred looks take about two days."""
    distances = [pace(visit) for visit in range(1, 201)]
    assert distances[0] == SHORTEST_S == 60
    assert distances[-1] == LONGEST_S == 900
    assert distances == sorted(distances)
    assert timedelta(days=1) < timedelta(seconds=sum(distances)) < timedelta(days=3)


RESTARTED: tuple[Fact, dict[str, Any]] = (Fact.EXECUTION_RESTARTED, {})
WHOLE = (intended(0), taken("orders:3"), intended(1), taken("ecs-svc/9"))


@pytest.mark.parametrize(
    ("said", "verifying"),
    [
        ([*WHOLE, RESTARTED], True),
        ([intended(0), DOUBTFUL, RESTARTED], True),
        ([*WHOLE, checked("not-yet"), RESTARTED], True),
        ([*WHOLE, checked("cannot-tell"), RESTARTED, RESTARTED], True),
        ([*WHOLE, RESTARTED, checked("not-yet")], False),
        ([*WHOLE, checked("ineffective"), RESTARTED], False),
        ([*WHOLE, checked("recovered", steady=True), RESTARTED], False),
        ([*WHOLE, *([checked("not-yet")] * 10), RESTARTED], False),
        ([intended(0), taken("orders:3"), RESTARTED], False),
        ([intended(0), REFUSED, RESTARTED], False),
        ([intended(0), RESTARTED], False),
        ([RESTARTED], False),
    ],
)
def test_an_action_keeps_its_time_when_the_execution_is_lost(
    said: list[tuple[Fact, dict[str, Any]]], verifying: bool
) -> None:
    """Until its deadline, or until a check said what came of it; one left in the middle has nothing to show."""
    assert told(*said).verifying == (ActionName.ROLL_BACK if verifying else None)
