"""The report of an incident: when it is written, from what, and that nothing depends on it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.changes import ActionName
from functions.domain.circumstances import LinesFacts, LogLine
from functions.domain.errors import ReadFailed
from functions.domain.evidence import Metric
from functions.domain.findings import Reading
from functions.domain.incidents import Fact, IncidentStatus, Mode
from functions.domain.orders import Order
from functions.workflow.close import folder
from functions.workflow.report import from_trail, kept_report
from functions.workflow.reporting.known import Known
from functions.workflow.reporting.logs import MOST_BYTES, MOST_LINES, as_lines, logs_told
from functions.workflow.reporting.markdown import as_markdown
from functions.workflow.reporting.model import IncidentReport, MarkKind
from functions.workflow.reporting.page import as_html
from functions.workflow.table import StepName
from functions.workflow.trails import read_trail
from tests.fakes.engine import Responder
from tests.fakes.findings import metrics
from tests.fakes.signals import alarm_signal
from tests.fakes.world import REF, V1, V2
from tests.unit.workflow.test_incident import after_bad_release, playbook, raise_alarm
from tests.unit.workflow.test_stages import SHIFT, plan, taken


def ran(**said: object) -> Responder:
    """A bad release was shipped, found and rolled back."""
    responder = Responder(playbook=playbook(**said))
    responder.world.quiet.shown_lines = ("ERROR unhandled exception in handler",)
    after_bad_release(responder)
    responder.run()
    return responder


def documents(responder: Responder) -> dict[str, str]:
    incident = responder.ledger.incidents_of(REF)[0]
    begins = responder.archive.url(folder(incident))
    return {
        url.removeprefix(begins): body for url, body in responder.archive.documents.items() if url.startswith(begins)
    }


def report(responder: Responder) -> IncidentReport:
    found = kept_report(responder.ledger, responder.archive, responder.ledger.incidents_of(REF)[0])
    assert found is not None
    return found


def test_a_closed_incident_has_its_report_beside_its_trail() -> None:
    """As a page, as Markdown, as the model that both are made of, and with the lines of its time."""
    responder = ran()
    assert set(documents(responder)) == {"report.html", "report.md", "report.json", "log.jsonl"}
    found = report(responder)
    assert documents(responder)["report.html"] == as_html(found)
    assert documents(responder)["report.md"] == as_markdown(found)


def test_the_report_says_what_was_done_and_what_it_brought() -> None:
    """The cause with its evidence, the action with the state before and after, and that every check passed."""
    found = report(ran())
    (action,) = found.actions
    assert (found.cause, action.action, action.helped) == ("bad-release", "roll-back", True)
    assert [(d.what, d.before, d.after) for d in action.state] == [("task definition", "orders:2", "orders:1")]
    assert {gain.what for gain in action.gains} >= {"Failed requests", "CPU"}
    assert found.causes[0].chosen
    assert found.causes[0].evidence_for
    assert (found.at_fault, found.good) == ("orders:2", "orders:1")
    assert found.differences is not None
    assert [(d.what, d.before, d.after) for d in found.differences] == [("image", "orders:1", "orders:2")]


def test_people_are_told_where_the_report_lies() -> None:
    """The all-clear names its place and the command that shows it; the trail names the place, too."""
    responder = ran(mode="auto")
    page = responder.notifier.pages[-1]
    incident = responder.ledger.incidents_of(REF)[0]
    assert f"responder report {incident.id} --open" in page.text
    assert f"{responder.archive.url(folder(incident))}report.html" in page.text
    resolved = [e for e in responder.ledger.events(incident.id) if e.fact is Fact.INCIDENT_RESOLVED]
    assert resolved[-1].data["report"] == responder.archive.url(folder(incident))


def test_the_lines_of_its_time_are_kept() -> None:
    """One JSON object a line, with time, stream and what the reader left of the message."""
    lines = [json.loads(line) for line in documents(ran())["log.jsonl"].splitlines()]
    assert [line["message"] for line in lines] == ["ERROR unhandled exception in handler"]
    assert set(lines[0]) == {"at", "stream", "message"}


@pytest.mark.parametrize("years", [-20, 20])
def test_a_message_does_not_say_how_far_back_is_read(years: int) -> None:
    """Whatever time it gives, metrics and lines are read from a day before its incident on."""
    responder = Responder(playbook=playbook())
    responder.world.stays_broken = responder.world.database_down = True
    assert responder.world.settle_alarm()
    when = responder.clock.now() + timedelta(days=365 * years)
    responder.intake(alarm_signal().model_copy(update={"occurred_at": when}))
    responder.run(until=StepName.WATCH)
    incident = responder.ledger.incidents_of(REF)[0]
    known = Known(read_trail(responder.ledger, incident.id))
    assert timedelta() <= incident.opened_at - known.since <= timedelta(days=1)


def test_no_more_lines_are_kept_than_may_be() -> None:
    """A megabyte at the most, and the report says that there were more."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    lines = tuple(LogLine(at=at, stream="s", message="x" * 990) for _ in range(MOST_LINES))
    facts = LinesFacts(since=at, until=at, groups=("/ecs/orders",), lines=lines)
    written, count = as_lines(facts)
    assert MOST_BYTES - 2_000 < len(written) <= MOST_BYTES
    assert written.count("\n") == count < MOST_LINES
    told = logs_told("eu-west-1", since=at, until=at, looked=None, lines=facts, kept=count, place="s3://archive/x/")
    assert "There were more: at most 2,000 lines are read" in told.kept
    assert "s3://archive/x/log.jsonl" in told.kept


