"""What a playbook makes of a service: its alarms, and where their dimensions come from."""

from typing import Any

import pytest
from aws_cdk import aws_logs as logs

from functions.domain.logged import filter_pattern
from functions.playbooks.schema import Symptom
from tests.infra.synthesis import Synthesis, Template

ORDERS = "ecs-first-responder-shop-orders"
BALANCER = {"Fn::GetAtt": ["FrontDoor", "LoadBalancer"]}
GROUP = {"Fn::GetAtt": ["FrontDoor", "TargetGroup"]}


@pytest.fixture(scope="module")
def orders(synthesis: Synthesis) -> Template:
    return synthesis.services[ORDERS]


def alarm(template: Template, symptom: str, of: str = "shop-orders") -> Any:
    _, properties = template.named("AWS::CloudWatch::Alarm", "AlarmName", f"responder-{of}-{symptom}")
    return properties


def dimensions(described: Any) -> dict[str, Any]:
    return {dimension["Name"]: dimension["Value"] for dimension in described["Dimensions"]}


def test_each_service_has_a_stack_of_its_own(synthesis: Synthesis) -> None:
    """One service that cannot be deployed keeps no other from it; a name CloudFormation refuses gets a hash."""
    assert set(synthesis.services) == {ORDERS, "ecs-first-responder-shop-pay-ments-4eba294a"}


def test_a_playbook_of_another_region_makes_nothing_here(synthesis: Synthesis) -> None:
    """Of a playbook's variants only those of the deployment's Region are taken."""
    assert all("us-east-1" not in template.path.read_text() for template in synthesis.templates)


def test_an_existing_alarm_is_not_made_again(orders: Template) -> None:
    """One alarm for each symptom and log, none for an alarm that exists."""
    names = {properties["AlarmName"] for properties in orders.resources("AWS::CloudWatch::Alarm").values()}
    assert names == {f"responder-shop-orders-{watched}" for watched in (*Symptom, "log-throttling-errors")}


def test_every_change_of_state_is_told(synthesis: Synthesis) -> None:
    """ALARM, OK and INSUFFICIENT_DATA all go to the alarm topic: recovery and silence are signals too."""
    for template in synthesis.services.values():
        for properties in template.resources("AWS::CloudWatch::Alarm").values():
            (topic,) = properties["AlarmActions"]
            assert "Alarms" in topic["Fn::ImportValue"]
            assert properties["OKActions"] == properties["InsufficientDataActions"] == [topic]


def test_the_error_rate_counts_what_the_load_balancer_answers_itself(orders: Template) -> None:
    """Without a healthy target there are no requests to targets: the balancer's own 5xx are errors and requests."""
    queries = {query["Id"]: query for query in alarm(orders, "error-rate")["Metrics"]}
    (expression,) = (query["Expression"] for query in queries.values() if "Expression" in query)
    assert error_rate(expression, requests=100, target5xx=4, balancer5xx=0) == 4
    assert error_rate(expression, requests=0, target5xx=0, balancer5xx=50) == 100
    assert error_rate(expression, requests=0, target5xx=0, balancer5xx=0) == 0
    stat = queries["balancer5xx"]["MetricStat"]
    assert stat["Metric"]["MetricName"] == "HTTPCode_ELB_5XX_Count"
    assert dimensions(stat["Metric"]) == {"LoadBalancer": BALANCER}, "ELB counts it by balancer alone"
    assert dimensions(queries["target5xx"]["MetricStat"]["Metric"]) == {"LoadBalancer": BALANCER, "TargetGroup": GROUP}


def test_one_error_among_few_requests_is_no_alarm(orders: Template) -> None:
    """A rate over a handful of requests says nothing."""
    (expression,) = (query["Expression"] for query in alarm(orders, "error-rate")["Metrics"] if "Expression" in query)
    assert error_rate(expression, requests=9, target5xx=9, balancer5xx=0) == 0
    assert error_rate(expression, requests=10, target5xx=9, balancer5xx=0) == 90


def error_rate(expression: str, **metrics: float) -> float:
    """Metric math in its own terms: CloudWatch's IF and FILL, and plain arithmetic."""

    def fill(value: float, _: float) -> float:
        return value

    condition, then, otherwise = split_arguments(expression.removeprefix("IF(").removesuffix(")"))
    scope = {"FILL": fill, **metrics}
    return float(eval(then, scope)) if eval(condition, scope) else float(otherwise)


def split_arguments(text: str) -> list[str]:
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def test_no_healthy_host_metric_is_the_worst_case(orders: Template) -> None:
    """A service without tasks sends no HealthyHostCount, so its absence breaches."""
    properties = alarm(orders, "healthy-hosts")
    assert properties["TreatMissingData"] == "breaching"
    assert (properties["Statistic"], properties["ComparisonOperator"], properties["Threshold"]) == (
        "Minimum",
        "LessThanThreshold",
        2,
    )
    assert dimensions(properties) == {"LoadBalancer": BALANCER, "TargetGroup": GROUP}


