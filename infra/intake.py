"""How signals come in: one queue, fed by the alarm topic, by EventBridge rules, and by alarms that call a function."""

import json
from collections.abc import Iterator, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.domain.services import ServiceRef
from functions.domain.signals import HEALTH_CHECK_FAILED, HEALTH_ISSUE, SELF_STOPPED, STOPPED_BY_SCHEDULER
from functions.domain.threats import LEAST_SEVERITY
from infra.compliance import acknowledge
from infra.function import TIMEOUT_S
from infra.permissions import Grant

MAX_RECEIVES = 5
"""A message that fails this often goes to the dead-letter queue."""

_LONGEST_PATTERN = 2_048
"""Characters of an event pattern (EventBridge User Guide, quotas)."""

_STOPPED_BY_ITSELF = {
    "lastStatus": ["STOPPED"],
    "$or": [
        {"stopCode": sorted(SELF_STOPPED)},
        {"stopCode": [STOPPED_BY_SCHEDULER], "stoppedReason": [{"prefix": HEALTH_CHECK_FAILED}]},
    ],
}
"""What a signal asks of a task, as an event pattern."""

_ROOM_OF_STOPPED_TASKS = 800
"""Characters of the pattern for stopped tasks beside their groups: a cluster's ARN alone may have 300."""


