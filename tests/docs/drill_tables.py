"""What the drill's pages repeat from the code: constants with their sources, scenarios and their keys, policies."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tests.docs.pages import PROJECT, code
from tools.documented import body_of, choices_in, docstring, models_in, said_of_keys
from tools.drill.policies.reflexes import RUNBOOK
from tools.drill.policies.registry import POLICIES
from tools.drill.scenario import Head, load_scenarios
from tools.drill.world.constants import Constants
from tools.drill.world.setting import Setting
from tools.markdown import one_line

Row = tuple[str, ...]

CONSTANTS_HEADER = ("constant of the world", "value", "what it is, and where it comes from")
OTHERS_HEADER = ("elsewhere", "value", "what it is, and where it comes from")
KEYS_HEADER = ("where", "key", "default", "what it is")
SCENARIOS_HEADER = ("scenario", "kind", "what is wrong", "what ends it")
RUNBOOK_HEADER = ("alarm on", "first response")
POLICIES_HEADER = ("policy", "what it does")

_DRILL = PROJECT / "tools" / "drill"
_TOLD = ("engine.py", "deployment.py", "measures.py", "policies", "world")
"""Where numbers stand that change what a drill finds."""


def constants() -> list[Row]:
    """The fields of `Constants`; some share what is said of them."""
    rows: list[Row] = []
    names: list[str] = []
    for node in body_of(Constants)[1:]:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
        elif (said := docstring(node)) is not None and names:
            values = ", ".join(f"{getattr(Constants(), name):g}" for name in names)
            rows.append((", ".join(map(code, names)), values, said))
            names = []
    return rows


def others() -> list[Row]:
    """Numbers that stand in a module of their own right; some share what is said of them."""
    rows: list[Row] = []
    for path in _told_modules():
        names: list[str] = []
        values: list[str] = []
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and re.match(r"[\d.]", ast.unparse(node.value)):
                names += [code(target.id) for target in node.targets if isinstance(target, ast.Name)]
                values.append(f"{ast.literal_eval(node.value):g}")
                continue
            if names and (said := docstring(node)) is not None:
                rows.append((f"{', '.join(names)} in {code(path.relative_to(_DRILL))}", ", ".join(values), said))
            names, values = [], []
    return rows


def _told_modules() -> Iterator[Path]:
    for name in _TOLD:
        place = _DRILL / name
        yield from [place] if place.suffix else sorted(place.glob("*.py"))


def keys() -> list[Row]:
    """Everything a scenario may say, from the outside in; the keys below `world` are named from there."""
    return [*(row for row in _keys_of(Head, "") if row[1]), *_keys_of(Setting, "world")]


def _keys_of(model: type[BaseModel], where: str, *, known: Sequence[str] = ()) -> Iterator[Row]:
    """A row for the part itself, one for each key but the known ones, and then the parts below it."""
    said = said_of_keys(model)
    if where:
        yield code(where), "", "", one_line(inspect.getdoc(model) or "")
    below: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        if name in known or _is_tag(field.annotation):
            continue
        parts = list(models_in(field.annotation))
        default = "needed" if field.is_required() else _default(field.get_default(call_default_factory=True))
        choices = ", ".join(map(code, choices_in(field.annotation)))
        told = " ".join(filter(None, (said.get(name), f"One of {choices}." if choices else "")))
        yield code(where) if where else "", code(name), "" if parts and default != "needed" else default, told
        path = name if where in ("", "world") else f"{where}.{name}"
        below += [(f"{path}{_tag(part)}", part) for part in parts]
    for place, (path, part) in enumerate(below):
        shared = _COMMON.get(path.partition(" ")[0], ()) if place and " " in below[place - 1][0] else ()
        yield from _keys_of(part, path, known=shared)


_COMMON: Mapping[str, Sequence[str]] = {"faults": ("at_s", "service")}
"""Keys that all variants of a part have; they stand with the first of them."""


def _is_tag(annotation: Any) -> bool:
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


def _tag(model: type[BaseModel]) -> str:
    for name, field in model.model_fields.items():
        if _is_tag(field.annotation):
            return f" {name}: {get_args(field.annotation)[0]}"
    return ""


def _default(value: object) -> str:
    if value is None or value is PydanticUndefined or value == ():
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(f"{value:g}" if isinstance(value, int | float) else value)


def scenarios() -> list[Row]:
    """The shipped ones, with their truth."""
    rows: list[Row] = []
    for scenario in load_scenarios():
        truth = scenario.truth
        ends = "people" if truth.people else ", then ".join(truth.remedies) or "itself"
        rows.append((code(scenario.name), scenario.head.kind, one_line(truth.says), ends))
    return rows


def policies() -> list[Row]:
    """The ways to respond, in the order of the table of results."""
    return [(code(policy.name), policy.title) for policy in POLICIES.values()]


def runbook() -> list[Row]:
    """What the policy `runbook` does at which alarm."""
    return [(code(symptom), ", then ".join(orders)) for symptom, orders in RUNBOOK.items()]
