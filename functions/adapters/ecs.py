"""Reads ECS: the service, its tasks, deployments, revisions and task definitions."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from functions.adapters.answers import Answer, code_of, moment, reading, required_moment
from functions.domain.circumstances import ContainerFacts, TaskDefinitionFacts
from functions.domain.errors import ReadFailed
from functions.domain.evidence import (
    DeploymentFacts,
    RevisionFacts,
    ServiceDeploymentFacts,
    ServiceEvent,
    ServiceFacts,
    TaskFacts,
    TasksFacts,
)
from functions.domain.model import canonical_json, digest
from functions.domain.redaction import clean
from functions.domain.services import ServiceRef

T = TypeVar("T")

CALLS = (
    "ecs:DescribeServices",
    "ecs:ListTasks",
    "ecs:DescribeTasks",
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServiceRevisions",
    "ecs:DescribeTaskDefinition",
)
"""IAM actions."""

SERVICES_PER_CALL = 10
"""Of one cluster (ECS API reference, DescribeServices)."""

TASKS_PER_CALL = 100
STOPPED_TASKS = 100
DEPLOYMENTS = 20
"""As many service deployments, or revisions, as one Describe call takes (ECS API reference)."""

EVENTS = 30
"""Service event messages that are kept of the 100 that ECS answers with."""

_SURROUNDINGS = (
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "capacityProviderStrategy",
    "launchType",
)
"""What a service has beside its task definition. Not the platform version: AWS itself moves what LATEST resolves to."""


class EcsReader:
    """The part of `ServiceReader` that ECS answers. IAM actions: `CALLS`."""

    def __init__(self, client: Any, *, threads: Callable[[int], Executor] = ThreadPoolExecutor) -> None:
        """`threads` makes an executor that carries out so many calls side by side."""
        self._ecs = client
        self._threads = threads

    def service(self, ref: ServiceRef) -> ServiceFacts | None:
        with reading(f"service {ref.service}"):
            try:
                answer = self._ecs.describe_services(cluster=ref.cluster, services=[ref.service])
            except ClientError as error:
                if code_of(error) == "ClusterNotFoundException":
                    return None
                raise
        for failure in answer.get("failures", ()):
            if failure.get("reason") != "MISSING":
                raise ReadFailed(f"service {ref.service} could not be read: {clean(str(failure.get('reason')))}")
        return next((_service_facts(service) for service in answer.get("services", ())), None)

    def services(self, refs: Sequence[ServiceRef]) -> Mapping[ServiceRef, ServiceFacts | None]:
        found: dict[ServiceRef, ServiceFacts | None] = {}
        for cluster in dict.fromkeys(ref.cluster for ref in refs):
            of_cluster = [ref for ref in refs if ref.cluster == cluster]
            for first in range(0, len(of_cluster), SERVICES_PER_CALL):
                found |= self._together(cluster, of_cluster[first : first + SERVICES_PER_CALL])
        return found

    def _together(self, cluster: str, refs: Sequence[ServiceRef]) -> dict[ServiceRef, ServiceFacts | None]:
        """Services of one cluster. ECS refuses a request whole; whoever asks for each by itself is told why."""
        try:
            with reading(f"{len(refs)} services of cluster {cluster}"):
                answer = self._ecs.describe_services(cluster=cluster, services=[ref.service for ref in refs])
        except ReadFailed:
            return {}
        told = {facts.arn.rpartition("/")[2]: facts for facts in map(_service_facts, answer.get("services", ()))}
        gone = {
            str(failure.get("arn", "")).rpartition("/")[2]
            for failure in answer.get("failures", ())
            if failure.get("reason") == "MISSING"
        }
        return {ref: told.get(ref.service) for ref in refs if ref.service in told or ref.service in gone}

    def tasks(self, ref: ServiceRef) -> TasksFacts:
        with reading(f"the tasks of {ref.service}"):
            with self._threads(2) as pool:
                running, stopped = pool.map(lambda status: list(self._task_arns(ref, status)), ("RUNNING", "STOPPED"))
            stopped = stopped[:STOPPED_TASKS]
            shown = [
                task
                for arns in _chunks(running + stopped, TASKS_PER_CALL)
                for task in self._ecs.describe_tasks(cluster=ref.cluster, tasks=arns).get("tasks", ())
            ]
            found = [_task_facts(task) for task in shown]
        return TasksFacts(
            images=_distinct(_image(c) for t in shown if t.get("lastStatus") == "RUNNING" for c in _containers(t)),
            running=tuple(task for task in found if task.stopped_at is None and task.last_status != "STOPPED"),
            stopped=tuple(task for task in found if task.stopped_at is not None or task.last_status == "STOPPED"),
        )

    @cached_property
    def _list_tasks(self) -> Any:
        """botocore makes a class of its own for each paginator that it is asked for."""
        return self._ecs.get_paginator("list_tasks")

    def _task_arns(self, ref: ServiceRef, desired_status: str) -> Iterator[str]:
        pages = self._list_tasks.paginate(cluster=ref.cluster, serviceName=ref.service, desiredStatus=desired_status)
        for page in pages:
            yield from page.get("taskArns", ())

    def service_deployments(self, ref: ServiceRef) -> Sequence[ServiceDeploymentFacts]:
        with reading(f"the service deployments of {ref.service}"):
            # The API reference names no order, so the newest are picked from a whole page.
            listed = self._ecs.list_service_deployments(cluster=ref.cluster, service=ref.service, maxResults=100)
            brief = [
                (required_moment(entry, "createdAt", "startedAt", of="a service deployment"), arn)
                for entry in listed.get("serviceDeployments", ())
                if (arn := entry.get("serviceDeploymentArn"))
            ]
            newest = [arn for _, arn in sorted(brief, reverse=True)[:DEPLOYMENTS]]
            if not newest:
                return ()
            answer = self._ecs.describe_service_deployments(serviceDeploymentArns=newest)
        facts = [_service_deployment_facts(entry) for entry in answer.get("serviceDeployments", ())]
        return tuple(sorted(facts, key=lambda deployment: deployment.created_at, reverse=True))

    def revisions(self, arns: Sequence[str]) -> Sequence[RevisionFacts]:
        if not arns:
            return ()
        with reading("the service revisions"):
            answer = self._ecs.describe_service_revisions(serviceRevisionArns=list(arns[:DEPLOYMENTS]))
        return tuple(_revision_facts(revision) for revision in answer.get("serviceRevisions", ()))

    def task_definition_status(self, task_definition: str) -> str:
        with reading(f"task definition {task_definition}"):
            try:
                answer = self._ecs.describe_task_definition(taskDefinition=task_definition)
            except ClientError as error:
                # ECS has no code of its own for a task definition that is gone.
                if code_of(error) == "ClientException":
                    return "MISSING"
                raise
        status = answer.get("taskDefinition", {}).get("status")
        if status is None:
            raise ReadFailed(f"task definition {task_definition} could not be read: AWS left out its status")
        return str(status)

    def definition(self, task_definition: str) -> TaskDefinitionFacts:
        with reading(f"task definition {task_definition}"):
            answer = self._ecs.describe_task_definition(taskDefinition=task_definition)
        return _task_definition_facts(answer.get("taskDefinition", {}), region=self._ecs.meta.region_name)


def _service_facts(service: Answer) -> ServiceFacts:
    rules = service.get("deploymentConfiguration") or {}
    breaker, alarms = rules.get("deploymentCircuitBreaker") or {}, rules.get("alarms") or {}
    deployments = service.get("deployments", ())
    primary: Answer = next((d for d in deployments if d.get("status") == "PRIMARY"), {})
    groups = [group for balancer in service.get("loadBalancers", ()) if (group := balancer.get("targetGroupArn"))]
    return ServiceFacts(
        arn=service.get("serviceArn", ""),
        status=service.get("status", ""),
        desired=service.get("desiredCount", 0),
        running=service.get("runningCount", 0),
        pending=service.get("pendingCount", 0),
        task_definition=service.get("taskDefinition", ""),
        deployments=tuple(_deployment_facts(deployment) for deployment in deployments),
        events=tuple(
            _event(at, str(event.get("message", "")))
            for event in service.get("events", ())[:EVENTS]
            if (at := moment(event, "createdAt")) is not None
        ),
        controller=(service.get("deploymentController") or {}).get("type", "ECS"),
        strategy=service.get("schedulingStrategy", "REPLICA"),
        circuit_breaker=bool(breaker.get("enable")),
        native_rollback=any(bool(guard.get("enable") and guard.get("rollback")) for guard in (breaker, alarms)),
        target_groups=tuple(dict.fromkeys(groups)),
        launch_type=service.get("launchType"),
        health_check_grace_s=service.get("healthCheckGracePeriodSeconds") or 0,
        surroundings=_surroundings({**primary, **service}),
        security_groups=tuple(_network(service).get("securityGroups", ())),
    )


@lru_cache(maxsize=512)
def _event(at: datetime, message: str) -> ServiceEvent:
    """A service shows the same hundred events again in every look."""
    return ServiceEvent(at=at, message=clean(message))


def _network(service: Answer) -> Answer:
    network: Answer = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return network


def _deployment_facts(deployment: Answer) -> DeploymentFacts:
    return DeploymentFacts(
        id=deployment.get("id", ""),
        status=deployment.get("status", ""),
        rollout_state=deployment.get("rolloutState"),
        rollout_reason=clean(deployment.get("rolloutStateReason", "")),
        task_definition=deployment.get("taskDefinition", ""),
        desired=deployment.get("desiredCount", 0),
        running=deployment.get("runningCount", 0),
        pending=deployment.get("pendingCount", 0),
        failed=deployment.get("failedTasks", 0),
        created_at=required_moment(deployment, "createdAt", "updatedAt", of="a deployment"),
        updated_at=moment(deployment, "updatedAt"),
    )


def _task_facts(task: Answer) -> TaskFacts:
    containers = task.get("containers", ())
    return TaskFacts(
        arn=task.get("taskArn", ""),
        task_definition=task.get("taskDefinitionArn", ""),
        last_status=task.get("lastStatus", ""),
        health=task.get("healthStatus", "UNKNOWN"),
        zone=task.get("availabilityZone"),
        started_at=moment(task, "startedAt"),
        stopped_at=moment(task, "stoppedAt"),
        stop_code=task.get("stopCode") or None,
        stopped_reason=clean(task.get("stoppedReason", "")),
        exit_codes=tuple(code for c in containers if (code := c.get("exitCode")) is not None),
        container_reasons=tuple(clean(reason) for c in containers if (reason := c.get("reason"))),
        deployment_id=task.get("startedBy"),
        created_at=moment(task, "createdAt"),
        address=_address(task),
    )


def _containers(task: Answer) -> Sequence[Answer]:
    found: Sequence[Answer] = task.get("containers", ())
    return found


def _image(container: Answer) -> str | None:
    """Where it was pulled from, without its tag, and what was pulled; None before ECS knows."""
    image, digest = str(container.get("image", "")).partition("@")[0], container.get("imageDigest")
    host, _, name = image.rpartition("/")
    named = name.partition(":")[0]
    return f"{host + '/' if host else ''}{named}@{digest}" if named and digest else None


def _address(task: Answer) -> str | None:
    """The private address of the task's network interface (API reference, Attachment); None in other network modes."""
    attached = [
        detail.get("value")
        for attachment in task.get("attachments", ())
        if attachment.get("type") == "ElasticNetworkInterface"
        for detail in attachment.get("details", ())
        if detail.get("name") == "privateIPv4Address"
    ]
    interfaces = [
        i.get("privateIpv4Address") for c in task.get("containers", ()) for i in c.get("networkInterfaces", ())
    ]
    return next((address for address in (*attached, *interfaces) if address), None)


