"""Reading alarms and metrics, and asking an alarm's own metric again."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.adapters.breaching import Rule, breaching
from functions.adapters.cloudwatch import CALLS, CloudWatchReader, children_of
from functions.domain.errors import ReadFailed
from functions.domain.evidence import Metric
from functions.domain.signals import AlarmState
from functions.domain.synthetic import METRIC, NAMESPACE
from functions.ports import MetricsQuery
from tests.fakes.aws import FakeAws, record_actions, refusal
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 3, 1, 3, 12, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def alarm(name: str = "orders-5xx", **changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:000000000000:alarm:{name}",
        "StateValue": "ALARM",
        "StateReason": "Threshold Crossed",
        "StateUpdatedTimestamp": NOW,
        "StateTransitionedTimestamp": NOW - MINUTE,
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Dimensions": [{"Name": "LoadBalancer", "Value": "app/shop/1"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 10.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **changes,
    }


def composite(name: str, rule: str, **changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmRule": rule,
        "StateValue": "ALARM",
        "StateUpdatedTimestamp": NOW,
        **changes,
    }


def answers(values: Sequence[float], *, minutes_ago: int = 1, status: str = "Complete") -> Any:
    """Answer every query with the same values, newest first, of which the first is that many minutes old."""

    def answer(parameters: Any) -> dict[str, Any]:
        newest = NOW.replace(second=0) - minutes_ago * MINUTE
        return {
            "MetricDataResults": [
                {
                    "Id": query["Id"],
                    "Label": query["Id"],
                    "StatusCode": status,
                    "Timestamps": [newest - number * MINUTE for number in range(len(values))],
                    "Values": list(values),
                }
                for query in parameters["MetricDataQueries"]
                if query.get("ReturnData", True)
            ]
        }

    return answer


def describes(*metric: Any, composites: Sequence[Any] = ()) -> Any:
    """Answer DescribeAlarms with those of the alarms that are asked for."""

    def answer(parameters: Any) -> dict[str, Any]:
        wanted = parameters["AlarmNames"]
        return {
            "MetricAlarms": [a for a in metric if a["AlarmName"] in wanted],
            "CompositeAlarms": [a for a in composites if a["AlarmName"] in wanted],
        }

    return answer


def reader(aws: FakeAws) -> CloudWatchReader:
    return CloudWatchReader(aws.client("cloudwatch"), clock=FakeClock(NOW))


class TestAlarms:
    def test_a_plain_alarm(self) -> None:
        """State, window and the metric's own word are read, in the order asked for, without alarms that are gone."""
        aws = FakeAws(DescribeAlarms=describes(alarm("b"), alarm("a")), GetMetricData=answers([20, 20, 0]))

        first, second = reader(aws).alarms(["a", "gone", "b"])

        assert (first.name, second.name) == ("a", "b")
        assert (first.state, first.since) == (AlarmState.ALARM, NOW - MINUTE)
        assert (first.period_s, first.evaluation_periods, first.window_s) == (60, 3, 180)
        assert first.breaching_now is True
        assert not first.composite
        assert [action for action, _ in aws.calls] == ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"]

    def test_a_faked_state(self) -> None:
        """An alarm set to ALARM whose metric is quiet does not breach."""
        aws = FakeAws(DescribeAlarms=describes(alarm()), GetMetricData=answers([0, 1, 20]))
        (facts,) = reader(aws).alarms(["orders-5xx"])
        assert (facts.state, facts.breaching_now) == (AlarmState.ALARM, False)

    def test_a_check_says_what_it_demands(self) -> None:
        """Only of the responder's own checks is the description a sentence about what is wrong now."""
        said = {"AlarmDescription": "https://x.example has to answer 200 within 5 s"}
        check = alarm("check", Namespace=NAMESPACE, MetricName=METRIC, Statistic="Maximum", Threshold=0.0, **said)
        aws = FakeAws(DescribeAlarms=describes(check, alarm(**said)), GetMetricData=answers([1, 1, 0]))
        ours, other = reader(aws).alarms(["check", "orders-5xx"])
        assert (ours.demands, other.demands) == (said["AlarmDescription"], "")
        assert ours.breaching_now is True

    def test_one_failure_among_minutes_without_a_check_does_not_breach(self) -> None:
        """CloudWatch may call it ALARM where missing data is missing; minutes that nobody looked at are no failures."""
        check = alarm("check", Namespace=NAMESPACE, Statistic="Maximum", Threshold=0.0, TreatMissingData="missing")
        for minutes_ago in (1, 2):
            aws = FakeAws(DescribeAlarms=describes(check), GetMetricData=answers([1], minutes_ago=minutes_ago))
            assert reader(aws).alarms(["check"])[0].breaching_now is False
        aws = FakeAws(DescribeAlarms=describes(check), GetMetricData=answers([]))
        assert reader(aws).alarms(["check"])[0].breaching_now is None

    def test_what_is_asked(self) -> None:
        """The alarm's own metric is asked for over its window, from the beginning of a period."""
        percentile = alarm(Unit="Count", ExtendedStatistic="p99")
        del percentile["Statistic"]
        aws = FakeAws(DescribeAlarms=describes(percentile), GetMetricData=answers([1]))

        reader(aws).alarms(["orders-5xx"])

        parameters = aws.calls[1][1]
        assert parameters["MetricDataQueries"] == [
            {
                "Id": "q0",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/ApplicationELB",
                        "MetricName": "HTTPCode_Target_5XX_Count",
                        "Dimensions": [{"Name": "LoadBalancer", "Value": "app/shop/1"}],
                    },
                    "Period": 60,
                    "Stat": "p99",
                    "Unit": "Count",
                },
            }
        ]
        assert parameters["StartTime"] == NOW.replace(second=0) - 6 * MINUTE
        assert parameters["EndTime"] == NOW

    def test_metric_math(self) -> None:
        """An alarm on an expression is evaluated by its own queries, in a request of its own."""
        queries = [
            {
                "Id": identifier,
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": name},
                    "Period": 120,
                    "Stat": "Sum",
                },
            }
            for identifier, name in (("errors", "HTTPCode_Target_5XX_Count"), ("all", "RequestCount"))
        ]
        rate = {"Id": "rate", "Expression": "100 * errors / all", "Label": "error rate"}
        math = alarm("rate", Metrics=[*queries, rate], MetricName=None, EvaluationPeriods=1, DatapointsToAlarm=1)
        del math["MetricName"], math["Period"], math["Statistic"], math["Namespace"], math["Dimensions"]
        aws = FakeAws(DescribeAlarms=describes(math, alarm()), GetMetricData=answers([50.0], minutes_ago=2))

        facts, _ = reader(aws).alarms(["rate", "orders-5xx"])

        assert (facts.period_s, facts.breaching_now) == (120, True)
        assert aws.calls[-1][1]["MetricDataQueries"] == math["Metrics"]
        aws.replies["GetMetricData"] = answers([50.0], status="InternalError")
        aws.replies["DescribeAlarms"] = describes(math)
        assert reader(aws).alarms(["rate"])[0].breaching_now is None

    def test_an_anomaly_alarm(self) -> None:
        """An alarm that compares with a band cannot be evaluated here, and says so by None."""
        band = {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m)"}
        stat = {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 300, "Stat": "Average"}
        anomaly = alarm(
            Metrics=[{"Id": "m", "MetricStat": stat}, band],
            ThresholdMetricId="band",
            ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold",
        )
        for name in ("MetricName", "Period", "Statistic", "Threshold"):
            del anomaly[name]

        (facts,) = reader(FakeAws(DescribeAlarms=describes(anomaly))).alarms(["orders-5xx"])

        assert (facts.breaching_now, facts.period_s) == (None, 300)

    def test_a_composite_alarm(self) -> None:
        """A composite alarm names its children and looks back as far as the longest of them, however deep."""
        inner = composite("inner", "ALARM(slow) OR ALARM(orders-5xx)")
        outer = composite("outer", 'ALARM("inner") AND NOT ALARM(missing)')
        slow = alarm("slow", Period=300, EvaluationPeriods=2)
        aws = FakeAws(DescribeAlarms=describes(alarm(), slow, composites=[inner, outer]))

        (facts,) = reader(aws).alarms(["outer"])

        assert facts.composite
        assert facts.children == ("inner", "missing")
        assert (facts.period_s, facts.evaluation_periods) == (300, 2)
        assert facts.breaching_now is None
        assert facts.since == NOW

    def test_composites_in_a_circle(self) -> None:
        """Composite alarms that name each other end the search."""
        one, two = composite("one", "ALARM(two)"), composite("two", "ALARM(one)")
        facts, _ = reader(FakeAws(DescribeAlarms=describes(composites=[one, two]))).alarms(["one", "two"])
        assert facts.window_s == 60

    @pytest.mark.parametrize(
        "replies",
        [
            {"DescribeAlarms": refusal("AccessDenied", status=403)},
            {"DescribeAlarms": describes(alarm()), "GetMetricData": refusal("Throttling")},
            {"DescribeAlarms": describes(alarm()), "GetMetricData": answers([1], status="Forbidden")},
        ],
    )
    def test_no_answer(self, replies: dict[str, Any]) -> None:
        """Alarms or metrics that cannot be read are ReadFailed, never quiet."""
        with pytest.raises(ReadFailed):
            reader(FakeAws(**replies)).alarms(["orders-5xx"])

    def test_no_names(self) -> None:
        """Asking for no alarms asks nothing: DescribeAlarms without names would answer with all there are."""
        assert reader(FakeAws()).alarms([]) == ()

    def test_a_percentile_is_judged_by_itself(self) -> None:
        """An alarm on the p95 asks for the p95: that the average is fine says nothing."""
        slow = alarm("slow", MetricName="TargetResponseTime", ExtendedStatistic="p95", Threshold=5.0)
        del slow["Statistic"]
        of = {"p95": 9.0, "Average": 1.0}

        def measured(parameters: Any) -> dict[str, Any]:
            (query,) = parameters["MetricDataQueries"]
            return dict(answers([of[query["MetricStat"]["Stat"]]] * 3)(parameters))

        for breaches in (True, False):
            (facts,) = reader(FakeAws(DescribeAlarms=describes(slow), GetMetricData=measured)).alarms(["slow"])
            assert facts.breaching_now is breaches
            of["p95"] = 4.9

    @mock_aws
    @pytest.mark.parametrize("dimensions", [[{"Name": "LoadBalancer", "Value": "app/shop/1"}], []])
    def test_on_an_alarm(self, dimensions: list[dict[str, str]]) -> None:
        """Against moto an alarm and the metric behind it are read as CloudWatch keeps them: also one of counted lines,
        which has no dimensions."""
        client = boto3.client("cloudwatch", region_name="eu-west-1")
        actions = record_actions(client)
        now = datetime.now(UTC)
        client.put_metric_alarm(
            AlarmName="orders-5xx",
            Namespace="Shop",
            MetricName="Errors",
            Dimensions=dimensions,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        client.put_metric_data(
            Namespace="Shop",
            MetricData=[{"MetricName": "Errors", "Dimensions": dimensions, "Timestamp": now - MINUTE, "Value": 5}],
        )
        actions.clear()

        (facts,) = CloudWatchReader(client, clock=FakeClock(now)).alarms(["orders-5xx"])

        assert facts.breaching_now is True
        assert actions == set(CALLS) - {"cloudwatch:DescribeAlarmHistory"}


@pytest.mark.parametrize(
    ("rule", "children"),
    [
        ("ALARM(a) OR OK(b)", ("a", "b")),
        ("ALARM(\"a b\") AND (NOT ALARM('c(1)') OR INSUFFICIENT_DATA(d))", ("a b", "c(1)", "d")),
        (r'ALARM("a \"b\"")', ('a "b"',)),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:000000000000:alarm:a:b)", ("a:b",)),
        ("ALARM ( a ) OR ALARM(a)", ("a",)),
        ("TRUE", ()),
        ("", ()),
    ],
)
def test_the_children_of_a_rule(rule: str, children: tuple[str, ...]) -> None:
    """An alarm rule names its children bare, quoted or by ARN; each counts once."""
    assert children_of({"AlarmRule": rule}) == children


