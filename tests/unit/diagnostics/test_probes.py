"""What each probe makes of what AWS shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.diagnostics.costs import read_budget
from functions.diagnostics.look import Surroundings
from functions.diagnostics.metrics import FEWEST_POINTS, UNTOLD, read_metrics
from functions.diagnostics.probes import (
    LOGS_LOOKBACK,
    read_alarms,
    read_definition,
    read_front,
    read_logs,
    read_secrets,
    read_service,
    read_targets,
)
from functions.diagnostics.releases import last_known_good, read_deployed, read_releases
from functions.domain.circumstances import FrontFacts
from functions.domain.errors import ReadFailed
from functions.domain.evidence import (
    AlarmFacts,
    Metric,
    MetricsFacts,
    Release,
    ReleasesFacts,
    ReleaseState,
    RevisionFacts,
    ServiceDeploymentFacts,
    ServiceFacts,
    TaskFacts,
    TasksFacts,
)
from functions.domain.services import ServiceRef
from functions.domain.signals import AlarmState
from functions.ports import MetricsQuery, Points, Series
from tests.fakes.clock import FakeClock
from tests.fakes.findings import (
    ALARM_AT,
    JUST_NOW,
    LONG_AGO,
    NOW,
    alarm,
    alarms,
    definition,
    deployment,
    release,
    service,
    service_deployment,
)
from tests.fakes.quiet import Quiet
from tests.fakes.world import BALANCER, FAMILY, GROUP, REF, V1, V2, V3, World


@dataclass
class Shown(World):
    """AWS as a test wants it shown."""

    clock: FakeClock = field(default_factory=FakeClock)
    shown_service: ServiceFacts | None = field(default_factory=service)
    shown_alarms: tuple[AlarmFacts, ...] = ()
    shown_deployments: tuple[ServiceDeploymentFacts, ...] = ()
    shown_revisions: tuple[RevisionFacts, ...] = ()
    points: Mapping[Metric, Points] = field(default_factory=dict)
    zone_points: Mapping[str, Mapping[Metric, Points]] = field(default_factory=dict)
    queries: list[MetricsQuery] = field(default_factory=list)

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        return self.shown_service

    def alarms(self, names: Sequence[str]) -> Sequence[AlarmFacts]:
        return [shown for shown in self.shown_alarms if shown.name in names]

    def service_deployments(self, ref: ServiceRef) -> Sequence[ServiceDeploymentFacts]:
        return self.shown_deployments

    def revisions(self, arns: Sequence[str]) -> Sequence[RevisionFacts]:
        return [revision for revision in self.shown_revisions if revision.arn in arns]

    def series(self, query: MetricsQuery) -> Series:
        self.queries.append(query)

        def within(metrics: Mapping[Metric, Points]) -> dict[Metric, Points]:
            return {
                metric: [(at, value) for at, value in points if query.start <= at < query.end]
                for metric, points in metrics.items()
            }

        return Series(
            metrics=within(self.points),
            by_zone={zone: within(points) for zone, points in self.zone_points.items() if zone in query.zones},
        )


def around(world: World, **said: object) -> Surroundings:
    return Surroundings(**{"ref": REF, "readers": world.readers, "now": NOW, **said})  # type: ignore[arg-type]


def minutes(value: float, *, since: datetime, until: datetime = NOW) -> list[tuple[datetime, float]]:
    """The same value every minute."""
    count = int((until - since).total_seconds() // 60)
    return [(since + timedelta(minutes=n), value) for n in range(count)]


def measured(world: Shown, given_alarms: Sequence[AlarmFacts] = (), **said: object) -> MetricsFacts:
    known = {"service": world.shown_service, "alarms": alarms(*given_alarms) if given_alarms else alarms()}
    return read_metrics(around(world, **said), known)


def test_a_service_that_is_gone_is_not_read() -> None:
    """ECS knows no such service: that is a failed reading, never an empty one."""
    with pytest.raises(ReadFailed, match="knows no service orders"):
        read_service(around(Shown(shown_service=None)), {})


def test_alarms_that_no_longer_exist_are_named() -> None:
    """The incident spoke of two alarms, one was deleted meanwhile: it is gone, and not OK."""
    facts = read_alarms(around(Shown(shown_alarms=(alarm(),)), alarms=("orders-5xx", "orders-cpu")), {})
    assert [a.name for a in facts.alarms] == ["orders-5xx"]
    assert facts.gone == ("orders-cpu",)
    assert not facts.all_ok


def test_an_alarm_on_tasks_is_known_to_be_one_of_cost() -> None:
    """As far as the incident spoke of it; the playbook says which alarms these are."""
    loud = Shown(shown_alarms=(alarm(), alarm(name="tasks")))
    names = ("orders-5xx", "tasks")
    assert read_alarms(around(loud, alarms=names, cost_alarms=("tasks", "other")), {}).of_cost == ("tasks",)
    assert read_alarms(around(loud, alarms=names), {}).of_cost == ()


@pytest.mark.parametrize(
    ("limits", "launch_type", "priced", "allowed"),
    [
        ({"budget_tasks": 8}, "FARGATE", True, 8),
        ({"budget_usd": 3.0}, "FARGATE", True, 5),
        ({"budget_usd": 3.0}, None, True, 5),
        ({"budget_tasks": 4, "budget_usd": 3.0}, None, True, 4),
        ({"budget_tasks": 8, "budget_usd": 3.0}, None, True, 5),
        ({"budget_usd": 3.0}, "EC2", True, None),
        ({"budget_usd": 3.0}, "FARGATE", False, None),
        ({"budget_tasks": 8, "budget_usd": 3.0}, "EC2", True, 8),
        ({}, "FARGATE", True, None),
    ],
)
def test_how_many_tasks_a_budget_allows(
    limits: Mapping[str, Any], launch_type: str | None, priced: bool, allowed: int | None
) -> None:
    """The fewer of both; without a price, dollars allow nobody knows how many. Half a vCPU and 1 GB cost 0.59 a day."""
    size = definition(cpu=512, memory_mib=1024) if priced else definition(cpu=None, memory_mib=None)
    known = {"service": service(launch_type=launch_type), "definition": size}
    facts = read_budget(around(Shown(), **limits), known)
    assert facts.allowed == allowed
    assert facts.unclear == ("budget_usd" in limits and (launch_type == "EC2" or not priced))
    assert read_budget(around(Shown(), **limits), {"service": known["service"]}).allowed == limits.get("budget_tasks")


def test_a_service_without_load_balancer_has_no_targets() -> None:
    """Nothing is asked and nothing is unknown."""
    lonely = service(target_groups=())
    assert read_targets(around(Shown(unreadable={"targets"})), {"service": lonely}).targets == ()


def test_the_trouble_began_before_the_alarm_spoke() -> None:
    """An alarm looks back over its window; the earliest of several alarms counts, and one that is OK does not."""
    early = alarm(name="a", since=ALARM_AT - timedelta(minutes=5), evaluation_periods=3)
    calm = alarm(name="b", state=AlarmState.OK, since=LONG_AGO)
    facts = measured(Shown(), [alarm(), early, calm])
    assert facts.onset == ALARM_AT - timedelta(minutes=8)


def test_without_an_alarm_the_trouble_began_with_the_incident() -> None:
    """A failed deployment opens an incident, too."""
    world = Shown()
    calm = alarms(alarm(state=AlarmState.OK))
    began = read_metrics(around(world, began_at=JUST_NOW), {"service": service(), "alarms": calm}).onset
    assert began == JUST_NOW - UNTOLD
    assert read_metrics(around(world), {"service": service(), "alarms": calm}).onset == NOW - UNTOLD


def test_the_usual_time_ends_before_the_trouble() -> None:
    """What is compared with is half an hour before the trouble began; the trouble itself is not in it."""
    onset = ALARM_AT - timedelta(minutes=2)
    points = [*minutes(600, since=NOW - timedelta(hours=2), until=onset), *minutes(1800, since=onset)]
    facts = measured(Shown(points={Metric.REQUESTS: points}))
    assert facts.before(Metric.REQUESTS) == 10.0
    assert facts.now(Metric.REQUESTS) == 30.0


def test_the_usual_time_ends_before_a_release_that_came_shortly_before() -> None:
    """A release slowly makes it worse: minutes after it are not what is usual."""
    shipped = JUST_NOW
    world = Shown(
        shown_service=service(primary=deployment(created_at=shipped)),
        points={Metric.CPU: [*minutes(35, since=NOW - timedelta(hours=2), until=shipped), *minutes(90, since=shipped)]},
    )
    facts = measured(world)
    assert facts.before(Metric.CPU) == 35
    assert world.queries[0].start < shipped - timedelta(minutes=30)


def test_what_preceded_the_newest_deployment_is_kept_apart() -> None:
    """The two whole minutes before it tell whether the trouble was there already."""
    shipped = JUST_NOW
    world = Shown(
        shown_service=service(primary=deployment(created_at=shipped)),
        points={
            Metric.TARGET_5XX: [
                *minutes(0, since=NOW - timedelta(hours=2), until=shipped - timedelta(minutes=2)),
                *minutes(300, since=shipped - timedelta(minutes=2)),
            ]
        },
    )
    facts = measured(world)
    assert facts.before(Metric.TARGET_5XX) == 0.0
    assert facts.preceding(Metric.TARGET_5XX) == 5.0


def test_a_new_service_is_compared_with_its_own_first_minutes() -> None:
    """Where nothing ran before the release, the time between it and the trouble is what is usual."""
    shipped = ALARM_AT - timedelta(minutes=20)
    onset = ALARM_AT - timedelta(minutes=2)
    world = Shown(
        shown_service=service(primary=deployment(created_at=shipped)),
        points={Metric.REQUESTS: [*minutes(600, since=shipped, until=onset), *minutes(1800, since=onset)]},
    )
    facts = measured(world)
    assert facts.before(Metric.REQUESTS) == 10.0
    assert facts.now(Metric.REQUESTS) == 30.0


def test_a_release_of_long_ago_leaves_the_usual_time_alone() -> None:
    """Only a release within the hour before the trouble moves the window."""
    world = Shown(shown_service=service(primary=deployment(created_at=NOW - timedelta(hours=3))))
    measured(world)
    assert world.queries[0].start > NOW - timedelta(hours=1)


def test_counts_are_per_second_and_everything_else_is_as_it_is() -> None:
    """CloudWatch sums counts over a period, and averages the rest."""
    hour = minutes(120, since=NOW - timedelta(hours=1))
    facts = measured(Shown(points={Metric.REQUESTS: hour, Metric.TARGET_5XX: hour, Metric.LATENCY: hour}))
    assert [facts.now(m) for m in (Metric.REQUESTS, Metric.TARGET_5XX, Metric.LATENCY)] == [2.0, 2.0, 120.0]


def test_a_few_points_are_no_usual_day() -> None:
    """A service that began to send metrics minutes ago has no before."""
    ends = ALARM_AT - timedelta(minutes=3)
    few = minutes(600, since=ends - timedelta(minutes=FEWEST_POINTS - 1), until=ends)
    assert measured(Shown(points={Metric.REQUESTS: few})).before(Metric.REQUESTS) is None


def test_no_data_is_none_and_not_zero() -> None:
    """A metric that CloudWatch does not have stays unknown."""
    facts = measured(Shown(points={Metric.REQUESTS: []}))
    assert facts.now(Metric.REQUESTS) is None
    assert facts.now(Metric.CPU) is None


def test_dimensions_are_named_as_aws_publishes_them() -> None:
    """ECS metrics by cluster and service; those of the load balancer by the ends of the ARNs."""
    world = Shown()
    measured(world)
    asked = world.queries[0].dimensions
    front, behind = "app/shop/0123456789abcdef", "targetgroup/orders/0123456789abcdef"
    assert asked[Metric.CPU] == {"ClusterName": "shop", "ServiceName": "orders"}
    assert asked[Metric.ELB_5XX] == {"LoadBalancer": front}
    assert asked[Metric.REQUESTS] == {"LoadBalancer": front, "TargetGroup": behind}
    assert set(asked) == set(Metric)


def test_a_service_without_load_balancer_has_only_its_own_metrics() -> None:
    """Nothing is asked of a load balancer that is not there."""
    world = Shown(shown_service=service(target_groups=()))
    measured(world)
    assert set(world.queries[0].dimensions) == {Metric.CPU, Metric.MEMORY, Metric.TASKS}


def test_overrides_come_before_what_the_service_says() -> None:
    """A playbook may name target groups and load balancer by itself."""
    world = Shown()
    other = GROUP.replace("orders", "other")
    measured(world, target_groups=(other,), load_balancer=BALANCER.replace("shop", "mall"))
    assert world.queries[0].dimensions[Metric.REQUESTS] == {
        "LoadBalancer": "app/mall/0123456789abcdef",
        "TargetGroup": "targetgroup/other/0123456789abcdef",
    }


def test_tasks_are_counted_by_the_minute() -> None:
    """Each task sends a sample a minute: in periods of five minutes there are five of each."""
    slow = alarm(period_s=300, evaluation_periods=1)
    points = [(NOW - timedelta(minutes=5 * n), 15.0) for n in range(24, 0, -1)]
    assert measured(Shown(points={Metric.TASKS: points}), [slow]).now(Metric.TASKS) == 3.0
    assert measured(Shown(points={Metric.TASKS: minutes(3, since=LONG_AGO)})).now(Metric.TASKS) == 3.0


def in_zones(*zones: str | None) -> TasksFacts:
    running = (
        TaskFacts(arn=f"task/{n}", task_definition=V2, last_status="RUNNING", zone=z) for n, z in enumerate(zones)
    )
    return TasksFacts(running=tuple(running), stopped=())


def test_zones_are_measured_one_by_one() -> None:
    """Those in which tasks run, just now and per second; without data a zone is left out."""
    recent = minutes(120, since=NOW - timedelta(minutes=10))
    world = Shown(zone_points={"eu-west-1a": {Metric.REQUESTS: recent, Metric.TARGET_5XX: ()}, "eu-west-1b": {}})
    known = {
        "service": service(),
        "alarms": alarms(),
        "tasks": in_zones("eu-west-1b", "eu-west-1a", "eu-west-1b", None),
    }
    facts = read_metrics(around(world), known)
    assert world.queries[0].zones == ("eu-west-1a", "eu-west-1b")
    assert facts.by_zone == {"eu-west-1a": {Metric.REQUESTS: 2.0}}


@pytest.mark.parametrize("tasks", [None, in_zones(), in_zones("eu-west-1a", "eu-west-1a"), in_zones(None)])
def test_without_two_zones_there_is_nothing_to_compare(tasks: TasksFacts | None) -> None:
    """Zones cost a metric each; that the tasks could not be read leaves the other metrics known."""
    world = Shown()
    known = {"service": service(), "alarms": alarms()} | ({} if tasks is None else {"tasks": tasks})
    assert read_metrics(around(world), known).by_zone == {}
    assert world.queries[0].zones == ()


def test_the_task_definition_is_that_of_the_newest_deployment() -> None:
    """It is the one whose tasks fail or not; the playbook's own log group comes before those that it names."""
    world = Shown(shown_service=service(primary=deployment(task_definition=V3)))
    known = {"service": world.shown_service}
    assert read_definition(around(world), known).task_definition == V3
    assert read_definition(around(world), known).log_groups == ("/ecs/orders",)
    assert read_definition(around(world, log_group="/shop/all"), known).log_groups == ("/shop/all",)


