"""Lambda `check`: woken every minute, makes the synthetic checks of all playbooks."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.counts import Count
from functions.observability import logger, metrics

bootstrap.at_start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What was found, for whoever calls it by hand; the schedule does not look."""
    made = bootstrap.run_checks()()
    logger.info("checked", extra={"fine": made.fine, "failed": made.failed})
    for name, reason in made.not_made.items():
        logger.error("check not made", extra={"check": name, "reason": reason})
    if made.not_made:
        metrics.add_metric(name=Count.CHECKS_NOT_MADE, unit=MetricUnit.Count, value=1)
        metrics.flush_metrics()
    return made.model_dump(mode="json")