def _service_deployment_facts(entry: Answer) -> ServiceDeploymentFacts:
    rollback, breaker = entry.get("rollback") or {}, entry.get("deploymentCircuitBreaker") or {}
    return ServiceDeploymentFacts(
        arn=entry.get("serviceDeploymentArn", ""),
        status=entry.get("status", ""),
        created_at=required_moment(entry, "createdAt", "startedAt", of="a service deployment"),
        finished_at=moment(entry, "finishedAt", "stoppedAt"),
        target_revision=(entry.get("targetServiceRevision") or {}).get("arn"),
        rollback_revision=rollback.get("serviceRevisionArn"),
        rollback_reason=clean(rollback.get("reason", "")),
        triggered_alarms=tuple((entry.get("alarms") or {}).get("triggeredAlarmNames", ())),
        status_reason=clean(entry.get("statusReason", "")),
        breaker=breaker.get("status"),
        failures=breaker.get("failureCount", 0),
        failures_limit=breaker.get("threshold"),
    )


def _revision_facts(revision: Answer) -> RevisionFacts:
    images = revision.get("containerImages", ())
    digests = [found for image in images if (found := image.get("imageDigest"))]
    return RevisionFacts(
        arn=revision.get("serviceRevisionArn", ""),
        task_definition=revision.get("taskDefinition", ""),
        # With one digest unknown the others prove nothing about being the same release.
        image_digests=tuple(sorted(digests)) if len(digests) == len(images) else (),
        images={
            name: found
            for image in images
            if (name := image.get("containerName")) and (found := image.get("imageDigest"))
        },
        surroundings=_surroundings(revision),
        created_at=moment(revision, "createdAt"),
    )


