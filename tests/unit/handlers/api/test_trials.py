"""What is asked of the service itself: only where its playbook says it answers, within caps, never in an incident."""

import pytest

from functions.domain.trials import LONGEST_S, MOST_CONCURRENT, CheckSaid, Run, RunState, measured
from tests.fakes.api import ANN, Api
from tests.fakes.signals import alarm_signal
from tests.fakes.world import V2

TEST = "/api/v1/deployment-validation/performance-test"
HOST = "https://shop.example.com"


def test_a_performance_test_begins_and_its_result_comes_later(api: Api) -> None:
    """202, because it takes longer than an HTTP API waits."""
    said = api.post(TEST, {"base_url": HOST, "concurrent_requests": 5, "duration_seconds": 30})
    assert said.status == 202
    (load,) = api.trier.begun
    assert (load.url, load.concurrent, load.seconds, load.by) == (HOST, 5, 30, ANN)
    assert api.get(said.body["status_url"]).body["run"]["state"] == "running"
    api.runs.close(Run(load=load, state=RunState.DONE, measured=measured([]), ended_at=api.responder.clock.now()))
    told = api.get(said.body["status_url"]).body["run"]
    assert (told["state"], told["measured"]["requests"]) == ("done", 0)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.com",
        "http://shop.example.com",
        "https://shop.example.com:8443",
        "https://shop.example.com.evil.example",
        "https://ann:secret@shop.example.com",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "shop.example.com",
        "https://[::1",
        "",
    ],
)
def test_only_where_a_check_of_the_playbook_asks(api: Api, url: str) -> None:
    """409 and no request: scheme, host and port have to be those of a check."""
    said = api.post(TEST, {"base_url": url})
    assert (said.status, said.body["rule"]) == (409, "hosts-of-the-playbook")
    assert api.trier.begun == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"base_url": HOST, "concurrent_requests": MOST_CONCURRENT + 1},
        {"base_url": HOST, "concurrent_requests": 0},
        {"base_url": HOST, "duration_seconds": LONGEST_S + 1},
        {"base_url": HOST, "duration_seconds": 0},
        {"base_url": HOST, "headers": {}},
    ],
)
def test_beyond_the_caps_nothing_begins(api: Api, body: dict[str, object]) -> None:
    """422."""
    assert api.post(TEST, body).status == 422
    assert api.trier.begun == []


def test_no_load_in_an_incident(api: Api) -> None:
    """It would make it worse, and its errors would be taken for the service's."""
    api.responder.world.bad.add(V2)
    api.responder.world.settle_alarm()
    api.responder.intake(alarm_signal())
    said = api.post(TEST, {"base_url": HOST})
    assert (said.status, said.body["rule"]) == (409, "no-load-in-an-incident")
    assert api.trier.begun == []


def test_one_at_a_time(api: Api) -> None:
    """Neither in the same two minutes, nor while the one before may still run."""
    clock = api.responder.clock
    clock.advance(seconds=120 - clock.now().timestamp() % 120 - 1)
    assert api.post(TEST, {"base_url": HOST, "duration_seconds": 45}).status == 202
    assert api.post(TEST, {"base_url": HOST}).body["rule"] == "one-trial-at-a-time"
    clock.advance(seconds=5)
    assert api.post(TEST, {"base_url": HOST}).body["rule"] == "one-trial-at-a-time"
    clock.advance(seconds=60)
    assert api.post(TEST, {"base_url": HOST}).status == 202
    assert len(api.trier.begun) == 2


def test_a_trial_that_nobody_can_begin_is_not_running(api: Api) -> None:
    """503, and its record says so."""
    api.trier.broken = True
    assert api.post(TEST, {"base_url": HOST}).status == 503
    (run,) = api.runs.known.values()
    assert (run.state, run.why) == (RunState.FAILED, "function trial does not answer")


def test_a_trial_of_which_nobody_wrote_is_not_running_for_ever(api: Api) -> None:
    """The function that made it may have died."""
    said = api.post(TEST, {"base_url": HOST, "duration_seconds": 30})
    api.responder.clock.advance(seconds=46)
    assert api.get(said.body["status_url"]).body["run"]["state"] == "failed"


@pytest.mark.parametrize("written", ["run-x", "run-0123456789ab-14769546", "run-0123456789ab-1"])
def test_a_run_that_there_is_not_is_404(api: Api, written: str) -> None:
    """Whether or not it could be one."""
    assert api.get(f"/api/v1/deployment-validation/runs/{written}").status == 404


@pytest.mark.parametrize("path", ["smoke-test", "api-validation"])
def test_the_checks_of_the_playbook_are_made_at_once(api: Api, path: str) -> None:
    """It has passed when each was made and none failed."""
    url = f"/api/v1/deployment-validation/{path}/shop/orders"
    assert api.post(url).body["passed"] is False, "without a check nothing has passed"
    api.trier.said = [CheckSaid(check="front-page", demands="an answer", passed=True)]
    assert api.post(url).body["passed"] is True
    api.trier.said += [CheckSaid(check="pool", demands="an answer", passed=None, finding="not made")]
    said = api.post(url).body
    assert (said["passed"], said["reason"]) == (False, "pool could not be made")


@pytest.mark.parametrize(
    ("alarming", "alarm", "passed"),
    [(False, "orders-5xx", True), (True, "orders-5xx", False), (False, "no-such-alarm", None)],
)
def test_a_check_with_a_secret_is_known_by_its_alarm(api: Api, alarming: bool, alarm: str, passed: bool | None) -> None:
    """Who has the secret asks every minute: what it finds counts, and an alarm that is not there counts for nothing."""
    if alarming:
        api.responder.world.bad.add(V2)
        assert api.responder.world.settle_alarm()
    api.trier.said = [CheckSaid(check="cron", demands="an answer", passed=None, alarm=alarm)]
    (said,) = api.post("/api/v1/deployment-validation/smoke-test/shop/orders").body["checks"]
    assert said["passed"] is passed


@pytest.mark.parametrize("path", ["smoke-test", "api-validation"])
def test_checks_that_nobody_could_make_have_not_passed(api: Api, path: str) -> None:
    """503."""
    api.trier.broken = True
    assert api.post(f"/api/v1/deployment-validation/{path}/shop/orders").status == 503
