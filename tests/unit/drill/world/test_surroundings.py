"""Dependencies, alarms, traffic, deliveries and whoever interferes."""

import json
from typing import Any

import pytest

from functions.domain.signals import Signal
from functions.handlers.signals import read_message
from tests.unit.drill.world.worlds import DATABASE, SHIPPED_S, bad_release, failed, orders, service, world
from tools.drill.world.setting import Setting
from tools.drill.world.world import World

NEEDS = [{"dependency": "db", "requests_percent": 100, "connections_per_task": 10}]


def trouble(how: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "dependency", "dependency": "db", "how": how, "until_s": SHIPPED_S + 600} | changes


def with_database(*faults: dict[str, Any], **changes: Any) -> World:
    return world(*faults, needs=NEEDS, dependencies=[DATABASE | changes])


def taken(of: World) -> list[tuple[float, Signal]]:
    """Signals as the responder reads them, as they come."""
    found: list[tuple[float, Signal]] = []

    def take(message: dict[str, Any]) -> None:
        found.extend((of.seconds, signal) for signal in read_message(message) if isinstance(signal, Signal))

    of.on_message(take)
    return found


def test_a_database_that_is_down_fails_its_users() -> None:
    """While a dependency is down requests that need it fail and its alarm is in ALARM; then all is well again."""
    of = with_database(trouble("down"))
    of.run_until(SHIPPED_S + 500)
    assert failed(of, since_s=SHIPPED_S) == pytest.approx(50_000)
    assert of.alarms["db-down"].state == "ALARM"
    of.run_until(SHIPPED_S + 1200)
    assert of.truth.served
    assert of.alarms["db-down"].state == "OK"


def test_more_tasks_want_more_connections() -> None:
    """A database that is out of connections fails a larger share when there are more tasks."""
    of = with_database(trouble("out-of-connections", connections=20))
    of.run_until(SHIPPED_S + 100)
    before = failed(of, since_s=SHIPPED_S)
    assert before == pytest.approx(0.5 * 100 * 100)
    orders(of).set_desired(8)
    of.run_until(SHIPPED_S + 400)
    assert failed(of, since_s=SHIPPED_S + 300) == pytest.approx(0.75 * 100 * 100)


def test_a_slow_database_is_seen_only_where_somebody_looks() -> None:
    """A slow dependency slows requests; its alarm goes off only if it looks at the time."""
    for sees in (False, True):
        of = with_database(trouble("slow", latency_s=3), alarm_sees_slow=sees)
        of.run_until(SHIPPED_S + 300)
        assert sum(of.tally.slow) > 0
        assert of.alarms["db-down"].state == ("ALARM" if sees else "OK")


def test_services_share_a_dependency() -> None:
    """What is down is down for every service that needs it, and for no other."""
    setting = {
        "services": [
            service(name="a", needs=NEEDS, alarms=[]),
            service(name="b", needs=NEEDS, alarms=[]),
            service(name="c", alarms=[]),
        ],
        "dependencies": [DATABASE],
        "faults": [trouble("down", at_s=SHIPPED_S)],
    }
    of = World(Setting.model_validate(setting), seed=1)
    of.run_until(SHIPPED_S + 100)
    assert {name: round(sum(tally.failed)) for name, tally in of.tallies.items()} == {"a": 10_000, "b": 10_000, "c": 0}


def test_an_alarm_takes_its_periods_and_the_delay_of_its_data() -> None:
    """Two of three minutes of errors bring the alarm between two and five minutes after they began."""
    for seed in range(20):
        of = world({"kind": "stuck-tasks"}, seed=seed)
        signals = taken(of)
        of.run_until(SHIPPED_S + 600)
        (at_s, signal), *_ = signals
        assert SHIPPED_S + 60 < at_s < SHIPPED_S + 300
        assert (signal.alarm, signal.state, signal.previous_state) == ("error-rate", "ALARM", "OK")


