"""The HTTP API of operators: IAM on every route, and three functions that together may less than any one of them needs.

`api` is asked and may not read AWS; `read` reads AWS and writes nothing; `trial` has the network and no rights, but to
write down what a trial under load found.
"""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, CfnOutput, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_logs as logs
from constructs import Construct

from functions import settings
from infra.function import ResponderFunction
from infra.machine import machine_arn
from infra.permissions import Grant
from infra.shipment import Shipment
from infra.storage import APPEND, READ, RECORD, RUNS, Storage

ACCESS = {
    "at": "$context.requestTime",
    "request": "$context.requestId",
    "caller": "$context.identity.userArn",
    "from": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "error": "$context.error.message",
}
"""What is written down of each request, also of those that IAM refuses (API Gateway Developer Guide, "Customize HTTP
API access logs")."""

RATE_PER_S, BURST = 10, 20
"""Requests that the API takes altogether: people and their scripts, and no more."""


class HttpApi(Construct):
    """One API with a default stage. IAM says what a caller may: `execute-api:Invoke` on GET alone orders nothing."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        shipment: Shipment,
        storage: Storage,
        reads: Sequence[Grant],
        deciding: Mapping[str, str],
    ) -> None:
        """`reads` are the rights of a look, `deciding` is what a decision is told by the environment."""
        super().__init__(scope, id)
        places = {
            settings.TABLE_NAME: storage.table.table_name,
            settings.BUCKET_NAME: storage.archive.bucket_name,
        }
        machine = machine_arn(self, shipment.name)
        self.read = ResponderFunction(
            self,
            "Read",
            shipment=shipment,
            module="read",
            grants=[*storage.ledger_grants(*READ), *reads],
            environment={**places, **deciding},
        ).function
        self.trial = ResponderFunction(
            self,
            "Trial",
            shipment=shipment,
            module="trial",
            grants=storage.keep_grants(RUNS),
            environment={settings.BUCKET_NAME: storage.archive.bucket_name},
        ).function
        # A trial that nobody could begin in time is not begun later, and none is made twice.
        self.trial.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(1))
        self.api = ResponderFunction(
            self,
            "Api",
            shipment=shipment,
            module="api",
            grants=[
                *storage.ledger_grants(*APPEND, RECORD, lists=True),
                *storage.fetch_grants(),
                *storage.keep_grants(RUNS),
                Grant(["states:StartExecution"], [machine]),
                # A task that waits is found by its token alone.
                Grant(["states:SendTaskSuccess"], ["*"]),
                Grant(
                    ["lambda:InvokeFunction"],
                    [_named(self, f"{shipment.name}-{name}") for name in ("read", "trial")],
                ),
            ],
            environment={
                **places,
                settings.STATE_MACHINE_ARN: machine,
                settings.READ_FUNCTION: self.read.function_name,
                settings.TRIAL_FUNCTION: self.trial.function_name,
            },
        ).function
        self._routes(shipment)

    def _routes(self, shipment: Shipment) -> None:
        integration = integrations.HttpLambdaIntegration("Integration", self.api)
        authorizer = authorizers.HttpIamAuthorizer()
        api = apigateway.HttpApi(
            self,
            "Http",
            api_name=f"{shipment.name}-api",
            description="What an operator asks and orders in an emergency",
            create_default_stage=False,
            default_authorizer=authorizer,
            # What nobody foresaw is answered by the function, too: with a problem, and only to whom IAM lets through.
            default_integration=integration,
        )
        for method in (apigateway.HttpMethod.GET, apigateway.HttpMethod.POST):
            api.add_routes(path="/{proxy+}", methods=[method], integration=integration)
        accesses = logs.LogGroup(
            self,
            "Accesses",
            log_group_name=f"/aws/apigateway/{shipment.name}-api",
            retention=shipment.log_retention,
        )
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=RATE_PER_S, burst_limit=BURST),
        )
        written = stage.node.default_child
        assert isinstance(written, apigateway.CfnStage)
        # CDK has the settings as an interface that Python cannot give it.
        written.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=accesses.log_group_arn, format=json.dumps(ACCESS)
        )
        CfnOutput(Stack.of(self), "ApiUrl", description="The HTTP API of operators", value=api.api_endpoint)


def _named(scope: Construct, function: str) -> str:
    return Stack.of(scope).format_arn(
        service="lambda", resource="function", resource_name=function, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
