"""Incidents, their trails, and what people answer."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from functions.domain.incidents import Fact, FleetSwitch, Mode
from functions.domain.people import AUTOMATIC, Said
from functions.workflow.table import StepName
from tests.fakes.api import ANN, Api, serving
from tests.fakes.engine import Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V2
from tests.unit.handlers.api.conftest import playbook, shipped

ORCHESTRATION = "/api/v1/deployment-orchestration/status/shop/orders"


def failing(mode: Mode) -> Responder:
    """V2 fails, and its alarm has opened an incident."""
    responder = shipped(Responder(playbook=playbook(mode=mode)))
    responder.world.bad.add(V2)
    responder.world.ship(V2)
    responder.clock.advance(seconds=120)
    assert responder.world.settle_alarm()
    responder.clock.advance(seconds=2)
    at = responder.clock.now()
    signal = alarm_signal().model_copy(update={"occurred_at": at})
    assert responder.intake(signal)
    return responder


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with serving(failing(Mode.ASK), monkeypatch) as made:
        yield made


def incident_of(api: Api) -> str:
    found: str = api.responder.executions.started[-1][0]
    return found


def test_incidents_are_listed_and_told(asking: Api) -> None:
    """Each with the path under which it is told in whole."""
    (line,) = asking.get("/api/v1/incidents").body["incidents"]
    assert (line["id"], line["status"]) == (incident_of(asking), "open")
    told = asking.get(line["status_url"]).body
    assert told["timeline"][0]["fact"] == Fact.INCIDENT_OPENED


def test_only_open_ones_may_be_wanted(asking: Api) -> None:
    """And those of one service."""
    assert len(asking.get("/api/v1/incidents?status=open&service=orders").body["incidents"]) == 1
    asking.responder.playbook = playbook()
    assert asking.get("/api/v1/incidents?since=2027-01-01T00:00:00Z&status=open").status == 200


def test_people_grant_over_the_api_and_it_is_done(asking: Api) -> None:
    """Whoever IAM says they are stands in the trail."""

    def grant() -> None:
        said = asking.post(f"/api/v1/incidents/{incident_of(asking)}/approve", {"reason": "go"})
        assert said.status == 200, said.text
        assert said.body["approval"]["identity"] == ANN

    asking.responder.asked = grant
    asking.responder.run(until=StepName.SETTLE)
    assert len(asking.responder.world.changes) == 1
    granted = next(e for e in asking.responder.ledger.events(incident_of(asking)) if e.fact is Fact.APPROVAL_GRANTED)
    assert (granted.data["identity"], granted.actor) == (ANN, "on-call/ann")


def test_people_deny_over_the_api_and_nothing_is_done(asking: Api) -> None:
    """The reason is who said so, where nobody wrote one."""

    def deny() -> None:
        assert asking.post(f"/api/v1/incidents/{incident_of(asking)}/deny").status == 200

    asking.responder.asked = deny
    asking.responder.run(until=StepName.WATCH)
    assert asking.responder.world.changes == []
    denied = next(e for e in asking.responder.ledger.events(incident_of(asking)) if e.fact is Fact.APPROVAL_DENIED)
    assert ANN in denied.data["reason"]


def test_what_nobody_asked_cannot_be_granted(asking: Api) -> None:
    """409: a yes in advance is none."""
    said = asking.post(f"/api/v1/incidents/{incident_of(asking)}/approve")
    assert (said.status, said.body["rule"]) == (409, "approval")


@pytest.mark.parametrize("what", ["approve", "deny"])
def test_nobody_answers_unsigned(asking: Api, what: str) -> None:
    """An approval needs IAM."""
    assert asking.post(f"/api/v1/incidents/{incident_of(asking)}/{what}", caller=None).status == 403


def test_the_token_is_told_to_nobody(asking: Api) -> None:
    """Whoever has it could wake the execution."""
    seen: list[str] = []

    def look() -> None:
        token = asking.responder.people.waiting
        assert token is not None
        for path in (f"/api/v1/incidents/{incident_of(asking)}", ORCHESTRATION, "/api/v1/audit/search"):
            seen.append(asking.get(path).text)
            assert token not in seen[-1]
        waiting = asking.get(ORCHESTRATION).body
        assert waiting["waiting_for"]["answer"] is None
        assert waiting["doing"].startswith("waits for people")

    asking.responder.asked = look
    asking.responder.run(until=StepName.WATCH)
    assert len(seen) == 3


def test_what_the_responder_does_is_told_while_aws_is_silent(asking: Api) -> None:
    """From the ledger alone."""
    asking.inspector.broken = True
    said = asking.get(ORCHESTRATION).body
    assert (said["handling"], said["mode"], said["incident"]["id"]) == (True, "ask", incident_of(asking))


def test_a_stop_of_everything_is_told_to_programs(api: Api) -> None:
    """With who, since when and why; where nobody stopped anything it is null."""
    assert api.get(ORCHESTRATION).body["stopped"] is None
    api.responder.ledger.set_fleet_switch(FleetSwitch(stopped=True, by="ann", reason="a hunch"))
    assert api.get(ORCHESTRATION).body["stopped"] == "everything is stopped by ann: a hunch"


def test_without_an_incident_nothing_is_being_done(api: Api) -> None:
    """And it says so."""
    said = api.get(ORCHESTRATION).body
    assert (said["handling"], said["incident"]) == (False, None)


def test_trails_are_searched(asking: Api) -> None:
    """By words, by fact and by who did it."""
    asking.responder.asked = lambda: None
    asking.responder.run(until=StepName.WATCH)
    whole = asking.get("/api/v1/audit/search").body
    assert whole["incidents_searched"] == 1
    assert len(whole["entries"]) == len(asking.responder.ledger.events(incident_of(asking)))
    ranked = asking.get("/api/v1/audit/search?fact=CausesRanked&service=shop/orders").body["entries"]
    assert {entry["fact"] for entry in ranked} == {"CausesRanked"}
    assert asking.get("/api/v1/audit/search?q=no+such+words").body["entries"] == []
    assert asking.get("/api/v1/audit/search?actor=nobody").body["entries"] == []
    two = asking.get("/api/v1/audit/search?limit=2").body
    assert (two["entries"], two["left_out"]) == (whole["entries"][:2], len(whole["entries"]) - 2)


def test_a_search_that_stops_says_where(asking: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same question goes on from there, so that nothing is missed."""
    from functions.workflow.api import records

    monkeypatch.setattr(records, "MOST_TRAILS", 0)
    said = asking.get("/api/v1/audit/search").body
    opened = asking.responder.ledger.incident(incident_of(asking)).opened_at
    assert (said["entries"], said["incidents_searched"]) == ([], 0)
    assert said["next_until"].replace("Z", "+00:00") == opened.isoformat()