def test_a_persisting_alarm_says_nothing_more() -> None:
    """Alarm actions come on transitions only."""
    of = world({"kind": "stuck-tasks"})
    signals = taken(of)
    of.run_until(SHIPPED_S + 3000)
    assert [signal.alarm for _, signal in signals] == ["error-rate"]


def test_no_hosts_means_breaching() -> None:
    """A service whose tasks are all gone sends no HealthyHostCount, and its alarm goes off all the same."""
    of = world({"kind": "no-capacity"})
    of.run_until(SHIPPED_S + 1)
    for task in list(orders(of).tasks):
        orders(of).stop_task(task, "all of them")
    of.run_until(SHIPPED_S + 600)
    assert of.alarms["healthy-hosts"].state == "ALARM"
    assert of.truth.served is False


def test_a_metric_arrives_late() -> None:
    """The data point of a minute cannot be read before 10, and can be read 60 seconds after its end."""
    for seed in range(20):
        of = world(seed=seed)
        key = orders(of).front.metric_keys["RequestCount"]
        of.run_until(669)
        assert of.metrics.value(key, 600, 60, "Sum", now_s=669) is None
        of.run_until(720)
        assert of.metrics.value(key, 600, 60, "Sum", now_s=720) == pytest.approx(6000)


def test_a_count_of_zero_is_not_reported() -> None:
    """A minute without errors has no data point of them."""
    of = world()
    of.run_until(720)
    key = orders(of).front.metric_keys["HTTPCode_Target_5XX_Count"]
    assert of.metrics.value(key, 600, 60, "Sum", now_s=720) is None


def test_a_false_alarm_is_set_right() -> None:
    """A state set by hand is told like any other, and corrected by the next evaluation."""
    of = world({"kind": "false-alarm", "alarm": "error-rate"})
    signals = taken(of)
    of.run_until(SHIPPED_S + 90)
    assert [signal.state for _, signal in signals] == ["ALARM", "OK"]
    assert failed(of) == pytest.approx(0.0)
    assert of.truth.faults == ()


def test_bursts_make_an_alarm_flap() -> None:
    """Bursts of errors bring the alarm and end by themselves, again and again."""
    of = world({"kind": "flapping", "until_s": SHIPPED_S + 1700})
    signals = taken(of)
    of.run_until(SHIPPED_S + 3000)
    states = [str(signal.state) for _, signal in signals]
    assert states[:4] == ["ALARM", "OK", "ALARM", "OK"]
    assert of.truth.faults == ()


@pytest.mark.parametrize(
    ("does", "deployments", "desired"), [("deploys", 5, 4), ("rolls-back", 5, 4), ("scales", 4, 9)]
)
def test_an_engineer_interferes(does: str, deployments: int, desired: int) -> None:
    """An engineer ships a good release, goes back to one, or scales, and is noted as who did it."""
    engineer = {"kind": "engineer", "does": does, "at_s": SHIPPED_S + 400, "tasks": 9}
    of = world(bad_release("5xx"), engineer)
    of.run_until(SHIPPED_S + 1200)
    assert (len(orders(of).rollouts.records), orders(of).desired) == (deployments, desired)
    assert [change.caller for change in of.changes] == ["pipeline", "engineer"]
    assert of.truth.served is (does != "scales")


def test_traffic_has_its_shape() -> None:
    """A spike rises, stays and falls; the day swings around the base."""
    spike = {"shape": "spike", "at_s": 1000, "factor": 3, "ramp_s": 100, "lasts_s": 500}
    of = world(traffic={"base_rps": 100, "noise_percent": 0, "curve": [spike]})
    rps = orders(of).front.demand.rps
    assert [rps(at_s) for at_s in (999, 1050, 1200, 1550, 1700)] == pytest.approx([100, 200, 300, 200, 100])
    daily = {"shape": "daily", "swing_percent": 50, "period_s": 3600, "peak_s": 900}
    of = world(traffic={"base_rps": 100, "noise_percent": 0, "curve": [daily]})
    assert [orders(of).front.demand.rps(at_s) for at_s in (900, 2700)] == pytest.approx([150, 50])


