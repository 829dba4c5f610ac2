"""Least privilege: every function calls what it is granted, and is granted what it calls."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.synthesis import Synthesis
from tools.chaos.figures import add
from tools.chaos.rights.actions import OF_AN_ENCRYPTED_TOPIC, actions_of, placed
from tools.chaos.rights.comparison import Compared, compare, figures
from tools.chaos.rights.granted import WORKFLOW, Actions, granted, synthesised
from tools.chaos.rights.scenes import EVERYTHING, recorded
from tools.chaos.rights.uncalled import EVERY_FUNCTION, IMPLIED, UNCALLED
from tools.drill.runner import clients_of
from tools.drill.scenario import load_scenarios

NOTHING: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def rights() -> Actions:
    (everything,) = load_scenarios([str(EVERYTHING)])
    return granted(synthesised(everything, EVERYTHING))


@pytest.fixture(scope="module")
def compared(rights: Actions) -> list[Compared]:
    return compare(rights, recorded())


def test_no_grant_is_without_a_call_and_no_call_without_a_grant(compared: list[Compared]) -> None:
    """Function by function, over scenes in which each does everything that it is there for."""
    uneven = {each.function: (sorted(each.unused), sorted(each.missing)) for each in compared}
    assert {function: both for function, both in uneven.items() if both != ([], [])} == {}
    assert figures(compared) == {"unused_grants": 0, "missing_grants": 0}


def test_every_function_of_the_template_was_called(compared: list[Compared]) -> None:
    """What is even because nothing was played would prove nothing."""
    assert all(each.called and each.granted for each in compared)
    assert len(compared) > 15


def test_what_needs_no_call_is_granted_and_not_called(compared: list[Compared]) -> None:
    """The table of rights without a call has no line that is not needed any more."""
    by_function = {each.function: each for each in compared}
    functions = [name for name in by_function if name != WORKFLOW]
    for right, entry in UNCALLED.items():
        named = [*(functions if EVERY_FUNCTION[0] in entry.who else ()), *(set(entry.who) - set(EVERY_FUNCTION))]
        for name in named:
            assert right in by_function[name].excused, f"{name} {right}"


def test_what_is_implied_was_seen(compared: list[Compared]) -> None:
    """Each of those rights is asked for by a call of another name, and was."""
    assert {right for right in IMPLIED if not any(right in each.called for each in compared)} == set()


def test_everything_is_everything(rights: Actions, synthesis: Synthesis, containing: Synthesis) -> None:
    """A deployment for other playbooks grants no action that is not looked at here."""
    assert containing.contain is not None
    assert granted([synthesis.responder.body, containing.contain.body]) == rights


def test_the_page_has_the_table(project: Path) -> None:
    """`docs/iam.md` lists what is granted without a call, to whom and why."""
    page = (project / "docs" / "iam.md").read_text().partition("## Rights without a call of their own\n")[2]
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+) \|$", page.partition("\n## ")[0], re.M)
    wanted = [(right, ", ".join(entry.who), entry.why) for right, entry in UNCALLED.items()]
    wanted += [(right, "whoever makes that call", why) for right, why in IMPLIED.items()]
    assert sorted(rows) == sorted(wanted)


def test_a_grant_too_many_and_one_too_few_are_counted() -> None:
    """One of each, for two functions; what Lambda itself needs is not counted."""
    compared = compare(
        {"notify": frozenset({"sns:Publish", "ecs:UpdateService", "logs:PutLogEvents"}), "sweep": NOTHING},
        {"notify": frozenset({"sns:Publish"}), "sweep": frozenset({"states:StartExecution"})},
    )
    found = {each.function: (each.unused, each.missing) for each in compared if each.function != WORKFLOW}
    assert found == {
        "notify": (frozenset({"ecs:UpdateService"}), NOTHING),
        "sweep": (NOTHING, frozenset({"states:StartExecution"})),
    }


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "actions"),
    [
        ("cloudwatch", "GetMetricData", {}, {"cloudwatch:GetMetricData"}),
        ("elbv2", "DescribeTargetHealth", {}, {"elasticloadbalancing:DescribeTargetHealth"}),
        ("stepfunctions", "SendTaskSuccess", {}, {"states:SendTaskSuccess"}),
        ("service-quotas", "GetServiceQuota", {}, {"servicequotas:GetServiceQuota"}),
        ("lambda", "Invoke", {}, {"lambda:InvokeFunction"}),
        ("s3", "GetObject", {}, {"s3:GetObject"}),
        ("s3", "PutObject", {"Key": "runs/run-1.json"}, {placed("runs/*")}),
        ("dynamodb", "Query", {}, {"dynamodb:Query"}),
        ("dynamodb", "Query", {"IndexName": "open"}, {"dynamodb:Query of an index"}),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {}}, {"ConditionCheck": {}}, {"Put": {}}]},
            {"dynamodb:PutItem", "dynamodb:ConditionCheckItem"},
        ),
        ("sns", "Publish", {}, {"sns:Publish", *OF_AN_ENCRYPTED_TOPIC}),
        ("ecs", "RegisterTaskDefinition", {"family": "orders"}, {"ecs:RegisterTaskDefinition"}),
        (
            "ecs",
            "RegisterTaskDefinition",
            {"tags": [{"key": "team"}], "executionRoleArn": "arn"},
            {"ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"},
        ),
    ],
)
def test_a_call_takes_these_actions(
    service: Any, operation: str, parameters: dict[str, Any], actions: set[str]
) -> None:
    """Named as IAM names them, with what their parameters ask for besides."""
    model = clients_of("eu-central-1").once(service).meta.service_model.operation_model(operation)
    assert set(actions_of(model, parameters)) == actions


def test_figures_are_added_to_those_of_others(tmp_path: Path) -> None:
    """The file keeps what other commands wrote."""
    file = tmp_path / "chaos.json"
    add(file, {"crash_points": 7, "unused_grants": 3})
    add(file, {"unused_grants": 0})
    assert file.read_text() == '{\n  "crash_points": 7,\n  "unused_grants": 0\n}\n'
