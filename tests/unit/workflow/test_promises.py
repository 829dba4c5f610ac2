"""What people are promised is kept: updates at the time that was named, and the second contact when nobody answers."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.domain.incidents import Event, Fact, IncidentStatus
from functions.domain.people import Said
from functions.workflow.table import StepName
from tests.fakes.engine import Execution, Responder
from tests.fakes.world import FAMILY, REF
from tests.unit.workflow.test_incident import after_bad_release, playbook, raise_alarm

SECOND = {"email": ["lead@example.com"]}
SLACK = timedelta(seconds=60)


def trail(responder: Responder) -> list[Event]:
    return list(responder.ledger.events(responder.ledger.incidents_of(REF)[0].id))


def paged(**said: object) -> Responder:
    """People were paged for a database that is down, and the incident stays open."""
    responder = Responder(playbook=playbook(**said))
    responder.world.database_down = True
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    return responder


def go_on(responder: Responder, minutes: float) -> None:
    """Let the newest execution run for so long, on the clock of the world."""
    execution = Execution.begun(*responder.executions.started[-1])
    execution.at = StepName.WATCH
    execution.payload = {**execution.payload, "wait_s": 1}
    until = responder.clock.now() + timedelta(minutes=minutes)
    while responder.clock.now() < until and execution.key not in responder.executions.ended:
        responder.go(execution)


def kept(events: list[Event], now: datetime) -> None:
    """Every promise that was made was followed by news, another promise or the end within a minute of its time."""
    telling = [e for e in events if "next_update_at" in e.data or e.fact is Fact.INCIDENT_RESOLVED]
    for promise, following in pairwise(telling):
        at = promise.data.get("next_update_at")
        assert at is None or following.at <= datetime.fromisoformat(at) + SLACK, f"{promise.summary}: kept too late"
    last = telling[-1].data.get("next_update_at") if telling else None
    assert last is None or now <= datetime.fromisoformat(last) + SLACK, "a promise that nobody kept"


def test_a_page_promises_an_update_and_it_is_kept() -> None:
    """P1 hears every half an hour, in one thread, with the time of the one that follows."""
    responder = paged()
    (page,) = responder.notifier.pages
    assert "  Next update: 03:43 UTC\n" in page.text
    go_on(responder, 65)
    first, second = responder.notifier.updates
    assert first.subject == second.subject == f"[update] orders: {page.attributes['incident']}"
    assert "  Next update: 04:14 UTC\n" in first.text
    posted = [event for event in trail(responder) if event.fact is Fact.UPDATE_POSTED]
    assert [f"{event.at:%H:%M}" for event in posted] == ["03:43", "04:14"]
    assert len(responder.notifier.news) == 1


def test_an_update_says_what_is_new_and_what_is_waited_for() -> None:
    """The newest look is in it, what people said, and who leads."""
    responder = paged()
    incident = responder.notifier.pages[0].attributes["incident"]
    responder.say(incident, Said.ACKNOWLEDGED, by="ann", identity="")
    go_on(responder, 31)
    (told,) = responder.notifier.updates
    assert "New since 03:12 UTC:" in told.text
    assert "ann has the page" in told.text
    assert "2 of 2 tasks run, 90.0% of requests fail, cause dependency-failing" in told.text
    assert "Status: waiting for people" in told.text
    assert "Acknowledged: by ann" in told.text
    assert "Incident commander: automatic responder" in told.text


def test_updates_go_on_while_somebody_leads() -> None:
    """Who waits for the service wants to hear, whoever mends it."""
    responder = paged()
    responder.say(responder.notifier.pages[0].attributes["incident"], Said.TAKEN, by="ann", identity="")
    go_on(responder, 65)
    assert len(responder.notifier.updates) == 2
    assert "Incident commander: ann" in responder.notifier.updates[-1].text
    kept(trail(responder), responder.clock.now())


@pytest.mark.thorough
def test_nobody_is_promised_what_the_playbook_does_not_want() -> None:
    """`never`: people hear when there is news."""
    responder = paged(updates={"P0": "never", "P1": "never"})
    assert "  Next update: when there is news\n" in responder.notifier.pages[0].text
    go_on(responder, 300)
    assert responder.notifier.updates == []


def test_what_ends_unnoticed_promises_nothing() -> None:
    """Nobody was paged, so nobody waits for an update."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    responder.run()
    assert responder.notifier.updates == []
    assert not [event for event in trail(responder) if event.data.get("next_update_at")]


def test_an_update_that_cannot_be_sent_does_not_stop_the_incident() -> None:
    """It is tried again, written down once, and sent late."""
    responder = paged()
    responder.notifier.failing = True
    go_on(responder, 40)
    assert responder.ledger.open_incidents()
    assert [e.summary for e in trail(responder)].count(
        "what was promised could not be sent: the topic takes nothing"
    ) == 1
    responder.notifier.failing = False
    go_on(responder, 3)
    assert len(responder.notifier.updates) == 1


