"""`responder console` in a real browser, over incidents that the deployed responder had."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from functions.domain.incidents import Fact, Switch
from functions.workflow.trails import read_trail
from tests.browser import Tab, browsing, chromium
from tests.e2e.conftest import Responder, facts
from tools.demo.stage import PLAYBOOKS, REF


@pytest.fixture(scope="module")
def link(responder: Responder) -> Iterator[str]:
    """The link that the command prints; Ctrl-C ends it."""
    chromium()
    command = [str(Path(sys.executable).with_name("responder")), "console", "--no-browser", "--by", "maria"]
    process = subprocess.Popen(
        [*command, "--playbooks", str(PLAYBOOKS)],
        env=responder.stage.aws.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell that starts this in the background lets its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    try:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+/enter\?key=\S+", line)
            if found is not None:
                break
        else:
            raise AssertionError("".join(said))
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=40)
    assert (process.returncode, "Traceback" in rest) == (0, False), rest


def test_incidents_and_orders_on_the_page(responder: Responder, link: str) -> None:
    """What was is read there, and what is ordered there is tried, then done once, in the operator's name."""
    if not responder.incidents():
        responder.until_closed(responder.ship_bad_release())
    before = responder.incidents()
    changes = responder.changes_of_the_service()
    with browsing() as browser:
        tab = Tab(browser, link)
        page = tab.page
        for incident in before:
            expect(page.locator(f'a[href="/incidents/{incident}"]')).to_be_visible()
        newest = max(before.values(), key=lambda each: each.opened_at)
        assert tab.inspect("emulator-incident", f"/incidents/{newest.id}") == []
        expect(page.locator("#metrics svg").first).to_be_visible()
        assert tab.inspect("emulator-service", f"/services/{REF.key}") == []
        expect(page.locator("#head")).to_contain_text("3 of 3")

        page.locator("#pause-reason").fill("a look at the console")
        page.get_by_role("button", name="Pause the responder").click()
        expect(page.locator(".flash")).to_contain_text("is paused until")
        assert responder.ledger.switch(REF).by == "maria"
        redeploy(tab)
        expect(page.get_by_role("heading", level=1)).to_contain_text("would be refused")
        page.get_by_role("link", name="Back, and change nothing").click()
        page.get_by_role("button", name="Resume").click()
        expect(page.locator(".flash")).to_contain_text("is resumed")
        assert responder.changes_of_the_service() == changes

        redeploy(tab)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Redeploy would be done")
        page.get_by_role("button", name="Carry it out").click()
        expect(page.locator(".flash")).to_contain_text("Ordered: redeploy")
        (ordered,) = responder.incidents().keys() - before.keys()
        assert page.url.endswith(ordered)
        # Nobody loads the page again: it follows what the responder writes.
        expect(page.locator("#timeline")).to_contain_text("maria orders redeploy", timeout=60_000)
        responder.until_said(responder.ledger.incident(ordered), Fact.ACTION_TAKEN)
        expect(page.locator("#done")).to_contain_text("replace all", timeout=30_000)
        page.get_by_role("button", name="Take it over").click()
        expect(page.locator("#now")).to_contain_text("maria is at it")
        tab.assert_quiet()
    trail = read_trail(responder.ledger, ordered)
    assert facts(trail).count(Fact.ACTION_TAKEN) == 1
    assert trail.broken is None
    order = responder.ledger.inbox(ordered)[0].signal.order
    assert order is not None
    assert (order.by, order.reason) == ("maria", "the cache is stale")
    assert order.identity.startswith("arn:")
    assert responder.ledger.switch(REF).model_copy(update={"by": "", "reason": "", "at": None}) == Switch()


def redeploy(tab: Tab) -> None:
    """Ask for it on the page of the service; what comes is its dry run."""
    tab.open(f"/services/{REF.key}")
    tab.page.locator("#redeploy-reason").fill("the cache is stale")
    form = tab.page.locator("form", has=tab.page.get_by_role("heading", name="Redeploy"))
    form.get_by_role("button").click()
