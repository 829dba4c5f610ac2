"""Reads playbooks from YAML, at the desk and at synth. Every mistake is told with file, line and what to write."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from functions.domain.backups import Backups
from functions.domain.causes import Cause
from functions.domain.changes import ActionName, rung
from functions.domain.dependencies import DependencyKind
from functions.domain.errors import PlaybookError
from functions.domain.logged import TOLD_BY_LOGS, LogCause, LogQuery
from functions.domain.maintenance import Regular
from functions.domain.redaction import printable
from functions.domain.synthetic import FieldLimit, SecretHeader
from functions.domain.watched import WATCHED, HttpCheck, MetricLimit
from functions.domain.webhooks import Webhook
from functions.playbooks.schema import (
    Approving,
    BlockList,
    CheckAlarm,
    Contain,
    ExistingAlarm,
    Limits,
    LogAlarm,
    Mute,
    NewAlarm,
    Notify,
    Overrides,
    Playbook,
    Response,
    ScaleOut,
    Settle,
    Symptom,
)
from functions.playbooks.tree import Place, Problems, Tree, read_tree

_LONGEST_SHOWN = 80
"""Characters of a wrong value that an error repeats."""

_NO_PLAYBOOK = "playbook; write at least region, cluster and service, each as `key: value`"
_VARIANTS = "variants"
_VARIANT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")

_MODELS: Mapping[str, type[BaseModel]] = {
    "severities": Response,
    "maintenance": Regular,
    "limits": Limits,
    "scale_out": ScaleOut,
    "settle": Settle,
    "approval": Approving,
    "notify": Notify,
    "overrides": Overrides,
    "webhooks": Webhook,
    "backups": Backups,
    "mute": Mute,
    "contain": Contain,
    "log_causes": LogCause,
    "log_queries": LogQuery,
}

_RUNGS = [rung(action, "NAME" if action is ActionName.CALL_WEBHOOK else "") for action in ActionName]

_NESTED: Mapping[str, type[BaseModel]] = {"http": HttpCheck, "metric": MetricLimit}
_OF_CHECK: Mapping[str, type[BaseModel]] = {"json": FieldLimit, "header": SecretHeader}

_EXAMPLES: Mapping[str, str] = {
    "region": "a Region's code, such as us-east-1",
    "cluster": "the name of the ECS cluster",
    "service": "the name of the ECS service",
    "symptom": f"one of: {', '.join(Symptom)}",
    "alarm": "the name of an alarm",
    "rds": "a DB instance identifier, such as orders-db",
    "dynamodb": "the name of a table",
    "ecs": "CLUSTER/SERVICE",
    "lambda": "the name of a function",
    "api": "the name of a REST API or the id of an HTTP API, with /STAGE if you like",
    "bedrock": "a model id",
    "sagemaker": "ENDPOINT or ENDPOINT/VARIANT",
    "cognito": "POOL-ID or POOL-ID/CLIENT-ID",
    "url": "one such as https://example.com/health",
    "scope": "REGIONAL or CLOUDFRONT",
    "user_pool": "a user pool's id, such as eu-west-1_Ab12Cd34E",
    "token": "the name or the ARN of a secret in Secrets Manager",
    "check": "a name of small letters, digits and hyphens, such as pool-health",
    "field": "a JMESPath, such as pools.unhealthy",
    "secret": "the name or the ARN of a secret in Secrets Manager",
    "namespace": "one such as AWS/SQS",
    "metric": "the name of a metric",
    "statistic": "Average, Sum, Minimum, Maximum, SampleCount or one such as p99",
    "name": "a short name",
    "first_look": "a length of time, such as 90s",
    "deadline": "a length of time, such as 10m",
    "cooldown": "a length of time, such as 10m",
    "confidence": "0.6",
    "expires": "a length of time, such as 15m",
    "bake": "a length of time, such as 15m",
    "lease": "a length of time, such as 30m",
    "email": "addresses such as team@example.com",
    "https": "URLs such as https://example.com/hook",
    "target_groups": "ARNs of target groups",
    "load_balancer": "the ARN of a load balancer",
    "log": "a short name in small letters, digits and hyphens, such as throttling-errors",
    "contains": "words of the line, three letters at least, such as ThrottlingException",
    "query": "a query of Logs Insights",
    "cause": f"one of: {', '.join(TOLD_BY_LOGS)}",
    "log_group": "the name of a log group",
    "scalable_target": "service/<cluster>/<service>",
    "label": "what your people call it, such as CRITICAL",
    "respond": "a length of time, such as 15m",
    "every": "a weekday such as sunday, several in a list, or day",
    "from": "a time of day, such as 02:00",
    "to": "a time of day, such as 04:00",
    "zone": "UTC, or one such as Europe/Berlin",
}


def load_playbooks(paths: Iterable[Path], *, variant: str | None = None) -> tuple[Playbook, ...]:
    """Read playbook files; a directory stands for the `*.yaml` and `*.yml` files in it, not below it.

    With `variant`, a file that has variants gives that one, or nothing if it has no such one; without, it gives all.

    Raises:
        PlaybookError: one line per mistake, over all files.
    """
    problems: list[str] = []
    sources: list[_Source] = []
    names: set[str] = set()
    for path in _files(paths):
        try:
            document = read_tree(path, what=_NO_PLAYBOOK)
            variants = _variants(document)
        except Problems as found:
            problems += found.lines
            continue
        names |= variants.keys() - {""}
        for name, tree in variants.items():
            if variant is not None and name not in ("", variant):
                continue
            try:
                sources.append(_validated(tree, name))
            except Problems as found:
                problems += found.lines
    if variant is not None and names and variant not in names:
        problems.append(f"no playbook has a variant '{variant}'; write one of: {', '.join(sorted(names))}")
    problems += _clashes(sources)
    if problems:
        raise PlaybookError("\n".join(dict.fromkeys(map(printable, problems))))
    return tuple(source.playbook for source in sources)


@dataclass(frozen=True)
class _Source:
    playbook: Playbook
    tree: Tree


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(f for f in path.iterdir() if f.suffix in (".yaml", ".yml") and not f.name.startswith("."))
        else:
            files.append(path)
    return files


def _variants(document: Tree) -> dict[str, Tree]:
    """One tree per variant, its keys laid over the file's own; the file itself, under "", when it has no variants."""
    if _VARIANTS not in document.data:
        return {"": document}
    base = {key: value for key, value in document.data.items() if key != _VARIANTS}
    variants = document.data[_VARIANTS]
    where = document.at((_VARIANTS,))
    if not isinstance(variants, dict) or not variants:
        raise Problems(f"{where}: variants holds nothing; write e.g. `prod: {{cluster: shop}}`, or leave it out")
    trees: dict[str, Tree] = {}
    for name, keys in variants.items():
        place = (_VARIANTS, name)
        if _VARIANT_NAME.fullmatch(name) is None:
            raise Problems(f"{document.at(place)}: '{name}' is no variant's name; write small letters, digits, hyphens")
        if keys is not None and not isinstance(keys, dict):
            raise Problems(f"{document.at(place)}: variant '{name}' is no mapping; write the keys that differ below it")
        lines = {at: line for at, line in document.lines.items() if at[:1] != (_VARIANTS,)}
        data = _laid_over(base, keys or {}, (), lines)
        lines |= {at[2:]: line for at, line in document.lines.items() if at[:2] == place and len(at) > 2}
        trees[name] = Tree(document.path, data, lines)
    return trees