def test_the_second_contact_is_called_once_when_nobody_answers() -> None:
    """A P1 is to be answered in a quarter of an hour; the page says so, and the second contact gets it whole."""
    responder = paged(escalation=SECOND)
    assert "  Acknowledged: by nobody; the second contact is called at 03:27 UTC\n" in responder.notifier.pages[0].text
    go_on(responder, 120)
    (call,) = responder.second.pages
    assert call.subject == "[second contact P1] orders: dependency-failing, 90.0% of requests fail"
    assert call.text.startswith("Nobody has acknowledged the page of 03:12 UTC, 15 min ")
    assert "Why a page dependency-failing is for people" in call.text
    assert call.attributes["kind"] == "second-contact"
    escalated = next(event for event in trail(responder) if event.fact is Fact.ESCALATED)
    assert f"{escalated.at:%H:%M}" == "03:27"


@pytest.mark.parametrize("said", [Said.ACKNOWLEDGED, Said.TAKEN])
def test_who_has_the_page_is_not_called_over(said: Said) -> None:
    """Even where nobody has written it into the trail yet."""
    responder = paged(escalation=SECOND)
    go_on(responder, 14)
    responder.say(responder.notifier.pages[0].attributes["incident"], said, by="ann", identity="")
    go_on(responder, 60)
    assert responder.second.pages == []


@pytest.mark.thorough
def test_without_a_second_contact_nobody_is_called() -> None:
    """And a page whose time to respond is no time on a clock calls nobody either."""
    for responder in (paged(), paged(escalation=SECOND, severities={"P1": {"respond": "next business day"}})):
        go_on(responder, 300)
        assert responder.second.pages == []


def test_the_sweep_mends_a_promise_of_an_execution_that_died() -> None:
    """Five minutes and a look later it is kept."""
    responder = paged()
    key = responder.executions.started[-1][:2]
    responder.executions.ended.add(key)
    responder.clock.advance(seconds=31 * 60)
    responder.sweep()
    execution = Execution.begun(*responder.executions.started[-1])
    for _ in range(8):
        responder.go(execution)
    assert len(responder.notifier.updates) == 1


@pytest.mark.thorough
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    mode=st.sampled_from(["auto", "observe", "ask"]),
    happens=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "a bad release",
                    "six times the load",
                    "tasks hang",
                    "the database dies",
                    "all mends",
                    Said.ACKNOWLEDGED,
                    Said.TAKEN,
                    Said.RELEASED,
                ]
            ),
            st.integers(1, 60),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_promises_are_kept_within_a_minute(mode: str, happens: list[tuple[str, int]]) -> None:
    """Whatever happens and whoever speaks, as long as the incident is open."""
    responder = Responder(playbook=playbook(mode=mode, escalation=SECOND, updates={"P3": "20m", "P4": "5m"}))
    responder.bake()
    responder.clock.advance(seconds=3600)
    responder.bake()
    executions: dict[tuple[str, int], Execution] = {}
    for number, (what, rows) in enumerate(happens):
        _happened(responder, what, number)
        responder.world.settle_alarm()
        responder.sweep()
        for started in responder.executions.started:
            executions.setdefault(started[:2], Execution.begun(*started))
        for execution in list(executions.values())[-1:]:
            for _ in range(rows):
                if execution.key not in responder.executions.ended:
                    responder.go(execution)
                    kept(trail(responder), responder.clock.now() if execution.at is StepName.WATCH else _long_ago())
        for incident in responder.ledger.incidents_of(REF):
            if incident.status is IncidentStatus.OPEN:
                kept(list(responder.ledger.events(incident.id)), _long_ago())
    calls = [e for i in responder.ledger.incidents_of(REF) for e in responder.ledger.events(i.id)]
    assert len([e for e in calls if e.fact is Fact.ESCALATED]) == len(responder.second.pages)
    for incident in responder.ledger.incidents_of(REF):
        assert [e.fact for e in responder.ledger.events(incident.id)].count(Fact.ESCALATED) <= 1


def _long_ago() -> datetime:
    """For a trail in the middle of something: only what is in it is judged."""
    return datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def _happened(responder: Responder, what: str, number: int) -> None:
    world = responder.world
    match what:
        case "a bad release":
            release = f"{FAMILY}:{number + 2}"
            world.bad.add(release)
            world.ship(release)
        case "six times the load":
            world.load = 6.0
        case "tasks hang":
            world.stuck = True
        case "the database dies":
            world.database_down = True
        case "all mends":
            world.load, world.stuck, world.database_down = 1.0, False, False
            world.bad.clear()
        case _:
            for incident in responder.ledger.open_incidents():
                responder.say(incident.id, Said(what), by=f"person {number}", identity="")


def test_an_execution_that_was_overtaken_writes_nothing_for_a_promise_either() -> None:
    """While it looks, for an update that is due, another one takes the incident over."""
    responder = paged()
    execution = Execution.begun(*responder.executions.started[-1])
    execution.at, execution.payload = StepName.WATCH, {**execution.payload, "wait_s": 31 * 60}

    def overtake() -> None:
        responder.executions.ended.add(execution.key)
        responder.clock.advance(seconds=300)
        responder.sweep()

    responder.world.meanwhile.append(overtake)
    responder.go(execution)
    assert [event.fact for event in trail(responder)[-1:]] == [Fact.EXECUTION_RESTARTED]
    assert execution.at is StepName.END