def test_the_front_is_that_of_the_playbook_before_that_of_the_service() -> None:
    """Overrides are asked about instead, and what the playbook wants of stickiness stands beside what is."""
    world = Shown()
    known = {"service": service()}
    other = GROUP.replace("orders", "other")
    assert [g.arn for g in read_front(around(world), known).target_groups] == [GROUP]
    facts = read_front(around(world, target_groups=(other,), load_balancer=BALANCER, sticky_s=3600), known)
    assert ([g.arn for g in facts.target_groups], facts.load_balancer, facts.sticky_s) == ([other], BALANCER, 3600)


def test_a_service_without_target_group_has_no_front() -> None:
    """Nothing is asked, and nothing is unknown."""
    world = Shown(quiet=Quiet(unreadable={"front"}))
    assert read_front(around(world), {"service": service(target_groups=())}) == FrontFacts()


@pytest.mark.parametrize(
    ("since", "from_when"),
    [(NOW - timedelta(minutes=5), NOW - timedelta(minutes=7)), (LONG_AGO, NOW - LOGS_LOOKBACK)],
)
def test_logs_are_read_since_the_trouble_began(since: datetime, from_when: datetime) -> None:
    """But not further back than is worth what it costs."""
    world = Shown()
    read_logs(around(world), {"definition": definition(), "alarms": alarms(alarm(since=since))})
    assert world.quiet.asked == [("errors", (("/ecs/orders",), from_when, NOW))]


