"""The function that makes synthetic checks: what it says, and what it leaves in the log."""

import json
from typing import Any

import pytest

from functions import bootstrap
from functions.handlers import check
from functions.workflow.checks import Round
from tests.unit.handlers.context import context


def handled(made: Round, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(bootstrap, "run_checks", lambda: lambda: made)
    said: dict[str, Any] = check.handler({}, context("check"))
    return said


def test_a_failing_check_is_news_but_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is what the function is for; its alarm tells."""
    made = Round(fine=2, failed={"shop/orders pool-health": "pools.unhealthy is 2, above 0"})
    assert handled(made, monkeypatch) == made.model_dump(mode="json")
    (line,) = (vars(record) for record in caplog.records)
    assert (line["levelname"], line["message"], line["fine"]) == ("INFO", "checked", 2)
    assert line["failed"] == {"shop/orders pool-health": "pools.unhealthy is 2, above 0"}
    assert "ChecksNotMade" not in capsys.readouterr().out


def test_a_check_that_is_not_made_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for each, with what to do, and one count for the round, on which an alarm stands."""
    handled(Round(fine=1, not_made={"shop/orders a": "no secret; make it", "shop/cart b": "no name"}), monkeypatch)
    errors = [vars(record) for record in caplog.records if record.levelname == "ERROR"]
    assert [(line["message"], line["check"], line["reason"]) for line in errors] == [
        ("check not made", "shop/orders a", "no secret; make it"),
        ("check not made", "shop/cart b", "no name"),
    ]
    (counted,) = (json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line)
    assert counted["ChecksNotMade"] == [1.0]
