"""The state machine that carries one incident."""

from collections.abc import Mapping

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from functions.workflow.table import Function
from infra.channels import Channels
from infra.compliance import acknowledge, acknowledge_wildcards
from infra.function import TIMEOUT_S, ResponderFunction
from infra.permissions import Grant
from infra.workflow import definition


class IncidentMachine(Construct):
    """Compiled from the table. Its name is fixed so that it can be named before it is there."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        functions: Mapping[Function, ResponderFunction],
        channels: Channels,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, id)
        own_arn = machine_arn(self, name)
        body = definition(
            functions={function: carrier.version_arn for function, carrier in functions.items()},
            function_timeout_s=TIMEOUT_S,
            page_topic=channels.pages.topic_arn,
            state_machine=own_arn,
        )
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_string(Stack.of(self).to_json_string(body)),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                level=sfn.LogLevel.ERROR,
                include_execution_data=True,
                destination=logs.LogGroup(
                    self,
                    "Log",
                    # Step Functions Developer Guide: this prefix needs no line in the account's resource policy, whose
                    # size is limited.
                    log_group_name=f"/aws/vendedlogs/states/{name}",
                    retention=log_retention,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
            ),
        )
        for grant in (
            Grant(["lambda:InvokeFunction"], sorted({carrier.version_arn for carrier in functions.values()})),
            Grant(["states:StartExecution"], [own_arn]),
            *channels.page_grants(),
        ):
            self.machine.add_to_role_policy(grant.statement())
        # "*" is for logs and traces, which CDK adds.
        acknowledge_wildcards(self.machine, ["*"])
        acknowledge(
            self.machine,
            "SF1",
            "The trail in the ledger tells every step with its reasons; the log is for what went wrong",
        )


def machine_arn(scope: Construct, name: str) -> str:
    """ARN of the state machine of that name in the stack's account and Region."""
    return (
        f"arn:{Stack.of(scope).partition}:states:{Stack.of(scope).region}:{Stack.of(scope).account}:stateMachine:{name}"
    )


def execution_arns(scope: Construct, name: str) -> str:
    """ARN of every execution of that state machine."""
    return f"{machine_arn(scope, name).replace(':stateMachine:', ':execution:')}:*"
