"""`responder replay` and `responder backtest`, over trails that real steps have written."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.domain.approvals import Answer
from functions.domain.errors import ReadFailed
from functions.domain.incidents import Event, Fact, FleetSwitch, Mode, Switch
from functions.domain.maintenance import Announced
from functions.ports import Ledger
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.world import REF, V2
from tests.unit.cli.test_incidents import incident_id, responder
from tests.unit.workflow.test_approval import answering
from tests.unit.workflow.test_incident import after_bad_release, playbook, raise_alarm
from tools.cli.main import Desk, run
from tools.cli.replaying import Again, Kind
from tools.drill.policies.registry import POLICIES
from tools.drill.runner import play, quiet
from tools.drill.scenario import load_scenarios
from tools.drill.world import wire

AS_IN_THE_TRAIL = {
    "region": REF.region,
    "cluster": REF.cluster,
    "service": REF.service,
    "mode": "auto",
    "alarms": [{"existing": "orders-5xx"}],
}


class ReadOnly:
    """The ledger of a desk that may read, and where nothing else can be asked."""

    ALLOWED = ("incident", "events", "evidence", "inbox", "switch", "incidents_of")

    def __init__(self, made: Responder, unread: Sequence[Fact] = (), forged: bool = False) -> None:
        self._real = made.ledger
        self._unread, self._forged = unread, forged

    def __getattr__(self, name: str) -> Any:
        assert name in self.ALLOWED, name
        return getattr(self._real, name)

    def evidence(self, event: Event) -> Mapping[str, Any]:
        if event.fact in self._unread:
            raise ReadFailed("the archive does not answer")
        return self._real.evidence(event)

    def events(self, wanted: str) -> Sequence[Event]:
        events = self._real.events(wanted)
        return events[:-1] if self._forged else events


def say(made: Responder, *arguments: str, ledger: ReadOnly | None = None) -> int:
    desk = Desk(open_ledger=lambda table, region: ledger or ReadOnly(made), now=made.clock.now)
    return run([*arguments, "--region", REF.region], desk)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes a playbook, as the trails were made with but for what is said."""

    def written(**said: object) -> str:
        file = tmp_path / "orders.yaml"
        file.write_text(yaml.safe_dump({**AS_IN_THE_TRAIL, **said}))
        return str(file)

    return written


def replayed(made: Responder, **said: Any) -> list[Kind]:
    again = Again(ledger=made.ledger, playbook=playbook(**said))
    return [step.kind for step in again(incident_id(made)).steps]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", ["release-fails-requests", "traffic-spike-at-ceiling", "spike-and-bad-release", "flapping-alarm"]
)
def test_the_same_playbook_decides_the_same(name: str) -> None:
    """Ranking, action, guardrails and outcome of every look, on the evidence of the trail alone."""
    with quiet():
        (scenario,) = load_scenarios([name], playbook=None)
        stage = play(scenario, POLICIES["responder"], 0).stage
        ledger: Ledger = stage.deployment.ledger
        with wire.connected(stage.world, stage.deployment.answering):
            found = [
                step
                for known in scenario.playbooks
                for incident in ledger.incidents_of(known.ref)
                for step in Again(ledger=ledger, playbook=known)(incident.id).steps
            ]
    assert found
    assert {step.kind for step in found} == {Kind.SAME}


