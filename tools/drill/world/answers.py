"""Every operation of AWS that the world answers.

Answers have the fields that AWS sends for such a service (API references of ECS, Elastic Load Balancing, Application
Auto Scaling and CloudWatch); what has no value is left out.
"""

from tools.drill.world.answers_cloudwatch import CLOUDWATCH
from tools.drill.world.answers_ecs import ECS
from tools.drill.world.answers_others import OTHERS
from tools.drill.world.operations import Operations

OPERATIONS = Operations(
    reads={**ECS.reads, **CLOUDWATCH.reads, **OTHERS.reads},
    keeping=OTHERS.keeping,
    changes={**ECS.changes, **CLOUDWATCH.changes, **OTHERS.changes},
)
"""By name: no two services of AWS that the drill knows have an operation of the same one."""
