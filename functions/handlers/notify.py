"""Lambda `notify`: carries the steps page, update and approval."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.handlers.visits import announced, ask, question_announced, visit
from functions.observability import logger
from functions.workflow.table import StepName

bootstrap.at_start(bootstrap.page_people, bootstrap.announce, clients=("dynamodb", "sns"))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One visit; the payload of the state machine in, the same with an outcome out.

    Approval only asks: what it returns is dropped, and the outcome comes with the answer.
    """
    if event["step"] == StepName.APPROVAL:
        ask(event, bootstrap.ask_people())
        question_announced(event, bootstrap.announce)
        return {}
    if event["step"] == StepName.UPDATE:
        return announced(visit(StepName.UPDATE, event, bootstrap.keep_promises()), bootstrap.announce)
    return announced(visit(StepName.PAGE, event, bootstrap.page_people()), bootstrap.announce)
