"""The page for newcomers: what it shows is what the commands print, word for word."""

import re
import shlex
from pathlib import Path

import pytest

from functions.adapters.memory_ledger import MemoryLedger
from functions.domain.incidents import Mode
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import Playbook
from functions.workflow.table import StepName
from tests.docs.pages import FIRST_PLAYBOOK, PROJECT
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.engine import Responder
from tests.fakes.signals import alarm_signal
from tests.fakes.world import V1
from tools.cli.main import Desk, run

TRANSCRIPTS = [block for block in FIRST_PLAYBOOK.blocks("text") if block.startswith("$ ")]
MINIMAL = PROJECT / "playbooks" / "minimal.yaml"


def transcript(command: str) -> list[str]:
    """What the page shows after each call of a command, in the order of the page."""
    return [body.partition("\n")[2] for body in TRANSCRIPTS if body.startswith(f"$ responder {command}")]


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Without the blanks that fill a line up."""
    said = capsys.readouterr()
    return "".join(f"{line.rstrip()}\n" for line in (said.out + said.err).splitlines())


def without_hashes(told: str) -> str:
    """A story is the same one whatever its events hash to."""
    return re.sub(r"\b[0-9a-f]{64}\b|(?<=-)[0-9a-f]{6}\b", "#", told)


def minimal() -> Playbook:
    (playbook,) = load_playbooks([MINIMAL])
    return playbook


@pytest.fixture
def nothing_happened() -> Desk:
    clock = FakeClock()
    ledger = MemoryLedger(clock=clock, archive=FakeArchive())
    return Desk(open_ledger=lambda table, region: ledger, now=clock.now)


def test_the_playbook_is_the_minimal_one(tmp_path: Path) -> None:
    """What the page shows is what lies there to be edited, and it only observes."""
    file = tmp_path / "minimal.yaml"
    file.write_text(FIRST_PLAYBOOK.blocks("yaml")[0])
    assert load_playbooks([file]) == (minimal(),)
    assert minimal().mode is Mode.OBSERVE


def test_a_good_playbook_is_checked(
    nothing_happened: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table with the alarms that the deployment will make."""
    monkeypatch.chdir(PROJECT)
    assert run(["check", "playbooks/minimal.yaml"], nothing_happened) == 0
    assert printed(capsys) == transcript("check")[0]


def test_mistakes_of_newcomers_are_told(
    nothing_happened: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An ARN for a name, more than a hundred percent, a misspelt key, a length of time in words: each with its line."""
    (wrong,) = (block for block in FIRST_PLAYBOOK.blocks("text") if not block.startswith("$ "))
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "minimal.yaml").write_text(wrong)
    monkeypatch.chdir(tmp_path)
    assert run(["check", "playbooks/minimal.yaml"], nothing_happened) == 2
    told = printed(capsys)
    assert told == transcript("check")[1]
    assert all(word in told for word in ("no ARN", "above 100", "no key of a playbook", "no length of time"))


def test_a_new_responder_has_no_incidents(nothing_happened: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """And says so."""
    assert run(["incidents", "--region", "eu-west-1"], nothing_happened) == 0
    assert [printed(capsys)] == transcript("incidents")


def test_an_alarm_set_by_hand_is_not_believed(capsys: pytest.CaptureFixture[str]) -> None:
    """The story on the page is that of a service that is well, whose alarm is set, and put back. Nobody is paged."""
    (command,) = (each for each in FIRST_PLAYBOOK.commands if each.startswith("aws cloudwatch set-alarm-state"))
    words = shlex.split(command)
    alarm, reason = (words[words.index(option) + 1] for option in ("--alarm-name", "--state-reason"))
    assert alarm in minimal().alarm_names

    made = Responder(playbook=minimal())
    made.world.task_definition = V1
    made.bake()
    made.clock.advance(seconds=3600)
    made.bake()
    made.world.faked_alarm = True
    made.world.settle_alarm()
    signal = alarm_signal(alarm=alarm).model_copy(update={"occurred_at": made.clock.now(), "reason": reason})
    made.clock.advance(seconds=2)
    made.intake(signal)

    def put_back(step: StepName) -> None:
        made.world.faked_alarm = step is not StepName.WATCH and made.world.faked_alarm

    made.run(before=put_back)
    assert made.notifier.pages == []
    desk = Desk(open_ledger=lambda table, region: made.ledger, now=made.clock.now)
    assert run(["show", made.executions.started[-1][0], "--region", "eu-west-1"], desk) == 0
    assert [without_hashes(printed(capsys))] == list(map(without_hashes, transcript("show")))
