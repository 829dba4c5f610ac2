"""What a playbook's words in log lines lead to, and what people see of its queries."""

import pytest

from functions.domain.causes import Cause
from functions.domain.changes import SetTaskDefinition
from functions.domain.circumstances import LogQueryFacts
from functions.domain.logged import TOLD_BY_LOGS, LogQuery
from functions.workflow.decision import Decision
from functions.workflow.letters import escalation
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.findings import findings
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_incident import after_bad_release, playbook, raise_alarm

SAID = "the ledger book is of another edition"
WORDS = {"contains": ["another edition"], "cause": "schema-mismatch"}
QUERY = {"name": "slow", "contains": ["took"]}


def responder(*lines: str, **said: object) -> Responder:
    """One whose service writes these lines, over and over."""
    made = Responder(playbook=playbook(**said))
    made.world.quiet.shown_lines = lines * 40
    return made


def decisions(of: Responder) -> list[Decision]:
    events = of.ledger.events(of.executions.started[-1][0])
    return [Decision.model_validate(event.data["decision"]) for event in events if "decision" in event.data]


def test_a_schema_mismatch_in_the_playbooks_words_goes_with_its_release() -> None:
    """Lines that nobody else could read name the cause, and what the release brought is rolled back."""
    told = responder(SAID, log_causes=[WORDS])
    after_bad_release(told)
    told.run()
    assert decisions(told)[0].cause is Cause.SCHEMA_MISMATCH
    assert told.world.changes == [SetTaskDefinition(task_definition=V1)]


def test_the_same_lines_without_the_playbooks_words_tell_no_such_cause() -> None:
    """It is the playbook that gives them their meaning."""
    untold = responder(SAID)
    after_bad_release(untold)
    untold.run()
    assert decisions(untold)[0].cause is Cause.BAD_RELEASE


def test_a_schema_mismatch_that_no_release_brought_goes_to_people() -> None:
    """Somebody changed the schema under a release that ran well: nothing is rolled back, and nothing else is done."""
    told = responder(SAID, log_causes=[WORDS])
    told.world.bad.add(V1)
    raise_alarm(told)
    told.run(until=StepName.WATCH)
    assert {decision.cause for decision in decisions(told)} == {Cause.SCHEMA_MISMATCH}
    assert told.world.changes == []
    assert told.notifier.pages[-1].subject.startswith("[page P1] orders: schema-mismatch")


@pytest.mark.thorough
def test_words_of_any_cause_reach_the_logs_at_every_look() -> None:
    """Also when the responder only watches: a decision that changes with the words would look like news."""
    causes = [{"contains": f"word of {cause}", "cause": cause} for cause in TOLD_BY_LOGS]
    told = responder(SAID, log_causes=causes)
    told.world.database_down = True
    raise_alarm(told)
    told.run(most=600)
    asked = [asked for asked, _ in told.world.quiet.words_asked]
    assert len(asked) > 2
    assert {tuple(each.cause for each in asked) for asked in asked} == {TOLD_BY_LOGS}


def test_queries_are_asked_where_people_read_the_answer() -> None:
    """At each assessment, and never while the responder only watches: each of them costs money."""
    curious = responder(log_queries=[QUERY])
    curious.world.database_down = True
    raise_alarm(curious)
    curious.run(most=600)
    asked = [queries for _, queries in curious.world.quiet.words_asked]
    assessed = sum(1 for step, _ in curious.visited if step is StepName.ASSESS)
    assert 0 < assessed < len(asked)
    assert asked.count((LogQuery(name="slow", contains=("took",)),)) == assessed
    assert asked.count(()) == len(asked) - assessed


ANSWERS = (
    LogQueryFacts(name="slow", count=214, lines=("GET /orders took 9 s",), partial=True),
    LogQueryFacts(name="rate", error="the query 'rate': throttled"),
)


def test_a_page_shows_what_the_queries_found() -> None:
    """How many lines, a few of them, and of a query that failed that nothing is known."""
    asking = responder(log_queries=[QUERY])
    asking.world.quiet.shown_logs = {"queries": ANSWERS}
    asking.world.database_down = True
    raise_alarm(asking)
    asking.run(until=StepName.WATCH)
    assert (
        "Asked of the logs:\n  slow: at least 214 lines\n    GET /orders took 9 s\n"
        "  rate: unknown, the query 'rate': throttled\n"
    ) in asking.notifier.pages[-1].text


def test_a_page_without_queries_says_nothing_of_them() -> None:
    """Neither where the playbook asks nothing nor where the logs could not be read."""
    told = responder()
    told.world.database_down = True
    raise_alarm(told)
    told.run(until=StepName.WATCH)
    (incident,) = told.ledger.incidents_of(REF)
    events = told.ledger.events(incident.id)
    for looked in (findings(), findings(logs=None), None):
        assert "Asked of the logs" not in escalation(incident, events, looked=looked).text
