"""Reads CloudWatch: alarms, and the metrics behind them."""

import json
import operator
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.adapters.answers import Answer, reading, required_moment
from functions.adapters.breaching import Rule, breaching
from functions.domain import synthetic
from functions.domain.circumstances import AlarmHistoryFacts
from functions.domain.errors import ReadFailed
from functions.domain.evidence import AlarmFacts, Metric
from functions.domain.redaction import clean
from functions.domain.signals import AlarmState
from functions.ports import Clock, Measure, MetricsQuery, Points, Series

CALLS = ("cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory", "cloudwatch:GetMetricData")
"""IAM actions; GetMetricData cannot be narrowed to a resource (Service Authorization Reference)."""

ALARMS_PER_CALL = 100
HISTORY_ITEMS = 100
MEASURES_PER_CALL = 500
NESTING = 3
"""How deep composite alarms in composite alarms are followed: deeper ones lengthen the window no further."""

_ALB, _ECS = "AWS/ApplicationELB", "AWS/ECS"
_READ_AS: Mapping[Metric, tuple[str, str, str]] = {
    Metric.REQUESTS: (_ALB, Metric.REQUESTS, "Sum"),
    Metric.TARGET_5XX: (_ALB, Metric.TARGET_5XX, "Sum"),
    Metric.ELB_5XX: (_ALB, Metric.ELB_5XX, "Sum"),
    Metric.LATENCY: (_ALB, Metric.LATENCY, "Average"),
    Metric.LATENCY_P95: (_ALB, Metric.LATENCY, "p95"),
    Metric.HEALTHY_HOSTS: (_ALB, Metric.HEALTHY_HOSTS, "Minimum"),
    Metric.CPU: (_ECS, Metric.CPU, "Average"),
    Metric.MEMORY: (_ECS, Metric.MEMORY, "Average"),
    Metric.TASKS: (_ECS, Metric.CPU, "SampleCount"),
}
"""Namespace, name and statistic of each metric (Application Load Balancers user guide; ECS Developer Guide)."""

ZONAL = (Metric.REQUESTS, Metric.TARGET_5XX)
"""The metrics that are read by zone, too."""

_CHILD = re.compile(
    r"""\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<double>(?:[^"\\]|\\.)+)"|'(?P<single>(?:[^'\\]|\\.)+)'|(?P<bare>[^\s()"']+))\s*\)"""
)
"""One alarm in an alarm rule (API reference, PutCompositeAlarm): bare, quoted, or by its ARN."""


@dataclass(frozen=True)
class _Query:
    """What has to be asked to evaluate one alarm again."""

    rule: Rule
    queries: tuple[dict[str, Any], ...]
    result: str
    """Id of the query whose result is compared with the threshold."""


