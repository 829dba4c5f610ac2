"""What can happen on the stage. Each scenario breaks something, and says what has to be true in the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from functions.diagnostics.thresholds import AFTERMATH, HARDLY_OLDER
from functions.domain.incidents import Fact, Incident, IncidentStatus
from functions.workflow.trails import Trail
from tools.demo import shop
from tools.demo.stage import BAD_IMAGE, REF, USUAL_TRAFFIC, Stage

SPIKE_TRAFFIC = 180.0

ROLLS_OUT_WITHIN = timedelta(seconds=20)


class Told(list[str]):
    """What a scenario promises and what came of it: the promises that did not hold."""

    def must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.append(otherwise)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One story.

    `cause` breaks the service; `relieve` ends what the responder does not end itself, and is called when people are
    paged or the incident is resolved. `finished` says when the story is over; `check` collects what did not come true.
    `echoes` is how long after it something else would be taken for a consequence of it.
    """

    name: str
    title: str
    expect: str
    cause: Callable[[Stage], None]
    check: Callable[[Stage, Trail, Told], None]
    relieve: Callable[[Stage], None] = lambda stage: None
    relieve_after: Fact = Fact.INCIDENT_RESOLVED
    echoes: timedelta = HARDLY_OLDER + ROLLS_OUT_WITHIN
    finished: Callable[[Stage, Incident], bool] = lambda stage, incident: incident.status is IncidentStatus.RESOLVED


def _actions(trail: Trail) -> list[str]:
    return [event.data["change"]["kind"] for event in trail.events if event.fact is Fact.ACTION_TAKEN]


def _ship_bad_release(stage: Stage) -> None:
    stage.ship(BAD_IMAGE)


def _check_bad_release(stage: Stage, trail: Trail, told: Told) -> None:
    told.must(_actions(trail) == ["set-task-definition"], "the bad release was not rolled back exactly once")
    good = [release.task_definition for release in stage.ledger().releases(REF) if release.state == "good"]
    told.must(stage.service()["taskDefinition"] in good, "the service does not run a release that is known to be good")


def _spike(stage: Stage) -> None:
    stage.set_faults(traffic=SPIKE_TRAFFIC)


def _calm(stage: Stage) -> None:
    stage.set_faults(traffic=USUAL_TRAFFIC)


def _no_leases(stage: Stage, incident: Incident) -> bool:
    return incident.status is IncidentStatus.RESOLVED and not stage.ledger().service_leases(REF)


def _check_spike(stage: Stage, trail: Trail, told: Told) -> None:
    told.must(_actions(trail) == ["set-floor"], "the floor was not raised exactly once")
    told.must(stage.floor() == shop.TASKS_MINIMUM, f"the floor was not put back to {shop.TASKS_MINIMUM}")
    told.must(any(event.fact is Fact.LEASE_RESTORED for event in trail.events), "the lease was not given back")


def _hang(stage: Stage) -> None:
    stage.set_faults(stuck_tasks=stage.task_arns())


def _check_stuck(stage: Stage, trail: Trail, told: Told) -> None:
    told.must(_actions(trail) == ["force-new-deployment"], "the tasks were not replaced exactly once")


def _lose_database(stage: Stage) -> None:
    stage.set_faults(database_down=True)


def _find_database(stage: Stage) -> None:
    stage.set_faults(database_down=False)


def _check_database(stage: Stage, trail: Trail, told: Told) -> None:
    told.must(_actions(trail) == [], "something was changed although the database was down")
    told.must(any(event.fact is Fact.PAGE_SENT for event in trail.events), "nobody was paged")


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="database-down",
            title="The database takes no connections; a person repairs it after the page",
            expect="nothing is changed, people are paged; closed once it is back",
            cause=_lose_database,
            relieve=_find_database,
            relieve_after=Fact.PAGE_SENT,
            echoes=AFTERMATH,
            check=_check_database,
        ),
        Scenario(
            name="traffic-spike",
            title="Three times the usual traffic, more than the running tasks can carry",
            expect="floor of the scalable target raised as a lease, put back when it ends",
            cause=_spike,
            relieve=_calm,
            finished=_no_leases,
            check=_check_spike,
        ),
        Scenario(
            name="stuck-tasks",
            title="The workers of every task hang; the health checks stay green",
            expect="a new deployment is forced",
            cause=_hang,
            check=_check_stuck,
        ),
        Scenario(
            name="bad-release",
            title="A release fails 40 % of its requests after its deployment completed",
            expect="rolled back to the last known good release",
            cause=_ship_bad_release,
            check=_check_bad_release,
        ),
    )
}
"""In the order of what they leave behind, nothing, more tasks, and new ones: the next has to wait until that is old."""


def chosen(name: str) -> Sequence[Scenario]:
    """The scenarios of that name; `all` is every one in turn.

    Raises:
        KeyError: if there is none of that name.
    """
    return tuple(SCENARIOS.values()) if name == "all" else (SCENARIOS[name],)
