"""`responder ack`, `take` and `give-back`: who has the page, and who leads."""

import pytest

from functions.domain.incidents import Fact
from functions.workflow.table import StepName
from tests.fakes.desk import IDENTITY, desk_of
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tests.unit.workflow.test_promises import paged
from tools.cli.main import run


def say(made: Responder, *arguments: str, by: str = "ann") -> int:
    return run([*arguments, *(() if arguments[0] == "show" else ("--by", by)), "--region", REF.region], desk_of(made))


@pytest.mark.parametrize(
    ("command", "said", "fact"),
    [
        ("ack", "ann has the page: nobody else is called, and the responder goes on", Fact.ACKNOWLEDGED),
        ("take", "ann leads it now: the responder only watches", Fact.COMMAND_TAKEN),
    ],
)
def test_what_is_said_holds_and_stands_in_the_trail(
    command: str, said: str, fact: Fact, capsys: pytest.CaptureFixture[str]
) -> None:
    """With who said it, in their own words and as IAM knows them; twice is fine."""
    responder = paged()
    incident = responder.executions.started[-1][0]
    assert say(responder, command, incident, "--reason", "on my way") == 0
    assert say(responder, command, incident) == 0
    assert said in capsys.readouterr().out
    responder.run(until=StepName.WATCH)
    (event,) = [event for event in responder.ledger.events(incident) if event.fact is fact]
    assert event.actor == "ann"
    assert event.data["signal"]["word"]["identity"] == IDENTITY
    assert "on my way" in event.summary


def test_it_is_given_back(capsys: pytest.CaptureFixture[str]) -> None:
    """And `responder show` says who leads, as long as somebody does."""
    responder = paged()
    incident = responder.executions.started[-1][0]
    say(responder, "take", incident)
    responder.run(until=StepName.WATCH)
    capsys.readouterr()
    say(responder, "show", incident)
    assert "commander" in capsys.readouterr().out
    assert say(responder, "give-back", incident) == 0
    assert "the responder leads it again" in capsys.readouterr().out
    responder.run(until=StepName.WATCH)
    say(responder, "show", incident)
    assert "commander " not in capsys.readouterr().out


@pytest.mark.parametrize("command", ["ack", "take", "give-back"])
def test_a_closed_incident_takes_no_word(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says so."""
    responder = Responder(playbook=playbook())
    after_bad_release(responder)
    responder.run()
    incident = responder.executions.started[-1][0]
    assert say(responder, command, incident) == 2
    assert capsys.readouterr().err == (
        f"responder: {incident}: the incident is closed, nobody has to lead it any more\n"
    )


def test_an_incident_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped id is one line, too."""
    assert say(paged(), "ack", "inc-0") == 2
    assert "inc-0" in capsys.readouterr().err
