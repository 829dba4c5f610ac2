"""What stands in front of a service: zones, zonal shifts, stickiness, and targets that somebody takes out."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters.answers import code_of
from tests.unit.drill.world.worlds import SHIPPED_S, client, failed, orders, world
from tools.drill.world import wire
from tools.drill.world.descriptions import address_of
from tools.drill.world.shifts import SHIFT_S
from tools.drill.world.world import World

ZONE_FAILS = {"kind": "zone-impaired", "failing_percent": 40}
SHIFTS = {"tasks": 6, "zonal_shift": True}


def zone_sum(of: World, name: str, zone: str, *, minutes: int = 5) -> float:
    """The sum of a metric of one zone over the last whole minutes that have arrived."""
    service = orders(of)
    dimensions = {
        "AvailabilityZone": zone,
        "LoadBalancer": service.load_balancer.partition(":loadbalancer/")[2],
        "TargetGroup": service.target_group.rpartition(":")[2],
    }
    start = (int(of.seconds // 60) - minutes - 1) * 60
    with wire.connected(of):
        answer = client("cloudwatch").get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "q",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/ApplicationELB",
                            "MetricName": name,
                            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                        },
                        "Period": 60,
                        "Stat": "Sum",
                    },
                }
            ],
            StartTime=of.moment(start),
            EndTime=of.moment(start + minutes * 60),
        )
    return float(sum(answer["MetricDataResults"][0]["Values"]))


def shift(of: World, zone: str, **changes: Any) -> dict[str, Any]:
    sent = {
        "resourceIdentifier": orders(of).load_balancer,
        "awayFrom": of.shifts.zone_ids[zone],
        "expiresIn": "20m",
        "comment": "test",
    }
    answer: dict[str, Any] = client("arc-zonal-shift").start_zonal_shift(**sent | changes)
    return answer


def test_zones_add_up() -> None:
    """Requests and errors of all zones are those of the load balancer, and the bad zone has the errors."""
    of = world(ZONE_FAILS, tasks=6)
    of.run_until(SHIPPED_S + 600)
    requests = {zone: zone_sum(of, "RequestCount", zone) for zone in of.zones}
    errors = {zone: zone_sum(of, "HTTPCode_Target_5XX_Count", zone) for zone in of.zones}
    assert sum(requests.values()) == pytest.approx(100 * 300, rel=0.01)
    assert errors[of.zones[0]] == pytest.approx(0.4 * requests[of.zones[0]])
    assert errors[of.zones[1]] == errors[of.zones[2]] == 0


def test_the_sample_count_of_cpu_is_the_number_of_tasks() -> None:
    """Every running task reports once a minute."""
    of = world(tasks=5)
    of.run_until(SHIPPED_S)
    key = orders(of).front.metric_keys["CPUUtilization"]
    assert of.metrics.value(key, 300, 60, "SampleCount", now_s=of.seconds) == 5


def test_a_zonal_shift_keeps_requests_out_of_a_zone() -> None:
    """After a moment the zone gets nothing and nothing fails; at the end traffic comes back by itself."""
    of = world(ZONE_FAILS, **SHIFTS)
    of.run_until(SHIPPED_S + 60)
    zone = of.zones[0]
    with wire.connected(of), wire.calling("responder"):
        started = shift(of, zone)
        assert started["status"] == "ACTIVE"
        resource = client("arc-zonal-shift").get_managed_resource(resourceIdentifier=orders(of).load_balancer)
        assert [each["awayFrom"] for each in resource["zonalShifts"]] == [of.shifts.zone_ids[zone]]
    began = of.seconds + SHIFT_S
    of.run_until(began + 600)
    assert failed(of, since_s=began + 10) == pytest.approx(0)
    assert zone_sum(of, "RequestCount", zone) == 0
    of.run_until(SHIPPED_S + 60 + 1200 + 420)
    assert zone_sum(of, "RequestCount", zone) > 0
    assert [change.operation for change in of.changes] == ["StartZonalShift"]


def test_a_shift_can_be_ended() -> None:
    """CancelZonalShift brings the traffic back at once, and only once."""
    of, arc = world(**SHIFTS), client("arc-zonal-shift")
    with wire.connected(of):
        started = shift(of, of.zones[1])
        of.run_until(300)
        assert arc.cancel_zonal_shift(zonalShiftId=started["zonalShiftId"])["status"] == "CANCELED"
        of.run_until(900)
        assert zone_sum(of, "RequestCount", of.zones[1]) > 0
        with pytest.raises(arc.exceptions.ConflictException):
            arc.cancel_zonal_shift(zonalShiftId=started["zonalShiftId"])


def test_a_shift_that_cannot_be_is_refused() -> None:
    """Who has not opted in has no managed resource; a second shift, or a zone that is not there, is refused."""
    arc = client("arc-zonal-shift")
    out, of = world(), world(**SHIFTS)
    with wire.connected(out), pytest.raises(arc.exceptions.ResourceNotFoundException):
        shift(out, out.zones[0])
    with wire.connected(of):
        with pytest.raises(arc.exceptions.ValidationException):
            shift(of, of.zones[0], awayFrom="moon1-az1")
        with pytest.raises(arc.exceptions.ValidationException):
            shift(of, of.zones[0], expiresIn="20x")
        shift(of, of.zones[0])
        with pytest.raises(arc.exceptions.ConflictException):
            shift(of, of.zones[1])


def test_a_shift_does_nothing_when_no_other_target_is_healthy() -> None:
    """With healthy targets in one zone only, that zone is used whatever was shifted."""
    of = world(tasks=1, zonal_shift=True, traffic={"base_rps": 20})
    with wire.connected(of):
        shift(of, orders(of).tasks[0].zone)
    of.run_until(600)
    assert failed(of) == pytest.approx(0)


@pytest.mark.thorough
def test_zone_ids_belong_to_names() -> None:
    """Every zone of the world has one id, and the attributes tell whether they can be used."""
    of = world(zonal_shift=True)
    with wire.connected(of):
        zones = client("ec2").describe_availability_zones()["AvailabilityZones"]
        assert {each["ZoneName"]: each["ZoneId"] for each in zones} == of.shifts.zone_ids
        assert len(set(of.shifts.zone_ids.values())) == 3
        attributes = client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=orders(of).load_balancer)
        assert {"Key": "zonal_shift.config.enabled", "Value": "true"} in attributes["Attributes"]


def test_sessions_need_stickiness() -> None:
    """Without stickiness a session finds its task only by luck; with it nothing is lost."""
    lost, kept = world(sessions_percent=40), world(sessions_percent=40, stickiness_s=3600)
    for of in (lost, kept):
        of.run_until(SHIPPED_S)
    assert failed(lost) == pytest.approx(0.4 * 0.75 * 100 * SHIPPED_S)
    assert failed(kept) == pytest.approx(0)


def test_stickiness_can_be_switched() -> None:
    """ModifyTargetGroupAttributes counts at once, and is read back."""
    of, elb = world(sessions_percent=40), client("elbv2")
    group = orders(of).target_group
    on = {"stickiness.enabled": "true", "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": "7200"}
    of.run_until(SHIPPED_S)
    with wire.connected(of):
        sent = [{"Key": key, "Value": value} for key, value in on.items()]
        elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=sent)
        read = elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
        assert on.items() <= {each["Key"]: each["Value"] for each in read}.items()
        for wrong in ("0", "604801"):
            with pytest.raises(ClientError) as refused:
                elb.modify_target_group_attributes(
                    TargetGroupArn=group,
                    Attributes=[{"Key": "stickiness.lb_cookie.duration_seconds", "Value": wrong}],
                )
            assert code_of(refused.value) == "InvalidConfigurationRequest"
    of.run_until(SHIPPED_S + 300)
    assert failed(of, since_s=SHIPPED_S) == pytest.approx(0)


@pytest.mark.parametrize("seed", range(6))
def test_a_deregistered_target_gets_nothing_and_may_come_back_once(seed: int) -> None:
    """It drains and goes on running. ECS may register it once more, never twice; stopped, it is replaced."""
    of, elb = world(seed=seed), client("elbv2")
    service = orders(of)
    of.run_until(SHIPPED_S)
    task = service.tasks[0]
    target = {"TargetGroupArn": service.target_group, "Targets": [{"Id": address_of(task)}]}
    with wire.connected(of):
        elb.deregister_targets(**target)
        of.run_until(SHIPPED_S + 35)
        assert task.running
        of.run_until(SHIPPED_S + 200)
        assert task.target == ("healthy" if task.reregistered else None)
        elb.deregister_targets(**target)
        of.run_until(SHIPPED_S + 400)
        assert task.target is None
        client("ecs").stop_task(cluster="shop", task=task.arn, reason="one of a kind")
    of.run_until(SHIPPED_S + 700)
    assert sum(each.healthy for each in service.tasks) == 4
    assert failed(of) == pytest.approx(0)


def test_chance_brings_some_back() -> None:
    """Over many seeds a part of the deregistered targets is registered once more."""
    found = set()
    for seed in range(12):
        of = world(seed=seed)
        of.run_until(60)
        orders(of).deregister(orders(of).tasks[0])
        found.add(orders(of).tasks[0].reregistered)
    assert found == {True, False}