def test_logs_do_not_need_the_alarms() -> None:
    """When these could not be read, the trouble began with the incident."""
    world = Shown()
    read_logs(around(world, began_at=JUST_NOW), {"definition": definition()})
    assert world.quiet.asked == [("errors", (("/ecs/orders",), JUST_NOW - UNTOLD, NOW))]


def test_a_service_that_logs_elsewhere_is_unknown() -> None:
    """Nobody looked: that is not a log without errors."""
    with pytest.raises(ReadFailed, match="logs to CloudWatch Logs"):
        read_logs(around(Shown()), {"definition": definition(log_groups=())})


def test_a_task_definition_without_secrets_asks_nothing() -> None:
    """There is none that could be missing."""
    world = Shown(quiet=Quiet(unreadable={"secrets"}))
    assert read_secrets(around(world), {"definition": definition()}).secrets == ()
    with pytest.raises(ReadFailed):
        read_secrets(around(world), {"definition": definition(secrets=("/orders/db",))})


def releases_of(seen: Surroundings, world: Shown) -> ReleasesFacts:
    """What the probe says, with what it reads ahead."""
    return read_releases(seen, {"service": world.shown_service, "releases": read_deployed(seen, {})})


def test_a_forced_deployment_is_no_release() -> None:
    """It starts a deployment, but the task definition was first seen long before."""
    history = (release(V2, first_seen=LONG_AGO, last_seen=NOW), release(V1, last_seen=LONG_AGO - timedelta(days=1)))
    world = Shown(shown_service=service(primary=deployment(created_at=JUST_NOW)))
    facts = releases_of(around(world, history=history), world)
    assert facts.current_since == LONG_AGO


