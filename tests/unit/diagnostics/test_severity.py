"""How grave it is, as the evidence of one look says."""

import pytest

from functions.diagnostics.ranking import rank
from functions.diagnostics.severity import gravity
from functions.domain.dependencies import DependencyState
from functions.domain.evidence import Metric, TargetFacts, TargetsFacts
from functions.domain.findings import Findings
from functions.domain.severity import Gravity, Severity
from tests.fakes.findings import alarm, alarms, dependencies, findings, metrics, service, without
from tests.fakes.world import GROUP

QUIET = alarms(alarm(state="OK", breaching_now=False))


def graded(seen: Findings, *, margin: float = 1.0) -> Gravity:
    return gravity(seen, rank(seen), sure=0.6, margin=margin)


def failing(share: float, *, requests: float = 10.0) -> Findings:
    return findings(metrics=metrics(now={Metric.REQUESTS: requests, Metric.TARGET_5XX: share * requests}))


def targets(*states: str) -> TargetsFacts:
    return TargetsFacts(
        targets=tuple(TargetFacts(target_group=GROUP, target=f"10.0.0.{n}", state=s) for n, s in enumerate(states))
    )


SIGNS = {
    "nobody is served": (failing(0.97), Severity.P0, "97.0% of requests fail"),
    "no task runs": (findings(service=service(running=0)), Severity.P0, "none of 2 tasks runs"),
    "no target is healthy": (findings(targets=targets("unhealthy", "draining")), Severity.P0, "no target is healthy"),
    "the idle side of blue and green": (
        findings(alarms=QUIET, targets=targets("unused", "unused")),
        Severity.P4,
        "users feel nothing",
    ),
    "a flood of requests": (
        findings(metrics=metrics(now={Metric.REQUESTS: 60.0})),
        Severity.P0,
        "suspected-breach",
    ),
    "a third fails": (failing(0.34), Severity.P1, "34.0% of requests fail"),
    "a tenth fails": (failing(0.1), Severity.P1, "10.0% of requests fail"),
    "fewer fail": (failing(0.099), Severity.P2, "9.9% of requests fail"),
    "one in twenty fails": (failing(0.05), Severity.P2, "5.0% of requests fail"),
    "some fail": (failing(0.049), Severity.P3, "4.9% of requests fail"),
    "one of two fails at night": (failing(0.5, requests=0.01), Severity.P2, "50.0% of requests fail, 1 in all"),
    "very slow": (findings(metrics=metrics(now={Metric.LATENCY: 5.2})), Severity.P2, "responses take 5.2 s"),
    "slower than usual": (
        findings(metrics=metrics(now={Metric.LATENCY: 0.9})),
        Severity.P3,
        "responses take 0.90 s, far more than usual",
    ),
    "a database is down and it is felt": (
        findings(metrics=metrics(now={Metric.TARGET_5XX: 0.3}), dependencies=dependencies(DependencyState.FAILING)),
        Severity.P1,
        "dependency orders-db is failing, and users feel it",
    ),
    "a database is down and nobody feels it": (
        findings(alarms=QUIET, dependencies=dependencies(DependencyState.FAILING)),
        Severity.P4,
        "users feel nothing",
    ),
    "one target of two": (
        findings(alarms=QUIET, metrics=metrics(now={Metric.HEALTHY_HOSTS: 1.0}), targets=targets("healthy", "initial")),
        Severity.P3,
        "fewer targets are healthy than usual",
    ),
    "tasks that nobody needs": (
        findings(
            alarms=QUIET,
            service=service(desired=8, running=8),
            metrics=metrics(now={Metric.TASKS: 8.0, Metric.CPU: 6.0}),
        ),
        Severity.P3,
        "runaway-cost",
    ),
    "a service that a person set to 0": (
        findings(alarms=QUIET, service=service(desired=0, running=0)),
        Severity.P4,
        "users feel nothing",
    ),
    "an ordinary day": (findings(alarms=QUIET), Severity.P4, "users feel nothing"),
}


@pytest.mark.parametrize("name", SIGNS)
def test_how_grave_it_is(name: str) -> None:
    """The gravest sign decides, and is told with its numbers."""
    seen, severity, reason = SIGNS[name]
    found = graded(seen)
    assert found.severity is severity
    assert reason in found.reason


@pytest.mark.parametrize("name", SIGNS)
def test_a_look_that_brought_nothing_shows_nothing(name: str) -> None:
    """What could not be read says neither that it is grave nor that all is well."""
    seen = SIGNS[name][0]
    blind = graded(without(seen, "service", "targets", "metrics", "alarms", "dependencies", "tasks", "scaling"))
    assert blind.severity is Severity.P4
    assert not blind.whole


@pytest.mark.parametrize("name", ["service", "targets", "metrics", "alarms"])
def test_without_one_of_these_a_look_is_not_whole(name: str) -> None:
    """Each of them alone could have shown that it is graver; so could requests, and there were none."""
    assert graded(findings()).whole
    assert not graded(without(findings(), name)).whole
    assert not graded(findings(metrics=metrics(now={Metric.REQUESTS: None}))).whole


def test_a_margin_keeps_what_is_just_below_a_line() -> None:
    """So that nothing goes to and fro at it; what is clearly below is below."""
    assert graded(failing(0.09)).severity is Severity.P2
    assert graded(failing(0.09), margin=1.25).severity is Severity.P1
    assert graded(failing(0.07), margin=1.25).severity is Severity.P2


def test_the_newest_period_counts_too() -> None:
    """What begins shows there first."""
    begun = metrics(latest={Metric.REQUESTS: 10.0, Metric.TARGET_5XX: 5.0})
    assert graded(findings(metrics=begun)).severity is Severity.P1
