"""Amazon ECS, as the world answers it (Amazon ECS API reference)."""

import re
from collections.abc import Iterable

from tools.drill.world.answers_network import TASKS
from tools.drill.world.descriptions import CONTAINER, describe_task
from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.parts import Deployment, Release, Revision, ServiceDeployment
from tools.drill.world.refusal import Refused
from tools.drill.world.secrets import MISSING_SECRET, value_from
from tools.drill.world.service import PORT, Service
from tools.drill.world.world import World

STOPPED_VISIBLE_S = 3600.0
"""A stopped task is visible for at least an hour (ECS API reference, DescribeTasks)."""

PAGE = 100
_FLEXIBLE = ("taskDefinition", "forceNewDeployment", "desiredCount", "service", "cluster", "deploymentConfiguration")


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _cluster(world: World, parameters: Parameters) -> None:
    if _last(parameters.get("cluster", "default")) != world.setting.cluster:
        raise Refused("ClusterNotFoundException", "Cluster not found.")


def _service(world: World, name: str) -> Service:
    service = world.services.get(_last(name))
    if service is None:
        raise Refused("ServiceNotFoundException", "Service not found.")
    return service


def _all(world: World) -> Iterable[Service]:
    return world.services.values()


def describe_services(world: World, parameters: Parameters) -> Answer:
    _cluster(world, parameters)
    found, failures = [], []
    for name in parameters["services"]:
        service = world.services.get(_last(name))
        if service is None:
            arn = f"arn:aws:ecs:{world.setting.region}:{world.setting.account}:service/{world.setting.cluster}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(_service_answer(world, service))
    return {"services": found, "failures": failures}


def _service_answer(world: World, service: Service) -> Answer:
    return {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "loadBalancers": _load_balancers(service),
        "serviceRegistries": [],
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": service.running(),
        "pendingCount": service.pending(),
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": service.primary.release.arn,
        "deploymentConfiguration": _configuration(service),
        "deployments": [_deployment(world, service, each) for each in service.rollouts.deployments],
        "roleArn": f"arn:aws:iam::{world.setting.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "events": [
            {"id": identifier, "createdAt": world.moment(at_s), "message": message}
            for at_s, identifier, message in service.events
        ],
        "createdAt": world.moment(service.rollouts.revisions[0].created_s),
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": _network(world),
        "healthCheckGracePeriodSeconds": int(service.grace_s),
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "createdBy": f"arn:aws:iam::{world.setting.account}:role/deploy",
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED",
    }


def _configuration(service: Service) -> Answer:
    rollout = service.setting.rollout
    return {
        "deploymentCircuitBreaker": {"enable": rollout.circuit_breaker, "rollback": rollout.rollback},
        "maximumPercent": rollout.maximum_percent,
        "minimumHealthyPercent": rollout.minimum_percent,
        "alarms": {
            "alarmNames": list(rollout.alarms),
            "rollback": rollout.rollback,
            "enable": bool(rollout.alarms),
        },
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }


def _load_balancers(service: Service) -> list[Answer]:
    return [{"targetGroupArn": service.target_group, "containerName": CONTAINER, "containerPort": PORT}]


def _network(world: World) -> Answer:
    return {
        "awsvpcConfiguration": {
            "subnets": [f"subnet-{n:017x}" for n in range(1, world.setting.zones + 1)],
            "securityGroups": [TASKS],
            "assignPublicIp": "DISABLED",
        }
    }


def _deployment(world: World, service: Service, deployment: Deployment) -> Answer:
    return {
        "id": deployment.id,
        "status": deployment.status,
        "taskDefinition": deployment.release.arn,
        "desiredCount": deployment.desired,
        "pendingCount": service.pending(deployment),
        "runningCount": service.running(deployment),
        "failedTasks": deployment.failed,
        "createdAt": world.moment(deployment.created_s),
        "updatedAt": world.moment(deployment.updated_s),
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": _network(world),
        "rolloutState": deployment.rollout,
        "rolloutStateReason": deployment.rollout_reason,
    }


