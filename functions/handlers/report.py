"""Lambda `report`: carries the step report."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.handlers.visits import visit
from functions.observability import logger
from functions.workflow.table import StepName

bootstrap.at_start(bootstrap.write_report, clients=("dynamodb", "s3"))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One visit; the payload of the state machine in, the same with an outcome out."""
    return visit(StepName(event["step"]), event, bootstrap.write_report())
