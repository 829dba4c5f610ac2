"""Lambda `sweep`: woken by its schedule, picks up what fell down."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.counts import Count
from functions.observability import logger, metrics

bootstrap.at_start(bootstrap.sweep, clients=("dynamodb", "cloudwatch"))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What was swept up, for whoever calls it by hand; the schedule does not look."""
    swept = bootstrap.sweep()()
    for count, value in (
        (Count.INCIDENTS_OPEN, swept.open),
        (Count.LEASES_OVERDUE, swept.overdue),
        (Count.FLEET_ACTIONS, swept.fleet_actions),
    ):
        if value:  # nothing written is 0 for who reads it, and costs nothing
            metrics.add_metric(name=count, unit=MetricUnit.Count, value=value)
    if metrics.metric_set:
        metrics.flush_metrics()
    said = swept.model_dump(mode="json")
    logger.info("swept", extra=said)
    return said