def _laid_over(base: dict[str, Any], over: dict[str, Any], place: Place, lines: dict[Place, int]) -> dict[str, Any]:
    """Mappings are merged key by key, everything else is replaced. The lines of what is replaced are forgotten."""
    merged = dict(base)
    for key, value in over.items():
        here = (*place, key)
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _laid_over(merged[key], value, here, lines)
            continue
        merged[key] = value
        for at in [at for at in lines if at[: len(here)] == here]:
            del lines[at]
    return merged


def _validated(tree: Tree, variant: str) -> _Source:
    name = tree.path.stem if variant == "" else f"{tree.path.stem}-{variant}"
    return _Source(playbook_of(tree, name=name), tree)


def playbook_of(tree: Tree, *, name: str) -> Playbook:
    """The one playbook that a mapping holds, under this name unless it has its own.

    Raises:
        Problems: one line per mistake.
    """
    try:
        return Playbook.model_validate({"name": name, **tree.data})
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
        suggested = {(e["loc"][:-1], _closest(e)) for e in errors if e["type"] == "extra_forbidden"}
        told = [
            (tree.at(tree.nearest(_written(error["loc"]))), _told(error))
            for error in errors
            if error["type"] != "default_factory_not_called"
            and not (error["type"] == "missing" and (error["loc"][:-1], str(error["loc"][-1])) in suggested)
        ]
        told.sort(key=lambda problem: int(problem[0].rpartition(":")[2]))
        raise Problems(*(f"{where}: {what}" for where, what in told)) from None


def _written(location: Place) -> Place:
    """An error's location without what stands in no file: the tag of an alarm's kind, and the mark of a wrong key."""
    match location:
        case ["alarms", int(index), "new" | "log" | "existing" | "check", *rest]:
            return ("alarms", index, *rest)
        case [("dependencies" | "checks") as key, int(index), str(kind), *rest] if kind in list(DependencyKind):
            return (key, index, *rest)
        case [*rest, "[key]"]:
            return tuple(rest)
    return location


