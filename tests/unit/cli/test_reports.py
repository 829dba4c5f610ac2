"""`responder report`, `releases` and `logs` over a ledger that real steps have written."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.desk import desk_of
from tests.fakes.engine import Responder
from tests.fakes.world import REF
from tests.unit.workflow.test_incident import after_bad_release, playbook
from tools.cli.logs import SHOWN
from tools.cli.main import run


@pytest.fixture
def responder() -> Responder:
    """A bad release was rolled back, and the incident is closed."""
    made = Responder(playbook=playbook())
    after_bad_release(made)
    made.run()
    return made


def ask(made: Responder, *arguments: str, status: int = 0) -> None:
    assert run([*arguments, "--region", REF.region], desk_of(made)) == status


def incident_id(made: Responder) -> str:
    return made.executions.started[-1][0]


def kept(made: Responder, name: str) -> str:
    return next(body for url, body in made.archive.documents.items() if url.endswith(f"/report/{name}"))


def test_the_desk_shows_the_report_that_was_kept(responder: Responder, tmp_path: Path) -> None:
    """The same bytes as in the archive, even when the metrics behind it are gone."""
    responder.world.unreadable |= {"series", "definition"}
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    ask(responder, "report", incident_id(responder), "--html", str(page), "--markdown", str(text))
    assert page.read_text() == kept(responder, "report.html")
    assert text.read_text() == kept(responder, "report.md")


def test_a_report_in_the_terminal(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Without options it is printed: what was done, and what is left to do."""
    ask(responder, "report", incident_id(responder))
    out = capsys.readouterr().out
    for word in ("What was done", "bad-release", "roll back from orders:2 to orders:1", "Next steps"):
        assert word in out


def test_a_report_without_its_documents_is_made_of_the_trail(
    responder: Responder, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what it lacks."""
    responder.archive.documents.clear()
    ask(responder, "report", incident_id(responder))
    out = capsys.readouterr().out
    assert "Not read for this report" in out
    assert "bad-release" in out


def test_a_report_that_cannot_be_written_is_one_line(
    responder: Responder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With status 2."""
    ask(responder, "report", incident_id(responder), "--html", str(tmp_path / "no" / "where.html"), status=2)
    assert "cannot be written" in capsys.readouterr().err


def test_what_a_service_ran(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Each release with what was judged of it, since when it was seen, and why."""
    ask(responder, "release", "list", "shop/orders")
    out = capsys.readouterr().out
    good, bad = (next(line for line in out.splitlines() if name in line) for name in ("orders:1", "orders:2"))
    assert "good" in good
    assert "steady and quiet for" in good
    assert "quarantined" in bad
    assert "rolled back in" in bad


def test_a_service_that_nobody_watched(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """It has no history, and that is said."""
    ask(responder, "release", "list", "shop/unknown")
    assert "no release yet" in capsys.readouterr().out


def test_two_releases_side_by_side(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """By name or by number alone; of one and the same nothing differs."""
    ask(responder, "release", "diff", "shop/orders", "1", "orders:2")
    out = capsys.readouterr().out
    assert out.split()[:3] == ["what", "orders:1", "orders:2"]
    assert "image" in out
    ask(responder, "release", "diff", "shop/orders", "1", "1")
    assert "are the same, as far as ECS tells" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("written", ["orders", "a/b/c/d", "shop/or ders"])
def test_what_is_no_service(responder: Responder, written: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says how it is written."""
    ask(responder, "release", "list", written, status=2)
    assert "is no service" in capsys.readouterr().err


def test_the_lines_of_any_time(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """From where the running task definition logs, for the time that was asked, with a link into the console."""
    responder.world.quiet.shown_lines = ("ERROR no connection",)
    ask(responder, "logs", "shop/orders", "--from", "2026-02-20T02:00", "--to", "2026-02-27T02:00")
    out = capsys.readouterr().out
    assert "2026-02-20 02:00:00 0123 ERROR no connection\n1 line\n" in out
    assert "#logsV2:logs-insights$3FqueryDetail" in out
    begin, end = datetime(2026, 2, 20, 2, tzinfo=UTC), datetime(2026, 2, 27, 2, tzinfo=UTC)
    assert responder.world.quiet.asked[-1] == ("lines", (("/ecs/orders",), begin, end))


def test_lines_are_kept_in_a_file(responder: Responder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON Lines; where there are more, the command that exports all of them is shown."""
    responder.world.quiet.shown_lines = ("ERROR no connection",)
    file = tmp_path / "lines.jsonl"
    ask(responder, "logs", "shop/orders", "--save", str(file))
    assert [json.loads(line)["message"] for line in file.read_text().splitlines()] == ["ERROR no connection"]
    assert "create-export-task" not in capsys.readouterr().out

    responder.world.quiet.shown_lines = tuple(f"ERROR {n}" for n in range(SHOWN + 1))
    ask(responder, "logs", "shop/orders")
    out = capsys.readouterr().out
    assert "there are more" in out
    assert "aws logs create-export-task --log-group-name /ecs/orders --from" in out


def test_a_time_that_ends_before_it_begins(responder: Responder, capsys: pytest.CaptureFixture[str]) -> None:
    """Is told in one line."""
    ask(responder, "logs", "shop/orders", "--from", "2026-02-27T02:00", "--to", "2026-02-20T02:00", status=2)
    assert "not before --to" in capsys.readouterr().err
