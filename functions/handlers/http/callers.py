"""Who calls, as IAM found them to be."""

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

CALLER = "caller"


def caller(router: BaseRouter) -> str:
    """ARN of whoever makes the request that is being answered."""
    found: str = router.context[CALLER]
    return found
