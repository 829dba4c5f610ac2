"""What wakes the sweep and the functions `bake`, `check` and `digest`."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from functions.domain.digests import Period
from functions.domain.secrets import CHANGING_CALLS, PARAMETER_WRITES, ROTATED
from functions.domain.synthetic import EVERY_S
from functions.domain.threats import LEAST_SEVERITY, ROLES
from infra.intake import pattern_chunks

SWEEP_EVERY = Duration.minutes(5)
BAKE_EVERY = Duration.minutes(1)
CHECK_EVERY = Duration.seconds(EVERY_S)

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

    A call that is lost is not repeated: the next one does the same, and a changed secret that hurts is told by alarms.
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
    ) -> None:
        super().__init__(scope, id)
        if check is not None:
            events.Rule(
                self,
                "Check",
                description="Symptoms without a metric of their own are looked at from outside",
                schedule=events.Schedule.rate(CHECK_EVERY),
                targets=[targets.LambdaFunction(check, retry_attempts=0)],
            )
        if digest is not None:
            self._digests(digest, digests)
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
                targets=[targets.LambdaFunction(digest, event=said, retry_attempts=0)],
            )
