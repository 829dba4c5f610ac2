"""What wakes the sweep."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

SWEEP_EVERY = Duration.minutes(5)


class SweepSchedule(Construct):
    """Calls the sweep every five minutes. A call that is lost is not repeated: the next one does the same."""

    def __init__(self, scope: Construct, id: str, *, sweep: lambda_.IFunction) -> None:
        super().__init__(scope, id)
        events.Rule(
            self,
            "Rule",
            description="Nothing depends on a message arriving: lost executions, overdue leases, alarms nobody told",
            schedule=events.Schedule.rate(SWEEP_EVERY),
            targets=[targets.LambdaFunction(sweep, retry_attempts=0)],
        )