def test_a_spike_is_part_of_the_truth() -> None:
    """A spike is a fault of the truth while it lasts."""
    spike = {"shape": "spike", "at_s": 1000, "factor": 3, "ramp_s": 60, "lasts_s": 500}
    of = world(traffic={"base_rps": 100, "noise_percent": 0, "curve": [spike]})
    of.run_until(1200)
    during = of.truth
    of.run_until(1700)
    after = of.truth
    assert (during.faults, after.faults) == (("traffic-spike",), ())
    assert after.began_at_s == 1000


def test_messages_come_twice_and_late() -> None:
    """Deliveries may come twice and late; a copy is the same message."""
    unruly = {"kind": "deliveries", "at_s": 1, "duplicate_percent": 100, "late_percent": 100, "late_s": 120}
    calm, late = world({"kind": "stuck-tasks"}), world({"kind": "stuck-tasks"}, unruly)
    bodies: list[str] = []
    calm_signals = taken(calm)
    calm.run_until(SHIPPED_S + 600)
    late.on_message(lambda message: bodies.append(message["Records"][0]["body"]))
    late.run_until(SHIPPED_S + 600)
    assert len(bodies) == 2 * len(calm_signals) == 2
    assert bodies[0] == bodies[1]
    assert json.loads(bodies[0])["Type"] == "Notification"


def test_the_same_seed_is_the_same_world() -> None:
    """Two worlds of one seed agree in every number; another seed does not."""
    changes: dict[str, Any] = {"traffic": {"base_rps": [80, 120]}, "scaling": {"minimum": 4, "maximum": 9}}
    one, two, other = (world(bad_release("dies-later"), seed=seed, **changes) for seed in (1, 1, 2))
    for of in (one, two, other):
        of.run_until(3000)
    assert one.tally == two.tally
    assert one.diary == two.diary
    assert one.tally != other.tally


def test_nobody_elses_draw_moves_mine() -> None:
    """Whatever somebody does in between, the traffic and the start times of the n-th task are those of the seed."""
    calm, busy = world(traffic={"base_rps": 100}), world(traffic={"base_rps": 100})
    busy.run_until(300)
    busy.set_alarm_state("error-rate", "ALARM", "testing")
    for of in (calm, busy):
        of.run_until(SHIPPED_S)
        orders(of).set_desired(6)
        of.run_until(1200)
    assert calm.tally.requests == busy.tally.requests
    assert [task.started_s for task in orders(calm).tasks] == [task.started_s for task in orders(busy).tasks]


def test_what_is_told_can_be_read() -> None:
    """Every message of an eventful run is a signal to the responder, about this service."""
    of = world(
        bad_release("dies-later"),
        {"kind": "no-capacity", "at_s": 1500, "until_s": 2000},
        rollout={"circuit_breaker": True},
    )
    bodies: list[dict[str, Any]] = []
    of.on_message(bodies.append)
    of.run_until(4000)
    signals = [outcome for body in bodies for outcome in read_message(body)]
    assert len(signals) == len(bodies) > 5
    assert all(isinstance(signal, Signal) for signal in signals)
    about = {(s.cluster, s.service) for s in signals if isinstance(s, Signal) and s.kind != "alarm"}
    assert about == {("shop", "orders")}


def test_a_mistake_in_a_setting_is_refused() -> None:
    """An unknown dependency, alarm or key is an error, and so is a range upside down."""
    for changes in (
        {"needs": [{"dependency": "nobody"}]},
        {"rollout": {"alarms": ["nobody"]}},
        {"taks": 4},
        {"capacity_rps": [50, 40]},
        {"slow_s": -1},
    ):
        with pytest.raises(ValueError, match=r"nobody|taks|lower number|negative"):
            Setting.model_validate({"services": [service(**changes)]})
