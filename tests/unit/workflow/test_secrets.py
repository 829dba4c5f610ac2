"""A secret is changed under running tasks: seen at once, acted upon only when the tasks are locked out."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.changes import ForceNewDeployment
from functions.domain.circumstances import LogPattern, SecretFacts
from functions.domain.incidents import Fact, IncidentStatus
from functions.domain.secrets import SecretChange, Store
from functions.workflow.decide import LOOK_SOON_S, YOUNG_AT_MOST
from functions.workflow.table import Outcome, StepName
from functions.workflow.verify import WITHOUT_ALARM
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import assert_sound, facts, playbook

SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:orders/db-AbCdEf"
REFUSED = LogPattern(pattern='FATAL: password authentication failed for user "orders"', count=40)
LATE = timedelta(seconds=40)
"""How long CloudTrail and EventBridge take in these tests."""


def using_a_secret() -> Responder:
    responder = Responder(playbook=playbook())
    responder.world.secrets = (f"{SECRET}:password::",)
    return responder


@pytest.fixture
def responder() -> Responder:
    """A service that names one key of a secret."""
    return using_a_secret()


def change(at: datetime, name: str = "orders/db-AbCdEf") -> SecretChange:
    return SecretChange(store=Store.SECRETS_MANAGER, name=name, at=at, event="PutSecretValue", region=REF.region)


def put(responder: Responder, *, told: bool = True) -> SecretChange:
    """Somebody puts another value, and EventBridge tells it."""
    changed = change(responder.clock.now())
    responder.world.quiet.shown_secrets = {
        f"{SECRET}:password::": SecretFacts(name=SECRET, changed_at=responder.clock.now())
    }
    responder.clock.advance(seconds=LATE.total_seconds())
    if told:
        responder.tell_secret_change(changed)
    return changed


def test_tasks_that_are_locked_out_are_replaced_at_once(responder: Responder) -> None:
    """Error lines tell it before any metric does, and no alarm is waited for."""
    responder.world.quiet.shown_logs = {"patterns": (REFUSED,)}
    put(responder)
    began = responder.clock.now()
    responder.run(until=StepName.VERIFY)
    assert responder.world.changes == [ForceNewDeployment()]
    acted = next(
        event.at
        for incident in responder.ledger.incidents_of(REF)
        for event in responder.ledger.events(incident.id)
        if event.fact is Fact.ACTION_TAKEN
    )
    assert acted - began < timedelta(seconds=LOOK_SOON_S)
    responder.run()
    (incident,) = responder.ledger.incidents_of(REF)
    assert (incident.status, incident.title) == (IncidentStatus.RESOLVED, "secret orders/db-AbCdEf was changed")
    assert_sound(responder)


def test_after_the_restart_it_is_waited_until_the_service_is_steady(responder: Responder) -> None:
    """While fresh tasks still come up nothing is over, and then not before they were steady for five minutes."""
    world = responder.world
    world.quiet.shown_logs = {"patterns": (REFUSED,)}
    steady_at: list[datetime] = []

    def comes_up() -> None:
        world.rollout, world.running = "IN_PROGRESS", 1

    def goes_on(step: StepName) -> None:
        begun = world.deployed_at
        if world.rollout == "IN_PROGRESS" and begun and responder.clock.now() - begun >= timedelta(minutes=5):
            world.rollout, world.running = "COMPLETED", world.desired
            world.quiet.shown_logs = {}
            steady_at.append(responder.clock.now())

    world.afterwards.append(comes_up)
    put(responder)
    responder.run(before=goes_on)
    (incident,) = responder.ledger.incidents_of(REF)
    assert world.changes == [ForceNewDeployment()]
    assert responder.path[-2:] == ["verify:recovered", "close:resolved"]
    assert incident.closed_at is not None
    assert incident.closed_at - steady_at[0] >= WITHOUT_ALARM
    assert_sound(responder)


def test_a_change_that_locks_nobody_out_is_for_the_record_alone(responder: Responder) -> None:
    """It is looked at often for two minutes, and then closes: no letter, no action."""
    put(responder)
    began = responder.clock.now()
    responder.run()
    looks = [outcome for step, outcome in responder.visited if step is StepName.ASSESS]
    assert set(looks[:-1]) == {Outcome.WAIT}
    assert looks[-1] is Outcome.ALL_CLEAR
    assert len(looks) >= YOUNG_AT_MOST.seconds // (LOOK_SOON_S + 5)
    assert YOUNG_AT_MOST <= responder.clock.now() - began < YOUNG_AT_MOST + timedelta(seconds=3 * LOOK_SOON_S)
    assert responder.notifier.pages == []
    assert responder.world.changes == []
    assert facts(responder)[-1] is Fact.INCIDENT_RESOLVED
    assert_sound(responder)


def test_what_shows_within_the_two_minutes_is_acted_upon(responder: Responder) -> None:
    """Pools keep old connections for a while; the first ones that are refused show at the next look."""
    put(responder)
    shows = responder.clock.now() + timedelta(seconds=60)

    def refuses(step: StepName) -> None:
        if responder.clock.now() >= shows:
            responder.world.quiet.shown_logs = {"patterns": (REFUSED,)}

    responder.run(before=refuses, until=StepName.REMEDIATE)
    assert responder.clock.now() - shows <= timedelta(seconds=LOOK_SOON_S + 5)


@pytest.mark.parametrize("unread", ["errors", "secrets"])
def test_what_cannot_be_read_is_no_reason_to_act(responder: Responder, unread: str) -> None:
    """Nor to call anybody, while no metric shows anything."""
    responder.world.quiet.shown_logs = {"patterns": (REFUSED,)}
    put(responder, told=False)
    responder.world.quiet.unreadable = {unread}
    responder.tell_secret_change(change(responder.clock.now() - LATE))
    responder.run()
    assert responder.world.changes == []
    assert responder.notifier.pages == []


def test_error_lines_of_before_the_change_do_not_count(responder: Responder) -> None:
    """Logs are read from the change on."""
    changed = put(responder)
    responder.run(until=StepName.VERIFY)
    ((since, _),) = [about[1:] for call, about in responder.world.quiet.asked if call == "errors"]  # type: ignore[index]
    assert since == changed.at


def test_only_tasks_that_are_older_than_the_change_are_concerned(responder: Responder) -> None:
    """Those that started since have read the new value."""
    changed_at = responder.clock.now()
    responder.clock.advance(seconds=10)
    responder.world.ship(responder.world.task_definition)
    assert responder.tell_secret_change(change(changed_at)).services == ()
    assert responder.ledger.incidents_of(REF) == ()


def test_nobody_elses_secret_opens_anything(responder: Responder) -> None:
    """The task definition says whose it is; another Region has secrets of the same name."""
    now = responder.clock.now()
    elsewhere = change(now).model_copy(update={"region": "eu-west-2"})
    for foreign in (change(now, "pay/db-AbCdEf"), elsewhere):
        assert responder.tell_secret_change(foreign).services == ()
    assert responder.ledger.incidents_of(REF) == ()


def test_a_name_that_looks_like_a_credential_is_compared_but_not_shown(responder: Responder) -> None:
    """Names are free text of others, too."""
    name = "orders/api-token=AKIA-AbCdEf"
    responder.world.secrets = (SECRET.replace("orders/db-AbCdEf", name),)
    concerned = responder.tell_secret_change(change(responder.clock.now(), name))
    assert concerned.services == (REF.key,)
    (incident,) = responder.ledger.incidents_of(REF)
    assert "AKIA" not in incident.title + concerned.secret


@pytest.mark.parametrize("unread", ["tasks", "definition"])
def test_a_service_that_cannot_be_read_is_told_of(responder: Responder, unread: str) -> None:
    """In the log line: it is neither concerned nor known not to be."""
    responder.world.unreadable = {unread}
    concerned = responder.tell_secret_change(change(responder.clock.now()))
    assert (concerned.services, len(concerned.unread)) == ((), 1)
    assert responder.ledger.incidents_of(REF) == ()


@given(st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=12))
def test_however_often_it_is_told_one_change_is_one_signal(seconds: list[int]) -> None:
    """Twice, late, or in another order: as many signals as there were changes, in one incident with one execution."""
    responder = using_a_secret()
    first = responder.clock.now()
    responder.clock.advance(seconds=60)
    for second in seconds:
        responder.tell_secret_change(change(first + timedelta(seconds=second)))
    (incident,) = responder.ledger.incidents_of(REF)
    assert len(responder.ledger.inbox(incident.id)) == len(set(seconds))
    assert len(responder.executions.started) == 1
