"""Reads single fields of foreign JSON. What is not as expected is absent; the caller knows what it needs."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from functions.domain.redaction import clean

Object = Mapping[str, object]

_SURROGATE = re.compile("[\ud800-\udfff]")
_REGION = re.compile(r"[a-z]{2}(-[a-z]{1,20}){1,4}-[0-9]{1,2}")
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[^:]*):(?P<account>[^:]*):(?P<resource>.+)"
)
_ISO = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?(?P<offset>Z|[+-]\d\d:?\d\d)",
    re.ASCII | re.IGNORECASE,
)
_RFC_1123 = re.compile(r"[A-Za-z]{3}, .+")


def as_object(value: object) -> Object:
    """The JSON object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """The JSON array, or an empty one."""
    return value if isinstance(value, list | tuple) else ()


def as_text(value: object) -> str | None:
    """The text, or None when it is none or blank.

    A lone surrogate, which JSON can write but no UTF-8 can hold, becomes a replacement character.
    """
    if not isinstance(value, str) or not value.strip():
        return None
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)


def first(data: Object, *keys: str) -> object:
    """The value of the first of these keys that is there: the same field is spelt differently by different senders."""
    return next((data[key] for key in keys if key in data), None)


def kind_of(value: object) -> str:
    """What a JSON value is, in words for a person."""
    match value:
        case None:
            return "missing or null"
        case bool():
            return "true or false"
        case str():
            return "text" if value.strip() else "empty"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
        case _:
            return "a list"


def quoted(text: object) -> str:
    """Foreign text, harmless and short, for a sentence of ours."""
    return f"'{clean(str(text), limit=60)}'"


class Arn(NamedTuple):
    """An Amazon Resource Name, taken apart."""

    service: str
    region: str | None
    account: str | None
    resource: str


def read_arn(value: object) -> Arn | None:
    """Take an ARN apart; None when it is none."""
    text = as_text(value)
    found = None if text is None else _ARN.fullmatch(text)
    if found is None:
        return None
    return Arn(found["service"], read_region(found["region"]), found["account"] or None, found["resource"])


def read_region(value: object) -> str | None:
    """A Region's code. SNS messages carry a display name instead, such as "EU (Ireland)", which is none."""
    return value if isinstance(value, str) and _REGION.fullmatch(value) else None


def read_account(value: object) -> str | None:
    """The account as it is written, harmless and short, or None. What is no account stays: it is not ours either."""
    text = as_text(value)
    return None if text is None else clean(text, limit=20)


def read_time(value: object) -> datetime | None:
    """A moment in UTC, or None when it cannot be read.

    Senders write ISO 8601 with `+0000`, `+00:00` or `Z` and zero to nine decimals, seconds since 1970, or RFC 1123.
    A time without an offset is not read: nobody knows whose clock it is.
    """
    try:
        match value:
            case bool():
                return None
            case int() | float():
                return datetime.fromtimestamp(value, UTC)
            case str():
                return _read_written_time(value.strip())
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _read_written_time(text: str) -> datetime | None:
    if iso := _ISO.fullmatch(text):
        fraction = (iso["fraction"] or "0").ljust(6, "0")[:6]
        offset = "+0000" if iso["offset"] in "Zz" else iso["offset"].replace(":", "")
        written = f"{iso['seconds'].upper().replace(' ', 'T')}.{fraction}{offset}"
        return datetime.strptime(written, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    if _RFC_1123.fullmatch(text):
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None


def fingerprint(message: Object) -> str:
    """Hash of a message, the same at each of its deliveries."""
    return hashlib.sha256(json.dumps(message, sort_keys=True, default=str).encode()).hexdigest()
