"""What an operator does on a page: the same as at the terminal, in their name, and nothing that was not shown."""

from pathlib import Path
from typing import Any

import pytest

from functions.domain.changes import SetFloor, SetTaskDefinition
from functions.domain.incidents import Fact, Mode, Switch
from functions.workflow.story import tell
from functions.workflow.table import StepName
from tests.fakes.console import Read, Visitor, room_of
from tests.fakes.desk import IDENTITY, desk_of
from tests.fakes.engine import Responder
from tests.fakes.world import REF, V1
from tests.unit.console.test_pages import asking, incident_id, ran
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tests.unit.workflow.test_orders_by_hand import RESOURCE, with_history
from tools.cli.main import run
from tools.console import orders

TRY, ORDER, SWITCH = f"/try/{REF.key}", f"/order/{REF.key}", f"/switch/{REF.key}"
SCALE = {"what": "scale", "count": "6", "reason": "load test at ten"}


@pytest.fixture
def responder() -> Responder:
    return with_history()


def everything(made: Responder) -> dict[str, Any]:
    """All that the ledger holds."""
    return {name: repr(value) for name, value in vars(made.ledger).items()}


def terminal(made: Responder, *arguments: str) -> None:
    """The same, said at the terminal."""
    assert run([*arguments, "--by", "ann", "--region", REF.region], desk_of(made)) == 0


# --- what is asked


def answered(say: str) -> tuple[Responder, Read]:
    """People are asked, and Ann answers on the page while the execution waits."""
    made = Responder(playbook=playbook(mode="ask"))
    pages: list[Read] = []

    def answer() -> None:
        ann = Visitor(room_of(made))
        path = f"/incidents/{incident_id(made)}"
        fields = {"say": say, "plan": ann.read(path).field("plan"), "reason": "seen in the dashboard"}
        pages.append(ann.follow(ann.post(f"{path}/answer", fields)))

    made.asked = answer
    after_bad_release(made)
    made.run(until=StepName.WATCH if say == "deny" else StepName.END)
    return made, pages[0]


def test_a_yes_on_the_page_lets_the_plan_be_carried_out() -> None:
    """Once, and the trail has who said it, by both names, and why."""
    made, page = answered("approve")
    assert made.world.changes == [SetTaskDefinition(task_definition=V1)]
    granted = next(e for e in made.ledger.events(incident_id(made)) if e.fact is Fact.APPROVAL_GRANTED)
    assert (granted.actor, granted.data["identity"]) == ("ann", IDENTITY)
    assert granted.data["reason"] == "seen in the dashboard"
    assert "Granted: roll back from orders:2 to orders:1" in page.text
    assert "Granted by ann" in page.text, "until a step has written it down"


def test_a_no_on_the_page_is_a_no() -> None:
    """Nothing is changed in this incident by that plan."""
    made, page = answered("deny")
    assert made.world.changes == []
    denied = next(e for e in made.ledger.events(incident_id(made)) if e.fact is Fact.APPROVAL_DENIED)
    assert denied.actor == "ann"
    assert "People are paged" in page.text


def test_an_answer_is_for_the_plan_that_was_shown() -> None:
    """The page was loaded before another plan was asked for: that one was never seen, and is not answered."""
    made = asking()
    ann = Visitor(room_of(made))
    path = f"/incidents/{incident_id(made)}"
    approval = made.ledger.approval(incident_id(made))
    assert approval is not None
    made.ledger._approvals[incident_id(made)] = approval.model_copy(
        update={"plan_hash": "f" * 64, "summary": "replace all 2 tasks"}
    )
    answer = ann.post(f"{path}/answer", {"say": "approve", "plan": approval.plan_hash})
    assert answer.status_code == 409
    assert "another plan is asked for by now: replace all 2 tasks" in answer.text
    unanswered = made.ledger.approval(incident_id(made))
    assert unanswered is not None
    assert unanswered.answer is None


@pytest.mark.parametrize("fields", [{}, {"say": "approve"}, {"plan": "x"}, {"say": "perhaps", "plan": "x"}])
def test_a_form_that_says_neither_yes_nor_no_does_nothing(fields: dict[str, str]) -> None:
    """Nor one that names no plan."""
    made = asking()
    before = everything(made)
    assert Visitor(room_of(made)).post(f"/incidents/{incident_id(made)}/answer", fields).status_code == 400
    assert everything(made) == before