def test_nothing_differs(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0, and what was taken as recorded is named."""
    made = responder("auto")
    assert say(made, "replay", incident_id(made), "--playbook", write()) == 0
    out = capsys.readouterr().out
    assert "✓ event 3   act roll-back, bad-release 0.90" in out
    recorded = "As recorded, because the ledger keeps no history of it: "
    assert recorded + "breaker, fleet budget, pause, shared cause, stop." in " ".join(out.split())
    assert "✓ 1 look: 1 the same" in out


def test_what_differs_is_shown_then_and_now(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 3; the guardrail that decides otherwise, and what comes of it."""
    made = responder("observe")
    assert say(made, "replay", incident_id(made), "--playbook", write(mode="auto")) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert "✗ event 3 would act where it stood still: escalate roll-back, bad-release 0.90" in out
    assert "mode no: the service is in mode yes: the service is in mode auto" in out
    assert "nobody can tell" in out


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"mode": "auto"}, Kind.SAME),
        ({"mode": "ask"}, Kind.STANDS_STILL),
        ({"ladders": {"bad-release": ["page"]}}, Kind.STANDS_STILL),
        ({"ladders": {"bad-release": ["force-new-deployment", "page"]}}, Kind.ACTS_OTHERWISE),
        ({"limits": {"attempts_per_incident": 0}}, Kind.STANDS_STILL),
        ({"limits": {"actions_per_hour": 0}}, Kind.STANDS_STILL),
        ({"limits": {"actions_per_hour": 9}}, Kind.SAME),
        ({"confidence": 0.95}, Kind.STANDS_STILL),
        ({"maintenance": [{"every": "day", "from": "00:00", "to": "24:00"}]}, Kind.STANDS_STILL),
    ],
)
def test_what_a_playbook_says_is_decided_again(said: Any, kind: Kind) -> None:
    """Mode, ladders, limits, confidence and windows."""
    made = Responder(playbook=playbook())
    after_bad_release(made)
    made.run()
    assert min(replayed(made, **said)) is kind


@pytest.mark.parametrize("held", ["pause", "stop", "maintenance", "breaker"])
def test_what_the_ledger_keeps_no_history_of_is_as_recorded(held: str) -> None:
    """A pause, a stop, an announced window and a breaker held then; that they are over by now makes no difference."""
    made = Responder(playbook=playbook())
    now = made.clock.now()
    until = now + timedelta(days=1)
    window = Announced(start=now, end=until, by="ann", reason="disks", at=now)
    match held:
        case "pause":
            made.ledger.set_switch(REF, Switch(paused_until=until, by="ann", reason="a test"))
        case "stop":
            made.ledger.set_fleet_switch(FleetSwitch(stopped=True, by="ann", reason="a hunch"))
        case "breaker":
            for earlier in ("inc-1", "inc-2", "inc-3"):
                made.ledger.note_ineffective(REF, earlier, at=now)
        case _:
            made.ledger.set_switch(REF, Switch(maintenance=(window.model_copy(update={"start": until}),)))
    after_bad_release(made)
    if held == "maintenance":
        # It is announced once the incident is open: one that was open before would explain the trouble.
        made.clock.advance(seconds=1)
        here = window.model_copy(update={"start": made.clock.now()})
        made.ledger.set_switch(REF, Switch(maintenance=(here,)))
    made.run(until=StepName.WATCH)
    made.ledger.set_switch(REF, Switch())
    made.ledger.set_fleet_switch(FleetSwitch(stopped=False))
    made.ledger.forget_ineffective(REF)

    (step, *_) = Again(ledger=made.ledger, playbook=made.playbook)(incident_id(made)).steps
    assert step.then.verdicts[held] is False
    assert held in step.as_recorded
    assert step.kind is Kind.SAME


