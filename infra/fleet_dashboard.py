"""The dashboard of the fleet: is the responder well, and what does it do for all services together?

One for each deployment, on by default: an account has three dashboards for nothing, and pays 3 USD a month for each
further one (Amazon CloudWatch pricing); `-c fleet_dashboard=false` goes without. Those of single services are
`infra/service_dashboard.py`.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from functions.domain.counts import BY, NAMESPACE, Count
from functions.domain.heartbeat import EVERY_S, RETURNS_WITHIN_S
from infra.health import BEHIND_S, own
from infra.service_dashboard import WIDTH, Graph, line, rows

_HOUR = Duration.hours(1)
_FIVE_MINUTES = Duration.minutes(5)


class FleetDashboard(Construct):
    """One CloudWatch dashboard: the responder's own alarms first, then incidents and actions, then its parts."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        region: str,
        alarms: Sequence[cloudwatch.IAlarm],
        fleet_actions_per_hour: int,
        intake: sqs.IQueue,
        queues: Mapping[str, sqs.IQueue],
        functions: Mapping[str, lambda_.IFunction],
        on_the_way: Mapping[str, lambda_.IFunction],
        machine: sfn.IStateMachine,
        ledger: dynamodb.ITable,
    ) -> None:
        """`on_the_way` are the functions without which nobody hears of an incident."""
        super().__init__(scope, id)
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            # Dashboards belong to no Region.
            dashboard_name=f"{name}-{region}",
            default_interval=Duration.hours(24),
        )
        dashboard.add_widgets(
            cloudwatch.TextWidget(
                markdown=f"# {name}\n{region}. What a red alarm means, and what to do, is in its description. "
                "Incidents one by one: `responder incidents`.",
                width=WIDTH,
                height=2,
            )
        )
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="The responder itself", alarms=list(alarms), width=WIDTH, height=2 + (len(alarms) + 3) // 4
            )
        )
        for graphs in (
            _fleet(fleet_actions_per_hour),
            _coming_in(intake, queues),
            _parts(functions, on_the_way, machine, ledger),
        ):
            for row in rows(graphs):
                dashboard.add_widgets(*row)


def _fleet(fleet_actions_per_hour: int) -> list[Graph]:
    return [
        Graph(
            "Incidents an hour",
            [
                _count(Count.INCIDENTS_OPENED, "opened"),
                _count(Count.INCIDENTS_RESOLVED, "resolved"),
                _count(Count.PAGES_SENT, "paged"),
            ],
        ),
        Graph("Incidents open", [own(Count.INCIDENTS_OPEN, statistic="Maximum").with_(label="open")]),
        Graph(
            "Time to recover, s",
            [
                own(Count.RECOVERY_SECONDS, statistic=each, period=_HOUR).with_(label=each)
                for each in ("p50", "Maximum")
            ],
        ),
        Graph("Actions an hour, by kind", [_by(Count.ACTIONS_BEGUN)]),
        Graph(
            "Budget of the fleet: actions of the last hour",
            [own(Count.FLEET_ACTIONS, statistic="Maximum").with_(label="used")],
            lines=[line(fleet_actions_per_hour, "fleet_actions_per_hour", cloudwatch.Color.RED)],
        ),
        Graph("Noisy alarms: raised an hour", [_by(Count.ALARMS_RAISED)]),
    ]


def _coming_in(intake: sqs.IQueue, queues: Mapping[str, sqs.IQueue]) -> list[Graph]:
    return [
        Graph(
            "Heartbeats that came back in time, a quarter of an hour",
            [
                own(Count.HEARTBEAT_SECONDS, statistic="SampleCount", period=Duration.seconds(EVERY_S)).with_(
                    label="returned"
                )
            ],
        ),
        Graph(
            "Heartbeat: there and back, s",
            [own(Count.HEARTBEAT_SECONDS, statistic="Maximum").with_(label="took")],
            lines=[line(RETURNS_WITHIN_S, "too late", cloudwatch.Color.ORANGE)],
        ),
        Graph(
            "Oldest message in the intake queue, s",
            [intake.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_FIVE_MINUTES)],
            lines=[line(BEHIND_S, "alarm", cloudwatch.Color.RED)],
        ),
        Graph(
            "Signals an hour",
            [
                _count(Count.SIGNALS_RECORDED, "recorded"),
                _count(Count.SIGNALS_REJECTED, "rejected"),
                _count(Count.SIGNALS_NOT_TAKEN, "not taken in"),
            ],
        ),
        Graph(
            "Dead letters",
            [
                queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=_FIVE_MINUTES, label=what
                )
                for what, queue in queues.items()
            ],
        ),
        Graph("Temporary changes overdue", [own(Count.LEASES_OVERDUE, statistic="Maximum").with_(label="overdue")]),
    ]


def _parts(
    functions: Mapping[str, lambda_.IFunction],
    on_the_way: Mapping[str, lambda_.IFunction],
    machine: sfn.IStateMachine,
    ledger: dynamodb.ITable,
) -> list[Graph]:
    return [
        Graph(
            "Functions: errors",
            [each.metric_errors(period=_FIVE_MINUTES, label=what) for what, each in functions.items()],
        ),
        Graph(
            "Functions: throttled",
            [each.metric_throttles(period=_FIVE_MINUTES, label=what) for what, each in on_the_way.items()],
        ),
        Graph(
            "Executions",
            [
                machine.metric_started(period=_FIVE_MINUTES, label="started"),
                machine.metric_failed(period=_FIVE_MINUTES, label="failed"),
                machine.metric_throttled(period=_FIVE_MINUTES, label="throttled"),
            ],
        ),
        Graph(
            "Ledger: throttled",
            [
                cloudwatch.Metric(
                    namespace="AWS/DynamoDB",
                    metric_name=f"{kind}ThrottleEvents",
                    dimensions_map={"TableName": ledger.table_name},
                    statistic="Sum",
                    period=_FIVE_MINUTES,
                    label=f"{kind.lower()}s",
                )
                for kind in ("Read", "Write")
            ],
        ),
    ]


def _count(count: Count, label: str) -> cloudwatch.IMetric:
    return own(count, period=_HOUR).with_(label=label)


def _by(count: Count) -> cloudwatch.IMetric:
    """The ten largest of a metric with a second dimension, whose values are not known beforehand (CloudWatch User
    Guide, "Using search expressions in graphs")."""
    by = BY[count]
    search = f"SEARCH('{{{NAMESPACE},service,{by}}} MetricName=\"{count}\"', 'Sum', {_HOUR.to_seconds()})"
    return cloudwatch.MathExpression(
        expression=f"SLICE(SORT({search}, SUM, DESC), 0, 10)",
        using_metrics={},
        label="",
        period=_HOUR,
    )
