"""Which hop is closed: asked only where it is in question, told in words, and never more than support."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.diagnostics.look import Surroundings, look
from functions.diagnostics.network import ways_to_databases, ways_to_tasks
from functions.diagnostics.ranking import rank
from functions.diagnostics.registry import PROBES
from functions.domain.causes import Cause, Judgement
from functions.domain.dependencies import (
    DatabaseFacts,
    DependenciesFacts,
    DependencyFacts,
    DependencyKind,
    DependencyState,
)
from functions.domain.evidence import Metric, TargetFacts, TargetsFacts
from functions.domain.findings import Findings
from functions.domain.network import GroupRule, NetworkFacts, SecurityGroup, WayFacts
from functions.domain.watched import WatchedDatabase
from tests.fakes.clock import FakeClock
from tests.fakes.findings import definition, findings, metrics
from tests.fakes.world import GROUP, REF, World

ALL = GroupRule(protocol="-1", networks=("0.0.0.0/0",))
DATABASE = WatchedDatabase(name="orders-db", rds="orders-db")
WAY = WayFacts(source="the tasks", target="orders-db", port=5432, source_groups=("sg-t",), target_groups=("sg-d",))
CALLS = {"groups", "of_load_balancer"}


def tcp(port: int = 5432, **said: Any) -> GroupRule:
    return GroupRule(protocol="tcp", first=port, last=port, **said)


def group(identifier: str, *inbound: GroupRule, outbound: tuple[GroupRule, ...] = (ALL,)) -> SecurityGroup:
    return SecurityGroup(id=identifier, inbound=inbound, outbound=outbound)


def failing(state: DependencyState = DependencyState.FAILING) -> DependenciesFacts:
    facts = DependencyFacts(name="orders-db", kind=DependencyKind.RDS, state=state, detail="RDS says failed")
    return DependenciesFacts(dependencies=(facts,))


def late(count: int = 2) -> TargetsFacts:
    targets = (
        TargetFacts(target_group=GROUP, target=f"10.0.0.{n}:8080", state="unhealthy", reason="Target.Timeout")
        for n in range(count)
    )
    return TargetsFacts(targets=tuple(targets))


def told(*groups: SecurityGroup, way: WayFacts = WAY) -> str:
    facts = NetworkFacts(asked=True, ways=(way,), groups=groups)
    (said,) = ways_to_databases(findings(network=facts, dependencies=failing()))
    return said


def looked(world: World) -> Findings:
    around = Surroundings(ref=REF, readers=world.readers, now=world.clock.now(), dependencies=(DATABASE,))
    return look(PROBES.values(), around, deadline_s=10)


def world(status: str = "available") -> World:
    made = World(clock=FakeClock(), groups=("sg-t",))
    made.quiet.shown_databases = {
        "orders-db": DatabaseFacts(status=status, security_groups=("sg-d",), port=5432),
    }
    made.quiet.shown_groups = (group("sg-d", tcp(groups=("sg-other",))), group("sg-t"))
    return made


def judged(seen: Findings, cause: Cause) -> Judgement:
    return next(judgement for judgement in rank(seen) if judgement.cause is cause)


def test_on_an_ordinary_day_nothing_is_asked() -> None:
    """A database that answers and targets that are healthy cost no request."""
    seen = world()
    found = looked(seen)
    assert found.network.value == NetworkFacts()
    assert not {call for call, _ in seen.quiet.asked} & CALLS


def test_a_failing_database_is_asked_about_in_one_request() -> None:
    """The groups of both ends together; that no rule lets the tasks in is evidence for the cause."""
    seen = world("failed")
    found = looked(seen)
    assert [about for call, about in seen.quiet.asked if call == "groups"] == [("sg-d", "sg-t")]
    said = judged(found, Cause.DEPENDENCY_FAILING).evidence_for
    assert "the way is closed: no rule of security group sg-d lets the tasks (sg-t) in to orders-db on tcp 5432" in said


def test_error_lines_that_reach_nothing_ask_too() -> None:
    """A closed hop leaves the database itself available, and its clients alone complain."""
    seen = world()
    seen.quiet.shown_lines = ("could not connect to server orders-db: timed out",) * 12
    assert looked(seen).network.value is not None
    assert "groups" in {call for call, _ in seen.quiet.asked}


def test_groups_that_cannot_be_read_change_no_judgement() -> None:
    """The cause is as sure as without them, and the page says that nobody knows."""
    plain, blind = world("failed"), world("failed")
    blind.quiet.unreadable.add("groups")
    sure, unsure = (judged(looked(each), Cause.DEPENDENCY_FAILING) for each in (plain, blind))
    assert sure.confidence == unsure.confidence
    assert any("which hop is closed could not be read: groups is throttled" in said for said in unsure.evidence_for)


@pytest.mark.parametrize(
    ("into", "says"),
    [
        (tcp(groups=("sg-t",)), "security groups let the tasks reach orders-db on tcp 5432"),
        (tcp(networks=("0.0.0.0/0",)), "security groups let the tasks reach"),
        (GroupRule(protocol="-1", groups=("sg-t",)), "security groups let the tasks reach"),
        (GroupRule(protocol="tcp", first=5000, last=6000, groups=("sg-t",)), "security groups let the tasks reach"),
        (tcp(3306, groups=("sg-t",)), "the way is closed: no rule of security group sg-d"),
        (GroupRule(protocol="udp", first=5432, last=5432, groups=("sg-t",)), "the way is closed"),
        (tcp(networks=("10.0.0.0/16",)), "is not known: rules name networks whose members were not read"),
        (tcp(lists=True), "is not known: rules name networks whose members were not read"),
    ],
)
def test_what_the_rules_say(into: GroupRule, says: str) -> None:
    """By group, by port, by protocol; a network of which nobody knows who is in it proves neither."""
    assert says in told(group("sg-d", into), group("sg-t"))


@pytest.mark.parametrize(
    ("addresses", "says"),
    [
        (("10.0.1.7", "10.0.2.9"), "let the tasks reach"),
        (("10.0.1.7", "10.9.2.9"), "is not known"),
        (("10.9.1.7",), "the way is closed"),
    ],
)
def test_a_network_is_compared_with_the_tasks_addresses(addresses: tuple[str, ...], says: str) -> None:
    """Open for all of them, for some, or for none."""
    way = WAY.model_copy(update={"addresses": addresses})
    assert says in told(group("sg-d", tcp(networks=("10.0.0.0/16",))), group("sg-t"), way=way)


def test_the_way_out_may_be_closed_as_well() -> None:
    """A group whose outbound rules were taken away lets nothing out."""
    said = told(group("sg-d", tcp(groups=("sg-t",))), group("sg-t", outbound=()))
    assert said == "the way is closed: no rule of security group sg-t lets the tasks out to orders-db on tcp 5432"


def test_without_the_groups_of_one_end_nobody_knows() -> None:
    """A group that is not in the answer, or tasks without a network interface of their own."""
    assert "not known: which security groups orders-db has" in told(group("sg-t"))
    bridge = WAY.model_copy(update={"source_groups": ()})
    assert "not known: which security groups the tasks have" in told(group("sg-d"), way=bridge)


def test_targets_that_time_out_without_load_name_the_network() -> None:
    """As a suspect, with what the security groups of the first hop say; with more load, the load is the suspect."""
    seen = world()
    seen.late_targets = True
    seen.quiet.shown_groups = (group("sg-balancer"), group("sg-t", tcp(8080)))
    found = looked(seen)
    (said,) = ways_to_tasks(found)
    assert said.startswith("the way is closed: no rule of security group sg-t lets the load balancer (sg-balancer) in")
    missing = {Metric.HEALTHY_HOSTS: 0.0}
    calm = findings(targets=late(), metrics=metrics(now=missing), definition=definition())
    busy = findings(targets=late(), metrics=metrics(now={**missing, Metric.REQUESTS: 60.0}), definition=definition())
    network = "without more load: tasks that hang, or the network between them"
    told = [{line for each in rank(f) for line in each.evidence_for} for f in (calm, busy)]
    assert any(network in line for line in told[0])
    assert not any(network in line for line in told[1])
    assert any("2 targets of the load balancer timed out" in line for line in told[1])


_RULES = st.builds(
    GroupRule,
    protocol=st.sampled_from(["tcp", "udp", "-1", "6"]),
    first=st.sampled_from([None, 0, 5432, 5433]),
    last=st.sampled_from([None, 5432, 65535]),
    groups=st.sampled_from([(), ("sg-t",), ("sg-x",)]),
    networks=st.sampled_from([(), ("10.0.0.0/8",), ("0.0.0.0/0",)]),
    lists=st.booleans(),
)


@given(rules=st.lists(_RULES, max_size=4))
def test_a_way_is_called_closed_only_where_no_rule_could_open_it(rules: list[GroupRule]) -> None:
    """One rule on that port that names the tasks' group, a network or a list, and it is never said."""
    said = told(group("sg-d", *rules), group("sg-t"))
    could = any(r.covers(5432) and (r.networks or r.lists or "sg-t" in r.groups) for r in rules)
    assert not ("closed" in said and could)
