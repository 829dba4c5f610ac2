"""`responder` without anything: where somebody begins who has never seen it."""

import click
import pytest

from tests.fakes.clock import FakeClock
from tools.cli.main import Desk, cli, run
from tools.cli.overview import BEGIN, SECTIONS


def overview(capsys: pytest.CaptureFixture[str]) -> list[str]:
    def nobody(table: str, region: str) -> None:
        raise AssertionError("help asks AWS nothing")

    run([], Desk(open_ledger=nobody, now=FakeClock().now))  # type: ignore[arg-type]
    return capsys.readouterr().out.strip().splitlines()


def test_it_begins_with_what_happened_last_night(capsys: pytest.CaptureFixture[str]) -> None:
    """Before any list of commands."""
    lines = overview(capsys)
    first = lines.index("Begin with:")
    assert lines[first + 1].split() == [*BEGIN[0][0].split(), *BEGIN[0][1].split()]
    assert BEGIN[0][0] == "responder incidents"
    assert first < lines.index(f"{next(iter(SECTIONS))}:")


def test_every_command_is_named_once_in_words_that_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """By what it is for; none ends in the middle of its sentence."""
    lines = overview(capsys)
    for name in cli.commands:
        assert len([line for line in lines if line.split()[:1] == [name]]) == 1, name
    assert [line for line in lines[1:] if line.rstrip().endswith("...")] == []


def test_every_command_of_a_section_is_there() -> None:
    """One that is renamed would vanish from its section without a word."""
    assert [name for names in SECTIONS.values() for name in names if name not in cli.commands] == []
    for command, _ in BEGIN:
        assert isinstance(cli.commands[command.split()[1]], click.Command)
