"""One look: all probes side by side, and what is left when some do not answer."""

from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any

import pytest

from functions.diagnostics.look import Probe, Read, Surroundings, look
from functions.diagnostics.registry import PROBES
from functions.domain.errors import ReadFailed
from functions.domain.findings import READINGS, Findings
from tests.fakes.clock import FakeClock
from tests.fakes.findings import NOW, dependencies, scaling, service, tasks
from tests.fakes.world import REF, World


@pytest.fixture
def around() -> Surroundings:
    world = World(clock=FakeClock(NOW))
    return Surroundings(ref=REF, readers=world.readers, now=NOW, alarms=("orders-5xx",))


@pytest.fixture
def hanging() -> Iterator[Read]:
    """A read that does not answer before the test is over."""
    over = Event()

    def hang(around: Surroundings, known: Mapping[str, Any]) -> Any:
        over.wait(timeout=30)
        return scaling()

    yield hang
    over.set()


def probe(name: str, read: Read, *needs: str) -> Probe:
    return Probe(name=name, read=read, permissions=(), needs=needs)


def gives(value: object) -> Read:
    return lambda around, known: value


def throttled(around: Surroundings, known: Mapping[str, Any]) -> Any:
    raise ReadFailed("DescribeTasks is throttled")


def test_every_probe_has_its_reading(around: Surroundings) -> None:
    """The registry and the findings name the same readings, and in an ordinary world all are known."""
    findings = look(PROBES.values(), around, deadline_s=10)
    assert set(PROBES) == set(READINGS)
    assert findings.unknown() == {}


def test_a_probe_that_fails_leaves_its_reason(around: Surroundings) -> None:
    """The others are read all the same."""
    findings = look([probe("tasks", throttled), probe("service", gives(service()))], around, deadline_s=10)
    assert findings.tasks.error == "DescribeTasks is throttled"
    assert findings.service.known


def test_a_probe_is_given_what_it_needs(around: Surroundings) -> None:
    """It waits for the probes it names, and sees their values only."""
    seen: dict[str, Any] = {}

    def read(around: Surroundings, known: Mapping[str, Any]) -> Any:
        seen.update(known)
        return tasks()

    look(
        [probe("tasks", read, "service"), probe("scaling", gives(scaling())), probe("service", gives(service()))],
        around,
        deadline_s=10,
    )
    assert seen == {"service": service()}


def test_what_is_only_wanted_may_be_unknown(around: Surroundings) -> None:
    """A probe waits for it, and is read with what there is."""
    seen: list[dict[str, Any]] = []

    def read(around: Surroundings, known: Mapping[str, Any]) -> Any:
        seen.append(dict(known))
        return scaling()

    wanting = Probe(name="scaling", read=read, permissions=(), needs=("service",), wants=("tasks",))
    for other in (gives(tasks()), throttled):
        findings = look([wanting, probe("tasks", other), probe("service", gives(service()))], around, deadline_s=10)
        assert findings.scaling.known
    assert seen == [{"service": service(), "tasks": tasks()}, {"service": service()}]


def test_what_needs_an_unknown_reading_is_unknown_too(around: Surroundings) -> None:
    """It is not even asked, and says why."""
    findings = look([probe("targets", gives(None), "tasks"), probe("tasks", throttled)], around, deadline_s=10)
    assert findings.targets.error == "cannot be read without tasks"


def test_the_deadline_takes_what_there_is(around: Surroundings, hanging: Read) -> None:
    """A probe that hangs leaves itself, and whoever waits for it, unknown; the rest is kept."""
    findings = look(
        [
            probe("scaling", hanging),
            probe("metrics", gives(None), "scaling"),
            probe("dependencies", gives(dependencies())),
        ],
        around,
        deadline_s=0.2,
    )
    assert findings.dependencies.known
    assert findings.scaling.error == findings.metrics.error == "no answer within 0.2 s"


def test_a_bug_in_a_probe_is_no_reading(around: Surroundings) -> None:
    """Only a failed read is unknown; anything else is a mistake of ours and must be seen."""

    def broken(around: Surroundings, known: Mapping[str, Any]) -> Any:
        return known["what nobody reads"]

    with pytest.raises(KeyError):
        look([probe("tasks", broken)], around, deadline_s=10)


def test_without_probes_nothing_is_known(around: Surroundings) -> None:
    """An empty look is an honest one."""
    assert look([], around, deadline_s=1) == Findings(looked_at=NOW)


def test_what_can_be_read_ahead_waits_for_nothing(around: Surroundings) -> None:
    """A probe's own first reading begins with the look, and is handed to it with what it needs."""
    begun = Event()

    def ahead(around: Surroundings, known: Mapping[str, Any]) -> Any:
        begun.set()
        return "read ahead"

    def waits(around: Surroundings, known: Mapping[str, Any]) -> Any:
        assert begun.wait(timeout=5)
        return service()

    handed: dict[str, Any] = {}

    def late(around: Surroundings, known: Mapping[str, Any]) -> Any:
        handed.update(known)
        return tasks()

    needing = Probe(name="tasks", read=late, permissions=(), needs=("service",), ahead=ahead)
    findings = look([probe("service", waits), needing], around, deadline_s=10)
    assert handed == {"service": service(), "tasks": "read ahead"}
    assert findings.tasks.known


def test_what_failed_ahead_is_unknown(around: Surroundings) -> None:
    """With its own reason; without it, the probe is not read."""
    needing = Probe(name="tasks", read=gives(tasks()), permissions=(), needs=("service",), ahead=throttled)
    findings = look([probe("service", gives(service())), needing], around, deadline_s=10)
    assert findings.tasks.error == "DescribeTasks is throttled"
    assert findings.service.known
