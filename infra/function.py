"""One Lambda function of the responder, with a role and a log group that are its own."""

from collections.abc import Mapping, Sequence

import jsii
from aws_cdk import Duration, RemovalPolicy, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IValidation

from infra.compliance import acknowledge, acknowledge_wildcards
from infra.permissions import Grant
from infra.shipment import Shipment

TIMEOUT_S = 60
"""Of every function but `digest`. One look at a service takes a few seconds; what has not answered by then will not."""

MEMORY_MB = 512

MANAGED_POLICIES_AT_MOST = 10
"""Policies attached to a role, unless an account has asked for more (IAM User Guide, "IAM and AWS STS quotas")."""

ROUNDS = frozenset({"sweep", "bake", "check"})
"""Functions that a clock wakes every few minutes: a trace of each round, 5 USD a million, would be most of what X-Ray
costs. Whatever calls them with a trace of its own has them in it."""


@jsii.implements(IValidation)
class _FitsIntoIam:
    """Whether IAM takes the role: what has no room in its own policy, CDK writes into managed ones."""

    def __init__(self, role: iam.Role) -> None:
        self._role = role

    def validate(self) -> list[str]:
        managed = sum(isinstance(child, iam.ManagedPolicy) for child in self._role.node.children)
        if managed <= MANAGED_POLICIES_AT_MOST:
            return []
        rights = f"its rights are {managed} managed policies, and IAM attaches {MANAGED_POLICIES_AT_MOST} to a role"
        advice = "deploy a second responder for a part of the playbooks, with -c name=… and -c playbooks=…"
        if Token.is_unresolved(Stack.of(self._role).account):
            advice += ", or say -c account=…, without which CDK takes every name for a long one"
        return [f"{rights}: {advice}"]


class ResponderFunction(Construct):
    """Runs `functions.handlers.<module>.handler`. It may do what `grants` say, and log, and trace."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        shipment: Shipment,
        module: str,
        grants: Sequence[Grant],
        environment: Mapping[str, str] | None = None,
        timeout_s: int = TIMEOUT_S,
    ) -> None:
        super().__init__(scope, id)
        name = f"{shipment.name}-{module}"
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{name}",
            retention=shipment.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        own_log = Grant(["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn])
        for grant in (own_log, *grants):
            grant.give(role)
        role.node.add_validation(_FitsIntoIam(role))
        # "*" is for the traces, which CDK adds.
        acknowledge_wildcards(role, ["*", *(resource for grant in grants for resource in grant.resources)])
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            handler=f"functions.handlers.{module}.handler",
            code=shipment.code,
            layers=list(shipment.layers),
            runtime=shipment.runtime,
            architecture=shipment.architecture,
            memory_size=MEMORY_MB,
            timeout=Duration.seconds(timeout_s),
            role=role,
            log_group=log_group,
            tracing=lambda_.Tracing.PASS_THROUGH if module in ROUNDS else lambda_.Tracing.ACTIVE,
            environment={
                "POWERTOOLS_LOG_LEVEL": "INFO",
                # Otherwise every start searches what is installed for plugins of Pydantic; there are none.
                "PYDANTIC_DISABLE_PLUGINS": "1",
                **({} if environment is None else environment),
            },
            # A running execution goes on calling the version it began with.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )

        acknowledge(
            self.function,
            "L1",
            "The runtime is the one the code is tested on and the layer is built for, not the newest",
        )

    @property
    def version_arn(self) -> str:
        """ARN of the published version of exactly this code and configuration."""
        return self.function.current_version.function_arn
