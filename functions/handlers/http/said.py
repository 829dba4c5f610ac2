"""What callers say: the parameters of paths and queries, and the bodies."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from functions.domain.severity import Severity
from functions.domain.trials import LONGEST_S, MOST_CONCURRENT

NAME = r"^[A-Za-z0-9_-]{1,255}$"
Cluster = Annotated[str, Path(pattern=NAME, description="Name of the ECS cluster.")]
Service = Annotated[str, Path(pattern=NAME, description="Name of the ECS service.")]
IncidentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,60}$", description="Id of an incident.")]
RunId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,60}$", description="Id of a trial under load.")]
PlanName = Annotated[str, Path(pattern=NAME, description="Name of a plan.")]

Which = Annotated[
    str | None,
    Query(
        alias="service",
        max_length=600,
        description="`cluster/service` or `service`; needed where there are several playbooks.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]


def _utc(moment: datetime) -> datetime:
    """Within the years that fit into every time zone."""
    if not 2000 <= moment.year <= 2200:
        raise ValueError("no such year here")
    return moment


At = Annotated[AwareDatetime, AfterValidator(_utc)]
Since = Annotated[At | None, Query(description="From then on: a time with its offset. Default: a day before.")]
Until = Annotated[At | None, Query(description="Until then: a time with its offset. Default: now.")]


class Level(StrEnum):
    """How grave, in the words of many runbooks or of this responder's scale."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    @property
    def severities(self) -> frozenset[Severity]:
        named = {
            Level.CRITICAL: {Severity.P0},
            Level.HIGH: {Severity.P1},
            Level.MEDIUM: {Severity.P2},
            Level.LOW: {Severity.P3, Severity.P4},
        }
        return frozenset(named.get(self) or {Severity(self.value)})


class _Body(BaseModel):
    """An unknown key is an error: a misspelt `dry_run` must not become an order."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Reason = Annotated[str, Field(max_length=500, description="Why; it stands in the trail. Default: by whom.")]
DryRun = Annotated[bool, Field(strict=True, description="Only say what would be done.")]
Count = Annotated[int, Field(ge=0, le=10_000, strict=True)]


class Rollback(_Body):
    snapshot_id: Annotated[
        str,
        Field(max_length=300, description="`latest`, the last known good release, or one of the snapshots."),
    ] = "latest"
    dry_run: DryRun = False
    reason: Reason = ""


class EmergencyScale(_Body):
    target_count: Count
    """How many tasks."""
    dry_run: DryRun = False
    reason: Reason = ""


class ExecutePlan(_Body):
    cluster_name: Annotated[str, Field(pattern=NAME)]
    service_name: Annotated[str, Field(pattern=NAME)]
    target_count: Count | None = None
    """Of the plan `emergency_scale`: how many tasks."""
    dry_run: DryRun = False
    reason: Reason = ""


class PerformanceTest(_Body):
    base_url: Annotated[str, Field(max_length=2048, description="Its host has to stand in a check of a playbook.")]
    concurrent_requests: Annotated[int, Field(ge=1, le=MOST_CONCURRENT, strict=True)] = 5
    duration_seconds: Annotated[int, Field(ge=1, le=LONGEST_S, strict=True)] = 30


class SaidOfPlan(_Body):
    reason: Reason = ""


class SaidOfEverything(_Body):
    reason: Reason = ""


class Nothing(_Body):
    """No body is needed."""


Status = Literal["open", "all"]