def _surroundings(described: Answer) -> str:
    return _hash_of(json.dumps({name: described[name] for name in _SURROUNDINGS if described.get(name)}))


@lru_cache(maxsize=256)
def _hash_of(written: str) -> str:
    """They hardly ever change, and are asked for in every look."""
    return digest(_unordered(json.loads(written)))


def _unordered(value: object) -> object:
    """Without the order of lists, which ECS does not keep."""
    if isinstance(value, dict):
        return {name: _unordered(part) for name, part in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(part) for part in value), key=canonical_json)
    return value


def _task_definition_facts(described: Answer, *, region: str) -> TaskDefinitionFacts:
    containers = described.get("containerDefinitions", ())
    logs = [
        log.get("options") or {}
        for container in containers
        if (log := container.get("logConfiguration") or {}).get("logDriver") == "awslogs"
    ]
    # A group of another Region is not where this Region's CloudWatch Logs would look.
    here = [options for options in logs if options.get("awslogs-region") in (None, region)]
    return TaskDefinitionFacts(
        task_definition=described.get("taskDefinitionArn", ""),
        cpu=_number(described.get("cpu")),
        memory_mib=_number(described.get("memory")),
        ports=_distinct(p.get("containerPort") for c in containers for p in c.get("portMappings", ())),
        container_health_check=any(c.get("healthCheck") for c in containers),
        secrets=_distinct(secret.get("valueFrom") for c in containers for secret in c.get("secrets", ())),
        log_groups=_distinct(options.get("awslogs-group") for options in here),
        log_prefixes=_distinct(options.get("awslogs-stream-prefix") for options in here),
        task_role=described.get("taskRoleArn") or None,
        execution_role=described.get("executionRoleArn") or None,
        network_mode=described.get("networkMode") or None,
        containers=tuple(_container_facts(container) for container in containers),
    )


