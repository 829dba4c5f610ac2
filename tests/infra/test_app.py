"""The app at the desk: what happens when something is wrong, before anything is deployed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.domain.costs import OWN_TAG
from infra.context import Architecture, ContextError, Deployment, Synthesizer
from infra.intake import pattern_chunks
from tests.infra.synthesis import PROJECT, Synthesis, synthesise


def synth(context: dict[str, str], directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the app as the CDK CLI does."""
    environment = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(directory / "cdk.out"),
        "CDK_DEFAULT_REGION": "eu-west-1",
        # The Node.js of the virtual environment comes first, as it does with make; jsii complains about others.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    return subprocess.run(
        [sys.executable, "app.py"], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_bad_playbook_fails_synth_with_one_clear_line(tmp_path: Path) -> None:
    """File, line and what to write instead, a non-zero status, and no traceback."""
    playbook = tmp_path / "orders.yaml"
    playbook.write_text("region: eu-west-1\ncluster: shop\nservice: orders\nlimits: {min_tasks: 5, max_tasks: 2}\n")
    done = synth({"playbooks": str(tmp_path)}, tmp_path)
    assert done.returncode != 0
    assert done.stderr.startswith(f"{playbook}:4: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "cdk.out" / "manifest.json").exists()


def get(context: dict[str, object]) -> Any:
    return context.get


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"alarm_period": "45"}, "context alarm_period: 45 is not possible; leave it out for 60"),
        ({"alarm_period": "often"}, "context alarm_period: 'often' is no number"),
        ({"architecture": "sparc"}, "context architecture: 'sparc' is none of arm64, x86_64, local"),
        ({"log_retention": "42"}, "context log_retention: 42 is not possible"),
        ({"fleet_actions_per_hour": "-1"}, "context fleet_actions_per_hour: '-1' is no number"),
        ({"destroyable": "perhaps"}, "context destroyable: 'perhaps' is none of true, false"),
        ({"subscribers": 7}, "context subscribers: 7 is no list"),
        ({"region": 1}, "context region: 1 is no text"),
    ],
)
def test_a_context_that_cannot_be_used_is_refused(context: dict[str, object], message: str) -> None:
    """The line names the key, the value, and what would do."""
    with pytest.raises(ContextError) as refused:
        Deployment.from_context(get(context), default_region="eu-west-1", default_account=None)
    assert str(refused.value).startswith(message)


def test_a_region_is_needed(tmp_path: Path) -> None:
    """Without a Region nobody knows which playbooks are meant."""
    with pytest.raises(ContextError, match="write -c region="):
        Deployment.from_context(get({}), default_region=None, default_account=None)


def test_context_is_text_or_json() -> None:
    """Values given by -c are text, values of cdk.json are JSON; both say the same."""
    by_option: dict[str, object] = {
        "alarm_period": "10",
        "architecture": "local",
        "synthesizer": "cli",
        "destroyable": "true",
        "fleet_actions_per_hour": "0",
        "subscribers": "a@example.com, https://example.com/hook",
    }
    by_file: dict[str, object] = {
        **by_option,
        "alarm_period": 10,
        "destroyable": True,
        "fleet_actions_per_hour": 0,
        "subscribers": ["a@example.com", "https://example.com/hook"],
    }
    read = [
        Deployment.from_context(get(context), default_region="eu-west-1", default_account="123456789012")
        for context in (by_option, by_file)
    ]
    assert read[0] == read[1]
    assert read[0] == Deployment(
        region="eu-west-1",
        account="123456789012",
        alarm_period=10,
        architecture=Architecture.LOCAL,
        synthesizer=Synthesizer.CLI,
        destroyable=True,
        fleet_actions_per_hour=0,
        subscribers=("a@example.com", "https://example.com/hook"),
    )


