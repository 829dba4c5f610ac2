"""Synthesised templates, and short ways to ask what is in them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk

from infra.application import build
from infra.contain_stack import contain_name
from infra.context import Deployment

PROJECT = Path(__file__).resolve().parents[2]


class Allowed(NamedTuple):
    """One IAM action on one resource, as a role's policy allows it."""

    action: str
    resource: str
    conditions: str


@dataclass(frozen=True)
class Template:
    """One CloudFormation template."""

    path: Path
    body: Mapping[str, Any]

    def resources(self, kind: str) -> dict[str, Any]:
        """Properties of every resource of that type, by logical id."""
        return {
            logical_id: resource.get("Properties", {})
            for logical_id, resource in self.body["Resources"].items()
            if resource["Type"] == kind
        }

    def attributes(self, kind: str) -> dict[str, Any]:
        """Every resource of that type whole, with its deletion policy and the like."""
        return {name: resource for name, resource in self.body["Resources"].items() if resource["Type"] == kind}

    def named(self, kind: str, key: str, name: object) -> tuple[str, Any]:
        """The one resource of that type whose property `key` is `name`."""
        ((logical_id, properties),) = (
            (logical_id, properties)
            for logical_id, properties in self.resources(kind).items()
            if properties.get(key) == name
        )
        return logical_id, properties

    def written(self, value: Any) -> str:
        """A value as text, references in angle brackets."""
        match value:
            case str():
                return value
            case {"Ref": name}:
                return f"<{name}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{name}.{attribute}>"
            case {"Fn::ImportValue": name}:
                return f"<{name}>"
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.written(part) for part in parts)
        raise TypeError(f"cannot write {value!r}")

    def allowed_to(self, function: str) -> set[Allowed]:
        """Everything that a function of that name may do."""
        _, properties = self.named("AWS::Lambda::Function", "FunctionName", function)
        (role, _) = properties["Role"]["Fn::GetAtt"]
        return self.allowed(role)

    def allowed(self, role: str) -> set[Allowed]:
        """Everything that a role may do, by its logical id."""
        return {
            allowed
            for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
            for properties in self.resources(kind).values()
            if {"Ref": role} in properties["Roles"]
            for statement in properties["PolicyDocument"]["Statement"]
            for allowed in self._of_statement(statement)
        }

    def _of_statement(self, statement: Mapping[str, Any]) -> Iterator[Allowed]:
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        conditions = json.dumps(statement.get("Condition", {}), sort_keys=True)
        for action in [actions] if isinstance(actions, str) else actions:
            for resource in resources if isinstance(resources, list) else [resources]:
                yield Allowed(action, self.written(resource), conditions)


@dataclass(frozen=True)
class Synthesis:
    """The cloud assembly of one deployment."""

    directory: Path
    responder: Template
    services: Mapping[str, Template]
    contain: Template | None = None
    """Only where it is wanted."""

    @property
    def templates(self) -> list[Template]:
        return [self.responder, *self.services.values(), *([] if self.contain is None else [self.contain])]

    def asset(self, properties: Mapping[str, Any], key: str) -> Path:
        """The directory of the asset that a resource's `Code` or `Content` names."""
        file_name = properties[key]["S3Key"]
        manifest = json.loads(
            (self.directory / f"{self.responder.path.name.removesuffix('.template.json')}.assets.json").read_text()
        )
        (source,) = (
            entry["source"]["path"]
            for entry in manifest["files"].values()
            for destination in entry["destinations"].values()
            if fnmatch(file_name, f"*{destination['objectKey']}")
        )
        return self.directory / str(source)

    def findings(self) -> list[str]:
        """What cdk-nag and CDK's own validation have to say, errors and warnings."""
        report = json.loads((self.directory / "validation-report.json").read_text())
        return [
            f"{violation['ruleName']}: {violation['description']}"
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
        ]


def synthesise(deployment: Deployment, directory: Path) -> Synthesis:
    """Synthesise in this process, with the feature flags of `cdk.json`."""
    flags = json.loads((PROJECT / "cdk.json").read_text())["context"]
    app = cdk.App(outdir=str(directory), context=flags)
    responder, services = build(app, deployment)
    contain = app.node.try_find_child(contain_name(deployment.name))
    app.synth()
    return Synthesis(
        directory=directory,
        responder=_template(directory, responder),
        services={stack.stack_name: _template(directory, stack) for stack in services},
        contain=_template(directory, contain) if isinstance(contain, cdk.Stack) else None,
    )


def _template(directory: Path, stack: cdk.Stack) -> Template:
    path = directory / stack.template_file
    return Template(path, json.loads(path.read_text()))
