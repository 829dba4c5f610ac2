"""A whole digest, read through every adapter: what is called is declared, and no answer is a surprise."""

from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions import bootstrap
from functions.adapters.clients import Clients
from functions.domain.called import Service
from functions.domain.digests import Period
from functions.settings import DeskSettings
from functions.workflow.digests.around import Sources
from functions.workflow.digests.checklist import needs
from functions.workflow.digests.compose import compose
from functions.workflow.digests.letter import as_text
from tests.fakes.aws import iam_action
from tests.fakes.clock import FakeClock
from tests.fakes.digests import MORNING, playbooks
from tests.fakes.table import create_table

REGION = "eu-west-1"
UNKNOWN_TO_MOTO = {"noisy alarms", "muted alarms", "denied calls"}
"""Lines whose calls it does not have: alarm history, mute rules, CloudTrail's look-up."""


class Noting(Clients):
    """Notes the IAM action of every call."""

    def __init__(self) -> None:
        super().__init__(region=REGION)
        self.actions: set[str] = set()

    def _client(self, service: Service, *, attempts: int) -> Any:
        client = super()._client(service, attempts=attempts)
        client.meta.events.register("before-call", lambda *, model, **_: self.actions.add(iam_action(model)))
        return client


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


@pytest.mark.usefixtures("credentials")
@mock_aws
def test_what_a_digest_calls_is_what_it_declares() -> None:
    """In an account with two services, of which nothing was measured yet: each line has its reason, and none is a
    mistake of ours."""
    _two_services()
    create_table(boto3.client("dynamodb", region_name=REGION), "ledger")
    ledger = bootstrap.desk_ledger("ledger", REGION)
    clients, clock = Noting(), FakeClock(MORNING)
    with bootstrap.composed(settings=DeskSettings(REGION), clients=clients, clock=clock):
        readers, more = bootstrap._readers(), bootstrap._digest_readers(clients, clock=clock, bucket=None)
    for period in (Period.WEEKLY, Period.MONTHLY):
        sources = Sources(readers=readers, more=more, ledger=ledger, period=period, until=MORNING)
        digest = compose(playbooks(), sources, responder="ledger", region=REGION, deadline_s=120)
        mistaken = {line.name for section in digest.sections for line in section.lines if "mistake" in line.found.text}
        assert mistaken <= UNKNOWN_TO_MOTO
        assert "no answer within" not in as_text(digest)
    assert clients.actions <= {permission.action for permission in needs()}
    assert {"ce:GetCostAndUsage", "servicequotas:GetServiceQuota", "dynamodb:ListBackups"} <= clients.actions


def _two_services() -> None:
    ecs = boto3.client("ecs", region_name=REGION)
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="orders",
        cpu="512",
        memory="1024",
        containerDefinitions=[
            {
                "name": "orders",
                "image": "orders",
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": "/ecs/orders", "awslogs-region": REGION},
                },
            }
        ],
    )
    for service in ("orders", "stock"):
        ecs.create_service(cluster="shop", serviceName=service, taskDefinition="orders", desiredCount=2)
