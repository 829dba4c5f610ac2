"""`responder drill`: what it prints and writes, and when it lets a playbook pass."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from tools.cli.main import USAGE_ERROR, Desk, run
from tools.drill.command import HARMFUL
from tools.drill.policies.registry import POLICIES

FIELDS = {
    "runs",
    "recovered",
    "escalated_correctly",
    "impact_median",
    "impact_ratio_to_oracle",
    "recovery_s",
    "recovery_ratio_to_oracle",
    "actions",
    "harmful",
}


def no_ledger(table: str, region: str) -> NoReturn:
    raise AssertionError("a drill needs no ledger")


def drilled(*arguments: str) -> int:
    desk = Desk(open_ledger=no_ledger, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    return run(["drill", "--jobs", "1", "--seeds", "1", *arguments], desk)


def test_every_way_to_respond_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, and nothing but the table on standard output."""
    assert drilled("--scenario", "release-fails-requests") == 0
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in POLICIES)
    assert "CloudWatchMetrics" not in told


def test_the_numbers_are_written_as_json(tmp_path: Path) -> None:
    """Per policy, and per policy and scenario."""
    file = tmp_path / "drill.json"
    assert drilled("--scenario", "release-fails-requests", "--policy", "responder", "--json", str(file)) == 0
    found = json.loads(file.read_text())["policies"]["responder"]
    assert found.keys() >= FIELDS
    assert found["scenarios"]["release-fails-requests"].keys() >= FIELDS
    assert found["recovery_s"].keys() == {"p50", "p95"}
    assert found["impact_ratio_to_oracle"].keys() == {"median", "p95"}


def test_the_report_has_timelines(tmp_path: Path) -> None:
    """What the responder thought is on the page."""
    file = tmp_path / "drill.html"
    assert drilled("--scenario", "release-fails-requests", "--policy", "responder", "--report", str(file)) == 0
    assert file.read_text().startswith("<!doctype html>")


def test_the_gate_is_open_for_who_does_no_harm() -> None:
    """Exit status 0."""
    assert drilled("--gate", "--scenario", "release-fails-requests") == 0


@pytest.mark.thorough
def test_the_gate_is_shut_for_who_does_harm(tmp_path: Path) -> None:
    """A playbook that knows no dependency, and restarts where the connections are used up, does not pass."""
    own = tmp_path / "orders.yaml"
    own.write_text(
        "region: eu-west-1\ncluster: shop\nservice: orders\nalarms: [{symptom: error-rate}]\n"
        "confidence: 0.0\nladders: {unknown: [force-new-deployment], bad-release: [force-new-deployment]}\n"
    )
    scenario = tmp_path / "false.yaml"
    scenario.write_text(
        "title: Nothing\nkind: outage\ntruth: {says: nothing is wrong, cause: false-alarm}\n"
        "world:\n  services: [{traffic: {base_rps: 100}}]\n"
        "  faults: [{kind: bad-release, at_s: 1800, how: 5xx}]\n"
    )
    assert drilled("--gate", "--scenario", str(scenario), "--playbook", str(own)) == HARMFUL


def test_one_kind_of_drill_is_chosen(tmp_path: Path) -> None:
    """As the runbook's calendar has it."""
    file = tmp_path / "drill.json"
    assert drilled("--kind", "security", "--policy", "none", "--json", str(file)) == 0
    kinds = {scenario["kind"] for scenario in json.loads(file.read_text())["scenarios"].values()}
    assert kinds == {"security"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policy", "wizard"], "there is no policy 'wizard'"),
        (["--scenario", "nothing-at-all"], "there is no scenario 'nothing-at-all'"),
        (["--scenario", "false-alarm", "--kind", "database"], "is of kind database"),
        (["--scenario", "false-alarm", "--policy", "none", "--json", "/nowhere/at/all.json"], "cannot be written"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with status 2."""
    assert drilled(*arguments) == USAGE_ERROR
    assert said in capsys.readouterr().err
