"""Nobody is ever shut out unasked, however hostile the day: operators order on top of everything else that happens."""

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from functions.domain.changes import BlockAddress, Change, DisableUser, ScaleToZero, SetCeiling, UnblockAddress
from functions.domain.incidents import Fact, Mode
from functions.domain.orders import Ordered
from functions.workflow.story import tell
from functions.workflow.table import StepName
from tests.fakes.world import REF
from tests.unit.workflow.test_contain import CONTAIN, block, give, order
from tests.unit.workflow.test_never import HostileDay

pytestmark = pytest.mark.thorough

STRANGERS = "9.9.9.9"
ADDRESSES = ("93.184.216.34", "93.184.216.35")


class BesiegedDay(HostileDay):
    """A hostile day on which operators order to isolate, to block and to disable, too."""

    also: ClassVar[Mapping[str, object]] = {"contain": CONTAIN}

    @rule(
        what=st.sampled_from([each for each in Ordered if each.contains]),
        address=st.sampled_from(ADDRESSES),
        hours=st.sampled_from([1, 24]),
        rows=st.integers(0, 12),
    )
    def an_operator_orders(self, what: Ordered, address: str, hours: int, rows: int) -> None:
        about = {"user": "u-17"} if what is Ordered.DISABLE_USER else {}
        give(self.responder, block(address, hours=hours) if what is Ordered.BLOCK_ADDRESS else order(what, **about))
        for execution in self.alive()[-1:]:
            self.go(execution, rows)

    @rule(adds=st.booleans(), address=st.sampled_from([STRANGERS, *ADDRESSES]))
    def a_stranger_is_at_the_set(self, adds: bool, address: str) -> None:
        there = address in self.world.blocked
        if adds and not there:
            self.world.blocked.append(address)
        if there and not adds:
            self.world.blocked.remove(address)

    def check_change(self, change: Change) -> None:
        """What shuts out is granted, in whatever mode, and written down first; the rest is as on any other day."""
        holder = self.responder.ledger.lock_holder(REF)
        assert holder is not None
        events = self.responder.ledger.events(holder)
        plan = tell(events).intents[-1].plan
        assert events[-1].fact is Fact.ACTION_INTENDED
        if not plan.action.contains:
            assert not isinstance(change, ScaleToZero | BlockAddress | UnblockAddress | DisableUser)
            super().check_change(change)
            return
        assert events[-1].actor == StepName.CONTAIN
        assert isinstance(change, ScaleToZero | BlockAddress | DisableUser | SetCeiling)
        assert (holder, events[-1].sequence) not in self.answered, "a second effect of one intent"
        self.answered.add((holder, events[-1].sequence))
        switch = self.responder.ledger.switch(REF)
        assert not switch.paused(self.responder.clock.now()), "shut out while paused"
        assert not self.in_maintenance(self.responder.clock.now()), "shut out in a maintenance window"
        assert not self.responder.ledger.fleet_switch().stopped, "shut out while everything is stopped"
        assert (self.playbook.mode if switch.mode is None else switch.mode) is not Mode.OBSERVE
        assert tell(events).granted(plan), "shut out unasked"

    @invariant()
    def a_grant_begins_one_plan_at_most(self) -> None:
        for incident in self.responder.ledger.incidents_of(REF):
            story = tell(self.responder.ledger.events(incident.id))
            asked = [i.plan.hash for i in story.intents if i.stage == 0 and i.plan.action.contains]
            granted = Counter(r.plan.hash for r in story.requests if r.ended is Fact.APPROVAL_GRANTED)
            assert not Counter(asked) - granted

    def teardown(self) -> None:
        """A person brings an isolated service back; then everything ends, and no address of ours is left behind."""
        if not hasattr(self, "world"):
            return
        world = self.world
        if world.desired == 0:
            world.minimum, world.maximum, world.desired, world.running = self.floor, 10, 2, 2
        self.people = "say nothing"
        super().teardown()


BesiegedDay.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

TestNeverUnasked = BesiegedDay.TestCase
