"""Every key that a model knows, as an operator writes it: what it is, what to write, what holds without it.

Everything is taken from the models: types and bounds from their annotations, descriptions from the docstrings below
their keys, examples from the complete playbook. A key that somebody adds is there with the next `make reference`.
"""

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from functions.domain.causes import Cause
from functions.domain.changes import ActionName
from tools.documented import choices_in, models_in, said_of, said_of_keys
from tools.markdown import code

COMPLETE = Path(__file__).resolve().parents[2] / "playbooks" / "examples" / "complete.yaml"
"""Where the examples are from: it has every key."""

NEEDED = "needed"

Way = tuple[str, ...]
"""The keys on the way to a key, as error messages name it; in capitals what the operator chooses."""

_EXPLAINED: Mapping[type, str] = {
    Cause: "[cause{}](../README.md#write-a-playbook)",
    ActionName: "[action{}](../README.md#write-a-playbook)",
}
"""Enumerations that are too long for a cell, and where they are explained."""


@dataclass(frozen=True)
class Key:
    """One key of a playbook."""

    way: Way
    says: str
    write: str
    default: str
    """As it is written in a playbook; `NEEDED`, or empty where there is none."""
    beside: tuple[str, ...] = ()
    """The keys of which one stands beside it, where it does not belong to every kind of thing in the list."""
    names_kind: bool = False
    """Whether it tells of which kind a thing in the list is."""


def keys_of(model: type[BaseModel], *, below: Way = ()) -> Iterator[Key]:
    """Every key of a model and of the models below it, in the order of the source."""
    said = said_of_keys(model)
    several: dict[object, Way] = {}
    for name, field in model.model_fields.items():
        way = (*below, field.alias or name)
        annotation, _ = _bare(field.annotation, field.metadata)
        is_mapping = get_origin(annotation) in _MAPPINGS
        parts = list(models_in(get_args(annotation)[1] if is_mapping else annotation))
        says = said.get(name, "") or (said_of(parts[0]) if len(parts) == 1 else "")
        as_before = several.setdefault(field.annotation, way) if len(parts) > 1 else way
        if as_before != way:
            yield Key(way, says, f"as {code('.'.join(as_before))}", "")
            continue
        default = _default(field, model)
        has_example = not parts and default in ("", NEEDED)
        yield Key(way, says, _written(field, way, has_example=has_example), default)
        if is_mapping and parts:
            each = _placeholder(get_args(annotation)[0])
            for key in keys_of(parts[0], below=(*way, each)):
                yield replace(key, default=f"by {each.lower()}" if key.default == NEEDED else key.default)
        elif len(parts) > 1:
            yield from _of_kinds(parts, way)
        elif parts:
            yield from keys_of(parts[0], below=way)


def _of_kinds(kinds: Sequence[type[BaseModel]], way: Way) -> Iterator[Key]:
    """The keys of kinds that stand in one list, told apart by a key that only one kind has.

    What every kind says in the same words is there once, and so is what some of them do, after the last of those.
    """
    told = [list(keys_of(kind, below=way)) for kind in kinds]
    shared = set.intersection(*map(set, told))
    markers = [next(key for key in keys if key.default == NEEDED and key not in shared) for keys in told]
    yield from (key for key in told[0] if key in shared and key.default == NEEDED)
    for place, (kind, keys, marker) in enumerate(zip(kinds, told, markers, strict=True)):
        yield replace(marker, says=f"{said_of(kind)} {marker.says}".strip(), default="", names_kind=True)
        for key in keys:
            if key is marker or key in shared or any(key in later for later in told[place + 1 :]):
                continue
            having = (each.way[-1] for each, all_of_it in zip(markers, told, strict=True) if key in all_of_it)
            yield replace(key, beside=tuple(having)) if len(key.way) == len(marker.way) else key
    yield from (key for key in told[0] if key in shared and key.default != NEEDED)


_MAPPINGS = (Mapping, dict)


def _bare(annotation: Any, metadata: Sequence[Any] = ()) -> tuple[Any, tuple[Any, ...]]:
    """A type without what is said about it, and that; `Field(...)` within a type is taken apart, too."""
    if get_origin(annotation) is not Annotated:
        return annotation, tuple(metadata)
    inner, *about = get_args(annotation)
    taken = [each for part in about for each in (part.metadata if isinstance(part, FieldInfo) else [part])]
    return _bare(inner, [*taken, *metadata])


def _written(field: FieldInfo, way: Way, *, has_example: bool) -> str:
    """What to write, and an example where no default and no list of choices shows one."""
    words = _words(field.annotation, field.metadata, percent=way[-1].endswith("_percent"))
    shown = _example(way) if has_example and not words.startswith("one of `") else ""
    return ", ".join(filter(None, (words, shown and f"such as {code(shown)}")))


