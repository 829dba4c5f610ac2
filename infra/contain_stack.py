"""The contain stack: the one function whose role may shut out, in a stack that need not be there."""

from collections.abc import Sequence

from aws_cdk import Environment, IStackSynthesizer, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from functions import settings
from functions.actions.registry import ACTIONS
from functions.diagnostics.registry import PROBES
from functions.playbooks.schema import Playbook
from functions.workflow.table import Function
from infra.context import Deployment
from infra.function import ResponderFunction
from infra.machine import CONTAIN_ALIAS
from infra.permissions import Grant, Reach, grants
from infra.shipment import Shipment
from infra.storage import LEDGER_ACTIONS

LOOKS_AT = ("service", "scaling")
"""What is read again just before something is shut out."""


class ContainStack(Stack):
    """Knows the responder's stack by names alone, so that either can be deployed again without the other.

    It is called through an alias: the state machine of the responder's stack names it, and versions have no names.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        deployment: Deployment,
        playbooks: Sequence[Playbook],
        env: Environment,
        synthesizer: IStackSynthesizer,
    ) -> None:
        super().__init__(
            scope,
            id,
            env=env,
            synthesizer=synthesizer,
            description="What the ECS first responder may shut out, after asking",
        )
        reach = Reach(
            [playbook.ref for playbook in playbooks],
            ip_sets=list(dict.fromkeys(p.contain.ip_set.ref for p in playbooks if p.contain.ip_set is not None)),
            user_pools=[p.contain.user_pool for p in playbooks if p.contain.user_pool is not None],
        )
        needs = [permission for probe in LOOKS_AT for permission in PROBES[probe].permissions]
        needs += [each for name, action in ACTIONS.items() if name.contains for each in action.permissions]
        table = self.format_arn(service="dynamodb", resource="table", resource_name=deployment.name)
        contain = ResponderFunction(
            self,
            "Contain",
            shipment=Shipment(self, "Shipment", deployment=deployment, playbooks=playbooks),
            module=Function.CONTAIN.value,
            grants=[Grant(LEDGER_ACTIONS, [table]), *grants(self, needs, reach)],
            environment={
                settings.TABLE_NAME: deployment.name,
                # What it writes is short: nothing has to be kept beside the ledger.
                settings.BUCKET_NAME: "",
                settings.FLEET_ACTIONS_PER_HOUR: str(deployment.fleet_actions_per_hour),
                settings.LOG_SCAN_MB: "0",
            },
        )
        lambda_.Alias(self, "Live", alias_name=CONTAIN_ALIAS, version=contain.function.current_version)


def contain_name(name: str) -> str:
    """The stack's name."""
    return f"{name}-{Function.CONTAIN}"
