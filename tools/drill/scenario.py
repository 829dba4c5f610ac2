"""Scenarios: what happens to which world, and what the truth of it is. One YAML file each; `docs/drill.md` tells how.

A scenario's playbook names no region, cluster or service: it stands for every service of its world, and the alarms it
asks for are the alarms that the world has. In a drill every playbook is in mode `auto`, because that is the question.
"""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from functions.domain.approvals import Answer
from functions.domain.causes import Cause
from functions.domain.dependencies import DependencyKind
from functions.domain.errors import InputError
from functions.domain.incidents import Mode
from functions.domain.orders import Ordered
from functions.domain.watched import WatchedAlarm
from functions.playbooks.loading import load_playbooks, playbook_of
from functions.playbooks.schema import CheckAlarm, LogAlarm, NewAlarm, Playbook, Symptom
from functions.playbooks.tree import Place, Problems, Tree, read_tree
from tools.drill.world import setting
from tools.drill.world.setting import Part, Setting

SHIPPED = Path(__file__).parent / "scenarios"
"""The scenarios that come with the project."""

M = TypeVar("M", bound=BaseModel)

_NO_SCENARIO = "scenario; write at least title, kind, truth and world"
_DEFAULTS = {"region": "eu-central-1", "cluster": "shop"}


class ScenarioError(InputError):
    """A scenario that does not hold: the message has file, line and what to write instead."""


class Kind(StrEnum):
    """The runbook's kinds of drill."""

    OUTAGE = "outage"
    PERFORMANCE = "performance"
    DATABASE = "database"
    SECURITY = "security"


class Remedy(StrEnum):
    """An action that could be taken automatically and ends the trouble."""

    ROLL_BACK = "roll-back"
    RESTART = "restart"
    SCALE_OUT = "scale-out"
    REPLACE_TASK = "replace-task"
    RAISE_CEILING = "raise-ceiling"
    LOWER_CEILING = "lower-ceiling"
    SHIFT_ZONE = "shift-zone"
    RESTORE_STICKINESS = "restore-stickiness"
    RESTART_WHEN_BACK = "restart-when-back"
    """A restart, once what the service stands on is back."""


class Truth(Part):
    """What is really wrong. Only the oracle and the measures know it."""

    says: str
    """In a sentence."""
    cause: Cause
    remedies: tuple[Remedy, ...] = ()
    """Automatic actions that end it, in their order; none where it ends by itself or where people have to."""
    people: bool = False
    """Whether people have to be told, because no automatic action ends it."""

    @model_validator(mode="after")
    def _one_way_out(self) -> Self:
        if self.people and self.remedies:
            raise ValueError("people are needed only where no automatic action ends it: leave people or remedies out")
        return self


class Desk(Part):
    """What people at the desk do, for as long as the run lasts. Only chaos has a desk."""

    answer: Answer | None = None
    """To whatever the responder asks; None where nobody answers."""
    answer_after_s: Annotated[float, Field(ge=0)] = 120
    """How long after they were asked."""
    orders: Ordered | None = None
    """What they order, of every service, by themselves."""
    orders_at_s: Annotated[float, Field(ge=0)] = 1800


class Head(Part):
    """What a scenario says besides its world and its playbook."""

    title: str
    kind: Kind
    truth: Truth
    desk: Desk | None = None
    """With people at the desk the playbooks are in mode `ask`, and the contain stack is there."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario, ready to run: playbooks and world agree on every name."""

    name: str
    head: Head
    setting: Setting
    playbooks: tuple[Playbook, ...]

    @property
    def truth(self) -> Truth:
        return self.head.truth

    def of(self, setting: Setting) -> "Scenario":
        """The same in another world."""
        return replace(self, setting=setting)


def shipped() -> tuple[str, ...]:
    """Names of the scenarios that come with the project, in the order of their files."""
    return tuple(path.stem for path in sorted(SHIPPED.glob("*.yaml")))


def load_scenarios(wanted: Sequence[str] = (), *, playbook: Path | None = None) -> tuple[Scenario, ...]:
    """Scenarios by name or file, all that are shipped without any; with a playbook of the user's in place of theirs.

    Several playbooks, as a file with variants holds, are drilled in every scenario each; its name says which.

    Raises:
        ScenarioError: one line per mistake, over all files.
        PlaybookError: if the user's playbook does not hold.
    """
    owns: Sequence[Playbook | None] = [None] if playbook is None else load_playbooks([playbook])
    problems: list[str] = []
    found: list[Scenario] = []
    for path in _paths(wanted or shipped(), problems):
        try:
            tree = read_tree(path, what=_NO_SCENARIO)
            found += [_scenario(tree, own, several=len(owns) > 1) for own in owns]
        except Problems as wrong:
            problems += wrong.lines
    if problems:
        raise ScenarioError("\n".join(dict.fromkeys(problems)))
    return tuple(found)


