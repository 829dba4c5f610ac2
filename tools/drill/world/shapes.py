"""Whether an answer is one that AWS could give: checked against botocore's model of the operation's output."""

from datetime import datetime
from typing import Any

_SCALARS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "double": (int, float),
    "float": (int, float),
    "timestamp": datetime,
}

CHECKED_WHOLE = 25
"""How many answers of one operation are checked whole; later ones only when they have fields that were not seen yet."""


class WrongShape(Exception):
    """An answer that AWS would never give. Its message names the place."""


class Shapes:
    """Checks answers, each kind of answer often enough and not more."""

    def __init__(self) -> None:
        self._checked: dict[str, int] = {}
        self._seen: set[tuple[str, Any]] = set()

    def check(self, model: Any, answer: dict[str, Any]) -> None:
        """Compare an answer with the output shape of an operation.

        Raises:
            WrongShape: if a field is unknown to the shape, or is of another type.
        """
        count = self._checked.get(model.name, 0)
        looks = (model.name, _looks(answer))
        if count >= CHECKED_WHOLE and looks in self._seen:
            return
        self._checked[model.name] = count + 1
        self._seen.add(looks)
        if model.output_shape is None:
            if answer:
                raise WrongShape(f"{model.name} answers nothing")
            return
        compare(model.output_shape, answer, model.name)


def _looks(answer: dict[str, Any]) -> tuple[Any, ...]:
    """The names of its fields, and of those of the newest entry of each list."""
    return tuple(
        (name, tuple(value[0]) if isinstance(value, list) and value and isinstance(value[0], dict) else None)
        for name, value in answer.items()
    )


def compare(shape: Any, value: Any, place: str) -> None:
    """Compare one value with its shape, all the way down.

    Raises:
        WrongShape: if it does not fit.
    """
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            raise WrongShape(f"{place} is no structure: {value!r}")
        for name, part in value.items():
            if name not in shape.members:
                raise WrongShape(f"{place} has no {name}")
            compare(shape.members[name], part, f"{place}.{name}")
    elif kind == "list":
        if not isinstance(value, list):
            raise WrongShape(f"{place} is no list: {value!r}")
        for part in value:
            compare(shape.member, part, f"{place}[]")
    elif kind == "map":
        for name, part in value.items():
            compare(shape.value, part, f"{place}.{name}")
    elif kind == "blob":
        if not (isinstance(value, bytes) or hasattr(value, "read")):
            raise WrongShape(f"{place} is no blob: {value!r}")
    elif not isinstance(value, _SCALARS[kind]) or (kind != "boolean" and isinstance(value, bool)):
        raise WrongShape(f"{place} is no {kind}: {value!r}")
    elif kind == "timestamp" and value.tzinfo is None:
        raise WrongShape(f"{place} has no zone: {value!r}")
    elif kind == "string" and shape.enum and value not in shape.enum:
        raise WrongShape(f"{place} is {value!r}, which is none of {', '.join(shape.enum)}")
