"""Whether an answer is what a synthetic check demands."""

import json
from typing import Any, NoReturn

import jmespath
from jmespath.exceptions import JMESPathError

from functions.domain.redaction import clean
from functions.domain.synthetic import CheckAnswer, FieldLimit, SyntheticCheck, shown

_LONGEST_VALUE = 60
"""Characters of a foreign text that a finding repeats. A longer one is left out, not cut: what is left of it could be a
part of a secret that nobody would recognise."""


def finding(check: SyntheticCheck, answer: CheckAnswer) -> str:
    """Why the check failed, in a sentence; empty only where everything that it demands was seen to be so."""
    if answer.status is None:
        return answer.error or "no answer"
    if answer.status != check.expected:
        return f"answered {answer.status} instead of {check.expected}"
    if check.websocket:
        return "" if answer.opened else f"answered {answer.status}, but opened no WebSocket as RFC 6455 wants it"
    if check.reads is None:
        return ""
    if answer.body is None:
        return answer.error or "answered without a body"
    return _of_field(check.reads, answer.body)


def _of_field(limit: FieldLimit, body: str) -> str:
    try:
        document = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return "answered something else than JSON"
    try:
        value = jmespath.search(limit.field, document)
    except (JMESPathError, ValueError, TypeError, ArithmeticError, RecursionError):
        return f"{limit.field} cannot be read from the answer"
    if value is None:
        return f"{limit.field} is not in the answer"
    if limit.other_than is not None:
        return (
            "" if _same(value, limit.other_than) else f"{limit.field} is {_told(value)}, not {_told(limit.other_than)}"
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{limit.field} is {_told(value)}, which is no number"
    if limit.above is not None and value > limit.above:
        return f"{limit.field} is {_told(value)}, above {shown(limit.above)}"
    if limit.below is not None and value < limit.below:
        return f"{limit.field} is {_told(value)}, below {shown(limit.below)}"
    return ""


def _same(value: object, wanted: object) -> bool:
    """In JSON's terms: `true` is not 1."""
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _told(value: Any) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str() if len(value) > _LONGEST_VALUE:
            return f"a text of {len(value)} characters"
    return clean(shown(value))


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
