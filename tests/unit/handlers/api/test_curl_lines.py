"""Command lines of curl as runbooks have them work with nothing but a signature added."""

import re
from collections.abc import Iterator

import pytest

from functions.domain.trials import CheckSaid
from tests.fakes.api import Api, serving
from tests.fakes.engine import Responder
from tests.unit.handlers.api.conftest import playbook, shipped
from tests.unit.handlers.api.test_orders import broken

HOST = "https://api.example.com"
SIGNED = "--aws-sigv4 aws:amz:eu-west-1:execute-api --user key:secret"

LOOKING = [
    f"curl -f {HOST}/health",
    f"curl {HOST}/api/v1/health/comprehensive",
    f"curl -s {HOST}/api/v1/health/score",
    f"curl {HOST}/api/v1/health/database",
    f"curl {HOST}/api/v1/diagnostics/run-diagnostics",
    f"curl {HOST}/api/v1/diagnostics/issues?severity=critical",
    f"curl {HOST}/api/v1/diagnostics/database-connections",
    f"curl {HOST}/api/v1/deployment-orchestration/status/shop/orders",
    f"curl {HOST}/api/v1/disaster-recovery/snapshots/shop/orders",
    f"curl {HOST}/api/v1/audit/search",
    f"curl -s {HOST}/api/v1/monitoring/metrics/shop/orders",
    f"curl {HOST}/api/v1/monitoring/dashboard/shop/orders",
    f"curl {HOST}/api/v1/monitoring/alerts/status",
    f"curl {HOST}/api/v1/resource-optimization/analyze/shop/orders",
    f"curl -X POST {HOST}/api/v1/deployment-validation/validate/shop/orders",
    f"curl -X POST {HOST}/api/v1/deployment-validation/smoke-test/shop/orders",
    f"curl -X POST {HOST}/api/v1/deployment-validation/api-validation/shop/orders",
]
ORDERING = [
    f"""curl -X POST {HOST}/api/v1/disaster-recovery/rollback/shop/orders \\
      -H "Content-Type: application/json" -d '{{"snapshot_id": "latest", "dry_run": false}}'""",
    f"""curl -X POST {HOST}/api/v1/disaster-recovery/rollback/shop/orders -d '{{"snapshot_id": "latest"}}'""",
    f"curl -X POST {HOST}/api/v1/disaster-recovery/rollback/shop/orders",
    f"""curl -X POST {HOST}/api/v1/disaster-recovery/emergency-scale/shop/orders \\
      -d '{{"target_count": 4, "reason": "Performance degradation"}}'""",
    f"""curl -X POST {HOST}/api/v1/disaster-recovery/execute-plan/service_rollback \\
      -d '{{"cluster_name": "shop", "service_name": "orders"}}'""",
]
TRYING = f"""curl -X POST {HOST}/api/v1/deployment-validation/performance-test \\
  -d '{{"base_url": "https://shop.example.com", "concurrent_requests": 5, "duration_seconds": 30}}'"""


def signed(line: str) -> str:
    return line.replace("curl ", f"curl {SIGNED} ", 1)


@pytest.mark.parametrize("line", LOOKING, ids=lambda line: re.sub(r".*/api/v1/|.*com/", "", line))
def test_what_looks_is_answered(api: Api, line: str) -> None:
    """200, with a body of JSON."""
    said = api.curl(signed(line))
    assert (said.status, said.type) == (200, "application/json"), said.text
    assert said.body


@pytest.fixture
def troubled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with serving(broken(Responder(playbook=playbook())), monkeypatch) as made:
        yield made


@pytest.mark.parametrize("line", ORDERING)
def test_what_orders_is_taken_in(troubled: Api, line: str) -> None:
    """202, with where to look, whether or not the body says that it is JSON."""
    said = troubled.curl(signed(line))
    assert said.status == 202, said.text
    assert troubled.get(said.body["status_url"]).status == 200


def test_what_makes_load_is_taken_in(api: Api) -> None:
    """In the shape that runbooks write, where the host stands in the playbook."""
    said = api.curl(signed(TRYING))
    assert said.status == 202, said.text
    assert len(api.trier.begun) == 1


def test_what_runbooks_read_of_an_answer_is_there(api: Api) -> None:
    """`jq .score` and `jq .error_rate` find numbers."""
    assert isinstance(api.curl(signed(LOOKING[2])).body["score"], int)
    assert isinstance(api.curl(signed(LOOKING[10])).body["error_rate"], float)


def test_the_checks_of_a_recovery_pass_when_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Health, a score above 80, smoke tests, validation and alarms, one after the other."""
    with serving(shipped(Responder(playbook=playbook())), monkeypatch) as api:
        api.trier.said = [CheckSaid(check="front-page", demands="an answer", passed=True)]
        assert api.curl(signed(LOOKING[0])).body["status"] == "healthy"
        assert api.curl(signed(LOOKING[2])).body["score"] > 80
        assert all(api.curl(signed(line)).body["passed"] for line in LOOKING[-3:])
        assert api.curl(signed(LOOKING[12])).body["in_place"] is True