def _told(error: Any) -> str:
    location: Place = tuple(part for part in _written(error["loc"]) if isinstance(part, str))
    key = ".".join(map(str, location)) or "the playbook"
    last = str(location[-1]) if location else ""
    given = error["input"]
    shown = _short(given)
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(error["loc"])
            closest = _closest(error)
            return f"{key} is no key of a playbook; write {closest or 'one of: ' + ', '.join(known)}"
        case "missing":
            return f"{key} is missing; write {_EXAMPLES.get(last, 'it')}"
        case "kind_of_watched":
            return f"{key}: {error['msg']}"
        case "enum" | "literal_error":
            return f"{key}: '{shown}' is not allowed; write {_choice(str(given), _choices(error))}"
        case "value_error":
            return (
                f"{key}: {str(error['ctx']['error']).replace(': write ', '; write ').replace(': leave ', '; leave ')}"
            )
        case "string_pattern_mismatch":
            return f"{key}: '{shown}' does not fit; write {_EXAMPLES.get(_owner(location), 'another text')}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            bound = error["msg"].removeprefix("Input should be ")
            return f"{key}: {shown} is out of bounds; write a number {bound}"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"{key}: {_shown(given)} is no whole number; write {_EXAMPLES.get(last, 'one such as 3')}"
        case "float_type" | "float_parsing" | "finite_number":
            return f"{key}: {_shown(given)} is no number; write one such as {_EXAMPLES.get(last, '5')}"
        case "string_type":
            return f"{key}: {_shown(given)} is no text; write {_EXAMPLES.get(_owner(location), 'text')}, in quotes"
        case "string_too_short" | "string_too_long":
            return f"{key}: '{shown}' is too short or too long; write {_EXAMPLES.get(_owner(location), 'another text')}"
        case "bool_type" | "bool_parsing":
            return f"{key}: {_shown(given)} is neither yes nor no; write true or false"
        case "tuple_type":
            return f"{key}: {_shown(given)} is no list; write each item on a line of its own, after a hyphen"
        case "model_type" | "model_attributes_type" | "mapping_type" | "dict_type":
            return f"{key}: {_shown(given)} has no keys; write `key: value` lines below it, or leave it out"
    return f"{key}: {_shown(given)} does not fit ({error['msg']}); write another value"


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return "a yes or no"
    return f"'{_short(value)}'"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _owner(location: Place) -> str:
    """The key that a value, or the list it stands in, belongs to."""
    return next((part for part in reversed(location) if isinstance(part, str)), "")


def _choices(error: Any) -> Sequence[str]:
    where = error["loc"]
    if "ladders" in where:
        return [str(c) for c in Cause] if where[-1] == "[key]" else _RUNGS
    if "log_causes" in where:
        return TOLD_BY_LOGS
    if "settle" in where:
        return [str(a) for a in ActionName if a is not ActionName.PAGE]
    return re.findall(r"'([^']+)'", str(error["ctx"]["expected"]))


def _choice(given: str, choices: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, choices, n=1)
    return near[0] if near else f"one of: {', '.join(choices)}"


def _known_keys(location: Place) -> list[str]:
    match location:
        case [_]:
            return [*Playbook.model_fields, _VARIANTS]
        case ["alarms", _, "existing", *_]:
            return list(ExistingAlarm.model_fields)
        case ["alarms", _, "check", str(key), _] if key in _OF_CHECK:
            return list(_OF_CHECK[key].model_fields)
        case ["alarms", _, "check", _]:
            return _keys_of(CheckAlarm)
        case [("dependencies" | "checks"), int(), str(kind), *rest] if kind in list(DependencyKind):
            model = WATCHED[DependencyKind(kind)] if len(rest) < 2 else _NESTED.get(str(rest[0]))
            return [] if model is None else _keys_of(model)
        case ["alarms", _, "log", *_]:
            return list(LogAlarm.model_fields)
        case ["alarms", *_]:
            return [*NewAlarm.model_fields, "log", "existing", "check"]
        case ["contain", "ip_set", _]:
            return list(BlockList.model_fields)
        case [str(key), *_] if key in _MODELS:
            return [field.alias or name for name, field in _MODELS[key].model_fields.items()]
    return []


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _closest(error: Any) -> str | None:
    near = difflib.get_close_matches(str(error["loc"][-1]), _known_keys(error["loc"]), n=1)
    return near[0] if near else None


def _clashes(sources: Sequence[_Source]) -> list[str]:
    """Two playbooks for one service, or one alarm in two playbooks: nobody could say whose it is."""
    problems: list[str] = []
    services: dict[str, _Source] = {}
    alarms: dict[tuple[str, str], _Source] = {}
    for source in sources:
        playbook, tree = source.playbook, source.tree
        other = services.setdefault(playbook.ref.key, source)
        if other is not source:
            problems.append(
                f"{tree.at(('service',))}: {playbook.ref} has a playbook already, {other.tree.at(('service',))}; "
                "write one playbook per service"
            )
            continue
        for index, name in enumerate(playbook.alarm_names):
            other = alarms.setdefault((playbook.region, name), source)
            if other is not source:
                problems.append(
                    f"{tree.at(('alarms', index))}: alarm '{name}' belongs to {other.playbook.ref} already; "
                    "write it in one playbook only"
                )
    return problems
