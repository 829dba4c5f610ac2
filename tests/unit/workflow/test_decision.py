"""What is decided, given a ranking: sure enough, alone enough, allowed; else wait or people."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.actions.registry import ACTIONS
from functions.diagnostics.ranking import rank
from functions.diagnostics.thresholds import AFTERMATH
from functions.domain.causes import Cause, Judgement
from functions.domain.changes import ActionName
from functions.domain.dependencies import DependencyState
from functions.domain.evidence import Metric
from functions.domain.findings import Findings, Reading
from functions.domain.incidents import FleetSwitch, Mode, Switch
from functions.domain.signals import AlarmState
from functions.guardrails.verdicts import Situation
from functions.playbooks.ladders import default_ladder
from functions.workflow.decide import LOOK_SOON_S, PATIENCE, UNFELT_PATIENCE, YOUNG_AT_MOST, decide
from functions.workflow.decision import Decision
from functions.workflow.table import Outcome
from tests.fakes.findings import (
    FAILING,
    NOW,
    alarm,
    alarms,
    dependencies,
    deployment,
    findings,
    metrics,
    newly_released,
    releases,
    service,
    tasks,
    terms,
    without,
)
from tests.fakes.world import V1

TERMS = {name: terms() for name in ACTIONS}
BUSY = findings(metrics=metrics(now={Metric.REQUESTS: 30.0, Metric.CPU: 95.0}))
CALM = findings(alarms=alarms(alarm(state=AlarmState.OK, breaching_now=False)))
OLD = timedelta(minutes=10)


def decided(
    seen: Findings,
    judgements: tuple[Judgement, ...] | None = None,
    *,
    ladders: Mapping[Cause, tuple[ActionName, ...]] | None = None,
    threshold: float = 0.6,
    tried: frozenset[ActionName] = frozenset(),
    waited: timedelta = timedelta(0),
    age: timedelta = OLD,
    change_came: bool = False,
    verifying: ActionName | None = None,
    situation: Mapping[str, object] | None = None,
    short: str | None = None,
    acted_at: datetime | None = None,
) -> Decision:
    ranked = rank(seen) if judgements is None else judgements
    ordinary: dict[str, object] = {
        "now": NOW,
        "mode": Mode.AUTO,
        "switch": Switch(),
        "fleet_switch": FleetSwitch(stopped=False),
        "findings": seen,
        "attempts": 0,
        "attempts_limit": 3,
        "charges": (),
        "hourly_limit": 4,
        "fleet_charges": 0,
        "fleet_limit": 20,
        "cooldown_s": 600,
        "own_charges": (),
        "ineffective": {},
        "ineffective_limit": 3,
        "neighbours": (),
        "neighbours_limit": 1,
        "min_tasks": 1,
        "max_tasks": 20,
        "restarts_or_scales": False,
    }
    return decide(
        findings=seen,
        judgements=ranked,
        ladders={j.cause: default_ladder(j.cause) for j in ranked} | dict(ladders or {}),
        threshold=threshold,
        tried=tried,
        waited=waited,
        age=age,
        change_came=change_came,
        verifying=verifying,
        actions=ACTIONS,
        terms=TERMS,
        situation=Situation(**(ordinary | dict(situation or {}))),  # type: ignore[arg-type]
        short=short,
        acted_at=acted_at,
    )


def judged(*ranked: tuple[Cause, float]) -> tuple[Judgement, ...]:
    return tuple(Judgement(cause=cause, confidence=confidence) for cause, confidence in ranked)


def test_a_sure_cause_is_acted_upon() -> None:
    """With its plan, every verdict, and the rule as a sentence."""
    decision = decided(newly_released())
    assert decision.outcome is Outcome.ACT
    assert decision.plan is not None
    assert decision.plan.action is ActionName.ROLL_BACK
    assert all(verdict.allowed for verdict in decision.verdicts)
    assert decision.reason.startswith("bad-release at 0.90: roll back from orders:2 to orders:1")


@pytest.mark.parametrize(("confidence", "outcome"), [(0.6, Outcome.ACT), (0.59, Outcome.ESCALATE)])
def test_from_the_playbooks_threshold_on_it_acts(confidence: float, outcome: Outcome) -> None:
    """Exactly the threshold is enough; below it people are told by how much."""
    decision = decided(newly_released(), judged((Cause.BAD_RELEASE, confidence)))
    assert decision.outcome is outcome
    assert outcome is Outcome.ACT or "0.59, below the playbook's 0.60" in decision.reason


@pytest.mark.parametrize(
    ("other", "confidence", "outcome"),
    [
        (Cause.OVERLOAD, 0.7, Outcome.ESCALATE),
        (Cause.OVERLOAD, 0.69, Outcome.ACT),
        (Cause.CRASH_LOOP, 0.8, Outcome.ESCALATE),
        (Cause.BAD_DEPLOYMENT, 0.8, Outcome.ACT),
    ],
)
def test_two_causes_that_fit_alike_and_ask_for_different_things(
    other: Cause, confidence: float, outcome: Outcome
) -> None:
    """They contradict each other: people decide. Two that ask for the same do not, and a distant one neither."""
    assert decided(newly_released(), judged((Cause.BAD_RELEASE, 0.8), (other, confidence))).outcome is outcome


def test_what_could_not_be_read_is_told_to_people() -> None:
    """When nothing fits, they hear which causes were barred by which reading."""
    decision = decided(newly_released(metrics=None, alarms=alarms(alarm(breaching_now=None))))
    assert decision.outcome is Outcome.ESCALATE
    assert "bad-release needs metrics" in decision.reason


@pytest.mark.parametrize(
    ("waited", "outcome"),
    [(timedelta(0), Outcome.WAIT), (PATIENCE - timedelta(seconds=1), Outcome.WAIT), (PATIENCE, Outcome.ESCALATE)],
)
@pytest.mark.parametrize("cause", [Cause.SOMEONE_AT_WORK, Cause.NATIVE_ROLLBACK])
def test_somebody_else_at_it_is_waited_for_twenty_minutes(cause: Cause, waited: timedelta, outcome: Outcome) -> None:
    """Whoever it is may go on undisturbed; after twenty minutes people hear that it does not get better."""
    decision = decided(newly_released(), judged((cause, 1.0)), waited=waited)
    assert decision.outcome is outcome
    assert decision.plan is None


@pytest.mark.parametrize(
    ("seen", "clear"),
    [
        (CALM, True),
        (replace(CALM, alarms=findings(alarms=alarms()).alarms), False),
        (findings(alarms=alarms(alarm(state=AlarmState.OK, breaching_now=True))), False),
        (findings(alarms=alarms(alarm(state=AlarmState.INSUFFICIENT_DATA, breaching_now=None))), False),
        (findings(alarms=alarms(alarm(state=AlarmState.OK, breaching_now=False), gone=("orders-cpu",))), False),
        (replace(CALM, metrics=findings(metrics=None).metrics), False),
        (replace(CALM, service=findings(service=None).service), False),
        (replace(CALM, alarms=findings(alarms=None).alarms), False),
        (replace(CALM, metrics=findings(metrics=metrics(now=FAILING)).metrics), False),
        (replace(CALM, service=findings(service=service(running=1)).service), False),
        (
            replace(CALM, service=findings(service=service(primary=deployment(rollout_state="IN_PROGRESS"))).service),
            False,
        ),
    ],
)
def test_all_clear_needs_everything_known_and_fine(seen: Findings, clear: bool) -> None:
    """Alarms OK, their metrics too, the service steady, users well; and each of these read, not assumed."""
    assert (decided(seen).outcome is Outcome.ALL_CLEAR) == clear


def test_a_false_alarm_is_stood_down_from() -> None:
    """Nothing to do but to watch."""
    assert decided(findings(alarms=alarms(alarm(breaching_now=False)))).outcome is Outcome.STAND_DOWN


def test_a_rung_that_was_tried_or_refused_is_passed() -> None:
    """The next one is taken, and the trail says why not the first."""
    ladder = (ActionName.ROLL_BACK, ActionName.SCALE_OUT, ActionName.FORCE_NEW_DEPLOYMENT, ActionName.PAGE)
    decision = decided(
        findings(service=service(desired=20, running=20)),
        judged((Cause.STUCK_TASKS, 0.9)),
        ladders={Cause.STUCK_TASKS: ladder},
        tried=frozenset({ActionName.ROLL_BACK}),
    )
    assert decision.plan is not None
    assert decision.plan.action is ActionName.FORCE_NEW_DEPLOYMENT
    assert [(a.action, a.reason[:24]) for a in decision.alternatives] == [
        (ActionName.ROLL_BACK, "tried in this incident a"),
        (ActionName.SCALE_OUT, "20 tasks run already, an"),
    ]


def test_at_the_end_of_the_ladder_there_are_people() -> None:
    """They hear what was passed on the way."""
    decision = decided(newly_released(), tried=frozenset({ActionName.ROLL_BACK}))
    assert decision.outcome is Outcome.ESCALATE
    assert decision.reason == "the ladder of bad-release is at its end: roll-back: tried in this incident already"


def test_an_incident_may_be_too_young_to_judge() -> None:
    """Metrics come late: without a clear cause the first minutes are waited for; a clear one is not."""
    unclear = findings(metrics=metrics(now=FAILING))
    young = decided(unclear, age=timedelta(seconds=10))
    assert young.outcome is Outcome.WAIT
    assert 0 < young.wait_s <= 120
    assert decided(unclear).outcome is Outcome.ESCALATE
    assert decided(newly_released(), age=timedelta(seconds=10)).outcome is Outcome.ACT


def test_what_a_change_does_is_given_time_to_show() -> None:
    """A service that looks well a moment after one of its secrets was changed may be ill by the next metric."""
    just_now = decided(CALM, age=YOUNG_AT_MOST - timedelta(seconds=1), change_came=True)
    assert (just_now.outcome, just_now.wait_s) == (Outcome.WAIT, LOOK_SOON_S)
    assert decided(CALM, age=YOUNG_AT_MOST, change_came=True).outcome is Outcome.ALL_CLEAR
    assert decided(CALM, age=timedelta(0)).outcome is Outcome.ALL_CLEAR


@pytest.mark.parametrize("verifying", [ActionName.ROLL_BACK, ActionName.FORCE_NEW_DEPLOYMENT])
def test_an_action_that_is_under_way_is_followed_by_more_room_alone(verifying: ActionName) -> None:
    """What it did has not shown yet: neither another change nor a page may rest on what it found before. More tasks
    take nothing back."""
    room = decided(BUSY, verifying=verifying)
    assert room.plan is not None
    assert (room.outcome, room.plan.action) == (Outcome.ACT, ActionName.SCALE_OUT)
    for seen in (newly_released(), findings(metrics=metrics(now=FAILING))):
        assert decided(seen).outcome in (Outcome.ACT, Outcome.ESCALATE)
        waits = decided(seen, verifying=verifying)
        assert (waits.outcome, waits.wait_s) == (Outcome.WAIT, LOOK_SOON_S)
        assert waits.reason.startswith(f"{verifying} is given its time to show")
    assert decided(CALM, verifying=verifying).outcome is Outcome.ALL_CLEAR


def crashed(**said: Any) -> Findings:
    """A calm look, but for two tasks that had run for eight minutes and stopped by themselves three minutes ago."""
    given: dict[str, Any] = {"crashes": 2, "started_at": NOW - timedelta(minutes=11)} | said
    return replace(CALM, tasks=Reading(value=tasks(**given)))


@pytest.mark.parametrize(
    ("seen", "clear"),
    [
        (crashed(), False),
        (crashed(crashes=1), True),
        (crashed(of=V1), True),
        (crashed(minutes_ago=16), True),
        (crashed(started_at=None), True),
        (without(CALM, "tasks"), False),
    ],
)
def test_between_two_crashes_nothing_is_all_clear(seen: Findings, clear: bool) -> None:
    """A crash loop is steady and quiet then. One crash may happen at any time, one of another release or of long ago
    says nothing of now, and with tasks that cannot start no service is steady. Without its tasks nobody knows."""
    assert (decided(seen).outcome is Outcome.ALL_CLEAR) == clear


@pytest.mark.parametrize(("acted_minutes_ago", "clear"), [(20, False), (5, True)])
def test_tasks_that_an_action_replaced_are_no_crash_loop(acted_minutes_ago: int, clear: bool) -> None:
    """Only those that were started after it speak of what it did."""
    decision = decided(crashed(), acted_at=NOW - timedelta(minutes=acted_minutes_ago))
    assert (decision.outcome is Outcome.ALL_CLEAR) == clear


def test_a_young_release_that_fills_its_memory_is_not_all_clear() -> None:
    """No alarm speaks and users feel nothing yet: it goes back before they do."""
    quiet = alarms(alarm(state=AlarmState.OK, breaching_now=False))
    climbs = metrics(now={Metric.MEMORY: 74.0}, latest={Metric.MEMORY: 80.0})
    decision = decided(newly_released(alarms=quiet, metrics=climbs))
    assert decision.plan is not None
    assert (decision.outcome, decision.plan.action) == (Outcome.ACT, ActionName.ROLL_BACK)
    assert decided(newly_released(alarms=quiet, metrics=metrics())).outcome is Outcome.ALL_CLEAR


def test_what_came_back_a_moment_ago_is_given_time() -> None:
    """Clients may connect again by themselves; people hear of it, or fresh tasks come, when they have not."""

    def back(seconds: float) -> Findings:
        facts = dependencies()
        since = facts.dependencies[0].model_copy(update={"back_since": NOW - timedelta(seconds=seconds)})
        return findings(
            metrics=metrics(now=FAILING, latest=FAILING),
            dependencies=facts.model_copy(update={"dependencies": (since,)}),
        )

    just_back = decided(back(AFTERMATH.seconds - 1))
    assert (just_back.outcome, just_back.wait_s) == (Outcome.WAIT, LOOK_SOON_S)
    assert "orders-db is back since" in just_back.reason
    still = decided(back(AFTERMATH.seconds))
    assert still.plan is not None
    assert (still.outcome, still.plan.action) == (Outcome.ACT, ActionName.FORCE_NEW_DEPLOYMENT)


UNSTEADY = replace(CALM, service=findings(service=service(running=1)).service)
ONE_HOST_LESS = replace(UNSTEADY, metrics=findings(metrics=metrics(now={Metric.HEALTHY_HOSTS: 1.0})).metrics)


@pytest.mark.parametrize("seen", [UNSTEADY, ONE_HOST_LESS])
@pytest.mark.parametrize(
    ("age", "outcome"),
    [
        (YOUNG_AT_MOST, Outcome.WAIT),
        (UNFELT_PATIENCE - timedelta(seconds=1), Outcome.WAIT),
        (UNFELT_PATIENCE, Outcome.ESCALATE),
    ],
)
def test_what_nobody_feels_is_given_ten_minutes(seen: Findings, age: timedelta, outcome: Outcome) -> None:
    """Fewer healthy targets than usual are no loss to users while some are left; then it has lasted too long."""
    decision = decided(seen, age=age)
    assert decision.outcome is outcome
    assert decision.wait_s == (60 if outcome is Outcome.WAIT else 0)
    assert decided(seen, judged((Cause.CRASH_LOOP, 0.7), (Cause.OVERLOAD, 0.7)), age=age).outcome is outcome


@pytest.mark.parametrize(
    "said",
    [
        {"alarms": alarms()},
        {"alarms": alarms(alarm(state=AlarmState.OK, breaching_now=True))},
        {"alarms": alarms(alarm(state=AlarmState.INSUFFICIENT_DATA, breaching_now=None))},
        {"metrics": metrics(now=FAILING)},
        {"metrics": metrics(now={Metric.LATENCY: 3.0})},
        {"metrics": metrics(now={Metric.HEALTHY_HOSTS: 0.0})},
        {"alarms": None},
        {"metrics": None},
        {"service": None},
    ],
)
def test_what_somebody_may_feel_is_not(said: dict[str, Any]) -> None:
    """An alarm, a symptom, or a reading that is unknown: people hear of it once the metrics have had their time."""
    seen = replace(UNSTEADY, **{name: getattr(findings(**said), name) for name in said})
    assert decided(seen, judged((Cause.UNKNOWN, 0.0)), age=YOUNG_AT_MOST).outcome is Outcome.ESCALATE


@pytest.mark.parametrize(
    ("situation", "outcome"),
    [
        ({"mode": Mode.OBSERVE}, Outcome.ESCALATE),
        ({"mode": Mode.ASK}, Outcome.ASK),
        ({"mode": Mode.ASK, "attempts": 3}, Outcome.ESCALATE),
        ({"mode": Mode.OBSERVE, "switch": Switch(mode=Mode.ASK)}, Outcome.ASK),
        ({"switch": Switch(paused_until=NOW + timedelta(hours=1))}, Outcome.STAND_DOWN),
        ({"switch": Switch(paused_until=NOW + timedelta(hours=1)), "mode": Mode.ASK}, Outcome.STAND_DOWN),
        ({"hourly_limit": 0}, Outcome.ESCALATE),
        ({"fleet_limit": 0}, Outcome.ESCALATE),
        ({"attempts_limit": 0}, Outcome.ESCALATE),
    ],
)
def test_a_denied_plan_is_kept_and_not_carried_out(situation: Mapping[str, object], outcome: Outcome) -> None:
    """Whoever denies it, the plan is in the decision: people see what would have been done."""
    decision = decided(newly_released(), situation=situation)
    assert decision.outcome is outcome
    assert decision.plan is not None


MOMENTS = st.lists(st.integers(0, 7200).map(lambda s: NOW - timedelta(seconds=s)), max_size=4)
SITUATIONS = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(Mode),
        "switch": st.builds(
            Switch,
            paused_until=st.sampled_from([None, NOW, NOW + timedelta(minutes=1)]),
            mode=st.none() | st.sampled_from(Mode),
        ),
        "fleet_switch": st.builds(FleetSwitch, stopped=st.booleans()),
        "attempts": st.integers(0, 3),
        "attempts_limit": st.integers(0, 3),
        "charges": MOMENTS,
        "hourly_limit": st.integers(0, 3),
        "fleet_charges": st.integers(0, 3),
        "fleet_limit": st.integers(0, 3),
        "cooldown_s": st.integers(0, 3600),
        "min_tasks": st.integers(0, 4),
        "max_tasks": st.integers(2, 8),
    }
)
SEEN = st.sampled_from(
    [
        newly_released(),
        BUSY,
        findings(metrics=metrics(now={Metric.TARGET_5XX: 5.0, Metric.CPU: 3.0})),
        newly_released(releases=releases(changed_during_incident=True)),
        findings(metrics=metrics(now=FAILING), dependencies=dependencies(DependencyState.FAILING)),
        CALM,
    ]
)


@given(SEEN, SITUATIONS)
def test_only_what_every_guardrail_allows_is_done(seen: Findings, situation: Mapping[str, object]) -> None:
    """Act means: no verdict denies, the mode is auto, and nobody paused or stopped. Both come before asking."""
    decision = decided(seen, situation=situation)
    given_situation = Situation(
        **{  # type: ignore[arg-type]
            "now": NOW,
            "findings": seen,
            "own_charges": (),
            "ineffective": {},
            "ineffective_limit": 3,
            "neighbours": (),
            "neighbours_limit": 1,
            "restarts_or_scales": False,
            **situation,
        }
    )
    if decision.outcome is Outcome.ACT:
        assert decision.verdicts
        assert all(verdict.allowed for verdict in decision.verdicts)
        assert given_situation.effective_mode is Mode.AUTO
        assert not given_situation.switch.paused(NOW)
        assert not given_situation.fleet_switch.stopped
    if decision.outcome is Outcome.ASK:
        assert given_situation.effective_mode is Mode.ASK
        assert not given_situation.switch.paused(NOW)
        assert not given_situation.fleet_switch.stopped


def test_the_gist_changes_with_what_people_have_to_know_only() -> None:
    """Numbers that move by themselves are no news; a guardrail that lifts is."""
    first = decided(newly_released(), situation={"charges": (NOW - timedelta(seconds=10),)})
    later = decided(newly_released(), situation={"charges": (NOW - timedelta(seconds=300),)})
    lifted = decided(newly_released(), situation={"charges": (NOW - timedelta(seconds=600),)})
    assert first.reason != later.reason
    assert first.gist == later.gist == "escalate|bad-release|roll-back|cooldown"
    assert lifted.gist == "act|bad-release|roll-back"


OVER = metrics(now=FAILING, latest={Metric.REQUESTS: 10.0, Metric.LATENCY: 0.1, Metric.HEALTHY_HOSTS: 2.0})
"""Four of ten requests failed in the window, and none in its newest period."""


@pytest.mark.parametrize(
    ("state", "age", "outcome"),
    [
        (AlarmState.ALARM, timedelta(minutes=9), Outcome.WAIT),
        (AlarmState.ALARM, timedelta(minutes=11), Outcome.ESCALATE),
        (AlarmState.OK, timedelta(minutes=11), Outcome.WAIT),
    ],
)
def test_trouble_that_the_newest_period_does_not_show_may_end(
    state: AlarmState, age: timedelta, outcome: Outcome
) -> None:
    """People hear of it when it takes too long, and not any more once every alarm is OK."""
    seen = findings(metrics=OVER, alarms=alarms(alarm(state=state, breaching_now=state is AlarmState.ALARM)))
    assert decided(seen, judged((Cause.UNKNOWN, 0.0)), age=age).outcome is outcome


def shipped(seconds_ago: float, *, rollout: str = "COMPLETED", state: AlarmState = AlarmState.OK) -> Findings:
    """A release that hurts, so long after its deployment began."""
    began = NOW - timedelta(seconds=seconds_ago)
    return newly_released(
        service=service(primary=deployment(created_at=began, rollout_state=rollout)),
        releases=releases(since=began),
        alarms=alarms(alarm(state=state, since=NOW)),
    )


@pytest.mark.parametrize(
    ("seen", "outcome", "wait_s"),
    [
        (shipped(200), Outcome.WAIT, 5),
        (shipped(207), Outcome.WAIT, 3),
        (shipped(210), Outcome.ACT, 0),
        (shipped(60, state=AlarmState.ALARM), Outcome.ACT, 0),
        (shipped(60, rollout="IN_PROGRESS"), Outcome.ACT, 0),
    ],
    ids=["in the first minutes", "until they are over", "after them", "an alarm goes off", "still on its way"],
)
def test_the_first_minutes_belong_to_whoever_shipped(seen: Findings, outcome: Outcome, wait_s: int) -> None:
    """Two who roll back at the same moment are slower than one."""
    decision = decided(seen, judged((Cause.BAD_RELEASE, 0.9)))
    assert (decision.outcome, decision.wait_s) == (outcome, wait_s)


@pytest.mark.parametrize(
    ("quiet_for", "outcome"),
    [(timedelta(minutes=9), Outcome.STAND_DOWN), (timedelta(minutes=10), Outcome.ESCALATE)],
)
def test_nothing_is_all_clear_below_the_score_that_is_asked_for(quiet_for: timedelta, outcome: Outcome) -> None:
    """What was a moment ago is still in the score; when it stays low long after the alarms, people hear of it."""
    quiet = alarm(state=AlarmState.OK, breaching_now=False, since=NOW - quiet_for)
    decision = decided(findings(alarms=alarms(quiet)), short="the health score is 60, and 80 is asked for")
    assert decision.outcome is outcome
    assert decision.plan is None
    assert "the health score is 60, and 80 is asked for" in decision.reason


def test_a_score_too_low_does_not_end_what_verify_waits_for() -> None:
    """While an action is given its time, a low score is no reason to leave."""
    assert decided(CALM, verifying=ActionName.ROLL_BACK, short="it is low").outcome is Outcome.WAIT


def test_a_score_too_low_is_no_reason_to_act() -> None:
    """However sure a cause is: users feel nothing."""
    decision = decided(CALM, judged((Cause.OVERLOAD, 0.9)), short="it is low", age=timedelta(hours=1))
    assert decision.outcome in (Outcome.STAND_DOWN, Outcome.ESCALATE)
    assert decision.plan is None