def list_tasks(world: World, parameters: Parameters) -> Answer:
    _cluster(world, parameters)
    service = _service(world, parameters["serviceName"])
    if parameters.get("desiredStatus", "RUNNING") == "STOPPED":
        oldest = world.seconds - STOPPED_VISIBLE_S
        stopping = [task for task in service.tasks if not task.alive]
        gone = [task for task in service.gone if task.stopped_s is not None and task.stopped_s >= oldest]
        arns = [task.arn for task in (*stopping, *reversed(gone))]
    else:
        arns = [task.arn for task in service.tasks if task.alive]
    start = int(parameters.get("nextToken") or 0)
    ends = start + int(parameters.get("maxResults") or PAGE)
    answer: Answer = {"taskArns": arns[start:ends]}
    return answer | {"nextToken": str(ends)} if ends < len(arns) else answer


def describe_tasks(world: World, parameters: Parameters) -> Answer:
    _cluster(world, parameters)
    known = {task.arn: (service, task) for service in _all(world) for task in (*service.tasks, *service.gone)}
    known |= {task.id: (service, task) for service, task in list(known.values())}
    found = [known[arn] for arn in parameters["tasks"] if arn in known]
    failures = [{"arn": arn, "reason": "MISSING"} for arn in parameters["tasks"] if arn not in known]
    return {"tasks": [describe_task(service, task, world.moment) for service, task in found], "failures": failures}


def list_service_deployments(world: World, parameters: Parameters) -> Answer:
    _cluster(world, parameters)
    service = _service(world, parameters["service"])
    wanted = parameters.get("status")
    brief = []
    for record in reversed(service.rollouts.records):
        if wanted and record.status not in wanted:
            continue
        entry: Answer = {
            "serviceDeploymentArn": record.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "createdAt": world.moment(record.created_s),
            "targetServiceRevisionArn": record.target.arn,
            "status": record.status,
        }
        if record.started_s is not None:
            entry["startedAt"] = world.moment(record.started_s)
        if record.finished_s is not None:
            entry["finishedAt"] = world.moment(record.finished_s)
        if record.reason is not None:
            entry["statusReason"] = record.reason
        brief.append(entry)
    return {"serviceDeployments": brief[: parameters.get("maxResults") or PAGE]}


def describe_service_deployments(world: World, parameters: Parameters) -> Answer:
    known = {record.arn: (service, record) for service in _all(world) for record in service.rollouts.records}
    arns = parameters["serviceDeploymentArns"]
    return {
        "serviceDeployments": [_service_deployment(world, *known[arn]) for arn in arns if arn in known],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known],
    }


def _service_deployment(world: World, service: Service, record: ServiceDeployment) -> Answer:
    moment = world.moment
    answer: Answer = {
        "serviceDeploymentArn": record.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "createdAt": moment(record.created_s),
        "updatedAt": moment(record.updated_s),
        "sourceServiceRevisions": [] if record.source is None else [_counted(service, record.source, requested=None)],
        "targetServiceRevision": _counted(service, record.target, requested=service.desired),
        "status": record.status,
        "deploymentConfiguration": _configuration(service),
        "deploymentCircuitBreaker": {
            "status": record.breaker,
            "failureCount": record.failures,
            "threshold": record.threshold,
        },
        "alarms": _deployment_alarms(service, record),
    }
    if record.started_s is not None:
        answer["startedAt"] = moment(record.started_s)
    if record.finished_s is not None:
        answer["finishedAt"] = moment(record.finished_s)
    if record.reason is not None:
        answer["statusReason"] = record.reason
    if record.rollback_started_s is not None and record.rollback_to is not None:
        answer["rollback"] = {
            "reason": record.rollback_reason,
            "startedAt": moment(record.rollback_started_s),
            "serviceRevisionArn": record.rollback_to.arn,
        }
    return answer


