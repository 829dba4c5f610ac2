"""What alarms and the dashboard of the fleet read is what the functions write."""

import json
from collections.abc import Iterator

import pytest

from functions import bootstrap
from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.counts import BY, NAMESPACE, OTHER, SERVICE, Count, counted
from functions.domain.errors import LedgerError
from functions.domain.incidents import Fact, NewEvent
from functions.handlers import api, check, intake, sweep
from functions.observability import counting
from functions.workflow.checks import Round
from functions.workflow.inbox import received
from functions.workflow.intake import Intake
from functions.workflow.sweep import Swept
from functions.workflow.table import StepName
from tests.fakes.api import event
from tests.fakes.clock import FakeClock
from tests.fakes.engine import Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, FakeExecutions
from tests.unit.handlers.context import context
from tests.unit.handlers.test_intake import PLAYBOOK, batch
from tests.unit.workflow.test_heartbeat import beat
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tools.chaos import samples


def written(capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, frozenset[str], list[float]]]:
    """Name, dimensions and values of each metric, as the embedded metric format prints them."""
    for line in capsys.readouterr().out.splitlines():
        said = json.loads(line) if '"_aws"' in line else {"_aws": {"CloudWatchMetrics": []}}
        for each in said["_aws"]["CloudWatchMetrics"]:
            assert each["Namespace"] == NAMESPACE
            assert said["service"] == SERVICE
            (dimensions,) = each["Dimensions"]
            for metric in each["Metrics"]:
                yield metric["Name"], frozenset(dimensions), said[metric["Name"]]


class Broken(MemoryLedger):
    def record_signal(self, *_: object, **__: object) -> object:  # type: ignore[override]
        raise LedgerError("the table cannot be reached")


def test_every_metric_is_written_by_somebody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rollback that works, a page, a heartbeat, a sweep, and each thing that can go wrong: all, and no other."""
    of, paged = Responder(playbook=playbook()), Responder(playbook=playbook(mode="observe"))
    for each in (of, paged):
        after_bad_release(each)
        each.run(until=StepName.END if each is of else StepName.WATCH)
    beat(of)
    of.run()
    for each in (of, paged):
        for incident_id in {incident for incident, _, _ in each.executions.started}:
            counting(lambda: ["orders-5xx"])(each.ledger.incident(incident_id), each.ledger.events(incident_id))

    monkeypatch.setattr(bootstrap, "sweep", lambda: lambda: Swept(open=1, overdue=1, fleet_actions=1))
    sweep.handler({}, context("sweep"))
    monkeypatch.setattr(bootstrap, "run_checks", lambda: lambda: Round(fine=0, not_made={"a": "no secret"}))
    check.handler({}, context("check"))
    for ledger in (MemoryLedger(clock=FakeClock()), Broken(clock=FakeClock())):
        step = Intake(
            ledger=ledger,
            executions=FakeExecutions(),
            addressees=lambda signal: [PLAYBOOK.addressee],
            account=samples.ACCOUNT,
        )
        monkeypatch.setattr(bootstrap, "intake", lambda step=step: step)
        intake.handler(batch("{broken", samples.alarm_event()), context("intake"))
    monkeypatch.setattr(bootstrap, "records", lambda: None)
    assert api.handler(event("GET", "/api/v1/incidents/inc-1"), context("api"))["statusCode"] == 500

    found = {(name, dimensions) for name, dimensions, _ in written(capsys)}
    assert found == {(count.value, frozenset({"service"} | ({BY[count]} if count in BY else set()))) for count in Count}


def test_whoever_sends_messages_makes_no_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    """A metric for each name that somebody made up would cost: alarms that no playbook names are one."""
    for alarm, expected in (("orders-5xx", "orders-5xx"), ("made-up-4711", OTHER)):
        ledger = MemoryLedger(clock=FakeClock())
        opening = ledger.record_signal(alarm_signal(alarm=alarm), REF, may_open=True)
        assert opening.incident_id is not None
        head = ledger.incident(opening.incident_id)
        ledger.append(head, received(ledger.inbox(head.id)), step="assess")
        (line,) = counted(head, ledger.events(head.id)[-1], alarms=lambda: ["orders-5xx"])
        assert (line.count, line.of) == (Count.ALARMS_RAISED, expected)


def test_nothing_in_an_incident_waits_for_a_count(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be counted is one line in the log: what was written stands, and the step goes on."""
    ledger = MemoryLedger(clock=FakeClock())
    opening = ledger.record_signal(alarm_signal(), REF, may_open=True)
    assert opening.incident_id is not None
    head = ledger.incident(opening.incident_id)
    nonsense = NewEvent(fact=Fact.SIGNAL_RECEIVED, actor="x", summary="x", data={"signal": {"kind": "nonsense"}})
    ledger.append(head, [nonsense], step="assess")
    counting(list)(head, ledger.events(head.id))
    assert [record.message for record in caplog.records] == ["not counted"]
