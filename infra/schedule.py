"""What wakes the sweep and the watch over young releases."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.intake import pattern_chunks

SWEEP_EVERY = Duration.minutes(5)
BAKE_EVERY = Duration.minutes(1)


class Schedule(Construct):
    """Calls the sweep every five minutes, and the watch over releases every minute and when a deployment of one of
    `service_arns` has completed.

    A call that is lost is not repeated: the next one does the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        sweep: lambda_.IFunction,
        bake: lambda_.IFunction,
        service_arns: Sequence[str],
    ) -> None:
        super().__init__(scope, id)
        events.Rule(
            self,
            "Rule",
            description="Nothing depends on a message arriving: lost executions, overdue leases, alarms nobody told",
            schedule=events.Schedule.rate(SWEEP_EVERY),
            targets=[targets.LambdaFunction(sweep, retry_attempts=0)],
        )
        target = targets.LambdaFunction(bake, retry_attempts=0)
        events.Rule(
            self,
            "Bake",
            description="A young release is watched until it is known to be good",
            schedule=events.Schedule.rate(BAKE_EVERY),
            targets=[target],
        )
        for number, arns in enumerate(pattern_chunks(service_arns), start=1):
            events.Rule(
                self,
                f"Completed{number}",
                description="A release that is in place belongs into the release history at once",
                event_pattern=events.EventPattern(
                    source=["aws.ecs"],
                    detail_type=["ECS Deployment State Change"],
                    resources=list(arns),
                    detail={"eventName": ["SERVICE_DEPLOYMENT_COMPLETED"]},
                ),
                targets=[target],
            )
