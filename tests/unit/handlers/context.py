"""What Lambda hands a function beside its event."""

from typing import cast

from aws_lambda_powertools.utilities.typing import LambdaContext


class _Context:
    function_name = "responder"
    function_version = "1"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:responder"
    aws_request_id = "request-1"
    log_group_name = "/aws/lambda/responder"
    log_stream_name = "stream-1"


def context(name: str) -> LambdaContext:
    """The context of the function of that name."""
    made = _Context()
    made.function_name = name
    return cast(LambdaContext, made)