def test_what_nobody_asked_cannot_be_answered() -> None:
    """It is said why."""
    made = ran()
    fields = {"say": "approve", "plan": "x"}
    answer = Visitor(room_of(made)).post(f"/incidents/{incident_id(made)}/answer", fields)
    assert answer.status_code == 409
    assert "nobody was asked anything in this incident" in answer.text


# --- who leads


def test_who_takes_an_incident_over_leads_it() -> None:
    """From the next look on at the latest; the page, the release and the reason stand in the inbox by name."""
    made = ran("observe", until=StepName.WATCH)
    ann = Visitor(room_of(made))
    path = f"/incidents/{incident_id(made)}"
    page = ann.follow(ann.post(f"{path}/word", {"say": "ack", "reason": "on my way"}))
    assert "Ann has the page" in page.text
    assert "I have the page" not in page.text
    ann.post(f"{path}/word", {"say": "take"})
    page = ann.read(path)
    assert "Incident commander ann" in page.text
    ann.post(f"{path}/word", {"say": "release"})
    words = [entry.signal.word for entry in made.ledger.inbox(incident_id(made)) if entry.signal.word is not None]
    assert [(word.said, word.by, word.identity) for word in words] == [
        ("acknowledged", "ann", IDENTITY),
        ("taken", "ann", IDENTITY),
        ("released", "ann", IDENTITY),
    ]
    assert words[0].reason == "on my way"
    made.run(until=StepName.WATCH)
    assert tell(made.ledger.events(incident_id(made))).taken_by is None


def test_nothing_is_said_of_a_closed_incident() -> None:
    """It is said why."""
    made = ran()
    answer = Visitor(room_of(made)).post(f"/incidents/{incident_id(made)}/word", {"say": "take"})
    assert answer.status_code == 409
    assert "the incident is closed" in answer.text


# --- the switch of a service


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        (
            {"say": "pause", "for": "2h", "reason": "load test"},
            ("pause", "shop/orders", "--for", "2h", "--reason", "load test"),
        ),
        (
            {"say": "mode", "mode": "observe", "reason": "new here"},
            ("mode", "shop/orders", "observe", "--reason", "new here"),
        ),
        (
            {"say": "mode", "mode": "playbook", "reason": "done"},
            ("mode", "shop/orders", "playbook", "--reason", "done"),
        ),
        ({"say": "resume"}, ("resume", "shop/orders")),
    ],
)
def test_a_switch_is_the_same_as_at_the_terminal(fields: dict[str, str], command: tuple[str, ...]) -> None:
    """With who set it, when and why; what else was set stays."""
    on_page, at_terminal = ran(), ran()
    before = Switch(mode=Mode.ASK, paused_until=on_page.clock.now(), by="bob", reason="before")
    for made in (on_page, at_terminal):
        made.ledger.set_switch(REF, before)
    ann = Visitor(room_of(on_page))
    ann.follow(ann.post(SWITCH, fields))
    terminal(at_terminal, *command)
    assert on_page.ledger.switch(REF) == at_terminal.ledger.switch(REF) != before
    assert on_page.ledger.switch(REF).by == "ann"


@pytest.mark.parametrize(
    "fields",
    [
        {"say": "pause", "for": "2h"},
        {"say": "pause", "for": "2h", "reason": "  "},
        {"say": "pause", "for": "soon", "reason": "x"},
        {"say": "pause", "reason": "x"},
        {"say": "mode", "mode": "auto"},
        {"say": "mode", "mode": "wild", "reason": "x"},
        {"say": "stop", "reason": "x"},
        {},
    ],
)
def test_a_switch_that_does_not_hold_is_not_set(fields: dict[str, str]) -> None:
    """A reason is needed wherever the terminal needs one."""
    made = ran()
    assert Visitor(room_of(made)).post(SWITCH, fields).status_code == 400
    assert made.ledger.switch(REF) == Switch()


# --- orders


def test_a_dry_run_shows_the_plan_and_writes_nothing(responder: Responder) -> None:
    """What would be done, how to take it back, and what every guardrail says."""
    before = everything(responder)
    page = Read(Visitor(room_of(responder)).post(TRY, SCALE).text)
    assert "Scale to 6 would be done" in page.text
    assert "Guardrails" in page.text
    assert page.forms() == [ORDER]
    assert everything(responder) == before
    assert responder.executions.started == []


