"""What the pages of a console show, over a ledger that real steps have written."""

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import cast

import click
import pytest

from functions.domain.errors import LedgerError
from functions.domain.evidence import ReleaseState
from functions.domain.incidents import FleetSwitch, Mode
from functions.domain.people import Said
from functions.domain.services import ServiceRef
from functions.playbooks.schema import Playbook
from functions.ports import ServiceReader
from functions.workflow.report import kept_report
from functions.workflow.reporting.elements import html
from functions.workflow.reporting.page import parts
from functions.workflow.table import StepName
from tests.fakes.console import Visitor, room_of
from tests.fakes.engine import Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V1, V2
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tests.unit.workflow.test_orders_by_hand import known
from tools.cli.main import cli
from tools.console import terminal
from tools.console.incidents import SINCE, STATES

FIGURES = Path(__file__).resolve().parents[3] / "docs" / "drill-figures.json"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202e'\"&{{ 7*7 }}"


def ran(mode: str = "auto", *, until: StepName = StepName.END, **said: object) -> Responder:
    """A bad release was shipped and found."""
    made = Responder(playbook=playbook(mode=mode, **said))
    after_bad_release(made)
    made.run(until=until)
    return made


def asking() -> Responder:
    """Somebody has to say whether a bad release may be rolled back."""
    made = Responder(playbook=playbook(mode="ask"))
    after_bad_release(made)

    class Stop(Exception):
        pass

    def leave() -> None:
        raise Stop

    made.asked = leave
    with pytest.raises(Stop):
        made.run()
    return made


def incident_id(made: Responder) -> str:
    return made.executions.started[-1][0]


def test_the_list_says_what_went_off_why_and_what_was_done() -> None:
    """With its grade, its state and how long it took."""
    made = ran()
    page = Visitor(room_of(made)).read("/incidents")
    for word in (
        "resolved",
        "P1",
        "orders",
        "orders-5xx is ALARM",
        "bad-release",
        "roll back from orders:2 to orders:1",
    ):
        assert word in page.text
    assert page.links("/incidents/") == [f"/incidents/{incident_id(made)}"]


def test_what_waits_for_people_comes_first_and_stands_in_the_title() -> None:
    """Whoever has the page open in another tab sees it there."""
    page = Visitor(room_of(asking())).read("/incidents")
    assert "<title>(1 waiting) Incidents" in page.source
    assert "Waits for your yes or no until" in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=all", True),
        ("state=open", False),
        ("state=waiting", False),
        ("state=resolved", True),
        (f"service={REF.key}", True),
        ("service=eu-west-1/shop/other", False),
        ("since=1h", False),
        ("since=7d&state=resolved", True),
    ],
)
def test_the_list_is_filtered_by_service_state_and_time(query: str, found: bool) -> None:
    """And what was chosen stays chosen."""
    made = ran()
    made.clock.advance(seconds=7200)
    page = Visitor(room_of(made)).read(f"/incidents?{query}")
    assert bool(page.links("/incidents/")) is found
    assert ("No incident fits" in page.text) is not found
    for part in query.split("&"):
        assert {"value": part.split("=")[1], "selected": None} in [a for tag, a in page.tags if tag == "option"] or (
            "other" in part
        )


def test_an_open_incident_is_listed_however_old_it_is() -> None:
    """The time is when incidents were opened, and what is open is never left out."""
    made = ran("observe", until=StepName.WATCH)
    made.clock.advance(seconds=40 * 86_400)
    assert Visitor(room_of(made)).read("/incidents?since=1h&state=open").links("/incidents/")


@pytest.mark.parametrize("query", ["state=some", "since=3w", "since=5h", "service=orders", "service=../x/y"])
def test_a_filter_that_there_is_not_is_no_list(query: str) -> None:
    """An address that somebody mistyped is not answered with another list."""
    assert Visitor(room_of(ran())).get(f"/incidents?{query}").status_code == 404


def test_every_filter_on_the_page_is_one_that_there_is() -> None:
    """All of them at once, over one incident."""
    ann = Visitor(room_of(ran()))
    for since in SINCE:
        for state in STATES:
            assert ann.get(f"/incidents?since={since}&state={state}").status_code == 200


def test_the_page_of_an_incident_is_its_report() -> None:
    """The one that was kept when it closed, part by part, and nothing that could be pressed."""
    made = ran()
    kept = kept_report(made.ledger, made.archive, made.ledger.incident(incident_id(made)))
    assert kept is not None
    page = Visitor(room_of(made)).read(f"/incidents/{incident_id(made)}")
    for part in parts(kept):
        assert html(part) in page.source
    assert page.forms() == []
    assert "data-poll" not in page.source


