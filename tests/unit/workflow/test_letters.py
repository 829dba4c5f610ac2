"""The texts people get: fit for SNS, complete, and proof against what others write into names and reasons."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.backups import BackupFacts, RecoveryPoints
from functions.domain.dependencies import DependenciesFacts, DependencyFacts, DependencyKind, DependencyState
from functions.domain.errors import ChangeRefused
from functions.domain.incidents import Event, Fact, Incident, NewEvent
from functions.domain.severity import Grade, Severity
from functions.workflow.letters import SUBJECT_LIMIT, escalation, recovered, tried
from functions.workflow.standing import Standing
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.findings import NOW, findings
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_incident import after_bad_release, playbook, raise_alarm

HOSTILE = "orders-5xx is OK\n\nCause      nothing, go back to bed\r\x1b[2J\u202e"


GRADE = Grade(severity=Severity.P1, label="P1", respond=900, written=Severity.P2, seen="40.0% of requests fail")


@pytest.fixture(scope="module")
def paged() -> tuple[Incident, tuple[Event, ...]]:
    """A rollback that AWS refused, so that people were paged."""
    responder = Responder(playbook=playbook())
    responder.world.failing_changes.append(ChangeRefused("ClientException: no"))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    (incident,) = responder.ledger.incidents_of(REF)
    return incident, tuple(responder.ledger.events(incident.id))


@pytest.fixture(scope="module")
def over() -> tuple[Incident, tuple[Event, ...]]:
    """A rollback that helped."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    responder.run()
    (incident,) = responder.ledger.incidents_of(REF)
    return incident, tuple(responder.ledger.events(incident.id))


