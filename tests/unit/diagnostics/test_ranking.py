"""Which cause is named for which evidence, and what must hold for every evidence."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.diagnostics.ranking import RULES, Rule, rank
from functions.domain.causes import Cause, Judgement
from functions.domain.circumstances import SecretFacts, SecretsFacts
from functions.domain.costs import BudgetFacts
from functions.domain.dependencies import DependencyState
from functions.domain.evidence import Metric, MetricsFacts, TargetFacts, TargetsFacts, TaskFacts, TasksFacts
from functions.domain.findings import READINGS, Findings, Reading
from functions.domain.signals import AlarmState
from functions.domain.threats import ThreatFacts, ThreatsFacts
from tests.fakes.findings import (
    ALARM_AT,
    FAILING,
    JUST_NOW,
    LONG_AGO,
    NOW,
    alarm,
    alarms,
    dependencies,
    deployment,
    findings,
    front,
    logs,
    metrics,
    newly_released,
    release,
    releases,
    revision,
    scaling,
    service,
    service_deployment,
    tasks,
    without,
)
from tests.fakes.world import GROUP, V1, V2

CERTAIN = 0.6
"""From here on the default playbook acts."""

BUSY = {Metric.REQUESTS: 30.0, Metric.CPU: 95.0}
HUNG = {Metric.TARGET_5XX: 5.0, Metric.CPU: 3.0}
UNHEALTHY = TargetsFacts(
    targets=tuple(TargetFacts(target_group=GROUP, target=f"10.0.0.{n}", state="unhealthy") for n in (1, 2))
)


def new(**said: object) -> dict[str, object]:
    return {"task_definition": V2, "created_at": JUST_NOW, **said}


CLEAR = {
    "a release ten minutes before the alarm": (Cause.BAD_RELEASE, newly_released()),
    "a task of a release dies before it is known to be good": (
        Cause.BAD_RELEASE,
        newly_released(metrics=metrics(), tasks=tasks(crashes=1)),
    ),
    "a release whose memory climbs": (
        Cause.BAD_RELEASE,
        newly_released(
            metrics=metrics(now={Metric.MEMORY: 74.0}, latest={Metric.MEMORY: 80.0}),
            alarms=alarms(alarm(breaching_now=False)),
        ),
    ),
    "a release whose tasks die": (Cause.BAD_RELEASE, newly_released(metrics=metrics(), tasks=tasks(crashes=2))),
    "a release on a service without a baseline": (
        Cause.BAD_RELEASE,
        newly_released(metrics=metrics(now=FAILING, before=dict.fromkeys(Metric))),
    ),
    "a deployment in progress whose tasks do not come up": (
        Cause.BAD_DEPLOYMENT,
        newly_released(service=service(primary=deployment(**new(rollout_state="IN_PROGRESS", failed=3)))),
    ),
    "a deployment in progress that users feel": (
        Cause.BAD_DEPLOYMENT,
        newly_released(service=service(primary=deployment(**new(rollout_state="IN_PROGRESS")))),
    ),
    "a deployment that the circuit breaker gave up": (
        Cause.BAD_DEPLOYMENT,
        newly_released(service=service(primary=deployment(**new(rollout_state="FAILED"))), metrics=metrics()),
    ),
    "more load and busy tasks": (Cause.OVERLOAD, findings(metrics=metrics(now=BUSY))),
    "more load and errors, though no CPU is read": (
        Cause.OVERLOAD,
        findings(metrics=metrics(now={Metric.REQUESTS: 30.0, **FAILING, Metric.CPU: None})),
    ),
    "more load at the ceiling": (
        Cause.SCALING_CEILING,
        findings(metrics=metrics(now=BUSY), scaling=scaling(maximum=2)),
    ),
    "idle tasks while requests fail": (Cause.STUCK_TASKS, findings(metrics=metrics(now=HUNG))),
    "a dead database": (
        Cause.DEPENDENCY_FAILING,
        findings(metrics=metrics(now=HUNG), dependencies=dependencies(DependencyState.FAILING)),
    ),
    "a dead database that nobody feels yet": (
        Cause.DEPENDENCY_FAILING,
        findings(
            alarms=alarms(alarm(state=AlarmState.OK, breaching_now=False)),
            dependencies=dependencies(DependencyState.FAILING),
        ),
    ),
    "a dead database shortly after a release": (
        Cause.DEPENDENCY_FAILING,
        newly_released(dependencies=dependencies(DependencyState.FAILING)),
    ),
    "a dead database under load": (
        Cause.DEPENDENCY_FAILING,
        findings(metrics=metrics(now={**BUSY, **FAILING}), dependencies=dependencies(DependencyState.FAILING)),
    ),
    "ECS rolls back": (
        Cause.NATIVE_ROLLBACK,
        newly_released(
            releases=releases(since=JUST_NOW, service_deployments=(service_deployment("ROLLBACK_IN_PROGRESS"),))
        ),
    ),
    "a person deploys": (
        Cause.SOMEONE_AT_WORK,
        newly_released(releases=releases(since=JUST_NOW, changed_during_incident=True)),
    ),
    "an alarm that its own metric denies": (Cause.FALSE_ALARM, findings(alarms=alarms(alarm(breaching_now=False)))),
    "an old release whose tasks die again and again": (
        Cause.CRASH_LOOP,
        findings(tasks=tasks(crashes=3), alarms=alarms(alarm(breaching_now=False))),
    ),
    "a health check that asks a port on which nothing listens": (
        Cause.HEALTH_CHECK_MISCONFIGURED,
        findings(targets=UNHEALTHY, front=front(group={"health_check_port": "9090"})),
    ),
}


@pytest.mark.parametrize(("cause", "seen"), CLEAR.values(), ids=CLEAR)
def test_the_cause_is_named(cause: Cause, seen: Findings) -> None:
    """Clear evidence names its cause, with reasons, and surely enough to act upon."""
    top = rank(seen)[0]
    assert (top.cause, top.confidence >= CERTAIN) == (cause, True)
    assert top.evidence_for


NEAR_MISSES = {
    "the release is an hour old": (
        Cause.BAD_RELEASE,
        newly_released(releases=releases(since=ALARM_AT - timedelta(minutes=61))),
    ),
    "the release is a good one that a rollback brought back": (
        Cause.BAD_RELEASE,
        newly_released(releases=releases(since=JUST_NOW, returned=True)),
    ),
    "the release came after the alarm": (Cause.BAD_RELEASE, newly_released(releases=releases(since=NOW))),
    "no other release ever ran": (
        Cause.BAD_RELEASE,
        newly_released(releases=releases(since=JUST_NOW, history=(release(V2),))),
    ),
    "more load than usual came with the release": (
        Cause.BAD_RELEASE,
        newly_released(metrics=metrics(now={**BUSY, **FAILING})),
    ),
    "a dependency fails": (Cause.BAD_RELEASE, newly_released(dependencies=dependencies(DependencyState.FAILING))),
    "the dependencies cannot be read": (Cause.BAD_RELEASE, newly_released(dependencies=None)),
    "the metrics cannot be read": (Cause.BAD_RELEASE, newly_released(metrics=None)),
    "nothing is wrong with the service": (
        Cause.BAD_RELEASE,
        newly_released(metrics=metrics(), alarms=alarms(alarm(breaching_now=False))),
    ),
    "one task of a good release died": (
        Cause.BAD_RELEASE,
        newly_released(
            metrics=metrics(),
            tasks=tasks(crashes=1),
            alarms=alarms(alarm(breaching_now=False)),
            releases=releases(since=JUST_NOW, history=(release(V2, first_seen=JUST_NOW), release(V1))),
        ),
    ),
    "a forced deployment of the old release failed": (
        Cause.BAD_DEPLOYMENT,
        findings(service=service(primary=deployment(created_at=JUST_NOW, rollout_state="FAILED"))),
    ),
    "a forced deployment of the old release is in progress": (
        Cause.BAD_DEPLOYMENT,
        findings(service=service(primary=deployment(created_at=JUST_NOW, rollout_state="IN_PROGRESS", failed=3))),
    ),
    "busy tasks without more requests": (Cause.OVERLOAD, findings(metrics=metrics(now={Metric.CPU: 95.0}))),
    "busy tasks without a baseline": (
        Cause.OVERLOAD,
        findings(metrics=metrics(now=BUSY, before=dict.fromkeys(Metric))),
    ),
    "load up, a dependency failing": (
        Cause.OVERLOAD,
        findings(metrics=metrics(now=BUSY), dependencies=dependencies(DependencyState.FAILING)),
    ),
    "load up, dependencies unread": (Cause.OVERLOAD, findings(metrics=metrics(now=BUSY), dependencies=None)),
    "load up, releases unread": (Cause.OVERLOAD, findings(metrics=metrics(now=BUSY), releases=None)),
    "load up, at the ceiling": (Cause.OVERLOAD, findings(metrics=metrics(now=BUSY), scaling=scaling(maximum=2))),
    "idle tasks and fewer requests": (
        Cause.STUCK_TASKS,
        findings(metrics=metrics(now={**HUNG, Metric.REQUESTS: 5.0})),
    ),
    "idle tasks after a release": (Cause.STUCK_TASKS, newly_released(metrics=metrics(now=HUNG))),
    "idle tasks in a playbook without dependencies": (
        Cause.STUCK_TASKS,
        findings(metrics=metrics(now=HUNG), dependencies=dependencies(None)),
    ),
    "idle tasks, the dependency's alarm without data": (
        Cause.STUCK_TASKS,
        findings(metrics=metrics(now=HUNG), dependencies=dependencies(DependencyState.UNKNOWN)),
    ),
    "idle tasks, and no CPU was worth comparing": (
        Cause.STUCK_TASKS,
        findings(metrics=metrics(now=HUNG, before={Metric.CPU: 4.0})),
    ),
    "the dying tasks are of the release before": (Cause.CRASH_LOOP, findings(tasks=tasks(crashes=5, of=V1))),
    "the tasks died an hour ago": (Cause.CRASH_LOOP, findings(tasks=tasks(crashes=5, minutes_ago=60))),
    "the tasks were stopped by a person": (
        Cause.CRASH_LOOP,
        findings(tasks=tasks(crashes=5, stop_code="UserInitiated")),
    ),
    "the alarm cannot be asked again": (Cause.FALSE_ALARM, findings(alarms=alarms(alarm(breaching_now=None)))),
    "the alarm is denied, but users get errors": (
        Cause.FALSE_ALARM,
        findings(alarms=alarms(alarm(breaching_now=False)), metrics=metrics(now=FAILING)),
    ),
    "the alarm is denied, but tasks die": (
        Cause.FALSE_ALARM,
        findings(alarms=alarms(alarm(breaching_now=False)), tasks=tasks(crashes=2)),
    ),
    "one of two alarms is denied": (
        Cause.FALSE_ALARM,
        findings(alarms=alarms(alarm(breaching_now=False), alarm(name="orders-cpu"))),
    ),
}


@pytest.mark.parametrize(("cause", "seen"), NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_what_only_looks_like_it_is_not_acted_upon(cause: Cause, seen: Findings) -> None:
    """Each cause has neighbours that look alike from one side: none of them is sure enough to act upon."""
    assert confidence(rank(seen), cause) < CERTAIN


def test_without_a_fitting_cause_people_are_told_the_symptoms() -> None:
    """Unknown names what users feel and what could not be read, and is never certain."""
    seen = findings(metrics=metrics(now=FAILING), tasks=None)
    top = rank(seen)[0]
    assert (top.cause, top.confidence) == (Cause.UNKNOWN, 0.0)
    assert any("requests fail" in line for line in top.evidence_for)
    assert any("tasks could not be read" in line for line in top.evidence_against)


def test_a_release_of_long_ago_says_when_it_came() -> None:
    """The evidence carries its numbers."""
    (top, *_) = rank(newly_released())
    assert any("orders:2 came 10 minutes ago" in line for line in top.evidence_for)
    assert any("40.0% of requests fail (0.0% before)" in line for line in top.evidence_for)


def confidence(judgements: tuple[Judgement, ...], cause: Cause) -> float:
    return next((judgement.confidence for judgement in judgements if judgement.cause is cause), 0.0)


LEVEL = st.none() | st.sampled_from([0.0, 0.01, 0.5, 2.0, 10.0, 35.0, 90.0, 1e9])
ANY_METRICS = st.builds(
    metrics, st.dictionaries(st.sampled_from(Metric), LEVEL), st.dictionaries(st.sampled_from(Metric), LEVEL)
)
SINCE = st.sampled_from([LONG_AGO, JUST_NOW, ALARM_AT, NOW])
ANY_SERVICE = st.builds(
    lambda created, rollout, failed, desired, running, primary: service(
        primary=deployment(created_at=created, rollout_state=rollout, failed=failed, status=primary),
        desired=desired,
        running=running,
    ),
    SINCE,
    st.sampled_from([None, "IN_PROGRESS", "COMPLETED", "FAILED"]),
    st.integers(0, 4),
    st.integers(0, 12),
    st.integers(0, 12),
    st.sampled_from(["PRIMARY", "ACTIVE"]),
)
ANY_ALARM = st.builds(
    lambda state, breaching, since: alarm(state=state, breaching_now=breaching, since=since),
    st.sampled_from(AlarmState),
    st.sampled_from([None, True, False]),
    SINCE,
)
ANY_RELEASES = st.builds(
    lambda since, changed, status, alone: releases(
        since=since,
        changed_during_incident=changed,
        service_deployments=() if status is None else (service_deployment(status),),
        history=(release(V2),) if alone else (release(V2), release(V1)),
    ),
    SINCE,
    st.booleans(),
    st.sampled_from([None, "SUCCESSFUL", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS"]),
    st.booleans(),
)
ANYTHING_SEEN = st.builds(
    findings,
    service=ANY_SERVICE,
    tasks=st.builds(tasks, crashes=st.integers(0, 3), of=st.sampled_from([V1, V2])),
    alarms=st.lists(ANY_ALARM, max_size=3).map(lambda given: alarms(*given) if given else alarms()),
    metrics=ANY_METRICS,
    scaling=st.builds(scaling, registered=st.booleans(), maximum=st.integers(0, 12)),
    releases=ANY_RELEASES,
    dependencies=st.builds(dependencies, st.none() | st.sampled_from(DependencyState)),
)
SOME_READINGS = st.sets(st.sampled_from(READINGS))


@given(ANYTHING_SEEN, SOME_READINGS)
def test_every_look_is_ranked_and_always_alike(seen: Findings, unread: set[str]) -> None:
    """Whatever was seen, and whatever could not be, there is a ranking: likeliest first, in 0 to 1, the same each time,
    and the same again when judged from what the ledger stored."""
    partly = without(seen, *unread)
    judgements = rank(partly)
    assert judgements == rank(Findings.from_json(json.loads(json.dumps(partly.to_json()))))
    fitting = [judgement.confidence for judgement in judgements if not judgement.missing]
    assert fitting == sorted(fitting, reverse=True)
    assert all(0 <= value <= 1 for value in fitting)


@given(ANYTHING_SEEN, SOME_READINGS)
def test_a_cause_whose_required_evidence_is_unread_is_barred(seen: Findings, unread: set[str]) -> None:
    """It is listed with what is missing, and never with any confidence."""
    judgements = rank(without(seen, *unread))
    for rule in RULES:
        if unread & set(rule.requires):
            (judgement,) = [j for j in judgements if j.cause is rule.cause]
            assert judgement.confidence == 0
            assert set(judgement.missing) == unread & set(rule.requires)


@pytest.mark.thorough
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.cause)
@given(seen=ANYTHING_SEEN)
def test_unread_support_never_makes_a_cause_likelier(rule: Rule, seen: Findings) -> None:
    """Also where the reading would have spoken against it: not to know is never better than to know."""
    for name in rule.supports:
        assert confidence(rank(without(seen, name)), rule.cause) <= confidence(rank(seen), rule.cause)


def test_a_release_that_came_into_the_trouble_is_not_its_cause() -> None:
    """Users felt it already when somebody deployed: that may be the cure, and rolling it back would be harm."""
    ranked = rank(rolled_out(minutes_ago=1))
    assert ranked[0].cause is Cause.SOMEONE_AT_WORK
    assert Cause.BAD_RELEASE not in {judgement.cause for judgement in ranked}


def test_a_cure_that_does_not_show_is_none() -> None:
    """Minutes after its deployment ended it is nobody at work any more, and no release to blame either."""
    assert {judgement.cause for judgement in rank(rolled_out(minutes_ago=6))} <= {Cause.UNKNOWN}


def rolled_out(*, minutes_ago: float, **said: object) -> Findings:
    """A deployment that began ten minutes ago, when users felt trouble already, and ended so long ago."""
    ended = NOW - timedelta(minutes=minutes_ago)
    ordinary = {
        "service": service(primary=deployment(created_at=JUST_NOW, updated_at=ended)),
        "metrics": metrics(now=FAILING, preceding=FAILING),
    }
    return newly_released(**(ordinary | said))


def test_a_release_is_suspect_if_it_made_things_far_worse() -> None:
    """The trouble before was another one, where far more requests fail since and the code itself says why."""
    slight = {Metric.TARGET_5XX: 0.5}
    worse = metrics(now=FAILING, preceding=slight, latest={Metric.REQUESTS: 10.0, **FAILING})
    says = logs({"Unhandled exception in handler": 90})
    assert rank(rolled_out(minutes_ago=6, metrics=worse, logs=says))[0].cause is Cause.BAD_RELEASE
    assert rank(rolled_out(minutes_ago=1, metrics=worse, logs=says))[0].cause is Cause.BAD_RELEASE
    assert Cause.BAD_RELEASE not in {j.cause for j in rank(rolled_out(minutes_ago=1, metrics=worse))}


CHANGED_AT = NOW - timedelta(seconds=40)
LOCKED_OUT = {
    "alarms": alarms(alarm(state=AlarmState.OK, breaching_now=False)),
    "metrics": metrics(),
    "tasks": TasksFacts(
        running=(TaskFacts(arn="task/1", task_definition=V2, last_status="RUNNING", started_at=LONG_AGO),), stopped=()
    ),
    "secrets": SecretsFacts(secrets=(SecretFacts(name="orders/db", changed_at=CHANGED_AT),)),
    "logs": logs({"FATAL: password authentication failed for user": 30}),
}
"""A password was changed under running tasks; no metric tells it yet."""


def test_error_lines_after_a_changed_secret_are_enough() -> None:
    """A minute or two before the metrics; with them it is surer still."""
    early = rank(findings(**LOCKED_OUT))[0]
    assert (early.cause, early.confidence) == (Cause.AUTHENTICATION_FAILING, 0.85)
    assert "orders/db was changed" in early.evidence_for[-1]
    felt = rank(findings(**LOCKED_OUT | {"metrics": metrics(now=FAILING)}))[0]
    assert (felt.cause, felt.confidence) == (Cause.AUTHENTICATION_FAILING, 0.93)


@pytest.mark.parametrize(
    "otherwise",
    [
        {"logs": logs({"FATAL: password authentication failed for user": 9})},
        {"logs": logs({"password authentication failed": 14, "connection refused": 16})},
        {"logs": None},
        {"secrets": None},
        {"tasks": None},
        {"service": None},
        {"secrets": SecretsFacts(secrets=(SecretFacts(name="orders/db", changed_at=NOW - timedelta(hours=1)),))},
        {"secrets": SecretsFacts(secrets=(SecretFacts(name="orders/db", exists=False, changed_at=CHANGED_AT),))},
        {"service": service(deployments=(deployment(), deployment(id="ecs-svc/0", status="ACTIVE")))},
    ],
)
def test_a_changed_secret_alone_is_no_cause(otherwise: dict[str, object]) -> None:
    """Few or other error lines, an old change, a deployment that brings fresh tasks anyway, or nothing known."""
    assert all(
        judgement.confidence == 0
        for judgement in rank(findings(**LOCKED_OUT | otherwise))
        if judgement.cause is Cause.AUTHENTICATION_FAILING
    )


def test_a_release_that_replaced_one_just_rolled_out_is_somebodys_answer() -> None:
    """Whoever ships again within minutes saw what we see; once it had time to show, it is judged like any other."""
    before = service_deployment("SUCCESSFUL", created_at=JUST_NOW - timedelta(minutes=4), target_revision="rev/2")
    history = releases(
        since=JUST_NOW,
        service_deployments=(service_deployment("SUCCESSFUL", target_revision="rev/3"), before),
        revisions=(revision("rev/3", V2), revision("rev/2", V1)),
    )
    calm = metrics(now=FAILING)
    assert rank(rolled_out(minutes_ago=1, releases=history, metrics=calm))[0].cause is Cause.SOMEONE_AT_WORK
    assert rank(rolled_out(minutes_ago=6, releases=history, metrics=calm))[0].cause is Cause.BAD_RELEASE
    ours = history.model_copy(update={"deployed_by_us": True})
    named = {j.cause for j in rank(rolled_out(minutes_ago=1, releases=ours, metrics=calm))}
    assert Cause.SOMEONE_AT_WORK not in named


FINDING = ThreatFacts(arn="arn:aws:guardduty:x", type="Execution:Runtime/ReverseShell", severity=8, resource="task/1")
MANY = {"service": service(desired=10, running=10)}


def judged(cause: Cause, seen: Findings) -> Judgement:
    return next((j for j in rank(seen) if j.cause is cause), Judgement(cause=cause, confidence=0.0))


@pytest.mark.parametrize(("severity", "least"), [(4, 0.8), (7, 0.9), (9.5, 0.95)])
def test_a_finding_makes_a_breach_the_surer_the_graver_it_is(severity: float, least: float) -> None:
    """From medium on it is sure enough to tell people at once; the page says what was found, and on what."""
    seen = findings(threats=ThreatsFacts(threats=(FINDING.model_copy(update={"severity": severity}),)))
    top = rank(seen)[0]
    assert (top.cause, top.confidence) == (Cause.SUSPECTED_BREACH, least)
    assert "Execution:Runtime/ReverseShell on task/1" in top.evidence_for[0]


@pytest.mark.parametrize("said", [{"archived": True}, {"severity": 2.0}])
def test_what_was_put_away_or_is_low_names_nothing(said: dict[str, object]) -> None:
    """People looked at it, or it was blocked."""
    seen = findings(threats=ThreatsFacts(threats=(FINDING.model_copy(update=said),)))
    assert judged(Cause.SUSPECTED_BREACH, seen).confidence < CERTAIN


def test_more_tasks_than_the_budget_that_idle_are_a_cause() -> None:
    """A few too many are enough there; without the budget they are none."""
    few = {
        "service": service(desired=5, running=5),
        "metrics": metrics(now={Metric.CPU: 20.0, Metric.TASKS: 5.0}, before={Metric.TASKS: 4.0}),
    }
    assert judged(Cause.RUNAWAY_COST, findings(**few, budget=BudgetFacts(tasks=4))).confidence == 0.85
    assert judged(Cause.RUNAWAY_COST, findings(**few, budget=BudgetFacts(tasks=5))).confidence == 0.0
    assert judged(Cause.RUNAWAY_COST, findings(**few)).confidence == 0.0


@pytest.mark.parametrize(
    "measured",
    [
        metrics(now={Metric.REQUESTS: 40.0, Metric.CPU: 55.0, Metric.TASKS: 10.0}, before={Metric.TASKS: 3.0}),
        metrics(now={Metric.REQUESTS: 40.0, Metric.CPU: 10.0, Metric.TASKS: 10.0}, before={Metric.TASKS: 3.0}),
        metrics(now={Metric.CPU: 50.0, Metric.TASKS: 10.0}, before={Metric.TASKS: 3.0}),
        metrics(now={Metric.CPU: 10.0, Metric.TASKS: 10.0}, before={Metric.TASKS: 10.0}),
        metrics(now={Metric.CPU: None, Metric.TASKS: 10.0}, before={Metric.TASKS: 3.0}),
        metrics(now={Metric.CPU: 10.0, Metric.TASKS: 10.0}, before={Metric.TASKS: None}),
    ],
    ids=["more load", "more load, little CPU", "busy", "as many as before", "CPU unknown", "before unknown"],
)
def test_beyond_the_budget_what_may_be_needed_is_for_people(measured: MetricsFacts) -> None:
    """It is told as what it is, and never sure enough to act upon."""
    judgement = judged(Cause.RUNAWAY_COST, findings(**MANY, metrics=measured, budget=BudgetFacts(tasks=5)))
    assert 0 < judgement.confidence < CERTAIN
    assert "the budget of 5 tasks allows 5" in judgement.evidence_for[0]


@pytest.mark.parametrize(("held", "waste"), [(None, True), (9, True), (10, False), (12, False)])
def test_what_a_lease_of_the_responder_keeps_running_is_no_waste(held: int | None, waste: bool) -> None:
    """Ten idle tasks where three ran: nobody needs them, unless the responder itself asked for so many a moment ago."""
    many = {Metric.CPU: 10.0, Metric.TASKS: 10.0}
    for paid in (None, 5):
        seen = findings(
            **MANY,
            metrics=metrics(now=many, before={Metric.TASKS: 3.0}),
            budget=BudgetFacts(tasks=paid, held=held),
        )
        assert (judged(Cause.RUNAWAY_COST, seen).confidence >= CERTAIN) == waste


def test_tasks_that_share_the_work_hang_no_more_surely_for_a_lease() -> None:
    """More tasks than before use less CPU each, whoever asked for them."""
    felt = {**HUNG, Metric.TASKS: 10.0}
    seen = findings(
        **MANY, metrics=metrics(now=felt, before={Metric.TASKS: 3.0, Metric.CPU: 40.0}), budget=BudgetFacts(held=10)
    )
    assert judged(Cause.STUCK_TASKS, seen).confidence <= 0.3


def test_an_alarm_on_tasks_is_nothing_that_users_feel() -> None:
    """More load and ten tasks: without another symptom nothing calls for even more of them."""
    loud = alarms(alarm(name="orders-tasks", state=AlarmState.ALARM, breaching_now=True))
    seen = findings(
        **MANY,
        alarms=loud.model_copy(update={"of_cost": ("orders-tasks",)}),
        metrics=metrics(now={Metric.REQUESTS: 40.0, Metric.CPU: 55.0, Metric.TASKS: 10.0}, before={Metric.TASKS: 3.0}),
        budget=BudgetFacts(tasks=5),
        scaling=scaling(maximum=30),
    )
    assert judged(Cause.OVERLOAD, seen).confidence < CERTAIN
    felt = replace(seen, alarms=Reading(value=loud))
    assert judged(Cause.OVERLOAD, felt).confidence >= CERTAIN
