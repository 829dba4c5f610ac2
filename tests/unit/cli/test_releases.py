"""`responder release quarantine` and `trust`: what people say of a release, and that it is heeded at once."""

import json

import pytest

from functions.domain.changes import SetTaskDefinition
from functions.domain.evidence import ReleaseState
from functions.domain.incidents import Fact
from functions.workflow.table import StepName
from tests.fakes.desk import IDENTITY, desk_of
from tests.fakes.engine import Responder
from tests.fakes.world import FAMILY, REF, V1, V2
from tests.unit.workflow.test_incident import after_bad_release, facts, playbook
from tests.unit.workflow.test_orders_by_hand import known
from tools.cli.main import run

SERVICE = "shop/orders"
WHY = ("--reason", "it loses orders", "--by", "ann")


@pytest.fixture
def responder() -> Responder:
    return Responder(playbook=playbook())


def say(made: Responder, *arguments: str) -> int:
    return run([*arguments, "--region", REF.region], desk_of(made))


def state_of(made: Responder, task_definition: str) -> ReleaseState:
    return next(r.state for r in made.ledger.releases(REF) if r.task_definition == task_definition)


@pytest.mark.parametrize("written", ["1", "orders:1", V1])
def test_a_release_is_quarantined(written: str, responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """By its number, its revision or its ARN; with who, why and when, and nothing on the service is changed."""
    known(responder, (V1, ReleaseState.GOOD), (V2, ReleaseState.GOOD))
    assert say(responder, "release", "quarantine", SERVICE, written, *WHY) == 0
    assert state_of(responder, V1) is ReleaseState.QUARANTINED
    assert responder.world.changes == []
    out = capsys.readouterr().out
    assert "orders:1 is quarantined: no rollback goes to it any more" in out

    now = responder.clock.now()
    (note,) = responder.ledger.by_hand_between(now, now)
    assert (note.by, note.identity, note.about) == ("ann", IDENTITY, REF.key)
    assert (note.what, note.reason) == ("quarantines orders:1", "it loses orders")


def test_no_rollback_goes_to_a_release_that_people_quarantined(responder: Responder) -> None:
    """Where it is the only one to go back to, people are paged."""
    after_bad_release(responder)
    assert say(responder, "release", "quarantine", SERVICE, "1", *WHY) == 0
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert responder.notifier.pages[-1].subject.startswith("[page")


def test_a_quarantine_in_the_middle_of_an_incident_is_heeded(responder: Responder) -> None:
    """The plan is made, and its release is quarantined just before the action: it is not carried out."""
    after_bad_release(responder)

    def quarantined(step: StepName) -> None:
        if step is StepName.REMEDIATE and state_of(responder, V1) is not ReleaseState.QUARANTINED:
            assert say(responder, "release", "quarantine", SERVICE, "1", *WHY) == 0

    responder.run(until=StepName.WATCH, before=quarantined)
    assert responder.world.changes == []
    assert Fact.ACTION_INTENDED not in facts(responder)
    trail = responder.ledger.events(responder.executions.started[-1][0])
    outdated = next(event for event in trail if event.fact is Fact.PLAN_OUTDATED)
    assert outdated.summary == "did not act: orders:1 is quarantined: ann: it loses orders"


def test_a_release_that_people_trust_is_gone_back_to(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """It is free again, and proves itself anew while it runs."""
    after_bad_release(responder)
    responder.ledger.judge_release(REF, V1, ReleaseState.QUARANTINED, reason="rolled back in inc-1: bad-release")
    assert say(responder, "release", "trust", SERVICE, "orders:1", *WHY) == 0
    assert state_of(responder, V1) is ReleaseState.SEEN
    assert "quarantined no more (rolled back in inc-1: bad-release)" in capsys.readouterr().out

    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    responder.clock.advance(seconds=3600)
    responder.bake()
    responder.clock.advance(seconds=3600)
    responder.bake()
    assert state_of(responder, V1) is ReleaseState.GOOD


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("quarantine", SERVICE, "2", *WHY), "orders:2 is quarantined already: said the test"),
        (("trust", SERVICE, "1", *WHY), "orders:1 is good: a rollback may go to it as it is"),
        (("trust", SERVICE, "77", *WHY), "77 is not on record; `responder release list shop/orders`"),
        (("quarantine", SERVICE, "1"), "Missing option '--reason'"),
        (("quarantine", "orders", "1", *WHY), "is no service"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    arguments: tuple[str, ...], told: str, responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is written."""
    known(responder, (V1, ReleaseState.GOOD), (V2, ReleaseState.QUARANTINED))
    assert say(responder, "release", *arguments) == 2
    assert told in capsys.readouterr().err
    assert responder.ledger.by_hand_between(responder.clock.now(), responder.clock.now()) == ()


def test_a_release_that_never_ran_is_quarantined_by_the_name_that_ecs_has_for_it(responder: Responder) -> None:
    """So that it is heeded once it runs."""
    known(responder, (V1, ReleaseState.GOOD))
    assert say(responder, "release", "quarantine", SERVICE, "9", *WHY) == 0
    assert state_of(responder, f"{FAMILY}:9") is ReleaseState.QUARANTINED


def test_what_was_done_by_hand_is_listed(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first, for people and for programs; one service alone where it is named."""
    known(responder, (V1, ReleaseState.GOOD))
    say(responder, "audit")
    assert capsys.readouterr().out == "nobody did anything by hand\n"
    say(responder, "release", "quarantine", SERVICE, "1", *WHY)
    responder.clock.advance(seconds=60)
    say(responder, "release", "trust", SERVICE, "1", "--reason", "it was the queue", "--by", "ben")
    capsys.readouterr()

    say(responder, "audit", "--json")
    newest, oldest = json.loads(capsys.readouterr().out)
    assert (newest["by"], newest["what"]) == ("ben", "trusts orders:1")
    assert (oldest["by"], oldest["reason"], oldest["about"]) == ("ann", "it loses orders", REF.key)

    say(responder, "audit", "--service", SERVICE)
    out = capsys.readouterr().out
    assert out.index("trusts orders:1") < out.index("quarantines")
    assert "on-call/ann" in out.replace("\n", "") or "assumed-role" in out
    say(responder, "audit", "--service", "shop/cart")
    assert capsys.readouterr().out == "nobody did anything by hand\n"