class Intake(Construct):
    """The queue and everything that leads into it; `connect` gives it a reader.

    `existing_alarms` are alarms that playbooks name but did not make: EventBridge tells their state changes, so that
    nobody has to add an action to them. Alarms made here arrive by the topic. `services` are those of the playbooks,
    of which tasks that stop by themselves are told, and findings of GuardDuty in their clusters. `aws_services` are
    what these services stand on, as AWS Health writes it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        alarm_topic: sns.ITopic,
        existing_alarms: Sequence[str],
        services: Sequence[ServiceRef],
        aws_services: Sequence[str],
    ) -> None:
        super().__init__(scope, id)
        self.dead_letters = self._queue("DeadLetters", f"{name}-intake-dead-letters", retention=Duration.days(14))
        self.undelivered = self._queue("Undelivered", f"{name}-undelivered", retention=Duration.days(14))
        for queue in (self.dead_letters, self.undelivered):
            acknowledge(queue, "SQS3", "This is a dead-letter queue itself")
        self.queue = self._queue(
            "Queue",
            f"{name}-intake",
            # AWS Lambda Developer Guide, "Using Lambda with Amazon SQS": at least six times the function's time-out.
            visibility=Duration.seconds(6 * TIMEOUT_S),
            retention=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES),
        )
        alarm_topic.add_subscription(subscriptions.SqsSubscription(self.queue, dead_letter_queue=self.undelivered))
        target = targets.SqsQueue(self.queue, dead_letter_queue=self.undelivered)
        for number, names in enumerate(pattern_chunks(existing_alarms), start=1):
            events.Rule(
                self,
                f"ExistingAlarms{number}",
                description="Alarms that playbooks name and others made",
                event_pattern=events.EventPattern(
                    source=["aws.cloudwatch"],
                    detail_type=["CloudWatch Alarm State Change"],
                    detail={"alarmName": list(names)},
                ),
                targets=[target],
            )
        events.Rule(
            self,
            "Deployments",
            description="Every deployment: what runs now belongs in the release history, a failed one is an incident",
            event_pattern=events.EventPattern(source=["aws.ecs"], detail_type=["ECS Deployment State Change"]),
            targets=[target],
        )
        events.Rule(
            self,
            "ServiceErrors",
            description="Service actions of level ERROR",
            event_pattern=events.EventPattern(
                source=["aws.ecs"], detail_type=["ECS Service Action"], detail={"eventType": ["ERROR"]}
            ),
            targets=[target],
        )
        for number, (cluster, groups) in enumerate(self._groups(services), start=1):
            events.Rule(
                self,
                f"StoppedTasks{number}",
                description="Tasks that stopped by themselves, not those that were scaled in, interrupted or stopped",
                event_pattern=events.EventPattern(
                    source=["aws.ecs"],
                    detail_type=["ECS Task State Change"],
                    detail={"clusterArn": [cluster], "group": list(groups), **_STOPPED_BY_ITSELF},
                ),
                targets=[target],
            )

        events.Rule(
            self,
            "AwsHealth",
            description="Trouble and work of AWS itself, in what the services stand on",
            event_pattern=events.EventPattern(
                source=["aws.health"],
                detail_type=["AWS Health Event"],
                detail={
                    # A Region that is a backup is told of the trouble of others, too.
                    "eventRegion": [Stack.of(self).region],
                    "service": sorted(set(aws_services)),
                    "eventTypeCategory": [HEALTH_ISSUE, "scheduledChange"],
                },
            ),
            targets=[target],
        )
        events.Rule(
            self,
            "CostAnomalies",
            description="Cost Anomaly Detection, in its home Region",
            event_pattern=events.EventPattern(source=["aws.ce"], detail_type=["Anomaly Detected"]),
            targets=[target],
        )
        for number, clusters in enumerate(pattern_chunks(self._clusters(services)), start=1):
            events.Rule(
                self,
                f"Findings{number}",
                description="What GuardDuty finds in the clusters, from medium severity on",
                event_pattern=events.EventPattern(
                    source=["aws.guardduty"],
                    detail_type=["GuardDuty Finding"],
                    detail={
                        "severity": [{"numeric": [">=", LEAST_SEVERITY]}],
                        "resource": {"ecsClusterDetails": {"arn": list(clusters)}},
                    },
                ),
                targets=[target],
            )

    def _clusters(self, services: Sequence[ServiceRef]) -> list[str]:
        names = sorted({ref.cluster for ref in services})
        return [Stack.of(self).format_arn(service="ecs", resource="cluster", resource_name=name) for name in names]

    def _groups(self, services: Sequence[ServiceRef]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """ARN of a cluster with task groups of its services, no more than one pattern holds."""
        for cluster in sorted({ref.cluster for ref in services}):
            arn = Stack.of(self).format_arn(service="ecs", resource="cluster", resource_name=cluster)
            names = [f"service:{ref.service}" for ref in services if ref.cluster == cluster]
            for chunk in pattern_chunks(names, beside=_ROOM_OF_STOPPED_TASKS):
                yield arn, chunk

    def connect(self, *, reader: lambda_.Function, forwarder: lambda_.Function) -> None:
        """Let `reader` take from the queue, and let CloudWatch alarms of this account call `forwarder` directly."""
        # Not by `add_event_source`, which grants two actions more than Lambda needs (AWS Managed Policy Reference,
        # "AWSLambdaSQSQueueExecutionRole").
        taking = Grant(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], [self.queue.queue_arn])
        taking.give(reader)
        reader.add_event_source_mapping(
            "Messages",
            event_source_arn=self.queue.queue_arn,
            batch_size=10,
            report_batch_item_failures=True,
            max_concurrency=10,
        )
        # What it could not hand over after three attempts lies where EventBridge and SNS leave theirs: as the alarm
        # sent it, so that it can be redriven, and an alarm tells of it.
        handed = forwarder.node.default_child
        assert isinstance(handed, lambda_.CfnFunction)
        handed.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=self.undelivered.queue_arn)
        stack = Stack.of(self)
        forwarder.add_permission(
            "Alarms",
            principal=iam.ServicePrincipal("lambda.alarms.cloudwatch.amazonaws.com"),
            source_account=stack.account,
            source_arn=f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:alarm:*",
        )

    def _queue(
        self,
        id: str,
        name: str,
        *,
        retention: Duration,
        visibility: Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id,
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=retention,
            visibility_timeout=visibility,
            dead_letter_queue=dead_letter_queue,
        )


def pattern_chunks(names: Sequence[str], *, beside: int = 200) -> list[tuple[str, ...]]:
    """Split names or ARNs so that each part fits into one event pattern, with so many characters beside them."""
    room = _LONGEST_PATTERN - beside
    chunks: list[tuple[str, ...]] = []
    current: list[str] = []
    for name in sorted(set(names)):
        if current and len(json.dumps([*current, name])) > room:
            chunks.append(tuple(current))
            current = []
        current.append(name)
    return [*chunks, tuple(current)] if current else chunks
