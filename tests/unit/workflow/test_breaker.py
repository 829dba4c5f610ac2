"""What the last day tells: actions that do not help, and services that are in trouble together."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.changes import SetTaskDefinition
from functions.domain.incidents import Fact
from functions.domain.orders import Ordered
from functions.domain.services import ServiceRef
from functions.domain.troubles import AT_ONCE, Trouble, neighbours, shared
from functions.domain.watched import HttpCheck, MetricLimit, WatchedAlarm, WatchedMetric, WatchedService, WatchedUrl
from functions.workflow.orders import OrderState
from functions.workflow.story import tell
from functions.workflow.table import StepName
from tests.fakes.engine import Responder
from tests.fakes.findings import NOW
from tests.fakes.world import REF, V1
from tests.unit.workflow.test_incident import after_bad_release, assert_sound, playbook, raise_alarm
from tests.unit.workflow.test_mutes import flapping
from tests.unit.workflow.test_orders_by_hand import obeyed, order

DAY = timedelta(days=1)


def incident(responder: Responder, number: int, *, helps: bool, after_s: float = 3600) -> list[str]:
    """Tasks hang; a new deployment helps, or people have to mend it themselves."""
    world = responder.world
    world.stuck, world.stays_broken = True, not helps
    responder.clock.advance(seconds=after_s)
    raise_alarm(responder, number)
    responder.clock.advance(seconds=60)

    def mended(step: StepName) -> None:
        if step is StepName.WATCH:
            world.stuck = False
            world.settle_alarm()

    responder.run(before=mended)
    world.settle_alarm()
    return responder.path


def failed(responder: Responder) -> list[str]:
    return sorted(responder.ledger.ineffective(REF, since=responder.clock.now() - DAY))


@pytest.fixture
def responder() -> Responder:
    return Responder(playbook=playbook(ladders={"stuck-tasks": ["force-new-deployment"]}))


def test_after_three_incidents_without_effect_nothing_is_done_any_more(responder: Responder) -> None:
    """The fourth is looked at and paged, with the breaker's numbers and how to close it."""
    for number in range(3):
        incident(responder, 100 * number, helps=False)
    assert len(responder.world.changes) == len(failed(responder)) == 3
    incident(responder, 900, helps=True)
    assert len(responder.world.changes) == 3
    text = "".join(page.text for page in responder.notifier.pages)
    assert "breaker: 3 of 3 incidents of the last 24 hours were acted upon without effect" in text
    assert "`responder resume`" in text
    assert_sound(responder)


def test_an_action_that_helps_closes_it(responder: Responder) -> None:
    """What did not help before it is forgotten."""
    for number in range(2):
        incident(responder, 100 * number, helps=False)
    incident(responder, 800, helps=True)
    assert failed(responder) == []
    for number in range(3):
        incident(responder, 1000 + 100 * number, helps=False)
    assert len(responder.world.changes) == 6


def test_a_person_or_a_day_closes_it(responder: Responder) -> None:
    """Whoever looked at it; or the oldest is a day ago."""
    for number in range(3):
        incident(responder, 100 * number, helps=False, after_s=4 * 3600)
    oldest = min(responder.ledger.ineffective(REF, since=responder.clock.now() - DAY).values())
    a_day_later = oldest + DAY + timedelta(minutes=1) - responder.clock.now()
    incident(responder, 800, helps=False, after_s=a_day_later.total_seconds())
    assert len(responder.world.changes) == 4
    incident(responder, 900, helps=False, after_s=900)
    assert len(responder.world.changes) == 4
    responder.ledger.forget_ineffective(REF)
    incident(responder, 1000, helps=True)
    assert len(responder.world.changes) == 5


def test_an_order_passes_it(responder: Responder) -> None:
    """A person knows what they do, and the verdict says whose order it was."""
    for number in range(3):
        responder.ledger.note_ineffective(REF, f"inc-{number}", at=responder.clock.now())
    reply = obeyed(responder, order(Ordered.REDEPLOY))
    assert reply.state is OrderState.DONE
    (passed,) = [verdict for verdict in reply.verdicts if verdict.ordered]
    assert passed.guardrail == "breaker"


def test_a_mute_counts_for_nothing() -> None:
    """It is not there to help the service."""
    made = flapping()
    made.run(until=StepName.VERIFY)
    story = tell(made.ledger.events(made.executions.started[-1][0]))
    assert story.acted is not None
    assert not story.failed_to_help


