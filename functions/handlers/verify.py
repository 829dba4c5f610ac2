"""Lambda `verify`: carries the steps verify and listen."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.handlers.visits import ask, visit
from functions.observability import logger
from functions.workflow.table import StepName

bootstrap.at_start(bootstrap.verify, clients=("dynamodb", "ecs", "cloudwatch", "elbv2"))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One visit; the payload of the state machine in, the same with an outcome out.

    Listen only leaves its token: what it returns is dropped, and the outcome comes with the next signal.
    """
    if event["step"] == StepName.LISTEN:
        ask(event, bootstrap.listen())
        return {}
    return visit(StepName.VERIFY, event, bootstrap.verify())
