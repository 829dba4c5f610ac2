"""What is asked is answered from one look, and what nobody could read is never a zero."""

import pytest

from functions.domain.evidence import Metric
from functions.playbooks.schema import Playbook
from tests.fakes.api import Api, serving
from tests.fakes.engine import Responder
from tests.unit.handlers.api.conftest import playbook

SERVICE = "shop/orders"
OTHER = playbook(service="payments", dependencies=[])


def test_the_score_is_a_number(api: Api) -> None:
    """Runbooks read `.score`, and want more than 80."""
    said = api.get("/api/v1/health/score")
    assert (said.status, said.body["score"]) == (200, 100)


def test_the_error_rate_is_in_percent(api: Api) -> None:
    """Runbooks read `.error_rate`, and call more than 10 a P1."""
    assert api.get(f"/api/v1/monitoring/metrics/{SERVICE}").body["error_rate"] == 0.0
    api.responder.world.bad.add(api.responder.world.task_definition)
    assert api.get(f"/api/v1/monitoring/metrics/{SERVICE}").body["error_rate"] > 10


def test_a_service_that_serves_is_healthy(api: Api) -> None:
    """`curl -f` succeeds."""
    said = api.get("/health")
    assert (said.status, said.body["status"]) == (200, "healthy")


def test_a_service_that_serves_nobody_is_no_success(api: Api) -> None:
    """`curl -f` fails, so that `|| echo` tells people."""
    api.responder.world.running = 0
    said = api.get("/health")
    assert said.status == 503
    assert "serves nobody" in said.body["detail"]


def test_no_healthy_target_is_the_same(api: Api) -> None:
    """Tasks that run behind a load balancer that sends them nothing serve nobody either."""
    api.responder.world.targets_down = True
    assert api.get("/health").status == 503


def test_targets_that_nobody_could_read_are_no_health(api: Api) -> None:
    """Half of the evidence is none."""
    api.responder.world.unreadable = {"targets"}
    said = api.get("/health")
    assert said.status == 503
    assert "could not be read" in said.body["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/api/v1/health/score",
        "/api/v1/health/comprehensive",
        "/api/v1/health/database",
        "/api/v1/diagnostics/run-diagnostics",
        "/api/v1/diagnostics/issues",
        "/api/v1/diagnostics/database-connections",
        "/api/v1/monitoring/alerts/status",
        f"/api/v1/monitoring/metrics/{SERVICE}",
        f"/api/v1/monitoring/dashboard/{SERVICE}",
        f"/api/v1/resource-optimization/analyze/{SERVICE}",
        f"/api/v1/disaster-recovery/snapshots/{SERVICE}",
    ],
)
def test_without_a_look_there_is_no_answer(api: Api, path: str) -> None:
    """503, and never an empty answer that looks like a calm one."""
    api.inspector.broken = True
    assert api.get(path).status == 503


@pytest.mark.parametrize(
    ("unreadable", "path"),
    [
        ("service", "/api/v1/health/score"),
        ("series", f"/api/v1/monitoring/metrics/{SERVICE}"),
        ("alarms", "/api/v1/monitoring/alerts/status"),
    ],
)
def test_an_answer_without_what_it_is_about_is_none(api: Api, unreadable: str, path: str) -> None:
    """AWS answers, but not this one question."""
    api.responder.world.unreadable = {unreadable}
    said = api.get(path)
    assert said.status == 503
    assert "could not be read" in said.body["detail"]


def test_a_dashboard_says_what_is_missing(api: Api) -> None:
    """The rest of the page is there."""
    api.responder.world.unreadable = {"series"}
    said = api.get(f"/api/v1/monitoring/dashboard/{SERVICE}")
    assert (said.status, said.body["metrics"]) == (200, None)
    assert said.body["alerts"]["all_ok"] is True
    assert "metrics" in said.body["unknown"]


