"""`responder status` with the adapters that people use, against moto."""

import json
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tools.cli.main import Desk, desk_ledger, run

PLAYBOOK = "region: eu-west-1\ncluster: shop\nservice: orders\nalarms:\n  - existing: orders-5xx\n"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def status(directory: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    (directory / "orders.yaml").write_text(PLAYBOOK)
    desk = Desk(open_ledger=desk_ledger, now=lambda: datetime.now(UTC))
    assert run(["status", "shop/orders", "--playbooks", str(directory), *arguments], desk) == 0
    return capsys.readouterr().out


@mock_aws
def test_a_service_that_was_just_created(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two tasks are wanted and none runs; there are no metrics yet, and no ledger: said, one by one."""
    ecs = boto3.client("ecs")
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="orders", containerDefinitions=[{"name": "web", "image": "web", "memory": 128}])
    ecs.create_service(cluster="shop", serviceName="orders", taskDefinition="orders", desiredCount=2)
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName="orders-5xx",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    shown = json.loads(status(tmp_path, capsys, "--json"))
    assert shown["service_facts"]["value"]["desired"] == 2
    assert shown["health"]["parts"][0]["reason"] == "0 of 2 tasks run"
    assert [alarm["name"] for alarm in shown["alarms"]["value"]["alarms"]] == ["orders-5xx"]
    assert "ecs-first-responder" in shown["responder"]["error"]


@mock_aws
def test_a_service_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is known of it, and the screen says why."""
    boto3.client("ecs").create_cluster(clusterName="shop")
    out = status(tmp_path, capsys)
    assert "HEALTH        unknown" in out
    assert "TASKS         unknown: ECS knows no service orders in cluster shop" in out
