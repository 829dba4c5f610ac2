"""What the source says of models and enumerations: the docstrings of their members, which Python does not keep."""

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator, Mapping
from enum import Enum, StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from tools.markdown import one_line


def body_of(documented: type) -> list[ast.stmt]:
    """The statements of a class, as they are written."""
    (found,) = (n.body for n in ast.parse(_source(documented)).body if isinstance(n, ast.ClassDef))
    return found


def docstring(node: ast.stmt) -> str | None:
    """What a string that stands by itself says, on one line."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return one_line(inspect.cleandoc(node.value.value))
    return None


def said_of_keys(model: type[BaseModel]) -> Mapping[str, str]:
    """By field: the docstring below it, empty where there is none; of the model's own keys and of inherited ones."""
    said: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if not issubclass(each, BaseModel) or each is BaseModel:
            continue
        for node, after in pairwise([*body_of(each), ast.Pass()]):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                said[node.target.id] = docstring(after) or ""
    return said


def said_of_members(names: type[Enum]) -> Mapping[str, str]:
    """By value: the docstring below a member, empty where there is none."""
    said: dict[str, str] = {}
    for node, after in pairwise([*body_of(names), ast.Pass()]):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            said[str(names[node.targets[0].id].value)] = docstring(after) or ""
    return said


def said_of(documented: type) -> str:
    """The first paragraph of the class's own docstring, on one line."""
    return one_line((documented.__doc__ or "").strip().split("\n\n")[0])


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation is made of, but for those in a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Annotated, Union, types.UnionType, tuple):
        for part in get_args(annotation):
            yield from models_in(part)


def choices_in(annotation: Any) -> Iterator[str]:
    """The words of which an annotation allows one."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        yield from annotation
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) in (Annotated, Union, types.UnionType, tuple):
        for part in get_args(annotation):
            yield from choices_in(part)


def _source(documented: type) -> str:
    return textwrap.dedent(inspect.getsource(documented))
