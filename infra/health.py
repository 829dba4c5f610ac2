"""Who watches the responder: alarms on the responder itself, which go straight to the page topic."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

# As the functions emit it. A test holds the two together, because stacks do not import what is run.
METRICS_NAMESPACE = "EcsFirstResponder"
METRICS_SERVICE = "ecs-first-responder"
SIGNALS_REJECTED = "SignalsRejected"
CHECKS_NOT_MADE = "ChecksNotMade"


class Health(Construct):
    """Alarms for what no page would tell otherwise.

    A step that fails is paged by its execution; what is left are messages nobody could read, functions outside of any
    execution, executions that could not even page, a sweep that no longer runs, and synthetic checks that nobody makes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        pages: sns.ITopic,
        queues: Mapping[str, sqs.IQueue],
        unwatched: Mapping[str, lambda_.IFunction],
        machine: sfn.IStateMachine,
        sweep: lambda_.IFunction,
        sweep_every: Duration,
        check: lambda_.IFunction | None,
    ) -> None:
        super().__init__(scope, id)
        self._name = name
        self._action = actions.SnsAction(pages)
        for what, queue in queues.items():
            self._alarm(
                f"{what}-not-empty",
                f"{what}: messages lie in a dead-letter queue; read them, mend the cause, redrive",
                queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(5), statistic="Maximum"),
            )
        for what, function in unwatched.items():
            self._alarm(
                f"{what}-errors",
                f"The function {what} fails; see its log",
                function.metric_errors(period=Duration.minutes(5)),
            )
        self._alarm(
            "executions-failed",
            "An incident's execution failed; the sweep restarts it, its history says why",
            machine.metric_failed(period=Duration.minutes(5)),
        )
        self._alarm(
            "signals-rejected",
            "A message could not be read as a signal; the intake's log says why",
            _own(SIGNALS_REJECTED),
        )
        self._alarm(
            "sweep-silent",
            "The sweep has not run; lost executions and overdue leases stay as they are",
            sweep.metric_invocations(period=sweep_every),
            silent=True,
        )
        if check is not None:
            self._alarm(
                "checks-not-made",
                "Synthetic checks cannot be made, and their alarms see nothing; the log of the function check says why",
                _own(CHECKS_NOT_MADE),
                least=3,
            )
            self._alarm(
                "check-silent",
                "No synthetic check has been made; their alarms see nothing",
                check.metric_invocations(period=Duration.minutes(5)),
                silent=True,
            )

    def _alarm(
        self, what: str, description: str, metric: cloudwatch.IMetric, *, silent: bool = False, least: int = 1
    ) -> None:
        """At least so many of something within one period; with `silent`, none of it in three periods."""
        comparison = cloudwatch.ComparisonOperator
        missing = cloudwatch.TreatMissingData
        cloudwatch.Alarm(
            self,
            what.title().replace("-", ""),
            alarm_name=f"{self._name}-{what}",
            alarm_description=description,
            metric=metric,
            threshold=least,
            comparison_operator=(
                comparison.LESS_THAN_THRESHOLD if silent else comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            evaluation_periods=3 if silent else 1,
            treat_missing_data=missing.BREACHING if silent else missing.NOT_BREACHING,
        ).add_alarm_action(self._action)


def _own(name: str) -> cloudwatch.Metric:
    """What the functions count themselves."""
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": METRICS_SERVICE},
        statistic="Sum",
        period=Duration.minutes(5),
    )