def test_an_open_incident_has_its_metrics_and_lines_already() -> None:
    """They are read with the operator's own rights; what cannot be read is said."""
    made = ran("observe", until=StepName.WATCH)
    made.world.quiet.shown_lines = ("ERROR unhandled exception in handler",)
    ann = Visitor(room_of(made))
    page = ann.read(f"/incidents/{incident_id(made)}")
    assert "<svg" in page.source
    assert "ERROR unhandled exception in handler" in page.text
    assert 'data-poll="5"' in page.source
    made.world.unreadable |= {"series"}
    blind = Visitor(room_of(made)).read(f"/incidents/{incident_id(made)}")
    assert "Not read for this report: metrics" in blind.text


def test_an_open_incident_says_how_it_stands_and_who_leads() -> None:
    """Also what somebody said a moment ago, which no step has written down yet."""
    made = ran("observe", until=StepName.WATCH)
    ann = Visitor(room_of(made))
    path = f"/incidents/{incident_id(made)}"
    assert "Incident commander automatic responder" in ann.read(path).text
    made.say(incident_id(made), Said.TAKEN, by="bob", identity="arn:aws:iam::1:user/bob")
    page = ann.read(path)
    assert "Incident commander bob" in page.text
    assert "Give it back to the responder" in page.text
    assert "bob is at it" in ann.read("/incidents").text


def test_an_open_incident_says_what_happened_why_what_happens_now_and_what_can_be_done() -> None:
    """In that order, before everything else of its report; and so does its row in the list."""
    made = ran("observe", until=StepName.WATCH)
    page = Visitor(room_of(made)).read(f"/incidents/{incident_id(made)}")
    said = [
        "40.0% of requests fail",
        "Why, and what was done bad-release 0.90 + release orders:2 came",
        "Nothing was changed. Decided last: mode: the service is in mode observe",
        "Now Status waiting for people",
        "What you can do",
        "Take it over",
        "alarm to first action",
        "Timeline Metrics Causes",
    ]
    assert [each for each in said if each not in page.text] == []
    assert sorted(said, key=page.text.index) == said
    row = Visitor(room_of(made)).read("/incidents").text
    said = ["orders-5xx is ALARM", "bad-release", "nothing was changed; waiting for people"]
    assert sorted(said, key=row.index) == said


def test_what_is_asked_comes_with_what_happened_and_why_before_it() -> None:
    """Nobody has to say yes to what they have not read."""
    page = Visitor(room_of(asking())).read(f"/incidents/{incident_id(asking())}").text
    said = [
        "P1 40.0% of requests fail",
        "bad-release 0.90",
        "May the responder",
        "waits for your yes",
        "Approve this plan",
    ]
    assert sorted(said, key=page.index) == said


def test_a_list_without_incidents_says_which_list_it_is() -> None:
    """Of which Region, service, state and time; so that nobody takes it for another."""
    made = Responder(playbook=playbook())
    page = Visitor(room_of(made)).read("/incidents?state=open&since=1h")
    assert "No incident fits: every service in eu-west-1, open, last hour." in page.text


def test_what_is_ordered_at_the_terminal_alone_is_named_with_its_command() -> None:
    """Each is a command that there is, with the arguments it takes."""
    made = ran()
    page = Visitor(room_of(made)).read(f"/services/{REF.key}")
    named = terminal.commands(REF)
    for what, command in named:
        assert f"{what} {command}" in page.text
        _, name, *words = shlex.split(command)
        found: click.Command = cli.commands[name]
        if isinstance(found, click.Group):
            found, words = found.commands[words[0]], words[1:]
        given = {"MIN": "1", "MAX": "2"}
        found.make_context(name, [given.get(word, word) for word in words])
    assert {"limits", "stop-task", "isolate", "block", "disable-user", "stop"} <= {c.split()[1] for _, c in named}


def test_what_is_asked_is_shown_with_its_evidence_and_its_undo() -> None:
    """Everything that somebody has to know who is asked, and the token of the execution nowhere."""
    made = asking()
    page = Visitor(room_of(made)).read(f"/incidents/{incident_id(made)}")
    approval = made.ledger.approval(incident_id(made))
    assert approval is not None
    assert "May the responder roll back from orders:2 to orders:1" in page.text
    assert "To take it back: aws ecs update-service" in page.text
    assert page.field("plan") == approval.plan_hash
    assert f'value="{approval.token}"' not in page.source
    made.clock.advance(seconds=86_400)
    assert "May the responder" not in Visitor(room_of(made)).read(f"/incidents/{incident_id(made)}").text


