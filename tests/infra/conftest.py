"""The app, synthesised once for all tests of the stacks."""

import json
from pathlib import Path

import pytest

from infra.context import Deployment
from tests.infra.synthesis import Synthesis, synthesise

PLAYBOOK = """\
region: eu-west-1
cluster: shop
service: orders
alarms:
  - symptom: error-rate
  - symptom: errors
    threshold: 30
  - symptom: healthy-hosts
    threshold: 2
    evaluation_periods: 2
    datapoints: 2
  - symptom: response-time
    period: 300
    statistic: p95
  - symptom: cpu
  - symptom: memory
  - symptom: tasks
    period: 300
  - log: throttling-errors
    contains: [ThrottlingException, 'code="429"']
    threshold: 25
  - existing: orders-legacy-5xx
dependencies:
  - {name: db, rds: orders-db}
  - {name: stock, ecs: shop/stock}
notify:
  email: [on-call@example.com]
variants:
  prod: {}
  elsewhere: {region: us-east-1}
"""

PLAYBOOK_WITH_OVERRIDES = """\
region: eu-west-1
cluster: shop
service: pay_ments
alarms:
  - symptom: errors
  - log: panic
    contains: panic
    period: 300
overrides:
  log_group: /shop/payments
  target_groups: ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/pay/0123456789abcdef"]
  load_balancer: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/fedcba9876543210"
"""


@pytest.fixture(scope="session")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Both playbooks, in one deployment as it goes to AWS."""
    playbooks = tmp_path_factory.mktemp("playbooks")
    (playbooks / "orders.yaml").write_text(PLAYBOOK)
    (playbooks / "payments.yaml").write_text(PLAYBOOK_WITH_OVERRIDES)
    deployment = Deployment(
        region="eu-west-1", account="123456789012", playbooks=playbooks, subscribers=("https://pages.example.com/hook",)
    )
    return synthesise(deployment, tmp_path_factory.mktemp("cdk.out"))


@pytest.fixture(scope="session")
def definition(synthesis: Synthesis) -> dict[str, object]:
    """The state machine's definition as it stands in the template, references written in angle brackets."""
    (machine,) = synthesis.responder.resources("AWS::StepFunctions::StateMachine").values()
    loaded: dict[str, object] = json.loads(synthesis.responder.written(machine["DefinitionString"]))
    return loaded


@pytest.fixture(scope="session")
def project() -> Path:
    return Path(__file__).resolve().parents[2]