def _counted(service: Service, revision: Revision, *, requested: int | None) -> Answer:
    tasks = [task for task in service.tasks if task.alive and task.deployment.revision is revision]
    running = sum(1 for task in tasks if task.running)
    return {
        "arn": revision.arn,
        "requestedTaskCount": len(tasks) if requested is None else requested,
        "runningTaskCount": running,
        "pendingTaskCount": len(tasks) - running,
    }


def _deployment_alarms(service: Service, record: ServiceDeployment) -> Answer:
    if not service.setting.rollout.alarms:
        return {"status": "DISABLED"}
    if record.triggered:
        status = "TRIGGERED"
    elif record.finished_s is not None:
        status = "MONITORING_COMPLETE"
    else:
        status = "MONITORING" if record.alarms else "DISABLED"
    answer: Answer = {"status": status, "alarmNames": list(service.setting.rollout.alarms)}
    return answer | {"triggeredAlarmNames": list(record.triggered)} if record.triggered else answer


def describe_service_revisions(world: World, parameters: Parameters) -> Answer:
    known = {revision.arn: (service, revision) for service in _all(world) for revision in service.rollouts.revisions}
    arns = parameters["serviceRevisionArns"]
    return {
        "serviceRevisions": [_revision(world, *known[arn]) for arn in arns if arn in known],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known],
    }


def _revision(world: World, service: Service, revision: Revision) -> Answer:
    release = revision.release
    image: Answer = {"containerName": CONTAINER, "image": release.image}
    if release.start != "image-missing":
        image["imageDigest"] = release.digest
    return {
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "taskDefinition": release.arn,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "loadBalancers": _load_balancers(service),
        "networkConfiguration": _network(world),
        "containerImages": [image],
        "guardDutyEnabled": False,
        "serviceConnectConfiguration": {"enabled": False},
        "createdAt": world.moment(revision.created_s),
    }


def _release(world: World, name: str) -> tuple[Service, Release]:
    for service in _all(world):
        for release in service.rollouts.releases:
            if name in (release.arn, _last(release.arn)):
                return service, release
    raise Refused("ClientException", "Unable to describe task definition.")


def describe_task_definition(world: World, parameters: Parameters) -> Answer:
    service, release = _release(world, parameters["taskDefinition"])
    return {"taskDefinition": _task_definition(world, service, release), "tags": []}


def _secrets(world: World, service: Service, release: Release) -> tuple[str, ...]:
    if release.start == "secret-missing":
        return (*release.secrets, value_from(world.setting, world.chance, service.name, MISSING_SECRET))
    return release.secrets


def _variable(arn: str) -> str:
    """Name of the environment variable that a secret goes to."""
    name = arn.rpartition("/")[2]
    return re.sub(r"[^A-Z0-9]", "_", (name.rpartition("-")[0] if ":secret:" in arn else name).upper())


def _task_definition(world: World, service: Service, release: Release) -> Answer:
    role = f"arn:aws:iam::{world.setting.account}:role/{service.name}"
    return {
        "taskDefinitionArn": release.arn,
        "containerDefinitions": [
            {
                "name": CONTAINER,
                "image": release.image,
                "cpu": 0,
                "portMappings": [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}],
                "essential": True,
                "environment": [],
                "mountPoints": [],
                "volumesFrom": [],
                "secrets": [{"name": _variable(arn), "valueFrom": arn} for arn in _secrets(world, service, release)],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": service.logs.group,
                        "awslogs-region": world.setting.region,
                        "awslogs-stream-prefix": service.logs.prefix,
                    },
                },
            }
        ],
        "family": service.name,
        "taskRoleArn": f"{role}-task",
        "executionRoleArn": f"{role}-execution",
        "networkMode": "awsvpc",
        "revision": release.number,
        "volumes": [],
        "status": "ACTIVE" if release.active else "INACTIVE",
        "requiresAttributes": [],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE"],
        "requiresCompatibilities": ["FARGATE"],
        "cpu": str(release.cpu),
        "memory": str(release.memory_mib),
        "registeredAt": world.moment(release.registered_s),
        "registeredBy": f"arn:aws:iam::{world.setting.account}:role/deploy",
    }


