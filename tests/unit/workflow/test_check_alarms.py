"""Incidents whose only alarm is one on a synthetic check: nothing else measures what is wrong."""

import pytest

from functions.domain.changes import SetTaskDefinition
from functions.domain.incidents import IncidentStatus
from functions.playbooks.schema import Playbook
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V1, V2

ALARM = "responder-shop-orders-check-pool-health"
SENTENCE = f"the metric of alarm {ALARM} breaches: https://shop.example.com/pools has to answer 200 within 5 s"


@pytest.fixture
def responder() -> Responder:
    return Responder(
        playbook=Playbook.model_validate(
            {
                "region": REF.region,
                "cluster": REF.cluster,
                "service": REF.service,
                "mode": "auto",
                "severity": "P1",
                "alarms": [{"check": "pool-health", "url": "https://shop.example.com/pools", "severity": "P4"}],
            }
        )
    )


def good_for_an_hour(responder: Responder) -> None:
    responder.bake()
    responder.clock.advance(seconds=3600)
    responder.bake()


def go_off(responder: Responder) -> str:
    assert responder.world.settle_alarm()
    responder.clock.advance(seconds=2)
    (opened,) = responder.intake(alarm_signal(alarm=ALARM))
    assert opened.incident_id is not None
    return opened.incident_id


def test_a_release_that_fails_a_check_is_rolled_back(responder: Responder) -> None:
    """The check failed with the release: its metric is as good a symptom as any, and says when all is well again."""
    good_for_an_hour(responder)
    responder.world.fails_check.add(V2)
    responder.world.ship(V2)
    responder.clock.advance(seconds=240)
    go_off(responder)
    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    assert responder.path[-2:] == ["verify:recovered", "close:resolved"]


def test_a_failing_check_alone_is_for_people(responder: Responder) -> None:
    """Nothing else is wrong and nobody changed anything: no cause fits, and the page says what was demanded."""
    good_for_an_hour(responder)
    responder.world.fails_check.add(V1)
    incident_id = go_off(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    (page,) = responder.notifier.pages
    assert page.subject.startswith("[page P4] orders: unknown")
    assert SENTENCE in page.text
    assert responder.ledger.incident(incident_id).status is IncidentStatus.OPEN


def test_an_alarm_that_its_check_does_not_bear_out_is_stood_down(responder: Responder) -> None:
    """Somebody set its state, or it counted minutes in which nobody looked: nothing is done."""
    good_for_an_hour(responder)
    responder.world.faked_alarm = True
    go_off(responder)
    responder.run(until=StepName.WATCH)
    assert responder.path == ["assess:stand-down"]
    assert responder.world.changes == []
    assert responder.notifier.pages == []