def test_who_ordered_is_found_by_name(asking: Api) -> None:
    """What the trail says of an order names its giver as well as the step that wrote it."""
    asking.responder.asked = lambda: None
    asking.responder.run(until=StepName.WATCH)
    said = asking.post("/api/v1/disaster-recovery/rollback/shop/orders", {"reason": "errors"})
    assert said.status == 202, said.text
    asking.responder.run(until=StepName.WATCH)
    found = asking.get("/api/v1/audit/search?actor=on-call/ann").body["entries"]
    assert found


def test_an_incident_that_there_is_not_is_404(api: Api) -> None:
    """By a name that could be one."""
    assert api.get("/api/v1/incidents/inc-20260301-031200-abcdef").status == 404


def test_a_time_needs_its_offset(api: Api) -> None:
    """Nobody guesses whose morning is meant."""
    assert api.get("/api/v1/incidents?since=2026-03-01T00:00:00").status == 422
    at = (api.responder.clock.now() - timedelta(days=2)).isoformat().replace("+00:00", "Z")
    assert api.get(f"/api/v1/incidents?since={at}").status == 200


def test_an_open_breaker_is_told_with_its_end(asking: Api) -> None:
    """After three incidents without effect nothing is done by itself: the status says so, and until when."""
    closed = asking.get(ORCHESTRATION).body["breaker"]
    assert (closed["open"], closed["failed"], closed["limit"], closed["closes_at"]) == (False, 0, 3, None)
    ledger, first = asking.responder.ledger, asking.responder.clock.now()
    for number in range(3):
        ledger.note_ineffective(REF, f"inc-{number}", at=first + timedelta(minutes=number))
    asking.responder.clock.advance(seconds=600)
    opened = asking.get(ORCHESTRATION).body["breaker"]
    assert (opened["open"], opened["failed"]) == (True, 3)
    assert datetime.fromisoformat(opened["closes_at"]) == first + timedelta(days=1)
    assert "responder resume" in opened["reason"]
    ledger.forget_ineffective(REF)
    assert asking.get(ORCHESTRATION).body["breaker"]["open"] is False


def test_an_incident_says_who_leads_it_and_where_its_report_lies(asking: Api) -> None:
    """Nobody has it at first; once it is over, its report is named."""
    incident = incident_of(asking)
    told = asking.get(f"/api/v1/incidents/{incident}").body
    assert (told["commander"], told["acknowledged_by"], told["report"]) == (AUTOMATIC, None, None)
    asking.responder.say(incident, Said.TAKEN, by="ann", identity="")
    asking.responder.world.bad.clear()
    asking.responder.run()
    told = asking.get(f"/api/v1/incidents/{incident}").body
    assert (told["status"], told["commander"], told["next_update_at"]) == ("resolved", "ann", None)
    assert told["report"].endswith(f"/{incident}/report/report.html")
