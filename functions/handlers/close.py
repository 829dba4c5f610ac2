"""Lambda `close`: carries the step close."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.handlers.visits import announced, visit
from functions.observability import logger
from functions.workflow.table import StepName

bootstrap.at_start(bootstrap.close, bootstrap.announce, clients=("dynamodb", "s3", "sns"))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One visit; the payload of the state machine in, the same with an outcome out."""
    return announced(visit(StepName.CLOSE, event, bootstrap.close()), bootstrap.announce)