class CloudWatchReader:
    """The `MetricsReader` of the deployed responder. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, clock: Clock) -> None:
        self._cloudwatch = client
        self._clock = clock

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        return self._alarms(names, metrics=True)

    def states(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        return self._alarms(names, metrics=False)

    def _alarms(self, names: Sequence[str], *, metrics: bool) -> Sequence[AlarmFacts]:
        with reading("the alarms"):
            described = self._describe(names)
            nested = self._nested(described)
            breaches = self._breaches([a for a in described if "AlarmRule" not in a]) if metrics else {}
        known = {alarm["AlarmName"]: alarm for alarm in (*nested, *described)}
        return tuple(_alarm_facts(alarm, known, breaches.get(alarm["AlarmName"])) for alarm in described)

    def _describe(self, names: Iterable[str]) -> list[Answer]:
        wanted = list(dict.fromkeys(names))
        found: list[Answer] = []
        for start in range(0, len(wanted), ALARMS_PER_CALL):
            answer = self._cloudwatch.describe_alarms(
                AlarmNames=wanted[start : start + ALARMS_PER_CALL],
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                MaxRecords=ALARMS_PER_CALL,
            )
            found += [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        order = {name: place for place, name in enumerate(wanted)}
        return sorted(found, key=lambda alarm: order.get(alarm["AlarmName"], len(order)))

    def _nested(self, described: Sequence[Answer]) -> list[Answer]:
        """The alarms that composite alarms among the given ones stand on."""
        found: list[Answer] = []
        seen = {alarm["AlarmName"] for alarm in described}
        layer = list(described)
        for _ in range(NESTING):
            children = {child for alarm in layer for child in children_of(alarm)} - seen
            if not children:
                break
            layer = self._describe(sorted(children))
            seen |= children
            found += layer
        return found

    def _breaches(self, alarms: Sequence[Answer]) -> dict[str, bool | None]:
        """Whether each alarm's own metric breaches: plain metrics in one request, metric math in one each."""
        now = self._clock.now()
        plain = {alarm["AlarmName"]: q for alarm in alarms if (q := _plain_query(alarm)) is not None}
        math = {alarm["AlarmName"]: q for alarm in alarms if (q := _math_query(alarm)) is not None}
        together = {f"q{place}": {**query.queries[0], "Id": f"q{place}"} for place, query in enumerate(plain.values())}
        points = self._data(list(together.values()), start=_start(plain.values(), now), end=now) if plain else {}
        found = {
            name: breaching(query.rule, points[f"q{place}"], now=now)
            for place, (name, query) in enumerate(plain.items())
        }
        for name, query in math.items():
            results = self._data(list(query.queries), start=_start([query], now), end=now, tolerant=True)
            found[name] = breaching(query.rule, results[query.result], now=now) if query.result in results else None
        return found

    def series(self, query: MetricsQuery) -> Series:
        wanted: list[tuple[str | None, Metric]] = [(None, metric) for metric in query.dimensions]
        wanted += [(zone, metric) for zone in query.zones for metric in ZONAL if metric in query.dimensions]
        if not wanted:
            return Series(metrics={})
        queries = [
            _read_query(f"q{place}", metric, query.dimensions[metric], zone=zone, period_s=query.period_s)
            for place, (zone, metric) in enumerate(wanted)
        ]
        with reading("the metrics"):
            points = self._data(queries, start=query.start, end=query.end)
        by_zone: dict[str | None, dict[Metric, Points]] = {}
        for place, (zone, metric) in enumerate(wanted):
            by_zone.setdefault(zone, {})[metric] = points[f"q{place}"]
        return Series(
            metrics=by_zone.get(None, {}),
            by_zone={zone: metrics for zone, metrics in by_zone.items() if zone is not None},
        )

    def alarm_history(self, names: Sequence[str], *, since: datetime) -> AlarmHistoryFacts:
        went_off = {}
        for name in names:
            with reading(f"the history of alarm {name}"):
                answer = self._cloudwatch.describe_alarm_history(
                    AlarmName=name,
                    # Without them CloudWatch tells of metric alarms alone (API reference).
                    AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                    HistoryItemType="StateUpdate",
                    StartDate=since,
                    EndDate=self._clock.now(),
                    MaxRecords=HISTORY_ITEMS,
                    ScanBy="TimestampDescending",
                )
                went_off[name] = tuple(
                    required_moment(item, "Timestamp", of=f"the history of alarm {name}")
                    for item in answer.get("AlarmHistoryItems", ())
                    if _new_state(item) == AlarmState.ALARM
                )
        return AlarmHistoryFacts(since=since, went_off=went_off)

    def measured(self, measures: Sequence[Measure], *, start: datetime, end: datetime) -> Sequence[Points]:
        queries = [_measure_query(f"m{place}", measure) for place, measure in enumerate(measures)]
        points: dict[str, Points] = {}
        with reading("the metrics of what is watched"):
            for first in range(0, len(queries), MEASURES_PER_CALL):
                points |= self._data(queries[first : first + MEASURES_PER_CALL], start=start, end=end)
        return [points[query["Id"]] for query in queries]

    def _data(
        self, queries: list[dict[str, Any]], *, start: datetime, end: datetime, tolerant: bool = False
    ) -> dict[str, Points]:
        """Data points by query, oldest first; a query that failed is left out, or raises unless `tolerant`."""
        found: dict[str, list[tuple[datetime, float]]] = {
            query["Id"]: [] for query in queries if query.get("ReturnData", True)
        }
        page: dict[str, str] = {}
        while True:
            answer = self._cloudwatch.get_metric_data(
                MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending", **page
            )
            for result in answer.get("MetricDataResults", ()):
                if result.get("StatusCode") in ("InternalError", "Forbidden"):
                    if not tolerant:
                        raise ReadFailed(f"CloudWatch answered {result['StatusCode']} for {result.get('Label')}")
                    found.pop(result["Id"], None)
                elif result["Id"] in found:
                    times = [at if at.tzinfo is UTC else at.astimezone(UTC) for at in result.get("Timestamps", ())]
                    found[result["Id"]] += zip(times, result.get("Values", ()), strict=True)
            if not answer.get("NextToken"):
                break
            page = {"NextToken": answer["NextToken"]}
        return {identifier: _by_time(points) for identifier, points in found.items()}


