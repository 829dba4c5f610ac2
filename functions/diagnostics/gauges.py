"""Which metrics speak for which kind of dependency, and what they say in one period.

Names, units and dimensions are those of each service's page on CloudWatch metrics: DynamoDB Developer Guide, RDS User
Guide, Lambda Developer Guide, API Gateway Developer Guide, Bedrock, SageMaker and Cognito user guides.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from functions.domain.dependencies import DependencyState
from functions.domain.watched import (
    MetricLimit,
    Watched,
    WatchedApi,
    WatchedDatabase,
    WatchedEndpoint,
    WatchedFunction,
    WatchedMetric,
    WatchedModel,
    WatchedTable,
    WatchedUserPool,
)
from functions.ports import Measure

FEWEST_FAILED = 2
"""One failed call in a minute is no failing dependency, however few the others were."""
THROTTLED_SHARE = 0.05
SLOWED = 3.0
"""So many times as long as usual is slow."""
SLOW_CALL_S = 0.5
"""A call that is answered sooner than this is not slow, whatever is usual."""
SLOW_DISK_S = 0.02
"""The same for one read or write of a database's storage."""
LAG_S = 60.0
STORAGE_LEFT_BYTES = 100 * 1024 * 1024
ALL_TRAFFIC = "AllTraffic"
COGNITO_PERIOD_S = 300
"""Cognito publishes every five minutes."""

Values = Mapping[str, float]
"""What was measured in one period, by the name of the measure. A count that is not there is 0 where others are."""


@dataclass(frozen=True)
class Trouble:
    state: DependencyState
    says: str


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """What to measure of one dependency, and how to judge one period of it."""

    measures: Mapping[str, Measure]
    """By name, as people read it, with its unit."""
    judge: Callable[[Values, Values], Iterator[Trouble]]
    """The troubles of one period, from its values and the usual ones."""
    period_s: int = 60


def gauge_of(watched: Watched) -> Gauge | None:
    """None for a kind that has no metrics of its own."""
    match watched:
        case WatchedTable():
            return _table(watched)
        case WatchedDatabase():
            return _database(watched)
        case WatchedFunction():
            return _function(watched)
        case WatchedApi():
            return _api(watched)
        case WatchedModel():
            return _model(watched)
        case WatchedEndpoint():
            return _endpoint(watched)
        case WatchedUserPool():
            return _user_pool(watched)
        case WatchedMetric():
            return _metric(watched.metric)
        case _:
            return None


