"""What a playbook looks for in the logs of its service: words of a line, and what lines with them are good for."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from functions.domain.causes import Cause
from functions.domain.watched import Name

ERROR_WORDS = (
    *("ERROR", "Error", "error", "FATAL", "fatal", "CRITICAL", "Exception", "exception", "Traceback", "panic"),
    *("failed", "denied", "refused", "timeout", "timed out", "unavailable", "exceeded", "throttl", "out of memory"),
)
"""What a line that speaks of an error has in it: a pattern of CloudWatch Logs heeds upper and lower case."""

TOLD_BY_LOGS = (
    Cause.SCHEMA_MISMATCH,
    Cause.AUTHENTICATION_FAILING,
    Cause.PERMISSION_DENIED,
    Cause.TABLE_THROTTLED,
    Cause.DEPENDENCY_FAILING,
    Cause.DEPENDENCY_SLOW,
)
"""Causes that error lines alone can tell. A playbook may say by which of its own words."""


def _listed(written: Any) -> Any:
    return written if isinstance(written, list | tuple) else (written,)


def _some(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        raise ValueError("there is no word in it: write at least one")
    return words


def _telling(word: str) -> str:
    if len(word) < 3:
        raise ValueError(f"'{word}' is in too many lines: write three letters or more")
    return word


Words = Annotated[
    tuple[Annotated[Name, AfterValidator(_telling)], ...], BeforeValidator(_listed), AfterValidator(_some)
]
"""Words of which a line has one at least; a single one may stand without a list."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class LogQuery(_Strict):
    """One question to CloudWatch Logs Insights, whose answer people see beside the evidence."""

    name: Name
    """What people call it, in the page and in `responder show`."""
    contains: Words | None = None
    """Lines with any of these words, in upper or lower case."""
    query: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None
    """The same in the language of Logs Insights; 10,000 characters at most (API reference, StartQuery)."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.contains is None) == (self.query is None):
            raise ValueError("a query is made of words or is written out: write either contains or query")
        return self


def _told_by_logs(cause: Cause) -> Cause:
    if cause not in TOLD_BY_LOGS:
        raise ValueError(f"log lines alone cannot tell {cause}: write one of: {', '.join(TOLD_BY_LOGS)}")
    return cause


class LogCause(_Strict):
    """Error lines that speak of a cause in words of the service's own."""

    contains: Words
    """Any of these words, in upper or lower case."""
    cause: Annotated[Cause, AfterValidator(_told_by_logs)]
    """What they speak of, one of the causes that lines alone can tell: `schema-mismatch`, `authentication-failing`,
    `permission-denied`, `table-throttled`, `dependency-failing`, `dependency-slow`."""


def cause_in(line: str, causes: Sequence[LogCause]) -> Cause | None:
    """What a line speaks of by the words of the playbook: the first that fits."""
    said = line.lower()
    return next((each.cause for each in causes if any(word.lower() in said for word in each.contains)), None)


LONGEST_FILTER = 1024
"""Characters of a filter pattern (CloudWatch Logs API reference, PutMetricFilter)."""


def filter_pattern(words: Sequence[str]) -> str:
    """The filter pattern of CloudWatch Logs for lines with any of these words, in this very case.

    In quotes a term means itself, whatever is in it, and a question mark before each makes several of them alternatives
    (CloudWatch Logs User Guide, "Filter pattern syntax"). Quotes and backslashes are escaped as the AWS CDK does it
    (`aws-logs`, FilterPattern).
    """
    sign = "?" if len(words) > 1 else ""
    return " ".join(f'{sign}"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)


def expression(words: Iterable[str]) -> str:
    """A regular expression for lines with any of these words, which can stand between slashes.

    Whatever could mean something else, there or in the expression, is written as its code.
    """
    return "|".join("".join(map(_plainly, word)) for word in words)


def _plainly(letter: str) -> str:
    return letter if letter.isalnum() or not letter.isascii() or letter in " _" else f"\\x{ord(letter):02x}"
