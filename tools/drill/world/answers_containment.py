"""What a world has not: firewalls, users, a registry that scans. It refuses, as AWS does where a right is missing.

So whoever asks gets a defined answer, and no drill goes on as if there were one.
"""

from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.world import World


def refuse(world: World, parameters: Parameters) -> Answer:
    raise Refused("AccessDeniedException", "User is not authorized to perform this action in a simulated account.")


CONTAINMENT = Operations(
    reads={
        "DescribeImageScanFindings": refuse,
        "GetIPSet": refuse,
    },
    changes={"UpdateIPSet": refuse, "AdminDisableUser": refuse},
)
