"""The state machine that carries one incident."""

from collections.abc import Mapping

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from functions.workflow.table import Function
from infra.channels import Channels
from infra.compliance import acknowledge, acknowledge_wildcards
from infra.function import TIMEOUT_S, ResponderFunction
from infra.permissions import Grant
from infra.workflow import definition

CONTAIN_ALIAS = "live"


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
        contain: bool,
    ) -> None:
        """`contain`: the contain stack is deployed, too."""
        super().__init__(scope, id)
        own_arn = machine_arn(self, name)
        called = {function: carrier.version_arn for function, carrier in functions.items()}
        if contain:
            called[Function.CONTAIN] = contain_arn(self, name)
        body = definition(
            functions=called,
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
            Grant(["lambda:InvokeFunction"], sorted(set(called.values()))),
            Grant(["states:StartExecution"], [own_arn]),
            *channels.page_grants(),
        ):
            grant.give(self.machine)
        # "*" is for logs and traces, which CDK adds.
        acknowledge_wildcards(self.machine, ["*"])
        acknowledge(
            self.machine,
            "SF1",
            "The trail in the ledger tells every step with its reasons; the log is for what went wrong",
        )


def contain_arn(scope: Construct, name: str) -> str:
    """ARN by which the contain stack's function is called: an alias, named before it is there."""
    stack = Stack.of(scope)
    return stack.format_arn(
        service="lambda",
        resource="function",
        resource_name=f"{name}-{Function.CONTAIN}:{CONTAIN_ALIAS}",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def machine_arn(scope: Construct, name: str) -> str:
    """ARN of the state machine of that name in the stack's account and Region."""
    return (
        f"arn:{Stack.of(scope).partition}:states:{Stack.of(scope).region}:{Stack.of(scope).account}:stateMachine:{name}"
    )


def execution_arns(scope: Construct, name: str) -> str:
    """ARN of every execution of that state machine."""
    return f"{machine_arn(scope, name).replace(':stateMachine:', ':execution:')}:*"