def _by_time(points: list[tuple[datetime, float]]) -> Points:
    """Oldest first, one for each time: the last that was told. That is how they were asked for, and mostly come."""
    times = [at for at, _ in points]
    in_order = all(map(operator.lt, times, times[1:]))
    return tuple(points if in_order else sorted(dict(points).items()))


def children_of(alarm: Answer) -> tuple[str, ...]:
    """Names of the alarms in a composite alarm's rule, in the order they come; none for a metric alarm."""
    written = (
        re.sub(r"\\(.)", r"\1", child["double"] or child["single"] or "") or child["bare"]
        for child in _CHILD.finditer(alarm.get("AlarmRule") or "")
    )
    return tuple(dict.fromkeys(name.split(":alarm:", 1)[1] if name.startswith("arn:") else name for name in written))


def _alarm_facts(alarm: Answer, known: Mapping[str, Answer], breaching_now: bool | None) -> AlarmFacts:
    period_s, evaluation_periods = _longest_window(alarm, known, NESTING)
    return AlarmFacts(
        name=alarm["AlarmName"],
        arn=alarm.get("AlarmArn", ""),
        state=AlarmState(alarm.get("StateValue", AlarmState.INSUFFICIENT_DATA)),
        since=required_moment(
            alarm,
            "StateTransitionedTimestamp",
            "StateUpdatedTimestamp",
            "AlarmConfigurationUpdatedTimestamp",
            of=f"alarm {alarm['AlarmName']}",
        ),
        reason=clean(alarm.get("StateReason", "")),
        composite="AlarmRule" in alarm,
        children=children_of(alarm),
        period_s=period_s,
        evaluation_periods=evaluation_periods,
        breaching_now=breaching_now,
        actions=actions_of(alarm),
        demands=clean(alarm.get("AlarmDescription", "")) if alarm.get("Namespace") == synthetic.NAMESPACE else "",
    )


def actions_of(alarm: Answer) -> tuple[str, ...] | None:
    """ARNs of what an alarm does on each change of its state; None where the answer leaves it open."""
    if alarm.get("ActionsEnabled") is False:
        return ()
    kinds = [alarm.get(kind) for kind in ("AlarmActions", "OKActions", "InsufficientDataActions")]
    if any(kind is None for kind in kinds):
        return None
    return tuple(dict.fromkeys(action for kind in kinds for action in kind or ()))


def _longest_window(alarm: Answer, known: Mapping[str, Answer], depth: int) -> tuple[int, int]:
    """Period and evaluation periods of the alarm, or of whichever of its children looks back furthest."""
    if "AlarmRule" not in alarm:
        return _period_s(alarm), alarm.get("EvaluationPeriods", 1)
    children = [known[name] for name in children_of(alarm) if name in known] if depth > 0 else []
    windows = [_longest_window(child, known, depth - 1) for child in children]
    return max(windows, key=lambda window: window[0] * window[1], default=(60, 1))