def trouble(service: str, *shares: str, minutes: float = 0) -> Trouble:
    return Trouble(service_key=service, incident_id=service, at=NOW + timedelta(minutes=minutes), shares=shares)


def test_services_that_are_in_trouble_together_are_left_alone() -> None:
    """Two others that stand on the same database have incidents, too: tasks that hang are not replaced, people hear
    which services these are and what they share; and this one tells the others of itself."""
    made = Responder(playbook=playbook())
    made.clock.advance(seconds=240)
    for service in ("basket", "search"):
        other = trouble(f"eu-west-1/shop/{service}", "eu-west-1 alarm orders-db-unreachable")
        made.ledger.note_trouble(other.model_copy(update={"at": made.clock.now()}))
    made.world.stuck = True
    raise_alarm(made)
    made.clock.advance(seconds=60)
    made.run(until=StepName.WATCH)
    assert made.world.changes == []
    assert "shared cause: 2 other services that share something with this one are in trouble, 1 may be" in (
        made.notifier.pages[-1].text
    )
    assert "eu-west-1/shop/basket shares eu-west-1 alarm orders-db-unreachable" in made.notifier.pages[-1].text
    mine = [t for t in made.ledger.fleet(since=made.clock.now() - DAY).troubles if t.service_key == REF.key]
    assert [t.shares for t in mine] == [("eu-west-1 alarm orders-db-unreachable",)]


def test_a_bad_release_is_rolled_back_whoever_else_is_in_trouble() -> None:
    """It may be what troubles the others; and it is no burden to what they share."""
    made = Responder(playbook=playbook())
    after_bad_release(made)
    for service in ("basket", "search"):
        other = trouble(f"eu-west-1/shop/{service}", "eu-west-1 alarm orders-db-unreachable")
        made.ledger.note_trouble(other.model_copy(update={"at": made.clock.now()}))
    made.run()
    assert made.world.changes == [SetTaskDefinition(task_definition=V1)]
    assert Fact.PAGE_SENT not in [event.fact for event in made.ledger.events(made.executions.started[-1][0])]


def test_what_is_shared_is_told_by_what_it_is() -> None:
    """Not by what a playbook calls it; a service of the same cluster is named in full."""
    url = WatchedUrl(name="front", http=HttpCheck(url="https://shop.example.com/"))
    metric = WatchedMetric(
        name="m", metric=MetricLimit(namespace="Shop", metric="Lag", dimensions={"b": "2", "a": "1"}, above=1)
    )
    assert shared(
        REF,
        [
            WatchedAlarm(name="my db", alarm="db-down"),
            WatchedAlarm(name="again", alarm="db-down"),
            WatchedService(name="pay", ecs="payments"),
            url,
            metric,
        ],
        "eu-west-1a",
    ) == (
        "eu-west-1 alarm db-down",
        "eu-west-1 ecs shop/payments",
        "eu-west-1 http https://shop.example.com/",
        "eu-west-1 metric Shop Lag a=1 b=2",
        "eu-west-1 zone eu-west-1a",
    )
    elsewhere = ServiceRef(region="us-east-1", cluster="shop", service="orders")
    assert set(shared(elsewhere, [url], None)).isdisjoint(shared(REF, [url], None))


SHARES = st.lists(st.sampled_from("abc"), max_size=3).map(tuple)
TROUBLES = st.builds(trouble, st.sampled_from("vwxyz"), minutes=st.integers(-30, 30)).flatmap(
    lambda made: SHARES.map(lambda shares: made.model_copy(update={"shares": shares}))
)


@given(TROUBLES, st.lists(TROUBLES, max_size=6))
def test_neighbours_share_something_at_the_same_time(mine: Trouble, others: list[Trouble]) -> None:
    """Never the service itself, and each as seen from the other side."""
    found = neighbours(mine, others)
    assert mine.service_key not in [service for service, _ in found]
    for other in others:
        mutual = neighbours(other, [mine])
        assert bool(mutual) == bool(neighbours(mine, [other]))
        if mutual:
            assert abs(mine.at - other.at) <= AT_ONCE
            assert set(mine.shares) & set(other.shares)
            assert other.service_key in [service for service, _ in found]