def _paths(wanted: Iterable[str], problems: list[str]) -> list[Path]:
    paths = []
    known = shipped()
    for name in wanted:
        if name in known:
            paths.append(SHIPPED / f"{name}.yaml")
        elif Path(name).suffix in (".yaml", ".yml"):
            paths.append(Path(name))
        else:
            near = difflib.get_close_matches(name, known, n=1)
            problems.append(f"there is no scenario '{name}'; write {near[0] if near else 'a file that ends in .yaml'}")
    return paths


def _scenario(tree: Tree, own: Playbook | None, *, several: bool) -> Scenario:
    world = tree.below("world")
    raw = dict(world.data)
    written = tree.below("playbook") if "playbook" in tree.data else Tree(tree.path, {}, {})
    head = _validated(Head, tree, {k: v for k, v in tree.data.items() if k not in ("world", "playbook")})
    services = raw.get("services")
    if not isinstance(services, list) or not services or not all(isinstance(s, dict) for s in services):
        raise Problems(f"{world.at(('services',))}: services holds none; write each below a hyphen")
    names = [str(service.get("name", "orders")) for service in services]
    if own is None:
        raw = _DEFAULTS | raw
        mode = Mode.AUTO if head.desk is None else Mode.ASK
        playbooks = tuple(_inline(written, raw, name, mode) for name in names)
    else:
        names[0] = own.service
        raw |= {"region": own.region, "cluster": own.cluster}
        raw["dependencies"] = _guarded(raw.get("dependencies", []), own)
        if own.sticky_sessions is not None:
            services = [{"stickiness_s": own.sticky_sessions, **service} for service in services]
        # What the playbook overrides is read from the world's own services, and no person reads what its queries find.
        asked = {
            **own.model_dump(exclude={"dependencies"}),
            "dependencies": _counterparts(own, raw["dependencies"]),
            "mode": Mode.AUTO,
            "overrides": {},
            "log_queries": (),
        }
        playbooks = tuple(Playbook.model_validate({**asked, "service": name}) for name in names)
    raw["services"] = [
        _with_alarms({**service, "name": playbook.service}, playbook)
        for service, playbook in zip(services, playbooks, strict=True)
    ]
    raw["faults"] = _of_known_alarms(raw.get("faults", []), playbooks[0])
    return Scenario(
        name=f"{tree.path.stem}@{own.name}" if several and own is not None else tree.path.stem,
        head=head,
        setting=_validated(Setting, world, raw, above=("world",)),
        playbooks=playbooks,
    )


def _inline(written: Tree, world: Mapping[str, Any], service: str, mode: Mode) -> Playbook:
    names = {"region": world["region"], "cluster": world["cluster"], "service": service}
    for key in (*names, "mode"):
        if key in written.data:
            raise Problems(f"{written.at((key,))}: {key} comes from the drill; leave it out")
    data = {**names, "mode": mode.value, **written.data}
    return playbook_of(Tree(written.path, data, written.lines), name=service)


def _guarded(dependencies: object, own: Playbook) -> object:
    """The world's dependencies behind the alarms that the user's playbook knows, as many as it knows."""
    if not isinstance(dependencies, list):
        return dependencies
    alarms = [each.alarm for each in own.dependencies if isinstance(each, WatchedAlarm)]
    return [
        {**each, "alarm": alarms[place] if place < len(alarms) else None} if isinstance(each, dict) else each
        for place, each in enumerate(dependencies)
    ]


_OF_ANY_KIND = ("database", "table", "backend")
_STANDS_FOR: Mapping[DependencyKind, tuple[Sequence[str], str]] = {
    DependencyKind.ALARM: (_OF_ANY_KIND, "alarm"),
    DependencyKind.RDS: (("database",), "name"),
    DependencyKind.DYNAMODB: (("table",), "name"),
    DependencyKind.API: (("backend",), "name"),
    DependencyKind.LAMBDA: (("backend",), "name"),
}
"""Which dependencies of a world one of a playbook can stand for, and the field that says what it is called there."""


