"""What wakes the sweep and the functions `bake`, `check` and `digest`."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.domain.digests import Period
from functions.domain.heartbeat import EVERY_S as EVERY_HEARTBEAT_S
from functions.domain.heartbeat import RETURNS_WITHIN_S, RULE_SUFFIX
from functions.domain.secrets import CHANGING_CALLS, PARAMETER_WRITES, ROTATED
from functions.domain.synthetic import EVERY_S
from functions.domain.threats import LEAST_SEVERITY, ROLES
from infra.intake import pattern_chunks

SWEEP_EVERY = Duration.minutes(5)
BAKE_EVERY = Duration.minutes(1)
CHECK_EVERY = Duration.seconds(EVERY_S)

ASYNC_RETRIES = 2
LONGEST_ASYNC_WAIT = Duration.hours(6)
"""Both are Lambda's own, and written down because what is promised rests on them."""

DIGEST_AT: Mapping[Period, Mapping[str, str]] = {
    Period.DAILY: {"minute": "0", "hour": "6"},
    Period.WEEKLY: {"minute": "10", "hour": "6", "week_day": "MON"},
    Period.MONTHLY: {"minute": "20", "hour": "6", "day": "1"},
}
"""When each comes, in UTC: before the working day in Europe, and not all at once."""


class Schedule(Construct):
    """Calls the sweep every five minutes, and `bake` every minute, when a deployment of one of `service_arns` has
    completed, and when a secret or a parameter was changed, or the credentials of a role were used as an intruder
    would, whosever they are: only task definitions say whose. `check`, where there is one, is called every minute,
    and `digest` in the morning of each period of `digests`.

    EventBridge invokes them asynchronously, and Lambda itself repeats what failed, twice, after one and two minutes:
    what a target says of retries is only about handing the event over (Lambda Developer Guide, "How Lambda handles
    errors and retries with asynchronous invocation"). That is wanted, because every round begins by reading how far
    the last one came. What waits longer than until the next round is dropped, so that no hour of them is caught up
    with at once.

    `heartbeat` is where the heartbeat is sent, which the intake reads like every other message.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        sweep: lambda_.IFunction,
        bake: lambda_.IFunction,
        check: lambda_.IFunction | None,
        digest: lambda_.IFunction | None,
        digests: Sequence[Period],
        service_arns: Sequence[str],
        heartbeat: sqs.IQueue,
        name: str,
    ) -> None:
        super().__init__(scope, id)
        sweep.configure_async_invoke(retry_attempts=ASYNC_RETRIES, max_event_age=SWEEP_EVERY)
        # No event of a secret or of a finding comes again: these wait for as long as Lambda keeps them.
        bake.configure_async_invoke(retry_attempts=ASYNC_RETRIES, max_event_age=LONGEST_ASYNC_WAIT)
        if check is not None:
            # The next one is due before a second attempt would be made.
            check.configure_async_invoke(retry_attempts=0, max_event_age=CHECK_EVERY)
        if digest is not None:
            digest.configure_async_invoke(retry_attempts=ASYNC_RETRIES, max_event_age=LONGEST_ASYNC_WAIT)
        events.Rule(
            self,
            "Heartbeat",
            rule_name=f"{name}{RULE_SUFFIX}",
            description="A signal that has to come back: whether the responder works is known before it is needed",
            schedule=events.Schedule.rate(Duration.seconds(EVERY_HEARTBEAT_S)),
            targets=[targets.SqsQueue(heartbeat, max_event_age=Duration.seconds(RETURNS_WITHIN_S))],
        )
        if check is not None:
            events.Rule(
                self,
                "Check",
                description="Symptoms without a metric of their own are looked at from outside",
                schedule=events.Schedule.rate(CHECK_EVERY),
                targets=[targets.LambdaFunction(check, max_event_age=CHECK_EVERY)],
            )
        if digest is not None:
            self._digests(digest, digests)
        events.Rule(
            self,
            "Rule",
            description="Nothing depends on a message arriving: lost executions, overdue leases, alarms nobody told",
            schedule=events.Schedule.rate(SWEEP_EVERY),
            targets=[targets.LambdaFunction(sweep, max_event_age=SWEEP_EVERY)],
        )
        events.Rule(
            self,
            "Bake",
            description="A young release is watched until it is known to be good",
            schedule=events.Schedule.rate(BAKE_EVERY),
            targets=[targets.LambdaFunction(bake, max_event_age=BAKE_EVERY)],
        )
        # These do not come again: EventBridge hands them over for a day, which is its default.
        target = targets.LambdaFunction(bake)
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
        manager = "secretsmanager.amazonaws.com"
        changes = {
            # Told only where a trail logs management events (EventBridge User Guide, "AWS service events delivered via
            # AWS CloudTrail").
            "SecretsChanged": (
                "aws.secretsmanager",
                "AWS API Call via CloudTrail",
                {"eventSource": [manager], "eventName": list(CHANGING_CALLS)},
            ),
            "SecretsRotated": (
                "aws.secretsmanager",
                "AWS Service Event via CloudTrail",
                {"eventSource": [manager], "eventName": [ROTATED]},
            ),
            "ParametersChanged": ("aws.ssm", "Parameter Store Change", {"operation": list(PARAMETER_WRITES)}),
        }
        events.Rule(
            self,
            "RolesUsed",
            description="What GuardDuty finds about credentials of roles: whose they are only task definitions say",
            event_pattern=events.EventPattern(
                source=["aws.guardduty"],
                detail_type=["GuardDuty Finding"],
                detail={
                    "severity": [{"numeric": [">=", LEAST_SEVERITY]}],
                    "resource": {"accessKeyDetails": {"userType": list(ROLES)}},
                },
            ),
            targets=[target],
        )
        for name, (source, detail_type, detail) in changes.items():
            events.Rule(
                self,
                name,
                description="Tasks that read a secret before it was changed may be locked out from now on",
                event_pattern=events.EventPattern(source=[source], detail_type=[detail_type], detail=detail),
                targets=[target],
            )

    def _digests(self, digest: lambda_.IFunction, digests: Sequence[Period]) -> None:
        for period in digests:
            said = events.RuleTargetInput.from_object({"period": period.value})
            events.Rule(
                self,
                f"{period.value.title()}Digest",
                description=f"The {period.value} checklist is gone through, and people are told",
                schedule=events.Schedule.cron(**DIGEST_AT[period]),
                targets=[targets.LambdaFunction(digest, event=said)],
            )
