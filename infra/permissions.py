"""From declared permissions to IAM statements, and the list of everything that could not be granted narrowly.

A role has an inline policy of 10,240 characters and ten managed ones of 6,144, which is about 150 services for one
responder (IAM User Guide, "IAM and AWS STS quotas"); a deployment with more playbooks is split by `-c name=…` and
`-c playbooks=…`. CDK puts what has no room in the first into the others, statement by statement.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from functions.domain.backups import PREFIX, Backups
from functions.domain.changes import IpScope, IpSet
from functions.domain.mutes import PREFIX as MUTES
from functions.domain.permissions import Permission, Resource
from functions.domain.services import ServiceRef
from functions.domain.synthetic import NAMESPACE
from functions.domain.watched import Watched, WatchedDatabase, WatchedService, WatchedTable

CLOUDFRONT_REGION = "us-east-1"
"""Where AWS WAF keeps what is for CloudFront."""

NO_RESOURCE = "AWS has no resource to name for it"
AT_RUN_TIME = "is known at run time only"
ONLY_WHERE_MUTED = "granted only where a ladder mutes alarms"
WILDCARDS: Mapping[str, str] = {
    "application-autoscaling:DescribeScalableTargets": NO_RESOURCE,
    "application-autoscaling:DescribeScalingActivities": NO_RESOURCE,
    "application-autoscaling:DescribeScalingPolicies": NO_RESOURCE,
    "application-autoscaling:PutScalingPolicy": (
        "A scalable target's ARN ends in an opaque id; conditions narrow it to the desired count of ECS services"
    ),
    "application-autoscaling:RegisterScalableTarget": (
        "A scalable target's ARN ends in an opaque id; conditions narrow it to the desired count of ECS services"
    ),
    "arc-zonal-shift:GetManagedResource": f"Which load balancer stands in front of a service {AT_RUN_TIME}",
    "arc-zonal-shift:StartZonalShift": f"Which load balancer stands in front of a service {AT_RUN_TIME}",
    "cloudformation:DescribeStackResources": "It is asked by a resource, and names no stack",
    "cloudformation:DescribeStacks": f"Which stack a service belongs to {AT_RUN_TIME}",
    "cloudtrail:LookupEvents": NO_RESOURCE,
    "cloudwatch:DescribeAlarmHistory": "Composite alarms need it on all",
    "cloudwatch:DescribeAlarms": "The answer must say whether an alarm exists; composite alarms need it on all",
    "cloudwatch:DeleteAlarmMuteRule": f"A mute rule is named after its alarm; {ONLY_WHERE_MUTED}",
    "ce:GetCostAndUsage": "What it costs is told of the account as a whole; granted only where a digest is sent",
    "cloudwatch:GetAlarmMuteRule": "A mute rule is named after its alarm",
    "cloudwatch:GetInsightRuleReport": "A rule's name ends in when DynamoDB made it; granted only with a table",
    "cloudwatch:GetMetricData": NO_RESOURCE,
    "cloudwatch:ListAlarmMuteRules": "The answer must say whether any rule, whoever made it, silences an alarm",
    "cloudwatch:PutAlarmMuteRule": f"A mute rule is named after its alarm, which is named too; {ONLY_WHERE_MUTED}",
    "cloudwatch:PutMetricData": f"{NO_RESOURCE}; a condition narrows it to the namespace of the checks' metrics",
    "dynamodb:ListBackups": f"{NO_RESOURCE}; granted only with a table to back up",
    "ec2:DescribeAvailabilityZones": NO_RESOURCE,
    "ec2:DescribeSecurityGroups": NO_RESOURCE,
    "ecr:DescribeImageScanFindings": f"From which repositories the tasks run {AT_RUN_TIME}",
    "ecs:DescribeServiceDeployments": "A deployment's id is made at run time; its service is named",
    "ecs:DescribeServiceRevisions": "A revision's id is made at run time; its service is named",
    "ecs:DescribeTaskDefinition": NO_RESOURCE,
    "ecs:DescribeTasks": "A task's id is made at run time; its cluster is named",
    "ecs:ListTasks": "Its resource is a container instance, which Fargate has not; a condition names the clusters",
    "ecs:RegisterTaskDefinition": f"A copy of a task definition: its family {AT_RUN_TIME}",
    "ecs:StopTask": "A task's id is made at run time; its cluster is named",
    "ecs:TagResource": "The copy of a task definition keeps its tags; only while it is being registered",
    "ecs:StopServiceDeployment": "A deployment's id is made at run time; its service is named",
    "elasticloadbalancing:DeregisterTargets": f"Which target groups a service has {AT_RUN_TIME}",
    "elasticloadbalancing:DescribeLoadBalancerAttributes": NO_RESOURCE,
    "elasticloadbalancing:DescribeLoadBalancers": NO_RESOURCE,
    "elasticloadbalancing:DescribeTargetGroupAttributes": NO_RESOURCE,
    "elasticloadbalancing:DescribeTargetGroups": NO_RESOURCE,
    "elasticloadbalancing:DescribeTargetHealth": NO_RESOURCE,
    "elasticloadbalancing:ModifyTargetGroupAttributes": f"Which target groups a service has {AT_RUN_TIME}",
    "guardduty:GetFindings": "GuardDuty's detector has an opaque id, one in each Region",
    "guardduty:ListDetectors": NO_RESOURCE,
    "health:DescribeEvents": NO_RESOURCE,
    "iam:PassRole": (
        "The roles in a task definition are known at run time only; they can be passed to ECS tasks and to nothing else"
    ),
    "pi:DescribeDimensionKeys": "Performance Insights knows a DB instance by an opaque id; granted only with one",
    "logs:CreateLogDelivery": "Step Functions' own logging: " + NO_RESOURCE,
    "logs:DeleteLogDelivery": "Step Functions' own logging: " + NO_RESOURCE,
    "logs:DescribeLogGroups": "Step Functions' own logging: " + NO_RESOURCE,
    "logs:DescribeResourcePolicies": "Step Functions' own logging: " + NO_RESOURCE,
    "logs:FilterLogEvents": f"Which log groups a task definition names {AT_RUN_TIME}",
    "logs:GetLogDelivery": "Step Functions' own logging: " + NO_RESOURCE,
    "logs:GetQueryResults": NO_RESOURCE,
    "logs:ListLogDeliveries": "Step Functions' own logging: " + NO_RESOURCE,
    "logs:PutResourcePolicy": "Step Functions' own logging: " + NO_RESOURCE,
    "logs:StartQuery": f"Which log groups a task definition names {AT_RUN_TIME}",
    "logs:StopQuery": NO_RESOURCE,
    "logs:UpdateLogDelivery": "Step Functions' own logging: " + NO_RESOURCE,
    "rds:CreateDBSnapshot": "A snapshot is named after its incident; the DB instance is named",
    "rds:DescribeDBSnapshots": "Whoever takes a snapshot names it; the DB instance is named",
    "s3:GetObject": "Objects of the responder's own archive",
    "s3:PutObject": "Objects of the responder's own archive",
    "secretsmanager:DescribeSecret": f"Which secrets a task definition names {AT_RUN_TIME}; values are never read",
    "secretsmanager:GetSecretValue": (
        "An ARN ends in six characters that Secrets Manager chooses; only secrets that a playbook names"
    ),
    "servicequotas:GetServiceQuota": f"{NO_RESOURCE}; granted only where a digest is sent",
    "ssm:DescribeParameters": NO_RESOURCE,
    "states:DescribeExecution": "An execution is named after its incident; the state machine is named",
    "states:SendTaskSuccess": f"{NO_RESOURCE}: a task that waits is found by its token alone",
    "xray:GetSamplingRules": NO_RESOURCE,
    "xray:GetSamplingTargets": NO_RESOURCE,
    "xray:PutTelemetryRecords": NO_RESOURCE,
    "xray:PutTraceSegments": NO_RESOURCE,
}
"""Every IAM action granted on a resource with `*` in its name, and why. `docs/iam.md` shows the same to people."""


RESOURCES_AT_ONCE = 8
"""Of one statement: about a thousand characters, so that little of a policy is left empty."""


class Grant(NamedTuple):
    """Some actions on some resources, under conditions."""

    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Mapping[str, object]] = {}

    def give(self, to: iam.IGrantable) -> None:
        """Write it into the policies of a role, or of what has one: in several statements where it has many resources,
        because a policy takes whole ones."""
        for first in range(0, len(self.resources), RESOURCES_AT_ONCE):
            to.grant_principal.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=list(self.actions),
                    resources=list(self.resources[first : first + RESOURCES_AT_ONCE]),
                    conditions={operator: dict(keys) for operator, keys in self.conditions.items()},
                )
            )


class Reach(NamedTuple):
    """What the functions may reach in this account."""

    services: Sequence[ServiceRef]
    """The services named in playbooks."""
    watched: Sequence[tuple[ServiceRef, Watched]] = ()
    """What playbooks name as dependencies and checks, each with the service of its playbook."""
    task_roles: Sequence[str] = ()
    """ARNs of the roles a task definition may carry; without any, every role, to ECS tasks only."""
    webhook_tokens: Sequence[str] = ()
    """Names or ARNs of the secrets that playbooks name as tokens of webhooks."""
    backups: Sequence[Backups] = ()
    """What playbooks want backed up."""
    mutable_alarms: Sequence[str] = ()
    """Names of the alarms that playbooks let be muted."""
    ip_sets: Sequence[IpSet] = ()
    """The IP sets of AWS WAF that playbooks name."""
    user_pools: Sequence[str] = ()
    """Ids of the Cognito user pools that playbooks name."""
    check_secrets: Sequence[str] = ()
    """Names and ARNs of the secrets that playbooks' checks send in a header."""
    dashboards: Sequence[str] = ()
    """Names of the dashboards that playbooks ask for."""


