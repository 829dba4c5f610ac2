"""Lambda `sweep`: woken by its schedule, picks up what fell down."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.observability import logger, tracer


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What was swept up, for whoever calls it by hand; the schedule does not look."""
    swept = bootstrap.sweep()().model_dump(mode="json")
    logger.info("swept", extra=swept)
    return swept