class TestBreaching:
    @staticmethod
    def judge(values: dict[int, float], **changes: Any) -> bool | None:
        """Judge values by how many minutes ago their period began."""
        rule = Rule(
            **{
                "operator": "GreaterThanThreshold",
                "threshold": 10.0,
                "statistic": "Sum",
                "period_s": 60,
                "evaluation_periods": 3,
                "datapoints": 2,
                "missing": "missing",
                **changes,
            }
        )
        points = [(NOW.replace(second=0) - ago * MINUTE, value) for ago, value in values.items()]
        return breaching(rule, points, now=NOW)

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({1: 11, 2: 11, 3: 0}, True),
            ({1: 11, 2: 0, 3: 11}, True),
            ({1: 11, 2: 0, 3: 0}, False),
            ({1: 0, 2: 0, 3: 11, 4: 11}, False),
            ({1: 10, 2: 10, 3: 10}, False),
            ({3: 11, 4: 11, 5: 0}, True),
            ({4: 11, 5: 11}, None),
            ({}, None),
        ],
    )
    def test_m_of_n(self, values: dict[int, float], expected: bool | None) -> None:
        """M of the newest N periods must breach; data that is merely late counts, data that is old does not."""
        assert self.judge(values) is expected

    def test_the_running_period(self) -> None:
        """A breach in the period that is not over counts at once; a sum that is low there cannot hide one before it."""
        assert self.judge({0: 11, 1: 11, 2: 0}) is True
        assert self.judge({0: 1, 1: 11, 2: 0, 3: 11}) is True

    def test_an_unfinished_sum_is_not_low(self) -> None:
        """A count below its floor in a period that is not over may still rise, an average is one already."""
        low = {"operator": "LessThanThreshold", "evaluation_periods": 1, "datapoints": 1}
        assert self.judge({0: 1, 1: 50}, **low) is False
        assert self.judge({0: 1, 1: 50}, statistic="Minimum", **low) is True
        assert self.judge({0: 1}, **low) is None

    @pytest.mark.parametrize(
        ("missing", "none", "gap"),
        [("breaching", True, True), ("notBreaching", False, False), ("missing", None, False), ("ignore", None, False)],
    )
    def test_missing_data(self, missing: str, none: bool | None, gap: bool) -> None:
        """Missing data is what the alarm says it is: no healthy hosts reported at all may well mean none."""
        assert self.judge({}, missing=missing) is none
        assert self.judge({1: 11}, missing=missing) is gap
        assert self.judge({1: 0, 2: 0, 3: 0}, missing=missing) is False

    def test_no_such_comparison(self) -> None:
        """A comparison with a band is not made here."""
        assert self.judge({1: 99}, operator="GreaterThanUpperThreshold") is None


