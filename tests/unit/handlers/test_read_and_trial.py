"""The functions behind the HTTP API: each parses, makes one call, and answers in JSON."""

import json

import pytest

from functions import bootstrap
from functions.diagnostics.registry import PROBES
from functions.domain.errors import NotNamed
from functions.domain.findings import Findings
from functions.domain.orders import Order, Ordered
from functions.domain.trials import Load, RunState
from functions.handlers import read, trial
from functions.workflow.api.inspect import Inspect
from functions.workflow.orders import Reply
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.handlers.api.conftest import playbook
from tests.unit.handlers.context import context
from tests.unit.workflow.test_incident import raise_alarm
from tests.unit.workflow.test_trials import Trial, load


@pytest.fixture
def responder(monkeypatch: pytest.MonkeyPatch) -> Responder:
    made = Responder(playbook=playbook())
    inspect = Inspect(
        ledger=made.ledger,
        readers=made.world.readers,
        clock=made.clock,
        probes=PROBES,
        playbooks={made.playbook.ref.key: made.playbook},
    )
    monkeypatch.setitem(bootstrap._built, "inspect", inspect)
    return made


def test_whoever_inspects_sees_what_a_lease_keeps_running(responder: Responder) -> None:
    """As an assessment does: tasks that the responder asked for are told to be waste by neither."""
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.run(until=StepName.RESTORE)
    found = Findings.from_json(read.handler({"service": REF.key, "probes": ["budget"]}, context("read")))
    assert found.budget.value is not None
    assert found.budget.value.held == responder.world.minimum == 4


def test_only_what_is_asked_for_is_read(responder: Responder) -> None:
    """With what it needs; the rest stays unread."""
    said = read.handler({"service": REF.key, "probes": ["targets"]}, context("read"))
    found = Findings.from_json(json.loads(json.dumps(said)))
    assert found.targets.known
    assert found.service.known
    assert not found.metrics.known


def test_without_a_name_everything_is_read(responder: Responder) -> None:
    """Every probe there is."""
    said = read.handler({"service": REF.key, "probes": []}, context("read"))
    found = Findings.from_json(said)
    assert [name for name in PROBES if not getattr(found, name).known] == []


def test_a_look_writes_nothing(responder: Responder) -> None:
    """Neither an incident nor a release."""
    read.handler({"service": REF.key, "probes": []}, context("read"))
    assert not responder.ledger.open_incidents()
    assert not responder.ledger.releases(REF)


@pytest.mark.parametrize(
    "event", [{"service": "eu-west-1/shop/other", "probes": []}, {"service": REF.key, "probes": ["everything"]}]
)
def test_what_is_not_named_is_not_read(responder: Responder, event: dict[str, object]) -> None:
    """A service without a playbook, a probe that there is not."""
    with pytest.raises(NotNamed):
        read.handler(event, context("read"))


def test_an_order_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the use case that the desk has, too."""
    tried: list[Order] = []

    def try_order(ref: object, order: Order) -> Reply:
        tried.append(order)
        return Reply.model_validate({"state": "allowed"})

    monkeypatch.setitem(bootstrap._built, "try_order", try_order)
    order = Order(what=Ordered.ROLL_BACK, by="ann", reason="errors")
    said = read.handler({"service": REF.key, "order": order.model_dump(mode="json")}, context("read"))
    assert (tried, said["state"]) == ([order], "allowed")


def test_checks_are_made_or_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the event says."""
    made = Trial()
    monkeypatch.setitem(bootstrap._built, "make_trial", made.make)
    said = trial.handler({"service": REF.key, "whole": True}, context("trial"))
    assert {each["check"] for each in said["checks"]} == {"pools", "cron", "front"}
    ordered: Load = load("https://www.example.com/")
    said = trial.handler({"load": ordered.model_dump(mode="json")}, context("trial"))
    assert said == {"run": ordered.id, "state": RunState.DONE}
