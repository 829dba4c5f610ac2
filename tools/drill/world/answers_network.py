"""Security groups, and the load balancers that have them (API references of Amazon EC2 and Elastic Load Balancing v2).

One group for the load balancers, one for the tasks, one for the databases; each lets in the one before it. No fault
closes a hop: what cannot be reached in a world is down.
"""

from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.service import PORT
from tools.drill.world.world import World

TASKS, BALANCERS, DATABASES = (f"sg-{number:017x}" for number in (1, 2, 3))
DATABASE_PORT = 5432
_EVERYBODY = "0.0.0.0/0"
_INBOUND = {
    BALANCERS: {"FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": _EVERYBODY}]},
    TASKS: {"FromPort": PORT, "ToPort": PORT, "UserIdGroupPairs": [{"GroupId": BALANCERS}]},
    DATABASES: {"FromPort": DATABASE_PORT, "ToPort": DATABASE_PORT, "UserIdGroupPairs": [{"GroupId": TASKS}]},
}


def describe_security_groups(world: World, parameters: Parameters) -> Answer:
    wanted = parameters.get("GroupIds", list(_INBOUND))
    for group in wanted:
        if group not in _INBOUND:
            raise Refused("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
    return {
        "SecurityGroups": [
            {
                "GroupId": group,
                "GroupName": group,
                "VpcId": f"vpc-{1:017x}",
                "IpPermissions": [{"IpProtocol": "tcp", **_INBOUND[group]}],
                "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": _EVERYBODY}]}],
            }
            for group in wanted
        ]
    }


def describe_load_balancers(world: World, parameters: Parameters) -> Answer:
    known = {service.load_balancer: service.name for service in world.services.values()}
    wanted = parameters.get("LoadBalancerArns", list(known))
    if any(arn not in known for arn in wanted):
        raise Refused("LoadBalancerNotFound", "One or more load balancers not found")
    return {
        "LoadBalancers": [
            {
                "LoadBalancerArn": arn,
                "LoadBalancerName": known[arn],
                "Type": "application",
                "Scheme": "internet-facing",
                "State": {"Code": "active"},
                "VpcId": f"vpc-{1:017x}",
                "SecurityGroups": [BALANCERS],
            }
            for arn in wanted
        ]
    }


NETWORK = Operations(
    reads={
        "DescribeSecurityGroups": describe_security_groups,
        "DescribeLoadBalancers": describe_load_balancers,
    }
)
