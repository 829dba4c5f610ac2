"""Each way to respond does what its line in the table says, in whole runs of shipped scenarios."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from functions.domain.causes import Cause
from functions.domain.severity import Severity
from functions.playbooks.schema import Symptom
from tools.drill.measures import cause_named
from tools.drill.policies.knowing import PERSON_S
from tools.drill.policies.policy import Policy
from tools.drill.policies.reflexes import RUNBOOK, STABLE_S, Order
from tools.drill.policies.registry import POLICIES
from tools.drill.results import Mark
from tools.drill.runner import Run, first_alarm_s, play, quiet
from tools.drill.scenario import load_scenarios


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    with quiet():
        yield


def played(policy: str, scenario: str, seed: int = 1) -> Run:
    (loaded,) = load_scenarios([scenario])
    return play(loaded, POLICIES[policy], seed)


def operations(run: Run) -> list[str]:
    return [action.operation for action in run.actions]


def alarm_s(run: Run) -> float:
    found = first_alarm_s(run.stage)
    assert found is not None
    return found


def test_the_responder_hears_of_a_changed_secret_before_any_alarm() -> None:
    """It restarts what is locked out, minutes before those who wait for the alarm."""
    run = played("responder", "secret-changed")
    assert operations(run) == ["UpdateService"]
    assert run.actions[0].parameters["forceNewDeployment"] is True
    assert run.actions[0].at_s < alarm_s(run) < played("restart", "secret-changed").actions[0].at_s
    assert run.stage.paged_at == []


def test_an_update_is_no_page() -> None:
    """Who waits for a database hears of it as promised, which no measure counts as a page; machines hear both."""
    (loaded,) = load_scenarios(["database-down"])
    often = [each.model_copy(update={"updates": dict.fromkeys(Severity, 300)}) for each in loaded.playbooks]
    run = play(replace(loaded, playbooks=tuple(often)), POLICIES["responder"], 1)
    kinds = [page["MessageAttributes"]["kind"]["StringValue"] for _, page in run.stage.world.pages]
    assert kinds.count("page") == len(run.stage.paged_at)
    assert kinds.count("update") >= 3
    told = [entry["DetailType"] for entry in run.stage.world.announced]
    assert told.count("Incident Paged") == kinds.count("page")
    assert told.count("Incident Updated") == kinds.count("update")


def test_nobody_does_nothing() -> None:
    """It is what all others are measured against."""
    run = played("none", "release-fails-requests")
    assert (run.actions, run.stage.paged_at) == ((), [])


def test_native_is_a_world_with_every_feature_of_ecs_and_no_action() -> None:
    """Circuit breaker, rollback by alarm, target tracking."""
    run = played("native", "release-fails-requests")
    service = run.stage.scenario.setting.services[0]
    assert (service.rollout.circuit_breaker, service.rollout.rollback) == (True, True)
    assert set(service.rollout.alarms) == set(run.stage.scenario.playbooks[0].alarm_names)
    assert service.scaling is not None
    assert service.scaling.tracking is not None
    assert run.actions == ()


def test_restart_deploys_anew_on_every_alarm() -> None:
    """Whatever is wrong."""
    run = played("restart", "database-down")
    assert set(operations(run)) == {"UpdateService"}
    assert all(action.parameters["forceNewDeployment"] for action in run.actions)


def test_the_runbook_is_followed_in_its_order() -> None:
    """For stuck tasks behind an alarm on the error rate: the roll-back, and ten minutes later the page."""
    run = played("runbook", "stuck-tasks")
    assert RUNBOOK[Symptom.ERROR_RATE] == (Order.CHECK_DEPENDENCIES, Order.ROLL_BACK)
    assert operations(run) == ["UpdateService"]
    assert "taskDefinition" in run.actions[0].parameters


def test_the_runbook_looks_at_dependencies_first() -> None:
    """Where the error rate is the symptom and the database is down, people are told before anything is done."""
    run = played("runbook", "database-down")
    assert run.stage.paged_at
    assert not run.actions or run.stage.paged_at[0] < run.actions[0].at_s


LINES_ALONE = """\
title: Nothing but its log tells of a bad release
kind: outage
truth: {says: the newest release is bad, cause: schema-mismatch, remedies: [roll-back]}
playbook:
  alarms:
    - {log: unhandled, contains: Unhandled, threshold: 20}
  log_causes:
    - {contains: unhandled, cause: schema-mismatch}
world:
  services:
    - {name: orders, tasks: 4, traffic: {base_rps: 100}}
  faults:
    - {kind: bad-release, at_s: 1800, how: 5xx, failing_percent: 40}
