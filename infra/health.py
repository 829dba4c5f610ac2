"""Who watches the responder: alarms on the responder itself, which go straight to the page topic."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from functions.domain.counts import NAMESPACE, SERVICE, Count
from functions.domain.heartbeat import LOST_AFTER_S

BEHIND_S = 600
"""How long a message may wait in the intake queue. One that fails is received again after six minutes."""

_PERIOD = Duration.minutes(5)


class Health(Construct):
    """Alarms for what no page would tell otherwise. Each says what it means and what to do about it.

    A step that fails is paged by its execution; what is left are messages nobody could read or take in, functions
    outside of any execution, executions that could not even page, calls that AWS throttles, temporary changes that
    nobody gives back, and silence: of the sweep, of the checks, and of the heartbeat, which goes the whole way and
    comes back.

    `unhealthy` are the names of those that mean that an alarm of a service may find nobody at work.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        pages: sns.ITopic,
        intake: sqs.IQueue,
        queues: Mapping[str, sqs.IQueue],
        unwatched: Mapping[str, lambda_.IFunction],
        on_the_way: Mapping[str, lambda_.IFunction],
        machine: sfn.IStateMachine,
        ledger: dynamodb.ITable,
        sweep: lambda_.IFunction,
        sweep_every: Duration,
        check: lambda_.IFunction | None,
        api: bool,
    ) -> None:
        """`unwatched` are functions outside of any execution, `on_the_way` those without which nobody hears of an
        incident."""
        super().__init__(scope, id)
        self._name = name
        self._action = actions.SnsAction(pages)
        self._region = Stack.of(self).region
        self.alarms: list[cloudwatch.Alarm] = []
        self.unhealthy: list[str] = []
        self._on_messages(intake, queues)
        for what, function in unwatched.items():
            self._alarm(
                f"{what}-errors",
                f"The function {what} fails. {_FAILS[what]} Why: {self._log_of(what)}",
                function.metric_errors(period=_PERIOD),
                unhealthy=what in ("intake", "sweep"),
            )
        for what, function in on_the_way.items():
            self._alarm(
                f"{what}-throttled",
                f"Lambda does not run {what}, without which nobody hears of an incident: the account's concurrency is "
                "used up, or somebody reserved 0 for it. See which: aws lambda get-function-concurrency "
                f"--function-name {name}-{what} --region {self._region}; aws lambda get-account-settings --region "
                f"{self._region}",
                function.metric_throttles(period=_PERIOD),
                unhealthy=True,
            )
        self._on_work(machine, ledger, pages)
        self._on_silence(sweep, sweep_every)
        if check is not None:
            self._on_checks(check)
        if api:
            self._alarm(
                "api-bugs",
                "The HTTP API answered a request with 500, because of a bug, or with 503, because the function read or "
                "trial failed. At the desk `responder` does the same. What was not foreseen: "
                f"{self._log_of('api')} --filter-pattern '\"not foreseen\"'",
                own(Count.BUGS_ANSWERED),
            )

    def _on_messages(self, intake: sqs.IQueue, queues: Mapping[str, sqs.IQueue]) -> None:
        for what, queue in queues.items():
            self._alarm(
                f"{what}-not-empty",
                f"Messages lie in the queue {queue.queue_name}; nobody works on what they tell, but for alarms, which "
                "the sweep finds. Some may be broken, or of a shape that AWS did not send before: "
                f"{self._log_of('intake')} --filter-pattern '\"message rejected\"'. Read them, "
                "mend the cause, then redrive: aws sqs start-message-move-task "
                f"--source-arn {queue.queue_arn} --destination-arn {intake.queue_arn} --region {self._region}. What "
                "comes twice is recognised.",
                queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum"),
            )
        self._alarm(
            "intake-behind",
            f"A message has waited {BEHIND_S // 60} minutes to be taken in: incidents begin late, or not at all. The "
            "sweep finds alarms within five minutes, nothing else. Look after the services yourself until it is "
            f"mended. Why: {self._log_of('intake')}",
            intake.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="Maximum"),
            least=BEHIND_S,
            unhealthy=True,
        )
        self._alarm(
            "signals-not-taken",
            "Messages can be read, and not be taken in: the table cannot be reached or written, or no execution can be "
            "started. Look after the services yourself until it is mended. The queue keeps them; each is tried five "
            f"times, half an hour long. Why: {self._log_of('intake')}",
            own(Count.SIGNALS_NOT_TAKEN),
            unhealthy=True,
        )

    def _on_work(self, machine: sfn.IStateMachine, ledger: dynamodb.ITable, pages: sns.ITopic) -> None:
        found = f"aws stepfunctions list-executions --state-machine-arn {machine.state_machine_arn}"
        self._alarm(
            "executions-failed",
            "An execution failed, and stopped working on its incident. A page says at which step. The sweep starts it "
            f"anew within six minutes; if this comes again, `responder take` the incident and lead it. Which: {found} "
            f"--status-filter FAILED --max-items 5 --region {self._region}. If it is TooManyRequestsException, "
            f"Lambda's concurrency is used up: aws lambda get-account-settings --region {self._region}",
            machine.metric_failed(period=_PERIOD),
            unhealthy=True,
        )
        self._alarm(
            "executions-throttled",
            "Step Functions throttles the state machine: incidents go on, slowly. Most often something else in the "
            f"account uses its quota of state transitions up. Which run: {found} --status-filter RUNNING --region "
            f"{self._region}",
            machine.metric_throttled(period=_PERIOD),
        )
        for kind in ("Read", "Write"):
            self._alarm(
                f"ledger-{kind.lower()}s-throttled",
                f"DynamoDB throttles {kind.lower()}s of the table {ledger.table_name}. Each is tried again, and what "
                "still fails is told by other alarms. Nobody else should use this table; an on-demand limit would do "
                f"it, too: aws dynamodb describe-table --table-name {ledger.table_name} --region {self._region}",
                cloudwatch.Metric(
                    namespace="AWS/DynamoDB",
                    metric_name=f"{kind}ThrottleEvents",
                    dimensions_map={"TableName": ledger.table_name},
                    statistic="Sum",
                    period=_PERIOD,
                ),
                least=10,
            )
        self._alarm(
            "leases-overdue",
            "Something temporary was not given back half an hour after its end: a floor, a ceiling, a target, a mute "
            "or a block. Which, and how to do it by hand, is in the incident: responder incidents --since 7d, "
            "responder show ID",
            own(Count.LEASES_OVERDUE, statistic="Maximum"),
            periods=2,
        )
        self._alarm(
            "pages-undelivered",
            "A subscriber of the page topic did not take a page, most often a URL that answers with an error. Whom: "
            f"aws sns list-subscriptions-by-topic --topic-arn {pages.topic_arn} --region {self._region}",
            cloudwatch.Metric(
                namespace="AWS/SNS",
                metric_name="NumberOfNotificationsFailed",
                dimensions_map={"TopicName": pages.topic_name},
                statistic="Sum",
                period=_PERIOD,
            ),
        )

    def _on_silence(self, sweep: lambda_.IFunction, sweep_every: Duration) -> None:
        self._alarm(
            "heartbeat-lost",
            f"No heartbeat has come back in time for {LOST_AFTER_S // 60} minutes: something between the queue and the "
            "archive is down, and incidents may not be carried. Look after the services yourself. Where it stopped: "
            f"{self._log_of('intake')}; then the same for assess and close",
            own(Count.HEARTBEAT_SECONDS, statistic="SampleCount", period=Duration.seconds(LOST_AFTER_S)),
            silent=True,
            periods=1,
            unhealthy=True,
        )
        self._alarm(
            "sweep-silent",
            "The sweep has not run for a quarter of an hour: lost executions and overdue leases stay as they are, and "
            "alarms whose message was lost open nothing. Run it: aws lambda invoke --function-name "
            f"{self._name}-sweep --region {self._region} /dev/stdout; then look whether its rule is enabled",
            sweep.metric_invocations(period=sweep_every),
            silent=True,
            periods=3,
            unhealthy=True,
        )

    def _on_checks(self, check: lambda_.IFunction) -> None:
        self._alarm(
            "checks-not-made",
            "Synthetic checks cannot be made, and their alarms see nothing. Most often a secret is gone, or its key "
            f"may not be used. Which, and why: {self._log_of('check')} --filter-pattern '\"check not made\"'",
            own(Count.CHECKS_NOT_MADE),
            least=3,
        )
        self._alarm(
            "check-silent",
            "No synthetic check has been made for a quarter of an hour; their alarms see nothing. Run it: aws lambda "
            f"invoke --function-name {self._name}-check --region {self._region} /dev/stdout; then look whether its "
            "rule is enabled",
            check.metric_invocations(period=_PERIOD),
            silent=True,
            periods=3,
        )

    def _log_of(self, function: str) -> str:
        return f"aws logs tail /aws/lambda/{self._name}-{function} --since 30m --region {self._region}"

    def _alarm(
        self,
        what: str,
        description: str,
        metric: cloudwatch.IMetric,
        *,
        silent: bool = False,
        least: int = 1,
        periods: int = 1,
        unhealthy: bool = False,
    ) -> None:
        """At least so many of something in each of so many periods; with `silent`, none of it in any of them."""
        comparison = cloudwatch.ComparisonOperator
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            what.title().replace("-", ""),
            alarm_name=f"{self._name}-{what}",
            alarm_description=description,
            metric=metric,
            threshold=least,
            comparison_operator=(
                comparison.LESS_THAN_THRESHOLD if silent else comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            evaluation_periods=periods,
            treat_missing_data=missing.BREACHING if silent else missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        self.alarms.append(alarm)
        if unhealthy:
            self.unhealthy.append(alarm.alarm_name)


_FAILS: Mapping[str, str] = {
    "intake": "Messages wait in the queue, for four days at most. Look after the services yourself.",
    "sweep": "Lambda tries twice more, and the next round does the same work.",
    "bake": "Young releases are not watched; the next round does the same. No event of a secret comes again, and after "
    "three attempts it is lost: if tasks read one that was changed lately, responder redeploy CLUSTER/SERVICE "
    "--reason '...'.",
    "report": "An incident has no report; `responder report` makes one of the trail.",
    "check": "The alarms of synthetic checks see nothing.",
    "digest": "Nobody gets the digest; `responder digest` prints it.",
    "api": "The HTTP API does not answer; at the desk `responder` does the same.",
}
"""What it means that a function fails."""


def own(count: Count, *, statistic: str = "Sum", period: Duration = _PERIOD) -> cloudwatch.Metric:
    """What the functions count themselves."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=count,
        dimensions_map={"service": SERVICE},
        statistic=statistic,
        period=period,
    )


def alarm_rule(any_of: Sequence[str]) -> str:
    """The rule of a composite alarm that is in ALARM while one of these is (CloudWatch API reference,
    PutCompositeAlarm: names in quotes, with a backslash before quotes in them)."""
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in any_of)
    return " OR ".join(f'ALARM("{name}")' for name in quoted)