@pytest.mark.parametrize("unreadable", ["series", "definition", "lines"])
def test_what_cannot_be_read_is_said(unreadable: str) -> None:
    """The report is written all the same, with the reason in it."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)

    def fail(step: StepName) -> None:
        if step is StepName.REPORT:
            responder.world.unreadable.add(unreadable)
            responder.world.quiet.unreadable.add(unreadable)

    responder.run(before=fail)
    found = report(responder)
    assert len(found.unread) == 1
    assert "throttled" in found.unread[0] or unreadable in found.unread[0]
    assert "Not read for this report" in documents(responder)["report.html"]


def test_the_lock_is_released_before_the_report_is_begun() -> None:
    """Whoever is next does not wait for it."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    payload = responder.run(until=StepName.REPORT)
    assert payload["outcome"] == "resolved"
    assert responder.ledger.lock_holder(REF) is None
    assert responder.ledger.incidents_of(REF)[0].status is IncidentStatus.RESOLVED
    assert documents(responder) == {}


def test_a_report_that_cannot_be_kept_fails_its_step_alone() -> None:
    """The step raises, which the table spares; the incident stays closed, and the desk makes a report of the trail."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    keep = responder.archive.keep

    def refused(key: str, body: str, *, content_type: str) -> str:
        if "/report/" in key:
            raise ReadFailed("the archive is full")
        return keep(key, body, content_type=content_type)

    responder.archive.keep = refused  # type: ignore[method-assign]
    with pytest.raises(ReadFailed, match="full"):
        responder.run()
    incident = responder.ledger.incidents_of(REF)[0]
    assert incident.status is IncidentStatus.RESOLVED
    assert kept_report(responder.ledger, responder.archive, incident) is None
    trail = read_trail(responder.ledger, incident.id)
    made = from_trail(responder.ledger, trail, None, now=responder.clock.now())
    assert made.actions[0].action == "roll-back"
    assert any("log lines" in each for each in made.unread)


def test_the_report_is_written_again_when_a_lease_is_back() -> None:
    """First it says until when the floor is raised, and in the end that it was given back."""
    responder = Responder(playbook=playbook())
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.run(until=StepName.RESTORE)
    (lease,) = report(responder).leases
    assert (lease.text, lease.ended) == ("minimum of tasks 2 → 4", "")
    assert [pin.title for pin in report(responder).pins] == ["Minimum of 4 tasks"]
    incident, generation, _ = responder.executions.started[-1]
    responder.executions.started.append((incident, generation, "restore"))
    responder.run()
    (lease,) = report(responder).leases
    assert "the floor is back from 4 to 2" in lease.ended
    assert report(responder).pins == ()


def test_what_the_infrastructure_code_does_not_know_can_be_pasted() -> None:
    """After a roll back, the good task definition for the CDK, CloudFormation and Terraform."""
    (pin,) = report(ran()).pins
    assert pin.title == "Task definition orders:1"
    assert "orders:2" in pin.why
    for text in (pin.cdk, pin.cloudformation, pin.terraform):
        assert V1 in text
    assert V2 not in pin.cdk + pin.cloudformation + pin.terraform


@pytest.mark.parametrize(
    ("order", "scaled", "titles"),
    [
        ({"what": "set-count", "count": 5}, True, ["Minimum of 5 tasks"]),
        ({"what": "set-count", "count": 12}, True, ["Maximum of 12 tasks", "Minimum of 12 tasks"]),
        ({"what": "set-count", "count": 5}, False, ["Count of 5 tasks"]),
        ({"what": "set-limits", "minimum": 4, "maximum": 9}, True, ["Minimum of 4 tasks, Maximum of 9 tasks"]),
        ({"what": "set-count", "count": 5, "duration_s": 3600}, False, []),
    ],
)
def test_what_was_ordered_for_good_can_be_pasted_too(order: dict[str, object], scaled: bool, titles: list[str]) -> None:
    """The code still has the old numbers; what comes back by itself is no drift once it is back."""
    responder = Responder(playbook=playbook())
    responder.world.has_scaling = scaled
    responder.world.running = responder.world.desired = 3
    responder.give_order(REF, Order.model_validate({"by": "ann", "reason": "the season", **order}))
    responder.run()
    found = report(responder).pins
    assert sorted(pin.title for pin in found) == titles
    for pin in found:
        numbers = {each for each in pin.title.split() if each.isdigit()}
        assert all(number in text for number in numbers for text in (pin.cdk, pin.cloudformation, pin.terraform))


def test_where_nothing_was_done_it_says_why() -> None:
    """In mode observe: what would have been done, and when."""
    responder = Responder(playbook=playbook(mode=Mode.OBSERVE))
    after_bad_release(responder)
    responder.run(until=StepName.WATCH)
    incident = responder.ledger.incidents_of(REF)[0]
    trail = read_trail(responder.ledger, incident.id)
    found = from_trail(responder.ledger, trail, responder.playbook, now=responder.clock.now())
    assert found.open
    assert found.actions == ()
    assert "roll back from orders:2 to orders:1" in found.no_action
    assert any("In mode auto, roll-back would have begun" in lesson.text for lesson in found.lessons)
    assert found.people


def test_recovery_times_are_set_against_what_was_promised() -> None:
    """An RTO that was kept; an RPO of which nobody knows, because the playbook names no backups."""
    found = report(ran(rto="6h", rpo="24h"))
    rto, rpo = found.objectives
    assert found.closed_at is not None
    assert (rto.name, rto.used_s) == ("RTO", (found.closed_at - found.alarm_at).total_seconds())
    assert rto.met
    assert not report(ran(rto="1m")).objectives[0].met
    assert (rpo.met, rpo.what) == (None, "the playbook names no backups")
    assert report(ran()).objectives == ()


def test_the_draft_asks_what_only_people_know() -> None:
    """What the trail knows is written; questions are left open."""
    found = report(ran())
    draft = {part.title: part for part in found.draft}
    assert any("orders:2" in line for line in draft["Root cause"].lines)
    assert any("orders:2" in question for question in draft["Root cause"].questions)
    assert all(part.lines or part.questions for part in found.draft)
    assert found.lessons
    assert any(step.command.startswith("responder release") for step in found.steps)


def test_a_timeline_that_goes_past_midnight_names_the_day() -> None:
    """The first day stands at the top of the page; each later one where it begins."""
    found = report(ran())
    later = found.entries[-1].model_copy(update={"at": found.entries[-1].at + timedelta(days=1)})
    moved = found.model_copy(update={"entries": (*found.entries, later)})
    day = f"{later.at:%Y-%m-%d}"
    assert day not in as_markdown(found)
    assert f">{day}</b>" in as_html(moved)
    assert as_markdown(moved).count(f"| {day} ") == 1


class Page(HTMLParser):
    """The tags of a page, with what they would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = {name: value or "" for name, value in attrs}
        self.loads += [value for name, value in given.items() if name in ("src", "srcset", "data", "background")]
        self.handlers += [name for name in given if name.startswith("on")]
        if "href" in given:
            self.links.append(given["href"])