def test_what_was_tried_is_ordered_planned_and_done(responder: Responder) -> None:
    """Through the inbox of an incident, like an order from the terminal, with both names and the reason."""
    ann = Visitor(room_of(responder))
    ticket = Read(ann.post(TRY, SCALE).text).field("ticket")
    page = ann.follow(ann.post(ORDER, {"ticket": ticket}))
    assert "Ordered: scale to 6" in page.text
    order = responder.ledger.inbox(incident_id(responder))[0].signal.order
    assert order is not None
    assert (order.by, order.identity, order.reason) == ("ann", IDENTITY, "load test at ten")
    responder.run(until=StepName.RESTORE)
    assert responder.world.changes == [SetFloor(resource_id=RESOURCE, minimum=6)]
    assert any("ann orders scale to 6" in e.summary for e in responder.ledger.events(incident_id(responder)))


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"what": "rollback", "to": "latest"}, "rollback to latest"),
        ({"what": "rollback", "to": "orders:2"}, "rollback to orders:2"),
        ({"what": "scale", "count": "6", "for": "2h"}, "scale to 6 for 2h"),
        ({"what": "redeploy"}, "redeploy"),
    ],
)
def test_every_order_on_the_page_can_be_given(fields: dict[str, str], wanted: str, responder: Responder) -> None:
    """In the words of the command."""
    ann = Visitor(room_of(responder))
    ticket = Read(ann.post(TRY, {**fields, "reason": "why not"}).text).field("ticket")
    ann.follow(ann.post(ORDER, {"ticket": ticket}))
    order = responder.ledger.inbox(incident_id(responder))[0].signal.order
    assert order is not None
    assert order.wanted == wanted


def test_pressing_twice_orders_once(responder: Responder) -> None:
    """Also later, and also in another tab: the key came with the dry run."""
    ann = Visitor(room_of(responder))
    ticket = Read(ann.post(TRY, SCALE).text).field("ticket")
    ann.post(ORDER, {"ticket": ticket})
    responder.clock.advance(seconds=120)
    page = ann.follow(ann.post(ORDER, {"ticket": ticket}))
    assert "It had been ordered before" in page.text
    assert len(responder.ledger.inbox(incident_id(responder))) == 1


def test_what_a_guardrail_refuses_cannot_be_ordered(responder: Responder) -> None:
    """The page says which guardrail, why and what to do, and has nothing to press."""
    page = Read(Visitor(room_of(responder)).post(TRY, {**SCALE, "count": "21"}).text)
    assert "would be refused" in page.text
    assert "task counts: the bounds are limits" in page.text
    assert page.forms() == []


def test_only_what_was_tried_can_be_ordered(responder: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not another order, not for another service, not by a ticket of another console, and not an hour later."""
    ann, other = Visitor(room_of(responder)), Visitor(room_of(responder))
    ticket = Read(ann.post(TRY, SCALE).text).field("ticket")
    foreign = Read(other.post(TRY, SCALE).text).field("ticket")
    for wrong in ("", "x", ticket[:-1], ticket.replace(ticket[0], "A", 1) + "A", foreign):
        assert ann.post(ORDER, {"ticket": wrong}).status_code == 400, wrong
    assert ann.post("/order/eu-west-1/shop/other", {"ticket": ticket}).status_code == 400
    monkeypatch.setattr(orders, "GOOD_FOR_S", -1)
    late = ann.post(ORDER, {"ticket": ticket})
    assert late.status_code == 400
    assert "try it again" in late.text
    assert responder.executions.started == []


@pytest.mark.parametrize(
    "fields",
    [
        {"what": "scale", "count": "6"},
        {"what": "scale", "count": "", "reason": "x"},
        {"what": "scale", "count": "-1", "reason": "x"},
        {"what": "scale", "count": "6.5", "reason": "x"},
        {"what": "scale", "count": "٣", "reason": "x"},
        {"what": "scale", "count": "6", "for": "long", "reason": "x"},
        {"what": "scale", "count": "6", "for": "1s", "reason": "x"},
        {"what": "rollback", "to": "orders 2; rm", "reason": "x"},
        {"what": "isolate", "reason": "x"},
        {"reason": "x"},
    ],
)
def test_an_order_that_does_not_hold_is_not_tried(fields: dict[str, str], responder: Responder) -> None:
    """One sentence says what to write instead."""
    answer = Visitor(room_of(responder)).post(TRY, fields)
    assert answer.status_code == 400
    assert responder.executions.started == []


def test_without_a_playbook_nothing_can_be_ordered(responder: Responder, tmp_path: Path) -> None:
    """The page has no forms for it, and whoever sends one all the same is refused."""
    ann = Visitor(room_of(responder, playbooks=[]))
    assert set(ann.read(f"/services/{REF.key}").forms()) == {SWITCH}
    page = Read(ann.post(TRY, SCALE).text)
    assert "no playbook names" in page.text
    assert page.forms() == []
