"""Everything that is no answer, as problem+json (RFC 9457), whatever went wrong."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import BaseModel

from functions.domain.counts import Count, Counted
from functions.domain.errors import (
    AnswerRefused,
    FunctionFailed,
    InputError,
    LedgerError,
    NotInLedger,
    NotNamed,
    NotServing,
    OrderRefused,
    ReadFailed,
    Refused,
    ResponderError,
    Superseded,
    TrailBroken,
    WhichService,
)
from functions.domain.redaction import clean
from functions.observability import emit, logger

PROBLEM = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457. `type` is about:blank: the status says what kind of problem it is."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str = ""
    """The path that was asked for."""
    rule: str | None = None
    """Of a 409: the rule or guardrail that says no."""
    services: list[str] | None = None
    """Of a 400: what could be meant."""
    errors: list[str] | None = None
    """Of a 422: what cannot be used, each with its place."""


def problem(
    status: HTTPStatus, detail: str, *, path: str, headers: Mapping[str, str] | None = None, **more: Any
) -> Response[str]:
    said = Problem(title=status.phrase, status=status, detail=clean(detail), instance=clean(path, limit=200), **more)
    return Response(
        status_code=status,
        content_type=PROBLEM,
        body=said.model_dump_json(exclude_none=True),
        headers=dict(headers or {}),
    )


STATUS: Sequence[tuple[type[Exception], HTTPStatus]] = (
    (WhichService, HTTPStatus.BAD_REQUEST),
    (NotNamed, HTTPStatus.NOT_FOUND),
    (NotInLedger, HTTPStatus.NOT_FOUND),
    (Refused, HTTPStatus.CONFLICT),
    (OrderRefused, HTTPStatus.CONFLICT),
    (AnswerRefused, HTTPStatus.CONFLICT),
    (Superseded, HTTPStatus.CONFLICT),
    (InputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TrailBroken, HTTPStatus.CONFLICT),
    (NotServing, HTTPStatus.SERVICE_UNAVAILABLE),
    (ReadFailed, HTTPStatus.SERVICE_UNAVAILABLE),
    (LedgerError, HTTPStatus.SERVICE_UNAVAILABLE),
)
"""What each error is over HTTP; the first that fits counts. What AWS does not let us read is 503, and never a guess."""


def register(app: APIGatewayHttpResolver, methods_of: Callable[[str], Sequence[str]]) -> None:
    """Let the app answer every error as a problem. `methods_of` says which methods a path has."""

    @app.not_found
    def nothing_there(_: NotFoundError) -> Response[str]:
        path, allowed = app.current_event.path, methods_of(app.current_event.path)
        if not allowed:
            return problem(HTTPStatus.NOT_FOUND, "there is nothing under this path", path=path)
        detail = f"this path takes {', '.join(allowed)}"
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, detail, path=path, headers={"Allow": ", ".join(allowed)})

    def unusable(error: RequestValidationError) -> Response[str]:
        mistakes = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "; ".join(mistakes),
            path=app.current_event.path,
            errors=[clean(mistake, limit=300) for mistake in mistakes],
        )

    def foreseen(error: ResponderError) -> Response[str]:
        status = next((status for kind, status in STATUS if isinstance(error, kind)), None)
        if status is None:
            return a_bug(error)
        more: dict[str, Any] = {}
        if isinstance(error, FunctionFailed):
            emit(Counted(count=Count.BUGS_ANSWERED))
        if isinstance(error, Refused):
            more["rule"] = error.rule
        if isinstance(error, AnswerRefused | OrderRefused):
            more["rule"] = "approval" if isinstance(error, AnswerRefused) else "order"
        if isinstance(error, WhichService):
            more["services"] = list(error.services)
        return problem(status, str(error), path=app.current_event.path, **more)

    def a_bug(error: Exception) -> Response[str]:
        logger.exception("not foreseen", exc_info=error)
        emit(Counted(count=Count.BUGS_ANSWERED))
        detail = "this was not foreseen; the log of the function api says more"
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, path=app.current_event.path)

    app.exception_handler(RequestValidationError)(unusable)
    app.exception_handler(ResponderError)(foreseen)
    app.exception_handler(Exception)(a_bug)
