"""Lambda `digest`: woken by its schedules, each of which says which digest is due."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.digests import Period
from functions.observability import logger

bootstrap.at_start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What was sent, for whoever calls it by hand with `{"period": "daily"}`; the schedules do not look."""
    period = Period(event["period"])
    sent = bootstrap.send_digest()(period).model_dump(mode="json")
    logger.info("digest", extra=sent)
    return sent
