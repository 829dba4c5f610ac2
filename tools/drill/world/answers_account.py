"""What goes on in the account around a service: CloudTrail, CloudFormation, AWS Health, secrets and parameters (the API
references of each)."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tools.drill.world.answers_network import DATABASE_PORT, DATABASES
from tools.drill.world.dependencies import Dependency
from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.secrets import Secret
from tools.drill.world.service import Service
from tools.drill.world.world import World

TRAIL_LOW_S, TRAIL_HIGH_S = 120.0, 900.0
"""How late CloudTrail tells of a call: typically within about five minutes, and up to 15 (CloudTrail FAQ and User
Guide)."""
HEALTH_LOW_S, HEALTH_HIGH_S = 300.0, 1200.0
"""How late AWS Health tells of its own trouble. Assumption."""

TABLE_READS, TABLE_WRITES = 60, 30
"""Units a second that are provisioned for a table. Assumption."""

PEOPLE = ("pipeline", "engineer")
_ROLES = {"pipeline": "deploy/pipeline", "engineer": "engineers/engineer"}
_SOURCES = {
    "RegisterScalableTarget": "autoscaling.amazonaws.com",
    "PutScalingPolicy": "autoscaling.amazonaws.com",
    "SetAlarmState": "monitoring.amazonaws.com",
    "ModifyTargetGroupAttributes": "elasticloadbalancing.amazonaws.com",
    "DeregisterTargets": "elasticloadbalancing.amazonaws.com",
    "StartZonalShift": "arc-zonal-shift.amazonaws.com",
    "CancelZonalShift": "arc-zonal-shift.amazonaws.com",
    "PutSecretValue": "secretsmanager.amazonaws.com",
    "PutParameter": "ssm.amazonaws.com",
    "PutRolePolicy": "iam.amazonaws.com",
}
"""Where an operation belongs that is none of ECS."""


def _calls(world: World) -> Iterator[tuple[float, str, str, dict[str, Any], str | None]]:
    """When, who, what, with what, and whether it was refused."""
    for change in world.changes:
        yield change.at_s, change.caller, change.operation, dict(change.parameters), change.refused
    for target in world.targets.values():
        for activity in reversed(target.activities):
            if activity.desired is not None:
                parameters = {"service": target.service.name, "desiredCount": activity.desired}
                yield activity.at_s, "autoscaling", "UpdateService", parameters, None


def lookup_events(world: World, parameters: Parameters) -> Answer:
    """What has arrived by now, newest first."""
    wanted = {each["AttributeKey"]: each["AttributeValue"] for each in parameters.get("LookupAttributes", ())}
    if unknown := sorted(set(wanted) - {"EventName", "Username", "ReadOnly"}):
        raise NotImplementedError(f"the world cannot look for events by {', '.join(unknown)}")
    if wanted.pop("ReadOnly", "false") != "false":
        return {"Events": []}  # the world keeps no record of who only looked
    counted: dict[str, int] = {}
    found = []
    for at_s, caller, operation, sent, refused in _calls(world):
        entity = f"cloudtrail/{caller}/{operation}"
        counted[entity] = count = counted.get(entity, 0) + 1
        if world.seconds < at_s + world.chance.between(TRAIL_LOW_S, TRAIL_HIGH_S, entity, count):
            continue
        event = _event(world, at_s, caller, operation, sent, refused, token=world.chance.token(entity, count))
        if not _within(event["EventTime"], parameters.get("StartTime"), parameters.get("EndTime")):
            continue
        if all(event[name] == value for name, value in wanted.items()):
            found.append(event)
    found.sort(key=lambda event: event["EventTime"], reverse=True)
    begins = int(parameters.get("NextToken") or 0)
    ends = begins + parameters.get("MaxResults", 50)
    answer: Answer = {"Events": found[begins:ends]}
    return answer | {"NextToken": str(ends)} if ends < len(found) else answer


def _within(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or at >= start) and (end is None or at <= end)


def _event(
    world: World, at_s: float, caller: str, operation: str, sent: dict[str, Any], refused: str | None, *, token: str
) -> Answer:
    account, at = world.setting.account, world.moment(at_s)
    service = world.services.get(str(sent.get("service", "")).rpartition("/")[2])
    role = _ROLES.get(caller, f"ecs-first-responder-remediate/{caller}")
    if caller == "autoscaling":
        role = "AWSServiceRoleForApplicationAutoScaling_ECSService/session"
    identity: dict[str, Any] = {"type": "AssumedRole", "arn": f"arn:aws:sts::{account}:assumed-role/{role}"}
    if service is not None:
        sent = {"cluster": world.setting.cluster, **sent}
        if service.setting.stack is not None and caller in PEOPLE:
            identity["invokedBy"] = "cloudformation.amazonaws.com"
    identifier = "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:]))
    source = _SOURCES.get(operation, "ecs.amazonaws.com")
    event = {
        "eventVersion": "1.09",
        "userIdentity": {**identity, "accountId": account},
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": source,
        "eventName": operation,
        "awsRegion": world.setting.region,
        "requestParameters": sent,
        "eventID": identifier,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if refused is not None:
        event |= {"errorCode": refused}
    return {
        "EventId": identifier,
        "EventName": operation,
        "ReadOnly": "false",
        "EventTime": at,
        "EventSource": source,
        "Username": role.rpartition("/")[2],
        "Resources": [],
        "CloudTrailEvent": json.dumps(event, default=str),
    }


def _stacked(world: World, *, name: str | None = None, resource: str | None = None) -> Service:
    for service in world.services.values():
        stack = service.setting.stack
        if stack is not None and (resource == service.arn or name in (stack, _stack_id(world, service))):
            return service
    missing = f"Stack for {resource}" if name is None else f"Stack with id {name}"
    raise Refused("ValidationError", f"{missing} does not exist")


def _stack_id(world: World, service: Service) -> str:
    token = world.chance.token(f"{service.name}/stack")
    identifier = "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:]))
    where = f"{world.setting.region}:{world.setting.account}"
    return f"arn:aws:cloudformation:{where}:stack/{service.setting.stack}/{identifier}"


def _stack_status(world: World, service: Service) -> tuple[str, float]:
    """The status of its stack and since when: CloudFormation waits until the service it has updated is steady."""
    deploys = [
        change.at_s
        for change in world.changes
        if change.caller in PEOPLE
        and change.operation == "UpdateService"
        and {"taskDefinition", "forceNewDeployment"} & change.parameters.keys()
        and str(change.parameters.get("service", "")).rpartition("/")[2] == service.name
    ]
    if not deploys:
        return "UPDATE_COMPLETE", service.rollouts.revisions[-1].created_s
    at_s = deploys[-1]
    primary = service.primary
    if primary.created_s == at_s and primary.rollout == "IN_PROGRESS":
        return "UPDATE_IN_PROGRESS", at_s
    record = next(each for each in reversed(service.records) if each.created_s <= at_s)
    if record.rollback_started_s is not None and record.finished_s is None:
        return "UPDATE_ROLLBACK_IN_PROGRESS", at_s
    return ("UPDATE_COMPLETE" if record.status == "SUCCESSFUL" else "UPDATE_ROLLBACK_COMPLETE"), at_s


def describe_stack_resources(world: World, parameters: Parameters) -> Answer:
    service = _stacked(world, name=parameters.get("StackName"), resource=parameters.get("PhysicalResourceId"))
    status, at_s = _stack_status(world, service)
    # A resource's own status knows no roll back: it is updated in either direction.
    own = "UPDATE_IN_PROGRESS" if status.endswith("IN_PROGRESS") else "UPDATE_COMPLETE"
    return {
        "StackResources": [
            {
                "StackName": service.setting.stack,
                "StackId": _stack_id(world, service),
                "LogicalResourceId": "Service",
                "PhysicalResourceId": service.arn,
                "ResourceType": "AWS::ECS::Service",
                "Timestamp": world.moment(at_s),
                "ResourceStatus": own,
            }
        ]
    }


def describe_stacks(world: World, parameters: Parameters) -> Answer:
    if "StackName" not in parameters:
        raise NotImplementedError("the world lists no stacks: name one")
    service = _stacked(world, name=parameters["StackName"])
    status, at_s = _stack_status(world, service)
    return {
        "Stacks": [
            {
                "StackId": _stack_id(world, service),
                "StackName": service.setting.stack,
                "CreationTime": world.moment(service.rollouts.revisions[0].created_s),
                "LastUpdatedTime": world.moment(at_s),
                "StackStatus": status,
            }
        ]
    }


def describe_events(world: World, parameters: Parameters) -> Answer:
    """AWS Health: trouble with a zone or with capacity, to those who pay for it."""
    if not world.setting.support_plan:
        raise Refused("SubscriptionRequiredException", "AWS Premium Support Subscription is required to use this API.")
    asked = parameters.get("filter", {})
    unknown = sorted(set(asked) - {"regions", "eventStatusCodes", "eventTypeCategories"})
    if unknown:
        raise NotImplementedError(f"the world cannot filter health events by {', '.join(unknown)}")
    region = world.setting.region
    elsewhere = region not in asked.get("regions", (region,))
    if elsewhere or "issue" not in asked.get("eventTypeCategories", ("issue",)):
        return {"events": []}
    return {
        "events": [event for event in _health(world) if event["statusCode"] in asked.get("eventStatusCodes", ("open",))]
    }


def _health(world: World) -> Iterator[Answer]:
    region = world.setting.region
    for place, trouble in enumerate(world.faults.begun):
        what, _, zone = trouble.kind.partition("/")
        known = {"zone-impaired": ("EC2", "OPERATIONAL_ISSUE"), "no-capacity": ("ECS", "OPERATIONAL_ISSUE")}.get(what)
        late_s = world.chance.between(HEALTH_LOW_S, HEALTH_HIGH_S, f"health/{place}")
        if known is None or world.seconds < trouble.began_s + late_s:
            continue
        service, issue = known
        code = f"AWS_{service}_{issue}"
        event = f"{code}/{code}_{world.chance.token('health', place, size=4)}"
        yield {
            "arn": f"arn:aws:health:{region}::event/{service}/{event}",
            "service": service,
            "eventTypeCode": code,
            "eventTypeCategory": "issue",
            "region": region,
            "startTime": world.moment(trouble.began_s),
            "lastUpdatedTime": world.moment(trouble.began_s + late_s),
            "statusCode": "open" if trouble.hurts() else "closed",
            "eventScopeCode": "PUBLIC",
            **({"availabilityZone": zone} if zone else {}),
        }


def describe_secret(world: World, parameters: Parameters) -> Answer:
    secret = _secret(world, parameters["SecretId"])
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "CreatedDate": world.moment(secret.created_s),
        "LastChangedDate": world.moment(secret.changed_s),
    }


def _secret(world: World, identifier: str) -> Secret:
    for secret in world.secrets.values():
        if not secret.parameter and identifier in (secret.arn, secret.name, secret.arn.rpartition("-")[0]):
            return secret
    raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def describe_db_instances(world: World, parameters: Parameters) -> Answer:
    """RDS: every database of the world is a DB instance of its name."""
    wanted = parameters.get("DBInstanceIdentifier")
    found = [
        dependency
        for dependency in world.dependencies.values()
        if dependency.setting.kind == "database" and wanted in (None, dependency.setting.name)
    ]
    if wanted is not None and not found:
        raise Refused("DBInstanceNotFound", f"DBInstance {wanted} not found.", status=404)
    return {"DBInstances": [_db_instance(world, dependency) for dependency in found]}


def _db_instance(world: World, dependency: Dependency) -> Answer:
    name = dependency.setting.name
    return {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": "db.m6g.large",
        "Engine": "postgres",
        "DBInstanceStatus": dependency.vitals.status_down if dependency.down else "available",
        "AllocatedStorage": 100,
        "MultiAZ": True,
        "DBInstanceArn": f"arn:aws:rds:{world.setting.region}:{world.setting.account}:db:{name}",
        "DbiResourceId": f"db-{world.chance.token(f'{name}/resource', size=13).upper()}",
        "PerformanceInsightsEnabled": False,
        "Endpoint": {"Address": f"{name}.{world.setting.region}.rds.amazonaws.com", "Port": DATABASE_PORT},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": DATABASES, "Status": "active"}],
    }


def describe_table(world: World, parameters: Parameters) -> Answer:
    """DynamoDB: every table of the world is provisioned, and has no index."""
    table = _table(world, parameters["TableName"])
    return {
        "Table": {
            "TableName": table,
            "TableStatus": "ACTIVE",
            "ProvisionedThroughput": {"ReadCapacityUnits": TABLE_READS, "WriteCapacityUnits": TABLE_WRITES},
        }
    }


def describe_contributor_insights(world: World, parameters: Parameters) -> Answer:
    """Nobody counts keys in a world."""
    return {"TableName": _table(world, parameters["TableName"]), "ContributorInsightsStatus": "DISABLED"}


def _table(world: World, name: str) -> str:
    found = world.dependencies.get(name)
    if found is None or found.setting.kind != "table":
        raise Refused("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    return name


def describe_parameters(world: World, parameters: Parameters) -> Answer:
    wanted: set[str] | None = None
    for each in parameters.get("ParameterFilters", ()):
        if each["Key"] != "Name" or each.get("Option", "Equals") != "Equals":
            raise NotImplementedError(f"the world cannot filter parameters by {each['Key']}, {each.get('Option')}")
        wanted = set(each["Values"])
    return {
        "Parameters": [
            {
                "Name": secret.name,
                "ARN": secret.arn,
                "Type": "SecureString",
                "LastModifiedDate": world.moment(secret.changed_s),
                "Version": 1,
                "Tier": "Standard",
                "DataType": "text",
            }
            for secret in world.secrets.values()
            if secret.parameter and (wanted is None or secret.name in wanted)
        ]
    }


ACCOUNT = Operations(
    reads={
        "LookupEvents": lookup_events,
        "DescribeStackResources": describe_stack_resources,
        "DescribeStacks": describe_stacks,
        "DescribeEvents": describe_events,
        "DescribeSecret": describe_secret,
        "DescribeParameters": describe_parameters,
        "DescribeDBInstances": describe_db_instances,
        "DescribeTable": describe_table,
        "DescribeContributorInsights": describe_contributor_insights,
    },
)
