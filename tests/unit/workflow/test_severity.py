"""The severity of an incident: what is written and what is seen, in the trail at each change, and in every page."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.diagnostics.ranking import rank
from functions.domain.evidence import Metric
from functions.domain.findings import Findings
from functions.domain.incidents import Event, Fact
from functions.domain.severity import Grade, Gravity, Severity
from functions.workflow.letters import escalation
from functions.workflow.severity import combined, graded
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.findings import alarm, alarms, findings, metrics, without
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import after_bad_release, playbook, raise_alarm

GRADE = st.sampled_from(Severity)


def seen(severity: Severity, *, whole: bool = True) -> Gravity:
    return Gravity(severity=severity, reason="said the test", whole=whole)


@pytest.mark.parametrize(
    ("written", "evidence", "whole", "expected"),
    [
        ("P2", "P0", True, "P0"),
        ("P2", "P0", False, "P0"),
        ("P2", "P2", True, "P2"),
        ("P2", "P3", True, "P3"),
        ("P2", "P4", True, "P3"),
        ("P0", "P4", True, "P1"),
        ("P4", "P4", True, "P4"),
        ("P2", "P4", False, "P2"),
        ("P0", "P1", False, "P0"),
    ],
)
def test_what_is_written_and_what_is_seen(written: str, evidence: str, whole: bool, expected: str) -> None:
    """Raised as far as it goes, lowered by one step at most, and only by a look to which nothing was missing."""
    found = combined(Severity(written), seen(Severity(evidence), whole=whole))
    assert found.severity == expected
    assert found.seen or found.rule


@given(GRADE, GRADE, GRADE, st.booleans())
def test_graver_evidence_is_never_a_lower_severity(
    written: Severity, one: Severity, other: Severity, whole: bool
) -> None:
    """And nothing is lowered by more than a step, nor by what was not read."""
    found = {each: combined(written, seen(each, whole=whole)).severity for each in (one, other)}
    assert (one <= other) <= (found[one] <= found[other])
    assert all(severity <= written.next_lower for severity in found.values())
    assert whole or all(severity <= written for severity in found.values())
    assert all(found[each] <= each for each in found if each <= written)


def grade(look: Findings, before: Grade | None = None, **said: Any) -> Grade:
    return graded(playbook(**said), ["orders-5xx"], look, rank(look), before)


def failing(share: float) -> Findings:
    return findings(metrics=metrics(now={Metric.TARGET_5XX: 10 * share}))


def test_the_gravest_alarm_of_the_incident_is_what_is_written() -> None:
    """And where nothing could be read, it holds."""
    blind = without(findings(), "metrics")
    two = [{"existing": "orders-5xx", "severity": "P3"}, {"existing": "orders-down", "severity": "P0"}]
    told = graded(playbook(alarms=two), ["orders-5xx", "orders-down"], blind, rank(blind))
    assert (told.severity, told.written) == (Severity.P0, Severity.P0)
    assert told.reason == "as the playbook says, because not everything could be read"
    assert graded(playbook(alarms=two), ["orders-5xx"], blind, rank(blind)).severity is Severity.P3


def test_a_service_has_its_own_names_and_times() -> None:
    """The scale is the same; what people call it and how soon they come is theirs."""
    named = {"P1": {"label": "HIGH"}, "P3": {"respond": "90m"}}
    told = grade(failing(0.4), severities=named)
    assert (told.severity, told.label, told.name, told.respond) == (Severity.P1, "HIGH", "HIGH (P1)", 900)
    assert told.respond_text == "within 15 minutes"
    low = grade(failing(0.03), severities=named)
    assert (low.severity, low.name, low.respond_text) == (Severity.P3, "P3", "within 1 h 30 min")
    assert grade(failing(0.03)).respond_text == "on the next business day"
    quiet = findings(alarms=alarms(alarm(state="OK", breaching_now=False)))
    assert grade(quiet, severity="P4").respond_text == "when there is time"


def test_a_severity_does_not_go_to_and_fro_at_a_line() -> None:
    """It comes down when the value is clearly below, or the trail would be full of it."""
    high = grade(failing(0.11))
    near = grade(failing(0.095), high)
    assert (high.severity, near.severity) == (Severity.P1, Severity.P1)
    assert grade(failing(0.06), near).severity is Severity.P2
    assert grade(failing(0.095)).severity is Severity.P2


def gradings(responder: Responder) -> list[Event]:
    (incident,) = responder.ledger.incidents_of(REF)
    return [e for e in responder.ledger.events(incident.id) if e.fact is Fact.SEVERITY_GRADED]


def test_the_trail_has_it_once_for_each_change() -> None:
    """Ten more looks at the same trouble say nothing new."""
    responder = Responder(playbook=playbook(mode="observe"))
    after_bad_release(responder)
    with pytest.raises(AssertionError, match="no end"):
        responder.run(most=12)
    (first,) = gradings(responder)
    assert first.summary == "severity P1: 40.0% of requests fail; to be answered within 15 minutes"
    assert first.data["grade"]["written"] == "P2"


def run_while(responder: Responder, *, down: range) -> None:
    """Run for some looks of the watch, during some of which no target is healthy either."""
    after_bad_release(responder)

    def then(step: StepName) -> None:
        looks = sum(1 for visited, _ in responder.visited if visited is StepName.WATCH)
        responder.world.targets_down = looks in down

    with pytest.raises(AssertionError, match="no end"):
        responder.run(before=then, most=16)


def test_people_who_were_paged_hear_that_it_is_graver_now() -> None:
    """Although the cause and the plan are the same; and only once."""
    responder = Responder(playbook=playbook(mode="observe"))
    run_while(responder, down=range(3, 99))
    first, second = responder.notifier.pages
    assert (first.attributes["severity"], second.attributes["severity"]) == ("P1", "P0")
    assert first.subject == "[page P1] orders: bad-release, 40.0% of requests fail"
    assert "it is graver than the P1 you were told of" in second.text
    assert [event.summary.split(":")[0] for event in gradings(responder)] == [
        "severity P1",
        "raised from P1 to P0",
    ]


def test_what_becomes_less_grave_is_written_down_and_nobody_is_woken() -> None:
    """And when it is as grave again as people know, they know it."""
    responder = Responder(playbook=playbook(mode="observe"))
    run_while(responder, down=range(3))
    assert [page.attributes["severity"] for page in responder.notifier.news] == ["P0"]
    assert [event.summary.split(":")[0] for event in gradings(responder)] == ["severity P0", "lowered from P0 to P1"]


def test_a_page_says_how_grave_why_and_until_when() -> None:
    """The service's label and the scale's name, what users feel, and the time by which somebody has to look."""
    responder = Responder(playbook=playbook(mode="observe", severities={"P1": {"label": "HIGH"}}))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    (page,) = responder.notifier.pages
    assert page.subject == "[page HIGH] orders: bad-release, 40.0% of requests fail"
    assert page.attributes["severity"] == "P1"
    assert "Severity   HIGH (P1): 40.0% of requests fail\nRespond    within 15 minutes, by 04:29 UTC\n" in page.text


def test_a_request_for_approval_says_it_too() -> None:
    """Whoever is asked for a yes wants to know what it is about."""
    responder = Responder(playbook=playbook(mode="ask"))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    assert "Severity   P1: 40.0% of requests fail" in responder.notifier.pages[0].text


def test_the_letter_at_the_end_says_how_grave_it_was_at_its_worst() -> None:
    """Not how grave it is when all is well."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    responder.run()
    assert "Severity   P1 at its worst, from 04:14 UTC on: 40.0% of requests fail" in responder.notifier.pages[-1].text


def test_a_page_without_a_look_says_what_the_playbook_says() -> None:
    """A first step that failed leaves no evidence, and the page goes out all the same."""
    responder = Responder(playbook=playbook(severity="P3"))
    raise_alarm_of_a_stuck_service(responder)
    (incident,) = responder.ledger.incidents_of(REF)
    told = Grade(severity=Severity.P3, label="P3", respond=14400, written=Severity.P3, rule="as the playbook says")
    page = escalation(incident, responder.ledger.events(incident.id), grade=told)
    assert page.subject == "[page P3] orders: unknown"
    assert "Severity   P3: as the playbook says\nRespond    within 4 h, by " in page.text


def raise_alarm_of_a_stuck_service(responder: Responder) -> None:
    responder.world.stuck = True
    raise_alarm(responder)
