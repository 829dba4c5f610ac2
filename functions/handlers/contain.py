"""Lambda `contain`, of the optional contain stack: carries the steps contain and lift."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.handlers.visits import visit
from functions.observability import logger
from functions.workflow.table import StepName

bootstrap.at_start()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One visit; the payload of the state machine in, the same with an outcome out."""
    if event["step"] == StepName.LIFT:
        return visit(StepName.LIFT, event, bootstrap.lift())
    return visit(StepName.CONTAIN, event, bootstrap.contain())
