"""Amazon CloudWatch, as the world answers it (Amazon CloudWatch API reference)."""

import json
from datetime import datetime
from typing import Any

from tools.drill.world.alarms import Alarm
from tools.drill.world.metrics import MINUTE_S, Key
from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.world import BEGINNING, World, error_rate_expression, moment_of, tasks_expression


def describe_alarms(world: World, parameters: Parameters) -> Answer:
    names = parameters.get("AlarmNames")
    prefix = parameters.get("AlarmNamePrefix", "")
    state = parameters.get("StateValue")
    found = [
        alarm
        for alarm in world.alarms.values()
        if (names is None or alarm.name in names)
        and alarm.name.startswith(prefix)
        and (state is None or alarm.state == state)
    ]
    return {"MetricAlarms": [_alarm(alarm) for alarm in found], "CompositeAlarms": []}


def _alarm(alarm: Alarm) -> Answer:
    return alarm.definition | {
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": alarm.updated_at,
        "StateTransitionedTimestamp": alarm.changed_at,
    }


def describe_alarm_history(world: World, parameters: Parameters) -> Answer:
    """Changes of state, newest first."""
    if parameters.get("HistoryItemType", "StateUpdate") != "StateUpdate":
        raise NotImplementedError(f"the world keeps no {parameters['HistoryItemType']} of alarms")
    name, types = parameters.get("AlarmName"), parameters.get("AlarmTypes", ("MetricAlarm",))
    start, end = parameters.get("StartDate"), parameters.get("EndDate")
    found = [
        _transition(alarm, *entry)
        for alarm in world.alarms.values()
        if "MetricAlarm" in types and name in (None, alarm.name)
        for entry in alarm.history
        if (start is None or entry[0] >= start) and (end is None or entry[0] <= end)
    ]
    ascending = parameters.get("ScanBy") == "TimestampAscending"
    found.sort(key=lambda item: item["Timestamp"], reverse=not ascending)
    begins = int(parameters.get("NextToken") or 0)
    ends = begins + parameters.get("MaxRecords", 100)
    answer: Answer = {"AlarmHistoryItems": found[begins:ends]}
    return answer | {"NextToken": str(ends)} if ends < len(found) else answer


def _transition(alarm: Alarm, at: datetime, before: str, why_before: str, after: str, why_after: str) -> Answer:
    states = {
        "oldState": {"stateValue": before, "stateReason": why_before},
        "newState": {"stateValue": after, "stateReason": why_after},
    }
    return {
        "AlarmName": alarm.name,
        "AlarmType": "MetricAlarm",
        "Timestamp": at,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {before} to {after}",
        "HistoryData": json.dumps({"version": "1.0", **states}),
    }


def set_alarm_state(world: World, parameters: Parameters) -> Answer:
    world.set_alarm_state(parameters["AlarmName"], parameters["StateValue"], parameters["StateReason"])
    return {}


def get_dashboard(world: World, parameters: Parameters) -> Answer:
    """A world has none."""
    raise Refused("ResourceNotFound", f"Dashboard {parameters['DashboardName']} does not exist", status=404)


def get_metric_data(world: World, parameters: Parameters) -> Answer:
    """Plain metrics, and the two expressions that the deployed alarms use."""
    queries: dict[str, Any] = {query["Id"]: query for query in parameters["MetricDataQueries"]}
    start, end = _seconds(parameters["StartTime"]), _seconds(parameters["EndTime"])
    ascending = parameters.get("ScanBy") == "TimestampAscending"
    results = []
    for query in parameters["MetricDataQueries"]:
        if not query.get("ReturnData", True):
            continue
        points = _expression(world, query, queries, start, end) if "Expression" in query else _plain(
            world, query["MetricStat"], start, end
        )  # fmt: skip
        if not ascending:
            points.reverse()
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label", query["Id"]),
                "Timestamps": [moment_of(at_s) for at_s, _ in points],
                "Values": [value for _, value in points],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}


def _seconds(written: Any) -> float:
    if not isinstance(written, datetime):
        raise NotImplementedError(f"the world reads times as datetime, not as {written!r}")
    return (written - BEGINNING).total_seconds()


def _key(stat: Parameters) -> Key:
    metric = stat["Metric"]
    pairs = sorted([(pair["Name"], pair["Value"]) for pair in metric.get("Dimensions", ())])
    return metric["Namespace"], metric["MetricName"], tuple(pairs)


def _periods(start: float, end: float, period_s: int) -> range:
    first = int(start // period_s) * period_s
    return range(first, max(first, int(end)), period_s)


def _plain(world: World, stat: Parameters, start: float, end: float) -> list[tuple[float, float]]:
    key, period_s, now_s = _key(stat), int(stat["Period"]), world.seconds
    if period_s % MINUTE_S:
        raise NotImplementedError(f"the world keeps metrics by the minute, and was asked for {period_s} s")
    periods = _periods(start, end, period_s)
    values = world.metrics.values(key, periods, stat["Stat"], now_s=now_s)
    return [(float(at_s), value) for at_s, value in zip(periods, values, strict=True) if value is not None]


def _expression(
    world: World, query: Parameters, queries: dict[str, Any], start: float, end: float
) -> list[tuple[float, float]]:
    samples = queries.get("samples")
    if samples is not None and query["Expression"] == tasks_expression(int(samples["MetricStat"]["Period"])):
        minutes = int(samples["MetricStat"]["Period"]) // MINUTE_S
        return [(at_s, value / minutes) for at_s, value in _plain(world, samples["MetricStat"], start, end)]
    parts = [queries[name]["MetricStat"] for name in ("requests", "target5xx", "balancer5xx") if name in queries]
    period_s = int(parts[0]["Period"]) if parts else 0
    if len(parts) != 3 or query["Expression"] != error_rate_expression(period_s):
        raise NotImplementedError(f"the world cannot compute {query['Expression']}")
    keys = [_key(stat) for stat in parts]
    found = []
    for at_s in _periods(start, end, period_s):
        value = world.error_rate(keys, at_s, period_s)
        if value is not None:
            found.append((float(at_s), value))
    return found


CLOUDWATCH = Operations(
    reads={
        "DescribeAlarms": describe_alarms,
        "DescribeAlarmHistory": describe_alarm_history,
        "GetDashboard": get_dashboard,
        "GetMetricData": get_metric_data,
    },
    changes={"SetAlarmState": set_alarm_state},
)
