"""The HTTP API: its routes, its document, and how one request is answered."""

import re
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.domain.errors import InputError
from functions.handlers.http import looking, ordering, telling, trying
from functions.handlers.http.callers import CALLER
from functions.handlers.http.problems import PROBLEM, Problem, problem, register
from functions.handlers.http.requests import caller_of, uniform

TITLE = "ECS first responder"
VERSION = "1"
DESCRIPTION = (
    "What an operator asks and orders in an emergency. Every request is signed (AWS Signature Version 4, service "
    "execute-api); whoever signs it is in the trail. Everything that is no answer is problem+json (RFC 9457)."
)

app = APIGatewayHttpResolver(enable_validation=True)
for _part in (looking, telling, ordering, trying):
    app.include_router(_part.router)


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    made = app.get_openapi_schema(title=TITLE, version=VERSION, description=DESCRIPTION)
    plain: dict[str, Any] = made.model_dump(by_alias=True, exclude_none=True, mode="json")
    plain["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    plain["components"]["securitySchemes"] = {"sigv4": SIGNATURE}
    plain["security"] = [{"sigv4": []}]
    answer = {"$ref": "#/components/schemas/Problem"}
    for operations in plain["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            _say_what_is_known(operation)
            for status in PROBLEMS:
                described = {"description": HTTPStatus(status).phrase, "content": {PROBLEM: {"schema": answer}}}
                responses[str(status)] = described
    return plain


def _say_what_is_known(operation: dict[str, Any]) -> None:
    """What Powertools cannot know: bodies may be left out where nothing in them is required, and a dry run is 200."""
    if "requestBody" in operation:
        operation["requestBody"]["required"] = operation["operationId"].startswith(NEED_A_BODY)
    if "202" in operation["responses"] and "disaster recovery" in operation["tags"]:
        operation["responses"]["200"] = {**operation["responses"]["202"], "description": "What a dry run found"}


SIGNATURE = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4",
    "description": "AWS Signature Version 4, service execute-api",
}
"""As API Gateway itself writes it (API Gateway Developer Guide, "x-amazon-apigateway-authtype property")."""
NEED_A_BODY = ("emergency_scale", "execute_plan", "performance_test")
PROBLEMS = (400, 403, 404, 405, 409, 422, 503)
"""What any path may answer instead."""


@cache
def _paths() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    paths = document()["paths"]
    return tuple(
        (re.compile("/".join("[^/]+" if "{" in part else re.escape(part) for part in path.split("/"))), tuple(methods))
        for path, methods in paths.items()
    )


def methods_of(path: str) -> Sequence[str]:
    """The methods that a path takes; none where there is nothing under it."""
    return sorted({method.upper() for pattern, found in _paths() if pattern.fullmatch(path) for method in found})


register(app, methods_of)


def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The answer to one request. Without a caller whom IAM knows there is none but 403, whatever the routes say."""
    who, path = caller_of(event), str(event.get("rawPath", ""))
    if who is None:
        return _said(problem(HTTPStatus.FORBIDDEN, "sign the request (AWS Signature Version 4)", path=path))
    try:
        said = uniform(event)
    except InputError as error:
        return _said(problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), path=path))
    app.append_context(**{CALLER: who})
    answered: dict[str, Any] = app.resolve(said, context)
    return answered


def _said(response: Any) -> dict[str, Any]:
    return {
        "statusCode": response.status_code,
        "body": response.body,
        "isBase64Encoded": False,
        "headers": {"Content-Type": response.content_type},
    }