class TestSeries:
    QUERY = MetricsQuery(
        start=NOW - 30 * MINUTE,
        end=NOW,
        period_s=60,
        dimensions={
            Metric.REQUESTS: {"LoadBalancer": "app/shop/1", "TargetGroup": "targetgroup/orders/1"},
            Metric.HEALTHY_HOSTS: {"LoadBalancer": "app/shop/1", "TargetGroup": "targetgroup/orders/1"},
            Metric.CPU: {"ClusterName": "shop", "ServiceName": "orders"},
        },
    )

    def test_each_metric_in_its_own_way(self) -> None:
        """Counts are read as sums, hosts as the minimum, utilisation as the average: in one request, oldest first."""
        aws = FakeAws(GetMetricData=answers([3, 2, 1]))

        series = reader(aws).series(self.QUERY).metrics

        assert set(series) == {Metric.REQUESTS, Metric.HEALTHY_HOSTS, Metric.CPU}
        assert [value for _, value in series[Metric.CPU]] == [1, 2, 3]
        assert series[Metric.CPU][-1][0] == NOW.replace(second=0) - MINUTE
        (_, parameters) = aws.calls[0]
        asked = [query["MetricStat"] for query in parameters["MetricDataQueries"]]
        assert [(stat["Metric"]["Namespace"], stat["Metric"]["MetricName"], stat["Stat"]) for stat in asked] == [
            ("AWS/ApplicationELB", "RequestCount", "Sum"),
            ("AWS/ApplicationELB", "HealthyHostCount", "Minimum"),
            ("AWS/ECS", "CPUUtilization", "Average"),
        ]
        assert asked[2]["Metric"]["Dimensions"] == [
            {"Name": "ClusterName", "Value": "shop"},
            {"Name": "ServiceName", "Value": "orders"},
        ]

    def test_tasks_are_the_samples_of_their_cpu(self) -> None:
        """There is no metric for the number of tasks: each sends one sample of its CPU a minute."""
        aws = FakeAws(GetMetricData=answers([3]))
        query = replace(self.QUERY, dimensions={Metric.TASKS: {"ClusterName": "shop"}})

        assert [value for _, value in reader(aws).series(query).metrics[Metric.TASKS]] == [3]

        (asked,) = (query["MetricStat"] for query in aws.calls[0][1]["MetricDataQueries"])
        assert (asked["Metric"]["MetricName"], asked["Stat"]) == ("CPUUtilization", "SampleCount")

    def test_zones_are_read_in_the_same_request(self) -> None:
        """Requests and failures of each zone, with its name as one more dimension; hosts and CPU are not read so."""
        aws = FakeAws(GetMetricData=answers([3]))

        series = reader(aws).series(replace(self.QUERY, zones=("eu-west-1a", "eu-west-1b")))

        assert set(series.metrics) == set(self.QUERY.dimensions)
        assert {zone: set(metrics) for zone, metrics in series.by_zone.items()} == {
            "eu-west-1a": {Metric.REQUESTS},
            "eu-west-1b": {Metric.REQUESTS},
        }
        (_, parameters) = aws.calls[0]
        assert len(aws.calls) == 1
        assert parameters["MetricDataQueries"][-1]["MetricStat"]["Metric"]["Dimensions"][-1] == {
            "Name": "AvailabilityZone",
            "Value": "eu-west-1b",
        }

    def test_pages_are_put_together(self) -> None:
        """An answer in several pages gives one series; a metric without data an empty one."""

        def pages(parameters: Any) -> dict[str, Any]:
            at = NOW.replace(second=0)
            if "NextToken" in parameters:
                return {"MetricDataResults": [{"Id": "q0", "Timestamps": [at - 2 * MINUTE], "Values": [1.0]}]}
            first = {"Id": "q0", "StatusCode": "PartialData", "Timestamps": [at - MINUTE], "Values": [2.0]}
            return {"MetricDataResults": [first], "NextToken": "more"}

        series = reader(FakeAws(GetMetricData=pages)).series(self.QUERY).metrics

        assert [value for _, value in series[Metric.REQUESTS]] == [1.0, 2.0]
        assert series[Metric.CPU] == ()

    def test_nothing_asked(self) -> None:
        """No dimensions, no request."""
        assert reader(FakeAws()).series(replace(self.QUERY, dimensions={})).metrics == {}