HOSTILE = '</style><script>alert(1)</script>"><img src=x onerror=alert(1)>'


def hostile() -> IncidentReport:
    """A report in which everything that comes from outside tries to be markup."""
    found = report(ran())
    return found.model_copy(
        update={
            "title": HOSTILE,
            "summary": HOSTILE,
            "severity": HOSTILE,
            "people": (HOSTILE,),
            "entries": tuple(entry.model_copy(update={"text": HOSTILE, "actor": HOSTILE}) for entry in found.entries),
            "causes": tuple(cause.model_copy(update={"evidence_for": (HOSTILE,)}) for cause in found.causes),
            "marks": tuple(mark.model_copy(update={"text": HOSTILE}) for mark in found.marks),
            "actions": tuple(
                each.model_copy(update={"summary": HOSTILE, "undo": HOSTILE, "effect": HOSTILE})
                for each in found.actions
            ),
            "logs": found.logs.model_copy(
                update={"excerpt": ((found.alarm_at, HOSTILE, HOSTILE),), "patterns": ((3, HOSTILE),)}
            ),
        }
    )


def test_a_page_loads_and_runs_nothing() -> None:
    """It parses, has no script and nothing from elsewhere; what leads elsewhere are links to the AWS console alone."""
    page = Page(as_html(report(ran())))
    assert page.tags[:3] == ["html", "head", "meta"]
    assert {"svg", "table", "ol"} <= set(page.tags)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert (page.loads, page.handlers) == ([], [])
    outside = [link for link in page.links if not link.startswith("#")]
    assert all(link.startswith(f"https://{REF.region}.console.aws.amazon.com/") for link in outside)
    assert len(outside) == 1


