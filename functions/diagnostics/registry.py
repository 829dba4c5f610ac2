"""Every probe, with what it needs to be allowed; `infra/` grants from here."""

from collections.abc import Mapping

from functions.diagnostics.look import Probe
from functions.diagnostics.probes import (
    read_alarms,
    read_dependencies,
    read_metrics,
    read_releases,
    read_scaling,
    read_service,
    read_targets,
    read_tasks,
)
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
            ),
        ),
        Probe(
            name="dependencies",
            read=read_dependencies,
            permissions=_may(Resource.ANY, "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
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
            permissions=_may(Resource.ANY, "cloudwatch:GetMetricData", "elasticloadbalancing:DescribeTargetGroups"),
        ),
        Probe(
            name="releases",
            read=read_releases,
            needs=("service",),
            permissions=(
                *_may(Resource.SERVICE, "ecs:ListServiceDeployments"),
                *_may(Resource.SERVICE_DEPLOYMENT, "ecs:DescribeServiceDeployments"),
                *_may(Resource.SERVICE_REVISION, "ecs:DescribeServiceRevisions"),
                *_may(Resource.ANY, "ecs:DescribeTaskDefinition"),
            ),
        ),
    )
}
"""Every probe by name. A new one needs a field in `Findings` and a line here."""