def _counterparts(own: Playbook, dependencies: object) -> list[dict[str, object]]:
    """The dependencies of the user's playbook, each under the name of the world's one that it stands for.

    What the world has none of is left out: nothing could be read of it."""
    theirs = [each for each in dependencies if isinstance(each, dict)] if isinstance(dependencies, list) else []
    names = {
        kind: [each[field] for each in theirs if each.get("kind", "database") in like and each.get(field)]
        for kind, (like, field) in _STANDS_FOR.items()
    }
    return [
        {**watched.model_dump(by_alias=True), watched.kind.value: names[watched.kind].pop(0)}
        for watched in own.dependencies
        if names.get(watched.kind)
    ]


def _with_alarms(service: dict[str, Any], playbook: Playbook) -> dict[str, Any]:
    """The service with the alarms that the deployment of its playbook makes, and its rollout naming them."""
    made = [
        {
            "name": playbook.alarm_name(alarm),
            "evaluation_periods": alarm.evaluation_periods,
            "datapoints": alarm.datapoints,
            **(_of_check(alarm) if isinstance(alarm, CheckAlarm) else _of_metric(alarm)),
        }
        for alarm in playbook.alarms
        if isinstance(alarm, NewAlarm | LogAlarm | CheckAlarm)
    ]
    own = service.get("alarms", [])
    completed = {**service, "alarms": [*own, *made] if isinstance(own, list) else own}
    rollout = service.get("rollout")
    if isinstance(rollout, dict) and isinstance(rollout.get("alarms"), list):
        named = [_by_symptom(name, playbook) for name in rollout["alarms"]]
        completed["rollout"] = {**rollout, "alarms": [name for name in named if name is not None]}
    return completed


def _of_metric(alarm: NewAlarm | LogAlarm) -> dict[str, Any]:
    return {
        **(
            {"contains": alarm.contains}
            if isinstance(alarm, LogAlarm)
            else {"symptom": alarm.symptom.value, "statistic": alarm.statistic}
        ),
        "threshold": alarm.threshold,
        "period_s": 60 * math.ceil((alarm.period or 60) / 60),
    }


def _of_check(alarm: CheckAlarm) -> dict[str, Any]:
    return {"symptom": "check", "threshold": 0, "timeout_s": alarm.timeout}


def _of_known_alarms(faults: object, playbook: Playbook) -> object:
    """The faults with alarms named as the playbook names them, without those whose alarm it does not have."""
    if not isinstance(faults, list):
        return faults
    named = []
    for fault in faults:
        if isinstance(fault, dict) and "alarm" in fault:
            alarm = _by_symptom(fault["alarm"], playbook)
            if alarm is not None:
                named.append({**fault, "alarm": alarm})
        else:
            named.append(fault)
    return named


def _by_symptom(name: object, playbook: Playbook) -> object:
    """A scenario may call an alarm by its symptom. None where the playbook has no such alarm."""
    if name not in set(Symptom):
        return name
    made = (alarm for alarm in playbook.alarms if isinstance(alarm, NewAlarm) and alarm.symptom == name)
    return next((playbook.alarm_name(alarm) for alarm in made), None)


def _validated(model: type[M], tree: Tree, data: Mapping[str, Any], above: Place = ()) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as invalid:
        lines = [
            f"{tree.at(tree.nearest(error['loc']))}: {_told(error, (*above, *tree.nearest(error['loc'])))}"
            for error in invalid.errors(include_url=False)
        ]
        raise Problems(*dict.fromkeys(lines)) from None


def _told(error: Any, place: Place) -> str:
    key = ".".join(map(str, place)) or "the scenario"
    match error["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(str(error["loc"][-1]), sorted(_keys()), n=1)
            return f"{key} is no key here; " + (f"write {near[0]}" if near else "leave it out")
        case "missing":
            return f"{error['loc'][-1]} is missing in {key}; write it"
        case "value_error":
            return f"{key}: {error['ctx']['error']}"
        case "float_type" | "float_parsing" | "tuple_type" | "too_short" | "too_long":
            return f"{key}: '{error['input']}' does not fit; write a number, or a range such as [1, 2]"
        case "enum" | "literal_error" | "union_tag_invalid":
            return f"{key}: '{error['input']}' is not allowed; {error['msg']}"
    return f"{key}: {error['msg']}"


def _keys() -> set[str]:
    parts: list[type[Part]] = [Head, Truth]
    parts += [part for part in vars(setting).values() if isinstance(part, type) and issubclass(part, Part)]
    return {name for part in parts for name in part.model_fields}
