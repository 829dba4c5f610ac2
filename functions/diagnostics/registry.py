"""Every probe, with what it needs to be allowed; `infra/` grants from here."""

from collections.abc import Mapping

from functions.diagnostics.breach import read_denials, read_exposure, read_images
from functions.diagnostics.costs import read_budget
from functions.diagnostics.look import Probe
from functions.diagnostics.metrics import read_metrics
from functions.diagnostics.network import read_network
from functions.diagnostics.probes import (
    read_alarms,
    read_changes,
    read_definition,
    read_dependencies,
    read_front,
    read_health,
    read_history,
    read_logs,
    read_scaling,
    read_secrets,
    read_service,
    read_stack,
    read_targets,
    read_tasks,
    read_threats,
)
from functions.diagnostics.recovery_points import read_backups
from functions.diagnostics.releases import read_deployed, read_releases
from functions.diagnostics.tables import read_tables
from functions.domain.permissions import Permission, Resource


def _may(resource: Resource, *actions: str) -> tuple[Permission, ...]:
    return tuple(Permission(action=action, resource=resource) for action in actions)


PROBES: Mapping[str, Probe] = {
    probe.name: probe
    for probe in (
        Probe(name="service", read=read_service, permissions=_may(Resource.SERVICE, "ecs:DescribeServices")),
        Probe(
            name="tasks",
            read=read_tasks,
            permissions=(
                *_may(Resource.CLUSTER_CONDITION, "ecs:ListTasks"),
                *_may(Resource.TASK, "ecs:DescribeTasks"),
            ),
        ),
        Probe(
            name="alarms",
            read=read_alarms,
            permissions=_may(Resource.ANY, "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
        ),
        Probe(
            name="scaling",
            read=read_scaling,
            permissions=_may(
                Resource.ANY,
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingActivities",
                "application-autoscaling:DescribeScalingPolicies",
            ),
        ),
        Probe(
            name="dependencies",
            read=read_dependencies,
            permissions=(
                *_may(Resource.ANY, "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
                *_may(Resource.WATCHED_SERVICE, "ecs:DescribeServices"),
                *_may(Resource.WATCHED_DATABASE, "rds:DescribeDBInstances"),
                *_may(Resource.DATABASE_INSIGHTS, "pi:DescribeDimensionKeys"),
            ),
        ),
        Probe(
            name="targets",
            read=read_targets,
            needs=("service",),
            permissions=_may(Resource.ANY, "elasticloadbalancing:DescribeTargetHealth"),
        ),
        Probe(
            name="metrics",
            read=read_metrics,
            needs=("service", "alarms"),
            wants=("tasks",),
            permissions=_may(Resource.ANY, "cloudwatch:GetMetricData", "elasticloadbalancing:DescribeTargetGroups"),
        ),
        Probe(
            name="releases",
            read=read_releases,
            needs=("service",),
            ahead=read_deployed,
            permissions=(
                *_may(Resource.SERVICE, "ecs:ListServiceDeployments"),
                *_may(Resource.SERVICE_DEPLOYMENT, "ecs:DescribeServiceDeployments"),
                *_may(Resource.SERVICE_REVISION, "ecs:DescribeServiceRevisions"),
                *_may(Resource.ANY, "ecs:DescribeTaskDefinition"),
            ),
        ),
        Probe(
            name="definition",
            read=read_definition,
            needs=("service",),
            permissions=_may(Resource.ANY, "ecs:DescribeTaskDefinition"),
        ),
        Probe(
            name="front",
            read=read_front,
            needs=("service",),
            permissions=(
                *_may(
                    Resource.ANY,
                    "elasticloadbalancing:DescribeTargetGroups",
                    "elasticloadbalancing:DescribeTargetGroupAttributes",
                    "elasticloadbalancing:DescribeLoadBalancerAttributes",
                    "ec2:DescribeAvailabilityZones",
                ),
                *_may(Resource.LOAD_BALANCER, "arc-zonal-shift:GetManagedResource"),
            ),
        ),
        Probe(
            name="logs",
            read=read_logs,
            needs=("definition",),
            wants=("alarms",),
            permissions=(
                *_may(Resource.LOG_GROUP, "logs:StartQuery"),
                *_may(Resource.ANY, "logs:GetQueryResults", "logs:StopQuery"),
            ),
        ),
        Probe(
            name="secrets",
            read=read_secrets,
            needs=("definition",),
            permissions=(
                *_may(Resource.SECRET, "secretsmanager:DescribeSecret"),
                *_may(Resource.ANY, "ssm:DescribeParameters"),
            ),
        ),
        Probe(name="history", read=read_history, permissions=_may(Resource.ANY, "cloudwatch:DescribeAlarmHistory")),
        Probe(name="changes", read=read_changes, permissions=_may(Resource.ANY, "cloudtrail:LookupEvents")),
        Probe(
            name="stack",
            read=read_stack,
            needs=("service",),
            permissions=(
                *_may(Resource.ANY, "cloudformation:DescribeStackResources"),
                *_may(Resource.STACK, "cloudformation:DescribeStacks"),
            ),
        ),
        Probe(name="health", read=read_health, permissions=_may(Resource.ANY, "health:DescribeEvents")),
        Probe(
            name="exposure",
            read=read_exposure,
            wants=("service",),
            permissions=_may(Resource.ANY, "ec2:DescribeSecurityGroups"),
        ),
        Probe(
            name="images",
            read=read_images,
            wants=("tasks",),
            permissions=_may(Resource.IMAGE_REPOSITORY, "ecr:DescribeImageScanFindings"),
        ),
        Probe(
            name="denials",
            read=read_denials,
            wants=("definition", "changes"),
            permissions=_may(Resource.ANY, "cloudtrail:LookupEvents"),
        ),
        Probe(name="budget", read=read_budget, needs=("service",), wants=("definition",), permissions=()),
        Probe(
            name="network",
            read=read_network,
            # After the logs, which say that something cannot be reached; on every other day it costs no request.
            wants=("service", "tasks", "targets", "front", "dependencies", "logs"),
            permissions=_may(Resource.ANY, "ec2:DescribeSecurityGroups", "elasticloadbalancing:DescribeLoadBalancers"),
        ),
        Probe(
            name="tables",
            read=read_tables,
            wants=("dependencies",),
            permissions=(
                *_may(Resource.WATCHED_TABLE, "dynamodb:DescribeTable", "dynamodb:DescribeContributorInsights"),
                *_may(Resource.TABLE_INSIGHTS, "cloudwatch:GetInsightRuleReport"),
            ),
        ),
        Probe(name="threats", read=read_threats, permissions=_may(Resource.DETECTOR, "guardduty:GetFindings")),
        Probe(
            name="backups",
            read=read_backups,
            permissions=(
                *_may(Resource.BACKUP_LIST, "dynamodb:ListBackups"),
                *_may(Resource.DATABASE_SNAPSHOTS, "rds:DescribeDBSnapshots"),
            ),
        ),
    )
}
"""Every probe by name. A new one needs its facts in `functions/domain/facts.py`, a field in `Findings`, and a
line here."""
