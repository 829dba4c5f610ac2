"""Findings of one look, built from what differs from an ordinary day: two tasks of an old release, all well."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.actions.action import Terms
from functions.domain.backups import RecoveryPoints
from functions.domain.breach import DenialsFacts, ExposureFacts, ImagesFacts
from functions.domain.circumstances import (
    AlarmHistoryFacts,
    ChangesFacts,
    FrontFacts,
    HealthFacts,
    LogPattern,
    LogsFacts,
    SecretsFacts,
    StackFacts,
    TargetGroupFacts,
    TaskDefinitionFacts,
)
from functions.domain.costs import BudgetFacts
from functions.domain.dependencies import DependenciesFacts, DependencyFacts, DependencyState
from functions.domain.evidence import (
    AlarmFacts,
    AlarmsFacts,
    DeploymentFacts,
    Metric,
    MetricsFacts,
    MetricWindow,
    Release,
    ReleasesFacts,
    ReleaseState,
    RevisionFacts,
    ScalingFacts,
    ServiceDeploymentFacts,
    ServiceFacts,
    TargetsFacts,
    TaskFacts,
    TasksFacts,
)
from functions.domain.findings import Findings, Reading
from functions.domain.network import NetworkFacts
from functions.domain.signals import AlarmState
from functions.domain.tables import TablesFacts
from functions.domain.threats import ThreatsFacts
from tests.fakes.world import BALANCER, GROUP, V1, V2

NOW = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=3)
JUST_NOW = NOW - timedelta(minutes=10)
ALARM_AT = NOW - timedelta(minutes=2)

ORDINARY: Mapping[Metric, float] = {
    Metric.REQUESTS: 10.0,
    Metric.TARGET_5XX: 0.0,
    Metric.LATENCY: 0.12,
    Metric.LATENCY_P95: 0.4,
    Metric.HEALTHY_HOSTS: 2.0,
    Metric.CPU: 35.0,
    Metric.MEMORY: 40.0,
    Metric.TASKS: 2.0,
}
FAILING: Mapping[Metric, float] = {Metric.TARGET_5XX: 4.0}
"""Four of ten requests fail."""


def terms(**said: Any) -> Terms:
    """What the smallest playbook says about carrying an action out, where an action is given 90 s and 10 minutes."""
    ordinary = {
        "settle_s": 90,
        "deadline_s": 600,
        "min_tasks": 1,
        "max_tasks": 20,
        "step_percent": 50,
        "lease_s": 1800,
        "shift_s": 3600,
    }
    return Terms(**(ordinary | said))


def findings(**said: Any) -> Findings:
    """What one look brought. A field given as None could not be read."""
    ordinary = {
        "service": service(),
        "tasks": tasks(),
        "targets": TargetsFacts(targets=()),
        "alarms": alarms(),
        "metrics": metrics(),
        "scaling": scaling(),
        "releases": releases(),
        "dependencies": dependencies(),
        "definition": definition(),
        "front": front(),
        "logs": logs(),
        "secrets": SecretsFacts(),
        "history": history(),
        "changes": ChangesFacts(since=NOW - timedelta(hours=1)),
        "stack": StackFacts(),
        "health": HealthFacts(),
        "exposure": ExposureFacts(),
        "images": ImagesFacts(),
        "denials": DenialsFacts(),
        "budget": BudgetFacts(),
        "threats": ThreatsFacts(),
        "backups": RecoveryPoints(),
        "network": NetworkFacts(),
        "tables": TablesFacts(),
    }
    readings = {
        name: Reading(error=f"{name} is throttled") if value is None else Reading(value=value)
        for name, value in (ordinary | said).items()
    }
    return Findings(looked_at=NOW, **readings)


def without(seen: Findings, *names: str) -> Findings:
    """The same look, but these could not be read."""
    unread: dict[str, Any] = {name: Reading(error=f"{name} is throttled") for name in names}
    return replace(seen, **unread)


def deployment(**said: Any) -> DeploymentFacts:
    ordinary = {
        "id": "ecs-svc/1",
        "status": "PRIMARY",
        "rollout_state": "COMPLETED",
        "task_definition": V2,
        "desired": 2,
        "running": 2,
        "pending": 0,
        "failed": 0,
        "created_at": LONG_AGO,
    }
    return DeploymentFacts.model_validate(ordinary | said)


def service(*, primary: DeploymentFacts | None = None, **said: Any) -> ServiceFacts:
    primary = deployment() if primary is None else primary
    ordinary = {
        "arn": "arn:aws:ecs:eu-west-1:000000000000:service/shop/orders",
        "status": "ACTIVE",
        "desired": 2,
        "running": 2,
        "pending": 0,
        "task_definition": primary.task_definition,
        "deployments": (primary,),
        "target_groups": (GROUP,),
        "surroundings": "as always",
    }
    return ServiceFacts.model_validate(ordinary | said)


def tasks(*, crashes: int = 0, minutes_ago: float = 3, of: str = V2, **said: Any) -> TasksFacts:
    """`crashes` tasks that stopped by themselves, so long ago."""
    stopped = tuple(
        TaskFacts.model_validate(
            {
                "arn": f"task/{n}",
                "task_definition": of,
                "last_status": "STOPPED",
                "stop_code": "EssentialContainerExited",
                "stopped_at": NOW - timedelta(minutes=minutes_ago),
                **said,
            }
        )
        for n in range(crashes)
    )
    return TasksFacts(running=(), stopped=stopped)


def alarm(**said: Any) -> AlarmFacts:
    ordinary = {
        "name": "orders-5xx",
        "arn": "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:orders-5xx",
        "state": AlarmState.ALARM,
        "since": ALARM_AT,
        "evaluation_periods": 2,
        "breaching_now": True,
    }
    return AlarmFacts.model_validate(ordinary | said)


def alarms(*given: AlarmFacts, gone: tuple[str, ...] = ()) -> AlarmsFacts:
    return AlarmsFacts(alarms=given or (alarm(),), gone=gone)


def metrics(
    now: Mapping[Metric, float | None] | None = None,
    before: Mapping[Metric, float | None] | None = None,
    preceding: Mapping[Metric, float | None] | None = None,
    latest: Mapping[Metric, float] | None = None,
) -> MetricsFacts:
    """An ordinary day, but for what is given; None is a window without data, and so is the newest period alone."""
    just_before: dict[Metric, float | None] = {**ORDINARY, **(preceding or {})}
    at_present: dict[Metric, float | None] = {**ORDINARY, **(now or {})}
    earlier: dict[Metric, float | None] = {**ORDINARY, **(before or {})}
    return MetricsFacts(
        onset=ALARM_AT,
        now_s=180,
        before_s=1800,
        metrics={
            m: MetricWindow(
                now=at_present.get(m),
                before=earlier.get(m),
                preceding=just_before.get(m),
                latest=(latest or {}).get(m),
            )
            for m in {*at_present, *earlier, *just_before}
        },
    )


def scaling(**said: Any) -> ScalingFacts:
    ordinary = {"registered": True, "resource_id": "service/shop/orders", "minimum": 2, "maximum": 10}
    return ScalingFacts.model_validate(ordinary | said)


def release(task_definition: str = V1, **said: Any) -> Release:
    ordinary = {
        "task_definition": task_definition,
        "first_seen": LONG_AGO - timedelta(days=30),
        "last_seen": LONG_AGO,
        "state": ReleaseState.GOOD,
    }
    return Release.model_validate(ordinary | said)


def releases(*, since: datetime = LONG_AGO, **said: Any) -> ReleasesFacts:
    ordinary = {
        "current": V2,
        "current_since": since,
        "history": (release(V2, first_seen=since, last_seen=NOW, state=ReleaseState.SEEN), release(V1)),
        "last_known_good": V1,
        "last_known_good_reason": "the newest release that was watched to be good",
        "differs_beyond_task_definition": False,
    }
    return ReleasesFacts.model_validate(ordinary | said)


def service_deployment(status: str = "IN_PROGRESS", **said: Any) -> ServiceDeploymentFacts:
    ordinary = {
        "arn": "arn:aws:ecs:eu-west-1:000000000000:service-deployment/shop/orders/1",
        "status": status,
        "created_at": JUST_NOW,
    }
    return ServiceDeploymentFacts.model_validate(ordinary | said)


def revision(arn: str, task_definition: str) -> RevisionFacts:
    return RevisionFacts(arn=arn, task_definition=task_definition)


def dependencies(state: DependencyState | None = DependencyState.OK) -> DependenciesFacts:
    """One dependency in that state; None for a playbook that names none."""
    if state is None:
        return DependenciesFacts(dependencies=())
    return DependenciesFacts(dependencies=(DependencyFacts(name="orders-db", state=state, detail="said the test"),))


def definition(**said: Any) -> TaskDefinitionFacts:
    ordinary = {
        "task_definition": V2,
        "cpu": 512,
        "memory_mib": 1024,
        "ports": (8080,),
        "log_groups": ("/ecs/orders",),
        "log_prefixes": ("orders",),
    }
    return TaskDefinitionFacts.model_validate(ordinary | said)


def front(*, group: Mapping[str, Any] | None = None, **said: Any) -> FrontFacts:
    """One target group, in which `group` is what differs, behind a load balancer without zonal shift."""
    ordinary = {"arn": GROUP, "health_check_path": "/health", "matcher": "200", "port": 8080}
    target_group = TargetGroupFacts.model_validate(ordinary | dict(group or {}))
    return FrontFacts.model_validate({"target_groups": (target_group,), "load_balancer": BALANCER} | said)


def logs(counts: Mapping[str, int] | None = None, **said: Any) -> LogsFacts:
    """Error lines by pattern."""
    patterns = tuple(LogPattern(pattern=p, count=n, sample=p) for p, n in (counts or {}).items())
    ordinary = {"since": ALARM_AT, "groups": ("/ecs/orders",), "patterns": patterns}
    return LogsFacts.model_validate(ordinary | said)


def history(*went_off: datetime, name: str = "orders-5xx") -> AlarmHistoryFacts:
    """The alarm went off then, newest first; without anything said, once."""
    return AlarmHistoryFacts(since=NOW - timedelta(hours=2), went_off={name: went_off or (ALARM_AT,)})


def newly_released(**said: Any) -> Findings:
    """A release ten minutes ago whose deployment completed; what else is given differs, too."""
    ordinary = {
        "service": service(primary=deployment(created_at=JUST_NOW)),
        "releases": releases(since=JUST_NOW),
        "metrics": metrics(now=FAILING),
    }
    return findings(**(ordinary | said))
