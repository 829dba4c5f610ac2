"""What error lines complain about, told from the words that databases, SDKs and language runtimes have for it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from functions.domain.causes import Cause
from functions.domain.circumstances import LogPattern, LogsFacts


class Complaint(StrEnum):
    """What kind of trouble an error line speaks of."""

    SCHEMA = "a schema that does not fit"
    AUTHENTICATION = "credentials that are refused"
    DENIED = "a permission that is missing"
    THROTTLED = "calls that are throttled"
    CONNECTIONS = "too few connections"
    REFUSED = "something that cannot be reached"
    MEMORY = "memory that ran out"
    OVERLOADED = "more work than fits"
    SLOW = "something that takes too long"
    OTHER = "something else"


# The first that fits counts, so the more particular ones come first. The words are those of PostgreSQL (Appendix A,
# "Error Codes"), MySQL ("Server Error Message Reference"), SQLite, AWS ("Common Errors" of the service references),
# libc's errno texts, and the HTTP clients and pools of the common runtimes.
_WORDS: Mapping[Complaint, re.Pattern[str]] = {
    complaint: re.compile("|".join(words), re.IGNORECASE)
    for complaint, words in {
        Complaint.SCHEMA: (
            r"(column|relation|table|type|function) \S.{0,80}does(n't| not) exist",
            r"unknown column",
            r"no such (column|table)",
            r"undefined ?(column|table)",
            r"has no column named",
            r"violates not-null constraint",
        ),
        Complaint.AUTHENTICATION: (
            r"(password|token|peer) authentication failed",
            r"access denied for user",
            r"authentication (failed|error|failure)",
            r"login failed",
            r"invalid (credentials|password|api key|token)",
            r"\b(ExpiredToken|InvalidClientTokenId|UnrecognizedClient|InvalidSignature|WRONGPASS|NOAUTH)",
            r"security token .{0,40}(expired|invalid)",
        ),
        Complaint.DENIED: (
            r"access ?denied",
            r"is not authorized to perform",
            r"\bUnauthorizedOperation\b",
            r"permission denied",
            r"\bAuthorizationError\b",
        ),
        Complaint.THROTTLED: (
            r"\bProvisionedThroughputExceeded",
            r"\bThrottl(ed|ing)",
            r"rate exceeded",
            r"\bRequestLimitExceeded\b",
            r"\bTooManyRequestsException\b",
            r"\bSlowDown\b",
        ),
        Complaint.CONNECTIONS: (
            r"too many (clients|connections)",
            r"remaining connection slots",
            r"max(imum)?[_ ]connections",
            r"connection pool .{0,40}(exhausted|timed? ?out|limit)",
            r"(timeout|timed out).{0,60}connection (from|from the|to become available in the) pool",
        ),
        Complaint.REFUSED: (
            r"\bECONN(REFUSED|RESET|ABORTED)\b",
            r"connection (was )?(refused|reset|closed|aborted)",
            r"could(n't| not) connect",
            r"(failed|unable) to connect",
            r"server closed the connection",
            r"no route to host",
            r"name or service not known|getaddrinfo|ENOTFOUND",
            r"\b(bad gateway|service unavailable)\b",
        ),
        Complaint.MEMORY: (
            r"out of memory",
            r"\bOutOfMemory",
            r"\bMemoryError\b",
            r"cannot allocate memory",
        ),
        Complaint.OVERLOADED: (
            r"queue (is )?full",
            r"too many (pending )?requests",
            r"server (is )?(too )?busy",
            r"overload",
            r"backlog",
        ),
        Complaint.SLOW: (
            r"timed? ?out",
            r"\btimeout",
            r"deadline exceeded",
            r"\bETIMEDOUT\b",
            r"slow (query|response|call)",
            r"took \S+ ?(ms|s|seconds)",
        ),
    }.items()
}


_OF_CAUSE: Mapping[Cause, Complaint] = {
    Cause.SCHEMA_MISMATCH: Complaint.SCHEMA,
    Cause.AUTHENTICATION_FAILING: Complaint.AUTHENTICATION,
    Cause.PERMISSION_DENIED: Complaint.DENIED,
    Cause.TABLE_THROTTLED: Complaint.THROTTLED,
    Cause.DEPENDENCY_FAILING: Complaint.REFUSED,
    Cause.DEPENDENCY_SLOW: Complaint.SLOW,
}
"""What lines complain about of which a playbook says what they speak of: every cause that logs can tell."""


@lru_cache(maxsize=256)
def complaint_of(line: str) -> Complaint:
    """What one error line, or the pattern of many, complains about. Rules ask it of the same few lines again."""
    return next((complaint for complaint, words in _WORDS.items() if words.search(line)), Complaint.OTHER)


def complaint_in(pattern: LogPattern) -> Complaint:
    """What the lines of one pattern complain about: by the playbook's words, else by those that everybody has."""
    if pattern.cause is not None:
        return _OF_CAUSE.get(pattern.cause, Complaint.OTHER)
    # The sample is a whole line, and the pattern may have lost the word that tells.
    complaint = complaint_of(pattern.pattern)
    return complaint_of(pattern.sample) if complaint is Complaint.OTHER else complaint


def complaints(logs: LogsFacts) -> Mapping[Complaint, int]:
    """How many error lines complain about what; what nothing complains about is left out."""
    counted: dict[Complaint, int] = {}
    for pattern in logs.patterns:
        complaint = complaint_in(pattern)
        counted[complaint] = counted.get(complaint, 0) + pattern.count
    return counted