def test_hostile_text_stays_text() -> None:
    """A log line, a reason or a name that looks like markup is shown as it is written."""
    html = as_html(hostile())
    page = Page(html)
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.handlers == []
    assert "&lt;script&gt;alert(1)" in html
    prose = "".join(as_markdown(hostile()).split("```")[::2])
    assert "<" not in prose.replace("\\<", "")
    assert prose.count("\\<script\\>") > 5


PLAIN = report(ran())


@pytest.mark.thorough
@given(st.text(max_size=60))
def test_no_text_is_ever_markup(text: str) -> None:
    """Whatever stands in it, the page has the same elements, and loads and runs nothing."""
    entries = (PLAIN.entries[0].model_copy(update={"text": text}), *PLAIN.entries[1:])
    page = Page(as_html(PLAIN.model_copy(update={"title": text, "entries": entries, "severity": f"P1 {text}"})))
    assert page.tags == Page(as_html(PLAIN)).tags
    assert (page.loads, page.handlers) == ([], [])


def test_a_page_shows_no_control_characters() -> None:
    """What turns the direction of a line, or cannot be seen, is left out."""
    found = report(ran()).model_copy(update={"title": "orders \u202edesrever\x1b[31m"})
    html = as_html(found)
    assert "\u202e" not in html
    assert "\x1b" not in html


def test_the_console_link_has_the_time_and_the_log_group() -> None:
    """Written as the console writes it: names and texts behind apostrophes, encoded twice."""
    link = report(ran()).logs.link
    begins = f"https://{REF.region}.console.aws.amazon.com/cloudwatch/home?region={REF.region}#logsV2:logs-insights"
    assert link.startswith(f"{begins}$3FqueryDetail$3D$257E$2528end$257E$2527")
    assert "source$257E$2528$257E$2527*2Fecs*2Forders$2529$2529" in link
    assert not {"'", "(", " ", "~"} & set(link)


def places(text: str, *wanted: str) -> list[int]:
    found = [text.find(each) for each in wanted]
    assert -1 not in found, dict(zip(wanted, found, strict=True))
    return found


def test_a_report_says_what_happened_why_what_is_now_and_what_is_left() -> None:
    """In that order, on the page and in the text; the few lines at the top come first."""
    made = documents(ran())
    for name, heading in (("report.html", "<h2>{}</h2>"), ("report.md", "## {}\n")):
        parts = ("Timeline", "Metrics", "Causes", "What orders:2 changed", "Logs", "What was done", "Put back")
        rest = ("Drift from the infrastructure code", "Next steps", "Post-mortem draft")
        order = places(made[name], "at its worst, ", *(heading.format(part) for part in (*parts, *rest)))
        assert order == sorted(order)
    top = made["report.html"].partition("Timeline</h2>")[0]
    order = places(top, "<h1>", "<dt>Why</dt>", "<dt>Now</dt>", "<dt>Next</dt>")
    assert order == sorted(order)


