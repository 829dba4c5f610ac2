"""Lambda `bake`: woken every minute, looks after young releases."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.observability import logger, tracer


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What was done, for whoever calls it by hand; the schedule does not look."""
    baked = bootstrap.bake()().model_dump(mode="json")
    logger.info("baked", extra=baked)
    return baked
