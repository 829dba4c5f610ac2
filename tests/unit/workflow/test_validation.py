"""What is asked before an incident is resolved: what may hold it back, what is only told, and what nobody knows."""

from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.evidence import ServiceFacts
from functions.domain.incidents import Event as TrailEvent
from functions.domain.incidents import Fact
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.domain.validation import Finding, Part, PartFacts, Validation
from functions.playbooks.schema import Playbook
from functions.workflow.letters import recovered
from functions.workflow.validation import healthy
from tests.fakes.engine import Responder
from tests.fakes.findings import alarm
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, World
from tests.unit.workflow.test_incident import after_bad_release
from tests.unit.workflow.test_verify import DEADLINE_S, Incident

CHECK = {"check": "pools", "url": "https://shop.example.com/pools"}
SLOW = {"symptom": "response-time", "threshold": 2.0, "statistic": "p95"}


def playbook(*alarms: dict[str, Any], **more: Any) -> Playbook:
    where = {"region": REF.region, "cluster": REF.cluster, "service": REF.service}
    return Playbook.model_validate({**where, "mode": "auto", "alarms": list(alarms), **more})


def minutes(world: World, metric: str, *values: float | None, ends: int = 1) -> None:
    """What a metric had in the minutes up to `ends` minutes ago, the newest last; None where it had nothing."""
    at = world.clock.now().replace(second=0, microsecond=0) - timedelta(minutes=ends + len(values) - 1)
    world.elsewhere[metric] = [
        (at + timedelta(minutes=n), value) for n, value in enumerate(values) if value is not None
    ]


def asked(world: World, book: Playbook) -> dict[Part, PartFacts]:
    began_at = world.clock.now() - timedelta(minutes=10)
    validation = world.validator(book, health=healthy("steady"), service=world.service(REF), began_at=began_at)
    return {part.part: part for part in validation.parts}


def of(incident: Incident, fact: Fact) -> list[TrailEvent]:
    return [event for event in incident.ledger.events(incident.id) if event.fact is fact]


def test_a_recovery_is_validated_in_four_parts() -> None:
    """Health, function, performance and monitoring each have their finding and its reason in the trail."""
    incident = Incident(playbooks={REF.key: playbook(CHECK, SLOW)})
    minutes(incident.world, "Failed", *[0.0] * 5)
    minutes(incident.world, "TargetResponseTime", 0.3, 0.4, 0.5)
    assert incident.look() == "recovered"
    event = incident.last
    assert event.fact is Fact.RECOVERY_VALIDATED
    parts = Validation.model_validate(event.data["validation"]).parts
    assert [(part.part, part.finding) for part in parts] == [(part, Finding.PASSED) for part in Part]
    assert event.summary == "validated: health, functional, performance, monitoring passed"


def test_the_service_is_read_once_for_a_recovery() -> None:
    """What the validation says is said of the very look that found it recovered; the trail does not repeat it."""
    incident = Incident(playbooks={REF.key: playbook()})
    reads: list[ServiceRef] = []
    reader = incident.world.service

    def counted(ref: ServiceRef) -> ServiceFacts | None:
        reads.append(ref)
        return reader(ref)

    incident.world.service = counted  # type: ignore[method-assign]
    assert incident.look() == "recovered"
    assert len(reads) == 1
    assert "service" not in of(incident, Fact.RECOVERY_CHECKED)[-1].data


def test_a_check_that_fails_since_the_trouble_holds_a_recovery_back() -> None:
    """As an alarm does that is not OK yet: until the action's deadline, and then the look goes where it always went."""
    incident = Incident(playbooks={REF.key: playbook(CHECK)})
    minutes(incident.world, "Failed", *[0.0] * 5, 1.0, 1.0)
    assert incident.look() == "not-yet"
    assert "check pools failed at" in incident.last.summary
    incident.clock.advance(seconds=DEADLINE_S)
    minutes(incident.world, "Failed", *[0.0] * 5, *[1.0] * 15)
    assert incident.look() == "ineffective"
    assert not of(incident, Fact.RECOVERY_VALIDATED)


def test_the_trail_says_what_a_recovery_waits_for() -> None:
    """Once, however often it is looked; also where the alarms were waited for until then."""
    incident = Incident(playbooks={REF.key: playbook(CHECK)})
    incident.quiet(minutes=1)
    minutes(incident.world, "Failed", *[0.0] * 5, 1.0, 1.0)
    assert incident.look() == "not-yet"
    incident.quiet(minutes=2)
    assert [incident.look() for _ in range(3)] == ["not-yet"] * 3
    summaries = [event.summary for event in of(incident, Fact.RECOVERY_CHECKED)]
    assert len(summaries) == 2
    assert "check pools failed at" in summaries[-1]


