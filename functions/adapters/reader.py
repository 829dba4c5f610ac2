"""One reader of a service, out of the services of AWS that know something about it."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from functions.adapters.autoscaling import AutoScalingReader
from functions.adapters.clients import Clients
from functions.adapters.ecs import EcsReader
from functions.adapters.elbv2 import Elbv2Reader
from functions.domain.circumstances import TaskDefinitionFacts
from functions.domain.evidence import (
    RevisionFacts,
    ScalingFacts,
    ServiceDeploymentFacts,
    ServiceFacts,
    TargetFacts,
    TasksFacts,
)
from functions.domain.services import ServiceRef


class AwsServiceReader:
    """The `ServiceReader` of the deployed responder. IAM actions: those of the three readers it is made of."""

    def __init__(self, *, ecs: EcsReader, elbv2: Elbv2Reader, autoscaling: AutoScalingReader) -> None:
        self._ecs = ecs
        self._elbv2 = elbv2
        self._autoscaling = autoscaling

    @classmethod
    def of(cls, clients: Clients, *, threads: Callable[[int], Executor] = ThreadPoolExecutor) -> "AwsServiceReader":
        return cls(
            ecs=EcsReader(clients.repeating("ecs"), threads=threads),
            elbv2=Elbv2Reader(clients.repeating("elbv2")),
            autoscaling=AutoScalingReader(
                clients.repeating("application-autoscaling"),
                supporting=clients.once("application-autoscaling"),
                threads=threads,
            ),
        )

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        return self._ecs.service(ref)

    def services(self, refs: Sequence[ServiceRef]) -> Mapping[ServiceRef, ServiceFacts | None]:
        return self._ecs.services(refs)

    def tasks(self, ref: ServiceRef) -> TasksFacts:
        return self._ecs.tasks(ref)

    def service_deployments(self, ref: ServiceRef) -> Sequence[ServiceDeploymentFacts]:
        return self._ecs.service_deployments(ref)

    def revisions(self, arns: Sequence[str]) -> Sequence[RevisionFacts]:
        return self._ecs.revisions(arns)

    def task_definition_status(self, task_definition: str) -> str:
        return self._ecs.task_definition_status(task_definition)

    def targets(self, target_groups: Sequence[str]) -> Sequence[TargetFacts]:
        return self._elbv2.targets(target_groups)

    def load_balancer(self, target_group: str) -> str | None:
        return self._elbv2.load_balancer(target_group)

    def definition(self, task_definition: str) -> TaskDefinitionFacts:
        return self._ecs.definition(task_definition)

    def scaling(self, ref: ServiceRef, *, resource_id: str | None = None) -> ScalingFacts:
        return self._autoscaling.scaling(ref, named=resource_id)
