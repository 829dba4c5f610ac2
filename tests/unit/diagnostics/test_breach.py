"""What may speak for a breach: read only where the playbook asks, told in words, and never more than support."""

from typing import Any

import pytest

from functions.diagnostics.breach import breach_evidence
from functions.diagnostics.look import Surroundings, look
from functions.diagnostics.ranking import rank
from functions.diagnostics.registry import PROBES
from functions.domain.breach import CallFacts, DenialsFacts, ExposureFacts, ImageFacts, ImagesFacts, OpenDoor
from functions.domain.causes import Cause
from functions.domain.evidence import Metric
from functions.domain.findings import Findings
from tests.fakes.clock import FakeClock
from tests.fakes.findings import NOW, definition, findings, metrics, without
from tests.fakes.world import REF, World

BREACH = ("exposure", "images", "denials")
DOOR = OpenDoor(group="sg-1", protocol="tcp", first=22, last=22, source="0.0.0.0/0")
NEEDED = OpenDoor(group="sg-1", protocol="tcp", first=8080, last=8080, source="0.0.0.0/0")
HOLED = ImageFacts(image="orders@0123456789ab", status="COMPLETE", critical=2, high=7)
DENIED = CallFacts(at=NOW, event="CreateUser", source="iam.amazonaws.com", by="x", denied=True, own=True)


def looked(world: World, *, asked: bool) -> Findings:
    around = Surroundings(ref=REF, readers=world.readers, now=world.clock.now(), breach_evidence=asked)
    return look(PROBES.values(), around, deadline_s=10)


def world() -> World:
    made = World(clock=FakeClock())
    made.quiet.shown_doors, made.quiet.shown_images, made.quiet.shown_calls = (DOOR, NEEDED), (HOLED,), (DENIED,)
    return made


def flood(**said: Any) -> Findings:
    return findings(metrics=metrics(now={Metric.REQUESTS: 200.0}), definition=definition(ports=(8080,)), **said)


def test_without_the_playbooks_word_nothing_is_asked() -> None:
    """An ordinary incident is as fast as ever, and nothing of it counts as unknown."""
    seen = world()
    found = looked(seen, asked=False)
    assert not {call for call, _ in seen.quiet.asked} & set(BREACH)
    assert not set(BREACH) & set(found.unknown())
    assert breach_evidence(found) == ()


def test_with_it_all_three_are_read() -> None:
    """Each asks for what the other probes found."""
    found = looked(world(), asked=True)
    assert found.denials.value is not None
    assert found.denials.value.asked
    lines = breach_evidence(found)
    assert any("CreateUser of iam" in line for line in lines)


@pytest.mark.parametrize("name", ["denials"])
def test_one_that_fails_is_unknown_alone(name: str) -> None:
    """The others stand, and nobody takes it for fine."""
    seen = world()
    seen.quiet.unreadable.add(name)
    found = looked(seen, asked=True)
    assert set(found.unknown()) & set(BREACH) == {name}
    assert any("could not be read" in line for line in breach_evidence(found))


def test_without_the_service_who_may_reach_it_is_unknown() -> None:
    """And with it off, it is not even asked."""
    for asked in (True, False):
        seen = world()
        seen.unreadable.add("service")
        assert ("exposure" in looked(seen, asked=asked).unknown()) is asked


def test_a_door_that_the_tasks_need_is_no_evidence() -> None:
    """Only what is open beyond the ports of the task definition is told."""
    lines = breach_evidence(flood(exposure=ExposureFacts(asked=True, doors=(DOOR, NEEDED))))
    assert lines == ("security group sg-1 lets everybody (0.0.0.0/0) in on tcp 22, which the tasks do not need",)


def test_a_flood_is_shown_with_what_else_was_found() -> None:
    """The page has it; the confidence is that of the flood alone."""
    seen = flood(
        exposure=ExposureFacts(asked=True, doors=(DOOR,)),
        images=ImagesFacts(asked=True, images=(HOLED,)),
        denials=DenialsFacts(asked=True, calls=(DENIED,)),
    )
    (top, *_), (plain, *_) = rank(seen), rank(flood())
    assert (top.cause, top.confidence) == (plain.cause, plain.confidence) == (Cause.SUSPECTED_BREACH, 0.85)
    told = " ".join(top.evidence_for)
    for word in ("sg-1", "2 critical and 7 high", "CreateUser"):
        assert word in told
        assert word not in " ".join(plain.evidence_for)


@pytest.mark.parametrize("name", BREACH)
def test_what_could_not_be_read_changes_no_confidence(name: str) -> None:
    """It only supports: what is unknown is said, and a flood stays a flood."""
    (top, *_) = rank(without(flood(), name))
    assert (top.cause, top.confidence) == (Cause.SUSPECTED_BREACH, 0.85)


def test_without_a_flood_it_is_no_cause_by_itself() -> None:
    """Open doors are everywhere; nobody is woken for them."""
    seen = findings(
        exposure=ExposureFacts(asked=True, doors=(DOOR,)), denials=DenialsFacts(asked=True, calls=(DENIED,))
    )
    assert Cause.SUSPECTED_BREACH not in {judgement.cause for judgement in rank(seen) if judgement.confidence > 0}


@pytest.mark.parametrize(
    ("door", "what"),
    [
        (DOOR, "tcp 22"),
        (OpenDoor(group="g", protocol="tcp", first=1, last=99, source="::/0"), "tcp 1 to 99"),
        (OpenDoor(group="g", protocol="-1", source="::/0"), "everything"),
        (OpenDoor(group="g", protocol="icmp", first=-1, last=-1, source="::/0"), "all of icmp"),
    ],
)
def test_a_door_has_a_name(door: OpenDoor, what: str) -> None:
    """As people speak of it."""
    assert door.what == what
