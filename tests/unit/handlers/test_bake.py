"""The function `bake`: what its schedule and its rules wake it for."""

import pytest

from functions import bootstrap
from functions.domain.secrets import SecretChange
from functions.domain.signals import Signal
from functions.handlers import bake
from functions.workflow.bake import Baked
from functions.workflow.secrets import Concerned
from functions.workflow.threats import Threatened
from tests.unit.handlers.context import context
from tools.chaos import samples


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the function was woken for, by what it called."""
    called: list[object] = []

    def rounds() -> Baked:
        called.append("round")
        return Baked()

    def tell(change: SecretChange) -> Concerned:
        called.append(change.name)
        return Concerned(secret=change.name, services=("eu-central-1/shop/orders",))

    def threat(signal: Signal) -> Threatened:
        called.append(signal.names)
        return Threatened(finding=signal.title)

    monkeypatch.setattr(bootstrap, "tell_threat", lambda: threat)
    monkeypatch.setattr(bootstrap, "bake", lambda: rounds)
    monkeypatch.setattr(bootstrap, "tell_secret_change", lambda: tell)
    return called


def test_the_schedule_and_a_deployment_bring_a_round(told: list[object]) -> None:
    """What they send is not looked at."""
    for event in ({}, samples.deployment_event("SERVICE_DEPLOYMENT_COMPLETED")):
        bake.handler(event, context("bake"))
    assert told == ["round", "round"]


def test_a_changed_secret_brings_no_round(told: list[object]) -> None:
    """It asks whom it concerns, and nothing else."""
    answer = bake.handler(samples.secret_event(), context("bake"))
    assert told == ["orders/db-AbCdEf"]
    assert answer["services"] == ["eu-central-1/shop/orders"]


def test_a_finding_about_a_role_brings_no_round(told: list[object]) -> None:
    """Whose role it is, is all that is asked; one about a task is for the queue, and one that is broken is a line."""
    answer = bake.handler(samples.finding_event(samples.ROLE_USED), context("bake"))
    assert told == [("orders-task",)]
    assert answer["finding"].startswith("GuardDuty: ")
    assert (
        "severity" in bake.handler(samples.finding_event(samples.ROLE_USED, severity=None), context("bake"))["refused"]
    )
    assert told == [("orders-task",)]


def test_a_bad_event_is_one_line_in_the_log(told: list[object], caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is raised: an event that nobody can read is not better the second time."""
    bake.handler(samples.secret_event(eventTime=None) | {"time": None}, context("bake"))
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (line.message, told) == ("event rejected", [])
    assert "does not say when" in line.__dict__["reason"]


def test_what_changes_no_value_is_left_alone(told: list[object]) -> None:
    """A tag, for example."""
    assert bake.handler(samples.secret_event("TagResource"), context("bake")) == {}
    assert told == []
