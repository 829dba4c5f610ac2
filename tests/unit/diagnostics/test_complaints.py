"""What error lines complain about: lines as databases, SDKs and runtimes write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.diagnostics.complaints import Complaint, complaint_in, complaint_of, complaints
from functions.domain.causes import Cause
from functions.domain.circumstances import LogPattern, LogsFacts
from functions.domain.logged import TOLD_BY_LOGS

LINES = {
    'ERROR: column "total_v2" of relation "orders" does not exist at character 13': Complaint.SCHEMA,
    "Unknown column 'orders.total' in 'field list'": Complaint.SCHEMA,
    "sqlite3.OperationalError: no such table: sessions": Complaint.SCHEMA,
    "psycopg2.errors.UndefinedColumn: column o.total does not exist": Complaint.SCHEMA,
    'FATAL: password authentication failed for user "orders"': Complaint.AUTHENTICATION,
    "Access denied for user 'orders'@'10.0.1.7' (using password: YES)": Complaint.AUTHENTICATION,
    "An error occurred (UnrecognizedClientException) when calling the Query operation": Complaint.AUTHENTICATION,
    "WRONGPASS invalid username-password pair or user is disabled.": Complaint.AUTHENTICATION,
    "AccessDeniedException: User: arn:aws:sts::1:assumed-role/x is not authorized to perform: dynamodb:PutItem": (
        Complaint.DENIED
    ),
    "ERROR: permission denied for table orders": Complaint.DENIED,
    "ProvisionedThroughputExceededException: The level of configured provisioned throughput": Complaint.THROTTLED,
    "botocore.errorfactory.ThrottlingException: Rate exceeded": Complaint.THROTTLED,
    "FATAL: sorry, too many clients already": Complaint.CONNECTIONS,
    "FATAL: remaining connection slots are reserved for non-replication superuser connections": Complaint.CONNECTIONS,
    "QueuePool limit reached, connection pool timed out": Complaint.CONNECTIONS,
    "Error: connect ECONNREFUSED 10.0.3.14:5432": Complaint.REFUSED,
    "could not connect to server: Connection refused": Complaint.REFUSED,
    "getaddrinfo ENOTFOUND orders-db.internal": Complaint.REFUSED,
    "java.lang.OutOfMemoryError: Java heap space": Complaint.MEMORY,
    "request queue is full, rejecting": Complaint.OVERLOADED,
    "requests.exceptions.ReadTimeout: Read timed out. (read timeout=5)": Complaint.SLOW,
    "context deadline exceeded": Complaint.SLOW,
    "Unhandled exception in handler: KeyError: 'total'": Complaint.OTHER,
    "": Complaint.OTHER,
}


@pytest.mark.parametrize(("line", "complaint"), LINES.items(), ids=[line[:40] for line in LINES])
def test_a_line_is_told_by_its_words(line: str, complaint: Complaint) -> None:
    """Whatever stands around them, and however they are written."""
    assert complaint_of(line) is complaint
    assert complaint_of(f"2026-03-01T03:12:00Z ERROR request=7f3a {line.upper()}") is complaint


@pytest.mark.thorough
@given(st.lists(st.tuples(st.sampled_from(list(LINES)), st.integers(1, 1000)), max_size=20))
def test_no_line_is_lost(said: list[tuple[str, int]]) -> None:
    """Every line counts once, for one complaint."""
    logs = LogsFacts(
        since=datetime(2026, 3, 1, 3, tzinfo=UTC),
        groups=("/ecs/orders",),
        patterns=tuple(LogPattern(pattern=line, count=count) for line, count in said),
    )
    assert sum(complaints(logs).values()) == logs.errors


def test_the_sample_tells_where_the_pattern_lost_the_word() -> None:
    """Patterns leave quoted text out, and with it sometimes what tells."""
    pattern = LogPattern(pattern="error <*>", sample="error 'Read timed out'", count=3)
    logs = LogsFacts(since=datetime(2026, 3, 1, 3, tzinfo=UTC), groups=("/ecs/orders",), patterns=(pattern,))
    assert complaints(logs) == {Complaint.SLOW: 3}


@pytest.mark.parametrize("cause", TOLD_BY_LOGS)
def test_the_playbooks_word_comes_before_everybodys(cause: Cause) -> None:
    """Lines of which the playbook says what they speak of complain of that, whatever else is in them."""
    patterns = tuple(LogPattern(pattern=line, count=3, sample=line, cause=cause) for line in LINES if line)
    logs = LogsFacts(since=datetime(2026, 3, 1, 3, tzinfo=UTC), groups=("/ecs/orders",), patterns=patterns)
    (complaint,) = complaints(logs)
    assert complaint is not Complaint.OTHER
    assert complaints(logs)[complaint] == logs.errors


def test_each_cause_that_logs_tell_is_a_complaint_of_its_own() -> None:
    """No two of them are the same to the ranking."""
    told = {complaint_in(LogPattern(pattern="x", count=1, cause=cause)) for cause in TOLD_BY_LOGS}
    assert len(told) == len(TOLD_BY_LOGS)