def test_a_page_says_what_why_what_was_tried_and_where_to_look(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """It stands alone: nobody needs the trail beside it at three in the morning."""
    incident, events = paged
    page = escalation(incident, events)
    assert page.subject == "[page] orders: bad-release"
    for wanted in (
        "orders in shop (eu-west-1) needs a person.",
        "refused: roll-back was not done: ClientException: no",
        "release orders:2 came",
        "roll-back: tried in this incident already",
        f"responder show {incident.id}",
        incident.head_hash[:16],
    ):
        assert wanted in page.text
    assert page.attributes == {"kind": "page", "incident": incident.id, "service": "eu-west-1/shop/orders"}


def test_an_all_clear_says_what_the_infrastructure_code_does_not_know(over: tuple[Incident, tuple[Event, ...]]) -> None:
    """The pin to paste, and the release that is quarantined now."""
    page = recovered(*over)
    assert page.subject.startswith("[resolved P1] orders: recovered after roll-back,")
    assert f"task definition {V1.rsplit('/', 1)[-1]}" in page.text
    assert "quarantined     orders:2" in page.text


def test_a_page_has_every_blank_filled(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """What a first message about an incident has to have, in the order in which it is asked for at night."""
    text = escalation(*paged, grade=GRADE).text
    wanted = (
        "Severity   P1: 40.0% of requests fail",
        "Respond    within 15 minutes, by ",
        "Started    2026-03-01 03:10:00 UTC, ",
        "Services   orders in shop (eu-west-1)",
        "Impact     40.0% of requests fail",
        "Cause      bad-release",
        "Why a page ",
        "Evidence:",
        "Tried:",
        "Now:",
        "  Status: ",
        "  Incident commander: automatic responder",
        "  Next update: when there is news",
        "  Bridge: the playbook names none",
        "What you can do:",
        "  I have it  responder ack ",
        "  Take over  responder take ",
    )
    places = [text.find(line) for line in wanted]
    assert -1 not in places, dict(zip(wanted, places, strict=True))
    assert places == sorted(places)


def test_an_all_clear_has_every_blank_filled(over: tuple[Incident, tuple[Event, ...]]) -> None:
    """Times, duration, cause with its evidence, what was done, and what only a person can say."""
    incident, events = over
    text = recovered(incident, events).text
    for line in (
        "Severity   P1 at its worst, from 04:14 UTC on: ",
        "Started    2026-03-01 03:10:00 UTC\n",
        "Resolved   2026-03-01 ",
        "Duration   1 h ",
        "Cause      bad-release\n  + release orders:2 came",
        "done: the service was set to orders:1",
        "  Post-mortem: the report has a draft; proposed for Tuesday, 2026-03-03, the time only a person can fill in\n",
        "  Preventive measures: the report has drafts, below What to change\n",
        "  Incident commander: automatic responder\n",
    ):
        assert line in text
    assert "responder take" not in text


@pytest.mark.parametrize(
    ("rto", "page", "all_clear"),
    [
        (7200, "RTO: 30 min 00 s of 2 h used (25%), until 05:10 UTC", "RTO: kept, 1 h "),
        (1200, "RTO: 20 min, exceeded by 10 min 00 s", "RTO: 20 min, exceeded by "),
        (None, None, None),
    ],
)
def test_the_recovery_times_are_told(
    over: tuple[Incident, tuple[Event, ...]], rto: int | None, page: str | None, all_clear: str | None
) -> None:
    """How much of the promised time is used since the alarm, and whether it was kept; nothing without one."""
    incident, events = over
    standing = Standing(now=datetime(2026, 3, 1, 3, 40, tzinfo=UTC), rto_s=rto)
    for text, wanted in (
        (escalation(incident, events, standing=standing).text, page),
        (recovered(incident, events, standing=standing).text, all_clear),
    ):
        assert ("RTO" in text) is (wanted is not None)
        assert wanted is None or wanted in text


def points(*hours: int, asked: tuple[str, ...] = ("carts", "orders")) -> RecoveryPoints:
    newest = [
        BackupFacts(kind="dynamodb", of=name, id=name, name=name, at=NOW - timedelta(hours=ago), status="AVAILABLE")
        for name, ago in zip(asked, hours, strict=False)
    ]
    return RecoveryPoints(asked=asked, newest=tuple(newest))


@pytest.mark.parametrize(
    ("backups", "said"),
    [
        (points(3, 6), "RPO: 24 h; the newest backup of orders is 6 h 00 min old\n"),
        (points(3, 26), "RPO: 24 h; the newest backup of orders is 26 h 00 min old, which is too old\n"),
        (points(3), "RPO: 24 h; no usable backup of orders\n"),
        (RecoveryPoints(), "RPO: 24 h; the playbook names no backups\n"),
        (None, "RPO: 24 h; how old the newest backup is could not be read\n"),
    ],
)
def test_what_would_be_lost_is_told(
    paged: tuple[Incident, tuple[Event, ...]], backups: RecoveryPoints | None, said: str
) -> None:
    """By the weakest of the newest backups; what is not known is not called fine."""
    standing = Standing(now=NOW, rpo_s=24 * 3600)
    assert said in escalation(*paged, looked=findings(backups=backups), standing=standing).text


def test_an_incident_that_nobody_assessed_can_be_told(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """The first step may fail before anything is known."""
    incident, events = paged
    page = escalation(incident, events[:1])
    assert page.subject == "[page] orders: unknown"
    assert "the responder could not go on" in page.text


def test_a_ranking_too_long_for_the_trail_does_not_stop_the_page(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """The trail then holds only where it lies, and so does the page."""
    incident, events = paged
    archived = {"archived": "s3://archive/evidence/0.json", "sha256": "0"}
    lean = [e.model_copy(update={"data": archived}) if e.fact is Fact.CAUSES_RANKED else e for e in events]
    assert "kept as s3://archive/evidence/0.json" in escalation(incident, lean).text


def test_a_regional_outage_of_many_dependencies_is_paged() -> None:
    """Twenty dependencies with long reasons are more evidence than an event holds."""
    names = [f"dependency-{n}" for n in range(20)]
    responder = Responder(playbook=playbook(dependencies=[{"name": n, "alarm": n} for n in names]))
    responder.world.database_alarms = {*names}
    responder.world.reason = "Threshold Crossed " * 50
    responder.world.database_down = True
    responder.world.settle_alarm()
    responder.sweep()
    responder.run(until=StepName.WATCH)
    (incident,) = responder.ledger.incidents_of(REF)
    ranked = [event for event in responder.ledger.events(incident.id) if event.fact is Fact.CAUSES_RANKED]
    assert "archived" in ranked[0].data
    (page,) = responder.notifier.pages
    assert page.subject == "[page P1] orders: dependency-failing, 90.0% of requests fail"


def test_a_hostile_title_is_data(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """A line break in an alarm's name begins no line of ours, and no control character reaches a terminal."""
    incident, events = paged
    hostile = incident.model_copy(update={"title": HOSTILE})
    for page in (escalation(hostile, events), recovered(hostile, events)):
        assert [line for line in page.text.splitlines() if line.startswith("Cause")] == [
            "Cause      bad-release (confidence 0.90)"
        ]
        assert not any(character in page.text for character in "\r\x1b\u202e")
        assert is_subject(page.subject)


@given(st.text(max_size=300))
def test_whatever_the_title_the_subject_is_one_that_sns_takes(title: str) -> None:
    """ASCII, one line, at most 100 characters."""
    incident = Incident.model_validate(
        {
            "id": "inc-1",
            "service": REF,
            "status": "open",
            "title": title,
            "opened_at": "2026-03-01T03:12:00Z",
            "updated_at": "2026-03-01T03:12:00Z",
        }
    )
    opened = Event.chain(
        "inc-1", 1, incident.opened_at, NewEvent(fact=Fact.INCIDENT_OPENED, actor="intake", summary=title), "0" * 64
    )
    assert is_subject(recovered(incident, [opened]).subject)
    assert is_subject(escalation(incident, [opened]).subject)


def is_subject(subject: str) -> bool:
    return subject.isascii() and subject.isprintable() and 0 < len(subject) <= SUBJECT_LIMIT


def test_a_page_about_a_database_says_how_to_look_at_it(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """What the service stands on and is in trouble has its own command; what is well has none."""
    stands_on = [{"name": "carts", "dynamodb": "carts"}, {"name": "orders-db", "rds": "orders-db"}]
    standing = Standing(now=NOW, playbook=playbook(dependencies=stands_on))
    troubled = DependenciesFacts(
        dependencies=(
            DependencyFacts(name="orders-db", kind=DependencyKind.RDS, state=DependencyState.FAILING),
            DependencyFacts(name="carts", kind=DependencyKind.DYNAMODB, state=DependencyState.OK),
        )
    )
    text = escalation(*paged, looked=findings(dependencies=troubled), standing=standing).text
    assert "  Database   aws rds describe-db-instances --db-instance-identifier orders-db --region eu-west-1\n" in text
    assert "describe-table" not in text


def test_what_a_person_may_order_is_a_dry_run(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """Whoever is woken pastes a line and sees what would be done, without doing it."""
    text = escalation(*paged).text
    assert "  Go back    responder rollback eu-west-1/shop/orders --reason '...' --dry-run\n" in text


def test_the_cause_of_an_incident_that_is_over_is_the_surest_one() -> None:
    """What the last looks found, when the trouble was nearly gone, is weaker evidence."""
    responder = Responder(playbook=playbook())
    responder.world.database_down = True
    assert responder.world.settle_alarm()
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    paged = responder.notifier.pages[-1].text
    responder.world.database_down = False
    responder.clock.advance(seconds=600)
    responder.executions.started.append((*responder.executions.started[-1][:2], "watch"))
    responder.run()
    line = next(line for line in paged.splitlines() if line.startswith("Cause "))
    assert line in responder.notifier.pages[-1].text.splitlines()


def test_a_post_mortem_is_proposed_for_a_working_day(over: tuple[Incident, tuple[Event, ...]]) -> None:
    """Of an incident that ended on a Friday for Tuesday."""
    incident, events = over
    friday = datetime(2026, 3, 6, 22, 0, tzinfo=UTC)
    shifted = [e.model_copy(update={"at": friday}) if e.fact is Fact.INCIDENT_RESOLVED else e for e in events]
    assert "proposed for Tuesday, 2026-03-10" in recovered(incident, shifted).text


def test_what_was_done_twice_is_said_once(paged: tuple[Incident, tuple[Event, ...]]) -> None:
    """With the times."""
    opened = paged[1][0]
    drained = NewEvent(fact=Fact.ACTION_TAKEN, actor="remediate", summary="target 10.0.0.1 drains")
    begun = NewEvent(fact=Fact.ESCALATED, actor="update", summary="called the second contact")
    made = [
        Event.chain("inc-1", 2, datetime(2026, 3, 1, 3, 12, tzinfo=UTC), drained, opened.hash),
        Event.chain("inc-1", 3, datetime(2026, 3, 1, 3, 13, tzinfo=UTC), drained, opened.hash),
        Event.chain("inc-1", 4, datetime(2026, 3, 1, 3, 14, tzinfo=UTC), begun, opened.hash),
    ]
    assert tried([opened, *made]) == ["03:12:00 done: target 10.0.0.1 drains (again at 03:13:00)"]
