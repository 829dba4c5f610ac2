"""What is ordered over the API is planned, judged and asked for like everything else, and by whom is in the trail."""

from collections.abc import Iterator

import pytest

from functions.domain.changes import SetTaskDefinition
from functions.domain.incidents import Fact, Switch
from functions.workflow.table import StepName
from tests.fakes.api import ANN, Api, event, serving
from tests.fakes.engine import Responder
from tests.fakes.world import REF, V1, V2
from tests.unit.handlers.api.conftest import playbook, shipped

ROLLBACK = "/api/v1/disaster-recovery/rollback/shop/orders"
SCALE = "/api/v1/disaster-recovery/emergency-scale/shop/orders"
BOB = "arn:aws:iam::123456789012:user/bob"
PLAN = "/api/v1/disaster-recovery/execute-plan"


def broken(responder: Responder) -> Responder:
    """V2 has just been shipped, and fails."""
    shipped(responder)
    world = responder.world
    world.bad.add(V2)
    world.ship(V2)
    responder.clock.advance(seconds=240)
    assert world.settle_alarm()
    return responder


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with serving(broken(Responder(playbook=playbook())), monkeypatch) as made:
        yield made


def orders(api: Api) -> list[dict[str, object]]:
    """Every order that lies in an inbox."""
    found = []
    for incident in api.responder.ledger.open_incidents():
        for entry in api.responder.ledger.inbox(incident.id):
            if entry.signal.order is not None:
                found.append(entry.signal.order.model_dump(mode="json"))
    return found


def test_a_rollback_is_taken_in_and_carried_by_an_incident(api: Api) -> None:
    """202 with the incident's id, because it takes longer than an HTTP API waits; then it is done."""
    said = api.post(ROLLBACK, {"snapshot_id": "latest", "dry_run": False, "reason": "errors since orders:2"})
    assert said.status == 202
    assert api.responder.world.changes == []
    api.responder.run(until=StepName.SETTLE)
    assert [type(change) for change in api.responder.world.changes] == [SetTaskDefinition]
    assert api.responder.world.task_definition == V1
    told = api.get(said.body["status_url"]).body
    assert told["id"] == said.body["run_id"]
    assert any(line["fact"] == Fact.ACTION_TAKEN for line in told["timeline"])


def test_who_ordered_it_is_whom_iam_knows(api: Api) -> None:
    """Whatever else the request says."""
    api.post(ROLLBACK, {"reason": "errors"})
    (order,) = orders(api)
    assert (order["identity"], order["by"], order["reason"]) == (ANN, "on-call/ann", "errors")


def test_without_a_reason_it_is_by_whom(api: Api) -> None:
    """Runbooks roll back with no body at all."""
    assert api.send(event("POST", ROLLBACK)).status == 202
    (order,) = orders(api)
    assert order["reason"] == f"by {ANN}"


def test_a_dry_run_says_what_would_be_done_and_does_nothing(api: Api) -> None:
    """No incident, no order, no change."""
    said = api.post(ROLLBACK, {"dry_run": True})
    assert (said.status, said.body["dry_run"], said.body["state"]) == (200, True, "allowed")
    assert "orders:1" in said.body["plan"]
    assert said.body["verdicts"]
    assert not api.responder.ledger.open_incidents()
    assert api.responder.world.changes == []


def test_a_guardrail_that_says_no_is_named(api: Api) -> None:
    """409 with its name, at once, and nothing is ordered."""
    api.responder.ledger.set_switch(
        REF, Switch(paused_until=api.responder.clock.now().replace(year=2027), by="bob", reason="a test")
    )
    said = api.post(ROLLBACK, {"snapshot_id": "latest"})
    assert (said.status, said.body["rule"]) == (409, "pause")
    assert orders(api) == []


def test_an_order_over_the_api_is_no_more_than_one_at_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the playbook only observes, nothing is ordered, and the rule is named."""
    with serving(broken(Responder(playbook=playbook(mode="observe"))), monkeypatch) as api:
        said = api.post(ROLLBACK, {"reason": "errors"})
        assert (said.status, said.body["rule"]) == (409, "mode")
        assert orders(api) == []


def test_no_task_at_all_needs_a_second_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who orders it over the API is asked over the API, and whoever answers is in the trail, too."""
    known = playbook(limits={"min_tasks": 0})
    with serving(shipped(Responder(playbook=known)), monkeypatch) as api:
        said = api.post(SCALE, {"target_count": 0, "reason": "stop it"})
        assert said.status == 202, said.text

        def grant() -> None:
            assert api.post(f"{said.body['status_url']}/approve", {"reason": "yes"}, caller=BOB).status == 200

        api.responder.asked = grant
        api.responder.run(until=StepName.VERIFY)
        granted = next(e for e in api.responder.ledger.events(said.body["run_id"]) if e.fact is Fact.APPROVAL_GRANTED)
        assert granted.data["identity"] == BOB
        assert len(api.responder.world.changes) > 0


