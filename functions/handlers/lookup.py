"""Lambda `lookup`: finds what the alarms of a service watch, its load balancer or log group, while they are deployed.

A CloudFormation custom resource: the answer goes to the presigned URL that the request names, not to the caller
(CloudFormation User Guide, "Custom resource request and response").
"""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.errors import InputError, ReadFailed
from functions.domain.evidence import ServiceFacts
from functions.domain.services import ServiceRef
from functions.observability import logger
from functions.ports import ServiceReader

bootstrap.at_start()

ANSWER_TIMEOUT_S = 10
LOG_GROUP = "Custom::EcsServiceLogGroup"
"""The type of the resource that stands for a log group; every other stands for the load balancer."""


class NotThere(InputError):
    """The alarms of a playbook cannot be made for this service. The message says why and what to do."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Answer CloudFormation whatever happens: without an answer it waits until the resource's time-out."""
    properties = event["ResourceProperties"]
    answer = failure(f"the look-up broke; its log stream is {context.log_stream_name}")
    try:
        if event["RequestType"] == "Delete":
            answer = success({})
        else:
            ref = ServiceRef(region=properties["Region"], cluster=properties["Cluster"], service=properties["Service"])
            reader = bootstrap.service_reader()
            if event["ResourceType"] == LOG_GROUP:
                answer = success(log_group(reader, ref))
            else:
                answer = success(front_door(reader, ref, target_group=properties.get("TargetGroup")))
    except (NotThere, ReadFailed) as reason:
        answer = failure(str(reason))
    finally:
        deliver(event, answer)


def front_door(reader: ServiceReader, ref: ServiceRef, *, target_group: str | None = None) -> dict[str, str]:
    """`LoadBalancer` and `TargetGroup` as CloudWatch's dimensions name them, read from the service as it is now.

    Of several target groups the first that an Application Load Balancer stands before counts.

    Raises:
        NotThere: if the service does not exist or none of its target groups has such a load balancer.
        ReadFailed: if AWS does not say.
    """
    service = _existing(reader, ref)
    for group in service.target_groups if target_group is None else (target_group,):
        balancer = reader.load_balancer(group)
        if balancer is not None and ":loadbalancer/app/" in balancer:
            return {"LoadBalancer": balancer.partition(":loadbalancer/")[2], "TargetGroup": group.rpartition(":")[2]}
    raise NotThere(
        f"ECS service {ref.service} in cluster {ref.cluster} ({ref.region}) has no target group behind an Application "
        "Load Balancer; leave the alarms on errors, hosts and response time out of its playbook, or write both "
        "overrides, target_groups and load_balancer"
    )


def log_group(reader: ServiceReader, ref: ServiceRef) -> dict[str, str]:
    """`LogGroup`: the one that the service's task definition names as it is now (driver awslogs, in this Region).

    Raises:
        NotThere: if the service does not exist, or its containers log to several groups, or to none.
        ReadFailed: if AWS does not say.
    """
    groups = reader.definition(_existing(reader, ref).task_definition).log_groups
    if len(groups) == 1:
        return {"LogGroup": groups[0]}
    how_many = f"logs to several groups ({', '.join(groups)})" if groups else "logs to no group of CloudWatch Logs here"
    raise NotThere(
        f"ECS service {ref.service} in cluster {ref.cluster} ({ref.region}) {how_many}; write overrides: log_group in "
        "its playbook, or leave the alarms on logs out"
    )


def _existing(reader: ServiceReader, ref: ServiceRef) -> ServiceFacts:
    service = reader.service(ref)
    if service is None or service.status == "INACTIVE":
        raise NotThere(
            f"ECS service {ref.service} in cluster {ref.cluster} ({ref.region}) does not exist; "
            "deploy it first, or correct cluster and service in its playbook"
        )
    return service


def success(data: Mapping[str, str]) -> dict[str, Any]:
    return {"Status": "SUCCESS", "Data": dict(data)}


def failure(reason: str) -> dict[str, Any]:
    """CloudFormation shows the reason as that of the failed deployment."""
    return {"Status": "FAILED", "Reason": reason}


def deliver(event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Put the answer where CloudFormation waits for it."""
    properties = event["ResourceProperties"]
    body = {
        **answer,
        # The same service keeps the same identity, so that a new look replaces nothing.
        "PhysicalResourceId": event.get("PhysicalResourceId", f"{properties['Cluster']}/{properties['Service']}"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    request = urllib.request.Request(
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        method="PUT",
        # The URL is signed for an empty content type.
        headers={"Content-Type": ""},
    )
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S):
        logger.info("answered", extra={"status": answer["Status"], "reason": answer.get("Reason")})