def _period_s(alarm: Answer) -> int:
    """The longest period of the alarm's metrics, in seconds."""
    periods = [alarm.get("Period")]
    for query in alarm.get("Metrics", ()):
        periods += [query.get("Period"), (query.get("MetricStat") or {}).get("Period")]
    return max((period for period in periods if period), default=60)


def _new_state(item: Answer) -> str:
    """The state that an alarm changed to (CloudWatch user guide, "Alarm events": the same shape is in its history)."""
    try:
        return str(json.loads(item.get("HistoryData") or "{}")["newState"]["stateValue"])
    except (ValueError, KeyError, TypeError):
        return str(item.get("HistorySummary", "")).rpartition(" to ")[2]


def _read_query(
    identifier: str, metric: Metric, dimensions: Mapping[str, str], *, zone: str | None, period_s: int
) -> dict[str, Any]:
    namespace, name, statistic = _READ_AS[metric]
    where = dimensions if zone is None else {**dimensions, "AvailabilityZone": zone}
    return _metric_query(
        identifier, namespace=namespace, name=name, dimensions=_pairs(where), period_s=period_s, statistic=statistic
    )


def _rule(alarm: Answer, statistic: str) -> Rule | None:
    """How the alarm judges its data points; None where it compares with a band and not with a number."""
    if "Threshold" not in alarm or "ThresholdMetricId" in alarm:
        return None
    return Rule(
        operator=alarm.get("ComparisonOperator", ""),
        threshold=alarm["Threshold"],
        statistic=statistic,
        period_s=_period_s(alarm),
        evaluation_periods=alarm.get("EvaluationPeriods", 1),
        datapoints=alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods", 1),
        missing=alarm.get("TreatMissingData", "missing"),
    )


def _plain_query(alarm: Answer) -> _Query | None:
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
    if "MetricName" not in alarm or statistic is None or (rule := _rule(alarm, statistic)) is None:
        return None
    query = _metric_query(
        "q",
        namespace=alarm.get("Namespace", ""),
        name=alarm["MetricName"],
        dimensions=alarm.get("Dimensions", []),
        period_s=rule.period_s,
        statistic=statistic,
        unit=alarm.get("Unit"),
    )
    return _Query(rule=rule, queries=(query,), result="q")


def _math_query(alarm: Answer) -> _Query | None:
    # Exactly one query of an alarm returns data (API reference, PutMetricAlarm); the field is absent where it is true.
    results = [query["Id"] for query in alarm.get("Metrics", ()) if query.get("ReturnData", True)]
    if len(results) != 1 or (rule := _rule(alarm, "")) is None:
        return None
    return _Query(rule=rule, queries=tuple(dict(query) for query in alarm["Metrics"]), result=results[0])


def _metric_query(
    identifier: str,
    *,
    namespace: str,
    name: str,
    dimensions: Sequence[Mapping[str, str]],
    period_s: int,
    statistic: str,
    unit: str | None = None,
) -> dict[str, Any]:
    stat: dict[str, Any] = {
        "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": [dict(pair) for pair in dimensions]},
        "Period": period_s,
        "Stat": statistic,
    }
    return {"Id": identifier, "MetricStat": stat if unit is None else {**stat, "Unit": unit}}


def _measure_query(identifier: str, measure: Measure) -> dict[str, Any]:
    if not measure.summed_over:
        return _metric_query(
            identifier,
            namespace=measure.namespace,
            name=measure.metric,
            dimensions=_pairs(measure.dimensions),
            period_s=measure.period_s,
            statistic=measure.statistic,
        )
    return {"Id": identifier, "Expression": measure.expression, "Period": measure.period_s}


def _pairs(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _start(queries: Collection[_Query], now: datetime) -> datetime:
    """The beginning of the furthest data point that one of the alarms may need."""
    looks_back = max(query.rule.looks_back_s for query in queries)
    longest = max(query.rule.period_s for query in queries)
    start = now - timedelta(seconds=looks_back)
    return start - timedelta(seconds=start.timestamp() % longest)
