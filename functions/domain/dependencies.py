"""What a service stands on, and how that is doing."""

from collections.abc import Mapping
from enum import StrEnum

from functions.domain.model import Model, Moment


class DependencyKind(StrEnum):
    """The kinds of dependency a playbook can name; each is a key of `dependencies` there."""

    ALARM = "alarm"
    """Whatever an alarm speaks for."""
    RDS = "rds"
    DYNAMODB = "dynamodb"
    ECS = "ecs"
    LAMBDA = "lambda"
    API = "api"
    """A stage of an API Gateway API."""
    BEDROCK = "bedrock"
    SAGEMAKER = "sagemaker"
    COGNITO = "cognito"
    HTTP = "http"
    METRIC = "metric"
    """Any metric with a limit."""


class DependencyState(StrEnum):
    OK = "ok"
    FAILING = "failing"
    SLOW = "slow"
    """It answers, but far too late."""
    THROTTLED = "throttled"
    """It refuses a part of the calls because they are too many."""
    UNKNOWN = "unknown"

    @property
    def trouble(self) -> bool:
        return self in (DependencyState.FAILING, DependencyState.SLOW, DependencyState.THROTTLED)


class DependencyFacts(Model):
    """One dependency as it is now."""

    name: str
    kind: DependencyKind = DependencyKind.ALARM
    state: DependencyState
    detail: str = ""
    """Why, with the numbers; one line."""
    figures: Mapping[str, float] = {}
    """What was measured, by name with its unit, for example `cpu percent`."""
    back_since: Moment | None = None
    """When it came back, where it is OK now and was not within the hour before."""
    top_queries: tuple[str, ...] = ()
    """RDS with Performance Insights: the statements that load it most, without their literals."""
    security_groups: tuple[str, ...] = ()
    """RDS: ids of those that stand before it."""
    port: int | None = None
    """RDS: where it listens."""


class DependenciesFacts(Model):
    """What the playbook says the service stands on. Empty `dependencies` means that the playbook names none."""

    dependencies: tuple[DependencyFacts, ...]

    def in_state(self, state: DependencyState) -> tuple[DependencyFacts, ...]:
        return tuple(d for d in self.dependencies if d.state is state)

    @property
    def failing(self) -> tuple[DependencyFacts, ...]:
        return self.in_state(DependencyState.FAILING)

    @property
    def troubled(self) -> tuple[DependencyFacts, ...]:
        """Everything that is not as it should be: adding load or restarting would make it worse."""
        return tuple(d for d in self.dependencies if d.state.trouble)

    @property
    def all_ok(self) -> bool:
        """At least one dependency is named and every one is known to be fine."""
        return bool(self.dependencies) and all(d.state is DependencyState.OK for d in self.dependencies)


class DatabaseFacts(Model):
    """One DB instance (RDS API reference, DBInstance)."""

    status: str
    """DBInstanceStatus, for example `available`."""
    top_queries: tuple[str, ...] = ()
    """The statements that load it most, without their literals; empty without Performance Insights."""
    security_groups: tuple[str, ...] = ()
    """Ids of its security groups in the VPC that are active."""
    port: int | None = None


class HttpAnswer(Model):
    """What came back on one request."""

    status: int | None
    """None when there was no answer in time, or no connection."""
    seconds: float
    """Until the status line was there, or until it was given up."""
    error: str = ""


class QueryFacts(Model):
    """One statement, without its literals."""

    statement: str
    sessions: float
    """How many sessions were busy with it on average."""


class QueriesFacts(Model):
    """What loaded a DB instance most over a time, as Performance Insights has it."""

    insights: bool
    """Whether it is switched on; without it nothing is known."""
    queries: tuple[QueryFacts, ...] = ()
    """Those that took most."""
