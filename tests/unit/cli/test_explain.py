"""`responder explain` and `responder check`: answers without AWS, and errors in one line."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tools.chaos import samples
from tools.cli.main import Desk, run

KEYS = ["file", "outcome", "kind", "alarm", "state", "cluster", "service", "playbook", "reason"]


def _no_ledger(table: str, region: str) -> NoReturn:
    raise AssertionError("this command needs no ledger")


DESK = Desk(open_ledger=_no_ledger, now=lambda: datetime(2026, 3, 1, 3, 15, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away from the project's own playbooks."""
    monkeypatch.chdir(tmp_path)


def write(name: str, content: Any) -> str:
    Path(name).write_text(content if isinstance(content, str) else json.dumps(content))
    return name


def explain(*arguments: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert run(["explain", "--json", *arguments], DESK) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_one_object_per_message_with_all_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """Every message has its object, every object the same keys, and refusals are answers, not errors."""
    batch = samples.sqs_to_lambda(samples.sns_message(), "{broken", "hello")
    found = explain(write("batch.json", batch), write("ecs.json", samples.deployment_event()), capsys=capsys)

    assert [list(entry) for entry in found] == [KEYS] * 4
    assert [entry["outcome"] for entry in found] == ["signal", "refused", "ignored", "signal"]
    assert found[0] | {"reason": ""} == {
        "file": "batch.json", "outcome": "signal", "kind": "alarm", "alarm": "orders-cpu", "state": "ALARM",
        "cluster": "shop", "service": "orders", "playbook": None, "reason": "",
    }  # fmt: skip
    assert (found[3]["kind"], found[3]["alarm"], found[3]["state"]) == ("deployment", None, None)
    assert all(entry["reason"] for entry in found)


def test_the_playbook_and_what_would_happen(capsys: pytest.CaptureFixture[str]) -> None:
    """With playbooks, the service is found by the alarm's name, and the mode says what would be done."""
    Path("books").mkdir()
    write(
        "books/cart.yaml",
        f"region: {samples.REGION}\ncluster: shop\nservice: cart\nmode: auto\nalarms: [{{existing: c}}]",
    )
    event = write("e.json", samples.sns_message("c", service="orders"))

    (found,) = explain("--playbooks", "books", event, capsys=capsys)
    assert (found["service"], found["playbook"]) == ("cart", "cart")
    assert "would open an incident" in found["reason"]
    assert "mode auto" in found["reason"]

    check = "alarms: [{check: pools, url: https://shop.example.com/pools}]"
    write("books/orders.yaml", f"region: {samples.REGION}\ncluster: shop\nservice: orders\n{check}")
    event = write("check.json", samples.sns_message("responder-shop-orders-check-pools", service="nothing"))
    (found,) = explain("--playbooks", "books", event, capsys=capsys)
    assert (found["service"], found["playbook"]) == ("orders", "orders")

    calm = write("ok.json", samples.sns_message("c") | {"NewStateValue": "OK"})
    (found,) = explain("--playbooks", "books", calm, capsys=capsys)
    assert "never open one" in found["reason"]


def test_without_playbooks_nothing_would_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal that belongs to no playbook is kept and nothing else."""
    (found,) = explain(write("e.json", samples.sns_message()), capsys=capsys)

    assert found["playbook"] is None
    assert "nothing be done" in found["reason"]


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json the same is told in words; foreign text can neither colour nor clear the terminal."""
    message = samples.sns_message("[bold red]x") | {"NewStateReason": "\x1b[2J\u202etoken=abcdefgh [/bold]"}
    assert run(["explain", write("e.json", message), write("t.txt", "hello")], DESK) == 0

    out = capsys.readouterr().out
    assert "[bold red]x is ALARM, was OK, 2026-03-01 03:12:04 UTC" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "abcdefgh" not in out
    assert "eu-central-1/shop/orders" in out
    assert "ignored" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["explain", "gone.json"], "gone.json cannot be read: No such file or directory"),
        (["explain", "."], ". cannot be read: Is a directory"),
        (["explain", "a\0b"], "cannot be read"),
        (["explain"], "Missing argument 'FILE...'"),
        (["explain", "--nonsense", "x"], "No such option"),
        (["nonsense"], "No such command 'nonsense'"),
        (["check", "gone.yaml"], "gone.yaml: cannot be read"),
        (["check", "."], "no playbook in ."),
    ],
)
def test_errors_are_one_line_and_status_2(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake in the question is one clear line on stderr, and nothing on stdout."""
    assert run(arguments, DESK) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1


def test_check_lists_what_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """Playbooks that hold are listed with their service, mode and alarms."""
    write("orders.yaml", "region: eu-west-1\ncluster: shop\nservice: orders\nalarms: [{symptom: cpu}]\n")

    assert run(["check", "orders.yaml"], DESK) == 0
    out = capsys.readouterr().out
    assert "eu-west-1/shop/orders" in out
    assert "observe" in out
    assert "responder-shop-orders-cpu" in out


def test_check_says_how_it_understood_a_maintenance_window(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the next time in UTC, so that a wrong zone or a wrong day is seen before it matters."""
    head = "region: eu-west-1\ncluster: shop\nservice: orders\nseverities: {P2: {label: WARNING}}\nmaintenance:\n"
    write(
        "orders.yaml",
        head
        + "  - {every: sunday, from: 02:00, to: 04:00, zone: Europe/Berlin}\n"
        + "  - {every: day, from: 23:30, to: 1:00}\n",
    )
    desk = replace(DESK, now=lambda: datetime(2026, 11, 21, 0, 15, tzinfo=UTC))
    assert run(["check", "orders.yaml"], desk) == 0
    out = capsys.readouterr().out
    assert "every sunday 02:00 to 04:00 Europe/Berlin  next: 2026-11-22 01:00 to 03:00 UTC" in out
    assert "every day 23:30 to 01:00 UTC  open now: 2026-11-20 23:30 to 2026-11-21 01:00 UTC" in out
    assert "P2 (WARNING)" in out


def test_check_tells_every_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """Each mistake is a line that begins with its file and line, as editors like it."""
    write("orders.yaml", "region: eu-west-1\ncluster: shop\nmodus: auto\n")

    assert run(["check", "orders.yaml"], DESK) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "orders.yaml:1: service is missing; write the name of the ECS service",
        "orders.yaml:3: modus is no key of a playbook; write mode",
    ]


