"""Lambda `forward`: the action of an alarm that calls Lambda directly. Its event goes to the queue like every other."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.observability import logger

bootstrap.at_start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Hand the event over unread: intake alone judges it, and the queue keeps what intake refuses."""
    bootstrap.forward()(event)
