"""Every way to respond by name, in the order in which they are shown."""

from collections.abc import Mapping

from tools.drill.policies.knowing import Oracle, Person
from tools.drill.policies.ours import Responder
from tools.drill.policies.passive import Native, Nobody
from tools.drill.policies.policy import Policy
from tools.drill.policies.reflexes import Restart, Runbook

POLICIES: Mapping[str, Policy] = {
    policy.name: policy for policy in (Nobody(), Native(), Restart(), Runbook(), Person(), Responder(), Oracle())
}
