"""Whether a call is one that botocore would send, and an answer one that AWS could give: checked against botocore's
model of the operation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

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
"""How many calls and answers of one operation are checked whole; later ones only when they have fields that were not
seen yet."""


CHECKED_OF_A_LIST = 50
"""How many entries of one list: whatever makes thousands of them makes all of them alike."""


class WrongShape(Exception):
    """An answer that AWS would never give. Its message names the place."""


class Shapes:
    """Checks parameters and answers, each kind of them often enough and not more."""

    def __init__(self) -> None:
        self._validator = ParamValidator()
        self._parameters: dict[str, _Known] = {}
        self._answers: dict[str, _Known] = {}

    def check_parameters(self, model: Any, parameters: Mapping[str, Any]) -> None:
        """Compare the parameters of a call with the input shape of an operation, as botocore does.

        Raises:
            ParamValidationError: if they do not fit.
        """
        known = self._parameters.get(model.name)
        if known is None:
            known = self._parameters[model.name] = _Known()
        if known.familiar(parameters) or model.input_shape is None:
            return
        report = self._validator.validate(parameters, model.input_shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        known.seen.add(_looks(parameters))

    def check(self, model: Any, answer: dict[str, Any]) -> None:
        """Compare an answer with the output shape of an operation.

        Raises:
            WrongShape: if a field is unknown to the shape, or is of another type.
        """
        known = self._answers.get(model.name)
        if known is None:
            known = self._answers[model.name] = _Known()
        if known.familiar(answer):
            return
        if model.output_shape is None:
            if answer:
                raise WrongShape(f"{model.name} answers nothing")
            return
        compare(model.output_shape, answer, model.name)
        known.seen.add(_looks(answer))


class _Known:
    """How many calls or answers of one operation were checked, and what those looked like that were right."""

    __slots__ = ("checked", "seen")

    def __init__(self) -> None:
        self.checked = 0
        self.seen: set[tuple[Any, ...]] = set()

    def familiar(self, value: Mapping[str, Any]) -> bool:
        """Whether enough of them were checked, and one like this was right."""
        if self.checked >= CHECKED_WHOLE and _looks(value) in self.seen:
            return True
        self.checked += 1
        return False


def _looks(value: Mapping[str, Any]) -> tuple[Any, ...]:
    """The names and types of its fields, and the names of those of the first entry of each list."""
    parts = value.values()
    entries = [
        tuple(part[0]) if part and isinstance(part[0], dict) else None for part in parts if isinstance(part, list)
    ]
    return (*value, *map(type, parts), *entries)


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
        for part in value[:CHECKED_OF_A_LIST]:
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