def test_a_release_that_came_back_runs_since_it_came_back() -> None:
    """The first sight of an older task definition is not when it began to run this time."""
    history = (
        release(V1, first_seen=LONG_AGO, last_seen=NOW, state=ReleaseState.SEEN),
        release(V3, first_seen=LONG_AGO + timedelta(days=1), last_seen=JUST_NOW),
    )
    world = Shown(shown_service=service(primary=deployment(task_definition=V1, created_at=JUST_NOW)))
    facts = releases_of(around(world, history=history), world)
    assert facts.current_since == JUST_NOW
    assert not facts.returned


def test_a_good_release_that_came_back_is_known_as_such() -> None:
    """A rollback is no new release."""
    history = (
        release(V1, first_seen=LONG_AGO, last_seen=NOW, state=ReleaseState.GOOD),
        release(V3, first_seen=LONG_AGO + timedelta(days=1), last_seen=JUST_NOW),
    )
    world = Shown(shown_service=service(primary=deployment(task_definition=V1, created_at=JUST_NOW)))
    assert releases_of(around(world, history=history), world).returned


def test_a_good_release_that_was_deployed_again_is_no_new_one() -> None:
    """Nobody saw the release in between, as after a quick rollback by hand: it proved itself long ago all the same."""
    world = Shown(shown_service=service(primary=deployment(task_definition=V1, created_at=JUST_NOW)))
    history = [release(V1, first_seen=LONG_AGO, last_seen=NOW)]
    assert releases_of(around(world, history=history), world).returned


