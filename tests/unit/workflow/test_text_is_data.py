"""Text from events, logs and people is data wherever it is shown: no renderer obeys any of it."""

import io
import re
import shlex
import unicodedata
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import BaseModel
from rich.console import Console

from functions.domain.announcements import in_chat
from functions.domain.circumstances import LinesFacts
from functions.domain.findings import Findings, Reading
from functions.domain.incidents import Incident
from functions.domain.redaction import REDACTED, clean, printable, redact
from functions.domain.shell import word
from functions.domain.signals import AlarmState, Signal, SignalKind
from functions.workflow.letters import SUBJECT_LIMIT, escalation, recovered
from functions.workflow.report import kept_report
from functions.workflow.reporting.logs import insights_link, logs_told
from functions.workflow.reporting.markdown import as_markdown
from functions.workflow.reporting.page import as_html
from functions.workflow.trails import Trail, read_trail
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tools.chaos.inputs import HOSTILE
from tools.cli import render

TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=200) | st.text(alphabet="<>&\"'`*_[]()|#\\\n\r\x1b\x9b -=+1.~!$;")
SGR = re.compile(r"\x1b\[[0-9;]*m")
"""The one kind of escape that the terminal's own colours are made of."""

OURS = {"link", "head", "incident_id", "place", "commands", "region", "id", "href", "label"}
"""Fields that no text from outside gets into; what commands and links are made of has tests of its own."""


def ran() -> Responder:
    responder = Responder(playbook=playbook())
    responder.world.quiet.shown_lines = ("ERROR unhandled exception in handler",)
    after_bad_release(responder)
    responder.run()
    return responder


RAN = ran()
INCIDENT = RAN.ledger.incidents_of(REF)[0]
REPORT = kept_report(RAN.ledger, RAN.archive, INCIDENT)
assert REPORT is not None
LOOKED = next(
    Findings.from_json(data["findings"])
    for data in read_trail(RAN.ledger, INCIDENT.id).evidence.values()
    if "findings" in data
)


def poisoned(value: Any, text: str) -> Any:
    """The same model or data with every free text in it replaced."""
    match value:
        case BaseModel():
            fields = {name: poisoned(each, text) for name, each in value if name not in OURS}
            return value.model_copy(update=fields)
        case dict():
            return {name: each if name in OURS else poisoned(each, text) for name, each in value.items()}
        case tuple() | list():
            return type(value)(poisoned(each, text) for each in value)
    return text if type(value) is str else value


def hidden(text: str) -> list[str]:
    """What a text has that is neither seen nor a space: control, direction and invisible characters."""
    return [each for each in text if each != "\n" and unicodedata.category(each)[0] == "C"]


