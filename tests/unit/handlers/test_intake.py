"""The intake function: what it keeps of a batch, what it hands back to the queue, and what it leaves in the log."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from functions import bootstrap
from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.errors import LedgerError, ReadFailed
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal
from functions.handlers import forward, intake
from functions.playbooks.schema import Playbook
from functions.ports import Ahead, Opening
from functions.workflow.intake import Intake
from tests.fakes.clock import FakeClock
from tests.fakes.world import FakeExecutions
from tests.unit.handlers.context import context
from tools.chaos import samples

PLAYBOOK = Playbook.model_validate({"region": samples.REGION, "cluster": "shop", "service": "orders"})


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> FakeExecutions:
    """The real intake around a ledger in memory."""
    started = FakeExecutions()
    step = Intake(
        ledger=MemoryLedger(clock=FakeClock()),
        executions=started,
        addressees=lambda signal: [PLAYBOOK.addressee],
        account=samples.ACCOUNT,
    )
    monkeypatch.setattr(bootstrap, "intake", lambda: step)
    return started


def batch(*bodies: object) -> dict[str, Any]:
    """An SQS event with these messages, numbered from 0."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{samples.REGION}:{samples.ACCOUNT}:intake",
                "awsRegion": samples.REGION,
            }
            for number, body in enumerate(bodies)
        ]
    }


def failed(answer: Mapping[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def emitted(capsys: pytest.CaptureFixture[str], metric: str) -> list[list[float]]:
    """The values of a metric, as the embedded metric format prints them."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [line[metric] for line in lines if metric in line]


def test_the_good_records_of_a_batch_are_kept(executions: FakeExecutions, caplog: pytest.LogCaptureFixture) -> None:
    """One broken, one foreign, two good: only the broken one goes back to the queue, with its reason in the log."""
    answer = intake.handler(
        batch(samples.alarm_event(), "{broken", {"hello": "world"}, samples.alarm_event()), context("intake")
    )
    assert failed(answer) == ["message-1"]
    assert len(executions.started) == 1
    (rejected,) = [vars(record) for record in caplog.records if record.levelname == "ERROR"]
    assert rejected["message_id"] == "message-1"
    assert "broken JSON" in rejected["reason"]


@pytest.mark.parametrize(("metric", "counts"), [("SignalsRejected", [[1.0]]), ("SignalsRecorded", [[1.0]])])
def test_what_is_kept_and_what_is_rejected_is_counted(
    executions: FakeExecutions, capsys: pytest.CaptureFixture[str], metric: str, counts: list[list[float]]
) -> None:
    """Alarms look at these numbers."""
    intake.handler(batch("{broken", samples.alarm_event()), context("intake"))
    assert emitted(capsys, metric) == counts


def test_what_cannot_be_taken_in_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The function answers the batch all the same, so that Lambda counts no error: the alarm stands on this number."""

    def down(signal: object) -> None:
        raise LedgerError("the table cannot be reached")

    monkeypatch.setattr(bootstrap, "intake", lambda: down)
    answer = intake.handler(batch(samples.alarm_event(), samples.heartbeat_event()), context("intake"))
    assert failed(answer) == ["message-0", "message-1"]
    assert emitted(capsys, "SignalsNotTaken") == [[1.0, 1.0]]


class Faltering(MemoryLedger):
    """Cannot record what one alarm says, nor read ahead."""

    def look_ahead(self, signals: Sequence[tuple[Signal, ServiceRef]]) -> Ahead:
        raise LedgerError("the table is busy")

    def record_signal(self, signal: Signal, ref: ServiceRef, *, may_open: bool, ahead: Ahead | None = None) -> Opening:
        if signal.alarm == "orders-5xx":
            raise LedgerError("the table is busy")
        return super().record_signal(signal, ref, may_open=may_open, ahead=ahead)


def test_what_cannot_be_recorded_keeps_back_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """One record of the batch goes back to the queue; the others are taken in, though nothing could be read ahead."""
    ledger, executions = Faltering(clock=FakeClock()), FakeExecutions()
    step = Intake(
        ledger=ledger, executions=executions, addressees=lambda signal: [PLAYBOOK.addressee], account=samples.ACCOUNT
    )
    monkeypatch.setattr(bootstrap, "intake", lambda: step)
    names = ("orders-cpu", "orders-5xx", "orders-memory")

    answer = intake.handler(
        batch(*(samples.alarm_event(samples.alarm_detail(name=name)) for name in names)), context("intake")
    )

    assert failed(answer) == ["message-1"]
    ((incident, _, _),) = executions.started
    assert [entry.signal.alarm for entry in ledger.inbox(incident)] == ["orders-cpu", "orders-memory"]


def test_an_execution_that_could_not_be_started_is_started_by_who_comes_next(
    executions: FakeExecutions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch starts an execution once for all signals of an incident; a failed start counts as none."""
    tried: list[str] = []
    start = executions.start

    def falter(incident: str, generation: int, *, step: str = "assess") -> bool:
        tried.append(incident)
        if len(tried) == 1:
            raise ReadFailed("the workflow does not answer")
        return start(incident, generation, step=step)

    monkeypatch.setattr(executions, "start", falter)
    names = ("orders-cpu", "orders-5xx", "orders-memory")
    bodies = [samples.alarm_event(samples.alarm_detail(name=name)) for name in names]

    assert failed(intake.handler(batch(*bodies), context("intake"))) == ["message-0"]
    assert len(tried) == 2
    assert failed(intake.handler(batch(bodies[0]), context("intake"))) == []
    assert len(tried) == 3


def test_a_batch_of_nothing_but_broken_records_goes_back_whole(executions: FakeExecutions) -> None:
    """Each by its own name: the function itself does not fail."""
    assert failed(intake.handler(batch("{broken", "["), context("intake"))) == ["message-0", "message-1"]
    assert executions.started == []


def test_a_message_of_several_parts_keeps_the_good_ones(executions: FakeExecutions) -> None:
    """The queue keeps the message for its bad part; the good one is taken in all the same, and only once."""
    message = {"Records": [{"Sns": {"Message": json.dumps(samples.alarm_event())}}, {"Sns": {"Message": "{broken"}}]}
    for _ in range(3):
        assert failed(intake.handler(batch(message), context("intake"))) == ["message-0"]
    assert len(executions.started) == 1


def test_an_alarm_that_calls_lambda_itself_is_put_on_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unread: intake alone judges it."""
    sent: list[Mapping[str, Any]] = []
    monkeypatch.setattr(bootstrap, "forward", lambda: sent.append)
    event = samples.lambda_action()
    forward.handler(event, context("forward"))
    assert sent == [event]
