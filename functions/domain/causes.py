"""The causes the responder tells apart, and what it concludes about them."""

from enum import StrEnum

from functions.domain.model import Model


class Cause(StrEnum):
    """Why a service is unwell. Alarms show symptoms; a cause is what a playbook's ladder answers."""

    BAD_DEPLOYMENT = "bad-deployment"
    BAD_RELEASE = "bad-release"
    CRASH_LOOP = "crash-loop"
    OUT_OF_MEMORY = "out-of-memory"
    IMAGE_UNAVAILABLE = "image-unavailable"
    SECRET_MISSING = "secret-missing"
    HEALTH_CHECK_MISCONFIGURED = "health-check-misconfigured"
    OVERLOAD = "overload"
    SCALING_CEILING = "scaling-ceiling"
    STUCK_TASKS = "stuck-tasks"
    BAD_TASK = "bad-task"
    DEPENDENCY_FAILING = "dependency-failing"
    DEPENDENCY_SLOW = "dependency-slow"
    ZONE_IMPAIRED = "zone-impaired"
    NO_CAPACITY = "no-capacity"
    STICKINESS_LOST = "stickiness-lost"
    TABLE_THROTTLED = "table-throttled"
    RUNAWAY_COST = "runaway-cost"
    SUSPECTED_BREACH = "suspected-breach"
    NATIVE_ROLLBACK = "native-rollback"
    DEPLOYMENT_STALLED = "deployment-stalled"
    PERMISSION_DENIED = "permission-denied"
    AUTHENTICATION_FAILING = "authentication-failing"
    SCHEMA_MISMATCH = "schema-mismatch"
    SOMEONE_AT_WORK = "someone-at-work"
    FALSE_ALARM = "false-alarm"
    UNKNOWN = "unknown"


class Judgement(Model):
    """What the evidence says about one cause.

    `confidence` runs from 0 (ruled out) to 1 (certain). `missing` names required evidence that could not be read: such
    a cause is never acted upon, however likely it looks.
    """

    cause: Cause
    confidence: float
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    missing_support: tuple[str, ...] = ()
    """Supporting evidence that could not be read; it has already lowered the confidence."""