def test_the_dashboard_in_cloudwatch_is_named(responder: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the playbook asks for one."""
    with serving(responder, monkeypatch, playbooks=[playbook(dashboard=True)]) as api:
        said = api.get(f"/api/v1/monitoring/dashboard/{SERVICE}").body
        assert said["dashboard"] == "responder-eu-west-1-shop-orders"


def test_a_validation_that_cannot_see_all_has_not_passed(api: Api) -> None:
    """Unknown is neither passed nor failed."""
    path = f"/api/v1/deployment-validation/validate/{SERVICE}"
    assert api.post(path).body["passed"] is True
    api.responder.world.unreadable = {"targets"}
    said = api.post(path).body
    assert said["passed"] is False
    assert [point["passed"] for point in said["points"] if point["name"] == "targets"] == [None]


def test_a_deployment_that_failed_is_not_valid(api: Api) -> None:
    """Whatever else is fine."""
    api.responder.world.rollout = "FAILED"
    said = api.post(f"/api/v1/deployment-validation/validate/{SERVICE}").body
    assert said["passed"] is False
    assert {point["name"]: point["passed"] for point in said["points"]}["deployment"] is False


def test_diagnostics_rank_the_causes(api: Api) -> None:
    """With what speaks for them, and what the playbook does about them."""
    world = api.responder.world
    world.database_down = True
    said = api.get("/api/v1/diagnostics/run-diagnostics").body
    first = said["causes"][0]
    assert first["cause"] == "dependency-failing"
    assert first["evidence_for"]
    assert first["ladder"][-1] == "page"


def test_issues_are_chosen_by_severity(api: Api) -> None:
    """The words of runbooks and the scale's own names mean the same."""
    api.responder.world.running = 0
    critical = api.get("/api/v1/diagnostics/issues?severity=critical").body["issues"]
    assert api.get("/api/v1/diagnostics/issues?severity=P0").body["issues"] == critical
    low = api.get("/api/v1/diagnostics/issues?severity=low").body["issues"]
    assert {issue["level"] for issue in low} <= {"low"}
    assert {issue["level"] for issue in critical} <= {"critical"}


def test_an_issue_of_an_alarm_is_as_grave_as_its_playbook_says(api: Api) -> None:
    """An alarm in ALARM is an issue by itself, whatever the cause."""
    api.responder.world.bad.add(api.responder.world.task_definition)
    assert api.responder.world.settle_alarm()
    found = api.get("/api/v1/diagnostics/issues").body["issues"]
    assert "alarm orders-5xx" in {issue["what"] for issue in found}


def test_databases_are_told_with_their_connections(responder: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many are in use, of how many the playbook says it takes."""
    with_database = playbook(dependencies=[{"name": "orders-db", "rds": "orders-db", "connections": 80}])
    responder.playbook = with_database
    responder.world.elsewhere = {"DatabaseConnections": [(responder.clock.now(), 20.0)]}
    with serving(responder, monkeypatch) as api:
        (database,) = api.get("/api/v1/diagnostics/database-connections").body["databases"]
        assert (database["name"], database["limit"]) == ("orders-db", 80)
        health = api.get("/api/v1/health/database").body
        assert [each["name"] for each in health["databases"]] == ["orders-db"]


def test_without_a_database_nothing_is_said_to_be_healthy(api: Api) -> None:
    """What is not named is not known."""
    said = api.get("/api/v1/health/database").body
    assert said["status"] == "unknown"
    assert "write rds" in said["reason"]


def test_an_alarm_that_is_gone_is_not_in_place(api: Api) -> None:
    """Nor one that tells nobody."""
    api.responder.world.alarm_actions = ()
    said = api.get("/api/v1/monitoring/alerts/status").body
    assert (said["in_place"], said["all_ok"]) == (False, True)


def test_a_snapshot_is_a_release_one_can_go_back_to(api: Api) -> None:
    """`latest` is the last known good one, and why."""
    said = api.get(f"/api/v1/disaster-recovery/snapshots/{SERVICE}").body
    assert (said["current"], said["latest"]) == ("orders:2", "orders:1")
    assert [each["snapshot_id"] for each in said["snapshots"]] == ["orders:2", "orders:1"]


@pytest.mark.parametrize(
    ("cpu", "memory", "says"),
    [(90.0, 40.0, "more tasks"), (10.0, 10.0, "fewer tasks"), (40.0, 90.0, "more memory")],
)
def test_what_is_used_leads_to_a_sentence(
    cpu: float, memory: float, says: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For people: nothing is done by it."""
    from tests.fakes import world

    monkeypatch.setitem(world.CALM, Metric.CPU, cpu)
    monkeypatch.setitem(world.CALM, Metric.MEMORY, memory)
    said = api.get(f"/api/v1/resource-optimization/analyze/{SERVICE}").body
    assert any(says in each for each in said["recommendations"])
    assert api.responder.world.changes == []


@pytest.fixture
def two(responder: Responder) -> list[Playbook]:
    return [responder.playbook, OTHER]


def test_where_several_could_be_meant_they_are_listed(
    responder: Responder, two: list[Playbook], monkeypatch: pytest.MonkeyPatch
) -> None:
    """400, and what to write."""
    with serving(responder, monkeypatch, playbooks=two) as api:
        said = api.get("/api/v1/health/score")
        assert (said.status, said.body["services"]) == (400, ["shop/orders", "shop/payments"])
        assert api.get("/api/v1/health/score?service=orders").status == 200
        assert api.get("/api/v1/health/score?service=shop/orders").status == 200
        assert api.get("/api/v1/health/score?service=shop/nothing").status == 404


def test_a_service_without_a_playbook_is_not_looked_at(api: Api) -> None:
    """404: what the responder does not know, it says nothing about."""
    said = api.get("/api/v1/monitoring/metrics/shop/other")
    assert said.status == 404
    assert "no playbook" in said.body["detail"]
