"""`responder` over a ledger that real steps have written: incidents, show, verify, approve, deny, pause and resume."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.approvals import Answer
from functions.domain.circumstances import LogQueryFacts
from functions.domain.errors import LedgerError
from functions.domain.incidents import Event, Switch
from functions.domain.maintenance import Announced
from functions.playbooks.schema import Playbook
from functions.workflow.answers import heard
from functions.workflow.table import StepName
from functions.workflow.visit import Visit
from tests.docs.pages import OPERATIONS
from tests.fakes.engine import Execution, Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V1, V2
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tools.chaos.inputs import HOSTILE
from tools.cli.main import Desk, desk_ledger, run
from tools.cli.render import took
from tools.cli.windows import announced, start_of

SERVICE = "shop/orders"


def responder(mode: str, *, until: StepName | None = None) -> Responder:
    said = {"region": REF.region, "cluster": REF.cluster, "service": REF.service, "mode": mode}
    made = Responder(playbook=Playbook.model_validate(said | {"alarms": [{"existing": "orders-5xx"}]}))
    made.world.task_definition = V1
    made.bake()
    made.clock.advance(seconds=3600)
    made.bake()
    made.world.bad.add(V2)
    made.world.ship(V2)
    made.clock.advance(seconds=120)
    made.world.settle_alarm()
    made.intake(alarm_signal())
    made.run(until=until or (StepName.END if mode == "auto" else StepName.WATCH))
    return made


@pytest.fixture
def recovered() -> Responder:
    """A bad release was rolled back, and the incident is closed."""
    return responder("auto")


@pytest.fixture
def paged() -> Responder:
    """A bad release was found, but the playbook only observes: people were paged, and the incident is open."""
    return responder("observe")


def incident_id(made: Responder) -> str:
    return made.executions.started[-1][0]


def ask(made: Responder, *arguments: str, status: int = 0) -> None:
    desk = Desk(
        open_ledger=lambda table, region: made.ledger,
        now=made.clock.now,
        open_answers=lambda region: made.people,
        identity=lambda region: "arn:aws:sts::000000000000:assumed-role/on-call/maria",
    )
    assert run([*arguments, "--region", REF.region], desk) == status


def test_a_recovered_incident(recovered: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole story: head with its numbers, ranking with evidence, plan, action, recovery, and the chain."""
    ask(recovered, "show", incident_id(recovered))

    out = capsys.readouterr().out
    assert out.startswith("RESOLVED  orders-5xx is ALARM")
    assert "eu-west-1/shop/orders" in out
    for line in ("alarm → first action", "alarm → recovery", "bad-release", "+ release orders:2", "undo", "guardrails"):
        assert line in out
    assert "✓ the trail holds" in out
    assert max(map(len, out.splitlines())) <= 100


