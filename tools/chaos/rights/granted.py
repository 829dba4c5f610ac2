"""What the roles of the responder may do, as the synthesised templates say it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk
import yaml

from infra.application import build
from infra.context import Deployment
from tools.chaos.rights.actions import OF_AN_INDEX, placed
from tools.drill.scenario import Scenario

PROJECT = Path(__file__).resolve().parents[3]
WORKFLOW = "workflow"
"""In place of a function: the state machine."""

Body = Mapping[str, Any]
Actions = Mapping[str, frozenset[str]]
"""IAM actions by the name of a function, without the responder's own before it."""


def synthesised(scenario: Scenario, written: Path) -> list[Body]:
    """Templates of a deployment for the services of a scenario, with everything that need not be deployed."""
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        playbooks = directory / "playbooks"
        playbooks.mkdir()
        said = yaml.safe_load(written.read_text())["playbook"]
        for playbook in scenario.playbooks:
            names = {"region": playbook.region, "cluster": playbook.cluster, "service": playbook.service}
            (playbooks / f"{playbook.service}.yaml").write_text(yaml.safe_dump({**names, **said}))
        flags = json.loads((PROJECT / "cdk.json").read_text())["context"]
        app = cdk.App(outdir=str(directory / "out"), context=flags)
        setting = scenario.setting
        build(app, Deployment(region=setting.region, account=setting.account, playbooks=playbooks, contain=True))
        assembly = app.synth()
        return [json.loads(Path(stack.template_full_path).read_text()) for stack in assembly.stacks]


def granted(templates: Iterable[Body], *, name: str = "ecs-first-responder") -> Actions:
    """The actions of every function's role, and of the state machine's."""
    found: dict[str, frozenset[str]] = {}
    for template in templates:
        for logical_id, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            match resource["Type"]:
                case "AWS::Lambda::Function":
                    holder, role = properties.get("FunctionName", logical_id).removeprefix(f"{name}-"), "Role"
                case "AWS::StepFunctions::StateMachine":
                    holder, role = WORKFLOW, "RoleArn"
                case _:
                    continue
            found[holder] = frozenset(_of_role(template, properties[role]["Fn::GetAtt"][0]))
    return found


_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def _of_role(template: Body, role: str) -> Iterator[str]:
    for resource in template["Resources"].values():
        if resource["Type"] in _POLICIES and {"Ref": role} in resource["Properties"]["Roles"]:
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                for action in _listed(statement["Action"]):
                    yield from (_on(action, json.dumps(each)) for each in _listed(statement["Resource"]))


def _listed(written: Any) -> list[Any]:
    return written if isinstance(written, list) else [written]


def _on(action: str, resource: str) -> str:
    """The action, with a part of its resource where calls are told apart by that."""
    if action == "dynamodb:Query" and "/index/" in resource:
        return OF_AN_INDEX
    if action == "s3:PutObject":
        return placed(resource.split('"/')[1])
    return action
