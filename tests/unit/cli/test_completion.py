"""`responder completion`, and what is completed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tools.cli.main import Desk, desk_ledger, run

PLAYBOOK = "region: eu-west-1\ncluster: shop\nservice: {service}\n"


@pytest.fixture
def playbooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three services, one of them under no known cluster, and a file that is no YAML."""
    directory = tmp_path / "playbooks"
    directory.mkdir()
    for service in ("orders", "cart"):
        (directory / f"{service}.yaml").write_text(PLAYBOOK.format(service=service))
    (directory / "half.yaml").write_text("service: half\n")
    (directory / "broken.yaml").write_text("a: [")
    monkeypatch.chdir(tmp_path)
    return directory


def completed(*words: str) -> list[str]:
    """What bash is offered for the last of these words, by the script that bash itself calls."""
    environment = {
        **os.environ,
        "_RESPONDER_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["responder", *words]),
        "COMP_CWORD": str(len(words)),
    }
    code = "import sys; sys.argv = ['responder']; from tools.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("shell", "word"),
    [("bash", "complete -o nosort -F"), ("zsh", "#compdef responder"), ("fish", "complete --no-files")],
)
def test_what_a_shell_needs_is_printed(shell: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By name, with the variable that the command itself heeds."""
    assert run(["completion", shell], Desk(open_ledger=desk_ledger, now=FakeClock().now)) == 0
    out = capsys.readouterr().out
    assert word in out
    assert "_RESPONDER_COMPLETE" in out


def test_another_shell_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """That names those there are."""
    assert run(["completion", "tcsh"], Desk(open_ledger=desk_ledger, now=FakeClock().now)) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err


@pytest.mark.thorough
def test_commands_states_and_services_are_completed(playbooks: Path) -> None:
    """Of playbooks that can be read; nothing is asked of AWS."""
    assert completed("incid") == ["incidents"]
    assert completed("release", "qu") == ["quarantine"]
    assert completed("incidents", "--state", "es") == ["escalated"]
    assert completed("pause", "shop/") == ["shop/cart", "shop/orders"]
    assert completed("release", "list", "shop/o") == ["shop/orders"]
    assert completed("incidents", "--service", "shop/c") == ["shop/cart"]
