"""Every operation of AWS that the world answers.

Answers have the fields that AWS sends for such a service (the API references that the modules name); what has no value
is left out.
"""

from tools.drill.world.answers_account import ACCOUNT
from tools.drill.world.answers_backups import BACKUPS
from tools.drill.world.answers_cloudwatch import CLOUDWATCH
from tools.drill.world.answers_containment import CONTAINMENT
from tools.drill.world.answers_ecs import ECS
from tools.drill.world.answers_front import FRONT
from tools.drill.world.answers_logs import LOGS
from tools.drill.world.answers_mutes import MUTES
from tools.drill.world.answers_network import NETWORK
from tools.drill.world.answers_others import OTHERS
from tools.drill.world.answers_scaling import SCALING
from tools.drill.world.operations import Operations

_ALL = (ECS, CLOUDWATCH, FRONT, SCALING, LOGS, ACCOUNT, BACKUPS, MUTES, NETWORK, CONTAINMENT, OTHERS)

OPERATIONS = Operations(
    reads={name: answer for each in _ALL for name, answer in each.reads.items()},
    keeping={name: answer for each in _ALL for name, answer in each.keeping.items()},
    changes={name: answer for each in _ALL for name, answer in each.changes.items()},
)
"""By name: no two services of AWS that the drill knows have an operation of the same one."""
