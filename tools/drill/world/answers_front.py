"""Elastic Load Balancing, and the zones and zonal shifts around it (API references of Elastic Load Balancing v2, Amazon
EC2 and Amazon Application Recovery Controller)."""

import re

from tools.drill.world.descriptions import address_of
from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.parts import Task
from tools.drill.world.refusal import Refused
from tools.drill.world.service import PORT, Service
from tools.drill.world.shifts import Shift
from tools.drill.world.world import World

_DESCRIPTIONS = {
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.Timeout": "Request timed out",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
}
"""Elastic Load Balancing API reference, TargetHealth."""


def _of_group(world: World, arn: str) -> Service:
    for service in world.services.values():
        if service.target_group == arn:
            return service
    raise Refused("TargetGroupNotFound", "One or more target groups not found")


def describe_target_health(world: World, parameters: Parameters) -> Answer:
    service = _of_group(world, parameters["TargetGroupArn"])
    away = world.shifted_away(service.load_balancer)
    return {"TargetHealthDescriptions": [_target(task, away) for task in service.tasks if task.target is not None]}


def _target(task: Task, away: frozenset[str]) -> Answer:
    health: Answer = {"State": task.target}
    if task.target_reason is not None:
        health |= {"Reason": task.target_reason, "Description": _DESCRIPTIONS[task.target_reason]}
    answer: Answer = {
        "Target": {"Id": address_of(task), "Port": PORT, "AvailabilityZone": task.zone},
        "HealthCheckPort": str(PORT),
        "TargetHealth": health,
    }
    if task.zone in away:
        answer["AdministrativeOverride"] = {
            "State": "zonal_shift_active",
            "Reason": "AdministrativeOverride.ZonalShiftActive",
        }
    return answer


def describe_target_groups(world: World, parameters: Parameters) -> Answer:
    groups = parameters.get("TargetGroupArns")
    found = list(world.services.values()) if groups is None else [_of_group(world, arn) for arn in groups]
    return {"TargetGroups": [_target_group(service) for service in found]}


def _target_group(service: Service) -> Answer:
    check = service.setting.health_check
    return {
        "TargetGroupArn": service.target_group,
        "TargetGroupName": service.name,
        "Protocol": "HTTP",
        "Port": PORT,
        "VpcId": f"vpc-{1:017x}",
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": int(service.check_s),
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": check.healthy,
        "UnhealthyThresholdCount": check.unhealthy,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [service.load_balancer],
        "TargetType": "ip",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
    }


def _of_balancer(world: World, arn: str) -> Service | None:
    return next((service for service in world.services.values() if service.load_balancer == arn), None)


def describe_target_group_attributes(world: World, parameters: Parameters) -> Answer:
    return {"Attributes": _group_attributes(world, _of_group(world, parameters["TargetGroupArn"]))}


def _group_attributes(world: World, service: Service) -> list[Answer]:
    sticky = service.stickiness
    return _attributes(
        {
            "deregistration_delay.timeout_seconds": f"{world.constants.deregistration_s:g}",
            "stickiness.enabled": str(sticky.enabled).lower(),
            "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": str(sticky.duration_s),
            "stickiness.app_cookie.cookie_name": "",
            "stickiness.app_cookie.duration_seconds": "86400",
            "load_balancing.algorithm.type": "round_robin",
            "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
            "slow_start.duration_seconds": "0",
        }
    )


def _attributes(values: dict[str, str]) -> list[Answer]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def modify_target_group_attributes(world: World, parameters: Parameters) -> Answer:
    """Stickiness by the load balancer's own cookie, on or off; it counts at once."""
    service = _of_group(world, parameters["TargetGroupArn"])
    sent = {attribute["Key"]: attribute["Value"] for attribute in parameters["Attributes"]}
    length = sent.pop("stickiness.lb_cookie.duration_seconds", str(service.stickiness.duration_s))
    enabled = sent.pop("stickiness.enabled", str(service.stickiness.enabled).lower())
    if sent.pop("stickiness.type", "lb_cookie") != "lb_cookie" or sent:
        raise NotImplementedError(f"the world cannot change {', '.join(sorted(sent)) or 'the type of stickiness'}")
    if not 1 <= int(length) <= MOST_STICKY_S:
        raise Refused("InvalidConfigurationRequest", "Stickiness duration must be between 1 and 604800 seconds")
    world.settle()
    service.stickiness.enabled, service.stickiness.duration_s = enabled == "true", int(length)
    service.changed()
    return {"Attributes": _group_attributes(world, service)}


