"""Lambda `assess`: carries the steps assess and watch."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.handlers.visits import visit
from functions.observability import logger
from functions.workflow.table import StepName

bootstrap.at_start(bootstrap.assess, clients=("dynamodb", "ecs", "cloudwatch", "elbv2"))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One visit; the payload of the state machine in, the same with an outcome out."""
    if event["step"] == StepName.WATCH:
        watch = bootstrap.watch()
        return visit(StepName.WATCH, event, watch, exhausted=watch.hand_over)
    return visit(StepName.ASSESS, event, bootstrap.assess())