def grants(scope: Construct, permissions: Iterable[Permission], reach: Reach) -> list[Grant]:
    """Grants for those permissions within that reach; without anything to reach nothing is granted at all."""
    actions: dict[Resource, set[str]] = {}
    for permission in permissions:
        actions.setdefault(permission.resource, set()).add(permission.action)
    return [
        Grant(sorted(actions[resource]), resources, _conditions(scope, resource, reach.services))
        for resource in Resource
        if resource in actions and reach.services and (resources := _resources(scope, resource, reach))
    ]


def service_arns(scope: Construct, reach: Reach) -> list[str]:
    """ARNs of the services that playbooks name."""
    return [_ecs(scope, "service", f"{ref.cluster}/{ref.service}") for ref in reach.services]


def _resources(scope: Construct, resource: Resource, reach: Reach) -> list[str]:
    clusters = sorted({ref.cluster for ref in reach.services})
    names = sorted(f"{ref.cluster}/{ref.service}" for ref in reach.services)
    match resource:
        case Resource.SERVICE:
            return service_arns(scope, reach)
        case Resource.SERVICE_DEPLOYMENT:
            return [_ecs(scope, "service-deployment", f"{name}/*") for name in names]
        case Resource.SERVICE_REVISION:
            return [_ecs(scope, "service-revision", f"{name}/*") for name in names]
        case Resource.TASK:
            return [_ecs(scope, "task", f"{cluster}/*") for cluster in clusters]
        case Resource.SCALABLE_TARGET:
            return [_any(scope, "application-autoscaling", "scalable-target")]
        case Resource.TASK_ROLES:
            every_role = Stack.of(scope).format_arn(service="iam", region="", resource="role", resource_name="*")
            return list(reach.task_roles) or [every_role]
        case Resource.NEW_TASK_DEFINITION:
            return [_ecs(scope, "task-definition", "*")]
        case Resource.LOAD_BALANCER:
            return [_any(scope, "elasticloadbalancing", "loadbalancer")]
        case Resource.TARGET_GROUP:
            return [_any(scope, "elasticloadbalancing", "targetgroup")]
        case Resource.LOG_GROUP:
            return [_any(scope, "logs", "log-group", ArnFormat.COLON_RESOURCE_NAME)]
        case Resource.SECRET:
            return [_any(scope, "secretsmanager", "secret", ArnFormat.COLON_RESOURCE_NAME)]
        case Resource.WATCHED_SERVICE:
            refs = {each.ref(ref) for ref, each in reach.watched if isinstance(each, WatchedService)}
            return sorted(_ecs(scope, "service", f"{ref.cluster}/{ref.service}") for ref in refs)
        case Resource.WATCHED_DATABASE:
            return [_of(scope, "rds", "db", name, ArnFormat.COLON_RESOURCE_NAME) for name in _databases(reach)]
        case Resource.DATABASE_INSIGHTS:
            return [_of(scope, "pi", "metrics", "rds/*")] if _databases(reach) else []
        case Resource.WEBHOOK_TOKEN:
            return sorted({_secret(scope, name) for name in reach.webhook_tokens})
        case Resource.BACKED_UP_TABLE:
            return [_of(scope, "dynamodb", "table", name) for name in _tables(reach)]
        case Resource.BACKED_UP_DATABASE:
            names = sorted({backups.rds for backups in reach.backups if backups.rds is not None})
            instances = [_of(scope, "rds", "db", name, ArnFormat.COLON_RESOURCE_NAME) for name in names]
            ours = _of(scope, "rds", "snapshot", f"{PREFIX}*", ArnFormat.COLON_RESOURCE_NAME)
            return [*instances, ours] if instances else []
        case Resource.DATABASE_SNAPSHOTS:
            names = sorted({backups.rds for backups in reach.backups if backups.rds is not None})
            instances = [_of(scope, "rds", "db", name, ArnFormat.COLON_RESOURCE_NAME) for name in names]
            return [*instances, _any(scope, "rds", "snapshot", ArnFormat.COLON_RESOURCE_NAME)] if instances else []
        case Resource.BACKUP_LIST:
            return ["*"] if _tables(reach) else []
        case Resource.MUTED_ALARM:
            alarms = [_alarm(scope, "alarm", name) for name in sorted(reach.mutable_alarms)]
            return [*alarms, _alarm(scope, "alarm-mute-rule", f"{MUTES}*")] if alarms else []
        case Resource.OWN_MUTE_RULE:
            return [_alarm(scope, "alarm-mute-rule", f"{MUTES}*")]
        case Resource.MUTE_RULE:
            return [_alarm(scope, "alarm-mute-rule", f"{MUTES}*")] if reach.mutable_alarms else []
        case Resource.IMAGE_REPOSITORY:
            return [_any(scope, "ecr", "repository")]
        case Resource.IP_SET:
            return sorted(_ip_set(scope, each) for each in reach.ip_sets)
        case Resource.USER_POOL:
            return sorted(_of(scope, "cognito-idp", "userpool", pool) for pool in set(reach.user_pools))
        case Resource.CHECK_SECRET:
            return sorted({_secret(scope, secret) for secret in reach.check_secrets})
        case Resource.DASHBOARD:
            return sorted(_dashboard(scope, name) for name in reach.dashboards)
        case Resource.WATCHED_TABLE:
            return [_of(scope, "dynamodb", "table", name) for name in _watched_tables(reach)]
        case Resource.TABLE_INSIGHTS:
            return [_insight_rules(scope)] if _watched_tables(reach) else []
        case Resource.STACK:
            return [_any(scope, "cloudformation", "stack")]
        case Resource.DETECTOR:
            return [_any(scope, "guardduty", "detector")]
        case Resource.CLUSTER_CONDITION | Resource.CHECK_METRICS | Resource.ANY:
            return ["*"]


