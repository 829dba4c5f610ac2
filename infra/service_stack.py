"""One stack for each playbook, so that a service that is gone keeps no other service from being deployed."""

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from aws_cdk import CustomResource, Duration, Environment, IStackSynthesizer, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from functions.playbooks.schema import Playbook
from infra.service_alarms import FrontDoor, ServiceAlarms, needs_front_door, needs_log_group
from infra.service_dashboard import ServiceDashboard
from infra.unattended import Unattended

_LONGEST_STACK_NAME = 128


class UnattendedPages(NamedTuple):
    """Whom to page straight while the responder of this name is unwell."""

    responder: str
    pages: sns.ITopic


class ServiceAlarmsStack(Stack):
    """The alarms of one playbook and the dashboard that it asks for, for a service that exists already."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        playbook: Playbook,
        alarm_topic: sns.ITopic,
        lookup: lambda_.IFunction,
        default_period_s: int,
        unattended: UnattendedPages | None,
        env: Environment,
        synthesizer: IStackSynthesizer,
    ) -> None:
        super().__init__(
            scope,
            id,
            env=env,
            synthesizer=synthesizer,
            description=f"Alarms of ECS service {playbook.ref} for the first responder",
        )
        front_door = self._front_door(playbook, lookup) if needs_front_door(playbook) else None
        alarms = ServiceAlarms(
            self,
            "Alarms",
            playbook=playbook,
            front_door=front_door,
            log_group=self._log_group(playbook, lookup) if needs_log_group(playbook) else None,
            default_period_s=default_period_s,
            topic=alarm_topic,
        )
        if unattended is not None and playbook.alarms:
            Unattended(
                self,
                "Unattended",
                responder=unattended.responder,
                playbook=playbook,
                pages=unattended.pages,
                after=alarms,
            )
        if playbook.dashboard_name is not None:
            ServiceDashboard(self, "Dashboard", name=playbook.dashboard_name, playbook=playbook, front_door=front_door)

    def _front_door(self, playbook: Playbook, lookup: lambda_.IFunction) -> FrontDoor:
        """What the playbook says, else what the service itself says when it is deployed."""
        balancer = playbook.overrides.load_balancer
        group = playbook.overrides.target_groups[0] if playbook.overrides.target_groups else None
        if balancer is not None and group is not None:
            return FrontDoor(
                load_balancer=balancer.partition(":loadbalancer/")[2], target_group=group.rpartition(":")[2]
            )
        found = self._looked_up("FrontDoor", playbook, lookup, {} if group is None else {"TargetGroup": group})
        return FrontDoor(
            load_balancer=(
                found.get_att_string("LoadBalancer") if balancer is None else balancer.partition(":loadbalancer/")[2]
            ),
            target_group=found.get_att_string("TargetGroup"),
        )

    def _log_group(self, playbook: Playbook, lookup: lambda_.IFunction) -> str:
        """What the playbook says, else what the service's task definition says when it is deployed."""
        written = playbook.overrides.log_group
        if written is not None:
            return written
        return self._looked_up("LogGroup", playbook, lookup, {}).get_att_string("LogGroup")

    def _looked_up(
        self, what: str, playbook: Playbook, lookup: lambda_.IFunction, more: Mapping[str, str]
    ) -> CustomResource:
        return CustomResource(
            self,
            what,
            resource_type=f"Custom::EcsService{what}",
            service_token=lookup.function_arn,
            service_timeout=Duration.minutes(5),
            properties={
                "Region": playbook.region,
                "Cluster": playbook.cluster,
                "Service": playbook.service,
                **more,
            },
        )


def stack_name(prefix: str, playbook: Playbook) -> str:
    """`prefix-cluster-service`; what CloudFormation refuses is replaced, and a hash keeps the name unique."""
    said = f"{prefix}-{playbook.cluster}-{playbook.service}"
    allowed = re.sub(r"[^A-Za-z0-9-]", "-", said)
    if allowed == said and len(said) <= _LONGEST_STACK_NAME:
        return said
    mark = hashlib.sha256(f"{playbook.cluster}/{playbook.service}".encode()).hexdigest()[:8]
    return f"{allowed[: _LONGEST_STACK_NAME - 9]}-{mark}"
