"""The probes: each reads one thing from AWS and makes facts of it. None judges.

Those that take more than a few lines have a module of their own beside this one.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from functions.diagnostics.dependencies import Watcher
from functions.diagnostics.look import Surroundings
from functions.diagnostics.metrics import onset_of
from functions.domain.circumstances import (
    AlarmHistoryFacts,
    ChangesFacts,
    FrontFacts,
    HealthFacts,
    LogsFacts,
    SecretsFacts,
    StackFacts,
    TaskDefinitionFacts,
)
from functions.domain.dependencies import DependenciesFacts
from functions.domain.errors import ReadFailed
from functions.domain.evidence import AlarmsFacts, ScalingFacts, ServiceFacts, TargetsFacts, TasksFacts
from functions.domain.threats import ThreatsFacts

LOGS_LOOKBACK = timedelta(minutes=15)
"""Older lines cost more to read than they tell."""
HISTORY_LOOKBACK = timedelta(hours=2)
CHANGES_LOOKBACK = timedelta(hours=1)


def read_service(around: Surroundings, known: Mapping[str, Any]) -> ServiceFacts:
    facts = around.readers.service.service(around.ref)
    if facts is None:
        raise ReadFailed(f"ECS knows no service {around.ref.service} in cluster {around.ref.cluster}")
    return facts


def read_tasks(around: Surroundings, known: Mapping[str, Any]) -> TasksFacts:
    return around.readers.service.tasks(around.ref)


def read_targets(around: Surroundings, known: Mapping[str, Any]) -> TargetsFacts:
    groups = around.target_groups or cast(ServiceFacts, known["service"]).target_groups
    return TargetsFacts(targets=tuple(around.readers.service.targets(groups)) if groups else ())


def read_alarms(around: Surroundings, known: Mapping[str, Any]) -> AlarmsFacts:
    alarms = tuple(around.readers.metrics.alarms(around.alarms)) if around.alarms else ()
    found = {alarm.name for alarm in alarms}
    return AlarmsFacts(
        alarms=alarms,
        gone=tuple(name for name in around.alarms if name not in found),
        of_cost=tuple(name for name in around.cost_alarms if name in found),
    )


def read_scaling(around: Surroundings, known: Mapping[str, Any]) -> ScalingFacts:
    return around.readers.service.scaling(around.ref, resource_id=around.scalable_target)


def read_dependencies(around: Surroundings, known: Mapping[str, Any]) -> DependenciesFacts:
    """How everything is doing that the playbook says the service stands on."""
    return DependenciesFacts(dependencies=Watcher(around.readers)(around.ref, around.dependencies, now=around.now))


def read_definition(around: Surroundings, known: Mapping[str, Any]) -> TaskDefinitionFacts:
    service = cast(ServiceFacts, known["service"])
    current = service.primary.task_definition if service.primary else service.task_definition
    facts = around.readers.service.definition(current)
    return facts if around.log_group is None else facts.model_copy(update={"log_groups": (around.log_group,)})


def read_front(around: Surroundings, known: Mapping[str, Any]) -> FrontFacts:
    groups = around.target_groups or cast(ServiceFacts, known["service"]).target_groups
    facts = around.readers.front.front(groups, load_balancer=around.load_balancer) if groups else FrontFacts()
    return facts.model_copy(update={"sticky_s": around.sticky_s})


def read_logs(around: Surroundings, known: Mapping[str, Any]) -> LogsFacts:
    """What the service complained of since the trouble began, and what the playbook asks besides."""
    groups = cast(TaskDefinitionFacts, known["definition"]).log_groups
    if not groups:
        raise ReadFailed("no container of the service logs to CloudWatch Logs in this Region")
    since = max(onset_of(around, known.get("alarms")), around.now - LOGS_LOOKBACK)
    return around.readers.logs.errors(
        groups, since=since, until=around.now, causes=around.log_causes, queries=around.log_queries
    )


def read_secrets(around: Surroundings, known: Mapping[str, Any]) -> SecretsFacts:
    references = cast(TaskDefinitionFacts, known["definition"]).secrets
    return around.readers.secrets.secrets(references) if references else SecretsFacts()


def read_history(around: Surroundings, known: Mapping[str, Any]) -> AlarmHistoryFacts:
    """When the alarms went off, and when we did something about it."""
    since = around.now - HISTORY_LOOKBACK
    facts = around.readers.metrics.alarm_history(around.alarms, since=since)
    return facts.model_copy(update={"acted": tuple(at for at in around.acted_at if at >= since)})


def read_changes(around: Surroundings, known: Mapping[str, Any]) -> ChangesFacts:
    return around.readers.account.changes(around.ref, since=around.now - CHANGES_LOOKBACK)


def read_stack(around: Surroundings, known: Mapping[str, Any]) -> StackFacts:
    return around.readers.account.stack(cast(ServiceFacts, known["service"]).arn)


def read_threats(around: Surroundings, known: Mapping[str, Any]) -> ThreatsFacts:
    """The findings that the incident was told of, from GuardDuty itself: a message alone proves nothing."""
    return around.readers.account.threats(around.threats) if around.threats else ThreatsFacts()


def read_health(around: Surroundings, known: Mapping[str, Any]) -> HealthFacts:
    return around.readers.account.health(around.ref.region)
