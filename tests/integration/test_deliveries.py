"""Ten thousand messages for a thousand services, duplicated, late and out of order: one incident for each fault."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.incidents import Fact, IncidentStatus, NewEvent, verify_trail
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState, Signal
from functions.handlers.signals import read_message
from functions.playbooks.schema import Playbook
from functions.workflow.intake import Intake
from tests.fakes.clock import FakeClock
from tests.fakes.world import FakeExecutions
from tools.drill.world.alarms import Alarm
from tools.drill.world.messages import alarm_by_eventbridge, alarm_by_sns
from tools.drill.world.setting import Setting
from tools.drill.world.world import World

WHERE = {"account": "111122223333", "region": "eu-central-1"}
HOUR = 3600
SOON_S, LATE_S = 600, 24 * HOUR
"""How late the first copy of a message comes at the most, and all others."""
BETWEEN_S = 3 * HOUR
"""From one fault of a service to its next: the incident is closed by then."""

NOTE = NewEvent(fact=Fact.LOOKED_AGAIN, actor="watch", summary="looked")
CLOSED = NewEvent(fact=Fact.INCIDENT_RESOLVED, actor="close", summary="it is well again")

Delivery = tuple[float, str, str]
"""When, for which service, and the body."""


def an_alarm() -> Alarm:
    """One as CloudWatch has it."""
    service = {
        "name": "any",
        "tasks": 1,
        "traffic": {"base_rps": 1},
        "alarms": [{"name": "any-5xx", "symptom": "errors", "threshold": 5}],
    }
    return World(Setting.model_validate({"services": [service]}), seed=0).alarms["any-5xx"]


def of_service(model: Alarm, name: str) -> Alarm:
    arn = f"arn:aws:cloudwatch:{WHERE['region']}:{WHERE['account']}:alarm:{name}"
    definition = {**model.definition, "AlarmName": name, "AlarmArn": arn}
    return dataclasses.replace(model, name=name, definition=definition, history=[])


def deliveries(alarm: Alarm, service: str, faults: int, chance: Random) -> Iterator[Delivery]:
    """Every copy of every message of one service, in the order in which CloudWatch has them sent."""
    began, at_s = alarm.changed_at, 0.0
    states = [(at_s, "INSUFFICIENT_DATA", "OK")]
    for _ in range(faults):
        at_s += BETWEEN_S
        states += [(at_s, "OK", "ALARM"), (at_s + chance.uniform(60, 1800), "ALARM", "OK")]
    for changed_s, previous, state in states:
        alarm.state = previous
        alarm.set(state, f"Threshold Crossed: {chance.random():.6f}", began + timedelta(seconds=changed_s))
        copies = [
            *(json.dumps(alarm_by_sns(alarm, previous=previous, id=f"{service}-{changed_s}", **WHERE)),) * 2,
            json.dumps(alarm_by_eventbridge(alarm, previous=previous, id=f"{service}-{changed_s}-e", **WHERE)),
            *(json.dumps(alarm_by_sns(alarm, previous=previous, id=f"{service}-{changed_s}", **WHERE)),)
            * chance.randrange(3),
        ]
        chance.shuffle(copies)
        first, *others = copies
        yield changed_s + chance.uniform(0, SOON_S), service, first
        for copy in others:
            yield changed_s + chance.uniform(0, chance.choice((SOON_S, LATE_S))), service, copy


def told(body: str) -> list[Signal]:
    return [outcome for outcome in read_message(body) if isinstance(outcome, Signal)]


@pytest.mark.parametrize(
    ("services", "seed"),
    [(50, 1), (50, 2), pytest.param(1000, 3, marks=pytest.mark.long)],
)
def test_each_fault_has_exactly_one_incident(services: int, seed: int) -> None:
    """However often, however late and in whatever order its messages come, and no state change is in an inbox twice. An
    OK that overtakes its ALARM is in none: what the alarm says now is read anyway."""
    chance, clock = Random(seed), FakeClock()
    model, began = an_alarm(), clock.now()
    names = [f"service-{n}" for n in range(services)]
    ledger, executions = MemoryLedger(clock=clock), FakeExecutions()
    intake = Intake(
        ledger=ledger,
        executions=executions,
        addressees=lambda signal: [a_playbook(name).addressee for name in names],
        account=WHERE["account"],
    )
    faults = {name: chance.randrange(3) for name in names}
    sent = [each for name in names for each in deliveries(of_service(model, f"{name}-5xx"), name, faults[name], chance)]
    assert len(sent) >= 10 * services
    closing: list[tuple[float, str, str]] = [
        ((fault + 1) * BETWEEN_S + 2 * HOUR, name, "") for name in names for fault in range(faults[name])
    ]

    for at_s, name, body in sorted([*sent, *closing]):
        clock.advance(seconds=(began + timedelta(seconds=at_s) - clock.now()).total_seconds())
        if body:
            for signal in told(body):
                intake(signal)
        else:
            close(ledger, name)

    assert dict(Counter(i.service.service for i in all_of(ledger, names))) == {n: f for n, f in faults.items() if f}
    for incident in all_of(ledger, names):
        assert incident.status is IncidentStatus.RESOLVED
        signals = [entry.signal for entry in ledger.inbox(incident.id)]
        assert len({signal.dedupe_key for signal in signals}) == len(signals)
        assert [signal.state for signal in signals].count(AlarmState.ALARM) == 1
        verify_trail(ledger.events(incident.id), head_sequence=incident.head_sequence, head_hash=incident.head_hash)
    assert {name for name, _, _ in executions.started} == {incident.id for incident in all_of(ledger, names)}


def a_playbook(name: str) -> Playbook:
    return Playbook.model_validate(
        {"region": WHERE["region"], "cluster": "shop", "service": name, "alarms": [{"existing": f"{name}-5xx"}]}
    )


def ref_of(name: str) -> ServiceRef:
    return ServiceRef(region=WHERE["region"], cluster="shop", service=name)


def close(ledger: MemoryLedger, name: str) -> None:
    """What the workflow does once a service is well: see every signal, then resolve."""
    holder = ledger.lock_holder(ref_of(name))
    assert holder is not None, f"the fault of {name} has no incident"
    seen = len(ledger.inbox(holder))
    ledger.resolve(ledger.append(ledger.incident(holder), [NOTE], step="watch", signals_seen=seen), CLOSED)


def all_of(ledger: MemoryLedger, names: list[str]) -> list[Any]:
    return [incident for name in names for incident in ledger.incidents_of(ref_of(name))]
