"""Lambda `read`: looks at one service for the HTTP API. It reads AWS and the ledger, and writes neither."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import bootstrap
from functions.domain.orders import Order
from functions.domain.services import ServiceRef
from functions.observability import logger

bootstrap.at_start(bootstrap.inspect, clients=("dynamodb", "ecs"))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The findings of one look, through the probes that are named, or all; or what would become of an order."""
    ref = ServiceRef.parse(event["service"])
    if "order" in event:
        reply = bootstrap.try_order()(ref, Order.model_validate(event["order"]))
        logger.info("tried an order", extra={"inspected": event["service"], "state": reply.state})
        return reply.model_dump(mode="json")
    findings = bootstrap.inspect().inspect(ref, tuple(event["probes"]))
    logger.info("looked", extra={"inspected": event["service"], "probes": event["probes"]})
    return findings.to_json()
