"""A maintenance window: nothing is changed in it, what began in it is not paged at once, and its end is not missed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.approvals import Answer
from functions.domain.changes import Change, RegisterCopy, SetTaskDefinition
from functions.domain.incidents import Event, Fact
from functions.domain.maintenance import Announced
from functions.workflow.decide import AFTER_WINDOW
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_incident import after_bad_release, assert_sound, facts, playbook, raise_alarm

OPENED = datetime(2026, 3, 1, 4, 14, 2, tzinfo=UTC)
"""When `after_bad_release` opens its incident."""
WINDOW = {"every": "sunday", "from": "04:00", "to": "06:00"}
END = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def made(**said: object) -> Responder:
    return Responder(playbook=playbook(**({"maintenance": [WINDOW]} | said)))


def announce(responder: Responder, start: datetime, end: datetime) -> None:
    window = Announced(start=start, end=end, by="ann", reason="new disks", at=responder.clock.now())
    responder.ledger.set_switch(REF, responder.ledger.switch(REF).model_copy(update={"maintenance": (window,)}))


def events(responder: Responder, fact: Fact) -> list[Event]:
    (incident,) = responder.ledger.incidents_of(REF)
    return [event for event in responder.ledger.events(incident.id) if event.fact is fact]


def first_change(responder: Responder) -> datetime:
    return events(responder, Fact.ACTION_INTENDED)[0].at


def subjects(responder: Responder) -> list[str]:
    return [page.subject.split(" ", 1)[0].rstrip("]") for page in responder.notifier.news]


def test_in_a_window_the_incident_is_recorded_and_nothing_is_done() -> None:
    """It is opened, assessed and written down as always; the trail names the window, its end, and when people hear."""
    responder = made()
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert responder.notifier.pages == []
    assert facts(responder) == [
        Fact.INCIDENT_OPENED,
        Fact.SIGNAL_RECEIVED,
        Fact.EVIDENCE_GATHERED,
        Fact.CAUSES_RANKED,
        Fact.SEVERITY_GRADED,
        Fact.STOOD_DOWN,
    ]
    said = events(responder, Fact.STOOD_DOWN)[0].summary
    assert "maintenance: in maintenance until 2026-03-01 06:00 UTC: every sunday 04:00 to 06:00 UTC" in said
    assert "people hear of it if it is not over at 2026-03-01 06:10 UTC" in said


def test_when_the_window_ends_it_is_looked_at_again_and_acted_upon() -> None:
    """At its end, to the second that a look takes, although looks are a quarter of an hour apart by then."""
    responder = made()
    after_bad_release(responder)
    responder.run()
    assert responder.world.changes == [SetTaskDefinition(task_definition=V1)]
    assert END <= first_change(responder) <= END + timedelta(seconds=5)
    assert subjects(responder) == ["[resolved"]
    assert len(events(responder, Fact.STOOD_DOWN)) == 1
    assert_sound(responder)


def test_what_is_over_with_its_window_is_not_told_to_anybody() -> None:
    """The trouble was the work itself: the incident ends without a letter."""
    responder = made(mode="observe")
    after_bad_release(responder)

    def mended(step: StepName) -> None:
        if responder.clock.now() >= END - timedelta(minutes=30):
            responder.world.bad.clear()
            responder.world.settle_alarm()

    responder.run(before=mended)
    assert responder.ledger.open_incidents() == ()
    assert responder.notifier.pages == []


def test_what_outlives_its_window_is_paged_some_minutes_later() -> None:
    """Not before, and not much later; with the plan that would have been carried out."""
    responder = made(mode="observe")
    after_bad_release(responder)
    paged: list[datetime] = []

    def note(step: StepName) -> None:
        if responder.notifier.pages and not paged:
            paged.append(responder.clock.now())

    with pytest.raises(AssertionError, match="no end"):
        responder.run(before=note, most=60)
    due = END + AFTER_WINDOW
    assert due <= events(responder, Fact.PAGE_SENT)[0].at <= due + timedelta(seconds=5)
    assert subjects(responder) == ["[page"]
    assert "What would be done" in responder.notifier.pages[0].text
    assert "it has outlived the maintenance window in which it began" in responder.notifier.pages[0].text


def test_trouble_that_began_before_the_window_is_paged_in_it() -> None:
    """The window is no explanation: people granted the plan, but the window came first, and they have to hear it."""
    responder = made(mode="ask", maintenance=[{**WINDOW, "from": "04:15"}])

    def say_yes() -> None:
        responder.clock.advance(seconds=300)
        responder.take_answer(responder.executions.started[-1][0], Answer.GRANTED, by="maria", identity="", reason="")

    responder.asked = say_yes
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert subjects(responder) == ["[approve?", "[page"]
    assert "maintenance: in maintenance until 2026-03-01 06:00 UTC" in responder.notifier.pages[-1].text


def test_a_suspected_breach_is_paged_in_a_window_too() -> None:
    """Nobody's work on a service sends it six times its requests."""
    responder = made()
    responder.clock.advance(seconds=3600)
    responder.world.load = 6.0
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    assert responder.world.changes == []
    assert subjects(responder) == ["[page"]
    assert responder.clock.now() < END


