"""Muting an alarm that flaps: only where the ladder says so, only what only tells people, and only for a while."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.actions.action import Refusal
from functions.actions.registry import ACTIONS
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, MuteAlarm, Plan, UnmuteAlarm
from functions.domain.findings import Findings
from functions.domain.incidents import Fact
from functions.domain.mutes import FLAPS, not_to_be_muted, rule_of
from functions.playbooks.schema import Playbook
from functions.workflow.table import Outcome, StepName
from tests.fakes.engine import Responder
from tests.fakes.findings import ALARM_AT, NOW, alarm, alarms, findings, history, terms, without
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import assert_sound, facts, playbook, raise_alarm

MUTING: dict[str, Any] = {"ladders": {"false-alarm": ["mute-alarm"]}, "mute": {"lease": "30m"}}
TOPIC = "arn:aws:sns:eu-west-1:000000000000:on-call"
SCALES = (
    "arn:aws:autoscaling:eu-west-1:000000000000:scalingPolicy:0123:autoScalingGroupName/web:policyName/out",
    "arn:aws:autoscaling:eu-west-1:000000000000:scalingPolicy:0123:resource/ecs/service/shop/orders:policyName/out",
)
ELSE = ("arn:aws:automate:eu-west-1:ec2:reboot", "arn:aws:lambda:eu-west-1:000000000000:function:heal")


def flapping(**said: Any) -> Responder:
    """An alarm that goes off although its metric is fine, for the third time."""
    made = Responder(playbook=playbook(**(MUTING | said)))
    made.world.faked_alarm = True
    made.world.flaps = FLAPS - 1
    made.clock.advance(seconds=120)
    made.world.settle_alarm()
    raise_false_alarm(made)
    return made


def raise_false_alarm(made: Responder) -> None:
    raise_alarm(made)
    made.clock.advance(seconds=60)


def test_it_is_muted_for_a_while_and_speaks_again() -> None:
    """As a lease: people hear of it once, in the letter, and the rule is deleted when the lease ends."""
    made = flapping()
    made.run(until=StepName.VERIFY)
    assert made.world.changes == [MuteAlarm(alarm="orders-5xx", duration_s=1800, note=note(made))]
    assert made.world.muted == {"orders-5xx": 1800}
    made.world.faked_alarm = False
    continued(made)
    assert made.world.restored == [UnmuteAlarm(alarm="orders-5xx")]
    assert made.world.muted == {}
    assert facts(made)[-1] is Fact.LEASE_RESTORED
    (letter,) = made.notifier.pages
    assert "alarm orders-5xx is muted for 30 minutes" in letter.text
    assert_sound(made)


def note(made: Responder) -> str:
    return f"it flaps: {made.executions.started[0][0]}"


def continued(made: Responder) -> None:
    incident, generation, _ = made.executions.started[-1]
    made.executions.started.append((incident, generation, "assess"))
    made.run()


@pytest.mark.parametrize(("left", "fact"), [(0, Fact.LEASE_RESTORED), (7200, Fact.LEASE_LEFT)])
def test_a_mute_that_is_over_or_anothers_is_left_alone(left: int, fact: Fact) -> None:
    """It has ended by itself, or an operator muted the alarm for another time."""
    made = flapping()
    made.run(until=StepName.VERIFY)
    made.world.faked_alarm = False
    made.world.muted = {"orders-5xx": left}
    continued(made)
    assert made.world.restored == []
    assert facts(made)[-1] is fact


def test_a_mute_that_cannot_be_read_is_looked_at_again() -> None:
    """Nothing is deleted unseen."""
    made = flapping()
    made.run(until=StepName.VERIFY)
    made.world.faked_alarm = False
    made.world.unreadable = {"muted_s"}
    continued(made)
    assert made.world.restored == []
    assert Fact.LEASE_POSTPONED in facts(made)


def test_without_a_word_in_the_playbook_nothing_is_muted() -> None:
    """No default ladder does it."""
    made = flapping(ladders={})
    made.run(until=StepName.WATCH)
    assert made.world.changes == []
    assert made.path == ["assess:stand-down"]


def test_nobody_is_called_for_a_false_alarm_that_may_not_be_muted() -> None:
    """Observing, or with the limits used up, the responder stands down as it always does."""
    for said in ({"mode": "observe"}, {"limits": {"actions_per_hour": 0}}):
        made = flapping(**said)
        made.run(until=StepName.WATCH)
        assert made.path == ["assess:stand-down"]
        assert made.world.changes == []
        assert made.notifier.pages == []


def test_in_mode_ask_people_are_asked() -> None:
    """As before every action."""
    made = flapping(mode="ask")
    made.run(until=StepName.APPROVAL)
    assert made.visited[-1] == (StepName.ASSESS, Outcome.ASK)


@given(
    st.none()
    | st.just(())
    | st.lists(st.sampled_from([TOPIC, *SCALES, *ELSE])).filter(lambda actions: set(actions) - {TOPIC}).map(tuple)
)
def test_an_alarm_that_does_more_than_tell_people_is_never_muted(actions: tuple[str, ...] | None) -> None:
    """One that scales above all; nor one of which nobody could say what it does."""
    made = flapping()
    made.world.alarm_actions = actions
    made.run(until=StepName.WATCH)
    assert made.world.changes == []


def test_why_an_alarm_stays_loud() -> None:
    """In words for the trail and for whoever types the command."""
    assert not_to_be_muted((TOPIC, TOPIC)) is None
    assert not_to_be_muted(None) == "its actions could not be read"
    for action in (*SCALES, *ELSE):
        assert not_to_be_muted((TOPIC, action)) == f"it does more than tell people: {action}"


FLAPS_NOW = findings(
    alarms=alarms(alarm(actions=(TOPIC,), since=NOW)),
    history=history(NOW, ALARM_AT, ALARM_AT),
)
OWN = terms(alarms=("orders-5xx",), incident_id="inc-1", mute_s=1800)


def planned(seen: Findings, given_terms: Any = OWN) -> Plan | Refusal:
    return ACTIONS[ActionName.MUTE_ALARM].plan(Cause.FALSE_ALARM, seen, given_terms)


def test_the_plan_has_its_end_and_its_undo() -> None:
    """What is granted is this alarm, for so long."""
    plan = planned(FLAPS_NOW)
    assert isinstance(plan, Plan)
    assert plan.undo == "responder unmute orders-5xx"
    (lease,) = plan.leases
    assert plan.lease_of(0) == lease
    assert (lease.resource_id, lease.original, lease.value, lease.duration_s) == ("orders-5xx", 0, 1800, 1800)


@pytest.mark.parametrize(
    ("seen", "given_terms", "reason"),
    [
        (without(FLAPS_NOW, "history"), OWN, "could not be read"),
        (without(FLAPS_NOW, "alarms"), OWN, "could not be read"),
        (without(FLAPS_NOW, "service"), OWN, "could not be read"),
        (replace(FLAPS_NOW, history=findings(history=history(NOW)).history), OWN, "on again by itself"),
        (
            findings(
                alarms=alarms(alarm(actions=(TOPIC,), since=NOW), alarm(name="other", since=NOW)),
                history=history(NOW, NOW, NOW),
            ),
            OWN,
            "not every alarm",
        ),
        (FLAPS_NOW, terms(alarms=("another",)), "none of the existing alarms"),
    ],
)
def test_what_is_not_muted(seen: Findings, given_terms: Any, reason: str) -> None:
    """Unread, not flapping, or somebody else's."""
    refusal = planned(seen, given_terms)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_the_ladder_of_false_alarms_alone_may_mute() -> None:
    """And does nothing else."""
    smallest = {"region": REF.region, "cluster": REF.cluster, "service": REF.service}
    existing = {"alarms": [{"existing": "orders-5xx"}, {"symptom": "cpu"}]}
    for ladders in ({"overload": ["mute-alarm"]}, {"false-alarm": ["mute-alarm", "roll-back"]}):
        with pytest.raises(ValidationError):
            Playbook.model_validate({**smallest, **existing, "ladders": ladders})
    with pytest.raises(ValidationError, match="name an existing one"):
        Playbook.model_validate({**smallest, **MUTING, "alarms": [{"symptom": "cpu"}]})
    quiet = Playbook.model_validate({**smallest, **MUTING, **existing})
    assert quiet.mutable_alarms == ("orders-5xx",)
    assert quiet.model_copy(update={"ladders": {}}).mutable_alarms == ()


@given(st.text(min_size=1, max_size=255), st.text(min_size=1, max_size=255))
def test_every_alarm_has_a_rule_of_its_own(one: str, other: str) -> None:
    """With a name that CloudWatch takes."""
    assert len(rule_of(one)) <= 255
    assert (rule_of(one) == rule_of(other)) == (one == other)
