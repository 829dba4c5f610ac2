"""Approval from end to end, in memory: what people are asked, what they may answer, and what comes of it."""

from collections.abc import Callable

import pytest

from functions.domain.approvals import Answer
from functions.domain.changes import SetTaskDefinition
from functions.domain.errors import AnswerRefused, NotInLedger, Superseded
from functions.domain.incidents import Fact, IncidentStatus, Mode, Switch
from functions.workflow.decide import ASKS_PER_INCIDENT
from functions.workflow.story import tell
from functions.workflow.table import StepName
from tests.fakes.engine import Execution, Killed, Responder
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_incident import after_bad_release, assert_sound, facts, playbook, raise_alarm


@pytest.fixture
def responder() -> Responder:
    return Responder(playbook=playbook(mode="ask"))


def incident_id(responder: Responder) -> str:
    return responder.executions.started[-1][0]


def answering(responder: Responder, answer: Answer, *, after_s: float = 30) -> Callable[[], None]:
    def answered() -> None:
        responder.clock.advance(seconds=after_s)
        say(responder, answer)

    return answered


def say(responder: Responder, answer: Answer) -> None:
    responder.take_answer(incident_id(responder), answer, by="maria", identity="arn:aws:iam::1:user/m", reason="sure")


def subjects(responder: Responder) -> list[str]:
    return [page.subject.split(" ", 1)[0] for page in responder.notifier.news]


def test_a_granted_plan_is_made_afresh_and_carried_out_once(responder: Responder) -> None:
    """People are asked before anything is done; after their yes it is done, verified and closed."""
    responder.asked = answering(responder, Answer.GRANTED)
    after_bad_release(responder)
    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    assert responder.path[:4] == ["assess:ask", "approval:granted", "assess:act", "remediate:done"]
    assert responder.path[-1] == "close:resolved"
    assert subjects(responder) == ["[approve?", "[resolved"]
    assert_sound(responder)


def test_the_trail_says_who_granted_what_and_why(responder: Responder) -> None:
    """With the name they gave, the name IAM has for them, and the hash of the plan."""
    responder.asked = answering(responder, Answer.GRANTED)
    after_bad_release(responder)
    responder.run()
    events = responder.ledger.events(incident_id(responder))
    asked = next(event for event in events if event.fact is Fact.APPROVAL_REQUESTED)
    granted = next(event for event in events if event.fact is Fact.APPROVAL_GRANTED)
    assert granted.actor == "maria"
    assert granted.data["identity"] == "arn:aws:iam::1:user/m"
    assert granted.data["reason"] == "sure"
    assert granted.data["plan_hash"] == asked.data["plan_hash"]


def test_the_token_stays_in_the_ledger(responder: Responder) -> None:
    """Whoever has it could answer in the name of people: no letter and no event shows it."""
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    approval = responder.ledger.approval(incident_id(responder))
    assert approval is not None
    assert approval.token
    events = responder.ledger.events(incident_id(responder))
    assert not any(approval.token in event.model_dump_json() for event in events)
    assert not any(approval.token in page.model_dump_json() for page in responder.notifier.pages)


def test_the_letter_says_what_until_when_and_how_to_answer(responder: Responder) -> None:
    """It stands alone: what happened and why, then the plan, its undo, one command for each answer, and until when."""
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    letter = responder.notifier.pages[0]
    approval = responder.ledger.approval(incident_id(responder))
    assert approval is not None
    assert letter.subject == "[approve? P1] orders: roll-back for bad-release"
    wanted = (
        "needs a yes or a no within 15 minutes: roll back from orders:2 to orders:1",
        "the service is in mode ask",
        "release orders:2 came",
        "Status: waiting for a yes or a no until",
        "Plan       roll back from orders:2 to orders:1",
        "Undo       aws ecs update-service",
        f"Yes        responder approve {approval.incident_id}",
        f"No         responder deny {approval.incident_id}",
        f"Expires    {approval.expires_at:%Y-%m-%d %H:%M:%S} UTC; without an answer nothing is done",
    )
    places = [letter.text.find(line) for line in wanted]
    assert -1 not in places, dict(zip(wanted, places, strict=True))
    assert places == sorted(places)


def test_a_denied_plan_is_paged_once_and_never_done(responder: Responder) -> None:
    """Not by a later signal, and not when somebody sets the service to auto."""
    responder.asked = answering(responder, Answer.DENIED)
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert subjects(responder) == ["[approve?", "[page"]
    assert "Why a page denied by maria (sure): roll back" in responder.notifier.pages[-1].text
    responder.ledger.set_switch(REF, Switch(mode=Mode.AUTO))
    raise_alarm(responder, 1)
    with pytest.raises(AssertionError, match="no end"):
        responder.run(most=40)
    assert responder.world.changes == []
    assert subjects(responder).count("[approve?") == 1