def test_one_of_the_snapshots_may_be_named(api: Api) -> None:
    """By the id that the list of snapshots gives it."""
    assert api.post(ROLLBACK, {"snapshot_id": "orders:1"}).status == 202
    (order,) = orders(api)
    assert order["to"] == V1


def test_a_snapshot_that_is_not_on_record_is_refused(api: Api) -> None:
    """404 with those that are."""
    said = api.post(ROLLBACK, {"snapshot_id": "orders:77"})
    assert said.status == 404
    assert "orders:1" in said.body["detail"]
    assert orders(api) == []


@pytest.mark.parametrize(
    "body",
    [
        {"dryrun": True},
        {"dry_run": "true"},
        {"dry_run": 1},
        {"snapshot_id": 7},
        {"reason": "x" * 501},
    ],
)
def test_a_body_that_is_not_meant_so_orders_nothing(api: Api, body: dict[str, object]) -> None:
    """A misspelt dry run must not become an order."""
    assert api.post(ROLLBACK, body).status == 422
    assert orders(api) == []


@pytest.mark.parametrize("text", ["[]", "{", '"latest"', "dry_run=true", "7", '{"dry_run": NaN}', "[" * 100_000])
def test_what_is_no_json_object_orders_nothing(api: Api, text: str) -> None:
    """Neither a form nor a list."""
    assert api.send(event("POST", ROLLBACK, body=text, content_type="application/json")).status == 422
    assert orders(api) == []


def test_the_same_key_is_the_same_order(api: Api) -> None:
    """Whoever did not get an answer orders again."""
    request = event("POST", ROLLBACK, body='{"reason": "errors"}')
    request["headers"]["Idempotency-Key"] = "k-1"
    first, again = api.send(request), api.send(request)
    assert (first.status, again.status) == (202, 202)
    assert (first.body["duplicate"], again.body["duplicate"]) == (False, True)
    assert first.body["run_id"] == again.body["run_id"]
    assert len(orders(api)) == 1
    api.responder.run(until=StepName.SETTLE)
    late = api.send(request)
    assert (late.status, late.body["duplicate"]) == (202, True), "the rollback that it began refuses no repetition"
    assert len(api.responder.world.changes) == 1


def test_a_number_of_tasks_is_ordered(api: Api) -> None:
    """So many, and nothing else."""
    said = api.post(SCALE, {"target_count": 6, "reason": "Emergency response"})
    assert said.status == 202, said.text
    (order,) = orders(api)
    assert (order["what"], order["count"]) == ("set-count", 6)


def test_more_tasks_than_the_playbook_allows_are_refused(api: Api) -> None:
    """409, with the rule."""
    said = api.post(SCALE, {"target_count": 500})
    assert said.status == 409, said.text
    assert said.body["rule"]
    assert orders(api) == []


@pytest.mark.parametrize("body", [{}, {"target_count": -1}, {"target_count": "ten"}, {"target_count": 2.5}])
def test_a_number_of_tasks_is_needed(api: Api, body: dict[str, object]) -> None:
    """422, and nothing is ordered."""
    assert api.post(SCALE, body).status == 422
    assert orders(api) == []


@pytest.mark.parametrize(
    ("name", "more", "what"),
    [
        ("service_rollback", {}, "roll-back"),
        ("service_restart", {}, "force-new-deployment"),
        ("emergency_scale", {"target_count": 6}, "set-count"),
    ],
)
def test_a_plan_is_ordered_by_its_name(api: Api, name: str, more: dict[str, object], what: str) -> None:
    """Each is an order that has a path of its own or could be given at the desk."""
    said = api.post(f"{PLAN}/{name}", {"cluster_name": "shop", "service_name": "orders", **more})
    assert said.status == 202, said.text
    (order,) = orders(api)
    assert order["what"] == what


def test_a_plan_that_there_is_not_is_404(api: Api) -> None:
    """With those that there are."""
    said = api.post(f"{PLAN}/restore_everything", {"cluster_name": "shop", "service_name": "orders"})
    assert said.status == 404
    assert "service_rollback" in said.body["detail"]


@pytest.mark.parametrize("path", [ROLLBACK, SCALE])
def test_nothing_is_ordered_without_a_look(api: Api, path: str) -> None:
    """Where nobody can say whether a guardrail holds, none is given."""
    api.inspector.broken = True
    assert api.post(path, {"target_count": 6} if path == SCALE else {}).status == 503
    assert orders(api) == []


@pytest.mark.parametrize("path", [ROLLBACK, SCALE, f"{PLAN}/service_rollback"])
def test_nobody_orders_unsigned(api: Api, path: str) -> None:
    """Should a route ever have no authorisation, the function still asks who it is."""
    assert api.post(path, {"target_count": 6}, caller=None).status == 403
    assert orders(api) == []


def test_a_service_without_a_playbook_takes_no_orders(api: Api) -> None:
    """404, whoever asks."""
    assert api.post("/api/v1/disaster-recovery/rollback/shop/other").status == 404