def test_a_window_that_is_announced_between_plan_and_action_is_obeyed() -> None:
    """Remediate asks once more, just before it acts."""
    responder = made(maintenance=[])

    def begin(step: StepName) -> None:
        if step is StepName.REMEDIATE and not responder.ledger.switch(REF).maintenance:
            announce(responder, responder.clock.now(), responder.clock.now() + timedelta(hours=1))

    after_bad_release(responder)
    responder.run(before=begin, until=StepName.WATCH)
    assert responder.world.changes == []
    outdated = events(responder, Fact.PLAN_OUTDATED)[0].summary
    assert outdated.startswith(
        "did not act: maintenance: in maintenance until 2026-03-01 05:14 UTC: announced by ann: new disks"
    )


def test_a_window_is_obeyed_between_two_stages_of_one_action() -> None:
    """What was begun is left where it is until the window ends, and then planned afresh."""
    responder = made(maintenance=[])
    responder.world.inactive.add(V1)

    def begin(step: StepName) -> None:
        if responder.world.changes and not responder.ledger.switch(REF).maintenance:
            announce(responder, responder.clock.now(), responder.clock.now() + timedelta(hours=1))

    after_bad_release(responder)
    responder.run(before=begin, until=StepName.WATCH)
    assert responder.world.changes == [RegisterCopy(task_definition=V1)]


def test_a_window_that_is_taken_back_no_longer_holds() -> None:
    """The next look, a minute or some later, finds it gone and acts."""
    responder = made(maintenance=[])
    announce(responder, OPENED - timedelta(minutes=5), OPENED + timedelta(hours=12))
    after_bad_release(responder)

    def cancel(step: StepName) -> None:
        if responder.clock.now() >= OPENED + timedelta(minutes=30):
            responder.ledger.set_switch(REF, responder.ledger.switch(REF).model_copy(update={"maintenance": ()}))

    responder.run(before=cancel)
    assert OPENED + timedelta(minutes=30) <= first_change(responder) <= OPENED + timedelta(minutes=45)


def test_a_window_holds_for_giving_back_too() -> None:
    """A raised floor stays until the window is over, however long its lease has ended."""
    responder = made(maintenance=[], scale_out={"lease": "10m"})
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.run(until=StepName.RESTORE)
    end = responder.clock.now() + timedelta(hours=2)
    announce(responder, responder.clock.now(), end)
    incident, generation, _ = responder.executions.started[-1]
    responder.executions.started.append((incident, generation, "restore"))
    responder.run()
    assert responder.world.minimum == 2
    assert end <= events(responder, Fact.LEASE_RESTORED)[0].at <= end + timedelta(seconds=5)


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(
    trouble=st.sampled_from(
        ["a bad release", "a bad release that is registered again", "three times the load", "hangs"]
    ),
    start=st.integers(-300, 3000),
    length=st.integers(60, 7200),
    lease=st.sampled_from(["1m", "10m", "30m"]),
    regular=st.booleans(),
)
def test_nothing_is_ever_changed_in_a_window(trouble: str, start: int, length: int, lease: str, regular: bool) -> None:
    """Whatever goes wrong and whenever the window comes, all changes and all that is given back lie outside of it, and
    in the end all is well."""
    begins = OPENED + timedelta(seconds=start)
    ends = begins + timedelta(seconds=length)
    written = {"every": "sunday", "from": f"{begins:%H:%M}", "to": f"{ends + timedelta(minutes=1):%H:%M}"}
    responder = made(maintenance=[written] if regular else [], scale_out={"lease": lease})
    if not regular:
        announce(responder, begins, ends)
    seen: list[datetime] = []

    def watching(change: Change) -> None:
        seen.append(responder.clock.now())

    responder.world.watching = responder.world.watching_back = watching
    responder.world.inactive |= {V1} if "again" in trouble else set()
    if "release" in trouble:
        after_bad_release(responder)
    else:
        responder.clock.advance(seconds=(OPENED - responder.clock.now()).total_seconds())
        responder.world.load = 3.0 if "load" in trouble else 1.0
        responder.world.stuck = trouble == "hangs"
        raise_alarm(responder)

    def settled(step: StepName) -> None:
        responder.world.settle_alarm()

    responder.run(before=settled)
    assert seen
    assert not [at for at in seen if begins <= at < ends]
    assert responder.ledger.open_incidents() == ()
    assert responder.ledger.service_leases(REF) == ()
