"""Scenario files: what is shipped holds, and a mistake is told with its line."""

from pathlib import Path

import pytest

from functions.domain.dependencies import DependencyKind
from functions.domain.errors import PlaybookError
from functions.domain.incidents import Mode
from functions.domain.watched import WatchedDatabase
from tools.drill.scenario import Kind, ScenarioError, load_scenarios, shipped

GOOD = """\
title: A test
kind: outage
truth:
  says: the newest release is bad
  cause: bad-release
  remedies: [roll-back]
playbook:
  alarms:
    - symptom: error-rate
world:
  services:
    - name: orders
      traffic: {base_rps: [80, 120]}
  faults:
    - {kind: bad-release, at_s: 1800, how: 5xx}
"""

PLAYBOOK = """\
region: us-east-1
cluster: books
service: catalogue
alarms:
  - symptom: error-rate
    threshold: 3
dependencies:
  - {name: main, alarm: main-down}
"""


def written(tmp_path: Path, text: str, name: str = "mine.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def problem(tmp_path: Path, old: str, new: str) -> str:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ScenarioError) as wrong:
        load_scenarios([str(path)])
    return str(wrong.value).removeprefix(str(tmp_path))


def test_all_shipped_scenarios_hold() -> None:
    """There are at least twenty-two, and every kind of drill is among them."""
    scenarios = load_scenarios()
    assert len(scenarios) >= 22
    assert {scenario.head.kind for scenario in scenarios} == set(Kind)


def test_a_shipped_scenario_is_found_by_name() -> None:
    """Its name is that of its file."""
    assert [scenario.name for scenario in load_scenarios([shipped()[0]])] == [shipped()[0]]


def test_the_alarms_of_the_playbook_are_the_alarms_of_the_world(tmp_path: Path) -> None:
    """As the deployment of the playbook makes them; nobody writes them twice."""
    (scenario,) = load_scenarios([str(written(tmp_path, GOOD))])
    (alarm,) = scenario.setting.services[0].alarms
    assert (alarm.name,) == scenario.playbooks[0].alarm_names
    assert (alarm.threshold, alarm.period_s, alarm.datapoints) == (5, 60, 2)


def test_the_checks_of_the_playbook_are_in_the_world(tmp_path: Path) -> None:
    """Of the scenario's own playbook and of the user's."""
    check = "{check: up, url: https://x.example, timeout: 2s, evaluation_periods: 5, datapoints: 4}"
    with_check = GOOD.replace("    - symptom: error-rate\n", f"    - symptom: error-rate\n    - {check}\n")
    (scenario,) = load_scenarios([str(written(tmp_path, with_check))])
    own = written(tmp_path, f"{PLAYBOOK.partition('alarms')[0]}alarms: [{check}]\n", "playbook.yaml")
    (theirs,) = load_scenarios(["release-fails-requests"], playbook=own)
    for loaded in (scenario, theirs):
        alarm = loaded.setting.services[0].alarms[-1]
        assert alarm.name == loaded.playbooks[0].alarm_names[-1]
        assert (alarm.symptom, alarm.timeout_s, alarm.evaluation_periods, alarm.datapoints) == ("check", 2, 5, 4)


def test_a_drilled_playbook_acts(tmp_path: Path) -> None:
    """The question of a drill is what the responder would do if it might, whatever the file's mode is."""
    own = written(tmp_path, PLAYBOOK, "playbook.yaml")
    (scenario,) = load_scenarios([str(written(tmp_path, GOOD))], playbook=own)
    assert scenario.playbooks[0].mode is Mode.AUTO


def test_a_users_playbook_names_the_world(tmp_path: Path) -> None:
    """Region, cluster, service, alarms and the alarms of dependencies are the ones of the playbook."""
    own = written(tmp_path, PLAYBOOK, "playbook.yaml")
    (scenario,) = load_scenarios(["database-down"], playbook=own)
    assert (scenario.setting.region, scenario.setting.cluster) == ("us-east-1", "books")
    assert scenario.setting.services[0].name == "catalogue"
    assert scenario.setting.dependencies[0].alarm == "main-down"
    assert scenario.setting.services[0].alarms[0].threshold == 3


def test_what_a_users_playbook_stands_on_is_what_the_world_has(tmp_path: Path) -> None:
    """A database is the world's database whatever it is called, and what the world has none of is left out: of a table
    that is not there nothing could be read. Sticky sessions that the playbook needs are on until something happens."""
    depends = "dependencies: [{name: books-db, rds: books-db}, {name: carts, dynamodb: carts}]\nsticky_sessions: 1h\n"
    own = written(tmp_path, f"region: us-east-1\ncluster: books\nservice: catalogue\n{depends}", "playbook.yaml")
    (scenario,) = load_scenarios(["database-down"], playbook=own)
    (database,) = scenario.playbooks[0].dependencies
    assert (database.name, database.kind) == ("books-db", DependencyKind.RDS)
    assert isinstance(database, WatchedDatabase)
    assert database.rds == scenario.setting.dependencies[0].name == "orders-db"
    assert scenario.setting.services[0].stickiness_s == 3600


def test_what_a_users_playbook_overrides_is_not_in_the_world(tmp_path: Path) -> None:
    """Its target groups exist in its own account only."""
    group = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/books/73e2d6bc24d8a067"
    own = written(tmp_path, f"{PLAYBOOK}overrides: {{target_groups: ['{group}']}}\n", "playbook.yaml")
    (scenario,) = load_scenarios(["database-down"], playbook=own)
    assert scenario.playbooks[0].overrides.target_groups == ()


def test_a_playbook_without_alarms_is_drilled_in_every_scenario(tmp_path: Path) -> None:
    """It hears of ECS's own events only; what the scenarios say of alarms has no counterpart."""
    own = written(tmp_path, "region: us-east-1\ncluster: books\nservice: catalogue\n", "playbook.yaml")
    assert len(load_scenarios(playbook=own)) == len(shipped())


def test_each_variant_of_a_users_playbook_is_drilled(tmp_path: Path) -> None:
    """The same scenario once for each, told apart by name; a file without variants leaves the names alone."""
    variants = "region: us-east-1\ncluster: books\nvariants:\n  dev: {service: books-dev}\n  prod: {service: books}\n"
    own = written(tmp_path, variants, "books.yaml")
    found = load_scenarios(["database-down"], playbook=own)
    assert [scenario.name for scenario in found] == ["database-down@books-dev", "database-down@books-prod"]
    assert [scenario.playbooks[0].service for scenario in found] == ["books-dev", "books"]
    assert [service.name for scenario in found for service in scenario.setting.services] == ["books-dev", "books"]


def test_a_users_playbook_that_does_not_hold_is_told_as_everywhere(tmp_path: Path) -> None:
    """With its own file and line."""
    own = written(tmp_path, PLAYBOOK.replace("cluster: books", "cluster: 'b o'"), "playbook.yaml")
    with pytest.raises(PlaybookError, match=r"playbook\.yaml:2"):
        load_scenarios([str(written(tmp_path, GOOD))], playbook=own)


def test_a_mistake_is_told_with_file_and_line(tmp_path: Path) -> None:
    """And with what to write instead, where something is near."""
    told = problem(tmp_path, "base_rps:", "base_rsp:")
    assert told.startswith("/mine.yaml:13: ")
    assert "write base_rps" in told


def test_a_mistake_in_the_inline_playbook_has_its_line(tmp_path: Path) -> None:
    """It is validated as every playbook is."""
    assert problem(tmp_path, "error-rate", "error-rates").startswith("/mine.yaml:9: ")


def test_a_fault_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A misspelt fault must never be a fault that does not happen."""
    assert problem(tmp_path, "kind: bad-release", "kind: bad-relaese").startswith("/mine.yaml:15: ")


def test_people_are_needed_only_where_nothing_else_helps(tmp_path: Path) -> None:
    """A truth with both would count every answer as right."""
    assert "leave people or remedies out" in problem(tmp_path, "  remedies:", "  people: true\n  remedies:")


def test_an_unknown_scenario_gets_a_suggestion() -> None:
    """Names are long."""
    with pytest.raises(ScenarioError, match="write database-down"):
        load_scenarios(["database-dwn"])


def test_alarms_on_logs_and_percentiles_are_in_the_world(tmp_path: Path) -> None:
    """The world has them as the playbook asks for them; queries are for people, and nobody reads them there."""
    more = (
        "  - {symptom: response-time, statistic: p95}\n  - {log: unhandled, contains: [Unhandled, panic]}\n"
        "dependencies:\n"
    )
    asks = "log_queries: [{name: rate, query: stats count(*) by bin(1m)}]\n"
    own = written(tmp_path, PLAYBOOK.replace("dependencies:\n", more) + asks, "own.yaml")
    (scenario,) = load_scenarios([str(written(tmp_path, GOOD))], playbook=own)
    rate, p95, lines = scenario.setting.services[0].alarms
    assert (rate.statistic, p95.statistic) == (None, "p95")
    assert (lines.symptom, lines.contains, lines.threshold) == (None, ("Unhandled", "panic"), 10)
    assert lines.name in scenario.playbooks[0].alarm_names
    assert scenario.playbooks[0].log_queries == ()
