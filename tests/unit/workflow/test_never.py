"""What must never happen, whatever does: the whole responder against a hostile day, found by search."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from functions.domain.approvals import Answer
from functions.domain.changes import Change, ForceNewDeployment, SetFloor, SetTaskDefinition
from functions.domain.errors import AnswerRefused, ChangeDoubtful, ChangeRefused
from functions.domain.evidence import ReleaseState
from functions.domain.incidents import Fact, FleetSwitch, IncidentStatus, Mode, Switch, verify_trail
from functions.domain.maintenance import Announced
from functions.domain.signals import AlarmState, Signal
from functions.playbooks.schema import Playbook
from functions.workflow.decide import ASKS_PER_INCIDENT
from functions.workflow.story import tell
from functions.workflow.table import Outcome, StepName
from tests.fakes.engine import Execution, Killed, Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import FAMILY, REF

pytestmark = pytest.mark.thorough

READS = ("service", "tasks", "targets", "alarms", "series", "service_deployments", "scaling")
CALM_ROUNDS = 160
"""Rounds of sweeping and running that are surely enough for everything to end once nothing is wrong."""


def kill() -> None:
    raise Killed


class HostileDay(RuleBasedStateMachine):
    """Releases, load, outages, people, lost and repeated messages, dying executions; in any order."""

    also: ClassVar[Mapping[str, object]] = {}
    """What else the playbook says."""

    def __init__(self) -> None:
        super().__init__()
        self.executions: dict[tuple[str, int], Execution] = {}
        self.sent: list[Signal] = []
        self.answered: set[tuple[str, int]] = set()
        self.version = 1
        self.dead_database_seen = False

    @initialize(
        mode=st.sampled_from(["auto"] * 7 + ["ask"] * 3 + ["observe"]),
        attempts=st.sampled_from([3, 2, 1, 0]),
        per_hour=st.sampled_from([4, 2, 1, 0]),
        cooldown=st.sampled_from([0, 60, 600]),
        lease=st.sampled_from([60, 600, 1800]),
        baked=st.booleans(),
        maintenance=st.sampled_from(["", "", "05:00", "04:20", "23:00"]),
    )
    def begin(
        self, mode: str, attempts: int, per_hour: int, cooldown: int, lease: int, baked: bool, maintenance: str
    ) -> None:
        self.announced: list[tuple[datetime, datetime]] = []
        self.playbook = Playbook.model_validate(
            {
                **REF.model_dump(),
                "mode": mode,
                "alarms": [{"existing": "orders-5xx"}],
                "dependencies": [{"name": "orders-db", "alarm": "orders-db-unreachable"}],
                "limits": {"attempts_per_incident": attempts, "actions_per_hour": per_hour, "cooldown": cooldown},
                "scale_out": {"lease": lease},
                **self.also,
                "maintenance": [{"every": "day", "from": maintenance, "to": "06:10"}] if maintenance else [],
            }
        )
        self.responder = Responder(playbook=self.playbook, asked=self.answer)
        self.people = "say nothing"
        self.world = self.responder.world
        self.world.watching = self.check_change
        self.world.watching_back = self.check_giving_back
        self.floor = self.world.minimum
        self.responder.sweep()
        self.responder.clock.advance(seconds=3600 if baked else 60)
        self.responder.sweep()

    # What people say when they are asked

    @rule(
        people=st.sampled_from(
            ["say yes", "say yes", "say no", "say nothing", "say yes to an execution that dies", "say yes in vain"]
        )
    )
    def from_now_on(self, people: str) -> None:
        self.people = people

    def answer(self) -> None:
        holder = self.responder.ledger.lock_holder(REF)
        assert holder is not None, "people were asked for nothing"
        if self.people == "say nothing":
            return
        self.responder.clock.advance(seconds=120)
        if self.people == "say yes in vain":
            self.responder.people.waiting = None
        said = Answer.DENIED if self.people == "say no" else Answer.GRANTED
        with suppress(AnswerRefused):
            self.responder.take_answer(holder, said, by="maria", identity="", reason="")
        if self.people == "say yes to an execution that dies":
            raise Killed

    # What happens: one rule, so that no search leaves half of the day out

    @rule(
        what=st.sampled_from(
            [
                "a bad release",
                "a bad release",
                "a good release",
                "a slow bad release",
                "a slow good release",
                "the deployment ends",
                "twice the load",
                "six times the load",
                "the usual load",
                "the database dies",
                "the database is back",
                "tasks hang",
                "tasks work again",
                "nothing helps",
                "the alarm is faked",
                "all releases are deregistered",
                "an engineer sets the floor to 1",
                "an engineer sets the floor to 7",
                "a short pause",
                "a long pause",
                "resumed",
                "everything is stopped",
                "maintenance is announced",
                "maintenance begins",
                "maintenance is cancelled",
                "observe",
                "ask",
                "auto",
                "a change is refused",
                "a change is not answered",
                "a change gets lost on its way",
            ]
        ),
        told=st.sampled_from(["at once", "at once", "too late", "by the sweep"]),
        minutes=st.sampled_from([0, 2, 2, 15, 70]),
    )
    def happens(self, what: str, told: str, minutes: int) -> None:
        self.happened(what)
        self.responder.clock.advance(seconds=60 * minutes)
        self.world.settle_alarm()
        match told:
            case "at once":
                self.deliver(self.current_signal())
            case "too late":
                self.sent.append(self.current_signal())
            case _:
                self.responder.sweep()

    @rule(
        what=st.sampled_from(
            ["a bad release", "a slow bad release", "tasks hang", "twice the load", "six times the load"]
        ),
        rows=st.integers(1, 30),
    )
    def trouble(self, what: str, rows: int) -> None:
        """Something breaks, its alarm is told at once, and the responder has some time for it."""
        self.happens(what, told="at once", minutes=2)
        self.run(rows, which=-1)

    @rule(
        what=st.sampled_from(
            ["the usual load", "tasks work again", "the database is back", "a good release", "resumed", "started again"]
        ),
        rows=st.integers(1, 30),
    )
    def relief(self, what: str, rows: int) -> None:
        self.happens(what, told="at once", minutes=2)
        self.run(rows, which=-1)

    @rule(
        trouble=st.sampled_from(["a bad release", "tasks hang", "six times the load"]),
        what=st.sampled_from(
            [
                "a long pause",
                "maintenance begins",
                "everything is stopped",
                "observe",
                "a good release",
                "an engineer sets the floor to 7",
            ]
        ),
    )
    def interfered_with_between_plan_and_action(self, trouble: str, what: str) -> None:
        self.happens(trouble, told="at once", minutes=2)
        for _ in range(4):
            for execution in self.alive()[-1:]:
                if execution.at is StepName.REMEDIATE:
                    self.happened(what)
                self.go(execution)

    def happened(self, what: str) -> None:
        world, now = self.world, self.responder.clock.now()
        match what:
            case "a bad release" | "a good release" | "a slow bad release" | "a slow good release":
                self.ship(bad="bad" in what, slowly="slow" in what)
            case "the deployment ends":
                if world.in_flight is not None:
                    world.finish_shipping()
            case "twice the load" | "six times the load" | "the usual load":
                world.load = {"twice": 2.0, "six": 6.0, "the": 1.0}[what.split()[0]]
            case "the database dies" | "the database is back":
                world.database_down = what == "the database dies"
            case "tasks hang" | "tasks work again":
                world.stuck = what == "tasks hang"
            case "nothing helps":
                world.stays_broken = True
            case "the alarm is faked":
                world.faked_alarm = True
            case "all releases are deregistered":
                world.inactive |= {f"{FAMILY}:{n}" for n in range(self.version)}
            case "an engineer sets the floor to 1" | "an engineer sets the floor to 7":
                self.set_floor(int(what[-1]))
            case "a short pause" | "a long pause":
                until = now + timedelta(minutes=3 if "short" in what else 60)
                self.switch(paused_until=until, by="ann", reason="migration")
            case "everything is stopped" | "started again":
                self.responder.ledger.set_fleet_switch(
                    FleetSwitch(stopped=what != "started again", by="ann", reason="a hunch", at=now)
                )
            case "resumed":
                self.switch(paused_until=None, mode=None)
            case "maintenance is announced" | "maintenance begins":
                begins = now if what == "maintenance begins" else now + timedelta(minutes=20)
                self.announced.append((begins, begins + timedelta(minutes=45)))
                self.announce()
            case "maintenance is cancelled":
                self.announced = [span for span in self.announced if span[1] <= now]
                self.announce()
            case "observe" | "ask" | "auto":
                self.switch(mode=Mode(what), paused_until=None, by="ann")
            case "a change is refused":
                world.failing_changes.append(ChangeRefused("ClientException: no"))
            case "a change is not answered":
                world.lost_answers.append(ChangeDoubtful("read timeout"))
            case "a change gets lost on its way":
                world.failing_changes.append(ChangeDoubtful("read timeout"))
            case _:
                raise AssertionError(what)

    def switch(self, **said: object) -> None:
        ledger = self.responder.ledger
        ledger.set_switch(REF, ledger.switch(REF).model_copy(update=said))

    def announce(self) -> None:
        now = self.responder.clock.now()
        windows = (Announced(start=start, end=end, by="ann", reason="disks", at=now) for start, end in self.announced)
        self.switch(maintenance=tuple(windows))

    def in_maintenance(self, now: datetime) -> bool:
        """As the test itself knows it, in UTC."""
        daily = any(
            window.begins <= f"{now:%H:%M}" < window.ends
            or (window.begins > window.ends and not window.ends <= f"{now:%H:%M}" < window.begins)
            for window in self.playbook.maintenance
        )
        return daily or any(start <= now < end for start, end in self.announced)

    def ship(self, *, bad: bool, slowly: bool) -> None:
        self.version += 1
        release = f"{FAMILY}:{self.version}"
        if bad:
            self.world.bad.add(release)
        if slowly:
            self.world.begin_shipping(release)
        else:
            self.world.ship(release)

    def set_floor(self, floor: int) -> None:
        ours = {lease.terms.value for lease in self.responder.ledger.service_leases(REF)}
        if floor not in ours and floor != self.world.minimum:
            self.floor = self.world.minimum = floor
            self.world.desired = self.world.running = max(self.world.desired, floor)

    @rule(call=st.sampled_from(READS))
    def unreadable_for_a_while(self, call: str) -> None:
        self.world.unreadable.add(call)
        for execution in self.alive()[-1:]:
            self.go(execution, 4)
        self.world.unreadable.clear()

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def delivered_again_late_or_out_of_order(self, data: st.DataObject) -> None:
        self.responder.intake(data.draw(st.sampled_from(self.sent)))

    def current_signal(self) -> Signal:
        since = self.world.alarm_changed_at
        state = AlarmState.ALARM if self.world.settle_alarm() else AlarmState.OK
        return alarm_signal(state=state).model_copy(update={"occurred_at": since})

    def deliver(self, signal: Signal) -> None:
        self.sent.append(signal)
        self.responder.intake(signal)

    # How executions go on

    def alive(self) -> list[Execution]:
        for started in self.responder.executions.started:
            self.executions.setdefault(started[:2], Execution.begun(*started))
        ended = self.responder.executions.ended
        return [e for e in self.executions.values() if e.key not in ended]

    def go(self, execution: Execution, rows: int = 1) -> None:
        for _ in range(rows):
            if execution.key not in self.responder.executions.ended:
                self.world.settle_alarm()
                self.responder.go(execution, before=self.note)

    def note(self, step: StepName) -> None:
        if step is StepName.ASSESS:
            self.dead_database_seen = self.world.database_down

    @rule(rows=st.integers(1, 12), which=st.integers(0, 3))
    def run(self, rows: int, which: int) -> None:
        alive = self.alive()
        if alive:
            self.go(alive[which % len(alive)], rows)

    @rule(
        how=st.sampled_from(["while it reads", "between a change and its record", "while it waits"]),
        rows=st.integers(1, 4),
        later=st.booleans(),
    )
    def killed(self, how: str, rows: int, later: bool) -> None:
        """The newest execution dies; sooner or later the sweep finds out."""
        for execution in self.alive()[-1:]:
            match how:
                case "while it reads":
                    self.world.meanwhile.append(kill)
                case "between a change and its record":
                    self.world.afterwards.append(kill)
                case _:
                    self.responder.executions.ended.add(execution.key)
            self.go(execution, rows)
            self.world.meanwhile.clear()
            self.world.afterwards.clear()
        if later:
            self.responder.clock.advance(seconds=300)
            self.responder.sweep()

    @rule(rows=st.integers(0, 3))
    def overtaken_in_the_middle(self, rows: int) -> None:
        """Its execution ends and a successor begins while its function still runs: it must not write any more."""
        for execution in self.alive()[-1:]:
            self.go(execution, rows)

            def overtake(key: tuple[str, int] = execution.key) -> None:
                self.responder.executions.ended.add(key)
                self.responder.clock.advance(seconds=300)
                self.responder.sweep()

            slept = self.is_ghost(execution)
            self.world.meanwhile.append(overtake)
            self.go(execution)
            self.world.meanwhile.clear()
            if self.is_ghost(execution) and not slept:
                assert self.responder.ledger.events(execution.incident)[-1].fact is Fact.EXECUTION_RESTARTED

    @rule()
    def ghosts_speak(self) -> None:
        """Functions of executions that were taken over long ago wake up again."""
        for ghost in [e for e in self.executions.values() if self.is_ghost(e) and e.at is not StepName.END]:
            head, changes = self.responder.ledger.incident(ghost.incident).head_hash, len(self.world.changes)
            self.responder.go(ghost)
            assert self.responder.ledger.incident(ghost.incident).head_hash == head
            assert len(self.world.changes) == changes

    @rule(minutes=st.sampled_from([0, 5, 30]))
    def sweep(self, minutes: int) -> None:
        self.responder.clock.advance(seconds=60 * minutes)
        self.responder.sweep()

    def is_ghost(self, execution: Execution) -> bool:
        if execution.payload.get("outcome") == Outcome.EXHAUSTED and execution.at is StepName.SUCCESSOR:
            return False
        return execution.generation < self.responder.ledger.incident(execution.incident).generation

    # What must never happen

    def check_change(self, change: Change) -> None:
        """Asked with every change, before it has an effect."""
        holder = self.responder.ledger.lock_holder(REF)
        assert holder is not None, "a change without an incident"
        intent = self.responder.ledger.events(holder)[-1]
        assert intent.fact is Fact.ACTION_INTENDED, "a change that was not written down first"
        assert intent.data["change"] == change.model_dump(mode="json")
        assert (holder, intent.sequence) not in self.answered, "a second effect of one intent"
        self.answered.add((holder, intent.sequence))
        switch = self.responder.ledger.switch(REF)
        assert not switch.paused(self.responder.clock.now()), "a change while paused"
        assert not self.in_maintenance(self.responder.clock.now()), "a change in a maintenance window"
        assert not self.responder.ledger.fleet_switch().stopped, "a change while everything is stopped"
        mode = self.playbook.mode if switch.mode is None else switch.mode
        story = tell(self.responder.ledger.events(holder))
        plan = story.intents[-1].plan
        assert mode is Mode.AUTO or (mode is Mode.ASK and story.granted(plan)), "a change nobody allowed"
        assert not story.consent(self.responder.clock.now()).denies(plan), "a change that people denied"
        match change:
            case SetFloor(minimum=minimum):
                assert self.world.minimum < minimum <= min(self.world.maximum, self.playbook.limits.max_tasks)
                assert not self.dead_database_seen, "scaled against a dead dependency"
            case ForceNewDeployment():
                assert not self.dead_database_seen, "restarted against a dead dependency"
            case SetTaskDefinition(task_definition=target):
                known = {r.task_definition: r.state for r in self.responder.ledger.releases(REF)}
                assert known.get(target) is not ReleaseState.QUARANTINED, "back to a release that was found bad"
            case _:
                pass

    def check_giving_back(self, change: Change) -> None:
        now = self.responder.clock.now()
        assert not self.responder.ledger.switch(REF).paused(now), "given back while paused"
        assert not self.in_maintenance(now), "given back in a maintenance window"
        assert not self.responder.ledger.fleet_switch().stopped, "given back while everything is stopped"

    @invariant()
    def trails_hold(self) -> None:
        for incident in self.responder.ledger.incidents_of(REF):
            verify_trail(
                self.responder.ledger.events(incident.id),
                head_sequence=incident.head_sequence,
                head_hash=incident.head_hash,
            )

    @invariant()
    def at_most_one_incident_is_open(self) -> None:
        opened = self.responder.ledger.open_incidents()
        holder = self.responder.ledger.lock_holder(REF)
        assert [incident.id for incident in opened] == ([] if holder is None else [holder])

    @invariant()
    def limits_hold(self) -> None:
        stories = [tell(self.responder.ledger.events(i.id)) for i in self.responder.ledger.incidents_of(REF)]
        assert all(story.attempts <= self.playbook.limits.attempts_per_incident for story in stories)
        begun = sorted(intent.at for story in stories for intent in story.intents if intent.stage == 0)
        for at in begun:
            within = [other for other in begun if at - timedelta(hours=1) < other <= at]
            assert len(within) <= self.playbook.limits.actions_per_hour

    @invariant()
    def a_grant_begins_one_plan_at_most(self) -> None:
        for incident in self.responder.ledger.incidents_of(REF):
            story = tell(self.responder.ledger.events(incident.id))
            assert len(story.requests) <= ASKS_PER_INCIDENT
            for request in story.requests:
                begun = [i for i in story.intents if i.stage == 0 and i.plan.hash == request.plan.hash]
                assert not request.used or (request.ended is Fact.APPROVAL_GRANTED and len(begun) == 1)

    @invariant()
    def what_was_rolled_back_is_quarantined_at_the_end(self) -> None:
        known = {r.task_definition: r.state for r in self.responder.ledger.releases(REF)}
        for incident in self.responder.ledger.incidents_of(REF):
            if incident.status is IncidentStatus.RESOLVED:
                for intent in tell(self.responder.ledger.events(incident.id)).intents:
                    if intent.plan.quarantine is not None and intent.ended in (Fact.ACTION_TAKEN, Fact.ACTION_DOUBTFUL):
                        last = intent.stage + 1 == len(intent.plan.changes)
                        assert not last or known[intent.plan.quarantine] is ReleaseState.QUARANTINED

    def teardown(self) -> None:
        """Once nothing is wrong any more, everything ends by itself and nothing temporary is left."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.bad.clear()
        world.unreadable.clear()
        world.failing_changes.clear()
        world.lost_answers.clear()
        world.stuck = world.database_down = world.faked_alarm = world.stays_broken = False
        world.load = 1.0
        world.finish_shipping()
        self.responder.ledger.set_switch(REF, Switch())
        self.responder.ledger.set_fleet_switch(FleetSwitch(stopped=False))
        self.announced.clear()
        for _ in range(CALM_ROUNDS):
            if self.quiet():
                break
            self.responder.clock.advance(seconds=300)
            self.responder.sweep()
            for execution in self.alive():
                self.go(execution, 4)
        assert self.responder.ledger.open_incidents() == ()
        assert self.responder.ledger.service_leases(REF) == ()
        assert world.minimum == self.floor
        self.trails_hold()
        self.limits_hold()
        self.what_was_rolled_back_is_quarantined_at_the_end()

    def quiet(self) -> bool:
        ledger = self.responder.ledger
        return not (self.world.settle_alarm() or self.alive() or ledger.open_incidents() or ledger.service_leases(REF))


HostileDay.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

TestNever = HostileDay.TestCase