def test_how_it_was_at_its_worst_is_the_worst_of_all_looks() -> None:
    """A grade is written down once; what a later look found under the same grade may have been worse."""
    responder = ran()
    trail = read_trail(responder.ledger, responder.ledger.incidents_of(REF)[0].id)
    assert Known(trail).felt == "40.0% of requests fail"
    event, found = Known(trail).looks[0]
    later = replace(found, metrics=Reading(value=metrics(now={Metric.REQUESTS: 10.0, Metric.TARGET_5XX: 7.0})))
    evidence = {**trail.evidence, event.sequence: {"findings": later.to_json()}}
    assert Known(replace(trail, evidence=evidence)).felt == "70.0% of requests fail"


def test_a_quiet_line_that_comes_again_is_told_once() -> None:
    """With how often and when last; what people have to see is told every time."""
    responder = Responder(playbook=playbook())
    responder.world.stays_broken = responder.world.database_down = True
    assert responder.world.settle_alarm()
    raise_alarm(responder)
    responder.run(until=StepName.WATCH)
    for second in range(3):
        raise_alarm(responder, second)
        responder.executions.started.append((*responder.executions.started[-1][:2], "assess"))
        responder.run(until=StepName.WATCH)
    trail = read_trail(responder.ledger, responder.ledger.incidents_of(REF)[0].id)
    ranked = [event for event in trail.events if event.fact is Fact.CAUSES_RANKED]
    assert len({event.summary for event in ranked}) == 1 < len(ranked)
    told = from_trail(responder.ledger, trail, None, now=responder.clock.now())
    (line,) = (entry for entry in told.entries if entry.text.startswith("likeliest cause"))
    assert f"the last at {ranked[-1].at:%H:%M:%S})" in line.text or "once more" in line.text
    loud = [entry for entry in told.entries if entry.text.startswith("paged: ")]
    assert len(loud) == sum(event.fact is Fact.PAGE_SENT for event in trail.events)


def test_a_way_back_that_is_no_command_is_not_to_be_pasted() -> None:
    """A floor that goes back by itself is told in words; a command stands in a block of its own."""
    responder = Responder(playbook=playbook())
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.run(until=StepName.RESTORE)
    assert "To take it back: the floor goes back to 2 by itself" in documents(responder)["report.md"]
    assert "To take it back:\n\n```\naws ecs update-service" in documents(ran())["report.md"]


def test_what_was_put_back_is_marked_in_the_plots() -> None:
    """They go on until then, so that what it brought is seen."""
    responder = Responder(playbook=playbook())
    responder.world.load = 3.0
    raise_alarm(responder)
    responder.run(until=StepName.RESTORE)
    assert MarkKind.LEASE not in {mark.kind for mark in report(responder).marks}
    incident, generation, _ = responder.executions.started[-1]
    responder.executions.started.append((incident, generation, "restore"))
    responder.run()
    mark = report(responder).marks[-1]
    assert (mark.kind, mark.text) == (MarkKind.LEASE, "the floor is back from 4 to 2")
    assert max(at for curve in report(responder).curves for at, _ in curve.points) > mark.at - timedelta(minutes=3)


def test_the_alarm_stands_in_the_timeline_when_it_went_off() -> None:
    """Not only when somebody heard of it, and not twice."""
    found = report(ran())
    said = [entry for entry in found.entries if "orders-5xx is ALARM" in entry.text]
    assert [(entry.at, entry.actor) for entry in said] == [(found.alarm_at, "CloudWatch")]


def test_a_zonal_shift_is_temporary() -> None:
    """It ends by itself: until then the report says so, and afterwards that it did."""
    responder, trail = taken(plan(SHIFT, action=ActionName.SHIFT_ZONE))
    incident = responder.ledger.incidents_of(REF)[0].id
    whole = read_trail(responder.ledger, incident)
    now = trail[-1].at
    (out,) = from_trail(responder.ledger, whole, None, now=now).leases
    assert (out.text, out.ended) == ("traffic of eu-west-1b shifted away", "")
    (over,) = from_trail(responder.ledger, whole, None, now=now + timedelta(days=1)).leases
    assert "ended by itself" in over.ended