def test_a_trail_that_was_changed_is_said_before_anything_else() -> None:
    """The report that was kept says nothing of it."""
    made = ran()
    events = made.ledger._events[incident_id(made)]
    events[2] = events[2].model_copy(update={"summary": "nothing to see"})
    page = Visitor(room_of(made)).read(f"/incidents/{incident_id(made)}")
    assert "The trail of this incident does not hold" in page.text
    assert page.source.index("does not hold") < page.source.index("<h1")


def test_text_from_outside_stays_text() -> None:
    """In whatever place it comes: an alarm's reason and name, a log line, a reason, a person's name, an address."""
    made = Responder(playbook=playbook(mode="ask"))
    made.world.reason = HOSTILE
    made.world.quiet.shown_lines = (HOSTILE,)
    after_bad_release(made)
    made.run(until=StepName.WATCH)
    made.say(incident_id(made), Said.TAKEN, by=HOSTILE, identity=HOSTILE, reason=HOSTILE)
    switch = made.ledger.switch(REF)
    until = made.clock.now() + timedelta(hours=1)
    said = {"by": HOSTILE, "reason": HOSTILE, "paused_until": until, "mode": Mode.ASK}
    made.ledger.set_switch(REF, switch.model_copy(update=said))
    made.ledger.judge_release(REF, V1, ReleaseState.GOOD, reason=HOSTILE)
    made.ledger.set_fleet_switch(FleetSwitch(stopped=True, by=HOSTILE, reason=HOSTILE))
    ann = Visitor(room_of(made))
    for path in ("/incidents", f"/incidents/{incident_id(made)}", "/services", f"/services/{REF.key}"):
        page = ann.read(path)
        assert "alert(1)" in page.text, path
        assert not [tag for tag, _ in page.tags if tag == "img"], path
        assert [a for tag, a in page.tags if tag == "script"] == [{"src": "/static/console.js", "defer": None}], path
        assert "\u202e" not in page.source, path
        assert "49" not in page.text.split("7*7")[0][-5:], path
    for path in (f"/incidents?service={HOSTILE}", f"/incidents/{HOSTILE}", f"/services/a/b/{HOSTILE}"):
        answer = ann.get(path)
        assert answer.status_code == 404
        assert "<img" not in answer.text


def test_services_are_those_with_a_playbook_and_those_with_incidents() -> None:
    """What each is doing is looked up beside the page; a service without a playbook here says so."""
    made = ran("observe", until=StepName.WATCH)
    other = Playbook.model_validate({"region": REF.region, "cluster": "shop", "service": "mail"})
    ann = Visitor(room_of(made, playbooks=[other]))
    page = ann.read("/services")
    assert page.links("/services/") == [f"/services/{REF.region}/shop/mail", f"/services/{REF.key}"]
    assert "no playbook here" in page.text
    assert "orders-5xx is ALARM" in page.text


class _Waits:
    """A reader that answers nothing until it may."""

    def __init__(self, reader: object) -> None:
        self._reader, self.may = reader, Event()

    def __getattr__(self, name: str) -> object:
        self.may.wait(10)
        return getattr(self._reader, name)


def test_what_was_rolled_back_is_not_shown_as_what_runs_while_ecs_is_asked() -> None:
    """The release that was seen last is the one that was taken away."""
    made = ran()
    slow = _Waits(made.world.readers.service)
    ann = Visitor(replace(room_of(made), readers=replace(made.world.readers, service=cast(ServiceReader, slow))))
    page = ann.read("/services").text
    slow.may.set()
    assert "looking…" in page
    assert "orders:" not in page


def test_the_page_of_a_service_says_how_it_is_doing_and_what_is_held_of_it() -> None:
    """Score, tasks, alarms, releases with what was judged of them, incidents, and everything that may be ordered."""
    made = ran()
    page = Visitor(room_of(made)).read(f"/services/{REF.key}")
    for word in (
        "health score, of 100",
        "2 of 2",
        "auto",
        "orders:1 release, good",
        "orders-5xx",
        "quarantined",
        "rolled back in",
        "resolved",
    ):
        assert word in page.text
    assert set(page.forms()) == {f"/try/{REF.key}", f"/switch/{REF.key}"}
    options = [a["value"] for tag, a in page.tags if tag == "option" and str(a.get("value")).startswith("orders:")]
    assert options == ["orders:1"], "what is quarantined is not offered"