def test_a_check_that_is_fine_again_lets_the_recovery_go() -> None:
    """Its newest result counts, not those of the trouble."""
    incident = Incident(playbooks={REF.key: playbook(CHECK)})
    minutes(incident.world, "Failed", *[0.0] * 5, 1.0, 1.0)
    assert incident.look() == "not-yet"
    minutes(incident.world, "Failed", *[0.0] * 5, 1.0, 1.0, 0.0)
    assert incident.look() == "recovered"


def test_a_check_that_never_was_fine_is_told_and_holds_nothing_back() -> None:
    """What failed before the incident does not measure its end."""
    incident = Incident(playbooks={REF.key: playbook(CHECK)})
    minutes(incident.world, "Failed", *[1.0] * 40)
    assert incident.look() == "recovered"
    assert "functional failed: check pools failed at" in incident.last.summary
    assert "as it did before the incident" in incident.last.summary


@pytest.mark.parametrize("blind", ["measured", "monitoring"])
def test_what_cannot_be_read_is_unknown_and_holds_nothing_back(blind: str) -> None:
    """A validation that cannot be made never keeps an incident open, and never passes."""
    incident = Incident(playbooks={REF.key: playbook(CHECK, SLOW)})
    incident.world.unreadable = {blind}
    assert incident.look() == "recovered"
    parts = {part.part: part.finding for part in Validation.model_validate(incident.last.data["validation"]).parts}
    unread = [Part.MONITORING] if blind == "monitoring" else [Part.FUNCTIONAL, Part.PERFORMANCE]
    assert all(parts[part] is Finding.UNKNOWN for part in unread)


def test_what_is_late_is_unknown_too() -> None:
    """An answer that does not come keeps no step waiting until its function is ended."""
    incident = Incident(playbooks={REF.key: playbook(CHECK, SLOW)})
    comes = Event()
    incident.world.waits_for = comes
    impatient = replace(incident.world.validator, deadline_s=0.05)
    incident.verify = replace(incident.verify, validator=impatient)
    try:
        assert incident.look() == "recovered"
    finally:
        comes.set()
    parts = {part.part: part for part in Validation.model_validate(incident.last.data["validation"]).parts}
    assert parts[Part.HEALTH].finding is Finding.PASSED
    assert parts[Part.MONITORING].reason == "no answer within 0.05 s"


def test_old_results_of_a_check_are_unknown() -> None:
    """A check that nobody makes any more says nothing of the recovery."""
    world = Incident().world
    minutes(world, "Failed", *[0.0] * 5, ends=6)
    assert asked(world, playbook(CHECK))[Part.FUNCTIONAL].finding is Finding.UNKNOWN


def test_without_checks_the_part_says_so() -> None:
    """Nothing was asked, which is not the same as passed."""
    part = asked(Incident().world, playbook(SLOW))[Part.FUNCTIONAL]
    assert (part.finding, part.reason) == (Finding.NOT_ASKED, "the playbook has no alarm of the kind check")


@pytest.mark.parametrize(
    ("seconds", "finding", "says"),
    [
        ((0.3, 0.3, 0.4), Finding.PASSED, "p95 0.30 s over the last 3 minutes, limit 2 s"),
        ((0.3, 2.4, 2.5), Finding.FAILED, "p95 2.40 s over the last 3 minutes, limit 2 s"),
        ((), Finding.UNKNOWN, "no request was answered lately, so that p95 is not known"),
    ],
)
def test_response_times_are_measured_against_the_alarms_threshold(
    seconds: tuple[float, ...], finding: Finding, says: str
) -> None:
    """In the statistic of the alarm, over the newest whole minutes; without requests nobody knows."""
    world = Incident().world
    minutes(world, "TargetResponseTime", *seconds)
    part = asked(world, playbook(SLOW))[Part.PERFORMANCE]
    assert (part.finding, part.reason) == (finding, says)


