"""The heartbeat: it comes back resolved, concerns nobody, and does not come back where something on its way is down."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.counts import Count, counted
from functions.domain.errors import LedgerError, ReadFailed
from functions.domain.heartbeat import HEARTBEAT, RETURNS_WITHIN_S
from functions.domain.incidents import IncidentStatus
from functions.domain.services import ServiceRef
from functions.domain.signals import Signal, SignalKind
from functions.handlers.signals import read_message
from functions.ports import Ahead, Opening
from functions.workflow.intake import Intake
from functions.workflow.table import StepName
from tests.fakes.engine import Killed, Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import playbook
from tools.chaos.samples import heartbeat_event

EVERYTHING = {"service", "tasks", "targets", "alarms", "series", "service_deployments", "scaling"}
"""What can be read of AWS."""


def responder() -> Responder:
    return Responder(playbook=playbook())


def beat(of: Responder, *, ago_s: float = 0) -> str:
    """Send one, as it would be sent so long ago; the id of its incident."""
    signal = Signal(kind=SignalKind.HEARTBEAT, occurred_at=of.clock.now() - timedelta(seconds=ago_s))
    (opening,) = of.intake(signal)
    assert opening.incident_id is not None
    return opening.incident_id


def counts(of: Responder, incident_id: str) -> dict[Count, float]:
    head = of.ledger.incident(incident_id)
    found = (each for event in of.ledger.events(incident_id) for each in counted(head, event, alarms=tuple))
    return {each.count: each.value for each in found}


def test_it_comes_back_resolved() -> None:
    """Through assess and close alone, with the time it took; and the next one is another."""
    of = responder()
    sent = beat(of)
    of.run()

    assert of.path == ["assess:all-clear", "close:returned"]
    assert of.ledger.incident(sent).status is IncidentStatus.RESOLVED
    assert of.ledger.lock_holder(HEARTBEAT) is None
    assert counts(of, sent) == {Count.HEARTBEAT_SECONDS: 1.0}
    of.clock.advance(seconds=900)
    assert beat(of) != sent


def test_it_looks_at_nothing_changes_nothing_and_tells_nobody() -> None:
    """No call of AWS, no page, no report; one object in the archive, the same each time."""
    of = responder()
    of.world.unreadable |= EVERYTHING
    for _ in range(3):
        beat(of)
        of.run()
        of.clock.advance(seconds=900)
    assert of.world.changes == []
    assert of.notifier.pages == []
    assert of.second.pages == []
    assert [url for url in of.archive.documents if "heartbeat" in url] == [of.archive.url("heartbeat/last.jsonl")]
    assert not [url for url in of.archive.documents if "report" in url]


def test_no_list_of_incidents_has_it() -> None:
    """Digests, times to recover and the API count incidents of services alone."""
    of = responder()
    sent = beat(of)
    assert of.ledger.open_incidents() == ()
    of.run()
    now = of.clock.now()
    assert of.ledger.incidents_between(now - timedelta(days=1), now) == of.ledger.incidents_of(HEARTBEAT) == ()
    assert of.ledger.incident(sent).id.startswith("heartbeat-")


@pytest.mark.parametrize("late_s", [RETURNS_WITHIN_S + 1, 4 * 86_400, -3600])
def test_one_that_comes_back_late_does_not_count(late_s: float) -> None:
    """A queue that was full for days is no responder that works, and a time in the future is none."""
    of = responder()
    sent = beat(of, ago_s=late_s)
    of.run()
    assert of.ledger.incident(sent).status is IncidentStatus.RESOLVED
    assert Count.HEARTBEAT_SECONDS not in counts(of, sent)


class Down(MemoryLedger):
    """A table that takes nothing."""

    def record_signal(self, signal: Signal, ref: ServiceRef, *, may_open: bool, ahead: Ahead | None = None) -> Opening:
        raise LedgerError("the table cannot be reached")


def test_without_a_table_nothing_comes_back() -> None:
    """The queue keeps it; nothing is started, so that nothing is counted, and the alarm on missing ones goes off."""
    of = responder()
    of.ledger = Down(clock=of.clock)
    of.intake = Intake(
        ledger=of.ledger,
        executions=of.executions,
        addressees=lambda signal: [of.playbook.addressee],
        account=of.account,
    )
    with pytest.raises(LedgerError):
        beat(of)
    assert of.executions.started == []


@pytest.mark.parametrize("dies_in", [StepName.ASSESS, StepName.CLOSE])
def test_one_whose_execution_died_is_sent_out_again_and_holds_up_no_other(dies_in: StepName) -> None:
    """While it is out, later ones join it. Then the sweep finds it, and all come back as one, counted by the newest."""
    of = responder()
    sent = beat(of)

    def die(step: StepName) -> None:
        if step is dies_in:
            raise Killed

    of.run(before=die)
    assert counts(of, sent) == {}
    for _ in range(100):
        of.clock.advance(seconds=900)
        assert beat(of) == sent
    assert of.sweep().restarted == (sent,)
    of.run()
    assert of.ledger.incident(sent).status is IncidentStatus.RESOLVED
    assert counts(of, sent)[Count.HEARTBEAT_SECONDS] == 1.0
    assert of.notifier.pages == []


def test_without_an_archive_nothing_comes_back() -> None:
    """What is resolved has gone the whole way."""
    of = responder()
    of.archive.keep = _refuse  # type: ignore[method-assign]
    sent = beat(of)
    with pytest.raises(ReadFailed):
        of.run()
    assert counts(of, sent) == {}


def _refuse(key: str, body: str, *, content_type: str) -> str:
    raise ReadFailed("the archive takes nothing")


@given(
    time=st.one_of(st.datetimes().map(lambda at: f"{at.isoformat()}Z"), st.text(), st.none(), st.integers()),
    detail=st.dictionaries(st.sampled_from(["service", "clusterArn", "alarmName", "state", "order"]), st.text()),
    more=st.dictionaries(st.sampled_from(["region", "account", "alarmData", "NewStateValue", "id"]), st.text()),
)
@settings(max_examples=60)
def test_a_forged_one_does_nothing_else(time: object, detail: dict[str, str], more: dict[str, str]) -> None:
    """Whoever can write into the queue can send one, with whatever in it: it is a heartbeat, or nothing at all."""
    of = responder()
    event = {**heartbeat_event(), **more, "time": time, "detail": detail}
    for outcome in read_message(event):
        if not isinstance(outcome, Signal):
            continue
        assert outcome.kind is SignalKind.HEARTBEAT
        (opening,) = of.intake(outcome)
        of.run()
        assert opening.incident_id is not None
        assert of.ledger.incident(opening.incident_id).service == HEARTBEAT
    assert of.path in ([], ["assess:all-clear", "close:returned"])
    assert of.world.changes == []
    assert of.notifier.pages == []
    assert of.ledger.lock_holder(REF) is None


def test_what_else_comes_into_its_inbox_is_not_heeded() -> None:
    """No way leads other signals there; if one did, nothing would come of it."""
    of = responder()
    sent = beat(of)
    for number, kind in enumerate(SignalKind):
        of.ledger.record_signal(alarm_signal(number).model_copy(update={"kind": kind}), HEARTBEAT, may_open=True)
    of.run()
    assert of.path == ["assess:all-clear", "close:returned"]
    assert of.ledger.incident(sent).status is IncidentStatus.RESOLVED
    assert of.world.changes == []
    assert of.notifier.pages == []


def test_one_that_cannot_end_pages_nobody() -> None:
    """Ever new ones, as fast as they are seen: the visits run out, and an alarm tells what else there is to tell."""
    of = responder()
    beat(of)
    numbers = iter(range(1, 1000))

    def another(step: StepName) -> None:
        if step is StepName.CLOSE:
            beat(of, ago_s=-next(numbers))

    of.run(before=another)
    assert of.path[-1] == "page:told"
    assert of.notifier.pages == []