def test_without_an_answer_people_are_paged_once_and_the_service_is_watched(responder: Responder) -> None:
    """Nothing is done, and nobody is asked again as long as nothing changes."""
    after_bad_release(responder)
    with pytest.raises(AssertionError, match="no end"):
        responder.run(most=40)
    assert responder.path[:4] == ["assess:ask", "approval:expired", "page:paged", "watch:look-again"]
    assert "assess" not in "".join(responder.path[4:])
    assert subjects(responder) == ["[approve?", "[page"]
    assert "Why a page nobody answered until" in responder.notifier.news[-1].text
    assert responder.world.changes == []


def test_an_alarm_that_recovered_meanwhile_is_closed_and_not_acted_upon(responder: Responder) -> None:
    """A grant leads to a fresh look, and the fresh look finds nothing to do."""

    def mended() -> None:
        responder.world.bad.clear()
        responder.clock.advance(seconds=300)
        responder.world.settle_alarm()
        say(responder, Answer.GRANTED)

    responder.asked = mended
    after_bad_release(responder)
    responder.run()
    assert responder.world.changes == []
    assert responder.ledger.incident(incident_id(responder)).status is IncidentStatus.RESOLVED
    assert subjects(responder) == ["[approve?", "[resolved"]


def test_another_plan_than_the_granted_one_is_asked_for_again(responder: Responder) -> None:
    """The grant was for going back from V2; from V3 it says nothing. After a few times people are told instead."""
    times = []

    def answered() -> None:
        times.append(responder.clock.now())
        responder.world.desired += 1
        responder.clock.advance(seconds=60)
        say(responder, Answer.GRANTED)

    responder.asked = answered
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert len(times) == ASKS_PER_INCIDENT
    assert responder.world.changes == []
    assert subjects(responder) == ["[approve?"] * ASKS_PER_INCIDENT + ["[page"]
    assert_sound(responder)


def test_a_pause_meanwhile_is_stronger_than_a_grant(responder: Responder) -> None:
    """The fresh decision decides."""

    def paused() -> None:
        until = responder.clock.now().replace(year=2099)
        responder.ledger.set_switch(REF, Switch(paused_until=until, by="ann", reason="migration"))
        say(responder, Answer.GRANTED)

    responder.asked = paused
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.path == ["assess:ask", "approval:granted", "assess:stand-down"]
    assert responder.world.changes == []


def test_observe_meanwhile_is_stronger_than_a_grant(responder: Responder) -> None:
    """Even when it is set between the decision and the act."""

    def observed(step: StepName) -> None:
        if step is StepName.REMEDIATE:
            responder.ledger.set_switch(REF, Switch(mode=Mode.OBSERVE))

    responder.asked = answering(responder, Answer.GRANTED)
    after_bad_release(responder)
    responder.run(until=StepName.WATCH, before=observed)
    assert "remediate:differs" in responder.path
    assert responder.world.changes == []


def test_ask_set_between_decision_and_act_asks() -> None:
    """A plan that was to be carried out in mode auto is not, once people want to be asked."""
    responder = Responder(playbook=playbook())

    def switched(step: StepName) -> None:
        if step is StepName.REMEDIATE:
            responder.ledger.set_switch(REF, Switch(mode=Mode.ASK))

    after_bad_release(responder)
    responder.run(until=StepName.WATCH, before=switched)
    assert responder.path[:4] == ["assess:act", "remediate:differs", "assess:ask", "approval:expired"]
    assert responder.world.changes == []


def test_an_answer_is_given_once(responder: Responder) -> None:
    """The other answer is refused, and so is the same one when the incident has gone on with it."""

    def answered() -> None:
        say(responder, Answer.GRANTED)
        with pytest.raises(AnswerRefused, match=r"granted by maria at .* already"):
            say(responder, Answer.DENIED)

    responder.asked = answered
    after_bad_release(responder)
    responder.run()
    with pytest.raises(AnswerRefused, match="the incident has gone on with it"):
        say(responder, Answer.GRANTED)


def test_an_answer_that_got_stuck_is_given_again(responder: Responder) -> None:
    """Between the ledger and Step Functions the desk may crash: the same command once more finishes it."""

    def interrupted() -> None:
        waiting, responder.people.waiting = responder.people.waiting, None
        with pytest.raises(AnswerRefused, match="too late"):
            say(responder, Answer.GRANTED)
        responder.people.waiting = waiting
        say(responder, Answer.GRANTED)

    responder.asked = interrupted
    after_bad_release(responder)
    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]


def test_an_answer_that_never_reached_the_execution_comes_to_nothing(responder: Responder) -> None:
    """Expired wins: people are paged, the answer is void, and whoever gives it again is told so."""

    def lost() -> None:
        responder.people.waiting = None
        with pytest.raises(AnswerRefused, match="too late"):
            say(responder, Answer.GRANTED)

    responder.asked = lost
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert Fact.APPROVAL_EXPIRED in facts(responder)
    assert Fact.APPROVAL_GRANTED not in facts(responder)
    with pytest.raises(AnswerRefused, match="expired at"):
        say(responder, Answer.GRANTED)
    assert responder.world.changes == []


