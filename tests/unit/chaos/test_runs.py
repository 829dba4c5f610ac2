"""The runs themselves: a few scenarios broken at a sample of their points, and responders that break every promise."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from functions.adapters.clients import Clients
from functions.domain.called import Service
from functions.workflow.table import Function
from tools.chaos.breaks import Break, Choose
from tools.chaos.deployment import FragileDeployment, Invocation
from tools.chaos.promises import PROMISES
from tools.chaos.runs import Explorer, Outcome, Undisturbed, _play, replay, undisturbed
from tools.chaos.sweep import Job, Of, jobs_of, play_job, scenarios_of
from tools.drill.deployment import DrillSettings
from tools.drill.engine import Json
from tools.drill.runner import quiet
from tools.drill.scenario import Scenario
from tools.drill.world.world import World

pytestmark = pytest.mark.thorough

RELEASE, SPIKE, DATABASE = "release-image-missing", "traffic-spike-with-room", "database-comes-back"
BOTH = "spike-and-bad-release"
GRANTED, ISOLATED = "rollback-granted", "isolated-by-order"


@cache
def scenario(name: str) -> Scenario:
    (found,) = scenarios_of([name])
    return found


@cache
def calm(name: str) -> Undisturbed:
    with quiet():
        return undisturbed(scenario(name), 0)


def broken(name: str, *breaks: str, **said: Any) -> tuple[set[str], tuple[str, ...]]:
    """The promises that one run did not keep, and what happened in it."""
    with quiet():
        outcome, told = replay(scenario(name), 0, calm(name), breaks=breaks, **said)
    return {violation.promise for violation in outcome.violations}, told


def effects(told: tuple[str, ...]) -> list[str]:
    """Points at which something was changed."""
    return [line.split(" at ")[1].split()[0] for line in told if "EFFECT " in line]


@pytest.mark.parametrize("name", [RELEASE, SPIKE, DATABASE])
def test_a_responder_that_nothing_disturbs_keeps_every_promise(name: str) -> None:
    """What is asked of broken runs is asked of whole ones first."""
    assert calm(name).violations == ()


@pytest.mark.parametrize(("name", "share"), [(RELEASE, 0.05), (SPIKE, 0.05), (GRANTED, 0.03), (ISOLATED, 0.03)])
def test_points_of_a_run_break_no_promise(name: str, share: float) -> None:
    """A sample of the points of a scenario; `make chaos` takes all of them, of all scenarios."""
    with quiet():
        calls, outcomes = play_job(scenario(name), Job(scenario=0, seed=0, share=share, twice=True), lambda _: None)
    of = Of(name=name).and_of(outcomes, calls=calls, faulty=False)
    assert of.crash_points > 5
    assert [(outcome.replay, outcome.violations) for outcome in of.broken] == []


@pytest.mark.parametrize("name", [RELEASE, DATABASE])
def test_faulty_weather_breaks_no_promise(name: str) -> None:
    """Throttling, errors, lost answers, refusals, stale reads and deaths, at rates up to one half."""
    with quiet():
        _, outcomes = play_job(scenario(name), Job(scenario=0, seed=0, weather=tuple(range(6))), lambda _: None)
    of = Of(name=name).and_of(outcomes, calls=0, faulty=True)
    assert (of.faulty_runs, of.faults > 100) == (6, True)
    assert [(outcome.replay, outcome.violations) for outcome in of.broken] == []


def test_a_death_right_after_the_change_leaves_one_effect_and_says_that_nobody_knows() -> None:
    """The successor finds the intent open, counts it as done, and verifies."""
    point = effects(broken(RELEASE)[1])[0]
    kept, told = broken(RELEASE, f"kill@{point}")
    assert kept == set()
    assert len(effects(told)) == 1
    assert any("ActionDoubtful" in line for line in told)
    assert any("IncidentResolved" in line for line in told)


@pytest.mark.parametrize(
    ("name", "answer", "changes"),
    [
        (GRANTED, "ApprovalGranted", ["UpdateService"]),
        ("rollback-denied", "ApprovalDenied", []),
        ("rollback-granted-late", "ApprovalExpired", []),
        (ISOLATED, "ApprovalGranted", ["RegisterScalableTarget", "UpdateService"]),
    ],
)
def test_what_people_answer_decides(name: str, answer: str, changes: list[str]) -> None:
    """What they grant is done once; what they deny, or grant when nobody waits any more, is not."""
    kept, told = broken(name)
    assert kept == set()
    assert any(answer in line for line in told)
    assert [line.split("EFFECT ")[1].split()[0] for line in told if "EFFECT " in line] == changes


def test_a_person_whose_answer_got_lost_answers_again() -> None:
    """The function dies after it wrote the answer, before the execution was told: a minute later both know."""
    with quiet():
        calls: list[str] = []

        def choose(point: str, options: Sequence[Break], invocation: Invocation) -> None:
            if invocation.function == "api" and point.endswith("+"):
                calls.append(point)

        explored(GRANTED, choose)
    written, told_to_it = calls
    kept, told = broken(GRANTED, f"kill@{written}")
    assert kept == set()
    assert sum("ApprovalGranted" in line for line in told) == len(effects(told)) == 1
    assert broken(GRANTED, f"kill@{told_to_it}")[0] == set()


def explored(name: str, choose: Choose) -> None:
    """One run in which `choose` only listens."""
    _play(scenario(name), 0, calm(name).nobody, calm_s=0, judge=lambda _: None, choose=choose)


def test_what_was_explored_can_be_made_again() -> None:
    """A run that was forked off is the one that its command makes, break for break."""
    found: list[Outcome] = []
    explorer = Explorer(scenario(RELEASE), 0, 0.015, True, found.append)
    with quiet():
        explorer.explore(calm(RELEASE))
        assert found
        for outcome in found:
            again, _ = replay(scenario(RELEASE), 0, calm(RELEASE), breaks=outcome.breaks)
            assert (again.happened, again.calls) == (len(outcome.breaks), outcome.calls), outcome.replay


class Careless(FragileDeployment):
    """A responder one of whose functions does not what it should."""

    function: Function

    def _invoke(self, function: Function, payload: Json) -> Json:
        if function is not self.function:
            return super()._invoke(function, payload)
        return self.instead(payload)

    def instead(self, payload: Json) -> Json:
        raise NotImplementedError


class SentAgain(FragileDeployment):
    """Its changes are sent again by botocore when their answer is lost."""

    def __init__(self, world: World, *, clients: Clients, settings: DrillSettings, **rest: Any) -> None:
        super().__init__(world, clients=_Repeating(clients), settings=settings, **rest)


class _Repeating(Clients):
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def repeating(self, service: Service) -> Any:
        return self._clients.repeating(service)

    def once(self, service: Service) -> Any:
        return self._clients.repeating(service)


class Unswept(FragileDeployment):
    """Nobody sweeps."""

    def sweep_now(self) -> None:
        return


class NothingGivenBack(Careless):
    """Leases are never given back."""

    function = Function.RESTORE

    def instead(self, payload: Json) -> Json:
        return {**payload, "outcome": "restored", "wait_s": 0}


class Forgetful(Careless):
    """A line of the trail is lost when the incident is closed."""

    function = Function.CLOSE

    def instead(self, payload: Json) -> Json:
        answer = FragileDeployment._invoke(self, Function.CLOSE, payload)
        self.table.lose(f"INCIDENT#{payload['incident_id']}", "EVENT#000003")
        return answer


class Hopeful(FragileDeployment):
    """Does nothing, and says that the service has recovered."""

    def _invoke(self, function: Function, payload: Json) -> Json:
        match function:
            case Function.REMEDIATE:
                return {**payload, "outcome": "done", "wait_s": 0}
            case Function.VERIFY:
                return {**payload, "outcome": "recovered", "wait_s": 0}
        return super()._invoke(function, payload)


class OnItsOwn(Careless):
    """A step that may only look deploys on its own."""

    function = Function.VERIFY

    def instead(self, payload: Json) -> Json:
        self.running.append(Invocation(function="verify", incident_id=payload["incident_id"]))
        self._clients.once("ecs").update_service(cluster="shop", service="orders", forceNewDeployment=True)
        self.running.pop()
        return FragileDeployment._invoke(self, Function.VERIFY, payload)


LOST_ANSWERS = (61, 83, 171, 228, 231)
"""Weather in which many changes are not answered; which of them, every new call of the responder moves."""


def test_changes_that_are_sent_again_are_double_effects() -> None:
    """In some weather an answer is lost, and botocore would deploy twice."""
    unkept = [broken(BOTH, weather=number, deploy=SentAgain)[0] for number in LOST_ANSWERS]
    assert {"double_effects"} in unkept
    assert [broken(BOTH, weather=number)[0] for number in LOST_ANSWERS] == [set()] * len(LOST_ANSWERS)


def test_a_change_that_follows_no_intent_is_a_double_effect() -> None:
    """Whoever makes it."""
    assert "double_effects" in broken(RELEASE, deploy=OnItsOwn)[0]


def test_an_incident_that_nobody_restarts_is_lost() -> None:
    """Its function died, and no sweep comes."""
    point = effects(broken(RELEASE, deploy=Unswept)[1])[0]
    assert "lost_incidents" in broken(RELEASE, f"kill@{point}", deploy=Unswept)[0]


def test_a_lease_that_nobody_gives_back_is_leaked() -> None:
    """Restarted for ever, and still out long after its end."""
    assert "leaked_leases" in broken(SPIKE, deploy=NothingGivenBack)[0]


def test_a_gap_in_a_trail_is_found() -> None:
    """One line that is missing breaks the chain."""
    assert "broken_trails" in broken(RELEASE, deploy=Forgetful)[0]


def test_an_incident_closed_over_a_service_in_trouble_is_another_outcome() -> None:
    """Nobody is told, and users are not served."""
    assert {"other_outcomes", "lost_incidents"} & broken(RELEASE, deploy=Hopeful)[0]


def test_the_faulty_runs_are_spread_over_scenarios_and_seeds() -> None:
    """Each number once."""
    some = [scenario(RELEASE), scenario(SPIKE)]
    jobs = jobs_of(some, seeds=2, share=0, twice=False, faulty=100)
    assert sorted(number for job in jobs for number in job.weather) == list(range(100))
    assert {(job.scenario, job.seed) for job in jobs} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_every_promise_is_counted_once_a_run() -> None:
    """A run that breaks one promise in two ways is one run that broke it."""
    assert set(Of(name="none").figures) == {"crash_points", "faulty_runs", *PROMISES}
