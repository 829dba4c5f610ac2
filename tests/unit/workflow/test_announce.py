"""What machines are told of an incident, and chat through them: everything that counts, once, and harmless to read."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.announcements import Announcement, Happened, in_chat
from functions.domain.errors import ReadFailed
from functions.domain.incidents import Fact
from functions.domain.people import AUTOMATIC, Said
from functions.workflow.announce import Announce
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tests.unit.workflow.test_promises import go_on, paged


class FakeBus:
    """The bus, or one that takes nothing."""

    def __init__(self) -> None:
        self.taken: list[Announcement] = []
        self.failing = False

    def announce(self, announcements: Sequence[Announcement]) -> None:
        if self.failing:
            raise ReadFailed("the bus is away")
        self.taken += announcements

    @property
    def happened(self) -> list[Happened]:
        return [each.happened for each in self.taken]


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


def announcing(responder: Responder, bus: FakeBus) -> Announce:
    return Announce(ledger=responder.ledger, announcer=bus)


def test_an_incident_is_told_from_its_beginning_to_its_end(bus: FakeBus) -> None:
    """Opened, acted and resolved, each with how it stood then."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    responder.run()
    (incident,) = responder.ledger.incidents_of(REF)
    told = announcing(responder, bus)(incident.id, 0)
    assert told == incident.head_sequence
    opened, acted, resolved = bus.taken
    assert bus.happened == [Happened.OPENED, Happened.ACTED, Happened.RESOLVED]
    assert (opened.severity, opened.cause, opened.action, opened.status) == (None, None, None, "open")
    assert (acted.severity, acted.cause, acted.action) == ("P1", "bad-release", "roll-back")
    assert (resolved.status, resolved.commander, resolved.duration_s) == ("resolved", AUTOMATIC, resolved.duration_s)
    assert resolved.duration_s is not None
    assert resolved.duration_s > 0
    assert {each.chat.metadata.thread_id for each in bus.taken} == {incident.id}


def test_people_and_promises_are_told(bus: FakeBus) -> None:
    """A page, who has it, who leads, the update, and the call for the second contact."""
    responder = paged(escalation={"email": ["lead@example.com"]})
    incident = responder.notifier.pages[0].attributes["incident"]
    go_on(responder, 32)
    responder.say(incident, Said.TAKEN, by="ann", identity="")
    go_on(responder, 20)
    responder.say(incident, Said.RELEASED, by="ann", identity="")
    go_on(responder, 20)
    announcing(responder, bus)(incident, 0)
    assert [each for each in bus.happened if each is not Happened.UPDATED] == [
        Happened.OPENED,
        Happened.PAGED,
        Happened.ESCALATED,
        Happened.TAKEN,
        Happened.RELEASED,
    ]
    assert Happened.UPDATED in bus.happened
    taken = next(each for each in bus.taken if each.happened is Happened.TAKEN)
    assert taken.commander == "ann"
    assert taken.chat.content.next_steps[0] == f"`responder give-back {incident}`"
    page = next(each for each in bus.taken if each.happened is Happened.PAGED)
    assert page.next_update_at is not None
    assert page.chat.content.next_steps[0] == f"`responder ack {incident}`"


def test_each_is_told_once(bus: FakeBus) -> None:
    """The payload says how far it came; what the bus did not take is told the next time."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    responder.run(until=StepName.VERIFY)
    announce, incident = announcing(responder, bus), responder.executions.started[-1][0]
    bus.failing = True
    with pytest.raises(ReadFailed):
        announce(incident, 0)
    bus.failing = False
    told = announce(incident, 0)
    assert announce(incident, told) == told
    assert bus.happened == [Happened.OPENED, Happened.ACTED]


def test_who_takes_over_tells_what_is_new(bus: FakeBus) -> None:
    """A successor's payload knows nothing of what was told: chat does not get it all again."""
    responder = paged()
    incident = responder.executions.started[-1][0]
    responder.executions.ended.add(responder.executions.started[-1][:2])
    responder.clock.advance(seconds=400)
    responder.sweep()
    responder.world.database_down = False
    responder.run()
    announcing(responder, bus)(incident, 0)
    assert bus.happened == [Happened.RESOLVED]


def test_a_question_is_told_when_it_is_asked(bus: FakeBus) -> None:
    """With the two answers to it."""
    responder = Responder(playbook=playbook(mode="ask"))
    after_bad_release(responder)
    responder.asked = lambda: announcing(responder, bus).question(responder.executions.started[-1][0])
    responder.run(until=StepName.WATCH)
    (asked,) = bus.taken
    assert asked.happened is Happened.ASKED
    assert asked.chat.content.next_steps[0].startswith("`responder approve inc-")


def test_what_is_told_is_what_the_schema_says(bus: FakeBus) -> None:
    """An event can be read back, and says nothing that its schema does not know."""
    responder = paged()
    announcing(responder, bus)(responder.executions.started[-1][0], 0)
    for each in bus.taken:
        assert Announcement.model_validate_json(each.model_dump_json(by_alias=True)) == each


def test_every_fact_that_is_told_has_words(bus: FakeBus) -> None:
    """No kind of event is without a title in chat."""
    responder = paged()
    announcing(responder, bus)(responder.executions.started[-1][0], 0)
    assert all(re.fullmatch(r"(\[P1\] )?orders: [a-z ]+", each.chat.content.title) for each in bus.taken)
    assert Fact.PAGE_SENT in [e.fact for e in responder.ledger.events(responder.executions.started[-1][0])]


HOSTILE = "<!channel> *bold* _x_ [a](https://evil.example) <https://evil.example|login> `` ` @here # \n\n> x"


def test_hostile_text_pings_nobody_and_links_nowhere(bus: FakeBus) -> None:
    """A log line may say what it wants: in chat it is a line of code."""
    responder = paged()
    responder.say(responder.executions.started[-1][0], Said.TAKEN, by=HOSTILE, identity="", reason=HOSTILE)
    go_on(responder, 5)
    announcing(responder, bus)(responder.executions.started[-1][0], 0)
    for each in bus.taken:
        outside = re.sub(r"`[^`\n]*`", "", each.chat.content.description)
        assert "evil" not in outside
        assert "channel" not in outside
        assert "<" not in each.chat.content.description


@given(st.text(max_size=600))
def test_whatever_is_said_stays_in_its_line_of_code(text: str) -> None:
    """It begins and ends the code itself, has no mention, no control character, and an end."""
    shown = in_chat(text)
    assert shown == "" or re.fullmatch(r"`[^`<>\n\r]+`", shown)
    assert len(shown) <= 302
