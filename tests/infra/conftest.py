"""The app, synthesised once for all tests of the stacks."""

import json
from pathlib import Path

import pytest

from infra.context import Architecture, Deployment
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
  - check: pool-health
    url: https://orders.example.com/api/pool-health?token=4711
    json: {field: pools.unhealthy, above: 0}
    header: {name: Authorization, secret: orders/cron, key: token, prefix: "Bearer "}
    evaluation_periods: 5
    datapoints: 3
dashboard: true
dependencies:
  - {name: db, rds: orders-db, connections: 200}
  - {name: stock, ecs: shop/stock}
  - {name: carts, dynamodb: shop-carts}
  - {name: logins, cognito: eu-west-1_Ab12Cd34E}
  - {name: queue, metric: {namespace: AWS/SQS, metric: ApproximateAgeOfOldestMessage,
     dimensions: {QueueName: orders}, above: 300}}
  - {name: cache, alarm: cache-evicts}
webhooks:
  - {name: cleanup, url: "https://shop.example.com/api/cleanup", token: shop/cron-secret}
  - {name: sweep, url: "https://shop.example.com/api/sweep"}
  - {name: purge, url: "https://shop.example.com/api/purge",
     token: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:purge-AbCdEf"}
ladders: {false-alarm: [mute-alarm]}
recovered: {score: 80}
backups: {dynamodb: [carts], rds: orders-db}
notify:
  email: [on-call@example.com]
escalation:
  email: [lead@example.com]
  https: ["https://pager.example.com/second"]
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
escalation: {email: [lead@example.com]}
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


PLAYBOOK_THAT_CONTAINS = """\
region: eu-west-1
cluster: shop
service: orders
alarms:
  - {check: front-page, url: "https://shop.example.com/"}
contain:
  ip_set: {name: blocked, id: 1f2e3d4c-5b6a-7988-0a1b-2c3d4e5f6071, scope: CLOUDFRONT}
  user_pool: eu-west-1_Ab12Cd34E
"""

PLAYBOOK_OF_ANOTHER_SET = """\
region: eu-west-1
cluster: shop
service: pay_ments
contain:
  ip_set: {name: payers, id: 9f2e3d4c-5b6a-7988-0a1b-2c3d4e5f6071, scope: REGIONAL}
"""


@pytest.fixture(scope="session")
def containing(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """A deployment with the contain stack."""
    playbooks = tmp_path_factory.mktemp("playbooks")
    (playbooks / "orders.yaml").write_text(PLAYBOOK_THAT_CONTAINS)
    (playbooks / "payments.yaml").write_text(PLAYBOOK_OF_ANOTHER_SET)
    deployment = Deployment(
        region="eu-west-1",
        account="123456789012",
        playbooks=playbooks,
        architecture=Architecture.LOCAL,
        chat=True,
        contain=True,
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