def test_an_emulator_gets_the_same_stacks_without_the_layer(tmp_path: Path) -> None:
    """Where the interpreter has the dependencies, nothing but the layer is left out; what is thrown away may be."""
    (tmp_path / "orders.yaml").write_text(
        "region: us-east-1\ncluster: shop\nservice: orders\nalarms: [{symptom: errors}]\n"
    )
    made = synthesise(
        Deployment(
            region="us-east-1",
            account="000000000000",
            playbooks=tmp_path,
            alarm_period=10,
            architecture=Architecture.LOCAL,
            synthesizer=Synthesizer.CLI,
            destroyable=True,
        ),
        tmp_path / "cdk.out",
    )
    assert made.responder.resources("AWS::Lambda::LayerVersion") == {}
    assert len(made.responder.resources("AWS::Lambda::Function")) == 16
    ((_, table),) = made.responder.attributes("AWS::DynamoDB::Table").items()
    assert (table["DeletionPolicy"], table["Properties"]["DeletionProtectionEnabled"]) == ("Delete", False)
    ((_, alarm),) = made.services["ecs-first-responder-shop-orders"].resources("AWS::CloudWatch::Alarm").items()
    assert alarm["Period"] == 10
    lookup = {right.action for right in made.responder.allowed_to("ecs-first-responder-lookup")}
    assert "ecs:DescribeTaskDefinition" not in lookup, "no alarm of this playbook is on a log"


def test_a_deployment_may_do_without_the_http_api(tmp_path: Path) -> None:
    """Then there are neither routes nor its functions."""
    made = synthesise(
        Deployment(region="us-east-1", playbooks=tmp_path, architecture=Architecture.LOCAL, api=False),
        tmp_path / "cdk.out",
    )
    names = {each["FunctionName"] for each in made.responder.resources("AWS::Lambda::Function").values()}
    assert names.isdisjoint(f"ecs-first-responder-{name}" for name in ("api", "read", "trial"))
    assert made.responder.resources("AWS::ApiGatewayV2::Route") == {}


def test_the_archive_can_be_locked(tmp_path: Path) -> None:
    """With Object Lock a trail stays for as long as the deployment says."""
    made = synthesise(
        Deployment(region="us-east-1", playbooks=tmp_path, architecture=Architecture.LOCAL, object_lock_days=365),
        tmp_path / "cdk.out",
    )
    ((_, bucket),) = made.responder.resources("AWS::S3::Bucket").items()
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Days": 365, "Mode": "GOVERNANCE"}


def test_without_a_playbook_nothing_may_be_changed(tmp_path: Path) -> None:
    """A responder that has no service yet records what comes in and has no right to anything else."""
    made = synthesise(
        Deployment(region="us-east-1", playbooks=tmp_path, architecture=Architecture.LOCAL), tmp_path / "cdk.out"
    )
    rights = {right.action for right in made.responder.allowed_to("ecs-first-responder-remediate")}
    assert [action for action in rights if action.startswith(("ecs:", "iam:", "application-autoscaling:"))] == []
    assert made.services == {}


def test_many_existing_alarms_are_spread_over_rules() -> None:
    """An event pattern ends at 2,048 characters: however many alarms are named, each is in one pattern that fits."""
    names = [f"{number:03d}-" + "x" * 200 for number in range(40)]
    chunks = pattern_chunks([*names, names[0]])
    assert sorted(name for chunk in chunks for name in chunk) == names
    assert all(len(json.dumps(chunk)) < 1_900 for chunk in chunks)
    assert pattern_chunks([]) == []


TAGGED = (
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
)
"""Most of what is paid for."""


def test_the_bill_can_tell_what_the_responder_costs(synthesis: Synthesis) -> None:
    """All that is paid for has its tag, in every stack."""
    tag = {"Key": OWN_TAG, "Value": "ecs-first-responder"}
    found = [
        properties.get("Tags", ())
        for template in synthesis.templates
        for kind in TAGGED
        for properties in template.resources(kind).values()
    ]
    assert len(found) > 40
    assert all(tag in tags for tags in found)