def test_the_head_says_what_happened_why_what_was_done_what_happens_now_and_what_can_be_done(
    paged: Responder, recovered: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """In that order, before the timeline."""
    ask(paged, "show", incident_id(paged))
    head = " ".join(capsys.readouterr().out.partition("● intake")[0].split())
    said = [
        "severity P1: 40.0% of requests fail",
        "why bad-release (0.90) + release orders:2",
        "done nothing was changed: mode: the service is in mode observe",
        "now waiting for people",
        f"you can responder ack {incident_id(paged)} responder take {incident_id(paged)}",
    ]
    assert [each for each in said if each not in head] == []
    assert sorted(said, key=head.index) == said
    ask(recovered, "show", incident_id(recovered))
    head = " ".join(capsys.readouterr().out.partition("● intake")[0].split())
    assert "done roll back from orders:2 to orders:1" in head
    assert "now " not in head
    assert f"you can responder report {incident_id(recovered)}" in head


def test_a_list_says_what_went_off_without_the_names_around_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The alarms that the deployment makes are named after their service, which has a column of its own."""
    made = Responder(playbook=playbook(alarms=[{"symptom": "error-rate"}]))
    made.intake(alarm_signal(alarm=f"responder-{REF.cluster}-{REF.service}-error-rate"))
    ask(made, "incidents")

    out = capsys.readouterr().out
    assert "error-rate is ALARM" in out
    assert "responder-" not in out


def test_what_a_playbook_asks_of_the_logs_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """How many lines, a few of them, and that nothing is known where a query failed."""
    asking = Responder(playbook=playbook(log_queries=[{"name": "slow", "contains": "took"}]))
    asking.world.quiet.shown_logs = {
        "queries": (
            LogQueryFacts(name="slow", count=1, lines=("GET /orders took 9 s",)),
            LogQueryFacts(name="rate", error="the query 'rate': throttled"),
        )
    }
    after_bad_release(asking)
    asking.run()
    ask(asking, "show", incident_id(asking))

    out = capsys.readouterr().out
    for line in (
        "asked of the logs: slow: 1 line\n",
        "GET /orders took 9 s",
        "rate: unknown, the query 'rate': throttled",
    ):
        assert line in re.sub(r" +\n", "\n", out)


def test_an_incident_that_waits_for_people(paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """What would have been done, which guardrail said no, and that people were told."""
    ask(paged, "show", incident_id(paged))

    out = capsys.readouterr().out
    assert out.startswith("OPEN  ")
    assert "open for" in out
    assert "severity              P1: 40.0% of requests fail" in out
    assert "respond               within 15 minutes" in out
    assert "▲ assess    severity P1: 40.0% of requests fail" in out
    assert "✗ the service is in mode observe" in out
    assert "✉ page" in out


@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_long_undo_command_can_be_pasted(
    recovered: Responder, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that does not fit on a line is broken where the shell expects it."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    ask(recovered, "show", incident_id(recovered))

    out = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, out.splitlines())) <= int(columns)
    lines = [line.strip() for line in out.splitlines()]
    begins = next(n for n, line in enumerate(lines) if "aws ecs update-service" in line)
    ends = next(n for n, line in enumerate(lines[begins:], begins) if not line.endswith("\\"))
    pasted = " ".join(line.removesuffix("\\").strip() for line in lines[begins : ends + 1])
    told = "aws ecs update-service --cluster shop --service orders --task-definition orders:2"
    assert pasted.partition("aws ")[2] == told.partition("aws ")[2]


def test_everything_is_spelled_out_on_request(recovered: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """--full gives every guardrail its line."""
    ask(recovered, "show", "--full", incident_id(recovered))

    assert "✓ nobody paused this service" in capsys.readouterr().out


def test_a_trail_that_holds(recovered: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """verify prints how many events there are, and the head's hash to compare with a page."""
    ask(recovered, "verify", incident_id(recovered))

    head = recovered.ledger.incident(incident_id(recovered)).head_hash
    assert head in capsys.readouterr().out


class Forged:
    """A ledger in which somebody changed an event."""

    def __init__(self, made: Responder) -> None:
        self._real = made.ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def events(self, wanted: str) -> Sequence[Event]:
        first, second, *rest = self._real.events(wanted)
        return (first, second.model_copy(update={"summary": "nothing happened"}), *rest)


@pytest.mark.parametrize(("command", "status"), [("verify", 1), ("show", 0)])
def test_a_forged_trail(recovered: Responder, command: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """An event that was changed is named; verify answers with status 1."""
    desk = Desk(open_ledger=lambda table, region: Forged(recovered), now=recovered.clock.now)

    assert run([command, incident_id(recovered), "--region", "eu-west-1"], desk) == status
    assert "✗ the trail is broken: event 2" in capsys.readouterr().out


def test_archived_evidence_that_was_changed(recovered: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence outside the table is part of the promise: a changed document breaks the trail."""
    archived = [e.data["archived"] for e in recovered.ledger.events(incident_id(recovered)) if "archived" in e.data]
    for url in archived:
        recovered.archive.documents[url] += " "

    ask(recovered, "verify", incident_id(recovered), status=1 if archived else 0)


def test_lists(recovered: Responder, paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Open ones and those of the last day are listed; the options narrow that down. An empty list says which it is."""
    ask(recovered, "incidents")
    assert incident_id(recovered) in capsys.readouterr().out
    ask(recovered, "incidents", "--state", "open")
    assert capsys.readouterr().out == "no incident in eu-west-1, open\n"
    ask(paged, "incidents", "--state", "open", "--service", SERVICE)
    assert incident_id(paged) in capsys.readouterr().out
    ask(paged, "incidents", "--service", "shop/cart")
    looked = "open or of the last 1d (--since looks further back)"
    assert capsys.readouterr().out == f"no incident of eu-west-1/shop/cart, {looked}\n"

    recovered.clock.advance(seconds=7200)
    ask(recovered, "incidents", "--since", "1h")
    assert "no incident in eu-west-1, open or of the last 1h" in capsys.readouterr().out


def test_the_list_says_what_happened_why_what_was_done_and_what_happens_now(
    recovered: Responder, paged: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """In that order, counted above, and with the command that tells the rest."""
    ask(recovered, "incidents")
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("1 incident, 0 open, 1 acted upon in eu-west-1")
    said = ["orders-5xx is ALARM", "bad-release", "roll back from orders:2 to orders:1"]
    assert sorted(said, key=out.index) == said
    assert f"responder show {incident_id(recovered)}" in out

    ask(paged, "incidents")
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("1 incident, 1 open, 0 acted upon")
    assert "nothing was changed; waiting for people" in out


def test_an_old_incident_that_is_open_is_listed(paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """However long ago it was opened, an open incident is never left out."""
    paged.clock.advance(seconds=timedelta(days=3).total_seconds())

    ask(paged, "incidents", "--since", "1h")
    assert incident_id(paged) in capsys.readouterr().out


def test_signals_without_a_playbook(paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Alarms that nobody wrote a playbook for are listed with the reason."""
    ask(paged, "incidents", "--unmatched")
    assert capsys.readouterr().out == "every signal belonged to a playbook\n"

    paged.ledger.record_unmatched(alarm_signal(alarm="mystery"), "no playbook names this alarm")
    ask(paged, "incidents", "--unmatched")
    out = capsys.readouterr().out
    assert "mystery is ALARM" in out
    assert "no playbook names this alarm" in out


def test_pause_and_resume(paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """A pause has an end, a reason and a name; resuming ends it and keeps everything else."""
    ask(paged, "pause", SERVICE, "--for", "2h", "--reason", "moving house", "--by", "maria")
    switch = paged.ledger.switch(REF)
    assert switch.paused(paged.clock.now())
    assert switch.paused_until == paged.clock.now() + timedelta(hours=2)
    assert (switch.by, switch.reason) == ("maria", "moving house")
    assert "is paused until" in capsys.readouterr().out

    ask(paged, "resume", f"{REF.region}/{SERVICE}", "--by", "maria")
    assert not paged.ledger.switch(REF).paused(paged.clock.now())
    assert capsys.readouterr().out == "eu-west-1/shop/orders is resumed\n"

    ask(paged, "resume", SERVICE)
    assert "was not paused" in capsys.readouterr().out
    notes = paged.ledger.by_hand_between(paged.clock.now(), paged.clock.now())
    assert [note.what.split(" until")[0] for note in notes] == ["pauses it", "ends the pause", "ends the pause"]
    assert {note.about for note in notes} == {REF.key}


def test_resume_closes_the_breaker(paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody looked at what did not help, and says so."""
    paged.ledger.note_ineffective(REF, "inc-1", at=paged.clock.now())
    ask(paged, "resume", SERVICE)
    assert "actions did not help in inc-1: that no longer speaks against the next one" in capsys.readouterr().out
    assert paged.ledger.ineffective(REF, since=paged.clock.now() - timedelta(days=1)) == {}


def test_a_maintenance_window_is_announced_listed_and_cancelled(
    paged: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a start, an end, a reason and a name; it shows in the list of incidents until it is taken back."""
    now = paged.clock.now()
    at_two = (now + timedelta(days=1)).replace(hour=2, minute=0, second=0)
    said = ["--for", "2h", "--reason", "new disks", "--by", "maria"]
    ask(paged, "maintenance", SERVICE, "--from", f"{at_two:%Y-%m-%dT%H:%M}", *said)
    (window,) = paged.ledger.switch(REF).maintenance
    assert (window.start, window.end) == (at_two, at_two + timedelta(hours=2))
    assert (window.by, window.reason, window.at) == ("maria", "new disks", now)
    assert f"is in maintenance from {at_two:%Y-%m-%d} 02:00 to 04:00 UTC" in capsys.readouterr().out

    ask(paged, "maintenance", SERVICE)
    assert "new disks" in capsys.readouterr().out
    ask(paged, "incidents")
    assert "maintenance" in capsys.readouterr().out

    ask(paged, "maintenance", SERVICE, "--cancel")
    assert "has no maintenance window any more" in capsys.readouterr().out
    assert paged.ledger.switch(REF).maintenance == ()
    ask(paged, "maintenance", SERVICE, "--cancel", status=2)
    assert "no announced maintenance window is left" in capsys.readouterr().err


def test_the_list_says_for_which_window_nobody_was_paged(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wonders why the pager is silent finds the answer beside the incident."""
    made = Responder(playbook=playbook(maintenance=[{"every": "day", "from": "04:00", "to": "06:00"}]))
    after_bad_release(made)
    made.run(until=StepName.WATCH)
    ask(made, "incidents")
    assert "no page yet: every day" in capsys.readouterr().out


def test_of_several_windows_one_has_to_be_named(paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Cancelling tonight must not cancel next week; a pause in between leaves both as they are."""
    day = paged.clock.now() + timedelta(days=2)
    for days in (0, 7):
        start = f"{day + timedelta(days=days):%Y-%m-%d}T23:00+01:00"
        ask(paged, "maintenance", SERVICE, "--from", start, "--for", "90m", "--reason", "disks")
    ask(paged, "pause", SERVICE, "--for", "1h", "--reason", "load test")
    ask(paged, "maintenance", SERVICE, "--cancel", status=2)
    assert f"which window? write --cancel --from {day:%Y-%m-%d}T22:00 or " in capsys.readouterr().err
    ask(paged, "maintenance", SERVICE, "--cancel", "--from", f"{day:%Y-%m-%d}T22:00")
    (left,) = paged.ledger.switch(REF).maintenance
    assert left.start.date() == (day + timedelta(days=7)).date()
    assert paged.ledger.switch(REF).paused(paged.clock.now())


@pytest.mark.parametrize(
    ("start", "begins"),
    [
        ("now", "2026-03-01T12:30:15"),
        ("12:30", "2026-03-01T12:30:00"),
        ("13:00", "2026-03-01T13:00:00"),
        ("2:00", "2026-03-02T02:00:00"),
        ("2026-03-05T02:00", "2026-03-05T02:00:00"),
        ("2026-03-05 02:00", "2026-03-05T02:00:00"),
        ("2026-03-05T02:00Z", "2026-03-05T02:00:00"),
        ("2026-03-05T02:00+01:00", "2026-03-05T01:00:00"),
    ],
)
def test_how_a_start_is_written(start: str, begins: str) -> None:
    """Now, the next such time of day, or a date and a time; in UTC, unless it has an offset."""
    now = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
    assert start_of(start, now) == datetime.fromisoformat(begins).replace(tzinfo=UTC)


def test_a_window_is_remembered_for_incidents_that_began_in_it() -> None:
    """For a day; one that was over long ago is dropped when the next is announced."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    old, fresh, new = (
        Announced(start=now + timedelta(hours=h), end=now + timedelta(hours=h + 1), by="ann", reason="", at=now)
        for h in (-48, -3, 2)
    )
    assert announced(Switch(maintenance=(old, fresh)), new, now=now).maintenance == (fresh, new)


@pytest.fixture
def asked() -> Responder:
    """A bad release was found, and people are asked before it is rolled back; the incident waits for them."""
    made = responder("ask", until=StepName.APPROVAL)
    execution = Execution.begun(*made.executions.started[-1])
    made.people.waiting = "the token"
    visit = Visit(incident_id=execution.incident, generation=execution.generation, wait_s=900)
    made.ask_people(visit, "the token")
    return made


def test_a_request_is_seen_in_the_list_and_in_the_timeline(
    asked: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until when it waits, for which answer, and what would be done."""
    expires = asked.clock.now() + timedelta(minutes=15)
    ask(asked, "incidents")
    out = capsys.readouterr().out
    assert "1 waiting for your answer" in out
    assert f"waiting for a yes or a no until {expires:%H:%M} UTC" in " ".join(out.split())
    assert f"responder approve {incident_id(asked)}, or deny" in out
    ask(asked, "show", incident_id(asked))
    out = capsys.readouterr().out
    assert f"responder approve {incident_id(asked)}, or deny" in out
    assert f"asked people, until {expires:%Y-%m-%d %H:%M:%S} UTC: roll back" in out
    assert "the token" not in out


@pytest.mark.parametrize(("command", "answer"), [("approve", Answer.GRANTED), ("deny", Answer.DENIED)])
def test_an_answer(asked: Responder, command: str, answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    """It is written with name, identity and reason, and wakes the execution; a second one is refused."""
    ask(asked, command, incident_id(asked), "--reason", "looks right", "--by", "maria")
    approval = asked.ledger.approval(incident_id(asked))
    assert approval is not None
    assert (approval.answer, approval.by, approval.reason) == (answer, "maria", "looks right")
    assert approval.identity == "arn:aws:sts::000000000000:assumed-role/on-call/maria"
    assert asked.people.said is answer
    assert capsys.readouterr().out.startswith(f"{answer}: roll back from orders:2 to orders:1")

    ask(asked, "deny" if command == "approve" else "approve", incident_id(asked), status=2)
    assert f"{answer} by maria at {asked.clock.now():%Y-%m-%d %H:%M:%S} UTC already" in capsys.readouterr().err


def test_an_answered_incident(asked: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """The list asks for nothing any more; the timeline says who answered, by both their names."""
    ask(asked, "approve", incident_id(asked), "--by", "maria", "--reason", "looks right")
    incident = asked.ledger.incident(incident_id(asked))
    heard(asked.ledger, incident, asked.ledger.events(incident.id))
    capsys.readouterr()
    ask(asked, "incidents")
    assert "responder approve" not in capsys.readouterr().out
    ask(asked, "show", incident.id)
    out = capsys.readouterr().out
    assert "granted by maria (looks right): roll back from orders:2" in out
    assert "assumed-role/on-call/maria" in out
    assert "responder approve" not in out


@pytest.mark.parametrize("text", [text for text in HOSTILE if not text.startswith("-")])
def test_an_answer_may_say_anything_and_does_nothing_else(
    asked: Responder, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """To an incident that there is not, it is one error; the name and the reason are data, cut and without escapes."""
    ask(asked, "approve", text, status=2)
    ask(asked, "approve", incident_id(asked), "--unknown", text, status=2)
    assert asked.people.said is None
    out, err = capsys.readouterr()
    assert out == ""
    ask(asked, "deny", incident_id(asked), "--by", text * 1000, "--reason", text * 1000)
    approval = asked.ledger.approval(incident_id(asked))
    assert approval is not None
    assert approval.answer is Answer.DENIED
    assert (len(approval.by) <= 100, len(approval.reason) <= 500) == (True, True)
    out, _ = capsys.readouterr()
    assert not {"\x1b", "\x9b", "\r", "\x00", "\x07"} & set(out + err + approval.by + approval.reason)
    assert asked.world.changes == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "inc-gone"], "no incident 'inc-gone'"),
        (["verify", "inc-gone"], "no incident 'inc-gone'"),
        (["approve", "inc-gone"], "no incident 'inc-gone'"),
        (["pause", "orders", "--for", "2h", "--reason", "x"], "'orders' is no service; write cluster/service"),
        (["pause", SERVICE, "--for", "soon", "--reason", "x"], "'soon' is no length of time; write 30m, 2h or 7d"),
        (["pause", SERVICE, "--for", "0m", "--reason", "x"], "'0m' is no length of time"),
        (["pause", SERVICE, "--for", "2h"], "Missing option '--reason'"),
        (["incidents", "--service", "*/orders"], "is no service"),
        (["maintenance", SERVICE, "--for", "2h"], "write --for 2h --reason '...'"),
        (["maintenance", SERVICE, "--from", "02:00", "--reason", "x"], "write --for 2h --reason '...'"),
        (
            ["maintenance", SERVICE, "--from", "sunday", "--for", "2h", "--reason", "x"],
            "'sunday' is no start; write now",
        ),
        (["maintenance", SERVICE, "--from", "2026-03-05", "--for", "2h", "--reason", "x"], "'2026-03-05' is no start"),
        (["maintenance", SERVICE, "--from", "2026-01-01T02:00", "--for", "2h", "--reason", "x"], "02:00 UTC is over"),
        (["maintenance", SERVICE, "--for", "2d", "--reason", "x"], "a maintenance window lasts a day at most"),
        (["maintenance", SERVICE, "--cancel", "--for", "2h"], "--cancel takes no --for"),
    ],
)
def test_errors_are_one_line(
    paged: Responder, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be done is told in one line on stderr, with status 2."""
    ask(paged, *arguments, status=2)

    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_ledger_that_does_not_answer(paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """No table, no credentials, no network: one line, and no traceback."""

    def unreachable(table: str, region: str) -> Any:
        raise LedgerError(f"table {table} in {region} cannot be read: no credentials")

    assert run(["incidents", "--region", "eu-west-1"], Desk(open_ledger=unreachable, now=paged.clock.now)) == 2
    assert capsys.readouterr().err == (
        "responder: table ecs-first-responder in eu-west-1 cannot be read: no credentials\n"
    )


@pytest.mark.parametrize(("region", "profile"), [("eu-west-1", "no-such-profile"), ("not_a_region", None)])
def test_an_aws_configuration_that_does_not_hold(
    region: str, profile: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown profile or an impossible Region is one line too, before anything is asked of AWS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    if profile is not None:
        monkeypatch.setenv("AWS_PROFILE", profile)

    desk = Desk(open_ledger=desk_ledger, now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    assert run(["incidents", "--region", region], desk) == 2
    (line,) = capsys.readouterr().err.splitlines()
    refused = "your AWS configuration has no profile no-such-profile"
    assert line.startswith(
        f"responder: {'the table ecs-first-responder cannot be reached' if profile is None else refused}"
    )


def test_a_region_is_needed(
    paged: Responder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a Region it is said how to give one."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)

    assert run(["incidents"], Desk(open_ledger=lambda table, region: paged.ledger, now=paged.clock.now)) == 2
    assert "AWS_REGION" in capsys.readouterr().err


def test_lengths_of_time_for_people() -> None:
    """A length of time is told in the two units that matter."""
    spans = [timedelta(seconds=42), timedelta(seconds=185), timedelta(hours=2, minutes=10, seconds=5)]

    assert [took(span) for span in spans] == ["42 s", "3 min 05 s", "2 h 10 min"]
    assert took(None) == "—"


@pytest.mark.parametrize(
    ("state", "listed"),
    [("open", True), ("escalated", True), ("working", False), ("asked", False), ("taken", False), ("resolved", False)],
)
def test_incidents_that_stand_so(
    paged: Responder, state: str, listed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is in one state, and open in all but the last."""
    ask(paged, "incidents", "--state", state)
    assert (incident_id(paged) in capsys.readouterr().out) is listed


def test_a_request_and_a_leader_are_states(asked: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """People are asked; then one of them leads."""
    ask(asked, "incidents", "--state", "asked")
    assert incident_id(asked) in capsys.readouterr().out
    ask(asked, "take", incident_id(asked), "--by", "maria")
    asked.run(until=StepName.WATCH)
    capsys.readouterr()
    ask(asked, "incidents", "--state", "taken", "--json")
    (told,) = json.loads(capsys.readouterr().out)["incidents"]
    assert (told["state"], told["taken_by"]) == ("taken", "maria")


def test_a_list_for_programs(recovered: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """One object, of a shape that is documented."""
    ask(recovered, "incidents", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["stopped"] is None
    (one,) = told["incidents"]
    documented = OPERATIONS.text.split("### Lists for programs")[1].split("### ")[0]
    assert all(f"`{name}`" in documented for name in one)
    assert (one["status"], one["state"], one["cause"], one["actions"]) == (
        "resolved",
        "resolved",
        "bad-release",
        ["roll-back"],
    )
    assert one["head_hash"] == recovered.ledger.incident(one["id"]).head_hash
    ask(recovered, "incidents", "--state", "open", "--json")
    assert json.loads(capsys.readouterr().out)["incidents"] == []


def test_signals_without_a_playbook_for_programs(paged: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason, in an object of its own."""
    paged.ledger.record_unmatched(alarm_signal(alarm="mystery"), "no playbook names this alarm")
    ask(paged, "incidents", "--unmatched", "--json")
    (one,) = json.loads(capsys.readouterr().out)["unmatched"]
    assert (one["title"], one["reason"]) == ("mystery is ALARM", "no playbook names this alarm")


def follow(made: Responder, *, steps: int = 60, fails: int = 0) -> int:
    """`show --follow`; between two looks the execution goes on by one row of the table, and after so many of them
    somebody presses Ctrl-C. The ledger does not answer so many times once it was read."""
    execution = Execution.begun(*made.executions.started[-1])
    left, answers = iter(range(steps)), iter([True, *[False] * fails])

    def sleep(seconds: float) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        if execution.at is not StepName.END:
            made.go(execution)

    class Sometimes:
        def __getattr__(self, name: str) -> Any:
            if name == "incident" and not next(answers, True):
                raise LedgerError("the table does not answer")
            return getattr(made.ledger, name)

    desk = Desk(open_ledger=lambda table, region: Sometimes(), now=made.clock.now, sleep=sleep)
    return run(["show", incident_id(made), "--follow", "--region", REF.region], desk)


@pytest.fixture
def begun() -> Responder:
    """An incident that nobody looked at yet."""
    made = Responder(playbook=playbook())
    after_bad_release(made)
    return made


@pytest.mark.parametrize("fails", [0, 5])
def test_an_incident_is_followed_until_it_closes(
    begun: Responder, fails: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a pipe every event is printed once, in order, and nothing is written over; a ledger that fails now and then is
    asked again."""
    assert follow(begun, fails=fails) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.startswith("OPEN  ")
    places = [out.find(event.summary.split(":")[0][:30]) for event in begun.ledger.events(incident_id(begun))]
    assert -1 not in places
    assert out.count("likeliest cause") == out.count("about to roll back") == 1
    assert out.rstrip().splitlines()[-1].startswith("✓ the trail holds")


def test_a_ledger_that_answers_no_more_is_given_up(begun: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """With one line."""
    assert follow(begun, fails=100) == 2
    assert capsys.readouterr().err == "responder: the table does not answer\n"


def test_following_ends_with_ctrl_c(begun: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word, and without touching the incident."""
    assert follow(begun, steps=1) == 0
    assert "✓ the trail holds" not in capsys.readouterr().out
    assert begun.ledger.open_incidents()
