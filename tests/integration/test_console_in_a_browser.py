"""The console in a real browser, over a ledger of many incidents: as it is seen, heard, and used without a mouse."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect

from functions.actions.registry import ACTIONS
from functions.diagnostics.registry import PROBES
from functions.domain.approvals import Answer
from functions.domain.incidents import Fact, FleetSwitch, IncidentStatus, NewEvent, Switch
from functions.domain.people import Said
from functions.domain.services import ServiceRef
from functions.workflow.assess import Examiner
from functions.workflow.command import SaySo
from tests.browser import Tab, browsing
from tests.fakes.estate import Estate, estate
from tests.fakes.world import FakeAnswers, FakeExecutions, World
from tools.console.room import Room
from tools.console.server import standing

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "drill-figures.json"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def shop() -> Estate:
    return estate()


@pytest.fixture(scope="module")
def room(shop: Estate) -> Room:
    readers = World(clock=shop.clock).readers
    examiner = Examiner(
        ledger=shop.ledger,
        readers=readers,
        clock=shop.clock,
        probes=PROBES,
        actions=ACTIONS,
        fleet_actions_per_hour=20,
    )
    return Room(
        region=shop.playbooks[0].region,
        by="maria",
        identity="arn:aws:sts::000000000000:assumed-role/on-call/maria",
        ledger=shop.ledger,
        archive=shop.archive,
        readers=readers,
        examiner=examiner,
        answers=FakeAnswers(),
        executions=FakeExecutions(),
        now=shop.clock.now,
        playbooks={playbook.ref.key: playbook for playbook in shop.playbooks},
        drill_file=FIGURES,
    )


@pytest.fixture(scope="module")
def link(room: Room) -> Iterator[list[str]]:
    """Links into a console that answers; the last one is unused."""
    links: list[str] = []
    with standing(room, port=0, say=links.append) as (server, door):
        door.link()
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield links
        server.shutdown()
        thread.join()


@pytest.fixture
def tab(browser: Browser, link: list[str]) -> Iterator[Tab]:
    tab = Tab(browser, link[-1])
    yield tab
    tab.page.context.close()


def ref(shop: Estate, service: str) -> ServiceRef:
    return next(playbook.ref for playbook in shop.playbooks if playbook.service == service)


def incident(shop: Estate, service: str) -> str:
    return shop.ledger.incidents_of(ref(shop, service))[0].id


def pages(shop: Estate) -> dict[str, str]:
    return {
        "incidents": "/incidents",
        "waiting": f"/incidents/{incident(shop, 'checkout')}",
        "open": f"/incidents/{incident(shop, 'accounts')}",
        "resolved": f"/incidents/{incident(shop, 'orders')}",
        "services": "/services",
        "service": f"/services/{ref(shop, 'search').key}",
        "drills": "/drills",
    }


@pytest.mark.parametrize("name", ["incidents", "waiting", "open", "resolved", "services", "service", "drills"])
def test_every_page_holds_in_light_and_dark_at_a_desk_and_on_a_phone(name: str, tab: Tab, shop: Estate) -> None:
    """No violation of accessibility, no error, nothing wider than the screen, nothing that moves while it loads, no
    request to elsewhere; and each control is reached by the tab key, and shows it."""
    assert tab.inspect(name, pages(shop)[name]) == []
    tab.assert_quiet()


def test_a_dry_run_holds_too(tab: Tab, shop: Estate) -> None:
    """It is the answer to a form, and nothing is written by it."""
    tab.open(f"/services/{ref(shop, 'orders').key}")
    tab.page.get_by_label("Tasks", exact=True).fill("4")
    scale = tab.page.locator("form", has=tab.page.get_by_role("heading", name="Scale"))
    scale.get_by_label("Why").fill("load test")
    scale.get_by_role("button").click()
    expect(tab.page.get_by_role("heading", level=1)).to_contain_text("Scale to 4")
    assert tab.violations() == []
    assert tab.unreached() == []
    tab.assert_quiet()


def test_an_open_page_follows_the_ledger(tab: Tab, shop: Estate) -> None:
    """What happens meanwhile is there without loading the page again; what somebody is writing stays as it is, and the
    focus too."""
    waiting = incident(shop, "accounts")
    tab.open(f"/incidents/{waiting}")
    page = tab.page
    page.evaluate("window.same = true")
    page.locator("#word-reason").fill("I know this one")
    head = shop.ledger.incident(waiting)
    shop.ledger.append(head, [NewEvent(fact=Fact.LOOKED_AGAIN, actor="watch", summary="a new line")], step="watch")
    tab.look()
    expect(page.locator("#timeline")).to_contain_text("a new line")
    assert page.locator("#word-reason").input_value() == "I know this one"
    assert page.evaluate("document.activeElement.id") == "word-reason"
    page.locator("#word-reason").fill("")
    page.get_by_role("link", name="Timeline").focus()
    SaySo(ledger=shop.ledger, now=shop.clock.now)(waiting, Said.TAKEN, by="bob", identity="")
    tab.look()
    expect(page.locator("#now")).to_contain_text("bob")
    expect(page.get_by_role("button", name="Give it back to the responder")).to_be_visible()
    assert page.evaluate("document.activeElement.textContent") == "Timeline"
    assert page.evaluate("window.same") is True
    tab.assert_quiet()


def test_a_plan_is_granted_with_the_keyboard_alone(tab: Tab, shop: Estate, room: Room) -> None:
    """From the list to the yes; the page says what holds then, and the ledger has it."""
    waiting = incident(shop, "checkout")
    asked = shop.ledger.approval(waiting)
    assert asked is not None
    assert isinstance(room.answers, FakeAnswers)
    room.answers.waiting = asked.token
    tab.open("/incidents")
    page = tab.page
    page.get_by_role("link", name="release hurts").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("May the responder roll back")
    page.locator("#answer-reason").focus()
    page.keyboard.type("seen")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Approve this plan"
    page.keyboard.press("Enter")
    expect(page.locator(".flash").first).to_contain_text("Granted: roll back")
    answered = shop.ledger.approval(waiting)
    assert answered is not None
    assert (answered.answer, answered.by, answered.reason) == (Answer.GRANTED, "maria", "seen")
    tab.assert_quiet()


def test_an_incident_that_closes_meanwhile_has_nothing_to_press_any_more(tab: Tab, shop: Estate) -> None:
    """The page becomes that of a closed incident by itself."""
    closing = incident(shop, "payments")
    tab.open(f"/incidents/{closing}")
    expect(tab.page.get_by_role("button", name="Take it over")).to_be_visible()
    head = shop.ledger.incident(closing)
    looked = NewEvent(fact=Fact.LOOKED_AGAIN, actor="watch", summary="all is clear")
    seen = shop.ledger.append(head, [looked], step="close", signals_seen=head.signals_received)
    done = NewEvent(fact=Fact.INCIDENT_RESOLVED, actor="close", summary="all is clear")
    assert shop.ledger.resolve(seen, done).status is IncidentStatus.RESOLVED
    tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(tab.page.get_by_role("button", name="Take it over")).to_have_count(0)
    tab.assert_quiet()


def test_a_stop_of_everything_appears_on_every_open_page(tab: Tab, shop: Estate) -> None:
    """Within seconds, and it goes away again."""
    tab.open("/services")
    shop.ledger.set_fleet_switch(FleetSwitch(stopped=True, by="bob", reason="a migration"))
    tab.look()
    expect(tab.page.get_by_role("alert").first).to_contain_text("Everything is stopped.")
    assert tab.violations() == []
    shop.ledger.set_fleet_switch(FleetSwitch(stopped=False, by="bob", reason="over"))
    tab.look()
    expect(tab.page.get_by_text("Everything is stopped.")).to_have_count(0)


def test_a_pause_is_set_and_ended_on_the_page(tab: Tab, shop: Estate) -> None:
    """Without a reason the browser itself says that one is needed."""
    service = ref(shop, "mail")
    tab.open(f"/services/{service.key}")
    page = tab.page
    page.get_by_role("button", name="Pause the responder").click()
    assert shop.ledger.switch(service) == Switch()
    page.locator("#pause-reason").fill("the mail provider moves")
    page.get_by_role("button", name="Pause the responder").click()
    expect(page.locator(".flash")).to_contain_text("mail is paused until")
    switch = shop.ledger.switch(service)
    assert (switch.by, switch.reason) == ("maria", "the mail provider moves")
    assert switch.paused_until == shop.clock.now() + timedelta(hours=1)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".flash")).to_contain_text("mail is resumed")
    tab.assert_quiet()


def test_a_page_says_when_it_is_not_live_any_more(browser: Browser, room: Room) -> None:
    """The console was ended, or started anew: what is seen is old, and looks as if it were not."""
    links: list[str] = []
    with standing(replace(room), port=0, say=links.append) as (server, door):
        door.link()
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        tab = Tab(browser, links[-1])
        server.shutdown()
        thread.join()
    tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(tab.page.locator("#unheard")).to_contain_text("What you see is not live")
    tab.page.context.close()


def test_a_browser_that_goes_away_leaves_nothing_open(room: Room, link: list[str]) -> None:
    """Each resets its connection before it has read the picture; a file left open is a warning, and so an error."""
    at = link[-1].split("/")[2]
    host, port = at.split(":")
    reset = struct.pack("ii", 1, 0)
    for _ in range(20):
        with socket.create_connection((host, int(port))) as browser:
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            browser.sendall(f"GET /static/icon.svg HTTP/1.1\r\nHost: {at}\r\n\r\n".encode())
            browser.recv(1)