def _conditions(
    scope: Construct, resource: Resource, services: Sequence[ServiceRef]
) -> Mapping[str, Mapping[str, object]]:
    clusters = sorted({ref.cluster for ref in services})
    match resource:
        case Resource.TASK | Resource.CLUSTER_CONDITION:
            return {"ArnEquals": {"ecs:cluster": [_ecs(scope, "cluster", cluster) for cluster in clusters]}}
        case Resource.SCALABLE_TARGET:
            return {
                "StringEquals": {
                    "application-autoscaling:service-namespace": "ecs",
                    "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
                }
            }
        case Resource.TASK_ROLES:
            return {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        case Resource.NEW_TASK_DEFINITION:
            return {"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}}
        case Resource.CHECK_METRICS:
            return {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}
        case _:
            return {}


def _ip_set(scope: Construct, ip_set: IpSet) -> str:
    """Its ARN, with `global` in it for CloudFront (Service Authorization Reference, AWS WAF V2: `ipset`)."""
    where, region = ("global", CLOUDFRONT_REGION) if ip_set.scope is IpScope.CLOUDFRONT else ("regional", None)
    return Stack.of(scope).format_arn(
        service="wafv2", region=region, resource=where, resource_name=f"ipset/{ip_set.name}/{ip_set.id}"
    )


def _databases(reach: Reach) -> list[str]:
    return sorted({each.rds for _, each in reach.watched if isinstance(each, WatchedDatabase)})


def _alarm(scope: Construct, kind: str, name: str) -> str:
    return _of(scope, "cloudwatch", kind, name, ArnFormat.COLON_RESOURCE_NAME)


def _watched_tables(reach: Reach) -> list[str]:
    return sorted({each.dynamodb for _, each in reach.watched if isinstance(each, WatchedTable)})


def _insight_rules(scope: Construct) -> str:
    """The rules that DynamoDB makes (DynamoDB Developer Guide, "Using IAM with Contributor Insights")."""
    return _of(scope, "cloudwatch", "insight-rule", "DynamoDBContributorInsights*")


def _dashboard(scope: Construct, name: str) -> str:
    """Dashboards belong to no Region (Service Authorization Reference, CloudWatch: `dashboard`)."""
    return Stack.of(scope).format_arn(service="cloudwatch", region="", resource="dashboard", resource_name=name)


def _tables(reach: Reach) -> list[str]:
    return sorted({table for backups in reach.backups for table in backups.dynamodb})


def _secret(scope: Construct, secret: str) -> str:
    """Its ARN. To a name, Secrets Manager adds a hyphen and six characters (Secrets Manager User Guide, "Identity-based
    policies"); a question mark for each lets in no secret whose name merely begins alike."""
    if secret.startswith("arn:"):
        return secret
    return _of(scope, "secretsmanager", "secret", f"{secret}-??????", ArnFormat.COLON_RESOURCE_NAME)


def _ecs(scope: Construct, kind: str, name: str) -> str:
    return _of(scope, "ecs", kind, name)


def _of(
    scope: Construct, service: str, kind: str, name: str, arn_format: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME
) -> str:
    return Stack.of(scope).format_arn(service=service, resource=kind, resource_name=name, arn_format=arn_format)


def _any(scope: Construct, service: str, kind: str, arn_format: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME) -> str:
    return _of(scope, service, kind, "*", arn_format)
