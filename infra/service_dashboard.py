"""The dashboard of one service: what its alarms watch, with their thresholds, and what it stands on.

A playbook asks for it by `dashboard: true`, because it is the people of that service who look at it, and because it may
cost: an account has three dashboards of up to fifty metrics for nothing, and pays 3 USD a month for each further one
(Amazon CloudWatch pricing). One for every playbook would be dearer than everything else the responder does while
nothing is wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from functions.diagnostics.gauges import gauge_of
from functions.domain.services import ServiceRef
from functions.domain.synthetic import EVERY_S, METRIC, NAMESPACE, dimensions
from functions.domain.watched import Watched, WatchedAlarm, WatchedDatabase, WatchedMetric, WatchedService
from functions.playbooks.schema import LogAlarm, NewAlarm, Playbook, Symptom
from functions.ports import Measure
from infra.service_alarms import ELB, LOG_NAMESPACE, FrontDoor, error_rate, plain, running_tasks

PERIOD_S = 60
_ABREAST = 3
WIDTH = 24
"""Columns of a dashboard (CloudWatch User Guide, "Dashboard body structure and syntax")."""

_ALARM, _TARGET = cloudwatch.Color.RED, cloudwatch.Color.ORANGE
_TIMES, _SIZES, _PERCENTS = (" s", " ms", " us"), " bytes", " percent"
"""How the names of measures end that are not counts (`functions/diagnostics/gauges.py`)."""


@dataclass(frozen=True)
class Graph:
    """One graph, before its place is known."""

    title: str
    metrics: Sequence[cloudwatch.IMetric]
    lines: Sequence[cloudwatch.HorizontalAnnotation] = ()
    most: float | None = None

    def widget(self, *, width: int) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=self.title,
            left=list(self.metrics),
            left_annotations=list(self.lines),
            left_y_axis=cloudwatch.YAxisProps(min=0, max=self.most, show_units=False),
            width=width,
            height=6,
        )


class ServiceDashboard(Construct):
    """One CloudWatch dashboard. Without `front_door` it has nothing of a load balancer.

    A red line is the threshold of an alarm, an orange one a target of the playbook, which alarms nobody.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        playbook: Playbook,
        front_door: FrontDoor | None,
    ) -> None:
        super().__init__(scope, id)
        self._playbook = playbook
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=name, default_interval=Duration.hours(3))
        dashboard.add_widgets(self._heading())
        if playbook.alarms or any(isinstance(each, WatchedAlarm) for each in playbook.dependencies):
            dashboard.add_widgets(self._alarms())
        groups = [
            [] if front_door is None else self._requests(front_door),
            self._tasks(),
            [*self._checks(), *self._log()],
            [graph for each in playbook.dependencies for graph in self._dependency(each)],
        ]
        for graphs in groups:
            for row in rows(graphs):
                dashboard.add_widgets(*row)

    def _heading(self) -> cloudwatch.TextWidget:
        ref = self._playbook.ref
        return cloudwatch.TextWidget(
            markdown=(
                f"# {ref.service}\nCluster {ref.cluster}, {ref.region}. "
                "**Red** lines are thresholds of alarms, **orange** ones targets that alarm nobody."
            ),
            width=WIDTH,
            height=2,
        )

    def _alarms(self) -> cloudwatch.AlarmStatusWidget:
        """By name, so that those which others made are there, too."""
        watched = (each.alarm for each in self._playbook.dependencies if isinstance(each, WatchedAlarm))
        names = dict.fromkeys((*self._playbook.alarm_names, *watched))
        arns = [
            Stack.of(self).format_arn(
                service="cloudwatch",
                resource="alarm",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for name in names
        ]
        return cloudwatch.AlarmStatusWidget(
            title="Alarms",
            alarms=[cloudwatch.Alarm.from_alarm_arn(self, f"Alarm{number}", arn) for number, arn in enumerate(arns)],
            width=WIDTH,
            height=2 + (len(arns) + 3) // 4,
        )

    def _requests(self, front: FrontDoor) -> list[Graph]:
        balancer = {"LoadBalancer": front.load_balancer}
        group = {**balancer, "TargetGroup": front.target_group}
        period = Duration.seconds(PERIOD_S)

        def of_group(metric: str, statistic: str, *, label: str | None = None) -> cloudwatch.Metric:
            return plain(ELB, metric, statistic, group, period, label=label)

        targets = self._playbook.targets
        statistics = dict.fromkeys(("p95", *self._response_statistics()))
        return [
            Graph("Requests a minute", [of_group("RequestCount", "Sum")]),
            Graph(
                "Errors, % of requests",
                [error_rate(balancer, group, period, PERIOD_S)],
                lines=[*self._lines(Symptom.ERROR_RATE), _target(targets.error_percent, "target")],
            ),
            Graph(
                "5xx answers a minute",
                [
                    of_group("HTTPCode_Target_5XX_Count", "Sum"),
                    plain(ELB, "HTTPCode_ELB_5XX_Count", "Sum", balancer, period),
                ],
                lines=self._lines(Symptom.ERRORS),
            ),
            Graph(
                "Response time, s",
                [of_group("TargetResponseTime", statistic, label=statistic) for statistic in statistics],
                lines=[*self._lines(Symptom.RESPONSE_TIME), _target(targets.p95_s, "target, p95")],
            ),
            Graph(
                "Targets",
                [of_group("HealthyHostCount", "Minimum"), of_group("UnHealthyHostCount", "Maximum")],
                lines=self._lines(Symptom.HEALTHY_HOSTS),
            ),
        ]

    def _response_statistics(self) -> list[str]:
        return [alarm.statistic or "Average" for alarm in self._of(Symptom.RESPONSE_TIME)]

    def _tasks(self) -> list[Graph]:
        service = {"ClusterName": self._playbook.cluster, "ServiceName": self._playbook.service}
        period = Duration.seconds(PERIOD_S)
        targets, limits = self._playbook.targets, self._playbook.limits
        return [
            Graph(
                "CPU, %",
                [plain("AWS/ECS", "CPUUtilization", "Average", service, period)],
                lines=[*self._lines(Symptom.CPU), _target(targets.cpu_percent, "target")],
                most=100,
            ),
            Graph(
                "Memory, %",
                [plain("AWS/ECS", "MemoryUtilization", "Average", service, period)],
                lines=[*self._lines(Symptom.MEMORY), _target(targets.memory_percent, "target")],
                most=100,
            ),
            Graph(
                "Running tasks",
                [_running(service)],
                lines=[*self._lines(Symptom.TASKS), _target(limits.max_tasks, "max_tasks")],
            ),
        ]

    def _checks(self) -> Iterator[Graph]:
        checks, ref = self._playbook.synthetic_checks, self._playbook.ref
        if checks:
            failed = [_check(ref, check.check) for check in checks]
            yield Graph("Checks: 0 is fine, 1 failed", failed, most=1)

    def _log(self) -> Iterator[Graph]:
        alarms = [alarm for alarm in self._playbook.alarms if isinstance(alarm, LogAlarm)]
        if alarms:
            period = Duration.seconds(PERIOD_S)
            counted = [
                plain(LOG_NAMESPACE, self._playbook.alarm_name(alarm), "Sum", {}, period, label=alarm.log)
                for alarm in alarms
            ]
            yield Graph("Lines in the log a minute", counted, lines=[_alarmed(alarm) for alarm in alarms])

    def _dependency(self, watched: Watched) -> list[Graph]:
        """What the responder itself looks at, by unit: bytes beside percents would leave a flat line of the latter. An
        alarm is among the alarms, and what is only asked over HTTP has no metric."""
        if isinstance(watched, WatchedService):
            ref = watched.ref(self._playbook.ref)
            service = {"ClusterName": ref.cluster, "ServiceName": ref.service}
            return [Graph(f"{watched.name}: running tasks", [_running(service)])]
        gauge = gauge_of(watched)
        if gauge is None:
            return []
        measures = {name: _measured(name, measure) for name, measure in gauge.measures.items()}
        times = [metric for name, metric in measures.items() if name.endswith(_TIMES)]
        sizes = [metric for name, metric in measures.items() if name.endswith(_SIZES)]
        percents = [metric for name, metric in measures.items() if name.endswith(_PERCENTS)]
        counts = [m for m in measures.values() if m not in times and m not in sizes and m not in percents]
        limits = list(_limits(watched, self._playbook.targets.database_cpu_percent))
        in_percent = [line for of_percents, line in limits if of_percents]
        of_counts = [line for of_percents, line in limits if not of_percents]
        graphs: tuple[tuple[str, list[cloudwatch.IMetric], list[cloudwatch.HorizontalAnnotation]], ...] = (
            ("", counts, of_counts),
            (", %", percents, in_percent),
            (", time", times, []),
            (", bytes", sizes, []),
        )
        return [Graph(f"{watched.name}{unit}", metrics, lines=lines) for unit, metrics, lines in graphs if metrics]

    def _of(self, symptom: Symptom) -> list[NewAlarm]:
        return [each for each in self._playbook.alarms if isinstance(each, NewAlarm) and each.symptom is symptom]

    def _lines(self, symptom: Symptom) -> list[cloudwatch.HorizontalAnnotation]:
        return [_alarmed(alarm) for alarm in self._of(symptom)]


def _check(ref: ServiceRef, check: str) -> cloudwatch.Metric:
    period = Duration.seconds(EVERY_S)
    return plain(NAMESPACE, METRIC, "Maximum", dimensions(ref, check), period, label=check)


def _running(service: Mapping[str, str]) -> cloudwatch.IMetric:
    """As the alarm on tasks counts them, under a name that says so."""
    counted = running_tasks(service, PERIOD_S)
    return counted.with_(label="running tasks") if isinstance(counted, cloudwatch.Metric) else counted


def _measured(name: str, measure: Measure) -> cloudwatch.IMetric:
    period = Duration.seconds(measure.period_s)
    if not measure.summed_over:
        return plain(measure.namespace, measure.metric, measure.statistic, measure.dimensions, period, label=name)
    return cloudwatch.MathExpression(expression=measure.expression, using_metrics={}, label=name, period=period)


def _limits(watched: Watched, database_cpu: float) -> Iterator[tuple[bool, cloudwatch.HorizontalAnnotation]]:
    """The limits of the playbook, each with whether it is one of percents."""
    match watched:
        case WatchedDatabase():
            yield True, line(watched.cpu_percent, "slow from here", _ALARM)
            yield True, _target(database_cpu, "target")
            if watched.connections is not None:
                yield False, line(watched.connections, "connections", _ALARM)
        case WatchedMetric():
            limit = watched.metric.above if watched.metric.above is not None else watched.metric.below
            if limit is not None:
                yield False, line(limit, "limit", _ALARM)
        case _:
            return


def rows(drawn: Sequence[Graph]) -> Iterator[list[cloudwatch.IWidget]]:
    """Side by side over the whole width, three at most in one line."""
    for start in range(0, len(drawn), _ABREAST):
        line = drawn[start : start + _ABREAST]
        yield [graph.widget(width=WIDTH // len(line)) for graph in line]


def _alarmed(alarm: NewAlarm | LogAlarm) -> cloudwatch.HorizontalAnnotation:
    said = f"alarm: {alarm.log}" if isinstance(alarm, LogAlarm) else "alarm"
    if isinstance(alarm, NewAlarm) and alarm.symptom is Symptom.RESPONSE_TIME:
        said += f", {alarm.statistic or 'Average'}"
    return line(alarm.threshold, said, _ALARM)


def _target(value: float, said: str) -> cloudwatch.HorizontalAnnotation:
    return line(value, said, _TARGET)


def line(value: float, said: str, color: str) -> cloudwatch.HorizontalAnnotation:
    return cloudwatch.HorizontalAnnotation(value=value, label=said, color=color)
