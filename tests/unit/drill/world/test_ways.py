"""Security groups, tables and what watches a service, in a world: asked by the responder's own readers."""

from functions.adapters.monitoring import CloudWatchMonitoring
from functions.adapters.mutes import AlarmMutes
from functions.adapters.network import AwsNetworkReader
from functions.adapters.tables import DynamoTableReader
from functions.domain.changes import MuteAlarm
from tests.unit.drill.world.worlds import orders, world
from tools.drill.deployment import WorldClock
from tools.drill.world.answers_network import BALANCERS, DATABASES, TASKS
from tools.drill.world.wire import WiredClients, connected

CLIENTS = WiredClients(region="eu-west-1")


def test_every_hop_is_open() -> None:
    """From the load balancer to the tasks, and from there to the databases."""
    of = world()
    with connected(of):
        reader = AwsNetworkReader.of(CLIENTS)
        assert reader.of_load_balancer(orders(of).load_balancer) == (BALANCERS,)
        tasks, databases = reader.groups([TASKS, DATABASES])
    assert [rule.groups for rule in (*tasks.inbound, *databases.inbound)] == [(BALANCERS,), (TASKS,)]


def test_a_table_is_provisioned() -> None:
    """Nobody counts its keys."""
    of = world(
        needs=[{"dependency": "carts", "requests_percent": 10}], dependencies=[{"name": "carts", "kind": "table"}]
    )
    with connected(of):
        facts = DynamoTableReader.of(CLIENTS).table("carts", called="carts", now=of.now)
    assert not facts.on_demand
    assert (facts.insights, facts.top_share) == ("DISABLED", None)


def test_a_mute_is_seen_while_it_lasts() -> None:
    """By whoever asks what watches the service; a dashboard there is none."""
    of = world()
    reader = CloudWatchMonitoring(CLIENTS.once("cloudwatch"))
    (alarm, *_) = of.alarms
    with connected(of):
        AlarmMutes(client=CLIENTS.once, clock=WorldClock(of)).apply(
            MuteAlarm(alarm=alarm, duration_s=600, note="flaps")
        )
        of.run_until(120)
        seen = reader.monitoring([alarm], dashboard="responder-orders")
        of.run_until(1200)
        later = reader.monitoring([alarm], dashboard=None)
    assert list(seen.muted_by) == [alarm]
    assert seen.dashboard is False
    assert later.muted_by == {}