@pytest.mark.parametrize(
    ("created", "ongoing", "own", "someone"),
    [
        (JUST_NOW, None, frozenset(), True),
        (JUST_NOW, None, frozenset({"ecs-svc/1"}), False),
        (LONG_AGO, None, frozenset(), False),
        (LONG_AGO, JUST_NOW, frozenset(), True),
        (LONG_AGO, LONG_AGO, frozenset(), False),
    ],
)
def test_a_deployment_during_the_incident_that_is_not_ours_is_somebody(
    created: datetime, ongoing: datetime | None, own: frozenset[str], someone: bool
) -> None:
    """Also one that is only pending, and so not the primary yet."""
    world = Shown(
        shown_service=service(primary=deployment(created_at=created)),
        shown_deployments=() if ongoing is None else (service_deployment("PENDING", created_at=ongoing),),
    )
    seen = around(world, began_at=JUST_NOW - timedelta(minutes=1), own_deployments=own)
    assert releases_of(seen, world).changed_during_incident is someone


def test_a_routine_look_sees_nobody_at_work() -> None:
    """Without an incident there is nothing that a deployment could interfere with."""
    world = Shown(shown_service=service(primary=deployment(created_at=JUST_NOW)))
    assert not releases_of(around(world), world).changed_during_incident


@pytest.mark.parametrize(
    ("then", "now", "differs"), [("a", "a", False), ("a", "b", True), ("", "a", None), ("a", "", None)]
)
def test_whether_more_than_the_task_definition_changed(then: str, now: str, differs: bool | None) -> None:
    """Compared with the record of when the last known good ran; without one nobody knows."""
    world = Shown(shown_service=service(surroundings=now))
    history = (release(V1, surroundings=then),)
    facts = releases_of(around(world, history=history), world)
    assert facts.last_known_good == V1
    assert facts.differs_beyond_task_definition is differs