@pytest.mark.parametrize("symptom", ["error-rate", "errors", "response-time", "cpu", "memory"])
def test_silence_is_no_error(symptom: str, orders: Template) -> None:
    """Of every other metric, no data means no traffic and not trouble."""
    assert alarm(orders, symptom)["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("symptom", "metric", "statistic", "threshold"),
    [
        ("errors", ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"), "Sum", 30),
        ("cpu", ("AWS/ECS", "CPUUtilization"), "Average", 90),
        ("memory", ("AWS/ECS", "MemoryUtilization"), "Average", 90),
    ],
)
def test_a_symptom_is_one_metric_above_its_threshold(
    symptom: str, metric: tuple[str, str], statistic: str, threshold: float, orders: Template
) -> None:
    """Each of these symptoms is the metric that the runbooks name, with the playbook's threshold or its default."""
    properties = alarm(orders, symptom)
    assert (properties["Namespace"], properties["MetricName"]) == metric
    assert (properties["Statistic"], properties["ComparisonOperator"]) == (statistic, "GreaterThanThreshold")
    assert properties["Threshold"] == threshold


def test_the_response_time_has_the_percentile_that_the_playbook_says(orders: Template) -> None:
    """The time that 95 % of the requests keep to, with its threshold in seconds."""
    properties = alarm(orders, "response-time")
    assert (properties["Namespace"], properties["MetricName"]) == ("AWS/ApplicationELB", "TargetResponseTime")
    assert (properties["ExtendedStatistic"], properties["Threshold"]) == ("p95", 5)
    assert "Statistic" not in properties
    assert dimensions(properties) == {"LoadBalancer": BALANCER, "TargetGroup": GROUP}


def test_lines_are_counted_where_the_service_logs(orders: Template) -> None:
    """A filter on the log group of the task definition counts lines that have the words, and the alarm watches it."""
    ((_, counted),) = orders.resources("AWS::Logs::MetricFilter").items()
    assert counted["LogGroupName"] == {"Fn::GetAtt": ["LogGroup", "LogGroup"]}
    assert counted["FilterPattern"] == '?"ThrottlingException" ?"code=\\"429\\""'
    (metric,) = counted["MetricTransformations"]
    assert (metric["MetricValue"], metric["DefaultValue"], metric["Unit"]) == ("1", 0, "Count")

    properties = alarm(orders, "log-throttling-errors")
    assert (properties["Namespace"], properties["MetricName"]) == (metric["MetricNamespace"], metric["MetricName"])
    assert (properties["Namespace"], properties["MetricName"]) == (
        "EcsFirstResponder/Logs",
        "responder-shop-orders-log-throttling-errors",
    )
    assert (properties["Statistic"], properties["Period"], properties["Threshold"]) == ("Sum", 60, 25)
    assert (properties["ComparisonOperator"], properties["TreatMissingData"]) == (
        "GreaterThanThreshold",
        "notBreaching",
    )


def test_the_log_group_is_read_from_the_service(synthesis: Synthesis, orders: Template) -> None:
    """The same look-up that finds the load balancer finds the log group; an override is taken as it stands."""
    ((_, asked),) = orders.resources("Custom::EcsServiceLogGroup").items()
    assert {key: asked[key] for key in ("Region", "Cluster", "Service", "ServiceTimeout")} == {
        "Region": "eu-west-1",
        "Cluster": "shop",
        "Service": "orders",
        "ServiceTimeout": "300",
    }
    assert "Lookup" in asked["ServiceToken"]["Fn::ImportValue"]
    (payments,) = (template for name, template in synthesis.services.items() if name != ORDERS)
    assert payments.resources("Custom::EcsServiceLogGroup") == {}
    ((_, counted),) = payments.resources("AWS::Logs::MetricFilter").items()
    assert (counted["LogGroupName"], counted["FilterPattern"]) == ("/shop/payments", '"panic"')


@pytest.mark.parametrize(
    "words", [["ERROR"], ["Rate exceeded", 'a "quoted" one', "back\\slash", "%like a regex%", "-minus"]]
)
def test_words_are_quoted_as_the_cdk_quotes_them(words: list[str]) -> None:
    """The schema has to know how long a filter is, and writes what the library would write."""
    assert filter_pattern(words) == logs.FilterPattern.any_term(*words).log_pattern_string


def test_utilisation_is_the_services_own(orders: Template) -> None:
    """CPU and memory are read by cluster and service, which need no look-up."""
    assert dimensions(alarm(orders, "cpu")) == {"ClusterName": "shop", "ServiceName": "orders"}


def test_the_playbook_says_how_long_and_how_often(orders: Template) -> None:
    """Periods and M of N are the playbook's; without a word, the deployment's period and two of three."""
    told, untold = alarm(orders, "response-time"), alarm(orders, "errors")
    hosts = alarm(orders, "healthy-hosts")
    assert (told["Period"], untold["Period"]) == (300, 60)
    assert (untold["DatapointsToAlarm"], untold["EvaluationPeriods"]) == (2, 3)
    assert (hosts["DatapointsToAlarm"], hosts["EvaluationPeriods"]) == (2, 2)


def test_the_load_balancer_is_read_from_the_service(orders: Template) -> None:
    """Nobody writes ARNs into a playbook: the deployment asks the service, and does not wait an hour for the answer."""
    ((_, properties),) = orders.resources("Custom::EcsServiceFrontDoor").items()
    assert {key: properties[key] for key in ("Region", "Cluster", "Service", "ServiceTimeout")} == {
        "Region": "eu-west-1",
        "Cluster": "shop",
        "Service": "orders",
        "ServiceTimeout": "300",
    }
    assert "Lookup" in properties["ServiceToken"]["Fn::ImportValue"]


def test_overrides_win_without_a_look(synthesis: Synthesis) -> None:
    """With load balancer and target group in the playbook nothing is looked up."""
    (payments,) = (template for name, template in synthesis.services.items() if name != ORDERS)
    assert payments.resources("Custom::EcsServiceFrontDoor") == {}
    assert dimensions(alarm(payments, "errors", of="shop-pay_ments")) == {
        "LoadBalancer": "app/front/fedcba9876543210",
        "TargetGroup": "targetgroup/pay/0123456789abcdef",
    }
