"""What each kind of dependency says of itself, and that nothing unknown ever looks fine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from functions.diagnostics.dependencies import Watcher
from functions.diagnostics.gauges import gauge_of
from functions.domain.dependencies import DatabaseFacts, DependencyFacts, DependencyKind, DependencyState, HttpAnswer
from functions.domain.errors import ReadFailed
from functions.domain.evidence import AlarmFacts
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.domain.watched import Watched
from functions.ports import Measure, Points
from tests.fakes.clock import FakeClock
from tests.fakes.findings import LONG_AGO, NOW, alarm
from tests.fakes.world import REF, World

WATCHED: TypeAdapter[Watched] = TypeAdapter(Watched)
OK, FAILING, SLOW, THROTTLED, UNKNOWN = (
    DependencyState.OK,
    DependencyState.FAILING,
    DependencyState.SLOW,
    DependencyState.THROTTLED,
    DependencyState.UNKNOWN,
)
Minutes = Mapping[str, Sequence[float | None]]
"""Values of the last minutes by `metric` or `metric statistic`, the newest last; None where nothing was measured."""


@dataclass
class Shown(World):
    clock: FakeClock = field(default_factory=FakeClock)
    shown_alarms: tuple[AlarmFacts, ...] = ()
    minutes: Minutes = field(default_factory=dict)
    asked: list[ServiceRef] = field(default_factory=list)

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        self._may("alarms")
        return [shown for shown in self.shown_alarms if shown.name in names]

    def measured(self, measures: Sequence[Measure], *, start: datetime, end: datetime) -> Sequence[Points]:
        self._may("measured")
        return [self._points(measure) for measure in measures]

    def _points(self, measure: Measure) -> Points:
        values = self.minutes.get(f"{measure.metric} {measure.statistic}", self.minutes.get(measure.metric, ()))
        ends = NOW - timedelta(seconds=NOW.timestamp() % measure.period_s)
        times = [ends - timedelta(seconds=measure.period_s * n) for n in range(len(values), 0, -1)]
        return [(at, value) for at, value in zip(times, values, strict=True) if value is not None]


def watched(**written: Any) -> Watched:
    return WATCHED.validate_python({"name": "it", **written})


def state_of(world: World, **written: Any) -> DependencyFacts:
    (facts,) = Watcher(world.readers)(REF, [watched(**written)], now=NOW)
    return facts


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        (alarm(name="db", state=AlarmState.ALARM), FAILING),
        (alarm(name="db", state=AlarmState.OK, breaching_now=True), FAILING),
        (alarm(name="db", state=AlarmState.OK, breaching_now=False), OK),
        (alarm(name="db", state=AlarmState.OK, breaching_now=None), OK),
        (alarm(name="db", state=AlarmState.INSUFFICIENT_DATA, breaching_now=None), UNKNOWN),
        (alarm(name="another"), UNKNOWN),
    ],
)
def test_a_dependency_is_what_its_alarm_says(shown: AlarmFacts, state: DependencyState) -> None:
    """An alarm without data, or none at all, leaves the dependency unknown, which is not fine."""
    assert state_of(Shown(shown_alarms=(shown,)), alarm="db").state is state


def test_an_alarm_tells_since_when_it_is_back() -> None:
    """One that became OK within the hour: it says so at the end of a whole period in which its metric was fine. One
    that was OK all the time never went."""
    since = NOW - timedelta(minutes=7)
    back = alarm(name="db", state=AlarmState.OK, breaching_now=False, since=since)
    always = alarm(name="db", state=AlarmState.OK, breaching_now=False, since=LONG_AGO)
    assert state_of(Shown(shown_alarms=(back,)), alarm="db").back_since == since - timedelta(seconds=back.period_s)
    assert state_of(Shown(shown_alarms=(always,)), alarm="db").back_since is None


HOUR = [10.0] * 60
KINDS: list[tuple[dict[str, Any], Minutes, DependencyState]] = [
    ({"dynamodb": "carts"}, {"ConsumedReadCapacityUnits": [9, 9, 9]}, OK),
    ({"dynamodb": "carts"}, {"ConsumedReadCapacityUnits": [9, 9, 9], "ReadThrottleEvents": [3, 0, 3]}, THROTTLED),
    ({"dynamodb": "carts"}, {"ConsumedReadCapacityUnits": [9, 9, 9], "WriteThrottleEvents": [None, 1, 3]}, THROTTLED),
    ({"dynamodb": "carts"}, {"ConsumedReadCapacityUnits": [9, 9, 9], "WriteThrottleEvents": [None, None, 3]}, OK),
    ({"dynamodb": "carts"}, {"ReadThrottleEvents": [3, 3, 3]}, THROTTLED),
    ({"lambda": "prices"}, {"Invocations": [50, 50, 50], "Errors": [0, 0, 0]}, OK),
    ({"lambda": "prices"}, {"Invocations": [50, 50, 50], "Errors": [0, 9, 9]}, FAILING),
    ({"lambda": "prices", "errors_percent": 50}, {"Invocations": [50, 50, 50], "Errors": [0, 9, 9]}, OK),
    ({"lambda": "prices"}, {"Invocations": [5, 5, 5], "Errors": [1, 1, 1]}, OK),
    ({"lambda": "prices"}, {"Invocations": [50, 50, 50], "Throttles": [0, 9, 9]}, THROTTLED),
    ({"lambda": "prices"}, {"Throttles": [9, 9, 9]}, THROTTLED),
    ({"lambda": "prices"}, {"Invocations": [9] * 60, "Duration": [200] * 57 + [900] * 3}, SLOW),
    ({"lambda": "prices"}, {"Invocations": [9] * 60, "Duration": [2] * 57 + [90] * 3}, OK),
    ({"api": "shipping/prod"}, {"Count": [50, 50, 50], "5XXError": [0, 9, 9]}, FAILING),
    ({"api": "a1b2c3"}, {"Count": [50, 50, 50], "5xx": [0, 9, 9]}, FAILING),
    ({"api": "a1b2c3"}, {"Count": [50, 50, 50]}, OK),
    ({"bedrock": "m"}, {"Invocations": [5, 5, 5], "InvocationServerErrors": [0, 2, 2]}, FAILING),
    ({"bedrock": "m"}, {"InvocationServerErrors": [2, 2, 2]}, FAILING),
    ({"bedrock": "m"}, {"Invocations": [5, 5, 5], "InvocationThrottles": [4, 4, 4]}, THROTTLED),
    ({"sagemaker": "ranking"}, {"Invocations": [50, 50, 50], "Invocation5XXErrors": [9, 9, 9]}, FAILING),
    ({"sagemaker": "ranking"}, {"Invocations": [50, 50, 50]}, OK),
    ({"cognito": "eu-west-1_a"}, {"SignInSuccesses Sum": [9], "SignInSuccesses SampleCount": [10]}, OK),
    ({"cognito": "eu-west-1_a"}, {"SignInSuccesses Sum": [2], "SignInSuccesses SampleCount": [10]}, FAILING),
    ({"cognito": "eu-west-1_a/c"}, {"SignInThrottles": [2]}, THROTTLED),
    ({"metric": {"namespace": "A", "metric": "M", "above": 5}}, {"M": [1, 6, 6]}, FAILING),
    ({"metric": {"namespace": "A", "metric": "M", "above": 5}}, {"M": [1, 1, 6]}, OK),
    ({"metric": {"namespace": "A", "metric": "M", "below": 0}}, {"M": [0, -1, -1]}, FAILING),
    ({"metric": {"namespace": "A", "metric": "M", "above": 5, "period": 300}}, {"M": [6]}, FAILING),
]


@pytest.mark.parametrize(("written", "minutes", "state"), KINDS)
def test_a_dependency_is_what_its_metrics_say(
    written: dict[str, Any], minutes: Minutes, state: DependencyState
) -> None:
    """Most of the newest minutes decide; a single bad one, or a single failed call, does not."""
    assert state_of(Shown(minutes=minutes), **written).state is state


AVAILABLE = DatabaseFacts(status="available")
BUSY = {"CPUUtilization": HOUR, "DatabaseConnections": HOUR}


@pytest.mark.parametrize(
    ("database", "limits", "minutes", "state"),
    [
        (AVAILABLE, {}, BUSY, OK),
        (AVAILABLE, {}, {}, UNKNOWN),
        (None, {}, BUSY, UNKNOWN),
        (DatabaseFacts(status="backing-up"), {}, BUSY, OK),
        (DatabaseFacts(status="failed"), {}, BUSY, FAILING),
        (DatabaseFacts(status="storage-full"), {}, {}, FAILING),
        (DatabaseFacts(status="some-new-status"), {}, BUSY, UNKNOWN),
        (AVAILABLE, {"connections": 10}, BUSY, THROTTLED),
        (AVAILABLE, {"connections": 11}, BUSY, OK),
        (AVAILABLE, {}, {"CPUUtilization": [99.0] * 3}, SLOW),
        (AVAILABLE, {"cpu_percent": 99.5}, {"CPUUtilization": [99.0] * 3}, OK),
        (AVAILABLE, {}, BUSY | {"FreeStorageSpace": [1e6] * 3}, FAILING),
        (AVAILABLE, {}, BUSY | {"ReplicaLag": [90.0] * 3}, SLOW),
        (AVAILABLE, {}, BUSY | {"ReadLatency": [0.01] * 57 + [0.2] * 3}, SLOW),
        (AVAILABLE, {}, BUSY | {"ReadLatency": [0.001] * 57 + [0.01] * 3}, OK),
        (DatabaseFacts(status="failed"), {"connections": 10}, BUSY, FAILING),
    ],
)
def test_a_database_is_what_its_status_and_its_metrics_say(
    database: DatabaseFacts | None, limits: dict[str, Any], minutes: Minutes, state: DependencyState
) -> None:
    """The graver of both counts, and it is fine only if both say so."""
    world = Shown(minutes=minutes)
    world.quiet.shown_databases = {} if database is None else {"orders-db": database}
    assert state_of(world, rds="orders-db", **limits).state is state


def test_what_loads_a_database_is_told_only_when_it_matters() -> None:
    """The statements that load it most go with its trouble; a database that is fine needs no such evidence."""
    world = Shown(minutes={"CPUUtilization": [99.0] * 3})
    world.quiet.shown_databases = {"orders-db": DatabaseFacts(status="available", top_queries=("SELECT ?",))}
    assert state_of(world, rds="orders-db").top_queries == ("SELECT ?",)
    world.minutes = {"CPUUtilization": [9.0] * 3}
    assert state_of(world, rds="orders-db").top_queries == ()


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (HttpAnswer(status=200, seconds=0.1), OK),
        (HttpAnswer(status=200, seconds=1.6), SLOW),
        (HttpAnswer(status=301, seconds=0.1), FAILING),
        (HttpAnswer(status=None, seconds=3.0, error="timed out"), FAILING),
        (None, UNKNOWN),
    ],
)
def test_a_url_is_what_it_answers(answer: HttpAnswer | None, state: DependencyState) -> None:
    """Another status or no answer is a failure, half the time-out is slow, a name that nobody knows says nothing."""
    world = Shown()
    url = "https://pay.example/health"
    world.quiet.shown_answers = {} if answer is None else {url: answer}
    assert state_of(world, http={"url": url}).state is state


def test_another_service_fails_when_none_of_its_tasks_runs() -> None:
    """One that has a task answers as far as ECS can say."""
    world = Shown()
    assert state_of(world, ecs="stock").state is OK
    world.running = 0
    assert state_of(world, ecs="shop/stock").state is FAILING


@pytest.mark.parametrize("kind", [k for k in DependencyKind if k not in (DependencyKind.ECS, DependencyKind.HTTP)])
def test_what_cannot_be_read_is_unknown(kind: DependencyKind) -> None:
    """A throttled call leaves its dependencies unknown, with the reason, and the others as they are."""
    written: dict[str, Any] = {kind.value: "eu-west-1_pool" if kind is DependencyKind.COGNITO else "orders-db"}
    if kind is DependencyKind.METRIC:
        written = {"metric": {"namespace": "A", "metric": "M", "above": 5}}
    world = Shown(unreadable={"alarms", "measured"})
    world.quiet.unreadable = {"database"}
    other = watched(ecs="stock", name="stock")
    facts, stock = Watcher(world.readers)(REF, [watched(**written), other], now=NOW)
    assert (facts.state, stock.state) == (UNKNOWN, OK)
    assert "throttled" in facts.detail


def test_old_data_says_nothing_of_now() -> None:
    """Five minutes without a data point: whatever it was before, it is unknown."""
    calm = {"Invocations": [50.0] * 50 + [None] * 5}
    assert state_of(Shown(minutes=calm), **{"lambda": "prices"}).state is UNKNOWN


def test_metrics_tell_since_when_it_is_back() -> None:
    """Throttled until ten minutes ago: it is back since then, for an hour."""
    events = [None] * 40 + [5.0] * 10 + [None] * 10
    minutes: Minutes = {"ConsumedReadCapacityUnits": HOUR, "ReadThrottleEvents": events}
    back = state_of(Shown(minutes=minutes), dynamodb="carts").back_since
    assert back is not None
    assert timedelta(minutes=9) < NOW - back < timedelta(minutes=12)
    assert state_of(Shown(minutes={"ConsumedReadCapacityUnits": HOUR}), dynamodb="carts").back_since is None


MEASURED = st.lists(st.none() | st.floats(0, 1e9, allow_nan=False), max_size=70)


@given(
    kind=st.sampled_from([written for written, _, _ in KINDS]),
    names=st.lists(
        st.sampled_from(["Invocations", "Errors", "Throttles", "Duration", "Count", "5xx", "M", "Latency"]), max_size=4
    ),
    data=st.data(),
)
def test_without_a_recent_measurement_nothing_is_fine(
    kind: dict[str, Any], names: list[str], data: st.DataObject
) -> None:
    """Whatever is measured: nothing raises, and a dependency is fine only on data of the last minutes."""
    minutes: Minutes = {name: data.draw(MEASURED) for name in names}
    facts = state_of(Shown(minutes=minutes), **kind)
    gauge = gauge_of(watched(**kind))
    assert gauge is not None
    own = {measure.metric for measure in gauge.measures.values()}
    recent = [v for name in own for v in minutes.get(name, ())[-3:] if v is not None]
    assert (facts.state is UNKNOWN) == (not recent)


def test_no_answer_of_one_reader_is_an_answer_of_another() -> None:
    """A name that RDS does not know is unknown although CloudWatch still has its metrics."""
    world = Shown(minutes=dict(BUSY))
    facts = state_of(world, rds="gone")
    assert facts.state is UNKNOWN
    assert "RDS knows no DB instance gone" in facts.detail


def test_nothing_named_asks_nothing() -> None:
    """Without dependencies nothing is read."""
    world = Shown(unreadable={"alarms", "measured"})
    assert Watcher(world.readers)(REF, [], now=NOW) == ()


def test_a_failed_read_never_escapes() -> None:
    """Even the first of the calls may fail."""
    world = Shown(unreadable={"service"})
    assert state_of(world, ecs="stock").state is UNKNOWN
    with pytest.raises(ReadFailed):
        world.service(REF)
