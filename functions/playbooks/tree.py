"""Reads YAML so that every mistake in it can be told with file and line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]
"""Where something stands in a file: the keys and list positions on the way to it."""

MOST_BYTES = 65_536
"""Of one file. The parser takes seconds for one that is much larger, and what people write by hand is a few KB."""


class Problems(Exception):
    """What is wrong in one file, a line each; whoever reads files for people makes one error of many of them."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines = lines


@dataclass(frozen=True)
class Tree:
    """The content of a file, and for each place in it the line where it is written."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[Place, int]

    def at(self, place: Place) -> str:
        """`file:line` of a place, or of what encloses it."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path}:{self.lines.get(place, 1)}"

    def nearest(self, location: Place) -> Place:
        """Where in the file a validation error is, as far as the file has it; what stands in no file is passed over."""
        data: Any = self.data
        place: list[str | int] = []
        for part in location:
            match data:
                case dict() if part in data:
                    data = data[part]
                    place.append(part)
                case list() if isinstance(part, int) and part < len(data):
                    data = data[part]
                    place.append(part)
        return tuple(place)

    def below(self, key: str) -> "Tree":
        """The mapping under a key, as a tree of its own.

        Raises:
            Problems: if there is no mapping.
        """
        data = self.data.get(key)
        if not isinstance(data, dict):
            raise Problems(f"{self.at((key,))}: {key} is no mapping; write `key: value` lines below it")
        lines = {place[1:]: line for place, line in self.lines.items() if place[:1] == (key,)}
        return Tree(self.path, data, lines)


def read_tree(path: Path, *, what: str) -> Tree:
    """Read a file that holds one mapping. `what` completes "is no …" where it does not.

    Raises:
        Problems: if it cannot be read, is larger than `MOST_BYTES`, is no YAML, holds no mapping, or says something
            twice.
    """
    try:
        with path.open("rb") as file:
            written = file.read(MOST_BYTES + 1)
        if len(written) > MOST_BYTES:
            raise Problems(f"{path}: is larger than {MOST_BYTES // 1024} KB; write several files")
        text = written.decode("utf-8")
    except OSError as failed:
        raise Problems(f"{path}: cannot be read ({failed.strerror})") from None
    except UnicodeDecodeError:
        raise Problems(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        builder = _Builder(path)
        data = None if root is None else builder.build(root, ())
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        line = 1 if mark is None else mark.line + 1
        raise Problems(f"{path}:{line}: is no YAML here ({broken.problem}); check indentation and quotes") from None
    except yaml.YAMLError as broken:
        raise Problems(f"{path}: is no YAML ({str(broken).splitlines()[0]}); write plain text") from None
    except RecursionError:
        raise Problems(f"{path}: is nested too deeply to be read; no playbook needs ten levels") from None
    if builder.problems:
        raise Problems(*builder.problems)
    if not isinstance(data, dict):
        raise Problems(f"{path}:1: is no {what}")
    return Tree(path, data, builder.lines)


@dataclass
class _Builder:
    """Makes plain data of YAML nodes and keeps their lines, which YAML's own constructor throws away."""

    path: Path
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def build(self, node: yaml.Node, place: Place) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(place, line)
        if id(node) in self._seen:
            self.problems.append(f"{self.path}:{line}: is used a second time through an alias; write it out")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*place, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            if key in data:
                self.problems.append(f"{self.path}:{line}: '{key}' stands there twice; write it once")
            self.lines[(*place, key)] = line
            data[key] = self.build(value_node, (*place, key))
        return data


def _scalar(node: yaml.Node) -> Any:
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (ValueError, AttributeError):
        return str(node.value)  # looks like a date or a number and is none, such as 2026-02-30
    if not isinstance(value, str) and ":" in str(node.value):
        return str(node.value)  # YAML 1.1 reads the time 22:00 as the number 1320
    # YAML reads `on`, `no` or a date where people mean text; the schema has no use for either, so text it is.
    return value if value is None or isinstance(value, str | int | float) else str(node.value)