def update_service(world: World, parameters: Parameters) -> Answer:
    """A task definition or `forceNewDeployment` starts a deployment; a desired count alone does not."""
    unknown = set(parameters) - set(_FLEXIBLE)
    if unknown:
        raise NotImplementedError(f"the world cannot change {', '.join(sorted(unknown))} of a service")
    _cluster(world, parameters)
    service = _service(world, parameters["service"])
    if service.status != "ACTIVE":
        raise Refused("ServiceNotActiveException", "Service was not ACTIVE.")
    release = service.primary.release
    if "taskDefinition" in parameters:
        _, release = _release(world, parameters["taskDefinition"])
        if not release.active:
            raise Refused("ClientException", "TaskDefinition is inactive")
    if "desiredCount" in parameters:
        service.set_desired(parameters["desiredCount"])
    if parameters.get("forceNewDeployment") or release is not service.primary.release:
        service.rollouts.deploy(release)
    return {"service": _service_answer(world, service)}


def stop_service_deployment(world: World, parameters: Parameters) -> Answer:
    arn = parameters["serviceDeploymentArn"]
    for service in _all(world):
        for record in service.rollouts.records:
            if record.arn == arn:
                world.settle()
                service.rollouts.stop_deployment(record, parameters.get("stopType", "ROLLBACK"))
                return {"serviceDeploymentArn": arn}
    raise Refused("ServiceDeploymentNotFoundException", "The service deployment doesn't exist.")


def stop_task(world: World, parameters: Parameters) -> Answer:
    _cluster(world, parameters)
    for service in _all(world):
        for task in service.tasks:
            if parameters["task"] in (task.arn, task.id):
                if task.alive:
                    service.stop_task(task, parameters.get("reason", "Task stopped by user"))
                return {"task": describe_task(service, task, world.moment)}
    raise Refused("InvalidParameterException", "The referenced task was not found.")


def register_task_definition(world: World, parameters: Parameters) -> Answer:
    """Only as a copy, of the same size or another one: the world knows how an image behaves, and nothing of one that it
    has never seen."""
    service = world.services.get(parameters["family"])
    image = parameters["containerDefinitions"][0].get("image")
    known = [] if service is None else service.rollouts.releases
    like = next((release for release in reversed(known) if release.image == image), None)
    if service is None or like is None:
        raise NotImplementedError(f"the world does not know image {image} of family {parameters['family']}")
    copy = service.rollouts.new_release(at_s=world.seconds, conduct=like.conduct)
    copy.image, copy.digest, copy.start, copy.lives_s = like.image, like.digest, like.start, like.lives_s
    copy.leak_percent_per_s, copy.checkable, copy.bad = like.leak_percent_per_s, like.checkable, like.bad
    copy.cpu, copy.memory_mib, copy.secrets, copy.last_words = like.cpu, like.memory_mib, like.secrets, like.last_words
    copy.enlarged(
        cpu=int(parameters.get("cpu") or like.cpu), memory_mib=int(parameters.get("memory") or like.memory_mib)
    )
    return {"taskDefinition": _task_definition(world, service, copy)}


def deregister_task_definition(world: World, parameters: Parameters) -> Answer:
    service, release = _release(world, parameters["taskDefinition"])
    release.active = False
    return {"taskDefinition": _task_definition(world, service, release)}


def _tag(world: World, parameters: Parameters) -> Answer:
    return {}


ECS = Operations(
    reads={
        "DescribeServices": describe_services,
        "ListTasks": list_tasks,
        "DescribeTasks": describe_tasks,
        "ListServiceDeployments": list_service_deployments,
        "DescribeServiceDeployments": describe_service_deployments,
        "DescribeServiceRevisions": describe_service_revisions,
        "DescribeTaskDefinition": describe_task_definition,
    },
    changes={
        "UpdateService": update_service,
        "StopServiceDeployment": stop_service_deployment,
        "StopTask": stop_task,
        "RegisterTaskDefinition": register_task_definition,
        "DeregisterTaskDefinition": deregister_task_definition,
        "TagResource": _tag,
    },
)
