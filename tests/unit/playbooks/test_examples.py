"""The examples people copy: they hold, they are complete, and the defaults they show are the defaults."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from functions.domain.causes import Cause
from functions.domain.changes import ActionName
from functions.domain.dependencies import DependencyKind
from functions.domain.incidents import Mode
from functions.domain.logged import LogCause, LogQuery
from functions.domain.maintenance import Regular
from functions.domain.score import TargetLines
from functions.domain.synthetic import FieldLimit, SecretHeader
from functions.domain.watched import WATCHED, HttpCheck, MetricLimit, WatchedDatabase, WatchedUrl
from functions.playbooks.ladders import NOT_OURS, default_ladder
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import CheckAlarm, Limits, LogAlarm, NewAlarm, Playbook, Response, Symptom

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
COMPLETE = PLAYBOOKS / "examples" / "complete.yaml"
MINIMAL = PLAYBOOKS / "minimal.yaml"
RUNBOOKS = (
    "court-case-backend",
    "image-caption-generator",
    "incident-commander-backend",
    "pardon-simulator",
    "vibejudge-dashboard-dev",
    "vibejudge-dashboard-prod",
)


def test_every_example_holds() -> None:
    """All examples together are valid, and none of them acts without being told to."""
    loaded = {p.name: p for p in load_playbooks([PLAYBOOKS / "examples"])}

    assert {name: p.mode for name, p in loaded.items()} == {
        "orders": Mode.OBSERVE,
        "variants-dev": Mode.OBSERVE,
        "variants-prod": Mode.AUTO,
    }


def test_the_minimal_playbook_is_short_and_observes() -> None:
    """Where to begin: under twelve lines, alarms on what users feel, and nothing is changed."""
    (minimal,) = load_playbooks([MINIMAL])
    assert len(MINIMAL.read_text(encoding="utf-8").splitlines()) < 12
    assert minimal.mode is Mode.OBSERVE
    assert {Symptom.ERROR_RATE, Symptom.HEALTHY_HOSTS} <= {
        alarm.symptom for alarm in minimal.alarms if isinstance(alarm, NewAlarm)
    }


@pytest.mark.parametrize("cause", sorted(set(Cause) - NOT_OURS))
def test_every_cause_is_answered_without_a_word(cause: Cause) -> None:
    """A playbook without ladders is a good one: each cause has a ladder, and each ends with people."""
    (minimal,) = load_playbooks([MINIMAL])
    assert minimal.ladder(cause)[-1] is ActionName.PAGE


def test_the_playbooks_of_runbooks_hold() -> None:
    """All files of the directory together: one playbook a service, and each names its severities and its bounds."""
    loaded = {playbook.name: playbook for playbook in load_playbooks([PLAYBOOKS])}
    assert set(loaded) == {"minimal", *RUNBOOKS}
    for name in RUNBOOKS:
        playbook = loaded[name]
        assert playbook.mode is Mode.AUTO
        assert all(alarm.severity is not None for alarm in playbook.alarms)
        assert playbook.limits.max_tasks < Limits().max_tasks
        assert playbook.overrides.log_group is not None


def test_the_runbooks_targets() -> None:
    """The lines that one runbook draws, and the score above 80 that another asks for, stand in their playbooks."""
    loaded = {playbook.name: playbook for playbook in load_playbooks([PLAYBOOKS])}
    assert loaded["pardon-simulator"].targets == TargetLines(
        cpu_percent=70, memory_percent=80, p95_s=3, error_percent=1, database_cpu_percent=80
    )
    assert {name for name in RUNBOOKS if loaded[name].recovered.score is not None} == {"court-case-backend"}
    assert loaded["court-case-backend"].recovered.score == 81


def test_the_complete_example_has_every_key() -> None:
    """A key that the schema learns has to be shown to people too."""
    written = yaml.safe_load(COMPLETE.read_text(encoding="utf-8"))

    assert set(written) == set(Playbook.model_fields)
    checks = [alarm for alarm in written["alarms"] if "check" in alarm]
    shown = {key for alarm in written["alarms"] if "check" not in alarm for key in alarm}
    assert shown == {*NewAlarm.model_fields, *LogAlarm.model_fields, "existing"}
    assert {key for check in checks for key in check} == set(keys_of(CheckAlarm))
    assert set(checks[0]["header"]) == set(keys_of(SecretHeader))
    assert set(keys_of(FieldLimit)) <= set(re.findall(r"[a-z_]+", COMPLETE.read_text(encoding="utf-8")))
    assert {key for cause in written["log_causes"] for key in cause} == set(LogCause.model_fields)
    assert {key for query in written["log_queries"] for key in query} == set(LogQuery.model_fields)
    assert {key for window in written["maintenance"] for key in window} == {
        field.alias or name for name, field in Regular.model_fields.items()
    }
    assert all(set(said) == set(Response.model_fields) for said in written["severities"].values())
    for key in ("limits", "scale_out", "contain", "notify", "overrides"):
        model = type(getattr(load_playbooks([COMPLETE])[0], key))
        assert set(written[key]) == set(model.model_fields)


def test_the_complete_example_shows_every_kind_of_dependency() -> None:
    """Each kind once at least, with every key that it has; what it says is a default is one."""
    (shown,) = load_playbooks([COMPLETE])
    text = COMPLETE.read_text(encoding="utf-8")

    assert {each.kind for each in shown.dependencies} == set(DependencyKind)
    models: list[type[BaseModel]] = [*WATCHED.values(), HttpCheck, MetricLimit]
    keys = {name for model in models for name in keys_of(model)}
    assert {key for key in keys if f"{key}:" not in text} == {"below"}
    database = next(each for each in shown.dependencies if isinstance(each, WatchedDatabase))
    assert database.cpu_percent == WatchedDatabase(name="x", rds="x").cpu_percent
    page = next(each for each in shown.dependencies if isinstance(each, WatchedUrl)).http
    assert page == HttpCheck(url=page.url)


def keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def test_the_complete_example_shows_the_defaults() -> None:
    """What the example calls a default is what a playbook without that line gets."""
    (shown,) = load_playbooks([COMPLETE])
    plain = Playbook(region=shown.region, cluster=shown.cluster, service=shown.service)

    for key in ("mode", "severity", "severities", "limits", "scale_out", "zonal_shift", "settle", "confidence", "bake"):
        assert getattr(shown, key) == getattr(plain, key), key
    for cause in Cause:
        assert shown.ladder(cause) == default_ladder(cause)
    assert {cause for cause in Cause if len(default_ladder(cause)) > 1} == set(shown.ladders)
    assert not NOT_OURS & set(shown.ladders)
    for alarm in shown.alarms:
        if isinstance(alarm, NewAlarm):
            assert alarm.threshold == NewAlarm(symptom=alarm.symptom).threshold
        if isinstance(alarm, LogAlarm):
            assert alarm.threshold == LogAlarm(log="x", contains=("xyz",)).threshold
    check, plain_check = shown.synthetic_checks[0], CheckAlarm(check="x", url="https://shop.example.com/")
    assert (check.expected, check.timeout) == (plain_check.expected, plain_check.timeout)
    assert (check.evaluation_periods, check.datapoints) == (plain_check.evaluation_periods, plain_check.datapoints)


def test_the_complete_example_shows_every_symptom_but_the_plain_count() -> None:
    """Every symptom is shown, but the count of errors, which nobody wants beside their rate."""
    (shown,) = load_playbooks([COMPLETE])

    assert {a.symptom for a in shown.alarms if isinstance(a, NewAlarm)} == set(Symptom) - {Symptom.ERRORS}


def test_the_first_example_in_the_readme(tmp_path: Path) -> None:
    """The playbook people read first is one."""
    block = (PLAYBOOKS / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    file = tmp_path / "orders.yaml"
    file.write_text(block)

    (playbook,) = load_playbooks([file])
    assert len(playbook.alarms) == 2