class TestHistory:
    def test_when_an_alarm_went_off(self) -> None:
        """Changes to ALARM count, whether the details or the summary tells; changes to OK do not."""

        def item(minutes_ago: int, **said: str) -> dict[str, Any]:
            return {"AlarmName": "orders-5xx", "Timestamp": NOW - minutes_ago * MINUTE, **said}

        aws = FakeAws(
            DescribeAlarmHistory={
                "AlarmHistoryItems": [
                    item(5, HistoryData=json.dumps({"newState": {"stateValue": "OK"}})),
                    item(9, HistoryData=json.dumps({"newState": {"stateValue": "ALARM"}})),
                    item(30, HistoryData="cut {", HistorySummary="Alarm updated from OK to ALARM"),
                    item(40, HistorySummary="Alarm updated from ALARM to INSUFFICIENT_DATA"),
                ]
            }
        )

        facts = reader(aws).alarm_history(["orders-5xx"], since=NOW - 120 * MINUTE)

        assert facts.went_off == {"orders-5xx": (NOW - 9 * MINUTE, NOW - 30 * MINUTE)}
        (call,) = aws.calls
        assert call[0] == "cloudwatch:DescribeAlarmHistory"
        assert call[1]["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]

    def test_no_answer(self) -> None:
        """A history that cannot be read is unknown, and not one of a calm alarm."""
        with pytest.raises(ReadFailed):
            reader(FakeAws(DescribeAlarmHistory=refusal("ThrottlingException"))).alarm_history(["a"], since=NOW)