def _words(annotation: Any, metadata: Sequence[Any], *, percent: bool = False, many: bool = False) -> str:
    """A type and its bounds in the words of operators; `many` in the plural."""
    annotation, about = _bare(annotation, metadata)
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType) and not any(models_in(annotation)):
        parts = (part for part in get_args(annotation) if part is not types.NoneType)
        return " or ".join(_words(part, about, percent=percent, many=many) for part in parts)
    if annotation in _EXPLAINED:
        return _EXPLAINED[annotation].format("s") if many else f"one {_EXPLAINED[annotation].format('')}"
    if origin is tuple:
        return "a list" if any(models_in(annotation)) else f"a list of {_words(get_args(annotation)[0], (), many=True)}"
    if origin in _MAPPINGS:
        key, value = get_args(annotation)
        if any(models_in(value)):
            return f"a line for each {_name(key)}, and keys below it"
        return "`name: value` lines" if _bare(key)[0] is str else f"for each {_name(key)}, {_words(value, ())}"
    if any(models_in(annotation)):
        return "keys below it"
    if choices := ", ".join(map(code, choices_in(annotation))):
        return f"{'any' if many else 'one'} of {choices}"
    if annotation is bool:
        return "`true` or `false`"
    if annotation is int and _is_length(about):
        return f"a length of time{_span(about, _length)}"
    if annotation in (int, float):
        whole = "percent" if percent else "a whole number" if annotation is int else "a number"
        return f"{whole}{_span(about, _plain)}"
    if annotation is str:
        return "texts" if many else "text"
    return ""


def _name(key: Any) -> str:
    bare: type = _bare(key)[0]
    return _EXPLAINED.get(bare, bare.__name__.lower()).format("")


def _placeholder(key: Any) -> str:
    """What stands in a way for whatever the operator chooses: `ACTION`, `CAUSE`."""
    bare: type = _bare(key)[0]
    return "NAME" if bare is str else bare.__name__.removesuffix("Name").upper()


def _is_length(about: Sequence[Any]) -> bool:
    """Only lengths of time are read from a text, such as `90s`, and held as a whole number."""
    return any(isinstance(each, BeforeValidator) for each in about)


def _length(seconds: float) -> str:
    """Seconds as a playbook has them: `90s`, `10m`, `1h`."""
    for unit, of in (("h", 3600), ("m", 60)):
        if seconds and seconds % of == 0:
            return f"{seconds / of:g}{unit}"
    return f"{seconds:g}s"


def _span(about: Sequence[Any], shown: Callable[[float], str]) -> str:
    """The bounds of a number; of several the narrowest holds."""
    bounds: dict[str, list[float]] = {"ge": [], "gt": [], "le": [], "lt": []}
    for each in about:
        for name, values in bounds.items():
            if getattr(each, name, None) is not None:
                values.append(getattr(each, name))
    if bounds["ge"] and bounds["le"]:
        return f", from {shown(max(bounds['ge']))} to {shown(min(bounds['le']))}"
    said = (
        bounds["ge"] and f", {shown(max(bounds['ge']))} or more",
        bounds["gt"] and f", above {shown(max(bounds['gt']))}",
        bounds["le"] and f", {shown(min(bounds['le']))} at most",
        bounds["lt"] and f", below {shown(min(bounds['lt']))}",
    )
    return "".join(each for each in said if each)


def _default(field: FieldInfo, model: type[BaseModel]) -> str:
    if field.is_required():
        return NEEDED
    if field.default_factory is not None:
        others = {name: each.default for name, each in model.model_fields.items() if not each.is_required()}
        try:
            value: Any = field.get_default(call_default_factory=True, validated_data=others)
        except KeyError as depends:
            return f"by {code(depends.args[0])}"
    else:
        value = field.default
    is_nothing = value is None or value == "" or (isinstance(value, tuple | list | Mapping) and not value)
    return "" if is_nothing or isinstance(value, BaseModel) else code(as_written(value, field))


def as_written(value: Any, field: FieldInfo) -> str:
    """A value of a field as a playbook has it."""
    annotation, about = _bare(field.annotation, field.metadata)
    is_length = isinstance(value, int) and annotation is not float and _is_length(about)
    return _length(value) if is_length else _plain(value)


def _plain(value: Any) -> str:
    """A value as YAML has it, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(each)}" for key, each in list(value.items())[:1])
    return f"[{', '.join(map(_plain, value))}]"


def _example(way: Way) -> str:
    """What the complete playbook has there, empty if nothing."""
    return next((_plain(value) for value in _found(_complete(), way)), "")


@cache
def _complete() -> Any:
    # The base loader leaves everything as it is written: a time of day is no number in base sixty.
    return yaml.load(COMPLETE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def _found(data: Any, way: Way) -> Iterator[Any]:
    if isinstance(data, list) and way:
        for item in data:
            yield from _found(item, way)
    elif not way:
        yield data
    elif isinstance(data, dict) and way[0].isupper():
        for value in data.values():
            yield from _found(value, way[1:])
    elif isinstance(data, dict) and way[0] in data:
        yield from _found(data[way[0]], way[1:])