@pytest.mark.parametrize(
    ("alarms", "says"),
    [
        ([], "p95 2.40 s over the last 3 minutes, limit 2.3 s"),
        ([{**SLOW, "threshold": 5.0}], "p95 2.40 s over the last 3 minutes, limit 2.3 s"),
        (
            [{"symptom": "response-time", "threshold": 5.0}],
            "p95 2.40 s over the last 3 minutes, limit 2.3 s; Average 2.40 s over the last 3 minutes, limit 5 s",
        ),
    ],
)
def test_the_playbooks_target_is_a_limit_too(alarms: list[dict[str, Any]], says: str) -> None:
    """Beside the alarm's own, and the lower of both counts where they are about the same statistic."""
    world = Incident().world
    minutes(world, "TargetResponseTime", 2.4, 2.4, 2.4)
    part = asked(world, playbook(*alarms, targets={"p95_s": 2.3}))[Part.PERFORMANCE]
    assert (part.finding, part.reason) == (Finding.FAILED, says)


def test_alarms_that_would_tell_nobody_are_told() -> None:
    """Deleted, switched off, silenced by a rule of anybody's; and a dashboard that is gone."""
    book = playbook({"symptom": "cpu"}, {"symptom": "memory"}, {"symptom": "errors"}, dashboard=True)
    world = Incident().world
    assert asked(world, book)[Part.MONITORING].finding is Finding.PASSED
    cpu, memory, errors = book.alarm_names
    world.deleted_alarms, world.switched_off = {cpu}, {memory}
    world.muted_by, world.dashboard_there = {errors: ("quiet-night",)}, False
    part = asked(world, book)[Part.MONITORING]
    assert part.finding is Finding.FAILED
    assert part.reason.split("; ") == [
        f"alarm {cpu} does not exist",
        f"alarm {memory} has its actions disabled",
        f"alarm {errors} is silenced by mute rule quiet-night",
        f"dashboard {book.dashboard_name} is not there",
    ]


def test_mute_rules_that_cannot_be_read_hide_no_alarm_that_is_off() -> None:
    """Alone they leave the part unknown; beside what is known to be wrong they are told."""
    book = playbook({"symptom": "cpu"})
    world = Incident().world
    world.monitoring_unread = ("mute rules: refused",)
    part = asked(world, book)[Part.MONITORING]
    assert (part.finding, part.reason) == (Finding.UNKNOWN, "not read: mute rules: refused")
    world.switched_off = {*book.alarm_names}
    part = asked(world, book)[Part.MONITORING]
    assert part.finding is Finding.FAILED
    assert part.reason.endswith("has its actions disabled; not read: mute rules: refused")


def test_what_ends_by_itself_is_validated_too() -> None:
    """Where a look finds that all is clear, nothing is verified; it is asked all the same before the end."""
    responder = Responder(playbook(CHECK))
    name = responder.playbook.alarm_names[0]
    responder.intake(alarm_signal(alarm=name))
    responder.run()
    assert responder.path == ["assess:all-clear", "close:resolved"]
    events = responder.ledger.events(responder.ledger.incidents_of(REF)[0].id)
    facts = [event.fact for event in events]
    assert facts[-2:] == [Fact.RECOVERY_VALIDATED, Fact.INCIDENT_RESOLVED]


def test_the_mail_at_the_end_has_every_part() -> None:
    """With its finding and its reason, one line each."""
    responder = Responder(playbook({"existing": "orders-5xx"}))
    after_bad_release(responder)
    responder.run()
    incident = responder.ledger.incidents_of(REF)[0]
    text = recovered(incident, responder.ledger.events(incident.id)).text
    assert "Validated:" in text
    for part in Part:
        assert f"  {part:<11} " in text


@given(
    failed=st.lists(st.sampled_from([0.0, 1.0, None]), max_size=45),
    state=st.sampled_from(list(AlarmState)),
    unreadable=st.sets(st.sampled_from(["measured", "monitoring", "alarms", "service"])),
    past_s=st.integers(0, 2 * DEADLINE_S),
)
def test_the_validation_never_makes_an_end_of_what_was_none(
    failed: list[float | None], state: AlarmState, unreadable: set[str], past_s: int
) -> None:
    """Whatever checks and monitoring say: without them the outcome is the same, or it was a recovery that waits."""
    outcomes = []
    for book in (playbook(CHECK, SLOW), None):
        incident = Incident(playbooks={} if book is None else {REF.key: book})
        incident.clock.advance(seconds=past_s)
        incident.world.alarm = alarm(
            state=state, breaching_now=False, since=incident.clock.now() - timedelta(minutes=60)
        )
        minutes(incident.world, "Failed", *failed)
        incident.world.unreadable = set(unreadable)
        outcomes.append(incident.look())
    validated, plain = outcomes
    assert validated == plain or (plain == "recovered" and validated in ("not-yet", "ineffective"))
