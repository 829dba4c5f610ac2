"""What one look says, as the HTTP API tells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import ReadFailed
from functions.domain.evidence import Metric, TargetFacts, TargetsFacts
from functions.domain.findings import READINGS, Findings
from functions.workflow.api import views
from functions.workflow.api.views import State
from tests.fakes.findings import findings, metrics, service
from tests.fakes.world import GROUP
from tests.unit.handlers.api.conftest import playbook

PLAYBOOK = playbook()
OTHER = GROUP.replace("orders", "orders-green")


def targets(*states: str, group: str = GROUP) -> TargetsFacts:
    return TargetsFacts(
        targets=tuple(TargetFacts(target_group=group, target=f"10.0.0.{n}", state=s) for n, s in enumerate(states))
    )


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (targets("healthy", "healthy"), State.HEALTHY),
        (targets("healthy", "unhealthy"), State.HEALTHY),
        (targets("unhealthy", "draining"), State.UNHEALTHY),
        (targets("initial"), State.UNHEALTHY),
        (targets(), State.UNHEALTHY),
        (targets("unused"), State.HEALTHY),
        (None, State.UNKNOWN),
    ],
)
def test_who_serves(found: TargetsFacts | None, state: State) -> None:
    """A load balancer with no target at all serves nobody; a side that gets no traffic says nothing."""
    fronted = service().model_copy(update={"target_groups": (GROUP,)})
    assert views.plain_health(PLAYBOOK, findings(service=fronted, targets=found)).status is state


def test_without_a_load_balancer_tasks_serve() -> None:
    """There is nobody else to ask."""
    alone = service().model_copy(update={"target_groups": ()})
    assert views.plain_health(PLAYBOOK, findings(service=alone, targets=targets())).status is State.HEALTHY


def test_fewer_tasks_than_wanted_are_less_than_healthy() -> None:
    """And still serve."""
    fewer = service().model_copy(update={"target_groups": (), "running": 1})
    assert views.plain_health(PLAYBOOK, findings(service=fewer)).status is State.DEGRADED


def test_a_rate_without_requests_is_null() -> None:
    """It is no zero: nobody was served, and nobody failed."""
    said = views.metrics(PLAYBOOK, findings(metrics=metrics({Metric.REQUESTS: None, Metric.TARGET_5XX: None})))
    assert said.error_rate is None


@given(st.sets(st.sampled_from(READINGS)))
def test_what_is_unknown_is_never_told_as_fine(unknown: set[str]) -> None:
    """Whatever could not be read: the answer says so, or there is none."""
    found: Findings = findings(**dict.fromkeys(unknown))
    try:
        health = views.plain_health(PLAYBOOK, found)
    except ReadFailed:
        assert "service" in unknown
    else:
        assert health.status is not State.HEALTHY or not unknown & {"service", "targets"}
    valid = views.validation(PLAYBOOK, found)
    assert not valid.passed or not unknown & set(views.VALIDATES)
    used = views.utilisation(PLAYBOOK, found)
    assert set(used.unknown) == unknown & {"service", "metrics", "scaling", "definition"}
    for read, name in ((views.metrics, "metrics"), (views.alerts, "alarms"), (views.database_health, "dependencies")):
        if name in unknown:
            with pytest.raises(ReadFailed):
                read(PLAYBOOK, found)
        else:
            read(PLAYBOOK, found)
