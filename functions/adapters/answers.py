"""What AWS answers, or fails to, in the responder's own terms."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from functions.domain.errors import ChangeDoubtful, ChangeRefused, ReadFailed
from functions.domain.redaction import clean

Answer = Mapping[str, Any]
"""A parsed answer, or a part of one. AWS leaves out what has no value, so fields are asked for with `get`."""

_NEVER_SENT = (ParamValidationError, NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)

_TIMED_OUT = frozenset({"RequestTimeout", "RequestTimeoutException"})
"""Client errors by number that say no more than that the server gave up waiting."""


def code_of(error: ClientError) -> str:
    """The error code, for example `ConflictException`; empty where the answer has none."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Every failure becomes ReadFailed, with what was being read, or who was asked."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise ReadFailed(f"{what}: {clean(str(error))}") from error


@contextmanager
def changing(what: str) -> Iterator[None]:
    """A failure to change becomes ChangeRefused where it proves that nothing happened, else ChangeDoubtful."""
    try:
        yield
    except ClientError as error:
        said = clean(f"{code_of(error)}: {error.response.get('Error', {}).get('Message', '')}")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if isinstance(status, int) and 400 <= status < 500 and status != 408 and code_of(error) not in _TIMED_OUT:
            raise ChangeRefused(f"{what} was refused: {said}") from error
        raise ChangeDoubtful(f"{what} may have happened: {said}") from error
    except _NEVER_SENT as error:
        raise ChangeRefused(f"{what} was not sent: {clean(str(error))}") from error
    except BotoCoreError as error:
        raise ChangeDoubtful(f"{what} may have happened: {clean(str(error))}") from error


def moment(answer: Answer, *names: str) -> datetime | None:
    """The first of the named times that is there, in UTC."""
    for name in names:
        value = answer.get(name)
        if isinstance(value, datetime):
            return value.astimezone(UTC)
    return None


def required_moment(answer: Answer, *names: str, of: str) -> datetime:
    """As `moment`.

    Raises:
        ReadFailed: if none of them is there.
    """
    found = moment(answer, *names)
    if found is None:
        raise ReadFailed(f"{of} could not be read: AWS left out {' and '.join(names)}")
    return found


def request_id(answer: Answer) -> str:
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
