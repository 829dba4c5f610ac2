"""What comes in over the HTTP API, made uniform before it is routed."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from functions.domain.errors import InputError

MOST_BODY = 64 * 1024
JSON = "application/json"


def uniform(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same event with a body of JSON, whatever content type was said.

    `curl -d` says that it sends a form, and API Gateway gives every body that is no text in base64 (API Gateway
    Developer Guide, "Working with AWS Lambda proxy integrations for HTTP APIs"). No body is an empty object.

    Raises:
        InputError: it is no JSON object.
    """
    headers = {name: value for name, value in (event.get("headers") or {}).items() if name.lower() != "content-type"}
    body = json.dumps(_object(event))
    return {**event, "headers": {**headers, "content-type": JSON}, "body": body, "isBase64Encoded": False}


def _object(event: Mapping[str, Any]) -> dict[str, Any]:
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise InputError("the body is no UTF-8 text") from error
    if len(text) > MOST_BODY:
        raise InputError(f"the body is longer than {MOST_BODY // 1024} KB")
    if not text.strip():
        return {}
    try:
        said = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError("the body is no JSON; write an object such as {} or leave it out") from error
    if not isinstance(said, dict):
        raise InputError("the body is no JSON object; write one such as {}")
    return said


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def caller_of(event: Mapping[str, Any]) -> str | None:
    """ARN of the caller, as IAM found it to be; None where nobody asked IAM."""
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    arn = (authorizer.get("iam") or {}).get("userArn")
    return arn if isinstance(arn, str) and arn.startswith("arn:") else None