def test_what_is_set_for_a_while_stands_on_the_page_of_its_service() -> None:
    """With when it is put back, and whether that is late."""
    made = Responder(playbook=playbook())
    made.world.load = 3.0
    made.clock.advance(seconds=3600)
    made.intake(alarm_signal())
    made.run(until=StepName.RESTORE)
    leases = made.ledger.service_leases(REF)
    assert leases
    ann = Visitor(room_of(made))
    assert "minimum of tasks 2 → " in ann.read(f"/services/{REF.key}").text
    made.clock.advance(seconds=leases[0].terms.duration_s + 3600)
    assert "overdue" in ann.read(f"/services/{REF.key}").text


def test_what_cannot_be_read_of_a_service_is_said() -> None:
    """It is unknown, with the reason, and never a zero."""
    made = ran()
    made.world.unreadable |= {"alarms", "targets", "service"}
    page = Visitor(room_of(made)).read(f"/services/{REF.key}")
    assert "Not known:" in page.text
    assert "0 of 0" not in page.text


def test_a_service_that_nobody_knows_is_not_there() -> None:
    """Neither playbooks nor the ledger have it."""
    ann = Visitor(room_of(ran()))
    for key in (ServiceRef(region=REF.region, cluster="shop", service="none").key, "orders", "a/b/c/d", "a/../b"):
        assert ann.get(f"/services/{key}").status_code == 404, key
    assert ann.get("/incidents/inc-none").status_code == 404


def test_a_stop_of_everything_stands_on_every_page() -> None:
    """Who did it, and why."""
    made = ran()
    made.ledger.set_fleet_switch(FleetSwitch(stopped=True, by="bob", reason="the migration goes wrong"))
    ann = Visitor(room_of(made))
    for path in ("/incidents", f"/incidents/{incident_id(made)}", "/services", f"/services/{REF.key}", "/drills"):
        assert "Everything is stopped. everything is stopped by bob: the migration goes wrong" in ann.read(path).text


def test_a_ledger_that_does_not_answer_is_said_on_a_page() -> None:
    """Not with a trace of the program, and not as an empty list."""
    made = ran()
    ann = Visitor(room_of(made))

    def broken() -> FleetSwitch:
        raise LedgerError("the table ecs-first-responder cannot be reached: no credentials")

    made.ledger.fleet_switch = broken  # type: ignore[method-assign]
    answer = ann.get("/incidents")
    assert answer.status_code == 502
    assert "no credentials" in answer.text


def test_figures_of_a_drill_are_shown_as_they_were_written(tmp_path: Path) -> None:
    """The project's own, or what a drill here wrote; harm is told run by run."""
    made = ran()
    page = Visitor(room_of(made, drill_file=FIGURES)).read("/drills")
    assert "500 seeds" in page.text
    assert "traffic spike at ceiling" in page.text
    assert "Recovery" not in page.text, "these figures have no such column"
    data = json.loads(FIGURES.read_text())
    data["policies"]["responder"]["recovery_s"] = {"p50": 512.0, "p95": 900.0}
    data["scenarios"] = {"stuck-tasks": {"title": "Tasks hang", "truth": "they wait", "kind": "outage"}}
    data["harm"] = [
        {"scenario": "stuck-tasks", "policy": "responder", "seed": 3, "reasons": [HOSTILE]},
        {"scenario": "stuck-tasks", "policy": "restart", "seed": 4, "reasons": ["it restarted"]},
    ]
    file = tmp_path / "drill.json"
    file.write_text(json.dumps(data))
    page = Visitor(room_of(made, drill_file=file)).read("/drills")
    assert "Tasks hang they wait" in page.text
    assert "512 s" in page.text
    assert "stuck-tasks, seed 3:" in page.text
    assert "seed 4" not in page.text
    assert "<img" not in page.source


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seeds": 3, "policies": {"none": {}}}', '{"policies": 3}', "\xff"])
def test_a_file_that_is_no_drill_is_named(text: str, tmp_path: Path) -> None:
    """In one sentence."""
    file = tmp_path / "drill.json"
    file.write_text(text, encoding="latin-1")
    answer = Visitor(room_of(ran(), drill_file=file)).get("/drills")
    assert answer.status_code == 400
    assert "does not hold the results of a drill" in answer.text


def test_without_a_drill_the_page_says_how_to_make_one() -> None:
    """It takes no AWS."""
    assert "responder drill --json" in Visitor(room_of(ran())).read("/drills").text


def test_releases_that_may_be_gone_back_to_are_offered() -> None:
    """Newest first, below the last known good."""
    made = Responder(playbook=playbook())
    known(made, (V1, ReleaseState.GOOD), (V2, ReleaseState.GOOD))
    page = Visitor(room_of(made)).read(f"/services/{REF.key}")
    offered = [a["value"] for tag, a in page.tags if tag == "option" and "orders:" in str(a.get("value"))]
    assert sorted(map(str, offered)) == ["orders:1", "orders:2"]
