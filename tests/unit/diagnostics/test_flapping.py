"""An alarm that goes off and on by itself, told from trouble that came again and was mended each time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.diagnostics.look import Surroundings
from functions.diagnostics.probes import read_history
from functions.diagnostics.ranking import rank
from functions.domain.causes import Cause, Judgement
from functions.domain.changes import ActionName
from functions.domain.circumstances import AlarmHistoryFacts
from functions.domain.evidence import Metric, TargetFacts, TargetsFacts
from functions.domain.findings import Findings
from functions.domain.incidents import Fact
from functions.domain.mutes import flapping
from functions.workflow.story import tell
from functions.workflow.table import StepName
from tests.fakes.clock import FakeClock
from tests.fakes.engine import Responder
from tests.fakes.findings import ALARM_AT, NOW, alarm, findings, metrics, service
from tests.fakes.world import GROUP, REF, World
from tests.unit.workflow.test_incident import playbook, raise_alarm
from tests.unit.workflow.test_mutes import flapping as muted_alarm

CERTAIN = 0.6
"""From here on the default playbook acts."""

EVERY = timedelta(minutes=20)
OFTEN = tuple(ALARM_AT - n * EVERY for n in range(5))
"""When the alarm went off, newest first."""
OVER: Mapping[Metric, float] = {
    Metric.TARGET_5XX: 0.0,
    Metric.LATENCY: 0.12,
    Metric.REQUESTS: 10.0,
    Metric.HEALTHY_HOSTS: 2.0,
}
"""The newest whole period, in which nothing is felt any more."""
ALL_FAIL = {Metric.TARGET_5XX: 10.0}


def history(*, acted: tuple[datetime, ...] = (), went_off: tuple[datetime, ...] = OFTEN) -> AlarmHistoryFacts:
    return AlarmHistoryFacts(since=NOW - timedelta(hours=2), went_off={"orders-5xx": went_off}, acted=acted)


def false_alarm(seen: Findings) -> Judgement:
    found = (judgement for judgement in rank(seen) if judgement.cause is Cause.FALSE_ALARM)
    return next(found, Judgement(cause=Cause.FALSE_ALARM, confidence=0.0))


def burst(**said: Any) -> Findings:
    """Requests failed a moment ago, and the newest data shows nothing of it any more."""
    return findings(**({"metrics": metrics(now=ALL_FAIL, latest=OVER), "history": history()} | said))


def test_bursts_that_end_by_themselves_are_a_flapping_alarm() -> None:
    """With how often it went off."""
    judged = false_alarm(burst())
    assert judged.confidence >= CERTAIN
    assert "orders-5xx went off 5 times in two hours, briefly" in judged.evidence_for


REAL = {
    "requests fail": ({"metrics": metrics(now=ALL_FAIL, latest=ALL_FAIL)}, "100.0% of requests fail"),
    "requests fail, and the newest period is not known": ({"metrics": metrics(now=ALL_FAIL)}, "of requests fail"),
    "responses are late": (
        {"metrics": metrics(now={Metric.LATENCY: 4.0}, latest={**OVER, Metric.LATENCY: 4.0})},
        "responses take 4.00 s",
    ),
    "tasks are missing": ({"service": service(running=1)}, "not in a steady state"),
    "targets are missing": (
        {"metrics": metrics(now={**ALL_FAIL, Metric.HEALTHY_HOSTS: 1.0}, latest=OVER)},
        "healthy targets are missing",
    ),
    "targets are unhealthy": (
        {"targets": TargetsFacts(targets=(TargetFacts(target_group=GROUP, target="10.0.0.1", state="unhealthy"),))},
        "1 target fails its health check",
    ),
}


@pytest.mark.parametrize(("said", "against"), REAL.values(), ids=REAL)
def test_real_trouble_now_is_no_flapping(said: dict[str, Any], against: str) -> None:
    """However often the alarm went off: it is not believed, and what speaks against it is said."""
    judged = false_alarm(burst(**said))
    assert judged.confidence < CERTAIN
    assert any(against in line for line in judged.evidence_against)


def test_tasks_that_hang_for_the_fifth_time_are_named() -> None:
    """Nothing is as likely, so that it is acted upon."""
    hung = {**ALL_FAIL, Metric.CPU: 3.0}
    first, *others = rank(burst(metrics=metrics(now=hung, latest=hung)))
    assert first.cause is Cause.STUCK_TASKS
    assert all(first.confidence - other.confidence > 0.1 for other in others)


@given(newest=st.floats(0.1, 1.0), window=st.floats(0.0, 1.0), late=st.floats(1.0, 60.0), fails=st.booleans())
def test_what_the_newest_data_shows_is_never_flapping(newest: float, window: float, late: float, fails: bool) -> None:
    """Failed requests or late answers, however few the window before had."""
    felt = {Metric.TARGET_5XX: 10.0 * newest} if fails else {Metric.LATENCY: late}
    seen = burst(metrics=metrics(now={Metric.TARGET_5XX: 10.0 * window}, latest={**OVER, **felt}))
    assert false_alarm(seen).confidence < CERTAIN


def test_what_we_ended_is_no_flapping() -> None:
    """Each time that we did something about it before it went off again counts for nothing."""
    since = alarm(since=ALARM_AT)
    assert flapping(since, history(), now=NOW)
    mended = tuple(at + timedelta(minutes=1) for at in OFTEN[1:])
    assert history(acted=mended).by_itself("orders-5xx") == 1
    assert not flapping(since, history(acted=mended), now=NOW)
    assert flapping(since, history(acted=mended[:2]), now=NOW)
    assert not flapping(since, history(acted=mended[:3]), now=NOW)


def test_what_was_done_between_two_of_them_is_of_the_first() -> None:
    """In the moment it goes off again, the next one began."""
    one, two = ALARM_AT - EVERY, ALARM_AT
    both = history(went_off=(two, one))
    assert both.by_itself("orders-5xx") == 2
    assert history(went_off=(two, one), acted=(one - timedelta(seconds=1),)).by_itself("orders-5xx") == 2
    assert history(went_off=(two, one), acted=(one,)).by_itself("orders-5xx") == 1
    assert history(went_off=(two, one), acted=(one, two)).by_itself("orders-5xx") == 0
    assert both.by_itself("orders-cpu") == 0


def test_the_probe_says_when_we_acted() -> None:
    """In the two hours that it looks back."""
    world = World(clock=FakeClock())
    now = world.clock.now()
    lately, long_ago = now - timedelta(minutes=10), now - timedelta(hours=3)
    around = Surroundings(ref=REF, readers=world.readers, now=now, acted_at=(lately, long_ago))
    assert read_history(around, {}).acted == (lately,)


def test_an_alarm_that_flapped_all_evening_does_not_hide_hanging_tasks() -> None:
    """They are replaced, as if the alarm had never gone off before."""
    made = Responder(playbook=playbook())
    made.world.stuck = True
    made.world.flaps = 4
    made.clock.advance(seconds=240)
    raise_alarm(made)
    made.clock.advance(seconds=60)
    made.run()
    assert made.path[0] == "assess:act"
    assert [change.kind for change in made.world.changes] == ["force-new-deployment"]
    assert made.notifier.pages[-1].subject.startswith("[resolved ")


def test_what_earlier_incidents_did_is_known_to_the_next() -> None:
    """Each look says when we acted before, but for mutes; and trouble that comes five times is mended five times."""
    made = Responder(playbook=playbook(limits={"actions_per_hour": 20, "cooldown": 0}))
    for time in range(5):
        made.world.stuck = True
        made.world.flaps = time
        made.clock.advance(seconds=240)
        raise_alarm(made, time * 100)
        made.clock.advance(seconds=60)
        made.run()
        incident = made.executions.started[-1][0]
        looks = [event.data for event in made.ledger.events(incident) if event.fact is Fact.EVIDENCE_GATHERED]
        assert len(looks[0]["findings"]["history"]["value"]["acted"]) == time
        made.clock.advance(seconds=600)
        made.world.settle_alarm()
    assert len({i for i, _, _ in made.executions.started}) == len(made.world.changes) == 5


def test_a_mute_mends_nothing() -> None:
    """The alarm goes on flapping behind it."""
    made = muted_alarm()
    made.run(until=StepName.VERIFY)
    story = tell(made.ledger.events(made.executions.started[-1][0]))
    assert [intent.plan.action for intent in story.intents] == [ActionName.MUTE_ALARM]
    assert story.mended_at == ()