class Markup(HTMLParser):
    """Every element of a page with the names of its attributes, in order, and what leads or loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.leads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.leads += [value or "" for name, value in attrs if name in ("href", "src", "style", "action")]


@pytest.mark.thorough
@settings(max_examples=40)
@given(TEXTS)
def test_a_page_has_no_element_and_no_attribute_that_a_text_brought(text: str) -> None:
    """Wherever it stands in the report."""
    plain, hostile = Markup(as_html(poisoned(REPORT, "x"))), Markup(as_html(poisoned(REPORT, f"x{text}")))
    assert hostile.elements == plain.elements
    assert [lead for lead in hostile.leads if not lead.startswith("#")] == [
        lead for lead in plain.leads if not lead.startswith("#")
    ]
    page = as_html(poisoned(REPORT, f"x{text}"))
    assert hidden(page) == []


def tokens(markdown: str) -> list[str]:
    """What a Markdown parser makes of it: the blocks, and what is in their lines but text."""
    found = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown):
        found.append(token.type)
        found += [f"{token.type}/{child.type}" for child in token.children or () if child.type != "text"]
    return [kind for kind in found if kind != "inline/text_special"]


@pytest.mark.thorough
@settings(max_examples=40)
@given(TEXTS)
def test_markdown_has_no_markup_that_a_text_brought(text: str) -> None:
    """No heading, list, table, link, image or HTML."""
    assert tokens(as_markdown(poisoned(REPORT, f"x{text}x"))) == tokens(as_markdown(poisoned(REPORT, "x")))
    begun = as_markdown(poisoned(REPORT, f"{text}x"))
    assert tokens(begun).count("inline/link_open") == 1, "of the report's own link to the console"
    assert not {"html_block", "inline/html_inline", "inline/image"} & set(tokens(begun))
    assert hidden(begun) == []


def shown(trail: Trail, **how: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="truecolor", width=100, markup=False, emoji=False)
    console.print(render.trail(trail, now=INCIDENT.updated_at, **how))
    for event in trail.events:
        console.print(render.brief(event, since=INCIDENT.opened_at))
    return out.getvalue()


def poisoned_trail(text: str) -> Trail:
    trail = read_trail(RAN.ledger, INCIDENT.id)
    kept = ("identity", "judgements", "decision", "result", "signal")
    evidence = {
        number: {key: poisoned(value, text) if key in kept[:4] else value for key, value in data.items()}
        for number, data in trail.evidence.items()
    }
    # Causes and the outcome of a decision are words of ours, by which they are read back.
    for number, data in evidence.items():
        for judgement, was in zip(
            data.get("judgements", ()), trail.evidence[number].get("judgements", ()), strict=True
        ):
            judgement["cause"] = was["cause"]
        if "decision" in data:
            was = trail.evidence[number]["decision"]
            told = {key: data["decision"][key] for key in ("plan", "verdicts", "alternatives", "reason") if key in was}
            data["decision"] = {**was, **told}
    events = tuple(event.model_copy(update={"summary": text, "actor": text}) for event in trail.events)
    incident: Incident = trail.incident.model_copy(update={"title": text})
    return replace(trail, incident=incident, events=events, evidence=evidence, broken=text)


@pytest.mark.thorough
@settings(max_examples=40)
@given(TEXTS)
def test_a_terminal_gets_no_escape_but_our_own(text: str) -> None:
    """Neither from a summary, an actor, evidence, a plan, a verdict nor a title."""
    for full in (True, False):
        out = SGR.sub("", shown(poisoned_trail(text), full=full))
        assert hidden(out) == []


def test_markup_of_rich_is_shown_as_it_is_written() -> None:
    """Brackets are brackets."""
    text = "[bold red]alarm[/]"
    assert SGR.sub("", shown(poisoned_trail(text))).count(text) > 5


@given(TEXTS)
def test_a_list_of_signals_is_data(text: str) -> None:
    """What belongs to no playbook, as `responder unmatched` shows it."""
    signal = Signal(kind=SignalKind.ALARM, occurred_at=None, alarm=text, state=AlarmState.ALARM, reason=text)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="truecolor", width=100, markup=False, emoji=False)
    console.print(render.unmatched_table([(signal, text)]))
    assert hidden(SGR.sub("", out.getvalue())) == []


@given(TEXTS)
def test_a_command_that_is_pasted_has_the_text_as_one_word(text: str) -> None:
    """Log groups come from task definitions, in which anybody who ships can write anything."""
    at = INCIDENT.opened_at
    facts = LinesFacts(since=at, until=at, groups=(text,), lines=())
    told = logs_told(REF.region, since=at, until=at, looked=None, lines=facts, kept=len(facts.lines), place="")
    tail, whole = told.commands
    assert shlex.split(tail)[:5] == ["aws", "logs", "tail", printable(text), "--since"]
    assert shlex.split(whole)[3:6] == ["--log-group-name", printable(text), "--start-time"]
    assert not {"\n", "\r", "\x1b"} & set(tail + whole)


@given(TEXTS)
def test_a_command_in_a_page_has_the_text_as_one_word(text: str) -> None:
    """The same in the mail at night."""
    definition = LOOKED.definition.value
    assert definition is not None
    reading = Reading(value=definition.model_copy(update={"log_groups": (text,)}))
    looked = replace(LOOKED, definition=reading)
    page = escalation(INCIDENT, tuple(RAN.ledger.events(INCIDENT.id)), looked=looked)
    (line,) = [line for line in page.text.splitlines() if line.strip().startswith("Logs ")]
    assert shlex.split(line)[:5] == ["Logs", "aws", "logs", "tail", printable(text)]


@given(TEXTS)
def test_a_command_that_is_broken_for_the_screen_is_the_same_command(text: str) -> None:
    """Words stay whole, whatever stands in them."""
    written = (
        f"aws cognito-idp admin-enable-user --user-pool-id {'p' * 60} --username {word(text)} && aws ecs {word(text)}"
    )
    broken = render._pasteable(written)
    assert shlex.split(broken.replace("\\\n", "")) == shlex.split(written)


@given(TEXTS)
def test_a_link_has_the_text_as_one_name(text: str) -> None:
    """Nothing ends the list of log groups, or the link, but its own end."""
    at = INCIDENT.opened_at
    link = insights_link("eu-west-1", [text, "/ecs/orders"], since=at, until=at + timedelta(minutes=5))
    assert re.fullmatch(r"https://eu-west-1\.console\.aws\.amazon\.com/[A-Za-z0-9/?=#:$*._-]+", link)
    inner = unquote(unquote(link.split("$3D", 1)[1].replace("$", "%")))
    sources = re.fullmatch(r"~\(.*~source~\(~'([^'~()]*)~'([^'~()]*)\)\)", inner)
    assert sources is not None
    assert [unquote(name.replace("*", "%")) for name in sources.groups()] == [printable(text), "/ecs/orders"]


@given(TEXTS)
def test_a_subject_is_one_that_sns_takes(text: str) -> None:
    """ASCII on one line, without control characters, no longer than SNS allows."""
    events = tuple(RAN.ledger.events(INCIDENT.id))
    incident = INCIDENT.model_copy(update={"title": text})
    for page in (escalation(incident, events), recovered(incident, events)):
        assert page.subject.isascii()
        assert page.subject.isprintable()
        assert 0 < len(page.subject) <= SUBJECT_LIMIT
        assert hidden(page.text) == []


@given(TEXTS)
def test_a_chat_reads_no_name_and_no_link_in_it(text: str) -> None:
    """Slack looks for nothing in a line of code; nothing but its own end ends it."""
    said = in_chat(text)
    assert said == "" or re.fullmatch(r"`[^`<>\n\r\x1b]+`", said)
    assert hidden(said) == []


@given(TEXTS)
def test_cleaned_text_is_one_printable_line(text: str) -> None:
    """Long or short, remembered or not; and cleaning it again changes nothing."""
    for long in (text, text * 50):
        once = clean(long, limit=300)
        assert hidden(once) == []
        assert len(once.splitlines()) <= 1
        assert len(once) <= 300
    assert clean(clean(text)) == clean(text)
    assert REDACTED in redact(f"password={'x' * 12}")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_word_of_a_command_is_one_word(text: str) -> None:
    """Nothing is expanded, and no second command begins."""
    assert shlex.split(f"echo {word(text)}") == ["echo", printable(text)]
