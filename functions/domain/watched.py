"""What a playbook names besides the service itself, to be looked at: a dependency, or a check of a new release.

Each kind is a model of its own, told apart by the one key that only it has. An unknown key is an error. What the
docstrings of kinds and keys say is what operators read of them in docs/playbooks.md.
"""

from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from functions.domain.dependencies import DependencyKind
from functions.domain.durations import Seconds
from functions.domain.services import ServiceRef, is_ecs_name

_LONGEST_PERIOD_S = 3600


def _one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("write it on one line, without blanks around it")
    return text


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_one_line)]
"""A name on one line, as long as CloudWatch takes one."""

Percent = Annotated[float, Field(gt=0, le=100, strict=True)]


def _service(text: str) -> str:
    parts = text.split("/")
    if len(parts) > 2 or not all(is_ecs_name(part) for part in parts):
        raise ValueError("no service of ECS has such a name: write CLUSTER/SERVICE, or SERVICE of the same cluster")
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not text.isascii() or any(letter.isspace() for letter in text):
        raise ValueError("no URL that can be asked: write one such as https://example.com/health, without a password")
    return text


def _period(period: int) -> int:
    if period % 60 != 0 or not 60 <= period <= _LONGEST_PERIOD_S:
        raise ValueError("not looked at in such periods: write a multiple of 60 up to 3600, in seconds")
    return period


class _Strict(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, defer_build=True
    )


class _Watched(_Strict):
    name: Name
    """What people call it."""


class WatchedAlarm(_Watched):
    """Whatever an alarm speaks for: in trouble while the alarm is in ALARM or the alarm's own metric breaches."""

    alarm: Name
    """Name of an alarm in the same Region."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.ALARM


class WatchedDatabase(_Watched):
    """An RDS or Aurora DB instance: in trouble when its status says that it does not answer, its storage is used up,
    its connections are taken, its CPU is at `cpu_percent`, it lags, or reads or writes take far longer than usual."""

    rds: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$")]
    """Its DB instance identifier (RDS API reference, CreateDBInstance)."""
    connections: int | None = Field(default=None, ge=1, strict=True)
    """How many connections it takes: from there on it refuses them. Without it, connections are only shown."""
    cpu_percent: Percent = 95.0
    """CPU from which on it counts as slow."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.RDS


class WatchedTable(_Watched):
    """A DynamoDB table: in trouble while reads or writes are throttled."""

    dynamodb: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]
    """Its name."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.DYNAMODB


class WatchedService(_Watched):
    """Another ECS service of the same account and Region: in trouble while none of its tasks runs."""

    ecs: Annotated[str, AfterValidator(_service)]
    """`CLUSTER/SERVICE`, or `SERVICE` in the playbook's own cluster."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.ECS

    def ref(self, of: ServiceRef) -> ServiceRef:
        """The service it means, seen from the service that depends on it."""
        cluster, _, service = self.ecs.rpartition("/")
        return ServiceRef(region=of.region, cluster=cluster or of.cluster, service=service)


class _Rated(_Watched):
    errors_percent: Percent = 5.0
    """Share of failed calls from which on it counts as failing."""


class WatchedFunction(_Rated):
    """A Lambda function: in trouble when calls fail, are throttled, or take far longer than usual."""

    function: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", alias="lambda")]
    """Its name."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.LAMBDA


class WatchedApi(_Rated):
    """A REST or HTTP API of API Gateway, in whole or one stage of it: in trouble when requests fail, or take far longer
    than usual."""

    api: Name
    """`API` or `API/STAGE`: CloudWatch knows a REST API by its name, and an HTTP API by its id."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.API


class WatchedModel(_Rated):
    """A model that Bedrock serves: in trouble when calls fail, are throttled, or take far longer than usual."""

    bedrock: Name
    """The model id or inference profile that the service calls, as CloudWatch has it under `ModelId`."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.BEDROCK


class WatchedEndpoint(_Rated):
    """A SageMaker endpoint, one variant of it: in trouble when calls fail, or take far longer than usual."""

    sagemaker: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,63}(/[A-Za-z0-9-]{1,63})?$")]
    """`ENDPOINT` or `ENDPOINT/VARIANT`; without a variant, AllTraffic, as the console names the only one."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.SAGEMAKER