def test_a_deregistered_release_is_known_to_be_inactive() -> None:
    """ECS takes no INACTIVE task definition: the plan has to know."""
    world = Shown(inactive={V1})
    facts = releases_of(around(world, history=(release(V1),)), world)
    assert (facts.last_known_good, facts.last_known_good_active) == (V1, False)


def revision(task_definition: str, *digests: str) -> RevisionFacts:
    return RevisionFacts(arn=f"revision/{task_definition}", task_definition=task_definition, image_digests=digests)


def deployed(task_definition: str, status: str = "SUCCESSFUL", **said: object) -> ServiceDeploymentFacts:
    return service_deployment(status, target_revision=f"revision/{task_definition}", **said)


def test_after_a_rollback_of_ecs_its_own_target_counts() -> None:
    """A rollback creates no new revision: what ran then is the rollback's revision; the target failed."""
    rolled_back = deployed(V3, "ROLLBACK_SUCCESSFUL", rollback_revision=f"revision/{V1}")
    good, _ = last_known_good(V2, (), (rolled_back,), (revision(V3), revision(V1)))
    assert good == V1


@pytest.mark.parametrize("status", ["ROLLBACK_FAILED", "STOPPED", "IN_PROGRESS", "PENDING"])
def test_a_deployment_that_never_got_steady_is_no_way_back(status: str) -> None:
    """Only what reached a steady state is a candidate."""
    assert last_known_good(V2, (), (deployed(V1, status),), (revision(V1),))[0] is None


def test_the_same_images_under_another_name_are_no_way_back() -> None:
    """With a mutable tag another task definition may run the very image that is bad."""
    good, why = last_known_good(
        V2, (release(V1),), (deployed(V1),), (revision(V1, "sha256:1"), revision(V2, "sha256:1"))
    )
    assert good is None
    assert "same images" in why


RELEASES = st.lists(
    st.builds(
        lambda n, state: release(f"{FAMILY}:{n}", state=state),
        st.integers(1, 6),
        st.sampled_from(ReleaseState),
    ),
    max_size=6,
    unique_by=lambda r: r.task_definition,
)
DEPLOYMENTS = st.lists(
    st.builds(
        lambda n, status, back: deployed(f"{FAMILY}:{n}", status, rollback_revision=f"revision/{FAMILY}:{back}"),
        st.integers(1, 6),
        st.sampled_from(["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "IN_PROGRESS", "STOPPED"]),
        st.integers(1, 6),
    ),
    max_size=6,
)
REVISIONS = st.lists(
    st.builds(lambda n, image: revision(f"{FAMILY}:{n}", f"sha256:{image}"), st.integers(1, 6), st.integers(1, 4)),
    unique_by=lambda r: r.arn,
)


@given(RELEASES, DEPLOYMENTS, REVISIONS)
def test_the_way_back_is_never_where_we_are_nor_where_it_was_bad(
    history: list[Release], deployments: list[ServiceDeploymentFacts], revisions: list[RevisionFacts]
) -> None:
    """Never the current release, never a quarantined or suspect one, never the same image; and a watched one first."""
    good, why = last_known_good(V2, history, deployments, revisions)
    assert why
    if good is None:
        return
    states = {r.task_definition: r.state for r in history}
    images = {r.task_definition: r.image_digests for r in revisions}
    assert good != V2
    assert states.get(good) not in (ReleaseState.QUARANTINED, ReleaseState.SUSPECT)
    assert V2 not in images or images.get(good) != images[V2]
    watched = {
        r.task_definition
        for r in history
        if r.state is ReleaseState.GOOD
        and r.task_definition != V2
        and images.get(r.task_definition, 0) != images.get(V2)
    }
    assert not watched or good in watched