def test_help_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Asked for help, it helps; asked for nothing, it helps too, but that was a mistake."""
    assert run(["--help"], DESK) == 0
    assert "explain" in capsys.readouterr().out
    assert run([], DESK) == 2
    assert "explain" in capsys.readouterr().out


@pytest.mark.thorough
def test_a_terminal_without_unicode() -> None:
    """Where a character cannot be shown another one stands for it, and the command succeeds."""
    ran = subprocess.run(
        [sys.executable, "-m", "tools.cli.main", "explain", "-"],
        input=json.dumps(samples.sns_message("überlast-警報")).encode(),
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[3],
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"?berlast-??" in ran.stdout


@pytest.mark.thorough
def test_explaining_loads_no_aws_sdk() -> None:
    """Explaining and checking are quick because they import neither boto3 nor Powertools."""
    code = (
        "import sys; import tools.cli.main, tools.cli.explain, tools.cli.render; "
        "sys.exit(any(m in sys.modules for m in ('boto3', 'botocore', 'aws_lambda_powertools')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[3]).returncode == 0


def test_what_concerns_several_services_is_explained_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    """Trouble of AWS itself is told once for each service that it concerns, and once where it is nobody's."""
    for service in ("orders", "cart"):
        write(f"{service}.yaml", f"region: {samples.REGION}\ncluster: shop\nservice: {service}\n")
    books = ["--playbooks", "."]
    found = explain(write("issue.json", samples.health_event()), *books, capsys=capsys)
    assert {each["service"] for each in found} == {"orders", "cart"}
    assert all("would open an incident" in each["reason"] for each in found)
    (nobodys,) = explain(write("other.json", samples.health_event(service="S3")), *books, capsys=capsys)
    assert (nobodys["playbook"], "kept as unmatched" in nobodys["reason"]) == (None, True)
