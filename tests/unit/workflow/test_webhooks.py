"""Webhooks in whole incidents: their order, at most one effect of each, and what the trail has of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.approvals import Consent
from functions.domain.changes import CallWebhook, Change, ForceNewDeployment
from functions.domain.errors import ChangeDoubtful, ChangeRefused
from functions.domain.incidents import Fact
from functions.workflow.story import tell
from functions.workflow.table import Outcome, StepName
from tests.fakes.engine import Killed, Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import assert_sound, facts, playbook, raise_alarm

SESSIONS, THREADS = "session-cleanup", "thread-cleanup"
LADDER = [f"call-webhook:{SESSIONS}", f"call-webhook:{THREADS}", "force-new-deployment"]


def responder(*, repeatable: bool = False, **said: object) -> Responder:
    """Stuck tasks, and a playbook whose application cleans up after itself."""
    webhooks = [
        {"name": name, "url": f"https://shop.example.com/api/{name}", "method": "GET", "repeatable": repeatable}
        for name in (SESSIONS, THREADS)
    ]
    ladders = {"stuck-tasks": LADDER, "dependency-failing": LADDER[:1]}
    limits = {"actions_per_hour": 9, "attempts_per_incident": 9}
    made = Responder(playbook=playbook(webhooks=webhooks, ladders=ladders, limits=limits, **said))
    made.world.stuck = True
    return made


def done(made: Responder) -> list[str]:
    """What was sent, whether it was answered or not."""
    return [change.webhook if isinstance(change, CallWebhook) else change.kind for change in made.world.changes]


@pytest.mark.parametrize(
    ("helps", "expected"),
    [
        ({SESSIONS}, [SESSIONS]),
        ({THREADS}, [SESSIONS, THREADS]),
        (set(), [SESSIONS, THREADS, "force-new-deployment"]),
    ],
)
def test_one_after_the_other_until_it_helps(helps: set[str], expected: list[str]) -> None:
    """What was answered is no success: the service is looked at, and the next rung is taken if it is still unwell."""
    made = responder()
    made.world.helpful_webhooks = helps
    raise_alarm(made)
    made.run()
    assert done(made) == expected
    assert made.path[-2:] == ["verify:recovered", "close:resolved"]
    assert_sound(made)


def test_what_was_answered_stands_in_the_trail() -> None:
    """Status and first line, as evidence."""
    made = responder()
    made.world.helpful_webhooks = {SESSIONS}
    raise_alarm(made)
    made.run()
    (taken,) = [
        event for event in made.ledger.events(made.executions.started[-1][0]) if event.fact is Fact.ACTION_TAKEN
    ]
    assert taken.summary == f"webhook {SESSIONS} answered 200: done"
    assert taken.data["result"]["answer"] == "200: done"


def test_an_application_that_will_not_is_followed_by_the_next_rung_at_once() -> None:
    """Nothing happened, so there is nothing to wait for."""
    made = responder()
    made.world.failing_changes = [ChangeRefused("answered 404"), ChangeRefused("answered 404")]
    raise_alarm(made)
    made.run()
    assert made.world.changes == [ForceNewDeployment()]
    assert [step for step, _ in made.visited].index(StepName.VERIFY) > 4


def test_a_dead_dependency_forbids_no_clean_up() -> None:
    """It replaces no task and adds none; where the ladder says so, the application may clean up meanwhile."""
    made = responder()
    made.world.stuck, made.world.database_down = False, True
    raise_alarm(made)
    made.run(until=StepName.WATCH)
    assert done(made) == [SESSIONS]


@pytest.mark.thorough
@given(
    st.lists(st.sampled_from(["answered", "refused", "lost on its way", "answer lost", "killed"]), max_size=6),
    st.booleans(),
)
def test_whatever_happens_to_the_calls_none_is_made_too_often(fates: list[str], repeatable: bool) -> None:
    """Once in an incident; twice if it may be repeated and the first time was doubtful. In the order of the ladder."""
    made = responder(repeatable=repeatable)
    sent: list[str] = []
    left = list(fates)

    def watching(change: Change) -> None:
        incident = made.ledger.lock_holder(REF)
        assert incident is not None
        last = made.ledger.events(incident)[-1]
        assert last.fact is Fact.ACTION_INTENDED, "a call that was not written down first"
        assert last.data["change"] == change.model_dump(mode="json")
        if not isinstance(change, CallWebhook):
            return
        sent.append(change.webhook)
        match left.pop(0) if left else "answered":
            case "refused":
                made.world.failing_changes.append(ChangeRefused("answered 401"))
            case "lost on its way":
                made.world.failing_changes.append(ChangeDoubtful("timed out"))
            case "answer lost":
                made.world.lost_answers.append(ChangeDoubtful("timed out"))
            case "killed":
                made.world.afterwards.append(kill)

    def kill() -> None:
        raise Killed

    made.world.watching = watching
    raise_alarm(made)
    for _ in range(8):
        made.run(most=2000)
        if made.ledger.open_incidents() == ():
            break
        made.clock.advance(seconds=600)
        made.sweep()
    assert made.ledger.open_incidents() == ()
    for name in (SESSIONS, THREADS):
        assert sent.count(name) <= (2 if repeatable else 1)
    doubtful = {"lost on its way", "answer lost", "killed"}
    for place, (name, again) in enumerate(pairwise(sent)):
        assert name != again or fates[place] in doubtful
    assert sent == sorted(sent)
    assert_sound(made)


def test_a_call_that_may_be_repeated_is_made_again_when_it_did_not_help() -> None:
    """And only then: the service is looked at in between."""
    made = responder(repeatable=True)
    made.world.failing_changes = [ChangeDoubtful("timed out")]
    made.world.helpful_webhooks = {SESSIONS}
    raise_alarm(made)
    made.run()
    assert done(made) == [SESSIONS]
    assert facts(made).count(Fact.ACTION_INTENDED) == 2
    outcomes = [outcome for _, outcome in made.visited]
    assert outcomes.index(Outcome.INEFFECTIVE) < len(outcomes) - 1 - outcomes[::-1].index(Outcome.ACT)


def test_a_no_to_one_webhook_is_no_answer_for_the_other() -> None:
    """People deny the plan that they were shown, not every webhook."""
    made = responder()
    raise_alarm(made)
    made.run(until=StepName.REMEDIATE)
    decision = tell(made.ledger.events(made.executions.started[-1][0])).decision
    assert decision is not None
    assert decision.plan is not None
    for denied, expected in ((SESSIONS, True), (THREADS, False)):
        consent = Consent(denied=frozenset({(decision.cause, f"call-webhook:{denied}")}))
        assert consent.denies(decision.plan) is expected
