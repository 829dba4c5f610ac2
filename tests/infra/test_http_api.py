"""The HTTP API in the template: nothing is asked of it without IAM."""

import json

import pytest

from tests.infra.synthesis import Synthesis, Template


@pytest.fixture(scope="module")
def stack(synthesis: Synthesis) -> Template:
    return synthesis.responder


def test_no_route_is_without_iam(stack: Template) -> None:
    """Every route, the default one too."""
    routes = stack.resources("AWS::ApiGatewayV2::Route")
    assert {each["RouteKey"] for each in routes.values()} == {"GET /{proxy+}", "POST /{proxy+}", "$default"}
    assert {each["AuthorizationType"] for each in routes.values()} == {"AWS_IAM"}


def test_every_route_leads_to_the_one_function(stack: Template) -> None:
    """In the payload format that it reads."""
    (integration,) = stack.resources("AWS::ApiGatewayV2::Integration").values()
    function, _ = stack.named("AWS::Lambda::Function", "FunctionName", "ecs-first-responder-api")
    assert stack.written(integration["IntegrationUri"]) == f"<{function}.Arn>"
    assert integration["PayloadFormatVersion"] == "2.0"


def test_only_the_api_may_call_its_function_from_outside(stack: Template) -> None:
    """Neither the function that reads nor the one that asks services can be reached past IAM."""
    callers = {
        stack.written(each["FunctionName"]): each["Principal"]
        for each in stack.resources("AWS::Lambda::Permission").values()
        if each["Principal"] == "apigateway.amazonaws.com"
    }
    function, _ = stack.named("AWS::Lambda::Function", "FunctionName", "ecs-first-responder-api")
    assert set(callers) == {f"<{function}.Arn>"}
    assert stack.resources("AWS::Lambda::Url") == {}


def test_who_asks_is_written_down_and_nobody_asks_too_often(stack: Template) -> None:
    """Refused requests, too; people and their scripts need no more."""
    (stage,) = stack.resources("AWS::ApiGatewayV2::Stage").values()
    said = json.loads(stage["AccessLogSettings"]["Format"])
    assert said["caller"] == "$context.identity.userArn"
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 20, "ThrottlingRateLimit": 10}


def test_a_trial_is_never_made_twice(stack: Template) -> None:
    """Lambda repeats what failed, unless it is told not to."""
    trial, _ = stack.named("AWS::Lambda::Function", "FunctionName", "ecs-first-responder-trial")
    _, config = stack.named("AWS::Lambda::EventInvokeConfig", "FunctionName", {"Ref": trial})
    assert config["MaximumRetryAttempts"] == 0


def test_there_is_an_address(stack: Template) -> None:
    """What is to be written in place of the load balancer's name."""
    assert "ApiUrl" in stack.body["Outputs"]