def test_what_nobody_asked_then_is_not_known(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there was no plan, no guardrail was asked: that is said, instead of guessed."""
    made = Responder(playbook=playbook(ladders={"bad-release": ["page"]}))
    after_bad_release(made)
    made.run(until=StepName.WATCH)
    assert say(made, "replay", incident_id(made), "--playbook", write()) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert "would act where it stood still" in out
    assert "? pause: no plan was judged then, and the ledger keeps no history of it; taken as a yes" in out


def test_a_dependency_that_was_not_read_then_is_named(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence is what the playbook of then asked for."""
    made = responder("auto")
    file = write(dependencies=[{"name": "cart-db", "alarm": "cart-db-unreachable"}])
    say(made, "replay", incident_id(made), "--playbook", file)
    assert "? dependencies: cart-db was not read then" in capsys.readouterr().out


def test_earlier_actions_count_by_the_trails_of_their_incidents() -> None:
    """Cooldown and hourly budget look beyond the incident itself."""
    made = Responder(playbook=playbook(limits={"cooldown": 0}))
    after_bad_release(made)
    made.run()
    made.world.ship(V2)
    made.clock.advance(seconds=120)
    raise_alarm(made, 1)
    made.run()
    assert len(made.ledger.incidents_of(REF)) == 2
    assert set(replayed(made, limits={"cooldown": 0})) == {Kind.SAME}
    assert min(replayed(made, limits={"cooldown": 86_400})) is Kind.STANDS_STILL
    assert min(replayed(made, limits={"cooldown": 0, "actions_per_hour": 1})) is Kind.STANDS_STILL


def test_an_answer_of_people_counts_as_it_did() -> None:
    """A plan that was granted is granted again, by the trail."""
    made = Responder(playbook=playbook(mode="ask"))
    made.asked = answering(made, Answer.GRANTED)
    after_bad_release(made)
    made.run()
    assert replayed(made, mode="ask") == [Kind.SAME, Kind.SAME]


def test_evidence_that_cannot_be_read(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Is no evidence: the look is not decided, and the exit status says so."""
    made = responder("auto")
    ledger = ReadOnly(made, unread=[Fact.EVIDENCE_GATHERED])
    assert say(made, "replay", incident_id(made), "--playbook", write(), ledger=ledger) == 1
    assert "? event 3   cannot be decided again" in capsys.readouterr().out


def test_a_broken_trail_is_no_evidence(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is decided on it."""
    made = responder("auto")
    ledger = ReadOnly(made, forged=True)
    assert say(made, "replay", incident_id(made), "--playbook", write(), ledger=ledger) == 2
    assert "the trail is broken, and nothing is decided on it" in capsys.readouterr().err
    assert say(made, "backtest", write(), ledger=ledger) == 1
    assert "1  cannot be read" in capsys.readouterr().out


def test_a_playbook_of_another_service(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Decides nothing here."""
    made = responder("auto")
    assert say(made, "replay", incident_id(made), "--playbook", write(service="cart")) == 2
    assert "is for eu-west-1/shop/orders" in capsys.readouterr().err


@pytest.fixture
def history() -> Responder:
    """Two incidents: one that was acted upon, and one while the switch said to observe."""
    made = Responder(playbook=playbook())
    after_bad_release(made)
    made.run()
    made.clock.advance(seconds=7200)
    made.world.load = 3.0
    made.ledger.set_switch(REF, Switch(mode=Mode.OBSERVE, by="ann"))
    raise_alarm(made, 1)
    made.run(until=StepName.WATCH)
    made.ledger.set_switch(REF, Switch())
    return made


def test_a_whole_history_is_replayed(history: Responder, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What differs is listed, then and now, what would act where it stood still first; what is the same is counted."""
    assert say(history, "backtest", write(mode="observe", ladders={"bad-release": ["roll-back", "page"]})) == 3
    out = capsys.readouterr().out
    assert "! would stand still where it acted, by mode" in out
    assert "then  act: roll back from orders:2" in out
    assert "2 incidents of shop/orders in the last 90d" in out
    assert "1  the same" in out

    assert say(history, "backtest", write(ladders={"bad-release": ["page"]})) == 3
    out = capsys.readouterr().out
    assert out.startswith("✗ would act where it stood still, by mode")
    assert out.index("would act where it stood still") < out.index("! would stand still where it acted, by action")
    assert max(map(len, out.splitlines())) <= 100


def test_a_switch_that_still_says_so_counts(history: Responder) -> None:
    """What an operator set before the look, and nobody changed since, was so then, too."""
    opened = history.ledger.incidents_of(REF)[0].opened_at
    history.ledger.set_switch(REF, Switch(mode=Mode.OBSERVE, by="ann", at=opened))
    assert set(replayed(history)) == {Kind.SAME}


def test_the_history_for_programs(history: Responder, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object: counts of every kind, and each incident with its looks."""
    file = write(ladders={"bad-release": ["page"]})
    assert say(history, "backtest", file, "--json") == 3
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"counts", "incidents", "unread"}
    assert told["counts"]["stands-still"] == 1
    assert sum(told["counts"].values()) == len(told["incidents"]) == 2
    first = told["incidents"][0]
    assert set(first) == {"id", "service", "title", "opened_at", "playbook", "kind", "steps"}
    assert first["kind"] == "acts"
    assert first["steps"][0]["then"]["rung"] == "scale-out"


def test_how_far_is_looked_back(history: Responder, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Incidents from before --since are left out."""
    say(history, "backtest", write(), "--since", "1h")
    assert "1 incident of shop/orders in the last 1h" in capsys.readouterr().out
    say(history, "backtest", write(service="cart"))
    assert "no incidents of shop/cart in the last 90d" in capsys.readouterr().out
