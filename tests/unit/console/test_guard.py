"""Who may ask a console: the browser that was let in, from the console's own pages, at its own address."""

import re
from pathlib import Path

import pytest

import tools.console
from functions.domain.incidents import Switch
from tests.fakes.console import ADDRESS, Visitor, room_of
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tools.console.guard import LARGEST_REQUEST

HERE = Path(tools.console.__file__).parent
PAUSE = {"say": "pause", "for": "1h", "reason": "load test"}
SWITCH = f"/switch/{REF.key}"


@pytest.fixture(scope="module")
def responder() -> Responder:
    made = Responder(playbook=playbook())
    after_bad_release(made)
    made.run()
    return made


@pytest.fixture
def ann(responder: Responder) -> Visitor:
    return Visitor(room_of(responder))


def addresses(visitor: Visitor, method: str) -> list[str]:
    """One address for every page, or for every form."""
    parts = {"incident_id": "inc-1", "key": REF.key, "filename": "console.css"}
    with visitor.app.test_request_context(base_url=f"http://{ADDRESS}"):
        return [
            visitor.app.url_for(rule.endpoint, _external=False, **{name: parts[name] for name in rule.arguments})
            for rule in visitor.app.url_map.iter_rules()
            if method in (rule.methods or ())
        ]


def test_nobody_is_let_in_without_the_link(responder: Responder) -> None:
    """Whoever else is on this machine sees no page and gives no order; style sheets are no secret."""
    stranger = Visitor(room_of(responder), stranger=True)
    for path in addresses(stranger, "GET"):
        if not path.startswith("/static/"):
            answer = stranger.get(path)
            assert answer.status_code == 401, path
            assert "orders" not in answer.text
    for path in addresses(stranger, "POST"):
        assert stranger.post(path, PAUSE).status_code == 401, path
    assert stranger.get("/enter?key=guessed").status_code == 401
    assert stranger.get("/enter?key=").status_code == 401


def test_a_link_works_once_and_the_terminal_has_the_next(ann: Visitor) -> None:
    """It stands in the history of the browser and in the list of processes, where others may read it."""
    used, unused = ann.links
    stranger = ann.app.test_client()
    assert stranger.get(used, base_url=f"http://{ADDRESS}").status_code == 401
    assert stranger.get(unused, base_url=f"http://{ADDRESS}").status_code == 200
    assert len(ann.links) == 3


def test_before_the_port_is_known_nobody_is_answered(responder: Responder) -> None:
    """Not even at the right address."""
    visitor = Visitor(room_of(responder))
    visitor.door.address = ""
    assert visitor.get("/incidents").status_code == 403


@pytest.mark.parametrize("host", ["evil.example:8000", "localhost:8000", "127.0.0.1:8001", "127.0.0.1", "[::1]:8000"])
def test_another_name_for_this_machine_is_refused(host: str, ann: Visitor) -> None:
    """A page of another site may let its own name point here, and would be of the same origin then."""
    answer = ann.get("/incidents", host=host)
    assert answer.status_code == 403
    assert "orders" not in answer.text


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", f"https://{ADDRESS}", "http://127.0.0.1:8001"])
def test_a_form_of_another_page_is_refused(origin: str | None, ann: Visitor, responder: Responder) -> None:
    """Although the browser is the operator's, and even with the right token."""
    for path in addresses(ann, "POST"):
        assert ann.post(path, PAUSE, origin=origin).status_code == 403, path
    assert responder.ledger.switch(REF) == Switch()


@pytest.mark.parametrize("token", ["", "guessed", "ü"])
def test_a_form_without_the_token_is_refused(token: str, ann: Visitor, responder: Responder) -> None:
    """Each session has its own."""
    other = Visitor(room_of(responder))
    with other.client.session_transaction(base_url=f"http://{ADDRESS}") as session:
        of_another = session["token"]
    for path in addresses(ann, "POST"):
        for wrong in (token, of_another):
            assert ann.post(path, PAUSE, token=wrong).status_code == 403, path
    assert responder.ledger.switch(REF) == Switch()


def test_what_changes_something_is_never_a_link(ann: Visitor) -> None:
    """No address that changes something answers to GET."""
    assert not set(addresses(ann, "POST")) & set(addresses(ann, "GET"))
    for path in addresses(ann, "POST"):
        assert ann.get(path).status_code == 405, path


def test_every_answer_is_sealed(ann: Visitor) -> None:
    """Pages, files, errors and refusals: nothing inline runs, nothing is loaded from elsewhere, nothing is kept."""
    answers = [ann.get(path) for path in addresses(ann, "GET")]
    answers += [ann.post(path, {}, token="") for path in addresses(ann, "POST")]
    answers.append(ann.get("/incidents", host="evil.example"))
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_cookie_is_for_this_console_alone(responder: Responder) -> None:
    """No script reads it, no other site has it sent, and another console on this machine has another one."""
    names = set()
    for _ in range(2):
        visitor = Visitor(room_of(responder), stranger=True)
        cookie = visitor.get(visitor.links[-1].removeprefix(f"http://{ADDRESS}")).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        names.add(cookie.split("=")[0])
    assert len(names) == 2


def test_a_request_that_is_too_large_is_refused(ann: Visitor) -> None:
    """No page has so much to say."""
    assert ann.post(SWITCH, {**PAUSE, "reason": "x" * LARGEST_REQUEST}).status_code == 413


def test_templates_hold_nothing_inline_and_nothing_foreign() -> None:
    """No script, no style, no handler of events, no address of another host, and no text that is let through as
    markup."""
    forbidden = re.compile(
        r"\bstyle=|<style|\bon[a-z]+=|<script(?! src=\"\{\{ url_for)|https?://|\|\s*safe|Markup|autoescape"
    )
    for template in sorted((HERE / "templates").glob("*.html")):
        found = forbidden.findall(template.read_text(encoding="utf-8"))
        assert found == [], template.name
    for name in ("console.css", "console.js"):
        assert not re.search(
            r"https?://|@import|url\(|innerHTML\s*=", (HERE / "static" / name).read_text(encoding="utf-8")
        )
