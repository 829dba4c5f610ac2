"""The alarms of one playbook: which metric shows which symptom."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions.domain.counts import NAMESPACE as RESPONDER_NAMESPACE
from functions.domain.logged import filter_pattern
from functions.domain.synthetic import EVERY_S, METRIC, NAMESPACE, dimensions
from functions.playbooks.schema import CheckAlarm, LogAlarm, NewAlarm, Playbook, Symptom

FEWEST_REQUESTS_PER_MINUTE = 10
"""With fewer requests one error is already a high rate, and no alarm."""

BEHIND_LOAD_BALANCER = frozenset({Symptom.ERROR_RATE, Symptom.ERRORS, Symptom.HEALTHY_HOSTS, Symptom.RESPONSE_TIME})
"""Symptoms that only a load balancer shows."""

LOG_NAMESPACE = f"{RESPONDER_NAMESPACE}/Logs"
"""Where the counted lines of services are; each metric has the name of its alarm."""

ELB = "AWS/ApplicationELB"
_LONGEST_DESCRIPTION = 1024
"""Characters that CloudWatch takes (API reference, PutMetricAlarm)."""
_BREACHING_WHEN_SILENT = frozenset({Symptom.HEALTHY_HOSTS})
"""A service without running tasks sends no such metric at all, and that is the worst case, not the best."""


@dataclass(frozen=True)
class FrontDoor:
    """The load balancer and target group of a service, as CloudWatch's dimensions name them: the ends of their ARNs."""

    load_balancer: str
    target_group: str


