"""As many services as one responder takes: what IAM allows a role is the limit."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.context import Deployment
from infra.function import MANAGED_POLICIES_AT_MOST
from tests.infra.synthesis import Synthesis, Template, synthesise
from tests.infra.test_app import synth
from tools.cost.scale import OF_ONE_RESPONDER

INLINE_AT_MOST, MANAGED_AT_MOST = 10_240, 6_144
"""Characters without white space (IAM User Guide, "IAM and AWS STS quotas")."""

PLAYBOOK = """\
region: eu-west-1
cluster: production-shop
service: order-processing-service-{number:04}
alarms: [{{existing: order-processing-{number:04}-errors}}]
"""
"""With names longer than most, as each right names them."""


def playbooks(directory: Path, count: int) -> Path:
    directory.mkdir()
    for number in range(count):
        (directory / f"{number:04}.yaml").write_text(PLAYBOOK.format(number=number))
    return directory


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """A responder of so many services, as it goes to AWS."""
    directory = tmp_path_factory.mktemp("many")
    deployment = Deployment(
        region="eu-west-1", account="123456789012", playbooks=playbooks(directory / "playbooks", OF_ONE_RESPONDER)
    )
    return synthesise(deployment, directory / "cdk.out")


def size(template: Template, document: Mapping[str, Any]) -> int:
    """Characters that IAM counts, with what only CloudFormation knows as long as it may become."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(each) for each in value]
        if isinstance(value, dict) and not {"Ref", "Fn::GetAtt", "Fn::Join", "Fn::ImportValue"} & value.keys():
            return {key: plain(each) for key, each in value.items()}
        return re.sub(r"<[^>]*>", "x" * 80, template.written(value).replace("<AWS::Partition>", "aws"))

    return len(json.dumps(plain(document), separators=(",", ":")))


def test_iam_takes_every_role(many: Synthesis) -> None:
    """Neither a policy nor the number of those that are attached is beyond its quota."""
    attached: Counter[str] = Counter()
    inline: Counter[str] = Counter()
    for policy in many.responder.resources("AWS::IAM::Policy").values():
        for role in policy["Roles"]:
            inline[role["Ref"]] += size(many.responder, policy["PolicyDocument"])
    for policy in many.responder.resources("AWS::IAM::ManagedPolicy").values():
        assert size(many.responder, policy["PolicyDocument"]) <= MANAGED_AT_MOST
        attached.update(role["Ref"] for role in policy["Roles"])
    assert max(inline.values()) <= INLINE_AT_MOST
    assert 0 < max(attached.values()) <= MANAGED_POLICIES_AT_MOST


def test_every_service_is_among_the_rights(many: Synthesis) -> None:
    """Those in the policies that CDK adds, too; and cdk-nag has nothing to say of them."""
    allowed = many.responder.allowed_to("ecs-first-responder-assess")
    read = [each for each in allowed if each.action == "ecs:DescribeServices"]
    assert (
        sum("service/production-shop/order-processing-service-" in each.resource for each in read) == OF_ONE_RESPONDER
    )
    assert many.findings() == []


def test_too_many_services_are_refused_at_the_desk(tmp_path: Path) -> None:
    """With what to do about it, and no traceback, before anything is deployed."""
    directory = playbooks(tmp_path / "playbooks", 3 * OF_ONE_RESPONDER)
    done = synth({"playbooks": str(directory)}, tmp_path)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "deploy a second responder for a part of the playbooks" in done.stderr
    assert "or say -c account=…" in done.stderr