class WatchedUserPool(_Watched):
    """A Cognito user pool: in trouble when sign-ins fail, or are throttled."""

    cognito: Annotated[str, Field(pattern=r"^[a-z0-9-]+_[A-Za-z0-9]+(/[A-Za-z0-9_+]{1,128})?$")]
    """`POOL-ID` or `POOL-ID/CLIENT-ID`."""
    errors_percent: Percent = 50.0
    """Share of sign-ins that fail from which on it counts as failing; people who mistype their password are among
    them."""

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.COGNITO


class HttpCheck(_Strict):
    """One GET request, without following redirects; what comes after the status line is not read."""

    url: Annotated[str, Field(max_length=2048), AfterValidator(_url)]
    """What is asked, with http or https, without a password in it."""
    status: int = Field(default=200, ge=100, le=599, strict=True)
    """The answer that counts as fine."""
    timeout: Annotated[Seconds, Field(ge=1, le=10)] = 3
    """Without an answer by then it fails; one that takes more than half of it is slow."""


class WatchedUrl(_Watched):
    """Something that answers HTTP: in trouble when it answers another `status`, or not in time. It is asked from
    outside of any VPC: what answers only inside of one would always be failing, so give that an alarm instead."""

    http: HttpCheck

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.HTTP


class MetricLimit(_Strict):
    """A metric of CloudWatch, and the one limit beyond which it is in trouble."""

    namespace: Name
    """Where CloudWatch has it, `AWS/...` or one of your own."""
    metric: Name
    """Its name."""
    dimensions: Mapping[Name, Name] = {}
    """All of them, as CloudWatch has them: a metric with other dimensions is another metric."""
    statistic: Annotated[str, Field(pattern=r"^(Average|Sum|Minimum|Maximum|SampleCount|p[0-9]{1,2}(\.[0-9]+)?)$")] = (
        "Average"
    )
    """`Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99`."""
    period: Annotated[int, Field(strict=True), AfterValidator(_period)] = 60
    """Length of one period in seconds: a multiple of 60 up to 3600."""
    above: float | None = Field(default=None, allow_inf_nan=False)
    """More than this is trouble; there is one limit, `above` or `below`."""
    below: float | None = Field(default=None, allow_inf_nan=False)
    """Less than this is trouble."""

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("a metric has one limit: write either above or below")
        return self


class WatchedMetric(_Watched):
    """Anything else that has a metric."""

    metric: MetricLimit

    @property
    def kind(self) -> DependencyKind:
        return DependencyKind.METRIC


WATCHED: Mapping[DependencyKind, type[_Watched]] = {
    DependencyKind.ALARM: WatchedAlarm,
    DependencyKind.RDS: WatchedDatabase,
    DependencyKind.DYNAMODB: WatchedTable,
    DependencyKind.ECS: WatchedService,
    DependencyKind.LAMBDA: WatchedFunction,
    DependencyKind.API: WatchedApi,
    DependencyKind.BEDROCK: WatchedModel,
    DependencyKind.SAGEMAKER: WatchedEndpoint,
    DependencyKind.COGNITO: WatchedUserPool,
    DependencyKind.HTTP: WatchedUrl,
    DependencyKind.METRIC: WatchedMetric,
}
"""The model of each kind."""


def kind_of(value: object) -> str | None:
    """The one kind whose key is there; None for none, and for several."""
    if isinstance(value, _Watched):
        return next((kind.value for kind, model in WATCHED.items() if isinstance(value, model)), None)
    if not isinstance(value, Mapping):
        return None
    keys = [kind.value for kind in DependencyKind if kind.value in value]
    return keys[0] if len(keys) == 1 else None


Watched = Annotated[
    Annotated[WatchedAlarm, Tag("alarm")]
    | Annotated[WatchedDatabase, Tag("rds")]
    | Annotated[WatchedTable, Tag("dynamodb")]
    | Annotated[WatchedService, Tag("ecs")]
    | Annotated[WatchedFunction, Tag("lambda")]
    | Annotated[WatchedApi, Tag("api")]
    | Annotated[WatchedModel, Tag("bedrock")]
    | Annotated[WatchedEndpoint, Tag("sagemaker")]
    | Annotated[WatchedUserPool, Tag("cognito")]
    | Annotated[WatchedUrl, Tag("http")]
    | Annotated[WatchedMetric, Tag("metric")],
    Discriminator(
        kind_of,
        custom_error_type="kind_of_watched",
        custom_error_message="name and exactly one kind are needed; write one of: " + ", ".join(DependencyKind),
    ),
]
"""One thing to look at, of any kind."""
