"""Lambda `api`: the HTTP API of operators. It may not read AWS, and changes nothing by itself."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.handlers.http import app
from functions.handlers.http.requests import caller_of
from functions.observability import logger

bootstrap.at_start()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One request of an HTTP API in (payload 2.0), its answer out."""
    answered = app.answer(event, context)
    logger.info(
        "answered",
        extra={
            "route": event.get("routeKey"),
            "path": event.get("rawPath"),
            "status": answered["statusCode"],
            "caller": caller_of(event),
        },
    )
    return answered
