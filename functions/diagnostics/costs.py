"""What a service costs, and whether that is within the budget of its playbook."""

from collections.abc import Mapping
from typing import Any, cast

from functions.diagnostics.look import Surroundings
from functions.diagnostics.thresholds import GB_HOUR_USD, VCPU_HOUR_USD
from functions.domain.circumstances import TaskDefinitionFacts
from functions.domain.costs import BudgetFacts
from functions.domain.evidence import ServiceFacts

ELSEWHERE = ("EC2", "EXTERNAL")
"""Launch types whose tasks cost nothing by themselves: the machines below them do."""


def task_usd_per_day(definition: TaskDefinitionFacts) -> float | None:
    """What one task costs a day by the list price of Fargate; None where only its containers say how large it is."""
    if definition.cpu is None or definition.memory_mib is None:
        return None
    return 24 * (definition.cpu / 1024 * VCPU_HOUR_USD + definition.memory_mib / 1024 * GB_HOUR_USD)


def read_budget(around: Surroundings, known: Mapping[str, Any]) -> BudgetFacts:
    """Reads nothing by itself: the service and its task definition say it."""
    service = cast(ServiceFacts, known["service"])
    definition = cast(TaskDefinitionFacts | None, known.get("definition"))
    priced = definition is not None and service.launch_type not in ELSEWHERE
    return BudgetFacts(
        tasks=around.budget_tasks,
        usd_per_day=around.budget_usd,
        task_usd_per_day=task_usd_per_day(definition) if definition is not None and priced else None,
        held=around.floor_held,
        told=around.cost_told,
    )
