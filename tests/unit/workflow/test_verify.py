"""Did it help? Steady, healthy and quiet, for as long as the alarm itself looks back; and never by missing data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.diagnostics.registry import PROBES
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, ForceNewDeployment, Plan, StateBefore
from functions.domain.evidence import AlarmFacts, DeploymentFacts, ServiceFacts, TargetFacts, TaskFacts, TasksFacts
from functions.domain.incidents import Event, Fact, NewEvent
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState, Signal, SignalKind, Wakes
from functions.playbooks.schema import Playbook
from functions.workflow.decision import Decision
from functions.workflow.scored import ScoreLook
from functions.workflow.story import tell
from functions.workflow.table import Outcome, StepName
from functions.workflow.verify import WITHOUT_ALARM, Verify
from functions.workflow.visit import Result, Visit
from tests.fakes.clock import FakeClock
from tests.fakes.findings import alarm, deployment, service
from tests.fakes.signals import alarm_signal
from tests.fakes.world import GROUP, REF, World

DEADLINE_S = 600
PLAN = Plan(
    action=ActionName.FORCE_NEW_DEPLOYMENT,
    cause=Cause.STUCK_TASKS,
    summary="said the test",
    changes=(ForceNewDeployment(),),
    before=StateBefore(
        status="ACTIVE", desired=2, task_definition="orders:2", primary_deployment="ecs-svc/1", deployments=1
    ),
    undo="nothing",
    settle_s=60,
    deadline_s=DEADLINE_S,
)
DECIDED = Decision(outcome=Outcome.ACT, cause=Cause.STUCK_TASKS, confidence=0.9, reason="said the test", plan=PLAN)


@dataclass
class Shown(World):
    """A service and its alarms, all alike, as a test wants them shown; without an alarm, they were deleted."""

    clock: FakeClock = field(default_factory=FakeClock)
    shown: ServiceFacts | None = field(default_factory=service)
    healthy: int = 2
    alarm: AlarmFacts | None = None
    crashed: Sequence[TaskFacts] = ()

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        self._may("service")
        return self.shown

    def tasks(self, ref: ServiceRef) -> TasksFacts:
        return super().tasks(ref).model_copy(update={"stopped": tuple(self.crashed)})

    def targets(self, target_groups: Sequence[str]) -> Sequence[TargetFacts]:
        self._may("targets")
        states = ["healthy"] * self.healthy + ["unhealthy"] * (2 - self.healthy)
        return [TargetFacts(target_group=GROUP, target=str(n), state=state) for n, state in enumerate(states)]

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        self._may("alarms")
        return () if self.alarm is None else [self.alarm.model_copy(update={"name": name}) for name in names]


class Incident:
    """An incident in which the service was acted upon just now."""

    def __init__(self, *, signal: Signal | None = None, playbooks: Mapping[str, Playbook] | None = None) -> None:
        self.world = Shown()
        self.clock = self.world.clock
        self.quiet(minutes=60)
        self.ledger = MemoryLedger(clock=self.clock)
        opening = self.ledger.record_signal(signal or alarm_signal(), REF, may_open=True)
        assert opening.incident_id is not None
        self.id = opening.incident_id
        self.ledger.append(
            self.ledger.incident(self.id),
            [
                said(Fact.PLAN_CHOSEN, decision=DECIDED.model_dump(mode="json")),
                said(Fact.ACTION_INTENDED, plan=PLAN.model_dump(mode="json"), stage=0),
                said(Fact.ACTION_TAKEN, stage=0),
            ],
            step="remediate",
            signals_seen=1,
        )
        self.verify = Verify(
            ledger=self.ledger,
            readers=self.world.readers,
            score_look=lambda: ScoreLook(ledger=self.ledger, readers=self.world.readers, probes=PROBES),
            clock=self.clock,
            playbooks=playbooks or {},
            validator=self.world.validator,
        )

    def quiet(self, *, minutes: float) -> None:
        """The alarm, which looks back over two minutes, is OK for so long."""
        since = self.clock.now() - timedelta(minutes=minutes)
        self.world.alarm = alarm(state=AlarmState.OK, breaching_now=False, since=since)

    def crash(self, count: int, *, started_at: datetime) -> None:
        """So many tasks, which were started then, stop by themselves now."""
        self.world.crashed = [
            TaskFacts(
                arn=f"task/{n}",
                task_definition=service().task_definition,
                last_status="STOPPED",
                stop_code="EssentialContainerExited",
                started_at=started_at,
                stopped_at=self.clock.now(),
            )
            for n in range(count)
        ]

    def look(self) -> str:
        return self.pause().outcome

    def pause(self) -> Result:
        """What comes after a look."""
        return self.verify(Visit(incident_id=self.id, generation=1))

    @property
    def last(self) -> Event:
        return self.ledger.events(self.id)[-1]

    @property
    def checked(self) -> Event:
        """The newest check of the recovery; what the validation says comes after it."""
        return [event for event in self.ledger.events(self.id) if event.fact is Fact.RECOVERY_CHECKED][-1]


def said(fact: Fact, **data: object) -> NewEvent:
    return NewEvent(fact=fact, actor="remediate", summary="said the test", data=data)


@pytest.fixture
def incident() -> Incident:
    return Incident()


def test_all_quiet_for_the_alarms_own_window_is_recovered(incident: Incident) -> None:
    """Evaluation periods times period: two minutes here, not a second less."""
    incident.quiet(minutes=1.99)
    assert incident.look() == "not-yet"
    incident.quiet(minutes=2)
    assert incident.look() == "recovered"
    assert incident.last.fact is Fact.RECOVERY_CHECKED


@pytest.mark.parametrize(
    "shown",
    [
        service(running=1, pending=1),
        service(primary=deployment(rollout_state="IN_PROGRESS")),
        service(deployments=(deployment(), deployment(id="ecs-svc/0", status="ACTIVE"))),
        service(desired=3, running=3),
    ],
    ids=["a task is missing", "the deployment goes on", "the old one drains", "a target is not healthy yet"],
)
def test_an_unsteady_service_is_not_recovered_yet(incident: Incident, shown: ServiceFacts) -> None:
    """However quiet the alarm is: a deployment under way, a missing task or an unhealthy target is not over."""
    incident.world.shown = shown
    assert incident.look() == "not-yet"
    incident.clock.advance(seconds=DEADLINE_S)
    assert incident.look() == "ineffective"


def test_unhealthy_targets_are_not_recovered(incident: Incident) -> None:
    """Tasks that run are not yet tasks that answer."""
    incident.world.healthy = 1
    assert incident.look() == "not-yet"
    assert "1 of 2 targets are healthy" in incident.last.summary


def test_an_alarm_still_in_alarm_is_ineffective_after_the_deadline_and_its_own_window(incident: Incident) -> None:
    """An alarm says ALARM for as long as it looks back; beyond that there is not a second more."""
    loud = alarm(state=AlarmState.ALARM)
    incident.world.alarm = loud
    incident.clock.advance(seconds=DEADLINE_S + loud.window_s - 1)
    assert incident.look() == "not-yet"
    incident.clock.advance(seconds=1)
    assert incident.look() == "ineffective"


def test_what_is_on_its_way_may_pass_the_deadline(incident: Incident) -> None:
    """The alarm is OK at last but not for its window: giving up now would undo what helped."""
    incident.clock.advance(seconds=DEADLINE_S)
    incident.quiet(minutes=1)
    assert incident.look() == "not-yet"


def test_an_ok_that_the_metric_denies_is_not_trusted(incident: Incident) -> None:
    """SetAlarmState can fake an OK, too."""
    incident.world.alarm = alarm(
        state=AlarmState.OK, breaching_now=True, since=incident.clock.now() - timedelta(days=1)
    )
    assert incident.look() == "not-yet"


@pytest.mark.parametrize("blind", ["service", "tasks", "targets", "alarms", "no data", "deleted", "gone"])
def test_missing_data_is_inconclusive_and_people_hear_after_three(incident: Incident, blind: str) -> None:
    """Never success: an unread service, an alarm without data, a deleted alarm. Three times in a row is a page."""
    match blind:
        case "no data":
            incident.world.alarm = alarm(state=AlarmState.INSUFFICIENT_DATA, breaching_now=None)
        case "deleted":
            incident.world.alarm = None
        case "gone":
            incident.world.shown = None
        case _:
            incident.world.unreadable = {blind}
    assert [incident.look() for _ in range(3)] == ["cannot-tell", "cannot-tell", "give-up"]


def asking(score: int | None, **targets: float) -> Mapping[str, Playbook]:
    """The playbook asks for that health score."""
    said = {"region": REF.region, "cluster": REF.cluster, "service": REF.service, "targets": targets}
    playbook = Playbook.model_validate(said if score is None else {**said, "recovered": {"score": score}})
    return {playbook.ref.key: playbook}


STRICT = {"cpu_percent": 10.0}
"""The CPU is at 35 %, which leaves 96 of 100 points."""


def test_the_score_that_is_asked_for_has_to_be_reached() -> None:
    """Steady and quiet is recovered with 96 points of 96, and the trail has both numbers."""
    incident = Incident(playbooks=asking(96, **STRICT))
    assert incident.look() == "recovered"
    told = "the health score is 96, and 96 is asked for: saturation costs 2.8: CPU is at 35 %"
    assert told in incident.checked.summary


def test_a_score_too_low_is_like_an_alarm_that_stays() -> None:
    """Not recovered, with the reason in the trail; past the deadline the action was ineffective."""
    incident = Incident(playbooks=asking(97, **STRICT))
    assert incident.look() == "not-yet"
    assert "not recovered yet: the health score is 96, and 97 is asked for: saturation costs" in incident.last.summary
    incident.clock.advance(seconds=DEADLINE_S + 120)
    assert incident.look() == "ineffective"


def test_a_score_that_nobody_knows_is_not_reached() -> None:
    """Without metrics nobody can tell: after three looks people hear of it."""
    incident = Incident(playbooks=asking(1))
    incident.world.unreadable = {"series"}
    assert [incident.look() for _ in range(3)] == ["cannot-tell", "cannot-tell", "give-up"]
    assert "the health score is not known, and 1 is asked for" in incident.last.summary


def test_without_a_score_to_reach_none_is_read() -> None:
    """A playbook that asks for no score is verified as ever: no metric is read for it."""
    incident = Incident(playbooks=asking(None, **STRICT))
    incident.world.unreadable = {"series", "measured"}
    assert incident.look() == "recovered"
    assert "score" not in incident.last.summary


def test_one_clear_look_in_between_starts_the_count_anew(incident: Incident) -> None:
    """Three in a row means in a row."""
    incident.world.alarm = alarm(state=AlarmState.ALARM)
    for blind in ({"alarms"}, {"alarms"}, set[str](), {"alarms"}, {"alarms"}):
        incident.world.unreadable = blind
        assert incident.look() in ("cannot-tell", "not-yet")


def failed(primary: DeploymentFacts) -> ServiceFacts:
    return service(primary=primary.model_copy(update={"rollout_state": "FAILED"}))


def test_a_deployment_that_failed_is_ineffective_at_once(incident: Incident) -> None:
    """There is nothing to wait for."""
    incident.world.shown = failed(deployment())
    assert incident.look() == "ineffective"


def test_without_an_alarm_five_steady_minutes_are_a_recovery() -> None:
    """An incident that a failed deployment opened; the minutes begin when it was first seen steady."""
    incident = Incident(
        signal=Signal(kind=SignalKind.DEPLOYMENT, occurred_at=FakeClock().now(), event_name="SERVICE_DEPLOYMENT_FAILED")
    )
    incident.world.shown = service(running=1)
    assert incident.look() == "not-yet"
    incident.clock.advance(seconds=60)
    incident.world.shown = service()
    assert incident.look() == "not-yet"
    incident.clock.advance(seconds=WITHOUT_ALARM.seconds - 1)
    assert incident.look() == "not-yet"
    incident.clock.advance(seconds=1)
    assert incident.look() == "recovered"


def test_an_unsteady_moment_starts_the_five_minutes_anew() -> None:
    """Steady means all the time."""
    incident = Incident(signal=Signal(kind=SignalKind.SERVICE_ACTION, occurred_at=FakeClock().now(), level="ERROR"))
    assert incident.look() == "not-yet"
    incident.clock.advance(seconds=200)
    incident.world.shown = service(running=1)
    assert incident.look() == "not-yet"
    incident.clock.advance(seconds=30)
    incident.world.shown = service()
    assert incident.look() == "not-yet"
    incident.clock.advance(seconds=200)
    assert incident.look() == "not-yet"


def test_between_two_crashes_nothing_is_recovered(incident: Incident) -> None:
    """New tasks that die again are steady, healthy and quiet in between: the action did not help."""
    acted_at = incident.clock.now()
    incident.clock.advance(seconds=300)
    incident.crash(2, started_at=acted_at)
    incident.clock.advance(seconds=120)
    incident.quiet(minutes=5)
    assert incident.look() == "not-yet"
    assert incident.checked.summary == "not recovered yet: 2 tasks stopped by themselves in the last 15 minutes"
    incident.clock.advance(seconds=300)
    assert incident.look() == "ineffective"


def test_tasks_that_died_before_the_action_hold_no_recovery_back(incident: Incident) -> None:
    """It put others in their place; and of those one may die at any time."""
    acted_at = incident.clock.now()
    incident.crash(3, started_at=acted_at - timedelta(seconds=400))
    incident.clock.advance(seconds=120)
    assert incident.look() == "recovered"
    incident.crash(1, started_at=acted_at)
    assert incident.look() == "recovered"


def test_the_same_answer_is_written_once(incident: Incident) -> None:
    """A trail of hundreds of equal lines helps nobody."""
    incident.world.alarm = alarm(state=AlarmState.ALARM)
    incident.look()
    head = incident.ledger.incident(incident.id).head_sequence
    for _ in range(5):
        incident.clock.advance(seconds=30)
        incident.look()
    assert incident.ledger.incident(incident.id).head_sequence == head


def test_the_ok_that_a_recovery_brings_is_seen_on_the_way(incident: Incident) -> None:
    """It asks for no new assessment, so that closing need not go back for it; a new ALARM does."""
    incident.ledger.record_signal(alarm_signal(60, state=AlarmState.OK), REF, may_open=False)
    incident.look()
    assert incident.ledger.incident(incident.id).signals_seen == 2
    incident.ledger.record_signal(alarm_signal(120), REF, may_open=True)
    incident.look()
    assert incident.ledger.incident(incident.id).signals_seen == 2
    assert incident.ledger.incident(incident.id).step == StepName.VERIFY


def test_another_alarm_after_the_action_asks_for_another_look(incident: Incident) -> None:
    """There may be a second trouble. The alarm that was known already says nothing new, and before the service is
    steady nobody can tell the one from the other. An alarm seldom comes alone: half a minute is left to others."""
    incident.world.alarm = alarm(state=AlarmState.ALARM)
    incident.ledger.record_signal(alarm_signal(60), REF, may_open=True)
    assert incident.look() == "not-yet"
    incident.ledger.record_signal(alarm_signal(90, alarm="orders-cpu"), REF, may_open=True)
    incident.world.shown = service(running=1, pending=1)
    assert incident.look() == "not-yet"
    incident.world.shown = service()
    gathers = incident.pause()
    assert (gathers.outcome, gathers.wait_s, gathers.wakes) == (Outcome.NOT_YET, 30, Wakes.ORDERS)
    incident.clock.advance(seconds=30)
    assert incident.look() == "look-again"
    assert "alarm orders-cpu went off after the last look" in incident.last.summary
    assert tell(incident.ledger.events(incident.id)).verifying is PLAN.action
    assert incident.ledger.incident(incident.id).signals_seen == 1


class TestWhenItLooksAgain:
    """Each look costs: the next one is at the moment at which something else can be said, or when a signal says so."""

    def wait_s(self, incident: Incident) -> int | None:
        return incident.pause().wait_s

    def test_while_tasks_come_and_go_every_minute(self, incident: Incident) -> None:
        """Any moment may be the first steady one; the end of a deployment wakes, and alarms say nothing of it."""
        incident.world.shown = service(running=1, pending=1)
        pause = incident.pause()
        assert (pause.outcome, pause.wait_s, pause.wakes) == (Outcome.NOT_YET, 60, Wakes.ORDERS)

    def test_no_later_than_an_unsteady_service_is_given_up(self, incident: Incident) -> None:
        """The next rung does not wait for the minute to be over."""
        incident.clock.advance(seconds=DEADLINE_S - 20)
        incident.world.shown = service(running=1, pending=1)
        assert self.wait_s(incident) == 20
        incident.clock.advance(seconds=20)
        assert incident.look() == "ineffective"

    def test_the_rest_of_a_wait_is_no_pause_between_looks(self, incident: Incident) -> None:
        """What was interrupted for a promise alone goes on to its end: nothing cuts short what a change is given."""
        visit = Visit(incident_id=incident.id, generation=1, left_s=100)
        said = incident.verify(visit)
        assert (said.outcome, said.wait_s, said.left_s) == (Outcome.WAIT, 100, 0)

    def test_it_knows_how_many_signals_it_has_seen(self, incident: Incident) -> None:
        """What comes after that is slept through by nobody."""
        incident.quiet(minutes=0)
        seen = incident.ledger.incident(incident.id).signals_received
        assert incident.pause().signals == seen
        incident.ledger.record_signal(alarm_signal(60, state=AlarmState.OK), REF, may_open=True)
        assert incident.pause().signals == seen + 1

    def test_no_later_than_people_were_promised_to_hear(self, incident: Incident) -> None:
        """And it is a look like any other: nothing of the pause is left for after the promise."""
        incident.quiet(minutes=0)
        promised_at = incident.clock.now() + timedelta(seconds=50)
        posted = said(Fact.UPDATE_POSTED, next_update_at=promised_at.isoformat())
        incident.ledger.append(incident.ledger.incident(incident.id), [posted], step="update")
        pause = incident.pause()
        assert (pause.wait_s, pause.left_s) == (50, 0)
        incident.clock.advance(seconds=50)
        assert incident.pause().outcome is Outcome.PROMISED_MEANWHILE

    def test_an_alarm_that_is_still_on_when_it_may_be_over(self, incident: Incident) -> None:
        """For as long as it looks back, and then when nothing of before can be in it any more; it need not tell."""
        incident.world.alarm = alarm(state=AlarmState.ALARM)
        pause = incident.pause()
        assert (pause.wait_s, pause.wakes) == (120, Wakes.TROUBLE)
        incident.clock.advance(seconds=120)
        assert self.wait_s(incident) == 60

    def test_no_later_than_the_action_is_given_up(self, incident: Incident) -> None:
        """An alarm that stays is told as soon as its time is over."""
        incident.clock.advance(seconds=DEADLINE_S + 120 - 10)
        incident.world.alarm = alarm(state=AlarmState.ALARM)
        assert self.wait_s(incident) == 10

    def test_a_service_without_alarms_every_minute(self) -> None:
        """Nothing would tell of it."""
        unwatched = Incident(signal=alarm_signal().model_copy(update={"kind": SignalKind.TASK, "alarm": None}))
        pause = unwatched.pause()
        assert (pause.outcome, pause.wait_s) == (Outcome.NOT_YET, 60)

    def test_once_quiet_when_the_window_is_over(self, incident: Incident) -> None:
        """Not a look later than it may count as recovered."""
        incident.quiet(minutes=1.75)
        assert self.wait_s(incident) == 15
        incident.clock.advance(seconds=15)
        assert incident.look() == "recovered"

    def test_at_least_every_five_minutes(self, incident: Incident) -> None:
        """Not everything that goes wrong tells of itself; an order and an alarm that goes off again do, and wake."""
        since = incident.clock.now()
        incident.world.alarm = alarm(state=AlarmState.OK, breaching_now=False, since=since, evaluation_periods=60)
        pause = incident.pause()
        assert (pause.wait_s, pause.wakes) == (300, Wakes.TROUBLE)

    def test_metrics_are_asked_only_where_the_answer_depends_on_them(self, incident: Incident) -> None:
        """They are paid for by the metric; the state of an alarm is not."""
        asked = 0
        shown = incident.world.alarms

        def counted(names: Sequence[str]) -> Sequence[AlarmFacts]:
            nonlocal asked
            asked += 1
            return shown(names)

        incident.world.states = shown  # type: ignore[method-assign]
        incident.world.alarms = counted  # type: ignore[method-assign]
        incident.quiet(minutes=1)
        assert (incident.look(), asked) == ("not-yet", 0)
        incident.world.alarm = alarm(state=AlarmState.ALARM)
        assert (incident.look(), asked) == ("not-yet", 0)
        incident.quiet(minutes=2)
        assert (incident.look(), asked) == ("recovered", 1)
