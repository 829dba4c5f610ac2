"""The examples people copy: they hold, they are complete, and the defaults they show are the defaults."""

import re
from pathlib import Path

import yaml
from pydantic import BaseModel

from functions.domain.causes import Cause
from functions.domain.dependencies import DependencyKind
from functions.domain.incidents import Mode
from functions.domain.watched import WATCHED, HttpCheck, MetricLimit, WatchedDatabase, WatchedUrl
from functions.playbooks.ladders import NOT_OURS, default_ladder
from functions.playbooks.loading import load_playbooks
from functions.playbooks.schema import NewAlarm, Playbook, Symptom

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
COMPLETE = PLAYBOOKS / "examples" / "complete.yaml"


def test_every_example_holds() -> None:
    """All examples together are valid, and none of them acts without being told to."""
    loaded = {p.name: p for p in load_playbooks([PLAYBOOKS / "examples"])}

    assert {name: p.mode for name, p in loaded.items()} == {
        "orders": Mode.OBSERVE,
        "variants-dev": Mode.OBSERVE,
        "variants-prod": Mode.AUTO,
    }


def test_nothing_is_deployed_that_nobody_wrote() -> None:
    """The directory that is deployed comes without a playbook."""
    assert load_playbooks([PLAYBOOKS]) == ()


def test_the_complete_example_has_every_key() -> None:
    """A key that the schema learns has to be shown to people too."""
    written = yaml.safe_load(COMPLETE.read_text(encoding="utf-8"))

    assert set(written) == set(Playbook.model_fields)
    assert {key for alarm in written["alarms"] for key in alarm} == {*NewAlarm.model_fields, "existing"}
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


def test_the_page_on_playbooks_names_every_kind() -> None:
    """The table people read has a row for each kind of dependency, and for no other."""
    page = (PLAYBOOKS / "README.md").read_text(encoding="utf-8")
    table = page.split("| kind | it is |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", table, re.M) == list(DependencyKind)


def keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def test_the_complete_example_shows_the_defaults() -> None:
    """What the example calls a default is what a playbook without that line gets."""
    (shown,) = load_playbooks([COMPLETE])
    plain = Playbook(region=shown.region, cluster=shown.cluster, service=shown.service)

    for key in ("mode", "severity", "limits", "scale_out", "zonal_shift", "settle", "confidence", "bake"):
        assert getattr(shown, key) == getattr(plain, key), key
    for cause in Cause:
        assert shown.ladder(cause) == default_ladder(cause)
    assert {cause for cause in Cause if len(default_ladder(cause)) > 1} == set(shown.ladders)
    assert not NOT_OURS & set(shown.ladders)
    for alarm in shown.alarms:
        if isinstance(alarm, NewAlarm):
            assert alarm.threshold == NewAlarm(symptom=alarm.symptom).threshold


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