class ServiceAlarms(Construct):
    """One CloudWatch alarm for each symptom, log and check of the playbook; its changes of state go to the alarm topic.

    `front_door` and `log_group` may be None only when no alarm of the playbook needs a load balancer, or a log group.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        playbook: Playbook,
        front_door: FrontDoor | None,
        log_group: str | None,
        default_period_s: int,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        action = actions.SnsAction(topic)
        for alarm in new_alarms(playbook):
            match alarm:
                case CheckAlarm():
                    made = self._on_check(alarm, playbook)
                case LogAlarm():
                    made = self._on_log(alarm, playbook, log_group, default_period_s)
                case NewAlarm():
                    made = self._on_symptom(alarm, playbook, front_door, default_period_s)
            made.add_alarm_action(action)
            made.add_ok_action(action)
            made.add_insufficient_data_action(action)

    def _on_log(
        self, alarm: LogAlarm, playbook: Playbook, log_group: str | None, default_period_s: int
    ) -> cloudwatch.Alarm:
        period_s = default_period_s if alarm.period is None else alarm.period
        return self._made(alarm, f"log {alarm.log}", playbook, self._counted(alarm, period_s, playbook, log_group))

    def _on_symptom(
        self, alarm: NewAlarm, playbook: Playbook, front_door: FrontDoor | None, default_period_s: int
    ) -> cloudwatch.Alarm:
        period_s = default_period_s if alarm.period is None else alarm.period
        metric = symptom_metric(alarm, period_s, playbook, front_door)
        return self._made(
            alarm,
            alarm.symptom,
            playbook,
            metric,
            low=alarm.symptom is Symptom.HEALTHY_HOSTS,
            silence_breaches=alarm.symptom in _BREACHING_WHEN_SILENT,
        )

    def _made(
        self,
        alarm: NewAlarm | LogAlarm,
        about: str,
        playbook: Playbook,
        metric: cloudwatch.IMetric,
        *,
        low: bool = False,
        silence_breaches: bool = False,
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            _id(about),
            alarm_name=playbook.alarm_name(alarm),
            alarm_description=f"{about} of ECS service {playbook.ref}; watched by the first responder",
            metric=metric,
            threshold=alarm.threshold,
            comparison_operator=(
                cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
                if low
                else cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
            ),
            evaluation_periods=alarm.evaluation_periods,
            datapoints_to_alarm=alarm.datapoints,
            treat_missing_data=(
                cloudwatch.TreatMissingData.BREACHING if silence_breaches else cloudwatch.TreatMissingData.NOT_BREACHING
            ),
        )

    def _on_check(self, alarm: CheckAlarm, playbook: Playbook) -> cloudwatch.Alarm:
        """A minute without a data point is one in which the check could not be made: it counts neither way.

        With `notBreaching`, or with `ignore` where the alarm was OK, a check that nobody makes would be fine for ever;
        with `breaching` our own trouble would be the service's. With `missing` the alarm goes to INSUFFICIENT_DATA,
        which opens no incident and lets none recover. CloudWatch may go to ALARM for one failure among missing minutes;
        the look at the alarm's own metric does not bear that out, because it counts failures alone (CloudWatch User
        Guide, "Configuring how CloudWatch alarms treat missing data"; `functions/adapters/breaching.py`).
        """
        return cloudwatch.Alarm(
            self,
            f"Check-{alarm.check}",
            alarm_name=playbook.alarm_name(alarm),
            alarm_description=alarm.demands[:_LONGEST_DESCRIPTION],
            metric=plain(
                NAMESPACE, METRIC, "Maximum", dimensions(playbook.ref, alarm.check), Duration.seconds(EVERY_S)
            ),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=alarm.evaluation_periods,
            datapoints_to_alarm=alarm.datapoints,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
        )

    def _counted(self, alarm: LogAlarm, period_s: int, playbook: Playbook, log_group: str | None) -> cloudwatch.IMetric:
        """The lines that have the alarm's words, counted by the minute: a shorter period is taken as a minute.

        Source: CloudWatch Logs User Guide, "Creating metrics from log events using filters".
        """
        if log_group is None:
            raise ValueError(f"the alarm on log {alarm.log} of {playbook.ref} needs a log group")
        metric = plain(LOG_NAMESPACE, playbook.alarm_name(alarm), "Sum", {}, Duration.seconds(max(60, period_s)))
        logs.CfnMetricFilter(
            self,
            f"{_id(f'log {alarm.log}')}Lines",
            log_group_name=log_group,
            filter_pattern=filter_pattern(alarm.contains),
            metric_transformations=[
                logs.CfnMetricFilter.MetricTransformationProperty(
                    metric_namespace=metric.namespace,
                    metric_name=metric.metric_name,
                    metric_value="1",
                    # So that an alarm ends while the service writes other lines.
                    default_value=0,
                    unit="Count",
                )
            ],
        )
        return metric


def new_alarms(playbook: Playbook) -> tuple[NewAlarm | LogAlarm | CheckAlarm, ...]:
    """The alarms that a deployment of this playbook makes."""
    return tuple(alarm for alarm in playbook.alarms if isinstance(alarm, NewAlarm | LogAlarm | CheckAlarm))


def needs_front_door(playbook: Playbook) -> bool:
    return any(isinstance(alarm, NewAlarm) and alarm.symptom in BEHIND_LOAD_BALANCER for alarm in playbook.alarms)


def needs_log_group(playbook: Playbook) -> bool:
    return any(isinstance(alarm, LogAlarm) for alarm in playbook.alarms)


def _id(about: str) -> str:
    return about.title().replace("-", "").replace(" ", "")


def symptom_metric(
    alarm: NewAlarm, period_s: int, playbook: Playbook, front_door: FrontDoor | None
) -> cloudwatch.IMetric:
    symptom, period = alarm.symptom, Duration.seconds(period_s)
    if symptom not in BEHIND_LOAD_BALANCER:
        of_service = {"ClusterName": playbook.cluster, "ServiceName": playbook.service}
        if symptom is Symptom.TASKS:
            return running_tasks(of_service, period_s)
        name = "CPUUtilization" if symptom is Symptom.CPU else "MemoryUtilization"
        return plain("AWS/ECS", name, "Average", of_service, period)
    if front_door is None:
        raise ValueError(f"{symptom} of {playbook.ref} needs a load balancer")
    balancer = {"LoadBalancer": front_door.load_balancer}
    group = {**balancer, "TargetGroup": front_door.target_group}
    match symptom:
        case Symptom.ERRORS:
            return plain(ELB, "HTTPCode_Target_5XX_Count", "Sum", group, period)
        case Symptom.HEALTHY_HOSTS:
            return plain(ELB, "HealthyHostCount", "Minimum", group, period)
        case Symptom.RESPONSE_TIME:
            return plain(ELB, "TargetResponseTime", alarm.statistic or "Average", group, period)
        case _:
            return error_rate(balancer, group, period, period_s)


def error_rate(
    balancer: Mapping[str, str], group: Mapping[str, str], period: Duration, period_s: int
) -> cloudwatch.IMetric:
    """Without a healthy target the load balancer answers by itself: RequestCount leaves those requests out and
    HTTPCode_ELB_5XX_Count counts them, so they belong in the numerator and in the denominator.

    Source: Elastic Load Balancing User Guide, "CloudWatch metrics for your Application Load Balancer".
    """
    fewest = max(1, FEWEST_REQUESTS_PER_MINUTE * period_s // 60)
    return cloudwatch.MathExpression(
        label="5xx answers, % of requests",
        expression=(
            f"IF(FILL(requests,0)+FILL(balancer5xx,0)>={fewest},"
            "100*(FILL(target5xx,0)+FILL(balancer5xx,0))/(FILL(requests,0)+FILL(balancer5xx,0)),0)"
        ),
        using_metrics={
            "requests": plain(ELB, "RequestCount", "Sum", group, period),
            "target5xx": plain(ELB, "HTTPCode_Target_5XX_Count", "Sum", group, period),
            "balancer5xx": plain(ELB, "HTTPCode_ELB_5XX_Count", "Sum", balancer, period),
        },
        period=period,
    )


def running_tasks(of_service: Mapping[str, str], period_s: int) -> cloudwatch.IMetric:
    """Every running task sends its CPU once a minute, so that the samples of a minute are the running tasks.

    Source: ECS Developer Guide, "Amazon ECS CloudWatch metrics", service RUNNING task count. ECS sends nothing more
    often, so a shorter period is taken as a minute.
    """
    period_s = max(60, period_s)
    period = Duration.seconds(period_s)
    samples = plain("AWS/ECS", "CPUUtilization", "SampleCount", of_service, period)
    if period_s == 60:
        return samples
    return cloudwatch.MathExpression(
        label="running tasks", expression=f"samples/{period_s // 60}", using_metrics={"samples": samples}, period=period
    )


def plain(
    namespace: str,
    name: str,
    statistic: str,
    dimensions: Mapping[str, str],
    period: Duration,
    *,
    label: str | None = None,
) -> cloudwatch.Metric:
    """One metric. `label` is what people read beside it, instead of its name."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        statistic=statistic,
        dimensions_map=dict(dimensions),
        period=period,
        label=label,
    )
