"""Back up first: the rung before another, in whole incidents, and the backups' names."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.actions.action import Refusal
from functions.actions.registry import ACTIONS
from functions.domain.backups import Backups, name_by_hand
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, BackUpTable, Change, ForceNewDeployment, SnapshotDatabase
from functions.domain.errors import ChangeDoubtful, ChangeRefused
from functions.domain.incidents import Fact
from functions.playbooks.schema import Playbook
from functions.workflow.table import StepName
from tests.fakes.engine import Killed, Responder
from tests.fakes.findings import findings, service, terms, without
from tests.unit.workflow.test_incident import assert_sound, playbook, raise_alarm

BACKUPS = {"dynamodb": ["carts", "orders"], "rds": "orders-db"}


def responder() -> Responder:
    """Stuck tasks, and a playbook that wants the data saved before they are replaced."""
    ladders = {"stuck-tasks": ["back-up", "force-new-deployment"]}
    limits = {"actions_per_hour": 9, "attempts_per_incident": 9}
    made = Responder(playbook=playbook(backups=BACKUPS, ladders=ladders, limits=limits))
    made.world.stuck = True
    return made


def saved(made: Responder) -> list[Change]:
    """What one incident backs up."""
    name = f"responder-{made.executions.started[0][0]}"
    tables = [BackUpTable(table=table, backup=name) for table in BACKUPS["dynamodb"]]
    return [*tables, SnapshotDatabase(instance="orders-db", snapshot=name)]


def test_everything_is_saved_and_the_next_rung_follows_at_once() -> None:
    """A backup mends nothing, so nothing is waited for after it."""
    made = responder()
    raise_alarm(made)
    began = made.clock.now()
    made.run(until=StepName.VERIFY)
    assert made.world.changes == [*saved(made), ForceNewDeployment()]
    assert made.path[:5] == [
        "assess:act",
        "remediate:next-stage",
        "remediate:look-again",
        "assess:act",
        "remediate:done",
    ]
    settle = made.playbook.settle_of(ActionName.FORCE_NEW_DEPLOYMENT).first_look
    assert (made.clock.now() - began).total_seconds() < settle + 15
    made.run()
    assert made.path[-1] == "close:resolved"
    assert_sound(made)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_nothing_follows_a_backup_that_was_refused(stage: int) -> None:
    """Whoever wrote it first wants the data saved first: people decide."""
    made = responder()
    raise_alarm(made)

    def refuse(change: Change) -> None:
        if change == saved(made)[stage]:
            made.world.failing_changes.append(ChangeRefused("no"))

    made.world.watching = refuse
    made.run(until=StepName.WATCH)
    assert made.world.changes == saved(made)[:stage]
    assert "back-up: it was not done, and nothing follows without it" in made.notifier.pages[-1].text


def test_a_backup_without_an_answer_is_taken_again() -> None:
    """By its name the second is the first, and only then does something follow."""
    made = responder()
    made.world.lost_answers = [ChangeDoubtful("timed out")]
    raise_alarm(made)
    made.run()
    first, *rest = saved(made)
    assert made.world.changes == [first, first, *rest, ForceNewDeployment()]


def test_a_plan_that_was_interrupted_goes_on() -> None:
    """The service could not be read between two stages: the rest is saved as soon as it can."""
    made = responder()
    raise_alarm(made)

    def throttled(step: StepName) -> None:
        between = step is StepName.REMEDIATE and len(made.world.changes) == 1 and "remediate:differs" not in made.path
        made.world.unreadable = {"service"} if between else set()

    made.run(before=throttled)
    assert "remediate:differs" in made.path
    assert made.world.changes == [*saved(made), ForceNewDeployment()]


@pytest.mark.thorough
@given(st.lists(st.sampled_from(["answered", "refused", "lost on its way", "answer lost", "killed"]), max_size=9))
def test_nothing_is_replaced_before_everything_was_saved(fates: list[str]) -> None:
    """Whatever happens to the backups: every one of them was answered when the next rung is taken."""
    made = responder()
    left = list(fates)
    answered: set[str] = set()

    def kill() -> None:
        raise Killed

    def watching(change: Change) -> None:
        if isinstance(change, ForceNewDeployment):
            said = [
                event.data["change"]["kind"] + str(event.data["change"])
                for event in made.ledger.events(made.executions.started[0][0])
                if event.fact is Fact.ACTION_TAKEN
            ]
            answered.update(said)
            assert len(answered) == len(saved(made))
            return
        match left.pop(0) if left else "answered":
            case "refused":
                made.world.failing_changes.append(ChangeRefused("no"))
            case "lost on its way":
                made.world.failing_changes.append(ChangeDoubtful("timed out"))
            case "answer lost":
                made.world.lost_answers.append(ChangeDoubtful("timed out"))
            case "killed":
                made.world.afterwards.append(kill)

    made.world.watching = watching
    raise_alarm(made)
    for _ in range(4):
        made.run(until=StepName.WATCH, most=2000)
        made.clock.advance(seconds=600)
        made.sweep()
    assert all(made.world.changes.count(change) <= 2 for change in saved(made))
    assert_sound(made)


@pytest.mark.parametrize(
    ("seen", "given_terms"),
    [
        (without(findings(), "service"), terms(backups=Backups(rds="orders-db"), incident_id="inc-1")),
        (findings(service=service(status="DRAINING")), terms(backups=Backups(rds="x"), incident_id="inc-1")),
        (findings(), terms(incident_id="inc-1")),
        (findings(), terms(backups=Backups(), incident_id="inc-1")),
        (findings(), terms(backups=Backups(rds="orders-db"))),
    ],
)
def test_nothing_is_saved_for_nobody(seen: object, given_terms: object) -> None:
    """Without a service, without anything to save, or without an incident to name it after."""
    plan = ACTIONS[ActionName.BACK_UP].plan(Cause.STUCK_TASKS, seen, given_terms)  # type: ignore[arg-type]
    assert isinstance(plan, Refusal)


@given(st.text(max_size=200))
def test_names_by_hand_are_names_that_rds_takes(reason: str) -> None:
    """Letters, digits and single hyphens, not at the end, and no longer than 255."""
    name = name_by_hand(datetime(2026, 11, 21, 3, 15, tzinfo=UTC), reason)
    assert re.fullmatch(r"[a-z](-?[a-z0-9])*", name)
    assert len(name) <= 255
    assert name.startswith("responder-20261121-031500")


def test_a_reason_is_read_in_the_name() -> None:
    """Whoever finds the backup later knows why it is there."""
    name = name_by_hand(datetime(2026, 11, 21, 3, 15, tzinfo=UTC), "Before the 'big' migration: Größe")
    assert name == "responder-20261121-031500-before-the-big-migration-groe"


def test_a_ladder_that_saves_nothing_is_a_mistake() -> None:
    """As is a playbook that names what no table or DB instance is called."""
    for said in (
        {"ladders": {"bad-release": ["back-up", "roll-back"]}},
        {"backups": {"dynamodb": ["a b"]}},
        {"backups": {"rds": "-x"}},
        {"backups": {"s3": "bucket"}},
    ):
        with pytest.raises(ValidationError):
            Playbook.model_validate({"region": "eu-west-1", "cluster": "shop", "service": "orders", **said})