"""


def test_the_runbook_leaves_lines_in_a_log_to_people(tmp_path: Path) -> None:
    """Runbooks say to read them, and nothing else."""
    file = tmp_path / "lines-alone.yaml"
    file.write_text(LINES_ALONE)
    run = played("runbook", str(file))
    assert run.stage.paged_at
    assert run.actions == ()


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        ("{kind: bad-release, at_s: 1800, how: 5xx, failing_percent: 40}", ["UpdateService"]),
        ("{kind: refused, at_s: 1800, how: schema-changed, failing_percent: 40}", []),
    ],
)
def test_the_responder_goes_by_lines_in_a_log_alone(fault: str, done: list[str], tmp_path: Path) -> None:
    """They name the cause in the playbook's words. What a release brought is rolled back; for the rest the alarm on the
    log, which is the only one, gets people."""
    file = tmp_path / "lines-alone.yaml"
    head, _, _ = LINES_ALONE.rpartition("    - {kind")
    file.write_text(f"{head}    - {fault}\n".replace("Unhandled", "[Unhandled, total_v2]"))
    run = played("responder", str(file))
    assert run.stage.trail is not None
    named = cause_named(run.stage.trail)
    assert named is not None
    assert named.cause is Cause.SCHEMA_MISMATCH
    assert operations(run) == done
    assert bool(run.stage.paged_at) is not bool(done)
    assert done or alarm_s(run) < run.stage.paged_at[0]


OWN = """\
region: us-east-1
cluster: books
service: catalogue
alarms:
  - {check: front-door, url: https://books.example.com/}
"""


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("policy", "did", "told"),
    [("responder", ["UpdateService"], False), ("restart", ["UpdateService"], False), ("runbook", [], True)],
)
def test_a_playbook_with_nothing_but_a_check(policy: str, did: list[str], told: bool, tmp_path: Path) -> None:
    """The responder rolls back what fails it, a restart is one on every alarm, and a runbook has no line for it."""
    own = tmp_path / "own.yaml"
    own.write_text(OWN)
    (loaded,) = load_scenarios(["release-fails-requests"], playbook=own)
    run = play(loaded, POLICIES[policy], 1)
    assert operations(run)[:1] == did
    assert bool(run.stage.paged_at) == told
    if policy == "responder":
        assert len(run.actions) == 1
        assert "taskDefinition" in run.actions[0].parameters


def test_the_runbook_halves_what_costs_too_much() -> None:
    """Autoscaling takes that back at once, so people hear of it."""
    run = played("runbook", "runaway-cost")
    assert RUNBOOK[Symptom.TASKS] == (Order.SCALE_IN,)
    assert operations(run) == ["UpdateService"]
    assert run.stage.paged_at


def test_a_line_of_the_runbook_is_given_ten_minutes() -> None:
    """The next comes only when the alarm is still in ALARM."""
    run = played("runbook", "one-bad-task")
    times = [action.at_s for action in run.actions]
    assert all(later - earlier >= STABLE_S for earlier, later in pairwise(times))


@pytest.mark.parametrize(("policy", "after_s"), [("oracle", 1.0), ("person", PERSON_S)])
def test_who_knows_the_truth_does_the_right_thing(policy: str, after_s: float) -> None:
    """The oracle at the first alarm, a person a quarter of an hour later."""
    run = played(policy, "release-fails-requests")
    assert operations(run) == ["UpdateService"]
    assert run.actions[0].at_s == pytest.approx(alarm_s(run) + after_s, abs=10)


def test_the_oracle_stops_the_one_bad_task() -> None:
    """And no other."""
    assert operations(played("oracle", "one-bad-task")) == ["StopTask"]


@pytest.mark.parametrize(
    ("scenario", "operation"),
    [
        ("traffic-spike-above-ceiling", "RegisterScalableTarget"),
        ("zone-loses-requests", "StartZonalShift"),
        ("secret-changed", "UpdateService"),
        ("deployment-stalls", "StopServiceDeployment"),
        ("release-lacks-permission", "UpdateService"),
        ("runaway-cost", "RegisterScalableTarget"),
        ("stickiness-lost", "ModifyTargetGroupAttributes"),
    ],
)
def test_the_oracle_has_an_action_for_each_remedy(scenario: str, operation: str) -> None:
    """One call, and users are served to the end of the run."""
    run = played("oracle", scenario)
    assert set(operations(run)) == {operation}
    assert run.stage.world.truth.served


def test_the_oracle_restarts_once_the_database_is_back() -> None:
    """A restart before would help nobody."""
    run = played("oracle", "database-comes-back")
    (back,) = (h.at_s for h in run.stage.world.diary if h.text == "orders-db is back")
    assert operations(run) == ["UpdateService"]
    assert back <= run.actions[0].at_s < back + 10


def test_a_person_hears_from_the_alarm_that_the_database_is_back() -> None:
    """Only the oracle knows what nobody has measured yet."""
    run = played("person", "database-comes-back")
    (fine,) = (h.at_s for h in run.stage.world.diary if h.text.startswith("orders-db-unreachable is OK"))
    begins = max(fine, run.stage.paged_at[0] + PERSON_S)
    assert operations(run) == ["UpdateService"]
    assert begins <= run.actions[0].at_s < begins + 10


def test_the_oracle_leaves_alone_what_only_people_can_end() -> None:
    """It pages, and touches nothing."""
    run = played("oracle", "database-down")
    assert run.actions == ()
    assert run.stage.paged_at


def test_the_oracle_sleeps_through_a_false_alarm() -> None:
    """Nothing is wrong, so nothing is done and nobody is told."""
    run = played("oracle", "false-alarm")
    assert (run.actions, run.stage.paged_at) == ((), [])


def test_a_person_is_woken_whatever_it_is() -> None:
    """That is what an alarm without a first responder does."""
    assert played("person", "false-alarm").stage.paged_at


def test_the_responder_runs_as_deployed() -> None:
    """Its trail becomes the notes of the run: what it saw, thought and did."""
    run = played("responder", "release-fails-requests")
    marks = {note.mark for note in run.stage.notes}
    assert {Mark.ALARM, Mark.THOUGHT} <= marks
    assert run.stage.deployment.failures == []
    assert run.stage.deployment.trail()


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_every_policy_says_what_it_does(policy: Policy) -> None:
    """In one line that fits a table."""
    assert 0 < len(policy.title) <= 100
