"""The base of every frozen model that travels between rooms or lies in the ledger."""

import hashlib
import json
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Model(BaseModel):
    """Immutable, compared by value, and tolerant of fields that a newer or older version of the responder wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset, for example 2026-03-01T03:12:00Z")
    return moment


Moment = Annotated[datetime, AfterValidator(_aware)]
"""A point in time that knows its offset; everything the responder makes itself is in UTC."""


def canonical_json(data: object) -> str:
    """One text for one value, whatever the order its keys were built in, so that it can be hashed and compared.

    Raises:
        TypeError: if the value is not plain JSON.
    """
    return _CANONICAL.encode(data)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(data: object) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(data).encode()).hexdigest()
