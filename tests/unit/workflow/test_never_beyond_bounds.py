"""Whatever people order, the playbook's bounds hold, and one incident at a time holds the service."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from functions.domain.changes import (
    ActionName,
    Change,
    ForceNewDeployment,
    SetCeiling,
    SetCount,
    SetFloor,
    SetTaskDefinition,
    StopTask,
)
from functions.domain.evidence import ReleaseState
from functions.domain.incidents import Event, Fact, Mode
from functions.domain.orders import Order, Ordered
from functions.workflow.decision import Decision
from functions.workflow.orders import OrderState, reply_to
from functions.workflow.story import tell
from tests.fakes.world import REF
from tests.unit.workflow.test_never import HostileDay

pytestmark = pytest.mark.thorough

COUNTS = st.sampled_from([0, 1, 2, 3, 5, 8, 12, 13, 40])


def ordered_intents(events: Sequence[Event]) -> set[int]:
    """Sequence numbers of the intents that carry out an order."""
    found, newest = set(), None
    for event in events:
        if "decision" in event.data:
            newest = Decision.model_validate(event.data["decision"])
        if event.fact is Fact.ACTION_INTENDED and newest is not None and newest.order is not None:
            found.add(event.sequence)
    return found


class CommandedDay(HostileDay):
    """A hostile day on which operators order whatever comes to their minds, too."""

    also: ClassVar[Mapping[str, object]] = {}

    @rule(
        what=st.sampled_from([each for each in Ordered if not each.contains]),
        count=COUNTS,
        other=COUNTS,
        to=st.sampled_from(["latest", "1", "2", "3"]),
        hours=st.sampled_from([None, None, 1]),
        twice=st.booleans(),
        rows=st.integers(0, 12),
    )
    def an_operator_orders(
        self, what: Ordered, count: int, other: int, to: str, hours: int | None, twice: bool, rows: int
    ) -> None:
        self.given(what, count, other, to, hours, twice=twice, rows=rows)

    def given(
        self, what: Ordered, count: int, other: int, to: str, hours: int | None, *, twice: bool, rows: int
    ) -> None:
        lasting: dict[str, object] = {} if hours is None else {"duration_s": hours * 3600}
        abouts: dict[Ordered, dict[str, object]] = {
            Ordered.ROLL_BACK: {"to": to},
            Ordered.SET_COUNT: {"count": count, **lasting},
            Ordered.SET_LIMITS: {"minimum": min(count, other), "maximum": max(count, other), **lasting},
            Ordered.STOP_TASK: {"task": "1"},
        }
        about = abouts.get(what, {})
        order = Order.model_validate({"what": what, "by": "ann", "reason": "because", **about})
        self.responder.clock.advance(seconds=1)
        given = self.responder.give_order(REF, order)
        if twice:
            again = self.responder.give_order(REF, order)
            assert (again.incident_id, again.number) == (given.incident_id, given.number)
        for execution in self.alive()[-1:]:
            self.go(execution, rows)
        self.told(reply_to(self.responder.ledger, given).state)

    @rule(what=st.sampled_from([Ordered.REDEPLOY, Ordered.SET_COUNT, Ordered.SET_LIMITS]), rows=st.integers(2, 6))
    def ordered_while_somebody_ships(self, what: Ordered, rows: int) -> None:
        self.happened("a slow good release")
        self.given(what, self.world.desired + 1, 12, "latest", None, twice=False, rows=rows)

    def told(self, state: OrderState) -> None:
        """A trail can be read for every order, at every moment."""
        assert state in OrderState

    def check_change(self, change: Change) -> None:
        """An order passes what holds back the responder's own zeal, and nothing else."""
        holder = self.responder.ledger.lock_holder(REF)
        assert holder is not None
        events, world, now = self.responder.ledger.events(holder), self.world, self.responder.clock.now()
        if events[-1].sequence not in ordered_intents(events):
            assert not isinstance(change, SetCount), "a count that nobody ordered"
            super().check_change(change)
            return
        assert events[-1].data["change"] == change.model_dump(mode="json")
        assert (holder, events[-1].sequence) not in self.answered, "a second effect of one intent"
        self.answered.add((holder, events[-1].sequence))
        switch = self.responder.ledger.switch(REF)
        plan = tell(events).intents[-1].plan
        assert not switch.paused(now), "ordered while paused"
        assert not self.in_maintenance(now), "ordered in a maintenance window"
        assert not self.responder.ledger.fleet_switch().stopped, "ordered while everything is stopped"
        assert (self.playbook.mode if switch.mode is None else switch.mode) is not Mode.OBSERVE
        assert world.in_flight is None or plan.action is ActionName.ROLL_BACK, "two changes at once"
        adds = False
        match change:
            case SetFloor(minimum=count) | SetCount(count=count):
                assert 1 <= count <= 20, "beyond the playbook's bounds"
                adds = count > world.desired
            case SetCeiling(maximum=maximum, minimum=minimum):
                assert 1 <= (maximum if minimum is None else minimum) <= maximum <= 20, "beyond the playbook's bounds"
                adds = minimum is not None and minimum > world.desired
            case SetTaskDefinition(task_definition=target):
                known = {r.task_definition: r.state for r in self.responder.ledger.releases(REF)}
                assert known.get(target) is not ReleaseState.QUARANTINED, "back to a release that was found bad"
            case ForceNewDeployment() | StopTask():
                adds = True
            case _:
                pass
        assert not (adds and self.dead_database_seen), "more load for a dead dependency"
        if not plan.leases:
            floor = change.minimum if isinstance(change, SetFloor | SetCeiling) else None
            self.floor = self.floor if floor is None else floor

    @invariant()
    def limits_hold(self) -> None:
        """The attempts are the ladder's; the actions of an hour are everybody's."""
        begun = []
        for incident in self.responder.ledger.incidents_of(REF):
            events = self.responder.ledger.events(incident.id)
            intents = [intent for intent in tell(events).intents if intent.stage == 0]
            own = [intent for intent in intents if intent.sequence not in ordered_intents(events)]
            assert len(own) <= self.playbook.limits.attempts_per_incident
            begun += [intent.at for intent in intents]
        for at in begun:
            within = [other for other in begun if at - timedelta(hours=1) < other <= at]
            assert len(within) <= self.playbook.limits.actions_per_hour

    @invariant()
    def the_count_stays_within_bounds(self) -> None:
        assert 1 <= self.world.desired <= 20

    def quiet(self) -> bool:
        """When it is calm, a person lets two tasks run, and an autoscaler takes those above its floor."""
        world = self.world
        world.maximum = max(world.maximum, 2)
        world.desired = world.running = max(world.minimum, 2)
        return super().quiet()


CommandedDay.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

TestNeverBeyondBounds = CommandedDay.TestCase