def _table(watched: WatchedTable) -> Gauge:
    of = {"TableName": watched.dynamodb}

    def judge(values: Values, usual: Values) -> Iterator[Trouble]:
        events = values.get("throttled reads", 0.0) + values.get("throttled writes", 0.0)
        if events > 0:
            yield Trouble(DependencyState.THROTTLED, f"{events:.0f} reads and writes were throttled in a minute")

    return Gauge(
        measures={
            "read units": _of("AWS/DynamoDB", "ConsumedReadCapacityUnits", "Sum", of),
            "written units": _of("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "Sum", of),
            "throttled reads": _of("AWS/DynamoDB", "ReadThrottleEvents", "Sum", of),
            "throttled writes": _of("AWS/DynamoDB", "WriteThrottleEvents", "Sum", of),
        },
        judge=judge,
    )


def _database(watched: WatchedDatabase) -> Gauge:
    of = {"DBInstanceIdentifier": watched.rds}

    def judge(values: Values, usual: Values) -> Iterator[Trouble]:
        if values.get("free bytes", STORAGE_LEFT_BYTES) < STORAGE_LEFT_BYTES:
            yield Trouble(DependencyState.FAILING, f"{values['free bytes'] / 1024**2:.0f} MiB of storage are left")
        connections = values.get("connections", 0.0)
        if watched.connections is not None and connections >= watched.connections:
            says = f"{connections:.0f} of {watched.connections} connections are taken"
            yield Trouble(DependencyState.THROTTLED, says)
        if values.get("cpu percent", 0.0) >= watched.cpu_percent:
            yield Trouble(DependencyState.SLOW, f"its CPU is at {values['cpu percent']:.0f} %")
        if values.get("replica lag s", 0.0) >= LAG_S:
            yield Trouble(DependencyState.SLOW, f"it is {values['replica lag s']:.0f} s behind its primary")
        for name, what in (("read s", "a read"), ("write s", "a write")):
            yield from _slow(values, usual, name, floor=SLOW_DISK_S, what=f"{what} of its storage")

    return Gauge(
        measures={
            "connections": _of("AWS/RDS", "DatabaseConnections", "Average", of),
            "cpu percent": _of("AWS/RDS", "CPUUtilization", "Average", of),
            "free bytes": _of("AWS/RDS", "FreeStorageSpace", "Minimum", of),
            "replica lag s": _of("AWS/RDS", "ReplicaLag", "Average", of),
            "read s": _of("AWS/RDS", "ReadLatency", "Average", of),
            "write s": _of("AWS/RDS", "WriteLatency", "Average", of),
        },
        judge=judge,
    )


def _function(watched: WatchedFunction) -> Gauge:
    of = {"FunctionName": watched.function}

    def judge(values: Values, usual: Values) -> Iterator[Trouble]:
        # Throttled requests are counted neither as invocations nor as errors.
        called, throttled = values.get("invocations", 0.0), values.get("throttled", 0.0)
        yield from _failing(values.get("errors", 0.0), called, watched.errors_percent)
        yield from _throttled(throttled, called + throttled)
        yield from _slow(values, usual, "duration ms", floor=SLOW_CALL_S * 1000, what="a call")

    return Gauge(
        measures={
            "invocations": _of("AWS/Lambda", "Invocations", "Sum", of),
            "errors": _of("AWS/Lambda", "Errors", "Sum", of),
            "throttled": _of("AWS/Lambda", "Throttles", "Sum", of),
            "duration ms": _of("AWS/Lambda", "Duration", "Average", of),
        },
        judge=judge,
    )


def _api(watched: WatchedApi) -> Gauge:
    """Asked by name and by id, because nothing tells a REST API from an HTTP API before: one of both has data."""
    name, _, stage = watched.api.partition("/")
    on = {"Stage": stage} if stage else {}
    rest, http = {"ApiName": name, **on}, {"ApiId": name, **on}

    def judge(values: Values, usual: Values) -> Iterator[Trouble]:
        called = values.get("requests", 0.0) + values.get("http requests", 0.0)
        failed = values.get("errors", 0.0) + values.get("http errors", 0.0)
        yield from _failing(failed, called, watched.errors_percent)
        for latency in ("latency ms", "http latency ms"):
            yield from _slow(values, usual, latency, floor=SLOW_CALL_S * 1000, what="a request")

    return Gauge(
        measures={
            "requests": _of("AWS/ApiGateway", "Count", "SampleCount", rest),
            "errors": _of("AWS/ApiGateway", "5XXError", "Sum", rest),
            "latency ms": _of("AWS/ApiGateway", "Latency", "Average", rest),
            "http requests": _of("AWS/ApiGateway", "Count", "SampleCount", http),
            "http errors": _of("AWS/ApiGateway", "5xx", "Sum", http),
            "http latency ms": _of("AWS/ApiGateway", "Latency", "Average", http),
        },
        judge=judge,
    )


def _model(watched: WatchedModel) -> Gauge:
    of = {"ModelId": watched.bedrock}

    def judge(values: Values, usual: Values) -> Iterator[Trouble]:
        # Invocations are the successful ones; throttled ones are neither invocations nor errors.
        answered, failed = values.get("invocations", 0.0), values.get("errors", 0.0)
        throttled = values.get("throttled", 0.0)
        yield from _failing(failed, answered + failed, watched.errors_percent)
        yield from _throttled(throttled, answered + failed + throttled)
        yield from _slow(values, usual, "latency ms", floor=SLOW_CALL_S * 1000, what="a call")

    return Gauge(
        measures={
            "invocations": _of("AWS/Bedrock", "Invocations", "Sum", of),
            "errors": _of("AWS/Bedrock", "InvocationServerErrors", "Sum", of),
            "throttled": _of("AWS/Bedrock", "InvocationThrottles", "Sum", of),
            "latency ms": _of("AWS/Bedrock", "InvocationLatency", "Average", of),
        },
        judge=judge,
    )


def _endpoint(watched: WatchedEndpoint) -> Gauge:
    endpoint, _, variant = watched.sagemaker.partition("/")
    of = {"EndpointName": endpoint, "VariantName": variant or ALL_TRAFFIC}

    def judge(values: Values, usual: Values) -> Iterator[Trouble]:
        yield from _failing(values.get("errors", 0.0), values.get("invocations", 0.0), watched.errors_percent)
        yield from _slow(values, usual, "latency us", floor=SLOW_CALL_S * 1_000_000, what="the model")

    return Gauge(
        measures={
            "invocations": _of("AWS/SageMaker", "Invocations", "Sum", of),
            "errors": _of("AWS/SageMaker", "Invocation5XXErrors", "Sum", of),
            "latency us": _of("AWS/SageMaker", "ModelLatency", "Average", of),
        },
        judge=judge,
    )


def _user_pool(watched: WatchedUserPool) -> Gauge:
    pool, _, client = watched.cognito.partition("/")
    of = {"UserPool": pool, **({"UserPoolClient": client} if client else {})}
    # CloudWatch has these metrics by pool and client only, so that those of a whole pool have to be added up.
    over = () if client else ("UserPoolClient",)

    def judge(values: Values, usual: Values) -> Iterator[Trouble]:
        # A sign-in that succeeds is a sample of 1, any other one of 0.
        tried = values.get("sign-ins tried", 0.0)
        yield from _failing(tried - values.get("sign-ins", 0.0), tried, watched.errors_percent)
        throttled = values.get("throttled sign-ins", 0.0) + values.get("throttled refreshes", 0.0)
        if throttled > 0:
            yield Trouble(DependencyState.THROTTLED, f"{throttled:.0f} sign-ins and refreshes were throttled")

    def measure(metric: str, statistic: str) -> Measure:
        return _of("AWS/Cognito", metric, statistic, of, period_s=COGNITO_PERIOD_S, over=over)

    return Gauge(
        measures={
            "sign-ins": measure("SignInSuccesses", "Sum"),
            "sign-ins tried": measure("SignInSuccesses", "SampleCount"),
            "throttled sign-ins": measure("SignInThrottles", "Sum"),
            "throttled refreshes": measure("TokenRefreshThrottles", "Sum"),
        },
        judge=judge,
        period_s=COGNITO_PERIOD_S,
    )


def _metric(limit: MetricLimit) -> Gauge:
    def judge(values: Values, usual: Values) -> Iterator[Trouble]:
        value = values[limit.metric]
        if limit.above is not None and value > limit.above:
            yield Trouble(DependencyState.FAILING, f"{limit.metric} is {value:g}, above {limit.above:g}")
        if limit.below is not None and value < limit.below:
            yield Trouble(DependencyState.FAILING, f"{limit.metric} is {value:g}, below {limit.below:g}")

    measure = _of(limit.namespace, limit.metric, limit.statistic, limit.dimensions, period_s=limit.period)
    return Gauge(measures={limit.metric: measure}, judge=judge, period_s=limit.period)


def _failing(failed: float, called: float, percent: float) -> Iterator[Trouble]:
    share = failed / called if called > 0 else 1.0
    if failed >= FEWEST_FAILED and 100 * share >= percent:
        yield Trouble(DependencyState.FAILING, f"{min(share, 1.0):.0%} of its calls fail")


def _throttled(throttled: float, called: float) -> Iterator[Trouble]:
    if throttled > 0 and throttled >= THROTTLED_SHARE * called:
        yield Trouble(DependencyState.THROTTLED, f"{throttled / called:.0%} of its calls are throttled")


def _slow(values: Values, usual: Values, name: str, *, floor: float, what: str) -> Iterator[Trouble]:
    now, before = values.get(name), usual.get(name)
    if now is not None and before is not None and now >= floor and now >= SLOWED * before:
        unit = name.rpartition(" ")[2]
        yield Trouble(DependencyState.SLOW, f"{what} takes {now:.3g} {unit} ({before:.3g} is usual)")


def _of(
    namespace: str,
    metric: str,
    statistic: str,
    dimensions: Mapping[str, str],
    *,
    period_s: int = 60,
    over: tuple[str, ...] = (),
) -> Measure:
    return Measure(
        namespace=namespace,
        metric=metric,
        dimensions=dimensions,
        statistic=statistic,
        period_s=period_s,
        summed_over=over,
    )