MOST_STICKY_S = 604_800


def describe_load_balancer_attributes(world: World, parameters: Parameters) -> Answer:
    service = _of_balancer(world, parameters["LoadBalancerArn"])
    if service is None:
        raise Refused("LoadBalancerNotFound", "One or more load balancers not found")
    return {
        "Attributes": _attributes(
            {
                "deletion_protection.enabled": "true",
                "idle_timeout.timeout_seconds": "60",
                "load_balancing.cross_zone.enabled": "true",
                "routing.http2.enabled": "true",
                "zonal_shift.config.enabled": str(service.setting.zonal_shift).lower(),
            }
        )
    }


def deregister_targets(world: World, parameters: Parameters) -> Answer:
    service = _of_group(world, parameters["TargetGroupArn"])
    wanted = {target["Id"] for target in parameters["Targets"]}
    for task in list(service.tasks):
        if address_of(task) in wanted:
            service.deregister(task)
    return {}


def describe_availability_zones(world: World, parameters: Parameters) -> Answer:
    region = world.setting.region
    return {
        "AvailabilityZones": [
            {
                "OptInStatus": "opt-in-not-required",
                "Messages": [],
                "RegionName": region,
                "ZoneName": zone,
                "ZoneId": zone_id,
                "GroupName": region,
                "NetworkBorderGroup": region,
                "ZoneType": "availability-zone",
                "State": "available",
            }
            for zone, zone_id in world.shifts.zone_ids.items()
            if zone in parameters.get("ZoneNames", (zone,)) and zone_id in parameters.get("ZoneIds", (zone_id,))
        ]
    }


def _managed(world: World, resource: str) -> Service:
    service = _of_balancer(world, resource)
    if service is None or not service.setting.zonal_shift:
        raise Refused("ResourceNotFoundException", f"Resource {resource} not found", status=404)
    return service


def get_managed_resource(world: World, parameters: Parameters) -> Answer:
    service = _managed(world, parameters["resourceIdentifier"])
    shift = world.shifts.of(service)
    ids = world.shifts.zone_ids
    weights = {zone_id: 0.0 if shift is not None and shift.zone == zone else 1.0 for zone, zone_id in ids.items()}
    return {
        "arn": service.load_balancer,
        "name": service.name,
        "appliedWeights": weights,
        "zonalShifts": [] if shift is None else [_brief(world, shift) | {"appliedStatus": "APPLIED"}],
        "autoshifts": [],
        "zonalAutoshiftStatus": "DISABLED",
    }


def _brief(world: World, shift: Shift) -> Answer:
    return {
        "zonalShiftId": shift.id,
        "resourceIdentifier": shift.service.load_balancer,
        "awayFrom": world.shifts.zone_ids[shift.zone],
        "startTime": world.moment(shift.began_s),
        "expiryTime": world.moment(shift.expires_s),
        "comment": shift.comment,
    }


_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}


def start_zonal_shift(world: World, parameters: Parameters) -> Answer:
    service = _managed(world, parameters["resourceIdentifier"])
    length = re.fullmatch(r"(\d+)([mhd])", parameters["expiresIn"])
    if length is None:
        raise Refused("ValidationException", "expiresIn must be a number followed by m, h or d")
    expires_s = float(int(length[1]) * _UNITS_S[length[2]])
    shift = world.shifts.start(service, parameters["awayFrom"], expires_s=expires_s, comment=parameters["comment"])
    return _brief(world, shift) | {"status": shift.status}


def cancel_zonal_shift(world: World, parameters: Parameters) -> Answer:
    shift = next((shift for shift in world.shifts.all if shift.id == parameters["zonalShiftId"]), None)
    if shift is None:
        raise Refused("ResourceNotFoundException", "Zonal shift not found", status=404)
    world.shifts.cancel(shift)
    return _brief(world, shift) | {"status": shift.status}


FRONT = Operations(
    reads={
        "DescribeTargetHealth": describe_target_health,
        "DescribeTargetGroups": describe_target_groups,
        "DescribeTargetGroupAttributes": describe_target_group_attributes,
        "DescribeLoadBalancerAttributes": describe_load_balancer_attributes,
        "DescribeAvailabilityZones": describe_availability_zones,
        "GetManagedResource": get_managed_resource,
    },
    changes={
        "ModifyTargetGroupAttributes": modify_target_group_attributes,
        "DeregisterTargets": deregister_targets,
        "StartZonalShift": start_zonal_shift,
        "CancelZonalShift": cancel_zonal_shift,
    },
)