def _container_facts(container: Answer) -> ContainerFacts:
    return ContainerFacts(
        name=container.get("name", ""),
        image=clean(str(container.get("image", ""))),
        # What is 0 or left out is the same to ECS: the container takes what the task has (API reference).
        cpu=container.get("cpu") or None,
        memory_mib=container.get("memory") or None,
        reserved_mib=container.get("memoryReservation") or None,
        environment=tuple(sorted(clean(name) for v in container.get("environment", ()) if (name := v.get("name")))),
        environment_files=_distinct(file.get("value") for file in container.get("environmentFiles", ())),
        secrets={
            clean(name): value
            for secret in container.get("secrets", ())
            if (name := secret.get("name")) and (value := secret.get("valueFrom"))
        },
        ports=tuple(
            f"{port['containerPort']}/{port.get('protocol') or 'tcp'}"
            for port in container.get("portMappings", ())
            if port.get("containerPort")
        ),
        command=_command(*container.get("entryPoint", ()), *container.get("command", ())),
        health_check=_health_check(container.get("healthCheck") or {}),
        essential=container.get("essential", True),
    )


def _health_check(check: Answer) -> str:
    """In one line, with the defaults of ECS where it says nothing else (API reference, HealthCheck)."""
    if not check:
        return ""
    every, within, times = check.get("interval") or 30, check.get("timeout") or 5, check.get("retries") or 3
    grace = f", after {start} s" if (start := check.get("startPeriod")) else ""
    return f"{_command(*check.get('command', ()))} every {every} s, within {within} s, {times} times{grace}"


def _command(*words: str) -> str:
    return clean(" ".join(map(str, words)), limit=500)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _distinct(values: Iterable[T | None]) -> tuple[T, ...]:
    """The values that are there, each once, in their order."""
    return tuple(dict.fromkeys(value for value in values if value))


def _chunks(arns: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(arns), size):
        yield arns[start : start + size]