def test_after_the_expiry_no_answer_is_taken(responder: Responder) -> None:
    """Not even while the execution would still hear it."""

    def late() -> None:
        responder.clock.advance(seconds=900)
        with pytest.raises(AnswerRefused, match="expired at"):
            say(responder, Answer.GRANTED)

    responder.asked = late
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.path == ["assess:ask", "approval:expired", "page:paged"]


def test_nobody_can_answer_what_was_not_asked(responder: Responder) -> None:
    """An incident without a request, and one that does not exist."""
    after_bad_release(responder)
    with pytest.raises(AnswerRefused, match="nobody was asked"):
        say(responder, Answer.GRANTED)
    with pytest.raises(NotInLedger):
        responder.take_answer("inc-none", Answer.GRANTED, by="maria", identity="", reason="")


def test_an_execution_that_died_while_waiting_is_followed_by_one_that_asks_again(responder: Responder) -> None:
    """The old request takes no answer any more, the new one does."""

    def died() -> None:
        raise Killed

    responder.asked = died
    after_bad_release(responder)
    responder.run()
    responder.clock.advance(seconds=120)
    assert responder.sweep().restarted
    with pytest.raises(AnswerRefused, match="successor asks again"):
        say(responder, Answer.GRANTED)
    responder.asked = answering(responder, Answer.GRANTED)
    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    assert facts(responder).count(Fact.APPROVAL_REQUESTED) == 2


def test_a_grant_outlives_the_execution_that_asked(responder: Responder) -> None:
    """People said yes to that plan; that the execution died before it heard them changes nothing."""

    def died() -> None:
        say(responder, Answer.GRANTED)
        raise Killed

    responder.asked = died
    after_bad_release(responder)
    responder.run()
    responder.clock.advance(seconds=120)
    assert responder.sweep().restarted
    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    assert facts(responder).count(Fact.APPROVAL_REQUESTED) == 1


def test_a_grant_is_not_in_force_for_ever(responder: Responder) -> None:
    """Some minutes after its request expired it counts no longer: people are asked again."""

    def died() -> None:
        say(responder, Answer.GRANTED)
        raise Killed

    responder.asked = died
    after_bad_release(responder)
    responder.run()
    responder.clock.advance(seconds=900 + 300)
    assert responder.sweep().restarted
    responder.asked = None
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert facts(responder).count(Fact.APPROVAL_REQUESTED) == 2


def test_a_grant_is_used_once(responder: Responder) -> None:
    """From the intent on it is no grant any more, whatever becomes of the change."""
    responder.asked = answering(responder, Answer.GRANTED)
    after_bad_release(responder)
    responder.run()
    events = responder.ledger.events(incident_id(responder))
    for end, event in enumerate(events):
        consent = tell(events[:end]).consent(event.at)
        begun = any(e.fact is Fact.ACTION_INTENDED for e in events[:end])
        granted = any(e.fact is Fact.APPROVAL_GRANTED for e in events[:end])
        assert (consent.granted is not None) == (granted and not begun)


def test_an_execution_woken_without_an_answer_in_the_ledger_asks_again(responder: Responder) -> None:
    """What wakes it is no consent: only the ledger is."""

    def forged() -> None:
        responder.people.said = Answer.GRANTED

    responder.asked = forged
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert Fact.APPROVAL_GRANTED not in facts(responder)


def test_an_old_execution_asks_nobody(responder: Responder) -> None:
    """Another one carries the incident on."""
    after_bad_release(responder)
    execution = Execution.begun(*responder.executions.started[-1])
    responder.go(execution)
    responder.clock.advance(seconds=120)
    responder.executions.ended.add(execution.key)
    assert responder.sweep().restarted
    responder.go(execution)
    assert responder.path[-1] == "approval:superseded"
    assert responder.notifier.pages == []


def test_two_answers_at_once_are_one(responder: Responder) -> None:
    """The ledger takes the first; the second person is told to look again."""

    def both() -> None:
        asked = responder.ledger.approval(incident_id(responder))
        assert asked is not None
        say(responder, Answer.DENIED)
        with pytest.raises(Superseded, match="answered or replaced"):
            responder.ledger.answer_approval(asked, asked.model_copy(update={"answer": Answer.GRANTED}))

    responder.asked = both
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert Fact.APPROVAL_DENIED in facts(responder)


def test_the_playbook_says_how_long_an_answer_is_waited_for() -> None:
    """Fifteen minutes when it does not."""
    responder = Responder(playbook=playbook(mode="ask", approval={"expires": "2h"}))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    approval = responder.ledger.approval(incident_id(responder))
    assert approval is not None
    assert (approval.expires_at - approval.asked_at).total_seconds() == 7200
    assert "in 120 minutes" in responder.notifier.pages[0].text
