"""The contain stack: not there by default, and the only one whose function may shut out."""

import json
from typing import Any

import pytest

from functions.workflow.table import Function
from infra.permissions import WILDCARDS
from infra.workflow import definition
from tests.infra.synthesis import Synthesis, Template

SHUTS_OUT = {"wafv2:UpdateIPSet", "cognito-idp:AdminDisableUser"}
IP_SETS = {
    "arn:aws:wafv2:us-east-1:123456789012:global/ipset/blocked/1f2e3d4c-5b6a-7988-0a1b-2c3d4e5f6071",
    "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/payers/9f2e3d4c-5b6a-7988-0a1b-2c3d4e5f6071",
}
ALIAS = "arn:aws:lambda:eu-west-1:123456789012:function:ecs-first-responder-contain:live"


@pytest.fixture(scope="module")
def stack(containing: Synthesis) -> Template:
    assert containing.contain is not None
    return containing.contain


def machine(template: Template) -> dict[str, Any]:
    (found,) = template.resources("AWS::StepFunctions::StateMachine").values()
    loaded: dict[str, Any] = json.loads(template.written(found["DefinitionString"]))
    return loaded


def invoked(template: Template) -> set[str]:
    ((_, found),) = template.resources("AWS::StepFunctions::StateMachine").items()
    role = found["RoleArn"]["Fn::GetAtt"][0]
    return {entry.resource for entry in template.allowed(role) if entry.action == "lambda:InvokeFunction"}


def test_by_default_it_is_not_there(synthesis: Synthesis) -> None:
    """No stack, no step, no right: nothing of it is deployed unless somebody says so."""
    assert synthesis.contain is None
    assert not {"contain", "lift"} & set(machine(synthesis.responder)["States"])
    assert ALIAS not in invoked(synthesis.responder)


def test_its_function_may_shut_out_what_playbooks_name(stack: Template) -> None:
    """Each IP set and user pool by its ARN, those for CloudFront where WAF keeps them; each service by its own."""
    allowed = stack.allowed_to("ecs-first-responder-contain")
    granted = {
        action: {entry.resource for entry in allowed if entry.action == action}
        for action in (*SHUTS_OUT, "wafv2:GetIPSet", "ecs:UpdateService")
    }
    assert granted == {
        "wafv2:UpdateIPSet": IP_SETS,
        "wafv2:GetIPSet": IP_SETS,
        "cognito-idp:AdminDisableUser": {"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12Cd34E"},
        "ecs:UpdateService": {
            "arn:aws:ecs:eu-west-1:123456789012:service/shop/orders",
            "arn:aws:ecs:eu-west-1:123456789012:service/shop/pay_ments",
        },
    }


def test_it_may_do_little_else(stack: Template) -> None:
    """It looks at the service and its scalable target and writes the ledger: no archive, no page, no other function."""
    others = {entry.action for entry in stack.allowed_to("ecs-first-responder-contain")}
    others = {action for action in others if not action.startswith(("dynamodb:", "logs:", "xray:"))}
    assert others == {
        *SHUTS_OUT,
        "wafv2:GetIPSet",
        "ecs:UpdateService",
        "ecs:DescribeServices",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingActivities",
        "application-autoscaling:DescribeScalingPolicies",
    }


def test_every_wildcard_has_its_reason(stack: Template) -> None:
    """The table of exceptions names them all."""
    granted = {entry.action for entry in stack.allowed_to("ecs-first-responder-contain") if "*" in entry.resource}
    assert granted <= set(WILDCARDS)


def test_nobody_else_gains_those_rights(containing: Synthesis) -> None:
    """Neither remediate nor restore nor anybody else of the responder's own stack."""
    roles = containing.responder.resources("AWS::IAM::Role")
    everything = {entry.action for role in roles for entry in containing.responder.allowed(role)}
    assert not SHUTS_OUT & everything


def test_the_machine_calls_it_by_its_alias(containing: Synthesis, stack: Template) -> None:
    """Which is there under that very name."""
    states = machine(containing.responder)["States"]
    assert {states[name]["Arguments"]["FunctionName"] for name in ("contain", "lift")} == {ALIAS}
    assert ALIAS in invoked(containing.responder)
    ((_, alias),) = stack.resources("AWS::Lambda::Alias").items()
    assert alias["Name"] == "live"
    assert stack.named("AWS::Lambda::Function", "FunctionName", "ecs-first-responder-contain")


def test_the_others_are_told_that_it_is_there(containing: Synthesis, synthesis: Synthesis) -> None:
    """Assess refuses the plans without it, restore hands no address on."""
    for found, said in ((containing, "true"), (synthesis, "false")):
        for name in ("assess", "restore"):
            _, function = found.responder.named("AWS::Lambda::Function", "FunctionName", f"ecs-first-responder-{name}")
            assert function["Environment"]["Variables"]["RESPONDER_CONTAIN"] == said


def test_neither_stack_imports_from_the_other(stack: Template) -> None:
    """Each can be deployed again, or deleted, without the other."""
    assert "Fn::ImportValue" not in json.dumps(stack.body)


def test_cdk_nag_has_no_findings(containing: Synthesis) -> None:
    """The AwsSolutions pack finds nothing in it that was not taken over with a reason."""
    assert containing.findings() == []


def test_without_its_function_no_way_leads_to_its_steps() -> None:
    """Whoever says an outcome that leads there is paged for."""
    functions: dict[Function, str] = {each: f"arn:function:{each}:7" for each in Function}
    del functions[Function.CONTAIN]
    states = definition(functions=functions, function_timeout_s=60, page_topic="t", state_machine="m")["States"]
    assert not [name for name in states if "contain" in name or "lift" in name]
    ways = {rule["Next"] for state in states.values() for rule in state.get("Choices", ())}
    assert ways <= set(states)
